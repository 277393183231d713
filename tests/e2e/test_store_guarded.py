"""Copies and migrations into stores that ask for locks or keep a journal, and what they make of large files.

CKOPS_BIN names the program."""

import hashlib
import json
import os
import pathlib
import signal
import time

import pytest

from test_everyday import ALL, CLUSTER, GROUP, NAME
from test_store_lock import LOCK, PROGRAM, User, busy

pytestmark = pytest.mark.skipif(not PROGRAM, reason="CKOPS_BIN is not set")

MIB = 1 << 20


class Two:
    """Two local stores, "old" with a cluster and "new" with settings."""

    def __init__(self, root):
        self.root, self.old, self.new = root, root / "old", root / "new"
        self.env = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
        self.env["PATH"] = os.environ["PATH"]
        self.ann, self.bob = User(self, "ann"), User(self, "bob")
        text = ALL.replace(CLUSTER, CLUSTER.replace("  etcdClusters:", f"  configBase: {self.old}/{NAME}\n  etcdClusters:"))
        self.ann.ok("create", "-f", "-", "--state", str(self.old), stdin=text)

    def ask(self, store, **settings):
        self.ann.ok("store", "settings", "--state", str(store), *(f"--{k}={v}" for k, v in settings.items()))

    def migrate(self, *more):
        return ["store", "migrate", NAME, "--state", str(self.old), "--to", str(self.new), "--yes", *more]

    def copy(self, verb="copy", *more):
        return ["store", verb, str(self.old / NAME), str(self.new / NAME), *more]

    def many(self, n):
        """More files than are copied in a moment."""
        (self.old / NAME / "backups").mkdir()
        for i in range(n):
            (self.old / NAME / f"backups/{i:04}").write_bytes(os.urandom(200))

    def log(self, store=None):
        return json.loads(self.ann.ok("store", "log", NAME, "--state", str(store or self.new), "-o", "json").stdout)


@pytest.fixture
def two(tmp_path):
    return Two(tmp_path)


def own(store):
    """Files of the cluster."""
    return {str(p.relative_to(store)): p.read_bytes() for p in sorted((store / NAME).rglob("*")) if p.is_file()}


def lock_of(store):
    return (store / LOCK).read_text()


# ---- locks

@pytest.mark.parametrize("command", ["copy", "sync", "migrate"])
@pytest.mark.parametrize("by", ["settings", "option"])
def test_what_someone_else_has_locked_is_not_written(two, command, by):
    two.ask(two.new, lock="true" if by == "settings" else "false")
    args = (two.migrate() if command == "migrate" else two.copy(command)) + (["--lock"] if by == "option" else [])
    (two.new / NAME).mkdir(parents=True)
    (two.new / NAME / "config").write_text(CLUSTER)  # only what is there can be locked by hand
    two.ann.ok("store", "lock", NAME, "--state", str(two.new))
    (two.new / NAME / "config").unlink()
    assert "is locked by ann" in two.bob.refused(*args)
    assert not own(two.new)
    two.ann.ok("store", "unlock", NAME, "--state", str(two.new))
    two.bob.ok(*args)
    assert set(own(two.new)) == set(own(two.old))
    assert "holder: bob" in lock_of(two.new) and "state: free" in lock_of(two.new)


def test_no_lock_is_taken_unasked_nor_where_an_exception_is_made(two):
    two.ask(two.new, lock="true")
    two.ann.ok(*two.copy(), "--lock=false")
    two.ask(two.new, lock="false")
    (two.old / NAME / "extra").write_text("x")
    two.ann.ok(*two.copy("sync"))
    two.ann.ok(*two.copy("sync", "--lock", "--dry-run"))
    assert not (two.new / LOCK).exists()


def test_a_copy_goes_on_with_a_lock_that_its_user_took_by_hand(two):
    two.ann.ok(*two.copy("sync"))
    two.ask(two.new, lock="true")
    two.ann.ok("store", "lock", NAME, "--state", str(two.new))
    (two.old / NAME / "extra").write_text("x")
    two.ann.ok(*two.copy("sync"))
    assert "extra" in "".join(own(two.new)) and "state: held" in lock_of(two.new)
    two.bob.ok("store", "lock", "steal", NAME, "--yes", "--state", str(two.new))
    (two.old / NAME / "more").write_text("x")
    assert "was stolen by bob" in two.ann.refused(*two.copy("sync"))
    assert f"{NAME}/more" not in own(two.new)


def test_a_migration_holds_the_lock_of_the_old_store_too(two):
    two.ask(two.old, lock="true")
    two.ann.ok("store", "lock", NAME, "--state", str(two.old))
    assert "is locked by ann" in two.bob.refused(*two.migrate())
    assert not two.new.exists()
    two.ann.ok("store", "unlock", NAME, "--state", str(two.old))
    two.bob.ok(*two.migrate())
    assert "holder: bob" in lock_of(two.old) and "state: free" in lock_of(two.old)


def test_what_is_refused_is_refused_before_a_lock_is_taken(two):
    for to, text in ((two.old, "within each other"), (f"{two.old}/below", "within each other")):
        args = ["store", "migrate", NAME, "--state", str(two.old), "--to", str(to), "--yes", "--lock"]
        assert text in two.ann.refused(*args, status=1)
    assert not (two.old / ".ckops").exists()


def test_many_files_that_one_lock_refuses_say_why_once(two):
    two.ann.ok(*two.copy())
    two.many(20)
    two.ann.ok("store", "lock", NAME, "--state", str(two.new))
    err = two.bob.refused(*two.copy("sync", "--lock"), status=3)
    assert err.count("failed: ") == 20 and err.count("is locked by ann") == 2 and err.count(": the same\n") == err.count("failed: ") - 1
    two.ann.ok("store", "unlock", NAME, "--state", str(two.new))


def test_each_of_many_clusters_is_locked_while_it_is_written(two):
    for i in range(70):
        (two.old / f"c{i}").mkdir()
        (two.old / f"c{i}/config").write_text(CLUSTER)
    two.ask(two.new, lock="true", journal="true")
    two.ann.ok("store", "sync", str(two.old), str(two.new))
    locks = list((two.new / ".ckops/locks").iterdir())
    assert len(locks) == 71 and all("state: free" in p.read_text() for p in locks)
    assert len(list((two.new / ".ckops/journal").iterdir())) == 71


def stop(p):
    """All of its threads stand still when this returns."""
    p.send_signal(signal.SIGSTOP)
    tasks = pathlib.Path(f"/proc/{p.pid}/task")
    while p.poll() is None and any(t.read_text().rsplit(")", 1)[1].split()[0] not in "TtZX" for t in tasks.glob("*/stat")):
        time.sleep(0.001)


def stopped_at(two, args, there):
    """The command, stopped after the first file and before the last."""
    p = two.bob.start(*args, "--parallel", "1")
    while not any(there.glob("*")) and p.poll() is None:
        time.sleep(0.001)
    stop(p)
    while p.poll() is None and any(busy(d) for d in (there, two.new / ".ckops/locks", two.old / ".ckops/locks") if d.exists()):
        p.send_signal(signal.SIGCONT)
        time.sleep(0.002)
        stop(p)
    assert p.poll() is None and len(list(there.glob("*"))) < len(list((two.old / NAME / "backups").iterdir())), "it was over before it could be stopped"
    return p


@pytest.mark.slow
@pytest.mark.parametrize("command", ["copy", "migrate"])
def test_who_loses_the_lock_meanwhile_writes_no_more(two, command):
    two.many(600 if command == "migrate" else 3000)
    args = two.migrate("--lock") if command == "migrate" else two.copy("copy", "--lock")
    there = two.new / NAME / "backups"
    p = stopped_at(two, args, there)
    (two.new / NAME / "config").touch()
    two.ann.ok("store", "lock", "steal", NAME, "--yes", "--state", str(two.new))
    (two.new / NAME / "config").unlink()
    before = len(list(there.glob("*")))
    p.send_signal(signal.SIGCONT)
    out, err = p.communicate(timeout=120)
    assert p.returncode == 3 and "was stolen by ann" in err, (out, err)
    assert len(list(there.glob("*"))) <= before + 1  # one could be under way
    assert not (two.new / NAME / "config").exists()


@pytest.mark.slow
def test_a_migration_that_lost_the_lock_of_the_old_store_says_so(two):
    two.many(600)
    two.ask(two.old, lock="true")
    p = stopped_at(two, two.migrate(), two.new / NAME / "backups")
    two.ann.ok("store", "lock", "steal", NAME, "--yes", "--state", str(two.old))
    p.send_signal(signal.SIGCONT)
    out, err = p.communicate(timeout=120)
    assert p.returncode == 3 and "was stolen by ann" in err, (out, err)
    two.ann.ok("store", "unlock", NAME, "--state", str(two.old))
    two.bob.ok(*two.migrate())


@pytest.mark.slow
def test_an_interrupted_migration_gives_both_locks_back(two):
    two.many(600)
    p = stopped_at(two, two.migrate("--lock"), two.new / NAME / "backups")
    p.send_signal(signal.SIGINT)
    p.send_signal(signal.SIGCONT)
    out, err = p.communicate(timeout=120)
    assert p.returncode == 130, (p.returncode, out, err)
    assert "state: free" in lock_of(two.old) and "state: free" in lock_of(two.new)


def test_who_holds_a_lock_is_the_login_or_what_ckops_user_says(two):
    two.ask(two.old, lock="true", journal="true")
    change = ["edit", "ig", "nodes", "--name", NAME, "--state", str(two.old), "--set"]
    names = []
    for i, env in enumerate([{"CKOPS_USER": "", "USER": "someone", "LOGNAME": "else"}, {"CKOPS_USER": "job 7\n"}]):
        two.ann.ok(*change, f"spec.maxSize={i + 5}", **env)
        names.append(two.log(two.old)[0]["user"])
        assert f"holder: {names[-1]}" in lock_of(two.old)
    assert names[0] not in ("someone", "else", "") and names[1] == "job 7?"


# ---- the journal

def test_a_migration_is_one_entry_of_the_new_store(two):
    two.ask(two.new, journal="true")
    two.ann.ok(*two.migrate())
    entry, = two.log()
    assert entry["user"] == "ann" and entry["command"].startswith(f"store migrate {NAME} ")
    files = {k.removeprefix(NAME + "/"): hashlib.sha256(v).hexdigest() for k, v in own(two.new).items()}
    assert {f["path"]: (f["before"], f["after"]) for f in entry["files"]} == {k: ("", v) for k, v in files.items()}
    assert len(list((two.new / ".ckops/journal" / NAME).iterdir())) == 1
    two.ann.ok(*two.migrate())  # changes nothing
    assert len(two.log()) == 1
    before = own(two.new)
    two.ann.ok(*two.migrate("--rollback"))
    assert len(two.log()) == 2 and all(f["after"] == "" for f in two.log()[0]["files"])
    two.ann.ok("store", "undo", NAME, "--state", str(two.new), "--yes")
    assert own(two.new) == before


def test_a_copy_is_one_entry_of_each_cluster_and_can_be_taken_back(two):
    two.ann.ok("store", "sync", str(two.old), str(two.new))
    two.ask(two.new, journal="true")
    before = own(two.new)
    (two.old / NAME / "instancegroup/nodes").write_text(GROUP.replace("maxSize: 2", "maxSize: 9"))
    (two.old / NAME / "instancegroup/more").write_text(GROUP.replace("name: nodes", "name: more"))
    (two.old / NAME / "instancegroup/cp").unlink()
    two.ann.ok("store", "sync", str(two.old / NAME), str(two.new / NAME), "--delete", "--yes")
    entry, = two.log()
    assert {f["path"]: bool(f["before"]) + 2 * bool(f["after"]) for f in entry["files"]} == {
        "instancegroup/cp": 1, "instancegroup/more": 2, "instancegroup/nodes": 3}
    two.ann.ok("store", "undo", NAME, "--state", str(two.new), "--yes")
    assert own(two.new) == before


def test_what_a_store_keeps_of_its_past_is_not_deleted_by_a_copy(two):
    two.ask(two.new, journal="true")
    settings = (two.new / ".ckops/settings.yaml").read_bytes()
    two.ann.ok("store", "copy", str(two.old), str(two.new))  # nor is it in the way
    (two.new / NAME / "instancegroup/extra").write_text("x")
    assert "delete  " not in two.ann.ok("store", "sync", str(two.old), str(two.new), "--delete", "--exclude", "extra").stdout
    plan = two.ann.ok("store", "sync", str(two.old), str(two.new), "--delete").stdout
    assert [line for line in plan.splitlines() if line.startswith("delete")] == [f"delete  {NAME}/instancegroup/extra"]
    two.ann.ok("store", "sync", str(two.old), str(two.new), "--delete", "--yes")
    assert [e["command"].split()[:2] for e in two.log() if e["command"].startswith("store")] == [["store", "sync"], ["store", "copy"]]
    assert (two.new / ".ckops/settings.yaml").read_bytes() == settings and own(two.new) == own(two.old)


def test_settings_that_cannot_be_read_refuse_copies(two):
    two.ask(two.new, lock="true")
    (two.new / ".ckops/settings.yaml").write_text("lok: true\n")
    for args in (two.copy(), two.migrate()):
        assert "settings.yaml" in two.ann.refused(*args, status=1)
    assert not own(two.new)


# ---- large files

@pytest.mark.slow
def test_a_migration_takes_files_that_are_not_held_whole(two):
    two.ask(two.new, lock="true", journal="true")
    big = two.old / NAME / "backups/etcd/main/1/etcd.backup.gz"
    big.parent.mkdir(parents=True)
    with big.open("wb") as f:
        for _ in range(65):  # more than a file that is held may have
            f.write(os.urandom(MIB // 4) * 4)
    two.ann.ok(*two.migrate())
    copy = two.new / NAME / "backups/etcd/main/1/etcd.backup.gz"
    assert copy.read_bytes() == big.read_bytes()
    with big.open("r+b") as f:
        f.write(b"changed")
    two.ann.ok(*two.migrate())
    assert copy.read_bytes() == big.read_bytes() and len(two.log()) == 1
