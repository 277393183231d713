/* What `create cluster` shares with `update cluster`: the word after --target, and the update that
 * follows the storing. */
#pragma once

#include "cmd/cmd.h"

/* An option's parse function: kOps' type of --target, one of direct, dryrun and terraform. */
int ck_target_parse(const char *text, void *value, struct ck_err *err);
/* `update cluster` of ctx->cluster_name with this target and folder ("": the usual one), and a
 * kubeconfig with an administrator's certificate as kOps writes after `create cluster`. */
int ck_update_after_create(struct ck_ctx *ctx, const char *target, const char *out,
                           struct ck_err *err);
