/* Helpers of the kinds' find functions. */
#include "task/aws/find.h"

#include "base/enc.h"
#include "doc/json.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DOCUMENT = 1 << 20 };

struct ck_task *ck_aws_actual(struct ck_aws_read *w, const struct ck_task *t)
{
    size_t n = 0;
    while (t->kind->fields[n].name)
        n++;
    struct ck_task *actual = ck_arena_alloc(w->a, sizeof *actual);
    actual->kind = t->kind;
    actual->set = t->set;
    actual->name = t->name;
    actual->v = ck_arena_alloc(w->a, (n + 1) * sizeof *actual->v);
    return actual;
}

static const char *key_of(const struct ck_aws_read *w, const struct ck_task *t)
{
    return ck_arena_printf(w->a, "%s/%s", t->kind->name, t->name);
}

void ck_aws_found(struct ck_aws_read *w, const struct ck_task *t, const char *id)
{
    ck_map_put(&w->ids, key_of(w, t), ck_arena_strdup(w->a, id));
}

static const char *dns_key(const struct ck_aws_read *w, const struct ck_task *t)
{
    return ck_arena_printf(w->a, "%s dns", key_of(w, t));
}

void ck_aws_found_dns(struct ck_aws_read *w, const struct ck_task *t, const char *name)
{
    ck_map_put(&w->ids, dns_key(w, t), ck_arena_strdup(w->a, name));
}

const char *ck_aws_dns(const struct ck_aws_read *w, const struct ck_task *t)
{
    const char *name = ck_map_get(&w->ids, dns_key(w, t));
    return name ? name : "";
}

static bool has_field(const struct ck_task *t, const char *field)
{
    for (size_t i = 0; t->kind->fields[i].name; i++)
        if (!strcmp(t->kind->fields[i].name, field))
            return true;
    return false;
}

static const char *given_id(const struct ck_task *t)
{
    const char *id = has_field(t, "ID") ? ck_task_get_str(t, "ID") : "";
    return *id ? id : NULL;
}

const char *ck_aws_id(const struct ck_aws_read *w, const struct ck_task *t)
{
    const char *id = ck_map_get(&w->ids, key_of(w, t));
    return id ? id : given_id(t);
}

const char *ck_aws_ref_id(const struct ck_aws_read *w, const struct ck_task *t, const char *field)
{
    const struct ck_task *other = ck_task_get_ref(t, field);
    return other ? ck_aws_id(w, other) : NULL;
}

static bool is_ours(struct ck_aws_read *w, const struct ck_task *t, const struct ck_val *item)
{
    const struct ck_val *tags = ck_aws_tag_map(w, ck_get(item, "tagSet"));
    return ck_is_str(ck_get(tags, "Name"), t->name) &&
           ck_is_str(ck_get(tags, "KubernetesCluster"), w->cluster);
}

int ck_aws_ec2_one(struct ck_aws_read *w, const struct ck_task *t, const char *action,
                   const char *set, const char *id_key, const struct ck_val **ret,
                   struct ck_err *err)
{
    const struct ck_val *reply, *found = NULL;
    const char *id = given_id(t);
    bool by_id = id && has_field(t, "Shared") && ck_aws_shared(t);
    *ret = NULL;
    int r = ck_aws_query(w, "ec2", action, NULL, &reply, err);
    if (r)
        return r == -CK_NOT_FOUND ? (ck_err_done(err), 0) : r;
    const struct ck_val *items = ck_aws_items(w, reply, set);
    for (size_t i = 0; i < ck_len(items); i++) {
        const struct ck_val *item = ck_item(items, i);
        if (by_id ? !ck_is_str(ck_get(item, id_key), id) : !is_ours(w, t, item))
            continue;
        if (found)
            return ck_fail(
                err, CK_INVALID, "%s/%s: several objects carry its name and cluster tag: %s, %s",
                t->kind->name, t->name, ck_str_at(found, id_key), ck_str_at(item, id_key));
        found = item;
    }
    if (found)
        ck_aws_found(w, t, ck_str_at(found, id_key));
    *ret = found;
    return 0;
}

static enum ck_field_type type_of(const struct ck_task *t, const char *field)
{
    for (size_t i = 0; t->kind->fields[i].name; i++)
        if (!strcmp(t->kind->fields[i].name, field))
            return t->kind->fields[i].type;
    return CK_FIELD_STR;
}

void ck_aws_take(struct ck_task *actual, const char *field, const struct ck_val *item,
                 const char *path)
{
    const struct ck_val *v = ck_at(item, path);
    if (!v || ck_is_map(v))
        return;
    if (v->kind != CK_STR) {
        ck_task_val(actual, field, v);
        return;
    }
    const char *text = ck_str_or(v, "");
    enum ck_field_type type = type_of(actual, field);
    if (type == CK_FIELD_INT && *text)
        ck_task_int(actual, field, strtoll(text, NULL, 10));
    else if (type == CK_FIELD_BOOL && *text)
        ck_task_bool(actual, field, !strcmp(text, "true"));
    else if (type == CK_FIELD_STR)
        ck_task_str(actual, field, text);
}

void ck_aws_take_tags(struct ck_aws_read *w, struct ck_task *actual, const struct ck_val *set)
{
    const struct ck_val *all = ck_aws_tag_map(w, set);
    struct ck_val *own = ck_map(w->a);
    for (size_t i = 0; i < ck_len(all); i++)
        if (!ck_slice_starts(all->map.v[i].key, "aws:"))
            ck_setn(w->a, own, all->map.v[i].key, all->map.v[i].val);
    ck_task_val(actual, "Tags", own);
}

void ck_aws_take_ref(struct ck_aws_read *w, struct ck_task *actual, const struct ck_task *t,
                     const char *field, const char *id)
{
    const struct ck_task *wanted = ck_task_get_ref(t, field);
    if (!wanted || !id || !*id)
        return;
    const char *own = ck_aws_id(w, wanted);
    ck_task_ref(actual, field, wanted->kind, own && !strcmp(own, id) ? wanted->name : id);
}

void ck_aws_take_refs(struct ck_aws_read *w, struct ck_task *actual, const struct ck_task *t,
                      const char *field, const struct ck_val *ids)
{
    const struct ck_task_value *wanted = ck_task_value(t, field);
    ck_task_refs_none(actual, field);
    for (size_t i = 0; i < ck_len(ids); i++) {
        const char *id = ck_str_or(ck_item(ids, i), ""), *name = id;
        const struct ck_task_kind *kind = wanted->n_refs ? wanted->refs[0]->kind : t->kind;
        for (size_t k = 0; k < wanted->n_refs; k++) {
            const char *own = ck_aws_id(w, wanted->refs[k]);
            if (own && !strcmp(own, id))
                name = wanted->refs[k]->name;
        }
        ck_task_ref(actual, field, kind, name);
    }
}

struct ck_slice ck_aws_same_json_text(struct ck_aws_read *w, const char *want, const char *have)
{
    struct ck_val *a, *b;
    CK_AUTOBUF struct ck_buf plain = CK_BUF_INIT;
    if (have[0] == '%' && ck_pct_decode(&plain, ck_slice_of(have)))
        have = ck_arena_strdup(w->a, ck_buf_str(&plain));
    if (!ck_json_parse(w->a, ck_slice_of(want), MAX_DOCUMENT, &a, NULL) &&
        !ck_json_parse(w->a, ck_slice_of(have), MAX_DOCUMENT, &b, NULL) && ck_val_eq(a, b))
        return ck_slice_of(want);
    return ck_slice_of(have);
}

struct ck_slice ck_aws_same_json(struct ck_aws_read *w, const struct ck_task *t, const char *field,
                                 const char *have)
{
    struct ck_slice want = ck_task_get_bytes(t, field);
    return ck_aws_same_json_text(w, ck_arena_strndup(w->a, want.ptr, want.len), have);
}
