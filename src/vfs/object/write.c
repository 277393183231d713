/* Conditional writes to object stores. The marks that each carries tell what became of one when the
 * reply is missing or says that the condition did not hold (outcome.h). */
#include "vfs/object/object.h"

#include "base/crc32c.h"

#include <string.h>

static const struct ck_object_ops *dialect(struct ck_vfs *v)
{
    return ((struct ck_object_store *)v)->dialect;
}

static bool conditional(const struct ck_object_put *p)
{
    return p->opts->mode != CK_WRITE_ANY;
}

/* One write, for ck_outcome. */
struct sent {
    struct ck_vfs *v;
    const struct ck_object_put *p;
};

static int look(void *arg, struct ck_seen *ret, struct ck_err *err)
{
    const struct sent *s = arg;
    CK_AUTORESP resp = {0};
    struct ck_object_facts facts;
    *ret = (struct ck_seen){.verdict = CK_MARKS_UNKNOWN};
    int r = ck_object_facts(s->v, s->p->key, &resp, &facts, err);
    if (r < 0 || !facts.found)
        return r;
    ret->found = true;
    ret->version = facts.version;
    ret->verdict = ck_outcome_judge(s->p->marks, s->p->opts->version, &facts.version, facts.marks);
    return 0;
}

static struct ck_outcome outcome_of(struct sent *s)
{
    return (struct ck_outcome){.scheme = s->v->ops->scheme,
                               .container = s->v->container,
                               .key = s->p->key,
                               .create = s->p->opts->mode == CK_WRITE_CREATE,
                               .look = look,
                               .arg = s};
}

static int refused(struct ck_vfs *v, const struct ck_object_put *p, struct ck_err *err)
{
    struct sent s = {v, p};
    const struct ck_outcome o = outcome_of(&s);
    return ck_outcome_refused(&o, err);
}

static int put(struct ck_vfs *v, const struct ck_object_put *p, struct ck_version *ret,
               struct ck_err *err)
{
    CK_AUTORESP resp = {0};
    struct sent s = {v, p};
    const struct ck_outcome o = outcome_of(&s);
    int r = dialect(v)->send_put(v, p, &resp, err);
    if (r < 0) {
        CK_AUTOBUF struct ck_buf where = CK_BUF_INIT;
        ck_object_where(v, CK_OBJECT_WRITE, p->key, &where);
        r = ck_wrap(err, "%s", ck_buf_str(&where));
        bool silence = r == -(int)CK_UNAVAILABLE || r == -(int)CK_TIMEOUT || r == -(int)CK_LIMIT;
        return conditional(p) && silence ? ck_outcome_of_silence(&o, ret, err) : r;
    }
    switch (dialect(v)->judge_put(v, p, &resp, ret)) {
    case CK_OBJECT_DONE:
        ((struct ck_object_store *)v)->container_seen = true;
        return 0;
    case CK_OBJECT_REFUSED:
        return ck_outcome_of_refusal(&o, resp.attempts > 1, ret, err);
    case CK_OBJECT_FAILED:
        break;
    }
    r = dialect(v)->fail(v, CK_OBJECT_WRITE, p->key, &resp, err);
    /* Whatever is said of a later sending, an earlier one may have taken effect. */
    bool open = resp.status >= 500 || (resp.status >= 400 && resp.attempts > 1);
    if (conditional(p) && open)
        return ck_outcome_of_silence(&o, ret, err);
    return r;
}

/* ---- marks ---- */

/* The version that is to be replaced, with its marks; CONFLICT when it is gone already. */
static int base_of(struct ck_vfs *v, const struct ck_object_put *p, struct ck_version *ret,
                   struct ck_err *err)
{
    const struct ck_object_store *s = (const struct ck_object_store *)v;
    *ret = *p->opts->version;
    if (!s->dialect->marks_apart)
        return 0;
    if (s->written_key == ck_crc32c(ck_slice_of(p->key)) &&
        ck_marks_same_tag(s->written.token, ret->token)) {
        *ret = s->written;
        return 0;
    }
    CK_AUTORESP resp = {0};
    struct ck_object_facts facts;
    int r = ck_object_facts(v, p->key, &resp, &facts, err);
    if (r < 0)
        return r;
    if (!facts.found || !ck_marks_same_tag(facts.version.token, ret->token))
        return refused(v, p, err);
    ck_marks_add(ret, facts.marks);
    return 0;
}

static int choose_marks(struct ck_vfs *v, struct ck_object_put *p, struct ck_err *err)
{
    struct ck_version base = {""};
    if (p->opts->mode == CK_WRITE_IF_UNCHANGED) {
        if (!(p->opts->version && *p->opts->version->token))
            return refused(v, p, err); /* nothing to compare with: fail closed */
        int r = base_of(v, p, &base, err);
        if (r < 0)
            return r;
    }
    if (conditional(p) || dialect(v)->marks_always)
        ck_marks_new(base.token, p->marks);
    return 0;
}

static void remember(struct ck_vfs *v, const struct ck_object_put *p, const struct ck_version *now)
{
    struct ck_object_store *s = (struct ck_object_store *)v;
    if (!s->dialect->marks_apart)
        return;
    s->written_key = ck_crc32c(ck_slice_of(p->key));
    s->written = *now;
    ck_marks_add(&s->written, p->marks);
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
    r = choose_marks(v, &p, err);
    if (r < 0)
        return r;
    r = put(v, &p, &version, &local);
    if (r < 0)
        return err ? ck_err_move(err, &local) : r;
    remember(v, &p, &version);
    if (ret)
        *ret = version;
    return 0;
}
