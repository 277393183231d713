/* Puts values into a template's tree: placeholders, conditions, repetition (addon.h has the rules).
 *
 * Works on parsed values, never on text, so that no value can change the shape of a manifest. It
 * knows nothing of Kubernetes. */
#include "model/addons/addon.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int unknown(struct ck_addon_ctx *c, const char *what, const char *name, struct ck_err *err)
{
    return ck_fail(err, CK_INTERNAL, "add-on %s: unknown %s %s", c->row ? c->row->name : "-", what,
                   name);
}

/* A word of a template as the scalar it looks like. */
static struct ck_val *scalar(struct ck_arena *a, const char *s)
{
    if (!strcmp(s, "true") || !strcmp(s, "false"))
        return ck_bool(a, s[0] == 't');
    char *end;
    long n = strtol(s, &end, 10);
    return *s && !*end ? ck_int(a, n) : ck_str(a, s);
}

/* The value of "path" or "path|default"; *ret NULL when it is absent. */
static int lookup(struct ck_addon_ctx *c, const char *name, struct ck_val **ret, struct ck_err *err)
{
    *ret = NULL;
    const char *bar = strchr(name, '|');
    const char *path = bar ? ck_arena_strndup(c->a, name, (size_t)(bar - name)) : name;
    if (ck_str_starts(path, "spec.")) {
        *ret = ck_at(c->m->spec, path + 5);
    } else {
        const char *dot = strchr(path, '.');
        struct ck_slice head = {path, dot ? (size_t)(dot - path) : strlen(path)};
        const struct ck_pair *p = ck_pair_of(c->vals, head);
        if (!p) {
            const struct ck_val *s = ck_getn(c->snippets, head);
            return s ? ck_addon_render(c, s, ret, err) : unknown(c, "value", name, err);
        }
        *ret = dot ? ck_at(p->val, dot + 1) : p->val;
    }
    if (*ret && ck_is_null(*ret))
        *ret = NULL;
    if (*ret && (*ret)->kind == CK_STR && (*ret)->s.len == 0)
        *ret = bar ? NULL : *ret;
    if (!*ret && bar)
        *ret = scalar(c->a, bar + 1);
    return 0;
}

static void put_text(struct ck_buf *out, const struct ck_val *v)
{
    if (v->kind == CK_STR)
        ck_buf_put(out, v->s);
    else if (v->kind == CK_BOOL)
        ck_buf_puts(out, v->b ? "true" : "false");
    else if (v->kind == CK_INT)
        ck_buf_fmt(out, "%lld", (long long)v->i);
    else if (v->kind == CK_FLOAT)
        ck_buf_fmt(out, "%g", v->f);
}

static bool truth(const struct ck_val *v)
{
    if (!v || v->kind == CK_NULL)
        return false;
    if (v->kind == CK_BOOL)
        return v->b;
    if (v->kind == CK_INT)
        return v->i != 0;
    if (v->kind == CK_STR)
        return v->s.len > 0;
    return true; /* a map that is there counts, even an empty one: `cni: {}` */
}

static int term(struct ck_addon_ctx *c, struct ck_slice t, bool *ret, struct ck_err *err)
{
    char *s = ck_arena_strndup(c->a, t.ptr, t.len);
    if (!strcmp(s, "true") || !strcmp(s, "false")) {
        *ret = s[0] == 't';
        return 0;
    }
    bool negate = *s == '!';
    s += negate;
    char *eq = strchr(s, '=');
    const char *want = NULL;
    if (eq) {
        want = eq + 1;
        if (eq > s && eq[-1] == '!') {
            negate = true;
            eq--;
        }
        *eq = 0;
    }
    struct ck_val *v;
    int r = lookup(c, s, &v, err);
    if (r)
        return r;
    bool is = truth(v);
    if (want) {
        CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
        if (v)
            put_text(&text, v);
        is = !strcmp(ck_buf_str(&text), want);
    }
    *ret = is != negate;
    return 0;
}

int ck_addon_cond(struct ck_addon_ctx *c, const char *cond, bool *ret, struct ck_err *err)
{
    struct ck_slice rest = ck_slice_of(cond), all, any;
    *ret = true;
    while (*ret && ck_slice_next(&rest, '&', &all)) {
        bool one = false;
        while (!one && ck_slice_next(&all, '|', &any)) {
            int r = term(c, ck_slice_trim(any), &one, err);
            if (r)
                return r;
        }
        *ret = one;
    }
    return 0;
}

/* The placeholder that begins at s ("<name>"): its length, or 0 when there is none. */
static size_t placeholder(struct ck_slice s)
{
    if (s.len < 3 || s.ptr[0] != '<' || !(islower((unsigned char)s.ptr[1]) || s.ptr[1] == '*'))
        return 0;
    for (size_t i = 2; i < s.len; i++) {
        if (s.ptr[i] == '>')
            return i + 1;
        if (s.ptr[i] == ' ' || s.ptr[i] == '<' || s.ptr[i] == '\n')
            return 0;
    }
    return 0;
}

static int render_text(struct ck_addon_ctx *c, struct ck_slice s, struct ck_val **ret,
                       struct ck_err *err)
{
    struct ck_val *v;
    size_t n = placeholder(s);
    if (n && n == s.len) {
        int r = lookup(c, ck_arena_strndup(c->a, s.ptr + 1, n - 2), &v, err);
        *ret = !r && v ? ck_val_clone(c->a, v) : NULL;
        return r;
    }
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    for (size_t i = 0; i < s.len; i += n ? n : 1) {
        n = placeholder(ck_slice_n(s.ptr + i, s.len - i));
        if (!n) {
            ck_buf_putc(&out, s.ptr[i]);
            continue;
        }
        const char *name = ck_arena_strndup(c->a, s.ptr + i + 1, n - 2);
        int r = lookup(c, name, &v, err);
        if (r)
            return r;
        if (!v || v->kind == CK_MAP || v->kind == CK_LIST)
            return unknown(c, "text", name, err);
        put_text(&out, v);
    }
    *ret = ck_strn(c->a, ck_buf_slice(&out));
    return 0;
}

static int render_string(struct ck_addon_ctx *c, const struct ck_val *v, struct ck_val **ret,
                         struct ck_err *err)
{
    struct ck_slice s = v->s;
    *ret = NULL;
    if (s.len > 1 && s.ptr[0] == '?') {
        const char *end = memchr(s.ptr + 1, '?', s.len - 1);
        if (end) {
            size_t n = (size_t)(end - s.ptr);
            bool on;
            int r = ck_addon_cond(c, ck_arena_strndup(c->a, s.ptr + 1, n - 1), &on, err);
            if (r || !on)
                return r;
            s = ck_slice_trim(ck_slice_n(end + 1, s.len - n - 1));
        }
    }
    int r = render_text(c, s, ret, err);
    if (!r && *ret && (*ret)->kind == CK_STR)
        (*ret)->quoted = v->quoted;
    return r;
}

static int render_map(struct ck_addon_ctx *c, const struct ck_val *v, struct ck_val **ret,
                      struct ck_err *err)
{
    *ret = NULL;
    const struct ck_val *cond = ck_get(v, "$if");
    if (cond) {
        bool on;
        if (cond->kind != CK_STR)
            return unknown(c, "condition", "that is no text", err);
        int r = ck_addon_cond(c, cond->s.ptr, &on, err);
        if (r || !on)
            return r;
    }
    struct ck_val *out = ck_map(c->a);
    for (uint32_t i = 0; i < v->map.n; i++) {
        const struct ck_pair *p = &v->map.v[i];
        if (p->key.ptr[0] == '$')
            continue;
        struct ck_val *item, *key;
        int r = render_text(c, p->key, &key, err);
        if (!r)
            r = ck_addon_render(c, p->val, &item, err);
        if (r)
            return r;
        if (item && key)
            ck_setn(c->a, out, key->s, item);
    }
    *ret = v->map.n && !out->map.n ? NULL : out;
    return 0;
}

static int render_each(struct ck_addon_ctx *c, const struct ck_val *tpl, struct ck_val *out,
                       struct ck_err *err)
{
    struct ck_val *list;
    int r = lookup(c, ck_str_at(tpl, "$each"), &list, err);
    for (size_t i = 0; !r && i < ck_len(list); i++) {
        struct ck_val *v;
        ck_set(c->a, c->vals, "item", ck_item(list, i));
        r = render_map(c, tpl, &v, err);
        if (!r && v)
            ck_append(c->a, out, v);
    }
    ck_unset(c->vals, "item");
    return r;
}

static int render_list(struct ck_addon_ctx *c, const struct ck_val *v, struct ck_val **ret,
                       struct ck_err *err)
{
    struct ck_val *out = ck_list(c->a), *item;
    int r = 0;
    for (uint32_t i = 0; !r && i < v->list.n; i++) {
        const struct ck_val *t = v->list.v[i];
        if (ck_get(t, "$each")) {
            r = render_each(c, t, out, err);
        } else if (t->kind == CK_STR && ck_slice_starts(t->s, "<*") &&
                   placeholder(t->s) == t->s.len) {
            r = lookup(c, ck_arena_strndup(c->a, t->s.ptr + 2, t->s.len - 3), &item, err);
            for (size_t k = 0; !r && k < ck_len(item); k++)
                ck_append(c->a, out, ck_val_clone(c->a, ck_item(item, k)));
        } else {
            r = ck_addon_render(c, t, &item, err);
            if (!r && item)
                ck_append(c->a, out, item);
        }
    }
    *ret = v->list.n && !out->list.n ? NULL : out;
    return r;
}

int ck_addon_render(struct ck_addon_ctx *c, const struct ck_val *tpl, struct ck_val **ret,
                    struct ck_err *err)
{
    if (tpl->kind == CK_MAP)
        return render_map(c, tpl, ret, err);
    if (tpl->kind == CK_LIST)
        return render_list(c, tpl, ret, err);
    if (tpl->kind == CK_STR)
        return render_string(c, tpl, ret, err);
    *ret = ck_val_clone(c->a, tpl);
    return 0;
}
