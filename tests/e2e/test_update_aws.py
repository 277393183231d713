"""What `update cluster` finds in AWS: resources made by the vendor's SDK in a server that speaks
AWS' protocols, unchanged, changed and missing, kind by kind."""
import json
import os
import pathlib
import subprocess

import pytest

import test_update
from test_update import BIN, Cluster, facts, pytestmark, servers, start  # noqa: F401

HERE = pathlib.Path(__file__).parent
KINDS = {
    "VPC", "VPCAmazonIPv6CIDRBlock", "DHCPOptions", "VPCDHCPOptionsAssociation", "InternetGateway", "Subnet", "ElasticIP",
    "NatGateway", "RouteTable", "Route", "RouteTableAssociation", "SecurityGroup", "SecurityGroupRule", "IAMRole",
    "IAMRolePolicy", "IAMInstanceProfile", "IAMInstanceProfileRole", "EBSVolume", "TargetGroup", "NetworkLoadBalancer",
    "NetworkLoadBalancerListener", "LaunchTemplate", "AutoscalingGroup", "AutoscalingLifecycleHook", "SQS",
    "EventBridgeRule", "EventBridgeTarget"}


class World:
    """A server, and a cluster whose resources were made in it."""

    def __init__(self, folder):
        self.server = start(servers.Moto)
        self.python = servers.program("moto", "bin", "python3")
        self.env = dict(AWS_ENDPOINT_URL=self.server.url, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test",
                        AWS_REGION="us-east-1", AWS_DEFAULT_REGION="us-east-1", AWS_EC2_METADATA_DISABLED="true",
                        AWS_CONFIG_FILE=str(folder / "none"), AWS_SHARED_CREDENTIALS_FILE=str(folder / "none"))
        image = self.sdk("print(c('ec2').register_image(Name='test-image', RootDeviceName='/dev/xvda', "
                         "Architecture='x86_64')['ImageId'])").strip()

        self.sdk("c('route53').create_hosted_zone(Name='example.com', CallerReference='x')")

        def edit(text):
            for a, b in (("us-test-1", "us-east-1"), ("ubuntu/images/hvm-ssd-gp3/ubuntu-resolute-26.04-amd64-server-20220404", image),
                         ("m3.medium", "m5.large"), ("type: Public\n  zone", "type: Public\n  zone")):
                text = text.replace(a, b)
            return text
        self.cluster = Cluster("privateflannel", folder, edit)
        self.cluster.env.pop("CKOPS_FIXTURES")
        hashes = (test_update.GOLDENS / "fixtures" / "asset-hashes.tsv").read_text()
        (folder / "hashes.tsv").write_text(hashes + hashes.replace("1.34.0-beta.1", "1.37.0-alpha.1"))
        self.cluster.env["CKOPS_ASSET_HASHES"] = str(folder / "hashes.tsv")
        self.cluster.env.update(self.env)
        self.options = ["-o", "json"]
        first = self.plan()
        self.created = {(i["kind"], i["name"]) for i in first["create"]}
        p = self.cluster.module()
        plan = folder / "plan.json"
        plan.write_text(json.dumps(first))
        r = subprocess.run([self.python, str(HERE / "aws" / "apply.py"), str(plan), str(self.cluster.out)],
                           env=dict(os.environ, **self.env), capture_output=True, text=True)
        assert r.returncode == 0, r.stderr[-3000:]
        self.ids = json.loads(r.stdout)

    def sdk(self, code):
        p = subprocess.run([self.python, "-c", "import boto3, json\nc = boto3.client\n" + code],
                           env=dict(os.environ, **self.env), capture_output=True, text=True)
        assert p.returncode == 0, p.stderr[-2000:]
        return p.stdout

    def plan(self):
        p = self.cluster.run("update", "cluster", self.cluster.name, "-o", "json")
        return json.loads(p.stdout)


pytestmark = [pytestmark, pytest.mark.slow]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    w = World(tmp_path_factory.mktemp("aws"))
    yield w
    w.server.stop()


# This server keeps no host name type of subnets.
UNKNOWN_TO_SERVER = {("Subnet", "ResourceBasedNaming")}


def aws_only(items):
    out = {}
    for i in items:
        changes = [x for x in i.get("changes", []) if (i["kind"], x["field"]) not in UNKNOWN_TO_SERVER]
        if i["kind"] in KINDS and (changes or "changes" not in i):
            out[i["kind"], i["name"]] = changes
    return out


def test_before_anything_is_made_all_of_it_is_missing(world):
    assert {k for k, _ in world.created} >= KINDS and len(KINDS) >= 25


def test_what_was_made_is_found_unchanged(world):
    plan = world.plan()
    assert aws_only(plan["create"]) == {}
    assert aws_only(plan["modify"]) == {}


TAGGED = ["VPC", "InternetGateway", "Subnet", "RouteTable", "SecurityGroup", "ElasticIP", "NatGateway", "EBSVolume",
          "DHCPOptions"]
# Kind: how the vendor's SDK changes it, and the field that shows it. {0} is its id, {1} its name.
CHANGES = {
    **{k: ("c('ec2').create_tags(Resources=['{0}'], Tags=[dict(Key='KubernetesCluster', Value='privateflannel.example.com'),"
           " dict(Key='extra', Value='1')])", "Tags") for k in TAGGED},
    "TargetGroup": ("c('elbv2').modify_target_group(TargetGroupArn='{0}', HealthyThresholdCount=7)", "HealthyThreshold"),
    "NetworkLoadBalancer": ("c('elbv2').modify_load_balancer_attributes(LoadBalancerArn='{0}', Attributes=["
                            "dict(Key='load_balancing.cross_zone.enabled', Value='true')])", "CrossZoneLoadBalancing"),
    "IAMRole": ("c('iam').update_assume_role_policy(RoleName='{1}', PolicyDocument=json.dumps(dict(Version='2012-10-17', "
                "Statement=[dict(Effect='Allow', Principal=dict(Service='lambda.amazonaws.com'), Action='sts:AssumeRole')])))",
                "RolePolicyDocument"),
    "IAMInstanceProfile": ("c('iam').tag_instance_profile(InstanceProfileName='{1}', Tags=[dict(Key='extra', Value='1')])", "Tags"),
    "AutoscalingGroup": ("c('autoscaling').update_auto_scaling_group(AutoScalingGroupName='{1}', MaxSize=9)", "MaxSize"),
    "LaunchTemplate": ("e = c('ec2'); d = e.describe_launch_template_versions(LaunchTemplateName='{1}')['LaunchTemplateVersions'][0]"
                       "['LaunchTemplateData']; d['InstanceType'] = 'c5.large'; "
                       "e.create_launch_template_version(LaunchTemplateName='{1}', LaunchTemplateData=d)", "InstanceType"),
    "SQS": ("q = c('sqs'); q.set_queue_attributes(QueueUrl=q.get_queue_url(QueueName='{1}')['QueueUrl'], "
            "Attributes=dict(MessageRetentionPeriod='999'))", "MessageRetentionPeriod"),
    "EventBridgeRule": ("c('events').put_rule(Name='{1}', EventPattern='{{\"source\": [\"x\"]}}')", "EventPattern"),
    "IAMRolePolicy": ("c('iam').put_role_policy(RoleName='{1}', PolicyName='{1}', PolicyDocument=json.dumps(dict("
                      "Version='2012-10-17', Statement=[dict(Effect='Allow', Action='s3:*', Resource='*')])))", "PolicyDocument"),
    "AutoscalingLifecycleHook": ("a = c('autoscaling'); h = [h for g in a.describe_auto_scaling_groups()['AutoScalingGroups'] for h in "
                                 "a.describe_lifecycle_hooks(AutoScalingGroupName=g['AutoScalingGroupName'])['LifecycleHooks'] "
                                 "if h['LifecycleHookName'] == '{1}'][0]; a.put_lifecycle_hook(LifecycleHookName='{1}', "
                                 "AutoScalingGroupName=h['AutoScalingGroupName'], LifecycleTransition=h['LifecycleTransition'], "
                                 "HeartbeatTimeout=77, DefaultResult='CONTINUE')", "HeartbeatTimeout"),
}


def test_what_was_changed_behind_its_back_shows_up_field_by_field(world):
    want = set()
    for kind, (code, field) in CHANGES.items():
        name = sorted(n for k, n in world.created if k == kind and not (kind == "IAMRolePolicy" and not n.startswith("masters")))[0]
        world.sdk(code.format(world.ids[kind + "/" + name], name))
        want.add((kind, name, field))
    found = {(k, n, x["field"]) for (k, n), changes in aws_only(world.plan()["modify"]).items() for x in changes}
    # This server forgets a queue's policy when another attribute is set.
    assert found - {f for f in found if f[0] == "SQS" and f[2] == "Policy"} == want


def test_what_was_deleted_behind_its_back_is_to_be_made_again(world):
    world.sdk("a = c('autoscaling'); [a.delete_auto_scaling_group(AutoScalingGroupName=g['AutoScalingGroupName'], ForceDelete=True) "
              "for g in a.describe_auto_scaling_groups()['AutoScalingGroups'][:1]]")
    world.sdk("e = c('events'); r = e.list_rules()['Rules'][0]['Name']; e.remove_targets(Rule=r, Ids=['1']); e.delete_rule(Name=r)")
    world.sdk("e = c('ec2'); r = [r for r in e.describe_security_group_rules()['SecurityGroupRules'] if r.get('FromPort') == 443 and not "
              "r['IsEgress'] and r.get('CidrIpv4')][0]; e.revoke_security_group_ingress(GroupId=r['GroupId'], SecurityGroupRuleIds=[r['SecurityGroupRuleId']])")
    kinds = {k for k, _ in aws_only(world.plan()["create"])}
    assert kinds == {"AutoscalingGroup", "AutoscalingLifecycleHook", "EventBridgeRule", "EventBridgeTarget", "SecurityGroupRule"}

