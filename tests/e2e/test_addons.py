"""Add-on manifests as `update cluster --target=terraform` writes them: the channel's hashes are those of
the manifests, and a real API server accepts every object, unknown fields being errors.

CKOPS_BIN names the program. The clusters are those of the reference material and variations of one, which
between them turn on every add-on. Without the API server the test skips, or fails with
CKOPS_SERVERS_REQUIRED=1."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/servers"))
import k8s_server  # noqa: E402
import servers  # noqa: E402

PROGRAM = os.environ.get("CKOPS_BIN") or str(ROOT / "build/ckops")
SHARED = pathlib.Path(os.environ.get("CK_SHARED") or ROOT.parent / "shared")
GOLDENS = SHARED / "goldens/update_cluster"
FACTS = SHARED / "goldens/fixtures/update_cluster.json"
REQUIRED = os.environ.get("CKOPS_SERVERS_REQUIRED") == "1"
pytestmark = [pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason=f"{PROGRAM} is not built (CKOPS_BIN)"),
              pytest.mark.skipif(not FACTS.exists(), reason="the reference material is not here (CK_SHARED)")]

VARIATIONS = {
    "many": {"clusterAutoscaler": {"enabled": True, "expander": "priority"},
             "metricsServer": {"enabled": True, "insecure": False}, "certManager": {"enabled": True},
             "nodeProblemDetector": {"enabled": True}, "awsLoadBalancerController": {"enabled": True},
             "podIdentityWebhook": {"enabled": True}, "networking": {"cilium": {"hubble": {"enabled": True}}},
             "snapshotController": {"enabled": True, "installDefaultClass": True}},
    "calico": {"networking": {"calico": {"typhaReplicas": 3}}},
    "amazonvpc": {"networking": {"amazonvpc": {}}},
    "kindnet": {"networking": {"kindnet": {}}, "externalDns": {"provider": "external-dns"}},
    "kuberouter": {"networking": {"kuberouter": {}}, "kubeProxy": {"enabled": False},
                   "containerd": {"nvidiaGPU": {"enabled": True}}},
    "nodelocaldns": {"kubeDNS": {"provider": "CoreDNS", "nodeLocalDNS": {"enabled": True}}},
    "cilium": {"networking": {"cilium": {"ingress": {"enabled": True}, "enablePrometheusMetrics": True}}},
}


class Kubernetes(k8s_server.Kubernetes):
    """With the service ranges of the clusters, and privileged pods, which network add-ons are."""

    def command(self):
        rest = [x for x in super().command() if not x.startswith("--service-cluster-ip-range")]
        return rest + ["--service-cluster-ip-range=100.64.0.0/13,fd00:5e4f:ce::/108", "--allow-privileged=true"]


def run(cwd, *args):
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "CKOPS_FIXTURES": str(FACTS),
           "CKOPS_MEMFS_ROOT": str(cwd / "store"), "KOPS_RUN_TOO_NEW_VERSION": "1",
           "KOPS_FEATURE_FLAGS": "-ImageDigest"}
    env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
    p = subprocess.run([PROGRAM, *args, "--state=memfs://tests"], env=env, cwd=cwd, capture_output=True,
                       text=True, timeout=120)
    assert p.returncode == 0, p.stdout + p.stderr


def keysets(store, cluster):
    """The reference keysets, where the cluster looks for them: making keys takes most of a second each."""
    base = cluster["spec"].get("configBase", "memfs://tests/" + cluster["metadata"]["name"]) + "/pki"
    for f in sorted((SHARED / "goldens/fixtures/keysets").rglob("*.yaml")):
        to = store / (cluster["spec"].get("keyStore") or base).replace("memfs://", "") / f.parent.name / f.stem
        to.mkdir(parents=True)
        (to / "keyset.yaml").write_bytes(f.read_bytes())


def module(tmp, manifest):
    """The data files of the Terraform module of a cluster."""
    (tmp / "store").mkdir(parents=True)
    (tmp / "in.yaml").write_text(manifest)
    cluster = next(d for d in yaml.safe_load_all(manifest) if d and d["kind"] == "Cluster")
    name = cluster["metadata"]["name"]
    run(tmp, "create", "-f", "in.yaml")
    key = GOLDENS / "minimal-1.35/id_rsa.pub"
    run(tmp, "create", "sshpublickey", name, "-i", str(key))
    keysets(tmp / "store", cluster)
    run(tmp, "update", "cluster", name, "--target=terraform", f"--out={tmp}/out", "--create-kube-config=false",
        "--ignore-kubelet-version-skew")
    head = f"aws_s3_object_{name}-addons-"
    return {f.name[len(head):-len("_content")]: f.read_text() for f in (tmp / "out/data").iterdir()
            if f.name.startswith(head)}


def varied(changes):
    docs = [d for d in yaml.safe_load_all((GOLDENS / "minimal-1.35/in-v1alpha2.yaml").read_text()) if d]
    for d in docs:
        if d["kind"] == "Cluster":
            d["spec"].update(changes)
    return yaml.safe_dump_all(docs)


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    tmp = tmp_path_factory.mktemp("addons")
    cases = {d.name: (d / "in-v1alpha2.yaml").read_text() for d in sorted(GOLDENS.iterdir())
             if (d / "in-v1alpha2.yaml").exists() and (d / "id_rsa.pub").exists() and d.name != "lifecycle_phases"}
    cases.update({name: varied(changes) for name, changes in VARIATIONS.items()})
    return {name: module(tmp / name, text) for name, text in cases.items()}


def test_the_channel_lists_every_manifest_with_its_hash(modules):
    for case, files in modules.items():
        listed = {a["manifestHash"] for a in yaml.safe_load(files["bootstrap"])["spec"]["addons"]}
        made = {hashlib.sha256(t.strip().encode()).hexdigest() for name, t in files.items() if name != "bootstrap"}
        assert listed == made, case


class Objects:
    """Server-side apply through plain HTTP."""

    def __init__(self, api):
        self.api, self.resources = api, {}

    def resource(self, version, kind):
        if (version, kind) not in self.resources:
            base = f"/apis/{version}" if "/" in version else f"/api/{version}"
            status, doc = self.api.api("GET", base)
            for r in doc["resources"] if status == 200 else []:
                if "/" not in r["name"]:
                    self.resources[version, r["kind"]] = (f"{base}/", r["name"], r["namespaced"])
        return self.resources[version, kind]

    def apply(self, doc, dry=True):
        base, plural, namespaced = self.resource(doc["apiVersion"], doc["kind"])
        meta = doc["metadata"]
        assert namespaced == ("namespace" in meta), f"{doc['kind']} {meta['name']}: namespace"
        where = f"namespaces/{meta['namespace']}/" if namespaced else ""
        query = "fieldManager=kops&force=true&fieldValidation=Strict" + ("&dryRun=All" if dry else "")
        status, reply = self.api.api("PATCH", f"{base}{where}{plural}/{meta['name']}?{query}", doc,
                                     kind="application/apply-patch+yaml")
        return None if status in (200, 201) else f"{doc['kind']} {meta['name']}: {status} {reply['message']}"


def wait_for(api, path):
    end = time.monotonic() + 30
    while api.api("GET", path)[0] != 200:
        assert time.monotonic() < end, path
        time.sleep(0.1)


@pytest.mark.slow
def test_an_api_server_accepts_every_object(modules):
    docs = {}
    for files in modules.values():
        for name, text in files.items():
            if name != "bootstrap":
                docs.update({json.dumps(d, sort_keys=True): d for d in yaml.safe_load_all(text) if d})
    first = {"CustomResourceDefinition", "Namespace"}
    try:
        api = Kubernetes().start()
    except servers.Missing as e:
        (pytest.fail if REQUIRED else pytest.skip)(str(e))
    try:
        objects = Objects(api)
        definitions = [d for d in docs.values() if d["kind"] in first]
        bad = [objects.apply(d, dry=False) for d in definitions]
        for d in definitions:
            if d["kind"] == "CustomResourceDefinition":
                v = d["spec"]["versions"][0]["name"]
                wait_for(api, f"/apis/{d['spec']['group']}/{v}/{d['spec']['names']['plural']}")
        bad += [objects.apply(d) for d in docs.values() if d["kind"] not in first]
    finally:
        api.stop()
    assert [b for b in bad if b] == []
    assert len(docs) > 300
