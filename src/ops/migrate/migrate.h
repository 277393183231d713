/* Moving one cluster from a store to another.
 *
 * Every file is copied and verified, the fields that say where the cluster lies are rewritten, and
 * config comes last, so that the new store lists the cluster only when it is complete. The old
 * store is only read. A record at the destination (.ckops/migrate/CLUSTER.json) says what each file
 * may hold because of the migration; it is written before the files are. A run that was killed is
 * finished by the next one, a file edited in the old store meanwhile is copied again, and one that
 * somebody else wrote at the destination is never overwritten. kOps' documentation has four steps
 * by hand instead ("Moving state between S3 buckets"). */
#pragma once

#include "ops/storetools/copy.h"

struct ck_migrate_opts {
    struct ck_copy_end from, to; /* whole stores */
    const char *cluster;
    unsigned parallel; /* files at a time; at least 1 */
    bool delete_gone;  /* carry over deletions made in the old store after the migration */
    bool rollback;     /* remove what the migration wrote */
    bool dry_run;
    /* As in struct ck_copy_opts. `planned` is called in dry runs, `failed` also for conflicts. */
    void (*progress)(void *arg, const struct ck_copy_stats *s);
    void (*planned)(void *arg, enum ck_copy_what what, const char *path, int64_t size);
    void (*failed)(void *arg, const char *path, const struct ck_err *why);
    /* Called before both ends are compared, each time, and after the last comparison: take the
     * locks that are asked for, and prove that they are held. An error stops the run. May be NULL.
     */
    int (*guard)(void *arg, struct ck_err *err);
    void *arg;
};

/* A field that names a place in the old store, with what replaces it; `to` NULL: it stays. */
struct ck_migrate_field {
    const char *path, *from, *to;
};

struct ck_migrate_result {
    const char *from, *to; /* the stores as kOps writes them */
    uint64_t copied, replaced, deleted, same;
    uint64_t kept;         /* edited in the new store since, and left alone */
    uint64_t bytes;        /* written */
    const char *completed; /* when an earlier run ended; NULL: none did */
    bool readable;         /* nodes can read the new store */
    struct ck_migrate_field *fields;
    size_t n_fields, cap_fields;
};

/* Where, below the new store, the record of a cluster's migration lies; in `a`. */
const char *ck_migrate_record_name(struct ck_arena *a, const char *cluster);

/* The result lives in the arena. Errors: NOT_FOUND: no such cluster, or no migration to roll back;
 * EXISTS: the destination has such a cluster, or a migration of one from elsewhere; INVALID: the
 * stores lie within each other, or the cluster's files lie outside the old one; CONFLICT: files
 * that both sides changed (each handed to `failed`), or edits that do not end; else the stores'. */
int ck_migrate(struct ck_arena *a, const struct ck_migrate_opts *opts,
               struct ck_migrate_result *ret, struct ck_err *err);
