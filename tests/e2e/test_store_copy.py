"""store copy and store sync: between folders and real stores, interrupted, raced, and with names that
try to get out of the destination."""

import ast
import filecmp
import hashlib
import http.server
import json
import os
import pathlib
import pty
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

import pytest

ROOT = pathlib.Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests/servers"), str(ROOT / "tests/e2e")]
from hostile_keys import ALONE, COPIED, REFUSED  # noqa: E402
import k8s_server  # noqa: E402
import servers  # noqa: E402
import sshd  # noqa: E402

PROGRAM = os.environ.get("CKOPS_BIN") or str(ROOT / "build/ckops")
FULL = os.environ.get("CK_FULL") == "1"
REQUIRED = os.environ.get("CKOPS_SERVERS_REQUIRED") == "1"
pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason=f"{PROGRAM} is not built (CKOPS_BIN)")


def env_of(tmp_path, **more):
    env = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
    env.update(HOME=str(tmp_path), PATH=os.environ["PATH"], **more)
    return env


def run(tmp_path, *args, env=None):
    return subprocess.run([PROGRAM, "store", *map(str, args)], cwd=tmp_path, env=env or env_of(tmp_path), text=True,
                          capture_output=True, timeout=120)


def ok(tmp_path, *args, **kw):
    p = run(tmp_path, *args, **kw)
    assert p.returncode == 0, (args, p.stdout, p.stderr)
    return p.stdout


def make(folder, **files):
    for name, text in files.items():
        p = folder / name.replace("__", "/")
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_bytes(text.encode())


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def many(folder, n, size=400):
    rnd = random.Random(7)
    for i in range(n):
        p = folder / f"c{i % 7}.example.com/d{i % 3}/f{i}"
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_bytes(rnd.randbytes(size))


# ---- folders

def test_a_folder_is_copied_whole_and_closed_to_others(tmp_path):
    many(tmp_path / "src", 300)
    make(tmp_path / "src", empty="", big="x" * 3000000)
    out = ok(tmp_path, "copy", "src", "dst")
    assert re.match(r"copied 302 files \(3\.0 MiB\), verified; 0 were the same already\n", out), out
    assert contents(tmp_path / "src") == contents(tmp_path / "dst")
    for p in (tmp_path / "dst").rglob("*"):
        assert stat.S_IMODE(p.stat().st_mode) == (0o600 if p.is_file() else 0o700)


def test_the_same_copy_again_writes_nothing(tmp_path):
    make(tmp_path / "src", a="1", b__c="2")
    ok(tmp_path, "copy", "src", "dst")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "dst").rglob("*")}
    assert ok(tmp_path, "copy", "src", "dst").startswith("copied 0 files (0 B), verified; 2 were the same already")
    assert before == {p: p.stat().st_mtime_ns for p in (tmp_path / "dst").rglob("*")}


@pytest.mark.parametrize("name", ["a", "other"])
def test_a_destination_with_other_files_is_refused_unchanged(tmp_path, name):
    make(tmp_path / "src", a="1", b="2")
    make(tmp_path / "dst", **{name: "mine"})
    p = run(tmp_path, "copy", "src", "dst")
    assert p.returncode == 1 and "is not empty" in p.stderr and "nothing was copied" in p.stderr
    assert contents(tmp_path / "dst") == {name: b"mine"}


def test_sync_brings_in_line_and_deletes_only_when_told(tmp_path):
    make(tmp_path / "src", a="new", b="2", c="same")
    make(tmp_path / "dst", a="old", c="same", extra="mine")
    assert ok(tmp_path, "sync", "src", "dst", "--dry-run") == "replace a\ncopy    b\n2 files to change, 1 unchanged\n"
    assert contents(tmp_path / "dst")["a"] == b"old"
    ok(tmp_path, "sync", "src", "dst")
    assert contents(tmp_path / "dst") == {"a": b"new", "b": b"2", "c": b"same", "extra": b"mine"}
    out = ok(tmp_path, "sync", "src", "dst", "--delete")
    assert out == "delete  extra\n1 files to change, 3 unchanged\n\nMust specify --yes to copy and delete\n"
    assert "extra" in contents(tmp_path / "dst")
    ok(tmp_path, "sync", "src", "dst", "--delete", "--yes")
    assert contents(tmp_path / "src") == contents(tmp_path / "dst")


def test_patterns(tmp_path):
    make(tmp_path / "src", **{"c/config": "1", "c/pki/private/ca/keyset.yaml": "2", "c/backups/x/1": "3", "c/instancegroup/n": "4"})
    ok(tmp_path, "copy", "src", "d1", "--exclude", "c/backups/", "--exclude", "keyset.yaml")
    assert sorted(contents(tmp_path / "d1")) == ["c/config", "c/instancegroup/n"]
    ok(tmp_path, "copy", "src", "d2", "--include", "config", "--include", "*/instancegroup/*")
    assert sorted(contents(tmp_path / "d2")) == ["c/config", "c/instancegroup/n"]
    make(tmp_path / "d2", **{"c/backups/mine": "x"})
    ok(tmp_path, "sync", "src", "d2", "--exclude", "c/backups/", "--delete", "--yes")  # what is left out is not deleted either
    assert sorted(contents(tmp_path / "d2")) == ["c/backups/mine", "c/config", "c/instancegroup/n", "c/pki/private/ca/keyset.yaml"]


@pytest.mark.parametrize("pattern,left", [
    ("pki/", ["c/config", "d/team/config"]), ("*/pki/", ["c/config", "d/team/config"]), ("d/", ["c/config", "c/pki/k"]),
    ("d/*/", ["c/config", "c/pki/k"]), ("team/pki/", None), ("ki/", None), ("config/", None), ("/", None)])
def test_patterns_of_folders(tmp_path, pattern, left):
    make(tmp_path / "src", c__config="1", c__pki__k="2", d__team__config="3", d__team__pki__private__k="4")
    everything = sorted(contents(tmp_path / "src"))
    ok(tmp_path, "copy", "src", "dst", "--exclude", pattern)
    left = everything if left is None else left
    assert sorted(contents(tmp_path / "dst")) == left
    ok(tmp_path, "copy", "src", "rest", "--include", pattern)
    assert sorted(contents(tmp_path / "rest")) == sorted(set(everything) - set(left))


@pytest.mark.parametrize("pair", [("src", "src"), ("src", "src/deep/er"), ("src/a", "src"), ("src", "link"), ("src", "file://{}/src/x")])
def test_a_copy_into_itself_is_refused(tmp_path, pair):
    make(tmp_path / "src", a__b="1")
    (tmp_path / "link").symlink_to("src")
    before = contents(tmp_path / "src")
    p = run(tmp_path, "copy", *(x.format(tmp_path) for x in pair))
    assert p.returncode == 1 and ("within each other" in p.stderr or "symbolic link" in p.stderr), p.stderr
    assert contents(tmp_path / "src") == before


KUBECONFIG = """apiVersion: v1
kind: Config
current-context: here
contexts:
- {name: here, context: {cluster: one, namespace: team}}
- {name: there, context: {cluster: two, namespace: team}}
clusters:
- {name: one, cluster: {server: "https://127.0.0.1:1/k8s/one"}}
- {name: two, cluster: {server: "https://127.0.0.1:1/k8s/two"}}
"""


@pytest.mark.parametrize("one,other,same", [
    ("s3://bkt/a", "do://bkt/a/b", True), ("scw://bkt/a/b", "hos://bkt", True), ("s3://bkt/a", "do://bkt/ab", False), ("s3://bkt", "do://bkt2", False),
    ("k8s:///team/a", "k8s://here/team/a/b", True), ("k8s://here", "k8s:///team", True), ("k8s://here/team", "k8s://there/team", False),
    ("k8s:///team", "k8s:///two", False), ("ssh://h/a", "ssh://h/./a//b", True), ("ssh://h/a", "ssh://h/ab", False),
    ("memfs://m", "mem/m/x", True), ("mem", "memfs://m", True), ("mem/m", "memfs://n", False)])
def test_a_place_is_itself_under_another_url(tmp_path, one, other, same):
    (tmp_path / "config").write_text(KUBECONFIG)
    make(tmp_path / "mem", m__a="1")
    env = env_of(tmp_path, S3_ENDPOINT="http://127.0.0.1:1", S3_ACCESS_KEY_ID="a", S3_SECRET_ACCESS_KEY="b", KUBECONFIG=str(tmp_path / "config"),
                 CKOPS_MEMFS_ROOT=str(tmp_path / "mem"), CKOPS_SSH="false")
    for ends in (one, other), (other, one):
        p = run(tmp_path, "copy", *ends, "--dry-run", env=env)
        assert ("lie within each other: nothing was copied" in p.stderr) == same, p.stderr


def test_another_copy_into_a_memory_folder(tmp_path):
    make(tmp_path / "src", a="1")
    env = env_of(tmp_path, CKOPS_MEMFS_ROOT=str(tmp_path / "mem"))
    for name in "m", "m/x", "n":
        ok(tmp_path, "copy", "src", f"memfs://{name}", env=env)
    assert contents(tmp_path / "mem") == {"m/a": b"1", "m/x/a": b"1", "n/a": b"1"}


def test_neighbours_with_a_common_prefix_are_not_the_same(tmp_path):
    make(tmp_path / "src", a="1")
    ok(tmp_path, "copy", "src", "src2")
    assert contents(tmp_path / "src2") == {"a": b"1"}


@pytest.mark.parametrize("args,text", [
    (["none", "dst"], "there is no folder none"), (["empty", "dst"], "there are no files below"), (["src"], "two locations are needed"),
    (["src", "memfs://x"], "is in memory"), (["memfs://x", "dst"], "is in memory"), (["src", "s3:/b"], "two slashes"),
    (["src", "dst", "--parallel", "0"], "between 1 and 64"), (["src", "dst", "-o", "xml"], "text or json"),
    (["src", "foo://x"], "unknown / unhandled path type")])
def test_bad_input_changes_nothing(tmp_path, args, text):
    make(tmp_path / "src", a="1")
    (tmp_path / "empty").mkdir()
    p = run(tmp_path, "copy", *args)
    assert p.returncode == 1 and text in p.stderr, p.stderr
    assert not (tmp_path / "dst").exists()


def test_links_are_neither_copied_nor_followed(tmp_path):
    make(tmp_path / "src", a="1", sub__x="2")
    make(tmp_path / "outside", secret="s")
    (tmp_path / "src/link").symlink_to(tmp_path / "outside/secret")
    (tmp_path / "src/dirlink").symlink_to(tmp_path / "outside")
    p = run(tmp_path, "copy", "src", "dst")  # left out, and said so: a copy must not look whole
    assert p.returncode == 1 and 'failed: "link": ' in p.stderr and 'failed: "dirlink": ' in p.stderr
    assert sorted(contents(tmp_path / "dst")) == ["a", "sub/x"]
    (tmp_path / "src/link").unlink()
    (tmp_path / "src/dirlink").unlink()
    # planted at the destination: nothing is written through them
    for name in ("a", "sub"):
        d = tmp_path / f"planted-{name}"
        d.mkdir()
        (d / name).symlink_to(tmp_path / "outside" / ("secret" if name == "a" else ""))
        p = run(tmp_path, "sync", "src", d.name)
        assert p.returncode == 1, p.stdout
        assert contents(tmp_path / "outside") == {"secret": b"s"}


def test_a_failing_file_is_named_and_the_others_are_copied(tmp_path):
    make(tmp_path / "src", a="1", b="2", **{"d/x": "3"})
    make(tmp_path / "dst", d="in the way")
    p = run(tmp_path, "sync", "src", "dst")
    assert p.returncode == 1 and 'failed: "d/x": ' in p.stderr and '"d/x" could not be copied' in p.stderr
    assert {k: v for k, v in contents(tmp_path / "dst").items() if k != "d"} == {"a": b"1", "b": b"2"}
    p = run(tmp_path, "sync", "src", "dst", "-o", "json")
    doc = json.loads(p.stdout)
    assert doc["unchanged"] == 2 and [f["path"] for f in doc["failures"]] == ["d/x"]


def test_a_file_beyond_the_limit_of_this_process_fails_alone(tmp_path):
    make(tmp_path / "src", a="1", b="x" * 9000)
    p = subprocess.run(["prlimit", "--fsize=8192", PROGRAM, "store", "copy", "src", "dst"], cwd=tmp_path, env=env_of(tmp_path), text=True,
                       capture_output=True, timeout=60)
    assert p.returncode == 1 and '"b" could not be copied' in p.stderr and "file too large" in p.stderr, (p.returncode, p.stderr)
    assert contents(tmp_path / "dst") == {"a": b"1"}


def test_a_folder_in_the_place_of_a_file_is_told_from_a_file_of_somebody_else(tmp_path):
    make(tmp_path / "src", a="1", b="2")
    (tmp_path / "dst/a").mkdir(parents=True)
    p = run(tmp_path, "sync", "src", "dst")
    assert p.returncode == 1 and "directory" in p.stderr and "someone else" not in p.stderr, p.stderr
    assert contents(tmp_path / "dst") == {"b": b"2"}


def test_json_of_a_plan(tmp_path):
    make(tmp_path / "src", a="1")
    make(tmp_path / "dst", b="22")
    doc = json.loads(ok(tmp_path, "sync", "src", "dst", "--delete", "-o", "json"))
    assert doc == {"plan": [{"action": "copy", "path": "a", **({"size": 1} if "size" in doc["plan"][0] else {})},
                            {"action": "delete", "path": "b", **({"size": 2} if "size" in doc["plan"][1] else {})}], "unchanged": 0}


def on_a_terminal(tmp_path, *args):
    """Status, and what the terminal was sent."""
    master, slave = pty.openpty()
    p = subprocess.Popen([PROGRAM, "store", *args], cwd=tmp_path, env=env_of(tmp_path), stderr=slave, stdout=subprocess.DEVNULL)
    os.close(slave)
    text = b""
    try:
        while piece := os.read(master, 4096):
            text += piece
    except OSError:
        pass
    os.close(master)
    return p.wait(), text.decode()


def test_a_terminal_sees_progress(tmp_path):
    many(tmp_path / "src", 50)
    status, text = on_a_terminal(tmp_path, "copy", "src", "dst")
    assert status == 0 and "50 of 50 files, " in text and "/s" in text and text.endswith("\n")


def test_what_failed_begins_a_line_of_the_terminal(tmp_path):
    make(tmp_path / "src", **{f"d/{i}": "x" for i in range(200)})
    make(tmp_path / "dst", d="in the way")
    status, text = on_a_terminal(tmp_path, "sync", "src", "dst")
    assert status == 1 and "of 200 files, " in text and "Error: given up with " in text
    assert all(line.startswith("failed: ") for line in text.splitlines() if "failed: " in line)


def test_a_terminal_sees_how_long_a_slow_copy_will_take(tmp_path):
    s = FakeS3({})
    s.on_put = lambda key: time.sleep(0.15)
    many(tmp_path / "src", 20)
    master, slave = pty.openpty()
    p = subprocess.Popen([PROGRAM, "store", "copy", "src", "s3://bkt", "--parallel", "2"], cwd=tmp_path, env=env_of(tmp_path, **s.env),
                         stderr=slave, stdout=subprocess.PIPE)
    os.close(slave)
    text = b""
    try:
        while piece := os.read(master, 4096):
            text += piece
    except OSError:
        pass
    assert p.wait() == 0
    lines = text.decode().split("\r\x1b[K")
    assert len(lines) > 3 and any(re.fullmatch(r"\d+ of 20 files, [\d.]+ Ki?B, [\d.]+ Ki?B/s, \d+ s left", x) for x in lines), lines
    assert re.match(r"20 of 20 files, 7\.8 KiB, .*/s\r\n$", lines[-1]), lines
    s.close()


# ---- interrupted

@pytest.mark.slow
def test_a_copy_killed_at_any_moment_is_finished_by_the_same_copy(tmp_path):
    many(tmp_path / "src", 400)
    rnd = random.Random(1)
    want = contents(tmp_path / "src")
    for i in range(100 if FULL else 12):
        d = tmp_path / f"d{i}"
        p = subprocess.Popen([PROGRAM, "store", "copy", "src", d.name], cwd=tmp_path, env=env_of(tmp_path),
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rnd.uniform(0, 0.15))
        p.send_signal(signal.SIGKILL)
        p.wait()
        ok(tmp_path, "copy", "src", d.name)
        got = contents(d)
        left = {k for k in got if k not in want}  # a temporary file of the killed one is no file of the store
        assert {k: v for k, v in got.items() if k in want} == want
        assert all(re.search(r"(^|/)(\.|tmp)", k) for k in left), left


def test_what_changes_between_comparison_and_write_is_not_overwritten(tmp_path):
    """A store that changes one file after it has been listed: its version no longer fits."""
    s = FakeS3({"a": b"theirs"})
    make(tmp_path / "src", a="mine", b="other")
    s.on_put = lambda key: s.objects.update(a=b"changed meanwhile") if key == "a" else None
    p = run(tmp_path, "sync", "src", "s3://bkt", env=env_of(tmp_path, **s.env))
    assert p.returncode == 3 and "changed by someone else" in p.stderr, (p.returncode, p.stderr)
    assert s.objects["a"] == b"changed meanwhile" and s.objects["b"] == b"other"
    s.close()


def test_a_file_that_somebody_else_has_just_copied_is_there(tmp_path):
    """As a copy does that was killed and whose last request the server carries out later."""
    s = FakeS3({"changed": b"old"})
    make(tmp_path / "src", new="mine", changed="mine", other="other")
    env = env_of(tmp_path, **s.env)
    s.on_put = lambda key: s.objects.update({key: b"mine"}) if key != "other" else None
    ok(tmp_path, "sync", "src", "s3://bkt", env=env)
    assert s.objects == {"new": b"mine", "changed": b"mine", "other": b"other"}
    s.objects["large"] = random.Random(5).randbytes(3_000_000)
    (tmp_path / "dst").mkdir()
    s.on_get = lambda key, v: ((tmp_path / "dst" / key).write_bytes(v), v)[1]
    ok(tmp_path, "copy", "s3://bkt", "dst", env=env)
    assert contents(tmp_path / "dst") == s.objects
    (tmp_path / "dst/large").write_bytes(b"old")
    ok(tmp_path, "sync", "s3://bkt", "dst", env=env)
    assert contents(tmp_path / "dst") == s.objects
    s.close()


def test_what_arrives_damaged_is_noticed(tmp_path):
    s = FakeS3({})
    s.damage = True
    make(tmp_path / "src", a="mine")
    p = run(tmp_path, "copy", "src", "s3://bkt", env=env_of(tmp_path, **s.env))
    assert p.returncode == 1 and '"a" could not be copied: what arrived is not what was sent' in p.stderr
    s.close()


def test_what_cannot_be_read_fails_alone_among_those_read_with_it(tmp_path):
    """One object vanishes after the listing, another arrives with other bytes than its tag says."""
    s = FakeS3({f"d{i % 3}/f{i:03d}": b"%d" % i for i in range(200)})
    bad = {"d0/f003": None, "d1/f100": b"damaged"}
    s.on_get = lambda key, v: bad.get(key, v)
    env = env_of(tmp_path, **s.env)
    p = run(tmp_path, "copy", "s3://bkt", "dst", env=env)
    assert p.returncode == 1 and quoted_names(p.stderr) == set(bad) and "does not match" in p.stderr, p.stderr
    assert contents(tmp_path / "dst") == {k: v for k, v in s.objects.items() if k not in bad}
    s.on_get = None
    assert "copied 2 files" in ok(tmp_path, "copy", "s3://bkt", "dst", env=env)
    assert contents(tmp_path / "dst") == s.objects
    s.close()


def test_a_copy_from_a_store_killed_at_any_moment_leaves_whole_files_only(tmp_path):
    s = FakeS3({f"d{i % 3}/f{i:03d}": b"%d" % i * 3000 for i in range(80)})
    rnd = random.Random(3)
    for i in range(20 if FULL else 3):
        d = tmp_path / f"d{i}"
        seen, enough = [], rnd.randrange(1, 80)
        p = subprocess.Popen([PROGRAM, "store", "copy", "s3://bkt", d.name], cwd=tmp_path, env=env_of(tmp_path, **s.env),
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        s.on_get = lambda key, v: (seen.append(key), len(seen) == enough and p.kill(), v)[-1]
        p.wait()
        assert all(v == s.objects[k] for k, v in contents(d).items() if k in s.objects)
        s.on_get = None
        ok(tmp_path, "copy", "s3://bkt", d.name, env=env_of(tmp_path, **s.env))
        got = contents(d)
        assert {k: v for k, v in got.items() if not re.search(r"(^|/)\.ckops-tmp-", k)} == s.objects
        assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in d.rglob("f*"))
    s.close()


@pytest.mark.parametrize("most", [1, 9])
def test_no_more_reads_at_a_time_than_asked_for(tmp_path, most):
    s = FakeS3({f"f{i:03d}": b"%d" % i for i in range(30)})
    s.on_get = lambda key, v: time.sleep(0.005) or v
    ok(tmp_path, "copy", "s3://bkt", "dst", "--parallel", most, env=env_of(tmp_path, **s.env))
    assert contents(tmp_path / "dst") == s.objects and s.most <= most
    s.close()


# ---- many files

def test_memory_does_not_grow_with_the_number_of_files(tmp_path):
    s = FakeS3({f"c{i % 90}.example.com/instancegroup/nodes-{i:06d}": b"x" for i in range(60000)})
    s.page, peak = 1000, {}
    names = sorted(s.objects)
    for n in (3000, 60000):
        s.listed = names[:n]
        peak[n] = peak_mb(PROGRAM, "store", "copy", "s3://bkt", "dst", "--dry-run", env=env_of(tmp_path, **s.env), cwd=tmp_path)
    s.close()
    if not os.environ.get("CKOPS_SANITIZED"):  # sanitizers' own memory grows
        assert peak[60000] <= peak[3000] + 2, peak  # 57,000 names alone have 2.5 MB


@pytest.mark.parametrize("both", [False, True])
def test_a_server_that_lists_in_another_order_is_copied_as_any_other(tmp_path, both):
    """S3 lists in order of names, its directory buckets do not."""
    s = FakeS3({f"d{i % 7}/f{i}": b"%d" % i for i in range(50)})
    s.page, s.listed = 7, random.Random(2).sample(sorted(s.objects), 50)
    env = env_of(tmp_path, **s.env)
    ok(tmp_path, "copy", "s3://bkt", "dst", env=env)
    assert contents(tmp_path / "dst") == s.objects
    if both:
        (tmp_path / "dst/d1/f1").write_bytes(b"new")
        (tmp_path / "dst/d2/f2").unlink()
        assert ok(tmp_path, "sync", "dst", "s3://bkt", "--delete", env=env).startswith("replace d1/f1\ndelete  d2/f2\n2 files to change, 48 unchanged\n")
    s.close()


def test_without_a_folder_for_temporary_files(tmp_path):
    make(tmp_path / "src", a="1")
    ok(tmp_path, "copy", "src", "dst", env=env_of(tmp_path, TMPDIR=str(tmp_path / "none")))
    assert contents(tmp_path / "dst") == {"a": b"1"}


# ---- hostile names

class FakeS3:
    """An S3 that stores whatever name it is given."""

    def __init__(self, objects):
        self.objects, self.on_put, self.on_get, self.damage = dict(objects), None, None, False
        self.lock, self.reading, self.most = threading.Lock(), 0, 0  # reads under way, and how many there were at most
        self.page, self.listed = 10**9, None  # objects to a page; the order they are listed in, if not that of their names
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def reply(self, status, body=b"", **headers):
                self.send_response(status)
                for k, v in headers.items():
                    self.send_header(k, v)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def serve(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                path, _, query = self.path.partition("?")
                key = urllib.parse.unquote(path[len("/bkt/"):], errors="surrogateescape")
                if "list-type" in query:
                    names = outer.listed or sorted(outer.objects)
                    at = int(urllib.parse.parse_qs(query).get("continuation-token", ["0"])[0])
                    end = at + outer.page
                    more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{end}</NextContinuationToken>" if end < len(names) else ""
                    items = "".join(f"<Contents><Key>{escape(urllib.parse.quote(k, errors='surrogateescape'))}</Key><Size>{len(outer.objects[k])}</Size>"
                                    f"<ETag>\"{hashlib.md5(outer.objects[k]).hexdigest()}\"</ETag></Contents>" for k in names[at:end])
                    return self.reply(200, f"<ListBucketResult><EncodingType>url</EncodingType>{more}{items}</ListBucketResult>".encode())
                if self.command in ("GET", "HEAD"):
                    v = outer.objects.get(key)
                    tag = v
                    if outer.on_get:
                        with outer.lock:
                            outer.reading += 1
                            outer.most = max(outer.most, outer.reading)
                        v = outer.on_get(key, v)
                        with outer.lock:
                            outer.reading -= 1
                    return self.reply(404, b"<Error><Code>NoSuchKey</Code></Error>") if v is None else \
                        self.reply(200, v, etag=f'"{hashlib.md5(tag).hexdigest()}"')
                if outer.on_put:
                    outer.on_put(key)
                now = outer.objects.get(key)
                match = self.headers.get("if-match")
                if (self.headers.get("if-none-match") and now is not None) or \
                        (match and (now is None or match != f'"{hashlib.md5(now).hexdigest()}"')):
                    return self.reply(412, b"<Error><Code>PreconditionFailed</Code></Error>")
                outer.objects[key] = body + b"!" if outer.damage else body
                self.reply(200, etag=f'"{hashlib.md5(outer.objects[key]).hexdigest()}"')

            do_GET = do_PUT = do_HEAD = serve

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.env = {"S3_ENDPOINT": "http://127.0.0.1:%d" % self.server.server_address[1], "S3_ACCESS_KEY_ID": "a",
                    "S3_SECRET_ACCESS_KEY": "b", "CKOPS_S3_CONDITIONAL": "yes"}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def everything(folder):
    return sorted(str(p) for p in folder.rglob("*"))


def quoted_names(stderr):
    """The names that failed, as they are; Go's quoted form is Python's but for bytes that are no UTF-8."""
    return {ast.literal_eval(m) for m in re.findall(r'^failed: ("(?:[^"\\]|\\.)*"): ', stderr, re.M)}


@pytest.fixture
def hostile(tmp_path):
    s = FakeS3({})
    base = tmp_path / "deep/er"
    base.mkdir(parents=True)
    yield s, base, env_of(tmp_path, **s.env)
    s.close()


def outside(tmp_path, base):
    return [p for p in everything(tmp_path) if not p.startswith(str(base / "dst")) and p not in (str(base), str(base.parent))]


def test_names_that_no_folder_can_hold_are_all_named_and_nothing_is_written(hostile, tmp_path):
    s, base, env = hostile
    s.objects = {"good": b"1", **{name: b"evil" for name in REFUSED}}
    p = run(base, "copy", "s3://bkt", "dst", env=env)
    assert p.returncode == 1 and "nothing was copied" in p.stderr
    assert quoted_names(p.stderr) == set(REFUSED)
    assert not set(p.stderr) & {chr(c) for c in range(32) if c != 10} | {"\x7f"} & set(p.stderr)
    assert everything(tmp_path) == [str(base.parent), str(base)]
    for name in REFUSED[:3]:  # and one is enough
        s.objects = {"good": b"1", name: b"evil"}
        p = run(base, "copy", "s3://bkt", "dst", env=env)
        assert p.returncode == 1 and quoted_names(p.stderr) == {name} and everything(tmp_path) == [str(base.parent), str(base)]


@pytest.mark.parametrize("src", ["s3://bkt", "s3://bkt/c", "s3://bkt/c/"])
def test_what_consoles_make_for_folders_is_left_out(tmp_path, src):
    s = FakeS3({"c/": b"", "c/config": b"x", "c/pki/": b"", "c/pki/k": b"y", "d/": b""})
    env = env_of(tmp_path, **s.env)
    ok(tmp_path, "copy", src, "dst", env=env)
    below = "c/" if src == "s3://bkt" else ""
    assert contents(tmp_path / "dst") == {f"{below}config": b"x", f"{below}pki/k": b"y"}
    assert "copied 0 files" in ok(tmp_path, "sync", src, "dst", "--delete", "--yes", env=env)
    s.objects["c/pki/"] = b"content"
    p = run(tmp_path, "sync", src, "dst", env=env)
    assert p.returncode == 1 and quoted_names(p.stderr) == {f"{below}pki/"} and "nothing was copied" in p.stderr
    s.close()


def test_odd_names_go_into_a_folder_and_back_exactly(hostile, tmp_path):
    s, base, env = hostile
    want = {n: n.encode(errors="surrogateescape") for n in COPIED}
    s.objects = dict(want)
    ok(base, "copy", "s3://bkt", "dst", env=env)
    assert contents(base / "dst") == want and outside(tmp_path, base) == []
    s.objects = {}
    ok(base, "copy", "dst", "s3://bkt", env=env)
    assert s.objects == want


def test_names_that_cannot_be_beside_others_fail_alone(hostile, tmp_path):
    s, base, env = hostile
    s.objects = {n: n.encode(errors="surrogateescape") for n in ["good", *ALONE]}
    p = run(base, "copy", "s3://bkt", "dst", env=env)
    got = contents(base / "dst")
    assert p.returncode == 1 and got == {n: n.encode() for n in got} and "good" in got and outside(tmp_path, base) == []
    assert quoted_names(p.stderr) == set(ALONE) - set(got) and len(got) == 3


def test_a_folder_on_another_machine_takes_names_as_one_here_does(hostile, tmp_path):
    s, base, env = hostile
    server = start(sshd.Sshd)
    try:
        env = {**env, **server.env()}
        want = {n: n.encode() for n in ("c/config", "..a", "%2e%2e/x", "a b", "-rf", "file::$DATA", "n" * 255)}
        s.objects = dict(want)
        for _ in range(2):
            ok(base, "copy", "s3://bkt", server.store("new/store"), env=env)
            assert contents(server.data / "new/store") == want
        ok(base, "copy", server.store("new/store"), "back", env=env)
        assert contents(base / "back") == want
        names = {"/etc/passwd", "a//x", "a/./x", "./x", "a/", "../x", "x" * 256, "deep/" * 65 + "x"}
        s.objects = {n: b"1" for n in ["good", *names]}
        before = everything(server.data)
        p = run(base, "copy", "s3://bkt", server.store("other"), env=env)
        assert p.returncode == 1 and quoted_names(p.stderr) == names and everything(server.data) == before, p.stderr
        s.objects = {"config": b"kind: Cluster\n"}  # one cluster's files: its folder is locked
        ok(base, "copy", "s3://bkt", server.store("one"), "--lock", env=env)
        assert (server.data / "one/config").exists() and (server.data / ".ckops/locks/one.lock").exists()
    finally:
        server.stop()


def test_a_name_with_a_null_byte_is_refused(hostile, tmp_path):
    """It would end there for every function of the operating system: another object's name, or one of its choice."""
    s, base, env = hostile
    for name in ("good\0evil", "\0", "x/\0/../y"):
        s.objects = {"good": b"1", name: b"evil"}
        p = run(base, "copy", "s3://bkt", "dst", env=env)
        assert p.returncode == 1 and "\\x00" in p.stderr and "NUL" in p.stderr, p.stderr
        assert everything(tmp_path) == [str(base.parent), str(base)]


@pytest.mark.parametrize("name", ["plant", "plant/x", "plant/x/y"])
def test_planted_links_are_not_written_through(hostile, tmp_path, name):
    s, base, env = hostile
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/x").write_text("mine")
    for target in (tmp_path / "outside", tmp_path / "outside/x", "../../outside/x", tmp_path / "nowhere", "."):
        shutil.rmtree(base / "dst", ignore_errors=True)
        (base / "dst").mkdir()
        (base / "dst/plant").symlink_to(target)
        s.objects = {"good": b"1", name: b"evil"}
        before = everything(tmp_path / "outside")
        p = run(base, "sync", "s3://bkt", "dst", env=env)
        assert p.returncode == 1 and name in quoted_names(p.stderr), p.stderr
        assert everything(tmp_path / "outside") == before and (tmp_path / "outside/x").read_text() == "mine"
        # a link in the place of a file fails the comparison, one on the way to it the writing of this file
        assert sorted(p.name for p in (base / "dst").iterdir()) == (["plant"] if name == "plant" else ["good", "plant"])
        assert not (tmp_path / "nowhere").exists()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [servers.Versitygw, *([servers.Minio] if FULL else [])])
def test_odd_names_on_real_servers(tmp_path, kind):
    """Of the names, those that the server takes: versitygw keeps objects as files, and MinIO has rules of its own."""
    server = start(kind)
    try:
        for bucket in ("bkt", "back"):
            for _ in range(100):  # MinIO says that it is ready a moment before it is
                if servers.s3request(server.url, "PUT", f"/{bucket}")[0] in (200, 409):
                    break
                time.sleep(0.1)
        want = {}
        for n in COPIED:
            if any(0xDC00 <= ord(c) <= 0xDCFF for c in n):  # both take names in UTF-8 only
                continue
            if servers.s3request(server.url, "PUT", f"/bkt/{n}", n.encode())[0] == 200:
                want[n] = n.encode()
        assert len(want) > 90, len(want)
        env = env_of(tmp_path, **server.env())
        ok(tmp_path, "copy", "s3://bkt", "dst", env=env)
        assert contents(tmp_path / "dst") == want
        ok(tmp_path, "copy", "dst", "s3://back", env=env)
        assert ok(tmp_path, "sync", "s3://bkt", "s3://back", "--delete", "--yes", env=env).startswith(f"copied 0 files (0 B), verified; {len(want)} were")
    finally:
        server.stop()


# ---- real stores

def start(kind):
    try:
        return kind().start()
    except servers.Missing as e:
        (pytest.fail if REQUIRED else pytest.skip)(str(e))


@pytest.fixture(scope="module")
def stores():
    gateway, api = start(servers.Versitygw), start(k8s_server.Kubernetes)
    gateway.make_bucket("bkt")
    yield {"KUBECONFIG": api.env()["KUBECONFIG"], **gateway.env()}
    gateway.stop()
    api.stop()


def peak_mb(program, *args, env, cwd):
    """Peak memory of one run; by a small parent, since a child's peak begins with that of who started it."""
    code = "import os,resource,subprocess,sys; p=subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL); " \
           "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss//1024); sys.exit(p.returncode)"
    p = subprocess.run([sys.executable, "-S", "-c", code, program, *map(str, args)], env=env, cwd=cwd, text=True, capture_output=True, timeout=300)
    assert p.returncode == 0, p.stderr
    return int(p.stdout)


@pytest.mark.slow
def test_large_files_go_through_in_little_memory(tmp_path):
    server = start(servers.Versitygw)
    try:
        server.make_bucket("bkt")
        env = env_of(tmp_path, **server.env())
        size = 200_000_000 if FULL else 30_000_000  # more than the memory; in full runs more than a document may have
        (tmp_path / "src").mkdir()
        block = random.Random(3).randbytes(1_000_000)
        with open(tmp_path / "src/backup", "wb") as f:
            for i in range(size // len(block)):
                f.write(bytes([i % 256]) + block[1:])
        make(tmp_path / "src", small="1")
        for way in (["copy", "src", "s3://bkt"], ["copy", "s3://bkt", "dst"], ["sync", "dst", "s3://bkt"]):
            assert peak_mb(PROGRAM, "store", *way, env=env, cwd=tmp_path) <= 24, way
        assert filecmp.cmp(tmp_path / "src/backup", tmp_path / "dst/backup", shallow=False)
        with open(tmp_path / "dst/backup", "r+b") as f:  # changed in one byte: replaced, both ways
            f.seek(size // 2)
            f.write(b"?")
        assert ok(tmp_path, "sync", "dst", "s3://bkt", env=env).startswith("copied 1 files")
        assert ok(tmp_path, "sync", "s3://bkt", "src", env=env).startswith("copied 1 files")
        assert filecmp.cmp(tmp_path / "src/backup", tmp_path / "dst/backup", shallow=False)
        status, _, text = servers.s3request(server.url, "GET", "/bkt", query=[("uploads", "")])
        assert status == 200 and b"<UploadId>" not in text  # nothing half-done stays
    finally:
        server.stop()


@pytest.mark.slow
def test_an_upload_that_ends_early_is_taken_back_or_finished_by_the_next(tmp_path):
    """Killed in the middle of a large file: nothing is there; the same copy again finishes."""
    server = start(servers.Versitygw)
    try:
        server.make_bucket("bkt")
        env = env_of(tmp_path, **server.env())
        (tmp_path / "src").mkdir()
        (tmp_path / "src/backup").write_bytes(random.Random(4).randbytes(20_000_000))
        for pause in (0.1, 0.3) if not FULL else [i / 10 for i in range(20)]:
            p = subprocess.Popen([PROGRAM, "store", "copy", "src", "s3://bkt"], cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(pause)
            p.kill()
            p.wait()
            status, headers, _ = servers.s3request(server.url, "HEAD", "/bkt/backup")
            assert status == 404 or int(headers["content-length"]) == 20_000_000
        ok(tmp_path, "copy", "src", "s3://bkt", env=env)
        ok(tmp_path, "copy", "s3://bkt", "dst", env=env)
        assert contents(tmp_path / "src") == contents(tmp_path / "dst")
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.parametrize("pair", [("s3://bkt/{}", "k8s:///kops-state/{}"), ("k8s:///kops-state/{}", "s3://bkt/{}")], ids=["s3-k8s", "k8s-s3"])
def test_a_store_goes_through_two_others_and_back(stores, tmp_path, pair):
    env = env_of(tmp_path, **stores)
    many(tmp_path / "src", 150)
    make(tmp_path / "src", **{"c.example.com/odd name+%": "x", "large": "z" * 2500000})
    a, b = (x.format("via-" + pair[0][:3]) for x in pair)
    ok(tmp_path, "copy", "src", a, env=env)
    ok(tmp_path, "copy", a, b, env=env)
    ok(tmp_path, "copy", b, "back", env=env)
    assert contents(tmp_path / "src") == contents(tmp_path / "back")
    again = ok(tmp_path, "copy", a, b, env=env)
    assert again.startswith("copied 0 files")
    (tmp_path / "src/large").unlink()
    ok(tmp_path, "sync", "src", b, "--delete", "--yes", env=env)
    ok(tmp_path, "sync", b, "back", "--delete", "--yes", env=env)
    assert contents(tmp_path / "src") == contents(tmp_path / "back")
