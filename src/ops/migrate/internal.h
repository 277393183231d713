/* Shared between the files of the migration. */
#pragma once

#include "ops/migrate/migrate.h"
#include "ops/storetools/internal.h"

#include "base/map.h"
#include "doc/val.h"

/* ---- state.c: the record at the destination ---- */

enum { CK_MIGRATE_PENDING = 8 };
#define CK_MIGRATE_GONE "-" /* in place of a digest: the migration deleted the file */

/* What one file at the destination may hold without somebody else having written it. */
struct ck_migrate_record {
    char base[CK_COPY_MD5];                        /* what both ends last held alike; "" never */
    char pending[CK_MIGRATE_PENDING][CK_COPY_MD5]; /* written since, or about to be; oldest first */
    size_t n_pending;
    bool seen; /* by the last look at both ends */
};

struct ck_migrate_state {
    bool there, dirty; /* stored; differs from what is stored */
    struct ck_version version;
    char started[21], completed[21]; /* RFC 3339; completed "" until a run came to its end */
    bool rolling_back;
    struct ck_map records;   /* path below the stores → struct ck_migrate_record */
    struct ck_val *folders;  /* list: whatever was ever copied, below the stores */
    struct ck_slice content; /* as stored */
};

struct ck_migrate;
/* Into m->state, whose records the caller has released or kept. One that is not there is no error;
 * EXISTS: the record is of another source. */
int ck_migrate_load(struct ck_migrate *m, struct ck_err *err);
/* CONFLICT: someone else wrote it since it was read. */
int ck_migrate_save(struct ck_migrate *m, struct ck_err *err);
int ck_migrate_forget(struct ck_migrate *m, struct ck_err *err);
struct ck_migrate_record *ck_migrate_record(struct ck_migrate *m, const char *name); /* or NULL */
struct ck_migrate_record *ck_migrate_record_new(struct ck_migrate *m, const char *name);
bool ck_migrate_ours(const struct ck_migrate_record *rec, const char *md5);
/* The file is going to hold this; CK_MIGRATE_GONE: it is going to be deleted. */
void ck_migrate_intend(struct ck_migrate *m, struct ck_migrate_record *rec, const char *md5,
                       const char *now);
/* Both ends hold this. */
void ck_migrate_settle(struct ck_migrate *m, struct ck_migrate_record *rec, const char *md5);

/* ---- look.c: both ends side by side ---- */

enum ck_migrate_action {
    CK_MIGRATE_NOTHING,
    CK_MIGRATE_WRITE,
    CK_MIGRATE_DELETE,
    CK_MIGRATE_KEEP,  /* edited in the new store */
    CK_MIGRATE_CLASH, /* `why` says what is wrong */
};

struct ck_migrate_file {
    struct ck_migrate *m;
    struct ck_copy_item *item;
    bool config;              /* the cluster's: what makes it one, so written last */
    bool translate;           /* holds fields that are rewritten */
    bool there[2], known[2];  /* at the source, at the destination; its digest is known */
    char md5[2][CK_COPY_MD5]; /* of what the source means for the destination; of what is there */
    enum ck_migrate_action action;
    const char *why;
    bool now;       /* part of this run of the pool */
    bool unsettled; /* it changed under us: the next look decides */
};

struct ck_migrate {
    const struct ck_migrate_opts *o;
    struct ck_arena *a;
    struct ck_copy_opts copy; /* for the pool */
    struct ck_copy_pair w;    /* this thread's connections */
    struct ck_migrate_result *ret;
    struct ck_migrate_state state;
    bool ended_before;         /* an earlier run came to its end */
    const char *config, *spec; /* names of config and the completed specification */

    /* of the last look */
    struct ck_arena *look;
    struct ck_val *folders; /* what the configuration says is the cluster's */
    struct ck_copy_plan plan;
    struct ck_migrate_file *files;
};

int ck_migrate_guard(struct ck_migrate *m, struct ck_err *err); /* migrate.c: locks are held */
/* Read config, list and compare; fills plan and files. */
int ck_migrate_look(struct ck_migrate *m, struct ck_err *err);
void ck_migrate_look_done(struct ck_migrate *m);
/* Do what `action` says to the files that are marked `now`. */
int ck_migrate_apply(struct ck_migrate *m, const char *verb, struct ck_err *err);
/* Name every clash; CONFLICT when there is one, and `what` as the end of its sentence. */
int ck_migrate_clashes(struct ck_migrate *m, const char *what, struct ck_err *err);

/* ---- rewrite.c ---- */

/* The place `value` names below the old store, as a path relative to it; NULL: elsewhere. */
const char *ck_migrate_below(struct ck_arena *a, struct ck_copy_pair *w, const char *value);
/* A store's root, or a place below it, as kOps writes it into fields. */
const char *ck_migrate_text(struct ck_arena *a, const struct ck_copy_view *v, const char *rel);
/* `text` with the fields that name places in the old store rewritten, otherwise byte for byte;
 * *ret_tree (may be NULL) is what `text` says. INVALID: it is no YAML map. */
int ck_migrate_rewrite(struct ck_arena *a, struct ck_copy_pair *w, struct ck_slice text,
                       struct ck_slice *ret, struct ck_val **ret_tree, struct ck_err *err);
/* The fields of a configuration that name places in the old store, into the result; those that
 * stay have no `to`. */
void ck_migrate_fields(struct ck_migrate *m, const struct ck_val *tree);

/* ---- rollback.c ---- */
int ck_migrate_rollback(struct ck_migrate *m, struct ck_err *err);
/* Delete what m->state knows to be the migration's, the record apart. */
int ck_migrate_undo(struct ck_migrate *m, struct ck_err *err);
