"""`update cluster` and `plan`: the module, the preview, the review of a change.

Cases and their expected modules are kops' own; they are looked for at CK_SHARED or ../shared.
"""
import hashlib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/servers"))
import servers  # noqa: E402

SHARED = pathlib.Path(os.environ.get("CK_SHARED") or ROOT.parent / "shared")
GOLDENS = SHARED / "goldens"
BIN = os.environ.get("CKOPS_BIN", "ckops")
CASES = sorted(p.name for p in (GOLDENS / "update_cluster").iterdir()) if GOLDENS.is_dir() else []
if os.environ.get("CKOPS_SANITIZED"):
    CASES = [c for c in CASES if c in ("complex", "karpenter", "minimal-1.35", "minimal-ipv6", "public-jwks-apiserver")]
NO_SSH = {"complex", "compress"}
PHASE = {"lifecycle_phases": ["--phase=network"]}

pytestmark = pytest.mark.skipif(not CASES, reason="no reference material (CK_SHARED)")
if CASES:
    sys.path.insert(0, str(GOLDENS))
    import golden_lib
    import score_update_cluster as reference


def facts(folder, **more):
    """The fixed world of the cases, with absolute names, as a file in `folder`."""
    base = GOLDENS / "fixtures"
    d = json.loads((base / "update_cluster.json").read_text())
    d["assetHashes"] = str(base / d["assetHashes"])
    d["channels"] = {k: str(base / v) for k, v in d["channels"].items()}
    d.update(more)
    path = folder / "facts.json"
    path.write_text(json.dumps(d))
    return path


class Cluster:
    """A case in a store of its own."""

    def __init__(self, case, folder, edit=None, **env):
        self.case, self.folder, self.store = GOLDENS / "update_cluster" / case, folder, folder / "store"
        self.store.mkdir(parents=True)
        text = (self.case / "in-v1alpha2.yaml").read_text()
        self.manifest = folder / "in.yaml"
        self.manifest.write_text(edit(text) if edit else text)
        self.name = re.search(r"^  name: (\S+)", text, re.M).group(1)
        self.env = dict(os.environ, CKOPS_FIXTURES=str(facts(folder)), CKOPS_MEMFS_ROOT=str(self.store),
                        KOPS_FEATURE_FLAGS="-ImageDigest", HOME=str(folder),
                        KOPS_RUN_TOO_NEW_VERSION="1", XDG_CACHE_HOME=str(folder / "cache"), **dict({"KOPS_STATE_STORE": "memfs://tests"}, **env))
        self.extra = PHASE.get(case, [])
        self.out = folder / "out"
        self.created = self.run("create", "-f", str(self.manifest), check=False)
        key = self.case / "id_rsa.pub"
        if self.created.returncode == 0 and case not in NO_SSH and key.exists():
            self.run("create", "sshpublickey", self.name, "-i", str(key))
        if self.created.returncode == 0:
            self.keysets(text)

    def keysets(self, text):
        if "memfs://" not in text:
            return
        base = re.search(r"keyStore: memfs://(\S+)", text)
        config = re.search(r"configBase: memfs://(\S+)", text)
        pki = base.group(1) if base else (config.group(1) if config else "tests/" + self.name) + "/pki"
        for kind in ("private", "issued"):
            for f in (GOLDENS / "fixtures" / "keysets" / kind).iterdir():
                if f.stem.endswith("-cilium"):
                    continue
                d = self.store / pki / kind / f.stem
                d.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(f, d / "keyset.yaml")

    def run(self, *args, check=True, **env):
        p = subprocess.run([BIN, *args], env=dict(self.env, **env), capture_output=True, text=True, timeout=120,
                           cwd=self.folder)
        if check:
            assert p.returncode == 0, p.stderr[-2000:]
        return p

    def module(self, *args, **kw):
        return self.run("update", "cluster", self.name, "--target=terraform", f"--out={self.out}",
                        "--create-kube-config=false", *self.extra, *args, **kw)

    def hashes(self):
        return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in self.store.rglob("*") if p.is_file()}


@pytest.mark.parametrize("case", CASES)
def test_module_is_that_of_kops(case, tmp_path):
    c = Cluster(case, tmp_path)
    c.module()
    name = reference.TFNAME.get(case, "kubernetes.tf")
    diffs, theirs, ours = [], reference.Side(str(c.case), name), reference.Side(str(c.out))
    for f in [f for f in ours.files if golden_lib.classify(f) == "addon"]:
        del ours.files[f], ours.raw[f]  # add-ons are our own writing; the reference leaves them out
    for f in [f for f in ours.files if "nodeupscript" in f]:
        del ours.files[f], theirs.files[f]  # the script is our own writing too
    r = reference.compare(theirs, ours, diffs)
    assert (r["common"], r["cr"]) == (r["gr"], r["gr"]), diffs[:5]
    assert (r["am"], r["om"], r["fm"]) == (r["au"], r["ou"], r["fu"]), diffs[:5]


def test_text_of_modules_is_that_of_kops(tmp_path):
    equal = []
    for case in CASES:
        c = Cluster(case, tmp_path / case)
        c.module()
        want = (c.case / reference.TFNAME.get(case, "kubernetes.tf")).read_text()
        if want.strip() == (c.out / "kubernetes.tf").read_text().strip():
            equal.append(case)
    assert len(equal) == len(CASES), sorted(set(CASES) - set(equal))


@pytest.mark.parametrize("case", CASES)
def test_plan_after_the_module_was_applied_is_empty(case, tmp_path):
    c = Cluster(case, tmp_path)
    c.module()
    world = facts(tmp_path, terraform=str(c.out))
    p = c.run("update", "cluster", c.name, "--detailed-exitcode", *c.extra, CKOPS_FIXTURES=str(world))
    assert p.stdout == "No changes need to be applied\n"


def test_what_was_changed_by_hand_shows_up_against_the_module(tmp_path):
    c = Cluster("minimal-1.35", tmp_path)
    c.module()
    tf = c.out / "kubernetes.tf"
    text = tf.read_text()
    assert 'max_size              = 1' in text
    tf.write_text(text.replace('max_size              = 1', 'max_size              = 7', 1))
    world = facts(tmp_path, terraform=str(c.out))
    p = c.run("update", "cluster", c.name, "--detailed-exitcode", check=False, CKOPS_FIXTURES=str(world))
    assert p.returncode == 2
    assert "Will modify resources:" in p.stdout and "7 -> 1" in p.stdout


@pytest.mark.parametrize("case", CASES[:6])
def test_second_run_writes_the_same_bytes(case, tmp_path):
    c = Cluster(case, tmp_path)
    c.module()
    first = {p.relative_to(c.out): p.read_bytes() for p in c.out.rglob("*") if p.is_file()}
    c.module()
    assert first == {p.relative_to(c.out): p.read_bytes() for p in c.out.rglob("*") if p.is_file()}


def test_preview_writes_nothing(tmp_path):
    c = Cluster("ha", tmp_path)
    before = c.hashes()
    p = c.run("update", "cluster", c.name)
    assert p.stdout.startswith("Will create resources:\n") and p.stdout.endswith("Must specify --yes to apply changes\n")
    assert c.hashes() == before


def start(kind):
    try:
        return kind().start()
    except servers.Missing as e:
        (pytest.fail if os.environ.get("CKOPS_SERVERS_REQUIRED") == "1" else pytest.skip)(str(e))


class Recorder(http.server.BaseHTTPRequestHandler):
    """Passes requests on and keeps their methods."""
    protocol_version = "HTTP/1.1"
    target, seen = "", []

    def relay(self):
        self.seen.append((self.command, self.path))
        n = int(self.headers.get("Content-Length") or 0)
        req = urllib.request.Request(self.target + self.path, self.rfile.read(n) if n else None,
                                     dict(self.headers), method=self.command)
        try:
            with urllib.request.urlopen(req, timeout=20) as r:
                status, headers, body = r.status, r.headers, r.read()
        except urllib.error.HTTPError as e:
            status, headers, body = e.code, e.headers, e.read()
        self.send_response(status)
        for k, v in headers.items():
            if k.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(k, v)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = relay

    def log_message(self, *args):
        pass


def test_plan_of_a_change_sends_only_reads(tmp_path):
    gateway = start(servers.Versitygw)
    try:
        assert servers.s3request(gateway.url, "PUT", "/state")[0] == 200
        handler = type("H", (Recorder,), {"target": gateway.url, "seen": []})
        proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        env = dict(S3_ENDPOINT=f"http://127.0.0.1:{proxy.server_port}", S3_REGION="us-east-1",
                   S3_ACCESS_KEY_ID=servers.ACCESS, S3_SECRET_ACCESS_KEY=servers.SECRET, AWS_REGION="us-east-1")
        c = Cluster("minimal-1.35", tmp_path, lambda t: t.replace("memfs://tests", "s3://state"), **dict(env, KOPS_STATE_STORE="s3://state"))
        changed = tmp_path / "changed.yaml"
        changed.write_text(c.manifest.read_text().replace("t2.medium", "m5.large"))
        handler.seen.clear()
        p = c.run("plan", "-f", str(changed), "--store-from=s3://state", "--detailed-exitcode", check=False)
        proxy.shutdown()
        assert p.returncode == 2, p.stderr
        assert "InstanceType        \t t2.medium -> m5.large" in p.stdout
        assert handler.seen and {m for m, _ in handler.seen} <= {"GET", "HEAD"}
    finally:
        gateway.stop()


def test_plan_shows_configuration_and_resources_and_writes_nothing(tmp_path):
    c = Cluster("privatecilium", tmp_path)
    before = c.hashes()
    changed = tmp_path / "changed.yaml"
    changed.write_text(c.manifest.read_text().replace("- 0.0.0.0/0", "- 10.0.0.0/8"))
    p = c.run("plan", "-f", str(changed), "-o", "json", "--detailed-exitcode", check=False)
    assert p.returncode == 2, p.stderr
    d = json.loads(p.stdout)
    paths = {x["path"] for o in d["configuration"] for x in o["changes"]}
    assert {"spec.sshAccess", "spec.kubernetesApiAccess"} <= paths
    assert {x["kind"] for x in d["create"]} == {"SecurityGroupRule"} == {x["kind"] for x in d["delete"]}
    assert c.hashes() == before


def test_plan_without_a_change_says_so(tmp_path):
    c = Cluster("ha", tmp_path)
    p = c.run("plan", c.name, "--detailed-exitcode")
    assert p.stdout == "No changes\n"


BAD = {
    "unknown image": (lambda t: t.replace("ubuntu/images/hvm", "ubuntu/images/nothing"), r"LaunchTemplate/.*no image is known under the name \"ubuntu/images/nothing"),
    "zone of another region": (lambda t: t.replace("zone: us-test-1a", "zone: us-test-1z"), r"spec.subnets\[0\].zone: region us-test-1 has no zone \"us-test-1z\""),
    "missing subnet": (lambda t: t.replace("  role: Node\n  subnets:\n  - us-test-1a", "  role: Node\n  subnets:\n  - nowhere"), r"instance group \"nodes\": spec.networking.subnets\[0\]: Not found: \"nowhere\""),
    "group twice": (lambda t: t + "\n---\n" + re.split(r"\n---\n", t)[-1], r"instancegroup/nodes is given more than once"),
    "zones of two regions": (lambda t: t.replace("zone: us-test-1a", "zone: us-west-2a"), r"spec.subnets\[0\].zone: .*us-west-2a"),
    "unknown etcd cluster": (lambda t: t.replace("name: events", "name: others"), r"spec.etcdClusters.*others"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_names_object_and_field_and_leaves_no_module(what, tmp_path):
    edit, want = BAD[what]
    c = Cluster("minimal-1.35", tmp_path, edit)
    p = c.module(check=False) if c.created.returncode == 0 else c.created
    assert p.returncode == 1
    assert re.search(want, p.stderr), p.stderr
    assert not c.out.exists()


def test_two_stored_groups_of_one_name_are_refused_and_named(tmp_path):
    c = Cluster("minimal-1.35", tmp_path)
    group = c.store / "tests" / c.name / "instancegroup" / "nodes"
    (group.parent / "copy").write_text(group.read_text())
    p = c.module(check=False)
    assert p.returncode == 1 and not c.out.exists()
    assert "nodes" in p.stderr.splitlines()[-1] and "copy" in p.stderr.splitlines()[-1], p.stderr


def test_without_files_in_the_module_they_go_to_the_store(tmp_path):
    c = Cluster("minimal-1.35", tmp_path)
    c.module()
    rendered = {re.sub("^aws_s3_object_|_content$", "", p.name): p.read_text() for p in (c.out / "data").glob("aws_s3_object_*")}
    shutil.rmtree(c.out)
    c.module(KOPS_FEATURE_FLAGS="-ImageDigest,-TerraformManagedFiles")
    assert "aws_s3_object" not in (c.out / "kubernetes.tf").read_text() and not list((c.out / "data").glob("aws_s3_object_*"))
    base = c.store / "tests" / c.name
    assert (base / "cluster-completed.spec").read_text() == rendered["cluster-completed.spec"]
    assert (base / "addons" / "bootstrap-channel.yaml").read_text() == rendered[c.name + "-addons-bootstrap"]
    assert (base / "igconfig" / "node" / "nodes" / "nodeupconfig.yaml").read_text() == rendered["nodeupconfig-nodes"]
    before = {p: p.stat().st_mtime_ns for p in base.rglob("*") if p.is_file()}
    c.module(KOPS_FEATURE_FLAGS="-ImageDigest,-TerraformManagedFiles")
    assert before == {p: p.stat().st_mtime_ns for p in base.rglob("*") if p.is_file()}  # nothing differs: nothing is written


def test_volumes_of_a_module_are_in_order_of_their_devices(tmp_path):
    volumes = "  volumes:\n  - device: /dev/xvdd\n    size: 20\n  - device: /dev/xvdc\n    size: 30\n"
    c = Cluster("minimal-1.35", tmp_path, lambda t: re.sub(r"(  role: Node\n)", r"\1" + volumes, t))
    c.module()
    assert re.findall(r'device_name = "(/dev/xvd[cd])"', (c.out / "kubernetes.tf").read_text()) == ["/dev/xvdc", "/dev/xvdd"]


def test_out_with_foreign_files_is_refused(tmp_path):
    c = Cluster("minimal-1.35", tmp_path)
    c.out.mkdir()
    (c.out / "thesis.txt").write_text("mine")
    p = c.module(check=False)
    assert p.returncode == 1 and 'holds "thesis.txt"' in p.stderr
    assert [x.name for x in c.out.iterdir()] == ["thesis.txt"]


def test_what_terraform_keeps_in_the_folder_stays(tmp_path):
    c = Cluster("minimal-1.35", tmp_path)
    c.module()
    (c.out / "terraform.tfstate").write_text("{}")
    (c.out / "data" / "mine").write_text("x")
    stale = c.out / "data" / "aws_iam_role_gone_policy"
    stale.write_text("old")
    c.module()
    assert (c.out / "terraform.tfstate").read_text() == "{}" and (c.out / "data" / "mine").read_text() == "x"
    assert not stale.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_out_that_cannot_be_written_is_named(tmp_path):
    c = Cluster("minimal-1.35", tmp_path)
    c.out = pathlib.Path("/proc/none/out")
    p = c.module(check=False)
    assert p.returncode == 1 and "/proc/none" in p.stderr


def test_out_below_a_file_is_named(tmp_path):
    c = Cluster("minimal-1.35", tmp_path)
    c.out = c.manifest / "out"
    p = c.module(check=False)
    assert p.returncode == 1 and "in.yaml" in p.stderr


def test_applying_from_a_local_store_is_refused_with_the_reason(tmp_path):
    c = Cluster("minimal-1.35", tmp_path, lambda t: t.replace("memfs://tests", f"file://{tmp_path}/state"))
    state = f"--state=file://{tmp_path}/state"
    c.run("create", "-f", str(c.manifest), state)
    p = c.run("update", "cluster", c.name, "--yes", state, check=False)
    assert p.returncode == 1 and "cannot run from the store" in p.stderr


def test_newer_version_in_the_store_blocks(tmp_path):
    c = Cluster("minimal-1.35", tmp_path)
    (c.store / "tests" / c.name / "kops-version.txt").write_text("1.99.0")
    p = c.module(check=False)
    assert p.returncode == 1 and "kops version older than last used to update the cluster" in p.stderr
    c.module("--allow-kops-downgrade")


def test_pictures(tmp_path):
    c = Cluster("privatecilium", tmp_path)
    c.run("update", "cluster", c.name, "--graph=c.dot", "--graph-tasks=t.dot")
    cluster, tasks = (tmp_path / "c.dot").read_text(), (tmp_path / "t.dot").read_text()
    assert "subgraph cluster_zone" in cluster and "NAT gateway" in cluster
    assert '"Subnet/us-test-1a.privatecilium.example.com" -> "VPC/privatecilium.example.com"' in tasks
    p = c.run("update", "cluster", c.name, "--graph=c.png", check=False)
    assert p.returncode == 1 and ".dot or .svg" in p.stderr


def test_commands_of_the_page_on_updating_run(tmp_path):
    from test_docs import shown
    c = Cluster("minimal-1.35", tmp_path)
    (tmp_path / "changed.yaml").write_text(c.manifest.read_text().replace("t2.medium", "m5.large"))
    commands = list(shown("docs/update.md"))
    assert len(commands) >= 4
    for command in commands:
        words = command.replace("my.example.com", c.name).replace("s3://company-kops-state", "memfs://tests").split()
        p = c.run(*words[1:], check=False)
        assert p.returncode in (0, 2), (command, p.stderr)
