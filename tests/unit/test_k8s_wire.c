/* k8s:// on the wire: for each operation the exact requests, and what comes of each kind of reply.
 * The transport follows a script; nothing is sent. */
#include "base/file.h"
#include "store_wire.h"

#include <stdlib.h>
#include <unistd.h>

/* SHA-256 of "k" and of nothing begin with these. */
#define K16  "8254c329a92850f6"
#define NAME "ckf-" K16 "d539dd376f4816ee2764517d"
#define ROOT "e3b0c44298fc1c14"

#define API  "https://api.example.com:6443/base/api/v1/namespaces/ns/secrets"
#define ONE  API "/" NAME
#define LIST API "?labelSelector=ckops.dev%2Fdir%3D" K16 "&limit=500"
#define TREE API "?labelSelector=ckops.dev%2Fin-1%3D" K16 "&limit=500"
#define NEXT(selector)                                                                             \
    API "?continue=t%2F1&labelSelector=ckops.dev%2F" selector "%3D" K16 "&limit=500"

#define STATUS(code, reason, kind)                                                                 \
    "< " code                                                                                      \
    "\n<= {\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"m\",\"reason\":\"" reason      \
    "\",\"details\":{\"name\":\"n\",\"kind\":\"" kind "\"},\"code\":" code "}\n"
#define NOT_FOUND STATUS("404", "NotFound", "secrets")
#define CONFLICT  STATUS("409", "Conflict", "secrets")
#define TAKEN     STATUS("409", "AlreadyExists", "secrets")
#define E500      STATUS("500", "InternalError", "")
#define FORBIDDEN                                                                                  \
    "< 403\n<= {\"kind\":\"Status\",\"message\":\"secrets is forbidden: User \\\"u\\\" cannot "    \
    "list "                                                                                        \
    "resource \\\"secrets\\\"\",\"reason\":\"Forbidden\",\"code\":403}\n"

#define HELLO_SHA "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define HELLO_MD5 "5d41402abc4b2a76b9719d911017c592"
#define META(path, rv, more)                                                                       \
    "\"metadata\":{\"name\":\"x\",\"resourceVersion\":\"" rv "\",\"uid\":\"u1\","                  \
    "\"creationTimestamp\":\"2020-01-01T00:00:00Z\",\"annotations\":{\"ckops.dev/path\":\"" path   \
    "\"" more "}}"
#define SECRET(path, rv, more, content)                                                            \
    "<= {\"kind\":\"Secret\"," META(path, rv, more) ",\"data\":{\"content\":\"" content "\"}}\n"
#define HASHES                                                                                     \
    ",\"ckops.dev/sha256\":\"" HELLO_SHA "\",\"ckops.dev/md5\":\"" HELLO_MD5                       \
    "\",\"ckops.dev/size\":\"5\""
#define OK_HELLO                "< 200\n" SECRET("k", "7", HASHES, "aGVsbG8=")
#define PARTIAL(path, rv, more) "<= {\"kind\":\"PartialObjectMetadata\"," META(path, rv, more) "}\n"
#define OK_META                 "< 200\n" PARTIAL("k", "7", HASHES)
#define OURS                    "< 201\n" PARTIAL("k", "8", "")
#define THEIRS                  "< 200\n" PARTIAL("k", "9", ",\"ckops.dev/write\":\"other\"")

static char kubeconfig[64];

static int setup(void **state)
{
    static const char text[] =
        "current-context: c\n"
        "contexts: [{name: c, context: {cluster: a, user: u, namespace: ns}}]\n"
        "clusters: [{name: a, cluster: {server: 'https://api.example.com:6443/base/'}}]\n"
        "users: [{name: u, user: {token: very-secret}}]\n";
    snprintf(kubeconfig, sizeof kubeconfig, "/tmp/ck-k8s-wire-%ld", (long)getpid());
    CK_AUTOERR err = CK_ERR_INIT;
    return ck_file_write(kubeconfig, ck_slice_of(text), 0600, &err);
}

static int teardown(void **state)
{
    return unlink(kubeconfig);
}

static void check(const struct wire_case *c, const char *url)
{
    const char *const env[] = {"KUBECONFIG", kubeconfig, NULL};
    const struct wire_store s = {.url = url, .old = "7", .env = env, .secret = "very-secret"};
    wire_check(&s, c);
}

static void check_all(const struct wire_case *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(&c[i], "k8s:////k");
}

#define SIGNED   "> authorization: Bearer very-secret\n"
#define FULL     "> accept: application/json\n"
#define AS(kind) "> accept: application/json;as=" kind ";g=meta.k8s.io;v=v1,application/json\n"
#define ONLY     AS("PartialObjectMetadata")
#define LISTED   AS("PartialObjectMetadataList")

/* Replies that every operation meets the same way, for its last request. */
#define COMMON(op, request, ok, result)                                                            \
    {#op " denied", op, request FORBIDDEN, CK_DENIED,                                              \
     "a role is needed that allows get, list, create, update and delete on secrets in "            \
     "namespace ns"},                                                                              \
        {#op " unauthenticated", op, request STATUS("401", "Unauthorized", ""),                    \
         CK_UNAUTHENTICATED, "as user \"u\" of context \"c\": 401 Unauthorized"},                  \
        {#op " after 429", op, request "< 429\n< retry-after: 0\n<= {}\n" request ok, CK_OK,       \
         result},                                                                                  \
        {#op " after 503", op, request STATUS("503", "ServiceUnavailable", "") request ok, CK_OK,  \
         result},                                                                                  \
        {#op " after a broken connection", op, request "! reset\n" request ok, CK_OK, result},     \
        {#op " after no connection", op, request "! refuse\n" request ok, CK_OK, result},          \
        {#op " from a web page", op,                                                               \
         request "< 404\n< content-type: text/html\n<= <html>nothing here</html>\n", CK_INVALID,   \
         "is no Kubernetes API"},                                                                  \
        {#op " of a server without Secrets", op, request STATUS("404", "NotFound", "namespaces"),  \
         CK_INVALID, "create it: kubectl create namespace ns"},                                    \
    {                                                                                              \
#op " too often", op, request STATUS("400", "BadRequest", ""), CK_INVALID,                 \
            "400 BadRequest: m"                                                                    \
    }

#define GET "> GET " ONE "\n"

static void reading(void **state)
{
    static const struct wire_case t[] = {
        {"ok", READ, GET SIGNED FULL "> !content-type\n" OK_HELLO, CK_OK, "hello 7"},
        COMMON(READ, GET, OK_HELLO, "hello 7"),
        {"empty", READ, GET "< 200\n" SECRET("k", "7", "", ""), CK_OK, " 7"},
        {"without data", READ, GET "< 200\n<= {\"kind\":\"Secret\"," META("k", "7", "") "}\n",
         CK_OK, " 7"},
        {"absent", READ, GET NOT_FOUND, CK_NOT_FOUND, "404 NotFound"},
        {"always failing", READ, GET E500 GET E500 GET E500, CK_UNAVAILABLE, "500 InternalError"},
        {"of another path", READ, GET "< 200\n" SECRET("other", "7", HASHES, "aGVsbG8="),
         CK_INVALID, "says that it is that of \"other\""},
        {"of nobody", READ,
         GET "< 200\n<= {\"kind\":\"Secret\",\"metadata\":{\"name\":\"x\"},\"data\":{}}\n",
         CK_INVALID, "no annotation ckops.dev/path"},
        {"damaged", READ, GET "< 200\n" SECRET("k", "7", HASHES, "aGVsbG9v"), CK_UNAVAILABLE,
         "does not match the annotation ckops.dev/sha256"},
        {"not base64", READ, GET "< 200\n" SECRET("k", "7", "", "!"), CK_UNAVAILABLE, "not base64"},
        {"encoded otherwise", READ,
         GET "< 200\n" SECRET("k", "7", ",\"ckops.dev/encoding\":\"zstd\"", ""), CK_UNSUPPORTED,
         "encoded as \"zstd\""},
        {"a web page with 200", READ, GET "< 200\n<= <html></html>\n", CK_UNAVAILABLE,
         "is no Kubernetes API"},
        {"cut short, then whole", READ, GET OK_HELLO "! truncate\n" GET OK_HELLO, CK_OK, "hello 7"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define PART(i) "> GET " ONE "-0123456789ab-" i "\n"
#define HEAD_2                                                                                     \
    "< 200\n" SECRET(                                                                              \
        "k", "7",                                                                                  \
        ",\"ckops.dev/parts\":\"0123456789ab/2\",\"ckops.dev/sha256\":\"" HELLO_SHA "\"", "")
#define HEL "< 200\n" SECRET("k", "1", "", "aGVs")
#define LO  "< 200\n" SECRET("k", "1", "", "bG8=")

static void reading_parts(void **state)
{
    static const struct wire_case t[] = {
        {"ok", READ, GET HEAD_2 PART("0") HEL PART("1") LO, CK_OK, "hello 7 0123456789ab/2"},
        {"replaced meanwhile", READ, GET HEAD_2 PART("0") NOT_FOUND GET OK_HELLO, CK_OK, "hello 7"},
        {"a part of another file", READ,
         GET HEAD_2 PART("0") "< 200\n" SECRET("other", "1", "", "aGVs"), CK_INVALID,
         "part 0 of it belongs to another file"},
        {"a wrong part", READ, GET HEAD_2 PART("0") HEL PART("1") HEL, CK_UNAVAILABLE,
         "does not match"},
        {"a part is forbidden", READ, GET HEAD_2 PART("0") FORBIDDEN, CK_DENIED,
         "reading a part of"},
        {"a part after a 500", READ, GET HEAD_2 PART("0") E500 PART("0") HEL PART("1") LO, CK_OK,
         "hello 7 0123456789ab/2"},
        {"parts that say nothing", READ,
         GET "< 200\n" SECRET("k", "7", ",\"ckops.dev/parts\":\"../2\"", ""), CK_INVALID,
         "ckops.dev/parts that says nothing"},
        {"no parts", READ,
         GET "< 200\n" SECRET("k", "7", ",\"ckops.dev/parts\":\"0123456789ab/0\"", ""), CK_INVALID,
         "ckops.dev/parts that says nothing"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

/* However many parts a file has, each is one Secret: a server that sends more fills no memory. */
static void a_part_larger_than_a_secret_is_refused(void **state)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_puts(&b, GET HEAD_2 PART("0") "< 200\n<= ");
    ck_buf_fill(&b, ' ', 3 << 20);
    ck_buf_puts(&b, "\n");
    const struct wire_case t = {"large part", READ, ck_buf_str(&b), CK_LIMIT, "reading k8s:////k"};
    check_all(&t, 1);
}

#define BODY(version)                                                                              \
    ">= {\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"type\":\"ckops.dev/file\",\"metadata\":{"     \
    "\"name\":\"" NAME "\"" version ",\"labels\":{\"app.kubernetes.io/managed-by\":\"ckops\","     \
    "\"ckops.dev/dir\":\"" ROOT "\",\"ckops.dev/file\":\"k\"},\"annotations\":{"                   \
    "\"ckops.dev/path\":\"k\",\"ckops.dev/md5\":\"" HELLO_MD5                                      \
    "\",\"ckops.dev/sha256\":\"" HELLO_SHA "\",\"ckops.dev/size\":\"5\",\"ckops.dev/"              \
    "write\":\"*\"}},\"data\":{\"content\":\"aGVsbG8=\"}}\n"
#define JSON "> content-type: application/json\n"
#define POST "> POST " API "\n" JSON BODY("")
#define PUT  "> PUT " ONE "\n" JSON BODY(",\"resourceVersion\":\"7\"")
#define STAT "> GET " ONE "\n" ONLY

#define MARK(n) "000000000000000" n
/* A base without marks is called by a digest of its resourceVersion. */
#define ON_BASE                                                                                    \
    "< 200\n" PARTIAL("k", "9", ",\"ckops.dev/write\":\"" MARK("1") ".7902699be42c8a8e\"")
#define MANY_SINCE "< 200\n" PARTIAL("k", "99", ",\"ckops.dev/write\":\"" HALF "." HALF "\"")
#define HALF                                                                                       \
    MARK("1") "." MARK("2") "." MARK("3") "." MARK("4") "." MARK("5") "." MARK("6") "." MARK("7")

static void creating(void **state)
{
    static const struct wire_case t[] = {
        {"ok", CREATE, "> POST " API "\n" SIGNED ONLY JSON BODY("") OURS, CK_OK, "8"},
        COMMON(CREATE, POST, OURS, "8"),
        {"exists", CREATE, POST TAKEN STAT THEIRS, CK_EXISTS, "file already exists"},
        {"exists, and no look", CREATE, POST TAKEN STAT FORBIDDEN, CK_EXISTS, "already exists"},
        {"somebody else's after a resend", CREATE, POST "! reset\n" POST TAKEN STAT THEIRS,
         CK_EXISTS, "file already exists"},
        {"many have written since a resend: ours may be beneath", CREATE,
         POST "! reset\n" POST TAKEN STAT MANY_SINCE, CK_UNAVAILABLE,
         "the outcome of the write is unknown"},
        {"broken for good, nothing there", CREATE,
         POST "! reset\n" POST "! reset\n" POST "! reset\n" STAT NOT_FOUND, CK_UNAVAILABLE,
         "the connection broke"},
        {"broken for good, and no look", CREATE,
         POST "! reset\n" POST "! reset\n" POST "! reset\n" STAT FORBIDDEN, CK_UNAVAILABLE,
         "the outcome of the write is unknown"},
        {"failing for good, nothing there", CREATE, POST E500 POST E500 POST E500 STAT NOT_FOUND,
         CK_UNAVAILABLE, "500 InternalError"},
        {"too large for the server", CREATE, POST STATUS("413", "RequestEntityTooLarge", ""),
         CK_LIMIT, "413 RequestEntityTooLarge"},
        {"refused by a rule", CREATE, POST STATUS("422", "Invalid", "secrets"), CK_INVALID,
         "422 Invalid"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

static void updating(void **state)
{
    static const struct wire_case t[] = {
        {"ok", UPDATE, "> PUT " ONE "\n" SIGNED ONLY JSON BODY(",\"resourceVersion\":\"7\"") OURS,
         CK_OK, "8"},
        COMMON(UPDATE, PUT, OURS, "8"),
        {"changed", UPDATE, PUT CONFLICT STAT THEIRS, CK_CONFLICT, "changed by someone else"},
        {"removed", UPDATE, PUT NOT_FOUND STAT NOT_FOUND, CK_CONFLICT, "changed by someone else"},
        {"theirs after a resend: ours may be beneath", UPDATE,
         PUT "! reset\n" PUT CONFLICT STAT THEIRS, CK_UNAVAILABLE,
         "the outcome of the write is unknown"},
        {"changed, and no look", UPDATE, PUT CONFLICT STAT FORBIDDEN, CK_CONFLICT,
         "changed by someone else"},
        {"broken for good, theirs is there", UPDATE,
         PUT "! reset\n" PUT "! reset\n" PUT "! reset\n" STAT THEIRS, CK_UNAVAILABLE,
         "the connection broke"},
        {"failing for good, and no look", UPDATE, PUT E500 PUT E500 PUT E500 STAT FORBIDDEN,
         CK_UNAVAILABLE, "the outcome of the write is unknown"},
        {"others have written on what this was to replace", UPDATE,
         PUT "! reset\n" PUT CONFLICT STAT ON_BASE, CK_CONFLICT, "changed by someone else"},
        {"broken for good, others have written on what this was to replace", UPDATE,
         PUT "! reset\n" PUT "! reset\n" PUT "! reset\n" STAT ON_BASE, CK_CONFLICT,
         "changed by someone else"},
        {"many have written since: ours may be beneath", UPDATE, PUT CONFLICT STAT MANY_SINCE,
         CK_UNAVAILABLE, "the outcome of the write is unknown"},
        {"removed after a resend", UPDATE, PUT "! reset\n" PUT NOT_FOUND STAT NOT_FOUND,
         CK_UNAVAILABLE, "the outcome of the write is unknown"},
        {"a web page with 200", UPDATE, PUT "< 200\n<= <html></html>\n" STAT THEIRS, CK_UNAVAILABLE,
         "is no Kubernetes API"},
        {"denied after a resend, and others have written on what this was to replace", UPDATE,
         PUT "! reset\n" PUT FORBIDDEN STAT ON_BASE, CK_CONFLICT, "changed by someone else"},
        {"denied after a resend, and no look", UPDATE, PUT "! reset\n" PUT FORBIDDEN STAT FORBIDDEN,
         CK_DENIED, "the outcome of the write is unknown"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

static void writing(void **state)
{
    static const struct wire_case t[] = {
        {"replaces", WRITE, STAT SIGNED OK_META PUT OURS, CK_OK, "8"},
        {"creates", WRITE, STAT NOT_FOUND POST OURS, CK_OK, "8"},
        COMMON(WRITE, STAT, OK_META PUT OURS, "8"),
        {"somebody was faster", WRITE, STAT OK_META PUT CONFLICT STAT THEIRS STAT OK_META PUT OURS,
         CK_OK, "8"},
        {"somebody created it", WRITE, STAT NOT_FOUND POST TAKEN STAT THEIRS STAT OK_META PUT OURS,
         CK_OK, "8"},
        {"somebody removed it", WRITE,
         STAT OK_META PUT NOT_FOUND STAT NOT_FOUND STAT NOT_FOUND POST OURS, CK_OK, "8"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define GONE "< 200\n<= {\"kind\":\"Status\",\"status\":\"Success\"}\n"
#define PAGE(next, items)                                                                          \
    "< 200\n<= {\"kind\":\"PartialObjectMetadataList\",\"metadata\":{" next "},\"items\":[" items  \
    "]}\n"

/* ---- files in parts ---- */

#define SEEN(uid, rv, more)                                                                        \
    "< 200\n<= {\"kind\":\"PartialObjectMetadata\",\"metadata\":{\"name\":\"x\",\"uid\":\"" uid    \
    "\",\"resourceVersion\":\"" rv "\",\"annotations\":{\"ckops.dev/path\":\"k\"" more "}}}\n"
#define OWNED(uid)    ">= *\"ckops.dev/part\":*\"ownerReferences\":*\"uid\":\"" uid "\"*\n"
#define FREE          ">= *\"annotations\":{\"ckops.dev/path\":\"k\",\"ckops.dev/part\":\"*\"}},\"data\"*\n"
#define MADE          "< 201\n" PARTIAL("k", "1", "")
#define SEND          "> POST " API "\n"
#define REPLACE       "> PUT " ONE "\n"
#define CUT(rv)       REPLACE ">= *\"resourceVersion\":\"" rv "\"*\"ckops.dev/parts\":*\n"
#define DROP(i)       "> DELETE " ONE "-*-" i "\n" GONE
#define ADOPT(i, uid) "> PUT " ONE "-*-" i "\n" OWNED(uid) "< 200\n" PARTIAL("k", "2", "")
#define LEFT          "> GET " API "?labelSelector=ckops.dev%2Fpart-of%3D" NAME "&limit=500\n"
#define NO_LEFT       LEFT PAGE("", "")
#define TWO_OF(uid)                                                                                \
    SEND OWNED(uid)                                                                                \
    MADE SEND OWNED(uid)                                                                           \
    MADE

static void check_large(const struct wire_case *t, size_t n)
{
    const char *const env[] = {"KUBECONFIG", kubeconfig, NULL};
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_fill(&b, 'x', (1 << 20) + 5);
    const struct wire_store s = {.url = "k8s:////k",
                                 .old = "7",
                                 .env = env,
                                 .secret = "very-secret",
                                 .content = ck_buf_slice(&b),
                                 .random_after = ' '};
    wire_check_all(&s, t, n);
}

static void writing_parts(void **state)
{
    static const struct wire_case t[] = {
        {"replaces", UPDATE,
         STAT SEEN("u1", "7", "") TWO_OF("u1") CUT("7") SEEN("u1", "8", "") NO_LEFT, CK_OK, "8"},
        {"creates: its parts belong to it afterwards", CREATE,
         STAT NOT_FOUND SEND FREE MADE SEND FREE MADE SEND SEEN("u1", "8", "") ADOPT("0", "u1")
             ADOPT("1", "u1") NO_LEFT,
         CK_OK, "8"},
        {"refused: its parts go", UPDATE,
         STAT SEEN("u1", "7", "") TWO_OF("u1") CUT("7") CONFLICT STAT ON_BASE DROP("0") DROP("1"),
         CK_CONFLICT, "changed by someone else"},
        {"denied: its parts go", UPDATE,
         STAT SEEN("u1", "7", "") TWO_OF("u1") CUT("7") FORBIDDEN DROP("0") DROP("1"), CK_DENIED,
         "403 Forbidden"},
        {"denied after a resend that may still take effect: its parts stay", UPDATE,
         STAT SEEN("u1", "7", "") TWO_OF("u1") CUT("7") "! reset\n" CUT("7")
             FORBIDDEN STAT SEEN("u1", "7", ""),
         CK_DENIED, "403 Forbidden"},
        {"too busy after a resend, and no look: its parts stay", UPDATE,
         STAT SEEN("u1", "7", "") TWO_OF("u1")
             CUT("7") "! reset\n" CUT("7") "< 429\n" CUT("7") "< 429\n" STAT FORBIDDEN,
         CK_UNAVAILABLE, "the outcome of the write is unknown"},
        {"made anew by somebody meanwhile: the parts belong to the new one", WRITE,
         STAT SEEN("u1", "7", "") TWO_OF("u1") STAT SEEN("u2", "9", "") DROP("0") DROP("1")
             TWO_OF("u2") CUT("9") SEEN("u2", "10", "") NO_LEFT,
         CK_OK, "10"},
        {"removed by somebody meanwhile: the parts belong to the new one", WRITE,
         STAT SEEN("u1", "7", "") TWO_OF("u1") STAT NOT_FOUND DROP("0") DROP("1")
             SEND FREE MADE SEND FREE MADE SEND SEEN("u3", "10", "") ADOPT("0", "u3")
                 ADOPT("1", "u3") NO_LEFT,
         CK_OK, "10"},
        {"made by somebody meanwhile: the parts belong to it", WRITE,
         STAT NOT_FOUND SEND FREE MADE SEND FREE MADE STAT SEEN("u2", "9", "") CUT("9")
             SEEN("u2", "10", "") ADOPT("0", "u2") ADOPT("1", "u2") NO_LEFT,
         CK_OK, "10"},
    };
    check_large(t, CK_ARRAY_LEN(t));
}

/* What a writer that was killed left behind is told from what one that is under way has written by
 * the server's clock: the own one may be days off. */
static void parts_that_were_left_behind(void **state)
{
#define PART_OF(name, made)                                                                        \
    "{\"metadata\":{\"name\":\"" name "\",\"creationTimestamp\":\"" made                           \
    "\",\"annotations\":{\"ckops.dev/path\":\"k\",\"ckops.dev/part\":\"feed/0\"}}}"
#define THEN(date)                                                                                 \
    "< 200\n" date                                                                                 \
    "<= {\"kind\":\"PartialObjectMetadataList\",\"metadata\":{},\"items\":[" PART_OF(              \
        "ckf-1", "2020-01-01T00:00:00Z") "]}\n"
#define DONE STAT SEEN("u1", "7", "") TWO_OF("u1") CUT("7") SEEN("u1", "8", "")
    static const struct wire_case t[] = {
        {"after two days", UPDATE,
         DONE LEFT THEN("< date: Fri, 03 Jan 2020 00:00:00 GMT\n") "> DELETE " API "/ckf-1\n" GONE,
         CK_OK, "8"},
        {"after an hour", UPDATE, DONE LEFT THEN("< date: Wed, 01 Jan 2020 01:00:00 GMT\n"), CK_OK,
         "8"},
        {"nobody knows when", UPDATE, DONE LEFT THEN(""), CK_OK, "8"},
    };
    check_large(t, CK_ARRAY_LEN(t));
}

#define DEL                                                                                        \
    "> DELETE " ONE "\n" JSON ">= {\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\","              \
    "\"preconditions\":{\"resourceVersion\":\"7\"}}\n"

static void removing(void **state)
{
    static const struct wire_case t[] = {
        {"ok", REMOVE, STAT OK_META DEL SIGNED GONE, CK_OK, ""},
        COMMON(REMOVE, STAT, OK_META DEL GONE, ""),
        {"absent", REMOVE, STAT NOT_FOUND, CK_OK, ""},
        {"changed meanwhile", REMOVE, STAT OK_META DEL CONFLICT STAT OK_META DEL GONE, CK_OK, ""},
        {"gone meanwhile", REMOVE, STAT OK_META DEL NOT_FOUND, CK_OK, ""},
        {"of a version", REMOVE_OLD, DEL GONE, CK_OK, ""},
        COMMON(REMOVE_OLD, DEL, GONE, ""),
        {"of a stale version", REMOVE_OLD, DEL CONFLICT, CK_CONFLICT, "changed by someone else"},
        {"of a version that is gone", REMOVE_OLD, DEL NOT_FOUND, CK_CONFLICT,
         "changed by someone else"},
        {"of a version, twice sent", REMOVE_OLD, DEL "! reset\n" DEL NOT_FOUND, CK_OK, ""},
        {"of what is there", REMOVE_VERSIONS, STAT OK_META DEL GONE, CK_OK, ""},
        {"of what is not there", REMOVE_VERSIONS, STAT NOT_FOUND, CK_NOT_FOUND, "404 NotFound"},
        {"of a chunked file", REMOVE,
         STAT "< 200\n" PARTIAL("k", "7", ",\"ckops.dev/parts\":\"0123456789ab/1\"") DEL GONE
         "> DELETE " ONE "-0123456789ab-0\n" GONE,
         CK_OK, ""},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define ITEM(path) "{" META(path, "7", "") "}"
#define MORE       "\"continue\":\"t/1\""
#define EXPIRED    STATUS("410", "Expired", "")

static void listing(void **state)
{
#define L  "> GET " LIST "\n" LISTED
#define T  "> GET " TREE "\n" LISTED
#define L2 "> GET " NEXT("dir") "\n"
#define L3 "> GET " API "?continue=t%2F2&labelSelector=ckops.dev%2Fdir%3D" K16 "&limit=500\n"
#define T2 "> GET " NEXT("in-1") "\n"
#define D_OF(before, not )                                                                         \
    "> GET " API "?" before "labelSelector=ckops.dev%2Fin-1%3D" K16                                \
    "%2Cckops.dev%2Fin-2" not "&limit=500\n" LISTED
#define D(not ) D_OF("", not )
#define DMORE   D_OF("continue=t%2F1&", "")
#define NOT_B   "%2Cckops.dev%2Fin-2%20notin%20%28e51d87a94ddf76c0%29"
#define NOT_B_C "%2Cckops.dev%2Fin-2%20notin%20%28e51d87a94ddf76c0%2C7dc97b7a915111fe%29"
    static const struct wire_case t[] = {
        {"files", LIST_FILES, L SIGNED PAGE("", ITEM("k/b") "," ITEM("k/a")), CK_OK, "a b"},
        COMMON(LIST_FILES, L, PAGE("", ITEM("k/b")), "b"),
        {"files of other folders with this label", LIST_FILES,
         L PAGE("", ITEM("k/b/c") "," ITEM("x/a") "," ITEM("kk/a")), CK_OK, ""},
        {"two pages", LIST_FILES, L PAGE(MORE, ITEM("k/b")) L2 PAGE("", ITEM("k/a")), CK_OK, "a b"},
        {"a page that expired", LIST_FILES,
         L PAGE(MORE, ITEM("k/b")) L2 EXPIRED L PAGE(MORE, ITEM("k/b")) L2 PAGE("", ITEM("k/a")),
         CK_OK, "a b"},
        {"pages that always expire", LIST_FILES, L EXPIRED L EXPIRED L EXPIRED L EXPIRED,
         CK_UNAVAILABLE, "expired"},
        {"a page repeated", LIST_FILES, L PAGE(MORE, ITEM("k/b")) L2 PAGE(MORE, ITEM("k/b")),
         CK_UNAVAILABLE, "repeats a page"},
        {"pages in a circle", LIST_FILES,
         L PAGE(MORE, ITEM("k/b")) L2 PAGE("\"continue\":\"t/2\"", ITEM("k/c"))
             L3 PAGE(MORE, ITEM("k/b")) L2 PAGE("\"continue\":\"t/2\"", ITEM("k/c")),
         CK_UNAVAILABLE, "repeats a page"},
        {"what is no file of ckops", LIST_FILES, L PAGE("", "{\"metadata\":{\"name\":\"zz\"}}"),
         CK_INVALID, "zz has no annotation"},
        {"no list", LIST_FILES, L "< 200\n<= {\"kind\":\"Secret\"}\n", CK_UNAVAILABLE,
         "no list of Secrets"},
        {"tree", LIST_TREE, T PAGE("", ITEM("k/b") "," ITEM("k/a/c")), CK_OK, "a/c b"},
        COMMON(LIST_TREE, T, PAGE("", ITEM("k/b")), "b"),
        {"tree, two pages", LIST_TREE, T PAGE(MORE, ITEM("k/b")) T2 PAGE("", ITEM("k/a/b")), CK_OK,
         "a/b b"},
        {"folders", LIST_DIRS, D("") PAGE("", ITEM("k/b/1") "," ITEM("k/b/2") "," ITEM("k/f")),
         CK_OK, "b"},
        COMMON(LIST_DIRS, D(""), PAGE("", ITEM("k/b/1")), "b"),
        {"folders, the rest of a page of many that differ", LIST_DIRS,
         D("") PAGE(MORE, ITEM("k/b/1") "," ITEM("k/c/1")) DMORE PAGE("", ITEM("k/a/1")), CK_OK,
         "a b c"},
        {"folders, without one that fills pages", LIST_DIRS,
         D("") PAGE(MORE, ITEM("k/b/1") "," ITEM("k/b/2") "," ITEM("k/b/3")) D(NOT_B)
             PAGE("", ITEM("k/a/1")),
         CK_OK, "a b"},
        {"folders, a page that expired", LIST_DIRS,
         D("") PAGE(MORE, ITEM("k/b/1") "," ITEM("k/c/1")) DMORE EXPIRED D(NOT_B_C)
             PAGE("", ITEM("k/a/1")),
         CK_OK, "a b c"},
        {"folders, pages that always expire", LIST_DIRS,
         D("") EXPIRED D("") EXPIRED D("") EXPIRED D("") EXPIRED, CK_UNAVAILABLE, "have no end"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

static void finding(void **state)
{
#define F                                                                                          \
    "> GET " API "?labelSelector=ckops.dev%2Ffile%3Dconfig%2Cckops.dev%2Fin-1%3D" K16              \
    "&limit=500\n" FULL
#define SECRETS(items) "< 200\n<= {\"kind\":\"SecretList\",\"metadata\":{},\"items\":[" items "]}\n"
#define CONFIG(path)   "{" META(path, "7", "") ",\"data\":{\"content\":\"aGVsbG8=\"}}"
    static const struct wire_case t[] = {
        {"one request for all", FIND,
         F SIGNED SECRETS(CONFIG("k/b/config") "," CONFIG("k/a/config") "," CONFIG(
             "k/a/x/config") "," CONFIG("k/t/c/config") "," CONFIG("k/.x/config")),
         CK_OK, "a=hello:7 b=hello:7 t/c=hello:7 "},
        {"none", FIND, F SECRETS(""), CK_OK, ""},
        {"the folder itself does not count", FIND, F SECRETS(CONFIG("k/config")), CK_OK, ""},
        COMMON(FIND, F, SECRETS(CONFIG("k/a/config")), "a=hello:7 "),
        {"one is damaged", FIND,
         F SECRETS("{" META("k/a/config", "7", HASHES) ",\"data\":{\"content\":\"eA==\"}}"), CK_OK,
         "a=unavailable "},
    };
#define TWO  CONFIG("k/a/config") "," CONFIG("k/b/config")
#define FOUR TWO "," TWO
    static const struct wire_case too_much = {"more than fits", FIND,
                                              F SECRETS(FOUR "," FOUR "," FOUR "," FOUR "," FOUR),
                                              CK_LIMIT, "than fit in memory"};
    check_all(t, CK_ARRAY_LEN(t));
    const char *const env[] = {"KUBECONFIG", kubeconfig, NULL};
    const struct wire_store s = {
        .url = "k8s:////k", .env = env, .secret = "very-secret", .max_object = 5};
    wire_check(&s, &too_much);
}

static void removing_trees(void **state)
{
#define VICTIM(path, name)                                                                         \
    "{\"metadata\":{\"name\":\"" name "\",\"annotations\":{\"ckops.dev/path\":\"" path "\"}}}"
#define DELETE(name) "> DELETE " API "/" name "\n"
#define SWEEP        "> GET " API "?labelSelector=ckops.dev%2Fpart-of&limit=500\n"
#define BOTH         PAGE("", VICTIM("k/a", "s1") "," VICTIM("k/b", "s2") "," VICTIM("kk", "s3"))
    static const struct wire_case t[] = {
        {"ok", REMOVE_TREE, T SIGNED BOTH DELETE("s1") GONE DELETE("s2") GONE SWEEP PAGE("", ""),
         CK_OK, ""},
        {"nothing there", REMOVE_TREE, T PAGE("", ""), CK_OK, ""},
        COMMON(REMOVE_TREE, T, PAGE("", ""), ""),
        {"a Secret without a name: not the whole collection", REMOVE_TREE,
         T PAGE("", VICTIM("k/a", "")), CK_UNAVAILABLE, "a Secret without a name"},
        {"one is gone already", REMOVE_TREE,
         T BOTH DELETE("s1") NOT_FOUND DELETE("s2") GONE SWEEP PAGE("", ""), CK_OK, ""},
        {"one may not go", REMOVE_TREE, T BOTH DELETE("s1") FORBIDDEN DELETE("s2") GONE, CK_DENIED,
         "error removing 1 of 2 files from k8s:////; k/a: "},
        {"old parts go too, young ones and those of others stay", REMOVE_TREE,
         T PAGE("", VICTIM("k/a", "s1")) DELETE("s1") GONE SWEEP
         "< 200\n"
         "< date: Fri, 03 Jan 2020 00:00:00 GMT\n"
         "<= {\"kind\":\"PartialObjectMetadataList\",\"metadata\":{},\"items\":["
         "{\"metadata\":{\"name\":\"ckf-1\",\"creationTimestamp\":\"2020-01-01T00:00:00Z\","
         "\"annotations\":{\"ckops.dev/path\":\"k/a\"}}},"
         "{\"metadata\":{\"name\":\"ckf-2\",\"creationTimestamp\":\"2999-01-01T00:00:00Z\","
         "\"annotations\":{\"ckops.dev/path\":\"k/a\"}}},"
         "{\"metadata\":{\"name\":\"ckf-3\",\"creationTimestamp\":\"2020-01-01T00:00:00Z\","
         "\"annotations\":{\"ckops.dev/path\":\"kk/a\"}}}]}\n" DELETE("ckf-1") GONE,
         CK_OK, ""},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

static void hashing(void **state)
{
    static const struct wire_case t[] = {
        {"ok", HASH, STAT SIGNED OK_META, CK_OK, "md5:" HELLO_MD5},
        COMMON(HASH, STAT, OK_META, "md5:" HELLO_MD5),
        {"absent", HASH, STAT NOT_FOUND, CK_NOT_FOUND, "404 NotFound"},
        {"not known", HASH, STAT "< 200\n" PARTIAL("k", "7", ""), CK_OK, ""},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

/* ---- locations ---- */

static void refused_locations_name_the_nearest_one(void **state)
{
    static const struct {
        const char *url, *text;
    } t[] = {
        {"k8s://c/Kops_State/x", "the nearest that works is \"kops-state\""},
        {"k8s://c/-a-/x", "the nearest that works is \"a\""},
        {"k8s://c/a%2Fb", "the nearest that works is \"a-b\""},
        {"k8s://c/_", "the nearest that works is \"kops-state\""},
        {"k8s://c/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
         "is \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
        {"k8s://c/ns/a%0ab", "the nearest that works is \"ab\""},
        {"k8s://c/ns/a%ffb", "the nearest that works is \"ab\""},
        {"k8s://a%0ab/ns", "the nearest that works is \"ab\""},
        {"k8s://c/ns/%zz", "invalid k8s path"},
        {"k8s://c/ns/a\nb", "control characters"},
        {"k8s://c/ns/../b", "\"..\" is not allowed"},
        {"k8s://user:pw@c/ns", "credentials do not belong in a URL"},
    };
    struct ck_env env = {0};
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_vfs_ctx ctx = {.env = &env, .arena = a};
        struct ck_path p;
        if (ck_vfs_parse(&ctx, t[i].url, &p, &err) != -CK_INVALID ||
            !strstr(ck_err_msg(&err), t[i].text))
            fail_msg("%s: %s", t[i].url, ck_err_msg(&err));
    }
}

static void a_location_and_its_text_are_the_same(void **state)
{
    static const struct {
        const char *url, *text, *key;
    } t[] = {
        {"k8s://", "k8s:////", ""},
        {"k8s://c", "k8s://c//", ""},
        {"k8s:///ns", "k8s:///ns/", ""},
        {"k8s://c/ns/a/b", "k8s://c/ns/a/b", "a/b"},
        {"k8s://c//a/b", "k8s://c//a/b", "a/b"},
        {"k8s://arn:aws:eks:r:1:cluster%2Fx/ns/a",
         "k8s://arn%3Aaws%3Aeks%3Ar%3A1%3Acluster%2Fx/ns/a", "a"},
        {"k8s://me%40there/ns", "k8s://me%40there/ns/", ""},
    };
    struct ck_env env = {0};
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_vfs_ctx ctx = {.env = &env, .arena = a};
        struct ck_path p, q;
        assert_int_equal(ck_vfs_parse(&ctx, t[i].url, &p, &err), 0);
        assert_string_equal(p.key, t[i].key);
        assert_string_equal(ck_path_text(a, &p), t[i].text);
        assert_int_equal(ck_vfs_parse(&ctx, ck_path_text(a, &p), &q, &err), 0);
        assert_ptr_equal(p.vfs, q.vfs);
        assert_string_equal(p.key, q.key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),
        cmocka_unit_test(reading_parts),
        cmocka_unit_test(a_part_larger_than_a_secret_is_refused),
        cmocka_unit_test(creating),
        cmocka_unit_test(updating),
        cmocka_unit_test(writing),
        cmocka_unit_test(writing_parts),
        cmocka_unit_test(parts_that_were_left_behind),
        cmocka_unit_test(removing),
        cmocka_unit_test(listing),
        cmocka_unit_test(finding),
        cmocka_unit_test(removing_trees),
        cmocka_unit_test(hashing),
        cmocka_unit_test(refused_locations_name_the_nearest_one),
        cmocka_unit_test(a_location_and_its_text_are_the_same),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
