/* XML replies into values, by expat. Documents with a DOCTYPE are refused: that is where entity
 * attacks live, and no service sends one. Attributes, comments and mixed content are dropped, as
 * Go's decoders of these replies drop them. */
#include "doc/xml.h"

#include "base/buf.h"
#include "base/mem.h"

#include <expat.h>
#include <limits.h>
#include <string.h>

enum { MAX_DEPTH = 64 };

struct level {
    struct ck_val *map; /* children; NULL while there are none */
    struct ck_buf text;
};

struct parse {
    struct ck_arena *a;
    XML_Parser x;
    struct level levels[MAX_DEPTH + 1]; /* 0 is the document */
    unsigned depth;
    enum ck_code refused; /* why the parse was stopped, and the text for it */
    const char *problem;
};

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

static void stop(struct parse *p, enum ck_code code, const char *problem)
{
    p->refused = code;
    p->problem = problem;
    XML_StopParser(p->x, XML_FALSE);
}

static void start(void *arg, const char *name, const char **attrs)
{
    struct parse *p = arg;
    if (p->refused)
        return;
    if (p->depth == MAX_DEPTH) {
        stop(p, CK_LIMIT, "nested more than 64 levels deep");
        return;
    }
    if (!p->levels[p->depth].map)
        p->levels[p->depth].map = ck_map(p->a);
    p->depth++;
    p->levels[p->depth].map = NULL;
    ck_buf_reset(&p->levels[p->depth].text);
}

static void end(void *arg, const char *name)
{
    struct parse *p = arg;
    /* expat still reports the end of an empty element at whose start it was stopped. */
    if (p->refused)
        return;
    struct level *l = &p->levels[p->depth];
    struct ck_val *v = l->map ? l->map : ck_strn(p->a, ck_buf_slice(&l->text));
    struct ck_val *parent = p->levels[--p->depth].map;
    name = local_name(name);
    struct ck_val *have = ck_get(parent, name);
    if (!have) {
        ck_set(p->a, parent, name, v);
    } else if (have->kind == CK_LIST) {
        ck_append(p->a, have, v);
    } else {
        struct ck_val *list = ck_list(p->a);
        ck_append(p->a, list, have);
        ck_append(p->a, list, v);
        ck_set(p->a, parent, name, list);
    }
}

static void text(void *arg, const char *s, int len)
{
    struct parse *p = arg;
    if (!p->refused)
        ck_buf_putn(&p->levels[p->depth].text, s, (size_t)len);
}

static void doctype(void *arg, const char *name, const char *sysid, const char *pubid, int internal)
{
    stop(arg, CK_INVALID, "it has a DOCTYPE, which is not allowed");
}

static int run(struct parse *p, struct ck_slice body, struct ck_err *err)
{
    XML_SetUserData(p->x, p);
    XML_SetElementHandler(p->x, start, end);
    XML_SetCharacterDataHandler(p->x, text);
    XML_SetStartDoctypeDeclHandler(p->x, doctype);
    if (XML_Parse(p->x, body.ptr ? body.ptr : "", (int)body.len, 1) == XML_STATUS_OK)
        return 0;
    return ck_fail(err, p->refused ? p->refused : CK_INVALID, "XML line %lu, column %lu: %s",
                   (unsigned long)XML_GetCurrentLineNumber(p->x),
                   (unsigned long)XML_GetCurrentColumnNumber(p->x) + 1,
                   p->refused ? p->problem : XML_ErrorString(XML_GetErrorCode(p->x)));
}

int ck_xml_parse(struct ck_arena *a, struct ck_slice body, size_t max_bytes, struct ck_val **ret,
                 struct ck_err *err)
{
    if (body.len > max_bytes || body.len > INT_MAX)
        return ck_fail(err, CK_LIMIT, "XML is larger than %zu bytes", max_bytes);
    CK_AUTOFREE struct parse *p = ck_xcalloc(1, sizeof *p);
    p->a = a;
    p->x = XML_ParserCreate(NULL);
    if (!p->x)
        return ck_fail(err, CK_INTERNAL, "XML parser: out of memory");
    p->levels[0].map = ck_map(a);
    int r = run(p, body, err);
    if (r == 0)
        *ret = p->levels[0].map;
    XML_ParserFree(p->x);
    for (size_t i = 0; i <= MAX_DEPTH; i++)
        ck_buf_done(&p->levels[i].text);
    return r;
}

const struct ck_val *ck_xml_list(struct ck_arena *a, const struct ck_val *parent, const char *name)
{
    struct ck_val *v = ck_get(parent, name);
    if (v && v->kind == CK_LIST)
        return v;
    struct ck_val *list = ck_list(a);
    if (v)
        ck_append(a, list, v);
    return list;
}

void ck_xml_escape(struct ck_buf *out, struct ck_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '&')
            ck_buf_puts(out, "&amp;");
        else if (c == '<')
            ck_buf_puts(out, "&lt;");
        else if (c == '>')
            ck_buf_puts(out, "&gt;");
        else if (c == '"')
            ck_buf_puts(out, "&#34;");
        else if (c == '\'')
            ck_buf_puts(out, "&#39;");
        else if (c < 0x20)
            /* Most of these no XML can carry: the service then refuses the request, which is
             * better than naming another object. */
            ck_buf_fmt(out, "&#x%X;", c);
        else
            ck_buf_putc(out, (char)c);
    }
}
