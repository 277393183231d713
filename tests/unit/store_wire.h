/* A store on the wire: one operation against a script of exact requests and their replies. Included
 * by the wire tests of all stores. */
#pragma once

#include "base/clock.h"
#include "base/mem.h"
#include "net/replay.h"
#include "vfs/vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* As many marks of other writers as an object keeps (CK_MARKS_KEPT). */
#define FULL_OF_OTHERS "a0.a1.a2.a3.a4.a5.a6.a7.a8.a9.b0.b1.b2.b3"

enum op {
    READ,
    READ_MANY,
    READ_AND_TREE, /* the tree announced before the read */
    WRITE,
    CREATE,
    UPDATE,
    REMOVE,
    REMOVE_OLD,
    LIST_FILES,
    LIST_DIRS,
    LIST_TREE,
    LIST_DIRS_MANY, /* of k and l */
    FIND,
    REMOVE_TREE,
    REMOVE_VERSIONS,
    HASH,
    LOCATE, /* region and address */
};

struct wire_case {
    const char *name;
    enum op op;
    const char *script;
    enum ck_code code;
    const char *text; /* the result, or a part of the message */
};

struct wire_store {
    const char *url, *old;       /* old: the version of UPDATE and REMOVE_OLD */
    const char *const *env;      /* names and values, ended by NULL */
    const char *secret;          /* must be in no result and no message */
    struct ck_slice content;     /* of writes; empty: "hello" */
    const char *const *more_env; /* besides `env`; or NULL */
    char random_after; /* what follows it in the version of something written is random; 0: nothing
                        */
    size_t max_object; /* of the context; 0: the usual */
    const char *also;  /* must be in the result or message too; or NULL */
    /* Reads k and l, in place of the usual; or NULL. */
    int (*read_two)(const struct ck_path *p, struct ck_buf *out, struct ck_err *err);
};

static int wire_item(void *arg, size_t i, struct ck_slice data, const struct ck_version *version,
                     struct ck_err *item_err)
{
    struct ck_buf *of = arg;
    ck_buf_puts(&of[i], item_err->code ? ck_code_name(item_err->code) : data.ptr);
    return 0;
}

/* In the order of the keys: which reply is there first depends on how busy the machine is. */
static int wire_read_two(const struct ck_path *p, struct ck_buf *out, struct ck_err *err)
{
    static const char *const keys[] = {"k", "l"};
    struct ck_buf of[2] = {CK_BUF_INIT, CK_BUF_INIT};
    int r = ck_vfs_read_many(p, keys, 2, wire_item, of, err);
    for (size_t i = 0; i < 2; i++) {
        if (of[i].len)
            ck_buf_fmt(out, "%zu=%s ", i, ck_buf_str(&of[i]));
        ck_buf_done(&of[i]);
    }
    return r;
}

static int wire_found(void *arg, const char *name, struct ck_slice data,
                      const struct ck_version *version, struct ck_err *item_err)
{
    if (item_err->code)
        ck_buf_fmt(arg, "%s=%s ", name, ck_code_name(item_err->code));
    else
        ck_buf_fmt(arg, "%s=%.*s:%s ", name, CK_SARG(data), version->token);
    return 0;
}

static void wire_names(const struct ck_entries *e, struct ck_buf *out)
{
    for (size_t i = 0; i < e->n; i++)
        ck_buf_fmt(out, "%s%s", i ? " " : "", e->v[i].name);
}

static int wire_list_two(const struct ck_path *p, struct ck_arena *a, struct ck_buf *out,
                         struct ck_err *err)
{
    static const char *const keys[] = {"k", "l"};
    struct ck_entries e[2] = {0};
    int r = p->vfs->ops->list_dirs_many(p->vfs, keys, 2, a, e, err);
    wire_names(&e[0], out);
    ck_buf_puts(out, " | ");
    wire_names(&e[1], out);
    return r;
}

static int wire_write(const struct wire_store *s, const struct ck_path *p, enum ck_write_mode mode,
                      struct ck_buf *out, struct ck_err *err)
{
    struct ck_version old = {""}, v = {""};
    snprintf(old.token, sizeof old.token, "%s", s->old);
    const struct ck_write_opts o = {.mode = mode, .version = &old};
    int r = ck_vfs_write(p, s->content.len ? s->content : CK_S("hello"), &o, &v, err);
    const char *end = s->random_after ? strchr(v.token, s->random_after) : NULL;
    ck_buf_putn(out, v.token, end ? (size_t)(end - v.token) : strlen(v.token));
    return r;
}

static int wire_list(enum op op, const struct ck_path *p, struct ck_arena *a, struct ck_buf *out,
                     struct ck_err *err)
{
    struct ck_entries e = {0};
    int r = op == LIST_FILES  ? ck_vfs_list(p, a, &e, err)
            : op == LIST_DIRS ? ck_vfs_list_dirs(p, a, &e, err)
                              : ck_vfs_tree(p, a, &e, err);
    wire_names(&e, out);
    return r;
}

static int wire_run(const struct wire_store *s, enum op op, const struct ck_path *p,
                    struct ck_arena *a, struct ck_buf *out, struct ck_err *err)
{
    struct ck_version v = {""};
    struct ck_hash h = {0};
    struct ck_vfs_place place;
    int r;
    switch (op) {
    case READ:
        r = ck_vfs_read(p, out, &v, err);
        ck_buf_fmt(out, " %s", v.token);
        return r;
    case READ_MANY:
        return s->read_two ? s->read_two(p, out, err) : wire_read_two(p, out, err);
    case READ_AND_TREE:
        ck_vfs_tree_follows(p, p);
        r = ck_vfs_read(p, out, &v, err);
        ck_buf_puts(out, " | ");
        return r < 0 ? r : wire_list(LIST_TREE, p, a, out, err);
    case LIST_DIRS_MANY:
        return wire_list_two(p, a, out, err);
    case FIND:
        return ck_vfs_find(p, "config", wire_found, out, err);
    case WRITE:
        return wire_write(s, p, CK_WRITE_ANY, out, err);
    case CREATE:
        return wire_write(s, p, CK_WRITE_CREATE, out, err);
    case UPDATE:
        return wire_write(s, p, CK_WRITE_IF_UNCHANGED, out, err);
    case REMOVE:
        return ck_vfs_remove(p, NULL, err);
    case REMOVE_OLD:
        snprintf(v.token, sizeof v.token, "%s", s->old);
        return ck_vfs_remove(p, &v, err);
    case REMOVE_TREE:
        return ck_vfs_remove_tree(p, err);
    case REMOVE_VERSIONS:
        return ck_vfs_remove_versions(p, err);
    case HASH:
        r = ck_vfs_hash(p, CK_MD5, &h, err);
        if (h.len)
            ck_hash_put(out, &h);
        return r;
    case LOCATE:
        r = ck_vfs_locate(p, false, a, &place, err);
        if (r == 0)
            ck_buf_fmt(out, "%s %s", place.region, place.url);
        return r;
    default:
        return wire_list(op, p, a, out, err);
    }
}

static inline void wire_check(const struct wire_store *s, const struct wire_case *c)
{
    struct ck_env env = {0};
    ck_clock_skip_sleeps();
    for (size_t i = 0; s->env[i]; i += 2)
        ck_env_set(&env, s->env[i], s->env[i + 1]);
    for (size_t i = 0; s->more_env && s->more_env[i]; i += 2)
        ck_env_set(&env, s->more_env[i], s->more_env[i + 1]);
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOERR mismatch = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    struct ck_replay *script = ck_replay_new(c->script, &err);
    if (!script)
        fail_msg("%s: %s", c->name, ck_err_msg(&err));
    struct ck_vfs_ctx ctx = {
        .env = &env, .arena = a, .timeout_ms = 20000, .max_object = s->max_object};
    ctx.http = ck_http_new(&env, &ck_replay_ops, script);
    struct ck_path p;
    if (ck_vfs_parse(&ctx, s->url, &p, &err) < 0)
        fail_msg("%s: %s", c->name, ck_err_msg(&err));
    int r = wire_run(s, c->op, &p, a, &out, &err);
    if (ck_replay_finished(script, &mismatch) < 0)
        fail_msg("%s: %s (result %d: %s)", c->name, ck_err_msg(&mismatch), r, ck_err_msg(&err));
    if (r != -(int)c->code)
        fail_msg("%s: %d instead of %d: %s", c->name, r, -(int)c->code, ck_err_msg(&err));
    const char *text = r < 0 ? ck_err_msg(&err) : ck_buf_str(&out);
    if (r < 0 ? !strstr(text, c->text) : strcmp(text, c->text) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", c->name, text, c->text);
    if (s->also && !strstr(text, s->also))
        fail_msg("%s: \"%s\" has no \"%s\"", c->name, text, s->also);
    assert_null(strstr(text, s->secret));
    ck_vfs_ctx_done(&ctx);
    ck_env_done(&env);
}

static inline void wire_check_all(const struct wire_store *s, const struct wire_case *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        wire_check(s, &c[i]);
}
