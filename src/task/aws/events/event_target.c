/* The queue as target of an event rule. kOps awstasks/eventbridgetarget.go. */
#include "doc/json.h"
#include "doc/xml.h"
#include "task/aws/find.h"

static const struct ck_task_field fields[] = {
    CK_F_ID,
    CK_F_REF("Rule"),
    CK_F_REF("SQSQueue"),
    CK_F_END,
};

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_cloudwatch_event_target", t->name);
    ck_tf_ref(b, "rule", t, "Rule");
    ck_tf_ref(b, "arn", t, "SQSQueue");
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    CK_AUTOBUF struct ck_buf body = CK_BUF_INIT;
    const struct ck_val *v;
    const struct ck_task *rule = ck_task_get_ref(t, "Rule");
    const char *queue = ck_aws_ref_id(w, t, "SQSQueue");
    if (!rule || !ck_aws_id(w, rule) || !queue)
        return 0;
    ck_buf_puts(&body, "{\"Rule\":");
    ck_json_string(&body, ck_slice_of(rule->name), false);
    ck_buf_putc(&body, '}');
    int r = ck_aws_json(w, "events", "ListTargetsByRule", ck_buf_str(&body), &v, err);
    if (r)
        return r == -CK_NOT_FOUND ? (ck_err_done(err), 0) : r;
    const struct ck_val *list = ck_get(v, "Targets");
    for (size_t i = 0; i < ck_len(list); i++) {
        if (!ck_is_str(ck_get(ck_item(list, i), "Arn"), queue))
            continue;
        *ret = ck_aws_actual(w, t);
        ck_aws_take_ref(w, *ret, t, "SQSQueue", queue);
        ck_aws_take_ref(w, *ret, t, "Rule", rule->name);
    }
    return 0;
}

const struct ck_task_kind ck_aws_event_target = {
    .name = "EventBridgeTarget",
    .fields = fields,
    .terraform = terraform,
    .find = find,
};
