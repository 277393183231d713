/* Clusters in a state store: reading one or all, creating, updating.
 *
 * Every update is conditional on the version that was read. Mirrors kOps
 * pkg/client/simple/vfsclientset/cluster.go; removal is in clusterdelete.c. */
#include "store/internal.h"

#include "base/mem.h"
#include "spec/validate.h"

/* kOps fills an empty configBase when it reads a cluster; the file is not touched. */
static int fill_config_base(struct ck_arena *a, const struct ck_store *s, const char *name,
                            struct ck_object *o, struct ck_err *err)
{
    if (ck_str_at(o->root, "spec.configBase")[0])
        return 0;
    struct ck_path dir;
    int r = ck_layout_cluster(a, s, name, &dir, err);
    if (!r)
        ck_put(a, o->root, "spec.configBase", ck_str(a, ck_path_location(a, &dir)));
    return r;
}

static int finish(struct ck_arena *a, const struct ck_store *s, const char *name,
                  struct ck_stored *c, struct ck_err *err)
{
    if (!ck_object_name(&c->obj)[0])
        ck_put(a, c->obj.root, "metadata.name", ck_str(a, name));
    return fill_config_base(a, s, name, &c->obj, err);
}

int ck_cluster_get(struct ck_arena *a, const struct ck_store *s, const char *name,
                   struct ck_stored *ret, struct ck_err *err)
{
    struct ck_path path;
    int r = ck_layout_config(a, s, name, &path, err);
    if (!r)
        r = ck_stored_read(a, s, &path, CK_KIND_CLUSTER, ret, err);
    if (r == -CK_NOT_FOUND)
        return ck_fail(err, CK_NOT_FOUND, "Cluster.kops.k8s.io \"%s\" not found", name);
    if (!r)
        r = finish(a, s, name, ret, err);
    if (r)
        return ck_wrap(err, "error reading cluster configuration \"%s\"", name);
    return 0;
}

int ck_cluster_get_for_command(struct ck_arena *a, const struct ck_store *s, const char *name,
                               struct ck_stored *ret, struct ck_err *err)
{
    if (!name || !name[0])
        return ck_fail(err, CK_INVALID, "clusterName is required");
    if (ck_cluster_get(a, s, name, ret, err))
        return ck_wrap(err, "error reading cluster configuration");
    const char *body = ck_object_name(&ret->obj);
    if (strcmp(body, name) != 0)
        return ck_fail(err, CK_INVALID, "cluster name did not match expected name: %s vs %s", name,
                       body);
    return 0;
}

struct each {
    struct ck_arena *a;
    const struct ck_store *s;
    ck_cluster_fn fn;
    void *arg;
};

static int one_found(const struct each *e, struct ck_arena *a, const char *name,
                     struct ck_slice data, const struct ck_version *version,
                     struct ck_err *item_err)
{
    struct ck_stored c = {0};
    struct ck_err *err = item_err;
    int r = -(int)err->code;
    if (!r)
        r = ck_layout_config(a, e->s, name, &c.path, err);
    if (!r)
        r = ck_stored_decode(a, e->s, &c.path, data, CK_KIND_CLUSTER, &c, err);
    if (version)
        c.version = *version;
    if (!r)
        r = finish(a, e->s, name, &c, err);
    if (r)
        ck_wrap(err, "error reading cluster configuration \"%s\"", name);
    return e->fn(e->arg, name, r ? NULL : &c, err);
}

static int found(void *arg, const char *name, struct ck_slice data,
                 const struct ck_version *version, struct ck_err *item_err)
{
    const struct each *e = arg;
    if (e->a)
        return one_found(e, e->a, name, ck_arena_slice(e->a, data), version, item_err);
    CK_AUTOARENA struct ck_arena *once = ck_arena_new();
    return one_found(e, once, name, data, version, item_err);
}

int ck_cluster_each(struct ck_arena *a, const struct ck_store *s, ck_cluster_fn fn, void *arg,
                    struct ck_err *err)
{
    struct each e = {a, s, fn, arg};
    int r = ck_vfs_find(&s->root, "config", found, &e, err);
    if (r == -CK_NOT_FOUND || r == -CK_IO)
        ck_wrap(err, "error reading state store");
    return r;
}

int ck_cluster_names(const struct ck_store *s, struct ck_strv *ret, struct ck_err *err)
{
    if (ck_vfs_find_names(&s->root, "config", ret, err))
        return ck_wrap(err, "error reading state store");
    return 0;
}

static int validate(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                    const struct ck_object *old, struct ck_err *err)
{
    struct ck_validate_ctx ctx = {.arena = a, .features = s->features};
    struct ck_field_errs errs = {.arena = a};
    ck_validate_cluster(&ctx, cluster, &errs);
    if (old)
        ck_validate_cluster_update(&ctx, cluster, old, &errs);
    return ck_field_errs_fail(&errs, err);
}

static int add_item(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                    const struct ck_stored *old, struct ck_batch *b, struct ck_err *err)
{
    struct ck_path path;
    int r = ck_layout_config(a, s, ck_object_name(cluster), &path, err);
    if (r)
        return r;
    struct ck_batch_item *it = ck_batch_add(a, b);
    it->what = ck_arena_printf(a, "Cluster \"%s\"", ck_object_name(cluster));
    it->path = path;
    it->data = ck_stored_encode(a, cluster);
    if (old) {
        it->replaces = true;
        it->version = old->version;
        it->before = old->bytes;
    }
    return 0;
}

int ck_cluster_prepare_create(struct ck_arena *a, const struct ck_store *s,
                              struct ck_object *cluster, struct ck_batch *b, struct ck_err *err)
{
    int r = validate(a, s, cluster, NULL, err);
    if (r)
        return r;
    ck_stored_stamp(a, cluster);
    return add_item(a, s, cluster, NULL, b, err);
}

int ck_cluster_prepare_update(struct ck_arena *a, const struct ck_store *s,
                              const struct ck_stored *old, struct ck_object *cluster,
                              struct ck_batch *b, struct ck_err *err)
{
    int r = validate(a, s, cluster, &old->obj, err);
    if (!r)
        r = ck_stored_check_lossy(a, s, old, err);
    if (r)
        return r;
    ck_stored_generation(a, &old->obj, cluster);
    return add_item(a, s, cluster, old, b, err);
}

int ck_cluster_create(struct ck_arena *a, const struct ck_store *s, struct ck_object *cluster,
                      struct ck_err *err)
{
    struct ck_batch b = {0};
    int r = ck_cluster_prepare_create(a, s, cluster, &b, err);
    return r ? r : ck_batch_commit(a, s, &b, NULL, err);
}

int ck_cluster_update(struct ck_arena *a, const struct ck_store *s, const struct ck_stored *old,
                      struct ck_object *cluster, struct ck_err *err)
{
    struct ck_batch b = {0};
    int r = ck_cluster_prepare_update(a, s, old, cluster, &b, err);
    return r ? r : ck_batch_commit(a, s, &b, NULL, err);
}
