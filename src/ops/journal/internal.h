/* Shared between the files of this folder. */
#pragma once

#include "ops/journal/journal.h"
#include "store/settings.h"

enum {
    CK_JOURNAL_FILE_MAX = 4 << 20,   /* bytes of a content that is kept */
    CK_JOURNAL_TOTAL_MAX = 24 << 20, /* of all that one entry keeps */
    CK_JOURNAL_RUN_MAX = 32 << 20,   /* of all that one run keeps until its entries are written */
    CK_JOURNAL_HEAD_MAX = 8 << 20,   /* of the description in front of the contents */
    CK_JOURNAL_ENTRIES_MAX = 100000,
    CK_JOURNAL_SHA = 64,
};

/* ---- layout.c ---- */
/* Whether a path below a cluster's folder is recorded. */
bool ck_journal_covers(const char *path);
int ck_journal_dir(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                   struct ck_path *ret, struct ck_err *err);
void ck_journal_make_id(int64_t ns, char ret[40]);
bool ck_journal_id_ok(const char *id);
void ck_journal_put_time(struct ck_buf *out, int64_t ns);

/* ---- entry.c ---- */
/* `contents`: the bytes of e->contents, one after the other. */
void ck_journal_encode(const struct ck_journal_entry *e, struct ck_slice contents,
                       struct ck_buf *out);
/* What it describes; *ret_packed (may be NULL) are the compressed contents, borrowed. INVALID. */
int ck_journal_decode(struct ck_arena *a, const char *id, const char *cluster, struct ck_slice data,
                      struct ck_journal_entry *ret, struct ck_slice *ret_packed,
                      struct ck_err *err);

/* ---- record.c ---- */
/* A state of a file while an entry is made. */
struct ck_journal_state {
    char sha[CK_JOURNAL_SHA + 1]; /* "" not there */
    struct ck_slice data;         /* in the entry's arena */
};
struct ck_journal_state *ck_journal_state_of(struct ck_arena *a, struct ck_slice data);

/* ---- history.c ---- */
struct ck_journal_record {
    const struct ck_journal_file *file;
    const struct ck_journal_entry *entry;
};
/* SHA-256 of the file at that moment as the entries until then say: "" not there, NULL unknown. */
const char *ck_journal_past(const struct ck_journal_history *h, const char *path, int64_t ns);
/* The same; before its first entry, a file was what that one found. */
const char *ck_journal_state_at(const struct ck_journal_history *h, const char *path, int64_t ns);
