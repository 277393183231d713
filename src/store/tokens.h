/* Tokens every cluster has among its secrets, though little reads them today: what `update cluster`
 * makes when they are missing.
 *
 * Source: shared facts statestore.md §7.1; kOps upup/pkg/fi/fitasks/secret.go. */
#pragma once

#include "store/secretset.h"

/* Their names, sorted; ended by NULL. */
extern const char *const ck_token_names[];

/* Names of the secrets in the store into *ret. With `make` missing tokens are written first, each
 * only when there is none; what another process makes meanwhile stays. */
int ck_tokens_load(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                   bool make, struct ck_strv *ret, struct ck_err *err);
