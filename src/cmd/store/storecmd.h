/* The rows of `ckops store …`, and what several of them need. */
#pragma once

#include "cmd/cmd.h"
#include "ops/storetools/copy.h"

extern const struct ck_cmd ck_cmd_store_copy;
extern const struct ck_cmd ck_cmd_store_doctor;
extern const struct ck_cmd ck_cmd_store_fsck;
extern const struct ck_cmd ck_cmd_store_migrate;
extern const struct ck_cmd ck_cmd_store_policy;
extern const struct ck_cmd ck_cmd_store_sync;

/* One of two stores that a command works on: the URL `text` cleaned, with the profile and the
 * authorities the configuration file has for it. `env` becomes the environment of that end and is
 * released with ck_env_done, also after an error. INVALID for an illegal URL and for a store in
 * memory that would end with the command. */
int ck_store_end(struct ck_ctx *ctx, const char *text, struct ck_env *env, struct ck_copy_end *ret,
                 struct ck_err *err);

/* ---- progress.c ---- */
struct ck_store_progress {
    bool terminal;        /* standard error is one */
    int64_t last_line_ms; /* kept by the function */
};
/* One line on standard error, rewritten on a terminal, else every five seconds. */
void ck_store_progress(struct ck_store_progress *p, const struct ck_copy_stats *s);
void ck_store_bytes(struct ck_buf *b, uint64_t n); /* "3.0 MiB" */
