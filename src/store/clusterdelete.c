/* Removing a cluster's state, as `delete cluster` does after its cloud resources are gone.
 *
 * Everything is checked before anything is removed: files nobody knows, folders that hold more than
 * this cluster. `config` goes last, so that an interrupted removal can be repeated.
 * Mirrors kOps pkg/client/simple/vfsclientset/clientset.go (DeleteCluster). */
#include "store/internal.h"

#include "base/mem.h"

struct plan {
    struct ck_arena *a;
    const struct ck_store *s;
    struct ck_path *trees; /* removed whole */
    size_t n_trees;
    struct ck_entries files; /* removed one by one */
    struct ck_vfs **vfs;     /* of each file */
    struct ck_path config;
};

static bool is_below(struct ck_arena *a, const struct ck_path *base, const struct ck_path *child)
{
    CK_AUTOERR ignored = CK_ERR_INIT;
    const char *rel;
    return strcmp(ck_path_text(a, base), ck_path_text(a, child)) == 0 ||
           ck_path_relative(a, base, child, &rel, &ignored) == 0;
}

/* A secretStore or keyStore of its own is removed whole; one that holds the state store, or another
 * part of it than this cluster's, is a mistake that would cost other clusters their keys. */
static int add_tree(struct plan *p, const char *field, const char *url, const struct ck_path *own,
                    struct ck_err *err)
{
    struct ck_path tree;
    if (ck_vfs_parse(p->s->vfs, url, &tree, err))
        return ck_wrap(err, "error parsing %s \"%s\"", field, url);
    if (is_below(p->a, &tree, &p->s->root) || is_below(p->a, &tree, own))
        return ck_fail(err, CK_INVALID,
                       "refusing to delete: %s %s holds more than this cluster's files", field,
                       url);
    p->trees[p->n_trees++] = tree;
    return 0;
}

static int add_files(struct plan *p, const struct ck_path *dir, struct ck_err *err)
{
    struct ck_entries found = {0};
    int r = ck_vfs_tree(dir, p->a, &found, err);
    if (r == -CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r)
        return ck_wrap(err, "error listing files in state store");
    const char *config = ck_path_text(p->a, &p->config);
    for (size_t i = 0; i < found.n; i++) {
        struct ck_path file = {dir->vfs, found.v[i].key};
        if (!ck_layout_is_known(found.v[i].name))
            return ck_fail(err, CK_INVALID, "refusing to delete: unknown file found: %s",
                           ck_path_text(p->a, &file));
        /* by text: configBase may reach the same folder through another container */
        if (strcmp(ck_path_text(p->a, &file), config) != 0)
            ck_entries_add(p->a, &p->files, found.v[i]);
    }
    return 0;
}

static int remove_files(struct plan *p, struct ck_vfs *vfs, size_t from, struct ck_err *err)
{
    for (size_t i = from; i < p->files.n; i++) {
        struct ck_path file = {vfs, p->files.v[i].key};
        int r = ck_vfs_remove(&file, NULL, err);
        if (r == -CK_NOT_FOUND)
            ck_err_done(err); /* someone else removed it: what we want */
        else if (r)
            return ck_wrap(err, "error deleting cluster file %s", ck_path_text(p->a, &file));
    }
    return 0;
}

/* jwks and the discovery document of a discovery store; one that is gone already is fine. */
static int remove_discovery(struct plan *p, const struct ck_object *cluster, struct ck_err *err)
{
    static const char *const FILES[] = {"openid/v1/jwks", ".well-known/openid-configuration"};
    const char *url = ck_str_at(cluster->root, "spec.serviceAccountIssuerDiscovery.discoveryStore");
    if (!url[0])
        return 0;
    struct ck_path base, file;
    int r = ck_vfs_parse(p->s->vfs, url, &base, err);
    for (size_t i = 0; i < CK_ARRAY_LEN(FILES) && !r; i++) {
        r = ck_path_join(p->a, &base, FILES[i], &file, err);
        if (!r)
            r = ck_vfs_remove(&file, NULL, err);
        if (r == -CK_NOT_FOUND) {
            ck_err_done(err);
            r = 0;
        }
    }
    return r ? ck_wrap(err, "error deleting discovery store \"%s\"", url) : 0;
}

static int check_unchanged(const struct ck_stored *cluster, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(cluster->bytes.len + 1);
    int r = ck_vfs_read(&cluster->path, &b, NULL, err);
    if (r == -CK_LIMIT || (!r && !ck_slice_eq(ck_buf_slice(&b), cluster->bytes)))
        return ck_fail(err, CK_CONFLICT,
                       "Cluster \"%s\" was changed by someone else since it was "
                       "read",
                       ck_object_name(&cluster->obj));
    return r;
}

int ck_cluster_delete(struct ck_arena *a, const struct ck_store *s, const struct ck_stored *cluster,
                      struct ck_err *err)
{
    struct ck_path trees[2], base, own;
    struct plan p = {.a = a, .s = s, .trees = trees, .config = cluster->path};
    const struct ck_val *spec = ck_object_spec(&cluster->obj);
    const char *secrets = ck_str_at(spec, "secretStore"), *keys = ck_str_at(spec, "keyStore");
    int r = ck_layout_config_base(a, s, &cluster->obj, &base, err);
    if (!r)
        r = ck_layout_cluster(a, s, ck_object_name(&cluster->obj), &own, err);
    if (!r && secrets[0])
        r = add_tree(&p, "secretStore", secrets, &own, err);
    if (!r && keys[0] && strcmp(keys, secrets) != 0)
        r = add_tree(&p, "keyStore", keys, &own, err);
    if (!r)
        r = add_files(&p, &base, err);
    size_t below_base = p.files.n;
    bool apart = !r && strcmp(ck_path_text(a, &base), ck_path_text(a, &own)) != 0;
    if (apart) /* kOps leaves these behind, and the cluster stays listed */
        r = add_files(&p, &own, err);
    if (!r)
        r = check_unchanged(cluster, err);
    if (!r)
        r = remove_discovery(&p, &cluster->obj, err);
    for (size_t i = 0; i < p.n_trees && !r; i++)
        r = ck_vfs_remove_tree(&p.trees[i], err);
    if (r)
        return r;
    if (apart) {
        r = remove_files(&p, own.vfs, below_base, err);
        p.files.n = below_base;
    }
    if (!r)
        r = remove_files(&p, base.vfs, 0, err);
    return r ? r : ck_vfs_remove(&cluster->path, &cluster->version, err);
}
