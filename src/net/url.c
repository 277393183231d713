/* Request parts to their wire form and back: the only place where paths and queries are encoded.
 * Does not know what is sent. Encoding after RFC 3986, as signers need it. */
#include "net/http.h"

#include "base/enc.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX_URL = 64 * 1024, MAX_HOST = 255, MAX_PARAMS = 1000 };

/* ---- name-value lists ---- */

void ck_nvs_add(struct ck_arena *a, struct ck_nvs *l, const char *name, const char *value)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 8;
        struct ck_nv *v = ck_arena_alloc(a, cap * sizeof *v);
        if (l->n)
            memcpy(v, l->v, l->n * sizeof *v);
        l->v = v;
        l->cap = cap;
    }
    l->v[l->n++] =
        (struct ck_nv){ck_arena_strdup(a, name), value ? ck_arena_strdup(a, value) : NULL};
}

void ck_nvs_addf(struct ck_arena *a, struct ck_nvs *l, const char *name, const char *fmt, ...)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    ck_buf_vfmt(&b, fmt, ap);
    va_end(ap);
    ck_nvs_add(a, l, name, ck_buf_str(&b));
}

const char *ck_nvs_get(const struct ck_nvs *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcasecmp(l->v[i].name, name) == 0)
            return l->v[i].value;
    return NULL;
}

/* ---- parts to wire ---- */

static int default_port(const char *scheme)
{
    return strcmp(scheme, "http") == 0 ? 80 : 443;
}

void ck_url_host(struct ck_buf *out, const struct ck_req *r)
{
    if (strchr(r->host, ':')) {
        ck_buf_putc(out, '[');
        /* A zone ("fe80::1%eth0") is percent-encoded inside brackets (RFC 6874). */
        const char *zone = strchr(r->host, '%');
        ck_buf_putn(out, r->host, zone ? (size_t)(zone - r->host) : strlen(r->host));
        if (zone)
            ck_buf_fmt(out, "%%25%s", zone + 1);
        ck_buf_putc(out, ']');
    } else {
        ck_buf_puts(out, r->host);
    }
    if (r->port && r->port != default_port(r->scheme))
        ck_buf_fmt(out, ":%d", r->port);
}

void ck_url_path(struct ck_buf *out, const struct ck_req *r)
{
    const char *p = r->raw_path ? r->raw_path : r->path;
    if (!p || *p != '/')
        ck_buf_putc(out, '/');
    if (r->raw_path)
        ck_buf_puts(out, p);
    else if (p)
        ck_pct_encode(out, ck_slice_of(p), CK_PCT_PATH);
}

void ck_url_query(struct ck_buf *out, const struct ck_req *r)
{
    if (r->raw_query) {
        ck_buf_puts(out, r->raw_query);
        return;
    }
    for (size_t i = 0; i < r->query.n; i++) {
        if (i)
            ck_buf_putc(out, '&');
        const char *name = r->query.v[i].name, *value = r->query.v[i].value;
        ck_pct_encode(out, ck_slice_of(name), CK_PCT_UNRESERVED);
        /* Without name and value nothing would be left of a parameter that signers count. */
        if (value || !*name)
            ck_buf_putc(out, '=');
        if (value)
            ck_pct_encode(out, ck_slice_of(value), CK_PCT_UNRESERVED);
    }
}

void ck_url_text(struct ck_buf *out, const struct ck_req *r)
{
    ck_buf_fmt(out, "%s://", r->scheme);
    ck_url_host(out, r);
    ck_url_path(out, r);
}

/* ---- URL to parts ---- */

static bool only_url_bytes(struct ck_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == 0x7F)
            return false;
    return true;
}

static bool host_ok(struct ck_slice h)
{
    if (h.len == 0 || h.len > MAX_HOST)
        return false;
    for (size_t i = 0; i < h.len; i++) {
        char c = h.ptr[i];
        bool alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!alnum && c != '-' && c != '.' && c != '_')
            return false;
    }
    return h.ptr[0] != '.';
}

/* The inside of "[…]": an address and perhaps a zone, to "address%zone". */
static const char *ipv6_host(struct ck_arena *a, struct ck_slice in)
{
    size_t at = ck_slice_find(in, '%');
    struct ck_slice address = ck_slice_n(in.ptr, at), zone = {0};
    if (at < in.len) {
        zone = ck_slice_n(in.ptr + at + 1, in.len - at - 1);
        if (ck_slice_starts(zone, "25"))
            zone = ck_slice_n(zone.ptr + 2, zone.len - 2);
        if (!host_ok(zone))
            return NULL;
    }
    struct in6_addr bin;
    char *text = ck_arena_strndup(a, address.ptr, address.len);
    if (address.len > MAX_HOST || inet_pton(AF_INET6, text, &bin) != 1)
        return NULL;
    return zone.len ? ck_arena_printf(a, "%s%%%.*s", text, CK_SARG(zone)) : text;
}

static bool port_of(struct ck_slice s, int *ret)
{
    int port = 0;
    if (s.len > 5)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        port = port * 10 + (s.ptr[i] - '0');
    }
    *ret = port;
    return port <= 65535 && (s.len == 0 || port > 0);
}

static const char *parse_authority(struct ck_arena *a, struct ck_slice in, struct ck_req *ret)
{
    if (ck_slice_find(in, '@') < in.len)
        return "credentials do not belong into a URL";
    struct ck_slice port = {0};
    if (in.len && in.ptr[0] == '[') {
        size_t end = ck_slice_find(in, ']');
        if (end == in.len)
            return "the IPv6 address has no closing bracket";
        ret->host = ipv6_host(a, ck_slice_n(in.ptr + 1, end - 1));
        port = ck_slice_n(in.ptr + end + 1, in.len - end - 1);
        if (port.len && port.ptr[0] != ':')
            return "something other than a port follows the IPv6 address";
    } else {
        size_t colon = ck_slice_find(in, ':');
        struct ck_slice host = ck_slice_n(in.ptr, colon);
        ret->host = host_ok(host) ? ck_arena_strndup(a, host.ptr, host.len) : NULL;
        port = ck_slice_n(in.ptr + colon, in.len - colon);
    }
    if (!ret->host)
        return "the host name is not valid";
    if (port.len)
        port = ck_slice_n(port.ptr + 1, port.len - 1);
    return port_of(port, &ret->port) ? NULL : "the port is not a number from 1 to 65535";
}

/* Decoded copy; NULL for a bad escape or a NUL byte. */
static const char *decoded(struct ck_arena *a, struct ck_slice in)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (!ck_pct_decode(&b, in) || (b.len && memchr(b.ptr, '\0', b.len)))
        return NULL;
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static const char *decoded_form(struct ck_arena *a, struct ck_slice in)
{
    struct ck_slice copy = ck_arena_slice(a, in);
    for (size_t i = 0; i < copy.len; i++)
        if (copy.ptr[i] == '+')
            ((char *)copy.ptr)[i] = ' ';
    return decoded(a, copy);
}

static const char *parse_query(struct ck_arena *a, struct ck_slice in, struct ck_req *ret)
{
    struct ck_slice pair;
    ret->query = (struct ck_nvs){0};
    while (in.len && ck_slice_next(&in, '&', &pair)) {
        if (!pair.len)
            continue;
        size_t eq = ck_slice_find(pair, '=');
        const char *name = decoded_form(a, ck_slice_n(pair.ptr, eq));
        const char *value = NULL;
        if (eq < pair.len)
            value = decoded_form(a, ck_slice_n(pair.ptr + eq + 1, pair.len - eq - 1));
        if (!name || (eq < pair.len && !value))
            return "the query holds a bad escape";
        if (ret->query.n == MAX_PARAMS)
            return "the query is too long";
        ck_nvs_add(a, &ret->query, name, value);
    }
    return NULL;
}

static bool has_encoded_slash(struct ck_slice s)
{
    for (size_t i = 0; i + 2 < s.len; i++)
        if (s.ptr[i] == '%' && s.ptr[i + 1] == '2' && (s.ptr[i + 2] | 0x20) == 'f')
            return true;
    return false;
}

static const char *parse(struct ck_arena *a, struct ck_slice url, struct ck_req *ret)
{
    if (url.len > MAX_URL)
        return "it is too long";
    if (!only_url_bytes(url))
        return "it holds spaces or control characters";
    if (url.len > 8 && strncasecmp(url.ptr, "https://", 8) == 0)
        ret->scheme = "https";
    else if (url.len > 7 && strncasecmp(url.ptr, "http://", 7) == 0)
        ret->scheme = "http";
    else
        return "it does not start with http:// or https://";
    size_t skip = strlen(ret->scheme) + 3;
    struct ck_slice rest = ck_slice_n(url.ptr + skip, url.len - skip);
    rest.len = ck_slice_find(rest, '#');
    size_t question = ck_slice_find(rest, '?'), slash = ck_slice_find(rest, '/');
    if (slash > question)
        slash = question;
    const char *why = parse_authority(a, ck_slice_n(rest.ptr, slash), ret);
    if (why)
        return why;
    struct ck_slice path = ck_slice_n(rest.ptr + slash, question - slash);
    ret->path = path.len ? decoded(a, path) : "/";
    if (!ret->path)
        return "the path holds a bad escape";
    ret->raw_path = has_encoded_slash(path) ? ck_arena_strndup(a, path.ptr, path.len) : NULL;
    ret->raw_query = NULL;
    if (question < rest.len)
        question++;
    return parse_query(a, ck_slice_n(rest.ptr + question, rest.len - question), ret);
}

int ck_url_parse(struct ck_arena *a, const char *url, struct ck_req *ret, struct ck_err *err)
{
    struct ck_slice s = ck_slice_of(url);
    struct ck_req parts = *ret;
    const char *why = parse(a, s, &parts);
    if (!why) {
        *ret = parts;
        return 0;
    }
    /* What stands before "@" or after "?" may be a secret. */
    size_t end = ck_slice_find(s, '?');
    const char *at = memrchr(url, '@', s.len);
    CK_AUTOBUF struct ck_buf shown = CK_BUF_INIT;
    ck_goquote(&shown, at ? CK_S("…") : ck_slice_n(url, end < 200 ? end : 200));
    return ck_fail(err, CK_INVALID, "%s is not a usable URL: %s", ck_buf_str(&shown), why);
}
