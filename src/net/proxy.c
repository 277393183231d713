/* Which proxy a request goes through, from the environment.
 *
 * Does not talk to it. Rules of Go's golang.org/x/net/http/httpproxy, as kOps follows them, plus
 * ALL_PROXY. Link-local addresses (metadata services) never go through one. */
#include "net/internal.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

struct address {
    int family; /* AF_INET, AF_INET6, or 0: not an address */
    unsigned char bytes[16];
};

/* Text to address; IPv4-mapped IPv6 counts as IPv4. */
static struct address address_of(struct ck_slice s)
{
    struct address out = {0};
    char text[64];
    size_t n = ck_slice_find(s, '%');
    if (n == 0 || n >= sizeof text)
        return out;
    memcpy(text, s.ptr, n);
    text[n] = '\0';
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    if (inet_pton(AF_INET, text, out.bytes) == 1) {
        out.family = AF_INET;
    } else if (inet_pton(AF_INET6, text, out.bytes) == 1) {
        out.family = AF_INET6;
        if (memcmp(out.bytes, mapped, sizeof mapped) == 0) {
            memmove(out.bytes, out.bytes + 12, 4);
            out.family = AF_INET;
        }
    }
    return out;
}

static bool in_net(const struct address *a, const struct address *net, unsigned bits)
{
    if (a->family == 0 || a->family != net->family)
        return false;
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a->bytes, net->bytes, whole) != 0)
        return false;
    unsigned char mask = (unsigned char)(0xFF << (8 - rest));
    return rest == 0 || (a->bytes[whole] & mask) == (net->bytes[whole] & mask);
}

static bool in_net_text(const struct address *a, const char *net, unsigned bits)
{
    struct address n = address_of(ck_slice_of(net));
    return in_net(a, &n, bits);
}

bool ck_host_is_loopback(const char *host)
{
    struct address a = address_of(ck_slice_of(host));
    return strcasecmp(host, "localhost") == 0 || in_net_text(&a, "127.0.0.0", 8) ||
           in_net_text(&a, "::1", 128);
}

bool ck_host_is_link_local(const char *host)
{
    struct address a = address_of(ck_slice_of(host));
    return in_net_text(&a, "169.254.0.0", 16);
}

/* Loopback as in Go; link-local and the IPv6 metadata address, because only this host has them. */
static bool local_only(const struct ck_req *r, const struct address *a)
{
    return ck_host_is_loopback(r->host) || in_net_text(a, "169.254.0.0", 16) ||
           in_net_text(a, "fe80::", 10) || in_net_text(a, "fd00:ec2::254", 128);
}

static bool decimal(struct ck_slice s, unsigned max, unsigned *ret)
{
    unsigned v = 0;
    if (s.len == 0 || s.len > 5)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        v = v * 10 + (unsigned)(s.ptr[i] - '0');
    }
    *ret = v;
    return v <= max;
}

/* Cut ":port" and brackets off an entry; false when it wants another port than ours. */
static bool port_fits(struct ck_slice *entry, unsigned port)
{
    struct ck_slice rest = {0};
    if (entry->ptr[0] == '[') {
        size_t end = ck_slice_find(*entry, ']');
        if (end == entry->len)
            return false;
        rest = ck_slice_n(entry->ptr + end + 1, entry->len - end - 1);
        *entry = ck_slice_n(entry->ptr + 1, end - 1);
    } else if (!address_of(*entry).family) {
        size_t colon = ck_slice_find(*entry, ':');
        rest = ck_slice_n(entry->ptr + colon, entry->len - colon);
        *entry = ck_slice_n(entry->ptr, colon);
    }
    unsigned wanted;
    if (rest.len == 0)
        return true;
    return rest.ptr[0] == ':' && decimal(ck_slice_n(rest.ptr + 1, rest.len - 1), 65535, &wanted) &&
           wanted == port;
}

/* "example.com" covers itself and what ends in ".example.com"; a leading dot only the latter. */
static bool name_fits(struct ck_slice entry, struct ck_slice host)
{
    if (ck_slice_starts(entry, "*."))
        entry = ck_slice_n(entry.ptr + 1, entry.len - 1);
    bool only_below = entry.len && entry.ptr[0] == '.';
    size_t n = entry.len;
    if (n == 0 || host.len < n || strncasecmp(host.ptr + host.len - n, entry.ptr, n) != 0)
        return false;
    if (host.len == n)
        return !only_below;
    return only_below || host.ptr[host.len - n - 1] == '.';
}

static bool entry_fits(struct ck_slice entry, struct ck_slice host, const struct address *a,
                       unsigned port)
{
    if (ck_slice_eq_str(entry, "*"))
        return true;
    size_t slash = ck_slice_find(entry, '/');
    if (slash < entry.len) {
        struct address net = address_of(ck_slice_n(entry.ptr, slash));
        unsigned bits;
        return net.family &&
               decimal(ck_slice_n(entry.ptr + slash + 1, entry.len - slash - 1),
                       net.family == AF_INET ? 32 : 128, &bits) &&
               in_net(a, &net, bits);
    }
    if (!port_fits(&entry, port))
        return false;
    struct address one = address_of(entry);
    if (one.family)
        return in_net(a, &one, one.family == AF_INET ? 32 : 128);
    return !a->family && name_fits(entry, host);
}

static const char *either(const struct ck_env *env, const char *upper, const char *lower)
{
    const char *v = ck_env_nonempty(env, upper);
    return v ? v : ck_env_nonempty(env, lower);
}

static bool excluded(const struct ck_env *env, const struct ck_req *r, const struct address *a)
{
    const char *list = either(env, "NO_PROXY", "no_proxy");
    struct ck_slice host = ck_slice_of(r->host);
    if (host.len && host.ptr[host.len - 1] == '.')
        host.len--;
    unsigned port = r->port ? (unsigned)r->port : strcmp(r->scheme, "http") == 0 ? 80 : 443;
    for (const char *p = list ? list : ""; *p;) {
        size_t n = strcspn(p, ", \t");
        if (n && entry_fits(ck_slice_n(p, n), host, a, port))
            return true;
        p += n + (p[n] != '\0');
    }
    return false;
}

static const char *variable(const struct ck_env *env, const char *scheme, const char **ret_name)
{
    const char *v;
    if (strcmp(scheme, "https") == 0)
        v = either(env, *ret_name = "HTTPS_PROXY", "https_proxy");
    else if (ck_env_get(env, "REQUEST_METHOD"))
        /* Under CGI HTTP_PROXY is a request header of the client's. */
        v = ck_env_nonempty(env, *ret_name = "http_proxy");
    else
        v = either(env, *ret_name = "HTTP_PROXY", "http_proxy");
    return v ? v : either(env, *ret_name = "ALL_PROXY", "all_proxy");
}

int ck_proxy_for(struct ck_arena *a, const struct ck_env *env, const struct ck_req *r,
                 const char **ret, struct ck_err *err)
{
    static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};
    *ret = "";
    const char *name = "the given proxy";
    const char *url = r->proxy;
    if (url && !*url)
        return 0;
    if (!url) {
        if (!env || r->no_proxy)
            return 0;
        url = variable(env, r->scheme, &name);
        struct address address = address_of(ck_slice_of(r->host));
        if (!url || local_only(r, &address) || excluded(env, r, &address))
            return 0;
    }
    *ret = strstr(url, "://") ? url : ck_arena_printf(a, "http://%s", url);
    for (size_t i = 0; i < CK_ARRAY_LEN(schemes); i++)
        if (strncasecmp(*ret, schemes[i], strlen(schemes[i])) == 0)
            return 0;
    size_t n = (size_t)(strstr(url, "://") - url);
    return ck_fail(err, CK_INVALID,
                   "%s: proxies of the kind \"%.*s\" are not offered (http, https, socks5 are)",
                   name, n < 20 ? (int)n : 20, url);
}
