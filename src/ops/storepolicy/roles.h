/* Roles of clouds other than AWS. Internal to ops/storepolicy/. */
#pragma once

#include "ops/storepolicy/storepolicy.h"

/* Whether the store speaks S3, and so has S3's policies. */
bool ck_policy_is_s3(const struct ck_store *s);
/* A role of the store's own cloud: Cloud Storage, Azure, Kubernetes. UNSUPPORTED for others. */
int ck_policy_of_cloud(struct ck_arena *a, const struct ck_store *s, const struct ck_policy_opts *o,
                       const struct ck_val **ret, struct ck_err *err);
