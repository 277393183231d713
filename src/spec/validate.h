/* kOps' validation rules (pkg/apis/kops/validation), offline.
 *
 * Messages and field paths are kOps'; positions are added when the object came from a file. */
#pragma once

#include "spec/object.h"

struct ck_feature_flags; /* spec/featureflag.h */

struct ck_field_err {
    const char *path;  /* kOps' internal path, "spec.networking.networkCIDR" */
    const char *text;  /* whole message: `spec.x: Invalid value: "y": reason` */
    struct ck_pos pos; /* line 0 when unknown */
    const char *file;  /* may be NULL */
};
struct ck_field_errs {
    struct ck_field_err *v;
    size_t n, cap;
    struct ck_arena *arena;
};

struct ck_validate_ctx {
    struct ck_arena *arena;
    const struct ck_feature_flags *features;
    bool strict; /* the second pass of kOps, over the completed spec */
    /* Whether the cloud knows etcd cluster `name` as running; NULL without a cloud, and then the
     * rules for running etcd clusters are not applied. */
    bool (*etcd_running)(void *arg, const char *name);
    void *etcd_arg;
    /* Apply also the rules kOps applies only where it has a cloud at hand, as far as they need no
     * look-up there (metadata options, credits, mixed instances, zones). For edit and update. */
    bool cloud_rules;
};

void ck_validate_cluster(const struct ck_validate_ctx *c, const struct ck_object *cluster,
                         struct ck_field_errs *ret);
void ck_validate_cluster_update(const struct ck_validate_ctx *c, const struct ck_object *now,
                                const struct ck_object *old, struct ck_field_errs *ret);
void ck_validate_instance_group(const struct ck_validate_ctx *c, const struct ck_object *ig,
                                struct ck_field_errs *ret);
/* The rules that need both (the second half of kOps' CrossValidateInstanceGroup; its first half is
 * ck_validate_instance_group, to be called before). */
void ck_cross_validate(const struct ck_validate_ctx *c, const struct ck_object *ig,
                       const struct ck_object *cluster, struct ck_field_errs *ret);
/* kOps' aggregate form: one message as is, several as "[a, b]" with equal ones once. Returns 0 when
 * there is none, else INVALID with that text. */
int ck_field_errs_fail(const struct ck_field_errs *e, struct ck_err *err);
