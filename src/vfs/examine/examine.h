/* What can be found out about a store by asking it: rows of a table, one per question.
 *
 * Drivers add what only they can tell (struct ck_vfs_ops, member examine); what can be tried with
 * the ordinary operations is tried by ops/doctor. */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ck_exam_result {
    CK_EXAM_OK,
    CK_EXAM_WARN,    /* works, but not as it should */
    CK_EXAM_FAIL,    /* commands will fail, or state can be lost or read by others */
    CK_EXAM_SKIPPED, /* not asked, or the store does not tell; the detail says why */
};

struct ck_exam_row {
    const char *check; /* "region", "conditional-create", or a permission by its name */
    enum ck_exam_result result;
    const char *detail;  /* what was found; of a failure also cause and remedy */
    const char *missing; /* name of the permission that was refused; NULL: none was */
};

struct ck_exam {
    struct ck_arena *a; /* rows and their texts */
    bool read_only;     /* nothing may be written, not even for a moment */
    unsigned requests;  /* how many to time; at least 1 */
    /* Set by a driver that has tried permissions, conditional writes and latency itself. */
    bool probed;
    /* Set by anyone who finds that further questions have no answer: no connection, no identity. */
    bool stop;
    struct ck_exam_row *v;
    size_t n, cap;
};

void ck_exam_add(struct ck_exam *x, const char *check, enum ck_exam_result result, const char *fmt,
                 ...) CK_PRINTF(4, 5);
/* A permission, by the name that whoever grants it knows; the row's check is that name. */
void ck_exam_missing(struct ck_exam *x, const char *permission, const char *fmt, ...)
    CK_PRINTF(3, 4);
/* The row "latency": median, fastest and slowest of n times in milliseconds (sorted here). */
void ck_exam_latency(struct ck_exam *x, int64_t *ms, size_t n);
const char *ck_exam_result_name(enum ck_exam_result r); /* "ok", "warn", "fail", "skipped" */

/* Where probes are written: "ROOT/.ckops/doctor-<random>", in the arena. `root` is a key. */
#define CK_EXAM_FOLDER ".ckops"
const char *ck_exam_probe_key(struct ck_arena *a, const char *root);
