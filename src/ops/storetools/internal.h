/* Shared between the files of the copy: the plan and its items. */
#pragma once

#include "ops/storetools/copy.h"
#include "vfs/vfs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

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
    bool local;    /* the destination is a local folder */
    bool folder;   /* … or one on another machine */
    bool together; /* and the source reads many objects at once: ck_copy_apply_many */
};

/* ---- the plan of a whole store, which may have more files than memory should hold ---- */

struct ck_copy_row {
    int64_t size;
    uint32_t name_len;
    uint8_t what; /* enum ck_copy_what */
    bool compare;
    char from_md5[CK_COPY_MD5], to_md5[CK_COPY_MD5]; /* "" unknown */
};

/* Rows with their names, one after the other, in a file that nobody else sees. */
struct ck_copy_spool {
    int fd;
    struct ck_buf out; /* not yet written */
};
struct ck_copy_reader {
    const struct ck_copy_spool *s;
    struct ck_buf in, name; /* the name of `row` */
    size_t pos;             /* in `in`, whose first byte is at `at` of the file */
    uint64_t at, row_at;
    struct ck_copy_row row;
    struct ck_version version; /* what was compared, of rows that are to be */
};

/* What one thread works on, when it is not part of a plan in memory. */
struct ck_copy_room {
    struct ck_copy_item item;
    struct ck_copy_row row;
    struct ck_buf name;
    uint64_t at; /* of the row */
};

/* Where a run takes its items from, one caller at a time. */
struct ck_copy_source {
    /* The next, NULL at the end; it is filled into `room` or stays where it is. */
    int (*next)(struct ck_copy_source *s, struct ck_copy_room *room, struct ck_copy_item **ret,
                struct ck_err *err);
    /* It has been done, or has failed. Optional. */
    int (*done)(struct ck_copy_source *s, struct ck_copy_room *room, struct ck_copy_item *it,
                struct ck_err *err);
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
/* List both ends and say what is to be done as far as listings tell: into `rows`, in order of
 * name. Names the destination cannot hold become failed items of p. */
int ck_copy_list(struct ck_copy_plan *p, struct ck_copy_spool *rows, struct ck_err *err);
/* What listings say of a file: at one end (the other NULL) or both. */
void ck_copy_beside(const struct ck_entry *from, const struct ck_entry *to,
                    struct ck_copy_item *ret);
/* A failed item for the report; takes over why. */
void ck_copy_add_failed(struct ck_copy_plan *p, const char *name, struct ck_err *why);
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

/* ---- spool.c ---- */
/* In $TMPDIR or /tmp, else in memory of the kernel's. */
int ck_copy_spool_open(const struct ck_env *env, struct ck_copy_spool *ret, struct ck_err *err);
void ck_copy_spool_close(struct ck_copy_spool *s);
int ck_copy_spool_add(struct ck_copy_spool *s, struct ck_copy_row *row, const char *name,
                      struct ck_err *err);
int ck_copy_spool_clear(struct ck_copy_spool *s, struct ck_err *err);
/* Read from the beginning; nothing is added meanwhile. */
int ck_copy_spool_rewind(struct ck_copy_spool *s, struct ck_copy_reader *ret, struct ck_err *err);
/* 1, or 0 after the last. */
int ck_copy_reader_next(struct ck_copy_reader *r, struct ck_err *err);
void ck_copy_reader_done(struct ck_copy_reader *r);
/* Write a row that was read at `at` again. */
int ck_copy_spool_put(const struct ck_copy_spool *s, uint64_t at, const struct ck_copy_row *row,
                      const struct ck_version *version, struct ck_err *err);

/* ---- flush.c ---- */
/* So long from now (below a second or so), for pthread_cond_timedwait. */
struct timespec ck_copy_in_ms(int ms);
/* A thread that syncs a local destination every now and then. */
struct ck_copy_flush {
    const struct ck_copy_end *end;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool started, over;
    struct ck_err err; /* why it was not kept up */
};
void ck_copy_flush_start(struct ck_copy_flush *f, const struct ck_copy_end *end);
/* What it synced may be lost when this fails. */
int ck_copy_flush_stop(struct ck_copy_flush *f, struct ck_err *err);

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

/* New files, at most `parallel` at once, where the source reads many by itself and writing is a
 * matter of microseconds: done() is told of each as it ends, with its err filled. */
typedef void (*ck_copy_done_fn)(void *arg, struct ck_copy_item *it, int r, uint64_t bytes);
void ck_copy_apply_many(struct ck_copy_pair *w, struct ck_copy_item *const *items, size_t n,
                        unsigned parallel, ck_copy_done_fn done, void *arg);

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
/* The same for n items of a source; with `together` fn is ck_copy_apply, and small new files are
 * handed to ck_copy_apply_many. */
int ck_copy_run_source(const struct ck_copy_opts *o, struct ck_copy_source *src, size_t n,
                       ck_copy_fn fn, bool together, struct ck_copy_stats *stats,
                       struct ck_err *err);
