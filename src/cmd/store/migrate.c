/* `store migrate`: one cluster from the store of --state to another. Everything but options and
 * printing is in ops/migrate. kOps' documentation has four steps by hand. */
#include "cmd/store/storecmd.h"

#include "base/enc.h"
#include "doc/val.h"
#include "ops/migrate/migrate.h"

#include <stdio.h>
#include <unistd.h>

struct migrate_opts {
    const char *to, *output;
    int64_t parallel;
    bool delete_gone, rollback, yes;
};

/* One run, for the callbacks. */
struct migrating {
    struct ck_ctx *ctx;
    const struct migrate_opts *o;
    struct ck_store_progress progress;
    struct ck_store_report report;
};

static void progress(void *arg, const struct ck_copy_stats *s)
{
    struct migrating *c = arg;
    CK_AUTOERR lost = CK_ERR_INIT; /* `guard` finds out */
    (void)ck_locker_keep(&c->ctx->locker, &lost);
    ck_store_guard_keep(c->ctx);
    ck_store_progress(&c->progress, s);
}

/* Both locks. The old store is not written, so no change of it proves its own. */
static int guard(void *arg, struct ck_err *err)
{
    const struct migrating *c = arg;
    int r = ck_ctx_lock(c->ctx, c->ctx->cluster_name, err);
    if (r == 0)
        r = ck_store_guard_take(c->ctx, err);
    return r < 0 ? r : ck_locker_prove(&c->ctx->locker, err);
}

static void planned(void *arg, enum ck_copy_what what, const char *path, int64_t size)
{
    const struct migrating *c = arg;
    ck_store_planned(&c->report, what, path, size);
}

static void failed(void *arg, const char *path, const struct ck_err *why)
{
    struct migrating *c = arg;
    ck_store_progress_end(&c->progress);
    ck_store_failed(&c->report, why->code == CK_CONFLICT ? "conflict" : "failed", path, why);
}

/* ---- results ---- */

/* To be pasted into a shell. */
static const char *word(const struct migrating *c, const char *text)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_shquote(&b, ck_slice_of(text));
    return ck_arena_strdup(c->report.a, ck_buf_str(&b));
}

static const char *next_command(const struct migrating *c, const struct ck_migrate_result *r)
{
    return ck_arena_printf(c->report.a, "ckops update cluster %s --state %s --yes",
                           word(c, c->ctx->cluster_name), word(c, r->to));
}

static void print_json(struct migrating *c, const struct ck_migrate_result *r)
{
    struct ck_arena *a = c->report.a;
    struct ck_val *m = ck_map(a), *moved = ck_list(a), *stay = ck_list(a);
    ck_set_str(a, m, "cluster", c->ctx->cluster_name);
    ck_set_str(a, m, "from", r->from ? r->from : "");
    ck_set_str(a, m, "to", r->to ? r->to : "");
    if (!c->o->yes)
        ck_set(a, m, "plan", c->report.plan);
    ck_set_int(a, m, "copied", (int64_t)r->copied);
    ck_set_int(a, m, "replaced", (int64_t)r->replaced);
    ck_set_int(a, m, "deleted", (int64_t)r->deleted);
    ck_set_int(a, m, "unchanged", (int64_t)r->same);
    ck_set_int(a, m, "kept", (int64_t)r->kept);
    ck_set_int(a, m, "bytes", (int64_t)r->bytes);
    for (size_t i = 0; i < r->n_fields; i++) {
        struct ck_val *f = ck_map(a);
        ck_set_str(a, f, "field", r->fields[i].path);
        ck_set_str(a, f, "from", r->fields[i].from);
        if (r->fields[i].to)
            ck_set_str(a, f, "to", r->fields[i].to);
        ck_append(a, r->fields[i].to ? moved : stay, f);
    }
    if (!c->o->rollback) {
        ck_set(a, m, "rewritten", moved);
        ck_set(a, m, "notRewritten", stay);
        if (c->o->yes && !ck_len(c->report.failures))
            ck_set_str(a, m, "next", next_command(c, r));
    }
    ck_set(a, m, "failures", c->report.failures);
    ck_store_print_json(c->ctx, m);
}

static void print_fields(struct migrating *c, const struct ck_migrate_result *r)
{
    for (size_t i = 0; i < r->n_fields; i++)
        if (r->fields[i].to)
            ck_print(c->ctx, "rewrite %s: %s -> %s\n", r->fields[i].path, r->fields[i].from,
                     r->fields[i].to);
    for (size_t i = 0; i < r->n_fields; i++)
        if (!r->fields[i].to)
            ck_print(c->ctx, "note: %s still names the old store: %s\n", r->fields[i].path,
                     r->fields[i].from);
    if (r->kept)
        ck_print(c->ctx, "note: %llu files were changed in the new store since, and stay so\n",
                 (unsigned long long)r->kept);
    if (!r->readable)
        ck_print(c->ctx, "note: nodes cannot read a store of this kind: %s\n", r->to);
}

static void print_plan(struct migrating *c, const struct ck_migrate_result *r)
{
    unsigned long long n = r->copied + r->replaced + r->deleted;
    if (c->o->rollback) {
        ck_print(c->ctx, "%llu files to delete from %s\n\nMust specify --yes to roll back\n", n,
                 r->to);
        return;
    }
    print_fields(c, r);
    ck_print(c->ctx, "%llu files to bring from %s to %s, %llu there already\n", n, r->from, r->to,
             (unsigned long long)r->same);
    ck_print(c->ctx, "\nMust specify --yes to migrate\n");
}

static void print_done(struct migrating *c, const struct ck_migrate_result *r)
{
    const char *name = c->ctx->cluster_name;
    if (c->o->rollback) {
        ck_print(c->ctx, "Rolled back: cluster \"%s\" is in %s only; %llu files deleted from %s\n",
                 name, r->from, (unsigned long long)r->deleted, r->to);
        return;
    }
    print_fields(c, r);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_store_bytes(&b, r->bytes);
    ck_print(c->ctx, "%llu files written (%s), verified; %llu deleted; %llu are the same\n",
             (unsigned long long)(r->copied + r->replaced), ck_buf_str(&b),
             (unsigned long long)r->deleted, (unsigned long long)r->same);
    ck_print(c->ctx,
             "\nCluster \"%s\" is in %s. What is in %s is unchanged; edit it there no more.\n"
             "\nNext:\n  %s\n\nOr back:\n"
             "  ckops store migrate %s --state %s --to %s --rollback --yes\n",
             name, r->to, r->from, next_command(c, r), word(c, name), word(c, r->from),
             word(c, r->to));
}

static void print_result(struct migrating *c, const struct ck_migrate_result *r)
{
    if (c->report.json)
        print_json(c, r);
    else if (c->o->yes)
        print_done(c, r);
    else
        print_plan(c, r);
}

/* ---- the command ---- */

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct migrate_opts *o = opts;
    if (!*o->to)
        return ck_fail(err, CK_INVALID, "--to is needed: the store to migrate to");
    if (ck_store_check_output(o->output, "text", err) < 0)
        return -(int)err->code;
    if (o->parallel < 1 || o->parallel > 64)
        return ck_fail(err, CK_INVALID, "--parallel is between 1 and 64");
    if (o->rollback && o->delete_gone)
        return ck_fail(err, CK_INVALID, "--rollback and --delete exclude each other");
    return ck_args_cluster(ctx, opts, argc, argv, err);
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct migrate_opts *o = opts;
    struct migrating c = {.ctx = ctx,
                          .o = o,
                          .progress = {.terminal = isatty(STDERR_FILENO) == 1},
                          .report = {.ctx = ctx,
                                     .a = ctx->arena,
                                     .json = strcmp(o->output, "json") == 0,
                                     .plan = ck_list(ctx->arena),
                                     .failures = ck_list(ctx->arena)}};
    struct ck_migrate_opts run_opts = {.cluster = ctx->cluster_name,
                                       .parallel = (unsigned)o->parallel,
                                       .delete_gone = o->delete_gone,
                                       .rollback = o->rollback,
                                       .dry_run = !o->yes,
                                       .progress = progress,
                                       .planned = planned,
                                       .failed = failed,
                                       .guard = guard,
                                       .arg = &c};
    struct ck_migrate_result result = {0};
    struct ck_env from_env = {0}, to_env = {0};
    struct ck_store *s;
    int r = ck_ctx_store(ctx, &s, err);
    if (r == 0)
        r = ck_store_end(ctx, s->url, &from_env, &run_opts.from, err);
    if (r == 0)
        r = ck_store_end(ctx, o->to, &to_env, &run_opts.to, err);
    if (r == 0 && o->yes)
        r = ck_store_guard_open(ctx, &run_opts.from, &run_opts.to, ctx->cluster_name, err);
    if (r == 0)
        r = ck_migrate(ctx->arena, &run_opts, &result, err);
    ck_store_progress_end(&c.progress);
    r = ck_store_guard_close(ctx, r, err);
    if (r == 0 || (c.report.json && ck_len(c.report.failures)))
        print_result(&c, &result);
    ck_env_done(&from_env);
    ck_env_done(&to_env);
    return r;
}

#define O(member) .off = offsetof(struct migrate_opts, member), .given_off = CK_OPT_NO_GIVEN
static const struct ck_opt options[] = {
    {.name = "delete",
     .type = CK_OPT_BOOL,
     O(delete_gone),
     .help = "after a migration: delete in the new store what was deleted in the old one since"},
    CK_STORE_OUTPUT(struct migrate_opts, "text"),
    {.name = "parallel",
     .type = CK_OPT_INT,
     O(parallel),
     .dflt = "16",
     .complete = "",
     .help = "files at a time, at most 64"},
    {.name = "rollback",
     .type = CK_OPT_BOOL,
     O(rollback),
     .help = "delete what the migration wrote, unless it was changed since; shown only, without "
             "--yes"},
    {.name = "to", .type = CK_OPT_STRING, O(to), .complete = "", .help = "the store to migrate to"},
    {.shorthand = 'y',
     .name = "yes",
     .type = CK_OPT_BOOL,
     O(yes),
     .help = "go ahead; without it the plan is shown and nothing is changed"},
    {0},
};

const struct ck_cmd ck_cmd_store_migrate = {
    .name = "migrate",
    .use = "migrate CLUSTER --to URL",
    .brief = "Move a cluster to another store.",
    .detail =
        "Copies every file of a cluster from the store of --state to another and verifies each, "
        "rewrites\nconfigBase, keyStore, secretStore and the backup stores of etcd there, and "
        "writes config last. The\nold store is only read. The same command again finishes a run "
        "that was interrupted, and carries over\nwhat was edited in the old store meanwhile; what "
        "was edited in the new one is never overwritten, but\nnamed as a conflict (exit status 3) "
        "when the old one changed too.",
    .example = "ckops store migrate my.example.com --state s3://old-store --to gs://new-store\n"
               "ckops store migrate my.example.com --state s3://old-store --to gs://new-store "
               "--yes",
    .opts = options,
    .opts_size = sizeof(struct migrate_opts),
    .args = args,
    .run = run,
    .complete_args = ck_complete_clusters,
};
