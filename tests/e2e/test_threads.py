"""Commands that use threads, watched by valgrind, the release build with the libraries as they are: no memory is used wrongly or
lost. What threads share without a lock is looked for by ThreadSanitizer (tools/test.sh): helgrind knows neither pthread_once nor
atomic operations."""

import pathlib
import shutil
import subprocess

import pytest

import test_keysneeded
import test_store_copy
from test_keysneeded import store  # noqa: F401
from test_several_stores import two  # noqa: F401
from test_store_copy import FakeS3, contents, env_of, many

pytestmark = [pytest.mark.slow, *([test_store_copy.pytestmark])]
FOUND = 99


@pytest.fixture
def watched(tmp_path):
    """Runs a command; it must end well, and valgrind find nothing."""
    if not shutil.which("valgrind"):
        (pytest.fail if test_store_copy.REQUIRED else pytest.skip)("valgrind is not installed")

    def run(program, *args, **env):
        log = tmp_path / "valgrind.log"
        p = subprocess.run(["valgrind", "-q", f"--log-file={log}", f"--error-exitcode={FOUND}", "--leak-check=full",
                            "--errors-for-leak-kinds=definite,possible", program, *args], cwd=tmp_path,
                           env=env_of(tmp_path, **env), capture_output=True, text=True, timeout=300)
        assert p.returncode != FOUND, log.read_text()
        assert p.returncode == 0, (p.stdout, p.stderr, log.read_text())
        return p.stdout
    return run


def test_a_copy_between_folders(watched, tmp_path):
    many(tmp_path / "src", 100)
    (tmp_path / "src/large").write_bytes(b"x" * 3_000_000)
    watched(test_store_copy.PROGRAM, "store", "copy", "src", "dst")
    (tmp_path / "src/large").write_bytes(b"y" * 3_000_000)
    watched(test_store_copy.PROGRAM, "store", "sync", "src", "dst", "--delete", "--yes")
    assert contents(tmp_path / "src") == contents(tmp_path / "dst")


def test_a_copy_to_a_store_and_back(watched, tmp_path):
    s = FakeS3({})
    many(tmp_path / "src", 100)
    watched(test_store_copy.PROGRAM, "store", "copy", "src", "s3://bkt", **s.env)
    watched(test_store_copy.PROGRAM, "store", "copy", "s3://bkt", "dst", **s.env)
    s.close()
    assert contents(tmp_path / "src") == contents(tmp_path / "dst") == s.objects


def test_a_list_of_several_stores(watched, two):  # noqa: F811
    out = watched(test_store_copy.PROGRAM, "get", "clusters", "--state", "a", "--state", "b")
    assert out.count("y.example.com") == 2


def test_keys_of_a_new_cluster(watched, store):  # noqa: F811
    driver = test_keysneeded.DRIVER
    assert driver and pathlib.Path(driver).exists(), "CKOPS_BUILD names no build with tests"
    out = watched(driver, f"file://{store}", test_keysneeded.NAME, KOPS_RSA_PRIVATE_KEY_SIZE="1024")
    assert len(out.splitlines()) == 13


def test_a_command_that_renews_its_lock_while_it_works(watched, two):  # noqa: F811
    out = watched(test_store_copy.PROGRAM, "store", "lock", "x.example.com", "--state", "a", "--lock-lease", "9s", "--", "sleep", "5")
    assert out is not None and "state: free" in next((two / "a/.ckops/locks").iterdir()).read_text()
