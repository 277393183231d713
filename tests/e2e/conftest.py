"""Shared by the end-to-end tests: marks, what may be skipped, and the counts of transcripts after a run."""

import collections
import os
import re
import signal

import pytest

import transcripts

COUNTS = collections.Counter()

# Where CKOPS_SERVERS_REQUIRED=1 says that everything is there, what is missing is a failure: programs, servers, tools. Left out
# with good reason is only what cannot be there.
REQUIRED = os.environ.get("CKOPS_SERVERS_REQUIRED") == "1"
MAY_BE_LEFT_OUT = re.compile("|".join((
    "reference material", "empty parameter set",  # CK_SHARED is no part of the project
    "root may write everywhere", "root without leave to mount", "no pseudo terminals here", "no network namespaces here",  # the machine
    "not a release build",  # sanitizers
    "CK_FULL=1",  # what takes long and has a shorter form that is not skipped
    "kops gave no answer", "was not recorded", "not offered yet", "the case has no files",  # what was recorded
)))


def refuse_to_skip(report):
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if REQUIRED and report.skipped and not hasattr(report, "wasxfail") and not MAY_BE_LEFT_OUT.search(reason):
        report.outcome = "failed"
        report.longrepr = "to be skipped, where nothing may be missing: " + reason


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    refuse_to_skip(outcome.get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    outcome = yield
    refuse_to_skip(outcome.get_result())


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes seconds; left out under sanitizers")
    config.ck_transcripts = COUNTS
    # A run in the background, or under nohup, hands ignored signals down to the programs that are to end by them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_terminal_summary(terminalreporter):
    if COUNTS:
        terminalreporter.write_line("transcripts: " + ", ".join(
            "%d %s" % (COUNTS[kind], transcripts.CLASSES[kind]) for kind in transcripts.CLASSES))
