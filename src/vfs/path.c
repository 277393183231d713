/* Locations: URLs into containers and keys, POSIX-clean joins, relative paths. No I/O.
 * Mirrors kOps' util/pkg/vfs/context.go and path.Join of Go. */
#include "base/enc.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "vfs/overlay.h"
#include "vfs/scheme.h"
#include "vfs/vfs.h"

#include <string.h>
#include <strings.h>

/* ---- the scheme table ---- */

static const struct {
    const char *prefix;
    ck_vfs_parse_fn parse;
} schemes[] = {
    {"file://", ck_vfs_parse_file},       {"s3://", ck_vfs_parse_s3},
    {"do://", ck_vfs_parse_s3},           {"linode://", ck_vfs_parse_s3},
    {"hos://", ck_vfs_parse_s3},          {"memfs://", ck_vfs_parse_mem},
    {"scw://", ck_vfs_parse_s3},          {"gs://", ck_vfs_parse_gs},
    {"azureblob://", ck_vfs_parse_azure}, {"swift://", ck_vfs_parse_swift},
    {"k8s://", ck_vfs_parse_k8s},         {"oss://", ck_vfs_parse_oss},
    {"ssh://", ck_vfs_parse_ssh},
};

static bool has_control(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7F)
            return true;
    return false;
}

static bool has_dotdot(const char *key)
{
    struct ck_slice rest = ck_slice_of(key), step;
    while (ck_slice_next(&rest, '/', &step))
        if (ck_slice_eq_str(step, ".."))
            return true;
    return false;
}

static int refuse(struct ck_err *err, const char *what, const char *url, const char *why)
{
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(url));
    return ck_fail(err, CK_INVALID, "%s: %s%s%s", what, ck_buf_str(&q), *why ? ": " : "", why);
}

/* Control characters; `text` without them would do. */
static int refuse_control(struct ck_err *err, const char *url, const char *text)
{
    CK_AUTOBUF struct ck_buf plain = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf why = CK_BUF_INIT;
    for (; *text; text++)
        if ((unsigned char)*text >= 0x20 && *text != 0x7F)
            ck_buf_putc(&plain, *text);
    ck_buf_puts(&why, "it holds control characters; the nearest that works is ");
    ck_goquote(&why, ck_buf_slice(&plain));
    return refuse(err, "invalid location", url, ck_buf_str(&why));
}

/* A URL with a user name or password in its host part; with ssh a user alone is none. Local paths
 * have no host part. */
static bool has_credentials(const char *url)
{
    const char *host = strstr(url, "://");
    if (!host || ck_str_starts(url, "file://") || ck_str_starts(url, "memfs://"))
        return false;
    host += 3;
    const char *at = memchr(host, '@', strcspn(host, "/?#"));
    if (at && ck_str_starts(url, "ssh://"))
        return memchr(host, ':', (size_t)(at - host)) != NULL;
    return at != NULL;
}

const char *ck_location_shown(const char *location)
{
    return has_credentials(location) ? "…" : location;
}

int ck_vfs_check_location(const char *url, struct ck_err *err)
{
    if (has_credentials(url)) /* which the message must not repeat */
        return ck_fail(
            err, CK_INVALID, "invalid location %.*s://…: credentials do not belong in a URL%s",
            (int)strcspn(url, ":"), url,
            ck_str_starts(url, "k8s://") ? "; an @ in a context's name is written %40" : "");
    return has_control(url) ? refuse_control(err, url, url) : 0;
}

/* What other programs call stores that are there. */
static const struct {
    const char *typed, *scheme;
} aliases[] = {
    {"aliyun", "oss"},      {"az", "azureblob"}, {"azblob", "azureblob"}, {"azure", "azureblob"},
    {"blob", "azureblob"},  {"gcs", "gs"},       {"google", "gs"},        {"kube", "k8s"},
    {"kubernetes", "k8s"},  {"local", "file"},   {"openstack", "swift"},  {"s3a", "s3"},
    {"s3n", "s3"},          {"scp", "ssh"},      {"sftp", "ssh"},         {"wasb", "azureblob"},
    {"wasbs", "azureblob"},
};

/* The scheme that is called so, by whatever name and in whatever letters; NULL: none. */
static const char *scheme_called(struct ck_slice typed)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(schemes); i++) {
        size_t n = strlen(schemes[i].prefix) - strlen("://");
        if (typed.len == n && strncasecmp(typed.ptr, schemes[i].prefix, n) == 0)
            return schemes[i].prefix;
    }
    for (size_t i = 0; i < CK_ARRAY_LEN(aliases); i++)
        if (strlen(aliases[i].typed) == typed.len &&
            strncasecmp(typed.ptr, aliases[i].typed, typed.len) == 0)
            return scheme_called(ck_slice_of(aliases[i].scheme));
    return NULL;
}

/* The scheme that is meant, a mistyped one too; NULL: who knows. */
static const char *scheme_meant(struct ck_slice typed)
{
    const char *meant = scheme_called(typed), *names[CK_ARRAY_LEN(schemes)];
    if (meant)
        return meant;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    for (size_t i = 0; i < CK_ARRAY_LEN(schemes); i++)
        names[i] = ck_arena_strndup(a, schemes[i].prefix, strlen(schemes[i].prefix) - 3);
    const char *near =
        ck_nearest(ck_arena_strndup(a, typed.ptr, typed.len), names, CK_ARRAY_LEN(schemes));
    return near ? scheme_called(ck_slice_of(near)) : NULL;
}

static int refuse_scheme(const char *url, struct ck_err *err)
{
    static const char what[] = "unknown / unhandled path type";
    size_t n = strcspn(url, ":");
    const char *rest = url + n + 1, *meant = scheme_meant(ck_slice_n(url, n));
    CK_AUTOBUF struct ck_buf why = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf nearest = CK_BUF_INIT;
    rest += strspn(rest, "/") < 2 ? strspn(rest, "/") : 2;
    if (!meant)
        return refuse(err, what, url, "");
    if (!*rest) { /* the slash at the end of "s3://" is not kept */
        ck_buf_fmt(&why, "a store's URL needs more than its scheme, as in %sNAME", meant);
        return refuse(err, what, url, ck_buf_str(&why));
    }
    ck_buf_fmt(&nearest, "%s%s", meant, rest);
    ck_buf_puts(&why, "the nearest that works is ");
    ck_goquote(&why, ck_buf_slice(&nearest));
    return refuse(err, what, url, ck_buf_str(&why));
}

static int parse(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret, struct ck_err *err)
{
    int checked = ck_vfs_check_location(url, err);
    if (checked < 0)
        return checked;
    if (!strstr(url, "://")) {
        /* "s3:/x" is what is left of "s3://" when something ate a slash: never a folder. */
        for (size_t i = 0; i < CK_ARRAY_LEN(schemes); i++)
            if (strncmp(url, schemes[i].prefix, strlen(schemes[i].prefix) - 1) == 0)
                return refuse_scheme(url, err);
        return ck_vfs_parse_file(ctx, url, ret, err);
    }
    for (size_t i = 0; i < CK_ARRAY_LEN(schemes); i++) {
        if (!ck_str_starts(url, schemes[i].prefix))
            continue;
        int r = schemes[i].parse(ctx, url, ret, err);
        if (r == 0 && !ret->vfs->ops->absolute_keys && has_dotdot(ret->key))
            return refuse(err, "invalid location", url, "\"..\" is not allowed in it");
        if (r == 0 && has_control(ret->key))
            return refuse_control(err, url, ck_path_text(ctx->arena, ret));
        return r;
    }
    return refuse_scheme(url, err);
}

int ck_vfs_parse(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret, struct ck_err *err)
{
    int r = parse(ctx, url, ret, err);
    if (r == 0)
        ret->vfs = ck_vfs_overlay_of(ctx, ret->vfs);
    return r;
}

/* A host as net/url takes it: no white space, brackets only around an address. */
static bool host_ok(struct ck_slice h)
{
    for (size_t i = 0; i < h.len; i++)
        if (strchr(" \"<>\\^`{|}", h.ptr[i]) || (unsigned char)h.ptr[i] < 0x21)
            return false;
    size_t colon = ck_slice_find(h, ':');
    for (size_t i = colon + 1; i < h.len; i++)
        if (h.ptr[i] < '0' || h.ptr[i] > '9')
            return false;
    return true;
}

/* kOps drops them without a word, and with them whatever the user meant by it. */
int ck_vfs_refuse_query(const char *invalid, const char *url, struct ck_err *err)
{
    if (!strpbrk(url, "?#"))
        return 0;
    return refuse(err, invalid, url,
                  "a store's URL has no query and no fragment (in a name, write ? as %3F and # as "
                  "%23)");
}

bool ck_vfs_url_split(struct ck_arena *a, const char *url, struct ck_vfs_url *ret)
{
    const char *sep = strstr(url, "://");
    if (!sep)
        return false;
    struct ck_slice rest = ck_slice_of(sep + 3);
    size_t slash = ck_slice_find(rest, '/');
    struct ck_slice host = ck_slice_n(rest.ptr, slash);
    if (!host.len || memchr(host.ptr, '@', host.len) || !host_ok(host))
        return false;
    CK_AUTOBUF struct ck_buf key = CK_BUF_INIT;
    if (slash < rest.len &&
        !ck_pct_decode(&key, ck_slice_n(rest.ptr + slash + 1, rest.len - slash - 1)))
        return false;
    if (key.len && memchr(key.ptr, 0, key.len))
        return false;
    *ret = (struct ck_vfs_url){
        .scheme = ck_arena_strndup(a, url, (size_t)(sep - url)),
        .container = ck_arena_strndup(a, host.ptr, host.len),
        .key = ck_arena_strndup(a, ck_buf_str(&key), key.len),
    };
    return true;
}

struct ck_vfs *ck_vfs_container(struct ck_vfs_ctx *ctx, const struct ck_vfs_ops *ops,
                                const char *container, size_t size, bool *ret_new)
{
    for (struct ck_vfs *v = ctx->opened; v; v = v->next)
        if (v->ops == ops && strcmp(v->container, container) == 0) {
            *ret_new = false;
            return v;
        }
    struct ck_vfs *v = ck_arena_alloc(ctx->arena, size);
    v->ops = ops;
    v->ctx = ctx;
    v->container = ck_arena_strdup(ctx->arena, container);
    v->next = ctx->opened;
    ctx->opened = v;
    *ret_new = true;
    return v;
}

/* ---- joins ---- */

/* Append the elements of `text` to out, resolving "." and ".."; false when ".." has nothing left to
 * take back. `floor` is the length that must stay. */
static bool add_elements(struct ck_buf *out, struct ck_slice text, size_t floor)
{
    struct ck_slice step;
    while (ck_slice_next(&text, '/', &step)) {
        if (!step.len || ck_slice_eq_str(step, "."))
            continue;
        if (ck_slice_eq_str(step, "..")) {
            if (out->len <= floor)
                return false;
            const char *slash = memrchr(out->ptr, '/', out->len);
            out->len = slash ? (size_t)(slash - out->ptr) : 0;
            if (out->len < floor)
                out->len = floor;
            out->ptr[out->len] = '\0';
            continue;
        }
        if (out->len && out->ptr[out->len - 1] != '/')
            ck_buf_putc(out, '/');
        ck_buf_put(out, step);
    }
    return true;
}

/* What of a base key may not be climbed out of: the container of local files, else nothing. */
static size_t fixed_part(const struct ck_path *p)
{
    size_t n = p->vfs->ops->absolute_keys ? strlen(p->vfs->container) : 0;
    return strncmp(p->key, p->vfs->container, n) == 0 ? n : 0;
}

int ck_path_join(struct ck_arena *a, const struct ck_path *base, const char *rel,
                 struct ck_path *ret, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    size_t fixed = fixed_part(base);
    if (has_control(rel))
        return refuse(err, "invalid path", rel, "it holds control characters");
    ck_buf_putn(&out, base->key, fixed);
    if (!fixed && *base->key == '/')
        ck_buf_putc(&out, '/');
    size_t floor = out.len;
    if (!add_elements(&out, ck_slice_of(base->key + fixed), floor))
        return refuse(err, "invalid path", base->key, "it climbs above the store");
    if (!add_elements(&out, ck_slice_of(rel), floor))
        return refuse(err, "invalid path", rel, "it climbs above the store");
    *ret = (struct ck_path){base->vfs, ck_arena_strndup(a, ck_buf_str(&out), out.len)};
    return 0;
}

static const char *identity(struct ck_arena *a, struct ck_vfs *v)
{
    if (v->ops->absolute_keys)
        return "";
    if (v->ops->identity)
        return v->ops->identity(v, a);
    return ck_arena_printf(a, "%s://%s", v->ops->scheme, v->container);
}

bool ck_vfs_same_container(struct ck_arena *a, const struct ck_path *x, const struct ck_path *y)
{
    return strcmp(identity(a, x->vfs), identity(a, y->vfs)) == 0;
}

const char *ck_path_text(struct ck_arena *a, const struct ck_path *p)
{
    return p->vfs->ops->text(p->vfs, p->key, a);
}

const char *ck_path_location(struct ck_arena *a, const struct ck_path *p)
{
    const char *text = ck_path_text(a, p);
    size_t key = strlen(text) - strlen(p->key);
    bool home = *p->key == '~' && ck_str_starts(text, "ssh://"); /* what would be taken for one */
    if (p->vfs->ops->absolute_keys || ck_str_starts(text, "memfs://") ||
        (!home && !strpbrk(text + key, "%?#")))
        return text;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_putn(&b, text, key);
    for (const char *c = text + key; *c; c++) {
        if (strchr("%?#", *c) || (home && c == text + key))
            ck_buf_fmt(&b, "%%%02X", (unsigned)*c);
        else
            ck_buf_putc(&b, *c);
    }
    return ck_arena_strdup(a, ck_buf_str(&b));
}

const char *ck_path_base(struct ck_arena *a, const struct ck_path *p)
{
    size_t n = strlen(p->key);
    while (n && p->key[n - 1] == '/')
        n--;
    if (!n)
        return *p->key ? "/" : ".";
    const char *slash = memrchr(p->key, '/', n);
    const char *start = slash ? slash + 1 : p->key;
    return ck_arena_strndup(a, start, (size_t)(p->key + n - start));
}

int ck_path_relative(struct ck_arena *a, const struct ck_path *base, const struct ck_path *child,
                     const char **ret, struct ck_err *err)
{
    const char *b = ck_path_text(a, base), *c = ck_path_text(a, child);
    size_t n = strlen(b);
    if (base->vfs == child->vfs && !*base->key &&
        *child->key) { /* "." has no text in its children */
        *ret = ck_arena_strdup(a, child->key);
        return 0;
    }
    if (n && b[n - 1] == '/')
        n--;
    if (strncmp(b, c, n) != 0 || c[n] != '/') {
        CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
        ck_goquote(&q, ck_slice_of(c));
        ck_buf_puts(&q, " is not a child of ");
        ck_goquote(&q, ck_slice_of(b));
        return ck_fail(err, CK_INVALID, "Path %s", ck_buf_str(&q));
    }
    *ret = c + n + 1;
    return 0;
}
