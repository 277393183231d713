"""store copy and store sync: between folders and real stores, interrupted, raced, and with names that
try to get out of the destination."""

import hashlib
import http.server
import json
import os
import pathlib
import pty
import random
import re
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
sys.path.insert(0, str(ROOT / "tests/servers"))
import k8s_server  # noqa: E402
import servers  # noqa: E402

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


@pytest.mark.parametrize("pair", [("src", "src"), ("src", "src/deep/er"), ("src/a", "src"), ("src", "link"), ("src", "file://{}/src/x")])
def test_a_copy_into_itself_is_refused(tmp_path, pair):
    make(tmp_path / "src", a__b="1")
    (tmp_path / "link").symlink_to("src")
    before = contents(tmp_path / "src")
    p = run(tmp_path, "copy", *(x.format(tmp_path) for x in pair))
    assert p.returncode == 1 and ("within each other" in p.stderr or "symbolic link" in p.stderr), p.stderr
    assert contents(tmp_path / "src") == before


def test_neighbours_with_a_common_prefix_are_not_the_same(tmp_path):
    make(tmp_path / "src", a="1")
    ok(tmp_path, "copy", "src", "src2")
    assert contents(tmp_path / "src2") == {"a": b"1"}


@pytest.mark.parametrize("args,text", [
    (["none", "dst"], "no such file or directory"), (["empty", "dst"], "there are no files below"), (["src"], "two locations are needed"),
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


def test_json_of_a_plan(tmp_path):
    make(tmp_path / "src", a="1")
    make(tmp_path / "dst", b="22")
    doc = json.loads(ok(tmp_path, "sync", "src", "dst", "--delete", "-o", "json"))
    assert doc == {"plan": [{"action": "copy", "path": "a", **({"size": 1} if "size" in doc["plan"][0] else {})},
                            {"action": "delete", "path": "b", **({"size": 2} if "size" in doc["plan"][1] else {})}], "unchanged": 0}


def test_a_terminal_sees_progress(tmp_path):
    many(tmp_path / "src", 50)
    master, slave = pty.openpty()
    p = subprocess.Popen([PROGRAM, "store", "copy", "src", "dst"], cwd=tmp_path, env=env_of(tmp_path), stderr=slave,
                         stdout=subprocess.PIPE)
    os.close(slave)
    text = b""
    try:
        while piece := os.read(master, 4096):
            text += piece
    except OSError:
        pass
    assert p.wait() == 0 and b"50 of 50 files, " in text and b"/s" in text and text.endswith(b"\n")


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


def test_what_arrives_damaged_is_noticed(tmp_path):
    s = FakeS3({})
    s.damage = True
    make(tmp_path / "src", a="mine")
    p = run(tmp_path, "copy", "src", "s3://bkt", env=env_of(tmp_path, **s.env))
    assert p.returncode == 1 and '"a" could not be copied: what arrived is not what was sent' in p.stderr
    s.close()


# ---- hostile names

class FakeS3:
    """An S3 that stores whatever name it is given."""

    def __init__(self, objects):
        self.objects, self.on_put, self.damage = dict(objects), None, False
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
                key = urllib.parse.unquote(path[len("/bkt/"):])
                if "list-type" in query:
                    items = "".join(f"<Contents><Key>{escape(urllib.parse.quote(k))}</Key><Size>{len(v)}</Size>"
                                    f"<ETag>\"{hashlib.md5(v).hexdigest()}\"</ETag></Contents>" for k, v in sorted(outer.objects.items()))
                    return self.reply(200, f"<ListBucketResult><EncodingType>url</EncodingType>{items}</ListBucketResult>".encode())
                if self.command in ("GET", "HEAD"):
                    v = outer.objects.get(key)
                    return self.reply(404, b"<Error><Code>NoSuchKey</Code></Error>") if v is None else \
                        self.reply(200, v, etag=f'"{hashlib.md5(v).hexdigest()}"')
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


def hostile_names():
    escapes = ["..", "../x", "../../x", "a/../x", "a/../../x", "a/..", "..//x", ".", "./x", "a/./x", "/x", "//x", "/etc/passwd",
               "a//x", "a/", "/", "a/b/", "a\nb", "a\x01", "\x7f", "a\x1b[2J", "a/\r/x", "a\tb", "x" * 256, "a/" + "y" * 300]
    escapes += ["../" * i + "etc/passwd" for i in range(1, 40)]
    escapes += ["a/" * i + "../" * (i + 1) + "x" for i in range(1, 40)]
    legal = ["...", "..a", "a..", "a/...", "CON", "nul", "aux.txt", "c:x", "C:\\x", "..\\x", "a\\..\\..\\x", "~", "~root/x", "-rf", "$HOME",
             "`id`", "a b", " ", "a ", "A/x", "a/x ", "%2e%2e/x", "%2F", "\u202ex", "e\u0301", "\u00e9", "*", "?", "|x", ";x", "&", "'", '"',
             "a" * 255, "/".join(["d" * 200] * 5), "b/" * 500 + "x", "A/X", "dev/null", "proc/self/environ"]
    legal += [f"n{i}\u0100{i}" for i in range(200 - len(escapes) - len(legal))]
    assert len(escapes) + len(legal) >= 180
    return escapes, legal


def everything(folder):
    return sorted(str(p) for p in folder.rglob("*"))


def test_names_that_would_escape_are_refused_before_anything_is_written(tmp_path):
    s = FakeS3({})
    env = env_of(tmp_path, **s.env)
    base = tmp_path / "deep/er"
    base.mkdir(parents=True)
    for name in hostile_names()[0]:
        s.objects = {"good": b"1", name: b"evil"}
        before = everything(tmp_path)
        p = run(base, "copy", "s3://bkt", "dst", env=env)
        assert p.returncode == 1 and "nothing was copied" in p.stderr, (name, p.stdout, p.stderr)
        assert "\x1b" not in p.stderr and everything(tmp_path) == before, name
    s.close()


def test_odd_names_stay_in_the_destination_or_fail_alone(tmp_path):
    s = FakeS3({})
    env = env_of(tmp_path, **s.env)
    base = tmp_path / "deep/er"
    base.mkdir(parents=True)
    names = hostile_names()[1]
    s.objects = {n: n.encode() for n in names}
    run(base, "copy", "s3://bkt", "dst", env=env)
    outside = [p for p in everything(tmp_path) if not p.startswith(str(base / "dst")) and p not in (str(base), str(base.parent))]
    assert outside == []
    got = contents(base / "dst")
    assert got == {n: n.encode() for n in got} and len(got) >= len(names) - 10, [n for n in names if n not in got]
    s.close()


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
