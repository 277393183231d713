/* Checking manifests without a store and without a cloud: every object, every error. */
#pragma once

#include "ops/manifest.h"

struct ck_finding {
    const char *file;
    uint32_t line, col;      /* 1-based; 0: unknown */
    const char *kind, *name; /* of the object; "" when it could not be decoded */
    const char *field;       /* kOps' path; "" when the finding is not of one field */
    const char *text;        /* message, with the path in front as kOps has it */
};
struct ck_findings {
    struct ck_finding *v; /* in the arena, in the order of the files */
    size_t n, cap;
    size_t n_objects;
    const char **notes; /* what could not be checked, and why */
    size_t n_notes, cap_notes;
};

/* Decode all objects of the files; check each cluster as written and as completed, each group by
 * itself, as completed and, when its cluster is among the files, against that.
 * Only what keeps the files from being read at all is an error (INVALID, NOT_FOUND, LIMIT, IO). */
int ck_check_files(struct ck_arena *a, const struct ck_store *s, const struct ck_strv *files,
                   struct ck_findings *ret, struct ck_err *err);
