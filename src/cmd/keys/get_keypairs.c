/* `get keypairs`: the keys of a cluster, never their private parts. Mirrors
 * cmd/kops/get_keypairs.go. */
#include "cmd/keys/keys.h"

#include "cmd/getout.h"

#include "base/clock.h"
#include "doc/json.h"
#include "doc/yaml.h"

#include <time.h>

struct keypairs_opts {
    struct ck_get_opts get; /* first: -o is inherited */
    bool distrusted;
};

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    return ck_resolve_name_kubeconfig(ctx, err);
}

struct row {
    const char *keyset;
    const struct ck_keyset_item *item;
    bool primary;
};

static bool wanted(const char *name, int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return argc == 0;
}

static size_t select_rows(struct ck_arena *a, const struct ck_keyset *v, size_t n, bool distrusted,
                          int argc, char **argv, struct row **ret)
{
    size_t most = 0, count = 0;
    for (size_t i = 0; i < n; i++)
        most += v[i].n;
    *ret = ck_arena_alloc(a, (most + 1) * sizeof **ret);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < v[i].n && wanted(v[i].name, argc, argv); k++) {
            const struct ck_keyset_item *it = v[i].v[k];
            if (distrusted || (!it->distrusted && it->has_cert))
                (*ret)[count++] = (struct row){v[i].name, it, it == v[i].primary};
        }
    return count;
}

/* Local dates, as kOps. */
static const char *date(struct ck_arena *a, bool known, int64_t at_s)
{
    time_t t = (time_t)at_s;
    struct tm tm;
    if (!known || !localtime_r(&t, &tm))
        return "";
    return ck_arena_printf(a, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static void print_table(struct ck_ctx *ctx, const struct row *rows, size_t n, bool distrusted)
{
    static const char *const ALL[] = {"NAME",       "ID",      "ISSUED",    "EXPIRES",
                                      "DISTRUSTED", "PRIMARY", "HASPRIVATE"};
    static const char *const TRUSTED[] = {"NAME",    "ID",      "ISSUED",
                                          "EXPIRES", "PRIMARY", "HASPRIVATE"};
    struct ck_table *t = distrusted ? ck_table_new(ALL, CK_ARRAY_LEN(ALL))
                                    : ck_table_new(TRUSTED, CK_ARRAY_LEN(TRUSTED));
    for (size_t i = 0; i < n; i++) {
        const struct ck_keyset_item *it = rows[i].item;
        const char *cells[CK_ARRAY_LEN(ALL)];
        size_t c = 0;
        cells[c++] = rows[i].keyset;
        cells[c++] = it->id;
        cells[c++] = date(ctx->arena, it->has_cert, it->cert.not_before_s);
        cells[c++] = date(ctx->arena, it->has_cert, it->cert.not_after_s);
        if (distrusted)
            cells[c++] = date(ctx->arena, it->distrusted, it->distrusted_s);
        cells[c++] = rows[i].primary ? "*" : "";
        cells[c++] = it->has_key ? "*" : "";
        ck_table_row(t, cells);
    }
    ck_get_table_end(ctx, t);
}

static void set_time(struct ck_arena *a, struct ck_val *m, const char *key, int64_t at_s)
{
    char stamp[21];
    ck_rfc3339(at_s, stamp);
    ck_set_str(a, m, key, stamp);
}

static void set_cert(struct ck_arena *a, struct ck_val *m, const struct ck_cert *c)
{
    ck_set_str(a, m, "subject", c->subject);
    ck_set_str(a, m, "issuer", c->issuer);
    if (c->n_alt_names) {
        struct ck_val *names = ck_list(a);
        for (size_t i = 0; i < c->n_alt_names; i++)
            ck_append_str(a, names, c->alt_names[i]);
        ck_set(a, m, "alternateNames", names);
    }
    if (c->is_ca)
        ck_set_bool(a, m, "isCA", true);
    set_time(a, m, "notBefore", c->not_before_s);
    set_time(a, m, "notAfter", c->not_after_s);
    if (c->key_bits)
        ck_set_int(a, m, "keyLength", c->key_bits);
}

static struct ck_val *as_list(struct ck_arena *a, const struct row *rows, size_t n)
{
    struct ck_val *l = ck_list(a);
    for (size_t i = 0; i < n; i++) {
        const struct ck_keyset_item *it = rows[i].item;
        struct ck_val *m = ck_map(a);
        ck_set_str(a, m, "name", rows[i].keyset);
        ck_set_str(a, m, "id", it->id);
        if (it->distrusted)
            set_time(a, m, "distrustTimestamp", it->distrusted_s);
        if (rows[i].primary)
            ck_set_bool(a, m, "isPrimary", true);
        if (it->has_cert)
            set_cert(a, m, &it->cert);
        if (it->has_key)
            ck_set_bool(a, m, "hasPrivateKey", true);
        ck_append(a, l, m);
    }
    return l;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct keypairs_opts *o = opts;
    struct ck_store *store;
    struct ck_stored cluster;
    struct ck_keyset *v;
    struct row *rows;
    size_t n;
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    int r = ck_ctx_store(ctx, &store, err);
    if (!r) {
        ck_keyset_list_follows(a, store, ctx->cluster_name);
        r = ck_cluster_get(ctx->arena, store, ctx->cluster_name, &cluster, err);
    }
    if (!r)
        r = ck_keyset_list(a, store, &cluster.obj, &v, &n, err);
    if (r)
        return r;
    n = select_rows(a, v, n, o->distrusted, argc, argv, &rows);
    if (n == 0)
        return ck_fail(err, CK_NOT_FOUND, "no keypairs found");
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    switch (ck_get_format_of(o->get.output)) {
    case CK_GET_TABLE:
        print_table(ctx, rows, n, o->distrusted);
        return 0;
    case CK_GET_YAML:
        ck_yaml_emit(&b, as_list(a, rows, n));
        break;
    case CK_GET_JSON:
        ck_json_emit(&b, as_list(a, rows, n), (struct ck_json_style){CK_JSON_AS_IS, 0, 0});
        break;
    case CK_GET_UNKNOWN:
        return ck_get_bad_format(o->get.output, err);
    }
    ck_print_slice(ctx, ck_buf_slice(&b));
    return 0;
}

static const struct ck_opt options[] = {
    {.name = "distrusted",
     .type = CK_OPT_BOOL,
     .off = offsetof(struct keypairs_opts, distrusted),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "also show keypairs that are not trusted any more"},
    {0},
};

static const char *const aliases[] = {"keypair", NULL};

const struct ck_cmd ck_cmd_get_keypairs = {
    .name = "keypairs",
    .aliases = aliases,
    .use = "keypairs [KEYSET]...",
    .brief = "Show the keypairs of a cluster.",
    .example = "# All that are trusted.\n"
               "ckops get keypairs --name k8s.example.com\n"
               "\n"
               "# Every key of one keyset.\n"
               "ckops get keypairs kubernetes-ca --distrusted -o yaml",
    .opts = options,
    .opts_size = sizeof(struct keypairs_opts),
    .args = args,
    .run = run,
    .complete_args = ck_complete_keysets,
};
