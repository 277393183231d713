/* Conditional writes: create is a POST, update a PUT with the resourceVersion, and any write is one
 * of the two. Every write carries a mark of its own and those of the writes it builds on
 * (vfs/object/outcome.h), so that a success whose reply was lost is not taken for somebody else's,
 * even when others have written on top of it. */
#include "vfs/k8s/k8s.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "vfs/object/outcome.h"

#include <string.h>

enum { ANY_TRIES = 10, MAX_KEY = 8192 };

static const struct ck_k8s_meta nothing = {.rv = "", .uid = "", .nonce = ""};

struct put {
    struct ck_k8s *s;
    struct ck_k8s_file file;
    const struct ck_write_opts *opts;
    char marks[CK_MARKS_LEN];
    struct ck_k8s_meta old;  /* what is replaced; rv "" for nothing */
    struct ck_k8s_meta seen; /* by a look afterwards */
    const char *owner;       /* uid of the Secret that its parts belong to; "" for none */
    bool unclear;            /* the write may have taken effect */
    struct ck_arena *a;
};

/* Look what is there after a refusal or a silence. */
static int look(void *arg, struct ck_seen *ret, struct ck_err *err)
{
    struct put *p = arg;
    struct ck_version base;
    int r = ck_k8s_stat(p->s, p->a, p->file.key, &p->seen, err);
    ck_k8s_version(&p->old, &base);
    p->unclear = r < 0 && r != -(int)CK_NOT_FOUND;
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        p->unclear = !p->file.rv; /* it may still be on its way */
        return 0;
    }
    if (r < 0)
        return r;
    ret->found = true;
    ck_k8s_version(&p->seen, &ret->version);
    ret->verdict = ck_outcome_judge(p->marks, &base, &ret->version, p->seen.nonce);
    p->unclear = p->file.rv && ck_marks_same_tag(ret->version.token, base.token);
    if (ret->verdict == CK_MARKS_OURS_ONCE)
        p->seen.rv = ""; /* somebody has written on top of it: its version is gone */
    return 0;
}

static struct ck_outcome outcome(struct put *p)
{
    return (struct ck_outcome){.scheme = "k8s",
                               .container = p->s->base.container,
                               .key = p->file.key,
                               .create = p->opts->mode == CK_WRITE_CREATE ||
                                         (p->opts->mode == CK_WRITE_ANY && !p->file.rv),
                               .look = look,
                               .arg = p};
}

static int refused(struct put *p, struct ck_err *err)
{
    struct ck_outcome o = outcome(p);
    return ck_outcome_refused(&o, err);
}

/* `resp`: the refusal; NULL: no reply came, or one that says nothing. *m becomes what is there when
 * it is this write's. */
static int resolve(struct put *p, const struct ck_resp *resp, struct ck_k8s_meta *m,
                   struct ck_err *err)
{
    struct ck_outcome o = outcome(p);
    int r = resp ? ck_outcome_of_refusal(&o, resp->attempts > 1, NULL, err)
                 : ck_outcome_of_silence(&o, NULL, err);
    if (r == 0) {
        ck_err_done(err);
        *m = p->seen;
    } else if (resp) {
        p->unclear = r == -(int)CK_UNAVAILABLE || r == -(int)CK_TIMEOUT;
    }
    return r;
}

/* One POST or PUT, as p->file.rv says. CONFLICT and EXISTS only when somebody else was faster. */
static int put_once(struct put *p, struct ck_k8s_meta *m, struct ck_err *err)
{
    struct ck_k8s *s = p->s;
    bool create = !p->file.rv;
    const char *action = create ? "create" : "update";
    char name[CK_K8S_NAME];
    ck_k8s_name(p->file.key, name);
    CK_CLEANUP(ck_buf_wipe) struct ck_buf body = CK_BUF_INIT;
    ck_k8s_put_file(&body, &p->file);
    struct ck_req req;
    ck_k8s_request(p->a, s, create ? "POST" : "PUT", create ? NULL : name, true, &req);
    req.body = ck_buf_slice(&body);
    ck_nvs_add(p->a, &req.headers, "content-type", "application/json");
    CK_AUTORESP resp = {0};
    int r = ck_k8s_send(s, &req, &resp, err);
    if (r < 0) {
        r = ck_k8s_wrap(s, "writing", action, p->file.key, err);
        p->unclear = true;
        bool silence = r == -(int)CK_UNAVAILABLE || r == -(int)CK_TIMEOUT || r == -(int)CK_LIMIT;
        return silence ? resolve(p, NULL, m, err) : r;
    }
    if (resp.status == 200 || resp.status == 201) {
        struct ck_val *v = NULL;
        r = ck_k8s_body(s, p->a, &resp, &v, err);
        if (r == 0)
            r = ck_k8s_meta_of(v, m, err);
        return r < 0 ? resolve(p, NULL, m, err) : 0;
    }
    bool taken = resp.status == 409 && ck_k8s_reason(&resp, create ? "AlreadyExists" : "Conflict");
    r = ck_k8s_fail(s, &resp, "writing", action, p->file.key, err);
    bool gone = !create && r == -(int)CK_NOT_FOUND;
    if (taken || gone)
        return resolve(p, &resp, m, err);
    /* Whatever is said of a later sending, an earlier one may have taken effect. */
    return resp.status >= 500 || resp.attempts > 1 ? resolve(p, NULL, m, err) : r;
}

/* A mark for the write, on top of those of p->old. */
static void make_marks(struct put *p)
{
    const char *base = ck_arena_printf(p->a, "%s %s", p->old.rv, p->old.nonce);
    ck_marks_new(*p->old.rv ? base : NULL, p->marks);
}

static int send_parts(struct put *p, const char *owner, struct ck_err *err)
{
    struct ck_k8s_file *f = &p->file;
    memcpy(f->gen, p->marks, CK_K8S_GEN - 1);
    p->owner = owner;
    return ck_k8s_parts_write(p->s, f, owner, err);
}

/* Parts that belong to a Secret that is gone are deleted with it by Kubernetes at any time. */
static int renew_parts(struct put *p, struct ck_err *err)
{
    struct ck_k8s_file *f = &p->file;
    if (!f->parts || !*p->owner || strcmp(p->owner, p->old.uid) == 0)
        return 0;
    ck_k8s_parts_drop(p->s, f->key, f->gen, f->parts);
    return send_parts(p, p->old.uid, err);
}

/* Look, then create or replace what was seen; again when somebody was faster. */
static int put_any(struct put *p, struct ck_k8s_meta *m, struct ck_err *err)
{
    for (unsigned i = 0;; i++) {
        int r = ck_k8s_stat(p->s, p->a, p->file.key, &p->old, err);
        if (r == -(int)CK_NOT_FOUND) {
            ck_err_done(err);
            p->old = nothing;
        } else if (r < 0) {
            return r;
        }
        p->file.rv = *p->old.rv ? p->old.rv : NULL;
        make_marks(p);
        r = renew_parts(p, err);
        if (r == 0)
            r = put_once(p, m, err);
        if ((r != -(int)CK_CONFLICT && r != -(int)CK_EXISTS) || i + 1 == ANY_TRIES)
            return r;
        ck_err_done(err);
        unsigned char jitter;
        ck_random(&jitter, 1);
        ck_sleep_ms((int64_t)(5u << (i < 5 ? i : 5)) + jitter % 32);
    }
}

/* Content that fits no single Secret goes ahead in parts nobody refers to yet. */
static int put_parts(struct put *p, struct ck_err *err)
{
    struct ck_k8s_file *f = &p->file;
    if (f->data.len <= CK_K8S_PART)
        return 0;
    size_t n = (f->data.len + CK_K8S_PART - 1) / CK_K8S_PART;
    if (n > CK_K8S_MAX_PARTS)
        return ck_fail(err, CK_LIMIT, "error writing %s: it is larger than %d MiB",
                       ck_k8s_where(p->s, f->key, p->a), CK_K8S_MAX_PARTS);
    f->parts = (unsigned)n;
    struct ck_k8s_meta m;
    int r = ck_k8s_stat(p->s, p->a, f->key, &m, err);
    if (r == 0 && p->opts->mode == CK_WRITE_CREATE)
        return refused(p, err); /* before megabytes are sent for nothing */
    if (r < 0 && r != -(int)CK_NOT_FOUND)
        return r;
    ck_err_done(err);
    return send_parts(p, r == 0 ? m.uid : "", err);
}

static int put(struct put *p, struct ck_k8s_meta *m, struct ck_err *err)
{
    switch (p->opts->mode) {
    case CK_WRITE_CREATE:
        return put_once(p, m, err);
    case CK_WRITE_IF_UNCHANGED:
        p->file.rv = p->old.rv;
        return put_once(p, m, err);
    case CK_WRITE_ANY:
        break;
    }
    return put_any(p, m, err);
}

/* After the cut-over nobody needs the old parts; after a failure nobody needs the new ones. */
static void tidy(struct put *p, int r, const struct ck_k8s_meta *m)
{
    struct ck_k8s_file *f = &p->file;
    if (r == 0 && p->old.parts)
        ck_k8s_parts_drop(p->s, f->key, p->old.gen, p->old.parts);
    if (!f->parts)
        return;
    if (r == 0 && *m->uid && strcmp(m->uid, p->owner) != 0)
        ck_k8s_parts_adopt(p->s, f, m->uid);
    if (r == 0)
        ck_k8s_parts_sweep(p->s, f->key, false, f->gen);
    else if (!p->unclear)
        ck_k8s_parts_drop(p->s, f->key, f->gen, f->parts);
}

static int check_key(struct put *p, struct ck_err *err)
{
    const char *key = p->file.key;
    if (!*key)
        return ck_fail(err, CK_INVALID, "error writing %s: it names no file",
                       ck_k8s_where(p->s, key, p->a));
    if (strlen(key) > MAX_KEY || !ck_utf8_valid(ck_slice_of(key)))
        return ck_fail(err, CK_INVALID,
                       "error writing %.80s…: paths are text (UTF-8) of at most %d bytes",
                       ck_k8s_where(p->s, key, p->a), MAX_KEY);
    if (p->opts->public_read)
        return ck_fail(err, CK_UNSUPPORTED,
                       "error writing %s: files of a Kubernetes API cannot be "
                       "made public",
                       ck_k8s_where(p->s, key, p->a));
    return 0;
}

static int write_with(struct put *p, struct ck_version *ret, struct ck_err *err)
{
    struct ck_k8s_meta m = nothing;
    int r = check_key(p, err);
    if (r < 0)
        return r;
    p->file.nonce = p->marks;
    p->old = nothing;
    p->owner = "";
    if (p->opts->mode == CK_WRITE_IF_UNCHANGED &&
        !ck_k8s_version_parse(p->a, p->opts->version, &p->old))
        return refused(p, err); /* nothing to compare with: fail closed */
    make_marks(p);
    r = put_parts(p, err);
    if (r == 0)
        r = put(p, &m, err);
    else if (!p->file.parts)
        return r;
    tidy(p, r, &m);
    if (r == 0)
        ck_k8s_version(&m, ret);
    return r;
}

int ck_k8s_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                 const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err)
{
    struct ck_k8s *s = (struct ck_k8s *)v;
    static const struct ck_write_opts any = {.mode = CK_WRITE_ANY};
    CK_AUTOERR own = CK_ERR_INIT;
    int r = ck_k8s_prepare(s, &own);
    if (r == 0) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        struct put p = {
            .s = s, .file = {.key = key, .data = data}, .opts = opts ? opts : &any, .a = a};
        r = write_with(&p, ret, &own);
    }
    return r < 0 && err ? ck_err_move(err, &own) : r;
}
