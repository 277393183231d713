/* Reading several stores at once. A store that cannot be read is a result, not the end. kOps knows
 * one store at a time. */
#pragma once

#include "ops/storetools/copy.h"
#include "store/store.h"

enum { CK_MANY_STORES = 64 };

/* One cluster of the store number `i`, or the reason why it cannot be read; in the store's order,
 * from a thread of that store's own. `s` is open for further reads. */
typedef int (*ck_many_fn)(void *arg, size_t i, const struct ck_store *s, const char *dir_name,
                          const struct ck_stored *cluster, struct ck_err *item_err);

struct ck_many_opts {
    const struct ck_copy_end *ends; /* each with an environment of its own */
    size_t n;
    const struct ck_feature_flags *features;
    bool lenient;
    void (*warn)(void *arg, const char *text); /* from any of the threads */
    ck_many_fn fn;
    void *arg;
};

/* errs[i] becomes the reason why store i could not be read, or stays empty. Errors: INVALID: more
 * than CK_MANY_STORES; INTERNAL: no threads. */
int ck_many_clusters(const struct ck_many_opts *o, struct ck_err *errs, struct ck_err *err);
