"""Makes the resources of a plan (`ckops update cluster -o json`) in AWS with the vendor's SDK, in
order to see whether ckops finds them. An independent client: nothing here is shared with ckops.

  apply.py PLAN.json DATA_DIR      endpoint and credentials come from the environment
"""
import base64
import json
import pathlib
import sys

import boto3


def tags(d):
    return [{"Key": k, "Value": v} for k, v in (d or {}).items()]


class Applier:
    def __init__(self, plan, data):
        self.items = plan["create"]
        self.data = data
        self.ids = {}
        self.ec2, self.elb = boto3.client("ec2"), boto3.client("elbv2")
        self.iam, self.asg = boto3.client("iam"), boto3.client("autoscaling")
        self.sqs, self.events, self.r53 = boto3.client("sqs"), boto3.client("events"), boto3.client("route53")

    def spec(self, type_, fields):
        return [{"ResourceType": type_, "Tags": tags(fields.get("Tags"))}]

    def file(self, name):
        p = pathlib.Path(self.data) / "data" / name
        return p.read_text() if p.exists() else "{}"

    def run(self):
        order = [m[3:] for m in dir(self) if m.startswith("do_")]
        first = ["VPC", "VPCCIDRBlock", "VPCAmazonIPv6CIDRBlock", "DHCPOptions", "VPCDHCPOptionsAssociation",
                 "InternetGateway", "EgressOnlyInternetGateway", "Subnet", "ElasticIP", "NatGateway", "RouteTable",
                 "Route", "RouteTableAssociation", "SecurityGroup", "SecurityGroupRule", "SSHKey", "IAMRole",
                 "IAMRolePolicy", "IAMInstanceProfile", "IAMInstanceProfileRole", "IAMOIDCProvider", "EBSVolume",
                 "TargetGroup", "NetworkLoadBalancer", "NetworkLoadBalancerListener", "DNSName", "LaunchTemplate",
                 "AutoscalingGroup", "AutoscalingLifecycleHook", "SQS", "EventBridgeRule", "EventBridgeTarget"]
        assert set(order) == set(first), set(order) ^ set(first)
        for kind in first:
            for i in self.items:
                if i["kind"] == kind:
                    self.ids[kind, i["name"]] = getattr(self, "do_" + kind)(i["name"], i["fields"])

    def do_VPC(self, name, f):
        v = self.ec2.create_vpc(CidrBlock=f["CIDR"], AmazonProvidedIpv6CidrBlock=bool(f.get("AmazonIPv6")),
                                TagSpecifications=self.spec("vpc", f))["Vpc"]["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=v, EnableDnsSupport={"Value": f["EnableDNSSupport"]})
        self.ec2.modify_vpc_attribute(VpcId=v, EnableDnsHostnames={"Value": f["EnableDNSHostnames"]})
        return v

    def do_VPCCIDRBlock(self, name, f):
        self.ec2.associate_vpc_cidr_block(VpcId=self.ids["VPC", f["VPC"]], CidrBlock=f["CIDRBlock"])

    def do_VPCAmazonIPv6CIDRBlock(self, name, f):
        pass  # comes with the VPC

    def do_DHCPOptions(self, name, f):
        d = self.ec2.create_dhcp_options(
            DhcpConfigurations=[{"Key": "domain-name", "Values": [f["DomainName"]]},
                                {"Key": "domain-name-servers", "Values": [f["DomainNameServers"]]}],
            TagSpecifications=self.spec("dhcp-options", f))["DhcpOptions"]["DhcpOptionsId"]
        self.ec2.create_tags(Resources=[d], Tags=tags(f.get("Tags")))
        return d

    def do_VPCDHCPOptionsAssociation(self, name, f):
        self.ec2.associate_dhcp_options(DhcpOptionsId=self.ids["DHCPOptions", f["DHCPOptions"]],
                                        VpcId=self.ids["VPC", f["VPC"]])

    def do_InternetGateway(self, name, f):
        g = self.ec2.create_internet_gateway(TagSpecifications=self.spec("internet-gateway", f))
        g = g["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=g, VpcId=self.ids["VPC", f["VPC"]])
        return g

    def do_EgressOnlyInternetGateway(self, name, f):
        return self.ec2.create_egress_only_internet_gateway(
            VpcId=self.ids["VPC", f["VPC"]], TagSpecifications=self.spec("egress-only-internet-gateway", f)
        )["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]

    def do_Subnet(self, name, f):
        kw = {k: f[v] for k, v in (("CidrBlock", "CIDR"), ("Ipv6CidrBlock", "IPv6CIDR")) if v in f}
        s = self.ec2.create_subnet(VpcId=self.ids["VPC", f["VPC"]], AvailabilityZone=f["AvailabilityZone"],
                                   TagSpecifications=self.spec("subnet", f), **kw)["Subnet"]["SubnetId"]
        if f.get("ResourceBasedNaming"):
            self.ec2.modify_subnet_attribute(SubnetId=s, PrivateDnsHostnameTypeOnLaunch="resource-name")
        return s

    def do_ElasticIP(self, name, f):
        return self.ec2.allocate_address(Domain="vpc", TagSpecifications=self.spec("elastic-ip", f))["AllocationId"]

    def do_NatGateway(self, name, f):
        return self.ec2.create_nat_gateway(
            SubnetId=self.ids["Subnet", f["Subnet"]], AllocationId=self.ids["ElasticIP", f["ElasticIP"]],
            TagSpecifications=self.spec("natgateway", f))["NatGateway"]["NatGatewayId"]

    def do_RouteTable(self, name, f):
        return self.ec2.create_route_table(VpcId=self.ids["VPC", f["VPC"]],
                                           TagSpecifications=self.spec("route-table", f))["RouteTable"]["RouteTableId"]

    def do_Route(self, name, f):
        kw = {"DestinationCidrBlock": f["CIDR"]} if "CIDR" in f else {"DestinationIpv6CidrBlock": f["IPv6CIDR"]}
        for field, arg in (("InternetGateway", "GatewayId"), ("NatGateway", "NatGatewayId"),
                           ("EgressOnlyInternetGateway", "EgressOnlyInternetGatewayId")):
            if field in f:
                kw[arg] = self.ids[field, f[field]]
        self.ec2.create_route(RouteTableId=self.ids["RouteTable", f["RouteTable"]], **kw)

    def do_RouteTableAssociation(self, name, f):
        self.ec2.associate_route_table(RouteTableId=self.ids["RouteTable", f["RouteTable"]],
                                       SubnetId=self.ids["Subnet", f["Subnet"]])

    def do_SecurityGroup(self, name, f):
        return self.ec2.create_security_group(
            GroupName=name, Description=f["Description"], VpcId=self.ids["VPC", f["VPC"]],
            TagSpecifications=self.spec("security-group", f))["GroupId"]

    def do_SecurityGroupRule(self, name, f):
        p = {"IpProtocol": f.get("Protocol", "-1")}
        if "Protocol" in f:
            p.update(FromPort=f.get("FromPort", 0), ToPort=f.get("ToPort", 65535))
        if "CIDR" in f:
            p["IpRanges"] = [{"CidrIp": f["CIDR"]}]
        if "IPv6CIDR" in f:
            p["Ipv6Ranges"] = [{"CidrIpv6": f["IPv6CIDR"]}]
        if "SourceGroup" in f:
            p["UserIdGroupPairs"] = [{"GroupId": self.ids["SecurityGroup", f["SourceGroup"]]}]
        call = self.ec2.authorize_security_group_egress if f.get("Egress") else self.ec2.authorize_security_group_ingress
        try:
            call(GroupId=self.ids["SecurityGroup", f["SecurityGroup"]], IpPermissions=[p])
        except self.ec2.exceptions.ClientError as e:
            if "Duplicate" not in str(e):  # a new group may send anywhere already
                raise

    def do_SSHKey(self, name, f):
        key = "ssh-rsa " + base64.b64encode(b"\0\0\0\7ssh-rsa\0\0\0\3\1\0\1\0\0\0\1").decode()
        for p in (pathlib.Path(self.data) / "data").glob("aws_key_pair_*_public_key"):
            key = p.read_text()
        self.ec2.import_key_pair(KeyName=name, PublicKeyMaterial=key.encode(), TagSpecifications=self.spec("key-pair", f))
        return name

    def do_IAMRole(self, name, f):
        self.iam.create_role(RoleName=name, Tags=tags(f.get("Tags")),
                             AssumeRolePolicyDocument=self.file(f"aws_iam_role_{name}_policy"))
        return name

    def do_IAMRolePolicy(self, name, f):
        self.iam.put_role_policy(RoleName=f["Role"], PolicyName=name,
                                 PolicyDocument=self.file(f"aws_iam_role_policy_{name}_policy"))

    def do_IAMInstanceProfile(self, name, f):
        self.iam.create_instance_profile(InstanceProfileName=name, Tags=tags(f.get("Tags")))
        return name

    def do_IAMInstanceProfileRole(self, name, f):
        self.iam.add_role_to_instance_profile(InstanceProfileName=f["InstanceProfile"], RoleName=f["Role"])

    def do_IAMOIDCProvider(self, name, f):
        return self.iam.create_open_id_connect_provider(
            Url=f["URL"], ClientIDList=f["ClientIDs"], ThumbprintList=f["Thumbprints"],
            Tags=tags(f.get("Tags")))["OpenIDConnectProviderArn"]

    def do_EBSVolume(self, name, f):
        return self.ec2.create_volume(AvailabilityZone=f["AvailabilityZone"], Size=f["SizeGB"], VolumeType=f["VolumeType"],
                                      Iops=f["VolumeIops"], Throughput=f["VolumeThroughput"], Encrypted=f["Encrypted"],
                                      TagSpecifications=self.spec("volume", f))["VolumeId"]

    def do_TargetGroup(self, name, f):
        kw = {"HealthCheckPath": f["HealthCheckPath"]} if "HealthCheckPath" in f else {}
        arn = self.elb.create_target_group(
            Name=name, Protocol=f["Protocol"], Port=f["Port"], VpcId=self.ids["VPC", f["VPC"]],
            HealthCheckProtocol=f["HealthCheckProtocol"], HealthCheckIntervalSeconds=f["Interval"],
            HealthyThresholdCount=f["HealthyThreshold"], UnhealthyThresholdCount=f["UnhealthyThreshold"],
            Tags=tags(f.get("Tags")), **kw)["TargetGroups"][0]["TargetGroupArn"]
        self.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=tags(f["Attributes"]))
        return arn

    def do_NetworkLoadBalancer(self, name, f):
        arn = self.elb.create_load_balancer(
            Name=f["LoadBalancerBaseName"], Type=f["Type"], Scheme=f["Scheme"], IpAddressType=f["IpAddressType"],
            Subnets=[self.ids["Subnet", s] for s in f["SubnetMappings"]],
            SecurityGroups=[self.ids["SecurityGroup", s] for s in f["SecurityGroups"]],
            Tags=tags(f.get("Tags")))["LoadBalancers"][0]["LoadBalancerArn"]
        self.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[
            {"Key": "load_balancing.cross_zone.enabled", "Value": str(f["CrossZoneLoadBalancing"]).lower()}])
        return arn

    def do_NetworkLoadBalancerListener(self, name, f):
        self.elb.create_listener(
            LoadBalancerArn=self.ids["NetworkLoadBalancer", f["NetworkLoadBalancer"]], Port=f["Port"], Protocol="TCP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.ids["TargetGroup", f["TargetGroup"]]}])

    def do_DNSName(self, name, f):
        arn = self.ids["NetworkLoadBalancer", f["TargetLoadBalancer"]]
        lb = self.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
        self.r53.change_resource_record_sets(HostedZoneId=f["Zone"], ChangeBatch={"Changes": [{
            "Action": "UPSERT", "ResourceRecordSet": {
                "Name": f["ResourceName"], "Type": f["ResourceType"], "AliasTarget": {
                    "HostedZoneId": lb["CanonicalHostedZoneId"], "DNSName": lb["DNSName"],
                    "EvaluateTargetHealth": False}}}]})

    def do_LaunchTemplate(self, name, f):
        image = self.ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"] if not f["ImageID"].startswith("ami-") else f["ImageID"]
        root = {"VolumeSize": f["RootVolumeSize"], "VolumeType": f["RootVolumeType"], "Iops": f["RootVolumeIops"],
                "Throughput": f["RootVolumeThroughput"], "Encrypted": f["RootVolumeEncryption"], "DeleteOnTermination": True}
        device = self.ec2.describe_images(ImageIds=[image])["Images"][0].get("RootDeviceName", "/dev/xvda")
        d = {"ImageId": image, "InstanceType": f["InstanceType"], "Monitoring": {"Enabled": f["InstanceMonitoring"]},
             "IamInstanceProfile": {"Name": f["IAMInstanceProfile"]},
             "MetadataOptions": {"HttpTokens": f["HTTPTokens"], "HttpPutResponseHopLimit": f["HTTPPutResponseHopLimit"],
                                 "HttpProtocolIpv6": f["HTTPProtocolIPv6"]},
             "BlockDeviceMappings": [{"DeviceName": device, "Ebs": root}],
             "NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": f["AssociatePublicIP"],
                                    "Ipv6AddressCount": f["IPv6AddressCount"],
                                    "Groups": [self.ids["SecurityGroup", s] for s in f["SecurityGroups"]]}],
             "TagSpecifications": [{"ResourceType": t, "Tags": tags(f["Tags"])} for t in ("instance", "volume")]}
        if "SSHKey" in f:
            d["KeyName"] = f["SSHKey"]
        p = pathlib.Path(self.data) / "data" / f"aws_launch_template_{name}_user_data"
        if p.exists():
            d["UserData"] = base64.b64encode(p.read_bytes()).decode()
        self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=d)
        return name

    def do_AutoscalingGroup(self, name, f):
        self.asg.create_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=f["MinSize"], MaxSize=f["MaxSize"], DesiredCapacity=0 if f["MinSize"] == 0 else f["MinSize"],
            LaunchTemplate={"LaunchTemplateName": f["LaunchTemplate"], "Version": "$Latest"},
            VPCZoneIdentifier=",".join(self.ids["Subnet", s] for s in f["Subnets"]),
            TargetGroupARNs=[self.ids["TargetGroup", t] for t in f["TargetGroups"]],
            NewInstancesProtectedFromScaleIn=f["InstanceProtection"],
            Tags=[dict(t, PropagateAtLaunch=True) for t in tags(f["Tags"])])
        self.asg.enable_metrics_collection(AutoScalingGroupName=name, Granularity=f["Granularity"], Metrics=f["Metrics"])
        return name

    def do_AutoscalingLifecycleHook(self, name, f):
        self.asg.put_lifecycle_hook(LifecycleHookName=name, AutoScalingGroupName=f["AutoscalingGroup"],
                                    LifecycleTransition=f["LifecycleTransition"], HeartbeatTimeout=f["HeartbeatTimeout"],
                                    DefaultResult=f["DefaultResult"])

    def do_SQS(self, name, f):
        url = self.sqs.create_queue(QueueName=name, tags=f.get("Tags"), Attributes={
            "MessageRetentionPeriod": str(f["MessageRetentionPeriod"]),
            "Policy": self.file(f"aws_sqs_queue_{name}_policy")})["QueueUrl"]
        return self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def do_EventBridgeRule(self, name, f):
        self.events.put_rule(Name=name, EventPattern=f["EventPattern"], Tags=tags(f.get("Tags")))
        return name

    def do_EventBridgeTarget(self, name, f):
        self.events.put_targets(Rule=f["Rule"], Targets=[{"Id": "1", "Arn": self.ids["SQS", f["SQSQueue"]]}])


if __name__ == "__main__":
    a = Applier(json.loads(pathlib.Path(sys.argv[1]).read_text()), sys.argv[2])
    a.run()
    print(json.dumps({"/".join(k): v for k, v in a.ids.items()}))
