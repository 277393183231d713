/* Tags of owned and shared objects and of instance groups; names made of the cluster's.
 *
 * Source: shared facts update-cluster-aws.md §3, §4; kOps pkg/model/context.go. */
#include "model/aws/builders.h"

#include <stdlib.h>
#include <string.h>

static void merge(struct ck_arena *a, struct ck_val *into, const struct ck_val *from)
{
    for (size_t i = 0; i < ck_len(from); i++)
        ck_setn(a, into, from->map.v[i].key, from->map.v[i].val);
}

struct ck_val *ck_aws_tags(const struct ck_model *m, const char *name, bool shared)
{
    struct ck_val *t = ck_map(m->a);
    const char *ownership = ck_arena_printf(m->a, "kubernetes.io/cluster/%s", m->name);
    if (shared) {
        ck_set_str(m->a, t, ownership, "shared");
        return t;
    }
    if (*name)
        ck_set_str(m->a, t, "Name", name);
    ck_set_str(m->a, t, "KubernetesCluster", m->name);
    ck_set_str(m->a, t, ownership, "owned");
    merge(m->a, t, ck_get(m->spec, "cloudLabels"));
    return t;
}

/* key=value:effect → autoscaler's hint about a taint. */
static void taint_tags(const struct ck_model *m, const struct ck_val *taints, struct ck_val *t)
{
    for (size_t i = 0; i < ck_len(taints); i++) {
        const char *text = ck_str_or(ck_item(taints, i), "");
        const char *eq = strchr(text, '=');
        if (!eq)
            continue;
        ck_set_str(m->a, t,
                   ck_arena_printf(m->a, "k8s.io/cluster-autoscaler/node-template/taint/%.*s",
                                   (int)(eq - text), text),
                   eq + 1);
    }
}

static void role_tags(const struct ck_model *m, enum ck_role role, struct ck_val *t)
{
    if (role == CK_ROLE_CONTROL_PLANE) {
        ck_set_str(m->a, t, "k8s.io/role/master", "1");
        ck_set_str(m->a, t, "k8s.io/role/control-plane", "1");
    } else {
        ck_set_str(m->a, t, ck_arena_printf(m->a, "k8s.io/role/%s", ck_model_role_lower(role)),
                   "1");
    }
}

struct ck_val *ck_aws_group_tags(const struct ck_model *m, const struct ck_object *group)
{
    struct ck_val *t = ck_aws_tags(m, ck_model_group_name(m, group), false);
    const struct ck_val *spec = ck_object_spec(group);
    merge(m->a, t, ck_get(spec, "cloudLabels"));
    if (ck_aws_uses_queue(m)) {
        const char *key = ck_str_at(m->spec, "nodeTerminationHandler.managedASGTag");
        if (!*key)
            key = "aws-node-termination-handler/managed";
        if (!ck_get(t, key))
            ck_set_str(m->a, t, key, "");
    }
    const struct ck_val *labels = ck_model_node_labels(m, group);
    for (size_t i = 0; i < ck_len(labels); i++)
        ck_set(m->a, t,
               ck_arena_printf(m->a, "k8s.io/cluster-autoscaler/node-template/label/%s",
                               labels->map.v[i].key.ptr),
               labels->map.v[i].val);
    taint_tags(m, ck_get(spec, "taints"), t);
    role_tags(m, ck_model_role(group), t);
    ck_set_str(m->a, t, "kops.k8s.io/instancegroup", ck_object_name(group));
    return t;
}

const char *ck_aws_subnet_task(const struct ck_model *m, const char *subnet)
{
    return ck_arena_printf(m->a, "%s.%s", subnet, m->name);
}

const char *ck_aws_role_plural(enum ck_role role)
{
    static const char *const names[] = {
        [CK_ROLE_CONTROL_PLANE] = "masters",
        [CK_ROLE_API_SERVER] = "apiservers",
        [CK_ROLE_NODE] = "nodes",
        [CK_ROLE_BASTION] = "bastions",
    };
    return names[role];
}

const char *ck_aws_role_task(const struct ck_model *m, enum ck_role role)
{
    enum { MAX_ROLE = 64 };
    return ck_model_truncate(
        m->a, ck_arena_printf(m->a, "%s.%s", ck_aws_role_plural(role), m->name), MAX_ROLE, false);
}

const char *ck_aws_queue_name(const struct ck_model *m)
{
    enum { MAX_QUEUE = 75 };
    char *name = ck_arena_strdup(m->a, m->name);
    for (char *p = name; *p; p++)
        if (*p == '.')
            *p = '-';
    return ck_arena_printf(m->a, "%s-nth", ck_model_truncate(m->a, name, MAX_QUEUE, false));
}

bool ck_aws_uses_queue(const struct ck_model *m)
{
    const struct ck_val *nth = ck_get(m->spec, "nodeTerminationHandler");
    return ck_bool_at(nth, "enabled", false) &&
           ck_bool_at(nth, "enableSQSTerminationDraining", true);
}

const struct ck_val *ck_aws_subnet_of(const struct ck_model *m, const char *name)
{
    const struct ck_val *subnets = ck_get(m->spec, "subnets");
    for (size_t i = 0; i < ck_len(subnets); i++)
        if (ck_is_str(ck_get(ck_item(subnets, i), "name"), name))
            return ck_item(subnets, i);
    return NULL;
}

bool ck_aws_subnet_type(const struct ck_val *subnet, const char *type)
{
    return ck_is_str(ck_get(subnet, "type"), type);
}

/* A subnet that control-plane groups use counts 1, a dual-stack one 2, a utility one 3. */
static int score(const struct ck_model *m, const struct ck_val *subnet)
{
    int s = ck_aws_subnet_type(subnet, "DualStack") ? 2
            : ck_aws_subnet_type(subnet, "Utility") ? 3
                                                    : 0;
    for (size_t i = 0; i < m->n_groups; i++)
        if (ck_model_role(&m->groups[i]) == CK_ROLE_CONTROL_PLANE &&
            ck_list_has_str(ck_at(m->groups[i].root, "spec.subnets"), ck_str_at(subnet, "name")))
            return s + 1;
    return s;
}

static bool better(const struct ck_model *m, const struct ck_val *x, const struct ck_val *y)
{
    int a = score(m, x), b = score(m, y);
    return a != b ? a > b : strcmp(ck_str_at(x, "name"), ck_str_at(y, "name")) < 0;
}

struct ck_val *ck_aws_balancer_subnets(const struct ck_model *m, bool internal)
{
    struct ck_val *best = ck_map(m->a); /* zone → subnet */
    const struct ck_val *subnets = ck_get(m->spec, "subnets");
    for (size_t i = 0; i < ck_len(subnets); i++) {
        struct ck_val *s = ck_item(subnets, i);
        bool fits = internal
                        ? ck_aws_subnet_type(s, "Private") || ck_aws_subnet_type(s, "DualStack")
                        : ck_aws_subnet_type(s, "Public") || ck_aws_subnet_type(s, "Utility");
        const char *zone = ck_str_at(s, "zone");
        const struct ck_val *have = ck_get(best, zone);
        if (fits && (!have || better(m, s, have)))
            ck_set(m->a, best, zone, s);
    }
    struct ck_val *list = ck_list(m->a);
    for (size_t i = 0; i < ck_len(best); i++)
        ck_append(m->a, list, best->map.v[i].val);
    return list;
}
