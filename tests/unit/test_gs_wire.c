/* gs:// on the wire: for each operation the exact requests, and what comes of each kind of reply.
 * The token comes from a scripted metadata server; nothing is sent. */
#include "store_wire.h"

#define HOST "https://storage.googleapis.com"
#define OBJ  HOST "/storage/v1/b/bkt/o"
#define META                                                                                       \
    "http://metadata.test/computeMetadata/v1/instance/service-accounts/default/token"              \
    "?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdevstorage.full_control"
#define TOKEN                                                                                      \
    "> GET " META "\n> metadata-flavor: Google\n< 200\n"                                           \
    "<= {\"access_token\": \"very-secret\", \"expires_in\": 3599, \"token_type\": \"Bearer\"}\n"
#define AUTH "> authorization: Bearer very-secret\n"

static const char *const env[] = {"GCE_METADATA_HOST", "metadata.test", "HOME", "/nonexistent",
                                  NULL};
static const struct wire_store store = {
    .url = "gs://bkt/k", .old = "1001", .env = env, .secret = "very-secret"};

static void check_all(const struct wire_case *t, size_t n)
{
    wire_check_all(&store, t, n);
}

#define ERR(status, reason, text)                                                                  \
    "< " #status "\n<= {\"error\":{\"code\":" #status ",\"message\":\"" text "\",\"errors\":[{"    \
    "\"reason\":\"" reason "\"}]}}\n"
#define E503   ERR(503, "backendError", "busy")
#define E412   ERR(412, "conditionNotMet", "At least one of the pre-conditions did not hold.")
#define NO_BKT ERR(404, "notFound", "The specified bucket does not exist.")
#define OK_HELLO                                                                                   \
    "< 200\n< x-goog-generation: 1001\n< x-goog-hash: crc32c=mnG7TA==,md5=XUFAKrxLKna5cZ2REBfFkg"  \
    "==\n<= hello\n"

/* Replies that every operation meets the same way: `first` is what is asked before and answered
 * well, `request` the one that meets the reply, `ok` its success. */
#define COMMON(op, first, request, ok, result)                                                     \
    {#op " denied", op, TOKEN first request ERR(403, "forbidden", "no access"), CK_DENIED,         \
     "as the instance's service account (from the metadata server): 403 forbidden: no access"},    \
        {#op " unauthorized, at once", op, TOKEN first request ERR(401, "authError", "Invalid"),   \
         CK_UNAUTHENTICATED, "401 authError: Invalid; the token is not accepted there"},           \
        {#op " in no bucket", op, TOKEN first request NO_BKT, CK_INVALID,                          \
         "the bucket \"bkt\" does not exist at storage.googleapis.com"},                           \
        {#op " after a 503", op, TOKEN first request E503 request ok, CK_OK, result},              \
        {#op " after a 429", op,                                                                   \
         TOKEN first request ERR(429, "rateLimitExceeded", "slow") request ok, CK_OK, result},     \
        {#op " after a 408", op, TOKEN first request "< 408\n" request ok, CK_OK, result},         \
        {#op " after a broken connection", op, TOKEN first request "! reset\n" request ok, CK_OK,  \
         result},                                                                                  \
        {#op " with a web page for an error", op,                                                  \
         TOKEN first request "< 403\n<= <html><p>No & no<br></html>\n", CK_DENIED,                 \
         "403 Forbidden"                                                                           \
         "; allow "},                                                                              \
    {                                                                                              \
#op " with a request that is wrong", op, TOKEN first request ERR(400, "invalid", "bad"),   \
            CK_INVALID, "400 invalid: bad"                                                         \
    }

#define GET "> GET " OBJ "/k?alt=media\n"

static void reading(void **state)
{
    static const struct wire_case t[] = {
        {"ok", READ, TOKEN GET AUTH "> !x-goog-user-project\n" OK_HELLO, CK_OK, "hello 1001"},
        {"empty", READ, TOKEN GET "< 200\n< x-goog-generation: 7\n< x-goog-hash: crc32c=AAAAAA==\n",
         CK_OK, " 7"},
        COMMON(READ, "", GET, OK_HELLO, "hello 1001"),
        {"absent", READ, TOKEN GET "< 404\n<= No such object: bkt/k\n", CK_NOT_FOUND,
         "404 Not Found: No such object"},
        {"absent, or the bucket: absent", READ,
         TOKEN GET "< 404\n<= Not Found\n> GET " OBJ "?fields=kind&maxResults=1\n< 200\n<= {}\n",
         CK_NOT_FOUND, "404 Not Found"},
        {"absent, or the bucket: the bucket", READ,
         TOKEN GET "< 404\n<= Not Found\n> GET " OBJ "?fields=kind&maxResults=1\n< 404\n",
         CK_INVALID, "the bucket \"bkt\" does not exist"},
        {"absent, and no listing allowed", READ,
         TOKEN GET "< 404\n> GET " OBJ "?fields=kind&maxResults=1\n< 403\n", CK_NOT_FOUND, "404"},
        {"wrong crc32c", READ, TOKEN GET "< 200\n< x-goog-hash: crc32c=AAAAAA==\n<= hello\n",
         CK_UNAVAILABLE, "does not match the server's crc32c"},
        {"wrong md5", READ,
         TOKEN GET "< 200\n< x-goog-hash: crc32c=mnG7TA==\n"
                   "< x-goog-hash: md5=AAAAAAAAAAAAAAAAAAAAAA==\n<= hello\n",
         CK_UNAVAILABLE, "does not match the server's md5"},
        {"unpacked on the way", READ,
         TOKEN GET "< 200\n< x-goog-generation: 5\n< x-goog-stored-content-encoding: gzip\n"
                   "< x-goog-hash: crc32c=AAAAAA==\n<= hello\n",
         CK_OK, "hello 5"},
        {"cut short, then whole", READ, TOKEN GET OK_HELLO "! truncate\n" GET OK_HELLO, CK_OK,
         "hello 1001"},
        {"always failing", READ, TOKEN GET E503 GET E503 GET E503 GET E503 GET E503, CK_UNAVAILABLE,
         "503 backendError"},
        {"moved", READ, TOKEN GET "< 302\n< location: https://evil.example.com/\n", CK_INVALID,
         "302"},
        {"many", READ_MANY,
         TOKEN GET OK_HELLO "> GET " OBJ "/l?alt=media\n< 404\n<= No such object: bkt/l\n", CK_OK,
         "0=hello 1=not-found "},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define UPLOAD HOST "/upload/storage/v1/b/bkt/o?fields=crc32c%2Cgeneration&"
#define POST   "> POST " UPLOAD "name=k&prettyPrint=false&uploadType=multipart\n"
#define TYPE   "> content-type: multipart/related; boundary=*\n"
#define BODY(mark)                                                                                 \
    ">= --*\r\n>= content-type: application/json; charset=UTF-8\r\n>= \r\n"                        \
    ">= {\"name\":\"k\",\"contentType\":\"text/plain; charset=utf-8\",\"md5Hash\":"                \
    "\"XUFAKrxLKna5cZ2REBfFkg==\",\"crc32c\":\"mnG7TA==\"" mark "}\r\n"                            \
    ">= --*\r\n>= content-type: text/plain; charset=utf-8\r\n>= \r\n>= hello\r\n>= --*--\r\n>= \n"
#define OK_PUT "< 200\n<= {\"generation\": \"1002\"}\n"

static void writing(void **state)
{
    static const struct wire_case t[] = {
        {"ok", WRITE, TOKEN POST AUTH TYPE BODY("") OK_PUT, CK_OK, "1002"},
        COMMON(WRITE, "", POST, OK_PUT, "1002"),
        {"no bucket, without a word", WRITE, TOKEN POST "< 404\n", CK_INVALID,
         "the bucket \"bkt\" does not exist"},
        {"no generation in the reply", WRITE, TOKEN POST "< 200\n<= {}\n", CK_OK, ""},
        {"other content stored", WRITE,
         TOKEN POST "< 200\n<= {\"generation\":\"2\",\"crc32c\":\"AAAAAA==\"}\n", CK_UNAVAILABLE,
         "the server stored other content than was sent"},
        {"the same content stored", WRITE,
         TOKEN POST "< 200\n<= {\"generation\":\"2\",\"crc32c\":\"mnG7TA==\"}\n", CK_OK, "2"},
        {"damaged on the way", WRITE, TOKEN POST ERR(400, "invalid", "MD5 does not match"),
         CK_INVALID, "MD5 does not match"},
        {"always failing", WRITE, TOKEN POST E503 POST E503 POST E503 POST E503 POST E503,
         CK_UNAVAILABLE, "503 backendError"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define CREATE_POST                                                                                \
    "> POST " UPLOAD "ifGenerationMatch=0&name=k&prettyPrint=false&uploadType=multipart\n"
#define FACTS  "> GET " OBJ "/k?fields=generation%2Cmd5Hash%2Cmetadata&prettyPrint=false\n"
#define THEIRS FACTS "< 200\n<= {\"generation\":\"9\",\"metadata\":{\"ckops-write\":\"other\"}}\n"
#define GONE   FACTS ERR(404, "notFound", "No such object: bkt/k")

static void creating(void **state)
{
    static const struct wire_case t[] = {
        {"ok", CREATE,
         TOKEN CREATE_POST AUTH TYPE BODY(",\"metadata\":{\"ckops-write\":\"*\"}") OK_PUT, CK_OK,
         "1002"},
        {"denied", CREATE, TOKEN CREATE_POST ERR(403, "forbidden", "no"), CK_DENIED,
         "allow storage.objects.create on gs://bkt"},
        {"no bucket", CREATE, TOKEN CREATE_POST NO_BKT, CK_INVALID, "does not exist at"},
        {"exists", CREATE, TOKEN CREATE_POST E412 THEIRS, CK_EXISTS, "file already exists"},
        {"exists, and may not be looked at", CREATE, TOKEN CREATE_POST E412 FACTS "< 403\n",
         CK_EXISTS, "file already exists"},
        {"after a 503", CREATE, TOKEN CREATE_POST E503 CREATE_POST OK_PUT, CK_OK, "1002"},
        {"somebody else's after a resend", CREATE,
         TOKEN CREATE_POST "! reset\n" CREATE_POST E412 THEIRS, CK_EXISTS, "file already exists"},
        {"refused after a resend, and no look", CREATE,
         TOKEN CREATE_POST "! reset\n" CREATE_POST E412 FACTS "< 403\n", CK_DENIED,
         "the outcome of the write is unknown"},
        {"broken for good, nothing there", CREATE,
         TOKEN CREATE_POST "! reset\n" CREATE_POST "! reset\n" CREATE_POST "! reset\n" CREATE_POST
                           "! reset\n" CREATE_POST "! reset\n" GONE,
         CK_UNAVAILABLE, "the connection broke"},
        {"failing for good, nothing there", CREATE,
         TOKEN CREATE_POST E503 CREATE_POST E503 CREATE_POST E503 CREATE_POST E503 CREATE_POST E503
             GONE,
         CK_UNAVAILABLE, "503 backendError"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define UPDATE_POST                                                                                \
    "> POST " UPLOAD "ifGenerationMatch=1001&name=k&prettyPrint=false&uploadType=multipart\n"
#define THERE(generation, marks)                                                                   \
    FACTS "< 200\n<= {\"generation\":\"" generation "\",\"metadata\":{\"ckops-write\":\"" marks    \
          "\"}}\n"
/* Asked for before an update: who wrote what is to be replaced. */
#define BASE   THERE("1001", "aa.bb")
#define BROKEN UPDATE_POST "! reset\n"

static void updating(void **state)
{
    static const struct wire_case t[] = {
        {"ok", UPDATE,
         TOKEN BASE UPDATE_POST AUTH TYPE BODY(",\"metadata\":{\"ckops-write\":\"*.aa.bb\"}")
             OK_PUT,
         CK_OK, "1002"},
        {"on top of an object without marks", UPDATE,
         TOKEN FACTS "< 200\n<= {\"generation\":\"1001\"}\n" UPDATE_POST TYPE BODY(
             ",\"metadata\":{\"ckops-write\":\"*.*\"}") OK_PUT,
         CK_OK, "1002"},
        COMMON(UPDATE, BASE, UPDATE_POST, OK_PUT, "1002"),
        {"changed before", UPDATE, TOKEN THEIRS, CK_CONFLICT, "changed by someone else"},
        {"removed before", UPDATE, TOKEN GONE, CK_CONFLICT, "changed by someone else"},
        {"may not be looked at", UPDATE, TOKEN FACTS "< 403\n", CK_DENIED, "403 Forbidden"},
        {"changed", UPDATE, TOKEN BASE UPDATE_POST E412 THEIRS, CK_CONFLICT,
         "changed by someone else"},
        {"removed", UPDATE, TOKEN BASE UPDATE_POST E412 GONE, CK_CONFLICT,
         "changed by someone else"},
        {"changed, and no look", UPDATE, TOKEN BASE UPDATE_POST E412 FACTS "< 403\n", CK_CONFLICT,
         "changed by someone else"},
        {"changed before a resend, by one that built on what was read", UPDATE,
         TOKEN BASE UPDATE_POST "! reset\n" UPDATE_POST E412 THERE("1003", "dd.cc.aa.bb"),
         CK_CONFLICT, "changed by someone else"},
        {"changed more often than the marks reach back", UPDATE,
         TOKEN BASE UPDATE_POST E412 THERE("1009", FULL_OF_OTHERS), CK_UNAVAILABLE,
         "the outcome of the write is unknown"},
        {"broken for good, changed on top of what was read", UPDATE,
         TOKEN BASE BROKEN BROKEN BROKEN BROKEN BROKEN THERE("1003", "cc.aa.bb"), CK_CONFLICT,
         "changed by someone else"},
        {"broken for good, nothing changed", UPDATE,
         TOKEN BASE BROKEN BROKEN BROKEN BROKEN BROKEN BASE, CK_UNAVAILABLE,
         "the connection broke"},
        {"somebody else's after a resend: ours may be beneath", UPDATE,
         TOKEN BASE UPDATE_POST "! reset\n" UPDATE_POST E412 THEIRS, CK_UNAVAILABLE,
         "the outcome of the write is unknown"},
        {"denied after a resend, and others have written on what was read", UPDATE,
         TOKEN BASE UPDATE_POST "! reset\n" UPDATE_POST ERR(403, "forbidden", "no")
             THERE("1003", "cc.aa.bb"),
         CK_CONFLICT, "changed by someone else"},
        {"denied after a resend, and no look", UPDATE,
         TOKEN BASE UPDATE_POST "! reset\n" UPDATE_POST ERR(403, "forbidden", "no") FACTS "< 403\n",
         CK_DENIED, "the outcome of the write is unknown"},
        {"other content than was sent, after a resend", UPDATE,
         TOKEN BASE UPDATE_POST "! reset\n" UPDATE_POST "< 200\n"
                                "<= {\"generation\":\"1002\",\"crc32c\":\"AAAAAA==\"}\n",
         CK_UNAVAILABLE, "stored other content than was sent"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define DEL     "> DELETE " OBJ "/k?prettyPrint=false\n"
#define DEL_OLD "> DELETE " OBJ "/k?prettyPrint=false&ifGenerationMatch=1001\n"
#define OURS    FACTS "< 200\n<= {\"generation\":\"1001\"}\n"

static void removing(void **state)
{
    static const struct wire_case t[] = {
        {"ok", REMOVE, TOKEN DEL AUTH "< 204\n", CK_OK, ""},
        COMMON(REMOVE, "", DEL, "< 204\n", ""),
        {"absent", REMOVE, TOKEN DEL ERR(404, "notFound", "No such object: bkt/k"), CK_OK, ""},
        COMMON(REMOVE_OLD, OURS, DEL_OLD, "< 204\n", ""),
        {"of a version", REMOVE_OLD, TOKEN OURS DEL_OLD "< 204\n", CK_OK, ""},
        {"of a stale version", REMOVE_OLD, TOKEN THEIRS, CK_CONFLICT, "changed by someone else"},
        {"of a version that is gone", REMOVE_OLD, TOKEN GONE, CK_CONFLICT,
         "changed by someone else"},
        {"of a version that changes meanwhile", REMOVE_OLD, TOKEN OURS DEL_OLD E412 THEIRS,
         CK_CONFLICT, "changed by someone else"},
        {"of a version, the reply lost", REMOVE_OLD,
         TOKEN OURS DEL_OLD "! reset\n" DEL_OLD ERR(404, "notFound", "No such object: bkt/k"),
         CK_OK, ""},
        {"of a version, refused, and nobody answers what is there", REMOVE_OLD,
         TOKEN OURS DEL_OLD
         "! reset\n" DEL_OLD E412 FACTS E503 FACTS E503 FACTS E503 FACTS E503 FACTS E503,
         CK_UNAVAILABLE, "the outcome of the removal is unknown"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define ITEMS "nextPageToken%2Citems%28name%2Csize%2Cupdated%2Cmd5Hash%29"
#define L     "> GET " OBJ "?delimiter=%2F&fields=" ITEMS "&prefix=k%2F&prettyPrint=false\n"
#define D                                                                                          \
    "> GET " OBJ "?delimiter=%2F&fields=nextPageToken%2Cprefixes&prefix=k%2F&prettyPrint=false\n"
#define T           "> GET " OBJ "?fields=" ITEMS "&prefix=k%2F&prettyPrint=false\n"
#define T2          "> GET " OBJ "?fields=" ITEMS "&pageToken=t%2F1&prefix=k%2F&prettyPrint=false\n"
#define PAGE(body)  "< 200\n<= {" body "}\n"
#define FILE_(name) "{\"name\":\"" name "\",\"size\":\"5\"}"
#define NEXT        "\"nextPageToken\":\"t/1\","
#define T3          "> GET " OBJ "?fields=" ITEMS "&pageToken=t%2F2&prefix=k%2F&prettyPrint=false\n"
#define OTHER       "\"nextPageToken\":\"t/2\","

static void listing(void **state)
{
    static const struct wire_case t[] = {
        {"files", LIST_FILES,
         TOKEN L AUTH PAGE("\"items\":[" FILE_("k/") "," FILE_("k/b") "," FILE_("k/a b") "]"),
         CK_OK, "a b b"},
        {"folders", LIST_DIRS, TOKEN D PAGE("\"prefixes\":[\"k/d/\",\"k/c/\"]"), CK_OK, "c d"},
        {"everything", LIST_TREE, TOKEN T PAGE("\"items\":[" FILE_("k/x/y") "," FILE_("k/a") "]"),
         CK_OK, "a x/y"},
        {"nothing", LIST_FILES, TOKEN L PAGE(""), CK_OK, ""},
        {"pages", LIST_TREE,
         TOKEN T PAGE(NEXT "\"items\":[" FILE_("k/a") "]") T2 PAGE("\"items\":[" FILE_("k/b") "]"),
         CK_OK, "a b"},
        {"folders that every page repeats", LIST_DIRS,
         TOKEN D PAGE(NEXT "\"prefixes\":[\"k/d/\"]") "> GET " OBJ
                                                      "?delimiter=%2F&fields=nextPageToken%"
                                                      "2Cprefixes&pageToken=t%2F1&prefix=k%2F"
                                                      "&prettyPrint=false\n" PAGE(
                                                          "\"prefixes\":[\"k/d/\",\"k/e/\"]"),
         CK_OK, "d e"},
        COMMON(LIST_FILES, "", L, PAGE("\"items\":[" FILE_("k/a") "]"), "a"),
        COMMON(LIST_DIRS, "", D, PAGE("\"prefixes\":[\"k/a/\"]"), "a"),
        COMMON(LIST_TREE, "", T, PAGE("\"items\":[" FILE_("k/a") "]"), "a"),
        {"404 is the bucket's", LIST_FILES, TOKEN L "< 404\n", CK_INVALID, "does not exist at"},
        {"broken JSON", LIST_FILES, TOKEN L "< 200\n<= {\"items\":[\n", CK_UNAVAILABLE,
         "not a bucket listing"},
        {"folders that are no list", LIST_DIRS, TOKEN D "< 200\n<= {\"prefixes\":{\"k/\":1}}\n",
         CK_UNAVAILABLE, "not a bucket listing"},
        {"a token that is no text", LIST_FILES, TOKEN L "< 200\n<= {\"nextPageToken\":7}\n",
         CK_UNAVAILABLE, "not a bucket listing"},
        {"a web page", LIST_DIRS, TOKEN D "< 200\n<= <html>Sign in</html>\n", CK_UNAVAILABLE,
         "not a bucket listing"},
        {"a page that repeats", LIST_TREE,
         TOKEN T PAGE(NEXT "\"items\":[]") T2 PAGE(NEXT "\"items\":[]"), CK_UNAVAILABLE,
         "the server repeats a page"},
        {"pages in a circle", LIST_TREE,
         TOKEN T PAGE(NEXT "\"items\":[]") T2 PAGE(OTHER "\"items\":[]")
             T3 PAGE(NEXT "\"items\":[]") T2 PAGE(OTHER "\"items\":[]"),
         CK_UNAVAILABLE, "the server repeats a page"},
        {"a page that fails makes no short list", LIST_TREE,
         TOKEN T PAGE(NEXT "\"items\":[" FILE_("k/a") "]") T2 ERR(403, "forbidden", "no"),
         CK_DENIED, "403"},
        {"names outside of the prefix are not taken", LIST_TREE,
         TOKEN T PAGE("\"items\":[" FILE_("other/x") "," FILE_("k/a") "]"), CK_OK, "a"},
        {"clusters", FIND,
         TOKEN D PAGE("\"prefixes\":[\"k/c1/\",\"k/c2/\"]") "> GET " OBJ
                                                            "/k%2Fc1%2Fconfig?alt=media\n" OK_HELLO
                                                            "> GET " OBJ
                                                            "/k%2Fc2%2Fconfig?alt=media\n" OK_HELLO,
         CK_OK, "c1=hello:1001 c2=hello:1001 "},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

static void listing_the_root(void **state)
{
    static const struct wire_store root = {
        .url = "gs://bkt", .old = "1", .env = env, .secret = "very-secret"};
    static const struct wire_case t[] = {
        {"an empty prefix, not a slash", LIST_FILES,
         TOKEN "> GET " OBJ "?delimiter=%2F&fields=" ITEMS
               "&prefix=&prettyPrint=false\n" PAGE("\"items\":[" FILE_("a") "]"),
         CK_OK, "a"},
    };
    wire_check_all(&root, t, CK_ARRAY_LEN(t));
}

#define TWO   T PAGE("\"items\":[" FILE_("k/a") "," FILE_("k/b") "]")
#define DEL_A "> DELETE " OBJ "/k%2Fa?prettyPrint=false\n"
#define DEL_B "> DELETE " OBJ "/k%2Fb?prettyPrint=false\n"

static void removing_trees(void **state)
{
    static const struct wire_case t[] = {
        {"ok", REMOVE_TREE, TOKEN TWO DEL_A AUTH "< 204\n" DEL_B "< 204\n", CK_OK, ""},
        {"nothing there", REMOVE_TREE, TOKEN T PAGE(""), CK_OK, ""},
        {"one is refused", REMOVE_TREE,
         TOKEN TWO DEL_A ERR(403, "forbidden", "kept") DEL_B "< 204\n", CK_DENIED,
         "error removing 1 of 2 files from gs://bkt; k/a: error deleting gs://bkt/k/a: "
         "storage.objects.delete"},
        {"gone meanwhile", REMOVE_TREE,
         TOKEN TWO DEL_A ERR(404, "notFound", "No such object: bkt/k/a") DEL_B "< 204\n", CK_OK,
         ""},
        {"503, then ok", REMOVE_TREE, TOKEN TWO DEL_A "< 204\n" DEL_B E503 DEL_B "< 204\n", CK_OK,
         ""},
        {"429, then ok", REMOVE_TREE, TOKEN TWO DEL_A "< 204\n" DEL_B "< 429\n" DEL_B "< 204\n",
         CK_OK, ""},
        {"reset, then ok", REMOVE_TREE, TOKEN TWO DEL_A "< 204\n" DEL_B "! reset\n" DEL_B "< 204\n",
         CK_OK, ""},
        {"the listing is denied", REMOVE_TREE, TOKEN T ERR(403, "forbidden", "no"), CK_DENIED,
         "storage.objects.list"},
        {"no bucket", REMOVE_TREE, TOKEN T NO_BKT, CK_INVALID, "does not exist at"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define V                                                                                          \
    "> GET " OBJ "?fields=nextPageToken%2Citems%28name%2Cgeneration%29&prefix=k&prettyPrint=false" \
    "&versions=true\n"
#define VERSION_(name, id) "{\"name\":\"" name "\",\"generation\":\"" id "\"}"
#define DEL_V(id)          "> DELETE " OBJ "/k?prettyPrint=false&generation=" id "\n"

static void removing_versions(void **state)
{
    static const struct wire_case t[] = {
        {"ok", REMOVE_VERSIONS,
         TOKEN V PAGE("\"items\":[" VERSION_("k", "1") "," VERSION_("k", "2") "," VERSION_(
             "k2", "3") "]") DEL_V("1") "< 204\n" DEL_V("2") "< 204\n",
         CK_OK, ""},
        {"none", REMOVE_VERSIONS, TOKEN V PAGE("\"items\":[" VERSION_("k2", "3") "]"), CK_NOT_FOUND,
         "file does not exist"},
        {"nothing", REMOVE_VERSIONS, TOKEN V PAGE(""), CK_NOT_FOUND, "file does not exist"},
        {"gone meanwhile", REMOVE_VERSIONS,
         TOKEN V PAGE("\"items\":[" VERSION_("k", "1") "]") DEL_V("1")
             ERR(404, "notFound", "No such object: bkt/k"),
         CK_OK, ""},
        {"refused", REMOVE_VERSIONS,
         TOKEN V PAGE("\"items\":[" VERSION_("k", "1") "]") DEL_V("1") ERR(403, "forbidden", "no"),
         CK_DENIED, "error removing 1 of 1 files"},
        {"denied", REMOVE_VERSIONS, TOKEN V ERR(403, "forbidden", "no"), CK_DENIED,
         "storage.objects.list"},
        {"no bucket", REMOVE_VERSIONS, TOKEN V NO_BKT, CK_INVALID, "does not exist at"},
        {"503, then ok", REMOVE_VERSIONS,
         TOKEN V E503 V PAGE("\"items\":[" VERSION_("k", "1") "]") DEL_V("1") "< 204\n", CK_OK, ""},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

static void hashing(void **state)
{
    static const struct wire_case t[] = {
        {"ok", HASH, TOKEN FACTS "< 200\n<= {\"md5Hash\":\"XUFAKrxLKna5cZ2REBfFkg==\"}\n", CK_OK,
         "md5:5d41402abc4b2a76b9719d911017c592"},
        {"composed objects have none", HASH, TOKEN FACTS "< 200\n<= {\"generation\":\"1\"}\n",
         CK_OK, ""},
        COMMON(HASH, "", FACTS, "< 200\n<= {}\n", ""),
        {"absent", HASH, TOKEN GONE, CK_NOT_FOUND, "file does not exist"},
        {"a web page", HASH, TOKEN FACTS "< 200\n<= <html></html>\n", CK_UNAVAILABLE,
         "does not describe an object"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

/* ---- resumable uploads ---- */

#define MIB20 "20971520"
#define OPEN                                                                                       \
    "> POST " UPLOAD "name=k&prettyPrint=false&uploadType=resumable\n"                             \
    "> x-upload-content-length: " MIB20 "\n> x-upload-content-type: application/octet-stream\n"
#define OPENED    "< 200\n< location: https://elsewhere.example.com/upload/s?upload_id=X%2F1\n"
#define PUT       "> PUT " HOST "/upload/s?upload_id=X%2F1\n"
#define FIRST     PUT "> content-range: bytes 0-16777215/" MIB20 "\n"
#define SECOND    PUT "> content-range: bytes 16777216-20971519/" MIB20 "\n"
#define ASK       PUT "> content-range: bytes */" MIB20 "\n>= \n"
#define HALF      "< 308\n< range: bytes=0-16777215\n"
#define WHOLE     "< 308\n< range: bytes=0-20971519\n"
#define LOST      FIRST "! reset\n" ASK "< 308\n"
#define FORGOTTEN SECOND "! reset\n" ASK "< 308\n" FIRST HALF

static void writing_large_objects(void **state)
{
    size_t n = 20 << 20;
    char *data = ck_xcalloc(1, n);
    const struct wire_store large = {.url = "gs://bkt/k",
                                     .old = "1001",
                                     .env = env,
                                     .secret = "very-secret",
                                     .content = {data, n}};
    static const struct wire_case t[] = {
        {"two pieces, on the chosen host", WRITE, TOKEN OPEN AUTH OPENED FIRST HALF SECOND OK_PUT,
         CK_OK, "1002"},
        {"a piece is lost: asked, nothing had come", WRITE,
         TOKEN OPEN OPENED FIRST "! reset\n" ASK "< 308\n" FIRST HALF SECOND OK_PUT, CK_OK, "1002"},
        {"a piece came, the reply was lost", WRITE,
         TOKEN OPEN OPENED FIRST "! reset\n" ASK HALF SECOND OK_PUT, CK_OK, "1002"},
        {"the last reply was lost", WRITE,
         TOKEN OPEN OPENED FIRST HALF SECOND "! reset\n" ASK OK_PUT, CK_OK, "1002"},
        {"half of a piece came", WRITE,
         TOKEN OPEN OPENED FIRST "< 308\n< range: bytes=0-1048575\n" PUT
                                 "> content-range: bytes 1048576-17825791/" MIB20 "\n"
                                 "< 308\n< range: bytes=0-17825791\n" PUT
                                 "> content-range: bytes 17825792-20971519/" MIB20 "\n" OK_PUT,
         CK_OK, "1002"},
        {"a piece meets a 503", WRITE,
         TOKEN OPEN OPENED FIRST E503 ASK "< 308\n" FIRST HALF SECOND OK_PUT, CK_OK, "1002"},
        {"a part of a piece that does not begin at the beginning is none", WRITE,
         TOKEN OPEN OPENED FIRST "< 308\n< range: bytes=4-16777215\n" FIRST HALF SECOND OK_PUT,
         CK_OK, "1002"},
        {"pieces that never come, though every question is answered", WRITE,
         TOKEN OPEN OPENED LOST LOST LOST LOST LOST FIRST "! reset\n", CK_UNAVAILABLE,
         "the connection broke"},
        {"all of it came, and there is no end", WRITE,
         TOKEN OPEN OPENED FIRST HALF SECOND WHOLE ASK WHOLE ASK WHOLE ASK WHOLE ASK WHOLE ASK WHOLE
             ASK WHOLE,
         CK_UNAVAILABLE, "makes no progress"},
        {"more came than there is", WRITE,
         TOKEN OPEN OPENED FIRST "< 308\n< range: bytes=0-99999999\n", CK_UNAVAILABLE,
         "makes no progress"},
        {"what came is lost again and again", WRITE,
         TOKEN OPEN OPENED FIRST HALF FORGOTTEN FORGOTTEN FORGOTTEN FORGOTTEN FORGOTTEN SECOND
         "! reset\n",
         CK_UNAVAILABLE, "the connection broke"},
        {"the session is gone: a new one", WRITE,
         TOKEN OPEN OPENED FIRST "< 410\n" OPEN OPENED FIRST HALF SECOND OK_PUT, CK_OK, "1002"},
        {"sessions that are always gone", WRITE,
         TOKEN OPEN OPENED FIRST "< 410\n" OPEN OPENED FIRST "< 410\n" OPEN OPENED FIRST "< 410\n",
         CK_INVALID, "410"},
        {"a question taken for the end", WRITE,
         TOKEN OPEN OPENED FIRST "! reset\n" ASK "< 400\n" OPEN OPENED FIRST HALF SECOND OK_PUT,
         CK_OK, "1002"},
        {"content refused", WRITE, TOKEN OPEN OPENED FIRST HALF SECOND "< 400\n", CK_INVALID,
         "400"},
        {"no session", WRITE, TOKEN OPEN "< 200\n", CK_UNAVAILABLE, "opened no upload session"},
        {"a session that is called created", WRITE,
         TOKEN OPEN
         "< 201\n< location: https://elsewhere.example.com/upload/s?upload_id=X%2F1\n" FIRST HALF
             SECOND OK_PUT,
         CK_OK, "1002"},
        {"no session, whatever kind of success", WRITE, TOKEN OPEN "< 204\n", CK_UNAVAILABLE,
         "opened no upload session"},
        {"an end before all of it was sent", WRITE, TOKEN OPEN OPENED FIRST OK_PUT, CK_INVALID,
         "ended before all of it was sent"},
        {"an end in place of an answer", WRITE, TOKEN OPEN OPENED FIRST "! reset\n" ASK OK_PUT,
         CK_INVALID, "ended before all of it was sent"},
        {"denied", WRITE, TOKEN OPEN ERR(403, "forbidden", "no"), CK_DENIED, "403"},
        {"no bucket", WRITE, TOKEN OPEN NO_BKT, CK_INVALID, "does not exist at"},
        {"exists", CREATE,
         TOKEN "> POST " UPLOAD
               "ifGenerationMatch=0&name=k&prettyPrint=false&uploadType=resumable\n" E412 THEIRS,
         CK_EXISTS, "file already exists"},
        {"exists at the end", CREATE,
         TOKEN "> POST " UPLOAD
               "ifGenerationMatch=0&name=k&prettyPrint=false&uploadType=resumable\n" OPENED FIRST
                   HALF SECOND E412 THEIRS,
         CK_EXISTS, "file already exists"},
    };
    wire_check_all(&large, t, CK_ARRAY_LEN(t));
    free(data);
}

/* ---- endpoints and tokens ---- */

static void endpoints(void **state)
{
    static const char *const emulator[] = {"STORAGE_EMULATOR_HOST", "localhost:9", NULL};
    static const char *const url[] = {"STORAGE_EMULATOR_HOST", "https://gcs.test/base/", NULL};
    static const char *const universe[] = {"GCE_METADATA_HOST",
                                           "metadata.test",
                                           "GOOGLE_CLOUD_UNIVERSE_DOMAIN",
                                           "apis.example.com",
                                           "GOOGLE_CLOUD_QUOTA_PROJECT",
                                           "payer",
                                           "HOME",
                                           "/nonexistent",
                                           NULL};
    static const struct wire_case a = {
        "an emulator gets no token", READ,
        "> GET http://localhost:9/storage/v1/b/bkt/o/k?alt=media\n> !authorization\n" OK_HELLO,
        CK_OK, "hello 1001"};
    static const struct wire_case b = {
        "as a URL", READ,
        "> GET https://gcs.test/base/storage/v1/b/bkt/o/k?alt=media\n> !authorization\n" OK_HELLO,
        CK_OK, "hello 1001"};
    static const struct wire_case c = {"another universe, and who pays", READ,
                                       TOKEN
                                       "> GET https://storage.apis.example.com/storage/v1/b/"
                                       "bkt/o/k?alt=media\n> x-goog-user-project: payer\n" OK_HELLO,
                                       CK_OK, "hello 1001"};
    wire_check(
        &(struct wire_store){
            .url = "gs://bkt/k", .old = "1", .env = emulator, .secret = "very-secret"},
        &a);
    wire_check(
        &(struct wire_store){.url = "gs://bkt/k", .old = "1", .env = url, .secret = "very-secret"},
        &b);
    wire_check(
        &(struct wire_store){
            .url = "gs://bkt/k", .old = "1", .env = universe, .secret = "very-secret"},
        &c);
}

static void tokens(void **state)
{
    static const struct wire_case t[] = {
        {"fetched once for many requests", READ_MANY,
         TOKEN GET AUTH OK_HELLO "> GET " OBJ "/l?alt=media\n" AUTH OK_HELLO, CK_OK,
         "0=hello 1=hello "},
        {"no service account", READ, "> GET " META "\n< 404\n", CK_UNAUTHENTICATED,
         "this machine has no service account"},
        {"a service that fails", READ,
         "> GET " META "\n< 500\n> GET " META "\n< 500\n> GET " META "\n< 500\n", CK_UNAVAILABLE,
         "metadata server: metadata.test answered 500"},
        {"no token in the reply", READ, "> GET " META "\n< 200\n<= {}\n", CK_UNAUTHENTICATED,
         "holds no usable access_token"},
        {"a token with a line break", READ,
         "> GET " META "\n< 200\n<= {\"access_token\":\"a\\r\\nb\"}\n", CK_UNAUTHENTICATED,
         "holds no usable access_token"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

static void names_of_buckets(void **state)
{
    static const struct {
        const char *url, *text;
    } t[] = {
        {"gs://My_Bucket", "the nearest valid form is \"my_bucket\""},
        {"gs://a", "the nearest valid form is \"a00\""},
        {"gs://-ab-", "the nearest valid form is \"ab0\""},
        {"gs://b:80/x", "the nearest valid form is \"b-80\""},
        {"gs://a..b", "the nearest valid form is \"a.b\""},
        {"gs://my bucket/x", "the nearest valid form is \"my-bucket\""},
        {"gs://bkt/a%2", "write %25 for the sign itself"},
        {"gs://bkt/a?x", "no query and no fragment"},
        {"gs://bkt#x", "no query and no fragment"},
        {"gs://", "invalid google cloud storage path: \"gs://\""},
        {"gs:///b/x", "invalid google cloud storage path: \"gs:///b/x\""},
        {"gs://bkt/a\nb", "control characters"},
        {"gs://bkt/a%0Ab", "control characters"},
        {"gs://bkt/../x", "\"..\" is not allowed"},
    };
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_env none = {0};
    struct ck_vfs_ctx ctx = {.env = &none, .arena = a};
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        struct ck_path p;
        CK_AUTOERR err = CK_ERR_INIT;
        assert_int_equal(ck_vfs_parse(&ctx, t[i].url, &p, &err), -CK_INVALID);
        if (!strstr(ck_err_msg(&err), t[i].text))
            fail_msg("%s: %s", t[i].url, ck_err_msg(&err));
    }
    assert_null(ctx.http);
    ck_vfs_ctx_done(&ctx);
}

static void public_objects_are_refused(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_env none = {0};
    struct ck_vfs_ctx ctx = {.env = &none, .arena = a};
    struct ck_path p;
    CK_AUTOERR err = CK_ERR_INIT;
    const struct ck_write_opts o = {.public_read = true};
    assert_int_equal(ck_vfs_parse(&ctx, "gs://bkt/k", &p, &err), 0);
    assert_int_equal(ck_vfs_write(&p, CK_S("x"), &o, NULL, &err), -CK_UNSUPPORTED);
    assert_string_equal(ck_err_msg(&err), "the \"gs://bkt/k\" path does not support public ACL");
    ck_vfs_ctx_done(&ctx);
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
        cmocka_unit_test(listing_the_root),
        cmocka_unit_test(removing_trees),
        cmocka_unit_test(removing_versions),
        cmocka_unit_test(hashing),
        cmocka_unit_test(writing_large_objects),
        cmocka_unit_test(endpoints),
        cmocka_unit_test(tokens),
        cmocka_unit_test(names_of_buckets),
        cmocka_unit_test(public_objects_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
