/* `edit cluster` and `edit instancegroup` without the editor.
 *
 * Starting the editor and the loop around it are the command's. Mirrors cmd/kops/edit_cluster.go
 * and edit_instancegroup.go; the user's own comments and line positions are kept, which kOps drops.
 */
#include "ops/edit.h"

#include "base/mem.h"
#include "ops/fill.h"
#include "ops/threeway.h"
#include "spec/populate.h"
#include "spec/validate.h"

#include <ctype.h>
#include <stdio.h>

/* kOps' words: scripts that drive `edit` look for them. */
static const char HEADER[] =
    "# Please edit the object below. Lines beginning with a '#' will be ignored,\n"
    "# and an empty file will abort the edit. If an error occurs while saving this file will be\n"
    "# reopened with the relevant failures.\n"
    "#\n";
enum { HEADER_LINES = 4 };

static unsigned count_lines(const char *text)
{
    unsigned n = 1;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

struct ck_slice ck_edit_text(const struct ck_edit *e)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_object_yaml(e->a, &b, &e->old->obj);
    return ck_arena_slice(e->a, ck_buf_slice(&b));
}

void ck_edit_present(struct ck_buf *out, const char *problem, struct ck_slice body)
{
    ck_buf_puts(out, HEADER);
    if (problem) {
        struct ck_slice rest = ck_slice_of(problem), line;
        while (ck_slice_next(&rest, '\n', &line)) {
            ck_buf_puts(out, line.len ? "# " : "#");
            ck_buf_put(out, line);
            ck_buf_putc(out, '\n');
        }
        ck_buf_puts(out, "#\n");
    }
    ck_buf_put(out, body);
}

static bool is_comment(struct ck_slice line)
{
    struct ck_slice t = ck_slice_trim(line);
    return t.len && t.ptr[0] == '#';
}

/* The next line with its newline; false at the end. */
static bool next_line(struct ck_slice *rest, struct ck_slice *ret)
{
    if (rest->len == 0)
        return false;
    size_t n = ck_slice_find(*rest, '\n');
    n += n < rest->len;
    *ret = ck_slice_n(rest->ptr, n);
    *rest = ck_slice_n(rest->ptr + n, rest->len - n);
    return true;
}

struct ck_slice ck_edit_body(struct ck_slice file)
{
    struct ck_slice first = ck_slice_of(HEADER), line, rest = file, body = file;
    first.len = ck_slice_find(first, '\n') + 1;
    if (file.len < first.len || memcmp(file.ptr, first.ptr, first.len) != 0)
        return file;
    while (next_line(&rest, &line) && is_comment(line))
        body = rest;
    return body;
}

static bool next_content(struct ck_slice *rest, struct ck_slice *ret)
{
    while (next_line(rest, ret))
        if (!is_comment(*ret))
            return true;
    return false;
}

bool ck_edit_same(struct ck_slice x, struct ck_slice y)
{
    for (;;) {
        struct ck_slice lx, ly;
        bool more_x = next_content(&x, &lx), more_y = next_content(&y, &ly);
        if (!more_x || !more_y)
            return more_x == more_y;
        if (!ck_slice_eq(lx, ly))
            return false;
    }
}

bool ck_edit_is_empty(struct ck_slice file)
{
    struct ck_slice line;
    while (next_content(&file, &line))
        if (ck_slice_trim(line).len)
            return false;
    return true;
}

/* ---- checking an object, however it came about ---- */

/* Fails when there are errors; *ret_line is the line of the first, when it is known. */
static int fail_at(const struct ck_field_errs *errs, unsigned *ret_line, struct ck_err *err)
{
    if (errs->n)
        *ret_line = errs->v[0].pos.line;
    return ck_field_errs_fail(errs, err);
}

static int validate_group(const struct ck_edit *e, const struct ck_object *ig,
                          const struct ck_object *cluster, unsigned *ret_line, struct ck_err *err)
{
    struct ck_validate_ctx ctx = {.arena = e->a, .features = e->s->features};
    struct ck_field_errs errs = {.arena = e->a}, cross = {.arena = e->a};
    ck_validate_instance_group(&ctx, ig, &errs);
    if (fail_at(&errs, ret_line, err))
        return ck_wrap(err, "error populating instance group spec: failed validating input specs");
    ck_cross_validate(&ctx, ig, cluster, &cross);
    if (fail_at(&cross, ret_line, err))
        return ck_wrap(err, "validation failed");
    return 0;
}

/* The groups of a cluster must still fit it: a subnet in use cannot go. */
static int validate_groups_of(const struct ck_edit *e, const struct ck_object *cluster,
                              struct ck_err *err)
{
    struct ck_validate_ctx ctx = {.arena = e->a, .features = e->s->features};
    struct ck_field_errs before = {.arena = e->a}, now = {.arena = e->a};
    struct ck_stored_list groups;
    int r = ck_ig_list(e->a, e->s, e->cluster, &groups, err);
    if (r)
        return r;
    for (size_t i = 0; i < groups.n; i++) {
        before.n = now.n = 0;
        ck_cross_validate(&ctx, &groups.v[i].obj, &e->old->obj, &before);
        ck_cross_validate(&ctx, &groups.v[i].obj, cluster, &now);
        /* what was wrong before this edit must not stand in the way of repairing it */
        if (now.n > before.n && ck_field_errs_fail(&now, err)) {
            ck_wrap(err, "instance group \"%s\"", ck_object_name(&groups.v[i].obj));
            return ck_wrap(err, "validation failed");
        }
    }
    return 0;
}

/* The completed form has rules of its own. What it said of the cluster before this edit must not
 * stand in the way of repairing it. */
static int validate_completed(const struct ck_edit *e, const struct ck_object *cluster,
                              struct ck_err *err)
{
    struct ck_stored_list stored;
    int r = ck_ig_list(e->a, e->s, e->cluster, &stored, err);
    if (r)
        return r;
    struct ck_object *groups = ck_arena_alloc(e->a, (stored.n + 1) * sizeof *groups);
    for (size_t i = 0; i < stored.n; i++)
        groups[i] = stored.v[i].obj;
    const struct ck_populate_facts facts = {
        .features = e->s->features, .groups = groups, .n_groups = stored.n};
    struct ck_object full;
    CK_AUTOERR now = CK_ERR_INIT;
    CK_AUTOERR before = CK_ERR_INIT;
    if (!ck_populate_cluster(e->a, cluster, &facts, &full, &now))
        return 0;
    if (ck_populate_cluster(e->a, &e->old->obj, &facts, &full, &before) &&
        strcmp(ck_err_msg(&now), ck_err_msg(&before)) == 0)
        return 0;
    ck_wrap(&now, "error populating cluster spec");
    return ck_err_move(err, &now);
}

static int validate_cluster(const struct ck_edit *e, struct ck_object *cluster, unsigned *ret_line,
                            struct ck_err *err)
{
    struct ck_validate_ctx ctx = {.arena = e->a, .features = e->s->features};
    struct ck_field_errs errs = {.arena = e->a}, update = {.arena = e->a};
    if (ck_fill_cluster(e->a, e->s, cluster, err))
        return ck_wrap(err, "error populating configuration");
    ck_validate_cluster(&ctx, cluster, &errs);
    if (fail_at(&errs, ret_line, err))
        return ck_wrap(err, "error populating cluster spec");
    ck_validate_cluster_update(&ctx, cluster, &e->old->obj, &update);
    int r = fail_at(&update, ret_line, err);
    if (!r)
        r = validate_groups_of(e, cluster, err);
    return r ? r : validate_completed(e, cluster, err);
}

static int finish(const struct ck_edit *e, struct ck_object *obj, unsigned *ret_line,
                  struct ck_err *err)
{
    const char *was = ck_object_name(&e->old->obj), *is = ck_object_name(obj);
    if (strcmp(was, is) != 0)
        return ck_fail(err, CK_INVALID,
                       "metadata.name: Forbidden: cannot be changed from \"%s\" to \"%s\"", was,
                       is);
    return e->kind == CK_KIND_CLUSTER ? validate_cluster(e, obj, ret_line, err)
                                      : validate_group(e, obj, &e->owner->obj, ret_line, err);
}

/* ---- the editor's file ---- */

/* The first place in a message: "12:3", else "line 12". 0 when there is none. */
static unsigned line_in(const char *msg)
{
    unsigned line, col;
    for (const char *p = msg; *p; p++)
        if (isdigit((unsigned char)*p) && (p == msg || !isalnum((unsigned char)p[-1])) &&
            sscanf(p, "%6u:%6u", &line, &col) == 2)
            return line;
    const char *p = strstr(msg, "line ");
    return p && sscanf(p, "line %6u", &line) == 1 ? line : 0;
}

static int decode(const struct ck_edit *e, struct ck_slice text, unsigned offset, bool lenient,
                  struct ck_object *ret, struct ck_err *err)
{
    struct ck_decode_opts opts = {.line_offset = offset, .lenient = lenient};
    return ck_object_decode(e->a, text, &opts, ret, err);
}

/* Positions are those of the file as it will be shown again, so its header's length must be known
 * before the message is made: decode twice. */
static void shift_positions(const struct ck_edit *e, struct ck_slice body, bool lenient,
                            const char *title, const char *msg, struct ck_edit_result *ret)
{
    CK_AUTOERR again = CK_ERR_INIT;
    struct ck_object o;
    unsigned header = HEADER_LINES + count_lines(title) - 1 + count_lines(msg) + 1;
    decode(e, body, header, lenient, &o, &again);
    ret->line = line_in(ck_err_msg(&again));
    ret->shown = ck_arena_printf(e->a, "%s%s", title, ck_err_msg(&again));
}

enum ck_edit_verdict ck_edit_check(const struct ck_edit *e, struct ck_slice file,
                                   struct ck_edit_result *ret)
{
    CK_AUTOERR err = CK_ERR_INIT;
    *ret = (struct ck_edit_result){0};
    struct ck_slice body = ck_edit_body(file);
    if (decode(e, file, 0, true, &ret->obj, &err)) {
        ret->problem = ck_arena_strdup(e->a, ck_err_msg(&err));
        shift_positions(e, body, true, "", ret->problem, ret);
        return CK_EDIT_UNREADABLE;
    }
    if (ret->obj.kind != e->kind) {
        ret->problem = ret->shown = ck_arena_printf(e->a, "object was not of expected type: %s",
                                                    ck_str_at(ret->obj.root, "kind"));
        return CK_EDIT_WRONG;
    }
    if (decode(e, body, 0, e->s->lenient, &ret->obj, &err)) {
        ret->problem = ck_arena_strdup(e->a, ck_err_msg(&err));
        shift_positions(e, body, false, "Found fields that are not recognized\n", ret->problem,
                        ret);
        return CK_EDIT_WRONG;
    }
    unsigned line = 0;
    if (!finish(e, &ret->obj, &line, &err))
        return CK_EDIT_GOOD;
    ret->problem = ret->shown = ck_arena_strdup(e->a, ck_err_msg(&err));
    ret->line = line ? HEADER_LINES + count_lines(ret->shown) + 1 + line : 0;
    return CK_EDIT_WRONG;
}

/* ---- --set and --unset ---- */

int ck_edit_assign(const struct ck_edit *e, const struct ck_strv *sets,
                   const struct ck_strv *unsets, struct ck_object *ret, struct ck_err *err)
{
    *ret = ck_object_clone(e->a, &e->old->obj);
    for (size_t i = 0; i < unsets->n; i++) {
        int r = ck_object_unset(e->a, ret, unsets->v[i], err);
        if (r)
            return r;
    }
    for (size_t i = 0; i < sets->n; i++) {
        int r = ck_object_set(e->a, ret, sets->v[i], err);
        if (r)
            return r;
    }
    unsigned line;
    return finish(e, ret, &line, err);
}

int ck_edit_store(const struct ck_edit *e, struct ck_object *obj, struct ck_err *err)
{
    int r = e->kind == CK_KIND_CLUSTER ? ck_cluster_update(e->a, e->s, e->old, obj, err)
                                       : ck_ig_update(e->a, e->s, e->cluster, e->old, obj, err);
    if (r == -CK_CONFLICT)
        ck_threeway_explain(e->a, e->s, e->old, obj, err);
    return r;
}
