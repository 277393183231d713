/* Conditional writes to object stores, and what became of one when the reply is missing or says
 * that the condition did not hold. The object's mark tells whose write it was. */
#include "vfs/object/object.h"

#include "base/enc.h"
#include "crypto/hash.h"

#include <string.h>

static const struct ck_object_ops *dialect(struct ck_vfs *v)
{
    return ((struct ck_object_store *)v)->dialect;
}

static bool conditional(const struct ck_object_put *p)
{
    return p->opts->mode != CK_WRITE_ANY;
}

static int refused(struct ck_vfs *v, const struct ck_object_put *p, struct ck_err *err)
{
    if (p->opts->mode == CK_WRITE_CREATE)
        return ck_fail(err, CK_EXISTS, "file already exists");
    return ck_fail(err, CK_CONFLICT, "%s://%s/%s was changed by someone else since it was read",
                   v->ops->scheme, v->container, p->key);
}

/* Whether the object carries this write's mark. */
static int is_ours(struct ck_vfs *v, const struct ck_object_put *p, struct ck_version *ret_version,
                   bool *ret, struct ck_err *err)
{
    CK_AUTORESP resp = {0};
    struct ck_object_facts facts;
    *ret = false;
    int r = ck_object_facts(v, p->key, &resp, &facts, err);
    if (r < 0)
        return r;
    *ret = facts.found && facts.mark && strcmp(facts.mark, p->mark) == 0;
    if (*ret)
        *ret_version = facts.version;
    return 0;
}

/* The condition did not hold: the object may be what an earlier sending of this write made. Looked
 * into even when nothing is known of an earlier sending, because the HTTP library repeats a request
 * by itself when a connection that it reuses turns out to be dead. */
static int resolve_refusal(struct ck_vfs *v, const struct ck_object_put *p, bool resent,
                           struct ck_version *ret, struct ck_err *err)
{
    bool ours = false;
    CK_AUTOERR why = CK_ERR_INIT;
    int r = is_ours(v, p, ret, &ours, &why);
    if (r < 0 && resent) {
        ck_wrap(&why, "the outcome of the write is unknown");
        return err ? ck_err_move(err, &why) : r;
    }
    if (ours)
        return 0;
    if (p->opts->mode == CK_WRITE_CREATE || !resent)
        return refused(v, p, err);
    /* It may have taken effect before what is there now was written. */
    return ck_fail(err, CK_UNAVAILABLE,
                   "the outcome of the write is unknown: writing %s://%s/%s took more than one "
                   "attempt, and someone else has written it since",
                   v->ops->scheme, v->container, p->key);
}

/* No reply came, or one that does not say what was done: the object may carry the write. */
static int resolve_silence(struct ck_vfs *v, const struct ck_object_put *p, struct ck_version *ret,
                           struct ck_err *err)
{
    bool ours = false;
    CK_AUTOERR why = CK_ERR_INIT;
    if (is_ours(v, p, ret, &ours, &why) < 0)
        return ck_wrap(err, "the outcome of the write is unknown");
    if (!ours)
        return -(int)err->code;
    ck_err_done(err);
    return 0;
}

static int put(struct ck_vfs *v, const struct ck_object_put *p, struct ck_version *ret,
               struct ck_err *err)
{
    CK_AUTORESP resp = {0};
    int r = dialect(v)->send_put(v, p, &resp, err);
    if (r < 0) {
        CK_AUTOBUF struct ck_buf where = CK_BUF_INIT;
        ck_object_where(v, CK_OBJECT_WRITE, p->key, &where);
        r = ck_wrap(err, "%s", ck_buf_str(&where));
        bool silence = r == -(int)CK_UNAVAILABLE || r == -(int)CK_TIMEOUT;
        return conditional(p) && silence ? resolve_silence(v, p, ret, err) : r;
    }
    switch (dialect(v)->judge_put(v, p, &resp, ret)) {
    case CK_OBJECT_DONE:
        ((struct ck_object_store *)v)->container_seen = true;
        return 0;
    case CK_OBJECT_REFUSED:
        return resolve_refusal(v, p, resp.attempts > 1, ret, err);
    case CK_OBJECT_FAILED:
        break;
    }
    r = dialect(v)->fail(v, CK_OBJECT_WRITE, p->key, &resp, err);
    if (conditional(p) && resp.status >= 500)
        return resolve_silence(v, p, ret, err);
    return r;
}

int ck_object_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                    const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err)
{
    static const struct ck_write_opts any = {.mode = CK_WRITE_ANY};
    struct ck_object_put p = {.key = key, .data = data, .opts = opts ? opts : &any};
    struct ck_version version = {""};
    CK_AUTOERR local = CK_ERR_INIT;
    int r = dialect(v)->prepare(v, err);
    if (r < 0)
        return r;
    if (!*key || strlen(key) > CK_OBJECT_MAX_KEY)
        return ck_fail(err, CK_INVALID, "error writing %s://%s/%.64s…: keys have 1 to %d bytes",
                       v->ops->scheme, v->container, key, CK_OBJECT_MAX_KEY);
    if (conditional(&p)) {
        unsigned char random[CK_OBJECT_MARK_LEN / 2];
        ck_random(random, sizeof random);
        CK_AUTOBUF struct ck_buf hex = CK_BUF_INIT;
        ck_hex_encode(&hex, random, sizeof random);
        memcpy(p.mark, hex.ptr, sizeof p.mark);
    }
    bool update = p.opts->mode == CK_WRITE_IF_UNCHANGED;
    if (update && !(p.opts->version && *p.opts->version->token))
        return refused(v, &p, err); /* nothing to compare with: fail closed */
    r = put(v, &p, &version, &local);
    if (r < 0)
        return err ? ck_err_move(err, &local) : r;
    if (ret)
        *ret = version;
    return 0;
}
