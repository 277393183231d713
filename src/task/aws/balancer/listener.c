/* A listener of a network load balancer. kOps awstasks/networkloadbalancerlistener.go. */
#include "task/aws/find.h"

#include <stdlib.h>

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

static int list(struct ck_aws_read *w, const char *balancer, const struct ck_val **ret,
                struct ck_err *err)
{
    const struct ck_val *reply;
    int r = CK_AWS_QUERY(w, "elbv2", "DescribeListeners", &reply, err, "LoadBalancerArn", balancer);
    *ret = r ? NULL : ck_aws_items(w, reply, "Listeners");
    return r;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *listeners;
    const char *balancer = ck_aws_ref_id(w, t, "NetworkLoadBalancer");
    if (!balancer)
        return 0;
    int r = list(w, balancer, &listeners, err);
    for (size_t i = 0; i < ck_len(listeners); i++) {
        const struct ck_val *v = ck_item(listeners, i);
        if (atoll(ck_str_at(v, "Port")) != ck_task_get_int(t, "Port", 0))
            continue;
        struct ck_task *actual = *ret = ck_aws_actual(w, t);
        const struct ck_val *action = ck_item(ck_aws_items(w, v, "DefaultActions"), 0);
        const struct ck_val *certificate = ck_item(ck_aws_items(w, v, "Certificates"), 0);
        ck_aws_take_ref(w, actual, t, "NetworkLoadBalancer", balancer);
        ck_aws_take(actual, "Port", v, "Port");
        /* AWS tells a policy of listeners without TLS, too. */
        if (certificate)
            ck_aws_take(actual, "SSLPolicy", v, "SslPolicy");
        ck_aws_take(actual, "SSLCertificateID", certificate, "CertificateArn");
        ck_aws_take_ref(w, actual, t, "TargetGroup", ck_str_at(action, "TargetGroupArn"));
    }
    return r;
}

static bool is_wanted(const struct ck_tasks *wanted, const struct ck_task *balancer, int64_t port)
{
    size_t at = 0;
    for (const struct ck_task *t; (t = ck_aws_next(wanted, &ck_aws_listener, &at));)
        if (ck_task_get_ref(t, "NetworkLoadBalancer") == balancer &&
            ck_task_get_int(t, "Port", 0) == port)
            return true;
    return false;
}

static void look(struct ck_aws_read *w, const struct ck_tasks *wanted,
                 const struct ck_task *balancer, const struct ck_val *item, struct ck_extras *ret)
{
    const char *port = ck_str_at(item, "Port");
    if (!is_wanted(wanted, balancer, atoll(port)))
        ck_extras_add(ret, &ck_aws_listener, ck_arena_printf(w->a, "%s-%s", balancer->name, port),
                      ck_str_at(item, "ListenerArn"), false);
}

/* Listeners of the cluster's balancers for ports nobody wants. */
static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_children c = {&ck_aws_network_balancer, list, look};
    return ck_aws_child_extras(world, wanted, &c, ret, err);
}

const struct ck_task_kind ck_aws_listener = {
    .name = "NetworkLoadBalancerListener",
    .fields = fields,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
