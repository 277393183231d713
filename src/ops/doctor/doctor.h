/* Whether a store is fit for use: what its driver can tell, and what can be tried with the ordinary
 * operations. kOps has nothing like it. */
#pragma once

#include "vfs/examine/examine.h"
#include "vfs/vfs.h"

struct ck_doctor_opts {
    bool read_only;    /* write nothing */
    unsigned requests; /* to time; 0 means 5 */
};

/* Rows in `a`. Watches of the context (locks, journal) do not see the probes, which are no changes
 * of the store. A store that cannot be reached is a row; errors are those of the caller's input. */
int ck_doctor_run(struct ck_arena *a, const struct ck_path *root, const struct ck_doctor_opts *opts,
                  struct ck_exam *ret, struct ck_err *err);
/* Whether a row asks for somebody's attention. */
bool ck_doctor_sound(const struct ck_exam *x);
