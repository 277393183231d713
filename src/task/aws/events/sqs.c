/* The queue of the node termination handler. kOps awstasks/sqs.go. */
#include "doc/json.h"
#include "doc/xml.h"
#include "task/aws/find.h"

#include <string.h>

static const struct ck_task_field fields[] = {
    CK_F_STR("URL"),      CK_F_STR("ARN"),  CK_F_INT("MessageRetentionPeriod"),
    CK_F_BYTES("Policy"), CK_F_MAP("Tags"), CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_tf_link(tf, "aws_sqs_queue", t->name, "arn");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_sqs_queue", t->name);
    ck_tf_str(b, "name", t->name);
    ck_tf_field(b, "message_retention_seconds", t, "MessageRetentionPeriod");
    ck_tf_file(b, "policy", t->name, "policy", ck_task_get_bytes(t, "Policy"));
    ck_tf_field(b, "tags", t, "Tags");
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *url, *reply, *tags;
    int r = CK_AWS_QUERY(w, "sqs", "GetQueueUrl", &url, err, "QueueName", t->name);
    if (r)
        return r == -CK_NOT_FOUND ? (ck_err_done(err), 0) : r;
    const char *queue = ck_str_at(url, "QueueUrl");
    r = CK_AWS_QUERY(w, "sqs", "GetQueueAttributes", &reply, err, "QueueUrl", queue,
                     "AttributeName.1", "All");
    if (!r)
        r = CK_AWS_QUERY(w, "sqs", "ListQueueTags", &tags, err, "QueueUrl", queue);
    if (r)
        return r;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    const struct ck_val *list = ck_xml_list(w->a, reply, "Attribute");
    for (size_t i = 0; i < ck_len(list); i++) {
        const struct ck_val *at = ck_item(list, i);
        if (ck_is_str(ck_get(at, "Name"), "QueueArn"))
            ck_aws_found(w, t, ck_str_at(at, "Value"));
        if (ck_is_str(ck_get(at, "Name"), "MessageRetentionPeriod"))
            ck_aws_take(actual, "MessageRetentionPeriod", at, "Value");
        if (ck_is_str(ck_get(at, "Name"), "Policy"))
            ck_task_bytes(actual, "Policy",
                          ck_aws_same_json(w, t, "Policy", ck_str_at(at, "Value")));
    }
    ck_task_str(actual, "URL", queue);
    ck_aws_take_tags(w, actual, ck_xml_list(w->a, tags, "Tag"));
    return 0;
}

static int is_owned(struct ck_aws_read *w, const char *url, bool *ret, struct ck_err *err)
{
    const struct ck_val *tags;
    int r = CK_AWS_QUERY(w, "sqs", "ListQueueTags", &tags, err, "QueueUrl", url);
    *ret = !r && ck_aws_owned(w, ck_aws_tag_map(w, ck_xml_list(w->a, tags, "Tag")));
    return r;
}

/* Queues whose name begins with the cluster's. */
static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    enum { NAME_MAX_KEPT = 60 }; /* longer cluster names are cut in names of queues */
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    char *prefix = ck_arena_strndup(w->a, w->cluster, strnlen(w->cluster, NAME_MAX_KEPT));
    for (char *p = prefix; *p; p++)
        *p = *p == '.' ? '-' : *p;
    int r = CK_AWS_QUERY(w, "sqs", "ListQueues", &reply, err, "QueueNamePrefix", prefix);
    const struct ck_val *list = r ? NULL : ck_xml_list(w->a, reply, "QueueUrl");
    for (size_t i = 0; i < ck_len(list) && !r; i++) {
        const char *url = ck_str_or(ck_item(list, i), ""), *slash = strrchr(url, '/');
        const char *name = slash ? slash + 1 : url;
        bool owned = false;
        if (!ck_tasks_find(wanted, &ck_aws_sqs, name))
            r = is_owned(w, url, &owned, err);
        if (owned)
            ck_extras_add(ret, &ck_aws_sqs, name, NULL, false);
    }
    return r;
}

const struct ck_task_kind ck_aws_sqs = {
    .name = "SQS",
    .fields = fields,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
