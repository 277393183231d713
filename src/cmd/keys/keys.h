/* Shared by the commands of this folder. */
#pragma once

#include "cmd/commands.h"

#include "ops/keys/keypair.h"

/* Open the store and read the cluster; `run->arena` is the caller's. `prefix` goes in front of
 * errors about the cluster: `PREFIX: "NAME": `. */
int ck_keys_open(struct ck_ctx *ctx, const char *prefix, struct ck_stored *cluster,
                 struct ck_keypair_run *run, struct ck_err *err);
/* Read a file of the user, "-" for standard input; the caller wipes *out. */
int ck_keys_read_file(const char *path, size_t max, struct ck_buf *out, struct ck_err *err);

/* Completion: the names of keysets (and "all"), then the ids of the keys in the first. */
int ck_complete_keysets(struct ck_ctx *ctx, const void *opts, int argc, char **argv,
                        const char *prefix, struct ck_strv *ret, int *ret_directive,
                        struct ck_err *err);
int ck_complete_keyset_ids(struct ck_ctx *ctx, const void *opts, int argc, char **argv,
                           const char *prefix, struct ck_strv *ret, int *ret_directive,
                           struct ck_err *err);
int ck_complete_secrets(struct ck_ctx *ctx, const void *opts, int argc, char **argv,
                        const char *prefix, struct ck_strv *ret, int *ret_directive,
                        struct ck_err *err);
