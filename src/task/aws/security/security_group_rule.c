/* One rule of a security group. kOps awstasks/securitygrouprule.go. */
#include "task/aws/find.h"

#include <stdlib.h>
#include <string.h>

static const struct ck_task_field fields[] = {
    CK_F_ID,
    CK_F_REF("SecurityGroup"),
    CK_F_STR("CIDR"),
    CK_F_STR("IPv6CIDR"),
    CK_F_STR("PrefixList"),
    CK_F_STR("Protocol"),
    CK_F_INT("FromPort"),
    CK_F_INT("ToPort"),
    CK_F_REF("SourceGroup"),
    CK_F_BOOL("Egress"),
    CK_F_MAP("Tags"),
    CK_F_END,
};

enum { ALL_PORTS = 65535 };

static void list_of_one(struct ck_tf_block *b, const char *key, const struct ck_task *t,
                        const char *field)
{
    if (!ck_task_has(t, field))
        return;
    const char *one = ck_tf_quote(b->tf, ck_task_get_str(t, field));
    ck_tf_exprs(b, key, &one, 1);
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_security_group_rule", t->name);
    bool any = !ck_task_has(t, "Protocol");
    ck_tf_str(b, "type", ck_task_get_bool(t, "Egress", false) ? "egress" : "ingress");
    ck_tf_ref(b, "security_group_id", t, "SecurityGroup");
    ck_tf_ref(b, "source_security_group_id", t, "SourceGroup");
    ck_tf_str(b, "protocol", any ? "-1" : ck_task_get_str(t, "Protocol"));
    ck_tf_int(b, "from_port", any ? 0 : ck_task_get_int(t, "FromPort", 0));
    ck_tf_int(b, "to_port", any ? 0 : ck_task_get_int(t, "ToPort", ALL_PORTS));
    list_of_one(b, "cidr_blocks", t, "CIDR");
    list_of_one(b, "ipv6_cidr_blocks", t, "IPv6CIDR");
    list_of_one(b, "prefix_list_ids", t, "PrefixList");
    return 0;
}

static bool same_text(const struct ck_task *t, const char *field, const struct ck_val *v,
                      const char *key)
{
    return !strcmp(ck_task_get_str(t, field), ck_str_at(v, key));
}

/* "-1" and "all ports" are what a rule without protocol becomes. */
static bool same_rule(struct ck_aws_read *w, const struct ck_task *t, const struct ck_val *v)
{
    const char *protocol = ck_task_get_str(t, "Protocol"), *have = ck_str_at(v, "ipProtocol");
    const char *source = ck_aws_ref_id(w, t, "SourceGroup");
    bool any = !*protocol;
    if (ck_task_get_bool(t, "Egress", false) != !strcmp(ck_str_at(v, "isEgress"), "true"))
        return false;
    if (strcmp(any ? "-1" : protocol, have))
        return strcmp(protocol, "icmpv6") == 0 && strcmp(have, "58") == 0;
    if (!any && (atoll(ck_str_at(v, "fromPort")) != ck_task_get_int(t, "FromPort", 0) ||
                 atoll(ck_str_at(v, "toPort")) != ck_task_get_int(t, "ToPort", ALL_PORTS)))
        return false;
    return same_text(t, "CIDR", v, "cidrIpv4") && same_text(t, "IPv6CIDR", v, "cidrIpv6") &&
           same_text(t, "PrefixList", v, "prefixListId") &&
           !strcmp(source ? source : "", ck_str_at(v, "referencedGroupInfo.groupId"));
}

/* A rule has no life of its own: one that matches is the wanted one, but for its tags. */
static struct ck_task *record(struct ck_aws_read *w, const struct ck_task *t,
                              const struct ck_val *v)
{
    struct ck_task *actual = ck_aws_actual(w, t);
    for (size_t i = 0; fields[i].name; i++)
        actual->v[i] = t->v[i];
    ck_aws_take(actual, "ID", v, "securityGroupRuleId");
    if (ck_len(ck_aws_tag_map(w, ck_get(v, "tagSet"))))
        ck_aws_take_tags(w, actual, ck_get(v, "tagSet"));
    return actual;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    const char *group = ck_aws_ref_id(w, t, "SecurityGroup");
    int r = ck_aws_query(w, "ec2", "DescribeSecurityGroupRules", NULL, &reply, err);
    const struct ck_val *items = r ? NULL : ck_aws_items(w, reply, "securityGroupRuleSet");
    for (size_t i = 0; group && i < ck_len(items) && !*ret; i++)
        if (ck_is_str(ck_get(ck_item(items, i), "groupId"), group) &&
            same_rule(w, t, ck_item(items, i)))
            *ret = record(w, t, ck_item(items, i));
    return r;
}

/* "port=443", "port=3:4" (ICMP's type and code), "port=-1": of rules that let something in. */
static bool matches(const char *pattern, const struct ck_val *rule)
{
    char *end;
    if (!ck_str_starts(pattern, "port="))
        return false;
    long long from = strtoll(pattern + strlen("port="), &end, 10), to = from;
    if (*end == ':')
        to = strtoll(end + 1, NULL, 10);
    return !strcmp(ck_str_at(rule, "isEgress"), "false") &&
           atoll(ck_str_at(rule, "fromPort")) == from && atoll(ck_str_at(rule, "toPort")) == to;
}

static bool is_surplus(struct ck_aws_read *w, const struct ck_tasks *wanted,
                       const struct ck_task *group, const struct ck_val *rule)
{
    const struct ck_val *patterns = ck_task_get(group, "RemoveExtraRules");
    bool any = false;
    size_t at = 0;
    for (size_t i = 0; i < ck_len(patterns); i++)
        any = any || matches(ck_str_or(ck_item(patterns, i), ""), rule);
    for (const struct ck_task *t;
         any && (t = ck_aws_next(wanted, &ck_aws_security_group_rule, &at));)
        if (ck_task_get_ref(t, "SecurityGroup") == group && same_rule(w, t, rule))
            return false;
    return any;
}

static const char *rule_text(struct ck_aws_read *w, const struct ck_task *group,
                             const struct ck_val *v)
{
    static const char *const sources[] = {"cidrIpv4", "cidrIpv6", "prefixListId",
                                          "referencedGroupInfo.groupId"};
    const char *source = "";
    for (size_t i = 0; i < sizeof sources / sizeof *sources && !*source; i++)
        source = ck_str_at(v, sources[i]);
    return ck_arena_printf(w->a, "%s from %s %s:%s-%s", group->name, source,
                           ck_str_at(v, "ipProtocol"), ck_str_at(v, "fromPort"),
                           ck_str_at(v, "toPort"));
}

/* kOps removes rules for the ports it manages at once, and leaves all others alone. */
static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    int r = ck_aws_query(w, "ec2", "DescribeSecurityGroupRules", NULL, &reply, err);
    const struct ck_val *items = r ? NULL : ck_aws_items(w, reply, "securityGroupRuleSet");
    size_t at = 0;
    for (const struct ck_task *t; (t = ck_aws_next(wanted, &ck_aws_security_group, &at));) {
        const char *id = ck_aws_id(w, t);
        for (size_t i = 0; id && !ck_aws_shared(t) && i < ck_len(items); i++) {
            const struct ck_val *v = ck_item(items, i);
            if (ck_is_str(ck_get(v, "groupId"), id) && is_surplus(w, wanted, t, v))
                ck_extras_add(ret, &ck_aws_security_group_rule, rule_text(w, t, v),
                              ck_str_at(v, "securityGroupRuleId"), true);
        }
    }
    return r;
}

const struct ck_task_kind ck_aws_security_group_rule = {
    .name = "SecurityGroupRule",
    .fields = fields,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
