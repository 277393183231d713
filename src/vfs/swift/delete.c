/* Deleting a tree on Swift: the bulk middleware in batches, whose 200 says nothing and whose body
 * everything; where the middleware is missing, single deletions. kOps ignores what the body says.
 */
#include "vfs/swift/swift.h"

#include "base/enc.h"
#include "doc/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A small installation deletes some 50 objects a second: a batch must end well within the time of a
 * request. */
enum { BATCH = 250, REPLY_MAX = 4 << 20, REPORTED = 5 };

struct sweep {
    struct ck_swift *s;
    const struct ck_entry *v;
    size_t n;
    bool no_bulk;
    struct ck_buf problems;
    size_t count;
    enum ck_code code; /* of the first problem */
};

static void note(struct sweep *w, const char *key, const char *why)
{
    long status = strtol(why, NULL, 10);
    if (!w->count)
        w->code = status == 401 ? CK_UNAUTHENTICATED : status == 403 ? CK_DENIED : CK_UNAVAILABLE;
    if (w->count++ < REPORTED)
        ck_buf_fmt(&w->problems, "; %.200s: %.200s", key, why);
}

/* ---- in bulk ---- */

static void bulk_body(struct ck_buf *out, const struct sweep *w, size_t at, size_t n)
{
    for (size_t i = at; i < at + n; i++) {
        ck_pct_encode(out, ck_slice_of(w->s->base.container), CK_PCT_PATH);
        ck_buf_putc(out, '/');
        ck_pct_encode(out, ck_slice_of(w->v[i].key), CK_PCT_PATH);
        ck_buf_putc(out, '\n');
    }
}

/* {"Response Status": "400 Bad Request", "Errors": [["/c/k", "403 Forbidden"]], …} */
static int check_reply(struct sweep *w, const struct ck_resp *resp, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_val *root = NULL;
    if (ck_json_parse(tmp, ck_buf_slice(&resp->body), REPLY_MAX, &root, NULL) < 0 ||
        !ck_is_map(root))
        return ck_fail(err, CK_UNAVAILABLE,
                       "error deleting in swift://%s: the reply is not a deletion result",
                       w->s->base.container);
    const struct ck_val *errors = ck_get(root, "Errors");
    size_t before = w->count;
    for (size_t i = 0; i < ck_len(errors); i++) {
        const struct ck_val *e = ck_item(errors, i);
        const char *why = ck_str_or(ck_item(e, 1), "");
        if (strncmp(why, "404", 3) != 0)
            note(w, ck_str_or(ck_item(e, 0), "?"), why);
    }
    const char *status = ck_str_or(ck_get(root, "Response Status"), "");
    if (*status != '2' && w->count == before && !ck_len(errors))
        note(w, status, ck_str_or(ck_get(root, "Response Body"), ""));
    return 0;
}

static int bulk(struct sweep *w, size_t at, size_t n, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf body = CK_BUF_INIT;
    struct ck_req req;
    bulk_body(&body, w, at, n);
    ck_swift_request(a, w->s, "POST", NULL, NULL, &req);
    ck_nvs_add(a, &req.query, "bulk-delete", NULL);
    ck_nvs_add(a, &req.headers, "content-type", "text/plain");
    ck_nvs_add(a, &req.headers, "accept", "application/json");
    req.body = ck_buf_slice(&body);
    req.max_reply = REPLY_MAX;
    CK_AUTORESP resp = {0};
    int r = ck_swift_send(w->s, &req, &resp, err);
    if (r < 0)
        return ck_swift_wrap(w->s, "deleting", w->v[at].key, err);
    switch (resp.status) {
    case 200:
        return check_reply(w, &resp, err);
    case 204: /* taken for account metadata: no such middleware */
    case 202:
    case 403: /* one who may write a container need not be allowed to write to the account */
    case 404:
    case 405:
    case 412:
    case 501:
        w->no_bulk = true;
        return 0;
    default:
        return ck_swift_fail(w->s, &resp, "deleting", w->v[at].key, err);
    }
}

/* ---- one by one ---- */

static int single_done(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct sweep *w = arg;
    if (item_err->code != CK_OK)
        note(w, w->v[i].key, ck_err_msg(item_err));
    else if ((resp->status < 200 || resp->status >= 300) && resp->status != 404) {
        char status[16];
        snprintf(status, sizeof status, "%d", resp->status);
        note(w, w->v[i].key, status);
    }
    return 0;
}

static int singles(struct sweep *w, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req *reqs = ck_arena_alloc(a, w->n * sizeof *reqs);
    for (size_t i = 0; i < w->n; i++)
        ck_swift_request(a, w->s, "DELETE", w->s->base.container, w->v[i].key, &reqs[i]);
    return ck_http_all(ck_swift_http(w->s), reqs, w->n, single_done, w, err);
}

int ck_swift_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    struct ck_swift *s = (struct ck_swift *)v;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries tree = {0};
    int r = ck_pages_tree(v, key, a, &tree, err);
    if (r < 0 || tree.n == 0)
        return r;
    struct sweep w = {.s = s, .v = tree.v, .n = tree.n, .problems = CK_BUF_INIT};
    for (size_t at = 0; r == 0 && !w.no_bulk && at < w.n; at += BATCH)
        r = bulk(&w, at, w.n - at < BATCH ? w.n - at : BATCH, err);
    if (r == 0 && w.no_bulk)
        r = singles(&w, err);
    if (r == 0 && w.count)
        r = ck_fail(err, w.code, "error removing %zu of %zu files from swift://%s%s", w.count, w.n,
                    s->base.container, ck_buf_str(&w.problems));
    ck_buf_done(&w.problems);
    return r;
}
