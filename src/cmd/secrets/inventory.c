/* `secrets inventory`: what is secret in a store, how old it is, and who can read it. kOps has
 * nothing like it. */
#include "cmd/commands.h"
#include "cmd/getout.h"

#include "base/clock.h"
#include "doc/json.h"
#include "doc/yaml.h"
#include "ops/keys/inventory.h"

enum { NS_PER_S = 1000000000, DAY_S = 86400, FINDINGS = 2, PARTIAL = 4 };

struct inventory_opts {
    const char *output;
    int64_t within_ns;
    bool detailed;
};

/* One cluster when it is named, else all of the store. */
static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct inventory_opts *o = opts;
    if (ck_get_format_of(o->output) == CK_GET_UNKNOWN)
        return ck_get_bad_format(o->output, err);
    return ck_args_cluster_optional(ctx, opts, argc, argv, err);
}

struct walk {
    struct ck_ctx *ctx;
    struct ck_arena *a;
    const struct ck_store *s;
    struct ck_inventory_opts opts;
    struct ck_inventory list;
    struct ck_err failed;
};

static int one(void *arg, const char *dir, const struct ck_stored *cluster, struct ck_err *item_err)
{
    struct walk *w = arg;
    if (item_err->code) { /* its keys may lie elsewhere: an incomplete list must not look whole */
        w->s->warn(w->s->warn_arg, ck_arena_printf(w->a, "cluster \"%s\" cannot be read: %s", dir,
                                                   ck_err_msg(item_err)));
        w->ctx->exit_status = PARTIAL;
        return 0;
    }
    if (ck_inventory_cluster(w->a, w->s, &cluster->obj, &w->opts, &w->list, &w->failed))
        ck_wrap(&w->failed, "cluster \"%s\"", dir);
    return -(int)w->failed.code;
}

static int collect(struct walk *w, struct ck_err *err)
{
    struct ck_stored cluster;
    if (*w->ctx->cluster_name) {
        int r = ck_cluster_get_for_command(w->a, w->s, w->ctx->cluster_name, &cluster, err);
        return r ? r : ck_inventory_cluster(w->a, w->s, &cluster.obj, &w->opts, &w->list, err);
    }
    int r = ck_cluster_each(w->a, w->s, one, w, err);
    return w->failed.code ? ck_err_move(err, &w->failed) : r;
}

/* ---- printing ---- */

static const char *date(struct ck_arena *a, int64_t at_s)
{
    char stamp[21];
    if (!at_s)
        return "";
    ck_rfc3339(at_s, stamp);
    return ck_arena_strndup(a, stamp, sizeof "2006-01-02" - 1);
}

static const char *state(struct ck_arena *a, const struct ck_inventory_item *it)
{
    if (it->files)
        return ck_arena_printf(a, "%zu files", it->files);
    return it->distrusted ? "distrusted" : it->primary ? "primary" : "";
}

static const char *joined(struct ck_arena *a, const struct ck_inventory_item *it)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (size_t i = 0; i < it->n_findings; i++)
        ck_buf_fmt(&b, "%s%s", i ? ", " : "", it->findings[i]);
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static void print_table(struct walk *w)
{
    static const char *const COLUMNS[] = {"CLUSTER", "KIND",    "NAME",    "ID",      "STATE",
                                          "AGE",     "EXPIRES", "READERS", "FINDINGS"};
    struct ck_table *t = ck_table_new(COLUMNS, CK_ARRAY_LEN(COLUMNS));
    for (size_t i = 0; i < w->list.n; i++) {
        const struct ck_inventory_item *it = &w->list.v[i];
        int64_t age = (w->opts.now_s - it->created_s) / DAY_S;
        const char *cells[] = {it->cluster,
                               it->kind,
                               it->name,
                               it->id,
                               state(w->a, it),
                               it->created_s ? ck_arena_printf(w->a, "%lldd", (long long)age) : "",
                               date(w->a, it->expires_s),
                               it->exposure.readers,
                               joined(w->a, it)};
        ck_table_row(t, cells);
    }
    ck_get_table_end(w->ctx, t);
}

static void set_time(struct ck_arena *a, struct ck_val *m, const char *key, int64_t at_s)
{
    char stamp[21];
    if (!at_s)
        return;
    ck_rfc3339(at_s, stamp);
    ck_set_str(a, m, key, stamp);
}

static struct ck_val *as_list(struct walk *w)
{
    static const char *const REACH[] = {"unknown", "owner", "group", "everyone"};
    struct ck_arena *a = w->a;
    struct ck_val *l = ck_list(a);
    for (size_t i = 0; i < w->list.n; i++) {
        const struct ck_inventory_item *it = &w->list.v[i];
        struct ck_val *m = ck_map(a), *findings = ck_list(a);
        ck_set_str(a, m, "cluster", it->cluster);
        ck_set_str(a, m, "kind", it->kind);
        ck_set_str(a, m, "name", it->name);
        if (it->id[0])
            ck_set_str(a, m, "id", it->id);
        ck_set_str(a, m, "path", it->path ? it->path : "");
        if (it->primary)
            ck_set_bool(a, m, "isPrimary", true);
        if (it->distrusted)
            ck_set_bool(a, m, "isDistrusted", true);
        if (it->has_key)
            ck_set_bool(a, m, "hasPrivateKey", true);
        if (it->files)
            ck_set_int(a, m, "files", (int64_t)it->files);
        set_time(a, m, "created", it->created_s);
        set_time(a, m, "expires", it->expires_s);
        ck_set_str(a, m, "reach", REACH[it->exposure.reach]);
        ck_set_str(a, m, "readers", it->exposure.readers);
        if (it->exposure.encryption[0])
            ck_set_str(a, m, "encryption", it->exposure.encryption);
        for (size_t k = 0; k < it->n_findings; k++)
            ck_append_str(a, findings, it->findings[k]);
        ck_set(a, m, "findings", findings);
        ck_append(a, l, m);
    }
    return l;
}

static void print(struct walk *w, enum ck_get_format format)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (format == CK_GET_TABLE)
        print_table(w);
    else if (format == CK_GET_YAML)
        ck_yaml_emit(&b, as_list(w));
    else
        ck_json_emit(&b, as_list(w), (struct ck_json_style){CK_JSON_AS_IS, 0, 0});
    ck_print_slice(w->ctx, ck_buf_slice(&b));
    if (format == CK_GET_JSON)
        ck_print(w->ctx, "\n");
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct inventory_opts *o = opts;
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    struct ck_store *store;
    int r = ck_ctx_store(ctx, &store, err);
    if (r)
        return r;
    struct walk w = {.ctx = ctx,
                     .a = a,
                     .s = store,
                     .opts = {.now_s = ck_now_s(), .warn_s = o->within_ns / NS_PER_S}};
    r = collect(&w, err);
    if (r)
        return r;
    print(&w, ck_get_format_of(o->output));
    if (o->detailed && w.list.n_findings && !ctx->exit_status)
        ctx->exit_status = FINDINGS;
    return 0;
}

#define O(field) .off = offsetof(struct inventory_opts, field), .given_off = CK_OPT_NO_GIVEN
static const struct ck_opt options[] = {
    {.name = "detailed-exitcode",
     .type = CK_OPT_BOOL,
     O(detailed),
     .help = "end with status 2 when there are findings"},
    {.name = "expires-within",
     .type = CK_OPT_DURATION,
     O(within_ns),
     .dflt = "720h0m0s",
     .complete = "",
     .help = "a certificate that ends so soon is a finding"},
    {.shorthand = 'o',
     .name = "output",
     .type = CK_OPT_STRING,
     O(output),
     .dflt = "table",
     .complete = "table yaml json",
     .help = "output format: table, yaml or json"},
    {0},
};

static const struct ck_cmd inventory = {
    .name = "inventory",
    .use = "inventory [CLUSTER]",
    .brief = "Show what is secret in a store and who can read it.",
    .detail = "Lists private keys, certificates, secrets and backups of etcd of one cluster, or of "
              "all: their age,\nwhen they expire, and who can read them as far as the store tells. "
              "Nothing secret is printed, and\nneither secrets nor backups are read.",
    .example = "ckops secrets inventory --state s3://my-store\n"
               "\n"
               "# In a pipeline: fails when something expires within two months or lies open.\n"
               "ckops secrets inventory k8s.example.com --expires-within 1440h -o json "
               "--detailed-exitcode",
    .opts = options,
    .opts_size = sizeof(struct inventory_opts),
    .args = args,
    .run = run,
    .complete_args = ck_complete_clusters,
};

static const struct ck_cmd *const subs[] = {&inventory, NULL};
const struct ck_cmd ck_cmd_secrets = {
    .name = "secrets",
    .use = "secrets",
    .brief = "Look after what is secret in a store.",
    .subs = subs,
};
