/* Files over 1 MiB: immutable parts written before the file's own Secret, which names them. Readers
 * see the old or the new file; parts nobody refers to any more are deleted, or found later. */
#include "vfs/k8s/k8s.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
    LEFT_BEHIND_S = 24 * 3600,
    REPORTED = 5,
    AT_ONCE = 8,
    /* As base64, with what a Secret holds besides. */
    PART_REPLY_MAX = CK_K8S_PART / 3 * 4 + (1 << 20),
};

/* ---- writing ---- */

struct upload {
    struct ck_k8s *s;
    const struct ck_k8s_file *f;
    struct ck_err err;
};

static int part_done(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct upload *u = arg;
    if (item_err->code != CK_OK) {
        ck_err_move(&u->err, item_err);
        return ck_k8s_wrap(u->s, "writing", "create", u->f->key, &u->err);
    }
    /* Its name is this write's alone: "already exists" is an earlier sending of the same part. */
    if (resp->status == 201 || resp->status == 200 ||
        (resp->status == 409 && ck_k8s_reason(resp, "AlreadyExists")))
        return 0;
    return ck_k8s_fail(u->s, resp, "writing", "create", u->f->key, &u->err);
}

/* POST (or PUT, with versions) parts [from, to). */
static int send_parts(struct upload *u, unsigned from, unsigned to, const char *uid)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req reqs[AT_ONCE];
    struct ck_buf bodies[AT_ONCE] = {{0}};
    size_t n = to - from;
    for (size_t i = 0; i < n; i++) {
        ck_k8s_put_part(&bodies[i], u->f, from + (unsigned)i, uid, "");
        ck_k8s_request(a, u->s, "POST", NULL, true, &reqs[i]);
        reqs[i].body = ck_buf_slice(&bodies[i]);
        ck_nvs_add(a, &reqs[i].headers, "content-type", "application/json");
    }
    int r = ck_http_all(ck_k8s_http(u->s), reqs, n, part_done, u, &u->err);
    for (size_t i = 0; i < n; i++)
        ck_buf_wipe(&bodies[i]);
    return r;
}

int ck_k8s_parts_write(struct ck_k8s *s, const struct ck_k8s_file *f, const char *uid,
                       struct ck_err *err)
{
    struct upload u = {.s = s, .f = f, .err = CK_ERR_INIT};
    int r = 0;
    for (unsigned i = 0; r == 0 && i < f->parts; i += AT_ONCE)
        r = send_parts(&u, i, f->parts - i < AT_ONCE ? f->parts : i + AT_ONCE, uid);
    if (r < 0)
        ck_err_move(err, &u.err);
    return r;
}

void ck_k8s_parts_adopt(struct ck_k8s *s, const struct ck_k8s_file *f, const char *uid)
{
    for (unsigned i = 0; i < f->parts; i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        CK_CLEANUP(ck_buf_wipe) struct ck_buf body = CK_BUF_INIT;
        CK_AUTOERR err = CK_ERR_INIT;
        CK_AUTORESP resp = {0};
        struct ck_req req;
        /* Without a resourceVersion: a part never changes otherwise. */
        ck_k8s_put_part(&body, f, i, uid, "");
        ck_k8s_request(a, s, "PUT", ck_k8s_part_name(a, f->key, f->gen, i), true, &req);
        req.body = ck_buf_slice(&body);
        ck_nvs_add(a, &req.headers, "content-type", "application/json");
        if (ck_k8s_send(s, &req, &resp, &err) < 0 || resp.status != 200) {
            ck_debug(2, "part %u of a file got no owner", i);
            return;
        }
    }
}

/* ---- reading ---- */

struct download {
    struct ck_k8s *s;
    const struct ck_k8s_meta *m;
    struct ck_buf *pieces;
    struct ck_err err;
};

static int piece_done(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct download *d = arg;
    if (item_err->code != CK_OK)
        return ck_err_move(&d->err, item_err);
    if (resp->status != 200)
        return ck_k8s_fail(d->s, resp, "reading a part of", "get", d->m->path, &d->err);
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_val *v = NULL;
    int r = ck_k8s_body(d->s, a, resp, &v, &d->err);
    const char *path =
        ck_str_or(ck_get(ck_get(ck_get(v, "metadata"), "annotations"), "ckops.dev/path"), "");
    if (r == 0 && strcmp(path, d->m->path) != 0)
        r = ck_fail(&d->err, CK_INVALID, "part %zu of it belongs to another file", i);
    return r < 0 ? r : ck_k8s_content_of(v, &d->pieces[i], &d->err);
}

int ck_k8s_parts_read(struct ck_k8s *s, const struct ck_k8s_meta *m, struct ck_buf *out,
                      struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req *reqs = ck_arena_alloc(a, m->parts * sizeof *reqs);
    struct download d = {.s = s, .m = m, .err = CK_ERR_INIT};
    d.pieces = ck_xcalloc(m->parts, sizeof *d.pieces);
    for (unsigned i = 0; i < m->parts; i++) {
        ck_k8s_request(a, s, "GET", ck_k8s_part_name(a, m->path, m->gen, i), false, &reqs[i]);
        reqs[i].max_reply = PART_REPLY_MAX;
    }
    int r = ck_http_all(ck_k8s_http(s), reqs, m->parts, piece_done, &d, &d.err);
    for (unsigned i = 0; i < m->parts; i++) {
        if (r == 0)
            ck_buf_put(out, ck_buf_slice(&d.pieces[i]));
        ck_buf_wipe(&d.pieces[i]);
    }
    free(d.pieces);
    if (r < 0 && err)
        ck_err_move(err, &d.err);
    ck_err_done(&d.err);
    return r;
}

/* ---- deleting ---- */

struct deletion {
    struct ck_k8s *s;
    const char *const *keys;
    size_t failed;
    enum ck_code code; /* of the first failure */
    struct ck_buf problems;
};

static void note(struct deletion *d, size_t i, enum ck_code code, const char *text)
{
    if (!d->failed)
        d->code = code;
    if (d->failed++ < REPORTED)
        ck_buf_fmt(&d->problems, "; %s: %.300s", d->keys ? d->keys[i] : "a part", text);
}

static int deleted(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct deletion *d = arg;
    if (item_err->code != CK_OK) {
        note(d, i, item_err->code, ck_err_msg(item_err));
        return 0;
    }
    if (resp->status == 200 || resp->status == 202 ||
        (resp->status == 404 && ck_k8s_reason(resp, "NotFound")))
        return 0;
    CK_AUTOERR err = CK_ERR_INIT;
    ck_k8s_fail(d->s, resp, "deleting", "delete", d->keys ? d->keys[i] : "", &err);
    note(d, i, err.code, ck_err_msg(&err));
    return 0;
}

int ck_k8s_delete_names(struct ck_k8s *s, const char *const *names, const char *const *keys,
                        size_t n, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req *reqs = ck_arena_alloc(a, (n ? n : 1) * sizeof *reqs);
    struct deletion d = {.s = s, .keys = keys};
    for (size_t i = 0; i < n; i++)
        ck_k8s_request(a, s, "DELETE", names[i], true, &reqs[i]);
    int r = ck_http_all(ck_k8s_http(s), reqs, n, deleted, &d, err);
    if (r == 0 && d.failed)
        r = ck_fail(err, d.code, "error removing %zu of %zu files from %s%s", d.failed, n,
                    ck_k8s_where(s, "", a), ck_buf_str(&d.problems));
    ck_buf_done(&d.problems);
    return r;
}

void ck_k8s_parts_drop(struct ck_k8s *s, const char *key, const char *gen, unsigned n)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const char **names = ck_arena_alloc(a, n * sizeof *names);
    for (unsigned i = 0; i < n; i++)
        names[i] = ck_k8s_part_name(a, key, gen, i);
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_k8s_delete_names(s, names, NULL, n, &err) < 0)
        ck_debug(2, "parts of an earlier write stay: %s", ck_err_msg(&err));
}

/* ---- what writes left behind ---- */

struct sweep {
    const struct ck_k8s *s;
    struct ck_arena *a;
    const char *key, *keep;
    bool tree;
    const char **names;
    size_t n, cap;
};

static bool below(const char *path, const char *key)
{
    size_t n = strlen(key);
    return n == 0 || (strncmp(path, key, n) == 0 && (key[n - 1] == '/' || path[n] == '/'));
}

static int consider(void *arg, const struct ck_val *v, struct ck_err *err)
{
    struct sweep *w = arg;
    if (!v) {
        w->n = 0;
        return 0;
    }
    const struct ck_val *m = ck_get(v, "metadata"), *an = ck_get(m, "annotations");
    const char *path = ck_str_or(ck_get(an, "ckops.dev/path"), "");
    const char *part = ck_str_or(ck_get(an, "ckops.dev/part"), "");
    const char *name = ck_str_or(ck_get(m, "name"), "");
    int64_t made = 0;
    ck_rfc3339_parse(ck_slice_of(ck_str_or(ck_get(m, "creationTimestamp"), "")), &made);
    if (w->tree ? !below(path, w->key) : strcmp(path, w->key) != 0)
        return 0;
    if (*w->keep && ck_str_starts(part, w->keep))
        return 0;
    /* A younger one may belong to a write that is still under way. By the server's clock, which
     * made the time: the own one may be wrong. */
    if (!made || w->s->listed_s - made < LEFT_BEHIND_S || !ck_str_starts(name, "ckf-"))
        return 0;
    if (w->n == w->cap) {
        size_t cap = w->cap ? w->cap * 2 : 16;
        const char **p = ck_arena_alloc(w->a, cap * sizeof *p);
        if (w->n)
            memcpy(p, w->names, w->n * sizeof *p);
        w->names = p;
        w->cap = cap;
    }
    w->names[w->n++] = ck_arena_strdup(w->a, name);
    return 0;
}

void ck_k8s_parts_sweep(struct ck_k8s *s, const char *key, bool tree, const char *keep)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct sweep w = {.s = s, .a = a, .key = key, .keep = keep, .tree = tree};
    char name[CK_K8S_NAME];
    ck_k8s_name(key, name);
    const char *selector =
        tree ? "ckops.dev/part-of" : ck_arena_printf(a, "ckops.dev/part-of=%s", name);
    int r = ck_k8s_each(s, selector, true, key, consider, &w, &err);
    if (r == 0 && w.n)
        r = ck_k8s_delete_names(s, w.names, NULL, w.n, &err);
    if (r < 0)
        ck_debug(2, "parts left behind by earlier writes stay: %s", ck_err_msg(&err));
}
