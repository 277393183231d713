"""`create cluster` in a network that is not its own: what it asks of AWS, made by the vendor's SDK in a server that speaks
AWS' protocols, and what it does when AWS does not answer. CKOPS_BIN names the program."""

import json
import subprocess

import pytest

from test_create_cluster import Run, pytestmark  # noqa: F401
from test_update import servers, start  # noqa: F401

KEYS = dict(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_EC2_METADATA_DISABLED="true", AWS_MAX_ATTEMPTS="1")
MAKE = """
import boto3, json
c = boto3.client('ec2', region_name='eu-west-1', endpoint_url='%s')
v = c.create_vpc(CidrBlock='10.9.0.0/16')['Vpc']['VpcId']
s = [c.create_subnet(VpcId=v, CidrBlock='10.9.%%d.0/24' %% i, AvailabilityZone=z)['Subnet']['SubnetId']
     for i, z in enumerate(('eu-west-1a', 'eu-west-1b'))]
w = c.create_vpc(CidrBlock='10.10.0.0/16')['Vpc']['VpcId']
print(json.dumps([v, s, w]))
"""


@pytest.fixture(scope="module")
def aws():
    server = start(servers.Moto)
    p = subprocess.run([servers.program("moto", "bin", "python3"), "-c", MAKE % server.url], env=KEYS, capture_output=True, text=True)
    assert p.returncode == 0, p.stderr
    vpc, subnets, other = json.loads(p.stdout)
    yield {"env": dict(KEYS, AWS_ENDPOINT_URL=server.url), "vpc": vpc, "subnets": subnets, "other": other}
    server.stop()


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


ZONES = ["--cloud", "aws", "--zones", "eu-west-1a,eu-west-1b"]


def test_a_shared_network_gives_its_range(run, aws):
    spec, _ = run.new(*ZONES, "--network-id", aws["vpc"], env=aws["env"])
    assert spec["networkCIDR"] == "10.9.0.0/16" and spec["networkID"] == aws["vpc"]
    assert all(s["cidr"].startswith("10.9.") for s in spec["subnets"])


def test_shared_subnets_lie_in_their_zones_and_name_the_network(run, aws):
    spec, _ = run.new(*ZONES, "--subnets", ",".join(reversed(aws["subnets"])), env=aws["env"])
    assert spec["networkID"] == aws["vpc"]
    assert [(s["zone"], s["id"], s["cidr"]) for s in spec["subnets"]] == [
        ("eu-west-1a", aws["subnets"][0], "10.9.0.0/24"), ("eu-west-1b", aws["subnets"][1], "10.9.1.0/24")]


def test_a_subnet_of_another_network_is_refused(run, aws):
    assert run.refused(*ZONES, "--network-id", aws["other"], "--subnets", aws["subnets"][0], env=aws["env"]) == \
        "subnet %s not found in VPC %s" % (aws["subnets"][0], aws["other"])


def test_a_zone_that_the_region_does_not_have_is_refused_with_the_nearest(run, aws):
    error = run.refused("--cloud", "aws", "--zones", "eu-west-1a,eu-west-1z", "--network-id", aws["vpc"], env=aws["env"])
    assert '"eu-west-1z"' in error and "did you mean eu-west-1" in error


def test_a_network_that_is_not_there_is_refused(run, aws):
    assert "vpc-0123456789" in run.refused(*ZONES, "--network-id", "vpc-0123456789", env=aws["env"])


def test_without_an_answer_it_says_so_and_wants_the_range(run):
    env = dict(KEYS, AWS_ENDPOINT_URL="http://127.0.0.1:9")
    r = run.ckops("create", "cluster", "c.example.com", *ZONES, "--network-id", "vpc-1", "--dry-run", "-o", "yaml", env=env)
    assert r.returncode == 1 and "--network-cidr" in r.stderr and "AWS does not tell about the network" in r.stderr
    spec, _ = run.new(*ZONES, "--network-id", "vpc-1", "--network-cidr", "10.9.0.0/16", env=env)
    assert spec["networkCIDR"] == "10.9.0.0/16"


def test_a_network_of_its_own_asks_nobody(run):
    r = run.ckops("create", "cluster", "c.example.com", *ZONES, "--dry-run", "-o", "yaml",
                  env=dict(KEYS, AWS_ENDPOINT_URL="http://127.0.0.1:9"))
    assert r.returncode == 0 and "AWS does not tell" not in r.stderr
