/* Which events go to the queue. kOps awstasks/eventbridgerule.go. */
#include "doc/json.h"
#include "doc/xml.h"
#include "task/aws/find.h"

static const struct ck_task_field fields[] = {
    CK_F_ID, CK_F_STR("EventPattern"), CK_F_REF("SQSQueue"), CK_F_MAP("Tags"), CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_tf_link(tf, "aws_cloudwatch_event_rule", t->name, "id");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_cloudwatch_event_rule", t->name);
    ck_tf_str(b, "name", t->name);
    ck_tf_file(b, "event_pattern", t->name, "event_pattern",
               ck_slice_of(ck_task_get_str(t, "EventPattern")));
    ck_tf_field(b, "tags", t, "Tags");
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    CK_AUTOBUF struct ck_buf body = CK_BUF_INIT;
    const struct ck_val *v, *tags;
    ck_buf_puts(&body, "{\"Name\":");
    ck_json_string(&body, ck_slice_of(t->name), false);
    ck_buf_putc(&body, '}');
    int r = ck_aws_json(w, "events", "DescribeRule", ck_buf_str(&body), &v, err);
    if (r)
        return r == -CK_NOT_FOUND ? (ck_err_done(err), 0) : r;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    const char *arn = ck_str_at(v, "Arn");
    ck_aws_found(w, t, t->name);
    struct ck_slice pattern =
        ck_aws_same_json_text(w, ck_task_get_str(t, "EventPattern"), ck_str_at(v, "EventPattern"));
    ck_task_str(actual, "EventPattern", ck_arena_strndup(w->a, pattern.ptr, pattern.len));
    const struct ck_task *queue = ck_task_get_ref(t, "SQSQueue");
    if (queue)
        ck_task_ref(actual, "SQSQueue", queue->kind, queue->name);
    ck_buf_reset(&body);
    ck_buf_puts(&body, "{\"ResourceARN\":");
    ck_json_string(&body, ck_slice_of(arn), false);
    ck_buf_putc(&body, '}');
    r = ck_aws_json(w, "events", "ListTagsForResource", ck_buf_str(&body), &tags, err);
    if (!r)
        ck_aws_take_tags(w, actual, ck_get(tags, "Tags"));
    return r;
}

const struct ck_task_kind ck_aws_event_rule = {
    .name = "EventBridgeRule",
    .fields = fields,
    .id_is_name = true,
    .link = link,
    .terraform = terraform,
    .find = find,
};
