/* What the two kinds of gateways out of a VPC have in common. */
#pragma once

#include "task/aws/find.h"

struct ck_aws_gateway {
    const char *resource; /* Terraform's */
    const struct ck_task_kind *kind;
    struct ck_aws_ec2_list list;
};

#define CK_AWS_GATEWAY_FIELDS                                                                      \
    CK_F_ID, CK_F_REF("VPC"), CK_F_BOOL("Shared"), CK_F_MAP("Tags"), CK_F_END

int ck_aws_gateway_terraform(const struct ck_aws_gateway *g, struct ck_tf *tf,
                             const struct ck_task *t);
int ck_aws_gateway_find(const struct ck_aws_gateway *g, struct ck_aws_read *w,
                        const struct ck_task *t, struct ck_task **ret, struct ck_err *err);
