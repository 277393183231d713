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
    NODE_BYTES = 64,      /* of repeated text count as one node */
    MAX_TAG_DIRECTIVES = 1000,
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
    bool in_key;   /* the scalar being read is a key */
    bool semantic; /* the error is one that go-yaml finds only after reading all of the text */
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

static int fail_meaning(struct reader *r, yaml_mark_t m, const char *text)
{
    r->semantic = true;
    return fail_at(r, m, CK_INVALID, text);
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

/* What repeating v costs, in nodes; text counts, or a few long strings would fill the memory. */
static size_t weight(const struct ck_val *v, size_t most)
{
    size_t n = 1 + (v->kind == CK_STR ? v->s.len / NODE_BYTES : 0);
    for (size_t i = 0; i < ck_len(v) && n <= most; i++) {
        if (v->kind == CK_MAP)
            n += v->map.v[i].key.len / NODE_BYTES;
        n += weight(v->kind == CK_LIST ? v->list.v[i] : v->map.v[i].val, most);
    }
    return n;
}

static size_t count_of(struct ck_slice text, struct ck_slice what, size_t most)
{
    size_t n = 0;
    const char *p = text.ptr, *end = p + text.len;
    while (n <= most && (p = memmem(p, (size_t)(end - p), what.ptr, what.len))) {
        p += what.len;
        n++;
    }
    return n;
}

/* libyaml compares each %TAG directive with all before it: many of them take hours. UTF-16 has the
 * same letters with NULs between. */
static bool has_too_many_directives(struct ck_slice text)
{
    return count_of(text, CK_S("%TAG"), MAX_TAG_DIRECTIVES) > MAX_TAG_DIRECTIVES ||
           count_of(text, CK_S("%\0T\0A\0G"), MAX_TAG_DIRECTIVES) > MAX_TAG_DIRECTIVES;
}

/* ---- scalars ---- */

/* "int" of "tag:yaml.org,2002:int"; NULL for tags that are not YAML's own. */
static const char *standard_tag(const char *tag)
{
    static const char prefix[] = "tag:yaml.org,2002:";
    return tag && ck_str_starts(tag, prefix) ? tag + sizeof prefix - 1 : NULL;
}

static int binary(struct reader *r, const yaml_event_t *e, struct ck_slice text, struct ck_val *v)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf valid = CK_BUF_INIT;
    if (!ck_base64_decode(&b, text))
        return fail_meaning(r, e->start_mark, "yaml: !!binary value contains invalid base64 data");
    ck_scalar_repair(&valid, ck_buf_slice(&b)); /* kOps passes it through JSON */
    v->kind = CK_STR;
    v->s = ck_arena_slice(r->a, ck_buf_slice(&valid));
    return 0;
}

static const char *kind_tag(enum ck_scalar_kind kind)
{
    switch (kind) {
    case CK_SCALAR_NULL:
        return "null";
    case CK_SCALAR_BOOL:
        return "bool";
    case CK_SCALAR_INT:
    case CK_SCALAR_UINT:
        return "int";
    case CK_SCALAR_FLOAT:
        return "float";
    case CK_SCALAR_TIME:
    case CK_SCALAR_STR:
        break;
    }
    return "str";
}

/* The meaning of text under an explicit tag of YAML's own (go-yaml resolve.go): what the text says
 * must be what the tag says, except that an integer may be called a float. */
static int tagged(struct reader *r, const yaml_event_t *e, const char *tag, struct ck_slice text,
                  struct ck_scalar *ret)
{
    static const char *const resolved[] = {"int", "float", "bool", "null", "timestamp"};
    size_t i = 0;
    while (i < CK_ARRAY_LEN(resolved) && strcmp(tag, resolved[i]) != 0)
        i++;
    if (i == CK_ARRAY_LEN(resolved))
        return 0;
    *ret = ck_scalar_resolve(text);
    bool is_time = strcmp(tag, "timestamp") == 0;
    if (strcmp(kind_tag(ret->kind), tag) == 0 || (is_time && ret->kind == CK_SCALAR_TIME))
        return 0;
    if (ret->kind == CK_SCALAR_INT && strcmp(tag, "float") == 0) {
        ret->f = (double)ret->i;
        ret->kind = CK_SCALAR_FLOAT;
        return 0;
    }
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_fmt(&b, "yaml: cannot decode !!%s `%.*s` as a !!%s", kind_tag(ret->kind),
               (int)(text.len < 200 ? text.len : 200), text.ptr, tag);
    return fail_meaning(r, e->start_mark, ck_buf_str(&b));
}

static int float_value(struct reader *r, const yaml_event_t *e, double f, struct ck_val *v)
{
    v->kind = CK_FLOAT;
    v->f = f;
    if (isfinite(f) || r->in_key)
        return 0;
    return fail_meaning(r, e->start_mark,
                        isnan(f) ? "json: unsupported value: NaN"
                        : f > 0  ? "json: unsupported value: +Inf"
                                 : "json: unsupported value: -Inf");
}

static int scalar(struct reader *r, const yaml_event_t *e, struct ck_val *v)
{
    struct ck_slice text = {(const char *)e->data.scalar.value, e->data.scalar.length};
    const char *tag = standard_tag((const char *)e->data.scalar.tag);
    if (tag && strcmp(tag, "binary") == 0)
        return binary(r, e, text, v);
    v->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    struct ck_scalar s = {.kind = CK_SCALAR_STR};
    int rc = tag ? tagged(r, e, tag, text, &s) : 0;
    if (rc < 0)
        return rc;
    if (!e->data.scalar.tag && e->data.scalar.plain_implicit)
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
        return float_value(r, e, s.f, v);
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
        ck_buf_fmt(&b, "unsupported map key of type: %s, key: ",
                   key->kind == CK_UINT ? "uint64" : "%!s(<nil>)");
        go_repr(&b, key, 0);
        ck_buf_puts(&b, ", value: ");
        go_repr(&b, val, 0);
    }
    return fail_meaning(r, m, ck_buf_str(&b));
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
        if (isfinite(k->f))
            ck_gofloat_put(&b, k->f, 32, false);
        else
            ck_buf_puts(&b, isnan(k->f) ? ".nan" : k->f > 0 ? ".inf" : "-.inf");
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
        return n ? fail_meaning(r, e->start_mark, text)
                 : fail_at(r, e->start_mark, CK_INVALID, text);
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

/* A map under construction. */
struct building {
    struct ck_val *map;
    struct ck_val *merged; /* keys that so far come from merges only; NULL without merges */
};

static void note_duplicate(struct reader *r, struct ck_slice key, bool is_text, struct ck_pos at)
{
    if (r->at && !r->n_duplicates)
        *r->at = at;
    if (++r->n_duplicates > MAX_DUPLICATES)
        return;
    ck_buf_fmt(&r->duplicates, "\n  line %u: key ", at.line);
    if (is_text)
        ck_goquote(&r->duplicates, key);
    else
        ck_buf_put(&r->duplicates, key);
    ck_buf_puts(&r->duplicates, " already set in map");
}

/* Put a pair that is written in the map itself, or true for `merging`, one that is merged into it.
 * Writing a key that was merged before is what merging is for, not a duplicate. */
static void put(struct reader *r, struct building *b, const struct ck_pair *pair, bool is_text,
                bool merging)
{
    struct ck_pair *p = ck_pair_of(b->map, pair->key);
    struct ck_pair *m = b->merged ? ck_pair_of(b->merged, pair->key) : NULL;
    bool only_merged = m && m->val;
    if (p) {
        if (r->opts->strict && !only_merged)
            note_duplicate(r, pair->key, is_text, pair->key_pos);
        p->val = pair->val;
        p->key_pos = pair->key_pos;
    } else {
        ck_map_append(r->a, b->map, pair->key, pair->val)->key_pos = pair->key_pos;
    }
    if (only_merged && !merging)
        m->val = NULL;
    else if (merging && !p)
        ck_map_append(r->a, b->merged, pair->key, pair->val);
}

static int merge(struct reader *r, struct building *b, const struct ck_val *from, yaml_mark_t m)
{
    static const char wrong[] = "yaml: map merge requires map or sequence of maps as the value";
    if (from->kind == CK_LIST) {
        /* Earlier maps win: they are merged last. */
        for (size_t i = from->list.n; i-- > 0;) {
            if (from->list.v[i]->kind != CK_MAP)
                return fail_meaning(r, m, wrong);
            int rc = merge(r, b, from->list.v[i], m);
            if (rc < 0)
                return rc;
        }
        return 0;
    }
    if (from->kind != CK_MAP)
        return fail_meaning(r, m, wrong);
    if (!b->merged)
        b->merged = ck_map(r->a);
    for (size_t i = 0; i < from->map.n; i++)
        put(r, b, &from->map.v[i], true, true);
    return 0;
}

static bool is_merge_key(const yaml_event_t *e)
{
    if (e->type != YAML_SCALAR_EVENT || strcmp((const char *)e->data.scalar.value, "<<") != 0)
        return false;
    const char *tag = standard_tag((const char *)e->data.scalar.tag);
    return tag ? strcmp(tag, "merge") == 0 : !e->data.scalar.tag && e->data.scalar.plain_implicit;
}

/* The pair whose key is the event; takes the event over. */
static int pair(struct reader *r, struct building *b, yaml_event_t *e)
{
    yaml_mark_t mark = e->start_mark;
    bool merging = is_merge_key(e);
    struct ck_val *key, *val;
    r->in_key = e->type == YAML_SCALAR_EVENT;
    int rc = node(r, e, &key);
    r->in_key = false;
    if (rc < 0 || (rc = next_event(r, e)) < 0 || (rc = node(r, e, &val)) < 0)
        return rc;
    struct ck_pair p = {.key_pos = pos_of(r, mark), .val = val};
    if (merging)
        return merge(r, b, val, mark);
    if (!key_text(r, key, &p.key))
        return bad_key(r, key, val, mark);
    if (p.key.len > MAX_KEY)
        return fail_at(r, mark, CK_LIMIT, "yaml: a key is longer than 65536 bytes");
    put(r, b, &p, key->kind == CK_STR, false);
    return 0;
}

static int mapping(struct reader *r, struct ck_val *v)
{
    struct building b = {.map = v};
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
        rc = pair(r, &b, &e);
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

/* go-yaml reads the text before it looks at its meaning: wrong syntax further on comes first. */
static int prefer_syntax_error(struct reader *r)
{
    yaml_event_t e;
    for (bool more = true; more;) {
        if (!yaml_parser_parse(&r->p, &e))
            return fail_syntax(r);
        more = e.type != YAML_DOCUMENT_END_EVENT && e.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&e);
    }
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
    if (has_too_many_directives(text))
        return ck_fail(err, CK_LIMIT, "yaml: more than %d %%TAG directives", MAX_TAG_DIRECTIVES);
    if (!yaml_parser_initialize(&r.p))
        return ck_fail(err, CK_INTERNAL, "yaml: out of memory");
    yaml_parser_set_input_string(&r.p, (const unsigned char *)text.ptr, text.len);
    int rc = document(&r, ret);
    if (rc < 0 && r.semantic) {
        int syntax = prefer_syntax_error(&r);
        rc = syntax < 0 ? syntax : rc;
    }
    if (rc == 0 && r.n_duplicates)
        rc = ck_fail(err, CK_INVALID, "yaml: unmarshal errors:%s", ck_buf_str(&r.duplicates));
    yaml_parser_delete(&r.p);
    ck_map_done(&r.anchors);
    ck_buf_done(&r.duplicates);
    return rc;
}
