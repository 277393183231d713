/* The three-way view of a conflict: base (what was read), theirs (what is stored now), yours.
 *
 * Nothing is merged here: the caller shows the view and the person decides. kOps has no such thing,
 * because it overwrites without looking. */
#include "ops/threeway.h"

#include "base/mem.h"
#include "doc/json.h"

enum { SHOWN_BYTES = 160 };

/* generation changes with every write and says nothing */
static bool is_noise(const char *path)
{
    return strcmp(path, "metadata.generation") == 0;
}

/* Same field, or one inside the other. */
static bool overlap(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b), n = la < lb ? la : lb;
    if (strncmp(a, b, n) != 0)
        return false;
    char next = la > lb ? a[n] : b[n];
    return next == 0 || next == '.' || next == '[';
}

static const struct ck_change *find(const struct ck_changes *l, const char *path)
{
    for (size_t i = 0; i < l->n; i++)
        if (overlap(l->v[i].path, path))
            return &l->v[i];
    return NULL;
}

static void put_value(struct ck_buf *out, const struct ck_val *v)
{
    if (!v) {
        ck_buf_puts(out, "(absent)");
        return;
    }
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_json_emit(&b, v, (struct ck_json_style){.order = CK_JSON_SORTED, .raw_html = true});
    struct ck_slice s = ck_buf_slice(&b);
    bool cut = s.len > SHOWN_BYTES;
    ck_buf_put(out, ck_slice_n(s.ptr, cut ? SHOWN_BYTES : s.len));
    if (cut)
        ck_buf_puts(out, "…");
}

static void put_both(struct ck_buf *out, const struct ck_changes *theirs,
                     const struct ck_changes *yours)
{
    bool any = false;
    for (size_t i = 0; i < yours->n; i++) {
        const struct ck_change *y = &yours->v[i], *t = find(theirs, y->path);
        if (!t || is_noise(y->path))
            continue;
        if (!any)
            ck_buf_puts(out, "\n  changed by both:");
        any = true;
        ck_buf_fmt(out, "\n    %s: was ", y->path);
        put_value(out, y->from);
        ck_buf_puts(out, ", theirs ");
        if (strcmp(t->path, y->path) != 0)
            ck_buf_fmt(out, "%s: ", t->path);
        put_value(out, t->to);
        ck_buf_puts(out, ", yours ");
        put_value(out, y->to);
    }
}

static void put_only(struct ck_buf *out, const char *title, const struct ck_changes *of,
                     const struct ck_changes *other)
{
    bool any = false;
    for (size_t i = 0; i < of->n; i++) {
        const struct ck_change *c = &of->v[i];
        if (is_noise(c->path) || find(other, c->path))
            continue;
        if (!any)
            ck_buf_fmt(out, "\n  %s:", title);
        any = true;
        ck_buf_fmt(out, "\n    %s: was ", c->path);
        put_value(out, c->from);
        ck_buf_puts(out, ", now ");
        put_value(out, c->to);
    }
}

void ck_threeway(struct ck_arena *a, struct ck_buf *out, const struct ck_object *base,
                 const struct ck_object *theirs, const struct ck_object *yours)
{
    struct ck_changes t = {0}, y = {0};
    ck_object_diff(a, base, yours, &y);
    if (!theirs) {
        ck_buf_puts(out, "\n  it has been removed");
    } else {
        ck_object_diff(a, base, theirs, &t);
        put_both(out, &t, &y);
        put_only(out, "changed by someone else", &t, &y);
    }
    put_only(out, "changed by you", &y, &t);
}

static const struct ck_object *read_again(struct ck_arena *a, const struct ck_store *s,
                                          const struct ck_stored *base, struct ck_object *ret,
                                          bool *ret_known)
{
    CK_AUTOERR e = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(16 << 20);
    int r = ck_vfs_read(&base->path, &b, NULL, &e);
    *ret_known = r == 0 || r == -CK_NOT_FOUND;
    if (r)
        return NULL;
    struct ck_decode_opts opts = {.lenient = true};
    struct ck_slice text = ck_arena_slice(a, ck_buf_slice(&b));
    *ret_known = ck_object_decode(a, text, &opts, ret, &e) == 0;
    if (!*ret_known)
        return NULL;
    /* what reading adds in memory (cluster label, configBase) is not a change */
    const char *label = ck_object_label(&base->obj, CK_LABEL_CLUSTER);
    if (ret->kind == CK_KIND_INSTANCE_GROUP && label)
        ck_object_set_label(a, ret, CK_LABEL_CLUSTER, label);
    if (ret->kind == CK_KIND_CLUSTER && !ck_str_at(ret->root, "spec.configBase")[0])
        ck_put(a, ret->root, "spec.configBase",
               ck_str(a, ck_str_at(base->obj.root, "spec.configBase")));
    (void)s;
    return ret;
}

int ck_threeway_explain(struct ck_arena *a, const struct ck_store *s, const struct ck_stored *base,
                        const struct ck_object *yours, struct ck_err *err)
{
    struct ck_object now;
    bool known;
    const struct ck_object *theirs = read_again(a, s, base, &now, &known);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_puts(&b, ck_err_msg(err));
    if (known)
        ck_threeway(a, &b, &base->obj, theirs, yours);
    enum ck_code code = err->code;
    return ck_fail(err, code, "%s", ck_buf_str(&b));
}
