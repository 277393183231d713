/* Merging a cluster's access into kubeconfig files.
 *
 * Files themselves are handled in kubefile.c. Mirrors kOps pkg/kubeconfig/kubecfg_builder.go, and
 * client-go's rules for where an entry is written when KUBECONFIG names several files. */
#include "ops/keys/kubemerge.h"

#include "base/enc.h"
#include "ops/keys/kubefile.h"

/* The three lists of a kubeconfig, and the key of an entry's content. */
static const struct kind {
    const char *list, *content;
} CLUSTERS = {"clusters", "cluster"}, CONTEXTS = {"contexts", "context"}, USERS = {"users", "user"};

static struct ck_val *find(const struct ck_kubefile *f, const struct kind *kind, const char *name)
{
    const struct ck_val *list = ck_get(f->root, kind->list);
    for (size_t i = 0; ck_is_list(list) && i < ck_len(list); i++)
        if (ck_is_str(ck_get(ck_item(list, i), "name"), name))
            return ck_item(list, i);
    return NULL;
}

static void start_file(struct ck_arena *a, struct ck_kubefile *f)
{
    if (!f->root) {
        f->root = ck_map(a);
        ck_set(a, f->root, CLUSTERS.list, ck_null(a));
        ck_set(a, f->root, CONTEXTS.list, ck_null(a));
        ck_set(a, f->root, USERS.list, ck_null(a));
    }
    if (!ck_get(f->root, "apiVersion"))
        ck_set_str(a, f->root, "apiVersion", "v1");
    if (!ck_get(f->root, "kind"))
        ck_set_str(a, f->root, "kind", "Config");
}

/* kubectl writes its lists sorted: a new entry goes in front of the first greater name. */
static void insert(struct ck_arena *a, struct ck_val *list, struct ck_val *entry, const char *name)
{
    ck_append(a, list, entry);
    uint32_t at = list->list.n - 1;
    for (; at > 0 && strcmp(ck_str_at(list->list.v[at - 1], "name"), name) > 0; at--)
        list->list.v[at] = list->list.v[at - 1];
    list->list.v[at] = entry;
}

/* The content of the entry `name`, made in the default file when there is none. */
static struct ck_val *content(struct ck_arena *a, struct ck_kubefiles *files,
                              const struct kind *kind, const char *name)
{
    struct ck_val *entry = NULL;
    for (size_t i = 0; i < files->n && !entry; i++)
        entry = find(&files->v[i], kind, name);
    if (!entry) {
        struct ck_val *root = files->v[files->dflt].root, *list = ck_get(root, kind->list);
        if (!ck_is_list(list)) {
            list = ck_list(a);
            ck_set(a, root, kind->list, list);
        }
        entry = ck_map(a);
        ck_set_str(a, entry, "name", name);
        insert(a, list, entry, name);
    }
    struct ck_val *v = ck_get(entry, kind->content);
    if (!ck_is_map(v)) {
        v = ck_map(a);
        ck_set(a, entry, kind->content, v);
    }
    return v;
}

static void set_base64(struct ck_arena *a, struct ck_val *map, const char *key, struct ck_slice pem)
{
    CK_AUTOSECRET b = CK_SECRET_INIT;
    ck_base64_encode(ck_secret_sink(&b), pem.ptr, pem.len);
    ck_set(a, map, key, ck_strn(a, ck_secret_view(&b)));
}

static void set_cluster(struct ck_arena *a, struct ck_val *c, const struct ck_kube_access *x)
{
    ck_set_str(a, c, "server", x->server);
    ck_set_str(a, c, "tls-server-name", x->tls_server_name);
    ck_unset(c, "certificate-authority"); /* a file: the data would win, or be missing */
    ck_unset(c, "certificate-authority-data");
    if (!x->ca.len)
        return;
    set_base64(a, c, "certificate-authority-data", x->ca);
    ck_unset(c, "insecure-skip-tls-verify"); /* kubectl refuses both together */
}

static void set_exec(struct ck_arena *a, struct ck_val *user, const struct ck_kube_merge *m)
{
    struct ck_val *exec = ck_get(user, "exec"), *args = ck_list(a);
    if (!ck_is_map(exec)) {
        exec = ck_map(a);
        ck_set(a, exec, "env", ck_null(a));
        ck_set_bool(a, exec, "provideClusterInfo", false);
        ck_set(a, user, "exec", exec);
    }
    for (size_t i = 1; i < m->n_exec; i++)
        ck_append_str(a, args, m->exec[i]);
    ck_set_str(a, exec, "apiVersion", "client.authentication.k8s.io/v1beta1");
    ck_set_str(a, exec, "command", m->exec[0]);
    ck_set(a, exec, "args", args);
}

/* One kind of credentials replaces the other; kubectl would be in doubt. */
static void set_user(struct ck_arena *a, struct ck_val *user, const struct ck_kube_access *x,
                     const struct ck_kube_merge *m)
{
    static const char *const FILES[] = {"client-certificate", "client-key"};
    static const char *const DATA[] = {"client-certificate-data", "client-key-data"};
    for (size_t i = 0; i < CK_ARRAY_LEN(FILES); i++) {
        ck_unset(user, FILES[i]);
        ck_unset(user, DATA[i]);
    }
    if (m->n_exec) {
        set_exec(a, user, m);
        return;
    }
    ck_unset(user, "exec");
    set_base64(a, user, DATA[0], x->cert);
    set_base64(a, user, DATA[1], ck_secret_view(&x->key));
}

static bool user_exists(const struct ck_kubefiles *files, const char *name)
{
    for (size_t i = 0; i < files->n; i++)
        if (find(&files->v[i], &USERS, name))
            return true;
    return false;
}

static int change(struct ck_arena *a, struct ck_kubefiles *files, const struct ck_kube_access *x,
                  const struct ck_kube_merge *m, struct ck_err *err)
{
    if (m->user[0] && !user_exists(files, m->user))
        return ck_fail(err, CK_INVALID, "could not find user \"%s\"", m->user);
    bool credentials = x->cert.len || m->n_exec;
    start_file(a, &files->v[files->dflt]);
    set_cluster(a, content(a, files, &CLUSTERS, x->name), x);
    if (credentials)
        set_user(a, content(a, files, &USERS, x->name), x, m);
    struct ck_val *context = content(a, files, &CONTEXTS, x->name);
    ck_set_str(a, context, "cluster", x->name);
    if (m->user[0] || credentials)
        ck_set_str(a, context, "user", m->user[0] ? m->user : x->name);
    else if (!ck_get(context, "user"))
        ck_set_str(a, context, "user", "");
    ck_set_str(a, files->v[files->dflt].root, "current-context", x->name);
    return 0;
}

int ck_kubeconfig_merge(struct ck_arena *a, const struct ck_env *env,
                        const struct ck_kube_access *access, const struct ck_kube_merge *m,
                        struct ck_err *err)
{
    CK_AUTOKUBEFILES files = {0};
    int r = 0;
    ck_kubefiles_find(a, env, m->file, &files);
    if (files.n == 0)
        return ck_fail(err, CK_INVALID, "neither KUBECONFIG nor HOME says where kubeconfig is");
    for (size_t i = 0; i < files.n && !r; i++) {
        r = ck_kubefile_lock(a, &files.v[i], i == files.dflt, err);
        if (!r)
            r = ck_kubefile_read(a, &files.v[i], err);
    }
    if (!r)
        r = change(a, &files, access, m, err);
    for (size_t i = 0; i < files.n && !r; i++)
        if (files.v[i].root)
            r = ck_kubefile_write(&files.v[i], err);
    return r;
}
