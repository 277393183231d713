/* Swift on the wire: for each operation the exact requests, and what comes of each kind of reply.
 * The transport follows a script; nothing is sent. */
#include "store_wire.h"

#include "answering.h"

#define SW   "https://sw/v1/AUTH_p"
#define BODY "> POST https://ks/v3/auth/tokens\n> content-type: application/json\n"
#define CATALOG                                                                                    \
    "<= {\"token\":{\"expires_at\":\"2099-01-01T00:00:00.000000Z\",\"catalog\":[{\"type\":"        \
    "\"object-store\",\"endpoints\":[{\"interface\":\"public\",\"region\":\"R\",\"url\":"          \
    "\"" SW "\"}]}]}}\n"
#define TOKEN(t) BODY "< 201\n< x-subject-token: " t "\n" CATALOG
#define AUTH     TOKEN("tok")

#define HELLO_MD5 "5d41402abc4b2a76b9719d911017c592"
#define OLD       "1700000000.00001@11111111111111111111111111111111"
#define OLD_REPLY                                                                                  \
    "< 200\n< etag: 11111111111111111111111111111111\n< x-timestamp: 1700000000.00001\n"
/* The beginning of the SHA-256 of OLD. */
#define OLD_MARK "da35e2589dd04a8b"
#define BUILT_ON_OLD                                                                               \
    "< 200\n< etag: 2\n< x-timestamp: 1700000001.00001\n< x-object-meta-ckops-write: dd." OLD_MARK \
    "\n"
#define NEWER    "< 200\n< etag: 2\n< x-timestamp: 1700000001.00001\n"
#define OK_HELLO "< 200\n< etag: " HELLO_MD5 "\n< x-timestamp: 1.5\n<= hello\n"
#define HTML(t)                                                                                    \
    "< content-type: text/html; charset=UTF-8\n<= <html><h1>" t "</h1><p>m.</p></html>\n"

#define WITH     "> x-auth-token: tok\n"
#define GET      "> GET " SW "/bkt/k\n" WITH
#define HEAD     "> HEAD " SW "/bkt/k\n> x-newest: true\n"
#define PUT      "> PUT " SW "/bkt/k\n"
#define DEL      "> DELETE " SW "/bkt/k\n" WITH
#define HEAD_C   "> HEAD " SW "/bkt\n"
#define CREATE_C "> PUT " SW "/bkt\n"
#define LOCK     "> PUT " SW "/ckops_lock_*_0\n"
#define UNLOCK_  "> DELETE " SW "/ckops_lock_*_0\n"
#define UNLOCK   UNLOCK_ "< 204\n"
#define L        "> GET " SW "/bkt?format=json&prefix=k%2F&delimiter=%2F\n" WITH
#define GOT      LOCK "< 201\n"

static const char *const base_env[] = {"OS_AUTH_URL",
                                       "https://ks/v3",
                                       "OS_USERNAME",
                                       "demo",
                                       "OS_PASSWORD",
                                       "very-secret",
                                       "OS_PROJECT_ID",
                                       "p",
                                       "HOME",
                                       "/nonexistent",
                                       "OS_USER_DOMAIN_NAME",
                                       "d",
                                       "OS_REGION_NAME",
                                       "R",
                                       NULL};

static const struct wire_store store = {
    .old = OLD, .env = base_env, .secret = "very-secret", .random_after = ' '};

static void check(const struct wire_case *c, const char *url, const char *const *more_env)
{
    struct wire_store s = store;
    s.url = url;
    s.more_env = more_env;
    wire_check(&s, c);
}

static void check_all(const struct wire_case *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(&c[i], "swift://bkt/k", NULL);
}

#define ALL(t) check_all(t, CK_ARRAY_LEN(t))

/* Replies that every operation meets the same way: `before` is asked first, `request` gets the
 * reply, `rest` and `result` are what follows an ok. */
#define COMMON(op, before, request, ok, result)                                                    \
    {#op " with an ended token", op,                                                               \
     before request "< 401\n" HTML("Unauthorized") TOKEN("tok") request ok, CK_OK, result},        \
        {#op " refused twice", op, before request "< 401\n" TOKEN("tok") request "< 401\n",        \
         CK_UNAUTHENTICATED, "401 Unauthorized"},                                                  \
        {#op " denied", op, before request "< 403\n" HTML("Forbidden"), CK_DENIED,                 \
         "as user demo of project p (from the environment) in R: 403 Forbidden: Forbidden m."},    \
        {#op " after a 500", op, before request "< 500\n" request ok, CK_OK, result},              \
        {#op " after a 503", op, before request "< 503\n" HTML("Service Unavailable") request ok,  \
         CK_OK, result},                                                                           \
        {#op " slowed down", op, before request "< 429\n< retry-after: 0\n" request ok, CK_OK,     \
         result},                                                                                  \
        {#op " limited", op, before request "< 498\n", CK_UNAVAILABLE, "too many requests"},       \
        {#op " after a broken connection", op, before request "! reset\n" request ok, CK_OK,       \
         result},                                                                                  \
        {#op " with a request id", op, before request "< 403\n< x-trans-id: tx1\n", CK_DENIED,     \
         "(request tx1)"},                                                                         \
    {                                                                                              \
#op " with a redirect", op,                                                                \
            before request "< 301\n< location: https://evil.example.com/\n", CK_INVALID, "301"     \
    }

#define HELLO_TEXT  "hello 1.5@" HELLO_MD5
#define FOUND_HELLO "hello:1.5@" HELLO_MD5

static void reading(void **state)
{
    static const struct wire_case t[] = {
        {"ok", READ, AUTH GET "> x-newest: true\n" OK_HELLO, CK_OK, HELLO_TEXT},
        COMMON(READ, AUTH, GET, OK_HELLO, HELLO_TEXT),
        {"ckops' own marks are the version", READ,
         AUTH GET "< 200\n< etag: " HELLO_MD5
                  "\n< x-timestamp: 1.5\n< x-object-meta-ckops-write: abc.de\n<= hello\n",
         CK_OK, "hello " HELLO_MD5 " abc.de"},
        {"absent", READ, AUTH GET "< 404\n" HEAD_C "< 204\n", CK_NOT_FOUND, "404 Not Found"},
        {"no container", READ, AUTH GET "< 404\n" HEAD_C "< 404\n", CK_INVALID,
         "the container \"bkt\" does not exist at sw"},
        {"absent, and the container may not be seen", READ, AUTH GET "< 404\n" HEAD_C "< 403\n",
         CK_NOT_FOUND, "404 Not Found"},
        {"damaged", READ, AUTH GET "< 200\n< etag: 11111111111111111111111111111111\n<= hello\n",
         CK_UNAVAILABLE, "does not match the server's MD5"},
        {"manifests have other tags", READ,
         AUTH GET "< 200\n< etag: \"11111111111111111111111111111111\"\n"
                  "< x-static-large-object: True\n< x-timestamp: 2\n<= hello\n",
         CK_OK, "hello 2@\"11111111111111111111111111111111\""},
        {"cut short, then whole", READ, AUTH GET OK_HELLO "! truncate\n" GET OK_HELLO, CK_OK,
         HELLO_TEXT},
        {"a token that ends while a request is sent again", READ,
         AUTH GET "< 503\n" GET "< 401\n" TOKEN("t2") "> GET " SW
                                                      "/bkt/k\n> x-auth-token: t2\n" OK_HELLO,
         CK_OK, HELLO_TEXT},
        {"always failing", READ, AUTH GET "< 503\n" GET "< 503\n" GET "< 503\n", CK_UNAVAILABLE,
         "503 Service Unavailable"},
    };
    ALL(t);
}

/* In a script the second look cannot show the random mark: 404 there means that the object was
 * made and removed since. */
#define SEEN       HEAD "< 404\n"
#define CREATE_PUT PUT "> if-none-match: *\n> x-object-meta-ckops-write: *\n>= hello\n"
#define NO_LOOK    HEAD "! refuse\n" HEAD "! refuse\n" HEAD "! refuse\n"
#define BEFORE     AUTH HEAD "< 404\n"
#define GONE       HEAD "< 404\n" UNLOCK

static void writing(void **state)
{
    static const struct wire_case t[] = {
        {"ok", WRITE,
         AUTH PUT WITH "> etag: " HELLO_MD5 "\n> x-object-meta-ckops-write: *\n"
                       "> !if-none-match\n> !content-type\n>= hello\n< 201\n",
         CK_OK, HELLO_MD5},
        COMMON(WRITE, AUTH, PUT, "< 201\n", HELLO_MD5),
        {"no container", WRITE, AUTH PUT "< 404\n", CK_INVALID, "CKOPS_SWIFT_CREATE_CONTAINER=yes"},
        {"damaged on the way", WRITE, AUTH PUT "< 422\n", CK_UNAVAILABLE, "damaged on the way"},
        {"over the quota", WRITE, AUTH PUT "< 413\n" HTML("Upload exceeds quota."), CK_LIMIT,
         "quota"},
        {"no room", WRITE, AUTH PUT "< 507\n", CK_UNAVAILABLE, "no room left"},
    };
    ALL(t);
    static const char *const make[] = {"CKOPS_SWIFT_CREATE_CONTAINER", "yes", NULL};
    static const struct wire_case made[] = {
        {"made on request", WRITE, AUTH PUT "< 404\n" CREATE_C "< 201\n" PUT "< 201\n", CK_OK,
         HELLO_MD5},
        {"may not be made", WRITE, AUTH PUT "< 404\n" CREATE_C "< 403\n", CK_DENIED,
         "error making the container of swift://bkt/k"},
        {"not yet made: absent", READ, AUTH GET "< 404\n" HEAD_C "< 404\n", CK_NOT_FOUND, "404"},
        {"not yet made: empty", LIST_FILES, AUTH L "< 404\n" HEAD_C "< 404\n", CK_OK, ""},
        {"made under a lock, which took too long", CREATE,
         BEFORE GOT CREATE_PUT "< 404\n" CREATE_C "~ 10001\n< 201\n" SEEN, CK_TIMEOUT,
         "not sent: its lock has ended"},
        {"made, and still missing", WRITE, AUTH PUT "< 404\n" CREATE_C "< 202\n" PUT "< 404\n",
         CK_NOT_FOUND, "404"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(made); i++)
        check(&made[i], "swift://bkt/k", make);
}

static void creating(void **state)
{
    static const struct wire_case t[] = {
        {"ok", CREATE, BEFORE GOT CREATE_PUT "< 201\n" GONE, CK_OK, HELLO_MD5},
        {"exists", CREATE, AUTH HEAD OLD_REPLY, CK_EXISTS, "file already exists"},
        {"exists, found by the write", CREATE, BEFORE GOT CREATE_PUT "< 412\n" HEAD NEWER UNLOCK,
         CK_EXISTS, "file already exists"},
        {"somebody else holds the lock, then the object is there", CREATE,
         BEFORE LOCK "< 202\n" HEAD NEWER, CK_EXISTS, "file already exists"},
        {"the lock is free again", CREATE, BEFORE LOCK "< 202\n" SEEN GOT CREATE_PUT "< 201\n" GONE,
         CK_OK, HELLO_MD5},
        {"overwritten at once by one who takes no locks", CREATE,
         BEFORE GOT CREATE_PUT "< 201\n" HEAD NEWER UNLOCK, CK_EXISTS, "file already exists"},
        {"the server has something newer", CREATE,
         BEFORE GOT CREATE_PUT "< 202\n" HEAD NEWER UNLOCK, CK_EXISTS, "file already exists"},
        {"written, and no look", CREATE, BEFORE GOT CREATE_PUT "< 201\n" HEAD "< 403\n" UNLOCK,
         CK_OK, HELLO_MD5},
        {"no locks allowed", CREATE, BEFORE LOCK "< 403\n", CK_DENIED, "CKOPS_SWIFT_LOCKS=no"},
        {"no container", CREATE, BEFORE GOT CREATE_PUT "< 404\n" UNLOCK, CK_INVALID,
         "does not exist at sw"},
        {"denied", CREATE, BEFORE GOT CREATE_PUT "< 403\n" UNLOCK, CK_DENIED, "403 Forbidden"},
        {"ended token", CREATE,
         BEFORE GOT CREATE_PUT "< 401\n" TOKEN("t2") CREATE_PUT "> x-auth-token: t2\n< 201\n" GONE,
         CK_OK, HELLO_MD5},
        {"500: sent again after a look", CREATE,
         BEFORE GOT CREATE_PUT "< 500\n" SEEN CREATE_PUT "< 201\n" GONE, CK_OK, HELLO_MD5},
        {"broken: sent again when it can no longer arrive", CREATE,
         BEFORE GOT CREATE_PUT "! reset\n" SEEN SEEN CREATE_PUT "< 201\n" GONE, CK_OK, HELLO_MD5},
        {"failing for good: nobody knows, and the lock stays", CREATE,
         BEFORE GOT CREATE_PUT "< 503\n" SEEN CREATE_PUT "< 503\n" SEEN CREATE_PUT
                               "< 503\n" SEEN CREATE_PUT "< 503\n" SEEN CREATE_PUT "< 503\n" SEEN,
         CK_UNAVAILABLE, "the outcome of the write is unknown"},
        {"broken twice: there is no time for a third, and the lock stays", CREATE,
         BEFORE GOT CREATE_PUT "! reset\n" SEEN SEEN CREATE_PUT "! reset\n" SEEN, CK_UNAVAILABLE,
         "the outcome of the write is unknown"},
        {"broken, and no look", CREATE, BEFORE GOT CREATE_PUT "! reset\n" NO_LOOK NO_LOOK,
         CK_UNAVAILABLE, "the outcome of the write is unknown"},
        {"broken, and somebody's without marks is there: the lock stays", CREATE,
         BEFORE GOT CREATE_PUT "! reset\n" HEAD NEWER HEAD NEWER, CK_UNAVAILABLE,
         "the outcome of the write is unknown"},
        {"refused, and no look: nobody knows, and the lock stays", CREATE,
         BEFORE GOT CREATE_PUT "< 412\n" NO_LOOK, CK_UNAVAILABLE,
         "the outcome of the write is unknown"},
        {"a refused release is sent again", CREATE,
         BEFORE GOT CREATE_PUT "< 201\n" SEEN UNLOCK_ "< 500\n" UNLOCK_ "< 204\n", CK_OK,
         HELLO_MD5},
        {"a release that may have arrived is not: it could meet another's lock", CREATE,
         BEFORE GOT CREATE_PUT "< 201\n" SEEN UNLOCK_ "! reset\n", CK_OK, HELLO_MD5},
        {"a lock that is not released harms nobody", CREATE,
         BEFORE GOT CREATE_PUT "< 201\n" SEEN UNLOCK_ "< 409\n", CK_OK, HELLO_MD5},
    };
    ALL(t);
}

#define UPDATE_PUT PUT "> !if-none-match\n> x-object-meta-ckops-write: *\n"
#define LOCKED     AUTH GOT HEAD OLD_REPLY

static void updating(void **state)
{
    static const struct wire_case t[] = {
        {"ok", UPDATE, LOCKED UPDATE_PUT "< 201\n" GONE, CK_OK, HELLO_MD5},
        {"changed before", UPDATE, AUTH GOT HEAD NEWER UNLOCK, CK_CONFLICT,
         "was changed by someone else since it was read"},
        {"removed before", UPDATE, AUTH GOT HEAD "< 404\n" UNLOCK, CK_CONFLICT, "changed by"},
        {"somebody else holds the lock and changes it", UPDATE,
         AUTH LOCK "< 202\n" HEAD OLD_REPLY LOCK "< 202\n" HEAD NEWER, CK_CONFLICT, "changed by"},
        {"changed at once by one who takes no locks", UPDATE,
         LOCKED UPDATE_PUT "< 201\n" HEAD NEWER UNLOCK, CK_CONFLICT, "changed by"},
        {"the server has something newer", UPDATE, LOCKED UPDATE_PUT "< 202\n" HEAD NEWER UNLOCK,
         CK_CONFLICT, "changed by"},
        {"500: sent again after a look", UPDATE,
         LOCKED UPDATE_PUT "< 500\n" HEAD OLD_REPLY UPDATE_PUT "< 201\n" GONE, CK_OK, HELLO_MD5},
        {"slowed down: sent again after a look", UPDATE,
         LOCKED UPDATE_PUT "< 429\n" HEAD OLD_REPLY UPDATE_PUT "< 201\n" GONE, CK_OK, HELLO_MD5},
        {"a gateway gave up: sent again when it can no longer arrive", UPDATE,
         LOCKED UPDATE_PUT "< 504\n" HEAD OLD_REPLY HEAD OLD_REPLY UPDATE_PUT "< 201\n" GONE, CK_OK,
         HELLO_MD5},
        {"broken: sent again when it can no longer arrive", UPDATE,
         LOCKED UPDATE_PUT "! reset\n" HEAD OLD_REPLY HEAD OLD_REPLY UPDATE_PUT "< 201\n" GONE,
         CK_OK, HELLO_MD5},
        {"sent again too late: the look took the rest of the lock", UPDATE,
         LOCKED UPDATE_PUT "< 500\n" HEAD "~ 9000\n" OLD_REPLY HEAD OLD_REPLY, CK_UNAVAILABLE,
         "the outcome of the write is unknown"},
        {"not sent when the look before took the whole lock", UPDATE,
         AUTH GOT HEAD "~ 10001\n" OLD_REPLY UNLOCK, CK_UNAVAILABLE, "the store was too slow"},
        {"500, and somebody has changed it", UPDATE,
         LOCKED UPDATE_PUT "< 500\n" HEAD BUILT_ON_OLD HEAD BUILT_ON_OLD UNLOCK, CK_CONFLICT,
         "changed by someone else"},
        {"broken, and others built on what was read: not sent again", UPDATE,
         LOCKED UPDATE_PUT "! reset\n" HEAD BUILT_ON_OLD HEAD BUILT_ON_OLD UNLOCK, CK_CONFLICT,
         "changed by someone else"},
        {"broken, and others wrote without marks: nobody knows, and the lock stays", UPDATE,
         LOCKED UPDATE_PUT "! reset\n" HEAD NEWER HEAD NEWER, CK_UNAVAILABLE,
         "the outcome of the write is unknown"},
        {"broken twice: the lock stays", UPDATE,
         LOCKED UPDATE_PUT "! reset\n" HEAD OLD_REPLY HEAD OLD_REPLY UPDATE_PUT
                           "! reset\n" HEAD OLD_REPLY,
         CK_UNAVAILABLE, "the outcome of the write is unknown"},
        {"reported as written, and the old version is there: the lock stays", UPDATE,
         LOCKED UPDATE_PUT "< 201\n" HEAD OLD_REPLY, CK_UNAVAILABLE, "is not what was written"},
        {"damaged on the way", UPDATE, LOCKED UPDATE_PUT "< 422\n" UNLOCK, CK_UNAVAILABLE,
         "422 Unprocessable Content"},
        {"ended token", UPDATE, LOCKED UPDATE_PUT "< 401\n" TOKEN("tok") UPDATE_PUT "< 201\n" GONE,
         CK_OK, HELLO_MD5},
        {"the content came too slowly", UPDATE, LOCKED UPDATE_PUT "< 408\n" UNLOCK, CK_UNAVAILABLE,
         "408 Request Timeout"},
        {"the marks go on from a version without any", UPDATE,
         LOCKED UPDATE_PUT "> x-object-meta-ckops-write: *." OLD_MARK "\n< 201\n" GONE, CK_OK,
         HELLO_MD5},
        {"a release that may have arrived is sent again: that lock does not come back", UPDATE,
         LOCKED UPDATE_PUT "< 201\n" SEEN UNLOCK_ "! reset\n" UNLOCK, CK_OK, HELLO_MD5},
        {"but not that of a version that is still there", UPDATE,
         LOCKED UPDATE_PUT "< 403\n" UNLOCK_ "! reset\n", CK_DENIED, "403 Forbidden"},
        {"lock: 500, then ok", UPDATE,
         AUTH LOCK "< 500\n" GOT HEAD OLD_REPLY UPDATE_PUT "< 201\n" GONE, CK_OK, HELLO_MD5},
        {"lock: out of containers", UPDATE, AUTH LOCK "< 413\n", CK_LIMIT, "CKOPS_SWIFT_LOCKS=no"},
        {"lock: ended token", UPDATE,
         AUTH LOCK "< 401\n" TOKEN("tok") GOT HEAD OLD_REPLY UPDATE_PUT "< 201\n" GONE, CK_OK,
         HELLO_MD5},
        {"denied", UPDATE, LOCKED UPDATE_PUT "< 403\n" UNLOCK, CK_DENIED, "403 Forbidden"},
        {"the look is denied", UPDATE, AUTH GOT HEAD "< 403\n" UNLOCK, CK_DENIED,
         "error checking swift://bkt/k"},
    };
    ALL(t);
    static const char *const off[] = {"CKOPS_SWIFT_LOCKS", "no", NULL};
    static const struct wire_case unlocked[] = {
        {"without locks", UPDATE, AUTH HEAD OLD_REPLY UPDATE_PUT "< 201\n" HEAD "< 403\n", CK_OK,
         HELLO_MD5},
        {"without locks, changed before", UPDATE, AUTH HEAD NEWER, CK_CONFLICT, "changed by"},
        {"without locks, changed meanwhile", UPDATE,
         AUTH HEAD OLD_REPLY UPDATE_PUT "< 201\n" HEAD NEWER, CK_CONFLICT, "changed by"},
        {"without locks, 500: sent again after a look", UPDATE,
         AUTH HEAD OLD_REPLY UPDATE_PUT "< 500\n" HEAD OLD_REPLY UPDATE_PUT "< 201\n" HEAD
                                        "< 403\n",
         CK_OK, HELLO_MD5},
        {"without locks, created meanwhile", CREATE,
         AUTH HEAD "< 404\n" CREATE_PUT "< 412\n" HEAD NEWER, CK_EXISTS, "already exists"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(unlocked); i++)
        check(&unlocked[i], "swift://bkt/k", off);
}

#define OLD_LOCKED AUTH HEAD OLD_REPLY GOT HEAD OLD_REPLY

static void removing(void **state)
{
    static const struct wire_case t[] = {
        {"ok", REMOVE, AUTH DEL "< 204\n", CK_OK, ""},
        COMMON(REMOVE, AUTH, DEL, "< 204\n", ""),
        {"absent", REMOVE, AUTH DEL "< 404\n" HEAD_C "< 204\n", CK_OK, ""},
        {"no container", REMOVE, AUTH DEL "< 404\n" HEAD_C "< 404\n", CK_INVALID, "does not exist"},
        {"of a version", REMOVE_OLD, AUTH HEAD OLD_REPLY GOT HEAD OLD_REPLY DEL "< 204\n" UNLOCK,
         CK_OK, ""},
        {"of a stale version", REMOVE_OLD, AUTH HEAD NEWER, CK_CONFLICT, "changed by someone else"},
        {"of a version that is gone", REMOVE_OLD, AUTH HEAD "< 404\n", CK_CONFLICT, "changed by"},
        {"of a version that changes meanwhile", REMOVE_OLD,
         AUTH HEAD OLD_REPLY GOT HEAD NEWER UNLOCK, CK_CONFLICT, "changed by someone else"},
        {"of a version that another is changing", REMOVE_OLD,
         AUTH HEAD OLD_REPLY LOCK "< 202\n" HEAD NEWER, CK_CONFLICT, "changed by someone else"},
        {"of a version, 500: sent again after a look", REMOVE_OLD,
         OLD_LOCKED DEL "< 500\n" HEAD OLD_REPLY DEL "< 204\n" UNLOCK, CK_OK, ""},
        {"of a version, broken: sent again when it can no longer arrive", REMOVE_OLD,
         OLD_LOCKED DEL "! reset\n" HEAD OLD_REPLY HEAD OLD_REPLY DEL "< 204\n" UNLOCK, CK_OK, ""},
        {"of a version, the reply lost", REMOVE_OLD,
         OLD_LOCKED DEL "! reset\n" HEAD "< 404\n" HEAD "< 404\n" UNLOCK, CK_OK, ""},
        {"of a version, the reply lost, and others wrote: not sent again, and the lock stays",
         REMOVE_OLD, OLD_LOCKED DEL "! reset\n" HEAD NEWER HEAD NEWER, CK_UNAVAILABLE,
         "the outcome of the removal is unknown"},
        {"of a version, the reply lost, and no look: the lock stays", REMOVE_OLD,
         OLD_LOCKED DEL "! reset\n" NO_LOOK NO_LOOK, CK_UNAVAILABLE,
         "the outcome of the removal is unknown"},
        {"of a version, denied", REMOVE_OLD, OLD_LOCKED DEL "< 403\n" UNLOCK, CK_DENIED,
         "403 Forbidden"},
        {"of a version, the look failing: nothing was sent, and the lock goes", REMOVE_OLD,
         AUTH HEAD OLD_REPLY GOT NO_LOOK UNLOCK, CK_UNAVAILABLE, "error checking swift://bkt/k"},
        {"of a version, not sent when the look before took the whole lock", REMOVE_OLD,
         AUTH HEAD OLD_REPLY GOT HEAD "~ 10001\n" OLD_REPLY UNLOCK, CK_UNAVAILABLE,
         "the store was too slow"},
        {"all versions", REMOVE_VERSIONS, AUTH DEL "< 204\n", CK_OK, ""},
        COMMON(REMOVE_VERSIONS, AUTH, DEL, "< 204\n", ""),
        {"no version", REMOVE_VERSIONS, AUTH DEL "< 404\n" HEAD_C "< 204\n", CK_NOT_FOUND,
         "file does not exist"},
        {"gone after a resend", REMOVE_VERSIONS,
         AUTH DEL "! reset\n" DEL "< 404\n" HEAD_C "< 204\n", CK_OK, ""},
    };
    ALL(t);
}

#define LM(m)    "> GET " SW "/bkt?format=json&prefix=k%2F&delimiter=%2F&marker=" m "\n" WITH
#define TR       "> GET " SW "/bkt?format=json&prefix=k%2F\n" WITH
#define TM(m)    "> GET " SW "/bkt?format=json&prefix=k%2F&marker=" m "\n" WITH
#define PAGE(r)  "< 200\n<= [" r "]\n"
#define FILE_(k) "{\"name\": \"" k "\", \"bytes\": 1, \"hash\": \"" HELLO_MD5 "\"}"
#define DIR_(k)  "{\"subdir\": \"" k "/\"}"
#define EMPTY    PAGE("")
#define NO_BODY  "< 204\n"

static void listing(void **state)
{
    static const struct wire_case t[] = {
        {"files", LIST_FILES,
         AUTH L PAGE(FILE_("k/") "," FILE_("k/a b") "," FILE_("k/b") "," DIR_("k/c")) LM("k%2Fc%2F")
             EMPTY,
         CK_OK, "a b b"},
        {"folders", LIST_DIRS,
         AUTH L PAGE(FILE_("k/b") "," DIR_("k/c") "," DIR_("k/d")) LM("k%2Fd%2F") EMPTY, CK_OK,
         "c d"},
        {"everything", LIST_TREE,
         AUTH TR PAGE(FILE_("k/a") "," FILE_("k/x/y")) TM("k%2Fx%2Fy") EMPTY, CK_OK, "a x/y"},
        {"nothing", LIST_FILES, AUTH L NO_BODY, CK_OK, ""},
        {"a short page is not the last", LIST_FILES,
         AUTH L PAGE(FILE_("k/a")) LM("k%2Fa") PAGE(FILE_("k/b")) LM("k%2Fb") EMPTY, CK_OK, "a b"},
        COMMON(LIST_FILES, AUTH, L, PAGE(FILE_("k/a")) LM("k%2Fa") EMPTY, "a"),
        COMMON(LIST_DIRS, AUTH, L, PAGE(DIR_("k/a")) LM("k%2Fa%2F") EMPTY, "a"),
        COMMON(LIST_TREE, AUTH, TR, PAGE(FILE_("k/a/b")) TM("k%2Fa%2Fb") EMPTY, "a/b"),
        {"a failure in the middle is no short listing", LIST_TREE,
         AUTH TR PAGE(FILE_("k/a")) TM("k%2Fa") "< 403\n", CK_DENIED,
         "error listing swift://bkt/k/"},
        {"no container", LIST_FILES, AUTH L "< 404\n" HEAD_C "< 404\n", CK_INVALID,
         "the container \"bkt\" does not exist"},
        {"broken JSON", LIST_FILES, AUTH L "< 200\n<= [{\n", CK_UNAVAILABLE,
         "not a container listing"},
        {"a web page", LIST_FILES, AUTH L "< 200\n<= <html></html>\n", CK_UNAVAILABLE,
         "not a container listing"},
        {"an object", LIST_FILES, AUTH L "< 200\n<= {}\n", CK_UNAVAILABLE,
         "not a container listing"},
        {"a row without a name", LIST_FILES, AUTH L PAGE("{\"bytes\": 1}"), CK_UNAVAILABLE,
         "has no name"},
        {"a page that repeats", LIST_TREE,
         AUTH TR PAGE(FILE_("k/a")) TM("k%2Fa") PAGE(FILE_("k/a")), CK_UNAVAILABLE,
         "repeats a page"},
        {"names outside of the prefix are not taken", LIST_TREE,
         AUTH TR PAGE(FILE_("other/x") "," FILE_("k/a")) TM("k%2Fa") EMPTY, CK_OK, "a"},
    };
    ALL(t);
    static const struct wire_case root = {
        "the root has no prefix", LIST_FILES,
        AUTH "> GET " SW "/bkt?format=json&delimiter=%2F\n" PAGE(
            FILE_("a")) "> GET " SW "/bkt?format=json&delimiter=%2F&marker=a\n" EMPTY,
        CK_OK, "a"};
    check(&root, "swift://bkt", NULL);
}

#define BULK                                                                                       \
    "> POST " SW "?bulk-delete\n" WITH "> content-type: text/plain\n> accept: application/json\n"
#define TWO AUTH TR PAGE(FILE_("k/a%") "," FILE_("k/b")) TM("k%2Fb") EMPTY
#define RESULT(status, errors)                                                                     \
    "< 200\n<=   {\"Response Status\": \"" status                                                  \
    "\", \"Response Body\": \"why\", \"Number Deleted\""                                           \
    ": 1, \"Number Not Found\": 0, \"Errors\": [" errors "]}\n"
#define DELETED RESULT("200 OK", "")

static void removing_trees(void **state)
{
    static const struct wire_case t[] = {
        {"ok", REMOVE_TREE, TWO BULK ">= bkt/k/a%25\n>= bkt/k/b\n>= \n" DELETED, CK_OK, ""},
        {"nothing there", REMOVE_TREE, AUTH TR EMPTY, CK_OK, ""},
        {"ended token", REMOVE_TREE, TWO BULK "< 401\n" TOKEN("tok") BULK DELETED, CK_OK, ""},
        {"500, then ok", REMOVE_TREE, TWO BULK "< 500\n" BULK DELETED, CK_OK, ""},
        {"503, then ok", REMOVE_TREE, TWO BULK "< 503\n" BULK DELETED, CK_OK, ""},
        {"reset, then ok", REMOVE_TREE, TWO BULK "! reset\n" BULK DELETED, CK_OK, ""},
        {"one is refused", REMOVE_TREE,
         TWO BULK RESULT("400 Bad Request", "[\"/bkt/k/b\", \"403 Forbidden\"]"), CK_DENIED,
         "error removing 1 of 2 files from swift://bkt; /bkt/k/b: 403 Forbidden"},
        {"one is gone", REMOVE_TREE,
         TWO BULK RESULT("400 Bad Request", "[\"/bkt/k/b\", \"404 Not Found\"]"), CK_OK, ""},
        {"all is refused", REMOVE_TREE, TWO BULK RESULT("502 Bad Gateway", ""), CK_UNAVAILABLE,
         "502 Bad Gateway: why"},
        {"broken JSON", REMOVE_TREE, TWO BULK "< 200\n<= {\n", CK_UNAVAILABLE,
         "not a deletion result"},
        {"a web page", REMOVE_TREE, TWO BULK "< 200\n<= <html></html>\n", CK_UNAVAILABLE,
         "not a deletion result"},
        {"no such middleware", REMOVE_TREE,
         TWO BULK "< 204\n> DELETE " SW "/bkt/k/a%25\n< 204\n> DELETE " SW "/bkt/k/b\n< 404\n",
         CK_OK, ""},
        {"no such middleware, one is refused", REMOVE_TREE,
         TWO BULK "< 204\n> DELETE " SW "/bkt/k/a%25\n< 204\n> DELETE " SW "/bkt/k/b\n< 403\n",
         CK_DENIED, "k/b: 403"},
        {"the listing is denied", REMOVE_TREE, AUTH TR "< 403\n", CK_DENIED, "403 Forbidden"},
    };
    ALL(t);
}

static void many_files_are_removed_in_batches(void **state)
{
    CK_AUTOBUF struct ck_buf script = CK_BUF_INIT;
    ck_buf_puts(&script, AUTH TR "< 200\n<= [");
    for (int i = 0; i <= 250; i++)
        ck_buf_fmt(&script, "%s{\"name\": \"k/%03d\"}", i ? "," : "", i);
    ck_buf_puts(&script, "]\n" TM("k%2F250") EMPTY BULK DELETED BULK ">= bkt/k/250\n>= \n" RESULT(
                             "400 Bad Request", "[\"/bkt/k/250\", \"403 Forbidden\"]"));
    const struct wire_case c = {"two batches", REMOVE_TREE, ck_buf_str(&script), CK_DENIED,
                                "error removing 1 of 251 files from swift://bkt; /bkt/k/250: 403"};
    check(&c, "swift://bkt/k", NULL);
}

static void hashing(void **state)
{
#define HEAD_H "> HEAD " SW "/bkt/k\n> !x-newest\n"
    static const struct wire_case t[] = {
        {"ok", HASH, AUTH HEAD_H "< 200\n< etag: " HELLO_MD5 "\n", CK_OK, "md5:" HELLO_MD5},
        COMMON(HASH, AUTH, HEAD_H, "< 200\n< etag: " HELLO_MD5 "\n", "md5:" HELLO_MD5),
        {"large object", HASH,
         AUTH HEAD_H "< 200\n< x-object-manifest: bkt/x\n< etag: " HELLO_MD5 "\n", CK_OK, ""},
        {"no tag", HASH, AUTH HEAD_H "< 200\n", CK_OK, ""},
        {"absent", HASH, AUTH HEAD_H "< 404\n" HEAD_C "< 204\n", CK_NOT_FOUND, "404"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++)
        if (!strstr(t[i].name, "denied")) /* a HEAD has no body to quote */
            check(&t[i], "swift://bkt/k", NULL);
}

#define READ_(d) "> GET " SW "/bkt/k/" d "/config\n> !x-newest\n"

static void finding(void **state)
{
    static const struct wire_case t[] = {
        {"one listing, one read each", FIND,
         AUTH L PAGE(DIR_("k/a") "," DIR_("k/b")) LM("k%2Fb%2F") EMPTY READ_("a")
             OK_HELLO READ_("b") OK_HELLO,
         CK_OK, "a=" FOUND_HELLO " b=" FOUND_HELLO " "},
        {"one cannot be read", FIND,
         AUTH L PAGE(DIR_("k/a") "," DIR_("k/b")) LM("k%2Fb%2F") EMPTY READ_("a")
             OK_HELLO READ_("b") "< 403\n",
         CK_OK, "a=" FOUND_HELLO " b=denied "},
        {"the token ends on the way", FIND,
         AUTH L PAGE(DIR_("k/a")) LM("k%2Fa%2F") EMPTY READ_("a") "< 401\n" TOKEN("t2") READ_("a")
             OK_HELLO,
         CK_OK, "a=" FOUND_HELLO " "},
    };
    ALL(t);
}

static void keys_keep_their_slashes(void **state)
{
    static const struct wire_case t = {"special characters", WRITE,
                                       AUTH "> PUT " SW "/b.kt-1/a%20b/%2B%25/%C3%A9%3F\n< 201\n",
                                       CK_OK, HELLO_MD5};
    check(&t, "swift://b.kt-1/a%20b/+%25/\xC3\xA9%3F", NULL);
}

static void bad_names_are_refused_before_any_request(void **state)
{
    static const struct {
        const char *url, *text;
    } t[] = {
        {"swift://", "invalid swift path: \"swift://\""},
        {"swift:///x", "invalid swift path"},
        {"swift://a b/x", "swift://a-b/x would do"},
        {"swift://a%20b/x", "swift://a-20b/x would do"},
        {"swift://a:b/x", "swift://a-b/x would do"},
        {"swift://../x", "swift://state-store/x would do"},
        {"swift://ckops_lock_1/x", "not begin with ckops_lock_; swift://state-store/x would do"},
        {"swift://b/x\ny", "control characters"},
        {"swift://b/a/../c", "\"..\" is not allowed"},
        {"swift://user:pw@b/c", "credentials do not belong in a URL"},
        {"swift://b/a?b", "no query"},
        {"swift://b/%zz", "write %25 for the sign itself"},
        {"swift://b/%00", "not by 00"},
        {"swift://b/a\xFF", "\"swift://b/a\\xff\": it is not UTF-8"},
        {"swift://b/%ff", "it is not UTF-8"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        struct ck_env env = {0};
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_vfs_ctx ctx = {.env = &env, .arena = a};
        struct ck_path p;
        assert_int_equal(ck_vfs_parse(&ctx, t[i].url, &p, &err), -CK_INVALID);
        if (!strstr(ck_err_msg(&err), t[i].text))
            fail_msg("%s: %s", t[i].url, ck_err_msg(&err));
    }
    CK_AUTOBUF struct ck_buf url = CK_BUF_INIT;
    ck_buf_puts(&url, "swift://");
    ck_buf_fill(&url, 'x', 257);
    struct ck_env env = {0};
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_vfs_ctx ctx = {.env = &env, .arena = a};
    struct ck_path p;
    assert_int_equal(ck_vfs_parse(&ctx, ck_buf_str(&url), &p, NULL), -CK_INVALID);
}

static void keys_swift_cannot_hold_cost_no_request(void **state)
{
    CK_AUTOBUF struct ck_buf lengthy = CK_BUF_INIT;
    ck_buf_fill(&lengthy, 'x', 1025);
    const struct {
        const char *key, *text;
    } t[] = {
        {"\xFF", "not UTF-8"}, {"", "must not be empty"}, {ck_buf_str(&lengthy), "at most 1024"}};
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        struct ck_env env = {0};
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_vfs_ctx ctx = {.env = &env, .arena = a};
        struct ck_path p;
        assert_int_equal(ck_vfs_parse(&ctx, "swift://bkt/k", &p, &err), 0);
        p.key = t[i].key; /* as joined from names that were read */
        assert_int_equal(ck_vfs_write(&p, CK_S("x"), NULL, NULL, &err), -CK_INVALID);
        assert_non_null(strstr(ck_err_msg(&err), t[i].text));
    }
}

static void switches_are_yes_or_no(void **state)
{
    static const char *const names[] = {"CKOPS_SWIFT_LOCKS", "CKOPS_SWIFT_CREATE_CONTAINER"};
    static const char *const values[] = {"false", "true", "YES", "1"};
    for (size_t i = 0; i < CK_ARRAY_LEN(names); i++)
        for (size_t k = 0; k < CK_ARRAY_LEN(values); k++) {
            const char *const env[] = {names[i], values[k], NULL};
            const struct wire_case c = {values[k], READ, "", CK_INVALID, "it must be yes or no"};
            check(&c, "swift://bkt/k", env);
        }
    static const char *const usual[] = {"CKOPS_SWIFT_LOCKS", "yes", "CKOPS_SWIFT_CREATE_CONTAINER",
                                        "no", NULL};
    static const struct wire_case c = {"as usual", WRITE, AUTH PUT "< 404\n", CK_INVALID,
                                       "CKOPS_SWIFT_CREATE_CONTAINER=yes"};
    check(&c, "swift://bkt/k", usual);
}

/* ---- a store that remembers the marks ---- */

/* One object. A PUT takes effect, and is answered with `says`. */
struct echo {
    struct ck_arena *a;
    int says;           /* 0: the connection breaks before the reply */
    const char *on_top; /* marks of others' writes on top of it: "cc.", or FULL_OF_OTHERS */
    bool unmarked;      /* somebody without marks has replaced it */
    const char *marks;  /* of the object; NULL: it has none */
    const char *etag;   /* NULL: it is not there */
    unsigned puts, locks, unlocks;
};

static void echo_object(struct echo *e, struct ck_send *s)
{
    if (strcmp(s->req.method, "PUT") == 0) {
        bool full = strcmp(e->on_top, FULL_OF_OTHERS) == 0;
        const char *marks = ck_nvs_get(&s->req.headers, "x-object-meta-ckops-write");
        e->puts++;
        e->etag = ck_arena_strdup(e->a, ck_nvs_get(&s->req.headers, "etag"));
        e->marks = e->unmarked ? NULL : ck_arena_printf(e->a, "%s%s", e->on_top, full ? "" : marks);
        if (e->says)
            ck_send_status(s, e->says);
        else
            ck_fail(s->err, CK_UNAVAILABLE, "the connection broke before the reply");
        return;
    }
    assert_string_equal(s->req.method, "HEAD");
    ck_send_status(s, e->etag ? 200 : 404);
    if (!e->etag)
        return;
    ck_send_header(s, CK_S("etag"), ck_slice_of(e->etag));
    if (e->marks)
        ck_send_header(s, CK_S("x-object-meta-ckops-write"), ck_slice_of(e->marks));
    ck_send_header(s, CK_S("x-timestamp"),
                   e->puts ? CK_S("1700000009.00001") : CK_S("1700000000.00001"));
}

static void echo_answer(void *arg, struct ck_send *s)
{
    struct echo *e = arg;
    if (strcmp(s->req.host, "ks") == 0) {
        ck_send_status(s, 201);
        ck_send_header(s, CK_S("x-subject-token"), CK_S("tok"));
        ck_send_body(s, ck_slice_n(&CATALOG[3], strlen(CATALOG) - 4));
    } else if (strstr(s->req.path, "/ckops_lock_")) {
        bool take = strcmp(s->req.method, "PUT") == 0;
        ck_send_status(s, take ? 201 : 204);
        *(take ? &e->locks : &e->unlocks) += 1;
    } else {
        echo_object(e, s);
    }
}

static void known_again(const struct echo *t, enum op op, enum ck_code want)
{
    struct ck_env env = {0};
    for (size_t k = 0; base_env[k]; k += 2)
        ck_env_set(&env, base_env[k], base_env[k + 1]);
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    struct echo e = *t;
    e.a = a;
    e.etag = op == UPDATE ? "11111111111111111111111111111111" : NULL;
    struct ck_vfs_ctx ctx = {.env = &env, .arena = a, .timeout_ms = 5000};
    struct answering answering = {echo_answer, &e};
    ctx.http = ck_http_new(&env, &answering_ops, &answering);
    struct ck_path p;
    assert_int_equal(ck_vfs_parse(&ctx, "swift://bkt/k", &p, &err), 0);
    int r = wire_run(&store, op, &p, a, &out, &err);
    if (r != -(int)want)
        fail_msg("%d after %d, marks %s: %s", r, t->says, e.marks, ck_err_msg(&err));
    if (want == CK_OK)
        assert_string_equal(ck_buf_str(&out), HELLO_MD5);
    else if (want == CK_UNAVAILABLE)
        assert_non_null(strstr(ck_err_msg(&err), "the outcome of the write is unknown"));
    assert_int_equal(e.puts, 1); /* what has taken effect is not sent again */
    assert_int_equal(e.locks, 1);
    assert_int_equal(e.unlocks, want != CK_UNAVAILABLE); /* the lock stays when nobody knows */
    ck_vfs_ctx_done(&ctx);
    ck_env_done(&env);
}

static void ones_own_write_is_known_again(void **state)
{
    static const int says[] = {0, 201, 202, 412, 500, 503, 504};
    for (size_t i = 0; i < CK_ARRAY_LEN(says); i++)
        for (enum op op = CREATE; op <= UPDATE; op++) {
            bool none = says[i] == 0 || says[i] >= 500, done = says[i] == 201;
            enum ck_code lost = op == CREATE ? CK_EXISTS : CK_CONFLICT;
            if (says[i] == 412 && op == UPDATE)
                continue; /* an update sends no condition */
            known_again(&(struct echo){.says = says[i], .on_top = ""}, op, CK_OK);
            known_again(&(struct echo){.says = says[i], .on_top = "cc."}, op, CK_OK);
            known_again(&(struct echo){.says = says[i], .on_top = "", .unmarked = true}, op,
                        none ? CK_UNAVAILABLE : lost);
            known_again(&(struct echo){.says = says[i], .on_top = FULL_OF_OTHERS}, op,
                        none || done || op == UPDATE ? CK_UNAVAILABLE : lost);
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
        cmocka_unit_test(many_files_are_removed_in_batches),
        cmocka_unit_test(hashing),
        cmocka_unit_test(finding),
        cmocka_unit_test(keys_keep_their_slashes),
        cmocka_unit_test(bad_names_are_refused_before_any_request),
        cmocka_unit_test(keys_swift_cannot_hold_cost_no_request),
        cmocka_unit_test(switches_are_yes_or_no),
        cmocka_unit_test(ones_own_write_is_known_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
