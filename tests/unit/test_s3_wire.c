/* S3 on the wire: for each operation the exact requests, and what comes of each kind of reply.
 * The transport follows a script; nothing is sent. */
#include "store_wire.h"

#include "answering.h"
#include "vfs/object/marks.h"
#include "vfs/s3/locate.h"

#define EAST     "https://bkt.s3.dualstack.us-east-1.amazonaws.com"
#define WEST     "https://bkt.s3.dualstack.us-west-2.amazonaws.com"
#define LIST     "?delimiter=%2F&encoding-type=url&list-type=2&prefix=k%2F"
#define TREE     "?encoding-type=url&list-type=2&prefix=k%2F"
#define VERSIONS "?prefix=k&versions"

#define ERR(code) "<= <Error><Code>" code "</Code><Message>m</Message></Error>\n"
#define MALFORMED                                                                                  \
    "< 400\n<= <Error><Code>AuthorizationHeaderMalformed</Code><Region>us-west-2</Region>"         \
    "</Error>\n"
#define ELSEWHERE(status)                                                                          \
    "< " status "\n< x-amz-bucket-region: us-west-2\n" ERR("PermanentRedirect")
#define HELLO_MD5 "5d41402abc4b2a76b9719d911017c592"
#define OLD       "\"11111111111111111111111111111111\""
#define OK_HELLO  "< 200\n< etag: \"" HELLO_MD5 "\"\n<= hello\n"
#define OK_PUT    "< 200\n< etag: \"" HELLO_MD5 "\"\n"

#define ARN "arn:aws:iam::123456789012:user/ops"
#define WHO                                                                                        \
    "> POST https://sts.us-east-1.amazonaws.com/\n> authorization: *us-east-1/sts/aws4_request*\n" \
    ">= Action=GetCallerIdentity&Version=2011-06-15\n< 200\n<= <GetCallerIdentityResponse>"        \
    "<GetCallerIdentityResult><Arn>" ARN "</Arn></GetCallerIdentityResult>"                        \
    "</GetCallerIdentityResponse>\n"

static int put_one(void *arg, size_t i, struct ck_slice data, const struct ck_version *version,
                   struct ck_err *item_err)
{
    char *found[2];
    memcpy(found, arg, sizeof found);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (item_err->code == CK_OK)
        ck_buf_fmt(&b, "%.*s %s", CK_SARG(data), version->token);
    else
        ck_buf_fmt(&b, "%s: %s", ck_code_name(item_err->code), ck_err_msg(item_err));
    strncat(found[i], ck_buf_str(&b), 500);
    return 0;
}

/* Objects k and l, and what came of each. */
static int read_two(const struct ck_path *p, struct ck_buf *out, struct ck_err *err)
{
    static const char *const keys[] = {"k", "l"};
    char text[2][512] = {"", ""};
    char *found[2] = {text[0], text[1]};
    int r = ck_vfs_read_many(p, keys, 2, put_one, found, err);
    ck_buf_fmt(out, "%s | %s", text[0], text[1]);
    return r;
}

static const char *const base_env[] = {
    "AWS_ACCESS_KEY_ID", "AKID", "AWS_SECRET_ACCESS_KEY", "very-secret", "AWS_REGION",
    "us-east-1",         "HOME", "/nonexistent",          NULL};

static const struct wire_store store = {.old = OLD,
                                        .env = base_env,
                                        .secret = "very-secret",
                                        .random_after = ' ',
                                        .read_two = read_two};

static void check(const struct wire_case *c, const char *url, const char *const *more_env)
{
    struct wire_store s = store;
    s.url = url;
    s.more_env = more_env;
    struct wire_case with = *c;
    CK_AUTOBUF struct ck_buf script = CK_BUF_INIT;
    /* After a denial the identity is asked for, once, and named. */
    if (!more_env && strstr(c->script, "< 403\n") && !strstr(c->script, "InvalidAccess")) {
        ck_buf_fmt(&script, "%s%s", c->script, WHO);
        with.script = ck_buf_str(&script);
        s.also = c->code == CK_DENIED ? " as " ARN " (AKID from environment) in us-" : NULL;
    }
    wire_check(&s, &with);
}

static void check_all(const struct wire_case *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(&c[i], "s3://bkt/k", NULL);
}

#define SIGNED "> authorization: AWS4-HMAC-SHA256 Credential=AKID/*/us-east-1/s3/aws4_request, *\n"
#define GET    "> GET " EAST "/k\n"
/* The ETag of one version with the content of another. */
#define MIXED_REPLY "< 200\n< etag: " OLD "\n<= hello\n"
#define MIXED       GET MIXED_REPLY
#define GET_WEST    "> GET " WEST "/k\n> authorization: *us-west-2/s3*\n"

/* Replies that every operation meets the same way, for an operation of one request. */
#define COMMON(op, request, west, ok, result)                                                      \
    {#op " moved by 301", op, request ELSEWHERE("301") west ok, CK_OK, result},                    \
        {#op " moved by 307", op, request ELSEWHERE("307") west ok, CK_OK, result},                \
        {#op " moved by 400", op, request MALFORMED west ok, CK_OK, result},                       \
        {#op " denied", op, request "< 403\n" ERR("AccessDenied"), CK_DENIED, "403 AccessDenied"}, \
        {#op " in no bucket", op, request "< 404\n" ERR("NoSuchBucket"), CK_INVALID,               \
         "the bucket \"bkt\" does not exist at "},                                                 \
        {#op " after a 500", op, request "< 500\n" ERR("InternalError") request ok, CK_OK,         \
         result},                                                                                  \
        {#op " after SlowDown", op, request "< 503\n" ERR("SlowDown") request ok, CK_OK, result},  \
        {#op " after a broken connection", op, request "! reset\n" request ok, CK_OK, result},     \
        {#op " with a web page for an error", op,                                                  \
         request "< 403\n< content-type: text/html\n<= <html><p>No & no<br></html>\n", CK_DENIED,  \
         "403 Forbidden"},                                                                         \
        {#op " with an expired session", op, request "< 400\n" ERR("ExpiredToken"),                \
         CK_UNAUTHENTICATED, "sign in again"},                                                     \
    {                                                                                              \
#op " with an unknown key", op, request "< 403\n" ERR("InvalidAccessKeyId"),               \
            CK_UNAUTHENTICATED, "not known there"                                                  \
    }

static void reading(void **state)
{
    static const struct wire_case t[] = {
        {"ok", READ,
         GET SIGNED "> x-amz-content-sha256: e3b0c44298fc1c14*\n> x-amz-date: *Z\n" OK_HELLO, CK_OK,
         "hello \"" HELLO_MD5 "\""},
        {"empty", READ, GET "< 200\n< etag: \"d41d8cd98f00b204e9800998ecf8427e\"\n", CK_OK,
         " \"d41d8cd98f00b204e9800998ecf8427e\""},
        COMMON(READ, GET, GET_WEST, OK_HELLO, "hello \"" HELLO_MD5 "\""),
        {"absent", READ, GET "< 404\n" ERR("NoSuchKey"), CK_NOT_FOUND, "404 NoSuchKey"},
        {"absent, empty body", READ, GET "< 404\n", CK_NOT_FOUND, "404 Not Found"},
        {"broken XML", READ, GET "< 404\n<= <Error><Code>NoSuchKey</Co\n", CK_NOT_FOUND, "404"},
        {"damaged", READ, MIXED GET MIXED_REPLY GET MIXED_REPLY, CK_UNAVAILABLE,
         "does not match the server's MD5"},
        {"being replaced", READ, MIXED GET MIXED_REPLY GET OK_HELLO, CK_OK,
         "hello \"" HELLO_MD5 "\""},
        {"being replaced, then gone", READ, MIXED GET "< 404\n" ERR("NoSuchKey"), CK_NOT_FOUND,
         "404 NoSuchKey"},
        {"multipart tags are no MD5", READ,
         GET "< 200\n< etag: \"11111111111111111111111111111111-2\"\n<= hello\n", CK_OK,
         "hello \"11111111111111111111111111111111-2\""},
        {"tags of encrypted objects are no MD5", READ,
         GET "< 200\n< etag: " OLD "\n< x-amz-server-side-encryption: aws:kms\n<= hello\n", CK_OK,
         "hello " OLD},
        {"cut short, then whole", READ, GET OK_HELLO "! truncate\n" GET OK_HELLO, CK_OK,
         "hello \"" HELLO_MD5 "\""},
        {"always failing", READ,
         GET "< 500\n" ERR("InternalError") GET "< 500\n" ERR("InternalError") GET
         "< 500\n" ERR("InternalError"),
         CK_UNAVAILABLE, "500 InternalError"},
        {"moved without saying where", READ,
         GET "< 301\n< location: https://evil.example.com/\n" ERR("PermanentRedirect"), CK_INVALID,
         "301 PermanentRedirect"},
        {"moved to what is no region", READ,
         GET "< 301\n< x-amz-bucket-region: evil.example.com/\n" ERR("PermanentRedirect"),
         CK_INVALID, "301 PermanentRedirect"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define PUT      "> PUT " EAST "/k\n"
#define PUT_WEST "> PUT " WEST "/k\n"
#define HEAD     "> HEAD " EAST "/k\n"
#define TAG      "\"" HELLO_MD5 "\""

static void writing(void **state)
{
    static const struct wire_case t[] = {
        {"ok", WRITE,
         PUT SIGNED "> content-md5: XUFAKrxLKna5cZ2REBfFkg==\n> !if-match\n> !if-none-match\n"
                    "> !x-amz-acl\n> !x-amz-server-side-encryption\n"
                    "> x-amz-content-sha256: 2cf24dba5fb0a30e*\n>= hello\n" OK_PUT,
         CK_OK, TAG},
        COMMON(WRITE, PUT, PUT_WEST, OK_PUT, TAG),
        {"no tag in the reply", WRITE, PUT "< 200\n", CK_OK, ""},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define THEIRS     HEAD "< 200\n< x-amz-meta-ckops-write: other\n"
#define CREATE_PUT PUT "> if-none-match: *\n> !if-match\n> x-amz-meta-ckops-write: *\n>= hello\n"
#define BUSY       "< 409\n" ERR("ConditionalRequestConflict")
#define E500       "< 500\n" ERR("InternalError")

static void creating(void **state)
{
    static const struct wire_case t[] = {
        {"ok", CREATE, CREATE_PUT OK_PUT, CK_OK, TAG},
        COMMON(CREATE, CREATE_PUT, PUT_WEST "> if-none-match: *\n", OK_PUT, TAG),
        {"exists", CREATE, CREATE_PUT "< 412\n" ERR("PreconditionFailed") THEIRS, CK_EXISTS,
         "file already exists"},
        {"busy, then ok", CREATE, CREATE_PUT BUSY CREATE_PUT OK_PUT, CK_OK, TAG},
        {"busy, then exists", CREATE,
         CREATE_PUT BUSY CREATE_PUT "< 412\n" HEAD "< 200\n< x-amz-meta-ckops-write: other\n",
         CK_EXISTS, "file already exists"},
        {"somebody else's after a resend", CREATE,
         CREATE_PUT "! reset\n" CREATE_PUT "< 412\n" HEAD
                    "< 200\n< x-amz-meta-ckops-write: other\n",
         CK_EXISTS, "file already exists"},
        {"refused after a resend, and no look", CREATE,
         CREATE_PUT "! reset\n" CREATE_PUT "< 412\n" HEAD "< 403\n", CK_DENIED,
         "the outcome of the write is unknown"},
        {"broken for good, nothing there", CREATE,
         CREATE_PUT "! reset\n" CREATE_PUT "! reset\n" CREATE_PUT "! reset\n" HEAD "< 404\n",
         CK_UNAVAILABLE, "the connection broke"},
        {"broken for good, and no look", CREATE,
         CREATE_PUT "! reset\n" CREATE_PUT "! reset\n" CREATE_PUT "! reset\n" HEAD "! refuse\n" HEAD
                    "! refuse\n" HEAD "! refuse\n",
         CK_UNAVAILABLE, "the outcome of the write is unknown"},
        {"failing for good, nothing there", CREATE,
         CREATE_PUT E500 CREATE_PUT E500 CREATE_PUT E500 HEAD "< 404\n", CK_UNAVAILABLE,
         "500 InternalError"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define UPDATE_PUT PUT "> if-match: " OLD "\n> !if-none-match\n> x-amz-meta-ckops-write: *\n"

/* The object carries these marks, then the one of a base without marks: its ETag's beginning. */
#define ON_OLD(marks)                                                                              \
    HEAD "< 200\n< etag: \"2\"\n< x-amz-meta-ckops-write: " marks "1111111111111111\n"
#define BROKEN UPDATE_PUT "! reset\n" UPDATE_PUT "! reset\n" UPDATE_PUT "! reset\n"

#define ALWAYS_BUSY UPDATE_PUT BUSY UPDATE_PUT BUSY UPDATE_PUT BUSY UPDATE_PUT BUSY UPDATE_PUT BUSY

static void updating(void **state)
{
    static const struct wire_case t[] = {
        {"ok", UPDATE, UPDATE_PUT OK_PUT, CK_OK, TAG},
        COMMON(UPDATE, UPDATE_PUT, PUT_WEST "> if-match: " OLD "\n", OK_PUT, TAG),
        {"changed", UPDATE, UPDATE_PUT "< 412\n" ERR("PreconditionFailed") THEIRS, CK_CONFLICT,
         "changed by someone else"},
        {"removed", UPDATE, UPDATE_PUT "< 404\n" ERR("NoSuchKey") HEAD "< 404\n", CK_CONFLICT,
         "changed by someone else"},
        {"removed, empty body", UPDATE, UPDATE_PUT "< 404\n" HEAD "< 404\n", CK_CONFLICT,
         "changed by someone else"},
        {"changed, and no look", UPDATE, UPDATE_PUT "< 412\n" HEAD "< 403\n", CK_CONFLICT,
         "changed by someone else"},
        {"changed before a resend, by one that built on what was read", UPDATE,
         UPDATE_PUT "! reset\n" UPDATE_PUT "< 412\n" ON_OLD("bb.aa."), CK_CONFLICT,
         "changed by someone else"},
        {"changed after a resend: ours may be beneath", UPDATE,
         UPDATE_PUT "! reset\n" UPDATE_PUT "< 412\n" THEIRS, CK_UNAVAILABLE,
         "the outcome of the write is unknown"},
        {"changed more often than the marks reach back", UPDATE,
         UPDATE_PUT "< 412\n" HEAD "< 200\n< x-amz-meta-ckops-write: " FULL_OF_OTHERS "\n",
         CK_UNAVAILABLE, "the outcome of the write is unknown"},
        {"removed after a resend", UPDATE,
         UPDATE_PUT "! reset\n" UPDATE_PUT "< 404\n" ERR("NoSuchKey") HEAD "< 404\n",
         CK_UNAVAILABLE, "the outcome of the write is unknown"},
        {"denied after a resend, and nothing changed", UPDATE,
         UPDATE_PUT "! reset\n" UPDATE_PUT "< 403\n" ERR("AccessDenied") HEAD "< 200\n< etag: " OLD
                                                                              "\n",
         CK_DENIED, "403 AccessDenied"},
        {"denied after a resend, and others have written on what was read", UPDATE,
         UPDATE_PUT "! reset\n" UPDATE_PUT "< 403\n" ERR("AccessDenied") ON_OLD("aa."), CK_CONFLICT,
         "changed by someone else"},
        {"denied after a resend, and no look", UPDATE,
         UPDATE_PUT "! reset\n" UPDATE_PUT "< 403\n" ERR("AccessDenied") HEAD "< 403\n", CK_DENIED,
         "the outcome of the write is unknown"},
        {"broken for good, nothing changed", UPDATE, BROKEN HEAD "< 200\n< etag: " OLD "\n",
         CK_UNAVAILABLE, "the connection broke"},
        {"broken for good, changed on top of what was read", UPDATE, BROKEN ON_OLD("aa."),
         CK_CONFLICT, "changed by someone else"},
        {"broken for good, changed by who knows whom", UPDATE, BROKEN THEIRS, CK_UNAVAILABLE,
         "the connection broke"},
        {"busy, then ok", UPDATE, UPDATE_PUT BUSY UPDATE_PUT OK_PUT, CK_OK, TAG},
        {"always busy, nothing changed", UPDATE, ALWAYS_BUSY HEAD "< 200\n< etag: " OLD "\n",
         CK_CONFLICT, "409 ConditionalRequestConflict"},
        {"always busy, and changed on top of what was read", UPDATE, ALWAYS_BUSY ON_OLD("aa."),
         CK_CONFLICT, "changed by someone else"},
        {"always busy, and no look", UPDATE, ALWAYS_BUSY HEAD "< 403\n", CK_CONFLICT,
         "the outcome of the write is unknown"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define DEL "> DELETE " EAST "/k\n"

static void removing(void **state)
{
    static const struct wire_case t[] = {
        {"ok", REMOVE, DEL SIGNED "> !if-match\n< 204\n", CK_OK, ""},
        COMMON(REMOVE, DEL, "> DELETE " WEST "/k\n", "< 204\n", ""),
        {"absent", REMOVE, DEL "< 404\n" ERR("NoSuchKey"), CK_OK, ""},
        {"absent, empty body", REMOVE, DEL "< 404\n", CK_OK, ""},
        {"of a version", REMOVE_OLD,
         HEAD "< 200\n< etag: " OLD "\n" DEL "> if-match: " OLD "\n< 204\n", CK_OK, ""},
        {"of a stale version", REMOVE_OLD, HEAD "< 200\n< etag: \"2\"\n", CK_CONFLICT,
         "changed by someone else"},
        {"of a version that is gone", REMOVE_OLD, HEAD "< 404\n", CK_CONFLICT,
         "changed by someone else"},
        {"of a version that changes meanwhile", REMOVE_OLD,
         HEAD "< 200\n< etag: " OLD "\n" DEL "< 412\n" ERR("PreconditionFailed"), CK_CONFLICT,
         "changed by someone else"},
        {"of a version, sent twice and done the first time", REMOVE_OLD,
         HEAD "< 200\n< etag: " OLD "\n" DEL "! reset\n" DEL "< 412\n" HEAD "< 404\n", CK_OK, ""},
        {"of a version, sent twice and gone the second time", REMOVE_OLD,
         HEAD "< 200\n< etag: " OLD "\n" DEL "! reset\n" DEL "< 404\n", CK_OK, ""},
        {"of a version, sent twice and changed in between", REMOVE_OLD,
         HEAD "< 200\n< etag: " OLD "\n" DEL "! reset\n" DEL "< 412\n" HEAD
              "< 200\n< etag: \"2\"\n",
         CK_CONFLICT, "changed by someone else"},
        {"of a version, sent twice, and no look", REMOVE_OLD,
         HEAD "< 200\n< etag: " OLD "\n" DEL "! reset\n" DEL "< 412\n" HEAD "< 403\n", CK_DENIED,
         "the outcome of the removal is unknown"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define PAGE(body)                                                                                 \
    "<= <ListBucketResult><EncodingType>url</EncodingType>" body "</ListBucketResult>\n"
#define FILE_(key) "<Contents><Key>" key "</Key><Size>1</Size></Contents>"
#define DIR_(key)  "<CommonPrefixes><Prefix>" key "</Prefix></CommonPrefixes>"
#define TWO        "< 200\n" PAGE(FILE_("k/b") FILE_("k/a+b%2Bc") FILE_("k/") DIR_("k/d/") DIR_("k/c/"))
#define NEXT       "<IsTruncated>true</IsTruncated><NextContinuationToken>t/1</NextContinuationToken>"

static void listing(void **state)
{
#define L  "> GET " EAST "/" LIST "\n"
#define T  "> GET " EAST "/" TREE "\n"
#define L2 "> GET " EAST "/?continuation-token=t%2F1&" /* the rest follows */
    static const struct wire_case t[] = {
        {"files", LIST_FILES, L SIGNED TWO, CK_OK, "a b+c b"},
        {"folders", LIST_DIRS, L TWO, CK_OK, "c d"},
        {"everything", LIST_TREE, T "< 200\n" PAGE(FILE_("k/x/y") FILE_("k/a")), CK_OK, "a x/y"},
        {"nothing", LIST_FILES, L "< 200\n" PAGE(""), CK_OK, ""},
        {"pages", LIST_FILES,
         L "< 200\n" PAGE(FILE_("k/a") NEXT) "> GET " EAST
                                             "/?continuation-token=t%2F1&delimiter=%2F&encoding-"
                                             "type=url&list-type=2&prefix=k%2F\n"
                                             "< 200\n" PAGE(FILE_("k/b")),
         CK_OK, "a b"},
        {"pages of folders", LIST_DIRS,
         L "< 200\n" PAGE(DIR_("k/a/") NEXT) L2 "delimiter=%2F&encoding-type=url&list-type=2&"
                                                "prefix=k%2F\n< 200\n" PAGE(DIR_("k/b/")),
         CK_OK, "a b"},
        COMMON(LIST_FILES, L, "> GET " WEST "/" LIST "\n", TWO, "a b+c b"),
        COMMON(LIST_DIRS, L, "> GET " WEST "/" LIST "\n", TWO, "c d"),
        COMMON(LIST_TREE, T, "> GET " WEST "/" TREE "\n", "< 200\n" PAGE(FILE_("k/a")), "a"),
        {"404 with an empty body is the bucket's", LIST_FILES, L "< 404\n", CK_INVALID, "404"},
        {"broken XML", LIST_FILES, L "< 200\n<= <ListBucketResult><Contents>\n", CK_INVALID,
         "error listing s3://bkt/k/"},
        {"a web page", LIST_FILES, L "< 200\n<= <html><body>Sign in</body></html>\n",
         CK_UNAVAILABLE, "not a bucket listing"},
        {"an empty reply", LIST_DIRS, L "< 200\n", CK_INVALID, "error listing s3://bkt/k/"},
        {"truncated without a token", LIST_TREE,
         T "< 200\n" PAGE("<IsTruncated>true</IsTruncated>"), CK_UNAVAILABLE,
         "without a continuation token"},
        {"a token that repeats", LIST_TREE,
         T "< 200\n" PAGE(NEXT) L2 "encoding-type=url&list-type=2&prefix=k%2F\n< 200\n" PAGE(NEXT),
         CK_UNAVAILABLE, "repeats a page"},
        {"keys outside of the prefix are not taken", LIST_TREE,
         T "< 200\n" PAGE(FILE_("other/x") FILE_("k/a")), CK_OK, "a"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define POST    "> POST " EAST "/?delete\n> content-md5: *==\n> content-type: application/xml\n"
#define FOUND   T "< 200\n" PAGE(FILE_("k/a") FILE_("k/b"))
#define DELETED "< 200\n<= <DeleteResult></DeleteResult>\n"
#define FAILED(key, code)                                                                          \
    "<Error><Key>" key "</Key><Code>" code "</Code><Message>m</Message></Error>"

static void removing_trees(void **state)
{
    static const struct wire_case t[] = {
        {"ok", REMOVE_TREE,
         FOUND POST ">= <Delete*<Key>k/a</Key>*<Key>k/b</Key>*</Delete>\n" DELETED, CK_OK, ""},
        {"nothing there", REMOVE_TREE, T "< 200\n" PAGE(""), CK_OK, ""},
        COMMON(REMOVE_TREE, FOUND POST, "> POST " WEST "/?delete\n", DELETED, "") /* see below */,
        {"one is refused", REMOVE_TREE,
         FOUND POST "< 200\n<= <DeleteResult>" FAILED("k/b", "AccessDenied") "</DeleteResult>\n",
         CK_DENIED,
         "error removing 1 of 2 files from s3://bkt: s3:DeleteObject; k/b: AccessDenied: m"},
        {"gone meanwhile", REMOVE_TREE,
         FOUND POST "< 200\n<= <DeleteResult>" FAILED("k/b", "NoSuchKey") "</DeleteResult>\n",
         CK_OK, ""},
        {"broken XML", REMOVE_TREE, FOUND POST "< 200\n<= <DeleteResult>\n", CK_INVALID,
         "error deleting"},
        {"a web page", REMOVE_TREE, FOUND POST "< 200\n<= <html></html>\n", CK_UNAVAILABLE,
         "not a deletion result"},
        {"the listing is denied", REMOVE_TREE, T "< 403\n" ERR("AccessDenied"), CK_DENIED,
         "s3:ListBucket"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++)
        if (!strstr(t[i].name, " after ")) /* a repetition lists once, not twice */
            check(&t[i], "s3://bkt/k", NULL);
    static const struct wire_case again[] = {
        {"500, then ok", REMOVE_TREE, FOUND POST E500 POST DELETED, CK_OK, ""},
        {"SlowDown, then ok", REMOVE_TREE, FOUND POST "< 503\n" ERR("SlowDown") POST DELETED, CK_OK,
         ""},
        {"reset, then ok", REMOVE_TREE, FOUND POST "! reset\n" POST DELETED, CK_OK, ""},
    };
    check_all(again, CK_ARRAY_LEN(again));
}

#define V                     "> GET " EAST "/" VERSIONS "\n"
#define VERSION_(el, key, id) "<" el "><Key>" key "</Key><VersionId>" id "</VersionId></" el ">"
#define LVR(body)             "< 200\n<= <ListVersionsResult>" body "</ListVersionsResult>\n"
#define ONE                   LVR(VERSION_("Version", "k", "v1"))

static void removing_versions(void **state)
{
    static const struct wire_case t[] = {
        {"ok", REMOVE_VERSIONS,
         V LVR(VERSION_("Version", "k", "v1") VERSION_("DeleteMarker", "k", "v2") VERSION_(
             "Version", "k2", "v3")) POST ">= "
                                          "*<Key>k</Key><VersionId>v1</VersionId>*<VersionId>v2</"
                                          "VersionId></Object></Delete>\n" DELETED,
         CK_OK, ""},
        {"none", REMOVE_VERSIONS, V LVR(VERSION_("Version", "k2", "v3")), CK_NOT_FOUND,
         "file does not exist"},
        {"pages", REMOVE_VERSIONS,
         V LVR(
             VERSION_("Version", "k",
                      "v1") "<IsTruncated>true</IsTruncated>"
                            "<NextKeyMarker>k</NextKeyMarker><NextVersionIdMarker>v1</"
                            "NextVersionIdMarker>") "> GET " EAST
                                                    "/?key-marker=k&prefix=k&version-id-marker=v1&"
                                                    "versions\n" LVR(VERSION_("Version", "k", "v2"))
                                                        POST ">= *v1*v2*\n" DELETED,
         CK_OK, ""},
        {"moved", REMOVE_VERSIONS,
         V ELSEWHERE("301") "> GET " WEST "/" VERSIONS "\n" ONE "> POST " WEST "/?delete\n" DELETED,
         CK_OK, ""},
        {"denied", REMOVE_VERSIONS, V "< 403\n" ERR("AccessDenied"), CK_DENIED,
         "s3:ListBucketVersions"},
        {"no bucket", REMOVE_VERSIONS, V "< 404\n" ERR("NoSuchBucket"), CK_INVALID,
         "does not exist at"},
        {"500, then ok", REMOVE_VERSIONS, V E500 V ONE POST DELETED, CK_OK, ""},
        {"SlowDown, then ok", REMOVE_VERSIONS, V "< 503\n" ERR("SlowDown") V ONE POST DELETED,
         CK_OK, ""},
        {"one is refused", REMOVE_VERSIONS,
         V ONE POST "< 200\n<= <DeleteResult>" FAILED("k", "AccessDenied") "</DeleteResult>\n",
         CK_DENIED, "k: AccessDenied"},
        {"gone meanwhile", REMOVE_VERSIONS,
         V ONE POST "< 200\n<= <DeleteResult>" FAILED("k", "NoSuchVersion") "</DeleteResult>\n",
         CK_OK, ""},
        {"broken XML", REMOVE_VERSIONS, V "< 200\n<= <ListVersionsResult>\n", CK_INVALID,
         "error listing versions of k"},
        {"a web page", REMOVE_VERSIONS, V "< 200\n<= <html></html>\n", CK_UNAVAILABLE, "listing"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

static void hashing(void **state)
{
#define HEAD_WEST "> HEAD " WEST "/k\n"
    static const struct wire_case t[] = {
        {"ok", HASH, HEAD SIGNED OK_PUT, CK_OK, "md5:" HELLO_MD5},
        {"multipart", HASH, HEAD "< 200\n< etag: \"11111111111111111111111111111111-2\"\n", CK_OK,
         ""},
        {"no tag", HASH, HEAD "< 200\n", CK_OK, ""},
        {"encrypted", HASH,
         HEAD "< 200\n< etag: " OLD "\n< x-amz-server-side-encryption: aws:kms\n", CK_OK, ""},
        {"absent", HASH, HEAD "< 404\n", CK_NOT_FOUND, "file does not exist"},
        {"moved", HASH, HEAD "< 301\n< x-amz-bucket-region: us-west-2\n" HEAD_WEST OK_PUT, CK_OK,
         "md5:" HELLO_MD5},
        {"moved by 400", HASH, HEAD "< 400\n< x-amz-bucket-region: us-west-2\n" HEAD_WEST OK_PUT,
         CK_OK, "md5:" HELLO_MD5},
        {"denied", HASH, HEAD "< 403\n", CK_DENIED, "403 Forbidden"},
        {"500, then ok", HASH, HEAD "< 500\n" HEAD OK_PUT, CK_OK, "md5:" HELLO_MD5},
        {"503, then ok", HASH, HEAD "< 503\n" HEAD OK_PUT, CK_OK, "md5:" HELLO_MD5},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

static void locating(void **state)
{
#define BUCKET      "> HEAD " EAST "/\n"
#define BUCKET_WEST "> HEAD " WEST "/\n> authorization: *us-west-2/s3*\n"
#define IN(r)       "< x-amz-bucket-region: " r "\n"
    static const char at_east[] = "us-east-1 https://bkt.s3.us-east-1.amazonaws.com/k";
    static const char at_west[] = "us-west-2 https://bkt.s3.us-west-2.amazonaws.com/k";
    static const struct wire_case t[] = {
        {"ok", LOCATE, BUCKET SIGNED "< 200\n" IN("us-east-1"), CK_OK, at_east},
        {"moved", LOCATE, BUCKET "< 301\n" IN("us-west-2") BUCKET_WEST "< 200\n", CK_OK, at_west},
        {"moved by 400", LOCATE, BUCKET "< 400\n" IN("us-west-2") BUCKET_WEST "< 200\n", CK_OK,
         at_west},
        {"denied", LOCATE, BUCKET "< 403\n" IN("us-east-1"), CK_OK, at_east},
        {"denied elsewhere", LOCATE, BUCKET "< 403\n" IN("us-west-2") BUCKET_WEST "< 403\n", CK_OK,
         at_west},
        {"moved to what is no region", LOCATE, BUCKET "< 301\n" IN("evil.example.com/"), CK_INVALID,
         "301"},
        {"no such bucket", LOCATE, BUCKET "< 404\n", CK_NOT_FOUND, "404"},
        {"503, then ok", LOCATE, BUCKET "< 503\n" BUCKET "< 200\n", CK_OK, at_east},
        {"a broken connection", LOCATE, BUCKET "! reset\n" BUCKET "< 200\n", CK_OK, at_east},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        struct wire_store s = store;
        s.url = "s3://bkt/k";
        wire_check(&s, &t[i]);
    }
    static const char *const custom[] = {
        "S3_ENDPOINT", "h/p/", "S3_ACCESS_KEY_ID", "AKID", "S3_SECRET_ACCESS_KEY",
        "very-secret", NULL};
    static const struct wire_case own = {"own endpoint", LOCATE, "", CK_OK,
                                         "us-east-1 https://h/p/bkt/k"};
    check(&own, "s3://bkt/k", custom);
}

static void addresses_are_those_of_aws(void **state)
{
    static const struct {
        const char *bucket, *key, *region, *url;
        bool dualstack;
    } t[] = {
        {"bucket", "", "us-east-1", "https://bucket.s3.us-east-1.amazonaws.com", false},
        {"bucket2-cn-ds", "path", "cn-north-1",
         "https://bucket2-cn-ds.s3.dualstack.cn-north-1.amazonaws.com.cn/path", true},
        {"b.kt", "a/b/", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/b.kt/a/b", false},
        {"Big", "", "eu-west-1", "https://s3.dualstack.eu-west-1.amazonaws.com/Big", true},
    };
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++)
        assert_string_equal(ck_s3_https_url(a, t[i].bucket, t[i].key, t[i].region, t[i].dualstack),
                            t[i].url);
}

#define GET_L "> GET " EAST "/l\n"
#define L_OK  GET_L OK_HELLO
#define K_OUT "hello \"" HELLO_MD5 "\" | "
#define L_OUT " | hello \"" HELLO_MD5 "\""

static void a_tree_that_is_announced_is_asked_for_with_the_read(void **state)
{
    static const struct wire_case t[] = {
        {"both at once", READ_AND_TREE,
         GET "! reset\n" T "< 200\n" PAGE(FILE_("k/x/y") FILE_("k/a")) GET OK_HELLO, CK_OK,
         "hello | a x/y"},
        {"a second page", READ_AND_TREE,
         GET OK_HELLO T "< 200\n" PAGE(FILE_("k/a") NEXT) L2
         "encoding-type=url&list-type=2&prefix=k%2F\n< 200\n" PAGE(FILE_("k/b")),
         CK_OK, "hello | a b"},
        {"the tree is refused once", READ_AND_TREE,
         GET OK_HELLO T "< 400\n" ERR("InvalidArgument") T "< 200\n" PAGE(FILE_("k/a")), CK_OK,
         "hello | a"},
        {"nothing to read", READ_AND_TREE,
         GET "< 404\n" ERR("NoSuchKey") T "< 200\n" PAGE("") GET "< 404\n" ERR("NoSuchKey"),
         CK_NOT_FOUND, "404 NoSuchKey"},
        {"what is read is damaged", READ_AND_TREE,
         MIXED T "< 200\n" PAGE("") GET MIXED_REPLY GET MIXED_REPLY, CK_UNAVAILABLE, "damaged"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

static void reading_many(void **state)
{
    static const struct wire_case t[] = {
        {"ok", READ_MANY, GET SIGNED OK_HELLO GET_L SIGNED OK_HELLO, CK_OK,
         K_OUT "hello \"" HELLO_MD5 "\""},
        {"one is absent", READ_MANY, GET "< 404\n" ERR("NoSuchKey") L_OK, CK_OK,
         "not-found: error fetching s3://bkt/k: s3:GetObject as AKID (from environment) in "
         "us-east-1: 404 NoSuchKey: m" L_OUT},
        {"one fails once", READ_MANY, GET E500 L_OK GET OK_HELLO, CK_OK,
         K_OUT "hello \"" HELLO_MD5 "\""},
        {"one is slowed down", READ_MANY, GET "< 503\n" ERR("SlowDown") L_OK GET OK_HELLO, CK_OK,
         K_OUT "hello \"" HELLO_MD5 "\""},
        {"one is cut short", READ_MANY, GET OK_HELLO "! truncate\n" L_OK GET OK_HELLO, CK_OK,
         K_OUT "hello \"" HELLO_MD5 "\""},
        {"one is reset", READ_MANY, GET "! reset\n" L_OK GET OK_HELLO, CK_OK,
         K_OUT "hello \"" HELLO_MD5 "\""},
        {"one is being replaced", READ_MANY, MIXED L_OK GET OK_HELLO, CK_OK,
         K_OUT "hello \"" HELLO_MD5 "\""},
        {"one is damaged", READ_MANY, MIXED L_OK GET MIXED_REPLY GET MIXED_REPLY, CK_OK,
         "unavailable: error reading s3://bkt/k: the content received does not match the server's "
         "MD5; it was damaged on the way or in the store" L_OUT},
        {"all moved", READ_MANY,
         GET ELSEWHERE("301") GET_L ELSEWHERE("301") GET_WEST OK_HELLO "> GET " WEST
                                                                       "/l\n" OK_HELLO,
         CK_OK, K_OUT "hello \"" HELLO_MD5 "\""},
        {"one is denied", READ_MANY, GET "< 403\n" ERR("AccessDenied") L_OK, CK_OK,
         "denied: error fetching s3://bkt/k: s3:GetObject as " ARN
         " (AKID from environment) in us-east-1: 403 AccessDenied: m; allow s3:GetObject on "
         "arn:aws:s3:::bkt/k" L_OUT},
        {"no bucket", READ_MANY, GET "< 404\n" ERR("NoSuchBucket") L_OK, CK_OK,
         "invalid: error fetching s3://bkt/k: s3:GetObject as AKID (from environment) in "
         "us-east-1: 404 NoSuchBucket: m; the bucket \"bkt\" does not exist at "
         "s3.dualstack.us-east-1.amazonaws.com" L_OUT},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

static void listing_many(void **state)
{
#define LK   "> GET " EAST "/" LIST "\n"
#define LL   "> GET " EAST "/?delimiter=%2F&encoding-type=url&list-type=2&prefix=l%2F\n"
#define IN_K "< 200\n" PAGE(DIR_("k/a/") DIR_("k/b/"))
#define IN_L "< 200\n" PAGE(DIR_("l/c/"))
#define K_NEXT                                                                                     \
    "> GET " EAST "/?continuation-token=t%2F1&delimiter=%2F&encoding-type=url&list-type=2&"        \
    "prefix=k%2F\n"
#define LK_WEST "> GET " WEST "/" LIST "\n"
    static const struct wire_case t[] = {
        {"ok", LIST_DIRS_MANY, LK SIGNED IN_K LL SIGNED IN_L, CK_OK, "a b | c"},
        {"one is empty", LIST_DIRS_MANY, LK "< 200\n" PAGE("") LL IN_L, CK_OK, " | c"},
        {"one has pages", LIST_DIRS_MANY,
         LK "< 200\n" PAGE(DIR_("k/a/") NEXT) LL IN_L K_NEXT "< 200\n" PAGE(DIR_("k/b/")), CK_OK,
         "a b | c"},
        {"one fails once", LIST_DIRS_MANY, LK E500 LL IN_L LK IN_K, CK_OK, "a b | c"},
        {"one is slowed down", LIST_DIRS_MANY, LK "< 503\n" ERR("SlowDown") LL IN_L LK IN_K, CK_OK,
         "a b | c"},
        {"one is reset", LIST_DIRS_MANY, LK "! reset\n" LL IN_L LK IN_K, CK_OK, "a b | c"},
        {"one is denied, twice", LIST_DIRS_MANY,
         LK "< 403\n" ERR("AccessDenied") LL IN_L LK "< 403\n" ERR("AccessDenied"), CK_DENIED,
         "s3:ListBucket"},
        {"no bucket", LIST_DIRS_MANY,
         LK "< 404\n" ERR("NoSuchBucket") LL "< 404\n" ERR("NoSuchBucket") LK
         "< 404\n" ERR("NoSuchBucket"),
         CK_INVALID, "does not exist at"},
        {"moved", LIST_DIRS_MANY, LK ELSEWHERE("301") LL IN_L LK ELSEWHERE("301") LK_WEST IN_K,
         CK_OK, "a b | c"},
        {"a web page", LIST_DIRS_MANY,
         LK "< 200\n<= <html></html>\n" LL IN_L LK "< 200\n<= <html></html>\n", CK_UNAVAILABLE,
         "not a bucket listing"},
        {"broken XML once", LIST_DIRS_MANY, LK "< 200\n<= <ListBucketResult>\n" LL IN_L LK IN_K,
         CK_OK, "a b | c"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define H2 "> HEAD https://h/p/bkt/k\n"
#define P2 "> PUT https://h/p/bkt/k\n"

static void other_endpoints_are_probed(void **state)
{
    static const char *const env[] = {
        "S3_ENDPOINT", "h/p/", "S3_ACCESS_KEY_ID", "AKID", "S3_SECRET_ACCESS_KEY",
        "very-secret", NULL};
    static const struct wire_case t[] = {
        {"honours conditions", CREATE,
         H2 "< 404\n" P2 "> if-none-match: *\n" OK_PUT P2 "> if-none-match: *\n< 412\n", CK_OK,
         TAG},
        {"ignores conditions", UPDATE,
         H2 "< 200\n< etag: " OLD "\n" P2 "> if-match: " OLD "\n" OK_PUT P2
            "> if-match: \"00000000000000000000000000000000\"\n< 200\n< etag: \"2\"\n",
         CK_OK, "\"2\""},
        {"exists already", CREATE, H2 "< 200\n< etag: " OLD "\n", CK_EXISTS, "already exists"},
        {"has changed already", UPDATE, H2 "< 200\n< etag: \"2\"\n", CK_CONFLICT, "changed by"},
        {"a region is not followed", READ, "> GET https://h/p/bkt/k\n" ELSEWHERE("301"), CK_INVALID,
         "301 PermanentRedirect"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++)
        check(&t[i], "s3://bkt/k", env);
}

static void settings_reach_the_wire(void **state)
{
    static const char *const env[] = {"KOPS_STATE_S3_ACL",
                                      "bucket-owner-full-control",
                                      "CKOPS_S3_SSE",
                                      "AES256",
                                      "AWS_SESSION_TOKEN",
                                      "tok",
                                      "AWS_USE_DUALSTACK_ENDPOINT",
                                      "false",
                                      NULL};
    static const struct wire_case t = {
        "settings", WRITE,
        "> PUT https://s3.us-east-1.amazonaws.com/b.kt/a%20b/%2B\n"
        "> x-amz-acl: bucket-owner-full-control\n> x-amz-server-side-encryption: AES256\n"
        "> x-amz-security-token: tok\n" OK_PUT,
        CK_OK, TAG};
    check(&t, "s3://b.kt/a b/+", env);
}

/* ---- a write whose reply is lost ---- */

/* Takes the first PUT and breaks the connection; what is asked then shows that the write is there.
 */
struct lossy {
    struct ck_arena *a;
    const char *nonce;
    unsigned puts, lost; /* PUTs so far; how many of the first ones get no reply */
    unsigned busy;       /* how many of those after them find another write under way */
    int later;           /* status of the rest */
    bool on_top;         /* others have written on top of it */
};

static void lossy_answer(void *arg, struct ck_send *s)
{
    struct lossy *l = arg;
    if (strcmp(s->req.method, "PUT") == 0) {
        const char *nonce = ck_nvs_get(&s->req.headers, "x-amz-meta-ckops-write");
        assert_non_null(nonce);
        if (l->puts)
            assert_string_equal(nonce, l->nonce); /* one mark for all sendings of one write */
        l->nonce = ck_arena_strdup(l->a, nonce);
        if (++l->puts <= l->lost) {
            ck_fail(s->err, CK_UNAVAILABLE, "the connection broke before the reply");
            return;
        }
        bool busy = l->puts <= l->lost + l->busy;
        ck_send_status(s, busy ? 409 : l->later);
        if (busy)
            ck_send_body(s, CK_S("<Error><Code>ConditionalRequestConflict</Code></Error>"));
        return;
    }
    assert_string_equal(s->req.method, "HEAD");
    ck_send_status(s, 200);
    ck_send_header(s, CK_S("etag"), CK_S(TAG));
    const char *marks = l->on_top ? ck_arena_printf(l->a, "bbbb.aaaa.%s", l->nonce) : l->nonce;
    ck_send_header(s, CK_S("x-amz-meta-ckops-write"), ck_slice_of(marks));
}

static void the_oldest_marks_fall_off(void **state)
{
    char marks[CK_MARKS_LEN];
    struct ck_version v = {"\"0123456789abcdef0123456789abcdef\""};
    ck_marks_new(v.token, marks);
    assert_string_equal(marks + CK_MARK_LEN, ".0123456789abcdef");
    char first[CK_MARKS_LEN];
    memcpy(first, marks, sizeof first);
    for (unsigned i = 1; i < 20; i++) {
        struct ck_version next = {"\"00112233445566778899aabbccddeeff\""};
        ck_marks_add(&next, marks);
        assert_int_equal(ck_marks_tag_len(next.token), 34);
        ck_marks_new(next.token, marks);
        size_t n = (i < CK_MARKS_KEPT - 1 ? i + 2 : CK_MARKS_KEPT);
        assert_int_equal(strlen(marks), n * (CK_MARK_LEN + 1) - 1);
        assert_int_equal(ck_marks_judge(first, marks),
                         i < CK_MARKS_KEPT ? CK_MARKS_OURS_ONCE : CK_MARKS_BURIED);
    }
    /* What a server sends for marks goes nowhere when it is none. */
    ck_marks_add(&v, "a b");
    ck_marks_add(&v, "../x");
    ck_marks_add(&v, NULL);
    assert_string_equal(v.token, "\"0123456789abcdef0123456789abcdef\"");
}

static void ones_own_write_is_known_again(void **state)
{
    static const struct {
        unsigned lost, busy;
        int later;
    } t[] = {{1, 0, 412}, {2, 0, 412}, {3, 0, 0}, {1, 1, 412}, {1, 9, 0}, {0, 0, 500}, {0, 0, 412}};
    for (size_t i = 0; i < 2 * CK_ARRAY_LEN(t); i++)
        for (enum op op = CREATE; op <= UPDATE; op++) {
            bool on_top = i >= CK_ARRAY_LEN(t);
            struct ck_env env = {0};
            ck_env_set(&env, "AWS_ACCESS_KEY_ID", "AKID");
            ck_env_set(&env, "AWS_SECRET_ACCESS_KEY", "very-secret");
            CK_AUTOARENA struct ck_arena *a = ck_arena_new();
            CK_AUTOERR err = CK_ERR_INIT;
            CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
            struct lossy l = {.a = a, .on_top = on_top};
            l.lost = t[i % CK_ARRAY_LEN(t)].lost;
            l.busy = t[i % CK_ARRAY_LEN(t)].busy;
            l.later = t[i % CK_ARRAY_LEN(t)].later;
            struct ck_vfs_ctx ctx = {.env = &env, .arena = a, .timeout_ms = 5000};
            struct answering answering = {lossy_answer, &l};
            ctx.http = ck_http_new(&env, &answering_ops, &answering);
            struct ck_path p;
            assert_int_equal(ck_vfs_parse(&ctx, "s3://bkt/k", &p, &err), 0);
            if (wire_run(&store, op, &p, a, &out, &err) != 0)
                fail_msg("case %zu: %s", i, ck_err_msg(&err));
            /* Beneath others' writes it has no version that could be compared with. */
            assert_string_equal(ck_buf_str(&out), on_top ? "" : TAG);
            ck_vfs_ctx_done(&ctx);
            ck_env_done(&env);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),
        cmocka_unit_test(writing),
        cmocka_unit_test(creating),
        cmocka_unit_test(updating),
        cmocka_unit_test(removing),
        cmocka_unit_test(listing),
        cmocka_unit_test(removing_trees),
        cmocka_unit_test(removing_versions),
        cmocka_unit_test(hashing),
        cmocka_unit_test(locating),
        cmocka_unit_test(addresses_are_those_of_aws),
        cmocka_unit_test(reading_many),
        cmocka_unit_test(a_tree_that_is_announced_is_asked_for_with_the_read),
        cmocka_unit_test(listing_many),
        cmocka_unit_test(other_endpoints_are_probed),
        cmocka_unit_test(settings_reach_the_wire),
        cmocka_unit_test(the_oldest_marks_fall_off),
        cmocka_unit_test(ones_own_write_is_known_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
