/* Inside of the validator: the state of one check, paths with positions, and the error forms of
 * Kubernetes' field package. Not for use outside this folder. */
#pragma once

#include "base/attr.h"
#include "spec/kubeversion.h"
#include "spec/validate.h"

struct ck_chk {
    const struct ck_validate_ctx *ctx;
    struct ck_arena *a;
    struct ck_field_errs *errs;
    const struct ck_object *obj;  /* the object whose file and positions are told */
    const struct ck_val *spec;    /* the cluster's spec, v1alpha2 form; NULL without a cluster */
    const struct ck_object *clus; /* NULL without a cluster */
    const char *cloud;            /* "aws", … of the cluster; "" when none is set */
    struct ck_semver ver;         /* of the cluster's spec.kubernetesVersion */
    bool ipv6, none_dns, strict;
};

/* A field: kOps' internal path, its value (NULL when absent), and the value whose position to tell.
 */
struct ck_fld {
    const char *path;
    const struct ck_val *v;
    const struct ck_val *near;
};

struct ck_chk ck_chk_of(const struct ck_validate_ctx *ctx, const struct ck_object *obj,
                        const struct ck_object *cluster, struct ck_field_errs *errs);

/* ---- fields ---- */
struct ck_fld ck_fld_root(struct ck_chk *c, const char *path, const struct ck_val *v);
/* The field under v1alpha2 key `key` (a dotted path is followed), called `name` in kOps' message;
 * name NULL means the same. */
struct ck_fld ck_fld_at(struct ck_chk *c, struct ck_fld f, const char *key, const char *name);
struct ck_fld ck_fld_item(struct ck_chk *c, struct ck_fld f, size_t i);
struct ck_fld ck_fld_key(struct ck_chk *c, struct ck_fld f, const char *key); /* path[key] */
/* The same value under a wholly different path (kOps has some oddly spelled ones). */
struct ck_fld ck_fld_named(struct ck_fld f, const char *path);
const char *ck_fld_str(struct ck_fld f); /* "" when absent */
bool ck_fld_is(struct ck_fld f, const char *s);
bool ck_fld_true(struct ck_fld f);  /* present and true */
bool ck_fld_false(struct ck_fld f); /* present and false */
bool ck_fld_set(struct ck_fld f);   /* present, not null, and not "" */
const char *ck_spec_str(const struct ck_chk *c, const char *path); /* of the cluster's spec */
/* Whether spec.certManager.enabled, and iam.useServiceAccountExternalPermissions. */
bool ck_chk_cert_manager(const struct ck_chk *c);
bool ck_chk_irsa(const struct ck_chk *c);
bool ck_chk_is_cloud(const struct ck_chk *c, const char *cloud);

/* ---- errors, in the forms of apimachinery's field.Error ---- */
void ck_chk_required(struct ck_chk *c, struct ck_fld f, const char *detail);
void ck_chk_forbidden(struct ck_chk *c, struct ck_fld f, const char *fmt, ...) CK_PRINTF(3, 4);
void ck_chk_invalid(struct ck_chk *c, struct ck_fld f, const char *fmt, ...) CK_PRINTF(3, 4);
/* With a value that is not the field's own: shown as a quoted string. */
void ck_chk_invalid_str(struct ck_chk *c, struct ck_fld f, const char *value, const char *fmt, ...)
    CK_PRINTF(4, 5);
void ck_chk_invalid_int(struct ck_chk *c, struct ck_fld f, int64_t value, const char *detail);
void ck_chk_duplicate(struct ck_chk *c, struct ck_fld f, const char *value);
void ck_chk_not_found(struct ck_chk *c, struct ck_fld f, const char *value);
void ck_chk_too_many(struct ck_chk *c, struct ck_fld f, int have, int max);
void ck_chk_unsupported(struct ck_chk *c, struct ck_fld f, const char *value,
                        const char *const *supported);
/* kOps' IsValidValue: `supported` is NULL-terminated. ck_chk_one_of skips an absent field;
 * ck_chk_one_of_set also skips ""; ck_chk_must_be_of takes an absent field as "". */
void ck_chk_one_of(struct ck_chk *c, struct ck_fld f, const char *const *supported);
void ck_chk_one_of_set(struct ck_chk *c, struct ck_fld f, const char *const *supported);
void ck_chk_must_be_of(struct ck_chk *c, struct ck_fld f, const char *const *supported);

#define CK_ONE_OF(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- networks (validate/netcheck.c) ---- */
struct ck_ipnet;
/* kOps' parseCIDR: false when it is no CIDR; host bits are an error but give the network. */
bool ck_chk_cidr(struct ck_chk *c, struct ck_fld f, struct ck_ipnet *ret);

/* ---- shared rule sets ---- */
void ck_chk_spec(struct ck_chk *c);                        /* cluster.c: everything below spec */
void ck_chk_kubedns(struct ck_chk *c, struct ck_fld spec); /* legacy.c: 2–24 */
void ck_chk_legacy(struct ck_chk *c, struct ck_fld spec);
void ck_chk_components(struct ck_chk *c, struct ck_fld spec); /* component.c: 41–55 */
void ck_chk_kubelets(struct ck_chk *c, struct ck_fld spec);   /* kubelet.c: 56–70 */
void ck_chk_network(struct ck_chk *c, struct ck_fld spec);    /* network.c: 71–95 */
void ck_chk_cni(struct ck_chk *c, struct ck_fld spec);        /* cni.c: 96–120 */
void ck_chk_calico(struct ck_chk *c, struct ck_fld f);        /* calico.c */
void ck_chk_cilium(struct ck_chk *c, struct ck_fld f);        /* cilium.c */
void ck_chk_addons(struct ck_chk *c, struct ck_fld spec);     /* addon.c: 121–129 */
void ck_chk_etcd(struct ck_chk *c, struct ck_fld spec);       /* etcd.c: 130–137 */
void ck_chk_runtime(struct ck_chk *c, struct ck_fld spec);    /* runtime.c: 138–149 */
void ck_chk_iam(struct ck_chk *c, struct ck_fld spec);        /* addon.c: 150–159 */
void ck_chk_aws_addons(struct ck_chk *c, struct ck_fld spec); /* 154–159 */
void ck_chk_cloud(struct ck_chk *c, struct ck_fld spec);      /* cloud.c: 160–171 */
void ck_chk_hooks(struct ck_chk *c, struct ck_fld hooks, bool in_group);
void ck_chk_file_assets(struct ck_chk *c, struct ck_fld assets);
void ck_chk_sysctls(struct ck_chk *c, struct ck_fld sysctls);
void ck_chk_rolling_update(struct ck_chk *c, struct ck_fld f, bool control_plane);
void ck_chk_warm_pool(struct ck_chk *c, struct ck_fld f);
void ck_chk_containerd(struct ck_chk *c, struct ck_fld f, bool in_cluster);
void ck_chk_cloud_labels(struct ck_chk *c, struct ck_fld labels, const char *skip);
void ck_chk_etcd_update(struct ck_chk *c, struct ck_fld now, const struct ck_val *old);

/* ---- small facts ---- */
/* An AWS resource name's resource part ("policy/x"), or NULL with *ret_why set. */
const char *ck_arn_resource(const char *arn, const char **ret_why);
extern const char *const ck_role_names[]; /* internal names, kOps' order, NULL-terminated */
/* The internal spelling of an instance group role (Master → ControlPlane). */
const char *ck_role_internal(const char *role);
/* Keys of a map in bytewise order (kOps walks Go maps in any order; ours is fixed). */
const char **ck_sorted_keys(struct ck_arena *a, const struct ck_val *map);
