/* A listener of a network load balancer. kOps awstasks/networkloadbalancerlistener.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_REF("NetworkLoadBalancer"), CK_F_INT("Port"),      CK_F_REF("TargetGroup"),
    CK_F_STR("SSLCertificateID"),    CK_F_STR("SSLPolicy"), CK_F_END,
};

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_lb_listener", t->name);
    const char *certificate = ck_task_get_str(t, "SSLCertificateID");
    ck_tf_ref(b, "load_balancer_arn", t, "NetworkLoadBalancer");
    ck_tf_field(b, "port", t, "Port");
    ck_tf_str(b, "protocol", *certificate ? "TLS" : "TCP");
    if (*certificate) {
        const char *policy = ck_task_get_str(t, "SSLPolicy");
        ck_tf_str(b, "certificate_arn", certificate);
        ck_tf_str(b, "ssl_policy", *policy ? policy : NULL);
    }
    struct ck_tf_block *action = ck_tf_nested(b, "default_action");
    ck_tf_str(action, "type", "forward");
    ck_tf_ref(action, "target_group_arn", t, "TargetGroup");
    return 0;
}

const struct ck_task_kind ck_aws_listener = {
    .name = "NetworkLoadBalancerListener",
    .fields = fields,
    .terraform = terraform,
};
