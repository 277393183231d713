/* `store copy` and `store sync`: a store, or a folder of it, into another. Everything but options
 * and printing is in ops/storetools. kOps has nothing like it. */
#include "cmd/commands.h"
#include "cmd/store/storecmd.h"

#include "base/enc.h"
#include "doc/val.h"
#include "ops/storetools/copy.h"

#include <stdio.h>
#include <unistd.h>

struct copy_opts {
    struct ck_strv include, exclude;
    int64_t parallel;
    const char *output;
    bool dry_run, delete_extra, yes;
};

/* One run, for the callbacks. */
struct copying {
    struct ck_ctx *ctx;
    const struct copy_opts *o;
    struct ck_env from_env, to_env;
    struct ck_store_progress progress;
    struct ck_store_report report;
};

/* ---- progress and results ---- */

static void progress(void *arg, const struct ck_copy_stats *s)
{
    struct copying *c = arg;
    ck_store_guard_keep(c->ctx);
    ck_store_progress(&c->progress, s);
}

static void planned(void *arg, enum ck_copy_what what, const char *path, int64_t size)
{
    const struct copying *c = arg;
    ck_store_planned(&c->report, what, path, size);
}

static void failed(void *arg, const char *path, const struct ck_err *why)
{
    struct copying *c = arg;
    ck_store_progress_end(&c->progress);
    ck_store_failed(&c->report, "failed", path, why);
}

static void print_json(struct copying *c, const struct ck_copy_stats *s, bool dry)
{
    struct ck_val *m = ck_map(c->report.a);
    if (dry) {
        ck_set(c->report.a, m, "plan", c->report.plan);
    } else {
        ck_set_int(c->report.a, m, "copied", (int64_t)s->copied);
        ck_set_int(c->report.a, m, "deleted", (int64_t)s->deleted);
        ck_set_int(c->report.a, m, "bytes", (int64_t)s->bytes);
        ck_set_int(c->report.a, m, "milliseconds", s->ms);
        ck_set(c->report.a, m, "failures", c->report.failures);
    }
    ck_set_int(c->report.a, m, "unchanged", (int64_t)s->same);
    ck_store_print_json(c->ctx, m);
}

static void print_result(struct copying *c, const struct ck_copy_stats *s, bool dry)
{
    if (c->report.json) {
        print_json(c, s, dry);
        return;
    }
    if (dry) {
        ck_print(c->ctx, "%llu files to change, %llu unchanged\n", (unsigned long long)s->files,
                 (unsigned long long)s->same);
        if (c->o->delete_extra && !c->o->yes && !c->o->dry_run)
            ck_print(c->ctx, "\nMust specify --yes to copy and delete\n");
        return;
    }
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_store_bytes(&b, s->bytes);
    ck_print(c->ctx, "copied %llu files (%s), verified; %llu were the same already",
             (unsigned long long)s->copied, ck_buf_str(&b), (unsigned long long)s->same);
    if (s->deleted)
        ck_print(c->ctx, "; %llu deleted", (unsigned long long)s->deleted);
    ck_print(c->ctx, "\n");
}

/* ---- the commands ---- */

static int copy(struct ck_ctx *ctx, const struct copy_opts *o, bool sync, char **argv,
                struct ck_err *err)
{
    struct copying c = {.ctx = ctx,
                        .o = o,
                        .progress = {.terminal = isatty(STDERR_FILENO) == 1},
                        .report = {.ctx = ctx,
                                   .a = ctx->arena,
                                   .json = strcmp(o->output, "json") == 0,
                                   .plan = ck_list(ctx->arena),
                                   .failures = ck_list(ctx->arena)}};
    bool dry = o->dry_run || (o->delete_extra && !o->yes);
    struct ck_copy_opts run = {.include = &o->include,
                               .exclude = &o->exclude,
                               .parallel = (unsigned)o->parallel,
                               .overwrite = sync,
                               .delete_extra = o->delete_extra,
                               .dry_run = dry,
                               .progress = progress,
                               .planned = planned,
                               .failed = failed,
                               .arg = &c};
    struct ck_copy_stats stats = {0};
    int r = ck_store_end(ctx, argv[0], &c.from_env, &run.from, err);
    if (r == 0)
        r = ck_store_end(ctx, argv[1], &c.to_env, &run.to, err);
    if (r == 0 && !dry)
        r = ck_store_guard_open(ctx, &run.from, &run.to, NULL, err);
    if (r == 0)
        r = ck_copy(&run, &stats, err);
    ck_store_progress_end(&c.progress);
    r = ck_store_guard_close(ctx, r, err);
    if (r == 0 || (c.report.json && ck_len(c.report.failures)))
        print_result(&c, &stats, dry);
    ck_env_done(&c.from_env);
    ck_env_done(&c.to_env);
    return r;
}

static int check(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct copy_opts *o = opts;
    if (argc != 2)
        return ck_fail(err, CK_INVALID, "two locations are needed: what to copy, and where to");
    if (ck_store_check_output(o->output, "text", err) < 0)
        return -(int)err->code;
    if (o->parallel < 1 || o->parallel > 64)
        return ck_fail(err, CK_INVALID, "--parallel is between 1 and 64");
    return 0;
}

static int run_copy(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    return copy(ctx, opts, false, argv, err);
}

static int run_sync(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    return copy(ctx, opts, true, argv, err);
}

#define O(member) .off = offsetof(struct copy_opts, member), .given_off = CK_OPT_NO_GIVEN
#define SHARED                                                                                     \
    {.name = "dry-run", .type = CK_OPT_BOOL, O(dry_run), .help = "show what would be done"},       \
        {.name = "exclude",                                                                        \
         .type = CK_OPT_STRARRAY,                                                                  \
         O(exclude),                                                                               \
         .complete = "",                                                                           \
         .help = "leave out paths that fit this pattern; may be repeated"},                        \
        {.name = "include",                                                                        \
         .type = CK_OPT_STRARRAY,                                                                  \
         O(include),                                                                               \
         .complete = "",                                                                           \
         .help = "take only paths that fit this pattern; may be repeated"},                        \
        CK_STORE_OUTPUT(struct copy_opts, "text"),                                                 \
    {                                                                                              \
        .name = "parallel", .type = CK_OPT_INT, O(parallel), .dflt = "32", .complete = "",         \
        .help = "files at a time, at most 64"                                                      \
    }

static const struct ck_opt copy_options[] = {SHARED, {0}};
static const struct ck_opt sync_options[] = {
    {.name = "delete",
     .type = CK_OPT_BOOL,
     O(delete_extra),
     .help = "delete at the destination what the source does not have; shown only, without --yes"},
    SHARED,
    {.shorthand = 'y',
     .name = "yes",
     .type = CK_OPT_BOOL,
     O(yes),
     .help = "with --delete: go ahead"},
    {0},
};

#define PATTERNS                                                                                   \
    "\n\nPatterns are those of a shell. One without a slash is held against the last element of "  \
    "a "                                                                                           \
    "path, one\nthat ends in a slash takes all below folders of that name (or path), and * also "  \
    "crosses\nslashes."

const struct ck_cmd ck_cmd_store_copy = {
    .name = "copy",
    .use = "copy SOURCE DESTINATION",
    .brief = "Copy a store, or a folder of it, to an empty place.",
    .detail = "Copies every file between any two stores or local folders and checks what arrived. "
              "A destination that\nholds other files is refused before anything is written; what "
              "an interrupted copy left there is\nchecked and kept, so the same command again "
              "finishes it." PATTERNS,
    .example = "ckops store copy s3://my-store/my.example.com ./review\n"
               "\n"
               "# Another kind of store, without the backups of etcd\n"
               "ckops store copy s3://my-store k8s:///kops-state --exclude 'backups/'",
    .opts = copy_options,
    .opts_size = sizeof(struct copy_opts),
    .args = check,
    .run = run_copy,
};

const struct ck_cmd ck_cmd_store_sync = {
    .name = "sync",
    .use = "sync SOURCE DESTINATION",
    .brief = "Bring a copy of a store in line with it.",
    .detail = "Copies what is missing or different, each file only while it is as it was compared, "
              "and checks what\narrived. Files that only the destination has stay, unless --delete "
              "is given." PATTERNS,
    .example = "ckops store sync s3://my-store ./mirror --dry-run\n"
               "ckops store sync s3://my-store ./mirror --delete --yes",
    .opts = sync_options,
    .opts_size = sizeof(struct copy_opts),
    .args = check,
    .run = run_sync,
};
