/* Locks for stores that can make a thing only once, but cannot compare and write in one step.
 *
 * A lock is the making of something whose name holds the key and the version that is to be
 * replaced. Its holder gives up after CK_LEASE_HOLD_MS. One that is seen taken for longer than
 * CK_LEASE_BREAK_MS, while the object stays as it was, belongs to a writer that died: then the same
 * name with the next number is tried. Safe as long as clocks run at about the same speed and a
 * write is not carried out later than 5 s after its sender gave up on it. */
#pragma once

#include "base/err.h"
#include "vfs/vfs.h"

enum { CK_LEASE_HOLD_MS = 10000, CK_LEASE_BREAK_MS = 15000 };

struct ck_lease {
    char name[72];
    unsigned n;    /* number of the lock that is held */
    int64_t since; /* monotonic, before the request that took it */
    bool held;
    /* Set by `take` of stores whose locks are marked as given back and stay, so that no name is
     * taken twice: all numbers below this are over. */
    unsigned next;
};

enum { CK_LEASE_NAME_MAX = 96 };

struct ck_lease_ops {
    /* Make the thing of that name; *ret_ours tells whether it was not there. When nobody knows:
     * not ours. At most `left_ms`. */
    int (*take)(void *arg, const char *name, int64_t left_ms, bool *ret_ours, struct ck_err *err);
    void (*drop)(void *arg, const char *name);
    /* Asked while another holds it: 0 to go on waiting, negative to give up with that error. */
    int (*moved)(void *arg, struct ck_err *err);
};

/* Take the lock on one version ("" for "absent") of one key of a container. While another holds it
 * `moved` is asked, after pauses that begin with the time that asking takes and grow: its answer is
 * most likely to end the wait. TIMEOUT after the context's deadline. */
int ck_lease_take(struct ck_vfs *v, const char *key, const char *version,
                  const struct ck_lease_ops *ops, void *arg, struct ck_lease *l,
                  struct ck_err *err);
/* Milliseconds for which the lock is still certainly ours. */
int64_t ck_lease_left(const struct ck_lease *l);
/* The name of number n. */
const char *ck_lease_name(const struct ck_lease *l, unsigned n, char out[CK_LEASE_NAME_MAX]);
/* Remove it, with those that dead writers left. */
void ck_lease_drop(const struct ck_lease_ops *ops, void *arg, struct ck_lease *l);
