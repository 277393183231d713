/* From a model to tasks: which builders run for which cloud. */
#include "model/build.h"

#include "model/addons.h"
#include "model/aws/builders.h"
#include "model/nodeup.h"

#include <string.h>

/* Order: what a builder looks up in the set must have been added. */
static int (*const AWS_BUILDERS[])(struct ck_model *m, struct ck_err *err) = {
    ck_aws_build_network,      ck_aws_build_firewall,
    ck_aws_build_api_balancer, ck_aws_build_bastion,
    ck_aws_build_dns,          ck_aws_build_iam,
    ck_aws_build_oidc,         ck_aws_build_ssh_key,
    ck_aws_build_volumes,      ck_aws_build_termination_queue,
    ck_aws_build_groups,       ck_model_managed_files,
    ck_model_addons,
};

int ck_model_build(struct ck_model *m, struct ck_err *err)
{
    if (strcmp(m->cloud, "aws"))
        return ck_fail(err, CK_UNSUPPORTED,
                       "update cluster is offered for AWS only so far; cluster \"%s\" is on %s",
                       m->name, m->cloud);
    for (size_t i = 0; i < sizeof AWS_BUILDERS / sizeof *AWS_BUILDERS; i++) {
        int r = AWS_BUILDERS[i](m, err);
        if (r)
            return r;
    }
    return 0;
}
