/* Shared between the files of the copy: the plan and its items. */
#pragma once

#include "ops/storetools/copy.h"
#include "vfs/vfs.h"

#include <pthread.h>
#include <stdatomic.h>

enum { CK_COPY_MD5 = 33 }; /* of a text: hex digits and the NUL */

enum ck_copy_state { CK_COPY_TODO, CK_COPY_DONE, CK_COPY_FAILED };

struct ck_copy_item {
    const char *name; /* below both ends */
    enum ck_copy_what what;
    bool compare; /* the listings could not tell whether both are the same */
    int64_t size;
    const char *from_md5, *to_md5; /* of the listings; NULL unknown */
    struct ck_version version;     /* at the destination, when it has been read */
    enum ck_copy_state state;
    struct ck_err err;
    void *own; /* of who made the plan; NULL */
};

struct ck_copy_plan {
    const struct ck_copy_opts *opts;
    struct ck_arena *a; /* of the listings; not touched by the threads */
    struct ck_copy_item *v;
    size_t n, cap;
    bool local; /* the destination is a local folder */
};

/* Bytes of contents that all threads together may hold. */
struct ck_copy_budget {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    size_t left;
    uint64_t last, turn; /* who came last, whose turn it is */
};

/* One end as one thread sees it: a context of its own, for nothing in it is shared. */
struct ck_copy_view {
    struct ck_vfs_ctx ctx;
    struct ck_path root;
};
int ck_copy_open(struct ck_copy_view *v, struct ck_arena *a, const struct ck_copy_end *end,
                 struct ck_err *err);
void ck_copy_close(struct ck_copy_view *v);
/* The location of an item, its name unchanged. */
struct ck_path ck_copy_at(struct ck_arena *a, const struct ck_copy_view *v, const char *name);

struct ck_copy_pair {
    struct ck_copy_view from, to;
    atomic_uint_fast64_t *live; /* bytes of files under way, for the progress; NULL: not counted */
};

/* ---- copy.c ---- */
/* Hand over what failed; the code of the first, 0 when nothing did. */
int ck_copy_report(const struct ck_copy_plan *p, const char *verb, struct ck_err *err);

/* ---- plan.c ---- */
/* List both ends and say what is to be done as far as listings tell. */
int ck_copy_list(struct ck_copy_plan *p, struct ck_err *err);
bool ck_copy_wanted(const struct ck_copy_opts *o, const char *name);
/* One folder of an end, in order of name; with `may_miss` one that is not there is empty. */
int ck_copy_tree(const struct ck_path *at, struct ck_arena *a, bool may_miss,
                 struct ck_entries *ret, struct ck_err *err);
/* Add the items of two such listings. */
void ck_copy_merge(struct ck_copy_plan *p, const struct ck_entries *f, const struct ck_entries *t);
/* Whether a key is another or lies beneath it; all do beneath "". */
bool ck_copy_within(const char *inner, const char *outer);
/* A local path without links; of what is not there yet, that of the folder it will be in. */
const char *ck_copy_real(struct ck_arena *a, const char *path);
/* INVALID when one end lies in the other. */
int ck_copy_check_apart(struct ck_arena *a, const struct ck_copy_opts *o,
                        const struct ck_copy_pair *w, struct ck_err *err);
/* Whether the destination can hold a file of this name. */
int ck_copy_check_name(const struct ck_copy_plan *p, const char *name, struct ck_err *err);

/* ---- item.c ---- */
void ck_copy_md5(struct ck_slice content, char ret[CK_COPY_MD5]);
/* That `to` holds the content: by the store's word, or a look at it. */
int ck_copy_verify(const struct ck_path *to, struct ck_slice content,
                   const struct ck_version *version, struct ck_err *err);
/* Compare the contents: sets item->what to SAME or CHANGED. */
int ck_copy_compare(const struct ck_copy_pair *w, struct ck_copy_item *it, struct ck_err *err);
/* Bring the destination in line, and check that it is. *ret_bytes: written. */
int ck_copy_apply(const struct ck_copy_pair *w, struct ck_copy_item *it, uint64_t *ret_bytes,
                  struct ck_err *err);

int ck_copy_fail_damaged(struct ck_err *err);

/* ---- large.c ---- */
void ck_copy_budget_init(struct ck_copy_budget *b);
void ck_copy_budget_done(struct ck_copy_budget *b);
size_t ck_copy_need(const struct ck_copy_item *it);
/* Wait until n bytes are left, and have them. */
void ck_copy_budget_take(struct ck_copy_budget *b, size_t n);
void ck_copy_budget_give(struct ck_copy_budget *b, size_t n);

/* Whether the file goes through piece by piece, where both ends can. */
bool ck_copy_is_large(const struct ck_copy_item *it);
struct ck_copy_digest {
    unsigned char bytes[32];
    size_t len;
};
/* MD5 or SHA-256 of an object, without holding it. */
int ck_copy_digest(const struct ck_path *at, bool md5, struct ck_copy_digest *ret,
                   struct ck_version *ret_version, struct ck_err *err);
/* Copy without holding the whole, and check. UNSUPPORTED where the destination takes whole contents
 * only: then nothing has happened. CONFLICT: what was read is not `size` bytes with the digest
 * `md5` (hex; NULL: any); nothing was written. */
int ck_copy_stream(const struct ck_path *from, const struct ck_path *to, int64_t size,
                   const char *md5, const struct ck_write_opts *o, atomic_uint_fast64_t *live,
                   uint64_t *ret_bytes, struct ck_err *err);

/* ---- pool.c ---- */
/* fn for every item that `wants` takes, by several threads; fn fills item->err and returns its
 * negative code when it fails. */
typedef int (*ck_copy_fn)(const struct ck_copy_pair *w, struct ck_copy_item *it,
                          uint64_t *ret_bytes, struct ck_err *err);
int ck_copy_run(struct ck_copy_plan *p,
                bool (*wants)(const struct ck_copy_plan *p, const struct ck_copy_item *it),
                ck_copy_fn fn, struct ck_copy_stats *stats, struct ck_err *err);
