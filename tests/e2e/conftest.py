"""Shared by the end-to-end tests: marks, and the counts of transcripts after a run."""

import collections

import transcripts

COUNTS = collections.Counter()


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes seconds; left out under sanitizers")
    config.ck_transcripts = COUNTS


def pytest_terminal_summary(terminalreporter):
    if COUNTS:
        terminalreporter.write_line("transcripts: " + ", ".join(
            "%d %s" % (COUNTS[kind], transcripts.CLASSES[kind]) for kind in transcripts.CLASSES))
