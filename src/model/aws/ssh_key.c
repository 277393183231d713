/* The SSH key of the instances.
 *
 * Source: shared facts update-cluster-aws.md §12; kOps pkg/model/awsmodel/sshkey.go, context.go. */
#include "model/aws/builders.h"

#include <string.h>

/* The task's name, or NULL when instances get no key. */
static const char *key_name(const struct ck_model *m)
{
    const struct ck_val *named = ck_get(m->spec, "sshKeyName");
    if (named)
        return *ck_str_or(named, "") ? ck_str_or(named, "") : NULL;
    if (!m->n_ssh_keys)
        return NULL;
    return ck_arena_printf(m->a, "kubernetes.%s-%s", m->name, m->ssh_keys[0].id);
}

int ck_aws_build_ssh_key(struct ck_model *m, struct ck_err *err)
{
    const char *name = key_name(m);
    if (!name)
        return 0;
    if (m->n_ssh_keys > 1)
        return ck_fail(err, CK_INVALID,
                       "exactly one SSH public key can be used on AWS, the cluster has %zu; delete "
                       "them with `ckops delete sshpublickey %s` and add the one to use",
                       m->n_ssh_keys, m->name);
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_ssh_key, name, m->security);
    bool shared = ck_get(m->spec, "sshKeyName") != NULL;
    ck_task_bool(t, "Shared", shared);
    ck_task_val(t, "Tags", ck_aws_tags(m, m->name, false));
    if (!shared)
        ck_task_bytes(t, "PublicKey", ck_slice_of(m->ssh_keys[0].text));
    return 0;
}
