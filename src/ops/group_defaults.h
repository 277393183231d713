/* What a new instance group gets where nothing is said (kOps' populate_instancegroup_spec.go). */
#pragma once

#include "cloud/facts.h"
#include "spec/channel.h"
#include "spec/object.h"

/* Machine type for a role ("Master", "Node", "Bastion", …): from the facts, else the first
 * candidate; NULL where only the cloud knows. */
const char *ck_default_machine_type(const struct ck_facts *f, const char *cloud, const char *role,
                                    const char *arch);
/* Image for a cloud, architecture and Kubernetes version; NULL when nothing fits. */
const char *ck_default_image(const struct ck_channel *c, const char *cloud, const char *arch,
                             const struct ck_semver *kubernetes);
/* Subnets of a group that names none: those that are neither DualStack nor Utility, else all but
 * Utility. Errors: INVALID when there is none. */
int ck_default_subnets(struct ck_arena *a, const struct ck_val *cluster_spec,
                       struct ck_val *ig_spec, const char *name, struct ck_err *err);
/* Append to the list under `key`, making it when absent. */
void ck_append_to(struct ck_arena *a, struct ck_val *map, const char *key, const char *s);
