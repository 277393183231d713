/* `validate -f`: the rules of `create cluster` and `update cluster` over manifests, with all errors
 * at once. Asks neither a store nor a cloud. kOps has no such command. */
#include "ops/check/check_files.h"

#include "base/map.h"
#include "ops/fill.h"
#include "spec/populate.h"
#include "spec/validate.h"

#include <stdlib.h>
#include <string.h>

struct check {
    struct ck_arena *a;
    const struct ck_store *s;
    struct ck_inputs in;
    struct ck_map clusters; /* names of those among the files */
    struct ck_findings *ret;
};

static void add(struct check *c, struct ck_finding f)
{
    struct ck_findings *l = c->ret;
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 16;
        struct ck_finding *v = ck_arena_alloc(c->a, cap * sizeof *v);
        if (l->n)
            memcpy(v, l->v, l->n * sizeof *v);
        l->v = v;
        l->cap = cap;
    }
    l->v[l->n++] = f;
}

static void note(struct check *c, const char *text)
{
    struct ck_findings *l = c->ret;
    if (l->n_notes == l->cap_notes) {
        size_t cap = l->cap_notes ? l->cap_notes * 2 : 8;
        const char **v = ck_arena_alloc(c->a, cap * sizeof *v);
        if (l->n_notes)
            memcpy(v, l->notes, l->n_notes * sizeof *v);
        l->notes = v;
        l->cap_notes = cap;
    }
    l->notes[l->n_notes++] = text;
}

/* ---- objects that cannot be decoded: the place is in the message ---- */

/* "FILE:6:3" at p; *ret_rest is what follows. */
static bool place_at(const char *p, const char *file, struct ck_finding *ret, const char **ret_rest)
{
    size_t n = strlen(file);
    char *end;
    if (strncmp(p, file, n) != 0 || p[n] != ':')
        return false;
    unsigned long line = strtoul(p + n + 1, &end, 10);
    if (end == p + n + 1 || *end != ':')
        return false;
    const char *col_text = end + 1;
    unsigned long col = strtoul(col_text, &end, 10);
    if (end == col_text)
        return false;
    ret->line = (uint32_t)line;
    ret->col = (uint32_t)col;
    *ret_rest = end;
    return true;
}

static void add_undecoded_line(struct check *c, const char *file, const char *line)
{
    struct ck_finding f = {.file = file, .kind = "", .name = "", .field = "", .text = line};
    const char *rest, *paren = strrchr(line, '(');
    if (place_at(line, file, &f, &rest) && ck_str_starts(rest, ": ")) {
        f.text = rest + 2;
        if (ck_str_starts(f.text, "spec.") || ck_str_starts(f.text, "metadata."))
            f.field = ck_arena_strndup(c->a, f.text, strcspn(f.text, ":"));
    } else if (paren > line && place_at(paren + 1, file, &f, &rest) && !strcmp(rest, ")")) {
        f.text = ck_arena_strndup(c->a, line, (size_t)(paren - 1 - line));
    }
    add(c, f);
}

static void on_bad(void *arg, const char *file, const char *message)
{
    struct check *c = arg;
    struct ck_slice rest = ck_slice_of(message), line;
    c->ret->n_objects++;
    while (ck_slice_next(&rest, '\n', &line))
        add_undecoded_line(c, file, ck_arena_strndup(c->a, line.ptr, line.len));
}

/* ---- objects ---- */

static void add_of(struct check *c, const struct ck_object *o, const char *field, struct ck_pos pos,
                   const char *text)
{
    if (!pos.line)
        pos = o->root->pos;
    for (size_t i = 0; i < c->ret->n; i++) /* the strict pass repeats what the loose one said */
        if (c->ret->v[i].line == pos.line && !strcmp(c->ret->v[i].text, text) &&
            !strcmp(c->ret->v[i].name, ck_object_name(o)))
            return;
    add(c, (struct ck_finding){.file = o->file,
                               .line = pos.line,
                               .col = pos.col,
                               .kind = ck_str_at(o->root, "kind"),
                               .name = ck_object_name(o),
                               .field = field,
                               .text = text});
}

static void add_all(struct check *c, const struct ck_object *o, const struct ck_field_errs *errs)
{
    for (size_t i = 0; i < errs->n; i++)
        add_of(c, o, errs->v[i].path, errs->v[i].pos, errs->v[i].text);
}

static void add_failure(struct check *c, const struct ck_object *o, const struct ck_err *err)
{
    add_of(c, o, "", (struct ck_pos){0, 0}, ck_arena_strdup(c->a, ck_err_msg(err)));
}

/* The groups of a cluster, as they are given. */
static struct ck_object *groups_of(struct check *c, const char *cluster, size_t *ret_n)
{
    struct ck_object *v = ck_arena_alloc(c->a, (c->in.n + 1) * sizeof *v);
    *ret_n = 0;
    for (size_t i = 0; i < c->in.n; i++) {
        const char *label = ck_object_label(&c->in.v[i].obj, CK_LABEL_CLUSTER);
        if (c->in.v[i].obj.kind == CK_KIND_INSTANCE_GROUP && label && !strcmp(label, cluster))
            v[(*ret_n)++] = c->in.v[i].obj;
    }
    return v;
}

static void check_group(struct check *c, const struct ck_object *ig, const struct ck_object *full)
{
    struct ck_validate_ctx ctx = {
        .arena = c->a, .features = c->s->features, .cloud_rules = full != NULL};
    struct ck_field_errs errs = {.arena = c->a};
    ck_validate_instance_group(&ctx, ig, &errs);
    if (full)
        ck_cross_validate(&ctx, ig, full, &errs);
    add_all(c, ig, &errs);
    if (errs.n || !full)
        return;
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_channel channel;
    struct ck_object group;
    struct ck_group_facts facts = {.features = c->s->features};
    if (!ck_channel_builtin(c->a, "stable", &channel, NULL))
        facts.channel = &channel;
    if (ck_populate_instance_group(c->a, full, ig, &facts, &group, &err) < 0)
        add_failure(c, ig, &err);
}

/* Names are file names in the store: a second group of a name would replace the first. */
static void check_names(struct check *c, const struct ck_object *groups, size_t n)
{
    bool control_plane = false, node = false;
    CK_CLEANUP(ck_map_done) struct ck_map names = {0};
    for (size_t i = 0; i < n; i++) {
        const char *name = ck_object_name(&groups[i]);
        const struct ck_val *at = ck_at(groups[i].root, "metadata.name");
        bool is_control_plane = !strcmp(ck_str_at(groups[i].root, "spec.role"), "Master");
        control_plane |= is_control_plane;
        node |= !is_control_plane;
        if (!ck_map_put(&names, name, c) && at)
            add_of(c, &groups[i], "metadata.name", at->pos,
                   ck_arena_printf(c->a, "metadata.name: Duplicate value: \"%s\"", name));
    }
    if (n && !control_plane)
        add_of(c, &groups[0], "", groups[0].root->pos,
               "must configure at least one ControlPlane InstanceGroup");
    if (n && !node)
        add_of(c, &groups[0], "", groups[0].root->pos,
               "must configure at least one Node InstanceGroup");
}

static void check_cluster(struct check *c, const struct ck_object *given)
{
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_validate_ctx ctx = {.arena = c->a, .features = c->s->features};
    struct ck_field_errs errs = {.arena = c->a};
    struct ck_object cluster = ck_object_clone(c->a, given), full;
    size_t n;
    struct ck_object *groups = groups_of(c, ck_object_name(given), &n);
    bool filled = ck_fill_cluster(c->a, c->s, &cluster, &err) >= 0;
    if (!filled)
        add_failure(c, given, &err);
    ck_validate_cluster(&ctx, &cluster, &errs);
    add_all(c, given, &errs);
    check_names(c, groups, n);
    const struct ck_object *base = &cluster;
    if (filled && !errs.n) {
        struct ck_populate_facts facts = {
            .features = c->s->features, .groups = groups, .n_groups = n};
        CK_AUTOERR e = CK_ERR_INIT;
        if (ck_populate_cluster(c->a, &cluster, &facts, &full, &e) < 0)
            add_failure(c, given, &e);
        else
            base = &full;
    }
    for (size_t i = 0; i < n; i++)
        check_group(c, &groups[i], base);
    if (!n)
        note(c, ck_arena_printf(c->a,
                                "no instance groups of cluster \"%s\" are given: it is checked by "
                                "itself",
                                ck_object_name(given)));
}

static void check_lone_group(struct check *c, const struct ck_object *ig)
{
    const char *label = ck_object_label(ig, CK_LABEL_CLUSTER);
    if (!label || !*label) {
        add_of(c, ig, "metadata.labels", ig->root->pos,
               "metadata.labels: Required value: must specify \"" CK_LABEL_CLUSTER
               "\" label with cluster name");
    } else if (ck_map_has(&c->clusters, label)) {
        return; /* checked with its cluster */
    } else {
        note(c, ck_arena_printf(c->a,
                                "cluster \"%s\" is not given: instance group \"%s\" is checked by "
                                "itself",
                                label, ck_object_name(ig)));
    }
    check_group(c, ig, NULL);
}

int ck_check_files(struct ck_arena *a, const struct ck_store *s, const struct ck_strv *files,
                   struct ck_findings *ret, struct ck_err *err)
{
    *ret = (struct ck_findings){0};
    struct check c = {.a = a, .s = s, .ret = ret};
    int r = ck_inputs_read_good(a, s, files, on_bad, &c, &c.in, err);
    if (r < 0)
        return r;
    ret->n_objects += c.in.n;
    for (size_t i = 0; i < c.in.n; i++)
        if (c.in.v[i].obj.kind == CK_KIND_CLUSTER)
            ck_map_put(&c.clusters, ck_object_name(&c.in.v[i].obj), &c);
    for (size_t i = 0; i < c.in.n; i++) {
        const struct ck_object *o = &c.in.v[i].obj;
        if (o->kind == CK_KIND_CLUSTER)
            check_cluster(&c, o);
        else if (o->kind == CK_KIND_INSTANCE_GROUP)
            check_lone_group(&c, o);
    }
    ck_map_done(&c.clusters);
    return 0;
}
