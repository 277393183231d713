/* IAM policy documents. Internal to model/aws/.
 *
 * A policy is explicit statements in the order added, then four sets of actions with a statement
 * each. Source: shared facts update-cluster-aws.md §10; kOps pkg/model/iam/iam_builder.go. */
#pragma once

#include "model/model.h"

enum ck_policy_set {
    CK_POLICY_ANY,    /* on everything */
    CK_POLICY_TAGGED, /* on what carries the cluster's tag */
    CK_POLICY_CREATE, /* when the request tags with the cluster's tag */
    CK_POLICY_KMS,    /* through EC2 and S3 only */
    _CK_POLICY_SETS
};

struct ck_policy {
    const struct ck_model *m;
    struct ck_val *statements;
    struct ck_val *sets[_CK_POLICY_SETS]; /* action → null */
};

void ck_policy_init(struct ck_policy *p, const struct ck_model *m);
void ck_policy_allow(struct ck_policy *p, enum ck_policy_set set, const char *const *actions,
                     size_t n);
#define CK_POLICY_ALLOW(p, set, ...)                                                               \
    ck_policy_allow((p), (set), (const char *const[]){__VA_ARGS__},                                \
                    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
/* An Allow statement; lists and strings are written as given. `condition` may be NULL. */
void ck_policy_statement(struct ck_policy *p, struct ck_val *action, struct ck_val *condition,
                         struct ck_val *resource);
/* "arn:PARTITION:rest" */
const char *ck_policy_arn(const struct ck_model *m, const char *fmt, ...) CK_PRINTF(2, 3);
struct ck_val *ck_policy_list(const struct ck_model *m, const char *const *items, size_t n);
#define CK_POLICY_LIST(m, ...)                                                                     \
    ck_policy_list((m), (const char *const[]){__VA_ARGS__},                                        \
                   sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
/* {operator: {key: value}}, added to `condition` (NULL makes one). */
struct ck_val *ck_policy_when(const struct ck_model *m, struct ck_val *condition,
                              const char *operator_, const char *key, struct ck_val *value);
/* The document's text; empty when the policy allows nothing. */
struct ck_slice ck_policy_text(struct ck_policy *p);

/* ---- controllers.c: what each controller in the cluster needs ---- */
void ck_policy_dns_controller(struct ck_policy *p);
void ck_policy_external_dns(struct ck_policy *p);
void ck_policy_ebs_csi(struct ck_policy *p);
void ck_policy_cloud_controller(struct ck_policy *p);
void ck_policy_balancer_controller(struct ck_policy *p);
void ck_policy_cluster_autoscaler(struct ck_policy *p);
void ck_policy_termination_handler(struct ck_policy *p);
void ck_policy_karpenter(struct ck_policy *p);

/* ---- policy_roles.c ---- */
/* The inline policy of a group role; empty for bastions. */
int ck_policy_of_role(const struct ck_model *m, enum ck_role role, struct ck_slice *ret,
                      struct ck_err *err);
/* The statements about stores of a role that reads them; `backups`: it also keeps etcd's. Of `m`
 * only a, spec, name and partition are looked at. */
const struct ck_val *ck_policy_of_stores(const struct ck_model *m, bool backups);
/* A user's JSON list of statements as a document. INVALID with the reason. */
int ck_policy_of_statements(const struct ck_model *m, const char *json, struct ck_slice *ret,
                            struct ck_err *err);
