"""store fsck: no alarm on the stores kOps itself left in the reference material, but for the faults
planted there; and forty faults planted here, each found by its rule."""

import base64
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = os.environ.get("CKOPS_BIN") or str(ROOT / "build/ckops")
SHARED = pathlib.Path(os.environ.get("CK_SHARED") or ROOT.parent / "shared")
CORPUS = SHARED / "corpus"
pytestmark = [pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason=f"{PROGRAM} is not built (CKOPS_BIN)"),
              pytest.mark.skipif(not CORPUS.is_dir(), reason="the reference material is not there (CK_SHARED)")]

NAME = "w.example.com"


def fsck(store, *args):
    env = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
    env.update(HOME="/nonexistent", PATH=os.environ["PATH"])
    p = subprocess.run([PROGRAM, "store", "fsck", "--state", str(store), *args], env=env, text=True, capture_output=True, timeout=60)
    assert p.returncode in (0, 2), (args, p.stdout, p.stderr)
    return p


def findings(store, *args):
    p = fsck(store, "-o", "json", *args)
    found = json.loads(p.stdout)["findings"]
    assert (p.returncode == 2) == any(f["level"] != "note" and not f.get("repaired") for f in found)
    return found


def place(tree, store):
    """A store as kOps left it: placeholders filled in, modes as kOps makes them."""
    shutil.copytree(tree, store, symlinks=True)
    for p in store.rglob("*"):
        if p.is_file():
            data = p.read_bytes().replace(b"${STORE}", str(store).encode())
            p.chmod(0o600)
            p.write_bytes(data)
        else:
            p.chmod(0o755)


TREES = [d / kind for d in (sorted(CORPUS.iterdir()) if CORPUS.is_dir() else []) for kind in ("before", "tree")
         if (d / kind).is_dir() and any((d / kind).iterdir())]
# What is really wrong with some of them.
PLANTED = {r"^(169|17[0-6])-": {"no-such-subnet"}, r"^358-": {"unknown-file"}, r"^36[67]-": {"no-config"},
           r"^38[789]-": {"unreadable"}, r"^1[67]\d-create-ig": {"no-such-subnet"}}


@pytest.mark.slow
def test_no_false_alarm_on_any_store_of_the_reference_material(tmp_path):
    assert len(TREES) > 300
    wrong = []
    for i, tree in enumerate(TREES):
        store = tmp_path / str(i)
        place(tree, store)
        rules = {f["rule"] for f in findings(store) if f["level"] != "note"}
        known = set().union(*(v for k, v in PLANTED.items() if re.search(k, tree.parent.name)))
        if rules - known:
            wrong.append((tree.parent.name, tree.name, rules))
        shutil.rmtree(store)
    assert not wrong


# ---- planted

class World:
    def __init__(self, store):
        self.store, self.dir = store, store / NAME

    def edit(self, name, old, new, count=1):
        p = self.dir / name
        text = p.read_text()
        assert old in text, (name, old)
        p.write_text(text.replace(old, new, count))

    def sub(self, name, pattern, new):
        p = self.dir / name
        text, n = re.subn(pattern, new, p.read_text(), count=1, flags=re.M | re.S)
        assert n == 1, (name, pattern)
        p.write_text(text)

    def write(self, name, text):
        p = self.dir / name
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_bytes(text if isinstance(text, bytes) else text.encode())
        p.chmod(0o600)

    def keyset(self, name):
        return f"pki/private/{name}/keyset.yaml"


@pytest.fixture
def world(tmp_path):
    store = tmp_path / "store"
    place(CORPUS / "276-update-terraform/tree", store)
    w = World(store)
    w.write("cluster-completed.spec", (w.dir / "config").read_text())
    w.write("kops-version.txt", "1.37.0-alpha.1")
    assert [f for f in findings(store) if f["level"] != "note"] == []
    return w


CONFIG, CP, NODES = "config", "instancegroup/control-plane-us-test-1a", "instancegroup/nodes-us-test-1a"
CA = "pki/private/kubernetes-ca/keyset.yaml"


def swap_keys(w):
    key = r"privateMaterial: (\S+)"
    other = re.search(key, (w.dir / w.keyset("service-account")).read_text()).group(1)
    w.sub(CA, key, f"privateMaterial: {other}")


def another_name(w):
    (w.dir / NODES).rename(w.dir / "instancegroup/other")


def link(w):
    (w.dir / "instancegroup/linked").symlink_to("/etc/hostname")


def fifo(w):
    os.mkfifo(w.dir / "secrets/pipe")


FAULTS = {
    "config empty": (lambda w: w.write(CONFIG, ""), "empty"),
    "config cut off": (lambda w: w.write(CONFIG, (w.dir / CONFIG).read_bytes()[:100] + b"\n  x: ["), "unreadable"),
    "config binary": (lambda w: w.write(CONFIG, b"\x00\x01\xff"), "unreadable"),
    "config of another kind": (lambda w: w.write(CONFIG, (w.dir / NODES).read_text()), "wrong-kind"),
    "config of another cluster": (lambda w: w.edit(CONFIG, f"name: {NAME}", "name: v.example.com"), "wrong-name"),
    "config with an unknown field": (lambda w: w.edit(CONFIG, "\nspec:\n", "\nspec:\n  noSuchField: 1\n"), "unknown-field"),
    "config invalid": (lambda w: w.sub(CONFIG, r"networkCIDR: \S+", "networkCIDR: 999.1.2.3/16"), "invalid"),
    "config gone": (lambda w: (w.dir / CONFIG).unlink(), "no-config"),
    "configBase elsewhere": (lambda w: w.sub(CONFIG, r"configBase: \S+", "configBase: /nonexistent/x"), "config-base"),
    "configBase of no store": (lambda w: w.sub(CONFIG, r"configBase: \S+", "configBase: foo://x/y"), "config-base"),
    "group empty": (lambda w: w.write(NODES, ""), "empty"),
    "group unreadable": (lambda w: w.write(NODES, "a: [\n"), "unreadable"),
    "group of another name": (another_name, "wrong-name"),
    "group of another kind": (lambda w: w.write("instancegroup/x", (w.dir / CONFIG).read_text()), "wrong-kind"),
    "group of another cluster": (lambda w: w.sub(NODES, r"metadata:\n", "metadata:\n  labels:\n    kops.k8s.io/cluster: other.example.com\n"), "wrong-cluster"),
    "group in no subnet": (lambda w: w.sub(NODES, r"subnets:\n  - \S+", "subnets:\n  - nowhere"), "no-such-subnet"),
    "group invalid": (lambda w: w.sub(NODES, r"maxSize: \d+", "maxSize: -3"), "invalid"),
    "no control plane": (lambda w: (w.dir / CP).unlink(), "no-control-plane"),
    "etcd member on no group": (lambda w: w.sub(CONFIG, r"instanceGroup: \S+", "instanceGroup: gone"), "no-such-group"),
    "additional objects unreadable": (lambda w: w.write("clusteraddons/default", "a: [\n"), "unreadable"),
    "additional objects of no kind": (lambda w: w.write("clusteraddons/default", "- 1\n"), "unreadable"),
    "completed unreadable": (lambda w: w.write("cluster-completed.spec", "a: ["), "unreadable"),
    "completed of another cluster": (lambda w: w.edit("cluster-completed.spec", f"name: {NAME}", "name: v.example.com"), "wrong-name"),
    "completed of another network": (lambda w: w.sub("cluster-completed.spec", r"networkCIDR: \S+", "networkCIDR: 10.99.0.0/16"), "completed-differs"),
    "completed of another base": (lambda w: w.sub("cluster-completed.spec", r"configBase: \S+", "configBase: s3://other/x"), "completed-differs"),
    "version file": (lambda w: w.write("kops-version.txt", "\x00"), "unreadable"),
    "keyset empty": (lambda w: w.write(CA, ""), "keyset-unreadable"),
    "keyset unreadable": (lambda w: w.write(CA, "a: ["), "keyset-unreadable"),
    "keyset nested too deep": (lambda w: w.write(CA, "[" * 100000), "keyset-unreadable"),
    "keyset larger than any": (lambda w: w.write(CA, "#" * (64 * 2**20 + 1)), "keyset-unreadable"),
    "keyset without keys": (lambda w: w.sub(CA, r"  keys:\n.*?  primaryId: \S+\n", "  keys: []\n"), "keyset-empty"),
    "keyset whose primary is gone": (lambda w: w.sub(CA, r'primaryId: "\d+"', 'primaryId: "1"'), "primary-missing"),
    "keyset whose primary is distrusted": (lambda w: w.sub(CA, r"    privateMaterial", '    distrustTimestamp: "2020-01-01T00:00:00Z"\n    privateMaterial'), "primary-distrusted"),
    "primary without a private key": (lambda w: w.sub(CA, r"    privateMaterial: \S+\n", ""), "primary-without-key"),
    "another's private key": (swap_keys, "key-mismatch"),
    "damaged certificate": (lambda w: w.sub(CA, r"publicMaterial: \S{40}", "publicMaterial: "), "keyset-unreadable"),
    "keyset of a folder without one": (lambda w: (w.dir / CA).rename(w.dir / "pki/private/kubernetes-ca/keyset.bak"), "unknown-file"),
    "secret empty": (lambda w: w.write("secrets/kube", ""), "secret-unreadable"),
    "secret no JSON": (lambda w: w.write("secrets/kube", "hunter2"), "secret-unreadable"),
    "secret without data": (lambda w: w.write("secrets/kube", "{}"), "secret-unreadable"),
    "secret not base64": (lambda w: w.write("secrets/kube", '{"Data":"!"}'), "secret-unreadable"),
    "secret with nothing in it": (lambda w: w.write("secrets/kube", '{"Data":""}'), "secret-unreadable"),
    "ssh key unreadable": (lambda w: w.write("pki/ssh/public/admin/0123456789abcdef0123456789abcdef", "hunter2"), "ssh-unreadable"),
    "ssh key of another name": (lambda w: w.write("pki/ssh/public/admin/0123456789abcdef0123456789abcdef", SSH), "ssh-wrong-name"),
    "manifest unreadable": (lambda w: w.write("addons/x.addons.k8s.io/v1.yaml", "a: [\n"), "unreadable"),
    "node configuration unreadable": (lambda w: w.write("igconfig/node/nodes-us-test-1a/nodeupconfig.yaml", "a: [\n"), "unreadable"),
    "etcd specification unreadable": (lambda w: w.write("backups/etcd/main/control/etcd-cluster-spec", "{"), "unreadable"),
    "unknown file": (lambda w: w.write("notes.txt", "x"), "unknown-file"),
    "file beside the clusters": (lambda w: (w.store / "README").write_text("x"), "stray-file"),
    "folder that is no cluster": (lambda w: w.write("../old.example.com/pki/private/ca/keyset.yaml", "x"), "no-config"),
    "key readable by others": (lambda w: (w.dir / CA).chmod(0o644), "mode"),
    "folder others can write": (lambda w: (w.dir / "instancegroup").chmod(0o777), "mode"),
    "left-over temporary file": (lambda w: w.write("instancegroup/tmp1234567", "x"), "temporary-file"),
    "symbolic link": (link, "link"),
    "pipe": (fifo, "not-a-file"),
}
SSH = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + bytes(range(32))).decode() + " me\n"


def test_there_are_forty_faults():
    assert len(FAULTS) >= 40


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(world, name):
    plant, rule = FAULTS[name]
    plant(world)
    found = findings(world.store)
    assert rule in {f["rule"] for f in found if f["level"] != "note"}, found
    text = fsck(world.store).stdout
    assert f"[{rule}]" in text and "hunter2" not in text and "PRIVATE KEY" not in text


def test_one_cluster_alone(world):
    world.write("notes.txt", "x")
    shutil.copytree(CORPUS / "276-update-terraform/tree" / NAME, world.store / "bad.example.com")
    assert {f["rule"] for f in findings(world.store, NAME) if f["level"] != "note"} == {"unknown-file"}
    p = subprocess.run([PROGRAM, "store", "fsck", "none.example.com", "--state", str(world.store)], text=True, capture_output=True)
    assert p.returncode == 1 and 'cluster "none.example.com" not found' in p.stderr


@pytest.mark.parametrize("spelled", ["{0}/", "{0}/../store", "{0}/../linked", "store"])
def test_a_store_is_looked_at_once_however_it_is_spelled(world, spelled):
    world.write(NODES, "a: [\n")
    (world.store.parent / "linked").symlink_to("store")
    env = {"HOME": "/nonexistent", "PATH": os.environ["PATH"], **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}
    said = [subprocess.run([PROGRAM, "store", "fsck", "-o", "json", "--state", state], env=env, cwd=world.store.parent, text=True,
                           capture_output=True, timeout=60).stdout for state in (str(world.store), spelled.format(world.store))]
    once, again = map(json.loads, said)
    assert again["files"] == once["files"] and [f["rule"] for f in again["findings"]] == [f["rule"] for f in once["findings"]]


def test_a_copy_is_looked_at_where_its_origin_cannot_be(world):
    world.sub(CONFIG, r"configBase: \S+", "configBase: azureblob://account/container/" + NAME)
    world.sub("cluster-completed.spec", r"configBase: \S+", "configBase: azureblob://account/container/" + NAME)
    world.write(NODES, "a: [\n")
    env = {"HOME": "/nonexistent", "PATH": os.environ["PATH"], "AZURE_STORAGE_KEY": "no key", **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}
    p = subprocess.run([PROGRAM, "store", "fsck", "-o", "json", "--state", str(world.store)], env=env, text=True, capture_output=True, timeout=60)
    found = {f["rule"]: f["text"] for f in json.loads(p.stdout)["findings"]}
    assert p.returncode == 2 and "could not be looked at" in found["config-base"] and "unreadable" in found and "cannot-read" not in found, found


def test_what_is_no_fault_is_a_note(world):
    world.sub("cluster-completed.spec", r"kubernetesVersion: \S+", "kubernetesVersion: 1.33.0")
    world.write("igconfig/node/gone/nodeupconfig.yaml", "a: 1\n")
    world.write("cluster.spec", "x")
    assert fsck(world.store).returncode == 0
    rules = {f["rule"] for f in findings(world.store)}
    assert {"update-pending", "orphan", "old-file"} <= rules
    assert "update-pending" in fsck(world.store, "--notes").stdout and "update-pending" not in fsck(world.store).stdout


def test_repairs_are_shown_first_and_touch_nothing_else(world):
    (world.dir / CA).chmod(0o644)
    (world.dir / "secrets").chmod(0o777)
    world.write("instancegroup/tmp1234567", "x")
    world.write("instancegroup/.ckops-tmp-0123456789abcdef", "young")
    old = time.time() - 7200
    os.utime(world.dir / "instancegroup/tmp1234567", (old, old))
    world.write("notes.txt", "stays")
    before = {p: (p.stat().st_mode, p.read_bytes() if p.is_file() else b"") for p in world.store.rglob("*")}
    out = fsck(world.store, "--repair").stdout
    assert "Must specify --yes to repair" in out and "repair: mode 0600" in out and "repair: remove it" in out
    assert before == {p: (p.stat().st_mode, p.read_bytes() if p.is_file() else b"") for p in world.store.rglob("*")}
    out = fsck(world.store, "--repair", "--yes").stdout
    assert "repaired: mode 0600" in out and "repaired: remove it" in out
    assert stat.S_IMODE((world.dir / CA).stat().st_mode) == 0o600
    assert stat.S_IMODE((world.dir / "secrets").stat().st_mode) == 0o755
    assert not (world.dir / "instancegroup/tmp1234567").exists()
    assert "is at work on it" in out
    assert (world.dir / "instancegroup/.ckops-tmp-0123456789abcdef").exists() and (world.dir / "notes.txt").read_text() == "stays"
    assert {f["rule"] for f in findings(world.store) if f["level"] != "note"} == {"unknown-file", "temporary-file"}


def test_a_repair_that_fails_does_not_keep_the_others_from_it_or_from_sight(world):
    old = time.time() - 7200
    for folder in ("a", "c"):
        world.write(f"addons/{folder}/tmp1234567", "x")
        os.utime(world.dir / f"addons/{folder}/tmp1234567", (old, old))
    stays = world.dir / "addons/a"
    stays.chmod(0o500)
    args = [PROGRAM, "store", "fsck", "--state", str(world.store), "--repair", "--yes"]
    if os.getuid() == 0:  # root may do anything but write to a folder that is mounted to be read only
        args = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"', str(stays), *args]
        if subprocess.run([*args[:6], "true"], capture_output=True).returncode:
            pytest.skip("root without leave to mount has nothing that it may not remove")
    env = {"HOME": "/nonexistent", "PATH": os.environ["PATH"], **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}
    p = subprocess.run(args, env=env, text=True, capture_output=True, timeout=60)
    stays.chmod(0o700)
    assert p.returncode == 1 and f"{stays}/tmp1234567 could not be repaired" in p.stderr, p.stderr
    assert "addons/c/tmp1234567" in p.stdout and "repaired: remove it" in p.stdout and "addons/a/tmp1234567" in p.stdout
    assert (stays / "tmp1234567").exists() and not (world.dir / "addons/c/tmp1234567").exists()
