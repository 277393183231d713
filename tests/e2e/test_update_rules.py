"""Rules of the model that no reference case shows: each row changes a case a little and says what its module then holds."""
import copy
import json
import re

import pytest
import yaml

from test_update import CASES, GOLDENS, Cluster, facts

pytestmark = pytest.mark.skipif(not CASES, reason="no reference material (CK_SHARED)")

KEY = "96641849cb78a0a119223a427dfdc1ade88412ef791a14193212c8c8e29d447b"


def put(into, path, value):
    *folders, last = path.split(".")
    for f in folders:
        into = into.setdefault(f, {})
    into[last] = value


def changed(text, spec=(), groups=None, new_group=None, then=None):
    """The manifest with paths of the cluster's spec, and of groups by role, set."""
    docs = [d for d in yaml.safe_load_all(text) if d]
    for path, value in dict(spec).items():
        put(docs[0]["spec"], path, copy.deepcopy(value))
    for role, values in (groups or {}).items():
        for d in docs[1:]:
            if d["spec"]["role"] == role:
                for path, value in values.items():
                    put(d["spec"], path, copy.deepcopy(value))
    if new_group:
        name, like, values = new_group
        d = copy.deepcopy(next(d for d in docs[1:] if d["spec"]["role"] == like))
        d["metadata"]["name"] = name
        d["spec"].update(values)
        docs.append(d)
    if then:
        then(docs[0]["spec"])
    return yaml.safe_dump_all(docs, sort_keys=False)


class Module:
    def __init__(self, cluster):
        self.out, self.tf = cluster.out, (cluster.out / "kubernetes.tf").read_text()

    def block(self, kind, name):
        found = re.search(r'^resource "%s" "%s" \{\n(.*?)^\}' % (kind, re.escape(name)), self.tf, re.M | re.S)
        return found.group(1) if found else None

    def file(self, part):
        found = [p for p in (self.out / "data").iterdir() if part in p.name]
        assert len(found) == 1, (part, found)
        return found[0].read_text()


def made(case, folder, env=None, **change):
    c = Cluster(case, folder, lambda t: changed(t, **change))
    c.env.update(env or {})
    c.module()
    p = c.run("update", "cluster", c.name, "--detailed-exitcode", CKOPS_FIXTURES=str(facts(folder, terraform=str(c.out))))
    assert p.stdout == "No changes need to be applied\n"
    return Module(c)


@pytest.mark.parametrize("name,vpc,zone,associated", [("internal.example.com", None, "Z2AFAKE1ZON3NO", False),
                                                      ("private.example.com", "vpc-12345678", "Z3AFAKE1ZOMORE", True)])
def test_policies_name_a_zone_given_by_its_dns_name_by_its_id(name, vpc, zone, associated, tmp_path):
    spec = {"topology.dns.type": "Private", "dnsZone": name, **({"networkID": vpc} if vpc else {})}
    m = made("privatecilium", tmp_path, spec=spec)
    assert f"hostedzone/{zone}" in m.file("role_policy_masters") and f"hostedzone/{name}" not in m.file("role_policy_masters")
    assert f'zone_id = "/hostedzone/{zone}"' in m.block("aws_route53_record", "api-privatecilium-example-com")
    assert (m.block("aws_route53_zone_association", name.replace(".", "-")) is None) == associated
    assert f"DNSZone: {name}\n" in m.file("nodeupconfig-master")


POLICY = "mixedInstancesPolicy"
REQUIREMENTS = {
    "shares of a million bytes count": ({"memory": {"min": "2G", "max": "9Gi"}, "cpu": {"min": "2", "max": "16"}}, {"memory_mib": (9664, 2000), "vcpu_count": (16, 2)}, None),
    "no least is none": ({"cpu": {"max": "4"}}, {"memory_mib": (None, 0), "vcpu_count": (4, 0)}, None),
    "excluded types": ({"excludedInstanceTypes": ["t2*", "m3.medium"]}, {"memory_mib": (None, 0), "vcpu_count": (None, 0)}, '["t2*", "m3.medium"]'),
}


@pytest.mark.parametrize("what", REQUIREMENTS)
def test_requirements_on_machines(what, tmp_path):
    given, ranges, excluded = REQUIREMENTS[what]
    m = made("minimal-1.35", tmp_path, groups={"Node": {POLICY + ".instanceRequirements": given}})
    block = m.block("aws_autoscaling_group", "nodes-minimal-example-com")
    for name, (most, least) in ranges.items():
        body = re.search(name + r" \{\n(.*?)\}", block, re.S).group(1)
        assert re.findall(r"(max|min) = (\d+)", body) == [(k, str(v)) for k, v in (("max", most), ("min", least)) if v is not None]
    assert (f"excluded_instance_types = {excluded}" in block) if excluded else "excluded" not in block


def test_policy_without_types_keeps_its_distribution(tmp_path):
    given = {"onDemandBase": 0, "onDemandAboveBase": 0, "spotAllocationStrategy": "capacity-optimized"}
    m = made("minimal-1.35", tmp_path, groups={"Node": {POLICY: given, "maxPrice": "0.2"}})
    block = m.block("aws_autoscaling_group", "nodes-minimal-example-com")
    assert 'spot_max_price                           = "0.2"' in block and "on_demand_base_capacity                  = 0" in block
    assert "override" not in block and "launch_template_specification" in block
    assert "instance_market_options" not in m.tf


def test_pool_switched_off_for_the_cluster_gives_nodes_no_permissions(tmp_path):
    m = made("minimal-warmpool", tmp_path, spec={"warmPool": {"enableLifecycleHook": True, "maxSize": 0}})
    assert "warm_pool" not in m.tf and "kops-warmpool" not in m.tf
    assert m.block("aws_iam_role_policy", "nodes-minimal-warmpool-example-com") is None
    assert "warmPoolImages" not in m.file("nodeupconfig-nodes") and "EnableLifecycleHook" not in m.file("nodeupconfig-nodes")


def test_containerd_of_ones_own_comes_with_the_usual_runc(tmp_path):
    own = {"version": "2.1.0", "packages": {"urlAmd64": "https://files.example.com/containerd.tar.gz", "hashAmd64": KEY}}
    m = made("minimal-1.35", tmp_path, spec={"containerd": own})
    assets = m.file("nodeupconfig-nodes")
    assert f"{KEY}@https://files.example.com/containerd.tar.gz" in assets and "v2.1.0/containerd-2.1.0-linux-arm64.tar.gz" in assets
    assert len(re.findall(r"runc/releases/download/v\d+\.\d+\.\d+/runc\.(?:amd64|arm64)\n", assets)) == 2


FORBIDDEN = {
    "pool of control planes": ({"Master": {"warmPool": {"minSize": 1}}}, 'instance group "master-us-test-1a": spec.warmPool: Forbidden: warm pool only allowed'),
    "pool of spot machines": ({"Node": {"warmPool": {"minSize": 1}, "maxPrice": "0.1"}}, 'instance group "nodes": spec.warmPool: Forbidden: warm pool cannot be used with spot instances'),
    "type of a disk": ({"Node": {"rootVolumeType": "st1"}}, 'instance group "nodes": spec.rootVolume.type: Unsupported value: "st1"'),
    "base above the largest size": ({"Node": {POLICY + ".onDemandBase": 9}}, "cannot be greater than max size"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_completed_groups_are_held_against_the_rules(what, tmp_path):
    groups, want = FORBIDDEN[what]
    c = Cluster("minimal-1.35", tmp_path, lambda t: changed(t, groups=groups))
    assert c.created.returncode == 0
    p = c.module(check=False)
    assert p.returncode == 1 and want in p.stderr, p.stderr
    assert not c.out.exists()


@pytest.mark.parametrize("name,v6,want", [("said", False, "said.s3.eu-west-1.amazonaws.com/x"), ("far-off", True, "far-off.s3.dualstack.cn-north-1.amazonaws.com.cn/x"),
                                          ("unsaid", False, "unsaid.s3.us-test-1.amazonaws.com/x")])
def test_issuer_of_a_bucket_is_its_address_in_its_region(name, v6, want, tmp_path):
    discovery = {"serviceAccountIssuerDiscovery": {"discoveryStore": f"s3://{name}/x", "enableAWSOIDCProvider": True}}
    c = Cluster("minimal-ipv6" if v6 else "minimal-1.35", tmp_path, lambda t: changed(t, spec=discovery))
    world = json.loads(facts(tmp_path).read_text())
    world["aws"]["bucketRegions"] = {"said": "eu-west-1", "far-off": "cn-north-1"}
    (tmp_path / "facts.json").write_text(json.dumps(world))
    p = c.module()
    assert ("region of bucket unsaid is not known, it is taken to be us-test-1" in p.stderr) == (name == "unsaid")
    m = Module(c)
    assert f'url             = "https://{want}"' in m.tf
    assert f'"issuer": "https://{want}"' in m.file("discovery.json") and f"serviceAccountJWKSURI: https://{want}/openid/v1/jwks\n" in m.file("nodeupconfig-master")


def test_labels_with_quotes_keep_the_module_whole(tmp_path):
    labels = {'a"b': 'c"d', "path": "C:\\", "two": "x\ny", "expression": '${lookup(var.x, "k")}', "escaped": 'say \\"hi\\"'}
    m = made("minimal-1.35", tmp_path, spec={"cloudLabels": labels})
    vpc = dict(re.findall(r'^    "((?:[^"\\]|\\.)*)" += (".*")$', m.block("aws_vpc", "minimal-example-com"), re.M))
    assert (vpc['a\\"b'], vpc["path"], vpc["two"]) == (r'"c\"d"', r'"C:\\"', r'"x\ny"')
    assert (vpc["expression"], vpc["escaped"]) == ('"${lookup(var.x, "k")}"', r'"say \"hi\""')


def without_stores(text, name):
    """A policy's statements but those about stores and DNS, which are another cluster's."""
    d = json.loads(text.replace(name, "iam-builder-test.nonexistant") if name else text)
    d["Statement"] = [s for s in d["Statement"] if "s3:" not in json.dumps(s["Action"]) and "route53" not in json.dumps(s)]
    return d


PLAIN = {"iam.allowContainerRegistry": False, "nodeTerminationHandler": {"enabled": False}}
POLICIES = {
    "master_strict": ("masters", {**PLAIN, "networking": {"kubenet": {}}}, {}),
    "master_strict_ecr": ("masters", {**PLAIN, "networking": {"kubenet": {}}, "iam.allowContainerRegistry": True}, {}),
    "master_nlb_sg_managed": ("masters", {**PLAIN, "networking": {"kubenet": {}}, "cloudConfig.nlbSecurityGroupMode": "Managed"}, {}),
    "node_strict_ecr": ("nodes", {}, {}),
    "node_kuberouter": ("nodes", {**PLAIN, "networking": {"kuberouter": {}}, "kubeProxy": {"enabled": False}}, {}),
    "node_describe_instance_types": ("nodes", {**PLAIN, "containerd": {"nvidiaGPU": {"enabled": True}}}, {"Node": {"machineType": "g4dn.xlarge"}}),
}


@pytest.mark.parametrize("what", POLICIES)
def test_policies_by_feature_are_those_of_kops(what, tmp_path):
    role, spec, groups = POLICIES[what]
    m = made("minimal-1.35", tmp_path, spec=spec, groups=groups)
    want = (GOLDENS / "iam_policies" / f"iam_builder_{what}.json").read_text()
    assert without_stores(m.file("aws_iam_role_policy_" + role), "minimal.example.com") == without_stores(want, None)


UNKNOWN = {
    "gateway of a network": ("minimal-1.35", {"networkID": "vpc-unheard"}, r"InternetGateway/minimal\.example\.com: the cluster uses one that is there already, and none is known"),
    "address": ("privatecilium", {}, r"ElasticIP/us-test-1a\.privatecilium\.example\.com: .* none is known"),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_what_the_user_brings_and_nobody_knows_makes_no_module(what, tmp_path):
    case, spec, want = UNKNOWN[what]
    address = (lambda s: s["subnets"][0].update(publicIP="192.0.2.9")) if what == "address" else None
    c = Cluster(case, tmp_path, lambda t: changed(t, spec=spec, then=address))
    p = c.module(check=False)
    assert p.returncode == 1 and re.search(want, p.stderr), p.stderr
    assert not c.out.exists()
