/* `edit`: the group, and the loop around the editor. Mirrors cmd/kops/edit.go and the loops of
 * edit_cluster.go and edit_instancegroup.go. */
#include "cmd/commands.h"
#include "cmd/editloop.h"

#include "ui/editor.h"

#include <unistd.h>

/* ---- the loop ---- */

struct session {
    struct ck_ctx *ctx;
    const struct ck_edit *e;
    const char *noun;
    struct ck_slice original; /* without header */
    struct ck_slice shown;    /* body last shown */
    struct ck_edit_result last;
    bool again;       /* the last text was not good */
    const char *path; /* the user's text on disk; NULL: none */
};

static void forget(struct session *s)
{
    if (s->path)
        unlink(s->path);
    s->path = NULL;
}

/* The command ends without storing: tell where the user's text is. */
static int keep_copy(struct session *s, struct ck_err *err)
{
    if (s->path)
        ck_print(s->ctx, "A copy of your changes has been stored to \"%s\"\n", s->path);
    return -(int)err->code;
}

static int say(struct session *s, const char *text)
{
    ck_print(s->ctx, "%s\n", text);
    forget(s);
    return 1;
}

/* A person can mend a text that is not YAML; a script driving the command would loop. */
static bool person_is_there(void)
{
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int show(struct session *s, struct ck_slice *ret_file, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT, edited = CK_BUF_INIT;
    struct ck_arena *a = s->e->a;
    const char *path = NULL;
    ck_edit_present(&text, s->again ? s->last.shown : NULL, s->shown);
    int r = ck_flush(s->ctx, err);
    if (!r)
        r = ck_editor_run(a, &s->ctx->env, s->ctx->program, ck_buf_slice(&text),
                          s->again ? s->last.line : 0, &edited, &path, err);
    if (r) {
        ck_wrap(err, "error launching editor");
        if (path && path != s->path)
            unlink(path); /* what was shown; the user's own text, if any, is in s->path */
        return keep_copy(s, err);
    }
    forget(s);
    s->path = path;
    *ret_file = ck_arena_slice(a, ck_buf_slice(&edited));
    return 0;
}

/* One round: 0 go on, 1 done, negative failed. */
static int round_trip(struct session *s, struct ck_object *ret, bool *ret_good, struct ck_err *err)
{
    struct ck_slice file = {0};
    int r = show(s, &file, err);
    if (r)
        return r;
    struct ck_slice body = ck_edit_body(file);
    if (s->again && ck_edit_same(body, s->shown)) {
        ck_fail(err, CK_INVALID, "Edit cancelled: no valid changes were saved.");
        return keep_copy(s, err);
    }
    if (ck_edit_same(body, s->original))
        return say(s, "Edit cancelled: no changes made.");
    if (ck_edit_is_empty(file))
        return say(s, "Edit cancelled: saved file was empty.");
    enum ck_edit_verdict v = ck_edit_check(s->e, file, &s->last);
    if (v == CK_EDIT_GOOD) {
        *ret = s->last.obj;
        *ret_good = true;
        return 1;
    }
    if (v == CK_EDIT_UNREADABLE && !person_is_there()) {
        ck_fail(err, CK_INVALID, "error parsing %s: %s", s->noun, s->last.problem);
        return keep_copy(s, err);
    }
    s->again = true;
    s->shown = body;
    return 0;
}

static int with_editor(struct ck_ctx *ctx, const struct ck_edit *e, const char *noun,
                       struct ck_err *err)
{
    struct session s = {.ctx = ctx, .e = e, .noun = noun, .original = ck_edit_text(e)};
    struct ck_object obj;
    bool good = false;
    int r = 0;
    s.shown = s.original;
    while (r == 0)
        r = round_trip(&s, &obj, &good, err);
    if (r < 0 || !good)
        return r < 0 ? r : 0;
    r = ck_edit_store(e, &obj, err);
    if (r)
        return keep_copy(&s, err);
    forget(&s);
    return 0;
}

int ck_edit_run(struct ck_ctx *ctx, const struct ck_edit *e, const struct ck_edit_opts *o,
                const char *noun, struct ck_err *err)
{
    if (o->set.n == 0 && o->unset.n == 0)
        return with_editor(ctx, e, noun, err);
    struct ck_object obj;
    int r = ck_edit_assign(e, &o->set, &o->unset, &obj, err);
    return r ? r : ck_edit_store(e, &obj, err);
}

const struct ck_opt ck_edit_options[] = {
    {.name = "set",
     .type = CK_OPT_STRINGS,
     .off = offsetof(struct ck_edit_opts, set),
     .given_off = CK_OPT_NO_GIVEN,
     .flags = CK_OPT_LAZY_CSV,
     .complete = "",
     .help = "set a field without an editor: PATH=VALUE"},
    {.name = "unset",
     .type = CK_OPT_STRINGS,
     .off = offsetof(struct ck_edit_opts, unset),
     .given_off = CK_OPT_NO_GIVEN,
     .complete = "",
     .help = "remove a field without an editor"},
    {0},
};

/* ---- the group ---- */

static const struct ck_cmd *const subs[] = {&ck_cmd_edit_cluster, &ck_cmd_edit_instancegroup, NULL};

const struct ck_cmd ck_cmd_edit = {
    .name = "edit",
    .use = "edit",
    .brief = "Edit clusters and instance groups.",
    .subs = subs,
};
