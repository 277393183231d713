/* The store contract: one interface over local folders, memory, S3 and every store to come.
 *
 * A location is a container (a folder root, a bucket) plus a key. Building one does no I/O; clients
 * and credentials come to life on the first operation. Every read gives a version token and a write
 * can be made conditional on it, so that no update is lost.
 *
 * Source: kOps util/pkg/vfs (vfs.go, context.go); the deliberate differences are in
 * docs/differences.md. Statement numbers V001… in tests refer to the conformance list. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/strv.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ck_exam;      /* vfs/examine/examine.h */
struct ck_http;      /* net/http.h */
struct ck_vfs;       /* one container of one scheme */
struct ck_pages_ops; /* vfs/object/listing.h */
struct ck_vfs_ops;
struct ck_vfs_watch;

/* What every store of one process shares. Owned by cmd/ (or by the embedding program). */
struct ck_vfs_ctx {
    const struct ck_env *env; /* borrowed; never NULL */
    struct ck_arena *arena;   /* containers and their keys live here */
    int64_t timeout_ms;       /* per operation; 0 means 30,000 */
    size_t max_object;        /* bytes read at most; 0 means 64 MiB */
    unsigned parallel;        /* concurrent requests; 0 means 256 */
    const char *profile;      /* CKOPS_STORE_PROFILE or the config file's; NULL: the usual chain */
    /* Asks the user for the code of an MFA device; NULL: there is nobody to ask. */
    int (*mfa)(void *arg, const char *serial, char *code, size_t size, struct ck_err *err);
    void *mfa_arg;
    struct ck_http *http;       /* made on first use by network stores */
    struct ck_vfs *opened;      /* containers opened so far, newest first */
    bool overlay;               /* locations are read through a layer in memory (vfs/overlay.h) */
    struct ck_vfs_watch *watch; /* who is told of every change: a list, called in order */
    /* Called once per operation when not NULL; `what` is like "read", `text` the path. For -v. */
    void (*trace)(void *arg, const char *what, const char *text, int64_t ms, int code);
    void *trace_arg;
};

/* Release what the context opened (connections, locks); the arena stays the caller's. */
void ck_vfs_ctx_done(struct ck_vfs_ctx *ctx);

/* A location. Cheap to copy; `key` lives in an arena that must outlive it. */
struct ck_path {
    struct ck_vfs *vfs;
    const char *key; /* decoded, no leading slash for object stores; a file path for file:// */
};

/* The version of an object's content as its store tells it: ETag, generation, resourceVersion, or
 * for files a digest of content and identity. Opaque; "" means the store gave none. */
struct ck_version {
    char token[320];
};

enum ck_write_mode {
    CK_WRITE_ANY,          /* create or replace */
    CK_WRITE_CREATE,       /* only if absent: EXISTS otherwise */
    CK_WRITE_IF_UNCHANGED, /* only if the content still has the given version: CONFLICT otherwise */
};

struct ck_write_opts {
    enum ck_write_mode mode;
    const struct ck_version *version; /* with CK_WRITE_IF_UNCHANGED */
    bool public_read;                 /* PublicACL of kOps; UNSUPPORTED where it means nothing */
    /* With CK_WRITE_CREATE: the new object need not survive a power cut before ck_vfs_sync has
     * returned. Local folders sync every write otherwise; other stores take no notice. */
    bool sync_later;
    /* Not NULL: check what is stored, and set it to true where that was done and found the same.
     * Local folders read the content back before it becomes visible; UNAVAILABLE when it is another
     * one, and then nothing was written. S3 compares the tag of the reply, where that is an MD5. */
    bool *read_back;
};

struct ck_entry {
    const char *key;  /* full key, as in ck_path */
    const char *name; /* last element (list, list_dirs) or path relative to the listed one (tree) */
    int64_t size;     /* bytes; -1 unknown */
    int64_t mtime_s;  /* seconds since the epoch; 0 unknown */
    const char *md5;  /* lower-case hex when the listing tells it cheaply, else NULL */
};

struct ck_entries {
    struct ck_entry *v; /* in the arena given to the call; sorted bytewise by key */
    size_t n, cap;
};

/* A change of a store that is about to be made, or has been. */
enum ck_change_kind {
    CK_CHANGE_WRITE,           /* ck_vfs_write */
    CK_CHANGE_REMOVE,          /* ck_vfs_remove */
    CK_CHANGE_REMOVE_TREE,     /* ck_vfs_remove_tree: everything at and below the path */
    CK_CHANGE_REMOVE_VERSIONS, /* ck_vfs_remove_versions */
};
struct ck_vfs_change {
    enum ck_change_kind kind;
    const struct ck_path *path;
    struct ck_slice data;             /* what is written; may be a secret: never log it */
    const struct ck_write_opts *opts; /* of a write; NULL otherwise */
    bool in_pieces;                   /* a write without `data`: see `streams` below */
};

/* Sees every change of every store of a context: how locks refuse one and the journal records it.
 * Not called for changes of a layer in memory (vfs/overlay.h), nor for those that a watch makes
 * itself from within its own functions. */
struct ck_vfs_watch {
    /* Before the change: negative refuses it, and nothing is sent. May be NULL. */
    int (*before)(struct ck_vfs_watch *w, const struct ck_vfs_change *c, struct ck_err *err);
    /* After it, with its result (0 or a negative code; a code other than CONFLICT, EXISTS and
     * NOT_FOUND may mean that it was made all the same). May be NULL. */
    void (*after)(struct ck_vfs_watch *w, const struct ck_vfs_change *c, int result);
    /* Whether a file may be written in pieces, whose content `w` is not told: it is asked before
     * the first piece and again before the last step, which alone makes a change. NULL: no. */
    bool (*streams)(struct ck_vfs_watch *w, const struct ck_path *p);
    struct ck_vfs_watch *next;
    bool busy; /* kept by the VFS: inside one of the two */
};

enum ck_hash_alg { CK_MD5, CK_SHA1, CK_SHA256 };
struct ck_hash {
    enum ck_hash_alg alg;
    unsigned char bytes[32];
    size_t len; /* 0: the store does not know it cheaply */
};

/* Who can read an object, as far as its store tells. */
enum ck_reach {
    CK_REACH_UNKNOWN,  /* the store does not say, or this identity may not ask */
    CK_REACH_OWNER,    /* the owner, and whom policies of the account let in */
    CK_REACH_GROUP,    /* a group of users of this machine */
    CK_REACH_EVERYONE, /* anyone who can reach the store */
};
struct ck_exposure {
    enum ck_reach reach;
    const char *readers;    /* in words; never NULL */
    const char *encryption; /* at rest: "AES256", "aws:kms", "none"; "" unknown */
    bool of_container;      /* the same for every object of the container: ask once */
};

/* Where a location is for those who come to it without this program. */
struct ck_vfs_place {
    const char *region; /* of the container; "" when unknown or there is none */
    const char *url;    /* http(s)://…, without a slash at its end; "" when there is none */
};

/* Receives a streamed read piece by piece; a negative return stops the read with that code. */
typedef int (*ck_sink_fn)(void *arg, struct ck_slice piece, struct ck_err *err);

/* Receives one entry of a listing, borrowed for the call; a negative return ends the listing with
 * that code. */
typedef int (*ck_entry_fn)(void *arg, const struct ck_entry *e, struct ck_err *err);

/* One result of a bulk read. `item_err->code` CK_NOT_FOUND is a normal outcome, as any other
 * per-item error; returning negative stops the whole operation, whose error becomes what is then in
 * *item_err: the item's own, or why fn did not want it. `data` is borrowed for the call. Items
 * arrive in any order; `i` is the index in the request. */
typedef int (*ck_bulk_fn)(void *arg, size_t i, struct ck_slice data,
                          const struct ck_version *version, struct ck_err *item_err);

/* One folder that holds the file asked for: its path relative to the listed key ("" the key itself
 * never), content (empty when only names were asked for) and version, or an item error. Returning
 * negative stops, as for ck_bulk_fn; the store hands *item_err on. */
typedef int (*ck_found_fn)(void *arg, const char *dir, struct ck_slice data,
                           const struct ck_version *version, struct ck_err *item_err);

/* An object under way that is written piece by piece, for contents too large to be held. Nothing of
 * it can be seen before the commit. Used by one thread, like its container. */
struct ck_vfs_writer {
    const struct ck_vfs_writer_ops *ops;
    struct ck_vfs *vfs;
    const char *key; /* borrowed from the path */
};
struct ck_vfs_writer_ops {
    int (*put)(struct ck_vfs_writer *w, struct ck_slice piece, struct ck_err *err);
    int (*commit)(struct ck_vfs_writer *w, struct ck_version *ret, bool *ret_verified,
                  struct ck_err *err);
    void (*free)(struct ck_vfs_writer *w); /* without a commit: takes back what was begun */
};

/* What a store implements. Members marked optional may be NULL. Every member obeys the deadline of
 * the context (TIMEOUT) and its size limit (LIMIT), and reports DENIED, UNAUTHENTICATED and
 * UNAVAILABLE as such. Keys have been checked by the caller: no "..", no control characters. */
struct ck_vfs_ops {
    const char *scheme; /* "s3", "file", … */

    /* Whole content and its version. NOT_FOUND when absent; a missing container is NOT NOT_FOUND
     * but INVALID with a message saying so. */
    int (*read)(struct ck_vfs *v, const char *key, struct ck_buf *out, struct ck_version *ret,
                struct ck_err *err);
    /* The same in pieces, without holding the whole and without the context's size limit: the
     * caller's function decides what is too much. Content that changes meanwhile is a CONFLICT.
     * Optional: read() is used. */
    int (*read_stream)(struct ck_vfs *v, const char *key, ck_sink_fn fn, void *arg,
                       struct ck_version *ret, struct ck_err *err);
    /* Write atomically: a reader sees the old or the new content, never a part. Modes as in
     * enum ck_write_mode; EXISTS, CONFLICT. `ret` gets the new version (may be ""). */
    int (*write)(struct ck_vfs *v, const char *key, struct ck_slice data,
                 const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err);
    /* Begin an object of `size` bytes that is written in pieces; modes and errors as of write().
     * Optional: contents are written whole. */
    int (*writer)(struct ck_vfs *v, const char *key, uint64_t size,
                  const struct ck_write_opts *opts, struct ck_vfs_writer **ret, struct ck_err *err);
    /* Make what was written below key with `sync_later` durable. Optional: it is already. */
    int (*sync)(struct ck_vfs *v, const char *key, struct ck_err *err);
    /* Delete one object; only while it has `version` when that is not NULL (CONFLICT otherwise;
     * stores that cannot do that compare before deleting). NOT_FOUND where the store can tell
     * (S3 cannot: success). */
    int (*remove)(struct ck_vfs *v, const char *key, const struct ck_version *version,
                  struct ck_err *err);
    /* Delete exactly the objects at and below key + "/". Per-object failures are all reported in
     * one message. Optional: tree() and remove() are used. */
    int (*remove_tree)(struct ck_vfs *v, const char *key, struct ck_err *err);
    /* Delete every version and delete marker of exactly this key. NOT_FOUND when there was none.
     * Optional: remove() is used. */
    int (*remove_versions)(struct ck_vfs *v, const char *key, struct ck_err *err);
    /* Immediate files below key, sorted; no directories. A missing prefix is an empty list on
     * object stores and NOT_FOUND on file systems. */
    int (*list)(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                struct ck_err *err);
    /* Immediate sub-directories (common prefixes), names without the slash. Must not cost more than
     * the number of directories, however much lies beneath them. */
    int (*list_dirs)(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                     struct ck_err *err);
    /* All files at any depth below key, sorted bytewise by key; symbolic links are not followed. */
    int (*tree)(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                struct ck_err *err);
    /* The same one by one, in the store's own order, which is that of tree() unless the service
     * does otherwise, and without holding more than a page (of a local store: one folder's names).
     * Optional: tree() is used. */
    int (*tree_each)(struct ck_vfs *v, const char *key, ck_entry_fn fn, void *arg,
                     struct ck_err *err);
    /* The next read of `file` will be followed by tree(dir): both may be asked for at once.
     * Optional; says nothing about errors, those are the calls' own. */
    void (*tree_follows)(struct ck_vfs *v, const char *file, const char *dir);
    /* The content's hash if the store knows it cheaply: ret->len 0 otherwise (no error). `alg` is
     * the wanted algorithm. */
    int (*hash)(struct ck_vfs *v, const char *key, enum ck_hash_alg alg, struct ck_hash *ret,
                struct ck_err *err);
    /* Read many objects, concurrently where that helps. Optional: read() in turn is used. */
    int (*read_many)(struct ck_vfs *v, const char *const *keys, size_t n, ck_bulk_fn fn, void *arg,
                     struct ck_err *err);
    /* list_dirs of many keys, concurrently. ret[i] belongs to keys[i]. Optional. */
    int (*list_dirs_many)(struct ck_vfs *v, const char *const *keys, size_t n, struct ck_arena *a,
                          struct ck_entries *ret, struct ck_err *err);
    /* How pages of listings are asked for, of stores that list by prefix (vfs/object/listing.h). */
    const struct ck_pages_ops *pages;
    /* Every folder below key, at any depth, that holds a file called `leaf`, in any order, for
     * ck_vfs_find: for stores that find files by name at once. Optional: list_dirs and read_many
     * are used. */
    int (*find)(struct ck_vfs *v, const char *key, const char *leaf, bool content, ck_found_fn fn,
                void *arg, struct ck_err *err);
    /* Who can read the object. Optional: unknown. A question the store refuses to answer is no
     * error but CK_REACH_UNKNOWN with the reason in `readers`. */
    int (*exposure)(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_exposure *ret,
                    struct ck_err *err);
    /* Where the key is for others. May send one request. Optional: nowhere. */
    int (*locate)(struct ck_vfs *v, const char *key, bool dualstack, struct ck_arena *a,
                  struct ck_vfs_place *ret, struct ck_err *err);
    /* What only this kind of store can tell about itself and about who asks: rows of vfs/examine.h.
     * A driver that tries permissions (by their names), conditional writes and latency itself sets
     * x->probed; otherwise the caller tries them through the other members. With x->read_only it
     * sends nothing that could write; else all it writes is at ck_exam_probe_key and removed again
     * before it returns. What is refused is a row; only what ends the examination is an error.
     * Optional. */
    int (*examine)(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err);
    /* kOps' Path() text: "s3://bucket/key", or the bare path for files. */
    char *(*text)(struct ck_vfs *v, const char *key, struct ck_arena *a);
    /* The container apart from how it was spelled, for stores where several schemes or names lead
     * to one place. Reads configuration at most. Optional: scheme and container. */
    const char *(*identity)(struct ck_vfs *v, struct ck_arena *a);
    /* Release the container. Optional. */
    void (*close)(struct ck_vfs *v);
    enum ck_hash_alg preferred_hash;
    bool has_hash;
    bool cluster_readable; /* nodes can read it (IsClusterReadable of kOps) */
    bool terraform;        /* can be rendered as Terraform objects */
    bool absolute_keys;    /* keys may start with "/" (local files) */
    /* Keys are paths of a file system: "a//b" and "a/./b" are "a/b", and only a folder of the
     * container can be a store. */
    bool folders;
};

/* Common part of every container; schemes embed it as their first member. */
struct ck_vfs {
    const struct ck_vfs_ops *ops;
    struct ck_vfs_ctx *ctx;
    const char *container; /* bucket; "" for local files */
    struct ck_vfs *next;   /* list of opened containers */
    /* Updates of one key (a checksum of its name) lost to others, successes count against them;
     * kept by ck_vfs_write. */
    uint32_t contended_key;
    unsigned losses;
    int64_t waited_ms; /* of the write under way, for others: no part of what the store needs */
};

/* Parse a store URL or a bare path. No I/O.
 * Errors: INVALID with kOps' texts (`unknown / unhandled path type: "foo://x"`,
 * `invalid s3 path: "s3://"`), also for control characters, credentials in the URL, "..". */
int ck_vfs_parse(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret, struct ck_err *err);

/* POSIX-clean join; `rel` may hold several elements. INVALID when it would climb above the base's
 * container or holds control characters. */
int ck_path_join(struct ck_arena *a, const struct ck_path *base, const char *rel,
                 struct ck_path *ret, struct ck_err *err);
const char *ck_path_text(struct ck_arena *a, const struct ck_path *p); /* canonical text */
/* A text that ck_vfs_parse reads as this path again: the canonical one, in which %, ? and # of a
 * URL's key are percent-encoded. kOps stores the canonical one, and cannot use such a store. */
const char *ck_path_location(struct ck_arena *a, const struct ck_path *p);
const char *ck_path_base(struct ck_arena *a,
                         const struct ck_path *p); /* last element; "." if none */
/* Whether keys of both mean the same files (of local folders, apart from links). Sends nothing, so
 * two names of one machine or account are two. */
bool ck_vfs_same_container(struct ck_arena *a, const struct ck_path *x, const struct ck_path *y);
/* The part of child below base. INVALID `Path "c" is not a child of "b"`. */
int ck_path_relative(struct ck_arena *a, const struct ck_path *base, const struct ck_path *child,
                     const char **ret, struct ck_err *err);

/* The operations; contracts are those of struct ck_vfs_ops, plus tracing. ret_version may be NULL.
 */
int ck_vfs_read(const struct ck_path *p, struct ck_buf *out, struct ck_version *ret_version,
                struct ck_err *err);
int ck_vfs_read_stream(const struct ck_path *p, ck_sink_fn fn, void *arg,
                       struct ck_version *ret_version, struct ck_err *err);
/* An update that is refused with CONFLICT returns after a moment: who comes again at once only
 * makes the others lose too. The moment is random, at most as long as the update took, doubled with
 * each loss of the same key; 10 s at most. */
int ck_vfs_write(const struct ck_path *p, struct ck_slice data, const struct ck_write_opts *opts,
                 struct ck_version *ret_version, struct ck_err *err);
/* Write in pieces. UNSUPPORTED where the store cannot (or somebody watches the context's changes
 * who is to see this content whole): then nothing has happened. `p` and `opts` must outlive the
 * writer. commit: *ret_verified says that the store has confirmed the content by its digest. After
 * free without a successful commit nothing has been written. */
int ck_vfs_writer_open(const struct ck_path *p, uint64_t size, const struct ck_write_opts *opts,
                       struct ck_vfs_writer **ret, struct ck_err *err);
int ck_vfs_writer_put(struct ck_vfs_writer *w, struct ck_slice piece, struct ck_err *err);
int ck_vfs_writer_commit(struct ck_vfs_writer *w, struct ck_version *ret_version,
                         bool *ret_verified, struct ck_err *err);
void ck_vfs_writer_free(struct ck_vfs_writer *w); /* NULL: nothing */
static inline void ck_vfs_writer_cleanup(struct ck_vfs_writer **w)
{
    ck_vfs_writer_free(*w);
}
#define CK_AUTOWRITER CK_CLEANUP(ck_vfs_writer_cleanup) struct ck_vfs_writer
int ck_vfs_sync(const struct ck_path *p, struct ck_err *err);
int ck_vfs_remove(const struct ck_path *p, const struct ck_version *version, struct ck_err *err);
int ck_vfs_remove_tree(const struct ck_path *p, struct ck_err *err);
int ck_vfs_remove_versions(const struct ck_path *p, struct ck_err *err);
int ck_vfs_list(const struct ck_path *p, struct ck_arena *a, struct ck_entries *ret,
                struct ck_err *err);
int ck_vfs_list_dirs(const struct ck_path *p, struct ck_arena *a, struct ck_entries *ret,
                     struct ck_err *err);
int ck_vfs_tree(const struct ck_path *p, struct ck_arena *a, struct ck_entries *ret,
                struct ck_err *err);
int ck_vfs_tree_each(const struct ck_path *p, ck_entry_fn fn, void *arg, struct ck_err *err);
/* The next read of `file` will be followed by ck_vfs_tree(dir), with no change in between. Stores
 * far away may ask for both at once; the results are those of the two calls. Does nothing when they
 * lie in different stores. */
void ck_vfs_tree_follows(const struct ck_path *file, const struct ck_path *dir);
int ck_vfs_hash(const struct ck_path *p, enum ck_hash_alg alg, struct ck_hash *ret,
                struct ck_err *err);
int ck_vfs_exposure(const struct ck_path *p, struct ck_arena *a, struct ck_exposure *ret,
                    struct ck_err *err);
/* Nothing is added for stores that have nothing to say. */
int ck_vfs_locate(const struct ck_path *p, bool dualstack, struct ck_arena *a,
                  struct ck_vfs_place *ret, struct ck_err *err);
int ck_vfs_examine(const struct ck_path *p, struct ck_exam *x, struct ck_err *err);
int ck_vfs_read_many(const struct ck_path *base, const char *const *keys, size_t n, ck_bulk_fn fn,
                     void *arg, struct ck_err *err);

/* Find directories, at any depth, that hold a file called `leaf`, and read it: the listing of
 * clusters. `fn` gets the directory's path relative to `root` and the file's content, or an item
 * error when it could not be read. What lies beneath a directory that has the file is not walked;
 * one without it is searched further down, to a depth of 8. Order: bytewise by name.
 * Cost on object stores: one delimiter listing per level plus one read per directory, concurrent.
 */
typedef int (*ck_find_fn)(void *arg, const char *name, struct ck_slice data,
                          const struct ck_version *version, struct ck_err *item_err);
int ck_vfs_find(const struct ck_path *root, const char *leaf, ck_find_fn fn, void *arg,
                struct ck_err *err);
/* The same without reading where the store can tell from listings: names only. */
int ck_vfs_find_names(const struct ck_path *root, const char *leaf, struct ck_strv *ret,
                      struct ck_err *err);

/* Read a location that need not be a store: also http(s):// and metadata:// (kOps'
 * VFSContext.ReadFile). */
int ck_vfs_read_location(struct ck_vfs_ctx *ctx, const char *location, struct ck_buf *out,
                         struct ck_err *err);

/* The location for messages: "…" when it holds a password. */
const char *ck_location_shown(const char *location);

/* Hash text forms: "md5:hex" or bare hex of 32/40/64 digits. */
int ck_hash_parse(const char *text, struct ck_hash *ret, struct ck_err *err);
void ck_hash_put(struct ck_buf *out, const struct ck_hash *h);

/* For schemes: find or make the container of (scheme, name); `size` is that of the scheme's own
 * struct, zeroed when new (*ret_new true). */
struct ck_vfs *ck_vfs_container(struct ck_vfs_ctx *ctx, const struct ck_vfs_ops *ops,
                                const char *container, size_t size, bool *ret_new);
void ck_entries_add(struct ck_arena *a, struct ck_entries *e, struct ck_entry entry);
void ck_entries_sort(struct ck_entries *e);
