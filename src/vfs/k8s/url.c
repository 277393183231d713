/* k8s://[context][/namespace[/prefix…]]: locations and the table of operations. No I/O here: which
 * cluster and namespace an empty part means is found out by the first operation. */
#include "vfs/k8s/k8s.h"

#include "base/enc.h"
#include "vfs/examine/clouds.h"

#include <string.h>

/* ---- names ---- */

static bool label_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

bool ck_k8s_namespace_ok(const char *name, char ret_near[64])
{
    size_t n = 0, len = strlen(name);
    for (size_t i = 0; i < len && n < 63; i++) {
        char c = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
        bool good = label_char(c) && (c != '-' || n);
        if (good)
            ret_near[n++] = c;
        else if (n && ret_near[n - 1] != '-')
            ret_near[n++] = '-';
    }
    while (n && ret_near[n - 1] == '-')
        n--;
    ret_near[n] = '\0';
    if (!n)
        memcpy(ret_near, "kops-state", sizeof "kops-state");
    return strcmp(name, ret_near) == 0;
}

/* A key without what no key may have, for the message. */
static void nearest_key(struct ck_buf *out, const char *key)
{
    for (size_t i = 0, n = strlen(key); i < n;) {
        uint32_t cp;
        size_t len = ck_utf8_decode(key + i, n - i, &cp);
        if (len && cp >= 0x20 && cp != 0x7F)
            ck_buf_putn(out, key + i, len);
        i += len ? len : 1;
    }
}

static bool decode(struct ck_arena *a, struct ck_slice part, const char **ret)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (!ck_pct_decode(&b, part) || (b.len && memchr(b.ptr, 0, b.len)))
        return false;
    *ret = ck_arena_strndup(a, ck_buf_str(&b), b.len);
    return true;
}

/* Take the part before the next slash. */
static struct ck_slice step(struct ck_slice *rest)
{
    size_t n = ck_slice_find(*rest, '/');
    struct ck_slice part = ck_slice_n(rest->ptr, n);
    size_t used = n < rest->len ? n + 1 : n;
    *rest = ck_slice_n(rest->ptr + used, rest->len - used);
    return part;
}

static bool has_control(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7F)
            return true;
    return false;
}

static int bad(struct ck_err *err, const char *url, const char *what, const char *name,
               const char *why, const char *near)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_puts(&b, "invalid k8s path: ");
    ck_goquote(&b, ck_slice_of(url));
    ck_buf_fmt(&b, ": the %s ", what);
    ck_goquote(&b, ck_slice_of(name));
    ck_buf_fmt(&b, " %s; the nearest that works is ", why);
    ck_goquote(&b, ck_slice_of(near));
    return ck_fail(err, CK_INVALID, "%s", ck_buf_str(&b));
}

static int check(const char *url, const char *context, const char *ns, const char *key,
                 struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf near = CK_BUF_INIT;
    char near_ns[64];
    if (*ns && !ck_k8s_namespace_ok(ns, near_ns))
        return bad(err, url, "namespace", ns,
                   "is no name of a namespace (small letters, digits and hyphens, at most 63)",
                   near_ns);
    const char *what = has_control(context) || !ck_utf8_valid(ck_slice_of(context)) ? "context"
                       : has_control(key) || !ck_utf8_valid(ck_slice_of(key))       ? "path"
                                                                                    : NULL;
    if (!what)
        return 0;
    const char *name = strcmp(what, "path") == 0 ? key : context;
    nearest_key(&near, name);
    return bad(err, url, what, name, "holds control characters or bytes that are no text",
               ck_buf_str(&near));
}

/* ---- the table ---- */

static char *text(struct ck_vfs *v, const char *key, struct ck_arena *a)
{
    struct ck_k8s *s = (struct ck_k8s *)v;
    CK_AUTOBUF struct ck_buf c = CK_BUF_INIT;
    ck_pct_encode(&c, ck_slice_of(s->context), CK_PCT_UNRESERVED);
    return ck_arena_printf(a, "k8s://%s/%s/%s", ck_buf_str(&c), s->given_namespace, key);
}

/* The current context and namespace need not be named. */
static const char *identity(struct ck_vfs *v, struct ck_arena *a)
{
    struct ck_k8s *s = (struct ck_k8s *)v;
    CK_AUTOERR ignored = CK_ERR_INIT; /* the first request tells */
    if (ck_k8s_prepare(s, &ignored) < 0)
        return ck_arena_printf(a, "k8s://%s", v->container);
    struct ck_req r;
    CK_AUTOBUF struct ck_buf host = CK_BUF_INIT;
    ck_k8s_request(a, s, "GET", NULL, true, &r);
    ck_url_host(&host, &r);
    return ck_arena_printf(a, "%s%s", ck_buf_str(&host), r.path);
}

static void close_store(struct ck_vfs *v)
{
    struct ck_k8s *s = (struct ck_k8s *)v;
    ck_kube_free(s->kube);
    s->kube = NULL;
    s->ready = false;
}

static int remove_file(struct ck_vfs *v, const char *key, const struct ck_version *version,
                       struct ck_err *err)
{
    return ck_k8s_remove(v, key, version, false, err);
}

static int remove_versions(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    return ck_k8s_remove(v, key, NULL, true, err);
}

static const struct ck_vfs_ops ops = {
    .scheme = "k8s",
    .examine = ck_k8s_examine,
    .read = ck_k8s_read,
    .write = ck_k8s_write,
    .remove = remove_file,
    .remove_tree = ck_k8s_remove_tree,
    .remove_versions = remove_versions,
    .list = ck_k8s_list,
    .list_dirs = ck_k8s_list_dirs,
    .tree = ck_k8s_tree,
    .hash = ck_k8s_content_hash,
    .read_many = ck_k8s_read_many,
    .find = ck_k8s_find,
    .text = text,
    .identity = identity,
    .close = close_store,
    .preferred_hash = CK_MD5,
    .has_hash = true,
    /* Nodes have no credentials for this API before their cluster is there. */
    .cluster_readable = false,
    .terraform = false,
};

int ck_vfs_parse_k8s(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                     struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf quoted = CK_BUF_INIT;
    ck_goquote(&quoted, ck_slice_of(url));
    struct ck_slice rest = ck_slice_of(url + strlen("k8s://"));
    const char *context, *ns, *key;
    int r = ck_vfs_refuse_query("invalid k8s path", url, err);
    if (r < 0)
        return r;
    if (!decode(ctx->arena, step(&rest), &context) || !decode(ctx->arena, step(&rest), &ns) ||
        !decode(ctx->arena, rest, &key))
        return ck_fail(err, CK_INVALID, "invalid k8s path: %s: " CK_VFS_PERCENT,
                       ck_buf_str(&quoted));
    r = check(url, context, ns, key, err);
    if (r < 0)
        return r;
    bool is_new;
    /* No slash can be in a namespace, so the two cannot be confused. */
    const char *container = ck_arena_printf(ctx->arena, "%s/%s", context, ns);
    struct ck_vfs *v = ck_vfs_container(ctx, &ops, container, sizeof(struct ck_k8s), &is_new);
    struct ck_k8s *s = (struct ck_k8s *)v;
    if (is_new) {
        s->context = context;
        s->given_namespace = ns;
    }
    *ret = (struct ck_path){.vfs = v, .key = key};
    return 0;
}
