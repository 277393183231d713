/* Examining a bucket: who asks, where it is, how it is set up, and each permission by its name.
 *
 * Permissions are tried, not read from policies: what counts is the answer to the request a command
 * would send. Deleting is tried before anything is written, so that nothing is left behind. */
#include "vfs/s3/s3.h"

#include "auth/cred.h"
#include "base/clock.h"
#include "base/enc.h"
#include "crypto/hash.h"
#include "vfs/examine/examine.h"

#include <stdlib.h>
#include <string.h>

enum {
    FORBIDDEN = 403,
    PRECONDITION = 412,
    SKEW_WARN_S = 30,
    SKEW_FAIL_S = 900, /* the service refuses requests from then on, and kops with it */
    MESSAGE_MAX = 300,
    MAX_REQUESTS = 1000,
};

struct exam {
    struct ck_s3 *s;
    struct ck_arena *a;
    struct ck_exam *x;
    const char *root;  /* key of the store with its slash; "" the bucket itself */
    const char *probe; /* key of what is written */
    bool can_list, can_delete, can_delete_versions, can_list_versions, versioned, written;
    struct ck_s3_answers bucket;
};

/* One answer. Strings in the arena. */
struct answer {
    int status;
    const char *code, *message, *etag, *server, *date;
    struct ck_slice body;
    int64_t ms;
};

struct asking {
    const char *method, *key; /* key NULL: the bucket */
    const char *query, *value;
    const char *header, *header_value;
    const char *body; /* NULL: none */
    bool wrong_digest, acl;
};

static const char *kept(struct ck_arena *a, const char *text)
{
    return text ? ck_arena_strdup(a, text) : "";
}

static void add_body(struct exam *e, const struct asking *q, struct ck_req *req)
{
    unsigned char md5[CK_MD5_LEN];
    CK_AUTOBUF struct ck_buf b64 = CK_BUF_INIT;
    req->body = ck_slice_of(q->body);
    ck_md5(q->wrong_digest ? CK_S("another content") : req->body, md5);
    ck_base64_encode(&b64, md5, sizeof md5);
    ck_nvs_add(e->a, &req->headers, "content-md5", ck_buf_str(&b64));
    if (q->acl && e->s->acl)
        ck_nvs_add(e->a, &req->headers, "x-amz-acl", e->s->acl);
    if (e->s->sse && !e->s->custom)
        ck_nvs_add(e->a, &req->headers, "x-amz-server-side-encryption", e->s->sse);
}

static int send(struct exam *e, struct asking q, struct answer *ret, struct ck_err *err)
{
    struct ck_req req;
    struct ck_s3_error said;
    CK_AUTORESP resp = {0};
    ck_s3_request(e->a, e->s, q.method, q.key, &req);
    if (q.query && strcmp(q.query, "list-type") == 0) {
        ck_nvs_add(e->a, &req.query, "list-type", "2");
        ck_nvs_add(e->a, &req.query, "max-keys", "1");
        ck_nvs_add(e->a, &req.query, "prefix", q.value);
    } else if (q.query && strcmp(q.query, "versions") == 0) {
        ck_nvs_add(e->a, &req.query, "max-keys", "1");
        ck_nvs_add(e->a, &req.query, "prefix", q.value);
        ck_nvs_add(e->a, &req.query, "versions", NULL);
    } else if (q.query) {
        ck_nvs_add(e->a, &req.query, q.query, q.value);
    }
    if (q.header)
        ck_nvs_add(e->a, &req.headers, q.header, q.header_value);
    if (q.body)
        add_body(e, &q, &req);
    int r = ck_s3_send(e->s, &req, &resp, err);
    if (r < 0)
        return ck_s3_wrap(e->s, "examining", q.method, q.key, err);
    ck_s3_error_of(&resp, &said);
    *ret = (struct answer){.status = resp.status,
                           .code = kept(e->a, said.code),
                           .message = kept(e->a, said.message),
                           .etag = kept(e->a, ck_nvs_get(&resp.headers, "etag")),
                           .server = kept(e->a, ck_nvs_get(&resp.headers, "server")),
                           .date = kept(e->a, ck_nvs_get(&resp.headers, "date")),
                           .body = ck_arena_slice(e->a, ck_buf_slice(&resp.body)),
                           .ms = resp.ms};
    return 0;
}

/* ---- rows about permissions ---- */

/* A denial may be about another service's action, such as that of an encryption key. */
static const char *refused_action(struct exam *e, const struct answer *w, const char *action)
{
    static const char MARK[] = "to perform: ";
    const char *at = strstr(w->message, MARK);
    if (!at)
        return action;
    at += strlen(MARK);
    size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-");
    return n && memchr(at, ':', n) ? ck_arena_strndup(e->a, at, n) : action;
}

static const char *resource(struct exam *e, const struct ck_s3_action *p)
{
    const char *arn = ck_arena_printf(e->a, "arn:%s:s3:::%s", ck_aws_partition(e->s->region),
                                      e->s->base.container);
    if (!p->object)
        return arn;
    return ck_arena_printf(e->a, "%s/%s*", arn, e->root);
}

static void denied(struct exam *e, const struct ck_s3_action *p, const struct answer *w)
{
    const char *name = refused_action(e, w, p->name);
    const char *on = name == p->name ? resource(e, p) : "the resource named in the message";
    ck_exam_missing(e->x, name, "refused, but needed to %s: allow %s on %s%s%.*s", p->purpose, name,
                    on, *w->message ? "; the server says: " : "", MESSAGE_MAX, w->message);
}

/* A permission that commands do without. */
static void not_granted(struct exam *e, const char *check, const struct ck_s3_action *p)
{
    ck_exam_add(e->x, check, CK_EXAM_SKIPPED, "allow %s on %s to %s%s", p->name, resource(e, p),
                p->purpose,
                p->users & CK_S3_FOR_KOPS ? "; kops asks for it too, ckops does without" : "");
    e->x->v[e->x->n - 1].missing = p->name;
}

/* Any answer but a refusal proves the permission. */
static bool permitted(struct exam *e, enum ck_s3_action_id id, const struct answer *w)
{
    const struct ck_s3_action *p = &ck_s3_actions[id];
    if (w->status == FORBIDDEN && (p->users & CK_S3_FOR_HISTORY))
        not_granted(e, p->name, p);
    else if (w->status == FORBIDDEN)
        denied(e, p, w);
    else
        ck_exam_add(e->x, p->name, CK_EXAM_OK, "%s", p->purpose);
    return w->status != FORBIDDEN;
}

static void skip(struct exam *e, enum ck_s3_action_id id, const char *why)
{
    ck_exam_add(e->x, ck_s3_actions[id].name, CK_EXAM_SKIPPED, "%s", why);
}

/* ---- who and where ---- */

static bool identity(struct exam *e)
{
    CK_AUTOERR why = CK_ERR_INIT;
    const char *who;
    if (ck_s3_identity(e->s, e->a, &who, &why) < 0) {
        ck_exam_add(e->x, "identity", CK_EXAM_FAIL, "%s", ck_err_msg(&why));
        e->x->stop = true;
        return false;
    }
    ck_exam_add(e->x, "identity", CK_EXAM_OK, "%s", who);
    return true;
}

static void endpoint(struct exam *e, const struct answer *w)
{
    const struct ck_s3 *s = e->s;
    bool plain = strcmp(s->url_scheme, "http") == 0;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_fmt(&b, "%s://%s", s->url_scheme, s->host);
    if (s->port)
        ck_buf_fmt(&b, ":%d", s->port);
    ck_buf_fmt(&b, "%s, %s%s%s", s->base_path,
               s->virtual_host ? "bucket in the host's name" : "bucket in the path",
               s->dualstack ? ", dual-stack" : "", s->fips ? ", FIPS" : "");
    if (*w->server)
        ck_buf_fmt(&b, ", server %.60s", w->server);
    if (plain)
        ck_buf_puts(&b, ck_host_is_loopback(s->host)
                            ? "; not encrypted, on this machine"
                            : "; not encrypted: keys and secrets cross the network in the clear; "
                              "give an https:// endpoint");
    ck_exam_add(e->x, "endpoint",
                plain && !ck_host_is_loopback(s->host) ? CK_EXAM_FAIL : CK_EXAM_OK, "%s",
                ck_buf_str(&b));
}

static void clock_row(struct exam *e, const struct answer *w)
{
    int64_t server;
    if (!ck_http_date_parse(w->date, &server)) {
        ck_exam_add(e->x, "clock", CK_EXAM_SKIPPED, "the server sends no Date");
        return;
    }
    int64_t skew = server - ck_now_s(), by = skew < 0 ? -skew : skew;
    if (by < SKEW_WARN_S)
        ck_exam_add(e->x, "clock", CK_EXAM_OK, "%lld s from the server's", (long long)by);
    else
        ck_exam_add(
            e->x, "clock", by < SKEW_FAIL_S ? CK_EXAM_WARN : CK_EXAM_FAIL,
            "this machine's clock is %lld s %s the server's: set it; ckops corrects for it, "
            "kops and nodes are refused from %d s on",
            (long long)by, skew < 0 ? "ahead of" : "behind", SKEW_FAIL_S);
}

static int ask(struct exam *e, enum ck_s3_question q, struct ck_err *err)
{
    return ck_s3_ask(e->s, NULL, q, &e->bucket, err);
}

/* A question that was not answered: the row of `check`. */
static void unanswered(struct exam *e, const char *check, enum ck_s3_question q,
                       enum ck_s3_action_id id)
{
    const struct ck_s3_action *p = &ck_s3_actions[id];
    if (e->bucket.said[q] != CK_S3_REFUSED) {
        ck_exam_add(e->x, check, CK_EXAM_SKIPPED, "the server does not offer ?%s",
                    ck_s3_question_name(q));
        return;
    }
    not_granted(e, check, p);
}

static int region(struct exam *e, struct ck_err *err)
{
    const struct ck_s3_answers *b = &e->bucket;
    int r = ask(e, CK_S3_ASK_LOCATION, err);
    if (r < 0)
        return r;
    if (b->said[CK_S3_ASK_LOCATION] != CK_S3_SAID)
        unanswered(e, "region", CK_S3_ASK_LOCATION, CK_S3_GET_BUCKET_LOCATION);
    else if (strcmp(b->location, e->s->region) != 0)
        ck_exam_add(e->x, "region", CK_EXAM_WARN,
                    "requests are signed for %s, and the bucket is in %s: set %s=%s", e->s->region,
                    b->location, e->s->custom ? "S3_REGION" : "AWS_REGION", b->location);
    else
        ck_exam_add(e->x, "region", CK_EXAM_OK, "%s", b->location);
    return 0;
}

/* The row about whom the chain of credentials gave, taken back: the server does not know them. */
static const char *take_identity(struct exam *e)
{
    struct ck_exam *x = e->x;
    size_t i = 0;
    while (i < x->n && strcmp(x->v[i].check, "identity") != 0)
        i++;
    if (i == x->n)
        return "";
    const char *who = x->v[i].detail;
    x->n--;
    memmove(&x->v[i], &x->v[i + 1], (x->n - i) * sizeof *x->v);
    return ck_arena_printf(e->a, "%s: ", who);
}

/* The first request shows whether anything else is worth asking. */
static bool answers(struct exam *e, const struct answer *w)
{
    bool bad = (w->status == FORBIDDEN && *w->code && strcmp(w->code, "AccessDenied") != 0 &&
                strcmp(w->code, "AllAccessDisabled") != 0) ||
               (w->status != FORBIDDEN && w->status != 200);
    if (!bad)
        return true;
    const char *check = strcmp(w->code, "NoSuchBucket") == 0 ? "bucket"
                        : w->status < 500                    ? "identity"
                                                             : "endpoint";
    const char *who = strcmp(check, "identity") == 0 ? take_identity(e) : "";
    CK_AUTOBUF struct ck_buf advice = CK_BUF_INIT;
    ck_s3_put_advice(&advice, e->s, w->status, w->code);
    ck_exam_add(e->x, check, CK_EXAM_FAIL, "%s%d %s%s%.*s%s%s", who, w->status, w->code,
                *w->message ? ": " : "", MESSAGE_MAX, w->message, advice.len ? "; " : "",
                ck_buf_str(&advice));
    e->x->stop = true;
    return false;
}

static int first_contact(struct exam *e, struct ck_err *err)
{
    struct answer w = {0};
    unsigned n = e->x->requests ? e->x->requests : 1;
    n = n > MAX_REQUESTS ? MAX_REQUESTS : n;
    int64_t *ms = ck_arena_alloc(e->a, n * sizeof *ms);
    const struct asking listing = {.method = "GET", .query = "list-type", .value = e->root};
    for (unsigned i = 0; i < n + 1; i++) {
        int r = send(e, listing, &w, err);
        if (r < 0)
            return r;
        if (i == 0) { /* opens the connection: not counted */
            endpoint(e, &w);
            if (!answers(e, &w))
                return 0;
            clock_row(e, &w);
        } else {
            ms[i - 1] = w.ms;
        }
    }
    ck_exam_latency(e->x, ms, n);
    int r = region(e, err);
    e->can_list = permitted(e, CK_S3_LIST_BUCKET, &w);
    return r;
}

/* ---- how the bucket is set up ---- */

static void encryption(struct exam *e)
{
    const struct ck_s3_answers *b = &e->bucket;
    if (b->said[CK_S3_ASK_ENCRYPTION] != CK_S3_SAID)
        unanswered(e, "encryption", CK_S3_ASK_ENCRYPTION, CK_S3_GET_ENCRYPTION);
    else if (strcmp(b->encryption, "none") == 0)
        ck_exam_add(e->x, "encryption", CK_EXAM_WARN,
                    "the bucket encrypts nothing by itself: set a default encryption");
    else
        ck_exam_add(e->x, "encryption", CK_EXAM_OK, "%s%s%s", b->encryption,
                    *b->kms_key ? " with " : "", b->kms_key);
}

static void ownership(struct exam *e)
{
    const struct ck_s3_answers *b = &e->bucket;
    const char *acl = e->s->acl, *mode = *b->ownership ? b->ownership : "ObjectWriter";
    bool full = acl && strcmp(acl, "bucket-owner-full-control") == 0;
    if (b->said[CK_S3_ASK_OWNERSHIP] != CK_S3_SAID)
        unanswered(e, "ownership", CK_S3_ASK_OWNERSHIP, CK_S3_GET_OWNERSHIP);
    else if (strcmp(mode, "BucketOwnerEnforced") != 0)
        ck_exam_add(e->x, "ownership", full ? CK_EXAM_OK : CK_EXAM_WARN, "%s: ACLs are on%s", mode,
                    full ? ", and every write carries bucket-owner-full-control"
                         : ", and what another account writes belongs to it; set "
                           "BucketOwnerEnforced, or KOPS_STATE_S3_ACL=bucket-owner-full-control");
    else if (acl && !full)
        ck_exam_add(e->x, "ownership", CK_EXAM_FAIL,
                    "BucketOwnerEnforced: ACLs are off, and writes with KOPS_STATE_S3_ACL=%s are "
                    "refused; unset it",
                    acl);
    else
        ck_exam_add(e->x, "ownership", CK_EXAM_OK,
                    "BucketOwnerEnforced: ACLs are off, all files are the bucket owner's");
}

static void public_access(struct exam *e)
{
    struct ck_exposure seen = {.readers = ""};
    struct ck_s3_answers *b = &e->bucket;
    ck_s3_conclude(b, &seen);
    if (seen.reach == CK_REACH_EVERYONE)
        ck_exam_add(e->x, "public-access", CK_EXAM_FAIL,
                    "%s: take the statement out, and block public access", seen.readers);
    else if (b->said[CK_S3_ASK_POLICY] != CK_S3_SAID)
        unanswered(e, "public-access", CK_S3_ASK_POLICY, CK_S3_GET_POLICY_STATUS);
    else
        ck_exam_add(e->x, "public-access", CK_EXAM_OK, "the policy is not public%s%s",
                    b->block_policies ? ", public policies are blocked" : "",
                    b->block_acls ? ", public ACLs are ignored" : "");
}

static void versioning(struct exam *e)
{
    const struct ck_s3_answers *b = &e->bucket;
    e->versioned = *b->versioning != '\0';
    if (b->said[CK_S3_ASK_VERSIONING] != CK_S3_SAID)
        unanswered(e, "versioning", CK_S3_ASK_VERSIONING, CK_S3_GET_VERSIONING);
    else if (strcmp(b->versioning, "Enabled") == 0)
        ck_exam_add(e->x, "versioning", CK_EXAM_OK, "on");
    else
        ck_exam_add(e->x, "versioning", CK_EXAM_WARN,
                    "%s: what is deleted or overwritten cannot be brought back; turn it on",
                    e->versioned ? "suspended" : "off");
}

static int settings(struct exam *e, struct ck_err *err)
{
    static const enum ck_s3_question QUESTIONS[] = {CK_S3_ASK_POLICY, CK_S3_ASK_BLOCK,
                                                    CK_S3_ASK_OWNERSHIP, CK_S3_ASK_ENCRYPTION,
                                                    CK_S3_ASK_VERSIONING};
    for (size_t i = 0; i < CK_ARRAY_LEN(QUESTIONS); i++) {
        int r = ask(e, QUESTIONS[i], err);
        if (r < 0)
            return r;
    }
    encryption(e);
    public_access(e);
    ownership(e);
    versioning(e);
    return 0;
}

/* ---- permissions on objects, without writing ---- */

static int versions_permission(struct exam *e, struct ck_err *err)
{
    struct answer w;
    int r =
        send(e, (struct asking){.method = "GET", .query = "versions", .value = e->probe}, &w, err);
    if (r < 0)
        return r;
    if (w.status == 501 || w.status == 400)
        skip(e, CK_S3_LIST_BUCKET_VERSIONS, "the server has no versions");
    else
        e->can_list_versions = permitted(e, CK_S3_LIST_BUCKET_VERSIONS, &w) && w.status == 200;
    return 0;
}

/* Of a file that is not there a refusal may mean just that, to those who may not list. */
static int read_permission(struct exam *e, bool there, struct answer *w, struct ck_err *err)
{
    int r = send(e, (struct asking){.method = "GET", .key = e->probe}, w, err);
    if (r < 0)
        return r;
    if (w->status == FORBIDDEN && !there && !e->can_list)
        skip(e, CK_S3_GET_OBJECT,
             "without s3:ListBucket the server does not say whether it refuses reading or a file "
             "is not there");
    else
        permitted(e, CK_S3_GET_OBJECT, w);
    return 0;
}

static int read_only(struct exam *e, struct ck_err *err)
{
    static const char WHY[] = "trying it means writing: left out by --read-only";
    struct answer w;
    int r = read_permission(e, false, &w, err);
    if (!r)
        r = versions_permission(e, err);
    skip(e, CK_S3_PUT_OBJECT, WHY);
    skip(e, CK_S3_DELETE_OBJECT, WHY);
    skip(e, CK_S3_DELETE_VERSION, WHY);
    ck_exam_add(e->x, "conditional-writes", CK_EXAM_SKIPPED, "%s", WHY);
    return r;
}

/* ---- the same with a file that is removed again ---- */

/* Deleting what is not there shows the permission; with versions it leaves a marker, which the
 * removal of all versions takes away. */
static int delete_permissions(struct exam *e, struct ck_err *err)
{
    struct answer w;
    int r = send(
        e,
        (struct asking){.method = "DELETE", .key = e->probe, .query = "versionId", .value = "null"},
        &w, err);
    if (r < 0)
        return r;
    if (w.status == 501)
        skip(e, CK_S3_DELETE_VERSION, "the server has no versions");
    else
        e->can_delete_versions = permitted(e, CK_S3_DELETE_VERSION, &w);
    r = send(e, (struct asking){.method = "DELETE", .key = e->probe}, &w, err);
    if (r < 0)
        return r;
    e->can_delete = permitted(e, CK_S3_DELETE_OBJECT, &w);
    return 0;
}

/* A body that does not have the digest it claims is refused, but only after permissions. */
static int put_permission_only(struct exam *e, struct ck_err *err)
{
    struct answer w;
    int r = send(
        e, (struct asking){.method = "PUT", .key = e->probe, .body = "x", .wrong_digest = true}, &w,
        err);
    if (r < 0)
        return r;
    e->written = w.status < 300;
    permitted(e, CK_S3_PUT_OBJECT, &w);
    ck_exam_add(e->x, "conditional-writes", CK_EXAM_SKIPPED,
                "not tried: what is written could not be deleted again");
    return 0;
}

static int put(struct exam *e, const char *body, const char *header, const char *value,
               struct answer *w, struct ck_err *err)
{
    int r = send(e,
                 (struct asking){.method = "PUT",
                                 .key = e->probe,
                                 .body = body,
                                 .header = header,
                                 .header_value = value},
                 w, err);
    e->written = e->written || r < 0 || w->status < 300;
    return r;
}

static void condition_row(struct exam *e, const char *check, const struct answer *w,
                          const char *means)
{
    if (w->status == PRECONDITION || w->status == 409)
        ck_exam_add(e->x, check, CK_EXAM_OK, "proven: %s is refused (%d)", means, w->status);
    else if (w->status < 300)
        ck_exam_add(e->x, check, CK_EXAM_WARN,
                    "the server accepts %s: ckops looks before it writes here, which leaves a "
                    "moment in which two writers do not see each other",
                    means);
    else
        ck_exam_add(e->x, check, CK_EXAM_WARN, "the server answers %s with %d %s", means, w->status,
                    w->code);
}

static int conditions(struct exam *e, const char *etag, struct ck_err *err)
{
    struct answer w, stale;
    int r = put(e, "two", "if-none-match", "*", &w, err);
    if (r < 0)
        return r;
    condition_row(e, "conditional-create", &w, "creating a file that is there");
    if (w.status < 300)
        etag = w.etag;
    r = put(e, "three", "if-match", etag, &w, err);
    if (!r)
        r = put(e, "four", "if-match", etag, &stale, err);
    if (r < 0)
        return r;
    if (w.status >= 300)
        ck_exam_add(e->x, "conditional-update", CK_EXAM_WARN,
                    "the server answers an update of the current version with %d %s", w.status,
                    w.code);
    else
        condition_row(e, "conditional-update", &stale, "updating a version that is gone");
    r = send(e,
             (struct asking){
                 .method = "DELETE", .key = e->probe, .header = "if-match", .header_value = etag},
             &w, err);
    if (r < 0)
        return r;
    if (w.status == PRECONDITION || w.status == 409)
        condition_row(e, "conditional-delete", &w, "deleting a version that is gone");
    else
        ck_exam_add(e->x, "conditional-delete", CK_EXAM_OK,
                    "the server ignores conditions of deletions: ckops compares before it deletes");
    return 0;
}

static int acl_permission(struct exam *e, struct ck_err *err)
{
    struct answer w;
    if (!e->s->acl)
        return 0;
    int r = send(e, (struct asking){.method = "PUT", .key = e->probe, .body = "five", .acl = true},
                 &w, err);
    if (r < 0)
        return r;
    e->written = e->written || w.status < 300;
    if (w.status == FORBIDDEN || w.status < 300)
        permitted(e, CK_S3_PUT_OBJECT_ACL, &w);
    else
        ck_exam_add(e->x, CK_S3_ACTION(PUT_OBJECT_ACL), CK_EXAM_FAIL,
                    "writing with KOPS_STATE_S3_ACL=%s: %d %s: %.*s", e->s->acl, w.status, w.code,
                    MESSAGE_MAX, w.message);
    return 0;
}

static int write_probes(struct exam *e, struct ck_err *err)
{
    struct answer w, read;
    int r = put(e, "one", "if-none-match", "*", &w, err);
    if (!r && w.status >= 400 && w.status != FORBIDDEN)
        r = put(e, "one", NULL, NULL, &w, err); /* it may be the condition it does not take */
    if (!r)
        r = read_permission(e, w.status < 300, &read, err);
    if (r < 0)
        return r;
    bool written = permitted(e, CK_S3_PUT_OBJECT, &w) && w.status < 300;
    if (!written) {
        ck_exam_add(e->x, "conditional-writes", CK_EXAM_SKIPPED, "nothing could be written: %d %s",
                    w.status, w.code);
        return 0;
    }
    if (read.status == 200 && !ck_slice_eq_str(read.body, "one"))
        ck_exam_add(e->x, "read-after-write", CK_EXAM_FAIL,
                    "the server gives another content than was just written");
    r = acl_permission(e, err);
    if (r < 0)
        return r;
    if (e->s->acl && (r = put(e, "one", NULL, NULL, &w, err)) < 0)
        return r;
    return conditions(e, w.etag, err);
}

/* After everything, whatever went wrong before. */
static void clean_up(struct exam *e)
{
    CK_AUTOERR why = CK_ERR_INIT;
    struct answer w = {0};
    const char *where =
        ck_arena_printf(e->a, "%s://%s/%s", e->s->env_scheme, e->s->base.container, e->probe);
    bool gone = true;
    if (e->written) {
        int r = send(e, (struct asking){.method = "DELETE", .key = e->probe}, &w, &why);
        gone = r == 0 && (w.status < 300 || w.status == 404);
        ck_err_done(&why);
    }
    if (!gone) {
        ck_exam_add(e->x, "probe", CK_EXAM_FAIL, "%s could not be deleted again: delete it", where);
        return;
    }
    if (!e->can_delete || (!e->versioned && e->bucket.said[CK_S3_ASK_VERSIONING] == CK_S3_SAID))
        return;
    int r = e->can_delete_versions && e->can_list_versions
                ? ck_s3_remove_versions(&e->s->base, e->probe, &why)
                : -(int)CK_DENIED;
    if (r < 0 && r != -(int)CK_NOT_FOUND)
        ck_exam_add(e->x, "probe", CK_EXAM_SKIPPED,
                    "%s is deleted; with versioning its old versions stay, as deleting them takes "
                    "s3:ListBucketVersions and s3:DeleteObjectVersion",
                    where);
}

static int objects(struct exam *e, struct ck_err *err)
{
    struct answer w;
    int r = versions_permission(e, err);
    if (!r)
        r = delete_permissions(e, err);
    if (!r && e->can_delete) {
        r = write_probes(e, err);
    } else if (!r) {
        r = read_permission(e, false, &w, err);
        if (!r)
            r = put_permission_only(e, err);
    }
    clean_up(e);
    return r;
}

int ck_s3_examine(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err)
{
    size_t n = strlen(key);
    struct exam e = {.s = (struct ck_s3 *)v, .a = x->a, .x = x};
    e.root = ck_arena_printf(x->a, "%s%s", key, n && key[n - 1] != '/' ? "/" : "");
    e.probe = ck_exam_probe_key(x->a, key);
    ck_s3_answers_init(&e.bucket, x->a);
    x->probed = true;
    int r = ck_s3_prepare(e.s, err);
    if (r < 0 || !identity(&e))
        return r;
    r = first_contact(&e, err);
    if (r < 0 || x->stop)
        return r;
    r = settings(&e, err);
    if (r < 0)
        return r;
    return x->read_only ? read_only(&e, err) : objects(&e, err);
}
