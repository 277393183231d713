/* `store snapshot`: the present files of clusters as entries of the journal. kOps has nothing like
 * it. */
#include "cmd/frame/journal.h"
#include "cmd/store/storecmd.h"

#include "ops/journal/journal.h"

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    struct ck_store *s;
    CK_AUTOSTRV names = {0};
    struct ck_journal_who who;
    int r = ck_ctx_store(ctx, &s, err);
    if (r == 0 && !*ctx->cluster_name)
        r = ck_cluster_names(s, &names, err);
    if (r == 0 && !*ctx->cluster_name && !names.n)
        return ck_fail(err, CK_NOT_FOUND, "no clusters found in %s", s->url);
    if (*ctx->cluster_name)
        ck_strv_push(&names, ctx->cluster_name);
    ck_ctx_who(ctx, &who);
    for (size_t i = 0; r == 0 && i < names.n; i++) {
        size_t files = 0;
        r = ck_journal_snapshot(s, names.v[i], &who, &files, err);
        if (r == 0)
            ck_print(ctx, "Recorded %zu files of cluster \"%s\"\n", files, names.v[i]);
    }
    return r;
}

const struct ck_cmd ck_cmd_store_snapshot = {
    .name = "snapshot",
    .use = "snapshot [CLUSTER]",
    .brief = "Record the present files of a cluster in its journal.",
    .detail = "Records the files of one cluster, or of all, in the journal as they are now, so "
              "that they can be restored\nwhatever changes them later. Good to have when a "
              "journal begins, and after kOps itself has changed\nsomething. Needs no setting.",
    .example = "ckops store snapshot --state s3://my-store",
    .args = ck_args_cluster_optional,
    .run = run,
    .complete_args = ck_complete_clusters,
};
