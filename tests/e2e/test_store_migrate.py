"""store migrate: between kinds of stores, killed at any moment while someone edits the cluster; what both
sides changed; taking it back; what is refused."""

import base64
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from test_everyday import ALL, CLUSTER, GROUP, NAME

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/servers"))
import clouds  # noqa: E402
import k8s_server  # noqa: E402
import oss  # noqa: E402
import servers  # noqa: E402
import sshd  # noqa: E402
import swift_server  # noqa: E402

PROGRAM = os.environ.get("CKOPS_BIN") or str(ROOT / "build/ckops")
FULL = os.environ.get("CK_FULL") == "1"
REQUIRED = os.environ.get("CKOPS_SERVERS_REQUIRED") == "1"
pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason=f"{PROGRAM} is not built (CKOPS_BIN)")

RECORD = f".ckops/migrate/{NAME}.json"


class World:
    """A home, an environment, and the program run in it."""

    def __init__(self, tmp, **env):
        self.tmp = tmp
        self.env = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
        self.env.update(HOME=str(tmp), PATH=os.environ["PATH"], **env)

    def run(self, *args, stdin="", **env):
        return subprocess.run([PROGRAM, *map(str, args)], cwd=self.tmp, env=dict(self.env, **env), input=stdin, text=True,
                              capture_output=True, timeout=300)

    def ok(self, *args, **kw):
        p = self.run(*args, **kw)
        assert p.returncode == 0, (args, p.returncode, p.stdout, p.stderr)
        return p.stdout

    def migrate(self, *args, to="new", state="old", name=NAME):
        return self.run("store", "migrate", name, "--state", state, "--to", to, *args)

    def fetch(self, store):
        """What the store has of the cluster: path → bytes."""
        folder = self.tmp / "fetched"
        shutil.rmtree(folder, ignore_errors=True)
        self.ok("store", "copy", f"{store}/{NAME}", folder)
        return contents(folder)


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def make(folder, files):
    for name, data in files.items():
        p = folder / name
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_bytes(data if isinstance(data, bytes) else data.encode())
        p.chmod(0o600)


def config_of(base, more=""):
    return CLUSTER.replace("  etcdClusters:", f"  configBase: {base}\n  etcdClusters:").rstrip("\n") + "\n" + more


def fill(w, store, files=30):
    """A cluster there, as the commands write it, and backups beside it."""
    w.ok("create", "-f", "-", "--state", store, stdin=ALL.replace(CLUSTER, config_of(f"{store}/{NAME}")))
    w.ok("create", "secret", "dockerconfig", "--name", NAME, "--state", store, "-f", "-", stdin='{"n":0}')
    rnd = random.Random(3)
    make(w.tmp / "backups", {f"{i}/etcd.backup.gz": rnd.randbytes(700) for i in range(files)})
    w.ok("store", "copy", "backups", f"{store}/{NAME}/backups/etcd/main")


@pytest.fixture
def w(tmp_path):
    """Two local folders: "old" with a cluster, "new" not there."""
    w = World(tmp_path)
    w.old, w.new = tmp_path / "old", tmp_path / "new"
    fill(w, w.old, 5)
    return w


def moved(w, old, frm=None, to=None):
    """The old files as they should be in the new store."""
    frm, to = str(frm or w.old), str(to or w.new)
    return {k: v.replace(f"{frm}/{NAME}".encode(), f"{to}/{NAME}".encode()) if k in ("config", "cluster-completed.spec") else v
            for k, v in old.items()}


def check_moved(w):
    assert contents(w.new / NAME) == moved(w, contents(w.old / NAME))


# ---- what it does

def test_a_plan_is_shown_and_nothing_is_written(w):
    p = w.migrate()
    assert p.returncode == 0, p.stderr
    assert f"copy    {NAME}/config\n" in p.stdout
    assert f"rewrite spec.configBase: {w.old}/{NAME} -> {w.new}/{NAME}\n" in p.stdout
    assert p.stdout.endswith("\n\nMust specify --yes to migrate\n")
    assert not w.new.exists()


def test_a_cluster_is_copied_whole_with_its_place_rewritten(w):
    before = contents(w.old)
    p = w.migrate("--yes")
    assert p.returncode == 0, p.stderr
    check_moved(w)
    assert contents(w.old) == before
    assert f"  ckops update cluster {NAME} --state {w.new} --yes\n" in p.stdout
    assert NAME in w.ok("get", "clusters", "--state", w.new)
    w.ok("store", "fsck", "--state", w.new)


def test_the_same_again_changes_nothing(w):
    w.migrate("--yes")
    before = {p: p.stat().st_mtime_ns for p in w.new.rglob("*")}
    p = w.migrate("--yes")
    assert p.returncode == 0 and "\n0 files written" in p.stdout
    assert before == {p: p.stat().st_mtime_ns for p in w.new.rglob("*")}


def test_every_place_in_the_store_is_rewritten_and_every_other_byte_kept(w):
    spec = f"""\
# written by hand
kind: Cluster
apiVersion: kops.k8s.io/v1alpha2
metadata: {{name: {NAME}}}
spec:
  keyStore: "{w.old}/keys/{NAME}"   # elsewhere in the store
  configBase:    {w.old}/{NAME}
  secretStore: '{w.old}/{NAME}/secrets'
  serviceAccountIssuerDiscovery:
    discoveryStore: {w.old}/{NAME}/discovery
  etcdClusters:
  - backups: {{backupStore: {w.old}/{NAME}/backups/etcd/main}}
    name: main
  - {{name: events, backups: {{backupStore: s3://other/backups}}}}
"""
    make(w.old, {f"{NAME}/config": spec, f"{NAME}/cluster-completed.spec": spec.replace("written", "derived"),
                 f"keys/{NAME}/private/ca/keyset.yaml": "k", "keys/other/x": "not mine"})
    p = w.migrate("--yes")
    assert p.returncode == 0, p.stderr
    want = spec.replace(str(w.old), str(w.new)).replace(f"{w.new}/{NAME}/discovery", f"{w.old}/{NAME}/discovery")
    got = contents(w.new)
    assert got[f"{NAME}/config"].decode() == want
    assert got[f"{NAME}/cluster-completed.spec"].decode() == want.replace("written", "derived")
    assert got[f"keys/{NAME}/private/ca/keyset.yaml"] == b"k" and "keys/other/x" not in got
    assert f"note: spec.serviceAccountIssuerDiscovery.discoveryStore still names the old store: {w.old}/{NAME}/discovery" in p.stdout
    assert "s3://other" not in p.stdout


@pytest.mark.parametrize("text", ["spec: {configBase: &b %s/c.example.com, keyStore: *b}\n", "spec:\n  configBase: >-\n    %s/c.example.com\n",
                                  '{"spec": {"configBase": "%s/c.example.com", "x": [1.50, "é"]}}', 'é: "configBase" # ü\nspec: {é: 1, configBase: %s/c.example.com}\n',
                                  'spec: {"configBase": "%s/c.ex\\u0061mple.com"}\n'])
def test_odd_spellings_of_a_place_are_rewritten_too(w, text):
    make(w.old, {f"{NAME}/config": text % w.old})
    p = w.migrate("--yes")
    assert p.returncode == 0, p.stderr
    got = (w.new / NAME / "config").read_text()
    assert str(w.old) not in got and f"{w.new}/{NAME}" in got
    assert w.migrate("--yes").returncode == 0


def test_a_cluster_without_configbase_needs_no_rewriting(w):
    make(w.old, {f"{NAME}/config": CLUSTER})
    assert w.migrate("--yes").returncode == 0
    assert (w.new / NAME / "config").read_text() == CLUSTER


def test_a_file_that_is_a_cluster_for_kops_appears_last(w):
    """A destination that refuses one file gets everything but config."""
    (w.new / NAME / "secrets").mkdir(parents=True)
    (w.new / NAME / "secrets/dockerconfig").mkdir()
    p = w.migrate("--yes")
    assert p.returncode == 1 and f"{NAME}/secrets/dockerconfig" in p.stderr, p.stderr
    got = contents(w.new)
    assert f"{NAME}/instancegroup/nodes" in got and f"{NAME}/config" not in got
    assert w.run("get", "clusters", "--state", w.new).returncode == 1
    (w.new / NAME / "secrets/dockerconfig").rmdir()
    assert w.migrate("--yes").returncode == 0
    check_moved(w)


def test_json(w):
    plan = json.loads(w.migrate("-o", "json").stdout)
    assert {"action": "copy", "path": f"{NAME}/config"}.items() <= [x for x in plan["plan"] if x["path"] == f"{NAME}/config"][0].items()
    done = json.loads(w.migrate("-o", "json", "--yes").stdout)
    assert done["copied"] == len(plan["plan"]) == done["unchanged"] and done["failures"] == []
    assert done["rewritten"] == [{"field": "spec.configBase", "from": f"{w.old}/{NAME}", "to": f"{w.new}/{NAME}"}]
    assert done["next"] == f"ckops update cluster {NAME} --state {w.new} --yes"


def test_the_commands_on_the_page_run_in_their_order(w):
    page = (ROOT / "docs/store-tools.md").read_text()
    commands = re.findall(r"^    ckops (store migrate .*)$", page, re.M)
    assert len(commands) == 3
    for line in commands:
        w.ok(*line.replace("my.example.com", NAME).replace("s3://old-store", str(w.old)).replace("gs://new-store", str(w.new)).split())
    assert contents(w.new) == {}


def test_the_printed_commands_work_in_a_shell(w):
    odd = w.tmp / "it's; exit 9 #"
    out = w.migrate("--yes", to=odd).stdout
    update, back = (line.strip() for line in re.findall(r"^  ckops .*$", out, re.M))
    assert shlex.split(update) == ["ckops", "update", "cluster", NAME, "--state", str(odd), "--yes"]
    p = subprocess.run(["sh", "-c", back.replace("ckops", shlex.quote(PROGRAM), 1)], cwd=w.tmp, env=w.env, text=True, capture_output=True, timeout=60)
    assert p.returncode == 0 and contents(odd) == {}, p.stderr


# ---- after the migration

def test_edits_in_the_old_store_are_carried_over_by_the_same_command(w):
    w.migrate("--yes")
    make(w.old, {f"{NAME}/instancegroup/nodes": GROUP.replace("maxSize: 2", "maxSize: 9"), f"{NAME}/secrets/late": "x"})
    p = w.migrate()
    assert p.stdout.startswith(f"replace {NAME}/instancegroup/nodes\ncopy    {NAME}/secrets/late\n"), p.stdout
    assert w.migrate("--yes").returncode == 0
    check_moved(w)


def test_edits_in_the_new_store_stay(w):
    w.migrate("--yes")
    mine = GROUP.replace("maxSize: 2", "maxSize: 7")
    make(w.new, {f"{NAME}/instancegroup/nodes": mine, f"{NAME}/secrets/new": "n"})
    (w.new / NAME / "secrets/dockerconfig").unlink()
    make(w.old, {f"{NAME}/instancegroup/cp": "other edit"})
    p = w.migrate("--yes")
    assert p.returncode == 0 and "3 files were changed in the new store" in p.stdout, (p.stdout, p.stderr)
    got = contents(w.new / NAME)
    assert got["instancegroup/nodes"].decode() == mine and got["secrets/new"] == b"n" and "secrets/dockerconfig" not in got
    assert got["instancegroup/cp"] == b"other edit"


@pytest.mark.parametrize("old,new", [("edit", "edit"), ("edit", None), (None, "edit"), (None, "same")])
def test_what_both_stores_changed_is_named_and_nothing_is_done(w, old, new):
    w.migrate("--yes")
    file = f"{NAME}/secrets/dockerconfig"
    for root, what in ((w.old, old), (w.new, new)):
        if what == "edit":
            make(root, {file: f"edit of {root}"})
        elif what is None:
            (root / file).unlink()
    make(w.old, {f"{NAME}/instancegroup/nodes": "another edit"})
    before = contents(w.new)
    p = w.migrate("--yes")
    assert p.returncode == 3 and f'conflict: "{file}": was ' in p.stderr, (p.stdout, p.stderr)
    assert contents(w.new) == before
    if new == "same":  # deleted in the old store alone: only when told
        assert "--delete" in p.stderr
        assert w.migrate("--yes", "--delete").returncode == 0
        check_moved(w)


def test_deletions_before_the_end_are_carried_over(w):
    """A run stopped half way, then a file goes from the old store."""
    (w.new / NAME / "instancegroup").mkdir(parents=True)
    (w.new / NAME / "instancegroup/nodes").mkdir()
    assert w.migrate("--yes").returncode == 1
    (w.new / NAME / "instancegroup/nodes").rmdir()
    (w.old / NAME / "secrets/dockerconfig").unlink()
    assert w.migrate("--yes").returncode == 0
    check_moved(w)


def test_a_deletion_that_was_being_carried_over_is_no_edit_of_the_new_store(w):
    """Killed after deleting, before writing down that it is done; then the file comes back in the old store."""
    w.migrate("--yes")
    file = f"{NAME}/secrets/dockerconfig"
    record = json.loads((w.new / RECORD).read_text())
    record["files"][file].append("-")
    (w.new / RECORD).write_text(json.dumps(record))
    (w.new / file).unlink()
    make(w.old, {file: "back again"})
    assert w.migrate("--yes").returncode == 0
    check_moved(w)


# ---- back

def test_a_rollback_leaves_nothing_and_the_old_store_alone(w):
    make(w.new, {"other.example.com/config": "theirs"})
    before = contents(w.old)
    w.migrate("--yes")
    p = w.migrate("--rollback")
    assert f"delete  {NAME}/config\n" in p.stdout and p.stdout.endswith("\nMust specify --yes to roll back\n")
    check_moved(w)
    p = w.migrate("--rollback", "--yes")
    assert p.returncode == 0, p.stderr
    assert contents(w.new) == {"other.example.com/config": b"theirs"} and contents(w.old) == before
    assert w.migrate("--rollback", "--yes").returncode == 1
    assert w.migrate("--yes").returncode == 0
    check_moved(w)


@pytest.mark.parametrize("change", ["edit", "add", "delete", "only copy", "no cluster"])
def test_a_rollback_refuses_when_something_would_be_lost(w, change):
    w.migrate("--yes")
    if change == "edit":
        make(w.new, {f"{NAME}/config": "edited"})
    elif change == "add":
        make(w.new, {f"{NAME}/instancegroup/more": "x"})
    elif change == "delete":
        (w.new / NAME / "instancegroup/nodes").unlink()
    elif change == "only copy":
        (w.old / NAME / "secrets/dockerconfig").unlink()
    else:
        shutil.rmtree(w.old / NAME)
    before = contents(w.new)
    p = w.migrate("--rollback", "--yes")
    assert p.returncode == (1 if change == "no cluster" else 3), p.stderr
    assert contents(w.new) == before


def test_an_unfinished_migration_can_be_taken_back(w):
    (w.new / NAME / "secrets/dockerconfig").mkdir(parents=True)
    assert w.migrate("--yes").returncode == 1
    (w.new / NAME / "secrets/dockerconfig").rmdir()
    assert w.migrate("--rollback", "--yes").returncode == 0
    assert contents(w.new) == {}


# ---- refused

def refused(w, text, *args, rc=1, **kw):
    before = contents(w.tmp)
    p = w.migrate("--yes", *args, **kw)
    assert p.returncode == rc and text in p.stderr, (p.returncode, p.stdout, p.stderr)
    assert contents(w.tmp) == before


def test_a_store_into_itself_is_refused(w):
    (w.tmp / "link").symlink_to("old")
    for to in ("old", "./old/", f"file://{w.old}", "old/below", f"old/{NAME}", ".", "link", "link/x"):
        refused(w, "within each other", to=to)


def test_a_destination_with_such_a_cluster_is_refused(w):
    make(w.new, {f"{NAME}/secrets/x": "theirs"})
    refused(w, f"has files of cluster \"{NAME}\" that no migration put there, {NAME}/secrets/x for one")


def test_a_migration_from_elsewhere_is_refused(w):
    w.migrate("--yes")
    shutil.copytree(w.old, w.tmp / "third")
    make(w.tmp / "third", {f"{NAME}/config": config_of(f"{w.tmp}/third/{NAME}")})
    refused(w, f"comes from {w.old}, not from {w.tmp}/third", state="third")


@pytest.mark.parametrize("kw,text", [
    ({"name": "none.example.com"}, 'cluster "none.example.com" not found in'), ({"state": "nowhere"}, "not found in"),
    ({"name": "../x"}, "would lead out"), ({"name": "a\nb"}, "control characters"), ({"to": "memfs://x"}, "is in memory"),
    ({"to": "foo://x"}, "unknown / unhandled path type"), ({"to": "s3:/b"}, "two slashes"), ({"to": ""}, "--to is needed"),
    ({"state": ""}, "State Store: Required value")])
def test_bad_input_changes_nothing(w, kw, text):
    refused(w, text, **kw)


def test_options_that_make_no_sense(w):
    refused(w, "--output is text or json", "-o", "xml")
    refused(w, "between 1 and 64", "--parallel", "0")
    refused(w, "exclude each other", "--rollback", "--delete")
    p = w.run("store", "migrate", "--state", "old", "--to", "new")
    assert p.returncode == 1 and "--name is required" in p.stderr


def test_a_copy_of_a_store_is_not_the_store(w):
    """The folder of a review: its configBase is somewhere else."""
    shutil.copytree(w.old, w.tmp / "review")
    refused(w, "--state must be the store that holds the cluster", state="review")


def test_a_field_that_holds_the_cluster_itself_is_refused(w):
    make(w.old, {f"p/{NAME}/config": config_of(f"{w.old}/p/{NAME}", f"  keyStore: {w.old}/p\n")})
    refused(w, "which holds the cluster itself", name=f"p/{NAME}")


def test_another_clusters_secrets_are_not_taken_along(w):
    make(w.old, {"other.example.com/config": "x", "other.example.com/secrets/s": "theirs",
                 f"{NAME}/config": config_of(f"{w.old}/{NAME}", f"  secretStore: {w.old}/other.example.com/secrets\n")})
    refused(w, 'which belongs to cluster "other.example.com"')


def test_a_config_that_cannot_be_read_is_refused(w):
    for text in ("a: [", "", "just text", "- a\n"):
        make(w.old, {f"{NAME}/config": text})
        refused(w, "error reading cluster configuration")


@pytest.mark.parametrize("text", ["", "{", '{"version":2,"cluster":"c.example.com","from":"x","folders":[],"files":{}}', "[]",
                                  '{"version":1,"cluster":"c.example.com","from":"x","folders":[""],"files":{}}',
                                  '{"version":1,"cluster":"c.example.com","from":"x","folders":[],"files":{"a":["zz"]}}'])
def test_a_record_that_cannot_be_read_is_refused(w, text):
    make(w.new, {RECORD: text})
    refused(w, "is not the record of a migration")


def test_a_record_cannot_ask_for_other_clusters(w):
    """Whoever can write the new store gets what is migrated there, and nothing else of the old one."""
    make(w.old, {"other.example.com/config": "theirs"})
    make(w.tmp / "beside", {"x": "not of the store"})
    w.migrate("--yes")
    record = json.loads((w.new / RECORD).read_text())
    for folder in ("other.example.com", "../beside", "."):
        (w.new / RECORD).write_text(json.dumps(dict(record, folders=[NAME, folder])))
        w.migrate("--yes")
        assert {k.split("/")[0] for k in contents(w.new)} == {NAME, ".ckops"}
    p = w.migrate("--rollback", "--yes")
    assert p.returncode and contents(w.tmp / "beside") == {"x": b"not of the store"}


def test_an_unreachable_destination_is_refused(w):
    w.env.update(S3_ENDPOINT=f"http://127.0.0.1:{servers.free_port()}", S3_ACCESS_KEY_ID="a", S3_SECRET_ACCESS_KEY="b")
    refused(w, "cannot connect to 127.0.0.1", to="s3://bkt")


def test_a_destination_that_may_not_be_written_is_refused(w):
    (w.new / ".ckops").mkdir(parents=True)
    (w.new / ".ckops/migrate").write_text("a file where the record belongs")
    refused(w, "the record of the migration")


def test_links_in_the_old_store_stop_it(w):
    make(w.tmp / "outside", {"secret": "s"})
    (w.old / NAME / "secrets/link").symlink_to(w.tmp / "outside/secret")
    p = w.migrate("--yes")
    assert p.returncode == 1 and "link" in p.stderr
    assert not (w.new / NAME / "config").exists()


# ---- kinds of stores

def start(make_server):
    try:
        return make_server().start()
    except servers.Missing as e:
        (pytest.fail if REQUIRED else pytest.skip)(str(e))


class Kinds:
    """Servers, each started when it is first needed."""

    def __init__(self, tmp):
        self.tmp, self.servers, self.env, self.n = tmp, {}, {}, 0

    def server(self, kind):
        if kind not in self.servers:
            new = {"s3": servers.Versitygw, "gs": clouds.FakeGcs, "azureblob": clouds.Azurite, "oss": oss.Oss,
                   "k8s": k8s_server.Kubernetes, "swift": swift_server.Swift, "ssh": sshd.Sshd}[kind]
            self.servers[kind] = s = start(new)
            self.env.update(s.env())
            {"s3": lambda: s.make_bucket("bkt"), "swift": lambda: s.make_bucket("bkt"), "gs": lambda: s.make("bkt"),
             "azureblob": lambda: s.make("bkt"), "oss": lambda: s.make("bkt"), "k8s": lambda: None, "ssh": lambda: None}[kind]()
        return self.servers[kind]

    def store(self, kind):
        """A store that nobody has used."""
        self.n += 1
        if kind == "file":
            return str(self.tmp / f"store{self.n}")
        s = self.server(kind)
        if kind == "ssh":
            (s.data / str(self.n)).mkdir()
            return s.store(str(self.n))
        base = {"s3": "s3://bkt", "swift": "swift://bkt", "k8s": "k8s:///kops-state"}.get(kind) or s.store("bkt")
        return f"{base}/{self.n}"


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    k = Kinds(tmp_path_factory.mktemp("stores"))
    yield k
    for s in k.servers.values():
        s.stop()


class Writer(threading.Thread):
    """Edits the cluster in its old store by the program's own commands, one after the other, until told to
    stop. `acknowledged` has what it was told is stored."""

    def __init__(self, world, store, rnd):
        super().__init__(daemon=True)
        self.w, self.store, self.rnd = world, store, rnd
        self.n, self.acknowledged, self.failures = 0, {}, []
        self.going, self.idle, self.over = threading.Event(), threading.Event(), False
        self.going.set()

    def edit(self):
        self.n += 1
        n, common = self.n, ("--name", NAME, "--state", self.store)
        kind = self.rnd.choice(["secret", "secret", "group", "config", "come and go"])
        if kind == "secret":
            p = self.w.run("create", "secret", "dockerconfig", *common, "--force", "-f", "-", stdin='{"n":%d}' % n)
        elif kind == "group":
            p = self.w.run("replace", "-f", "-", "--state", self.store, stdin=GROUP.replace("maxSize: 2", f"maxSize: {n + 2}"))
        elif kind == "config":
            p = self.w.run("edit", "cluster", *common, "--set", f"spec.sshKeyName=key{n}")
        elif "come and go" in self.acknowledged:
            p = self.w.run("delete", "secret", "encryptionconfig", *common)
            n = None
        else:
            p = self.w.run("create", "secret", "encryptionconfig", *common, "-f", "-", stdin=f"n: {n}\n")
        if p.returncode:
            self.failures.append((kind, p.stderr))
        elif n is None:
            del self.acknowledged[kind]
        else:
            self.acknowledged[kind] = n

    def run(self):
        while not self.over:
            if not self.going.is_set():
                self.idle.set()
                self.going.wait(1)
                continue
            self.edit()
            time.sleep(self.rnd.uniform(0, 0.2))

    def pause(self):
        self.idle.clear()
        self.going.clear()
        assert self.idle.wait(120)

    def go(self):
        self.going.set()

    def stop(self):
        self.over = True
        self.going.set()
        self.join()


def numbers(files):
    """The numbers of the edits that are in these files."""
    found = {"secret": int(json.loads(base64.b64decode(json.loads(files["secrets/dockerconfig"])["Data"]))["n"]),
             "group": int(re.search(rb"maxSize: (\d+)", files["instancegroup/nodes"])[1]) - 2}
    key = re.search(rb"sshKeyName: key(\d+)", files["config"])
    found["config"] = int(key[1]) if key else 0
    if "secrets/encryptionconfig" in files:
        found["come and go"] = int(re.search(rb"\d+", base64.b64decode(json.loads(files["secrets/encryptionconfig"])["Data"]))[0])
    return found


class Moving:
    """One old store with a writer, and migrations from it to new places."""

    def __init__(self, kinds, tmp_path, pair, seed):
        self.kinds, self.kind_to = kinds, pair[1]
        self.rnd = random.Random(seed)
        self.frm = kinds.store(pair[0])
        kinds.store(pair[1])  # starts its server
        self.w = World(tmp_path, **kinds.env)
        fill(self.w, self.frm)
        self.writer = Writer(World(tmp_path, **kinds.env), self.frm, random.Random(seed + 1))
        self.kills = self.whole = self.stopped = self.starved = 0

    def process(self, to, *args):
        return subprocess.Popen([PROGRAM, "store", "migrate", NAME, "--state", self.frm, "--to", to, "--yes", *args],
                                cwd=self.w.tmp, env=self.w.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def attempt(self, to):
        """A run that is not killed. A server that the machine leaves without time to answer is no fault of the
        migration, which says so; then it is run again, as its user would."""
        for _ in range(4):
            p = self.process(to, "--delete")
            out, err = p.communicate()
            if p.returncode != 1 or not re.search("no reply within|timed out", err):
                break
            self.starved += 1
        return p.returncode, out, err

    def length(self, runs):
        """Of a whole run while the writer writes."""
        spans = []
        for _ in range(runs):
            began = time.monotonic()
            self.process(self.kinds.store(self.kind_to)).communicate()
            spans.append(time.monotonic() - began)
        return sorted(spans)[runs // 2]

    def kill(self, to, length):
        p = self.process(to, "--delete")
        time.sleep(self.rnd.uniform(0, length))
        p.send_signal(signal.SIGKILL)
        err = p.communicate()[1]
        assert p.returncode in (-signal.SIGKILL, 0, 3) or re.search("no reply within|timed out", err), err
        self.kills += p.returncode == -signal.SIGKILL

    def through(self, to):
        """A run while the writer writes: what was acknowledged before it began is there, or it says so."""
        before = dict(self.writer.acknowledged)
        code, out, err = self.attempt(to)
        assert code in (0, 3), (out, err)
        if code == 3:
            assert "all the time" in err, err
            self.stopped += 1
            return
        self.whole += 1
        found = numbers(self.w.fetch(to))
        assert all(found[k] >= n for k, n in before.items() if k != "come and go"), (before, found)

    def finish(self, to):
        """Nobody writes any more: 0 differences."""
        self.writer.pause()
        code, out, err = self.attempt(to)
        assert code == 0, (out, err)
        there = self.w.fetch(to)
        old = self.w.fetch(self.frm)
        assert there == moved(self.w, old, self.frm, to)
        assert {k: v for k, v in numbers(old).items() if v} == self.writer.acknowledged
        check = json.loads(self.w.run("store", "fsck", NAME, "--state", to, "-o", "json").stdout)
        bad = {f["rule"] for f in check["findings"] if f["level"] != "note"}
        assert not bad - ({"temporary-file"} if self.kind_to == "file" else set()), check  # of a killed writer
        self.writer.go()


PAIRS = [("file", "s3"), ("s3", "gs")]
if FULL:
    PAIRS += [("s3", "file"), ("gs", "azureblob"), ("file", "ssh"), ("file", "k8s"), ("k8s", "s3"), ("swift", "file"), ("oss", "gs"), ("file", "oss")]
KILLS = 200 if FULL else 3


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_killed_at_any_moment_while_someone_edits_it_ends_without_a_difference(kinds, tmp_path, pair, record_property):
    m = Moving(kinds, tmp_path, pair, 11)
    m.writer.start()
    length = m.length(3 if FULL else 1)
    to = kinds.store(pair[1])
    m.through(to)
    m.finish(to)
    rounds = 0
    while m.kills < KILLS:
        to = kinds.store(pair[1])
        for _ in range(min(8, KILLS - m.kills)):
            m.kill(to, length)
        m.through(to)
        m.finish(to)
        rounds += 1
    m.writer.stop()
    assert not m.writer.failures, m.writer.failures[:2]
    line = (f"{'-'.join(pair)}: run {length:.2f} s, {m.kills} kills on {rounds} destinations, {m.writer.n} edits; while they went on "
            f"{m.whole} runs ended, {m.stopped} stopped and said so, {m.starved} were repeated for a server that did not answer; 0 differences")
    record_property("result", line)
    print(line)
