/* Planning and storing an upgrade. Mirrors kOps cmd/kops/upgrade_cluster.go; what is proposed is
 * computed on copies, so that the plan is exactly what is stored. */
#include "ops/upgrade.h"

#include "ops/create_ig.h"
#include "ops/fill.h"
#include "ops/threeway.h"
#include "spec/kubeversion.h"
#include "spec/populate.h"
#include "spec/validate.h"

#include <stdio.h>
#include <string.h>

struct run {
    struct ck_arena *a;
    const struct ck_store *s;
    const struct ck_upgrade_opts *o;
    struct ck_upgrade *u;
    struct ck_facts facts;
    struct ck_channel channel;
};

static void add(struct run *r, const char *item, const char *property, const char *from,
                const char *to)
{
    struct ck_upgrade *u = r->u;
    if (u->n == u->cap) {
        size_t cap = u->cap ? u->cap * 2 : 16;
        struct ck_upgrade_step *v = ck_arena_alloc(r->a, cap * sizeof *v);
        if (u->n)
            memcpy(v, u->v, u->n * sizeof *v);
        u->v = v;
        u->cap = cap;
    }
    u->v[u->n++] = (struct ck_upgrade_step){item, property, from, to};
}

static void tell(const struct run *r, const char *text)
{
    if (r->o->note)
        r->o->note(r->o->arg, text);
}

static void warn(const struct run *r, const char *text)
{
    if (r->o->warn)
        r->o->warn(r->o->arg, text);
}

static int read_all(struct run *r, struct ck_err *err)
{
    struct ck_upgrade *u = r->u;
    int rc = ck_cluster_get_for_command(r->a, r->s, r->o->name, &u->old, err);
    if (rc == 0)
        rc = ck_ig_list(r->a, r->s, r->o->name, &u->old_groups, err);
    if (rc == 0)
        rc = ck_facts_from_env(r->a, r->o->env, &r->facts, err);
    if (rc < 0)
        return rc;
    u->cluster = ck_object_clone(r->a, &u->old.obj);
    u->groups = ck_arena_alloc(r->a, (u->old_groups.n + 1) * sizeof *u->groups);
    for (size_t i = 0; i < u->old_groups.n; i++)
        u->groups[i] = ck_object_clone(r->a, &u->old_groups.v[i].obj);
    return 0;
}

static int plan_channel(struct run *r, struct ck_err *err)
{
    struct ck_val *spec = ck_object_spec(&r->u->cluster);
    const char *now = ck_str_at(spec, "channel");
    const char *wanted = *r->o->channel ? r->o->channel : *now ? now : "stable";
    int rc = ck_channel_load(r->a, r->s->vfs, &r->facts, wanted, r->o->note, r->o->arg, &r->channel,
                             err);
    if (rc < 0)
        return rc;
    if (strcmp(now, wanted) != 0) {
        add(r, "Cluster", "Channel", now, wanted);
        ck_set_str(r->a, spec, "channel", wanted);
    }
    return 0;
}

/* The recommendation for the next minor version where this program knows that one, else for the
 * cluster's own; NULL when the channel has none. */
static const char *recommended(const struct run *r, const struct ck_semver *now)
{
    struct ck_semver kops, next = *now;
    const char *version = ck_facts_kops_version(&r->facts);
    if (!ck_semver_parse_tolerant(ck_slice_of(version ? version : r->o->kops_version), &kops))
        return NULL;
    if (now->major == kops.major && now->minor < kops.minor) {
        char text[64];
        snprintf(text, sizeof text, "%llu.%llu.0", (unsigned long long)now->major,
                 (unsigned long long)now->minor + 1);
        ck_semver_parse(ck_slice_of(text), &next);
    }
    const char *v =
        ck_str_at(ck_channel_kubernetes_entry(&r->channel, &next), "recommendedVersion");
    return *v ? v : NULL;
}

static int parse_wanted(const struct run *r, struct ck_semver *ret, struct ck_err *err)
{
    const char *text = r->o->kubernetes_version;
    if (ck_kube_version_parse(text, ret))
        return 0;
    return ck_fail(
        err, CK_INVALID,
        "cannot parse KubernetesVersion \"%s\": unable to parse kubernetes version \"%s\"", text,
        text);
}

/* *ret_version is what images are chosen for afterwards. */
static int plan_version(struct run *r, struct ck_semver *ret_version, bool *ret_known,
                        struct ck_err *err)
{
    struct ck_val *spec = ck_object_spec(&r->u->cluster);
    const char *now_text = ck_str_at(spec, "kubernetesVersion"), *wanted_text;
    struct ck_semver now, wanted;
    *ret_known = ck_kube_version_parse(now_text, &now);
    *ret_version = now;
    if (!*ret_known)
        warn(r, ck_arena_printf(r->a, "error parsing KubernetesVersion \"%s\"", now_text));
    if (*r->o->kubernetes_version) {
        int rc = parse_wanted(r, &wanted, err);
        if (rc < 0)
            return rc;
        wanted_text = r->o->kubernetes_version;
        wanted_text += *wanted_text == 'v';
    } else {
        wanted_text = *ret_known ? recommended(r, &now) : NULL;
        if (!wanted_text || !ck_kube_version_parse(wanted_text, &wanted))
            return 0;
    }
    int order = *ret_known ? ck_semver_cmp(&now, &wanted) : -1;
    if (order > 0)
        warn(r, ck_arena_printf(r->a,
                                "cluster version \"%s\" is greater than the desired version "
                                "\"%s\"",
                                now_text, wanted_text));
    if (order >= 0)
        return 0;
    add(r, "Cluster", "KubernetesVersion", now_text, wanted_text);
    ck_set_str(r->a, spec, "kubernetesVersion", wanted_text);
    *ret_version = wanted;
    *ret_known = true;
    return 0;
}

static void plan_image(struct run *r, struct ck_object *group, const struct ck_semver *version)
{
    const char *cloud = ck_str_at(r->u->cluster.root, "spec.cloudProvider");
    const char *name = ck_object_name(group), *image = ck_str_at(group->root, "spec.image");
    if (*image && !ck_channel_has_image(&r->channel, image)) {
        tell(r,
             ck_arena_printf(r->a,
                             "Custom image (%s) has been provided for Instance Group \"%s\"; not "
                             "updating image",
                             image, name));
        return;
    }
    const char *type = ck_str_at(group->root, "spec.machineType");
    const char *arch = *type ? ck_facts_architecture(&r->facts, cloud, type) : "amd64";
    const char *wanted = ck_channel_image(&r->channel, cloud, arch, version);
    if (!wanted) {
        warn(r, "No matching images specified in channel; cannot prompt for upgrade");
        return;
    }
    if (strcmp(image, wanted) == 0)
        return;
    add(r, ck_arena_printf(r->a, "InstanceGroup/%s", name), "Image", image, wanted);
    ck_set_str(r->a, ck_object_spec(group), "image", wanted);
}

int ck_upgrade_plan(struct ck_arena *a, const struct ck_store *s, const struct ck_upgrade_opts *o,
                    struct ck_upgrade *ret, struct ck_err *err)
{
    *ret = (struct ck_upgrade){0};
    struct run r = {.a = a, .s = s, .o = o, .u = ret};
    struct ck_semver version = {0};
    bool known = false;
    int rc = read_all(&r, err);
    if (rc == 0)
        rc = plan_channel(&r, err);
    if (rc == 0)
        rc = plan_version(&r, &version, &known, err);
    for (size_t i = 0; rc == 0 && known && i < ret->old_groups.n; i++)
        plan_image(&r, &ret->groups[i], &version);
    return rc;
}

/* ---- storing ---- */

static int check(struct run *r, struct ck_err *err)
{
    struct ck_upgrade *u = r->u;
    struct ck_validate_ctx ctx = {.arena = r->a, .features = r->s->features};
    struct ck_field_errs errs = {.arena = r->a};
    struct ck_object full;
    if (ck_fill_cluster(r->a, r->s, &u->cluster, err) < 0)
        return ck_wrap(err, "error populating configuration");
    ck_validate_cluster_update(&ctx, &u->cluster, &u->old.obj, &errs);
    if (ck_field_errs_fail(&errs, err) < 0)
        return -(int)CK_INVALID;
    const struct ck_populate_facts facts = {
        .features = r->s->features, .groups = u->groups, .n_groups = u->old_groups.n};
    if (ck_populate_cluster(r->a, &u->cluster, &facts, &full, err) < 0)
        return ck_wrap(err, "error populating cluster spec");
    for (size_t i = 0; i < u->old_groups.n; i++) {
        ck_validate_instance_group(&ctx, &u->groups[i], &errs);
        ck_cross_validate(&ctx, &u->groups[i], &full, &errs);
    }
    return ck_field_errs_fail(&errs, err);
}

int ck_upgrade_apply(struct ck_arena *a, const struct ck_store *s, const struct ck_upgrade_opts *o,
                     struct ck_upgrade *u, struct ck_err *err)
{
    struct run r = {.a = a, .s = s, .o = o, .u = u};
    struct ck_batch batch = {0};
    size_t failed = 0;
    int rc = check(&r, err);
    if (rc == 0)
        rc = ck_cluster_prepare_update(a, s, &u->old, &u->cluster, &batch, err);
    for (size_t i = 0; rc == 0 && i < u->old_groups.n; i++)
        if (!ck_object_spec_eq(&u->old_groups.v[i].obj, &u->groups[i]))
            rc = ck_ig_prepare_update(a, s, o->name, &u->old_groups.v[i], &u->groups[i], &batch,
                                      err);
    if (rc == 0)
        rc = ck_batch_commit(a, s, &batch, &failed, err);
    if (rc == -(int)CK_CONFLICT && failed == 0)
        ck_threeway_explain(a, s, &u->old, &u->cluster, err);
    return rc;
}
