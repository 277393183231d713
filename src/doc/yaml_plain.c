/* A fast reader for the YAML that programs write.
 *
 * State stores hold thousands of files in the one form kOps and this program write; reading them
 * through a full YAML parser is most of what a listing costs. Whatever is not plainly that form is
 * left to the full reader (yaml_read.c), errors included: a refusal here is never a verdict. */
#include "doc/yaml_plain.h"

#include "doc/resolve.h"

#include <math.h>

enum { MAX_KEY = 1024 };

struct plain {
    struct ck_arena *a;
    const char *p, *end; /* behind the current line */
    unsigned line;       /* number of the current line */
    struct ck_slice s;   /* its text from `indent` on */
    unsigned indent;     /* column of s, from 0 */
    bool eof;
    unsigned depth, max_depth;
    size_t nodes, max_nodes;
};

/* Step to the next line. False when it is blank, a comment, or holds anything but printable ASCII.
 */
static bool next_line(struct plain *r)
{
    if (r->p == r->end) {
        r->eof = true;
        return true;
    }
    const char *start = r->p, *eol = memchr(start, '\n', (size_t)(r->end - start));
    r->p = eol ? eol + 1 : r->end;
    eol = eol ? eol : r->end;
    const char *text = start;
    while (text < eol && *text == ' ')
        text++;
    if (text == eol || *text == '#' || eol[-1] == ' ' || eol - start > 65536)
        return false;
    for (const char *c = text; c < eol; c++)
        if (*c < 0x20 || *c > 0x7e)
            return false;
    r->line++;
    r->indent = (unsigned)(text - start);
    r->s = ck_slice_n(text, (size_t)(eol - text));
    return true;
}

static bool is_item(const struct plain *r)
{
    return r->s.len > 2 && r->s.ptr[0] == '-' && r->s.ptr[1] == ' ' && r->s.ptr[2] != ' ';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_key_char(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
}

/* Length of the key that s begins with, up to its colon; 0 when there is none. */
static size_t key_len(struct ck_slice s)
{
    size_t n = 0;
    if (s.len == 0 || !is_letter(s.ptr[0]))
        return 0;
    while (n < s.len && is_key_char(s.ptr[n]))
        n++;
    bool ends = n < s.len && s.ptr[n] == ':' && (n + 1 == s.len || s.ptr[n + 1] == ' ');
    return ends && n <= MAX_KEY ? n : 0;
}

static struct ck_val *make(struct plain *r, unsigned col)
{
    struct ck_val *v = ck_arena_alloc(r->a, sizeof *v);
    v->pos = (struct ck_pos){r->line, col + 1};
    r->nodes++;
    return v;
}

/* ---- scalars ---- */

static bool is_plain_text(struct ck_slice s)
{
    char c = s.ptr[0];
    bool begins = is_key_char(c) || c == '+' || c == '~' || c == '$' || c == '(' || c == ':';
    if (!begins || s.ptr[s.len - 1] == ':')
        return false;
    if (c == '-' && (s.len < 2 || !is_key_char(s.ptr[1]) || s.ptr[1] == '-'))
        return false;
    for (size_t i = 1; i < s.len; i++)
        if ((s.ptr[i] == ' ' && s.ptr[i - 1] == ':') || (s.ptr[i] == '#' && s.ptr[i - 1] == ' '))
            return false;
    return true;
}

/* Between quotes with nothing in it that would need more than copying. */
static bool quoted_text(struct ck_slice s, struct ck_slice *ret)
{
    char q = s.ptr[0];
    if (s.len < 2 || s.ptr[s.len - 1] != q)
        return false;
    *ret = ck_slice_n(s.ptr + 1, s.len - 2);
    return !memchr(ret->ptr, q, ret->len) && (q == '\'' || !memchr(ret->ptr, '\\', ret->len));
}

static bool resolve(struct plain *r, struct ck_slice s, struct ck_val *v)
{
    struct ck_scalar x = ck_scalar_resolve(s);
    switch (x.kind) {
    case CK_SCALAR_NULL:
        v->kind = CK_NULL;
        return true;
    case CK_SCALAR_BOOL:
        v->kind = CK_BOOL;
        v->b = x.b;
        return true;
    case CK_SCALAR_INT:
        v->kind = CK_INT;
        v->i = x.i;
        return true;
    case CK_SCALAR_UINT:
        v->kind = CK_UINT;
        v->u = x.u;
        return true;
    case CK_SCALAR_FLOAT:
        v->kind = CK_FLOAT;
        v->f = x.f;
        return isfinite(x.f);
    case CK_SCALAR_STR:
    case CK_SCALAR_TIME:
        break;
    }
    v->kind = CK_STR;
    v->s = ck_arena_slice(r->a, s);
    return true;
}

/* The rest of the current line from s on, as a value; then the next line. */
static bool scalar(struct plain *r, struct ck_slice s, unsigned col, struct ck_val **ret)
{
    struct ck_val *v = *ret = make(r, col);
    struct ck_slice text;
    switch (s.ptr[0]) {
    case '"':
    case '\'':
        if (!quoted_text(s, &text))
            return false;
        v->kind = CK_STR;
        v->quoted = true;
        v->s = ck_arena_slice(r->a, text);
        break;
    case '{':
    case '[':
        if (!ck_slice_eq_str(s, s.ptr[0] == '{' ? "{}" : "[]") || r->depth >= r->max_depth)
            return false;
        v->kind = s.ptr[0] == '{' ? CK_MAP : CK_LIST;
        break;
    default:
        if (!is_plain_text(s) || !resolve(r, s, v))
            return false;
    }
    return next_line(r);
}

/* ---- collections ---- */

static bool map(struct plain *r, unsigned indent, struct ck_val **ret);

static bool enter(struct plain *r, enum ck_kind kind, struct ck_val **ret)
{
    *ret = make(r, r->indent);
    (*ret)->kind = kind;
    return ++r->depth <= r->max_depth && r->nodes <= r->max_nodes;
}

static bool list(struct plain *r, unsigned indent, struct ck_val **ret)
{
    if (!enter(r, CK_LIST, ret))
        return false;
    while (!r->eof && r->indent == indent && is_item(r)) {
        struct ck_slice s = ck_slice_n(r->s.ptr + 2, r->s.len - 2);
        struct ck_val *item;
        if (key_len(s)) {
            r->s = s;
            r->indent = indent + 2;
            if (!map(r, indent + 2, &item))
                return false;
        } else if (!scalar(r, s, indent + 2, &item)) {
            return false;
        }
        if (!r->eof && r->indent > indent) /* a scalar that goes on, or a wrong indent */
            return false;
        ck_append(r->a, *ret, item);
    }
    r->depth--;
    return true;
}

/* What follows "key:" at the end of its line. */
static bool nested(struct plain *r, unsigned indent, unsigned after_colon, struct ck_val **ret)
{
    unsigned line = r->line;
    if (!next_line(r))
        return false;
    if (!r->eof && r->indent > indent)
        return is_item(r) ? list(r, r->indent, ret) : map(r, r->indent, ret);
    if (!r->eof && r->indent == indent && is_item(r))
        return list(r, indent, ret);
    *ret = make(r, after_colon);
    (*ret)->pos.line = line;
    (*ret)->kind = CK_NULL;
    return true;
}

static bool map(struct plain *r, unsigned indent, struct ck_val **ret)
{
    if (!enter(r, CK_MAP, ret))
        return false;
    while (!r->eof && r->indent == indent) {
        size_t n = key_len(r->s);
        struct ck_slice key = ck_slice_n(r->s.ptr, n), rest = r->s;
        struct ck_pos at = {r->line, indent + 1};
        struct ck_val *val;
        if (!n || ck_scalar_resolve(key).kind != CK_SCALAR_STR || ck_pair_of(*ret, key))
            return false;
        r->nodes++;
        if (n + 1 == rest.len) {
            if (!nested(r, indent, indent + (unsigned)n + 1, &val))
                return false;
        } else if (rest.ptr[n + 2] == ' ' ||
                   !scalar(r, ck_slice_n(rest.ptr + n + 2, rest.len - n - 2),
                           indent + (unsigned)n + 2, &val)) {
            return false;
        }
        if (!r->eof && r->indent > indent)
            return false;
        ck_map_append(r->a, *ret, key, val)->key_pos = at;
    }
    r->depth--;
    return true;
}

bool ck_yaml_read_plain(struct ck_arena *a, struct ck_slice text, unsigned line_offset,
                        const struct ck_yaml_limits *limits, struct ck_val **ret)
{
    struct plain r = {.a = a,
                      .p = text.ptr,
                      .end = text.ptr + text.len,
                      .line = line_offset,
                      .max_depth = limits->depth,
                      .max_nodes = limits->nodes};
    if (text.len == 0 || text.len > limits->bytes || !next_line(&r) || r.eof || r.indent)
        return false;
    return map(&r, 0, ret) && r.eof && r.nodes <= r.max_nodes;
}
