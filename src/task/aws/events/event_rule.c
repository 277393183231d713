/* Which events go to the queue. kOps awstasks/eventbridgerule.go. */
#include "doc/json.h"
#include "doc/xml.h"
#include "task/aws/find.h"

#include <string.h>

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

/* {"KEY":"text"} */
static const char *ask_for(struct ck_aws_read *w, const char *key, const char *text)
{
    CK_AUTOBUF struct ck_buf body = CK_BUF_INIT;
    ck_buf_fmt(&body, "{\"%s\":", key);
    ck_json_string(&body, ck_slice_of(text), false);
    ck_buf_putc(&body, '}');
    return ck_arena_strdup(w->a, ck_buf_str(&body));
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *v, *tags;
    int r = ck_aws_json(w, "events", "DescribeRule", ask_for(w, "Name", t->name), &v, err);
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
    r = ck_aws_json(w, "events", "ListTagsForResource", ask_for(w, "ResourceARN", arn), &tags, err);
    if (!r)
        ck_aws_take_tags(w, actual, ck_get(tags, "Tags"));
    return r;
}

/* Rules whose name begins with the cluster's. */
static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    enum { KEPT = 33 }; /* characters of longer cluster names in names of rules */
    struct ck_aws_read *w = world;
    const struct ck_val *v, *tags;
    const char *prefix = ck_arena_strndup(w->a, w->cluster, strnlen(w->cluster, KEPT));
    int r = ck_aws_json(w, "events", "ListRules", ask_for(w, "NamePrefix", prefix), &v, err);
    const struct ck_val *list = r ? NULL : ck_get(v, "Rules");
    for (size_t i = 0; i < ck_len(list) && !r; i++) {
        const char *name = ck_str_at(ck_item(list, i), "Name");
        const char *arn = ck_str_at(ck_item(list, i), "Arn");
        if (ck_tasks_find(wanted, &ck_aws_event_rule, name))
            continue;
        r = ck_aws_json(w, "events", "ListTagsForResource", ask_for(w, "ResourceARN", arn), &tags,
                        err);
        if (!r && ck_aws_owned(w, ck_aws_tag_map(w, ck_get(tags, "Tags"))))
            ck_extras_add(ret, &ck_aws_event_rule, name, NULL, false);
    }
    return r;
}

const struct ck_task_kind ck_aws_event_rule = {
    .name = "EventBridgeRule",
    .fields = fields,
    .id_is_name = true,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
