/* From the tree to the store: edits, checked as `replace` checks manifests. */
#include "ops/storegit/internal.h"

#include "ops/get.h"

#include <string.h>

struct removal {
    struct ck_path path;
    struct ck_version version;
    const char *what;
};

struct plan {
    struct ck_storegit *g;
    struct ck_batch batch;
    struct removal *removals;
    size_t n_removals;
};

static int decode(struct plan *p, const char *path, struct ck_slice data, enum ck_object_kind kind,
                  const char *name, struct ck_object *ret, struct ck_err *err)
{
    const struct ck_store *s = p->g->s;
    const struct ck_decode_opts opts = {
        .file = path, .lenient = s->lenient, .warn = s->warn, .warn_arg = s->warn_arg};
    int r = ck_object_decode(p->g->a, data, &opts, ret, err);
    if (r < 0)
        return ck_wrap(err, "error parsing %s", path);
    if (ret->kind != kind)
        return ck_fail(err, CK_INVALID, "%s: it is of another kind than its place says", path);
    if (strcmp(ck_object_name(ret), name) != 0)
        return ck_fail(err, CK_INVALID, "%s: it is named \"%.80s\"", path, ck_object_name(ret));
    return 0;
}

/* The last item of the batch: what is written is the tree's own text. */
static void keep_text(struct plan *p, const char *path, struct ck_slice data)
{
    struct ck_batch_item *it = &p->batch.v[p->batch.n - 1];
    it->data = data;
    it->what = path;
}

static int plan_config(struct plan *p, const char *cluster, const char *path, bool exists,
                       struct ck_slice data, struct ck_err *err)
{
    struct ck_arena *a = p->g->a;
    const struct ck_store *s = p->g->s;
    struct ck_object obj;
    struct ck_stored *old = ck_arena_alloc(a, sizeof *old);
    int r = decode(p, path, data, CK_KIND_CLUSTER, cluster, &obj, err);
    if (r == 0 && exists)
        r = ck_cluster_get(a, s, cluster, old, err);
    if (r < 0)
        return r;
    r = exists ? ck_cluster_prepare_update(a, s, old, &obj, &p->batch, err)
               : ck_cluster_prepare_create(a, s, &obj, &p->batch, err);
    if (r == 0)
        keep_text(p, path, data);
    return r < 0 ? ck_wrap(err, "%s", path) : 0;
}

static int plan_group(struct plan *p, const char *cluster, const char *name, const char *path,
                      bool exists, struct ck_slice data, struct ck_err *err)
{
    struct ck_arena *a = p->g->a;
    const struct ck_store *s = p->g->s;
    struct ck_object obj;
    struct ck_stored *old = ck_arena_alloc(a, sizeof *old);
    int r = decode(p, path, data, CK_KIND_INSTANCE_GROUP, name, &obj, err);
    if (r == 0 && exists)
        r = ck_ig_get(a, s, cluster, name, old, err);
    if (r < 0)
        return r;
    const char *label = ck_object_label(&obj, CK_LABEL_CLUSTER);
    if (label && *label && strcmp(label, cluster) != 0)
        return ck_fail(err, CK_INVALID, "%s: its label names the cluster \"%.80s\"", path, label);
    r = exists ? ck_ig_prepare_update(a, s, cluster, old, &obj, &p->batch, err)
               : ck_ig_prepare_create(a, s, cluster, &obj, &p->batch, err);
    if (r == 0)
        keep_text(p, path, data);
    return r < 0 ? ck_wrap(err, "%s", path) : 0;
}

static int at(struct plan *p, const char *path, struct ck_path *ret, struct ck_err *err)
{
    return ck_path_join(p->g->a, &p->g->s->root, path, ret, err);
}

static int plan_addons(struct plan *p, const char *path, const struct ck_journal_seen *now,
                       struct ck_slice data, struct ck_err *err)
{
    struct ck_arena *a = p->g->a;
    struct ck_section *v = NULL;
    struct ck_path where;
    size_t n = ck_manifest_split(a, data, &v);
    for (size_t i = 0; i < n; i++) {
        struct ck_object obj;
        const struct ck_decode_opts opts = {
            .file = path, .line_offset = v[i].line_offset, .lenient = true};
        if (ck_slice_trim(v[i].text).len && ck_object_decode(a, v[i].text, &opts, &obj, err) < 0)
            return ck_wrap(err, "error parsing %s", path);
    }
    int r = at(p, path, &where, err);
    if (r < 0)
        return r;
    struct ck_batch_item *it = ck_batch_add(a, &p->batch);
    *it = (struct ck_batch_item){.what = path, .path = where, .data = data, .replaces = now};
    if (now) {
        it->version = now->version;
        it->before = now->data;
    }
    return 0;
}

static bool is_control_plane(struct plan *p, const struct ck_journal_seen *x)
{
    CK_AUTOERR ignored = CK_ERR_INIT;
    const struct ck_decode_opts opts = {.file = x->path, .lenient = true};
    struct ck_object obj;
    return ck_object_decode(p->g->a, x->data, &opts, &obj, &ignored) == 0 &&
           obj.kind == CK_KIND_INSTANCE_GROUP && strcmp(ck_ig_role(&obj), "ControlPlane") == 0;
}

/* As `delete instancegroup`; another one may come with the same edits. */
static int check_removable(struct plan *p, const char *cluster, const struct ck_journal_seen *ig,
                           struct ck_err *err)
{
    const struct ck_journal_view *tree = &p->g->tree;
    const char *dir = ck_arena_printf(p->g->a, "%s/instancegroup/", cluster);
    if (!is_control_plane(p, ig))
        return 0;
    for (size_t i = 0; i < tree->n; i++)
        if (ck_str_starts(tree->v[i].path, dir) && is_control_plane(p, &tree->v[i]))
            return 0;
    return ck_fail(err, CK_INVALID, "%s: cannot delete the only control plane instance group",
                   ig->path);
}

static int plan_removal(struct plan *p, const char *cluster, const char *rest, const char *path,
                        const struct ck_journal_seen *now, struct ck_err *err)
{
    struct removal *x = &p->removals[p->n_removals];
    if (strcmp(rest, "config") == 0)
        return ck_fail(err, CK_INVALID,
                       "%s is gone from the tree: clusters are removed by delete cluster only",
                       path);
    if (!now)
        return 0;
    int r = ck_str_starts(rest, "instancegroup/") ? check_removable(p, cluster, now, err) : 0;
    if (r < 0)
        return r;
    *x = (struct removal){.version = now->version, .what = path};
    p->n_removals++;
    return at(p, path, &x->path, err);
}

static int plan_one(struct plan *p, const struct ck_journal_change *c, struct ck_err *err)
{
    struct ck_storegit *g = p->g;
    const struct ck_journal_seen *now = ck_journal_find(&g->store, c->path);
    const struct ck_journal_seen *want = ck_journal_find(&g->tree, c->path);
    const char *cluster, *rest;
    if (strcmp(now ? now->sha : "", c->from) != 0)
        return ck_fail(err, CK_CONFLICT,
                       "%s was edited in the tree and changed in the store since the export",
                       c->path);
    if (!ck_storegit_wants(g, c->path, &cluster, &rest))
        return ck_fail(err, CK_INTERNAL, "%s is no file of an export", c->path);
    bool group = ck_str_starts(rest, "instancegroup/") && !strchr(rest + 14, '/');
    bool addons = strcmp(rest, "clusteraddons/default") == 0;
    if (!group && !addons && strcmp(rest, "config") != 0)
        return ck_fail(err, CK_INVALID,
                       "%s: only config, instance groups and add-ons can be imported; create "
                       "secret, create keypair and create sshpublickey do the rest",
                       c->path);
    if (!*c->to)
        return plan_removal(p, cluster, rest, c->path, now, err);
    if (addons)
        return plan_addons(p, c->path, now, want->data, err);
    int r = group ? plan_group(p, cluster, rest + 14, c->path, now != NULL, want->data, err)
                  : plan_config(p, cluster, c->path, now != NULL, want->data, err);
    /* what was checked against may be newer than what was compared */
    const struct ck_batch_item *it = r == 0 ? &p->batch.v[p->batch.n - 1] : NULL;
    if (it && now && !ck_slice_eq(it->before, now->data))
        return ck_fail(err, CK_CONFLICT, "%s was changed in the store meanwhile", c->path);
    return r;
}

static int commit(struct plan *p, struct ck_err *err)
{
    int r = ck_batch_commit(p->g->a, p->g->s, &p->batch, NULL, err);
    for (size_t i = 0; r == 0 && i < p->n_removals; i++) {
        r = ck_vfs_remove(&p->removals[i].path, &p->removals[i].version, err);
        if (r == -(int)CK_NOT_FOUND) {
            ck_err_done(err);
            r = 0;
        }
        if (r < 0)
            return ck_wrap(err, "removing %s", p->removals[i].what);
    }
    return r;
}

int ck_storegit_import(struct ck_storegit *g, bool dry_run, struct ck_err *err)
{
    struct plan p = {.g = g};
    int r = 0;
    p.removals = ck_arena_alloc(g->a, (g->edits.n + 1) * sizeof *p.removals);
    if (!*g->base)
        return ck_fail(err, CK_INVALID, "nothing was exported from %s to this tree", g->mark);
    for (size_t i = 0; r == 0 && i < g->edits.n; i++) /* a cluster comes before what is in it */
        if (ck_str_ends(g->edits.v[i].path, "/config"))
            r = plan_one(&p, &g->edits.v[i], err);
    for (size_t i = 0; r == 0 && i < g->edits.n; i++)
        if (!ck_str_ends(g->edits.v[i].path, "/config"))
            r = plan_one(&p, &g->edits.v[i], err);
    return r || dry_run ? r : commit(&p, err);
}
