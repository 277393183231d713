/* XML replies into values, by expat. Documents with a DOCTYPE are refused: that is where entity
 * attacks live, and no service sends one. */
#include "doc/xml.h"

#include "base/buf.h"
#include "base/mem.h"

#include <expat.h>
#include <string.h>

enum { MAX_DEPTH = 64 };

struct level {
    struct ck_val *map; /* children; NULL while there are none */
    struct ck_buf text;
};

struct parse {
    struct ck_arena *a;
    XML_Parser x;
    struct level levels[MAX_DEPTH + 1];
    unsigned depth;
    const char *problem;
};

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

static void stop(struct parse *p, const char *problem)
{
    p->problem = problem;
    XML_StopParser(p->x, XML_FALSE);
}

static void start(void *arg, const char *name, const char **attrs)
{
    struct parse *p = arg;
    if (p->depth == MAX_DEPTH) {
        stop(p, "nested too deeply");
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
    ck_buf_putn(&p->levels[p->depth].text, s, (size_t)len);
}

static void doctype(void *arg, const char *name, const char *sysid, const char *pubid, int internal)
{
    stop(arg, "it has a DOCTYPE");
}

int ck_xml_parse(struct ck_arena *a, struct ck_slice body, size_t max_bytes, struct ck_val **ret,
                 struct ck_err *err)
{
    if (body.len > max_bytes || body.len > INT32_MAX)
        return ck_fail(err, CK_LIMIT, "XML is larger than %zu bytes", max_bytes);
    struct parse *p = ck_xcalloc(1, sizeof *p);
    p->a = a;
    p->x = XML_ParserCreate(NULL);
    p->levels[0].map = ck_map(a);
    XML_SetUserData(p->x, p);
    XML_SetElementHandler(p->x, start, end);
    XML_SetCharacterDataHandler(p->x, text);
    XML_SetStartDoctypeDeclHandler(p->x, doctype);
    int r = 0;
    if (XML_Parse(p->x, body.ptr ? body.ptr : "", (int)body.len, 1) != XML_STATUS_OK)
        r = ck_fail(err, p->problem ? CK_LIMIT : CK_INVALID, "XML line %lu: %s",
                    (unsigned long)XML_GetCurrentLineNumber(p->x),
                    p->problem ? p->problem : XML_ErrorString(XML_GetErrorCode(p->x)));
    *ret = p->levels[0].map;
    XML_ParserFree(p->x);
    for (size_t i = 0; i <= MAX_DEPTH; i++)
        ck_buf_done(&p->levels[i].text);
    free(p);
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
        else if (c < 0x20)
            ck_buf_fmt(out, "&#x%X;", c);
        else
            ck_buf_putc(out, (char)c);
    }
}
