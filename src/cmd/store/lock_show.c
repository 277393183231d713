/* `store lock show`: who holds which cluster, until when, and who took it from whom. */
#include "cmd/getout.h"
#include "cmd/store/storecmd.h"

#include "base/clock.h"
#include "base/log.h"
#include "doc/val.h"

enum { PARTIAL = 4 };

struct show_opts {
    const char *output;
};

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct show_opts *o = opts;
    if (ck_store_check_output(o->output, "table", err) < 0)
        return -(int)err->code;
    return ck_args_cluster_optional(ctx, opts, argc, argv, err);
}

static const char *state_of(const struct ck_lock_info *i)
{
    if (!i->held)
        return "free";
    return ck_now_s() > i->expires_s ? "ended" : "held";
}

static struct ck_val *json_of(struct ck_arena *a, const struct ck_lock_info *i)
{
    struct ck_val *m = ck_map(a), *steals = ck_list(a);
    ck_set_str(a, m, "cluster", i->cluster);
    ck_set_str(a, m, "state", state_of(i));
    if (!i->there)
        return m;
    ck_set_str(a, m, "holder", i->holder);
    ck_set_str(a, m, "host", i->host);
    ck_set_int(a, m, "process", i->process);
    ck_set_str(a, m, "command", i->command);
    ck_set_bool(a, m, "byHand", i->by_hand);
    ck_set_str(a, m, "taken", ck_lock_when(a, i->taken_s));
    ck_set_str(a, m, "renewed", ck_lock_when(a, i->renewed_s));
    ck_set_str(a, m, "expires", ck_lock_when(a, i->expires_s));
    ck_set_int(a, m, "serial", i->serial);
    for (size_t k = 0; k < i->n_steals; k++) {
        struct ck_val *x = ck_map(a);
        ck_set_str(a, x, "at", i->steals[k].at);
        ck_set_str(a, x, "by", i->steals[k].by);
        ck_set_str(a, x, "from", i->steals[k].from);
        ck_append(a, steals, x);
    }
    ck_set(a, m, "stolen", steals);
    return m;
}

static void print_one(struct ck_ctx *ctx, const struct ck_lock_info *i)
{
    const char *state = state_of(i);
    ck_print(ctx, "Cluster:  %s\nState:    %s%s\n", i->cluster, state,
             i->held && i->by_hand ? ", by hand" : "");
    if (i->there) {
        struct ck_arena *a = ctx->arena;
        ck_print(ctx, "%s %s on %s, process %lld\nCommand:  %s\n",
                 i->held ? "Holder:  " : "Last:    ", i->holder, i->host, (long long)i->process,
                 i->command);
        ck_print(ctx, "Taken:    %s\nRenewed:  %s\n%s  %s\n", ck_lock_when(a, i->taken_s),
                 ck_lock_when(a, i->renewed_s),
                 i->held ? "Expires:" : "Freed:  ", ck_lock_when(a, i->expires_s));
    }
    for (size_t k = i->n_steals; k-- > 0;)
        ck_print(ctx, "Stolen:   %s by %s from %s\n", i->steals[k].at, i->steals[k].by,
                 i->steals[k].from);
}

static void add_row(struct ck_ctx *ctx, struct ck_table *t, const struct ck_lock_info *i)
{
    const char *const cells[] = {i->cluster,
                                 state_of(i),
                                 i->holder,
                                 i->host,
                                 i->command,
                                 ck_lock_when(ctx->arena, i->taken_s),
                                 ck_lock_when(ctx->arena, i->expires_s)};
    ck_table_row(t, cells);
}

static int show_all(struct ck_ctx *ctx, const struct ck_store *s, bool json, struct ck_err *err)
{
    static const char *const columns[] = {"CLUSTER", "STATE", "HOLDER", "HOST",
                                          "COMMAND", "TAKEN", "EXPIRES"};
    CK_AUTOSTRV names = {0};
    struct ck_val *list = ck_list(ctx->arena);
    struct ck_table *t = ck_table_new(columns, sizeof columns / sizeof *columns);
    size_t held = 0;
    int r = ck_lock_names(s, &names, err);
    for (size_t i = 0; r == 0 && i < names.n; i++) {
        struct ck_lock_info info;
        CK_AUTOERR why = CK_ERR_INIT;
        r = ck_lock_read(ctx->arena, s, names.v[i], &info, &why);
        if (r == -(int)CK_INVALID) {
            ck_warn("%s", ck_err_msg(&why));
            ctx->exit_status = PARTIAL;
            r = 0;
            continue;
        }
        if (r < 0)
            r = ck_err_move(err, &why);
        if (r < 0 || !info.held)
            continue;
        held++;
        add_row(ctx, t, &info);
        ck_append(ctx->arena, list, json_of(ctx->arena, &info));
    }
    if (r < 0 || json || !held) {
        ck_table_free(t);
        if (r == 0 && json)
            ck_store_print_json(ctx, list);
        else if (r == 0)
            ck_print(ctx, "No locks\n");
        return r;
    }
    ck_get_table_end(ctx, t);
    return 0;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct show_opts *o = opts;
    struct ck_store *s;
    struct ck_lock_info info;
    bool json = strcmp(o->output, "json") == 0;
    int r = ck_ctx_store(ctx, &s, err);
    if (r < 0)
        return r;
    if (!ctx->cluster_name || !*ctx->cluster_name)
        return show_all(ctx, s, json, err);
    r = ck_lock_read(ctx->arena, s, ctx->cluster_name, &info, err);
    if (r == 0 && !info.there)
        r = ck_store_must_have(ctx, s, ctx->cluster_name, err);
    if (r < 0)
        return r;
    info.cluster = ctx->cluster_name;
    if (json)
        ck_store_print_json(ctx, json_of(ctx->arena, &info));
    else
        print_one(ctx, &info);
    return 0;
}

static const struct ck_opt options[] = {
    CK_STORE_OUTPUT(struct show_opts, "table"),
    {0},
};

const struct ck_cmd ck_cmd_store_lock_show = {
    .name = "show",
    .use = "show [CLUSTER]",
    .brief = "Show who holds a lock.",
    .detail = "Shows the lock of one cluster with its history of steals, or all locks that are "
              "held.\n\"ended\" is a lock whose holder has not renewed it in time: the next who "
              "wants it gets it.",
    .example = "ckops store lock show\n"
               "ckops store lock show my.example.com -o json",
    .opts = options,
    .opts_size = sizeof(struct show_opts),
    .args = args,
    .run = run,
    .complete_args = ck_complete_clusters,
};
