/* A Terraform module as the state of the world: what a task would render is compared with what the
 * module holds, attribute by attribute and file by file. Shows what an apply would change without a
 * cloud and without Terraform's state. */
#include "target/world.h"

#include "base/file.h"
#include "target/hcl_read.h"
#include "task/tf.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_MODULE = 64 << 20 };

struct module {
    struct ck_world world;
    struct ck_arena *a;
    const char *dir;
    struct ck_tf *tf;
    struct ck_val *blocks;
};

static void change(struct module *m, struct ck_look *look, const char *name, const char *from,
                   const char *to)
{
    struct ck_val *c = ck_map(m->a);
    ck_set_str(m->a, c, "name", name);
    ck_set_str(m->a, c, "from", from ? from : "");
    ck_set_str(m->a, c, "to", to ? to : "");
    ck_append(m->a, look->changes, c);
}

/* The rendered block in the form the reader gives. */
static struct ck_val *as_body(struct module *m, const struct ck_tf_block *b)
{
    struct ck_val *body = ck_map(m->a);
    for (size_t i = 0; i < b->n; i++) {
        const struct ck_tf_attr *at = &b->v[i];
        struct ck_val *v;
        if (at->kind == CK_TF_EXPR) {
            v = ck_str(m->a, at->text);
        } else if (at->kind == CK_TF_MAP) {
            v = ck_map(m->a);
            for (size_t k = 0; k < ck_len(at->map); k++) {
                CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
                ck_hcl_quote(&text, ck_str_or(at->map->map.v[k].val, ""));
                ck_setn(m->a, v, at->map->map.v[k].key, ck_str(m->a, ck_buf_str(&text)));
            }
        } else {
            v = ck_get(body, at->key);
            v = v ? v : ck_list(m->a);
            ck_append(m->a, v, as_body(m, at->block));
        }
        ck_set(m->a, body, at->key, v);
    }
    return body;
}

static const char *short_text(struct module *m, const struct ck_val *v)
{
    if (!v)
        return "(none)";
    if (v->kind == CK_STR)
        return ck_str_or(v, "");
    return v->kind == CK_LIST ? ck_arena_printf(m->a, "(%zu blocks)", ck_len(v))
                              : ck_arena_printf(m->a, "(%zu entries)", ck_len(v));
}

static void compare(struct module *m, struct ck_look *look, const char *prefix,
                    const struct ck_val *have, const struct ck_val *want)
{
    for (int side = 0; side < 2; side++) {
        const struct ck_val *from = side ? have : want;
        for (size_t i = 0; i < ck_len(from); i++) {
            struct ck_slice key = from->map.v[i].key;
            const struct ck_val *h = ck_getn(have, key), *w = ck_getn(want, key);
            const char *name = ck_arena_printf(m->a, "%s%.*s", prefix, CK_SARG(key));
            if ((side && w) || (h && w && ck_val_eq(h, w)))
                continue;
            if (ck_is_map(h) && ck_is_map(w)) {
                compare(m, look, ck_arena_printf(m->a, "%s.", name), h, w);
            } else if (ck_is_list(h) && ck_is_list(w) && ck_len(h) == ck_len(w)) {
                for (size_t k = 0; k < ck_len(h); k++)
                    compare(m, look, ck_arena_printf(m->a, "%s[%zu].", name, k), ck_item(h, k),
                            ck_item(w, k));
            } else {
                change(m, look, name, short_text(m, h), short_text(m, w));
            }
        }
    }
}

static int compare_file(struct module *m, struct ck_look *look, const struct ck_tf_file *f,
                        struct ck_err *err)
{
    CK_AUTOERR missing = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    const char *path = ck_arena_printf(m->a, "%s/%s", m->dir, f->name);
    int r = ck_file_read(path, MAX_MODULE, &text, &missing);
    if (r == -CK_NOT_FOUND) {
        change(m, look, f->name, "(no file)", "(content)");
        return 0;
    }
    if (r)
        return ck_err_move(err, &missing);
    /* White space around a document says nothing. */
    if (!ck_slice_eq(ck_slice_trim(ck_buf_slice(&text)), ck_slice_trim(f->bytes)))
        change(m, look, f->name, "(content)", "(other content)");
    return 0;
}

static void compare_blocks(struct module *m, struct ck_look *look, const char *kind,
                           const struct ck_tf_blocks *blocks, size_t from)
{
    for (size_t i = from; i < blocks->n; i++) {
        const struct ck_tf_block *b = blocks->v[i];
        const struct ck_val *have =
            ck_get(ck_get(m->blocks, kind), ck_arena_printf(m->a, "%s.%s", b->type, b->name));
        look->known = true;
        if (have) {
            look->found = true;
            compare(m, look, "", have, as_body(m, b));
        } else {
            change(m, look, ck_arena_printf(m->a, "%s.%s", b->type, b->name), "(none)", "(new)");
        }
    }
}

static int look(struct ck_world *w, struct ck_task *t, struct ck_look *ret, struct ck_err *err)
{
    struct module *m = (struct module *)w;
    size_t resources = m->tf->resources.n, data = m->tf->data.n, files = m->tf->n_files;
    *ret = (struct ck_look){.changes = ck_list(m->a)};
    if (!t->kind->terraform)
        return 0;
    int r = ck_task_fill(t, err);
    if (!r)
        r = t->kind->terraform(m->tf, t, err);
    if (r)
        return r;
    compare_blocks(m, ret, "resource", &m->tf->resources, resources);
    compare_blocks(m, ret, "data", &m->tf->data, data);
    for (size_t i = files; i < m->tf->n_files && ret->found && !r; i++)
        r = compare_file(m, ret, &m->tf->files[i], err);
    return r;
}

int ck_world_of_module(struct ck_arena *a, const char *dir, struct ck_tf *tf, struct ck_world **ret,
                       struct ck_err *err)
{
    struct module *m = ck_arena_alloc(a, sizeof *m);
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    const char *path = ck_arena_printf(a, "%s/kubernetes.tf", dir);
    *m = (struct module){.world.look = look, .a = a, .dir = dir, .tf = tf};
    int r = ck_file_read(path, MAX_MODULE, &text, err);
    if (!r) {
        r = ck_hcl_read(a, ck_arena_slice(a, ck_buf_slice(&text)), &m->blocks, err);
        if (r)
            return ck_wrap(err, "%s", path);
    }
    *ret = &m->world;
    return r;
}
