/* Listings of the stores that have a dialect (object.h). */
#include "vfs/object/object.h"

static const struct ck_object_ops *dialect(struct ck_vfs *v)
{
    return ((struct ck_object_store *)v)->dialect;
}

static int prepare(struct ck_vfs *v, struct ck_err *err)
{
    return dialect(v)->prepare(v, err);
}

static void page(struct ck_arena *a, const struct ck_object_listing *l, struct ck_req *ret)
{
    dialect(l->v)->page(a, l, ret);
}

static int take_page(struct ck_object_listing *l, const struct ck_resp *resp, struct ck_err *err)
{
    int r = dialect(l->v)->take_page(l, resp, err);
    if (r == 0)
        ((struct ck_object_store *)l->v)->container_seen = true;
    return r;
}

static int fetch(struct ck_object_listing *l, struct ck_req *req, struct ck_resp *ret,
                 struct ck_err *err)
{
    enum ck_object_call call =
        l->what == CK_OBJECT_VERSIONS ? CK_OBJECT_LIST_VERSIONS : CK_OBJECT_LIST;
    int r = ck_http_do(ck_object_http(l->v), req, ret, err);
    if (r < 0) {
        CK_AUTOBUF struct ck_buf where = CK_BUF_INIT;
        ck_object_where(l->v, call, l->prefix, &where);
        return ck_wrap(err, "%s", ck_buf_str(&where));
    }
    if (ret->status == 200)
        return 0;
    return dialect(l->v)->fail(l->v, call, NULL, ret, err);
}

const struct ck_pages_ops ck_object_pages = {
    .prepare = prepare,
    .http = ck_object_http,
    .page = page,
    .fetch = fetch,
    .take_page = take_page,
};
