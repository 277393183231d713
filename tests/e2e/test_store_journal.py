"""The journal of a store: every change has one entry, gaps show, and any moment comes back byte for byte.

CKOPS_BIN names the program."""

import base64
import json
import os
import pathlib
import queue
import random
import re
import shlex
import shutil
import signal
import subprocess

import pytest

import test_docs
import test_update
from test_everyday import ALL, GROUP, NAME, Box
from faults import FaultProxy
from test_s3 import Store, gateway, servers  # noqa: F401
from test_store_migrate import contents, kinds  # noqa: F401

PROGRAM = os.environ.get("CKOPS_BIN", "")
FULL = os.environ.get("CK_FULL") == "1"
pytestmark = pytest.mark.skipif(not PROGRAM, reason="CKOPS_BIN is not set")

OTHER = "other.example.com"
JOURNAL = ".ckops/journal"
ID = r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}"
# statestore.md §2: everything that may lie in the folder of a cluster these commands work on.
KNOWN = re.compile(r"(config|instancegroup/[^/]+|clusteraddons/default|pki/private/[^/]+/keyset\.yaml|secrets/[^/]+"
                   r"|pki/ssh/public/admin/[0-9a-f]{32})")


class Shop(Box):
    """A local store with a journal."""

    def __init__(self, root, journal=True):
        super().__init__(root)
        if journal:
            self.write(".ckops/settings.yaml", "journal: true\n")

    def cluster(self, name=NAME):
        root = pathlib.Path(self.store, name)
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}

    def ids(self, name=NAME):
        d = pathlib.Path(self.store, JOURNAL, name)
        return sorted(p.name for p in d.iterdir()) if d.is_dir() else []

    def log(self, *args):
        return json.loads(self.ok("store", "log", "-o", "json", *args).stdout)


class Remote(Shop):
    """The same in a store of any kind, looked into by the program itself."""

    def __init__(self, root, kinds, kind):  # noqa: F811
        super().__init__(root, journal=False)
        self.url = kinds.store(kind)
        self.env.update(kinds.env, KOPS_STATE_STORE=self.url)
        self.ok("store", "settings", "--journal=true")

    def cluster(self, name=NAME):
        seen = pathlib.Path(self.root, "seen")
        shutil.rmtree(seen, ignore_errors=True)
        p = self.run("store", "copy", f"{self.url}/{name}", str(seen), "--parallel", "4")
        assert p.returncode == 0 or re.search("there are no files|does not exist|not found", p.stderr), p.stderr
        return contents(seen)

    def ids(self, name=NAME):
        return sorted(e["id"] for e in self.log("--limit", "0", name) if not e.get("outside"))


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def head(shop, entry, name=NAME):
    return pathlib.Path(shop.store, JOURNAL, name, entry).read_bytes().split(b"\n", 1)[0].decode()


# ---- many commands, any moment

def ssh_key(rnd):
    body = b"\0\0\0\x0bssh-ed25519\0\0\0 " + rnd.randbytes(32)
    return "ssh-ed25519 " + base64.b64encode(body).decode() + " someone\n"


class Random:
    """Random commands; some are refused by the program, which is as good: they must leave no entry."""

    def __init__(self, shop, seed):
        self.shop, self.rnd, self.groups, self.serial = shop, random.Random(seed), {"cp", "nodes"}, 0

    def some_group(self):
        return self.rnd.choice(sorted(self.groups))

    def edit_group(self):
        n = self.rnd.randrange(2, 99)
        self.shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", f"spec.maxSize={n}")

    def edit_cluster_in_the_editor(self):
        self.serial += 1
        self.shop.editing(f"""sed -i 's/^  channel:.*/  channel: https:\\/\\/example.com\\/{self.serial}/' "$1"\n""",
                          "edit", "cluster", NAME)

    def create_group(self):
        self.serial += 1
        name = f"g{self.serial}"
        self.shop.ok("create", "-f", "-", stdin=GROUP.replace("name: nodes", f"name: {name}"))
        self.groups.add(name)

    def replace_group(self):
        self.shop.ok("replace", "-f", "-", stdin=GROUP.replace("maxSize: 2", f"maxSize: {self.rnd.randrange(2, 50)}"))

    def delete_group(self):
        extra = sorted(self.groups - {"cp", "nodes"})
        if extra:
            name = self.rnd.choice(extra)
            self.shop.ok("delete", "ig", name, "--name", NAME, "--yes")
            self.groups.discard(name)

    def secret(self):
        self.shop.write("../d.json", json.dumps({"auths": {"x": self.rnd.random()}}))
        self.shop.ok("create", "secret", "dockerconfig", "-f", "d.json", "--force", "--name", NAME)

    def delete_secret(self):
        self.shop.run("delete", "secret", "dockerconfig", "--name", NAME)

    def keypair(self):
        self.shop.ok("create", "keypair", self.rnd.choice(["kubernetes-ca", "service-account"]), "--primary", "--name", NAME)

    def distrust(self):
        self.shop.run("distrust", "keypair", "kubernetes-ca", "--name", NAME)

    def ssh(self):
        self.shop.write("../id.pub", ssh_key(self.rnd))
        self.shop.run("delete", "sshpublickey", NAME)
        self.shop.ok("create", "sshpublickey", NAME, "-i", "id.pub")

    def refused(self):
        self.shop.run("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=-7")

    def look(self):
        self.shop.ok("get", "ig", "--name", NAME)

    WEIGHTS = {"edit_group": 20, "edit_cluster_in_the_editor": 10, "create_group": 10, "replace_group": 10, "delete_group": 8,
               "secret": 8, "delete_secret": 4, "keypair": 2, "distrust": 2, "ssh": 4, "refused": 3, "look": 3}

    def one(self):
        getattr(self, self.rnd.choices(list(self.WEIGHTS), self.WEIGHTS.values())[0])()


def check_layout(shop):
    """kOps finds what it knows, and nothing that looks like one more cluster."""
    for path in map(str, shop.files()):
        cluster, _, rest = path.partition("/")
        if cluster == NAME:
            assert KNOWN.fullmatch(rest), path
        else:
            assert path == ".ckops/settings.yaml" or re.fullmatch(rf"\.ckops/journal/{NAME}/{ID}", path), path
            assert not path.endswith("/config")


@pytest.mark.slow
def test_any_moment_of_many_commands_comes_back_byte_for_byte(shop):
    any_moment(shop, *((1000, 50) if FULL else (60, 8)))
    check_layout(shop)


REMOTE = ["gs"] + (["azureblob", "k8s", "oss", "s3", "ssh", "swift"] if FULL else [])


@pytest.mark.slow
@pytest.mark.parametrize("kind", REMOTE)
def test_any_moment_comes_back_in_stores_of_other_kinds(kinds, tmp_path, kind):  # noqa: F811
    any_moment(Remote(tmp_path, kinds, kind), *((30, 6) if FULL else (8, 2)))


def any_moment(shop, commands, points):
    """Commands until that many have changed something, and that many moments restored."""
    seed = int(os.environ.get("CK_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
    print("CK_SEED =", seed)
    shop.create()
    work = Random(shop, seed)
    states, known = [(shop.ids()[-1], shop.cluster())], 1
    while len(states) < commands:
        before = states[-1][1]
        work.one()
        after, ids = shop.cluster(), shop.ids()
        # one entry for a command that changed something, and none for others (the change of a key takes two commands)
        assert known + (after != before) <= len(ids) <= known + 2 * (after != before)
        if len(ids) > known:
            states.append((ids[-1], after))
            known = len(ids)
    assert len(shop.log("--limit", "0")) == len(shop.ids())  # no gaps
    chosen = work.rnd.sample(states, points)
    for entry, want in chosen:
        shop.ok("store", "restore", "--at", entry, "--yes")
        assert shop.cluster() == want, entry
    assert not shop.ok("store", "diff", chosen[-1][0], "now", "--detailed-exitcode").stdout
    # also those whose content only an entry's "before" holds
    shop.ok("store", "restore", "--at", states[0][0] + "^", "--yes")
    assert shop.cluster() == {}
    shop.ok("store", "undo", "--yes")
    assert shop.cluster() == chosen[-1][1]
    assert all(not line.get("outside") for line in shop.log("--limit", "0"))


def test_an_entry_says_who_did_what(shop):
    shop.create()
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    last, first = shop.log()
    assert last["command"] == f"edit instancegroup nodes --name={NAME} --set=spec.maxSize=…"
    assert first["command"] == "create --filename=-"
    assert last["user"] and last["host"] == os.uname().nodename and re.fullmatch(ID, last["id"])
    assert [f["path"] for f in last["files"]] == ["instancegroup/nodes"]
    assert last["files"][0]["before"] == first["files"][2]["after"]
    assert [(f["path"], f["before"]) for f in first["files"]] == [("config", ""), ("instancegroup/cp", ""), ("instancegroup/nodes", "")]
    table = shop.ok("store", "log", NAME).stdout
    assert table.splitlines()[0].split() == ["ID", "TIME", "WHO", "COMMAND", "FILES"] and last["id"] in table
    assert len(shop.log("--limit", "1")) == 1
    assert [e["id"] for e in json.loads(shop.ok("store", "log", "-o", "json", "--limit", "0").stdout)] == [last["id"], first["id"]]
    assert f"id: {last['id']}" in shop.ok("store", "log", "-o", "yaml").stdout


def test_nothing_is_recorded_where_nobody_asked_for_it(tmp_path):
    shop = Shop(tmp_path, journal=False)
    shop.create()
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    assert not os.path.exists(shop.path(".ckops"))
    assert shop.ok("store", "log").stdout == "Nothing is recorded.\n"
    p = shop.run("store", "undo", NAME)
    assert p.returncode == 1 and "has no journal" in p.stderr


def test_settings_that_cannot_be_read_stop_every_change(shop):
    shop.create()
    shop.write(".ckops/settings.yaml", "journal: perhaps\n")
    before = shop.files()
    p = shop.run("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    assert p.returncode == 1 and "settings of the store" in p.stderr and shop.files() == before


def test_an_entry_that_cannot_be_written_is_an_error_and_the_change_stands(shop):
    shop.create()
    shutil.rmtree(shop.path(JOURNAL))
    shop.write(JOURNAL, "in the way")
    p = shop.run("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    assert p.returncode == 1 and "the change was made, but could not be recorded in the journal" in p.stderr
    assert b"maxSize: 9" in shop.cluster()["instancegroup/nodes"]


def test_a_change_without_the_journal_shows_as_a_gap(shop):
    shop.create()
    file = pathlib.Path(shop.path(NAME, "instancegroup/nodes"))
    mine = file.read_bytes()
    file.write_bytes(mine.replace(b"maxSize: 2", b"maxSize: 3"))  # as kOps does
    theirs = file.read_bytes()
    gap, first = shop.log()
    assert gap["outside"] and gap["id"] == "now" and [f["path"] for f in gap["files"]] == ["instancegroup/nodes"]
    p = shop.run("store", "undo", "--yes")
    assert p.returncode == 3 and "changed since without being recorded" in p.stderr and file.read_bytes() == theirs
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    last, gap, _ = shop.log()
    assert gap["outside"] and gap["id"] == last["id"] + "^" and gap["files"][0]["after"] == last["files"][0]["before"]
    assert "not recorded" in shop.ok("store", "log").stdout
    # what kOps wrote comes back, too
    shop.ok("store", "restore", "--at", gap["id"], "--yes")
    assert file.read_bytes() == theirs
    shop.ok("store", "restore", "--at", first["id"], "--yes")
    assert file.read_bytes() == mine


def test_an_update_is_one_entry_and_can_be_taken_back(tmp_path):
    c = test_update.Cluster("minimal-1.35", tmp_path)
    root = c.store / "tests"
    (root / ".ckops").mkdir()
    (root / ".ckops/settings.yaml").write_text("journal: true\n")

    def files():
        return {str(p.relative_to(root / c.name)): p.read_bytes() for p in (root / c.name).rglob("*") if p.is_file()}

    before = files()
    c.module()
    after = files()
    changed = {p for p in before.keys() | after.keys() if before.get(p) != after.get(p)}
    entry, = json.loads(c.run("store", "log", "-o", "json").stdout)
    assert entry["command"].startswith(f"update cluster {c.name} --target=… --out=…") and len(changed) > 5
    assert {f["path"] for f in entry["files"]} == changed
    c.run("store", "undo", "--yes")
    assert files() == before
    c.run("store", "undo", "--yes")
    assert files() == after


def test_a_deleted_cluster_comes_back_with_its_keys(shop):
    shop.create()
    shop.ok("create", "keypair", "kubernetes-ca", "--primary", "--name", NAME)
    shop.write(f"{NAME}/backups/etcd/main/2026-01-01/etcd.backup.gz", "not ours")
    before = shop.cluster()
    shop.ok("delete", "cluster", NAME, "--unregister", "--yes")
    assert shop.cluster() == {}
    p = shop.ok("store", "undo", NAME)
    assert "BEGIN" not in p.stdout and "pki/private/kubernetes-ca/keyset.yaml: new (nothing → sha256 " in p.stdout
    shop.ok("store", "undo", NAME, "--yes")
    del before["backups/etcd/main/2026-01-01/etcd.backup.gz"]  # etcd's backups are nobody's configuration
    assert shop.cluster() == before
    for p in pathlib.Path(shop.store).rglob("*"):
        assert not p.is_file() or p.name == "settings.yaml" or p.stat().st_mode & 0o777 == 0o600


def test_undo_of_undo_does_it_again(shop):
    shop.create()
    before = shop.cluster()
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    after = shop.cluster()
    for want in (before, after, before):
        assert "Must specify --yes" in shop.ok("store", "undo").stdout
        shop.ok("store", "undo", "--yes")
        assert shop.cluster() == want


def test_diff_shows_lines_of_configuration_and_digests_of_secrets(shop):
    shop.create()
    shop.write("../d.json", '{"auths": {"geheim": 1}}')
    shop.ok("create", "secret", "dockerconfig", "-f", "d.json", "--name", NAME)
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    first, _, last = sorted(e["id"] for e in shop.log())
    p = shop.run("store", "diff", first, "now", "--detailed-exitcode")
    assert p.returncode == 2
    assert "+   maxSize: 9\n-   maxSize: 2\n" in p.stdout and "secrets/dockerconfig: new (nothing → sha256 " in p.stdout
    assert "geheim" not in p.stdout and "Z2VoZWlt" not in p.stdout
    assert shop.ok("store", "diff", first.split("-")[1], last.split("-")[1]).stdout == p.stdout
    assert shop.ok("store", "diff", last, "--detailed-exitcode").stdout == ""
    assert shop.ok("store", "diff", last + "^", last, "--names-only").stdout.startswith("instancegroup/nodes: changed (sha256 ")
    assert json.loads(shop.ok("store", "diff", first + "^", first, "-o", "json").stdout)[0]["before"] == ""
    everything = shop.ok("store", "diff", "2h ago", "now", "-o", "json").stdout
    assert len(json.loads(everything)) == 4 and everything == shop.ok("store", "diff", "2000-01-01T00:00:00Z", "-o", "json").stdout
    for bad in ("yesterday", "", "^", "2026-13-01T00:00:00Z", "-3h"):
        p = shop.run("store", "diff", "--", bad)
        assert p.returncode == 1 and ("is no id" in p.stderr or "is needed" in p.stderr), bad


def test_values_of_options_stay_out_of_the_journal(shop):
    shop.create()
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.image=hunter2hunter2")
    shop.run("edit", "ig", "nodes", "--name", NAME, "--unset", "spec.image", "--lenient")
    for entry in shop.ids():
        assert "hunter2" not in head(shop, entry)
    assert "hunter2" not in shop.ok("store", "log").stdout


def test_each_cluster_has_its_own_journal(shop):
    both = "\n---\n\n".join([ALL, ALL.replace(NAME, OTHER)])
    shop.ok("create", "-f", "-", stdin=both)
    assert len(shop.ids()) == len(shop.ids(OTHER)) == 1
    before = shop.cluster(OTHER)
    p = shop.run("store", "undo")
    assert p.returncode == 1 and "2 clusters have a journal" in p.stderr
    shop.ok("store", "undo", NAME, "--yes")
    assert shop.cluster() == {} and shop.cluster(OTHER) == before
    assert {e["cluster"] for e in shop.log()} == {NAME, OTHER} and {e["cluster"] for e in shop.log(OTHER)} == {OTHER}


def test_a_snapshot_of_nothing_is_an_error(shop):
    p = shop.run("store", "snapshot")
    assert p.returncode == 1 and f"no clusters found in {shop.store}" in p.stderr


def test_a_snapshot_covers_what_was_there_before_the_journal(tmp_path):
    shop = Shop(tmp_path, journal=False)
    shop.create()
    whole = shop.cluster()
    shop.write(".ckops/settings.yaml", "journal: true\n")
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    assert "2 files have no record yet" in shop.ok("store", "log", NAME).stdout
    shop.ok("store", "undo", "--yes")
    assert "Recorded 3 files" in shop.ok("store", "snapshot").stdout
    entry = shop.ids()[-1]
    assert shop.log()[0]["snapshot"] and "no record" not in shop.ok("store", "log", NAME).stdout
    pathlib.Path(shop.path(NAME, "instancegroup/cp")).unlink()  # as kOps does
    shop.write(f"{NAME}/instancegroup/new", GROUP)
    gap = shop.log()[0]
    assert gap["outside"] and {f["path"] for f in gap["files"]} == {"instancegroup/cp", "instancegroup/new"}
    shop.ok("store", "restore", NAME, "--at", entry, "--yes")
    assert shop.cluster() == whole


def test_what_is_too_large_to_keep_is_named_and_not_half_restored(shop):
    shop.create()
    shop.write(f"{NAME}/secrets/big", "x" * (5 << 20))
    shop.ok("delete", "secret", "big", "--name", NAME)
    entry = shop.ids()[-1]
    assert pathlib.Path(shop.path(JOURNAL, NAME, entry)).stat().st_size < 10000
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    before = shop.cluster()
    p = shop.run("store", "restore", "--at", entry + "^", "--yes")
    assert p.returncode == 1 and "secrets/big" in p.stderr and "too large" in p.stderr and shop.cluster() == before


@pytest.mark.parametrize("damage", ["cut", "path", "other", "newer"])
def test_damaged_entries_restore_nothing(shop, damage):
    shop.create()
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    file = pathlib.Path(shop.path(JOURNAL, NAME, shop.ids()[0]))
    data = file.read_bytes()
    file.write_bytes({"cut": data[:40], "path": data.replace(b'"config"', b'"../../x"'),
                      "other": data.replace(NAME.encode(), OTHER.encode()),
                      "newer": data.replace(b"ckops journal 1", b"ckops journal 2")}[damage])
    before = shop.files()
    p = shop.run("store", "restore", "--at", shop.ids()[0], "--yes")
    assert p.returncode == 1 and "journal" in p.stderr and shop.files() == before
    assert str(file) in p.stderr and "moved elsewhere" in p.stderr
    file.rename(shop.path("../elsewhere"))
    assert "edit instancegroup" in shop.ok("store", "log", NAME).stdout


def test_a_damaged_content_comes_back_from_another_entry_that_holds_it(shop):
    shop.create()
    first = shop.cluster()
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    made = shop.ids()[0]

    def damage(entry):
        file = pathlib.Path(shop.path(JOURNAL, NAME, entry))
        data = file.read_bytes()
        file.write_bytes(data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])

    damage(made)
    shop.ok("store", "restore", "--at", made, "--yes")
    assert shop.cluster() == first
    os.unlink(shop.path(JOURNAL, NAME, shop.ids()[-1]))  # of the restoring
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=8")
    before = shop.cluster()
    for entry in shop.ids()[1:]:
        damage(entry)
    p = shop.run("store", "restore", "--at", made, "--yes")
    assert p.returncode == 1 and "damaged" in p.stderr and shop.cluster() == before


def test_a_time_the_journal_does_not_know_is_told(shop):
    shop.create()
    before = shop.cluster()
    for future in ("2262-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "0001-01-01T00:00:00Z"):
        p = shop.run("store", "restore", "--at", future, "--yes")
        assert p.returncode == 1 and ("is in the future" in p.stderr or "is no id" in p.stderr) and shop.cluster() == before, future
    p = shop.ok("store", "restore", "--at", "2000-01-01T00:00:00Z")
    assert f"begins with {shop.ids()[0]}" in p.stderr and "Must specify --yes" in p.stdout
    p = shop.ok("store", "diff", "2h ago", "now", "-o", "json")
    assert f"begins with {shop.ids()[0]}" in p.stderr and json.loads(p.stdout)
    assert "begins with" not in shop.ok("store", "diff", shop.ids()[0] + "^").stderr


@pytest.mark.slow
def test_entries_of_concurrent_commands_make_one_chain(shop):
    shop.create()
    procs = [subprocess.Popen([PROGRAM, "edit", "ig", "nodes", "--name", NAME, "--set", f"spec.maxSize={9 + i}"], env=shop.env,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=shop.root) for i in range(12)]
    won = sum(p.wait(timeout=60) == 0 for p in procs)
    assert won >= 1 and len(shop.ids()) == 1 + won
    assert not [e for e in shop.log() if e.get("outside")]


# ---- on S3: what it costs, and a command that is killed

@pytest.fixture
def proxy(gateway):  # noqa: F811
    p = FaultProxy(gateway.url)
    yield p
    p.close()


def journal_on(store):
    status, _, _ = servers.s3request(store.server.url, "PUT", f"/{store.bucket}/state/.ckops/settings.yaml", body=b"journal: true\n")
    assert status == 200


CHANGES = [(["create", "-f", "-"], ALL), (["edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9"], ""),
           (["replace", "-f", "-"], GROUP.replace("maxSize: 2", "maxSize: 7")),
           (["create", "keypair", "kubernetes-ca", "--primary", "--name", NAME], ""),
           (["delete", "ig", "nodes", "--name", NAME, "--yes"], ""),
           (["get", "clusters"], ""),
           (["delete", "cluster", NAME, "--unregister", "--yes"], "")]


@pytest.mark.slow
def test_a_change_costs_one_more_write(gateway, proxy, tmp_path):  # noqa: F811
    counts = {}
    for journal in (False, True):
        store = Store(gateway, tmp_path, proxy.url)
        if journal:
            journal_on(store)
        for i, (command, stdin) in enumerate(CHANGES):
            proxy.arm(0, None, 0)
            # as with AWS; elsewhere the first conditional write of a process is sent twice, the second to be refused
            store.ok(*command, stdin=stdin, CKOPS_S3_CONDITIONAL="yes")
            writes = [s for s in proxy.seen if not s.startswith(("GET ", "HEAD "))]
            entries = [s for s in writes if "/.ckops/journal/" in s]
            assert len(entries) == (journal and command[0] != "get")
            counts.setdefault(i, []).append((len(writes), len(proxy.seen) - len(writes)))
    print({" ".join(CHANGES[i][0][:3]): c for i, c in counts.items()})
    for i, (without, with_journal) in counts.items():
        assert with_journal[0] == without[0] + (CHANGES[i][0][0] != "get")
    assert counts[5][0] == counts[5][1]  # reading costs nothing


def test_a_command_killed_before_its_entry_shows_as_a_gap(gateway, proxy, tmp_path):  # noqa: F811
    store = Store(gateway, tmp_path, proxy.url)
    journal_on(store)
    store.ok("create", "-f", "-", stdin=ALL)
    running = queue.Queue()

    def kill(request):
        if not request.startswith("PUT ") or "/.ckops/journal/" not in request:
            return False
        running.get(timeout=60).send_signal(signal.SIGKILL)
        return True

    proxy.watch = kill
    p = subprocess.Popen([PROGRAM, "edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9"], env=store.env,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    running.put(p)
    assert p.wait(timeout=60) == -signal.SIGKILL
    proxy.watch = lambda request: False
    assert "maxSize: 9" in store.read(f"{NAME}/instancegroup/nodes")
    gap, first = json.loads(store.ok("store", "log", "-o", "json").stdout)
    assert gap["outside"] and [f["path"] for f in gap["files"]] == ["instancegroup/nodes"]
    store.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=11")
    last, gap, _ = json.loads(store.ok("store", "log", "-o", "json").stdout)
    assert gap["outside"] and gap["id"] == last["id"] + "^"
    store.ok("store", "restore", NAME, "--at", gap["id"], "--yes")
    assert "maxSize: 9" in store.read(f"{NAME}/instancegroup/nodes")
    store.ok("store", "restore", NAME, "--at", first["id"], "--yes")
    assert "maxSize: 2" in store.read(f"{NAME}/instancegroup/nodes")


# ---- the page

def test_the_commands_of_the_page_run_in_their_order(tmp_path):
    shop = Shop(tmp_path, journal=False)
    shop.create(ALL.replace(NAME, "my.example.com"))
    commands = list(test_docs.shown("docs/journal.md"))
    assert len(commands) >= 7
    for command in commands:
        if "store settings" not in command:
            shop.ok(*shlex.split(command)[1:])
        else:
            shop.write(".ckops/settings.yaml", "journal: true\n")
        if command.endswith("snapshot"):
            shop.ok("edit", "ig", "nodes", "--name", "my.example.com", "--set", "spec.maxSize=9")
