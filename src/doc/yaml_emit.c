/* YAML out: libyaml's emitter with go-yaml v2's choice of style and order of keys. */
#include "base/enc.h"
#include "base/mem.h"
#include "doc/gofloat.h"
#include "doc/resolve.h"
#include "doc/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* A string that begins with a byte order mark is written by go-yaml with every character escaped,
 * which libyaml cannot do: it travels through libyaml in private characters and is put right
 * afterwards; a text that uses those itself is left to libyaml's way. */
#define NEL       "\xC2\x85" /* U+0085 */
#define BOM       "\xEF\xBB\xBF"
#define ESC_OPEN  "\xEE\x83\xBE" /* U+E0FE, then hex digits, then */
#define ESC_CLOSE "\xEE\x83\xBF" /* U+E0FF */

struct writer {
    yaml_emitter_t e;
    bool failed;
    bool marked; /* private characters are in the output */
};

static int append(void *arg, unsigned char *p, size_t n)
{
    ck_buf_putn(arg, p, n);
    return 1;
}

/* Lack of memory ends the process here as elsewhere: an empty text would be taken for a result. */
static void fail(struct writer *w, bool memory)
{
    if (memory)
        ck_out_of_memory();
    w->failed = true;
}

static void emit(struct writer *w, yaml_event_t *e)
{
    if (w->failed)
        yaml_event_delete(e);
    else if (!yaml_emitter_emit(&w->e, e))
        fail(w, w->e.error == YAML_MEMORY_ERROR);
}

static void put_scalar(struct writer *w, struct ck_slice s, yaml_scalar_style_t style)
{
    yaml_event_t e;
    errno = 0; /* the call does not tell lack of memory from text that is not UTF-8 */
    bool ok = yaml_scalar_event_initialize(&e, NULL, NULL, (const yaml_char_t *)s.ptr, (int)s.len,
                                           1, 1, style);
    if (ok)
        emit(w, &e);
    else
        fail(w, errno == ENOMEM);
}

static bool contains(struct ck_slice s, const char *what)
{
    return s.len && memmem(s.ptr, s.len, what, strlen(what)) != NULL;
}

/* kOps' YAML passes through JSON text that is read as YAML again: there U+0085 is a line break
 * inside quotes, and folds away with the blanks around it. */
static void fold_next_lines(struct ck_slice s, struct ck_buf *ret)
{
    for (size_t i = 0; i < s.len;) {
        size_t at = i, breaks = 0;
        for (;; at++) {
            if (s.len - at >= 2 && memcmp(s.ptr + at, NEL, 2) == 0)
                at++, breaks++;
            else if (at >= s.len || (s.ptr[at] != ' ' && s.ptr[at] != '\t'))
                break;
        }
        if (!breaks) {
            ck_buf_putc(ret, s.ptr[i++]);
            continue;
        }
        if (breaks == 1)
            ck_buf_putc(ret, ' ');
        else
            ck_buf_fill(ret, '\n', breaks - 1);
        i = at;
    }
}

/* The stand-in for a text libyaml would write differently; false when it needs none. */
static bool stand_in(struct writer *w, struct ck_slice s, struct ck_buf *ret)
{
    if (ck_slice_starts(s, BOM) && !contains(s, ESC_OPEN)) {
        ck_buf_puts(ret, ESC_OPEN);
        ck_hex_encode(ret, s.ptr, s.len);
        ck_buf_puts(ret, ESC_CLOSE);
        w->marked = true;
        return true;
    }
    if (!contains(s, NEL))
        return false;
    fold_next_lines(s, ret);
    return true;
}

static void put_escaped(struct ck_buf *out, struct ck_slice text)
{
    ck_buf_putc(out, '"');
    for (size_t i = 0, n; i < text.len; i += n) {
        uint32_t cp = 0;
        n = ck_utf8_decode(text.ptr + i, text.len - i, &cp);
        if (!n)
            n = 1;
        ck_buf_fmt(out,
                   cp < 0x100     ? "\\x%02X"
                   : cp < 0x10000 ? "\\u%04X"
                                  : "\\U%08X",
                   (unsigned)cp);
    }
    ck_buf_putc(out, '"');
}

static void put_right(struct ck_buf *out, size_t start)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    const char *p = out->ptr + start, *end = out->ptr + out->len;
    while (p < end) {
        if (ck_str_starts(p, ESC_OPEN)) {
            const char *close = strstr(p, ESC_CLOSE);
            CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
            if (close && ck_hex_decode(&text, ck_slice_n(p + 3, (size_t)(close - p - 3))) &&
                ck_slice_starts(ck_buf_slice(&text), BOM)) {
                put_escaped(&b, ck_buf_slice(&text));
                p = close + 3;
            } else { /* somebody else's private character */
                ck_buf_putn(&b, p, 3);
                p += 3;
            }
        } else {
            ck_buf_putc(&b, *p++);
        }
    }
    out->len = start;
    ck_buf_put(out, ck_buf_slice(&b));
}

static void put_text(struct writer *w, struct ck_slice s)
{
    CK_AUTOBUF struct ck_buf valid = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf other = CK_BUF_INIT;
    if (!ck_utf8_valid(s)) { /* libyaml would write nothing at all */
        ck_scalar_repair(&valid, s);
        s = ck_buf_slice(&valid);
    }
    if (stand_in(w, s, &other))
        s = ck_buf_slice(&other);
    yaml_scalar_style_t style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    if (s.len && memchr(s.ptr, '\n', s.len))
        style = YAML_LITERAL_SCALAR_STYLE;
    else if (ck_scalar_plain(s))
        style = YAML_PLAIN_SCALAR_STYLE;
    put_scalar(w, s, style);
}

static void put_number(struct writer *w, const struct ck_val *v)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (v->kind == CK_INT)
        ck_buf_fmt(&b, "%lld", (long long)v->i);
    else if (v->kind == CK_UINT)
        ck_buf_fmt(&b, "%llu", (unsigned long long)v->u);
    else
        ck_gofloat_put(&b, v->f, 64, false);
    put_scalar(w, ck_buf_slice(&b), YAML_PLAIN_SCALAR_STYLE);
}

static int by_key(const void *a, const void *b)
{
    const struct ck_pair *const *x = a, *const *y = b;
    return ck_key_cmp_natural((*x)->key, (*y)->key);
}

static void put_value(struct writer *w, const struct ck_val *v);

static void put_map(struct writer *w, const struct ck_val *v)
{
    yaml_event_t e;
    yaml_mapping_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
    emit(w, &e);
    size_t n = v->map.n;
    const struct ck_pair **pairs = ck_xmalloc((n ? n : 1) * sizeof(const struct ck_pair *));
    for (size_t i = 0; i < n; i++)
        pairs[i] = &v->map.v[i];
    if (n > 1)
        qsort(pairs, n, sizeof(const struct ck_pair *), by_key);
    for (size_t i = 0; i < n; i++) {
        put_text(w, pairs[i]->key);
        put_value(w, pairs[i]->val);
    }
    free(pairs);
    yaml_mapping_end_event_initialize(&e);
    emit(w, &e);
}

static void put_value(struct writer *w, const struct ck_val *v)
{
    yaml_event_t e;
    switch (v->kind) {
    case CK_NULL:
        put_scalar(w, CK_S("null"), YAML_PLAIN_SCALAR_STYLE);
        return;
    case CK_BOOL:
        put_scalar(w, v->b ? CK_S("true") : CK_S("false"), YAML_PLAIN_SCALAR_STYLE);
        return;
    case CK_STR:
        put_text(w, v->s);
        return;
    case CK_INT:
    case CK_UINT:
    case CK_FLOAT:
        put_number(w, v);
        return;
    case CK_MAP:
        put_map(w, v);
        return;
    case CK_LIST:
        yaml_sequence_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE);
        emit(w, &e);
        for (size_t i = 0; i < v->list.n; i++)
            put_value(w, v->list.v[i]);
        yaml_sequence_end_event_initialize(&e);
        emit(w, &e);
        return;
    }
}

void ck_yaml_emit(struct ck_buf *out, const struct ck_val *v)
{
    struct writer w = {.failed = false};
    size_t start = out->len;
    yaml_event_t e;
    if (!yaml_emitter_initialize(&w.e))
        ck_out_of_memory();
    yaml_emitter_set_output(&w.e, append, out);
    yaml_emitter_set_unicode(&w.e, 1);
    yaml_emitter_set_width(&w.e, 80);
    yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING);
    emit(&w, &e);
    yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 1);
    emit(&w, &e);
    put_value(&w, v);
    yaml_document_end_event_initialize(&e, 1);
    emit(&w, &e);
    yaml_stream_end_event_initialize(&e);
    emit(&w, &e);
    yaml_emitter_delete(&w.e);
    if (w.failed) /* never a document cut short that looks like a whole one */
        out->overflow = true;
    if (w.marked)
        put_right(out, start);
    /* After a block that keeps its final line breaks libyaml marks the end of the document. */
    struct ck_slice s = ck_slice_n(out->ptr + start, out->len - start);
    if (ck_slice_ends(s, "\n...\n")) {
        out->len -= 4;
        out->ptr[out->len] = '\0';
    }
}
