/* A classic load balancer that the user brought: only ever referred to. kOps
 * awstasks/classic_load_balancer.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_STR("LoadBalancerName"),
    CK_F_BOOL("Shared"),
    CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_tf_quote(tf, ck_task_get_str(t, "LoadBalancerName"));
}

const struct ck_task_kind ck_aws_classic_balancer = {
    .name = "ClassicLoadBalancer",
    .fields = fields,
    .id_is_name = true,
    .link = link,
};
