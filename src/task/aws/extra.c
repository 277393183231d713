/* Finding what is left over: objects that carry the cluster's tags and that no task wants. */
#include "task/aws/find.h"

#include <string.h>

/* Tags of those who make objects in a cluster's name and look after them themselves: the storage
 * and load-balancer controllers, the cloud controller, Karpenter. */
static bool has_other_owner(const struct ck_val *tags)
{
    static const char *const theirs[] = {
        "kubernetes.io/created-for/",
        "kubernetes.io/service-name",
        "ebs.csi.aws.com/",
        "CSIVolumeName",
        "elbv2.k8s.aws/",
        "service.k8s.aws/",
        "ingress.k8s.aws/",
        "karpenter.sh/",
        "node.k8s.amazonaws.com/",
    };
    for (size_t i = 0; i < ck_len(tags); i++)
        for (size_t k = 0; k < sizeof theirs / sizeof *theirs; k++)
            if (ck_slice_starts(tags->map.v[i].key, theirs[k]))
                return true;
    return false;
}

bool ck_aws_owned(const struct ck_aws_read *w, const struct ck_val *tags)
{
    const char *mark = ck_arena_printf(w->a, "kubernetes.io/cluster/%s", w->cluster);
    return ck_is_str(ck_get(tags, "KubernetesCluster"), w->cluster) &&
           ck_is_str(ck_get(tags, mark), "owned") && !has_other_owner(tags);
}

/* Addresses and gateways that are on their way out are listed for a while. */
static bool is_gone(const struct ck_val *item)
{
    const char *state = ck_str_at(item, "state");
    return !strcmp(state, "deleted") || !strcmp(state, "deleting");
}

int ck_aws_ec2_extras(struct ck_aws_read *w, const struct ck_tasks *wanted,
                      const struct ck_task_kind *kind, const struct ck_aws_ec2_list *l,
                      struct ck_extras *ret, struct ck_err *err)
{
    const struct ck_val *reply;
    int r = ck_aws_query(w, "ec2", l->action, NULL, &reply, err);
    if (r)
        return r;
    const struct ck_val *items = ck_aws_items(w, reply, l->set);
    for (size_t i = 0; i < ck_len(items); i++) {
        const struct ck_val *item = ck_item(items, i);
        const struct ck_val *tags = ck_aws_tag_map(w, ck_get(item, "tagSet"));
        const char *name = l->name_key ? ck_str_at(item, l->name_key) : ck_str_at(tags, "Name");
        if (!ck_aws_owned(w, tags) || is_gone(item) || ck_tasks_find(wanted, kind, name))
            continue;
        if (l->only && !l->only(tags))
            continue;
        ck_extras_add(ret, kind, name, ck_str_at(item, l->id_key), false);
    }
    return 0;
}

int ck_aws_child_extras(struct ck_aws_read *w, const struct ck_tasks *wanted,
                        const struct ck_aws_children *c, struct ck_extras *ret, struct ck_err *err)
{
    size_t at = 0;
    for (const struct ck_task *t; (t = ck_aws_next(wanted, c->of, &at));) {
        const char *id = ck_aws_id(w, t);
        const struct ck_val *items = NULL;
        int r = id ? c->list(w, id, &items, err) : 0;
        if (r)
            return r;
        for (size_t i = 0; i < ck_len(items); i++)
            c->look(w, wanted, t, ck_item(items, i), ret);
    }
    return 0;
}

const struct ck_task *ck_aws_next(const struct ck_tasks *set, const struct ck_task_kind *kind,
                                  size_t *at)
{
    while (*at < set->n) {
        const struct ck_task *t = set->v[(*at)++];
        if (t->kind == kind && t->lifecycle != CK_LIFECYCLE_IGNORE)
            return t;
    }
    return NULL;
}
