/* The queue as target of an event rule. kOps awstasks/eventbridgetarget.go. */
#include "doc/json.h"
#include "doc/xml.h"
#include "task/aws/find.h"

#include <string.h>

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

static int targets_of(struct ck_aws_read *w, const char *rule, const struct ck_val **ret,
                      struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf body = CK_BUF_INIT;
    const struct ck_val *v;
    ck_buf_puts(&body, "{\"Rule\":");
    ck_json_string(&body, ck_slice_of(rule), false);
    ck_buf_putc(&body, '}');
    int r = ck_aws_json(w, "events", "ListTargetsByRule", ck_buf_str(&body), &v, err);
    *ret = r ? NULL : ck_get(v, "Targets");
    return r == -CK_NOT_FOUND ? (ck_err_done(err), 0) : r;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *list;
    const struct ck_task *rule = ck_task_get_ref(t, "Rule");
    const char *queue = ck_aws_ref_id(w, t, "SQSQueue");
    if (!rule || !ck_aws_id(w, rule) || !queue)
        return 0;
    int r = targets_of(w, rule->name, &list, err);
    for (size_t i = 0; i < ck_len(list); i++) {
        if (!ck_is_str(ck_get(ck_item(list, i), "Arn"), queue))
            continue;
        *ret = ck_aws_actual(w, t);
        ck_aws_take_ref(w, *ret, t, "SQSQueue", queue);
        ck_aws_take_ref(w, *ret, t, "Rule", rule->name);
    }
    return r;
}

static bool is_wanted(struct ck_aws_read *w, const struct ck_tasks *wanted,
                      const struct ck_task *rule, const char *arn)
{
    size_t at = 0;
    for (const struct ck_task *t; (t = ck_aws_next(wanted, &ck_aws_event_target, &at));) {
        const char *queue = ck_aws_ref_id(w, t, "SQSQueue");
        if (ck_task_get_ref(t, "Rule") == rule && queue && !strcmp(queue, arn))
            return true;
    }
    return false;
}

static void look(struct ck_aws_read *w, const struct ck_tasks *wanted, const struct ck_task *rule,
                 const struct ck_val *item, struct ck_extras *ret)
{
    const char *arn = ck_str_at(item, "Arn");
    if (!is_wanted(w, wanted, rule, arn))
        ck_extras_add(ret, &ck_aws_event_target, rule->name, arn, false);
}

/* Other targets of the cluster's rules. */
static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_children c = {&ck_aws_event_rule, targets_of, look};
    return ck_aws_child_extras(world, wanted, &c, ret, err);
}

const struct ck_task_kind ck_aws_event_target = {
    .name = "EventBridgeTarget",
    .fields = fields,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
