/* --set and --unset. */
#include "spec/featureflag.h"
#include "spec/object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fx {
    struct ck_arena *a;
    struct ck_err err;
    struct ck_object cluster, group;
};

static int setup(void **state)
{
    struct fx *f = calloc(1, sizeof *f);
    f->a = ck_arena_new();
    f->cluster = ck_object_new(f->a, CK_KIND_CLUSTER, "c.example.com");
    f->group = ck_object_new(f->a, CK_KIND_INSTANCE_GROUP, "nodes");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fx *f = *state;
    ck_arena_free(f->a);
    ck_err_done(&f->err);
    free(f);
    return 0;
}

/* Steps: "+PATH=VALUE" sets, "-PATH" unsets. Returns the YAML below "spec:", or the message. */
static const char *run(struct fx *f, struct ck_object *o, const char *const *steps)
{
    static const char *const head = "\nspec:\n";
    for (; *steps; steps++) {
        int rc = **steps == '+' ? ck_object_set(f->a, o, *steps + 1, &f->err)
                                : ck_object_unset(f->a, o, *steps + 1, &f->err);
        if (rc)
            return ck_arena_strdup(f->a, ck_err_msg(&f->err));
    }
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_object_yaml(f->a, &b, o);
    const char *spec = strstr(ck_buf_str(&b), head);
    return spec ? ck_arena_strdup(f->a, spec + strlen(head)) : "";
}

static const struct {
    const char *steps[5];
    const char *result;
} clusters[] = {
    /* messages */
    {{"+spec.kubernetesVersion"}, "unhandled field: \"spec.kubernetesVersion\""},
    {{"+spec.nope=1"}, "field spec.nope not found in *Cluster"},
    {{"-spec.nope"}, "field spec.nope not found in *Cluster"},
    {{"+spec.kubelet.maxPods=abc"},
     "cannot set field \"spec.kubelet.maxPods\": cannot interpret \"abc\" value as int32"},
    {{"+spec.networking.cilium.enableNodePort=maybe"},
     "cannot set field \"spec.networking.cilium.enableNodePort\": cannot interpret \"maybe\" value "
     "as bool"},
    {{"+spec.etcdClusters[x=1"},
     "cannot parse field path \"spec.etcdClusters[x\": unexpected token -2 (x)"},
    {{"+spec.cloud-labels=a=b"},
     "cannot parse field path \"spec.cloud-labels\": unexpected token 45 (-)"},
    {{"+spec.nodeLabels[a]=b"},
     "cannot parse field path \"spec.nodeLabels[a]\": unexpected token -2 (a)"},
    {{"+spec.etcdClusters[5].version=3"},
     "field spec.etcdClusters[5].version not found in *Cluster"},
    {{"+spec.masterInternalName=x"}, "field spec.masterInternalName not found in *Cluster"},
    {{"-spec.kubelet.maxPods"}, "field spec.kubelet.maxPods not found in *Cluster"},
    {{"+spec.kubelet=x"},
     "cannot set field \"spec.kubelet\": unhandled type \"*kops.KubeletConfigSpec\""},
    {{"+spec.kubelet.nodeStatusUpdateFrequency=x"},
     "cannot set field \"spec.kubelet.nodeStatusUpdateFrequency\": cannot interpret \"x\" value as "
     "v1.Duration"},
    {{"+spec.cloudProvider=aws", "+spec.cloudProvider.gce.multizone=true"},
     "spec.cloudConfig.multizone: Forbidden: multizone supports only GCE"},
    {{"+spec.cloudProvider=foo"},
     "spec.cloudProvider: Unsupported value: \"foo\": supported values: \"gce\", "
     "\"digitalocean\", \"azure\", \"aws\", \"hetzner\", \"linode\", \"openstack\", "
     "\"scaleway\""},
    {{"+spec.channel=a\xff"}, "the value is not valid UTF-8"},
    /* scalars, with and without the prefix, "/" as a separator */
    {{"+spec.kubernetesVersion=1.34.3"}, "  kubernetesVersion: 1.34.3\n"},
    {{"+cluster.spec.kubelet.maxPods=50"}, "  kubelet:\n    maxPods: 50\n"},
    {{"+spec/kubelet/anonymousAuth=F"}, "  kubelet:\n    anonymousAuth: false\n"},
    {{"+spec.kubelet.nodeStatusUpdateFrequency=90s"},
     "  kubelet:\n    nodeStatusUpdateFrequency: 1m30s\n"},
    {{"+spec.kubeAPIServer.cpuRequest=0.5"}, "  kubeAPIServer:\n    cpuRequest: 500m\n"},
    {{"+spec.rollingUpdate.maxSurge=3", "+spec.rollingUpdate.maxUnavailable=10%"},
     "  rollingUpdate:\n    maxSurge: 3\n    maxUnavailable: 10%\n"},
    /* internal names end up where v1alpha2 has them */
    {{"+spec.networking.networkCIDR=10.0.0.0/8"}, "  networkCIDR: 10.0.0.0/8\n"},
    {{"+spec.networking.topology.dns=Private"}, "  topology:\n    dns:\n      type: Private\n"},
    {{"+spec.networking.tagSubnets=false"}, "  DisableSubnetTags: true\n"},
    {{"+spec.cloudProvider.aws.ebsCSIDriver.version=v1"},
     "  cloudConfig:\n    awsEBSCSIDriver:\n      version: v1\n"},
    {{"+spec.controlPlaneKubelet.maxPods=3"}, "  masterKubelet:\n    maxPods: 3\n"},
    {{"+spec.authentication.oidc.groupsClaims=a", "+spec.authentication.oidc.groupsClaims=b,c"},
     "  authentication: {}\n  kubeAPIServer:\n    oidcGroupsClaim: a,b,c\n"},
    {{"+spec.authentication.oidc.requiredClaims=k=v"},
     "  authentication: {}\n  kubeAPIServer:\n    oidcRequiredClaim:\n    - k=v\n"},
    {{"+spec.externalDNS.provider=none"}, "  externalDns:\n    disable: true\n"},
    {{"+spec.externalDNS.provider=none", "+spec.externalDNS.provider=external-dns"},
     "  externalDns:\n    provider: external-dns\n"},
    {{"+spec.hooks[0].enabled=true"}, "  hooks:\n  - disabled: false\n"},
    {{"+spec.networking.subnets[0].name=a"}, "  subnets:\n  - name: a\n"},
    /* v1alpha2 names, the five aliases among them */
    {{"+spec.masterPublicName=api"}, "  masterPublicName: api\n"},
    {{"+spec.topology.dns.type=None"}, "  topology:\n    dns:\n      type: None\n"},
    {{"+spec.topology.bastion.loadBalancer.type=Public"},
     "  topology:\n    bastion:\n      loadBalancer:\n        type: Public\n"},
    {{"+spec.externalDns.provider=dns-controller"},
     "  externalDns:\n    provider: dns-controller\n"},
    {{"+spec.externalDns.priorityClassName=p"}, "  externalDns:\n    priorityClassName: p\n"},
    {{"+spec.cloudProvider=gce"}, "  cloudProvider: gce\n"},
    {{"+spec.subnets[0].name=a"}, "  subnets:\n  - name: a\n"},
    {{"+spec.DisableSubnetTags=true"}, "  DisableSubnetTags: true\n"},
    {{"+spec.kubelet.nodeLabels=a=b"}, "  kubelet:\n    nodeLabels:\n      a: b\n"},
    /* lists grow, maps merge, structures appear */
    {{"+spec.sshAccess=10.0.0.0/8,10.1.0.0/16", "+spec.sshAccess=10.2.0.0/16"},
     "  sshAccess:\n  - 10.0.0.0/8\n  - 10.1.0.0/16\n  - 10.2.0.0/16\n"},
    {{"+spec.sshAccess=a,b", "+spec.sshAccess[1]=c", "+spec.sshAccess[2]=d"},
     "  sshAccess:\n  - a\n  - c\n  - d\n"},
    {{"+spec.cloudLabels=a=b", "+spec.cloudLabels=c=d=e", "+spec.cloudLabels=a=x"},
     "  cloudLabels:\n    a: x\n    c: d=e\n"},
    {{"+spec.kubelet="}, "  kubelet: {}\n"},
    {{"+spec.networking.cilium=", "-spec.networking.cilium", "+spec.networking.calico="},
     "  networking:\n    calico: {}\n"},
    {{"+spec.etcdClusters[0].name=main", "+spec.etcdClusters[1].name=events",
      "+spec.etcdClusters[*].manager.backupRetentionDays=10"},
     "  etcdClusters:\n  - manager:\n      backupRetentionDays: 10\n    name: main\n"
     "  - manager:\n      backupRetentionDays: 10\n    name: events\n"},
    {{"+spec.networking.amazonVPC.env=WARM=1"},
     "  networking:\n    amazonvpc:\n      env:\n      - name: WARM\n        value: \"1\"\n"},
    {{"+spec.containerd.registryMirrors=docker.io=https://a,https://b"},
     "  containerd:\n    registryMirrors:\n      docker.io:\n      - https://a\n      - "
     "https://b\n"},
    /* unset */
    {{"+spec.sshAccess=a", "+spec.channel=c", "-spec.sshAccess"}, "  channel: c\n"},
    {{"+spec.kubelet.maxPods=3", "+spec.kubelet.anonymousAuth=true", "-spec.kubelet.maxPods"},
     "  kubelet:\n    anonymousAuth: true\n"},
    {{"+spec.channel=c", "+spec.configStore.base=b", "+spec.configStore.secrets=s",
      "-spec.configStore"},
     "  channel: c\n"},
    {{"+spec.channel=c", "+spec.networking.cni=", "+spec.networking.networkCIDR=n",
      "-spec.networking"},
     "  channel: c\n"},
    {{"+spec.channel=c", "+spec.externalDNS.provider=none", "-spec.externalDNS.provider"},
     "  channel: c\n  externalDns: {}\n"},
};

static const struct {
    const char *steps[5];
    const char *result;
} groups[] = {
    {{"+spec.nope=1"}, "field spec.nope not found in *InstanceGroup"},
    {{"+spec.maxSize=9"}, "  maxSize: 9\n"},
    {{"+instancegroup.spec.nodeLabels=foo=bar"}, "  nodeLabels:\n    foo: bar\n"},
    {{"+spec.role=ControlPlane"}, "  role: Master\n"},
    {{"+spec.role=Bogus"}, "  role: Bogus\n"},
    {{"+spec.rootVolume.size=9"}, "  rootVolumeSize: 9\n"},
    {{"+spec.rootVolumeSize=9"}, "  rootVolumeSize: 9\n"},
    {{"+spec.rootVolume.size=9", "+spec.rootVolume.type=gp3", "+spec.maxSize=1",
      "-spec.rootVolume"},
     "  maxSize: 1\n"},
    {{"+spec.associatePublicIP=true"}, "  associatePublicIp: true\n"},
    {{"+spec.autoscalePriority=40000"},
     "cannot set field \"spec.autoscalePriority\": cannot interpret \"40000\" value as int16"},
    {{"+spec.mixedInstancesPolicy.instances=t3.large,t3.small"},
     "  mixedInstancesPolicy:\n    instances:\n    - t3.large\n    - t3.small\n"},
    {{"+spec.hooks[0].enabled=true"}, "  hooks:\n  - disabled: true\n"},
};

static void clusters_are_set_as_kops_sets_them(void **state)
{
    struct fx *f = *state;
    for (size_t i = 0; i < CK_ARRAY_LEN(clusters); i++) {
        struct ck_object o = ck_object_clone(f->a, &f->cluster);
        assert_string_equal(run(f, &o, clusters[i].steps), clusters[i].result);
    }
}

static void groups_are_set_as_kops_sets_them(void **state)
{
    struct fx *f = *state;
    for (size_t i = 0; i < CK_ARRAY_LEN(groups); i++) {
        struct ck_object o = ck_object_clone(f->a, &f->group);
        assert_string_equal(run(f, &o, groups[i].steps), groups[i].result);
    }
}

static void other_objects_have_no_fields(void **state)
{
    struct fx *f = *state;
    struct ck_object o = {.kind = CK_KIND_OTHER, .root = ck_map(f->a)};
    assert_int_equal(ck_object_set(f->a, &o, "data.x=1", &f->err), -CK_INVALID);
}

static void note_unknown(void *arg, const char *item)
{
    strcpy(arg, item);
}

static void feature_flags_switch_on_and_off(void **state)
{
    (void)state;
    struct ck_feature_flags f;
    char unknown[32] = "";
    ck_feature_flags_parse(&f, NULL, NULL, NULL);
    assert_true(f.on[CK_FF_IMAGE_DIGEST] && f.on[CK_FF_TERRAFORM_MANAGED_FILES]);
    assert_false(f.on[CK_FF_METAL]);
    ck_feature_flags_parse(&f, " -ImageDigest, +Metal,Azure,-Nope,", note_unknown, unknown);
    assert_false(f.on[CK_FF_IMAGE_DIGEST]);
    assert_true(f.on[CK_FF_METAL] && f.on[CK_FF_AZURE]);
    assert_string_equal(unknown, "Nope");
    assert_string_equal(ck_feature_name(CK_FF_GOOGLE_CLOUD_BUCKET_ACL), "GoogleCloudBucketAcl");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(clusters_are_set_as_kops_sets_them),
        T(groups_are_set_as_kops_sets_them),
        T(other_objects_have_no_fields),
        T(feature_flags_switch_on_and_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
