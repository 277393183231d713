/* Instance groups of one cluster: S/N/instancegroup/NAME, one file each.
 *
 * Mirrors kOps pkg/client/simple/vfsclientset/instancegroup.go. */
#include "store/internal.h"

#include "base/mem.h"
#include "spec/validate.h"

int ck_ig_get(struct ck_arena *a, const struct ck_store *s, const char *cluster, const char *name,
              struct ck_stored *ret, struct ck_err *err)
{
    struct ck_path path;
    int r = ck_layout_ig(a, s, cluster, name, &path, err);
    if (!r)
        r = ck_stored_read(a, s, &path, CK_KIND_INSTANCE_GROUP, ret, err);
    if (r == -CK_NOT_FOUND)
        return ck_fail(err, CK_NOT_FOUND, "InstanceGroup.kops.k8s.io \"%s\" not found", name);
    if (r)
        return ck_wrap(err, "error reading InstanceGroup \"%s\"", name);
    ck_object_set_label(a, &ret->obj, CK_LABEL_CLUSTER, cluster);
    return 0;
}

struct ig_read {
    struct ck_arena *a;
    const struct ck_store *s;
    const char *cluster;
    const struct ck_entries *entries;
    const struct ck_path *dir;
    struct ck_stored *slots;
    bool *filled;
    size_t bad; /* first in order that failed; SIZE_MAX: none */
    struct ck_err *err;
};

/* A crash of kOps in the middle of a write leaves "tmp" + digits behind. */
static bool is_leftover(const char *name)
{
    if (!ck_str_starts(name, "tmp") || !name[3])
        return false;
    return strspn(name + 3, "0123456789") == strlen(name + 3);
}

static int ig_arrived(void *arg, size_t i, struct ck_slice data, const struct ck_version *version,
                      struct ck_err *item_err)
{
    struct ig_read *r = arg;
    const char *name = r->entries->v[i].name;
    struct ck_path path = {r->dir->vfs, r->entries->v[i].key};
    struct ck_stored *o = &r->slots[i];
    if (item_err->code == CK_NOT_FOUND)
        return 0; /* removed since it was listed */
    if (item_err->code) {
        ck_wrap(item_err, "error reading %s", ck_path_text(r->a, &path));
    } else if (!ck_stored_decode(r->a, r->s, &path, ck_arena_slice(r->a, data),
                                 CK_KIND_INSTANCE_GROUP, o, item_err)) {
        if (version)
            o->version = *version;
        ck_object_set_label(r->a, &o->obj, CK_LABEL_CLUSTER, r->cluster);
        r->filled[i] = true;
        return 0;
    } else if (is_leftover(name)) {
        r->s->warn(r->s->warn_arg,
                   ck_arena_printf(r->a, "%s is left over from an interrupted write and is ignored",
                                   ck_path_text(r->a, &path)));
        return 0;
    }
    if (i < r->bad) {
        r->bad = i;
        ck_wrap(item_err, "error reading InstanceGroup \"%s\"", name);
        ck_err_move(r->err, item_err);
    }
    return 0;
}

int ck_ig_list(struct ck_arena *a, const struct ck_store *s, const char *cluster,
               struct ck_stored_list *ret, struct ck_err *err)
{
    struct ck_path dir;
    struct ck_entries entries = {0};
    *ret = (struct ck_stored_list){0};
    int r = ck_layout_ig(a, s, cluster, NULL, &dir, err);
    if (!r)
        r = ck_vfs_list(&dir, a, &entries, err);
    if (r == -CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r)
        return ck_wrap(err, "error reading instance groups of \"%s\"", cluster);
    ret->v = ck_arena_alloc(a, (entries.n + 1) * sizeof *ret->v);
    ret->cap = entries.n;
    CK_AUTOERR first = CK_ERR_INIT;
    struct ig_read read = {.a = a,
                           .s = s,
                           .cluster = cluster,
                           .entries = &entries,
                           .dir = &dir,
                           .slots = ret->v,
                           .bad = (size_t)-1,
                           .err = &first,
                           .filled = ck_arena_alloc(a, entries.n + 1)};
    const char **keys = ck_arena_alloc(a, (entries.n + 1) * sizeof *keys);
    for (size_t i = 0; i < entries.n; i++)
        keys[i] = entries.v[i].key;
    r = ck_vfs_read_many(&dir, keys, entries.n, ig_arrived, &read, err);
    if (r)
        return ck_wrap(err, "error reading instance groups of \"%s\"", cluster);
    if (read.bad != (size_t)-1)
        return ck_err_move(err, &first);
    for (size_t i = 0; i < entries.n; i++)
        if (read.filled[i])
            ret->v[ret->n++] = ret->v[i];
    return 0;
}

static int validate(struct ck_arena *a, const struct ck_store *s, const struct ck_object *ig,
                    struct ck_err *err)
{
    struct ck_validate_ctx ctx = {.arena = a, .features = s->features};
    struct ck_field_errs errs = {.arena = a};
    ck_validate_instance_group(&ctx, ig, &errs);
    return ck_field_errs_fail(&errs, err);
}

static int add_item(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                    const struct ck_object *ig, const struct ck_stored *old, struct ck_batch *b,
                    struct ck_err *err)
{
    struct ck_path path;
    int r = ck_layout_ig(a, s, cluster, ck_object_name(ig), &path, err);
    if (r)
        return r;
    struct ck_batch_item *it = ck_batch_add(a, b);
    it->what = ck_arena_printf(a, "InstanceGroup \"%s\"", ck_object_name(ig));
    it->path = path;
    it->data = ck_stored_encode(a, ig);
    if (old) {
        it->replaces = true;
        it->version = old->version;
        it->before = old->bytes;
    }
    return 0;
}

int ck_ig_prepare_create(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                         struct ck_object *ig, struct ck_batch *b, struct ck_err *err)
{
    int r = validate(a, s, ig, err);
    if (r)
        return r;
    ck_stored_stamp(a, ig);
    return add_item(a, s, cluster, ig, NULL, b, err);
}

int ck_ig_prepare_update(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                         const struct ck_stored *old, struct ck_object *ig, struct ck_batch *b,
                         struct ck_err *err)
{
    int r = validate(a, s, ig, err);
    if (!r)
        r = ck_stored_check_lossy(a, s, old, err);
    if (r)
        return r;
    ck_stored_generation(a, &old->obj, ig);
    ck_stored_stamp(a, ig);
    return add_item(a, s, cluster, ig, old, b, err);
}

int ck_ig_create(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                 struct ck_object *ig, struct ck_err *err)
{
    struct ck_batch b = {0};
    int r = ck_ig_prepare_create(a, s, cluster, ig, &b, err);
    return r ? r : ck_batch_commit(a, s, &b, NULL, err);
}

int ck_ig_update(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                 const struct ck_stored *old, struct ck_object *ig, struct ck_err *err)
{
    struct ck_batch b = {0};
    int r = ck_ig_prepare_update(a, s, cluster, old, ig, &b, err);
    return r ? r : ck_batch_commit(a, s, &b, NULL, err);
}

int ck_ig_delete(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                 const struct ck_stored *ig, struct ck_err *err)
{
    (void)s;
    (void)cluster;
    int r = ck_vfs_remove(&ig->path, &ig->version, err);
    if (r == -CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r == -CK_CONFLICT)
        return ck_fail(err, CK_CONFLICT,
                       "InstanceGroup \"%s\" was changed by someone else since it was read",
                       ck_object_name(&ig->obj));
    return r ? ck_wrap(err, "error deleting %s", ck_path_text(a, &ig->path)) : 0;
}
