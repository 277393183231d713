"""create cluster, validate -f and upgrade cluster as a user sees them: one case per rule, offline.

CKOPS_BIN names the program.
"""

import json
import os
import subprocess

import pytest
import yaml

PROGRAM = os.environ.get("CKOPS_BIN", "")
pytestmark = pytest.mark.skipif(not PROGRAM, reason="CKOPS_BIN is not set")

AWS = ["--cloud=aws", "--zones=us-east-1a"]


class Run:
    def __init__(self, folder):
        self.folder = folder
        self.store = folder / "store"
        self.store.mkdir()
        self.facts = None

    def ckops(self, *args, flags="", env=None, text=None):
        e = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "KOPS_STATE_STORE": "file://%s" % self.store,
             "KOPS_FEATURE_FLAGS": flags, **(env or {})}
        if self.facts:
            path = self.folder / "facts.json"
            path.write_text(json.dumps(self.facts))
            e["CKOPS_FIXTURES"] = str(path)
        return subprocess.run([os.path.abspath(PROGRAM), *args], cwd=self.folder, env=e, input=text,
                              capture_output=True, text=True, timeout=60)

    def new(self, *args, name="c.example.com", **kw):
        """The objects of a dry run: (cluster's spec, {group name: spec})."""
        r = self.ckops("create", "cluster", name, *args, "--dry-run", "-o", "yaml", **kw)
        assert r.returncode == 0, r.stderr
        docs = list(yaml.safe_load_all(r.stdout))
        return docs[0]["spec"], {d["metadata"]["name"]: d["spec"] for d in docs[1:] if d["kind"] == "InstanceGroup"}

    def refused(self, *args, name="c.example.com", **kw):
        """The message of a refusal, which leaves nothing in the store."""
        r = self.ckops("create", "cluster", name, *args, **kw)
        assert r.returncode == 1, r.stdout
        assert not list(self.store.rglob("*")), "something was written"
        return [l for l in r.stderr.splitlines() if l.startswith("Error: ")][0][len("Error: "):]


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


# ---- clouds ----

@pytest.mark.parametrize("cloud,zones,flags,extra,subnets,groups", [
    ("aws", "us-east-1b,us-east-1a", "", [], ["us-east-1a", "us-east-1b"],
     ["control-plane-us-east-1b", "nodes-us-east-1b", "nodes-us-east-1a"]),
    ("gce", "us-central1-a,us-central1-b", "", ["--project=p"], ["us-central1"],
     ["control-plane-us-central1-a", "nodes-us-central1-a", "nodes-us-central1-b"]),
    ("digitalocean", "nyc1", "", [], ["nyc1"], ["control-plane-nyc1-1", "nodes-nyc1"]),
    ("hetzner", "fsn1", "", [], ["fsn1"], ["control-plane-fsn1", "nodes-fsn1"]),
    ("scaleway", "fr-par-1", "Scaleway", [], ["fr-par-1"], ["control-plane-fr-par-1", "nodes-fr-par-1"]),
    ("linode", "us-east", "Linode", [], ["us-east"], ["control-plane-us-east", "nodes-us-east"]),
    ("azure", "eastus-1", "Azure", ["--azure-subscription-id=s", "--azure-tenant-id=t"], ["c.example.com"],
     ["control-plane-eastus-1", "nodes-eastus-1"]),
    ("openstack", "nova", "", ["--network-cidr=10.0.0.0/16", "--image=i", "--node-size=m", "--control-plane-size=m"], ["nova"],
     ["control-plane-nova", "nodes-nova"]),
    ("metal", "main", "Metal", [], ["main"], ["control-plane-main", "nodes-main"]),
    ("alicloud", "cn-a,cn-b", "", ["--image=i"], ["cn-a", "cn-b"], ["control-plane-cn-a", "nodes-cn-a", "nodes-cn-b"]),
])
def test_each_cloud_names_subnets_and_groups_its_way(run, cloud, zones, flags, extra, subnets, groups):
    spec, igs = run.new("--cloud=" + cloud, "--zones=" + zones, *extra, flags=flags)
    assert [s["name"] for s in spec["subnets"]] == subnets
    assert list(igs) == groups
    assert spec.get("cloudProvider") == (None if cloud == "metal" else cloud)
    assert ("zones" in igs[groups[0]]) == (cloud in ("gce", "azure"))
    assert spec["api"]["loadBalancer"].get("class") == ("Network" if cloud == "aws" else None)
    assert spec["etcdClusters"][0]["etcdMembers"][0].get("encryptedVolume") == (True if cloud == "aws" else None)


def test_alicloud_is_accepted_with_a_warning(run):
    r = run.ckops("create", "cluster", "c.example.com", "--cloud=alicloud", "--zones=cn-a", "--image=i")
    assert r.returncode == 0 and "AliCloud is deprecated" in r.stderr
    r = run.ckops("get", "cluster", "c.example.com", "-o", "yaml")
    assert yaml.safe_load(r.stdout)["spec"]["networkCIDR"] == "172.20.0.0/16" and "deprecated" in r.stderr


@pytest.mark.parametrize("cloud,flag", [("azure", "Azure"), ("linode", "Linode"), ("metal", "Metal"), ("scaleway", "Scaleway")])
def test_clouds_behind_a_feature_flag_say_which(run, cloud, flag):
    assert run.refused("--cloud=" + cloud, "--zones=a").endswith("export KOPS_FEATURE_FLAGS=" + flag)


@pytest.mark.parametrize("option,flag", [
    ("--api-server-count=1", "APIServerNodes"), ("--etcd-count=1", "ExperimentalRoles"),
    ("--scheduler-count=1", "ExperimentalRoles"), ("--kcm-count=1", "ExperimentalRoles"),
    ("--config-base=memfs://x/y", "EnableSeparateConfigBase"), ("--discovery-service=https://d", "DiscoveryService"),
    ("--azure-subscription-id=x", "Azure")])
def test_options_behind_a_feature_flag_say_which(run, option, flag):
    assert run.refused(*AWS, option).endswith("export KOPS_FEATURE_FLAGS=" + flag)


def test_special_roles_are_accepted_with_their_feature_flags(run):
    _, igs = run.new(*AWS, "--dns=public", "--dns-zone=example.com", "--api-server-count=1", "--etcd-count=1",
                     "--scheduler-count=1", "--kcm-count=1", flags="APIServerNodes,ExperimentalRoles")
    assert [g["role"] for g in igs.values()] == ["Master", "APIServer", "Etcd", "Scheduler", "KubeControllerManager", "Node"]


def test_more_than_one_zone_is_refused_where_the_cloud_has_one(run):
    for cloud, zones, text, flags in [
            ("digitalocean", "nyc1,nyc3", "digitalocean cloud provider currently supports one region only.", ""),
            ("hetzner", "fsn1,hel1", "hetzner cloud provider currently supports only one zone (location)", ""),
            ("linode", "us-east,us-west", "linode cloud provider currently supports one region only", "Linode"),
            ("scaleway", "fr-par-1,fr-par-2", "scaleway cloud provider currently supports only one availability zone", "Scaleway")]:
        assert run.refused("--cloud=" + cloud, "--zones=" + zones, flags=flags) == text


# ---- topologies ----

def test_private_topology_appends_utility_subnets_and_a_load_balancer(run):
    spec, igs = run.new("--cloud=aws", "--zones=us-east-1a,us-east-1b", "--topology=private", "--bastion", "--dns=public",
                        "--dns-zone=Z1")
    assert [(s["name"], s["type"]) for s in spec["subnets"]] == [
        ("us-east-1a", "Private"), ("us-east-1b", "Private"), ("utility-us-east-1a", "Utility"), ("utility-us-east-1b", "Utility")]
    assert spec["api"] == {"loadBalancer": {"class": "Network", "type": "Public"}}
    assert spec["topology"] == {"bastion": {"bastionPublicName": "bastion.c.example.com"}, "dns": {"type": "Public"}}
    assert igs["bastions"]["subnets"] == ["us-east-1a", "us-east-1b"]


def test_bastions_publish_no_name_without_dns(run):
    spec, _ = run.new(*AWS, "--topology=private", "--bastion")
    assert spec["topology"] == {"dns": {"type": "None"}}


def test_gce_has_no_utility_subnets(run):
    spec, _ = run.new("--cloud=gce", "--zones=us-central1-a", "--project=p", "--topology=private")
    assert [s["type"] for s in spec["subnets"]] == ["Private"]


def test_ipv6_is_private_with_dualstack_subnets_for_what_is_reached_from_outside(run):
    spec, igs = run.new(*AWS, "--ipv6", "--networking=calico", "--dns=public", "--dns-zone=Z1", "--api-server-count=1", "--bastion",
                        flags="APIServerNodes")
    assert [(s["name"], s["type"], s["ipv6CIDR"]) for s in spec["subnets"]] == [
        ("us-east-1a", "Private", "/64#0"), ("dualstack-us-east-1a", "DualStack", "/64#1"),
        ("utility-us-east-1a", "Utility", "/64#2")]
    assert spec["nonMasqueradeCIDR"] == "::/0" and spec["cloudControllerManager"] == {}
    assert {n: g["subnets"] for n, g in igs.items()} == {
        "control-plane-us-east-1a": ["dualstack-us-east-1a"], "apiserver-us-east-1a": ["dualstack-us-east-1a"],
        "nodes-us-east-1a": ["us-east-1a"], "bastions": ["dualstack-us-east-1a"]}


@pytest.mark.parametrize("dns,extra,api", [("none", [], "loadBalancer"), ("public", ["--dns-zone=Z"], "dns"),
                                           ("private", ["--dns-zone=Z"], "dns"),
                                           ("public", ["--dns-zone=Z", "--api-loadbalancer-type=internal", "--topology=private"],
                                            "loadBalancer")])
def test_dns_decides_how_the_api_is_reached(run, dns, extra, api):
    spec, _ = run.new(*AWS, "--dns=" + dns, *extra)
    assert list(spec["api"]) == [api] and spec["topology"]["dns"]["type"] == dns.capitalize()
    assert ("masterPublicName" in spec) == (dns == "public")


def test_a_dns_zone_alone_means_public_dns(run):
    assert run.new(*AWS, "--dns-zone=Z1")[0]["topology"]["dns"]["type"] == "Public"


def test_gossip_is_refused(run):
    assert "gossip DNS support was removed" in run.refused(*AWS, "--dns=public", name="c.k8s.local")


# ---- networking ----

@pytest.mark.parametrize("mode,want,proxy", [
    ("cilium", {"cilium": {"enableNodePort": True}}, False),
    ("cilium-etcd", {"cilium": {"enableNodePort": True, "etcdManaged": True}}, False),
    ("cilium-eni", {"cilium": {"enableNodePort": True, "ipam": "eni"}}, False),
    ("flannel", {"flannel": {"backend": "vxlan"}}, None), ("flannel-udp", {"flannel": {"backend": "udp"}}, None),
    ("kube-router", {"kuberouter": {}}, False), ("amazonvpc", {"amazonvpc": {}}, None), ("calico", {"calico": {}}, None),
    ("kubenet", {"kubenet": {}}, None), ("kindnet", {"kindnet": {}}, None), ("cni", {"cni": {}}, None), ("kopeio", {"kopeio": {}}, None)])
def test_each_networking_mode(run, mode, want, proxy):
    spec, _ = run.new(*AWS, "--networking=" + mode)
    assert spec["networking"] == want
    assert spec.get("kubeProxy", {}).get("enabled") == proxy
    assert [e["name"] for e in spec["etcdClusters"]] == ["main", "events"] + (["cilium"] if mode == "cilium-etcd" else [])
    assert spec["nonMasqueradeCIDR"] == ("172.20.0.0/16" if mode == "amazonvpc" else "100.64.0.0/10")


@pytest.mark.parametrize("mode,text", [
    ("kubenet", "Kubenet does not support IPv6"), ("flannel", "Flannel does not support IPv6"),
    ("kopeio", "Kopeio does not support IPv6"), ("kube-router", "kube-router does not support IPv6"),
    ("amazonvpc", "amazon-vpc-routed-eni networking does not support IPv6"), ("cilium-eni", "Cilium ENI IPAM does not support IPv6")])
def test_modes_without_ipv6_are_refused(run, mode, text):
    assert text in run.refused(*AWS, "--ipv6", "--topology=public", "--networking=" + mode)


# ---- words that are nearly right ----

@pytest.mark.parametrize("option,text", [
    ("--cloud=awz", "unsupported cloud provider awz; did you mean aws?"),
    ("--networking=calcio", 'unknown networking mode "calcio"; did you mean calico?'),
    ("--dns=publik", 'unknown DNSType: "publik"; did you mean public?'),
    ("--topology=privat", "invalid topology privat; did you mean private?"),
    ("--authorization=RBCA", 'unknown authorization mode "RBCA"; did you mean RBAC?'),
    ("--api-loadbalancer-type=intern", 'unknown api-loadbalancer-type: "intern"; did you mean internal?'),
    ("--instance-manager=karpentr", 'invalid value "karpentr" for --instance-manager; did you mean karpenter?'),
    ("--networking=xyz", 'unknown networking mode "xyz"'),
    ("--kubernetes-version=abc", 'cannot parse KubernetesVersion "abc": unable to parse kubernetes version "abc"'),
    ("--control-plane-count=-1", "--control-plane-count must be between 0 and 4096"),
    ("--instance-manager=karpenter", "karpenter requires --discovery-store"),
    ("--bastion", "bastion supports --topology='private' only"),
    ("--admin-access=10.0.0.1", 'spec.kubernetesAPIAccess[0]: Invalid value: "10.0.0.1": Could not be parsed as a CIDR (did you mean '
                                '"10.0.0.1/32")'),
    ("--network-cidr=172.20.1.0/16", "Network contains bits outside prefix (did you mean \"172.20.0.0/16\")"),
    ("--node-count=-1", "the number of Node machines must not be negative"),
    ("--channel=stabel", "or a location such as file:///FOLDER/FILE or https://…; did you mean stable?"),
    ("--zones=us-east-1a", "--zones names us-east-1a twice"),
    ("--zones=,us-east-1b", "--zones holds an empty name"),
    ("--node-volume-size=-1", "--node-volume-size must not be negative"),
    ("--kubernetes-feature-gates=+", '"+" is no feature gate; write +Name or -Name'),
    ("--network-id=vpc-1", "unable to infer NetworkCIDR from Network ID, please specify --network-cidr"),
    ("--etcd-clusters=main,foo", 'spec.etcdClusters[1].name: Unsupported value: "foo"'),
    ("--node-volume-type=gp9", 'spec.rootVolume.type: Unsupported value: "gp9": supported values: "standard"'),
    ("--node-tenancy=dedicate", 'supported values: "default", "dedicated", "host"'),
    ("--discovery-store=gs://b", "S3 is the only supported VFS for discoveryStore"),
    ("--network-cidr=10.0.0.0/33", 'Invalid NetworkCIDR: "10.0.0.0/33"'),
    ("--ssh-access=1.2.3.4", 'did you mean "1.2.3.4/32"'),
    ("--node-count=1.5", 'invalid argument "1.5" for "--node-count" flag'),
    ("--bastion=yes", 'invalid argument "yes" for "--bastion" flag'),
    ("--target=foo", 'invalid target: "foo"'),
    ("--egress=foo", "egress must be of type NAT Gateway"),
    ("--ssh-public-key=/nope", 'error reading SSH key file "/nope"'),
    ("--cloud-labels=a", "one or more key=value pairs are malformed"),
    ("--set=spec.foo=1", "field spec.foo not found in *Cluster"),
    ("--unset=spec.foo", "field spec.foo not found in *Cluster")])
def test_wrong_values_are_refused_with_the_nearest_right_one(run, option, text):
    assert text in run.refused(*AWS, option)


def test_a_zone_that_the_facts_do_not_list_is_refused(run):
    run.facts = {"aws": {"zones": ["us-test-1a", "us-test-1b"]}}
    assert run.refused("--cloud=aws", "--zones=us-test-1c") == (
        'error Zone is not a recognized AZ: "us-test-1c" (check you have specified a valid zone?); did you mean us-test-1a?')


@pytest.mark.parametrize("option,text", [
    ("--project=p", "--project has no effect on aws: it is for gce"),
    ("--os-octavia", "--os-octavia has no effect on aws: it is for openstack"),
    ("--utility-subnets=subnet-1", "--utility-subnets has no effect with a public topology"),
    ("--kubernetes-version=1.99.0", "Kubernetes 1.99.0 is newer than what kops"),
    ("--kubernetes-version=1.31.0", "Kubernetes 1.31.0 is older than what kops")])
def test_options_without_effect_and_odd_versions_are_remarked_upon(run, option, text):
    r = run.ckops("create", "cluster", "c.example.com", *AWS, option, "--image=ami-1", "--dry-run", "-o", "yaml")
    assert r.returncode == 0 and text in r.stderr


def test_an_unheard_of_zone_gets_a_remark_only(run):
    r = run.ckops("create", "cluster", "c.example.com", "--cloud=aws", "--zones=us-east-1z", "--dry-run", "-o", "yaml")
    assert r.returncode == 0 and "zone us-east-1z of aws is not known" in r.stderr


# ---- groups ----

def test_nodes_are_spread_with_the_remainder_first(run):
    _, igs = run.new("--cloud=aws", "--zones=us-east-1a,us-east-1b,us-east-1c", "--node-count=5")
    assert [igs["nodes-us-east-1" + z]["minSize"] for z in "abc"] == [2, 2, 1]


def test_control_planes_beyond_the_zones_are_numbered(run):
    spec, igs = run.new("--cloud=aws", "--zones=us-east-1a,us-east-1b", "--control-plane-count=3")
    assert [n for n in igs if n.startswith("control")] == ["control-plane-us-east-1a-1", "control-plane-us-east-1b-1",
                                                           "control-plane-us-east-1a-2"]
    assert [m["name"] for m in spec["etcdClusters"][0]["etcdMembers"]] == ["a-1", "b-1", "a-2"]


def test_an_even_number_of_control_planes_is_refused(run):
    assert "Should be an odd number" in run.refused("--cloud=aws", "--zones=us-east-1a,us-east-1b", "--control-plane-count=2")


def test_karpenter_nodes_are_one_group_over_all_subnets(run):
    spec, igs = run.new("--cloud=aws", "--zones=us-east-1a,us-east-1b", "--instance-manager=karpenter", "--discovery-store=memfs://d/x")
    assert igs["nodes"]["manager"] == "Karpenter" and igs["nodes"]["subnets"] == ["us-east-1a", "us-east-1b"]
    assert "minSize" not in igs["nodes"]
    assert spec["karpenter"] == {"enabled": True} and spec["iam"]["useServiceAccountExternalPermissions"] is True
    assert spec["serviceAccountIssuerDiscovery"] == {"discoveryStore": "memfs://d/x/c.example.com", "enableAWSOIDCProvider": True}


def test_several_sizes_are_mixed_on_aws_only(run):
    _, igs = run.new(*AWS, "--node-size=m5.large,m6i.large")
    assert igs["nodes-us-east-1a"]["mixedInstancesPolicy"] == {"instances": ["m5.large", "m6i.large"]}
    _, igs = run.new("--cloud=hetzner", "--zones=fsn1", "--node-size=cx23,cx33")
    assert igs["nodes-fsn1"]["machineType"] == "cx23" and "mixedInstancesPolicy" not in igs["nodes-fsn1"]


def test_arm_machines_get_an_arm_image(run):
    _, igs = run.new(*AWS, "--node-size=m6g.large")
    assert "arm64" in igs["nodes-us-east-1a"]["image"] and "amd64" in igs["control-plane-us-east-1a"]["image"]


# ---- nothing by halves ----

def test_nothing_is_written_when_one_group_is_invalid(run):
    run.refused(*AWS, "--set=spec.subnets[0].name=other")


def test_dry_run_writes_nothing(run):
    run.new(*AWS)
    assert not list(run.store.rglob("*"))


# ---- merging ----

@pytest.mark.parametrize("words,flags", [
    ("--cloud=aws --zones=us-east-1a,us-east-1b --topology=private --bastion --dns=public --dns-zone=Z1 --networking=calico", ""),
    ("--cloud=aws --zones=us-east-1a --ipv6 --authorization=AlwaysAllow --etcd-clusters=main,events --encrypt-etcd-storage=false "
     "--etcd-storage-type=gp3 --cloud-labels=a=b --kubernetes-feature-gates=+A --node-size=m5.large,m6i.large --api-loadbalancer-type=internal", ""),
    ("--cloud=aws --zones=us-east-1a --instance-manager=karpenter --discovery-store=memfs://d/x", ""),
    ("--cloud=gce --zones=us-central1-a,us-central1-b --project=p --gce-service-account=x@y", ""),
    ("--cloud=hetzner --zones=fsn1 --network-cidr=10.0.0.0/16 --node-count=3", ""),
    ("--cloud=digitalocean --zones=nyc1 --control-plane-count=3", ""),
    ("--cloud=azure --zones=eastus-1 --azure-subscription-id=s --azure-tenant-id=t --azure-resource-group-name=g", "Azure"),
    ("--cloud=openstack --zones=n --image=i --node-size=m --control-plane-size=m --network-cidr=10.0.0.0/16 --os-ext-net=e "
     "--os-octavia --os-dns-servers=8.8.8.8 --api-loadbalancer-type=public --os-kubelet-ignore-az", "")])
def test_the_same_command_again_changes_nothing(run, words, flags):
    command = ["create", "cluster", "c.example.com", *words.split()]
    assert run.ckops(*command, flags=flags).returncode == 0
    before = {p: p.read_bytes() for p in run.store.rglob("*") if p.is_file()}
    r = run.ckops(*command, flags=flags)
    assert r.returncode == 0 and "nothing was changed" in r.stdout, r.stdout + r.stderr
    assert {p: p.read_bytes() for p in run.store.rglob("*") if p.is_file()} == before


def test_a_merge_shows_what_changes_in_colours_on_a_terminal_only(run):
    run.ckops("create", "cluster", "c.example.com", *AWS)
    r = run.ckops("create", "cluster", "c.example.com", "--node-count=2")
    assert "instancegroup nodes-us-east-1a spec.maxSize: 1 -> 2" in r.stdout and "\033" not in r.stdout
    env = {"HOME": str(run.folder), "PATH": os.environ["PATH"], "KOPS_STATE_STORE": "file://%s" % run.store}
    for no_color, want in (("", b"spec.maxSize: \033[31m2\033[0m -> \033[32m3\033[0m"), ("1", b"spec.maxSize: 3 -> 4")):
        master, slave = os.openpty()
        count = "--node-count=4" if no_color else "--node-count=3"
        subprocess.run([os.path.abspath(PROGRAM), "create", "cluster", "c.example.com", count], stdout=slave, stderr=subprocess.DEVNULL,
                       env={**env, "NO_COLOR": no_color}, check=True, timeout=60)
        os.close(slave)
        assert want in os.read(master, 65536)
        os.close(master)


def test_labels_are_merged_key_by_key(run):
    run.ckops("create", "cluster", "c.example.com", *AWS, "--cloud-labels=a=1,b=2")
    r = run.ckops("create", "cluster", "c.example.com", "--cloud-labels=b=3,c=4")
    assert r.returncode == 0, r.stderr
    stored = yaml.safe_load((run.store / "c.example.com/config").read_text())["spec"]
    assert stored["cloudLabels"] == {"a": "1", "b": "3", "c": "4"}


@pytest.mark.parametrize("option", [
    "--bastion", "--authorization=AlwaysAllow", "--dns=public", "--encrypt-etcd-storage=false", "--etcd-clusters=main,cilium", "--ipv6",
    "--instance-manager=karpenter", "--discovery-store=memfs://d/x", "--subnets=subnet-1", "--egress=nat-1", "--api-server-count=1",
    "--os-ext-net=x", "--azure-tenant-id=x", "--topology=private", "--network-id=vpc-1", "--networking=calico",
    "--network-cidr=10.0.0.0/8", "--control-plane-count=3", "--control-plane-zones=us-east-1b"])
def test_what_a_running_cluster_cannot_follow_is_refused_and_nothing_changes(run, option):
    run.ckops("create", "cluster", "c.example.com", *AWS)
    before = {p: p.read_bytes() for p in run.store.rglob("*") if p.is_file()}
    r = run.ckops("create", "cluster", "c.example.com", option)
    assert r.returncode == 1 and "Nothing was changed" in r.stderr, r.stderr
    assert {p: p.read_bytes() for p in run.store.rglob("*") if p.is_file()} == before


# ---- validate -f ----

def manifest(run, *args):
    r = run.ckops("create", "cluster", "c.example.com", *AWS, *args, "--dry-run", "-o", "yaml")
    assert r.returncode == 0, r.stderr
    return r.stdout


def test_validate_says_valid_without_store_and_cloud(run):
    (run.folder / "m.yaml").write_text(manifest(run))
    r = run.ckops("validate", "-f", "m.yaml", env={"KOPS_STATE_STORE": ""})
    assert (r.returncode, r.stdout) == (0, "3 objects of 1 file: valid\n")


def test_validate_lists_every_error_of_every_object_with_its_place(run):
    text = manifest(run).replace("networkCIDR: 172.20.0.0/16", "networkCIDR: 172.20.0.0/33").replace("role: Node", "role: Nod")
    lines = text.splitlines()
    (run.folder / "m.yaml").write_text(text)
    (run.folder / "n.yaml").write_text("apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata:\n  name: d.example.com\nspec:\n  subnts: []\n  foo: 1\n")
    r = run.ckops("validate", "-f", "m.yaml", "-f", "n.yaml", "-o", "json")
    got = json.loads(r.stdout)
    assert r.returncode == 2 and got["valid"] is False and got["objects"] == 4
    places = {(e["file"], e["line"]): e for e in got["errors"]}
    cidr = next(i for i, l in enumerate(lines, 1) if "networkCIDR" in l)
    role = next(i for i, l in enumerate(lines, 1) if "role: Nod" in l)
    assert places["m.yaml", cidr]["field"] == "spec.networking.networkCIDR"
    assert places["m.yaml", role]["kind"] == "InstanceGroup" and places["m.yaml", role]["column"] == 9
    assert places["n.yaml", 6]["field"] == "spec.subnts" and "did you mean" in places["n.yaml", 6]["message"]
    assert places["n.yaml", 7]["field"] == "spec.foo"


def test_validate_checks_groups_against_their_cluster(run):
    docs = manifest(run).split("\n---\n")
    docs[2] = docs[2].replace("  - us-east-1a", "  - elsewhere")
    (run.folder / "c.yaml").write_text(docs[0])
    (run.folder / "g.yaml").write_text("\n---\n".join(docs[1:]))
    r = run.ckops("validate", "-f", "c.yaml", "-f", "g.yaml")
    assert r.returncode == 2 and 'spec.networking.subnets[0]: Not found: "elsewhere"' in r.stdout and "g.yaml:" in r.stdout


@pytest.mark.parametrize("change,text", [
    (lambda d: d[:2], "must configure at least one Node InstanceGroup"),
    (lambda d: [d[0], d[2]], "must configure at least one ControlPlane InstanceGroup"),
    (lambda d: d + [d[2]], 'metadata.name: Duplicate value: "nodes-us-east-1a"'),
    (lambda d: [d[2].replace("labels:\n    kops.k8s.io/cluster: c.example.com\n", "annotations: {}\n")], 'must specify "kops.k8s.io/cluster" label')])
def test_validate_looks_at_the_cluster_as_a_whole(run, change, text):
    (run.folder / "m.yaml").write_text("\n---\n".join(change(manifest(run).split("\n---\n"))))
    r = run.ckops("validate", "-f", "m.yaml")
    assert r.returncode == 2 and text in r.stdout, r.stdout


def test_validate_reads_standard_input_and_names_what_is_not_there(run):
    r = run.ckops("validate", "-f", "-", text=manifest(run))
    assert r.returncode == 0
    r = run.ckops("validate", "-f", "missing.yaml")
    assert r.returncode == 1 and "missing.yaml" in r.stderr
    r = run.ckops("validate")
    assert r.returncode == 1 and 'required flag(s) "filename" not set' in r.stderr
    r = run.ckops("validate", "-f", "-", "-o", "xml", text="")
    assert r.returncode == 1 and "it is text or json" in r.stderr


# ---- upgrade ----

def test_upgrade_shows_then_stores_versions_and_images(run):
    old = "099720109477/ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20250101"
    assert run.ckops("create", "cluster", "c.example.com", *AWS, "--kubernetes-version=1.34.1", "--node-image=" + old,
                     "--control-plane-image=ami-1").returncode == 0
    r = run.ckops("upgrade", "cluster", "c.example.com")
    assert r.returncode == 0 and "Must specify --yes" in r.stdout
    rows = [l.split() for l in r.stdout.splitlines() if l.startswith(("Cluster", "InstanceGroup"))]
    assert rows[0] == ["Cluster", "KubernetesVersion", "1.34.1", "1.35.7"]
    assert rows[1][:3] == ["InstanceGroup/nodes-us-east-1a", "Image", old] and len(rows) == 2
    before = (run.store / "c.example.com/instancegroup/control-plane-us-east-1a").read_bytes()
    assert run.ckops("upgrade", "cluster", "c.example.com", "--yes").returncode == 0
    assert "kubernetesVersion: 1.35.7" in (run.store / "c.example.com/config").read_text()
    assert (run.store / "c.example.com/instancegroup/control-plane-us-east-1a").read_bytes() == before
    r = run.ckops("upgrade", "cluster", "c.example.com", "--kubernetes-version=foo")
    assert r.returncode == 1 and 'unable to parse kubernetes version "foo"' in r.stderr


def test_upgrade_never_goes_back(run):
    run.ckops("create", "cluster", "c.example.com", *AWS)
    r = run.ckops("upgrade", "cluster", "c.example.com", "--kubernetes-version=1.33.0")
    assert r.returncode == 0 and "No upgrade required" in r.stderr and "greater than the desired" in r.stderr


def test_commands_that_are_not_offered_say_why_and_what_instead(run):
    for words in (["rolling-update", "cluster", "x", "--yes"], ["reconcile", "cluster"], ["validate", "cluster"], ["get", "instances"],
                  ["delete", "instance", "i-1"], ["toolbox", "dump"], ["toolbox", "addons"], ["toolbox", "clusterapi"]):
        r = run.ckops(*words)
        assert r.returncode == 1 and "is not supported because" in r.stderr and "do this instead:" in r.stderr, words
        assert run.ckops(*words, "--help").returncode == 0


def test_zones_are_completed_behind_those_already_written(run):
    r = run.ckops("__complete", "create", "cluster", "--cloud=hetzner", "--zones", "")
    assert r.stdout.split()[:2] == ["ash", "fsn1"]
    r = run.ckops("__complete", "create", "cluster", "--cloud=aws", "--zones", "us-east-1a,us")
    assert "us-east-1a,us-east-1b" in r.stdout.split()


# ---- toolbox template ----

def test_template_merges_values_snippets_and_options(run):
    (run.folder / "a.yaml").write_text("zones: [a, b]\nnodes: {count: 1}\nname: first\n")
    (run.folder / "b.yaml").write_text("name: second\n")
    (run.folder / "snip").mkdir()
    (run.folder / "snip" / "zones").write_text("{{ range . }}- {{ . }}\n{{ end }}")
    (run.folder / "t.yaml").write_text("name: {{ .name }}\ncluster: {{ .clusterName }}\ncount: {{ .nodes.count }}\n"
                                       "zones:\n{{ include \"zones\" .zones }}x: {{ .x | quote }}\n")
    words = ["toolbox", "template", "--name=c.example.com", "--values=a.yaml,b.yaml", "--snippets=snip", "--template=t.yaml",
             "--set=nodes.count=7", "--set-string=x=5"]
    r = run.ckops(*words)
    assert r.stdout == "name: second\ncluster: c.example.com\ncount: 7\nzones:\n- a\n- b\nx: \"5\"\n", r.stderr
    assert run.ckops(*words).stdout == r.stdout
    r = run.ckops(*words, "--format-yaml", "--out=o.yaml")
    assert r.returncode == 0 and r.stdout == ""
    assert (run.folder / "o.yaml").read_text().startswith("cluster: c.example.com\ncount: 7\n")


def test_template_is_strict_about_missing_values(run):
    (run.folder / "t.yaml").write_text("a: {{ .nothere }}\n")
    r = run.ckops("toolbox", "template", "--name=c", "--template=t.yaml")
    assert r.returncode == 1 and 'map has no entry for key "nothere"' in r.stderr and r.stdout == ""
    r = run.ckops("toolbox", "template", "--name=c", "--template=t.yaml", "--fail-on-missing=false")
    assert r.stdout == "a: <no value>\n"


def test_a_rendered_template_is_a_manifest(run):
    (run.folder / "t.yaml").write_text(manifest(run).replace("c.example.com", "{{ .clusterName }}"))
    r = run.ckops("toolbox", "template", "--name=other.example.com", "--template=t.yaml")
    assert run.ckops("create", "-f", "-", text=r.stdout).returncode == 0
    assert "other.example.com" in run.ckops("get", "clusters").stdout


# ---- toolbox instance-selector ----

TYPES = {"m5.large": ("x86_64", 2, 8192, 0), "m5.xlarge": ("x86_64", 4, 16384, 0), "c5.xlarge": ("x86_64", 4, 8192, 0),
         "m6g.xlarge": ("arm64", 4, 16384, 0), "p3.2xlarge": ("x86_64", 8, 62464, 1)}


def with_types(run):
    assert run.ckops("create", "cluster", "c.example.com", *AWS).returncode == 0
    run.facts = {"aws": {"instanceTypes": {n: {"arch": [t[0]], "vcpus": t[1], "memoryMiB": t[2], "gpus": t[3]} for n, t in TYPES.items()}}}


@pytest.mark.parametrize("words,want", [
    ([], ["m5.large", "c5.xlarge", "m5.xlarge", "p3.2xlarge"]), (["--vcpus=4"], ["c5.xlarge", "m5.xlarge"]),
    (["--vcpus=4", "--memory-min=10GiB"], ["m5.xlarge"]), (["--memory=8 GiB"], ["m5.large", "c5.xlarge"]),
    (["--gpus-min=1"], ["p3.2xlarge"]), (["--cpu-architecture=arm64"], ["m6g.xlarge"]), (["--allow-list=^m5"], ["m5.large", "m5.xlarge"]),
    (["--deny-list=^(m5|p3)"], ["c5.xlarge"]), (["--vcpus-to-memory-ratio=1:2"], ["c5.xlarge"]), (["--max-results=1"], ["m5.large"])])
def test_the_selector_takes_what_fits_smallest_first(run, words, want):
    with_types(run)
    r = run.ckops("toolbox", "instance-selector", "w", "--name=c.example.com", "--dry-run", *words)
    assert r.returncode == 0, r.stderr
    spec = yaml.safe_load(r.stdout)["spec"]
    assert spec["mixedInstancesPolicy"]["instances"] == want and spec["machineType"] == want[0]
    assert ("arm64" in spec["image"]) == (want[0] == "m6g.xlarge")


def test_the_selector_stores_its_groups_all_or_none(run):
    with_types(run)
    words = ["toolbox", "instance-selector", "w", "--name=c.example.com", "--ig-count=2", "--usage-class=spot", "--node-count-max=3"]
    assert run.ckops(*words).returncode == 0
    stored = yaml.safe_load((run.store / "c.example.com/instancegroup/w2").read_text())["spec"]
    assert stored["maxSize"] == 3 and stored["mixedInstancesPolicy"]["spotAllocationStrategy"] == "capacity-optimized"
    (run.store / "c.example.com/instancegroup/w1").unlink()
    assert run.ckops(*words).returncode == 1
    assert not (run.store / "c.example.com/instancegroup/w1").exists()


@pytest.mark.parametrize("word,text", [
    ("--memory=4", "write it with a unit, as 4GiB"), ("--vcpus-to-memory-ratio=4", "write it as 1:4"),
    ("--vcpus=99", "no instance types were found"), ("--allow-list=(", "cannot be read"), ("--ig-count=0", "between 1 and 100"),
    ("--usage-class=foo", "neither spot nor on-demand"), ("--node-count-max=0", "must not be smaller"), ("--cpu-architecture=mips", "neither amd64 nor arm64")])
def test_the_selector_refuses_what_it_cannot_mean(run, word, text):
    with_types(run)
    r = run.ckops("toolbox", "instance-selector", "w", "--name=c.example.com", word)
    assert r.returncode == 1 and text in r.stderr


def test_the_selector_needs_facts_and_aws(run):
    run.ckops("create", "cluster", "h.example.com", "--cloud=hetzner", "--zones=fsn1")
    assert "cannot select instance types from non-aws cluster" in run.ckops("toolbox", "instance-selector", "w", "--name=h.example.com").stderr
    run.ckops("create", "cluster", "c.example.com", *AWS)
    assert "known to the cloud only" in run.ckops("toolbox", "instance-selector", "w", "--name=c.example.com").stderr


# ---- additional objects, and the update that follows ----

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\ndata:\n  a: %s\n"
AWS = ["--cloud", "aws", "--zones", "us-east-1a"]


def test_additional_objects_are_stored_with_the_cluster_and_merged_by_name(run):
    (run.folder / "a.yaml").write_text(OBJECT % ("one", "x") + "---\n" + OBJECT % ("two", "v"))
    (run.folder / "b.yaml").write_text(OBJECT % ("two", "z"))
    r = run.ckops("create", "cluster", "c.example.com", *AWS, "--add", "a.yaml", flags="ClusterAddons")
    assert r.returncode == 0, r.stderr
    stored = run.store / "c.example.com/clusteraddons/default"
    assert [(d["metadata"]["name"], d["data"]["a"]) for d in yaml.safe_load_all(stored.read_text())] == [("one", "x"), ("two", "v")]
    r = run.ckops("create", "cluster", "c.example.com", "--add", "b.yaml", flags="ClusterAddons")
    assert r.returncode == 0, r.stderr
    assert [(d["metadata"]["name"], d["data"]["a"]) for d in yaml.safe_load_all(stored.read_text())] == [("one", "x"), ("two", "z")]


def test_additional_objects_need_their_flag_and_are_none_of_kops_own(run):
    (run.folder / "a.yaml").write_text(OBJECT % ("one", "x"))
    assert run.refused(*AWS, "--add", "a.yaml").startswith("--add requires the ClusterAddons feature flag")
    (run.folder / "b.yaml").write_text("apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata:\n  name: x\nspec: {}\n")
    assert "create -f" in run.refused(*AWS, "--add", "b.yaml", flags="ClusterAddons")


def test_a_dry_target_shows_what_the_stored_cluster_needs(run):
    r = run.ckops("create", "cluster", "c.example.com", *AWS, "--target", "dryrun", env={"CKOPS_FIXTURES": str(run.folder / "f.json")})
    assert r.returncode == 1 and "f.json" in r.stderr
    run.facts = {"aws": {"region": "us-east-1", "zones": ["us-east-1a"], "hostedZones": [{"name": "example.com.", "id": "Z1"}]}}
    r = run.ckops("create", "cluster", "c.example.com", *AWS, "--target", "dryrun")
    assert r.returncode == 0, r.stderr
    assert "VPC/c.example.com" in r.stdout and r.stdout.endswith("Must specify --yes to apply changes\n")
    assert (run.store / "c.example.com/config").exists()


def test_changing_the_cloud_directly_is_refused_before_anything_is_stored(run):
    assert "--target=terraform" in run.refused(*AWS, "--yes")
