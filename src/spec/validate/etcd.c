/* Etcd clusters and where their backups lie (rules 130–137, 172–174). Mirrors
 * validateEtcdClusterSpec and its neighbours in kOps pkg/apis/kops/validation/validation.go. */
#include "spec/validate/rules.h"

#include <string.h>

/* Rule 133. */
static void check_version(struct ck_chk *c, struct ck_fld cluster)
{
    struct ck_fld f = ck_fld_at(c, cluster, "version", NULL);
    const char *s = ck_fld_str(f);
    struct ck_semver v;
    if (!*s) {
        if (*ck_str_at(cluster.v, "image"))
            ck_chk_required(c, f, "version must be set when image is set");
        return;
    }
    if (!ck_semver_parse(ck_slice_of(*s == 'v' ? s + 1 : s), &v))
        ck_chk_invalid(c, f, "the storage version is invalid");
    else if (v.major != 3)
        ck_chk_invalid(c, f, "unsupported storage version, we only support major version 3");
}

/* Rules 131–134. */
static void check_cluster(struct ck_chk *c, struct ck_fld f)
{
    ck_chk_must_be_of(c, ck_fld_at(c, f, "name", NULL),
                      CK_ONE_OF("cilium", "main", "events", "leases"));
    ck_chk_one_of_set(c, ck_fld_at(c, f, "provider", NULL), CK_ONE_OF("Manager"));
    struct ck_fld members = ck_fld_at(c, f, "etcdMembers", NULL);
    size_t n = ck_len(members.v);
    if (!n)
        ck_chk_required(c, members, "No members defined in etcd cluster");
    else if (n % 2 == 0)
        ck_chk_invalid_int(
            c, members, (int64_t)n,
            "Should be an odd number of control-plane-zones for quorum. Use --zones "
            "and --control-plane-zones to declare node zones and control-plane zones "
            "separately");
    check_version(c, f);
    for (size_t i = 0; i < n; i++) {
        struct ck_fld m = ck_fld_item(c, members, i);
        struct ck_fld name = ck_fld_at(c, m, "name", NULL);
        struct ck_fld group = ck_fld_at(c, m, "instanceGroup", NULL);
        if (!ck_fld_set(name))
            ck_chk_required(c, name, "etcdMember did not have name");
        if (!ck_fld_set(group))
            ck_chk_required(c, group, "etcdMember did not have instanceGroup");
    }
}

/* Rules 135 and 136. */
static void check_together(struct ck_chk *c, struct ck_fld list)
{
    size_t n = ck_len(list.v);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            if (strcmp(ck_str_at(ck_item(list.v, i), "name"),
                       ck_str_at(ck_item(list.v, j), "name")) != 0)
                continue;
            ck_chk_forbidden(c, ck_fld_at(c, ck_fld_item(c, list, 0), "backupStore", NULL),
                             "the backup store must be unique for each etcd cluster");
            break;
        }
    const char *first = ck_str_at(ck_item(list.v, 0), "version");
    for (size_t i = 1; i < n; i++) {
        struct ck_fld f = ck_fld_item(c, list, i);
        const char *version = ck_str_at(f.v, "version");
        if (*version && strcmp(version, first) != 0)
            ck_chk_forbidden(c, ck_fld_at(c, f, "version", NULL),
                             "cluster: \"%s\", has a different storage version: \"%s\", both must "
                             "be the same",
                             ck_str_at(f.v, "name"), version);
    }
}

static struct ck_slice blob_account(const char *url)
{
    static const char scheme[] = "azureblob://";
    if (!ck_str_starts(url, scheme))
        return (struct ck_slice){NULL, 0};
    const char *p = url + sizeof scheme - 1;
    return ck_slice_n(p, strcspn(p, "/"));
}

/* Rule 137, for one location. */
static void check_blob(struct ck_chk *c, struct ck_fld f)
{
    struct ck_slice account = blob_account(ck_fld_str(f));
    struct ck_slice base = blob_account(ck_spec_str(c, "configBase"));
    if (!account.ptr)
        return;
    if (!base.ptr)
        ck_chk_invalid(c, f, "azureblob:// URL requires configStore.base to also be azureblob://");
    else if (!ck_slice_eq(account, base))
        ck_chk_invalid(c, f,
                       "storage account \"%.*s\" does not match configStore.base account \"%.*s\"",
                       CK_SARG(account), CK_SARG(base));
}

void ck_chk_etcd(struct ck_chk *c, struct ck_fld spec)
{
    struct ck_fld list = ck_fld_at(c, spec, "etcdClusters", NULL);
    if (!ck_len(list.v))
        ck_chk_required(c, list, "");
    for (size_t i = 0; i < ck_len(list.v); i++)
        check_cluster(c, ck_fld_item(c, list, i));
    if (ck_len(list.v))
        check_together(c, list);
    check_blob(c, ck_fld_at(c, spec, "keyStore", "configStore.keypairs"));
    check_blob(c, ck_fld_at(c, spec, "secretStore", "configStore.secrets"));
    for (size_t i = 0; i < ck_len(list.v); i++)
        check_blob(c, ck_fld_at(c, ck_fld_item(c, list, i), "backups.backupStore", NULL));
}

static const struct ck_val *by_name(const struct ck_val *list, const char *name)
{
    for (size_t i = 0; i < ck_len(list); i++)
        if (!strcmp(ck_str_at(ck_item(list, i), "name"), name))
            return ck_item(list, i);
    return NULL;
}

/* Rules 173 and 174: what a running etcd cluster cannot change. */
static void check_changed(struct ck_chk *c, struct ck_fld f, const struct ck_val *old)
{
    struct ck_fld image = ck_fld_at(c, f, "image", NULL);
    struct ck_fld version = ck_fld_at(c, f, "version", NULL);
    if (ck_fld_set(image) && strcmp(ck_fld_str(image), ck_str_at(old, "image")) != 0)
        ck_chk_forbidden(c, image, "image can only be set when creating a new etcd cluster");
    if (*ck_str_at(old, "image") && strcmp(ck_fld_str(version), ck_str_at(old, "version")) != 0)
        ck_chk_forbidden(c, version, "version cannot be changed when image is set");
    struct ck_fld members = ck_fld_at(c, f, "etcdMembers", NULL);
    for (size_t i = 0; i < ck_len(members.v); i++) {
        struct ck_fld m = ck_fld_item(c, members, i);
        const char *name = ck_str_at(m.v, "name");
        const struct ck_val *was = by_name(ck_get(old, "etcdMembers"), name);
        struct ck_fld group = ck_fld_at(c, m, "instanceGroup", NULL);
        if (!was || !strcmp(ck_str_at(was, "instanceGroup"), ck_fld_str(group)))
            continue;
        ck_chk_forbidden(
            c,
            ck_fld_named(group, ck_arena_printf(c->a, "%s[%s].instanceGroup", members.path, name)),
            "instanceGroup cannot be changed");
    }
}

void ck_chk_etcd_update(struct ck_chk *c, struct ck_fld now, const struct ck_val *old)
{
    for (size_t i = 0; i < ck_len(now.v) && c->ctx->etcd_running; i++) {
        struct ck_fld f = ck_fld_item(c, now, i);
        const char *name = ck_str_at(f.v, "name");
        const struct ck_val *was = by_name(old, name);
        f.path = ck_arena_printf(c->a, "%s[%s]", now.path, name);
        if (was && c->ctx->etcd_running(c->ctx->etcd_arg, name))
            check_changed(c, f, was);
    }
    for (size_t i = 0; i < ck_len(old); i++) {
        const char *name = ck_str_at(ck_item(old, i), "name");
        if (by_name(now.v, name))
            continue;
        struct ck_fld f = {.path = ck_arena_printf(c->a, "%s[%s]", now.path, name),
                           .near = now.near};
        ck_chk_forbidden(c, f, "EtcdClusters cannot be removed");
    }
}
