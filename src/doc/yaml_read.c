/* YAML in: libyaml's events into a value tree, with go-yaml v2's meaning of scalars, keys, merges,
 * aliases and errors. Only the first document is read, as kOps does. */
#include "doc/yaml.h"

#include "base/enc.h"
#include "base/map.h"
#include "doc/gofloat.h"
#include "doc/resolve.h"
#include "doc/yaml_plain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum {
    DEFAULT_BYTES = 16 << 20,
    DEFAULT_DEPTH = 100,
    DEFAULT_NODES = 1000000,
    MAX_ALIASED = 100000, /* nodes that aliases may repeat; go-yaml has a ratio */
    MAX_KEY = 64 << 10,
    MAX_DUPLICATES = 20
};

struct anchor {
    struct ck_val *val; /* NULL while it is being read */
};

struct reader {
    yaml_parser_t p;
    struct ck_arena *a;
    const struct ck_yaml_opts *opts;
    struct ck_yaml_limits lim;
    struct ck_map anchors;
    struct ck_buf duplicates;
    unsigned n_duplicates;
    size_t nodes;
    size_t aliased; /* of them, those that aliases repeated */
    unsigned depth;
    struct ck_pos *at;
    struct ck_err *err;
};

static struct ck_pos pos_of(const struct reader *r, yaml_mark_t m)
{
    return (struct ck_pos){(uint32_t)(m.line + 1 + r->opts->line_offset), (uint32_t)(m.column + 1)};
}

static int fail_at(struct reader *r, yaml_mark_t m, enum ck_code code, const char *text)
{
    if (r->at)
        *r->at = pos_of(r, m);
    return ck_fail(r->err, code, "%s", text);
}

/* go-yaml's wording of a syntax error, line numbers with their quirk included: the first line has
 * none. */
static int fail_syntax(struct reader *r)
{
    const yaml_parser_t *p = &r->p;
    size_t line = 0;
    yaml_mark_t mark = p->problem_mark;
    if (p->problem_mark.line) {
        line = p->problem_mark.line + (p->error == YAML_SCANNER_ERROR);
    } else if (p->context_mark.line) {
        line = p->context_mark.line;
    }
    if (p->error == YAML_READER_ERROR)
        mark = p->mark;
    if (r->at)
        *r->at = pos_of(r, mark);
    const char *text = p->problem ? p->problem : "unknown problem parsing YAML content";
    if (line)
        return ck_fail(r->err, CK_INVALID, "yaml: line %zu: %s", line + r->opts->line_offset, text);
    return ck_fail(r->err, CK_INVALID, "yaml: %s", text);
}

static int next_event(struct reader *r, yaml_event_t *e)
{
    return yaml_parser_parse(&r->p, e) ? 0 : fail_syntax(r);
}

/* ---- limits ---- */

static int count(struct reader *r, size_t n, yaml_mark_t m)
{
    r->nodes += n;
    if (r->nodes > r->lim.nodes)
        return fail_at(r, m, CK_LIMIT,
                       "yaml: document contains excessive aliasing or is too large");
    return 0;
}

static size_t weight(const struct ck_val *v, size_t most)
{
    size_t n = 1;
    for (size_t i = 0; i < ck_len(v) && n <= most; i++)
        n += weight(v->kind == CK_LIST ? v->list.v[i] : v->map.v[i].val, most - n);
    return n;
}

/* ---- scalars ---- */

static bool tag_is(const char *tag, const char *name)
{
    static const char prefix[] = "tag:yaml.org,2002:";
    return ck_str_starts(tag, prefix) && strcmp(tag + sizeof prefix - 1, name) == 0;
}

static int binary(struct reader *r, const yaml_event_t *e, struct ck_slice text, struct ck_val *v)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (!ck_base64_decode(&b, text))
        return fail_at(r, e->start_mark, CK_INVALID,
                       "yaml: !!binary value contains invalid base64 data");
    v->kind = CK_STR;
    v->s = ck_arena_slice(r->a, ck_buf_slice(&b));
    return 0;
}

static int scalar(struct reader *r, const yaml_event_t *e, struct ck_val *v)
{
    struct ck_slice text = {(const char *)e->data.scalar.value, e->data.scalar.length};
    const char *tag = (const char *)e->data.scalar.tag;
    if (tag && tag_is(tag, "binary"))
        return binary(r, e, text, v);
    bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    v->quoted = !plain;
    struct ck_scalar s = {.kind = CK_SCALAR_STR};
    if (tag ? (tag_is(tag, "int") || tag_is(tag, "float") || tag_is(tag, "bool") ||
               tag_is(tag, "null"))
            : plain)
        s = ck_scalar_resolve(text);
    switch (s.kind) {
    case CK_SCALAR_NULL:
        v->kind = CK_NULL;
        return 0;
    case CK_SCALAR_BOOL:
        v->kind = CK_BOOL;
        v->b = s.b;
        return 0;
    case CK_SCALAR_INT:
        v->kind = CK_INT;
        v->i = s.i;
        return 0;
    case CK_SCALAR_UINT:
        v->kind = CK_UINT;
        v->u = s.u;
        return 0;
    case CK_SCALAR_FLOAT:
        if (isnan(s.f) || isinf(s.f))
            return fail_at(r, e->start_mark, CK_INVALID,
                           isnan(s.f) ? "json: unsupported value: NaN"
                           : s.f > 0  ? "json: unsupported value: +Inf"
                                      : "json: unsupported value: -Inf");
        v->kind = CK_FLOAT;
        v->f = s.f;
        return 0;
    case CK_SCALAR_STR:
    case CK_SCALAR_TIME:
        break;
    }
    v->kind = CK_STR;
    v->s = ck_arena_slice(r->a, text);
    return 0;
}

/* ---- keys ---- */

/* Go's %#v of a key that cannot be one. */
static void go_repr(struct ck_buf *b, const struct ck_val *v, unsigned depth)
{
    if (depth > 4) {
        ck_buf_puts(b, "…");
        return;
    }
    switch (v->kind) {
    case CK_NULL:
        ck_buf_puts(b, depth ? "interface {}(nil)" : "<nil>");
        break;
    case CK_BOOL:
        ck_buf_puts(b, v->b ? "true" : "false");
        break;
    case CK_INT:
        ck_buf_fmt(b, "%lld", (long long)v->i);
        break;
    case CK_UINT:
        ck_buf_fmt(b, "0x%llx", (unsigned long long)v->u);
        break;
    case CK_FLOAT:
        ck_gofloat_put(b, v->f, 64, false);
        break;
    case CK_STR:
        ck_goquote(b, v->s.len > 200 ? ck_slice_n(v->s.ptr, 200) : v->s);
        break;
    case CK_LIST:
    case CK_MAP:
        ck_buf_puts(b, v->kind == CK_LIST ? "[]interface {}{" : "map[interface {}]interface {}{");
        for (size_t i = 0; i < ck_len(v) && i < 8; i++) {
            if (i)
                ck_buf_puts(b, ", ");
            if (v->kind == CK_MAP) {
                ck_goquote(b, v->map.v[i].key);
                ck_buf_putc(b, ':');
            }
            go_repr(b, v->kind == CK_LIST ? v->list.v[i] : v->map.v[i].val, depth + 1);
        }
        ck_buf_putc(b, '}');
        break;
    }
}

static int bad_key(struct reader *r, const struct ck_val *key, const struct ck_val *val,
                   yaml_mark_t m)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (key->kind == CK_LIST || key->kind == CK_MAP) {
        ck_buf_puts(&b, "yaml: invalid map key: ");
        go_repr(&b, key, 0);
    } else {
        ck_buf_puts(&b, "unsupported map key of type: %!s(<nil>), key: <nil>, value: ");
        go_repr(&b, val, 0);
    }
    return fail_at(r, m, CK_INVALID, ck_buf_str(&b));
}

/* The key's text; false when this value cannot be a key. */
static bool key_text(struct reader *r, const struct ck_val *k, struct ck_slice *ret)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    switch (k->kind) {
    case CK_STR:
        *ret = k->s;
        return true;
    case CK_BOOL:
        *ret = k->b ? CK_S("true") : CK_S("false");
        return true;
    case CK_INT:
        ck_buf_fmt(&b, "%lld", (long long)k->i);
        break;
    case CK_FLOAT:
        ck_gofloat_put(&b, k->f, 32, false);
        break;
    default:
        return false;
    }
    *ret = ck_arena_slice(r->a, ck_buf_slice(&b));
    return true;
}

/* ---- nodes ---- */

static int node(struct reader *r, yaml_event_t *e, struct ck_val **ret);

static struct anchor *open_anchor(struct reader *r, const yaml_char_t *name)
{
    if (!name)
        return NULL;
    struct anchor *n = ck_arena_alloc(r->a, sizeof *n);
    ck_map_put(&r->anchors, (const char *)name, n);
    return n;
}

static int alias(struct reader *r, const yaml_event_t *e, struct ck_val **ret)
{
    const char *name = (const char *)e->data.alias.anchor;
    const struct anchor *n = ck_map_get(&r->anchors, name);
    char text[160];
    if (!n || !n->val) {
        snprintf(text, sizeof text,
                 n ? "yaml: anchor '%.64s' value contains itself"
                   : "yaml: unknown anchor '%.64s' referenced",
                 name);
        return fail_at(r, e->start_mark, CK_INVALID, text);
    }
    size_t w = weight(n->val, r->lim.nodes);
    r->aliased += w;
    int rc = count(r, r->aliased > MAX_ALIASED ? r->lim.nodes + 1 : w, e->start_mark);
    if (rc == 0)
        *ret = ck_val_clone(r->a, n->val);
    return rc;
}

static int sequence(struct reader *r, struct ck_val *v)
{
    v->kind = CK_LIST;
    for (;;) {
        yaml_event_t e;
        int rc = next_event(r, &e);
        if (rc < 0)
            return rc;
        if (e.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&e);
            return 0;
        }
        struct ck_val *item;
        rc = node(r, &e, &item);
        if (rc < 0)
            return rc;
        ck_append(r->a, v, item);
    }
}

static void note_duplicate(struct reader *r, struct ck_slice key, struct ck_pos at)
{
    if (r->at && !r->n_duplicates)
        *r->at = at;
    if (++r->n_duplicates > MAX_DUPLICATES)
        return;
    ck_buf_fmt(&r->duplicates, "\n  line %u: key ", at.line);
    ck_goquote(&r->duplicates, key);
    ck_buf_puts(&r->duplicates, " already set in map");
}

static void put(struct reader *r, struct ck_val *map, struct ck_slice key, struct ck_pos at,
                struct ck_val *val)
{
    struct ck_pair *p = ck_pair_of(map, key);
    if (p) {
        if (r->opts->strict)
            note_duplicate(r, key, at);
        p->val = val;
        p->key_pos = at;
    } else {
        ck_map_append(r->a, map, key, val)->key_pos = at;
    }
}

static int merge(struct reader *r, struct ck_val *map, const struct ck_val *from, yaml_mark_t m)
{
    if (from->kind == CK_LIST) {
        /* Earlier maps win: they are merged last. */
        for (size_t i = from->list.n; i-- > 0;) {
            if (from->list.v[i]->kind != CK_MAP)
                goto wrong;
            int rc = merge(r, map, from->list.v[i], m);
            if (rc < 0)
                return rc;
        }
        return 0;
    }
    if (from->kind != CK_MAP)
        goto wrong;
    for (size_t i = 0; i < from->map.n; i++)
        put(r, map, from->map.v[i].key, from->map.v[i].key_pos, from->map.v[i].val);
    return 0;
wrong:
    return fail_at(r, m, CK_INVALID,
                   "yaml: map merge requires map or sequence of maps as the value");
}

static int mapping(struct reader *r, struct ck_val *v)
{
    v->kind = CK_MAP;
    for (;;) {
        yaml_event_t e;
        int rc = next_event(r, &e);
        if (rc < 0)
            return rc;
        if (e.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&e);
            return 0;
        }
        yaml_mark_t mark = e.start_mark;
        bool is_merge = e.type == YAML_SCALAR_EVENT &&
                        e.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !e.data.scalar.tag &&
                        strcmp((const char *)e.data.scalar.value, "<<") == 0;
        struct ck_val *key, *val;
        rc = node(r, &e, &key);
        if (rc < 0 || (rc = next_event(r, &e)) < 0)
            return rc;
        rc = node(r, &e, &val);
        if (rc < 0)
            return rc;
        struct ck_slice text;
        if (is_merge)
            rc = merge(r, v, val, mark);
        else if (!key_text(r, key, &text))
            rc = bad_key(r, key, val, mark);
        else if (text.len > MAX_KEY)
            rc = fail_at(r, mark, CK_LIMIT, "yaml: a key is longer than 65536 bytes");
        else
            put(r, v, text, pos_of(r, mark), val);
        if (rc < 0)
            return rc;
    }
}

static int deeper(struct reader *r, yaml_event_t *e, struct ck_val *v)
{
    bool is_map = e->type == YAML_MAPPING_START_EVENT;
    struct anchor *n =
        open_anchor(r, is_map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor);
    if (++r->depth > r->lim.depth)
        return fail_at(r, e->start_mark, CK_LIMIT, "yaml: nesting is too deep");
    int rc = is_map ? mapping(r, v) : sequence(r, v);
    r->depth--;
    if (n)
        n->val = v;
    return rc;
}

/* Takes the event over. */
static int node(struct reader *r, yaml_event_t *e, struct ck_val **ret)
{
    struct ck_val *v = ck_arena_alloc(r->a, sizeof *v);
    v->pos = pos_of(r, e->start_mark);
    int rc = count(r, 1, e->start_mark);
    if (rc == 0) {
        switch (e->type) {
        case YAML_ALIAS_EVENT:
            rc = alias(r, e, &v);
            break;
        case YAML_SCALAR_EVENT: {
            struct anchor *n = open_anchor(r, e->data.scalar.anchor);
            rc = scalar(r, e, v);
            if (n)
                n->val = v;
            break;
        }
        case YAML_SEQUENCE_START_EVENT:
        case YAML_MAPPING_START_EVENT:
            rc = deeper(r, e, v);
            break;
        default:
            rc = fail_at(r, e->start_mark, CK_INVALID, "yaml: unexpected event");
            break;
        }
    }
    yaml_event_delete(e);
    *ret = v;
    return rc;
}

static int document(struct reader *r, struct ck_val **ret)
{
    yaml_event_t e;
    int rc = next_event(r, &e);
    if (rc < 0)
        return rc;
    yaml_event_delete(&e); /* stream start */
    if ((rc = next_event(r, &e)) < 0)
        return rc;
    bool end = e.type == YAML_STREAM_END_EVENT;
    yaml_event_delete(&e);
    if (end) {
        *ret = ck_null(r->a);
        return 0;
    }
    if ((rc = next_event(r, &e)) < 0 || (rc = node(r, &e, ret)) < 0 ||
        (rc = next_event(r, &e)) < 0) /* what follows the root may be what is wrong */
        return rc;
    yaml_event_delete(&e);
    return 0;
}

int ck_yaml_parse(struct ck_arena *a, struct ck_slice text, const struct ck_yaml_opts *opts,
                  struct ck_val **ret, struct ck_pos *ret_at, struct ck_err *err)
{
    static const struct ck_yaml_opts none;
    struct reader r = {.a = a, .opts = opts ? opts : &none, .at = ret_at, .err = err};
    r.lim = r.opts->limits;
    if (!r.lim.bytes)
        r.lim.bytes = DEFAULT_BYTES;
    if (!r.lim.depth)
        r.lim.depth = DEFAULT_DEPTH;
    if (!r.lim.nodes)
        r.lim.nodes = DEFAULT_NODES;
    if (ret_at)
        *ret_at = (struct ck_pos){0, 0};
    if (text.len > r.lim.bytes)
        return ck_fail(err, CK_LIMIT, "yaml: document is larger than %zu bytes", r.lim.bytes);
    if (ck_yaml_read_plain(a, text, r.opts->line_offset, &r.lim, ret))
        return 0;
    if (!yaml_parser_initialize(&r.p))
        return ck_fail(err, CK_INTERNAL, "yaml: out of memory");
    yaml_parser_set_input_string(&r.p, (const unsigned char *)text.ptr, text.len);
    int rc = document(&r, ret);
    if (rc == 0 && r.n_duplicates)
        rc = ck_fail(err, CK_INVALID, "yaml: unmarshal errors:%s", ck_buf_str(&r.duplicates));
    yaml_parser_delete(&r.p);
    ck_map_done(&r.anchors);
    ck_buf_done(&r.duplicates);
    return rc;
}
