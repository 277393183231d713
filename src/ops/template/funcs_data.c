/* Template functions on lists, maps and values of any kind, and the look-up of functions. */
#include "ops/template/internal.h"

#include <stdlib.h>
#include <string.h>

static struct ck_val *own(struct ck_tcall *c, const struct ck_val *v)
{
    return ck_val_clone(c->a, v);
}

static int need(struct ck_tcall *c, size_t i, enum ck_kind kind)
{
    if (c->v[i]->kind == kind)
        return 0;
    return ck_fail(c->err, CK_INVALID, "argument %zu is %s, not a %s", i + 1, ck_tval_type(c->v[i]),
                   kind == CK_MAP ? "map" : "list");
}

static const char *text(const struct ck_tcall *c, size_t i)
{
    return ck_tval_text(c->a, c->v[i]);
}

/* ---- any value ---- */

static int f_default(struct ck_tcall *c, struct ck_val **ret)
{
    const struct ck_val *given = c->n > 1 ? c->v[1] : NULL;
    *ret = own(c, ck_tval_true(given) ? given : c->v[0]);
    return 0;
}

static int f_empty(struct ck_tcall *c, struct ck_val **ret)
{
    *ret = ck_bool(c->a, !ck_tval_true(c->v[0]));
    return 0;
}

static int f_coalesce(struct ck_tcall *c, struct ck_val **ret)
{
    for (size_t i = 0; i < c->n; i++)
        if (ck_tval_true(c->v[i])) {
            *ret = own(c, c->v[i]);
            break;
        }
    return 0;
}

static int f_ternary(struct ck_tcall *c, struct ck_val **ret)
{
    *ret = own(c, ck_tval_true(c->v[2]) ? c->v[0] : c->v[1]);
    return 0;
}

static int f_required(struct ck_tcall *c, struct ck_val **ret)
{
    const struct ck_val *v = c->v[1];
    if (ck_is_null(v) || (v->kind == CK_STR && !v->s.len))
        return ck_fail(c->err, CK_INVALID, "%s", text(c, 0));
    *ret = own(c, v);
    return 0;
}

static int f_kind_of(struct ck_tcall *c, struct ck_val **ret)
{
    static const char *const kinds[] = {
        [CK_NULL] = "invalid",  [CK_BOOL] = "bool",  [CK_INT] = "int",    [CK_UINT] = "uint64",
        [CK_FLOAT] = "float64", [CK_STR] = "string", [CK_LIST] = "slice", [CK_MAP] = "map"};
    *ret = ck_str(c->a, kinds[c->v[c->n - 1]->kind]);
    if (c->n == 2)
        *ret = ck_bool(c->a, strcmp((*ret)->s.ptr, text(c, 0)) == 0);
    return 0;
}

static int f_len(struct ck_tcall *c, struct ck_val **ret)
{
    const struct ck_val *v = c->v[0];
    if (v->kind != CK_STR && v->kind != CK_LIST && v->kind != CK_MAP)
        return ck_fail(c->err, CK_INVALID, "len of type %s", ck_tval_type(v));
    *ret = ck_int(c->a, (int64_t)(v->kind == CK_STR ? v->s.len : ck_len(v)));
    return 0;
}

static int f_index(struct ck_tcall *c, struct ck_val **ret)
{
    const struct ck_val *v = c->v[0];
    for (size_t i = 1; i < c->n; i++) {
        if (ck_is_null(v))
            return ck_fail(c->err, CK_INVALID, "index of untyped nil");
        if (v->kind == CK_MAP) {
            v = ck_get(v, text(c, i));
            continue;
        }
        int64_t at = ck_tval_int(c->v[i]);
        if (v->kind != CK_LIST)
            return ck_fail(c->err, CK_INVALID, "can't index item of type %s", ck_tval_type(v));
        if (at < 0 || (size_t)at >= ck_len(v))
            return ck_fail(c->err, CK_INVALID, "index out of range: %lld", (long long)at);
        v = ck_item(v, (size_t)at);
    }
    *ret = v ? own(c, v) : NULL;
    return 0;
}

static int f_slice(struct ck_tcall *c, struct ck_val **ret)
{
    const struct ck_val *v = c->v[0];
    int64_t n = (int64_t)(v->kind == CK_STR ? v->s.len : ck_len(v));
    int64_t from = c->n > 1 ? ck_tval_int(c->v[1]) : 0, to = c->n > 2 ? ck_tval_int(c->v[2]) : n;
    if (v->kind != CK_STR && v->kind != CK_LIST)
        return ck_fail(c->err, CK_INVALID, "slice of type %s", ck_tval_type(v));
    if (from < 0 || to > n || from > to)
        return ck_fail(c->err, CK_INVALID, "index out of range: %lld",
                       (long long)(from < 0 ? from : to));
    if (v->kind == CK_STR) {
        *ret = ck_strn(c->a, ck_slice_n(v->s.ptr + from, (size_t)(to - from)));
        return 0;
    }
    *ret = ck_list(c->a);
    for (; from < to; from++)
        ck_append(c->a, *ret, own(c, ck_item(v, (size_t)from)));
    return 0;
}

/* ---- lists ---- */

static int f_list(struct ck_tcall *c, struct ck_val **ret)
{
    *ret = ck_list(c->a);
    for (size_t i = 0; i < c->n; i++)
        ck_append(c->a, *ret, own(c, c->v[i]));
    return 0;
}

/* Items from, to (exclusive; counted from the end when negative), or one item. */
static int part(struct ck_tcall *c, struct ck_val **ret, size_t skip, size_t drop)
{
    int r = need(c, 0, CK_LIST);
    size_t n = ck_len(c->v[0]);
    *ret = ck_list(c->a);
    for (size_t i = skip; r == 0 && i + drop < n; i++)
        ck_append(c->a, *ret, own(c, ck_item(c->v[0], i)));
    return r;
}

static int f_first(struct ck_tcall *c, struct ck_val **ret)
{
    int r = need(c, 0, CK_LIST);
    if (r == 0 && ck_len(c->v[0]))
        *ret = own(c, ck_item(c->v[0], 0));
    return r;
}

static int f_last(struct ck_tcall *c, struct ck_val **ret)
{
    int r = need(c, 0, CK_LIST);
    if (r == 0 && ck_len(c->v[0]))
        *ret = own(c, ck_item(c->v[0], ck_len(c->v[0]) - 1));
    return r;
}

static int f_rest(struct ck_tcall *c, struct ck_val **ret)
{
    return part(c, ret, 1, 0);
}

static int f_initial(struct ck_tcall *c, struct ck_val **ret)
{
    return part(c, ret, 0, 1);
}

static int f_append(struct ck_tcall *c, struct ck_val **ret)
{
    int r = part(c, ret, 0, 0);
    if (r == 0)
        ck_append(c->a, *ret, own(c, c->v[1]));
    return r;
}

static int f_prepend(struct ck_tcall *c, struct ck_val **ret)
{
    int r = need(c, 0, CK_LIST);
    *ret = ck_list(c->a);
    ck_append(c->a, *ret, own(c, c->v[1]));
    for (size_t i = 0; r == 0 && i < ck_len(c->v[0]); i++)
        ck_append(c->a, *ret, own(c, ck_item(c->v[0], i)));
    return r;
}

static int f_concat(struct ck_tcall *c, struct ck_val **ret)
{
    *ret = ck_list(c->a);
    for (size_t k = 0; k < c->n; k++) {
        int r = need(c, k, CK_LIST);
        if (r < 0)
            return r;
        for (size_t i = 0; i < ck_len(c->v[k]); i++)
            ck_append(c->a, *ret, own(c, ck_item(c->v[k], i)));
    }
    return 0;
}

static bool holds(const struct ck_val *list, const struct ck_val *v)
{
    for (size_t i = 0; i < ck_len(list); i++)
        if (ck_val_eq(ck_item(list, i), v))
            return true;
    return false;
}

static int f_has(struct ck_tcall *c, struct ck_val **ret)
{
    *ret = ck_bool(c->a, c->v[1]->kind == CK_LIST && holds(c->v[1], c->v[0]));
    return 0;
}

static int f_uniq(struct ck_tcall *c, struct ck_val **ret)
{
    int r = need(c, 0, CK_LIST);
    *ret = ck_list(c->a);
    for (size_t i = 0; r == 0 && i < ck_len(c->v[0]); i++)
        if (!holds(*ret, ck_item(c->v[0], i)))
            ck_append(c->a, *ret, own(c, ck_item(c->v[0], i)));
    return r;
}

static int f_without(struct ck_tcall *c, struct ck_val **ret)
{
    int r = need(c, 0, CK_LIST);
    *ret = ck_list(c->a);
    for (size_t i = 0; r == 0 && i < ck_len(c->v[0]); i++) {
        bool out = false;
        for (size_t k = 1; k < c->n; k++)
            out = out || ck_val_eq(ck_item(c->v[0], i), c->v[k]);
        if (!out)
            ck_append(c->a, *ret, own(c, ck_item(c->v[0], i)));
    }
    return r;
}

static int f_compact(struct ck_tcall *c, struct ck_val **ret)
{
    int r = need(c, 0, CK_LIST);
    *ret = ck_list(c->a);
    for (size_t i = 0; r == 0 && i < ck_len(c->v[0]); i++)
        if (ck_tval_true(ck_item(c->v[0], i)))
            ck_append(c->a, *ret, own(c, ck_item(c->v[0], i)));
    return r;
}

static int f_reverse(struct ck_tcall *c, struct ck_val **ret)
{
    int r = need(c, 0, CK_LIST);
    *ret = ck_list(c->a);
    for (size_t i = ck_len(c->v[0]); r == 0 && i > 0; i--)
        ck_append(c->a, *ret, own(c, ck_item(c->v[0], i - 1)));
    return r;
}

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static int sorted_texts(struct ck_tcall *c, const char **v, size_t n, struct ck_val **ret)
{
    qsort(v, n, sizeof *v, by_text);
    *ret = ck_list(c->a);
    for (size_t i = 0; i < n; i++)
        ck_append_str(c->a, *ret, v[i]);
    return 0;
}

static int f_sort_alpha(struct ck_tcall *c, struct ck_val **ret)
{
    int r = need(c, 0, CK_LIST);
    size_t n = r == 0 ? ck_len(c->v[0]) : 0;
    const char **v = ck_arena_alloc(c->a, (n + 1) * sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = ck_tval_text(c->a, ck_item(c->v[0], i));
    return r < 0 ? r : sorted_texts(c, v, n, ret);
}

static int f_join(struct ck_tcall *c, struct ck_val **ret)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(4 << 20);
    const struct ck_val *l = c->v[1];
    if (l->kind != CK_LIST)
        ck_buf_puts(&b, text(c, 1));
    for (size_t i = 0; l->kind == CK_LIST && i < ck_len(l); i++) {
        ck_buf_puts(&b, i ? text(c, 0) : "");
        ck_buf_puts(&b, ck_tval_text(c->a, ck_item(l, i)));
    }
    *ret = ck_strn(c->a, ck_buf_slice(&b));
    return 0;
}

/* At most `limit` parts; 0: all. A list, or a map with the keys _0, _1, … */
static int split_of(struct ck_tcall *c, const char *sep, const char *s, int64_t limit, bool map,
                    struct ck_val **ret)
{
    size_t n = strlen(sep);
    *ret = map ? ck_map(c->a) : ck_list(c->a);
    for (int64_t i = 0;; i++) {
        const char *at = n && (!limit || i + 1 < limit) ? strstr(s, sep) : NULL;
        if (!n && *s && s[1] && (!limit || i + 1 < limit))
            at = s + 1;
        struct ck_val *v = ck_strn(c->a, ck_slice_n(s, at ? (size_t)(at - s) : strlen(s)));
        if (map)
            ck_set(c->a, *ret, ck_arena_printf(c->a, "_%lld", (long long)i), v);
        else
            ck_append(c->a, *ret, v);
        if (!at)
            return 0;
        s = at + n;
    }
}

static int f_split_list(struct ck_tcall *c, struct ck_val **ret)
{
    return split_of(c, text(c, 0), text(c, 1), 0, false, ret);
}

static int f_split(struct ck_tcall *c, struct ck_val **ret)
{
    return split_of(c, text(c, 0), text(c, 1), 0, true, ret);
}

static int f_splitn(struct ck_tcall *c, struct ck_val **ret)
{
    return split_of(c, text(c, 0), text(c, 2), ck_tval_int(c->v[1]), true, ret);
}

/* ---- maps ---- */

static int f_dict(struct ck_tcall *c, struct ck_val **ret)
{
    *ret = ck_map(c->a);
    for (size_t i = 0; i < c->n; i += 2)
        ck_set(c->a, *ret, text(c, i), i + 1 < c->n ? own(c, c->v[i + 1]) : ck_str(c->a, ""));
    return 0;
}

static int f_get(struct ck_tcall *c, struct ck_val **ret)
{
    int r = need(c, 0, CK_MAP);
    const struct ck_val *v = ck_get(c->v[0], text(c, 1));
    *ret = v ? own(c, v) : ck_str(c->a, "");
    return r;
}

/* sprig changes the map itself, and templates rely on it. */
static int f_set(struct ck_tcall *c, struct ck_val **ret)
{
    int r = need(c, 0, CK_MAP);
    struct ck_val *map = (struct ck_val *)(uintptr_t)c->v[0];
    if (r == 0)
        ck_set(c->a, map, text(c, 1), own(c, c->v[2]));
    *ret = map;
    return r;
}

static int f_unset(struct ck_tcall *c, struct ck_val **ret)
{
    int r = need(c, 0, CK_MAP);
    struct ck_val *map = (struct ck_val *)(uintptr_t)c->v[0];
    if (r == 0)
        ck_unset(map, text(c, 1));
    *ret = map;
    return r;
}

static int f_has_key(struct ck_tcall *c, struct ck_val **ret)
{
    int r = need(c, 0, CK_MAP);
    *ret = ck_bool(c->a, r == 0 && ck_get(c->v[0], text(c, 1)) != NULL);
    return r;
}

/* In order of the keys: sprig leaves the order to chance. */
static int keys_of(struct ck_tcall *c, struct ck_val **ret, bool values)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        n += ck_len(c->v[i]);
    const char **v = ck_arena_alloc(c->a, (n + 1) * sizeof *v);
    n = 0;
    for (size_t k = 0; k < c->n; k++) {
        int r = need(c, k, CK_MAP);
        if (r < 0)
            return r;
        for (size_t i = 0; i < ck_len(c->v[k]); i++)
            v[n++] = c->v[k]->map.v[i].key.ptr;
    }
    sorted_texts(c, v, n, ret);
    if (!values)
        return 0;
    struct ck_val *names = *ret;
    *ret = ck_list(c->a);
    for (size_t i = 0; i < n; i++)
        ck_append(c->a, *ret, own(c, ck_get(c->v[0], ck_item(names, i)->s.ptr)));
    return 0;
}

static int f_keys(struct ck_tcall *c, struct ck_val **ret)
{
    return keys_of(c, ret, false);
}

static int f_values(struct ck_tcall *c, struct ck_val **ret)
{
    return keys_of(c, ret, true);
}

static int choose(struct ck_tcall *c, struct ck_val **ret, bool named)
{
    int r = need(c, 0, CK_MAP);
    *ret = ck_map(c->a);
    for (size_t i = 0; r == 0 && i < ck_len(c->v[0]); i++) {
        const struct ck_pair *p = &c->v[0]->map.v[i];
        bool found = false;
        for (size_t k = 1; k < c->n; k++)
            found = found || ck_slice_eq_str(p->key, text(c, k));
        if (found == named)
            ck_setn(c->a, *ret, p->key, own(c, p->val));
    }
    return r;
}

static int f_pick(struct ck_tcall *c, struct ck_val **ret)
{
    return choose(c, ret, true);
}

static int f_omit(struct ck_tcall *c, struct ck_val **ret)
{
    return choose(c, ret, false);
}

static void merge_into(struct ck_tcall *c, struct ck_val *to, const struct ck_val *from, bool over)
{
    for (size_t i = 0; i < ck_len(from); i++) {
        const struct ck_pair *p = &from->map.v[i];
        struct ck_val *there = ck_getn(to, p->key);
        if (ck_is_map(there) && ck_is_map(p->val))
            merge_into(c, there, p->val, over);
        else if (!there || over || !ck_tval_true(there))
            ck_setn(c->a, to, p->key, own(c, p->val));
    }
}

static int merge_of(struct ck_tcall *c, struct ck_val **ret, bool over)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < c->n; i++)
        r = need(c, i, CK_MAP);
    *ret = (struct ck_val *)(uintptr_t)c->v[0];
    for (size_t i = 1; r == 0 && i < c->n; i++)
        merge_into(c, *ret, c->v[i], over);
    return r;
}

static int f_merge(struct ck_tcall *c, struct ck_val **ret)
{
    return merge_of(c, ret, false);
}

static int f_merge_overwrite(struct ck_tcall *c, struct ck_val **ret)
{
    return merge_of(c, ret, true);
}

static int f_deep_copy(struct ck_tcall *c, struct ck_val **ret)
{
    *ret = own(c, c->v[0]);
    return 0;
}

const struct ck_tfunc ck_tfuncs_data[] = {
    {"append", f_append, 2, 2},
    {"coalesce", f_coalesce, 0, CK_TANY},
    {"compact", f_compact, 1, 1},
    {"concat", f_concat, 0, CK_TANY},
    {"deepCopy", f_deep_copy, 1, 1},
    {"default", f_default, 1, 2},
    {"dict", f_dict, 0, CK_TANY},
    {"empty", f_empty, 1, 1},
    {"first", f_first, 1, 1},
    {"get", f_get, 2, 2},
    {"has", f_has, 2, 2},
    {"hasKey", f_has_key, 2, 2},
    {"index", f_index, 1, CK_TANY},
    {"initial", f_initial, 1, 1},
    {"join", f_join, 2, 2},
    {"keys", f_keys, 1, CK_TANY},
    {"kindIs", f_kind_of, 2, 2},
    {"kindOf", f_kind_of, 1, 1},
    {"last", f_last, 1, 1},
    {"len", f_len, 1, 1},
    {"list", f_list, 0, CK_TANY},
    {"merge", f_merge, 1, CK_TANY},
    {"mergeOverwrite", f_merge_overwrite, 1, CK_TANY},
    {"omit", f_omit, 1, CK_TANY},
    {"pick", f_pick, 1, CK_TANY},
    {"prepend", f_prepend, 2, 2},
    {"required", f_required, 2, 2},
    {"rest", f_rest, 1, 1},
    {"reverse", f_reverse, 1, 1},
    {"set", f_set, 3, 3},
    {"slice", f_slice, 1, 3},
    {"sortAlpha", f_sort_alpha, 1, 1},
    {"split", f_split, 2, 2},
    {"splitList", f_split_list, 2, 2},
    {"splitn", f_splitn, 3, 3},
    {"ternary", f_ternary, 3, 3},
    {"tuple", f_list, 0, CK_TANY},
    {"uniq", f_uniq, 1, 1},
    {"unset", f_unset, 2, 2},
    {"values", f_values, 1, 1},
    {"without", f_without, 1, CK_TANY},
    {0},
};

const struct ck_tfunc *ck_tfunc_find(const char *name)
{
    static const struct ck_tfunc *const tables[] = {ck_tfuncs_text, ck_tfuncs_data, ck_tfuncs_math};
    for (size_t i = 0; i < CK_ARRAY_LEN(tables); i++)
        for (const struct ck_tfunc *f = tables[i]; f->name; f++)
            if (strcmp(f->name, name) == 0)
                return f;
    return NULL;
}
