/* oss:// on the wire: for each operation the exact requests, and what comes of each kind of reply.
 * Nothing is sent. */
#include "store_wire.h"

#define HOST "https://bkt.oss-cn-hangzhou.aliyuncs.com"

static const char *const env[] = {
    "ALIYUN_ACCESS_KEY_ID", "LTAI", "ALIYUN_ACCESS_KEY_SECRET", "very-secret", "OSS_REGION",
    "oss-cn-hangzhou",      NULL};
static const struct wire_store store = {.url = "oss://bkt/k",
                                        .old = "\"E\" aa.bb",
                                        .env = env,
                                        .secret = "very-secret",
                                        .random_after = ' '};

static void check_all(const struct wire_case *t, size_t n)
{
    wire_check_all(&store, t, n);
}

#define SIGNED                                                                                     \
    "> authorization: OSS4-HMAC-SHA256 Credential=LTAI/20*/cn-hangzhou/oss/aliyun_v4_request,"     \
    "Signature=*\n> x-oss-date: 20*Z\n> x-oss-content-sha256: UNSIGNED-PAYLOAD\n> date: * GMT\n"
#define ERR(status, code)                                                                          \
    "< " #status "\n< x-oss-request-id: R-1\n"                                                     \
    "<= <?xml version=\"1.0\"?><Error><Code>" code                                                 \
    "</Code><Message>text of it</Message></Error>\n"
#define E500      ERR(500, "InternalError")
#define HELLO_MD5 "XUFAKrxLKna5cZ2REBfFkg=="
#define OK_HELLO                                                                                   \
    "< 200\n< etag: \"E\"\n< x-oss-meta-ckops-write: aa.bb\n< content-md5: " HELLO_MD5             \
    "\n<= hello\n"
#define AS " as LTAI (from ALIYUN_ACCESS_KEY_ID)"

/* Replies that every operation meets the same way. */
#define COMMON(op, request, ok, result)                                                            \
    {#op " denied", op, request ERR(403, "AccessDenied"), CK_DENIED,                               \
     AS ": 403 AccessDenied: text of it (request R-1); allow oss:"},                               \
        {#op " with a wrong secret", op, request ERR(403, "SignatureDoesNotMatch"),                \
         CK_UNAUTHENTICATED, "the secret key does not belong to this access key"},                 \
        {#op " with an unknown key", op, request ERR(403, "InvalidAccessKeyId"),                   \
         CK_UNAUTHENTICATED, "this access key is not known there"},                                \
        {#op " with an expired session", op, request ERR(403, "SecurityTokenExpired"),             \
         CK_UNAUTHENTICATED, "sign in again"},                                                     \
        {#op " in no bucket", op, request ERR(404, "NoSuchBucket"), CK_INVALID,                    \
         "the bucket \"bkt\" does not exist at oss-cn-hangzhou.aliyuncs.com"},                     \
        {#op " elsewhere", op,                                                                     \
         request "< 403\n<= <Error><Code>AccessDenied</Code><Endpoint>oss-cn-beijing.aliyuncs.com" \
                 "</Endpoint></Error>\n",                                                          \
         CK_DENIED,                                                                                \
         "the bucket is at oss-cn-beijing.aliyuncs.com, not oss-cn-hangzhou.aliyuncs.com"},        \
        {#op " after a 503", op, request ERR(503, "Busy") request ok, CK_OK, result},              \
        {#op " after a 500", op, request E500 request ok, CK_OK, result},                          \
        {#op " after a 429", op, request "< 429\n" request ok, CK_OK, result},                     \
        {#op " after a broken connection", op, request "! reset\n" request ok, CK_OK, result},     \
    {                                                                                              \
#op " with a web page for an error", op,                                                   \
            request "< 403\n<= <html><p>No & no<br></html>\n", CK_DENIED, "403 Forbidden"          \
    }

#define GET "> GET " HOST "/k\n"

static void reading(void **state)
{
    static const struct wire_case t[] = {
        {"ok", READ, GET SIGNED OK_HELLO, CK_OK, "hello \"E\" aa.bb"},
        {"by kOps", READ, GET "< 200\n< etag: \"E\"\n< last-modified: Fri, 01 Jan 2100\n<= hello\n",
         CK_OK, "hello \"E\"@Fri,_01_Jan_2100"},
        {"empty", READ, GET "< 200\n< etag: \"E\"\n< content-md5: 1B2M2Y8AsgTpgAmY7PhCfg==\n",
         CK_OK, " \"E\"@"},
        COMMON(READ, GET, OK_HELLO, "hello \"E\" aa.bb"),
        {"absent", READ, GET ERR(404, "NoSuchKey"), CK_NOT_FOUND, "404 NoSuchKey"},
        {"absent, without a body", READ, GET "< 404\n", CK_NOT_FOUND, "404 Not Found"},
        {"broken XML", READ, GET "< 404\n<= <Error><Code>NoSuchK\n", CK_NOT_FOUND, "404"},
        {"damaged", READ, GET "< 200\n< content-md5: AAAAAAAAAAAAAAAAAAAAAA==\n<= hello\n",
         CK_UNAVAILABLE, "does not match the server's MD5"},
        {"damaged, by the tag", READ,
         GET "< 200\n< x-oss-object-type: Normal\n< etag: \"00000000000000000000000000000000\"\n"
             "<= hello\n",
         CK_UNAVAILABLE, "does not match the server's MD5"},
        {"cut short, then whole", READ, GET OK_HELLO "! truncate\n" GET OK_HELLO, CK_OK,
         "hello \"E\" aa.bb"},
        {"always failing", READ, GET E500 GET E500 GET E500 GET E500, CK_UNAVAILABLE,
         "500 InternalError"},
        {"moved", READ, GET "< 302\n< location: https://evil.example.com/\n", CK_INVALID, "302"},
        {"version 4 unknown", READ,
         GET "< 400\n<= <Error><Code>InvalidArgument</Code><Message>Authorization header is "
             "invalid.</Message></Error>\n" GET
             "> authorization: OSS LTAI:*=\n> !x-oss-content-sha256\n" OK_HELLO,
         CK_OK, "hello \"E\" aa.bb"},
        {"the clock is off", READ,
         GET "< 403\n< date: Fri, 01 Jan 2100 00:00:00 GMT\n<= <Error><Code>RequestTimeTooSkewed"
             "</Code></Error>\n",
         CK_UNAUTHENTICATED, "set this machine's clock"},
        {"many", READ_MANY, GET OK_HELLO "> GET " HOST "/l\n" ERR(404, "NoSuchKey"), CK_OK,
         "0=hello 1=not-found "},
        {"many, one after a 500", READ_MANY, GET E500 "> GET " HOST "/l\n" OK_HELLO GET OK_HELLO,
         CK_OK, "0=hello 1=hello "},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define PUT                                                                                        \
    "> PUT " HOST "/k\n> content-md5: " HELLO_MD5 "\n> content-type: application/octet-stream\n"   \
    "> x-oss-meta-ckops-write: *\n> x-oss-object-acl: private\n>= hello\n"
#define PLAIN_PUT PUT "> !x-oss-forbid-overwrite\n"
#define OK_PUT    "< 200\n< etag: \"N\"\n"

static void writing(void **state)
{
    static const struct wire_case t[] = {
        {"ok", WRITE, PLAIN_PUT SIGNED OK_PUT, CK_OK, "\"N\""},
        COMMON(WRITE, PLAIN_PUT, OK_PUT, "\"N\""),
        {"damaged on the way", WRITE, PLAIN_PUT ERR(400, "InvalidDigest"), CK_INVALID,
         "400 InvalidDigest"},
        {"retention", WRITE, PLAIN_PUT ERR(409, "FileImmutable"), CK_DENIED,
         "the bucket's retention policy forbids it"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define HEAD       "> HEAD " HOST "/k\n"
#define GONE       HEAD "< 404\n"
#define THEIRS     HEAD "< 200\n< etag: \"T\"\n< x-oss-meta-ckops-write: other\n"
#define CREATE_PUT PUT "> x-oss-forbid-overwrite: true\n"
#define E409       ERR(409, "FileAlreadyExists")

static void creating(void **state)
{
    static const struct wire_case t[] = {
        {"ok", CREATE, GONE CREATE_PUT SIGNED OK_PUT, CK_OK, "\"N\""},
        {"exists", CREATE, THEIRS THEIRS, CK_EXISTS, "file already exists"},
        {"exists meanwhile", CREATE, GONE CREATE_PUT E409 THEIRS, CK_EXISTS, "file already exists"},
        {"the look is denied", CREATE, HEAD "< 403\n", CK_DENIED, "403 Forbidden"},
        {"the look names the reason", CREATE,
         HEAD "< 403\n< x-oss-err: "
              "PEVycm9yPjxDb2RlPlVzZXJEaXNhYmxlPC9Db2RlPjwvRXJyb3I+\n",
         CK_DENIED, "403 UserDisable; the account is disabled or in arrears"},
        {"no bucket", CREATE, GONE CREATE_PUT ERR(404, "NoSuchBucket"), CK_INVALID,
         "does not exist at"},
        {"denied", CREATE, GONE CREATE_PUT ERR(403, "AccessDenied"), CK_DENIED,
         "allow oss:PutObject on acs:oss:*:*:bkt/k"},
        {"500, then ok", CREATE, GONE CREATE_PUT E500 CREATE_PUT OK_PUT, CK_OK, "\"N\""},
        {"reset, then somebody else's", CREATE, GONE CREATE_PUT "! reset\n" CREATE_PUT E409 THEIRS,
         CK_EXISTS, "file already exists"},
        {"refused after a resend, and no look", CREATE,
         GONE CREATE_PUT "! reset\n" CREATE_PUT E409 HEAD "< 403\n", CK_DENIED,
         "the outcome of the write is unknown"},
        {"failing for good, nothing there", CREATE,
         GONE CREATE_PUT E500 CREATE_PUT E500 CREATE_PUT E500 CREATE_PUT E500 GONE, CK_UNAVAILABLE,
         "500 InternalError"},
        {"versions, somebody faster", CREATE,
         GONE CREATE_PUT "< 200\n< x-oss-version-id: V1\n" THEIRS THEIRS, CK_EXISTS,
         "file already exists"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define LOCK HOST "/.ckops/locks/ckops_lock_*_0\n"
#define TAKE "> HEAD " LOCK "< 404\n> PUT " LOCK "> x-oss-forbid-overwrite: true\n"
#define DROP "> DELETE " LOCK "< 204\n"
#define GIVE_BACK                                                                                  \
    "> PUT " LOCK "> !x-oss-forbid-overwrite\n> x-oss-meta-ckops-write: over.1\n< 200\n"
#define TAKE_AGAIN "> PUT " LOCK "> x-oss-forbid-overwrite: true\n"
#define TAKEN      "< 200\n< etag: \"L\"\n"
#define OVER_3     TAKEN "< x-oss-meta-ckops-write: over.3\n"
#define LOCK_3     HOST "/.ckops/locks/ckops_lock_*_3\n"
#define TAKE_3     "> HEAD " LOCK_3 "< 404\n> PUT " LOCK_3 "> x-oss-forbid-overwrite: true\n"
#define DROP_ALL                                                                                   \
    DROP "> DELETE " HOST "/.ckops/locks/ckops_lock_*_1\n< 204\n> DELETE " HOST                    \
         "/.ckops/locks/ckops_lock_*_2\n< 204\n> DELETE " LOCK_3 "< 204\n"
#define THERE(marks) HEAD "< 200\n< etag: \"X\"\n< x-oss-meta-ckops-write: " marks "\n"
#define OLD_THERE    HEAD "< 200\n< etag: \"E\"\n< x-oss-meta-ckops-write: aa.bb\n"

/* What is to be replaced was written under a lock. */
#define UNDER(lock)                                                                                \
    HEAD "< 200\n< etag: \"E\"\n< x-oss-meta-ckops-write: aa.bb\n< x-oss-meta-ckops-lock: " lock   \
         "\n"
#define BEFORE      UNDER("ckops_lock_b_2") "> HEAD " HOST "/.ckops/locks/ckops_lock_b_2\n"
#define BEFORE_LOOK "> HEAD " HOST "/.ckops/locks/ckops_lock_b_2\n"
#define MADE(s)                                                                                    \
    TAKEN "< date: Sun, 01 Mar 2026 10:00:30 GMT\n< last-modified: Sun, 01 Mar 2026 10:00:" s      \
          " GMT\n"
#define END PLAIN_PUT "> x-oss-meta-ckops-lock: ckops_lock_*_0\n" OK_PUT DROP

static void updating(void **state)
{
    static const struct wire_case t[] = {
        {"the writer before is done", UPDATE, TAKE "< 200\n" BEFORE "< 404\n" END, CK_OK, "\"N\""},
        {"… or has given its lock back", UPDATE, TAKE "< 200\n" BEFORE OVER_3 END, CK_OK, "\"N\""},
        {"… or died long ago", UPDATE, TAKE "< 200\n" BEFORE MADE("14") END, CK_OK, "\"N\""},
        {"… or is not done yet", UPDATE,
         TAKE "< 200\n" BEFORE MADE("15") BEFORE_LOOK TAKEN BEFORE_LOOK "< 404\n" END, CK_OK,
         "\"N\""},
        {"whether the writer before is done cannot be seen", UPDATE,
         TAKE "< 200\n" BEFORE "< 403\n" GIVE_BACK, CK_DENIED, "the lock of the writer before"},
        {"no name of a lock", UPDATE, TAKE "< 200\n" UNDER("../x") END, CK_OK, "\"N\""},
        {"a lock that cannot be removed is marked", UPDATE,
         TAKE "< 200\n" OLD_THERE PLAIN_PUT OK_PUT "> DELETE " LOCK "< 403\n" GIVE_BACK, CK_OK,
         "\"N\""},
        {"ok", UPDATE, TAKE "< 200\n" OLD_THERE PLAIN_PUT OK_PUT DROP, CK_OK, "\"N\""},
        {"changed", UPDATE, TAKE "< 200\n" THEIRS DROP, CK_CONFLICT, "changed by someone else"},
        {"removed", UPDATE, TAKE "< 200\n" GONE DROP, CK_CONFLICT, "changed by someone else"},
        {"another holds the lock and changes it", UPDATE, TAKE E409 THEIRS, CK_CONFLICT,
         "changed by someone else"},
        {"another has the lock already and changes it", UPDATE, "> HEAD " LOCK TAKEN THEIRS,
         CK_CONFLICT, "changed by someone else"},
        {"another gives its lock back: the next number at once", UPDATE,
         TAKE E409 OLD_THERE "> HEAD " LOCK OVER_3 TAKE_3
                             "< 200\n" OLD_THERE PLAIN_PUT OK_PUT DROP_ALL,
         CK_OK, "\"N\""},
        {"given back by one who never ends well: its number goes up", UPDATE,
         "> HEAD " LOCK OVER_3 TAKE_3 "< 200\n" OLD_THERE PLAIN_PUT ERR(
             403, "AccessDenied") "> PUT " LOCK_3 "> x-oss-meta-ckops-write: over.4\n< 200\n"
                                  "> PUT " LOCK "> x-oss-meta-ckops-write: over.4\n< 200\n",
         CK_DENIED, "allow oss:PutObject"},
        {"a mark that makes no sense is another writer's lock", UPDATE,
         "> HEAD " LOCK "< 200\n< x-oss-meta-ckops-write: over.99999999999\n" THEIRS, CK_CONFLICT,
         "changed by someone else"},
        {"the lock's reply is lost, and the store says no more", UPDATE,
         TAKE "! reset\n" TAKE_AGAIN "! reset\n" TAKE_AGAIN "! reset\n" TAKE_AGAIN "! reset\n"
              "> HEAD " LOCK "< 404\n",
         CK_UNAVAILABLE, "taking a lock for oss://bkt/k"},
        {"the lock may still arrive: looked for again", UPDATE,
         TAKE "! stall\n> HEAD " LOCK "< 404\n" OLD_THERE TAKE
              "< 200\n" OLD_THERE PLAIN_PUT OK_PUT DROP,
         CK_OK, "\"N\""},
        {"locks are denied", UPDATE, TAKE ERR(403, "AccessDenied"), CK_DENIED,
         "or set CKOPS_OSS_LOCKS=no"},
        {"the look is denied", UPDATE, TAKE "< 200\n" HEAD "< 403\n" GIVE_BACK, CK_DENIED, "403"},
        {"the look gets no answer once", UPDATE,
         TAKE "< 200\n" HEAD "! stall\n" OLD_THERE PLAIN_PUT OK_PUT DROP, CK_OK, "\"N\""},
        {"the look gets no answer until the lock ends", UPDATE,
         TAKE "< 200\n" HEAD "! stall\n" HEAD "! stall\n" HEAD "! stall\n" HEAD
              "! stall\n" GIVE_BACK,
         CK_TIMEOUT, "no reply within"},
        {"denied", UPDATE, TAKE "< 200\n" OLD_THERE PLAIN_PUT ERR(403, "AccessDenied") GIVE_BACK,
         CK_DENIED, "allow oss:PutObject"},
        {"a conflict of another kind, and the version is still there", UPDATE,
         TAKE "< 200\n" OLD_THERE PLAIN_PUT ERR(409, "Whatever") OLD_THERE GIVE_BACK, CK_CONFLICT,
         "409 Whatever"},
        {"builds on what was read", UPDATE,
         TAKE "< 200\n" OLD_THERE PLAIN_PUT "> x-oss-meta-ckops-write: *.aa.bb\n" OK_PUT DROP,
         CK_OK, "\"N\""},
        {"500: sent again after a look", UPDATE,
         TAKE "< 200\n" OLD_THERE PLAIN_PUT E500 OLD_THERE PLAIN_PUT OK_PUT DROP, CK_OK, "\"N\""},
        {"a gateway gave up: sent again when it can no longer arrive", UPDATE,
         TAKE "< 200\n" OLD_THERE PLAIN_PUT "< 504\n" OLD_THERE OLD_THERE PLAIN_PUT OK_PUT DROP,
         CK_OK, "\"N\""},
        {"broken: sent again when it can no longer arrive", UPDATE,
         TAKE "< 200\n" OLD_THERE PLAIN_PUT "! reset\n" OLD_THERE OLD_THERE PLAIN_PUT OK_PUT DROP,
         CK_OK, "\"N\""},
        {"broken, and others built on what was read: not sent again", UPDATE,
         TAKE "< 200\n" OLD_THERE PLAIN_PUT "! reset\n" THERE("dd.aa.bb") THERE("dd.aa.bb")
             THERE("dd.aa.bb") DROP,
         CK_CONFLICT, "changed by someone else"},
        {"broken, and others wrote unmarked: nobody knows, and the lock stays", UPDATE,
         TAKE "< 200\n" OLD_THERE PLAIN_PUT "! reset\n" THERE("cc") THERE("cc"), CK_UNAVAILABLE,
         "the connection broke"},
        {"the lock stays when nobody knows", UPDATE,
         TAKE "< 200\n" OLD_THERE PLAIN_PUT "! reset\n" OLD_THERE OLD_THERE PLAIN_PUT
              "! reset\n" OLD_THERE,
         CK_UNAVAILABLE, "the connection broke"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define DEL "> DELETE " HOST "/k\n"

static void removing(void **state)
{
    static const struct wire_case t[] = {
        {"ok", REMOVE, DEL SIGNED "< 204\n", CK_OK, ""},
        COMMON(REMOVE, DEL, "< 204\n", ""),
        {"absent", REMOVE, DEL ERR(404, "NoSuchKey"), CK_OK, ""},
        {"of a version", REMOVE_OLD, TAKE "< 200\n" OLD_THERE DEL "< 204\n" DROP, CK_OK, ""},
        {"of a stale version", REMOVE_OLD, TAKE "< 200\n" THEIRS DROP, CK_CONFLICT,
         "changed by someone else"},
        {"of a version that is gone", REMOVE_OLD, TAKE "< 200\n" GONE DROP, CK_CONFLICT,
         "changed by someone else"},
        {"of a version, denied", REMOVE_OLD,
         TAKE "< 200\n" OLD_THERE DEL ERR(403, "AccessDenied") GIVE_BACK, CK_DENIED,
         "allow oss:DeleteObject"},
        {"of a version, 500, then ok", REMOVE_OLD,
         TAKE "< 200\n" OLD_THERE DEL E500 OLD_THERE DEL "< 204\n" DROP, CK_OK, ""},
        {"of a version, the reply lost", REMOVE_OLD,
         TAKE "< 200\n" OLD_THERE DEL "! reset\n" GONE GONE DROP, CK_OK, ""},
        {"of a version, the reply lost, and others wrote: not sent again", REMOVE_OLD,
         TAKE "< 200\n" OLD_THERE DEL "! reset\n" THEIRS THEIRS, CK_UNAVAILABLE,
         "the connection broke"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define L    "> GET " HOST "/?delimiter=%2F&encoding-type=url&list-type=2&max-keys=1000&prefix=k%2F\n"
#define TREE "> GET " HOST "/?encoding-type=url&list-type=2&max-keys=1000&prefix=k%2F\n"
#define NEXT_TREE                                                                                  \
    "> GET " HOST                                                                                  \
    "/?continuation-token=t%2B%2F%3D&encoding-type=url&list-type=2&max-keys=1000&prefix=k%2F\n"
#define PAGE(body)                                                                                 \
    "< 200\n<= <ListBucketResult><EncodingType>url</EncodingType>" body "</ListBucketResult>\n"
#define FILE_(key) "<Contents><Key>" key "</Key><Size>1</Size><Type>Normal</Type></Contents>"
#define DIR_(key)  "<CommonPrefixes><Prefix>" key "</Prefix></CommonPrefixes>"
#define TWO        PAGE(FILE_("k/b") FILE_("k/a%20%2B%E4%B8%96") FILE_("k/") DIR_("k/d/") DIR_("k/c/"))
#define MORE       "<IsTruncated>true</IsTruncated><NextContinuationToken>t+/=</NextContinuationToken>"
#define MORE_URL                                                                                   \
    "<IsTruncated>true</IsTruncated><NextContinuationToken>t%2B%2F%3D</NextContinuationToken>"

static void listing(void **state)
{
    static const struct wire_case t[] = {
        {"files", LIST_FILES, L SIGNED TWO, CK_OK, "a +\xe4\xb8\x96 b"},
        {"folders", LIST_DIRS, L TWO, CK_OK, "c d"},
        {"tree", LIST_TREE, TREE PAGE(FILE_("k/a") FILE_("k/x/y")), CK_OK, "a x/y"},
        {"empty", LIST_FILES, L PAGE(""), CK_OK, ""},
        {"pages", LIST_TREE, TREE PAGE(FILE_("k/a") MORE_URL) NEXT_TREE PAGE(FILE_("k/b")), CK_OK,
         "a b"},
        COMMON(LIST_FILES, L, TWO, "a +\xe4\xb8\x96 b"),
        COMMON(LIST_DIRS, L, TWO, "c d"),
        COMMON(LIST_TREE, TREE, PAGE(FILE_("k/a")), "a"),
        COMMON(FIND, L, PAGE(""), ""),
        {"404 with an empty body is the bucket's", LIST_FILES, L "< 404\n", CK_INVALID, "404"},
        {"a page fails in the middle", LIST_TREE,
         TREE PAGE(FILE_("k/a") MORE_URL) NEXT_TREE ERR(403, "AccessDenied"), CK_DENIED, "403"},
        {"a page fails in the middle, once", LIST_TREE,
         TREE PAGE(FILE_("k/a") MORE_URL) NEXT_TREE E500 NEXT_TREE PAGE(FILE_("k/b")), CK_OK,
         "a b"},
        {"truncated without a token", LIST_TREE, TREE PAGE("<IsTruncated>true</IsTruncated>"),
         CK_UNAVAILABLE, "without a continuation token"},
        {"a token that repeats", LIST_TREE, TREE PAGE(MORE_URL) NEXT_TREE PAGE(MORE_URL),
         CK_UNAVAILABLE, "repeats a page"},
        {"broken XML", LIST_FILES, L "< 200\n<= <ListBucketResult><Contents>\n", CK_UNAVAILABLE,
         "not a bucket listing"},
        {"a web page", LIST_FILES, L "< 200\n<= <html><body>Sign in</body></html>\n",
         CK_UNAVAILABLE, "not a bucket listing"},
        {"keys outside of the prefix are not taken", LIST_TREE,
         TREE PAGE(FILE_("other/x") FILE_("k/a")), CK_OK, "a"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define POST                                                                                       \
    "> POST " HOST "/?delete&encoding-type=url\n> content-md5: *==\n"                              \
    "> content-type: application/xml\n>= <Delete><Quiet>false</Quiet><Object><Key>k/a &amp; b"     \
    "</Key></Object><Object><Key>k/c</Key></Object></Delete>\n"
#define FOUND TREE PAGE(FILE_("k/a%20%26%20b") FILE_("k/c"))
#define DELETED                                                                                    \
    "< 200\n<= <DeleteResult><EncodingType>url</EncodingType><Deleted><Key>k/a%20%26%20b</Key>"    \
    "</Deleted><Deleted><Key>k/c</Key></Deleted></DeleteResult>\n"

static void removing_trees(void **state)
{
    static const struct wire_case t[] = {
        {"ok", REMOVE_TREE, FOUND POST SIGNED DELETED, CK_OK, ""},
        {"nothing there", REMOVE_TREE, TREE PAGE(""), CK_OK, ""},
        {"one stays", REMOVE_TREE,
         FOUND POST "< 200\n<= <DeleteResult><Deleted><Key>k/a & b</Key></Deleted></DeleteResult>\n"
                    "! garbage\n" POST "< 200\n<= <DeleteResult><Deleted><Key>k/c</Key></Deleted>"
                    "</DeleteResult>\n",
         CK_DENIED, "error removing 1 of 2 files from oss://bkt: not removed; k/a & b"},
        {"denied", REMOVE_TREE, FOUND POST ERR(403, "AccessDenied"), CK_DENIED,
         "allow oss:DeleteObject"},
        {"500, then ok", REMOVE_TREE, FOUND POST E500 POST DELETED, CK_OK, ""},
        {"busy, then ok", REMOVE_TREE, FOUND POST ERR(503, "Busy") POST DELETED, CK_OK, ""},
        {"reset, then ok", REMOVE_TREE, FOUND POST "! reset\n" POST DELETED, CK_OK, ""},
        {"a wrong sum", REMOVE_TREE, FOUND POST ERR(400, "InvalidDigest"), CK_INVALID, "400"},
        {"broken XML", REMOVE_TREE, FOUND POST "< 200\n<= <DeleteResult>\n", CK_UNAVAILABLE,
         "not a deletion result"},
        {"an empty reply", REMOVE_TREE, FOUND POST "< 200\n", CK_UNAVAILABLE,
         "not a deletion result"},
        {"the listing is denied", REMOVE_TREE, TREE ERR(403, "AccessDenied"), CK_DENIED,
         "oss:ListObjects"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define V "> GET " HOST "/?encoding-type=url&max-keys=1000&prefix=k&versions\n"
#define V2                                                                                         \
    "> GET " HOST                                                                                  \
    "/?encoding-type=url&key-marker=k&max-keys=1000&prefix=k&version-id-marker=v1&versions\n"
#define LVR(body)        "< 200\n<= <ListVersionsResult>" body "</ListVersionsResult>\n"
#define VER(el, key, id) "<" el "><Key>" key "</Key><VersionId>" id "</VersionId></" el ">"
#define DEL_V(id)        "> DELETE " HOST "/k?versionId=" id "\n< 204\n"

static void removing_versions(void **state)
{
    static const struct wire_case t[] = {
        {"ok", REMOVE_VERSIONS,
         V LVR(VER("Version", "k", "v1") VER("DeleteMarker", "k", "v2") VER("Version", "k2", "v3"))
             DEL_V("v1") DEL_V("v2"),
         CK_OK, ""},
        {"pages", REMOVE_VERSIONS,
         V LVR(VER("Version", "k", "v1") "<IsTruncated>true</IsTruncated><NextKeyMarker>k"
                                         "</NextKeyMarker><NextVersionIdMarker>v1"
                                         "</NextVersionIdMarker>") V2 LVR(VER("Version", "k", "v2"))
             DEL_V("v1") DEL_V("v2"),
         CK_OK, ""},
        {"past the key", REMOVE_VERSIONS,
         V LVR(VER("Version", "k", "v1") "<IsTruncated>true</IsTruncated><NextKeyMarker>k2"
                                         "</NextKeyMarker>") DEL_V("v1"),
         CK_OK, ""},
        {"none", REMOVE_VERSIONS, V LVR(VER("Version", "k2", "v3")), CK_NOT_FOUND,
         "file does not exist"},
        {"a bucket without versions", REMOVE_VERSIONS, V PAGE(FILE_("k") FILE_("k2")) DEL "< 204\n",
         CK_OK, ""},
        {"denied", REMOVE_VERSIONS, V ERR(403, "AccessDenied"), CK_DENIED,
         "oss:ListObjectVersions"},
        {"no bucket", REMOVE_VERSIONS, V ERR(404, "NoSuchBucket"), CK_INVALID, "does not exist at"},
        {"500, then ok", REMOVE_VERSIONS, V E500 V LVR(VER("Version", "k", "v1")) DEL_V("v1"),
         CK_OK, ""},
        {"one is refused", REMOVE_VERSIONS,
         V LVR(VER("Version", "k", "v1")) "> DELETE " HOST
                                          "/k?versionId=v1\n" ERR(403, "AccessDenied"),
         CK_DENIED, "error removing 1 of 1 files"},
        {"gone meanwhile", REMOVE_VERSIONS,
         V LVR(VER("Version", "k", "v1")) "> DELETE " HOST
                                          "/k?versionId=v1\n" ERR(404, "NoSuchVersion"),
         CK_OK, ""},
        {"a web page", REMOVE_VERSIONS, V "< 200\n<= <html></html>\n", CK_UNAVAILABLE, "listing"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

static void hashing(void **state)
{
    static const struct wire_case t[] = {
        {"ok", HASH, HEAD SIGNED "< 200\n< content-md5: " HELLO_MD5 "\n", CK_OK,
         "md5:5d41402abc4b2a76b9719d911017c592"},
        {"by the tag", HASH,
         HEAD "< 200\n< x-oss-object-type: Normal\n< etag: \"5D41402ABC4B2A76B9719D911017C592\"\n",
         CK_OK, "md5:5d41402abc4b2a76b9719d911017c592"},
        {"in parts", HASH,
         HEAD "< 200\n< x-oss-object-type: Multipart\n"
              "< etag: \"5D41402ABC4B2A76B9719D911017C592\"\n",
         CK_OK, ""},
        {"no tag", HASH, HEAD "< 200\n", CK_OK, ""},
        {"absent", HASH, GONE, CK_NOT_FOUND, "file does not exist"},
        {"denied", HASH, HEAD "< 403\n", CK_DENIED, "403 Forbidden"},
        {"500, then ok", HASH, HEAD "< 500\n" HEAD "< 200\n", CK_OK, ""},
        {"503, then ok", HASH, HEAD "< 503\n" HEAD "< 200\n", CK_OK, ""},
        {"reset, then ok", HASH, HEAD "! reset\n" HEAD "< 200\n", CK_OK, ""},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

static void without_locks(void **state)
{
    static const char *const off[] = {
        "ALIYUN_ACCESS_KEY_ID", "LTAI",       "ALIYUN_ACCESS_KEY_SECRET",
        "very-secret",          "OSS_REGION", "cn-hangzhou",
        "CKOPS_OSS_LOCKS",      "no",         NULL};
    static const struct wire_store s = {
        .url = "oss://bkt/k", .old = "\"E\" aa.bb", .env = off, .secret = "very-secret"};
    static const struct wire_case t[] = {
        {"changed before", UPDATE, THEIRS, CK_CONFLICT, "changed by someone else"},
        {"changed right after", UPDATE, OLD_THERE PLAIN_PUT OK_PUT THEIRS, CK_CONFLICT,
         "changed by someone else"},
        {"a removal", REMOVE_OLD, OLD_THERE DEL "< 204\n", CK_OK, ""},
    };
    wire_check_all(&s, t, CK_ARRAY_LEN(t));
}

static void settings_reach_the_wire(void **state)
{
    static const struct {
        const char *variables[10], *script;
    } t[] = {
        {{"OSS_REGION", "cn-x", "ALIYUN_OSS_INTERNAL", "1", NULL},
         "> GET https://bkt.oss-cn-x-internal.aliyuncs.com/k\n" OK_HELLO},
        {{"OSS_REGION", "oss-cn-x-internal", NULL},
         "> GET https://bkt.oss-cn-x-internal.aliyuncs.com/k\n"
         "> authorization: *LTAI/*/cn-x/oss/*\n" OK_HELLO},
        {{"OSS_REGION", "cn-x", "CKOPS_OSS_SIGNATURE", "v1", NULL},
         "> GET https://bkt.oss-cn-x.aliyuncs.com/k\n> authorization: OSS LTAI:*\n" OK_HELLO},
        {{"CKOPS_OSS_ENDPOINT", "https://oss.example.com", NULL},
         "> GET https://bkt.oss.example.com/k\n> authorization: OSS LTAI:*\n" OK_HELLO},
        {{"CKOPS_OSS_ENDPOINT", "http://127.0.0.1:1", "OSS_REGION", "cn-x", NULL},
         "> GET http://127.0.0.1:1/bkt/k\n> authorization: OSS4-*\n" OK_HELLO},
        {{NULL},
         "> PUT http://100.100.100.200/latest/api/token\n< 200\n<= T\n"
         "> GET http://100.100.100.200/latest/meta-data/region-id\n"
         "> x-aliyun-ecs-metadata-token: T\n< 200\n<= cn-beijing\n"
         "> GET https://bkt.oss-cn-beijing.aliyuncs.com/k\n" OK_HELLO},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        const char *more[16] = {"ALIYUN_ACCESS_KEY_ID", "LTAI", "ALIYUN_ACCESS_KEY_SECRET",
                                "very-secret"};
        for (size_t k = 0; t[i].variables[k]; k++)
            more[4 + k] = t[i].variables[k];
        const struct wire_store s = {
            .url = "oss://bkt/k", .old = "", .env = more, .secret = "very-secret"};
        const struct wire_case c = {"settings", READ, t[i].script, CK_OK, "hello \"E\" aa.bb"};
        wire_check(&s, &c);
    }
}

#define META  "http://100.100.100.200/latest/"
#define ROLES "> GET " META "meta-data/ram/security-credentials/\n"
#define ROLE  "> GET " META "meta-data/ram/security-credentials/r\n"
#define TOKEN "> PUT " META "api/token\n> x-aliyun-ecs-metadata-token-ttl-seconds: 300\n"
#define STS(id, until)                                                                             \
    "< 200\n<= {\"AccessKeyId\":\"" id "\",\"AccessKeySecret\":\"very-secret\",\"SecurityToken\":" \
    "\"tok\",\"Expiration\":\"" until "\"}\n"
#define BY_ROLE GET "> authorization: *Credential=STS1/*\n> x-oss-security-token: tok\n" OK_HELLO

static void credentials_of_a_role(void **state)
{
    static const char *const none[] = {"OSS_REGION", "cn-hangzhou", NULL};
    static const struct wire_store s = {
        .url = "oss://bkt/k", .old = "", .env = none, .secret = "very-secret"};
#define NOTHING "no Alibaba Cloud credentials were found"
    static const struct wire_case t[] = {
        {"ok", READ,
         TOKEN "< 200\n<= T\n" ROLES "> x-aliyun-ecs-metadata-token: T\n< 200\n<= r\n" ROLE STS(
             "STS1", "2100-01-01T00:00:00Z") BY_ROLE,
         CK_OK, "hello \"E\" aa.bb"},
        {"without sessions", READ,
         TOKEN "< 404\n" ROLES "> !x-aliyun-ecs-metadata-token\n< 200\n<= r\n" ROLE STS(
             "STS1", "2100-01-01T00:00:00Z") BY_ROLE,
         CK_OK, "hello \"E\" aa.bb"},
        {"no metadata service", READ, TOKEN "! connect-timeout\n", CK_UNAUTHENTICATED, NOTHING},
        {"no role", READ, TOKEN "< 404\n" ROLES "< 404\n", CK_UNAUTHENTICATED,
         "Can't find role from ECS metadata"},
        {"an empty list", READ, TOKEN "< 404\n" ROLES "< 200\n", CK_UNAUTHENTICATED,
         "the list is empty"},
        {"no JSON", READ, TOKEN "< 404\n" ROLES "< 200\n<= r\n" ROLE "< 200\n<= <html>\n",
         CK_UNAUTHENTICATED, "Can't get role token: no JSON"},
        {"no keys", READ, TOKEN "< 404\n" ROLES "< 200\n<= r\n" ROLE "< 200\n<= {}\n",
         CK_UNAUTHENTICATED, "no AccessKeyId and AccessKeySecret"},
        {"expired", READ,
         TOKEN "< 404\n" ROLES "< 200\n<= r\n" ROLE STS("STS1", "2001-01-01T00:00:00Z"),
         CK_UNAUTHENTICATED, "it has expired"},
        {"gone", READ, TOKEN "< 404\n" ROLES "< 200\n<= r\n" ROLE "< 404\n", CK_UNAUTHENTICATED,
         "Can't get role token: the metadata service answered 404"},
    };
    wire_check_all(&s, t, CK_ARRAY_LEN(t));
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
        cmocka_unit_test(without_locks),
        cmocka_unit_test(settings_reach_the_wire),
        cmocka_unit_test(credentials_of_a_role),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
