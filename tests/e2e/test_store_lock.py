"""Locks of clusters: who is refused what, killed, stopped and clock-less holders, never two writers inside.

CKOPS_BIN names the program; CK_FULL=1 asks for the full counts."""

import fcntl
import http.server
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

import test_k8s
import test_s3
from test_everyday import ALL, GROUP, NAME
from test_k8s import api  # noqa: F401
from test_s3 import gateway  # noqa: F401
from test_store_migrate import kinds  # noqa: F401

PROGRAM = os.environ.get("CKOPS_BIN", "")
FULL = os.environ.get("CK_FULL") == "1"
pytestmark = pytest.mark.skipif(not PROGRAM, reason="CKOPS_BIN is not set")

full = pytest.mark.skipif(not FULL, reason="in full runs only: CK_FULL=1")
LOCK = f".ckops/locks/{NAME}.lock"
SET = ["edit", "ig", "nodes", "--name", NAME, "--set"]


class User:
    """One user of a store, with a home and so with tokens of their own."""

    def __init__(self, store, name, **env):
        self.name, self.home = name, store.root / f"home-{name}"
        self.home.mkdir()
        self.env = dict(store.env, HOME=str(self.home), CKOPS_USER=name, **env)
        self.env.pop("XDG_STATE_HOME", None)

    def start(self, *args, **more):
        env = dict(self.env, **more.pop("env", {}))
        return subprocess.Popen([PROGRAM, *args], env=env, cwd=self.home, text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def run(self, *args, stdin="", **env):
        return subprocess.run([PROGRAM, *args], env=dict(self.env, **env), cwd=self.home, input=stdin, text=True,
                              capture_output=True, timeout=300)

    def ok(self, *args, **kw):
        p = self.run(*args, **kw)
        assert p.returncode == 0, (args, p.stdout, p.stderr)
        return p

    def refused(self, *args, status=3, **kw):
        p = self.run(*args, **kw)
        assert p.returncode == status, (args, p.returncode, p.stdout, p.stderr)
        return p.stderr

    def lock(self):
        return json.loads(self.ok("store", "lock", "show", NAME, "-o", "json").stdout)


class Folder:
    def __init__(self, root):
        self.root, self.dir = root, root / "store"
        self.dir.mkdir()
        self.env = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
        self.env.update(PATH=os.environ["PATH"], KOPS_STATE_STORE=str(self.dir))

    def read(self, key):
        p = self.dir / key
        return p.read_text() if p.exists() else None

    def keys(self):
        return sorted(str(p.relative_to(self.dir)) for p in self.dir.rglob("*") if p.is_file())


class Remote:
    """A store of any kind, looked into by the program itself."""

    def __init__(self, kinds, kind, root):  # noqa: F811
        self.root, self.url = root, kinds.store(kind)
        self.env = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
        self.env.update(kinds.env, PATH=os.environ["PATH"], KOPS_STATE_STORE=self.url)

    def read(self, key):
        folder, _, name = key.rpartition("/")
        shutil.rmtree(self.root / "seen", ignore_errors=True)
        subprocess.run([PROGRAM, "store", "copy", f"{self.url}/{folder}", str(self.root / "seen")], check=True, capture_output=True,
                       env=dict(self.env, HOME=str(self.root)), timeout=300)
        return (self.root / "seen" / name).read_text()


def filled(store):
    User(store, "maker").ok("create", "-f", "-", stdin=ALL)
    return store


@pytest.fixture
def folder(tmp_path):
    return filled(Folder(tmp_path))


@pytest.fixture
def ann(folder):
    return User(folder, "ann")


@pytest.fixture
def bob(folder):
    return User(folder, "bob")


def size(store):
    return int(re.search(r"maxSize: (\d+)", store.read(f"{NAME}/instancegroup/nodes")).group(1))


# ---- who is refused what

def test_others_are_refused_until_the_holder_gives_the_lock_back(folder, ann, bob):
    assert "Locked" in ann.ok("store", "lock", NAME).stdout
    lock = ann.lock()
    assert (lock["state"], lock["holder"], lock["byHand"]) == ("held", "ann", True)
    ann.ok(*SET, "spec.maxSize=3")
    before = {k: folder.read(k) for k in folder.keys()}
    for command in (SET + ["spec.maxSize=4", "--lock"], ["delete", "ig", "nodes", "--name", NAME, "--yes", "--lock"],
                    ["delete", "cluster", NAME, "--unregister", "--yes", "--lock"], ["store", "lock", NAME]):
        text = bob.refused(*command)
        for part in ("ann on ", f"process {lock['process']}", "ckops store lock", lock["expires"][:13], "store lock steal"):
            assert part in text, (command, part, text)
    text = bob.refused("create", "-f", "-", "--lock", stdin=GROUP.replace("name: nodes", "name: more"))
    assert "is locked by ann" in text
    assert {k: folder.read(k) for k in folder.keys()} == before
    ann.ok("store", "unlock", NAME)
    bob.ok(*SET, "spec.maxSize=4", "--lock")
    assert size(folder) == 4 and bob.lock()["state"] == "free"


def test_unlocking_what_one_does_not_hold_changes_nothing(folder, ann, bob):
    assert "is not locked" in bob.refused("store", "unlock", NAME, status=1)
    assert LOCK not in folder.keys()
    ann.ok("store", "lock", NAME)
    before = folder.read(LOCK)
    assert "not by you" in bob.refused("store", "unlock", NAME)
    assert folder.read(LOCK) == before
    assert bob.ok("store", "unlock", NAME, "--force").stdout
    assert ann.lock()["stolen"][-1]["by"].startswith("bob on ")


def test_of_several_locks_each_that_one_holds_is_given_back(folder, ann, bob):
    names = [NAME, "d.example.com", "e.example.com"]
    for name in names[1:]:
        ann.ok("create", "-f", "-", stdin=ALL.replace(NAME, name))
    for name in names:
        ann.ok("store", "lock", name)
    for name in names[:2]:
        bob.ok("store", "lock", "steal", name, "--yes")
    text = ann.refused("store", "unlock", *names)
    assert text.count("was stolen by bob") == 2 and all(f'"{name}"' in text for name in names[:2])
    assert {lock["cluster"]: lock["holder"] for lock in json.loads(ann.ok("store", "lock", "show", "-o", "json").stdout)} == dict.fromkeys(names[:2], "bob")


def test_a_cluster_that_is_not_there_cannot_be_locked(folder, ann):
    for command in (["store", "lock", "nosuch.example.com"], ["store", "lock", "steal", "nosuch.example.com", "--yes"],
                    ["store", "lock", "nosuch.example.com", "--", "true"], ["store", "lock", "show", "nosuch.example.com"],
                    ["store", "log", "nosuch.example.com"]):
        assert "not " in ann.refused(*command, status=1)
    assert "has no journal" in ann.refused("store", "undo", "nosuch.example.com", "--yes", "--lock", status=1)
    assert "would lead out" in ann.refused("store", "lock", "../x", status=1) and not (folder.dir / ".ckops").exists()


def test_stealing_is_recorded_and_the_former_holder_refused(folder, ann, bob):
    ann.ok("store", "lock", NAME)
    assert "Must specify --yes" in bob.ok("store", "lock", "steal", NAME).stdout
    assert ann.lock()["holder"] == "ann"
    bob.ok("store", "lock", "steal", NAME, "--yes")
    lock = ann.lock()
    assert lock["holder"] == "bob"
    assert [(s["by"].split()[0], s["from"].split()[0]) for s in lock["stolen"]] == [("bob", "ann")]
    assert re.search(r"Stolen: +\S+Z by bob on .* from ann on ", ann.ok("store", "lock", "show", NAME).stdout)
    before = size(folder)
    for more in ([], ["--lock"]):  # who believes to hold a lock is told, also without --lock
        text = ann.refused(*SET, "spec.maxSize=9", *more)
        assert "was stolen by bob" in text and f"store unlock {NAME}" in text
    assert size(folder) == before
    assert "was stolen by bob" in ann.refused("store", "unlock", NAME)
    bob.ok(*SET, "spec.maxSize=5")
    bob.ok("store", "unlock", NAME)
    ann.ok(*SET, "spec.maxSize=6")
    assert ann.lock()["stolen"] and size(folder) == 6


def test_the_object_does_not_give_the_token_away(folder, ann):
    ann.ok("store", "lock", NAME)
    token, = (p for p in ann.home.rglob("*") if p.is_file())
    assert token.stat().st_mode & 0o777 == 0o600 and token.parent.stat().st_mode & 0o777 == 0o700
    assert token.read_text() not in folder.read(LOCK)


def test_kops_does_not_see_locks_and_settings(folder, ann):
    """kOps lists every file whose path ends in /config, at any depth."""
    for name in ("config", "a/config"):
        shutil.copytree(folder.dir / NAME, folder.dir / name)
        ann.ok("store", "lock", name)
        assert f".ckops/locks/{name}.lock" in folder.keys()
        shutil.rmtree(folder.dir / name)
    ann.ok("store", "settings", "--lock=true")
    own = [k for k in folder.keys() if k.startswith(".ckops/")]
    assert own and not [k for k in own if k.endswith("/config")]
    assert ann.ok("get", "clusters").stdout.count("example") == 1
    assert ".ckops" not in ann.run("store", "fsck", "--notes").stdout


def test_the_documented_commands_run_in_their_order(tmp_path):
    store = Folder(tmp_path)
    ann = User(store, "ann")
    ann.ok("create", "-f", "-", stdin=ALL.replace(NAME, "my.example.com"))
    (ann.home / "maintenance.sh").write_text("#!/bin/sh\nexit 0\n")
    (ann.home / "maintenance.sh").chmod(0o700)
    page = (pathlib.Path(__file__).parents[2] / "docs/store-tools.md").read_text()
    commands = re.findall(r"^    ckops (store (?:lock|unlock|settings).*)$", page, re.M)
    assert len(commands) >= 8
    for command in commands:
        ann.ok(*command.split())


def test_a_lock_by_hand_that_has_ended_is_its_holders_for_the_asking(folder, ann):
    ann.ok("store", "lock", NAME)
    past = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5))
    (folder.dir / LOCK).write_text(re.sub("expires: .*", f'expires: "{past}"', folder.read(LOCK)))
    assert f"take it again (store lock {NAME})" in ann.refused(*SET, "spec.maxSize=4")
    assert "Locked" in ann.ok("store", "lock", NAME).stdout
    ann.ok(*SET, "spec.maxSize=4")
    assert ann.lock()["state"] == "held" and ann.lock()["stolen"] == []


def test_who_waits_to_restore_restores_over_what_the_holder_did(folder, ann, bob):
    ann.ok("store", "settings", "--journal=true")
    ann.ok("store", "snapshot")
    ann.ok(*SET, "spec.maxSize=3")
    moment = json.loads(ann.ok("store", "log", NAME, "-o", "json").stdout)[0]["id"]
    before = {k: folder.read(k) for k in folder.keys() if k.startswith(NAME)}
    ann.ok("store", "lock", NAME)
    p = bob.start("store", "restore", NAME, "--at", moment, "--yes", "--lock", "--lock-timeout", "2m")
    assert "waiting for the lock" in p.stderr.readline()
    ann.ok("create", "-f", "-", stdin=GROUP.replace("name: nodes", "name: more"))
    ann.ok(*SET, "spec.maxSize=4")
    ann.ok("store", "unlock", NAME)
    out, err = p.communicate(timeout=120)
    assert p.returncode == 0, (out, err)
    assert {k: folder.read(k) for k in folder.keys() if k.startswith(NAME)} == before


# ---- the store's settings

def test_a_wish_for_locks_that_cannot_be_understood_is_refused(folder, ann):
    before = size(folder)
    assert 'invalid value "yes" of CKOPS_LOCK' in ann.refused(*SET, "spec.maxSize=7", status=1, CKOPS_LOCK="yes")
    assert size(folder) == before and LOCK not in folder.keys()
    ann.ok(*SET, "spec.maxSize=7", CKOPS_LOCK="true")
    assert "state: free" in folder.read(LOCK)


def test_settings_make_commands_take_the_lock(folder, ann, bob):
    ann.ok(*SET, "spec.maxSize=3")
    assert LOCK not in folder.keys()
    assert "lock: true" in ann.ok("store", "settings", "--lock=true").stdout
    assert "lock: true" in bob.ok("store", "settings").stdout
    bob.ok(*SET, "spec.maxSize=4", "--lock=false")
    assert LOCK not in folder.keys()
    bob.ok(*SET, "spec.maxSize=5")
    assert "holder: bob" in folder.read(LOCK) and "state: free" in folder.read(LOCK)
    ann.ok("store", "lock", NAME)
    assert "is locked by ann" in bob.refused(*SET, "spec.maxSize=6")
    assert size(folder) == 5


@pytest.mark.parametrize("text", ["lock: maybe\n", "lok: true\n", "- lock\n", "lock: true\nlock: false\n", "x" * 5000])
def test_settings_that_cannot_be_read_refuse_changes_and_nothing_else(folder, ann, text):
    (folder.dir / ".ckops").mkdir()
    (folder.dir / ".ckops/settings.yaml").write_text(text)
    before = size(folder)
    assert "settings.yaml" in ann.refused(*SET, "spec.maxSize=7", status=1)
    assert size(folder) == before
    assert NAME in ann.ok("get", "clusters").stdout


@pytest.mark.parametrize("more", [["--lock-lease", "1s"], ["--lock-lease", "25h"], ["--lock-timeout", "-1s"]])
def test_leases_and_waits_have_bounds(ann, more):
    assert more[0] in ann.refused(*SET, "spec.maxSize=7", "--lock", *more, status=1)


def test_a_lock_that_is_no_lock_refuses_and_can_be_replaced(folder, ann):
    (folder.dir / ".ckops/locks").mkdir(parents=True)
    (folder.dir / LOCK).write_text("state: held\nlease: 9999h\n")
    assert "is no lock" in ann.refused(*SET, "spec.maxSize=7", "--lock", status=1)
    assert "is no lock" in ann.refused("store", "lock", "show", status=4)
    ann.ok("store", "lock", "steal", NAME, "--yes")
    ann.ok(*SET, "spec.maxSize=7")


# ---- holders that are interrupted, killed, stopped, or without a clock

class Gate:
    """A channel that is handed out when the gate opens: holds a command between its lock and its changes."""

    def __init__(self):
        self.open, self.asked = threading.Event(), threading.Event()
        gate = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                gate.asked.set()
                gate.open.wait(60)
                body = b"spec:\n  cluster: {}\n"
                try:
                    self.send_response(200)
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.url = "http://127.0.0.1:%d/channel" % self.server.server_address[1]

    def close(self):
        self.open.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def gate():
    g = Gate()
    yield g
    g.close()


def held_at(gate, user, *more, **kw):
    """A command that holds the lock and is about to change the cluster's channel."""
    p = user.start("upgrade", "cluster", NAME, "--channel", gate.url, "--yes", "--lock", *more, **kw)
    if not gate.asked.wait(60):
        p.kill()
        pytest.fail(str(p.communicate()))
    return p


@pytest.mark.parametrize("sig,status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupted_command_gives_its_lock_back(folder, ann, bob, gate, sig, status):
    p = held_at(gate, ann)
    assert "is locked by ann" in bob.refused(*SET, "spec.maxSize=7", "--lock")
    p.send_signal(sig)
    p.communicate(timeout=60)
    assert p.returncode == status
    assert bob.lock()["state"] == "free"
    bob.ok(*SET, "spec.maxSize=7", "--lock")


def test_a_killed_command_loses_its_lock_when_the_lease_has_passed(folder, ann, bob, gate):
    p = held_at(gate, ann, "--lock-lease", "3s")
    p.kill()
    p.communicate()
    assert "is locked by ann" in bob.refused(*SET, "spec.maxSize=7", "--lock")
    began = time.monotonic()
    q = bob.ok(*SET, "spec.maxSize=7", "--lock", "--lock-timeout", "60s")
    assert time.monotonic() - began > 2.5 and "waiting for the lock" in q.stderr
    assert size(folder) == 7


SHIM = r"""
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
/* The first time each clock is read is its time for ever. */
int clock_gettime(clockid_t id, struct timespec *ts)
{
    static struct timespec first[16];
    static int known[16];
    if (id < 0 || id >= 16)
        return (int)syscall(SYS_clock_gettime, id, ts);
    if (!known[id]) {
        known[id] = 1;
        syscall(SYS_clock_gettime, id, &first[id]);
    }
    *ts = first[id];
    return 0;
}
"""


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """The environment of a program whose clocks stand still."""
    if not shutil.which("cc"):
        pytest.fail("no C compiler") if test_s3.REQUIRED else pytest.skip("no C compiler")
    d = tmp_path_factory.mktemp("shim")
    (d / "shim.c").write_text(SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(d / "shim.so"), str(d / "shim.c")], check=True)
    return {"LD_PRELOAD": str(d / "shim.so")}


@pytest.mark.slow
def test_a_holder_whose_clock_stands_still_renews_its_lock_around_a_command(ann, bob, frozen):
    ended = ann.home / "ended"
    p = ann.start("store", "lock", NAME, "--lock-lease", "2s", "--", "sh", "-c", f"until [ -e {ended} ]; do sleep 0.1; done", env=frozen)
    while bob.lock().get("serial", 0) <= 2 and p.poll() is None:
        time.sleep(0.02)
    assert "is locked by ann" in bob.refused(*SET, "spec.maxSize=3", "--lock")
    ended.touch()
    p.communicate(timeout=60)
    assert p.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("how", ["frozen", pytest.param("stopped", marks=full), pytest.param("alive", marks=full)])
def test_the_write_of_a_holder_whose_lease_was_taken_is_refused(folder, ann, bob, gate, frozen, how):
    """alive: held up between two writes for longer than its lease, with a clock that tells it so."""
    p = held_at(gate, ann, "--lock-lease", "2s", env=frozen if how == "frozen" else {})
    if how == "stopped":
        p.send_signal(signal.SIGSTOP)
    before = folder.read(f"{NAME}/config")
    bob.ok(*SET, "spec.maxSize=8", "--lock", "--lock-timeout", "60s")  # taken, used and given back
    gate.open.set()
    if how == "stopped":
        p.send_signal(signal.SIGCONT)
    out, err = p.communicate(timeout=60)
    assert p.returncode == 3 and "is not held any more" in err, (out, err)
    assert folder.read(f"{NAME}/config") == before and size(folder) == 8
    assert "holder: bob" in folder.read(LOCK)


@full
def test_a_token_whose_lease_was_taken_is_refused_whatever_the_clock_says(folder, ann, bob, frozen):
    ann.ok("store", "lock", NAME, "--lock-lease", "2s")
    bob.ok(*SET, "spec.maxSize=8", "--lock", "--lock-timeout", "60s")
    assert "is not held any more" in ann.refused(*SET, "spec.maxSize=9", **frozen)
    assert size(folder) == 8
    ann.ok("store", "lock", NAME)  # asking anew is enough
    ann.ok(*SET, "spec.maxSize=9")


def test_a_token_whose_lease_has_ended_is_refused_though_nobody_took_it(folder, ann):
    ann.ok("store", "lock", NAME)
    (folder.dir / LOCK).write_text(re.sub(r'expires: ".*"', 'expires: "2026-01-01T00:00:00Z"', folder.read(LOCK)))
    before = size(folder)
    assert "ended at" in ann.refused(*SET, "spec.maxSize=9")
    assert size(folder) == before
    ann.ok("store", "unlock", NAME)
    ann.ok(*SET, "spec.maxSize=9")


def busy(folder):
    """Whether some process has it locked: then nobody can take over, and so nobody is inside."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(fd)


@pytest.mark.slow
def test_a_holder_stopped_at_any_moment_writes_nothing_after_the_next_one(folder, ann, bob):
    many = "\n---\n".join(GROUP.replace("name: nodes", f"name: g%d-{i}") for i in range(150))
    groups, cut = folder.dir / NAME / "instancegroup", 0
    for n in range(60 if FULL else 10):
        manifest = ann.home / "many.yaml"
        manifest.write_text(many.replace("%d", str(n)))
        p = ann.start("create", "-f", str(manifest), "--lock", "--lock-lease", "2s")
        while not list(groups.glob(f"g{n}-*")) and p.poll() is None:
            time.sleep(0.001)
        p.send_signal(signal.SIGSTOP)
        while busy(folder.dir / ".ckops/locks"):
            p.send_signal(signal.SIGCONT)
            time.sleep(random.random() * 0.01)
            p.send_signal(signal.SIGSTOP)
        bob.ok("edit", "cluster", NAME, "--set", f"spec.sshKeyName=k{n}", "--lock", "--lock-timeout", "60s")
        there = set(groups.glob(f"g{n}-*"))
        p.send_signal(signal.SIGCONT)
        out, err = p.communicate(timeout=120)
        after = set(groups.glob(f"g{n}-*"))
        # what it had written it may not even take back
        assert after == there, (after ^ there, err)
        if p.returncode:
            cut += 1
            assert "is not held any more" in err or "it took more than" in err, err
        for f in after:
            f.unlink()
        if cut and not FULL:  # where others keep the machine busy one may be done before it is stopped
            break
    assert cut, "no holder was stopped in its work"


# ---- never two inside

# A section that notices company, and an increment that loses counts when it has any.
INSIDE = r"""
import os, pathlib, sys, time
d, who = pathlib.Path(sys.argv[1]), str(os.getpid())
mark = d / "inside"
if mark.exists():
    other = mark.read_text()
    if other and pathlib.Path(f"/proc/{other}/exe").exists() and os.path.exists(f"/proc/{other}"):
        state = pathlib.Path(f"/proc/{other}/stat").read_text().rsplit(")", 1)[1].split()[0]
        if state not in "ZX":
            (d / f"company-{who}-{other}").touch()
mark.write_text(who)
n = int((d / "count").read_text())
time.sleep(0.02)
if mark.read_text() != who:
    (d / f"overrun-{who}").touch()
(d / "next").write_text(str(n + 1))
os.rename(d / "next", d / "count")
mark.unlink()
"""


def crowd(store, tmp_path, processes, seconds, kills, lease="2s", first=None):
    """Processes that take turns in a section while some of them are killed."""
    d = tmp_path / "section"
    d.mkdir()
    (d / "count").write_text("0")
    (d / "inside.py").write_text(INSIDE)
    users = [User(store, f"u{i}", **(first or {} if i == 0 else {})) for i in range(processes)]
    end = time.monotonic() + seconds
    lock, alive, done, killed, cut, odd = threading.Lock(), {}, [0], [0], [0], []

    def work(i):
        while time.monotonic() < end:
            p = users[i].start("store", "lock", NAME, "--lock-lease", lease, "--lock-timeout", "5m", "--",
                               sys.executable, "-S", "-E", str(d / "inside.py"), str(d))
            with lock:
                alive[i] = p
            err = p.communicate(timeout=300)[1]
            with lock:
                alive.pop(i)
                done[0] += p.returncode == 0
                # on a slow machine a lock that cannot be renewed in time ends its command
                ended = p.returncode not in (0, -9) and "the command was ended" in err
                cut[0] += ended
                if p.returncode not in (0, -9) and not ended:
                    odd.append((p.returncode, err))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(processes)]
    for t in threads:
        t.start()
    try:
        while killed[0] < kills and time.monotonic() < end:
            time.sleep(seconds / kills / 2)
            mark = d / "inside"  # prefer the one inside: killing those who wait proves little
            try:
                inside = int(mark.read_text())
                parent = int(pathlib.Path(f"/proc/{inside}/stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, ValueError, IndexError):
                parent = None
            with lock:
                own = {p.pid: p for p in alive.values() if p.poll() is None}
                p = own.get(parent) or (random.choice(list(own.values())) if own else None)
                if p:
                    p.kill()
                    killed[0] += 1
    finally:
        for t in threads:
            t.join()
    assert not list(d.glob("company-*")) and not list(d.glob("overrun-*")), list(d.iterdir())
    assert not odd, odd[:3]
    # one that was killed or ended may have counted and not lived to tell
    assert done[0] <= int((d / "count").read_text()) <= done[0] + killed[0] + cut[0]
    assert killed[0] and done[0] >= processes // 2
    print(f"{done[0]} inside, {killed[0]} killed, {cut[0]} ended")


@pytest.mark.slow
def test_sixteen_processes_under_kills_are_never_two_inside_a_folder(folder, tmp_path, frozen):
    """For one of them time stands still."""
    crowd(folder, tmp_path, 16, 60 if FULL else 3, 40 if FULL else 2, first=frozen)


@full
def test_sixteen_processes_under_kills_are_never_two_inside_on_s3(gateway, tmp_path):  # noqa: F811
    crowd(filled(test_s3.Store(gateway, tmp_path)), tmp_path, 16, 60, 30)


@full
@pytest.mark.parametrize("kind", ["gs", "azureblob"])
def test_sixteen_processes_under_kills_are_never_two_inside_on(kinds, tmp_path, kind):  # noqa: F811
    crowd(filled(Remote(kinds, kind, tmp_path)), tmp_path, 16, 60, 20, "4s")


@full
def test_sixteen_processes_under_kills_are_never_two_inside_on_kubernetes(api, tmp_path):  # noqa: F811
    crowd(filled(test_k8s.Store(api, tmp_path)), tmp_path, 16, 60, 10, "8s")


def test_sixteen_commands_with_locks_all_get_their_turn(folder):
    users = [User(folder, f"u{i}") for i in range(16 if FULL else 8)]
    procs = [u.start("create", "-f", str(write(u, f"name: own{i}")), "--lock", "--lock-timeout", "2m") for i, u in enumerate(users)]
    for p in procs:
        out, err = p.communicate(timeout=300)
        assert p.returncode == 0, err
    assert sum("instancegroup/own" in k for k in folder.keys()) == len(users)
    assert "state: free" in folder.read(LOCK)


def write(user, name):
    p = user.home / "group.yaml"
    p.write_text(GROUP.replace("name: nodes", name))
    return p


# ---- a command inside

def test_a_command_inside_the_lock_and_its_children_hold_it(folder, ann, bob):
    ended = ann.home / "ended"
    script = f"{PROGRAM} {' '.join(SET)} spec.maxSize=9 && sleep 3 && until [ -e {ended} ]; do sleep 0.1; done; " \
             f"{PROGRAM} store lock show {NAME} -o json; exit 7"
    p = ann.start("store", "lock", NAME, "--lock-lease", "2s", "--", "sh", "-c", script)
    while size(folder) != 9 and p.poll() is None:
        time.sleep(0.02)
    assert "is locked by ann" in bob.refused(*SET, "spec.maxSize=3", "--lock")
    ended.touch()
    out, err = p.communicate(timeout=60)
    assert p.returncode == 7 and json.loads(out[out.index("{"):])["state"] == "held", (out, err)
    assert bob.lock()["state"] == "free" and size(folder) == 9


def test_a_command_inside_ends_when_its_lock_is_stolen(folder, ann, bob):
    p = ann.start("store", "lock", NAME, "--lock-lease", "2s", "--", "sleep", "300")
    while (folder.read(LOCK) or "state: free").count("state: free"):
        time.sleep(0.02)
    bob.ok("store", "lock", "steal", NAME, "--yes")
    out, err = p.communicate(timeout=60)
    assert p.returncode == 3 and "was stolen by bob" in err and "was ended" in err
    assert bob.lock()["holder"] == "bob"


# ---- on servers

@pytest.mark.slow
def test_locks_on_s3(gateway, tmp_path):  # noqa: F811
    check_on(filled(test_s3.Store(gateway, tmp_path)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gs", *(pytest.param(k, marks=full) for k in ("azureblob", "ssh", "swift"))])
def test_locks_on(kinds, tmp_path, kind):  # noqa: F811
    check_on(filled(Remote(kinds, kind, tmp_path)))


@full
def test_locks_on_kubernetes(api, tmp_path):  # noqa: F811
    check_on(filled(test_k8s.Store(api, tmp_path)))


def check_on(store):
    ann, bob = User(store, "ann"), User(store, "bob")
    ann.ok("store", "lock", NAME, "--lock-lease", "3s")
    assert "is locked by ann" in bob.refused(*SET, "spec.maxSize=3", "--lock")
    bob.ok(*SET, "spec.maxSize=4", "--lock", "--lock-timeout", "1m")
    assert "is not held any more" in ann.refused(*SET, "spec.maxSize=5")
    ann.ok("store", "lock", NAME)
    bob.ok("store", "lock", "steal", NAME, "--yes")
    assert "was stolen by bob" in ann.refused(*SET, "spec.maxSize=6")
    assert NAME in bob.ok("store", "lock", "show").stdout
    bob.ok("store", "unlock", NAME)
    assert "No locks" in bob.ok("store", "lock", "show").stdout
    assert "lock: true" in bob.ok("store", "settings", "--lock").stdout
    bob.ok(*SET, "spec.maxSize=7")
    assert bob.lock()["holder"] == "bob" and size(store) == 7
