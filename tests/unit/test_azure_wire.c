/* azureblob:// on the wire: for each operation the exact requests, and what comes of each kind of
 * reply. Nothing is sent. */
#include "store_wire.h"

#include "auth/azure/azure.h"

#define HOST "https://acct.blob.core.windows.net"
#define BLOB HOST "/cont/k"
/* base64 of "very-secret" */
#define KEY64 "dmVyeS1zZWNyZXQ="

static const char *const env[] = {"AZURE_STORAGE_KEY", KEY64, "HOME", "/nonexistent", NULL};
static const struct wire_store store = {.url = "azureblob://acct/cont/k",
                                        .old = "\"0x1\" aa.bb",
                                        .env = env,
                                        .secret = KEY64,
                                        .random_after = ' '};

static void check_all(const struct wire_case *t, size_t n)
{
    wire_check_all(&store, t, n);
}

#define SIGNED                                                                                     \
    "> authorization: SharedKey acct:*=\n> x-ms-date: *, * 20* GMT\n> x-ms-version: 2023-11-03\n"
#define ERR(status, code)                                                                          \
    "< " #status "\n< x-ms-error-code: " code "\n< x-ms-request-id: R-1\n"                         \
    "<= <?xml version=\"1.0\"?><Error><Code>" code "</Code><Message>text of it\n"                  \
    "<= RequestId:R-1</Message></Error>\n"
#define NO_CONT  ERR(404, "ContainerNotFound")
#define E412     ERR(412, "ConditionNotMet")
#define E503     ERR(503, "ServerBusy")
#define OK_HELLO "< 200\n< etag: \"0x1\"\n< content-md5: XUFAKrxLKna5cZ2REBfFkg==\n<= hello\n"

/* Replies that every operation meets the same way. */
#define COMMON(op, request, ok, result)                                                            \
    {#op " denied", op, request ERR(403, "AuthorizationPermissionMismatch"), CK_DENIED,            \
     "403 AuthorizationPermissionMismatch: text of it (request R-1); assign the role"},            \
        {#op " with a wrong key", op, request ERR(403, "AuthenticationFailed"),                    \
         CK_UNAUTHENTICATED, "with AZURE_STORAGE_KEY: 403 AuthenticationFailed"},                  \
        {#op " in an account without keys", op,                                                    \
         request ERR(403, "KeyBasedAuthenticationNotPermitted"), CK_DENIED,                        \
         "unset AZURE_STORAGE_KEY and sign in"},                                                   \
        {#op " in no container", op, request NO_CONT, CK_INVALID,                                  \
         "the container \"cont\" does not exist at acct.blob.core.windows.net"},                   \
        {#op " after a 503", op, request E503 request ok, CK_OK, result},                          \
        {#op " after a 500", op, request ERR(500, "InternalError") request ok, CK_OK, result},     \
        {#op " after a 429", op, request "< 429\n" request ok, CK_OK, result},                     \
        {#op " after a broken connection", op, request "! reset\n" request ok, CK_OK, result},     \
        {#op " with a web page for an error", op,                                                  \
         request "< 403\n<= <html><p>No & no<br></html>\n", CK_DENIED, "403 Forbidden"},           \
    {                                                                                              \
#op " with a request that is wrong", op, request ERR(400, "InvalidHeaderValue"),           \
            CK_INVALID, "400 InvalidHeaderValue: text of it"                                       \
    }

#define GET "> GET " BLOB "\n"

static void reading(void **state)
{
    static const struct wire_case t[] = {
        {"ok", READ, GET SIGNED OK_HELLO, CK_OK, "hello \"0x1\""},
        {"empty", READ, GET "< 200\n< etag: \"0x2\"\n< content-md5: 1B2M2Y8AsgTpgAmY7PhCfg==\n",
         CK_OK, " \"0x2\""},
        COMMON(READ, GET, OK_HELLO, "hello \"0x1\""),
        {"a tag that something on the way made weak", READ,
         GET "< 200\n< etag: W/\"0x1\"\n<= hello\n", CK_OK, "hello \"0x1\""},
        {"absent", READ, GET ERR(404, "BlobNotFound"), CK_NOT_FOUND, "404 BlobNotFound"},
        {"absent, without a code", READ, GET "< 404\n", CK_NOT_FOUND, "404 Not Found"},
        {"broken XML", READ, GET "< 404\n<= <Error><Code>Blob\n", CK_NOT_FOUND, "404"},
        {"damaged", READ, GET "< 200\n< content-md5: AAAAAAAAAAAAAAAAAAAAAA==\n<= hello\n",
         CK_UNAVAILABLE, "does not match the server's MD5"},
        {"without a sum", READ, GET "< 200\n< etag: \"0x1\"\n<= hello\n", CK_OK, "hello \"0x1\""},
        {"cut short, then whole", READ, GET OK_HELLO "! truncate\n" GET OK_HELLO, CK_OK,
         "hello \"0x1\""},
        {"always failing", READ, GET E503 GET E503 GET E503 GET E503 GET E503, CK_UNAVAILABLE,
         "503 ServerBusy"},
        {"moved", READ, GET "< 302\n< location: https://evil.example.com/\n", CK_INVALID, "302"},
        {"many", READ_MANY, GET OK_HELLO "> GET " HOST "/cont/l\n" ERR(404, "BlobNotFound"), CK_OK,
         "0=hello 1=not-found "},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define PUT                                                                                        \
    "> PUT " BLOB "\n> x-ms-blob-type: BlockBlob\n> content-md5: XUFAKrxLKna5cZ2REBfFkg==\n"       \
    "> x-ms-blob-content-md5: XUFAKrxLKna5cZ2REBfFkg==\n> content-type: "                          \
    "application/octet-stream\n"                                                                   \
    ">= hello\n"
#define OK_PUT "< 201\n< etag: \"0x2\"\n"

static void writing(void **state)
{
    static const struct wire_case t[] = {
        {"ok", WRITE, PUT SIGNED "> !if-match\n> !if-none-match\n> !x-ms-meta-ckops_write\n" OK_PUT,
         CK_OK, "\"0x2\""},
        COMMON(WRITE, PUT, OK_PUT, "\"0x2\""),
        {"damaged on the way", WRITE, PUT ERR(400, "Md5Mismatch"), CK_INVALID, "400 Md5Mismatch"},
        {"leased", WRITE, PUT ERR(412, "LeaseIdMissing"), CK_DENIED, "somebody holds a lease"},
        {"no container, without a code", WRITE, PUT "< 404\n", CK_INVALID, "does not exist at"},
        {"no tag in the reply", WRITE, PUT "< 201\n", CK_OK, ""},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define MARKED     "> x-ms-meta-ckops_write: *\n"
#define CREATE_PUT PUT "> if-none-match: *\n> !if-match\n" MARKED
#define HEAD       "> HEAD " BLOB "\n"
#define THEIRS     HEAD "< 200\n< etag: \"0x9\"\n< x-ms-meta-ckops_write: other\n"
#define GONE       HEAD "< 404\n< x-ms-error-code: BlobNotFound\n"
#define E409       ERR(409, "BlobAlreadyExists")

static void creating(void **state)
{
    static const struct wire_case t[] = {
        {"ok", CREATE, CREATE_PUT SIGNED OK_PUT, CK_OK, "\"0x2\""},
        COMMON(CREATE, CREATE_PUT, OK_PUT, "\"0x2\""),
        {"exists", CREATE, CREATE_PUT E409 THEIRS, CK_EXISTS, "file already exists"},
        {"exists, as a condition", CREATE, CREATE_PUT E412 THEIRS, CK_EXISTS,
         "file already exists"},
        {"exists, without a code", CREATE, CREATE_PUT "< 409\n" THEIRS, CK_EXISTS,
         "file already exists"},
        {"leased", CREATE, CREATE_PUT ERR(412, "LeaseIdMissing"), CK_DENIED, "holds a lease"},
        {"a container on its way out", CREATE, CREATE_PUT ERR(409, "ContainerBeingDeleted"),
         CK_UNAVAILABLE, "the container is being deleted"},
        {"somebody else's after a resend", CREATE, CREATE_PUT "! reset\n" CREATE_PUT E409 THEIRS,
         CK_EXISTS, "file already exists"},
        {"refused after a resend, and no look", CREATE,
         CREATE_PUT "! reset\n" CREATE_PUT E409 HEAD "< 403\n", CK_DENIED,
         "the outcome of the write is unknown"},
        {"broken for good, nothing there", CREATE,
         CREATE_PUT "! reset\n" CREATE_PUT "! reset\n" CREATE_PUT "! reset\n" CREATE_PUT
                    "! reset\n" CREATE_PUT "! reset\n" GONE,
         CK_UNAVAILABLE, "the connection broke"},
        {"failing for good, nothing there", CREATE,
         CREATE_PUT E503 CREATE_PUT E503 CREATE_PUT E503 CREATE_PUT E503 CREATE_PUT E503 GONE,
         CK_UNAVAILABLE, "503 ServerBusy"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

static void a_container_is_made_on_request(void **state)
{
    static const char *const on[] = {"AZURE_STORAGE_KEY", KEY64, "CKOPS_AZURE_CREATE_CONTAINER",
                                     "yes", NULL};
    static const struct wire_store s = {
        .url = "azureblob://acct/cont/k", .old = "\"0x1\"", .env = on, .secret = KEY64};
#define MAKE "> PUT " HOST "/cont?restype=container\n"
    static const struct wire_case t[] = {
        {"made", WRITE, PUT NO_CONT MAKE SIGNED "< 201\n" PUT OK_PUT, CK_OK, "\"0x2\""},
        {"made by somebody else", WRITE,
         PUT NO_CONT MAKE ERR(409, "ContainerAlreadyExists") PUT OK_PUT, CK_OK, "\"0x2\""},
        {"not allowed", WRITE, PUT NO_CONT MAKE ERR(403, "AuthorizationPermissionMismatch"),
         CK_DENIED, "creating the container \"cont\""},
        {"not needed", WRITE, PUT OK_PUT, CK_OK, "\"0x2\""},
    };
    wire_check_all(&s, t, CK_ARRAY_LEN(t));
}

#define UPDATE_PUT         PUT "> if-match: \"0x1\"\n> !if-none-match\n" MARKED
#define BROKEN             UPDATE_PUT "! reset\n"
#define THERE(etag, marks) HEAD "< 200\n< etag: \"" etag "\"\n< x-ms-meta-ckops_write: " marks "\n"

static void updating(void **state)
{
    static const struct wire_case t[] = {
        {"ok", UPDATE, UPDATE_PUT SIGNED OK_PUT, CK_OK, "\"0x2\""},
        COMMON(UPDATE, UPDATE_PUT, OK_PUT, "\"0x2\""),
        {"builds on what was read", UPDATE, UPDATE_PUT "> x-ms-meta-ckops_write: *.aa.bb\n" OK_PUT,
         CK_OK, "\"0x2\""},
        {"changed before a resend, by one that built on what was read", UPDATE,
         UPDATE_PUT "! reset\n" UPDATE_PUT E412 THERE("0x3", "dd.cc.aa.bb"), CK_CONFLICT,
         "changed by someone else"},
        {"changed more often than the marks reach back", UPDATE,
         UPDATE_PUT E412 THERE("0x9", FULL_OF_OTHERS), CK_UNAVAILABLE,
         "the outcome of the write is unknown"},
        {"broken for good, changed on top of what was read", UPDATE,
         BROKEN BROKEN BROKEN BROKEN BROKEN THERE("0x3", "cc.aa.bb"), CK_CONFLICT,
         "changed by someone else"},
        {"broken for good, nothing changed", UPDATE,
         BROKEN BROKEN BROKEN BROKEN BROKEN THERE("0x1", "aa.bb"), CK_UNAVAILABLE,
         "the connection broke"},
        {"changed", UPDATE, UPDATE_PUT E412 THEIRS, CK_CONFLICT, "changed by someone else"},
        {"somebody else's after a resend: ours may be beneath", UPDATE,
         UPDATE_PUT "! reset\n" UPDATE_PUT E412 THEIRS, CK_UNAVAILABLE,
         "the outcome of the write is unknown"},
        {"denied after a resend, and others have written on what was read", UPDATE,
         UPDATE_PUT "! reset\n" UPDATE_PUT ERR(403, "AuthorizationFailure")
             THERE("0x3", "cc.aa.bb"),
         CK_CONFLICT, "changed by someone else"},
        {"removed", UPDATE, UPDATE_PUT E412 GONE, CK_CONFLICT, "changed by someone else"},
        {"removed, as a 404", UPDATE, UPDATE_PUT ERR(404, "BlobNotFound") GONE, CK_CONFLICT,
         "changed by someone else"},
        {"changed, and no look", UPDATE, UPDATE_PUT E412 HEAD "< 403\n", CK_CONFLICT,
         "changed by someone else"},
        {"leased", UPDATE, UPDATE_PUT ERR(412, "LeaseIdMissing"), CK_DENIED, "holds a lease"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

/* ---- blocks ---- */

/* 20 MiB of zeros: two blocks of 8 MiB, one of 4 */
#define BLOCK(n, i)                                                                                \
    "> PUT " BLOB "?blockid=" n "&comp=block\n> content-md5: " i "\n> !if-match\n> "               \
    "!if-none-match\n"
#define EIGHT  "lplbWNTL9qqpBBtPAMf2rg=="
#define FOUR   "tc+p1sj+vWGPkawoQ9UKHA=="
#define FIRST  BLOCK("*", EIGHT)
#define SECOND BLOCK("*", EIGHT)
#define THIRD  BLOCK("*", FOUR)
#define STORED "< 201\n"
#define BLOCKS FIRST SIGNED "> !x-ms-meta-ckops_write\n" STORED SECOND STORED THIRD STORED
#define LIST                                                                                       \
    "> PUT " BLOB "?comp=blocklist\n> content-type: application/xml\n"                             \
    "> x-ms-blob-content-md5: j04z89w+QU/5Tl+2kFy6jA==\n"                                          \
    "> x-ms-blob-content-type: application/octet-stream\n"                                         \
    ">= <?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList><Latest>*</Latest><Latest>*</Latest>" \
    "<Latest>*</Latest></BlockList>\n"
#define PLAIN_LIST  LIST "> !if-match\n> !if-none-match\n> !x-ms-meta-ckops_write\n"
#define CREATE_LIST LIST "> if-none-match: *\n> !if-match\n" MARKED
#define UPDATE_LIST LIST "> if-match: \"0x1\"\n> !if-none-match\n> x-ms-meta-ckops_write: *.aa.bb\n"
#define NO_BLOCKS   ERR(400, "InvalidBlockList")

static void writing_large_blobs(void **state)
{
    size_t n = 20 << 20;
    char *data = ck_xcalloc(1, n);
    const struct wire_store large = {.url = "azureblob://acct/cont/k",
                                     .old = "\"0x1\" aa.bb",
                                     .env = env,
                                     .secret = KEY64,
                                     .content = {data, n},
                                     .random_after = ' '};
    static const struct wire_case t[] = {
        {"three blocks and a list", WRITE, BLOCKS PLAIN_LIST SIGNED OK_PUT, CK_OK, "\"0x2\""},
        {"nothing there yet", CREATE, BLOCKS CREATE_LIST OK_PUT, CK_OK, "\"0x2\""},
        {"on what was read", UPDATE, BLOCKS UPDATE_LIST OK_PUT, CK_OK, "\"0x2\""},
        {"a block meets a 503", WRITE,
         FIRST STORED SECOND E503 SECOND STORED THIRD STORED PLAIN_LIST OK_PUT, CK_OK, "\"0x2\""},
        {"a block is lost", WRITE,
         FIRST STORED SECOND "! reset\n" SECOND STORED THIRD STORED PLAIN_LIST OK_PUT, CK_OK,
         "\"0x2\""},
        {"a block is damaged", WRITE, FIRST STORED SECOND ERR(400, "Md5Mismatch"), CK_INVALID,
         "400 Md5Mismatch"},
        {"denied", CREATE, FIRST ERR(403, "AuthorizationPermissionMismatch"), CK_DENIED,
         "assign the role"},
        {"no container", WRITE, FIRST NO_CONT, CK_INVALID, "does not exist at"},
        {"leased", CREATE, BLOCKS CREATE_LIST ERR(412, "LeaseIdMissing"), CK_DENIED,
         "holds a lease"},
        {"the list meets a 500", UPDATE,
         BLOCKS UPDATE_LIST ERR(500, "InternalError") UPDATE_LIST OK_PUT, CK_OK, "\"0x2\""},
        {"exists", CREATE, BLOCKS CREATE_LIST E409 THEIRS, CK_EXISTS, "file already exists"},
        {"changed", UPDATE, BLOCKS UPDATE_LIST E412 THEIRS, CK_CONFLICT, "changed by someone else"},
        {"another writer's list threw the blocks away", UPDATE,
         BLOCKS UPDATE_LIST NO_BLOCKS THERE("0x3", "cc.aa.bb"), CK_CONFLICT,
         "changed by someone else"},
        {"the same, unconditionally: begun anew", WRITE,
         BLOCKS PLAIN_LIST NO_BLOCKS BLOCKS PLAIN_LIST OK_PUT, CK_OK, "\"0x2\""},
        {"the same again and again", WRITE,
         BLOCKS PLAIN_LIST NO_BLOCKS BLOCKS PLAIN_LIST NO_BLOCKS BLOCKS PLAIN_LIST NO_BLOCKS,
         CK_INVALID, "400 InvalidBlockList"},
        {"the reply to the list was lost, and others wrote: nobody knows", UPDATE,
         BLOCKS UPDATE_LIST "! reset\n" UPDATE_LIST E412 THEIRS, CK_UNAVAILABLE,
         "the outcome of the write is unknown"},
    };
    wire_check_all(&large, t, CK_ARRAY_LEN(t));
    free(data);
}

#define DEL     "> DELETE " BLOB "\n"
#define OURS    HEAD "< 200\n< etag: \"0x1\"\n"
#define DEL_OLD DEL "> if-match: \"0x1\"\n"

static void removing(void **state)
{
    static const struct wire_case t[] = {
        {"ok", REMOVE, DEL SIGNED "> !if-match\n< 202\n", CK_OK, ""},
        COMMON(REMOVE, DEL, "< 202\n", ""),
        {"absent", REMOVE, DEL ERR(404, "BlobNotFound"), CK_OK, ""},
        {"of a version", REMOVE_OLD, OURS DEL_OLD "< 202\n", CK_OK, ""},
        {"of a stale version", REMOVE_OLD, THEIRS, CK_CONFLICT, "changed by someone else"},
        {"of a version that is gone", REMOVE_OLD, GONE, CK_CONFLICT, "changed by someone else"},
        {"of a version that changes meanwhile", REMOVE_OLD, OURS DEL_OLD E412 THEIRS, CK_CONFLICT,
         "changed by someone else"},
        {"of a version, the reply lost", REMOVE_OLD,
         OURS DEL_OLD "! reset\n" DEL_OLD ERR(404, "BlobNotFound"), CK_OK, ""},
        {"of a version, the reply lost, refused", REMOVE_OLD,
         OURS DEL_OLD "! reset\n" DEL_OLD E412 GONE, CK_OK, ""},
        {"of a version, the look denied", REMOVE_OLD, HEAD "< 403\n", CK_DENIED, "403"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define L  "> GET " HOST "/cont?comp=list&delimiter=%2F&prefix=k%2F&restype=container\n"
#define T  "> GET " HOST "/cont?comp=list&prefix=k%2F&restype=container\n"
#define T2 "> GET " HOST "/cont?comp=list&marker=m%2F1&prefix=k%2F&restype=container\n"
#define PAGE(body)                                                                                 \
    "< 200\n<= \xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults>"         \
    "<Blobs>" body "</EnumerationResults>\n"
#define END  "</Blobs><NextMarker />"
#define MORE "</Blobs><NextMarker>m/1</NextMarker>"
#define FILE_(name)                                                                                \
    "<Blob><Name>" name "</Name><Properties><Content-Length>5</Content-Length></Properties></"     \
    "Blob>"
#define DIR_(name) "<BlobPrefix><Name>" name "</Name></BlobPrefix>"
#define TWO        PAGE(FILE_("k/b") FILE_("k/a b") FILE_("k/") DIR_("k/d/") DIR_("k/c/") END)

static void listing(void **state)
{
    static const struct wire_case t[] = {
        {"files", LIST_FILES, L SIGNED TWO, CK_OK, "a b b"},
        {"folders", LIST_DIRS, L TWO, CK_OK, "c d"},
        {"everything", LIST_TREE, T PAGE(FILE_("k/x/y") FILE_("k/a") END), CK_OK, "a x/y"},
        {"nothing", LIST_FILES,
         L "< 200\n<= <EnumerationResults><Blobs /><NextMarker />"
           "</EnumerationResults>\n",
         CK_OK, ""},
        {"pages", LIST_TREE, T PAGE(FILE_("k/a") MORE) T2 PAGE(FILE_("k/b") END), CK_OK, "a b"},
        {"pages that may be empty", LIST_TREE, T PAGE(MORE) T2 PAGE(FILE_("k/b") END), CK_OK, "b"},
        COMMON(LIST_FILES, L, TWO, "a b b"),
        COMMON(LIST_DIRS, L, TWO, "c d"),
        COMMON(LIST_TREE, T, PAGE(FILE_("k/a") END), "a"),
        {"broken XML", LIST_FILES, L "< 200\n<= <EnumerationResults><Blobs>\n", CK_UNAVAILABLE,
         "not a container listing"},
        {"a web page", LIST_DIRS, L "< 200\n<= <html>Sign in</html>\n", CK_UNAVAILABLE,
         "not a container listing"},
        {"a page that repeats", LIST_TREE, T PAGE(MORE) T2 PAGE(MORE), CK_UNAVAILABLE,
         "the server repeats a page"},
        {"a page that fails makes no short list", LIST_TREE,
         T PAGE(FILE_("k/a") MORE) T2 ERR(403, "AuthorizationFailure"), CK_DENIED, "403"},
        {"siblings are not taken", LIST_TREE, T PAGE(FILE_("k0/x") FILE_("k/a") END), CK_OK, "a"},
        {"clusters", FIND,
         L PAGE(DIR_("k/c1/") DIR_("k/c2/") END) "> GET " HOST "/cont/k/c1/config\n" OK_HELLO
                                                 "> GET " HOST "/cont/k/c2/config\n" OK_HELLO,
         CK_OK, "c1=hello:\"0x1\" c2=hello:\"0x1\" "},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define FOUND T PAGE(FILE_("k/a") FILE_("k/b") END)
#define DEL_A "> DELETE " HOST "/cont/k/a\n"
#define DEL_B "> DELETE " HOST "/cont/k/b\n"

static void removing_trees(void **state)
{
    static const struct wire_case t[] = {
        {"ok", REMOVE_TREE, FOUND DEL_A SIGNED "< 202\n" DEL_B "< 202\n", CK_OK, ""},
        {"nothing there", REMOVE_TREE, T PAGE(END), CK_OK, ""},
        {"one is refused", REMOVE_TREE, FOUND DEL_A ERR(409, "SnapshotsPresent") DEL_B "< 202\n",
         CK_CONFLICT,
         "error removing 1 of 2 files from azureblob://acct/cont; k/a: error deleting "},
        {"gone meanwhile", REMOVE_TREE, FOUND DEL_A ERR(404, "BlobNotFound") DEL_B "< 202\n", CK_OK,
         ""},
        {"503, then ok", REMOVE_TREE, FOUND DEL_A "< 202\n" DEL_B E503 DEL_B "< 202\n", CK_OK, ""},
        {"reset, then ok", REMOVE_TREE, FOUND DEL_A "< 202\n" DEL_B "! reset\n" DEL_B "< 202\n",
         CK_OK, ""},
        {"the listing is denied", REMOVE_TREE, T ERR(403, "AuthorizationFailure"), CK_DENIED,
         "blobs/read (list)"},
        {"no container", REMOVE_TREE, T NO_CONT, CK_INVALID, "does not exist at"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

#define V                   "> GET " HOST "/cont?comp=list&include=snapshots%2Cversions&prefix=k&restype=container\n"
#define VERSION_(name, id)  "<Blob><Name>" name "</Name><VersionId>" id "</VersionId></Blob>"
#define SNAPSHOT_(name, id) "<Blob><Name>" name "</Name><Snapshot>" id "</Snapshot></Blob>"
#define DEL_ALL             DEL "> x-ms-delete-snapshots: include\n"
#define DEL_V(id)           "> DELETE " BLOB "?versionid=" id "\n"

static void removing_versions(void **state)
{
    static const struct wire_case t[] = {
        {"without versions", REMOVE_VERSIONS, V PAGE(FILE_("k") FILE_("k2") END) DEL_ALL "< 202\n",
         CK_OK, ""},
        {"snapshots go with the blob", REMOVE_VERSIONS,
         V PAGE(SNAPSHOT_("k", "s1") FILE_("k") END) DEL_ALL "< 202\n", CK_OK, ""},
        {"versions", REMOVE_VERSIONS,
         V PAGE(VERSION_("k", "v1") VERSION_("k", "v2") VERSION_("k2", "v3") END) DEL_ALL
         "< 202\n" DEL_V("v1") "< 202\n" DEL_V("v2") "< 202\n",
         CK_OK, ""},
        {"versions of what is gone", REMOVE_VERSIONS,
         V PAGE(VERSION_("k", "v1") END) DEL_ALL ERR(404, "BlobNotFound") DEL_V("v1") "< 202\n",
         CK_OK, ""},
        {"none", REMOVE_VERSIONS, V PAGE(FILE_("k2") END), CK_NOT_FOUND, "file does not exist"},
        {"an account that keeps none", REMOVE_VERSIONS,
         V ERR(409, "FeatureNotSupportedForAccount") DEL_ALL "< 202\n", CK_OK, ""},
        {"an account that keeps none, absent", REMOVE_VERSIONS,
         V ERR(400, "InvalidQueryParameterValue") DEL_ALL ERR(404, "BlobNotFound"), CK_NOT_FOUND,
         "file does not exist"},
        {"one is refused", REMOVE_VERSIONS,
         V PAGE(VERSION_("k", "v1") END) DEL_ALL "< 202\n" DEL_V("v1")
             ERR(403, "AuthorizationPermissionMismatch"),
         CK_DENIED, "error removing 1 of 1 files"},
        {"denied", REMOVE_VERSIONS, V ERR(403, "AuthorizationFailure"), CK_DENIED, "403"},
        {"no container", REMOVE_VERSIONS, V NO_CONT, CK_INVALID, "does not exist at"},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

static void hashing(void **state)
{
    static const struct wire_case t[] = {
        {"ok", HASH, HEAD SIGNED "< 200\n< content-md5: XUFAKrxLKna5cZ2REBfFkg==\n", CK_OK,
         "md5:5d41402abc4b2a76b9719d911017c592"},
        {"blobs in blocks have none", HASH, HEAD "< 200\n< etag: \"0x1\"\n", CK_OK, ""},
        {"absent", HASH, GONE, CK_NOT_FOUND, "file does not exist"},
        {"no container", HASH, HEAD "< 404\n< x-ms-error-code: ContainerNotFound\n", CK_INVALID,
         "does not exist at"},
        {"denied", HASH, HEAD "< 403\n< x-ms-error-code: AuthorizationFailure\n", CK_DENIED,
         "403 AuthorizationFailure"},
        {"after a 503", HASH, HEAD "< 503\n" HEAD "< 200\n", CK_OK, ""},
        {"after a 429", HASH, HEAD "< 429\n" HEAD "< 200\n", CK_OK, ""},
        {"after a broken connection", HASH, HEAD "! reset\n" HEAD "< 200\n", CK_OK, ""},
    };
    check_all(t, CK_ARRAY_LEN(t));
}

/* ---- identities ---- */

#define META                                                                                       \
    "> GET http://127.0.0.1:9/metadata/identity/oauth2/token?api-version=2018-02-01&resource="     \
    "https%3A%2F%2Fstorage.azure.com\n> metadata: true\n"
#define TOKEN "< 200\n<= {\"access_token\":\"very-secret\",\"expires_in\":\"86399\"}\n"

static void identities(void **state)
{
    static const char *const sas[] = {"AZURE_STORAGE_SAS_TOKEN", "?sv=1&sig=a%2Fb%3D", NULL};
    static const char *const managed[] = {"AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9",
                                          NULL};
    static const char *const path[] = {"AZURE_STORAGE_KEY", KEY64, "CKOPS_AZURE_ENDPOINT",
                                       "http://127.0.0.1:9/acct/", NULL};
    static const struct wire_case t[] = {
        {"a shared access signature", READ,
         "> GET " BLOB "?sv=1&sig=a%2Fb%3D\n> !authorization\n" OK_HELLO, CK_OK, "hello \"0x1\""},
        {"a token", READ, META TOKEN GET "> authorization: Bearer very-secret\n" OK_HELLO, CK_OK,
         "hello \"0x1\""},
        {"an endpoint with the account in its path", READ,
         "> GET http://127.0.0.1:9/acct/cont/k\n" SIGNED OK_HELLO, CK_OK, "hello \"0x1\""},
        {"a token that is not accepted, at once", READ,
         META TOKEN GET ERR(401, "InvalidAuthenticationInfo"), CK_UNAUTHENTICATED,
         "as managed identity (from the metadata service): 401 InvalidAuthenticationInfo"},
    };
    const char *url = "azureblob://acct/cont/k";
    wire_check(&(struct wire_store){.url = url, .old = "1", .env = sas, .secret = "a/b="}, &t[0]);
    wire_check(
        &(struct wire_store){.url = url, .old = "1", .env = managed, .secret = "very-secret"},
        &t[1]);
    wire_check(&(struct wire_store){.url = url, .old = "1", .env = path, .secret = KEY64}, &t[2]);
    wire_check(
        &(struct wire_store){.url = url, .old = "1", .env = managed, .secret = "very-secret"},
        &t[3]);
}

static void a_wrong_clock_is_corrected(void **state)
{
    static const struct wire_case t[] = {
        {"once", READ,
         GET "< 403\n< x-ms-error-code: AuthenticationFailed\n< date: Fri, 01 Jan 2021 00:00:00 "
             "GMT\n" GET "> x-ms-date: Fri, 01 Jan 2021 00:00:*\n" OK_HELLO,
         CK_OK, "hello \"0x1\""},
        {"not twice", READ,
         GET "< 403\n< x-ms-error-code: AuthenticationFailed\n< date: Fri, 01 Jan 2021 00:00:00 "
             "GMT\n" GET "< 403\n< x-ms-error-code: AuthenticationFailed\n",
         CK_UNAUTHENTICATED, "403"},
    };
    ck_clock_set_ns((int64_t)(1609459200 + 3 * 86400) * 1000000000); /* three days ahead */
    check_all(t, CK_ARRAY_LEN(t));
    ck_clock_set_ns(0);
}

/* The string to sign, put together by hand from the service's description. */
static void the_signed_text(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    struct ck_req r = {.method = "PUT",
                       .scheme = "https",
                       .host = "acct.blob.core.windows.net",
                       .path = "/cont/a b/\xC3\xA9",
                       .body = CK_S("hello")};
    ck_nvs_add(a, &r.headers, "x-ms-version", "2023-11-03");
    ck_nvs_add(a, &r.headers, "content-type", "text/plain");
    ck_nvs_add(a, &r.headers, "x-ms-date", "D");
    ck_nvs_add(a, &r.headers, "if-none-match", "*");
    ck_nvs_add(a, &r.headers, "X-Ms-Meta-B", " v ");
    ck_nvs_add(a, &r.query, "Comp", "x y");
    ck_nvs_add(a, &r.query, "blockid", "MQ==");
    ck_azure_string_to_sign(&text, "acct", &r);
    assert_string_equal(ck_buf_str(&text),
                        "PUT\n\n\n5\n\ntext/plain\n\n\n\n*\n\n\nx-ms-date:D\nx-ms-meta-b:v\n"
                        "x-ms-version:2023-11-03\n/acct/cont/a%20b/%C3%A9\nblockid:MQ==\n"
                        "comp:x y");
}

static void names(void **state)
{
    static const struct {
        const char *url, *text;
    } t[] = {
        {"azureblob://My-Account/cont", "the nearest valid form is \"myaccount\""},
        {"azureblob://ac/cont", "the nearest valid form is \"ac0\""},
        {"azureblob://acct/My_Container/x", "the nearest valid form is \"my-container\""},
        {"azureblob://acct/a--b", "the nearest valid form is \"a-b\""},
        {"azureblob://acct", "no container specified in \"azureblob://acct\"; expected "},
        {"azureblob://acct/", "no container specified in "},
        {"azureblob://", "no storage account specified in \"azureblob://\"; expected "},
        {"azureblob:///cont/k", "no storage account specified in "},
        {"azureblob://ac ct/cont", "the nearest valid form is \"acct\""},
        {"azureblob://acct/cont/a%zz", "write %25 for the sign itself"},
        {"azureblob://acct/cont/a?x", "no query and no fragment"},
        {"azureblob://acct/cont#x", "no query and no fragment"},
        {"azureblob://acct/cont/a%0Ab", "control characters"},
        {"azureblob://acct/cont/../x", "\"..\" is not allowed"},
    };
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_env e = {0};
    struct ck_vfs_ctx ctx = {.env = &e, .arena = a};
    struct ck_path p;
    CK_AUTOERR err = CK_ERR_INIT;
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        assert_int_equal(ck_vfs_parse(&ctx, t[i].url, &p, &err), -CK_INVALID);
        if (!strstr(ck_err_msg(&err), t[i].text))
            fail_msg("%s: %s", t[i].url, ck_err_msg(&err));
    }
    assert_int_equal(ck_vfs_parse(&ctx, "azureblob://acct/cont", &p, &err), 0);
    assert_string_equal(p.key, "");
    assert_int_equal(ck_vfs_parse(&ctx, "azureblob://acct/cont//x/y", &p, &err), 0);
    assert_string_equal(p.key, "x/y");
    assert_string_equal(ck_path_text(a, &p), "azureblob://acct/cont/x/y");
    assert_null(ctx.http);
    ck_env_set(&e, "AZURE_STORAGE_ACCOUNT", "acct");
    assert_int_equal(ck_vfs_parse(&ctx, "azureblob://acct/cont", &p, &err), -CK_INVALID);
    assert_string_equal(ck_err_msg(&err),
                        "unset AZURE_STORAGE_ACCOUNT; the storage account belongs in the URL:  "
                        "azureblob://<account>/<container>/<key>");
    ck_vfs_ctx_done(&ctx);
    ck_env_done(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),
        cmocka_unit_test(writing),
        cmocka_unit_test(creating),
        cmocka_unit_test(a_container_is_made_on_request),
        cmocka_unit_test(updating),
        cmocka_unit_test(writing_large_blobs),
        cmocka_unit_test(removing),
        cmocka_unit_test(listing),
        cmocka_unit_test(removing_trees),
        cmocka_unit_test(removing_versions),
        cmocka_unit_test(hashing),
        cmocka_unit_test(identities),
        cmocka_unit_test(a_wrong_clock_is_corrected),
        cmocka_unit_test(the_signed_text),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
