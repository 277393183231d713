/* `create -f` and `replace -f`.
 *
 * kOps writes each document as it comes to it (cmd/kops/create.go, replace.go) and leaves a part
 * behind when a later one fails; here all is checked first and written as one batch. A run that was
 * cut off between two writes (a kill, a lost network) is completed by the same command again: what
 * is stored exactly as the manifest has it is kept, as long as something else of the manifest is
 * missing. No cloud is asked. */
#include "ops/apply.h"

#include "base/mem.h"
#include "ops/fill.h"
#include "ops/threeway.h"

/* What stands behind an item of the batch, for messages. */
struct origin {
    const char *prefix; /* "error creating cluster" */
    const struct ck_stored *old;
    const struct ck_object *obj;
};

/* An object that is stored already as the manifest has it. */
struct kept {
    struct ck_batch_item item;
    const char *prefix, *what;
};

struct apply {
    struct ck_arena *a;
    const struct ck_store *s;
    enum ck_apply_mode mode;
    struct ck_batch batch;
    struct origin *origins;     /* one per batch item */
    struct ck_stored *clusters; /* to be written by this run, or read for it */
    size_t n_clusters;
    size_t n_own; /* clusters of the input */
    const char *own;
    struct ck_object *addons;
    size_t n_addons;
    struct kept *kept;
    size_t n_kept;
    struct ck_apply_result *ret;
};

static void note(struct apply *p, enum ck_applied done, const struct ck_object *o)
{
    p->ret->v[p->ret->n++] =
        (struct ck_apply_step){done, o->kind, ck_arena_strdup(p->a, ck_object_name(o))};
}

static void originate(struct apply *p, const char *prefix, const struct ck_stored *old,
                      const struct ck_object *obj)
{
    p->origins[p->batch.n - 1] = (struct origin){prefix, old, obj};
}

static bool same_path(const struct ck_path *x, const struct ck_path *y)
{
    return x->vfs == y->vfs && strcmp(x->key, y->key) == 0;
}

/* One path may be written once only: the second would undo the first without saying so. */
static int check_unique(struct apply *p, const char *what, struct ck_err *err)
{
    const struct ck_batch_item *last = &p->batch.v[p->batch.n - 1];
    bool twice = false;
    for (size_t i = 0; i + 1 < p->batch.n; i++)
        twice |= same_path(&p->batch.v[i].path, &last->path);
    for (size_t i = 0; i < p->n_kept; i++)
        twice |= same_path(&p->kept[i].item.path, &last->path);
    return twice ? ck_fail(err, CK_INVALID, "%s is given more than once", what) : 0;
}

static int fail_exists(struct apply *p, const struct ck_path *path, struct ck_err *err)
{
    const char *text = ck_path_text(p->a, path);
    p->s->warn(p->s->warn_arg,
               ck_arena_printf(p->a, "failed to create file as already exists: %s", text));
    return ck_fail(err, CK_EXISTS, "file already exists");
}

/* Whether `stored` is what this run would write, but for the moment of its creation. */
static bool same_object(const struct apply *p, const struct ck_batch_item *it,
                        const struct ck_object *o, struct ck_slice stored)
{
    static const char created[] = "metadata.creationTimestamp";
    const struct ck_decode_opts opts = {.file = ck_path_text(p->a, &it->path)};
    CK_AUTOERR ignored = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_object old;
    if (ck_object_decode(p->a, ck_arena_slice(p->a, stored), &opts, &old, &ignored) < 0)
        return false;
    ck_put(p->a, old.root, created, ck_str(p->a, ck_str_at(o->root, created)));
    ck_object_yaml(p->a, &b, &old);
    return ck_buf_ok(&b) && ck_slice_eq(ck_buf_slice(&b), it->data);
}

/* Create-only writes would notice too, but only after others had been written. *ret_kept: it is
 * stored already, and has left the batch. */
static int check_absent(struct apply *p, const struct ck_object *o, const char *prefix,
                        const char *what, bool *ret_kept, struct ck_err *err)
{
    const struct ck_batch_item *it = &p->batch.v[p->batch.n - 1];
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(16 << 20);
    int r = ck_vfs_read(&it->path, &b, NULL, err);
    *ret_kept = false;
    if (r == -CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r && r != -CK_LIMIT)
        return r;
    /* Writes are made in the manifest's order: what was cut off has left its beginning. */
    bool beginning = p->mode == CK_APPLY_CREATE;
    for (size_t i = 0; i + 1 < p->batch.n; i++)
        beginning &= p->batch.v[i].unguarded;
    if (r || !beginning || !same_object(p, it, o, ck_buf_slice(&b)))
        return fail_exists(p, &it->path, err);
    p->kept[p->n_kept++] = (struct kept){*it, prefix, what};
    p->batch.n--;
    *ret_kept = true;
    return 0;
}

/* Whether something of the manifest is not stored yet. */
static bool any_missing(const struct apply *p)
{
    for (size_t i = 0; i < p->batch.n; i++) {
        const struct ck_batch_item *it = &p->batch.v[i];
        CK_AUTOERR ignored = CK_ERR_INIT;
        CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(16 << 20);
        if (!it->replaces && (!it->unguarded || ck_vfs_read(&it->path, &b, NULL, &ignored) < 0))
            return true;
    }
    return false;
}

/* When all is there already this is no run that was cut off: kOps' error. */
static int check_kept(struct apply *p, struct ck_err *err)
{
    if (!p->n_kept)
        return 0;
    if (!any_missing(p)) {
        fail_exists(p, &p->kept[0].item.path, err);
        return ck_wrap(err, "%s", p->kept[0].prefix);
    }
    for (size_t i = 0; i < p->n_kept; i++)
        p->s->warn(p->s->warn_arg,
                   ck_arena_printf(p->a,
                                   "%s is stored already as the manifest has it and is kept; what "
                                   "is missing is created",
                                   p->kept[i].what));
    return 0;
}

/* Another run of the same manifest may have taken back what was kept here. */
static int restore_kept(struct apply *p, struct ck_err *err)
{
    static const struct ck_write_opts create = {.mode = CK_WRITE_CREATE};
    for (size_t i = 0; i < p->n_kept; i++) {
        const struct ck_batch_item *it = &p->kept[i].item;
        int r = ck_vfs_write(&it->path, it->data, &create, NULL, err);
        if (r < 0 && r != -CK_EXISTS)
            return ck_wrap(err, "%s", p->kept[i].prefix);
        ck_err_done(err);
    }
    return 0;
}

static const struct ck_stored *known_cluster(const struct apply *p, const char *name)
{
    for (size_t i = 0; i < p->n_clusters; i++)
        if (strcmp(ck_object_name(&p->clusters[i].obj), name) == 0)
            return &p->clusters[i];
    return NULL;
}

/* The cluster an object belongs to: one of this run, or the stored one. */
static int find_cluster(struct apply *p, const char *name, const struct ck_stored **ret,
                        struct ck_err *err)
{
    *ret = known_cluster(p, name);
    if (*ret)
        return 0;
    struct ck_stored *c = &p->clusters[p->n_clusters];
    int r = ck_cluster_get(p->a, p->s, name, c, err);
    if (!r) {
        p->n_clusters++;
        *ret = c;
    }
    return r;
}

static void remember_cluster(struct apply *p, const struct ck_object *o)
{
    p->clusters[p->n_clusters++] = (struct ck_stored){.obj = *o};
    p->n_own++;
    p->own = ck_object_name(o);
    p->ret->cluster = p->own;
}

static int create_cluster(struct apply *p, struct ck_object *o, struct ck_err *err)
{
    static const char prefix[] = "error creating cluster";
    int r = 0;
    if (ck_fill_cluster(p->a, p->s, o, err))
        return ck_wrap(err, "error populating configuration");
    const char *what = ck_arena_printf(p->a, "cluster/%s", ck_object_name(o));
    bool kept = false;
    r = ck_cluster_prepare_create(p->a, p->s, o, &p->batch, err);
    if (!r)
        r = check_unique(p, what, err);
    if (!r)
        r = check_absent(p, o, prefix, what, &kept, err);
    if (r)
        return ck_wrap(err, "%s", prefix);
    if (!kept)
        originate(p, prefix, NULL, o);
    remember_cluster(p, o);
    note(p, kept ? CK_KEPT : CK_CREATED, o);
    return 0;
}

/* A manifest that was exported, kept and applied again is common: no error, but worth a word. */
static void warn_if_older(const struct apply *p, const char *what, const struct ck_stored *old,
                          const struct ck_object *o)
{
    int64_t given = ck_int_at(o->root, "metadata.generation", 0);
    int64_t stored = ck_int_at(old->obj.root, "metadata.generation", 0);
    if (given > 0 && given < stored)
        p->s->warn(p->s->warn_arg,
                   ck_arena_printf(p->a,
                                   "%s: the manifest is of generation %lld, what is stored of "
                                   "generation %lld: changes in between are replaced",
                                   what, (long long)given, (long long)stored));
}

static int replace_cluster(struct apply *p, struct ck_object *o, struct ck_err *err)
{
    static const char prefix[] = "error replacing cluster";
    const char *name = ck_object_name(o);
    struct ck_stored *old = ck_arena_alloc(p->a, sizeof *old);
    int r = name[0] ? ck_cluster_get(p->a, p->s, name, old, err)
                    : ck_fail(err, CK_INVALID, "clusterName is required");
    if (r == -CK_NOT_FOUND && p->mode == CK_APPLY_REPLACE_FORCE) {
        ck_err_done(err);
        return create_cluster(p, o, err);
    }
    if (r == -CK_NOT_FOUND)
        return ck_fail(err, CK_NOT_FOUND, "cluster %s does not exist (try adding --force flag)",
                       name);
    if (r)
        return ck_wrap(err, "error fetching cluster \"%s\"", name);
    const char *what = ck_arena_printf(p->a, "cluster/%s", name);
    warn_if_older(p, what, old, o);
    r = ck_cluster_prepare_update(p->a, p->s, old, o, &p->batch, err);
    if (!r)
        r = check_unique(p, what, err);
    if (r)
        return ck_wrap(err, "%s", prefix);
    originate(p, prefix, old, o);
    remember_cluster(p, o);
    note(p, CK_REPLACED, o);
    return 0;
}

static int create_ig(struct apply *p, const char *cluster, struct ck_object *o, struct ck_err *err)
{
    static const char prefix[] = "error creating instanceGroup";
    const char *what = ck_arena_printf(p->a, "instancegroup/%s", ck_object_name(o));
    bool kept = false;
    int r = ck_ig_prepare_create(p->a, p->s, cluster, o, &p->batch, err);
    if (!r)
        r = check_unique(p, what, err);
    if (!r)
        r = check_absent(p, o, prefix, what, &kept, err);
    if (r)
        return ck_wrap(err, "%s", prefix);
    if (!kept)
        originate(p, prefix, NULL, o);
    note(p, kept ? CK_KEPT : CK_CREATED, o);
    return 0;
}

static int replace_ig(struct apply *p, const char *cluster, struct ck_object *o, struct ck_err *err)
{
    static const char prefix[] = "error replacing instanceGroup";
    const char *name = ck_object_name(o);
    struct ck_stored *old = ck_arena_alloc(p->a, sizeof *old);
    int r = ck_ig_get(p->a, p->s, cluster, name, old, err);
    if (r == -CK_NOT_FOUND && p->mode == CK_APPLY_REPLACE_FORCE) {
        ck_err_done(err);
        p->s->warn(
            p->s->warn_arg,
            ck_arena_printf(p->a, "instanceGroup: %s was not found, creating resource now", name));
        return create_ig(p, cluster, o, err);
    }
    if (r == -CK_NOT_FOUND)
        return ck_fail(err, CK_NOT_FOUND,
                       "instanceGroup: %s does not exist (try adding --force flag)", name);
    if (r)
        return ck_wrap(err, "unable to check for instanceGroup");
    const char *what = ck_arena_printf(p->a, "instancegroup/%s", name);
    warn_if_older(p, what, old, o);
    r = ck_ig_prepare_update(p->a, p->s, cluster, old, o, &p->batch, err);
    if (!r)
        r = check_unique(p, what, err);
    if (r)
        return ck_wrap(err, "%s", prefix);
    originate(p, prefix, old, o);
    note(p, CK_REPLACED, o);
    return 0;
}

static int cluster_label(const struct apply *p, const struct ck_object *o, const char *what,
                         const char **ret, struct ck_err *err)
{
    *ret = ck_object_label(o, CK_LABEL_CLUSTER);
    if (*ret && (*ret)[0])
        return 0;
    return ck_fail(err, CK_INVALID, "must specify \"%s\" label with cluster name to %s %s",
                   CK_LABEL_CLUSTER, p->mode == CK_APPLY_CREATE ? "create" : "replace", what);
}

static int apply_ig(struct apply *p, struct ck_object *o, struct ck_err *err)
{
    const char *name;
    const struct ck_stored *cluster;
    int r = cluster_label(p, o, "instanceGroup", &name, err);
    if (r)
        return r;
    r = find_cluster(p, name, &cluster, err);
    if (r && p->mode == CK_APPLY_CREATE)
        return ck_wrap(err, "error querying cluster \"%s\"", name);
    if (r == -CK_NOT_FOUND)
        return ck_fail(err, CK_NOT_FOUND, "cluster \"%s\" not found", name);
    if (r)
        return ck_wrap(err, "error fetching cluster \"%s\"", name);
    p->ret->cluster = name;
    return p->mode == CK_APPLY_CREATE ? create_ig(p, name, o, err) : replace_ig(p, name, o, err);
}

static int apply_ssh(struct apply *p, struct ck_object *o, struct ck_err *err)
{
    static const char prefix[] = "error adding SSH credential";
    const char *name, *key = ck_str_at(o->root, "spec.publicKey");
    const struct ck_stored *cluster;
    int r = cluster_label(p, o, "SSHCredential", &name, err);
    if (r)
        return r;
    if (!key[0])
        return ck_fail(err, CK_INVALID, "spec.PublicKey is required");
    r = find_cluster(p, name, &cluster, err);
    if (r)
        return r;
    if (ck_ssh_prepare(p->a, p->s, &cluster->obj, ck_slice_of(key), &p->batch, err))
        return ck_wrap(err, "%s", prefix);
    originate(p, prefix, NULL, o);
    p->ret->cluster = name;
    note(p, CK_ADDED_KEY, o);
    return 0;
}

static int unhandled(struct apply *p, const struct ck_input *in, struct ck_err *err)
{
    const char *gvk = ck_object_gvk(p->a, &in->obj);
    return p->mode == CK_APPLY_CREATE
               ? ck_fail(err, CK_UNSUPPORTED, "unhandled kind \"%s\" in %s", gvk, in->file)
               : ck_fail(err, CK_UNSUPPORTED, "unhandled kind \"%s\" in \"%s\"", gvk, in->file);
}

static int plan_one(struct apply *p, struct ck_input *in, struct ck_err *err)
{
    switch (in->obj.kind) {
    case CK_KIND_CLUSTER:
        return p->mode == CK_APPLY_CREATE ? create_cluster(p, &in->obj, err)
                                          : replace_cluster(p, &in->obj, err);
    case CK_KIND_INSTANCE_GROUP:
        return apply_ig(p, &in->obj, err);
    case CK_KIND_SSH_CREDENTIAL:
        return apply_ssh(p, &in->obj, err);
    case CK_KIND_OTHER:
        if (p->mode != CK_APPLY_CREATE)
            return unhandled(p, in, err);
        p->addons[p->n_addons++] = in->obj;
        return 0;
    case CK_KIND_KEYSET:
    case CK_KIND_HOST:
        break;
    }
    return unhandled(p, in, err);
}

static int plan_addons(struct apply *p, struct ck_err *err)
{
    if (!p->n_addons)
        return 0;
    if (p->n_own == 0)
        return ck_fail(err, CK_INVALID, "must specify a cluster when creating additional objects");
    if (p->n_own > 1)
        return ck_fail(err, CK_INVALID,
                       "cannot specify additional objects when multiple clusters are created");
    int r = ck_addons_prepare(p->a, p->s, p->own, p->addons, p->n_addons, &p->batch, err);
    if (!r)
        originate(p, "error writing additional objects", NULL, NULL);
    return r;
}

static int commit(struct apply *p, struct ck_err *err)
{
    size_t failed = 0;
    int r = ck_batch_commit(p->a, p->s, &p->batch, &failed, err);
    if (!r)
        return 0;
    const struct origin *o = &p->origins[failed];
    if (r == -CK_CONFLICT && o->old)
        ck_threeway_explain(p->a, p->s, o->old, o->obj, err);
    return ck_wrap(err, "%s", o->prefix);
}

int ck_apply(struct ck_arena *a, const struct ck_store *s, struct ck_inputs *in,
             enum ck_apply_mode mode, struct ck_apply_result *ret, struct ck_err *err)
{
    size_t n = in->n + 1;
    struct apply p = {.a = a, .s = s, .mode = mode, .ret = ret};
    p.origins = ck_arena_alloc(a, n * sizeof *p.origins);
    p.clusters = ck_arena_alloc(a, n * sizeof *p.clusters);
    p.addons = ck_arena_alloc(a, n * sizeof *p.addons);
    p.kept = ck_arena_alloc(a, n * sizeof *p.kept);
    *ret = (struct ck_apply_result){.cluster = ""};
    ret->v = ck_arena_alloc(a, n * sizeof *ret->v);
    for (size_t i = 0; i < in->n; i++) {
        int r = plan_one(&p, &in->v[i], err);
        if (r)
            return r;
    }
    int r = plan_addons(&p, err);
    if (!r)
        r = check_kept(&p, err);
    if (!r)
        r = commit(&p, err);
    return r ? r : restore_kept(&p, err);
}
