/* `store fsck`: what is wrong with a state store. Everything but options and printing is in
 * ops/fsck. kOps has nothing like it. */
#include "cmd/store/storecmd.h"

#include "base/clock.h"
#include "cmd/getout.h"
#include "doc/val.h"
#include "ops/fsck/fsck.h"
#include "store/keyset.h"

#include <string.h>

enum { FINDINGS = 2 };

struct fsck_opts {
    const char *output;
    bool repair, yes, notes;
};

static const char *const LEVELS[] = {"note", "warning", "error"};

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct fsck_opts *o = opts;
    if (ck_store_check_output(o->output, "table", err) < 0)
        return -(int)err->code;
    return ck_args_cluster_optional(ctx, opts, argc, argv, err);
}

static void print_json(struct ck_ctx *ctx, struct ck_arena *a, const struct ck_fsck *f)
{
    struct ck_val *m = ck_map(a), *l = ck_list(a);
    for (size_t i = 0; i < f->n; i++) {
        struct ck_val *x = ck_map(a);
        ck_set_str(a, x, "level", LEVELS[f->v[i].level]);
        ck_set_str(a, x, "rule", f->v[i].rule);
        ck_set_str(a, x, "path", f->v[i].path);
        ck_set_str(a, x, "text", f->v[i].text);
        if (f->v[i].repair)
            ck_set_str(a, x, "repair", f->v[i].repair);
        if (f->v[i].repaired)
            ck_set_bool(a, x, "repaired", true);
        ck_append(a, l, x);
    }
    ck_set_int(a, m, "clusters", (int64_t)f->clusters);
    ck_set_int(a, m, "files", (int64_t)f->files);
    ck_set(a, m, "findings", l);
    ck_store_print_json(ctx, m);
}

static void print_text(struct ck_ctx *ctx, const struct fsck_opts *o, const struct ck_fsck *f)
{
    size_t repairs = 0, done = 0;
    for (size_t i = 0; i < f->n; i++) {
        const struct ck_fsck_finding *x = &f->v[i];
        repairs += x->repair != NULL;
        done += x->repaired;
        if (x->level == CK_FSCK_NOTE && !o->notes)
            continue;
        ck_print(ctx, "%s: %s: %s [%s]", x->path, LEVELS[x->level], x->text, x->rule);
        if (x->repair)
            ck_print(ctx, "; %s: %s", x->repaired ? "repaired" : "repair", x->repair);
        ck_print(ctx, "\n");
    }
    ck_print(ctx, "%zu clusters, %zu files: %zu errors, %zu warnings, %zu notes\n", f->clusters,
             f->files, f->count[CK_FSCK_ERROR], f->count[CK_FSCK_WARNING], f->count[CK_FSCK_NOTE]);
    if (repairs > done && o->repair)
        ck_print(ctx, "\nMust specify --yes to repair\n");
    else if (repairs > done)
        ck_print(ctx, "%zu can be repaired: --repair --yes\n", repairs - done);
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct fsck_opts *o = opts;
    struct ck_store *s;
    struct ck_fsck found;
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    int r = ck_ctx_store(ctx, &s, err);
    if (r < 0)
        return r;
    const struct ck_fsck_opts run_opts = {.cluster = ctx->cluster_name ? ctx->cluster_name : "",
                                          .now_s = ck_now_s()};
    r = ck_fsck_run(a, s, &run_opts, &found, err);
    if (r < 0)
        return r;
    if (o->repair && o->yes)
        r = ck_fsck_repair(a, &found, err);
    if (strcmp(o->output, "json") == 0)
        print_json(ctx, a, &found);
    else
        print_text(ctx, o, &found);
    for (size_t i = 0; i < found.n; i++)
        if (found.v[i].level > CK_FSCK_NOTE && !found.v[i].repaired)
            ctx->exit_status = FINDINGS;
    return r;
}

#define O(member) .off = offsetof(struct fsck_opts, member), .given_off = CK_OPT_NO_GIVEN
static const struct ck_opt options[] = {
    {.name = "notes",
     .type = CK_OPT_BOOL,
     O(notes),
     .help = "also show what is no fault: updates not made yet, files of older versions"},
    CK_STORE_OUTPUT(struct fsck_opts, "table"),
    {.name = "repair",
     .type = CK_OPT_BOOL,
     O(repair),
     .help = "mend what can be mended without a choice; shown only, without --yes"},
    {.shorthand = 'y',
     .name = "yes",
     .type = CK_OPT_BOOL,
     O(yes),
     .help = "with --repair: go ahead"},
    {0},
};

const struct ck_cmd ck_cmd_store_fsck = {
    .name = "fsck",
    .use = "fsck [CLUSTER]",
    .brief = "Check every file of a store.",
    .detail = "Checks that every file of one cluster, or of all, is known, can be read, is valid, "
              "and agrees with the\nothers: names and labels, subnets and etcd members, keys and "
              "their certificates, the completed\nspecification, modes of local files. The exit "
              "status is 2 when there are errors or warnings.\nNothing is changed without --repair "
              "--yes, and then only modes and temporary files of local stores.",
    .example = "ckops store fsck --state s3://my-store\n"
               "ckops store fsck my.example.com -o json",
    .opts = options,
    .opts_size = sizeof(struct fsck_opts),
    .args = args,
    .run = run,
    .complete_args = ck_complete_clusters,
};
