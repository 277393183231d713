/* Tags of balancers and target groups, which take a call of their own. */
#include "task/aws/find.h"

enum { MAX_ARNS = 20 }; /* in one call */

int ck_aws_take_elb_tags(struct ck_aws_read *w, struct ck_task *actual, const char *arn,
                         struct ck_err *err)
{
    const struct ck_val *reply;
    int r = CK_AWS_QUERY(w, "elbv2", "DescribeTags", &reply, err, "ResourceArns.member.1", arn);
    if (r)
        return r;
    const struct ck_val *one = ck_item(ck_aws_items(w, reply, "TagDescriptions"), 0);
    ck_aws_take_tags(w, actual, ck_get(one, "Tags"));
    return 0;
}

/* A search for what is left over of one kind. */
struct search {
    struct ck_aws_read *w;
    const struct ck_tasks *wanted;
    const struct ck_task_kind *kind;
    const struct ck_aws_elb_list *l;
    struct ck_extras *ret;
};

static void look(const struct search *s, const struct ck_val *item, const struct ck_val *tags)
{
    const struct ck_aws_elb_list *l = s->l;
    const char *name = l->name_key ? ck_str_at(item, l->name_key) : ck_str_at(tags, "Name");
    if (!ck_tasks_find(s->wanted, s->kind, name))
        ck_extras_add(s->ret, s->kind, name, ck_str_at(item, l->arn_key), false);
}

/* One call's worth of items. */
static int some(const struct search *s, const struct ck_val *items, size_t from, struct ck_err *err)
{
    const char *params[2 * MAX_ARNS + 1] = {0}, *arn_key = s->l->arn_key;
    struct ck_aws_read *w = s->w;
    const struct ck_val *reply;
    size_t n = 0;
    for (size_t i = from; i < ck_len(items) && n < MAX_ARNS; i++, n++) {
        params[2 * n] = ck_arena_printf(w->a, "ResourceArns.member.%zu", n + 1);
        params[2 * n + 1] = ck_str_at(ck_item(items, i), arn_key);
    }
    int r = ck_aws_query(w, "elbv2", "DescribeTags", params, &reply, err);
    const struct ck_val *list = r ? NULL : ck_aws_items(w, reply, "TagDescriptions");
    for (size_t i = 0; i < ck_len(list); i++) {
        const char *arn = ck_str_at(ck_item(list, i), "ResourceArn");
        const struct ck_val *tags = ck_aws_tag_map(w, ck_get(ck_item(list, i), "Tags"));
        for (size_t k = from; ck_aws_owned(w, tags) && k < from + n; k++)
            if (ck_is_str(ck_get(ck_item(items, k), arn_key), arn))
                look(s, ck_item(items, k), tags);
    }
    return r;
}

int ck_aws_elb_extras(struct ck_aws_read *w, const struct ck_tasks *wanted,
                      const struct ck_task_kind *kind, const struct ck_aws_elb_list *l,
                      struct ck_extras *ret, struct ck_err *err)
{
    const struct search s = {w, wanted, kind, l, ret};
    const struct ck_val *reply;
    int r = ck_aws_query(w, "elbv2", l->action, NULL, &reply, err);
    const struct ck_val *items = r ? NULL : ck_aws_items(w, reply, l->set);
    for (size_t i = 0; i < ck_len(items) && !r; i += MAX_ARNS)
        r = some(&s, items, i, err);
    return r;
}
