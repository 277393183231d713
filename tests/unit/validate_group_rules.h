/* One row per instance group rule; the numbers are those of the rule list the validator follows. */
#pragma once

#include "validate_cases.h"

struct group_case {
    struct rule_case c;
    const char *cluster_patch; /* may be NULL */
    bool cross, strict, cloud;
};

static const char base_group[] = "apiVersion: kops.k8s.io/v1alpha2\n"
                                 "kind: InstanceGroup\n"
                                 "metadata:\n"
                                 "  name: nodes\n"
                                 "spec:\n"
                                 "  image: ami-1\n"
                                 "  machineType: t3.medium\n"
                                 "  maxSize: 2\n"
                                 "  minSize: 1\n"
                                 "  role: Node\n"
                                 "  subnets: [a]\n";

static const struct group_case group_cases[] = {
    {.c = {"180 name", "metadata.name=", "objectMeta.name: Required value"}},
    {.c = {"181 role absent", "spec.role=", "spec.role: Required value: Role must be set"}},
    {.c = {"181 role", "spec.role=Bogus",
           "spec.role: Unsupported value: \"Bogus\": supported values: \"ControlPlane\", "
           "\"APIServer\", \"Node\", \"Bastion\", \"Etcd\", \"Scheduler\", "
           "\"KubeControllerManager\""}},
    {.c = {"181 role kOps lists but does not take", "spec.role=Etcd",
           "spec.role: Unsupported value: \"Etcd\": supported values: \"ControlPlane\", "
           "\"APIServer\", \"Node\", \"Bastion\", \"Etcd\", \"Scheduler\", "
           "\"KubeControllerManager\""}},
    {.c = {"182 subnets",
           "spec.role=Master\n"
           "spec.subnets=\n"
           "spec.minSize=1\n"
           "spec.maxSize=1",
           "spec.subnets: Required value: controlPlane InstanceGroup must specify at least one "
           "Subnet"}},
    {.c = {"183 sizes",
           "spec.role=Master\n"
           "spec.minSize=2\n"
           "spec.maxSize=2",
           "spec.minSize: Invalid value: 2: controlPlane InstanceGroup must have minSize set to 1\n"
           "spec.maxSize: Invalid value: 2: controlPlane InstanceGroup must have maxSize set to 1, "
           "add more InstanceGroups instead"}},
    {.c = {"184 tenancy", "spec.tenancy=x",
           "spec.tenancy: Unsupported value: \"x\": supported values: \"default\", \"dedicated\", "
           "\"host\""}},
    {.c = {"185 sizes",
           "spec.minSize=\n"
           "spec.maxSize=",
           "spec.maxSize: Forbidden: maxSize must be set\n"
           "spec.minSize: Forbidden: minSize must be set"},
     .strict = true},
    {.c = {"185 sizes may be open",
           "spec.minSize=\n"
           "spec.maxSize=",
           ""}},
    {.c = {"186 min above max", "spec.minSize=9",
           "spec.maxSize: Forbidden: maxSize must be greater than or equal to minSize."}},
    {.c = {"187 gvisor",
           "spec.role=Bastion\n"
           "spec.containerd={gvisor: {enabled: true}}",
           "spec.containerd.gvisor: Forbidden: gVisor can only be enabled on instance groups with "
           "role Node"}},
    {.c = {"188 image", "spec.image=", "spec.image: Forbidden: image must be specified."},
     .strict = true},
    {.c = {"189 iops", "spec.rootVolumeIops=-1",
           "spec.rootVolume.iops: Invalid value: -1: IOPS must be greater than 0"}},
    {.c = {"189 throughput", "spec.rootVolumeThroughput=-1",
           "spec.rootVolume.throughput: Invalid value: -1: Throughput must be greater than 0"}},
    {.c = {"190 user data", "spec.additionalUserData=[{type: text/x-shellscript}]",
           "additionalUserData.name: Required value: field must be set\n"
           "additionalUserData.content: Required value: field must be set"}},
    {.c = {"190 type", "spec.additionalUserData=[{name: n, content: c, type: x}]",
           "additionalUserData.type: Unsupported value: \"x\": supported values: "
           "\"text/x-include-once-url\", \"text/x-include-url\", \"text/cloud-config-archive\", "
           "\"text/upstart-job\", \"text/cloud-config\", \"text/part-handler\", "
           "\"text/x-shellscript\", \"text/cloud-boothook\""}},
    {.c = {"191 volume", "spec.volumes=[{size: 1}]",
           "spec.volumes[0].device: Required value: device name required"}},
    {.c = {"191 size", "spec.volumes=[{device: x}]",
           "spec.volumes[0].size: Invalid value: 0: must be greater than zero"}},
    {.c = {"191 the same device twice is not seen",
           "spec.volumes=[{device: x, size: 1}, {device: x, size: 1}]", ""}},
    {.c = {"192 mount", "spec.volumeMounts=[{filesystem: ext4}]",
           "spec.volumeMounts[0].device: Required value: device name required\n"
           "spec.volumeMounts[0].path: Required value: mount path required"}},
    {.c = {"192 filesystem", "spec.volumeMounts=[{device: d, path: p, filesystem: x}]",
           "spec.volumeMounts[0].filesystem: Unsupported value: \"x\": supported values: \"btfs\", "
           "\"ext4\", \"xfs\""}},
    {.c = {"193 profile", "spec.iam={profile: x}",
           "spec.iam.profile: Invalid value: \"x\": Instance Group IAM Instance Profile must be a "
           "valid aws arn such as arn:aws:iam::123456789012:instance-profile/KopsExampleRole"}},
    {.c = {"193 good profile",
           "spec.iam={profile: \"arn:aws:iam::123456789012:instance-profile/x\"}", ""}},
    {.c =
         {"194 label", "spec.nodeLabels={a/b/c: d}",
          "spec.nodeLabels: Invalid value: \"a/b/c\": Node label may only contain a single slash"}},
    {.c = {"195 own label", "spec.cloudLabels={kops.k8s.io/instancegroup: x}",
           "spec.cloudLabels.kops.k8s.io/instancegroup: Invalid value: \"x\": value must match "
           "instance group name"}},
    {.c = {"195 own label right", "spec.cloudLabels={kops.k8s.io/instancegroup: nodes}", ""}},
    {.c = {"195 reserved", "spec.cloudLabels={k8s.io/role/x: y}",
           "spec.cloudLabels.k8s.io/role/x: Forbidden: \"k8s.io/role/\" is a reserved label prefix "
           "and cannot be used as a custom label"}},
    {.c = {"196 both",
           "spec.externalLoadBalancers=[{loadBalancerName: x, targetGroupArn: "
           "\"arn:aws:elasticloadbalancing:r:1:targetgroup/n/1\"}]",
           "spec.externalLoadBalancers[0]: Too many: 2: must have at most 1 item"}},
    {.c = {"196 name",
           "spec.externalLoadBalancers=[{loadBalancerName: a234567890b234567890c234567890d23}]",
           "spec.externalLoadBalancers[0].loadBalancerName: Invalid value: "
           "\"a234567890b234567890c234567890d23\": Load Balancer name must have at most 32 "
           "characters"}},
    {.c = {"196 arn", "spec.externalLoadBalancers=[{targetGroupArn: x}]",
           "spec.externalLoadBalancers[0].targetGroupARN: Invalid value: \"x\": Target Group ARN "
           "must be a valid AWS ARN: arn: invalid prefix"}},
    {.c = {"196 arn kind",
           "spec.externalLoadBalancers=[{targetGroupArn: "
           "\"arn:aws:elasticloadbalancing:r:1:x/n/1\"}]",
           "spec.externalLoadBalancers[0].targetGroupARN: Invalid value: "
           "\"arn:aws:elasticloadbalancing:r:1:x/n/1\": Target Group ARN resource type must be "
           "\"targetgroup\""}},
    {.c = {"197 policy", "spec.updatePolicy=x",
           "spec.updatePolicy: Unsupported value: \"x\": supported values: \"automatic\", "
           "\"external\""}},
    {.c = {"198 taint", "spec.taints=[\"a:b:c\"]",
           "spec.taints[0]: Invalid value: \"a:b:c\": invalid taint value"}},
    {.c = {"198 twice", "spec.taints=[\"a=1:NoSchedule\", \"a=2:NoSchedule\"]",
           "spec.taints[1]: Duplicate value: \"a:NoSchedule\""}},
    {.c = {"198 two effects", "spec.taints=[\"a=1:NoSchedule\", \"a=1:NoExecute\"]", ""}},
    {.c = {"199 hook", "spec.hooks=[{name: x}]",
           "spec.hooks[0]: Required value: you must set either manifest or execContainer for a "
           "hook"}},
    {.c = {"199 hook word is not inverted on groups", "spec.hooks=[{name: x, disabled: false}]",
           ""}},
    {.c = {"199 sysctl", "spec.sysctlParameters=[x]",
           "spec.sysctlParameters[0]: Invalid value: \"x\": must contain a \"=\" character"}},
    {.c = {"146 surge",
           "spec.role=Master\n"
           "spec.minSize=1\n"
           "spec.maxSize=1\n"
           "spec.rollingUpdate={maxSurge: 1}",
           "spec.rollingUpdate.maxSurge: Forbidden: Cannot surge instance groups with role "
           "\"ControlPlane\""}},
    {.c = {"200 member",
           "metadata.name=control-plane-a\n"
           "spec.role=Master\n"
           "spec.minSize=1\n"
           "spec.maxSize=1",
           ""},
     .cross = true},
    {.c = {"200 no member",
           "metadata.name=control-plane-a\n"
           "spec.role=Master\n"
           "spec.minSize=1\n"
           "spec.maxSize=1\n"
           "metadata.name=x",
           "spec.metadata.name: Forbidden: InstanceGroup \"x\" with role ControlPlane must have a "
           "member in etcd (IG: \"control-plane-a\") cluster \"main\"\n"
           "spec.metadata.name: Forbidden: InstanceGroup \"x\" with role ControlPlane must have a "
           "member in etcd (IG: \"control-plane-a\") cluster \"events\""},
     .cross = true},
    {.c = {"201 no DNS", "spec.role=APIServer",
           "spec.role: Forbidden: APIServer cannot be used with topology.dns.type=None"},
     .cross = true},
    {.c = {"201 with DNS", "spec.role=APIServer", ""},
     .cluster_patch = "spec.topology.dns.type=Public",
     .cross = true},
    {.c = {"201 elsewhere", "spec.role=APIServer",
           "spec.role: Forbidden: APIServer role only supported on AWS and GCE"},
     .cluster_patch = "spec.cloudProvider=hetzner",
     .cross = true},
    {.c = {"202 subnet", "spec.subnets=[a, x]", "spec.networking.subnets[1]: Not found: \"x\""},
     .cross = true},
    {.c = {"203 volume type", "spec.rootVolumeType=x",
           "spec.rootVolume.type: Unsupported value: \"x\": supported values: \"standard\", "
           "\"gp3\", \"gp2\", \"io1\", \"io2\""},
     .cross = true},
    {.c = {"204 role",
           "spec.role=Bastion\n"
           "spec.warmPool={}",
           "spec.warmPool: Forbidden: warm pool only allowed on instance groups with role Node or "
           "APIServer"},
     .cross = true},
    {.c = {"204 off",
           "spec.role=Bastion\n"
           "spec.warmPool={maxSize: 0}",
           ""},
     .cross = true},
    {.c = {"204 spot",
           "spec.warmPool={}\n"
           "spec.maxPrice=\"0.1\"",
           "spec.warmPool: Forbidden: warm pool cannot be used with spot instances"},
     .cross = true},
    {.c = {"204 spot with the cluster's pool", "spec.maxPrice=\"0.1\"",
           "spec.warmPool: Forbidden: warm pool cannot be used with spot instances"},
     .cluster_patch = "spec.warmPool={}",
     .cross = true},
    {.c = {"204 sizes", "spec.warmPool={minSize: -1}",
           "spec.warmPool.minSize: Invalid value: -1: warm pool minSize cannot be negative"},
     .cross = true},
    {.c = {"205 elsewhere",
           "spec.manager=Karpenter\n"
           "spec.minSize=\n"
           "spec.maxSize=\n"
           "",
           "spec.manager: Forbidden: Karpenter InstanceGroups are only supported on AWS"},
     .cluster_patch = "spec.cloudProvider=hetzner",
     .cross = true},
    {.c = {"205 role",
           "spec.manager=Karpenter\n"
           "spec.minSize=\n"
           "spec.maxSize=\n"
           "spec.role=Bastion",
           "spec.role: Forbidden: Karpenter InstanceGroups must have role Node"},
     .cross = true},
    {.c = {"205 max",
           "spec.manager=Karpenter\n"
           "spec.minSize=\n"
           "spec.maxSize=\n"
           "spec.maxSize=0",
           "spec.maxSize: Invalid value: 0: must be greater than zero"},
     .cross = true},
    {.c = {"205 min",
           "spec.manager=Karpenter\n"
           "spec.minSize=\n"
           "spec.maxSize=\n"
           "spec.maxSize=1\n"
           "spec.minSize=0",
           "spec.minSize: Invalid value: 0: must be greater than zero for static capacity"},
     .cluster_patch = "spec.karpenter={featureGates: \"A=true,StaticCapacity=true\"}",
     .cross = true},
    {.c = {"205 gate",
           "spec.manager=Karpenter\n"
           "spec.minSize=\n"
           "spec.maxSize=\n"
           "spec.maxSize=1\n"
           "spec.minSize=1",
           "spec.minSize: Forbidden: static capacity requires StaticCapacity=true in "
           "cluster.spec.karpenter.featureGates"},
     .cross = true},
    {.c = {"206 image",
           "spec.manager=Karpenter\n"
           "spec.minSize=\n"
           "spec.maxSize=\n"
           "spec.image=/x",
           "spec.image: Invalid value: \"/x\": must be ami-*, ssm:<parameter>, <name>, or "
           "<owner>/<name>"},
     .cross = true},
    {.c = {"206 ssm",
           "spec.manager=Karpenter\n"
           "spec.minSize=\n"
           "spec.maxSize=\n"
           "spec.image=\"ssm:\"",
           "spec.image: Invalid value: \"ssm:\": ssm image parameter is required"},
     .cross = true},
    {.c = {"207 volumes", "spec.volumes=[{device: x, size: 1}]",
           "spec.volumes: Forbidden: instancegroup volumes are only available with aws at present"},
     .cluster_patch = "spec.cloudProvider=hetzner",
     .cross = true},
    {.c = {"209 spot", "spec.spotDurationInMinutes=61",
           "nodes.spec.spotDurationInMinutes: Unsupported value: \"61\": supported values: \"60\", "
           "\"120\", \"180\", \"240\", \"300\", \"360\""},
     .cross = true,
     .cloud = true},
    {.c = {"209 interruption", "spec.instanceInterruptionBehavior=x",
           "nodes.spec.instanceInterruptionBehavior: Unsupported value: \"x\": supported values: "
           "\"hibernate\", \"stop\", \"terminate\""},
     .cross = true,
     .cloud = true},
    {.c = {"209 only with the cloud", "spec.instanceInterruptionBehavior=x", ""}, .cross = true},
    {.c = {"210 tokens", "spec.instanceMetadata={httpTokens: x}",
           "spec.instanceMetadata.httpTokens: Unsupported value: \"x\": supported values: "
           "\"optional\", \"required\""},
     .cross = true,
     .cloud = true},
    {.c = {"210 hops", "spec.instanceMetadata={httpPutResponseHopLimit: 65}",
           "spec.instanceMetadata.httpPutResponseHopLimit: Invalid value: 65: HTTPPutResponseLimit "
           "must be a value between 1 and 64"},
     .cross = true,
     .cloud = true},
    {.c = {"211 credits", "spec.cpuCredits=x",
           "spec.cpuCredits: Unsupported value: \"x\": supported values: \"standard\", "
           "\"unlimited\""},
     .cross = true,
     .cloud = true},
    {.c = {"211 lifetime", "spec.maxInstanceLifetime=1h0m0s",
           "nodes.spec.maxInstanceLifetime: Invalid value: \"1h0m0s\": max instance lifetime must "
           "be greater than 86400 or equal to 0"},
     .cross = true,
     .cloud = true},
    {.c = {"212 base", "spec.mixedInstancesPolicy={onDemandBase: -1}",
           "spec.mixedInstancesPolicy.onDemandBase: Invalid value: -1: cannot be less than zero"},
     .cross = true,
     .cloud = true},
    {.c = {"212 base above max", "spec.mixedInstancesPolicy={onDemandBase: 9}",
           "spec.mixedInstancesPolicy.onDemandBase: Invalid value: 9: cannot be greater than max "
           "size"},
     .cross = true,
     .cloud = true},
    {.c = {"212 share", "spec.mixedInstancesPolicy={onDemandAboveBase: -1}",
           "spec.mixedInstancesPolicy.onDemandAboveBase: Invalid value: -1: cannot be less than 0"},
     .cross = true,
     .cloud = true},
    {.c = {"212 share above", "spec.mixedInstancesPolicy={onDemandAboveBase: 101}",
           "spec.mixedInstancesPolicy.onDemandAboveBase: Invalid value: 101: cannot be greater "
           "than 100"},
     .cross = true,
     .cloud = true},
    {.c = {"212 strategy", "spec.mixedInstancesPolicy={spotAllocationStrategy: x}",
           "spec.mixedInstancesPolicy.spotAllocationStrategy: Unsupported value: \"x\": supported "
           "values: \"lowest-price\", \"diversified\", \"capacity-optimized\", "
           "\"capacity-optimized-prioritized\", \"price-capacity-optimized\""},
     .cross = true,
     .cloud = true},
    {.c = {"213 zones", "spec.zones=", "spec.zones: Required value: zones should be specified"},
     .cluster_patch = "spec.cloudProvider=gce",
     .cross = true,
     .cloud = true},
    {.c = {"213 model",
           "spec.zones=[z]\n"
           "spec.gcpProvisioningModel=x",
           "spec.gcpProvisioningModel: Unsupported value: \"x\": supported values: \"STANDARD\", "
           "\"SPOT\""},
     .cluster_patch = "spec.cloudProvider=gce",
     .cross = true,
     .cloud = true},
};
