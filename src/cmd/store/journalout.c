/* Opening a journal and showing changes: for `store log`, `diff`, `restore`, `undo`. */
#include "cmd/store/journalout.h"

#include "base/enc.h"
#include "base/log.h"
#include "doc/json.h"
#include "doc/textdiff.h"
#include "doc/yaml.h"

#include <string.h>

enum { CONTEXT = 3, HASH_SHOWN = 12 };

static int only_cluster(struct ck_ctx *ctx, const struct ck_store *s, struct ck_err *err)
{
    CK_AUTOSTRV names = {0};
    int r = ck_journal_clusters(s, &names, err);
    if (r < 0)
        return r;
    if (names.n == 0)
        return ck_fail(err, CK_NOT_FOUND,
                       "no cluster of this store has a journal; `%s store settings "
                       "--journal=true` begins one",
                       ctx->program);
    if (names.n > 1)
        return ck_fail(err, CK_INVALID, "%zu clusters have a journal: name one with --name",
                       names.n);
    ctx->cluster_name = ck_arena_strdup(ctx->arena, names.v[0]);
    return 0;
}

int ck_journal_open(struct ck_ctx *ctx, struct ck_arena *a, bool to_change,
                    struct ck_journal_history *ret, struct ck_err *err)
{
    struct ck_store *s;
    int r = ck_ctx_store(ctx, &s, err);
    if (r == 0 && !*ctx->cluster_name)
        r = only_cluster(ctx, s, err);
    r = r ? r : ck_journal_load(a, s, ctx->cluster_name, ret, err);
    if (r == 0 && ret->n && to_change)
        r = ck_ctx_lock(ctx, ctx->cluster_name, err);
    if (r == 0 && ctx->locker.n) /* what is compared must not be older than the lock */
        r = ck_journal_load(a, s, ctx->cluster_name, ret, err);
    if (r == 0 && ret->n == 0)
        return ck_fail(
            err, CK_NOT_FOUND,
            "cluster \"%s\" has no journal in %s; `%s store settings --journal=true` begins "
            "one",
            ctx->cluster_name, s->url, ctx->program);
    return r;
}

int ck_journal_moment(const struct ck_journal_history *h, const char *text,
                      struct ck_journal_point *ret, struct ck_err *err)
{
    int r = ck_journal_point_of(h, text, ret, err);
    if (r == 0 && ret->early)
        ck_warn("the journal of \"%s\" begins with %s: of %s it knows only what that entry found",
                h->cluster, h->v[0].id, text);
    return r;
}

static void put_hash(struct ck_ctx *ctx, const char *sha)
{
    if (*sha)
        ck_print(ctx, "sha256 %.*s", HASH_SHOWN, sha);
    else
        ck_print(ctx, "nothing");
}

void ck_journal_print_text(struct ck_ctx *ctx, struct ck_slice text)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_put_printable(&b, text, false);
    ck_print_slice(ctx, ck_buf_slice(&b));
}

static int print_one(struct ck_ctx *ctx, const struct ck_journal_history *h,
                     const struct ck_journal_view *from, const struct ck_journal_view *to,
                     const struct ck_journal_change *c, bool contents, struct ck_err *err)
{
    const char *what = !*c->from ? "new" : !*c->to ? "removed" : "changed";
    ck_print(ctx, "%s: %s", c->path, what);
    if (c->secret || !contents) {
        ck_print(ctx, " (");
        put_hash(ctx, c->from);
        ck_print(ctx, " → ");
        put_hash(ctx, c->to);
        ck_print(ctx, ")\n");
        return 0;
    }
    ck_print(ctx, "\n");
    CK_AUTOBUF struct ck_buf a = CK_BUF_INIT, b = CK_BUF_INIT, text = CK_BUF_INIT;
    int r = ck_journal_side(h, from, c->path, &a, err);
    r = r ? r : ck_journal_side(h, to, c->path, &b, err);
    if (r == -(int)CK_LIMIT) {
        ck_print(ctx, "  %s\n", ck_err_msg(err));
        ck_err_done(err);
        return 0;
    }
    if (r < 0)
        return r;
    ck_text_diff(&text, ck_buf_slice(&a), ck_buf_slice(&b),
                 (struct ck_diff_style){.context = CONTEXT});
    ck_journal_print_text(ctx, ck_buf_slice(&text));
    return 0;
}

int ck_journal_print(struct ck_ctx *ctx, const struct ck_journal_history *h,
                     const struct ck_journal_view *from, const struct ck_journal_view *to,
                     const struct ck_journal_changes *changes, bool contents, struct ck_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < changes->n; i++)
        r = print_one(ctx, h, from, to, &changes->v[i], contents, err);
    return r;
}

struct ck_val *ck_journal_files_doc(struct ck_arena *a, const struct ck_journal_changes *changes)
{
    struct ck_val *l = ck_list(a);
    for (size_t i = 0; i < changes->n; i++) {
        struct ck_val *f = ck_map(a);
        ck_set_str(a, f, "path", changes->v[i].path);
        ck_set_str(a, f, "before", changes->v[i].from);
        ck_set_str(a, f, "after", changes->v[i].to);
        ck_append(a, l, f);
    }
    return l;
}

void ck_journal_put_doc(struct ck_ctx *ctx, const struct ck_val *v, const char *form)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (strcmp(form, "yaml") == 0) {
        ck_yaml_emit(&b, v);
    } else {
        ck_json_emit(&b, v, (struct ck_json_style){.order = CK_JSON_AS_IS, .indent = 2});
        ck_buf_putc(&b, '\n');
    }
    ck_print_slice(ctx, ck_buf_slice(&b));
}

int ck_journal_check_output(const char *output, bool table, struct ck_err *err)
{
    if ((table && strcmp(output, "table") == 0) || strcmp(output, "json") == 0 ||
        strcmp(output, "yaml") == 0 || (!table && !*output))
        return 0;
    return ck_fail(err, CK_INVALID, "--output is %sjson or yaml, not \"%s\"",
                   table ? "table, " : "", output);
}
