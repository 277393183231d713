/* Defaults of new instance groups: machine type, image, subnets. */
#include "ops/group_defaults.h"

#include <string.h>

const char *ck_default_machine_type(const struct ck_facts *f, const char *cloud, const char *role,
                                    const char *arch)
{
    bool bastion = strcmp(role, "Bastion") == 0, arm = strcmp(arch, "arm64") == 0;
    const char *kops_role = strcmp(role, "Master") == 0 ? "ControlPlane" : role;
    const char *given = ck_facts_default_machine_type(f, cloud, kops_role);
    if (!given && f->root && strcmp(cloud, "aws") == 0)
        given = ck_facts_default_machine_type(f, cloud, "Node");
    if (given)
        return given;
    static const struct {
        const char *cloud, *type, *bastion;
    } fixed[] = {{"gce", "e2-medium", "e2-micro"},
                 {"digitalocean", "s-2vcpu-4gb-amd", "s-2vcpu-4gb-amd"},
                 {"hetzner", "cx23", "cx23"},
                 {"azure", "Standard_B2s", "Standard_B2s"},
                 {"scaleway", "DEV1-M", "DEV1-M"},
                 {"linode", "g6-standard-2", "g6-standard-1"},
                 {"alicloud", "ecs.n2.medium", "ecs.n2.small"}};
    /* The first of kOps' candidates: which of them a zone offers only AWS knows. */
    if (strcmp(cloud, "aws") == 0)
        return bastion ? (arm ? "t4g.micro" : "t3.micro") : (arm ? "t4g.medium" : "t3.medium");
    for (size_t i = 0; i < CK_ARRAY_LEN(fixed); i++)
        if (strcmp(cloud, fixed[i].cloud) == 0)
            return bastion ? fixed[i].bastion : fixed[i].type;
    return NULL;
}

const char *ck_default_image(const struct ck_channel *c, const char *cloud, const char *arch,
                             const struct ck_semver *kubernetes)
{
    static const struct {
        const char *cloud, *image;
    } fallback[] = {{"digitalocean", "ubuntu-24-04-x64"},
                    {"hetzner", "ubuntu-24.04"},
                    {"scaleway", "ubuntu_noble"},
                    {"linode", "linode/ubuntu24.04"},
                    {"metal", "dummy-metal-image"}};
    const char *image = ck_channel_image(c, cloud, arch, kubernetes);
    for (size_t i = 0; !image && i < CK_ARRAY_LEN(fallback); i++)
        if (strcmp(cloud, fallback[i].cloud) == 0)
            image = fallback[i].image;
    return image;
}

void ck_append_to(struct ck_arena *a, struct ck_val *map, const char *key, const char *s)
{
    struct ck_val *l = ck_get(map, key);
    if (!l) {
        l = ck_list(a);
        ck_set(a, map, key, l);
    }
    ck_append_str(a, l, s);
}

int ck_default_subnets(struct ck_arena *a, const struct ck_val *cluster_spec,
                       struct ck_val *ig_spec, const char *name, struct ck_err *err)
{
    const struct ck_val *l = ck_get(cluster_spec, "subnets");
    for (int pass = 0; pass < 2 && !ck_len(ck_get(ig_spec, "subnets")); pass++)
        for (size_t i = 0; i < ck_len(l); i++) {
            const char *type = ck_str_at(ck_item(l, i), "type");
            if (strcmp(type, "Utility") != 0 && (pass == 1 || strcmp(type, "DualStack") != 0))
                ck_append_to(a, ig_spec, "subnets", ck_str_at(ck_item(l, i), "name"));
        }
    if (!ck_len(ck_get(ig_spec, "subnets")))
        return ck_fail(err, CK_INVALID, "unable to infer any Subnets for InstanceGroup %s ", name);
    return 0;
}
