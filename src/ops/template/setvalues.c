/* --set of `toolbox template`: Helm's notation of values (its strvals package). */
#include "ops/template/template.h"

#include "base/enc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INDEX = 1024, MAX_DEPTH = 30 };

struct reader {
    struct ck_arena *a;
    const char *p, *text;
    bool as_text;
    struct ck_err *err;
};

static int bad(struct reader *r, const char *why)
{
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(r->text));
    return ck_fail(r->err, CK_INVALID, "%s cannot be read at character %zu: %s", ck_buf_str(&q),
                   (size_t)(r->p - r->text) + 1, why);
}

/* Up to one of `stops`; a backslash takes the next character as it is. */
static const char *word(struct reader *r, const char *stops)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (; *r->p && !strchr(stops, *r->p); r->p++) {
        if (*r->p == '\\' && r->p[1])
            r->p++;
        ck_buf_putc(&b, *r->p);
    }
    return ck_arena_strndup(r->a, ck_buf_str(&b), b.len);
}

static struct ck_val *typed(struct reader *r, const char *s)
{
    char *end;
    if (r->as_text)
        return ck_str(r->a, s);
    if (strcmp(s, "true") == 0 || strcmp(s, "false") == 0)
        return ck_bool(r->a, *s == 't');
    if (strcmp(s, "null") == 0)
        return ck_null(r->a);
    errno = 0;
    long long i = strtoll(s, &end, 10);
    bool number = *s && !*end && !errno && (*s != '0' || !s[1]) && *s != '+' && *s != ' ';
    return number ? ck_int(r->a, i) : ck_str(r->a, s);
}

static struct ck_val *value(struct reader *r)
{
    if (*r->p != '{')
        return typed(r, word(r, ","));
    struct ck_val *l = ck_list(r->a);
    for (r->p++; *r->p && *r->p != '}';) {
        ck_append(r->a, l, typed(r, word(r, ",}")));
        if (*r->p == ',')
            r->p++;
    }
    if (*r->p == '}')
        r->p++;
    return l;
}

static int index_of(struct reader *r, size_t *ret)
{
    char *end;
    long i = strtol(r->p + 1, &end, 10);
    if (end == r->p + 1 || *end != ']' || i < 0 || i > MAX_INDEX)
        return bad(r, "an index is a number between 0 and 1024 and ends with ]");
    r->p = end + 1;
    *ret = (size_t)i;
    return 0;
}

/* One "PATH=VALUE" below `map`; the path is walked and made. */
static int assign(struct reader *r, struct ck_val *map)
{
    struct ck_val *in_list = NULL;
    for (int depth = 0; depth < MAX_DEPTH; depth++) {
        const char *key = word(r, ".[=,");
        if (!*key)
            return bad(r, "a key is missing");
        struct ck_val *slot = ck_get(map, key);
        size_t at = 0;
        in_list = NULL;
        while (*r->p == '[') {
            int rc = index_of(r, &at);
            if (rc < 0)
                return rc;
            struct ck_val *l = ck_is_list(slot) ? slot : ck_list(r->a);
            if (in_list)
                return bad(r, "lists of lists are not supported");
            ck_set(r->a, map, key, l);
            while (ck_len(l) <= at)
                ck_append(r->a, l, ck_null(r->a));
            in_list = l;
            slot = ck_item(l, at);
        }
        if (*r->p == '=') {
            r->p++;
            struct ck_val *v = value(r);
            if (in_list)
                in_list->list.v[at] = v;
            else
                ck_set(r->a, map, key, v);
            return 0;
        }
        if (*r->p != '.')
            return bad(r, "a key needs =VALUE");
        r->p++;
        if (!ck_is_map(slot)) {
            slot = ck_map(r->a);
            if (in_list)
                in_list->list.v[at] = slot;
            else
                ck_set(r->a, map, key, slot);
        }
        map = slot;
    }
    return bad(r, "it nests too deeply");
}

int ck_template_set(struct ck_arena *a, struct ck_val *map, const char *text, bool as_text,
                    struct ck_err *err)
{
    struct reader r = {.a = a, .p = text, .text = text, .as_text = as_text, .err = err};
    do {
        int rc = assign(&r, map);
        if (rc < 0)
            return rc;
    } while (*r.p == ',' && r.p++);
    return *r.p ? bad(&r, "a comma is expected") : 0;
}
