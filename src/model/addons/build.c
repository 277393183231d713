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

/* Objects the user stored with the cluster. */
static int stored_objects(struct ck_addon_ctx *c, struct ck_val *out, struct ck_err *err)
{
    for (size_t i = 0; i < c->m->n_addons; i++) {
        struct ck_val *o = c->m->addons[i].root;
        if (!ck_is_map(o) || !*ck_str_at(o, "kind") || !*ck_str_at(o, "metadata.name"))
            return ck_fail(err, CK_INVALID,
                           "additional object %zu of cluster %s has no kind or no metadata.name", i,
                           c->m->name);
        ck_append(c->a, out, ck_val_clone(c->a, o));
    }
    return 0;
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

static struct ck_task *manifest_task(struct ck_addon_ctx *c, struct ck_tasks *tasks,
                                     const char *path, struct ck_slice text)
{
    const struct ck_addon_row *row = c->row;
    const char *name = ck_arena_printf(c->a, "%s-addons-%s%s%s", c->m->name, row->name,
                                       row->id ? "-" : "", row->id ? row->id : "");
    struct ck_task *t = ck_task_new(tasks, &ck_task_addon_manifest, name, c->m->cluster);
    ck_task_str(t, "Base", ck_str_at(c->m->spec, "configBase"));
    ck_task_str(t, "Location", ck_arena_printf(c->a, "addons/%s", path));
    ck_task_bytes(t, "Contents", text);
    return t;
}

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

static int build_one(struct ck_addon_ctx *c, struct ck_model *m, struct ck_val *entries,
                     struct ck_task **ret, struct ck_err *err)
{
    const struct ck_addon_row *row = c->row;
    bool on = true;
    *ret = NULL;
    int r = row->when ? ck_addon_cond(c, row->when, &on, err) : 0;
    if (r || !on)
        return r;
    if (row->filled && (r = ck_addon_cond(c, row->filled, &on, err)))
        return r;
    struct ck_val *objects = ck_list(c->a), *entry;
    if (row->values && on)
        row->values(c);
    if (on)
        r = row->manifest ? template_objects(c, objects, err) : stored_objects(c, objects, err);
    if (r)
        return r;
    for (size_t i = 0; i < ck_len(objects); i++)
        ck_addon_finish(c, ck_item(objects, i));
    const char *path =
        ck_arena_printf(c->a, "%s/%s.yaml", row->name, row->file ? row->file : row->id);
    struct ck_slice text = manifest_text(c, objects);
    r = channel_entry(c, path, text, objects, &entry, err);
    if (!r) {
        ck_append(c->a, entries, entry);
        *ret = manifest_task(c, m->tasks, path, text);
    }
    return r;
}

static struct ck_task *channel_task(struct ck_model *m, struct ck_val *entries)
{
    struct ck_val *channel = ck_map(m->a);
    ck_set_str(m->a, channel, "kind", "Addons");
    ck_put(m->a, channel, "metadata.name", ck_str(m->a, "bootstrap"));
    ck_put(m->a, channel, "spec.addons", entries);
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    ck_yaml_emit(&text, channel);
    struct ck_task *t =
        ck_task_new(m->tasks, &ck_task_bootstrap_channel,
                    ck_arena_printf(m->a, "%s-addons-bootstrap", m->name), m->cluster);
    ck_task_str(t, "Base", ck_str_at(m->spec, "configBase"));
    ck_task_str(t, "Location", "addons/bootstrap-channel.yaml");
    ck_task_bytes(t, "Contents", ck_buf_slice(&text));
    return t;
}

int ck_model_addons(struct ck_model *m, struct ck_err *err)
{
    struct ck_val *entries = ck_list(m->a), *snippets;
    size_t before = m->tasks->n;
    struct ck_task *first = NULL, *made[64] = {0};
    size_t n_made = 0;
    int r = template_tree(m->a, "common", &snippets, err);
    for (size_t i = 0; !r && i < ck_addon_n_rows; i++) {
        struct ck_addon_ctx c = {.m = m, .a = m->a, .row = &ck_addon_rows[i], .snippets = snippets};
        struct ck_task *t;
        ck_addon_values(&c);
        r = build_one(&c, m, entries, &t, err);
        if (!t)
            continue;
        /* Add-ons are applied by a cluster that is there: the first waits for every other task,
         * and the others for the first. */
        for (size_t k = 0; !first && k < before; k++)
            ck_task_after(t, m->tasks->v[k]);
        if (first)
            ck_task_after(t, first);
        else
            first = t;
        if (n_made < CK_ARRAY_LEN(made))
            made[n_made++] = t;
    }
    if (r)
        return r;
    struct ck_task *channel = channel_task(m, entries);
    for (size_t i = 0; i < n_made; i++)
        ck_task_after(channel, made[i]);
    return 0;
}
