/* Removing from object stores: one object, exactly what lies below a folder, all versions of a key.
 * What is gone already is no failure; every other failure is reported. */
#include "vfs/object/object.h"

#include <string.h>

enum { AT_ONCE = 1000, REPORTED = 5 };

static const struct ck_object_ops *dialect(struct ck_vfs *v)
{
    return ((struct ck_object_store *)v)->dialect;
}

static int changed(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    return ck_fail(err, CK_CONFLICT, "%s://%s/%s was changed by someone else since it was read",
                   v->ops->scheme, v->container, key);
}

/* 0: removed; NOT_FOUND: it was gone; or another error. */
static int judge(struct ck_vfs *v, const char *key, const struct ck_resp *resp, struct ck_err *err)
{
    if (resp->status == 200 || resp->status == 202 || resp->status == 204)
        return 0;
    return dialect(v)->fail(v, CK_OBJECT_REMOVE, key, resp, err);
}

/* Looked at first for two reasons: emulators remove whatever the condition says, and afterwards an
 * absent object tells a first sending, whose reply was lost, from one that was gone before. */
static int compare(struct ck_vfs *v, const char *key, const struct ck_version *version,
                   struct ck_err *err)
{
    CK_AUTORESP resp = {0};
    struct ck_object_facts facts;
    int r = ck_object_facts(v, key, &resp, &facts, err);
    if (r < 0)
        return r;
    if (!facts.found || !ck_marks_same_tag(facts.version.token, version->token))
        return changed(v, key, err);
    return 0;
}

/* Some servers refuse the condition when there is nothing left to remove. */
static int resolve_refusal(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    CK_AUTORESP resp = {0};
    CK_AUTOERR why = CK_ERR_INIT;
    struct ck_object_facts facts;
    int r = ck_object_facts(v, key, &resp, &facts, &why);
    if (r == 0 && !facts.found)
        return 0;
    if (r == -(int)CK_UNAVAILABLE || r == -(int)CK_TIMEOUT) {
        ck_wrap(&why, "the outcome of the removal is unknown");
        return err ? ck_err_move(err, &why) : r;
    }
    return changed(v, key, err);
}

int ck_object_remove(struct ck_vfs *v, const char *key, const struct ck_version *version,
                     struct ck_err *err)
{
    int r = dialect(v)->prepare(v, err);
    if (r < 0)
        return r;
    if (version && !*version->token)
        return changed(v, key, err); /* nothing to compare with: fail closed */
    if (version && (r = compare(v, key, version, err)) < 0)
        return r;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    dialect(v)->request(a, v, CK_OBJECT_REMOVE, key, &req);
    if (version)
        dialect(v)->remove_if(a, version, &req);
    CK_AUTORESP resp = {0};
    r = ck_http_do(ck_object_http(v), &req, &resp, err);
    if (r < 0) {
        CK_AUTOBUF struct ck_buf where = CK_BUF_INIT;
        ck_object_where(v, CK_OBJECT_REMOVE, key, &where);
        return ck_wrap(err, "%s", ck_buf_str(&where));
    }
    CK_AUTOERR why = CK_ERR_INIT;
    r = judge(v, key, &resp, &why);
    if (r == -(int)CK_NOT_FOUND)
        return 0;
    if (version && r == -(int)CK_CONFLICT)
        return resolve_refusal(v, key, err);
    return r < 0 && err ? ck_err_move(err, &why) : r;
}

/* ---- many ---- */

struct removal {
    struct ck_vfs *v;
    const struct ck_entry *e; /* of this round */
    struct ck_buf *problems;
    size_t failed;
    enum ck_code code; /* of the first failure */
};

static int removed(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct removal *d = arg;
    if (item_err->code == CK_OK)
        judge(d->v, d->e[i].key, resp, item_err);
    if (item_err->code == CK_OK || item_err->code == CK_NOT_FOUND)
        return 0;
    if (!d->failed)
        d->code = item_err->code;
    if (d->failed++ < REPORTED)
        ck_buf_fmt(d->problems, "; %s: %.300s", d->e[i].key, ck_err_msg(item_err));
    return 0;
}

int ck_object_remove_entries(struct ck_vfs *v, const struct ck_entries *e, bool versions,
                             struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf problems = CK_BUF_INIT;
    struct removal d = {.v = v, .problems = &problems};
    int r = 0;
    for (size_t at = 0; r == 0 && at < e->n; at += AT_ONCE) {
        size_t n = e->n - at < AT_ONCE ? e->n - at : AT_ONCE;
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        struct ck_req *reqs = ck_arena_alloc(a, n * sizeof *reqs);
        d.e = e->v + at;
        for (size_t i = 0; i < n; i++) {
            dialect(v)->request(a, v, CK_OBJECT_REMOVE, d.e[i].key, &reqs[i]);
            if (versions)
                dialect(v)->remove_version(a, d.e[i].name, &reqs[i]);
        }
        r = ck_http_all(ck_object_http(v), reqs, n, removed, &d, err);
    }
    if (r == 0 && d.failed)
        r = ck_fail(err, d.code, "error removing %zu of %zu files from %s://%s%s", d.failed, e->n,
                    v->ops->scheme, v->container, ck_buf_str(&problems));
    return r;
}

int ck_object_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries tree = {0};
    int r = ck_pages_tree(v, key, a, &tree, err);
    return r < 0 ? r : ck_object_remove_entries(v, &tree, false, err);
}

int ck_object_remove_versions(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries versions = {0};
    int r = ck_pages_versions(v, key, a, &versions, err);
    if (r < 0)
        return r;
    if (!versions.n)
        return ck_fail(err, CK_NOT_FOUND,
                       "error removing all versions of %s://%s/%s: file does not exist",
                       v->ops->scheme, v->container, key);
    return ck_object_remove_entries(v, &versions, true, err);
}
