/* The journal: what each command changed in a cluster's folder, kept beside the clusters in
 * `.ckops/journal/CLUSTER/ID` where kOps does not look. One entry per command and cluster, complete
 * in itself: it holds the contents before and after, so writing it needs no other entry, and old
 * ones can be deleted. Changes nobody recorded (kOps' own, a command that was killed) show as gaps
 * between one entry's "after" and the next one's "before". kOps has nothing like it. */
#pragma once

#include "store/store.h"

#include <stdint.h>

#define CK_JOURNAL_DIR ".ckops/journal"

struct ck_journal_who {
    const char *user, *host;
    const char *command; /* what was run, without anything that may be a secret */
};

/* ---- writing it: record.c ---- */
struct ck_journal;
/* Asked at the first change: whether the store wants a journal (false unless set), and who is at
 * work, borrowed until the journal ends. An error refuses the change. */
typedef int (*ck_journal_ask_fn)(void *arg, bool *ret_wanted, struct ck_journal_who *ret_who,
                                 struct ck_err *err);
/* From now on every change of the clusters of this store is noted. Changes whose "before" cannot be
 * read are refused. */
struct ck_journal *ck_journal_start(const struct ck_store *s, ck_journal_ask_fn ask, void *arg);
/* Write the entries of what was noted so far: one per cluster. Errors: the store's; the changes
 * themselves stand. */
int ck_journal_flush(struct ck_journal *j, struct ck_err *err);
void ck_journal_free(struct ck_journal *j); /* NULL is fine; forgets what was not flushed */
/* Record what is there now, changed or not, as one entry; *ret_files: how many files. Needs no
 * setting. NOT_FOUND: there is no such cluster. */
int ck_journal_snapshot(const struct ck_store *s, const char *cluster,
                        const struct ck_journal_who *who, size_t *ret_files, struct ck_err *err);

/* ---- reading it: history.c ---- */
struct ck_journal_file {
    const char *path;           /* below the cluster's folder */
    const char *before, *after; /* SHA-256 in lower-case hex; "" when it was not there */
    int64_t at_ns;              /* of its last change */
};

struct ck_journal_content {
    const char *sha;
    int64_t size;
};

struct ck_journal_entry {
    const char *id; /* sorts by time */
    const char *cluster;
    const char *user, *host, *command;
    int64_t from_ns, to_ns;        /* first and last change */
    bool snapshot;                 /* nothing changed; what is not listed was not there */
    struct ck_journal_file *files; /* by path */
    size_t n_files;
    struct ck_journal_content *contents; /* what it keeps, in the order of keeping */
    size_t n_contents;
};

struct ck_journal_record; /* one file of one entry */
struct ck_journal_unpacked;

struct ck_journal_history {
    struct ck_arena *a;
    const struct ck_store *s;
    const char *cluster;
    struct ck_journal_entry *v; /* by id */
    size_t n;
    struct ck_journal_record *records; /* by path, then time */
    size_t n_records;
    struct ck_journal_unpacked *last; /* the contents that were asked for last */
};

/* Clusters that have a journal, sorted. */
int ck_journal_clusters(const struct ck_store *s, struct ck_strv *ret, struct ck_err *err);
/* All entries of a cluster (none: empty); everything lives in `a`. Errors: INVALID for a damaged
 * one, naming it; LIMIT. */
int ck_journal_load(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                    struct ck_journal_history *ret, struct ck_err *err);
/* The content with this digest, added to *out. LIMIT: it was too large to be kept. */
int ck_journal_content(const struct ck_journal_history *h, const char *sha, struct ck_buf *out,
                       struct ck_err *err);

/* A moment: an id, or the part of it after the hyphen, or its beginning (after that entry); with a
 * `^` behind it, before that entry; RFC 3339; "2h ago"; "now". INVALID when it is none of these, or
 * in the future. */
struct ck_journal_point {
    bool now;
    bool early; /* a time before the first entry: known is only what that found */
    int64_t ns;
    const struct ck_journal_entry *before; /* not NULL: just before this one, as it found things */
    const char *text;                      /* as given, completed */
};
/* Just before the entry. */
struct ck_journal_point ck_journal_before(const struct ck_journal_history *h,
                                          const struct ck_journal_entry *e);
int ck_journal_point_of(const struct ck_journal_history *h, const char *text,
                        struct ck_journal_point *ret, struct ck_err *err);

/* ---- what was there when: view.c ---- */
struct ck_journal_seen {
    const char *path;
    const char *sha;           /* "" not there; NULL: nobody knows */
    struct ck_version version; /* views of now */
    struct ck_slice data;      /* views of now; in the arena */
};
struct ck_journal_view {
    struct ck_journal_seen *v; /* by path */
    size_t n;
    bool now; /* what is not listed is not there */
};
/* What the store holds now of what a journal covers; the contents are in `a`. */
int ck_journal_now(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                   struct ck_journal_view *ret, struct ck_err *err);
/* What was there at the point, as far as the journal knows: of all its files, and of those in
 * `now`. */
void ck_journal_view_at(const struct ck_journal_history *h, const struct ck_journal_point *p,
                        const struct ck_journal_view *now, struct ck_journal_view *ret);
/* The file in the view, or NULL. */
const struct ck_journal_seen *ck_journal_find(const struct ck_journal_view *v, const char *path);

struct ck_journal_change {
    const char *path;
    const char *from, *to; /* SHA-256; "" not there */
    bool secret;           /* its content is not for eyes */
};
struct ck_journal_changes {
    struct ck_journal_change *v; /* by path */
    size_t n, cap;
    size_t unknown; /* files of which one side is not known: left out */
};
void ck_journal_compare(struct ck_arena *a, const struct ck_journal_view *from,
                        const struct ck_journal_view *to, struct ck_journal_changes *ret);
/* Content of a file in a view ("" when it is not there): of the store, or of the journal. */
int ck_journal_side(const struct ck_journal_history *h, const struct ck_journal_view *v,
                    const char *path, struct ck_buf *out, struct ck_err *err);
bool ck_journal_is_secret(const char *path);
/* Split a path of the store ("NAME/instancegroup/nodes") into cluster and rest; false when it is no
 * recorded file of a cluster's folder. Recorded is what kOps knows there, but for the backups that
 * nodes make. */
bool ck_journal_split(struct ck_arena *a, const char *rel, const char **ret_cluster,
                      const char **ret_path);
/* What changed between the entries before entry `i` and its own beginning, without being recorded
 * (i == h->n: until now, of which `now` tells; otherwise `now` may be NULL). */
void ck_journal_outside(const struct ck_journal_history *h, size_t i,
                        const struct ck_journal_view *now, struct ck_journal_changes *ret);

/* ---- going back: restore.c ---- */
/* Bring the store from `now` to what the changes say; every write and removal only while the file
 * is as in `now`. Errors: CONFLICT, LIMIT (a content is not kept; nothing is written). */
int ck_journal_apply(const struct ck_journal_history *h, const struct ck_journal_view *now,
                     const struct ck_journal_changes *changes, struct ck_err *err);
/* The changes that take back the last entry. NOT_FOUND: there is none; CONFLICT: what it wrote is
 * not what is there now. */
int ck_journal_undo(const struct ck_journal_history *h, const struct ck_journal_view *now,
                    const struct ck_journal_entry **ret_entry, struct ck_journal_changes *ret,
                    struct ck_err *err);
