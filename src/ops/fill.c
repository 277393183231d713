/* Filling in what a cluster's manifest leaves open.
 *
 * What is filled in is decided in spec/assign.c; here is where the facts for it come from when no
 * cloud is asked. */
#include "ops/fill.h"

#include "base/log.h"
#include "base/version.h"
#include "spec/assign.h"
#include "spec/channel.h"

enum { CHANNEL_MAX = 4 << 20 };

static void told(void *arg, const char *text)
{
    (void)arg;
    (void)text;
    ck_debug(2, "%s", text);
}

static int load_channel(struct ck_arena *a, const struct ck_store *s, const char *name,
                        struct ck_channel *ret, struct ck_err *err)
{
    if (!strchr(name, '/'))
        return ck_channel_builtin(a, name, ret, err);
    CK_AUTOBUF struct ck_buf text = CK_BUF_MAX(CHANNEL_MAX);
    int r = ck_vfs_read_location(s->vfs, name, &text, err);
    return r ? r : ck_channel_parse(a, ck_arena_slice(a, ck_buf_slice(&text)), ret, err);
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
    if (load_channel(a, s, name, &channel, &e)) {
        s->warn(s->warn_arg,
                ck_arena_printf(a, "channel \"%s\" cannot be read: %s", name, ck_err_msg(&e)));
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
