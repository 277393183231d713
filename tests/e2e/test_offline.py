"""Creating, checking and upgrading clusters with the network cable pulled, and how time grows.

Every command runs in a network namespace that has no routes at all. CKOPS_BIN names the program.
"""

import os
import re
import resource
import shlex
import shutil
import subprocess

import pytest

PROGRAM = os.path.abspath(os.environ.get("CKOPS_BIN", "")) if os.environ.get("CKOPS_BIN") else ""
pytestmark = pytest.mark.skipif(not PROGRAM, reason="CKOPS_BIN is not set")

CUT = ["unshare", "--map-root-user", "--net"]


def can_cut():
    return shutil.which("unshare") and subprocess.run([*CUT, "true"], capture_output=True).returncode == 0


def offline(folder, *args, text=None, flags=""):
    env = {"HOME": str(folder), "PATH": os.environ["PATH"], "KOPS_STATE_STORE": "file://%s/store" % folder,
           "KOPS_FEATURE_FLAGS": flags, "EDITOR": "true"}
    (folder / "store").mkdir(exist_ok=True)
    return subprocess.run([*CUT, PROGRAM, *args], cwd=folder, env=env, input=text, capture_output=True, text=True, timeout=30)


needs_namespace = pytest.mark.skipif(not can_cut(), reason="no network namespaces here (unshare --map-root-user --net)")


def examples(*words):
    """The commands of a help text's examples, lines joined."""
    text = subprocess.run([PROGRAM, *words, "--help"], capture_output=True, text=True).stdout
    block = text.split("Examples:\n", 1)[1].split("\n\nFlags:", 1)[0].split("\n\nUsage:", 1)[0] if "Examples:" in text else ""
    lines = re.sub(r"\\\n\s*", "", block).splitlines()
    return [l.strip() for l in lines if l.strip().startswith("ckops ")]


@needs_namespace
def test_the_namespace_has_no_routes(tmp_path):
    routes = subprocess.run([*CUT, "cat", "/proc/net/route"], capture_output=True, text=True).stdout.splitlines()
    assert len(routes) <= 1  # the heading


@needs_namespace
def test_every_example_of_creating_and_upgrading_works_without_a_network(tmp_path):
    seen = 0
    for words in (["create", "cluster"], ["create", "instancegroup"], ["upgrade", "cluster"]):
        for command in sorted(examples(*words), key=lambda c: "--dry-run" not in c):
            argv = shlex.split(command)[1:]
            if words[1] == "instancegroup" and "--dry-run" not in argv:
                argv.append("--edit=false")
            r = offline(tmp_path, *argv)
            assert r.returncode == 0, (command, r.stderr)
            seen += 1
    assert seen >= 5


@needs_namespace
@pytest.mark.parametrize("words,flags", [
    ("--cloud=aws --zones=us-east-1a,us-east-1b --topology=private --bastion", ""),
    ("--cloud=aws --zones=us-east-1a --ipv6", ""), ("--cloud=aws --zones=us-east-1a --networking=amazonvpc --dns=none", ""),
    ("--cloud=gce --zones=us-east1-b --project=p", ""), ("--cloud=digitalocean --zones=nyc1", ""),
    ("--cloud=hetzner --zones=fsn1", ""), ("--cloud=scaleway --zones=fr-par-1", "Scaleway"), ("--cloud=linode --zones=us-east", "Linode"),
    ("--cloud=azure --zones=eastus-1 --azure-subscription-id=s --azure-tenant-id=t", "Azure"), ("--cloud=metal --zones=m", "Metal"),
    ("--cloud=openstack --zones=n --image=i --node-size=m --control-plane-size=m --network-cidr=10.0.0.0/16", "")])
def test_every_cloud_can_be_planned_and_checked_without_a_network(tmp_path, words, flags):
    r = offline(tmp_path, "create", "cluster", "c.example.com", *words.split(), "--dry-run", "-o", "yaml", flags=flags)
    assert r.returncode == 0, r.stderr
    (tmp_path / "m.yaml").write_text(r.stdout)
    v = offline(tmp_path, "validate", "-f", "m.yaml", flags=flags)
    assert v.returncode == 0, v.stdout
    assert offline(tmp_path, "create", "-f", "m.yaml", flags=flags).returncode == 0
    assert offline(tmp_path, "get", "all", "c.example.com", flags=flags).returncode == 0


@needs_namespace
def test_what_needs_the_cloud_says_so(tmp_path):
    r = offline(tmp_path, "create", "cluster", "c.example.com", "--cloud=aws", "--zones=us-east-1a", "--subnets=subnet-1")
    assert r.returncode == 1 and "known to the cloud only" in r.stderr
    r = offline(tmp_path, "create", "cluster", "c.example.com", "--cloud=openstack", "--zones=n", "--image=i")
    assert r.returncode == 1 and "known to the cloud only" in r.stderr


# ---- how time grows ----

def cpu_seconds(argv, cwd, env):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, cwd=cwd, env=env, check=True, capture_output=True, timeout=120)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.slow
def test_checking_grows_with_the_number_of_groups_and_no_faster(tmp_path):
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "KOPS_STATE_STORE": "memfs://x"}
    text = subprocess.run([PROGRAM, "create", "cluster", "c.example.com", "--cloud=aws", "--zones=us-east-1a", "--dry-run", "-o", "yaml"],
                          env=env, capture_output=True, text=True, check=True).stdout
    docs = text.split("\n---\n")
    took = {}
    for n in (500, 4000):
        groups = [docs[2].replace("nodes-us-east-1a", "n%d" % i) for i in range(n)]
        (tmp_path / "m.yaml").write_text("\n---\n".join(docs[:2] + groups))
        took[n] = min(cpu_seconds([PROGRAM, "validate", "-f", "m.yaml"], tmp_path, env) for _ in range(3))
    assert took[4000] < 8 * took[500] * 2.5, took  # eight times as many; the rest is for noise
