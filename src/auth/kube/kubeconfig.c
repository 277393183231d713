/* Kubeconfig files: which are read, how several make one, and the choice of a context with its
 * cluster. Not the user's credentials (user.c). Mirrors client-go's loading rules, as kOps uses
 * them in pkg/kubeconfig and cmd/kops/util/factory.go. */
#include "auth/kube/internal.h"

#include "base/file.h"
#include "doc/yaml.h"

#include <string.h>

enum {
    FILE_MAX = 64 << 20, /* thousands of clusters with client certificates of 6 KB */
    MAX_FILES = 64,
    LISTED = 8,
};

struct file {
    const char *path, *dir;
    struct ck_val *root;
};

struct files {
    struct file v[MAX_FILES];
    size_t n;
    const char *names; /* of those that exist, for messages */
};

/* ---- reading ---- */

static const char *dir_of(struct ck_arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? ck_arena_strndup(a, path, slash == path ? 1 : (size_t)(slash - path)) : ".";
}

static int add_file(struct ck_kube *k, struct files *f, struct ck_slice name, struct ck_buf *tried,
                    struct ck_err *err)
{
    const char *path = ck_arena_strndup(k->arena, name.ptr, name.len);
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->v[i].path, path) == 0)
            return 0;
    if (f->n == MAX_FILES)
        return ck_fail(err, CK_LIMIT, "KUBECONFIG names more than %d files", MAX_FILES);
    CK_CLEANUP(ck_buf_wipe) struct ck_buf text = CK_BUF_INIT;
    struct ck_val *root = NULL;
    int r = ck_file_read(path, FILE_MAX, &text, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_buf_fmt(tried, "  %s: no such file\n", path);
        ck_err_done(err);
        return 0;
    }
    if (r < 0)
        return ck_wrap(err, "kubeconfig");
    const struct ck_yaml_opts opts = {.limits.bytes = FILE_MAX};
    r = ck_yaml_parse(k->arena, ck_buf_slice(&text), &opts, &root, NULL, err);
    if (r < 0)
        return ck_wrap(err, "kubeconfig %s", path);
    if (ck_is_null(root)) {
        ck_buf_fmt(tried, "  %s: empty\n", path);
        return 0;
    }
    if (!ck_is_map(root))
        return ck_fail(err, CK_INVALID, "kubeconfig %s: it is not a mapping", path);
    f->v[f->n++] = (struct file){path, dir_of(k->arena, path), root};
    f->names = f->names ? ck_arena_printf(k->arena, "%s, %s", f->names, path) : path;
    return 0;
}

static int read_files(struct ck_kube *k, struct files *f, struct ck_buf *tried, struct ck_err *err)
{
    const char *list = ck_env_nonempty(k->env, "KUBECONFIG");
    if (list) {
        struct ck_slice rest = ck_slice_of(list), name;
        int r = 0;
        while (r == 0 && ck_slice_next(&rest, ':', &name))
            if (name.len)
                r = add_file(k, f, name, tried, err);
        return r;
    }
    ck_buf_puts(tried, "  KUBECONFIG: not set\n");
    const char *home = ck_env_nonempty(k->env, "HOME");
    if (!home)
        return 0;
    const char *path = ck_arena_printf(k->arena, "%s/.kube/config", home);
    return add_file(k, f, ck_slice_of(path), tried, err);
}

/* ---- looking up ---- */

/* The entry called `name` of a list such as "contexts"; the first file that has it wins. */
static const struct ck_val *find(const struct files *f, const char *list, const char *member,
                                 const char *name, const struct file **ret_file)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct ck_val *l = ck_get(f->v[i].root, list);
        for (size_t j = 0; ck_is_list(l) && j < ck_len(l); j++) {
            const struct ck_val *e = ck_item(l, j);
            if (!ck_is_str(ck_get(e, "name"), name))
                continue;
            *ret_file = &f->v[i];
            return ck_get(e, member);
        }
    }
    return NULL;
}

static void put_names(struct ck_buf *out, const struct files *f, const char *list)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        const struct ck_val *l = ck_get(f->v[i].root, list);
        for (size_t j = 0; ck_is_list(l) && j < ck_len(l); j++, n++)
            if (n < LISTED)
                ck_buf_fmt(out, "%s%.200s", n ? ", " : "", ck_str_at(ck_item(l, j), "name"));
    }
    if (n > LISTED)
        ck_buf_fmt(out, ", and %zu more", n - LISTED);
    if (!n)
        ck_buf_puts(out, "none");
}

static int missing(const struct files *f, const char *kind, const char *list, const char *name,
                   struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    put_names(&b, f, list);
    if (strcmp(list, "contexts") == 0 && strchr(ck_buf_str(&b), '/'))
        ck_buf_puts(&b, " (in a location a / of a name is written %2F)");
    return ck_fail(err, CK_INVALID, "there is no %s \"%s\" in %s; there are: %s", kind, name,
                   f->names, ck_buf_str(&b));
}

static const char *current(const struct files *f)
{
    for (size_t i = 0; i < f->n; i++) {
        const char *name = ck_str_or(ck_get(f->v[i].root, "current-context"), "");
        if (*name)
            return name;
    }
    return "";
}

static bool nothing_in(const struct files *f)
{
    static const char *const members[] = {"clusters", "contexts", "users"};
    for (size_t i = 0; i < f->n; i++)
        for (size_t m = 0; m < CK_ARRAY_LEN(members); m++)
            if (ck_len(ck_get(f->v[i].root, members[m])))
                return false;
    return !*current(f);
}

/* ---- the cluster ---- */

int ck_kube_set_server(struct ck_kube *k, const char *url, const char *where, struct ck_err *err)
{
    const char *full = strstr(url, "://") ? url : ck_arena_printf(k->arena, "https://%s", url);
    int r = ck_url_parse(k->arena, full, &k->base, err);
    if (r < 0 || k->base.query.n)
        return ck_fail(err, CK_INVALID, "%s: its server is not a usable http(s) URL", where);
    size_t n = strlen(k->base.path);
    while (n && k->base.path[n - 1] == '/')
        n--;
    k->base.path = ck_arena_strndup(k->arena, k->base.path, n);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_url_host(&b, &k->base);
    k->server = ck_arena_printf(k->arena, "%s://%s", k->base.scheme, ck_buf_str(&b));
    return 0;
}

static int set_cluster(struct ck_kube *k, const struct ck_val *c, const char *dir,
                       struct ck_err *err)
{
    const char *where = ck_arena_printf(k->arena, "kubeconfig cluster \"%s\"", k->cluster);
    const char *server = "", *name = "", *proxy = "";
    int r = ck_kube_text(c, "server", where, &server, err);
    if (r == 0 && !*server)
        return ck_fail(err, CK_INVALID, "%s: it names no server", where);
    if (r == 0)
        r = ck_kube_set_server(k, server, where, err);
    if (r == 0)
        r = ck_kube_pem(k, c, "certificate-authority", where, dir, &k->tls.ca, err);
    if (r == 0)
        r = ck_kube_text(c, "tls-server-name", where, &name, err);
    if (r == 0)
        r = ck_kube_text(c, "proxy-url", where, &proxy, err);
    if (r < 0)
        return r;
    k->tls.insecure = ck_bool_at(c, "insecure-skip-tls-verify", false);
    if (k->tls.insecure && k->tls.ca.len)
        return ck_fail(err, CK_INVALID,
                       "%s: it has both a certificate-authority and insecure-skip-tls-verify",
                       where);
    k->tls.server_name = *name ? name : NULL;
    k->proxy = *proxy ? proxy : NULL;
    k->tls.hint = ck_arena_printf(
        k->arena, "the %s is to name its authority as certificate-authority(-data)%s", where,
        k->tls.server_name ? ", and its name as tls-server-name" : "");
    return 0;
}

int ck_kube_from_files(struct ck_kube *k, const char *context, struct ck_buf *tried,
                       struct ck_err *err)
{
    struct files *f = ck_arena_alloc(k->arena, sizeof *f);
    int r = read_files(k, f, tried, err);
    if (r < 0)
        return r;
    if (nothing_in(f)) {
        if (f->n)
            ck_buf_fmt(tried, "  %s: nothing in it\n", f->names);
        return -(int)CK_NOT_FOUND;
    }
    k->source = f->names;
    k->context = *context ? context : current(f);
    const struct file *file = NULL, *cluster_file = NULL, *user_file = NULL;
    if (!*k->context)
        return ck_fail(err, CK_INVALID,
                       "%s has no current-context: name one, as in k8s://CONTEXT, or choose one "
                       "with kubectl config use-context",
                       f->names);
    const struct ck_val *c = find(f, "contexts", "context", k->context, &file);
    if (!c)
        return missing(f, "context", "contexts", k->context, err);
    k->cluster = ck_str_at(c, "cluster");
    k->user = ck_str_at(c, "user");
    k->namespace_name = ck_str_at(c, "namespace");
    const struct ck_val *cluster = find(f, "clusters", "cluster", k->cluster, &cluster_file);
    if (!cluster)
        return missing(f, "cluster", "clusters", k->cluster, err);
    r = set_cluster(k, cluster, cluster_file->dir, err);
    if (r < 0)
        return r;
    k->identity = ck_arena_printf(k->arena, "user \"%s\" of context \"%s\"", k->user, k->context);
    if (!*k->user)
        return 0;
    const struct ck_val *user = find(f, "users", "user", k->user, &user_file);
    if (!user_file)
        return missing(f, "user", "users", k->user, err);
    return ck_kube_set_user(k, user, cluster, user_file->dir, err);
}
