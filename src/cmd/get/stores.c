/* `get clusters --state A --state B`: read at the same time, shown in the order given. Every object
 * says where it came from without being changed: a column, a comment in YAML, a member beside the
 * object in JSON. kOps has nothing like it. */
#include "cmd/get/stores.h"
#include "cmd/store/storecmd.h"

#include "base/enc.h"
#include "base/log.h"
#include "doc/json.h"
#include "ops/get.h"
#include "ops/manystores/many.h"

#include <stdio.h>
#include <string.h>

enum { STATUS_PARTIAL = 4, REASON_MAX = 160, CELLS = 3 };

struct reading {
    struct ck_ctx *ctx;
    enum ck_get_format format;
    bool full;
    const char *const *names;
    size_t n_names;
    struct from *from;
    size_t n;
};

/* What one store's thread collects. */
struct from {
    const char *shown;
    struct ck_env env;
    struct ck_strv cells; /* CELLS for each row */
    struct ck_strv docs;  /* YAML or JSON of each object */
    struct ck_strv found; /* folders of the clusters, readable or not */
    struct ck_strv bad;   /* `NAME`, reason for each cluster that cannot be shown */
};

static bool wanted(const struct reading *r, const char *name)
{
    for (size_t i = 0; i < r->n_names; i++)
        if (strcmp(r->names[i], name) == 0)
            return true;
    return r->n_names == 0;
}

static int show(const struct reading *r, struct from *f, const struct ck_store *s,
                const struct ck_object *cluster, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *once = ck_arena_new();
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_object full;
    if (r->full) {
        int rc = ck_cluster_get_full(once, s, cluster, &full, err);
        if (rc < 0)
            return rc;
        cluster = &full;
    }
    if (r->format == CK_GET_YAML)
        ck_object_yaml(once, &b, cluster);
    if (r->format == CK_GET_JSON)
        ck_object_json(once, &b, cluster);
    ck_strv_push(&f->docs, ck_buf_str(&b));
    ck_strv_push(&f->cells, ck_object_name(cluster));
    ck_strv_push(&f->cells, ck_cluster_cloud(cluster));
    ck_strv_push(&f->cells, ck_cluster_zones(once, cluster));
    return 0;
}

static int take(void *arg, size_t i, const struct ck_store *s, const char *dir_name,
                const struct ck_stored *cluster, struct ck_err *item_err)
{
    const struct reading *r = arg;
    struct from *f = &r->from[i];
    CK_AUTOERR why = CK_ERR_INIT;
    if (!wanted(r, dir_name))
        return 0;
    ck_strv_push(&f->found, dir_name);
    if (cluster && show(r, f, s, &cluster->obj, &why) == 0)
        return 0;
    ck_strv_push(&f->bad, dir_name);
    ck_strv_push(&f->bad, ck_err_msg(cluster ? &why : item_err));
    return 0;
}

/* ---- output ---- */

/* One line for a cell. */
static const char *brief(struct ck_arena *a, const char *reason)
{
    char *s = ck_arena_strdup(a, reason);
    for (char *c = s; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = ' ';
    return strlen(s) > REASON_MAX ? ck_arena_printf(a, "%.*s…", REASON_MAX, s) : s;
}

static void put_table(const struct reading *r, const struct ck_err *errs)
{
    static const char *const columns[] = {"STORE", "NAME", "CLOUD", "ZONES"};
    struct ck_table *t = ck_table_new(columns, CK_ARRAY_LEN(columns));
    for (size_t i = 0; i < r->n; i++) {
        const struct from *f = &r->from[i];
        for (size_t k = 0; k < f->cells.n; k += CELLS) {
            const char *row[] = {f->shown, f->cells.v[k], f->cells.v[k + 1], f->cells.v[k + 2]};
            ck_table_row(t, row);
        }
        for (size_t k = 0; k < f->bad.n; k += 2) {
            const char *row[] = {f->shown, f->bad.v[k], "(unreadable)",
                                 brief(r->ctx->arena, f->bad.v[k + 1])};
            ck_table_row(t, row);
        }
        if (errs[i].code != CK_OK) {
            const char *row[] = {f->shown, "", "(unreadable)",
                                 brief(r->ctx->arena, ck_err_msg(&errs[i]))};
            ck_table_row(t, row);
        }
    }
    ck_get_table_end(r->ctx, t);
}

static void put_yaml(const struct reading *r)
{
    bool any = false;
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < r->from[i].docs.n; k++) {
            ck_print(r->ctx, "%s# store: %s\n%s", any ? "\n---\n\n" : "",
                     brief(r->ctx->arena, r->from[i].shown), r->from[i].docs.v[k]);
            any = true;
        }
}

static void put_json_item(const struct reading *r, bool *any, const char *store, const char *name,
                          const char *member, const char *json)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_puts(&b, *any ? ",{\"store\":" : "[{\"store\":");
    ck_json_string(&b, ck_slice_of(store), false);
    if (name) {
        ck_buf_puts(&b, ",\"name\":");
        ck_json_string(&b, ck_slice_of(name), false);
    }
    ck_buf_fmt(&b, ",\"%s\":", member);
    if (strcmp(member, "error") == 0)
        ck_json_string(&b, ck_slice_of(json), false);
    else
        ck_buf_puts(&b, json);
    ck_buf_putc(&b, '}');
    ck_print_slice(r->ctx, ck_buf_slice(&b));
    *any = true;
}

static void put_json(const struct reading *r, const struct ck_err *errs)
{
    bool any = false;
    for (size_t i = 0; i < r->n; i++) {
        const struct from *f = &r->from[i];
        for (size_t k = 0; k < f->docs.n; k++)
            put_json_item(r, &any, f->shown, NULL, "cluster", f->docs.v[k]);
        for (size_t k = 0; k < f->bad.n; k += 2)
            put_json_item(r, &any, f->shown, f->bad.v[k], "error", f->bad.v[k + 1]);
        if (errs[i].code != CK_OK)
            put_json_item(r, &any, f->shown, NULL, "error", ck_err_msg(&errs[i]));
    }
    ck_print(r->ctx, any ? "]" : "[]");
}

void ck_get_complain(const char *store, const char *cluster, const char *why)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT, b = CK_BUF_INIT;
    ck_buf_fmt(&text, "%s%s", store, *store ? ": " : "");
    if (cluster)
        ck_buf_fmt(&text, "cluster \"%s\" cannot be shown: ", cluster);
    ck_put_printable(&b, ck_buf_slice(&text), true);
    ck_put_printable(&b, ck_slice_of(why), false);
    fprintf(stderr, "Error: %s\n", ck_buf_str(&b));
}

/* Whole, for the rows have room for the beginning only. */
static size_t complain(const struct reading *r, const struct ck_err *errs)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct from *f = &r->from[i];
        if (errs[i].code != CK_OK) {
            ck_get_complain(f->shown, NULL, ck_err_msg(&errs[i]));
            n++;
        }
        for (size_t k = 0; k < f->bad.n; k += 2, n++)
            ck_get_complain(f->shown, f->bad.v[k], f->bad.v[k + 1]);
    }
    return n;
}

/* ---- the command ---- */

/* Only when every store has been read can it be said that there is none. */
static int check_found(const struct reading *r, const struct ck_err *errs, struct ck_err *err)
{
    size_t found = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (errs[i].code != CK_OK)
            return 0;
        found += r->from[i].found.n;
    }
    for (size_t k = 0; k < r->n_names; k++) {
        bool has = false;
        for (size_t i = 0; i < r->n && !has; i++)
            has = ck_strv_has(&r->from[i].found, r->names[k]);
        CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
        ck_goquote(&q, ck_slice_of(r->names[k]));
        if (!has)
            return ck_fail(err, CK_NOT_FOUND, "cluster not found %s", ck_buf_str(&q));
    }
    return found ? 0 : ck_fail(err, CK_NOT_FOUND, "no clusters found");
}

static void warn(void *arg, const char *text)
{
    ck_warn("%s", text);
}

static int output(const struct reading *r, const struct ck_err *errs, struct ck_err *err)
{
    int rc = check_found(r, errs, err);
    if (rc < 0)
        return rc;
    if (r->format == CK_GET_TABLE)
        put_table(r, errs);
    else if (r->format == CK_GET_YAML)
        put_yaml(r);
    else
        put_json(r, errs);
    if (complain(r, errs))
        r->ctx->exit_status = STATUS_PARTIAL;
    return 0;
}

int ck_get_clusters_of_stores(struct ck_ctx *ctx, enum ck_get_format format, bool full,
                              const char *const *names, size_t n_names, struct ck_err *err)
{
    const struct ck_strv *states = &ctx->opt_states;
    struct from from[CK_MANY_STORES] = {0};
    struct ck_copy_end ends[CK_MANY_STORES] = {0};
    struct ck_err errs[CK_MANY_STORES] = {0};
    struct reading r = {ctx, format, full, names, n_names, from, 0};
    int rc = states->n <= CK_MANY_STORES
                 ? 0
                 : ck_fail(err, CK_INVALID, "--state is given %zu times, %d are the most",
                           states->n, CK_MANY_STORES);
    for (; rc == 0 && r.n < states->n; r.n++) {
        from[r.n].shown = ck_location_shown(states->v[r.n]);
        rc = ck_store_end(ctx, states->v[r.n], &from[r.n].env, &ends[r.n], err);
    }
    const struct ck_many_opts o = {.ends = ends,
                                   .n = r.n,
                                   .features = &ctx->features,
                                   .lenient = ctx->lenient,
                                   .warn = warn,
                                   .fn = take,
                                   .arg = &r};
    if (rc == 0)
        rc = ck_many_clusters(&o, errs, err);
    if (rc == 0)
        rc = output(&r, errs, err);
    for (size_t i = 0; i < r.n; i++) {
        ck_env_done(&from[i].env);
        ck_strv_done(&from[i].cells);
        ck_strv_done(&from[i].docs);
        ck_strv_done(&from[i].found);
        ck_strv_done(&from[i].bad);
        ck_err_done(&errs[i]);
    }
    return rc;
}
