/* Parsing field paths. Mirrors kOps util/pkg/reflectutils/fieldpath.go, which runs Go's
 * text/scanner over the path: its token numbers appear in the messages. */
#include "spec/codec/path.h"

#include <ctype.h>
#include <stdlib.h>

enum { TOK_EOF = -1, TOK_IDENT = -2, TOK_INT = -3, TOK_FLOAT = -4, TOK_STRING = -6 };

struct token {
    int kind; /* TOK_… or the character */
    struct ck_slice text;
};

static bool is_letter(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static size_t number_end(const char *s, bool *ret_float)
{
    size_t n = 0;
    *ret_float = false;
    while (isdigit((unsigned char)s[n]))
        n++;
    if (s[n] == '.') {
        *ret_float = true;
        for (n++; isdigit((unsigned char)s[n]);)
            n++;
    }
    return n;
}

static struct token next_token(const char **at)
{
    const char *s = *at;
    while (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r')
        s++;
    size_t n = 0;
    struct token t = {.kind = TOK_EOF};
    bool is_float;
    if (is_letter(*s)) {
        while (is_letter(s[n]) || isdigit((unsigned char)s[n]))
            n++;
        t.kind = TOK_IDENT;
    } else if (isdigit((unsigned char)*s) || (*s == '.' && isdigit((unsigned char)s[1]))) {
        n = number_end(s, &is_float);
        t.kind = is_float ? TOK_FLOAT : TOK_INT;
    } else if (*s == '"') {
        for (n = 1; s[n] && s[n] != '"';)
            n += s[n] == '\\' && s[n + 1] ? 2 : 1;
        n += s[n] == '"';
        t.kind = TOK_STRING;
    } else if (*s) {
        n = 1;
        t.kind = (unsigned char)*s;
    }
    t.text = ck_slice_n(s, n);
    *at = s + n;
    return t;
}

void ck_steps_push(struct ck_arena *a, struct ck_steps *s, struct ck_step step)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 8;
        struct ck_step *v = ck_arena_alloc(a, cap * sizeof *v);
        if (s->n)
            memcpy(v, s->v, s->n * sizeof *v);
        s->v = v;
        s->cap = cap;
    }
    s->v[s->n++] = step;
}

void ck_steps_push_names(struct ck_arena *a, struct ck_steps *s, const char *names)
{
    struct ck_slice rest = ck_slice_of(names), name;
    while (ck_slice_next(&rest, '.', &name))
        ck_steps_push(a, s, (struct ck_step){.name = name, .index = CK_INDEX_NONE});
}

static int unexpected(const char *path, struct token t, struct ck_err *err)
{
    return ck_fail(err, CK_INVALID, "cannot parse field path \"%s\": unexpected token %d (%.*s)",
                   path, t.kind, CK_SARG(t.text));
}

/* After "[": a number or "*", then "]". */
static int parse_index(struct ck_arena *a, const char *path, const char **at, struct ck_steps *ret,
                       struct ck_err *err)
{
    struct token t = next_token(at);
    long index = CK_INDEX_ALL;
    if (t.kind == TOK_INT) {
        if (t.text.len > 6)
            return unexpected(path, t, err);
        index = strtol(t.text.ptr, NULL, 10);
    } else if (t.kind != '*') {
        return unexpected(path, t, err);
    }
    ck_steps_push(a, ret, (struct ck_step){.index = index});
    t = next_token(at);
    return t.kind == ']' ? 0 : unexpected(path, t, err);
}

int ck_path_parse(struct ck_arena *a, const char *path, struct ck_steps *ret, struct ck_err *err)
{
    const char *at = path = ck_arena_strdup(a, path);
    struct token t = next_token(&at);
    for (;;) {
        if (t.kind != TOK_IDENT)
            return unexpected(path, t, err);
        ck_steps_push(a, ret, (struct ck_step){.name = t.text, .index = CK_INDEX_NONE});
        t = next_token(&at);
        while (t.kind == '[') {
            int rc = parse_index(a, path, &at, ret, err);
            if (rc)
                return rc;
            t = next_token(&at);
        }
        if (t.kind == TOK_EOF)
            return 0;
        if (t.kind != '.' && t.kind != '/')
            return unexpected(path, t, err);
        t = next_token(&at);
    }
}
