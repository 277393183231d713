/* What a store asks of every ckops that changes it: `.ckops/settings.yaml` in the store's root.
 *
 * kOps never looks there: it lists only files called `config`. Read by commands that change
 * something, once; reading a store needs nothing of it. */
#pragma once

#include "store/store.h"

/* Everything of ours that is no cluster lies below this folder of a store. */
#define CK_STORE_OWN_DIR ".ckops"

struct ck_store_settings {
    bool lock;                 /* commands that change a cluster take its lock first */
    bool journal;              /* every change is recorded */
    struct ck_version version; /* what was read; "" when there is no file */
};

/* A store without the file has the defaults: all false. Errors: INVALID for an unknown key or a
 * value that is no boolean (a newer version may mean something by it, so nothing is guessed), LIMIT
 * above 4 KiB, otherwise the store's; all name the file. */
int ck_store_settings_read(const struct ck_store *s, struct ck_store_settings *ret,
                           struct ck_err *err);
/* Write them, only while the file is as settings->version says; that becomes the new version.
 * CONFLICT: someone else has changed it since. */
int ck_store_settings_write(const struct ck_store *s, struct ck_store_settings *settings,
                            struct ck_err *err);
