/* The kinds of tasks of AWS. One file each below task/aws/; fields and their order are those of
 * kOps' upup/pkg/fi/cloudup/awstasks, because previews print them. */
#pragma once

#include "task/task.h"
#include "task/tf.h"

/* network/ */
extern const struct ck_task_kind ck_aws_vpc, ck_aws_vpc_ipv6, ck_aws_vpc_cidr, ck_aws_dhcp_options,
    ck_aws_dhcp_association, ck_aws_internet_gateway, ck_aws_egress_gateway, ck_aws_subnet,
    ck_aws_route_table, ck_aws_route, ck_aws_route_table_association, ck_aws_elastic_ip,
    ck_aws_nat_gateway, ck_aws_instance;
/* security/ */
extern const struct ck_task_kind ck_aws_security_group, ck_aws_security_group_rule, ck_aws_ssh_key;
/* balancer/ */
extern const struct ck_task_kind ck_aws_network_balancer, ck_aws_listener, ck_aws_target_group,
    ck_aws_classic_balancer, ck_aws_dns_zone, ck_aws_dns_name;
/* iam/ */
extern const struct ck_task_kind ck_aws_iam_role, ck_aws_iam_role_policy, ck_aws_instance_profile,
    ck_aws_instance_profile_role, ck_aws_oidc_provider;
/* compute/ */
extern const struct ck_task_kind ck_aws_ebs_volume, ck_aws_launch_template,
    ck_aws_autoscaling_group, ck_aws_warm_pool, ck_aws_lifecycle_hook;
/* events/ */
extern const struct ck_task_kind ck_aws_sqs, ck_aws_event_rule, ck_aws_event_target;

extern const struct ck_task_kind *const ck_aws_kinds[]; /* ended by NULL */

/* Whether the user brought the object: the field Shared. */
static inline bool ck_aws_shared(const struct ck_task *t)
{
    return ck_task_get_bool(t, "Shared", false);
}

/* How Terraform names a shared object or one of ours: `"id"`, or TYPE.NAME.id. A shared one without
 * an id is kept in tf->unknown. */
static inline const char *ck_aws_link(struct ck_tf *tf, const struct ck_task *t, const char *type)
{
    if (ck_aws_shared(t) && !*ck_task_get_str(t, "ID"))
        tf->unknown = t;
    return ck_aws_shared(t) ? ck_tf_quote(tf, ck_task_get_str(t, "ID"))
                            : ck_tf_link(tf, type, t->name, "id");
}

/* Rows of field tables. */
#define CK_F_STR(n)                                                                                \
    {                                                                                              \
        n, CK_FIELD_STR, 0                                                                         \
    }
#define CK_F_INT(n)                                                                                \
    {                                                                                              \
        n, CK_FIELD_INT, 0                                                                         \
    }
#define CK_F_BOOL(n)                                                                               \
    {                                                                                              \
        n, CK_FIELD_BOOL, 0                                                                        \
    }
#define CK_F_STRS(n)                                                                               \
    {                                                                                              \
        n, CK_FIELD_STRS, 0                                                                        \
    }
#define CK_F_VAL(n)                                                                                \
    {                                                                                              \
        n, CK_FIELD_VAL, 0                                                                         \
    }
#define CK_F_SET(n)                                                                                \
    {                                                                                              \
        n, CK_FIELD_STRS, CK_FIELD_SET                                                             \
    }
#define CK_F_MAP(n)                                                                                \
    {                                                                                              \
        n, CK_FIELD_MAP, 0                                                                         \
    }
#define CK_F_REF(n)                                                                                \
    {                                                                                              \
        n, CK_FIELD_REF, 0                                                                         \
    }
#define CK_F_REFS(n)                                                                               \
    {                                                                                              \
        n, CK_FIELD_REFS, CK_FIELD_SET                                                             \
    }
#define CK_F_BYTES(n)                                                                              \
    {                                                                                              \
        n, CK_FIELD_BYTES, CK_FIELD_HIDDEN                                                         \
    }
#define CK_F_END                                                                                   \
    {                                                                                              \
        0                                                                                          \
    }
/* Ours alone: the identity of shared objects, and what only Terraform wants to know. */
#define CK_F_ID                                                                                    \
    {                                                                                              \
        "ID", CK_FIELD_STR, 0                                                                      \
    }
#define CK_F_OURS(n, t)                                                                            \
    {                                                                                              \
        n, t, CK_FIELD_HIDDEN                                                                      \
    }
