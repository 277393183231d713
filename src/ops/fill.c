/* Filling in what a cluster's manifest leaves open.
 *
 * What is filled in is decided in spec/assign.c; here is where the facts for it come from when no
 * cloud is asked. */
#include "ops/fill.h"

#include "base/log.h"
#include "base/version.h"
#include "ops/create_ig.h"
#include "spec/assign.h"

static void told(void *arg, const char *text)
{
    (void)arg;
    (void)text;
    ck_debug(2, "%s", text);
}

/* A channel that cannot be read leaves the version open; validation then says so. */
static const char *recommended(struct ck_arena *a, const struct ck_store *s,
                               const struct ck_object *cluster)
{
    const char *name = ck_str_at(cluster->root, "spec.channel");
    struct ck_channel channel = {0};
    struct ck_semver kops;
    CK_AUTOERR e = CK_ERR_INIT;
    if (!name[0] || strcmp(name, "none") == 0 || !ck_semver_parse(CK_S(CK_KOPS_VERSION), &kops))
        return NULL;
    if (ck_channel_load(a, s->vfs, &(struct ck_facts){.arena = a}, name, NULL, NULL, &channel,
                        &e)) {
        s->warn(s->warn_arg, ck_arena_printf(a, "%s", ck_err_msg(&e)));
        return NULL;
    }
    return ck_channel_recommended_kubernetes(&channel, &kops);
}

int ck_fill_cluster(struct ck_arena *a, const struct ck_store *s, struct ck_object *cluster,
                    struct ck_err *err)
{
    struct ck_assign_facts facts = {.assigned = told, .skipped = told};
    if (!ck_str_at(cluster->root, "spec.kubernetesVersion")[0])
        facts.kubernetes_version = recommended(a, s, cluster);
    return ck_assign_cluster(a, cluster, &facts, err);
}
