/* The user's configuration file and the text of the state store's URL. Internal to cmd/. */
#pragma once

#include "cmd/cmd.h"
#include "doc/val.h"

struct ck_config {
    const char *state;             /* kops_state_store; NULL when absent */
    const char *store_profile;     /* ckops_store_profile; NULL when absent */
    const struct ck_val *contexts; /* ckops_contexts: name → URL */
    const struct ck_val *stores;   /* ckops_stores: URL prefix → {profile, ca_bundle} */
};

/* Read --config, or the first that exists of ~/.kops.yaml and ~/.kops/config. A file that cannot be
 * read or parsed is a warning and leaves *ret empty (vfs.md §14.2). Strings live in ctx->arena. */
void ck_config_load(struct ck_ctx *ctx, struct ck_config *ret);

/* A setting of the store at `url` from ckops_stores, the longest matching prefix first; NULL. */
const char *ck_config_store_setting(const struct ck_config *c, const char *url, const char *key);

/* "@NAME" is the store that ckops_contexts gives this name; any other text stays. A folder of such
 * a name is "./@NAME". Errors: INVALID: there is no such name, or it does not name a URL; also
 * where the text comes from the configuration itself, so that names cannot lead to each other. */
int ck_config_context(struct ck_ctx *ctx, const struct ck_config *c, const char *text,
                      const char **ret, struct ck_err *err);

/* Normalise a store URL: trailing slashes after the authority go. Errors: INVALID when a known
 * scheme is followed by a single slash, which kops takes for a local folder (vfs.md §14.3). */
int ck_state_clean(struct ck_arena *a, const char *text, const char **ret, struct ck_err *err);

/* The cluster of kubectl's current context (KUBECONFIG, else ~/.kube/config), or "". Warnings of
 * kOps are logged; the find is announced on standard error. In ctx->arena. */
const char *ck_kube_current_cluster(struct ck_ctx *ctx);
