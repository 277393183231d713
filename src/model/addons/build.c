/* Makes the manifest of every add-on the cluster gets and the channel that lists them, as tasks.
 *
 * It decides nothing about single add-ons: the rows and templates do. Mirrors kOps
 * bootstrapchannelbuilder. */
#include "crypto/hash.h"
#include "doc/yaml.h"
#include "model/addons.h"
#include "model/addons/addon.h"
#include "task/store/addons.h"

#include <string.h>

static int template_tree(struct ck_arena *a, const char *name, struct ck_val **ret,
                         struct ck_err *err)
{
    for (size_t i = 0; i < ck_addon_n_files; i++) {
        const struct ck_addon_file *f = &ck_addon_files[i];
        if (strcmp(f->name, name))
            continue;
        struct ck_yaml_opts strict = {.strict = true};
        int r = ck_yaml_parse(a, ck_slice_n(f->text, f->len), &strict, ret, NULL, err);
        return r ? ck_wrap(err, "template %s", name) : 0;
    }
    return ck_fail(err, CK_INTERNAL, "there is no add-on template %s", name);
}

/* Objects of a template, in full. */
static int template_objects(struct ck_addon_ctx *c, struct ck_val *out, struct ck_err *err)
{
    struct ck_val *tpl, *brief;
    int r = template_tree(c->a, c->row->manifest, &tpl, err);
    if (!r)
        r = ck_addon_render(c, tpl, &brief, err);
    for (size_t i = 0; !r && i < ck_len(brief); i++) {
        struct ck_val *o;
        r = ck_addon_expand(c->a, ck_item(brief, i), &o, err);
        if (!r)
            ck_append(c->a, out, o);
    }
    return r ? ck_wrap(err, "add-on %s", c->row->name) : 0;
}

static int check_stored(const struct ck_model *m, struct ck_err *err)
{
    for (size_t i = 0; i < m->n_addons; i++) {
        const struct ck_val *o = m->addons[i].root;
        if (!ck_is_map(o) || !*ck_str_at(o, "kind") || !*ck_str_at(o, "metadata.name"))
            return ck_fail(err, CK_INVALID,
                           "additional object %zu of cluster %s has no kind or no metadata.name", i,
                           m->name);
    }
    return 0;
}

/* Objects the user stored with the cluster. */
static void stored_objects(struct ck_addon_ctx *c, struct ck_val *out)
{
    for (size_t i = 0; i < c->m->n_addons; i++)
        ck_append(c->a, out, ck_val_clone(c->a, c->m->addons[i].root));
}

static struct ck_slice manifest_text(struct ck_addon_ctx *c, const struct ck_val *objects)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    for (size_t i = 0; i < ck_len(objects); i++) {
        if (i)
            ck_buf_puts(&out, "---\n");
        ck_yaml_emit(&out, ck_item(objects, i));
    }
    return ck_arena_slice(c->a, ck_slice_trim(ck_buf_slice(&out)));
}

/* One add-on of the cluster. Its manifest is made when somebody reads it: previews of a new cluster
 * never do. */
struct listed {
    struct ck_addon_ctx c;
    bool on;          /* else its manifest is empty */
    const char *path; /* below addons/ */
    struct ck_task *task;
    struct ck_val *entry; /* of the channel; made with the manifest */
};

/* The channel's entry of an add-on. */
static int channel_entry(struct ck_addon_ctx *c, const char *path, struct ck_slice text,
                         const struct ck_val *objects, struct ck_val **ret, struct ck_err *err)
{
    const struct ck_addon_row *row = c->row;
    char hash[2 * CK_SHA256_LEN + 1];
    ck_sha256_hex(text, hash);
    struct ck_val *e = ck_map(c->a), *selector = ck_addon_selector(c->a, row);
    if (row->id)
        ck_set_str(c->a, e, "id", row->id);
    ck_set_str(c->a, e, "manifest", path);
    ck_set_str(c->a, e, "manifestHash", hash);
    ck_set_str(c->a, e, "name", row->name);
    bool pki = false, prune = false;
    int r = row->pki ? ck_addon_cond(c, row->pki, &pki, err) : 0;
    if (!r && row->prune)
        r = ck_addon_cond(c, row->prune, &prune, err);
    if (pki)
        ck_set_bool(c->a, e, "needsPKI", true);
    if (row->rolling)
        ck_set_str(c->a, e, "needsRollingUpdate", row->rolling);
    if (prune)
        ck_set(c->a, e, "prune", ck_addon_prune(c, objects));
    ck_set(c->a, e, "selector", selector ? selector : ck_null(c->a));
    *ret = e;
    return r;
}

static int make_manifest(void *arg, struct ck_slice *ret, struct ck_err *err)
{
    struct listed *x = arg;
    struct ck_addon_ctx *c = &x->c;
    struct ck_val *objects = ck_list(c->a), *snippets;
    int r = template_tree(c->a, "common", &snippets, err);
    if (r)
        return r;
    c->snippets = snippets;
    if (c->row->values && x->on)
        c->row->values(c);
    if (x->on && !c->row->manifest)
        stored_objects(c, objects);
    else if (x->on)
        r = template_objects(c, objects, err);
    if (r)
        return r;
    for (size_t i = 0; i < ck_len(objects); i++)
        ck_addon_finish(c, ck_item(objects, i));
    *ret = manifest_text(c, objects);
    return channel_entry(c, x->path, *ret, objects, &x->entry, err);
}

static void add_manifest(struct ck_tasks *tasks, struct listed *x)
{
    const struct ck_addon_ctx *c = &x->c;
    const struct ck_addon_row *row = c->row;
    const char *name = ck_arena_printf(c->a, "%s-addons-%s%s%s", c->m->name, row->name,
                                       row->id ? "-" : "", row->id ? row->id : "");
    x->path = ck_arena_printf(c->a, "%s/%s.yaml", row->name, row->file ? row->file : row->id);
    x->task = ck_task_new(tasks, &ck_task_addon_manifest, name, c->m->cluster);
    ck_task_str(x->task, "Base", ck_str_at(c->m->spec, "configBase"));
    ck_task_str(x->task, "Location", ck_arena_printf(c->a, "addons/%s", x->path));
    ck_task_bytes_later(x->task, "Contents", make_manifest, x);
}

struct channel {
    struct ck_arena *a;
    struct listed *v;
    size_t n;
};

static int make_channel(void *arg, struct ck_slice *ret, struct ck_err *err)
{
    struct channel *x = arg;
    struct ck_val *channel = ck_map(x->a), *entries = ck_list(x->a);
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    for (size_t i = 0; i < x->n; i++) {
        int r = ck_task_fill(x->v[i].task, err);
        if (r)
            return r;
        ck_append(x->a, entries, x->v[i].entry);
    }
    ck_set_str(x->a, channel, "kind", "Addons");
    ck_put(x->a, channel, "metadata.name", ck_str(x->a, "bootstrap"));
    ck_put(x->a, channel, "spec.addons", entries);
    ck_yaml_emit(&text, channel);
    *ret = ck_arena_slice(x->a, ck_buf_slice(&text));
    return 0;
}

static void add_channel(struct ck_model *m, struct channel *x)
{
    struct ck_task *t =
        ck_task_new(m->tasks, &ck_task_bootstrap_channel,
                    ck_arena_printf(m->a, "%s-addons-bootstrap", m->name), m->cluster);
    ck_task_str(t, "Base", ck_str_at(m->spec, "configBase"));
    ck_task_str(t, "Location", "addons/bootstrap-channel.yaml");
    ck_task_bytes_later(t, "Contents", make_channel, x);
    for (size_t i = 0; i < x->n; i++)
        ck_task_after(t, x->v[i].task);
}

/* Which rows the cluster gets. */
static int choose(struct ck_model *m, struct channel *x, struct ck_err *err)
{
    for (size_t i = 0; i < ck_addon_n_rows; i++) {
        struct listed *one = &x->v[x->n];
        bool wanted = true;
        *one = (struct listed){.c = {.m = m, .a = m->a, .row = &ck_addon_rows[i]}, .on = true};
        ck_addon_values(&one->c);
        int r = one->c.row->when ? ck_addon_cond(&one->c, one->c.row->when, &wanted, err) : 0;
        if (!r && wanted && one->c.row->filled)
            r = ck_addon_cond(&one->c, one->c.row->filled, &one->on, err);
        if (r)
            return r;
        x->n += wanted;
    }
    return 0;
}

int ck_model_addons(struct ck_model *m, struct ck_err *err)
{
    size_t before = m->tasks->n;
    struct channel *x = ck_arena_alloc(m->a, sizeof *x);
    *x = (struct channel){.a = m->a, .v = ck_arena_alloc(m->a, ck_addon_n_rows * sizeof *x->v)};
    int r = check_stored(m, err);
    if (!r)
        r = choose(m, x, err);
    if (r)
        return r;
    /* Add-ons are applied by a cluster that is there: the first waits for every other task, and the
     * others for the first. */
    for (size_t i = 0; i < x->n; i++) {
        add_manifest(m->tasks, &x->v[i]);
        for (size_t k = 0; i == 0 && k < before; k++)
            ck_task_after(x->v[i].task, m->tasks->v[k]);
        if (i)
            ck_task_after(x->v[i].task, x->v[0].task);
    }
    add_channel(m, x);
    return 0;
}
