/* A reader of the HCL that Terraform modules of kOps and ckops consist of: one attribute a line,
 * maps and blocks with their braces at line ends. */
#include "target/hcl_read.h"

#include "base/buf.h"

#include <string.h>

enum { MAX_DEPTH = 16 };

struct reader {
    struct ck_arena *a;
    struct ck_slice rest;
    unsigned line;
    struct ck_err *err;
};

static bool next_line(struct reader *r, struct ck_slice *ret)
{
    while (ck_slice_next(&r->rest, '\n', ret)) {
        r->line++;
        *ret = ck_slice_trim(*ret);
        if (ret->len && ret->ptr[0] != '#')
            return true;
    }
    return false;
}

static int bad(const struct reader *r, const char *what)
{
    return ck_fail(r->err, CK_INVALID, "line %u: %s", r->line, what);
}

static struct ck_slice unquote(struct ck_slice s)
{
    s = ck_slice_trim(s);
    if (s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"')
        return ck_slice_n(s.ptr + 1, s.len - 2);
    return s;
}

/* A key of a map, in which quotes and backslashes are escaped. */
static const char *map_key(struct reader *r, struct ck_slice s)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    s = unquote(s);
    for (size_t i = 0; i < s.len; i++) {
        i += s.ptr[i] == '\\' && i + 1 < s.len;
        ck_buf_putc(&out, s.ptr[i]);
    }
    return ck_arena_strdup(r->a, ck_buf_str(&out));
}

static const char *text(struct reader *r, struct ck_slice s)
{
    return ck_arena_strndup(r->a, s.ptr, s.len);
}

/* The `=` of an attribute: behind the key, which may be quoted and hold one itself. */
static size_t find_equals(struct ck_slice line)
{
    bool quoted = false;
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] == '\\')
            i++;
        else if (line.ptr[i] == '"')
            quoted = !quoted;
        else if (line.ptr[i] == '=' && !quoted)
            return i;
    }
    return line.len;
}

static int read_body(struct reader *r, struct ck_val *body, int depth);

static int read_map(struct reader *r, struct ck_val *map)
{
    struct ck_slice line;
    while (next_line(r, &line)) {
        if (ck_slice_eq_str(line, "}"))
            return 0;
        size_t eq = find_equals(line);
        if (eq == line.len)
            return bad(r, "expected KEY = VALUE");
        struct ck_slice value = ck_slice_trim(ck_slice_n(line.ptr + eq + 1, line.len - eq - 1));
        ck_set_str(r->a, map, map_key(r, ck_slice_n(line.ptr, eq)), text(r, value));
    }
    return bad(r, "a map does not end");
}

static int read_nested(struct reader *r, struct ck_val *body, const char *key, int depth)
{
    struct ck_val *list = ck_get(body, key), *inner = ck_map(r->a);
    if (!list) {
        list = ck_list(r->a);
        ck_set(r->a, body, key, list);
    }
    if (!ck_is_list(list))
        return bad(r, "a key is both an attribute and a block");
    ck_append(r->a, list, inner);
    return read_body(r, inner, depth + 1);
}

static int read_body(struct reader *r, struct ck_val *body, int depth)
{
    struct ck_slice line;
    if (depth > MAX_DEPTH)
        return bad(r, "blocks are nested too deeply");
    while (next_line(r, &line)) {
        if (ck_slice_eq_str(line, "}"))
            return 0;
        size_t eq = find_equals(line);
        int e = 0;
        if (eq == line.len) {
            if (line.ptr[line.len - 1] != '{')
                return bad(r, "expected an attribute or a block");
            struct ck_slice key = ck_slice_trim(ck_slice_n(line.ptr, line.len - 1));
            e = read_nested(r, body, text(r, key), depth);
        } else {
            const char *key = text(r, unquote(ck_slice_n(line.ptr, eq)));
            struct ck_slice value = ck_slice_trim(ck_slice_n(line.ptr + eq + 1, line.len - eq - 1));
            struct ck_val *v = ck_slice_eq_str(value, "{") ? ck_map(r->a) : ck_strn(r->a, value);
            ck_set(r->a, body, key, v);
            e = v->kind == CK_MAP ? read_map(r, v) : 0;
        }
        if (e)
            return e;
    }
    return bad(r, "a block does not end");
}

/* `resource "TYPE" "NAME" {` */
static int read_top(struct reader *r, struct ck_slice line, struct ck_val *root)
{
    struct ck_slice rest = ck_slice_n(line.ptr, line.len - 1), word[3] = {{0}};
    struct ck_val *body = ck_map(r->a);
    size_t n = 0;
    for (struct ck_slice one; n < 3 && ck_slice_next(&rest, ' ', &one);)
        if (one.len)
            word[n++] = unquote(one);
    int e = read_body(r, body, 1);
    if (e || n < 3)
        return e;
    const char *kind = text(r, word[0]);
    struct ck_val *all = ck_get(root, kind);
    if (!all) {
        all = ck_map(r->a);
        ck_set(r->a, root, kind, all);
    }
    ck_set(r->a, all, ck_arena_printf(r->a, "%.*s.%.*s", CK_SARG(word[1]), CK_SARG(word[2])), body);
    return 0;
}

int ck_hcl_read(struct ck_arena *a, struct ck_slice source, struct ck_val **ret, struct ck_err *err)
{
    struct reader r = {a, source, 0, err};
    struct ck_slice line;
    *ret = ck_map(a);
    while (next_line(&r, &line)) {
        if (line.ptr[line.len - 1] != '{')
            return bad(&r, "expected a block");
        int e = read_top(&r, line, *ret);
        if (e)
            return e;
    }
    return 0;
}
