/* A record that is an alias of a load balancer. kOps awstasks/dnsname.go. */
#include "task/aws/find.h"

#include "doc/xml.h"

#include <string.h>
#include <strings.h>

static const struct ck_task_field fields[] = {
    CK_F_ID,
    CK_F_REF("Zone"),
    CK_F_STR("ResourceName"),
    CK_F_STR("ResourceType"),
    CK_F_REF("TargetLoadBalancer"),
    CK_F_END,
};

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_route53_record", t->name);
    ck_tf_field(b, "name", t, "ResourceName");
    ck_tf_field(b, "type", t, "ResourceType");
    ck_tf_ref(b, "zone_id", t, "Zone");
    const struct ck_task *balancer = ck_task_get_ref(t, "TargetLoadBalancer");
    if (balancer) {
        const char *name = ck_tf_sanitize(tf->a, balancer->name);
        struct ck_tf_block *alias = ck_tf_nested(b, "alias");
        ck_tf_bool(alias, "evaluate_target_health", false);
        ck_tf_expr(alias, "name", ck_tf_link(tf, "aws_lb", name, "dns_name"));
        ck_tf_expr(alias, "zone_id", ck_tf_link(tf, "aws_lb", name, "zone_id"));
    }
    return 0;
}

/* An alias of the balancer's DNS name is the balancer; some consoles put "dualstack." before it. */
static void take_target(struct ck_aws_read *w, struct ck_task *actual, const struct ck_task *t,
                        const char *alias)
{
    static const char prefix[] = "dualstack.";
    const struct ck_task *balancer = ck_task_get_ref(t, "TargetLoadBalancer");
    const char *own = balancer ? ck_aws_dns(w, balancer) : "";
    const char *bare = ck_str_starts(alias, prefix) ? alias + sizeof prefix - 1 : alias;
    size_t n = strlen(own);
    bool same = *own && !strncasecmp(bare, own, n) && (!bare[n] || !strcmp(bare + n, "."));
    ck_aws_take_ref(w, actual, t, "TargetLoadBalancer", same ? ck_aws_id(w, balancer) : alias);
}

/* Records from a name on, as many as one reply has. */
static int records(struct ck_aws_read *w, const char *zone, const char *from,
                   const struct ck_val **ret, struct ck_err *err)
{
    const struct ck_val *reply;
    int r = ck_aws_route53(
        w, ck_arena_printf(w->a, "/2013-04-01/hostedzone/%s/rrset?name=%s", zone, from), &reply,
        err);
    *ret = r ? NULL : ck_xml_list(w->a, ck_get(reply, "ResourceRecordSets"), "ResourceRecordSet");
    return r;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *list;
    const char *zone = ck_aws_ref_id(w, t, "Zone"), *name = ck_task_get_str(t, "ResourceName");
    size_t n = strlen(name);
    if (!zone)
        return 0;
    int r = records(w, zone, name, &list, err);
    for (size_t i = 0; i < ck_len(list); i++) {
        const struct ck_val *v = ck_item(list, i);
        const char *own = ck_str_at(v, "Name");
        if (strncmp(own, name, n) || (own[n] && strcmp(own + n, ".")) ||
            !ck_is_str(ck_get(v, "Type"), ck_task_get_str(t, "ResourceType")))
            continue;
        struct ck_task *actual = *ret = ck_aws_actual(w, t);
        ck_aws_take_ref(w, actual, t, "Zone", zone);
        ck_task_str(actual, "ResourceName", name);
        ck_aws_take(actual, "ResourceType", v, "Type");
        take_target(w, actual, t, ck_str_at(v, "AliasTarget.DNSName"));
    }
    return r;
}

/* Names of records end with a dot. */
static bool is_wanted(const struct ck_tasks *wanted, const struct ck_val *v)
{
    const char *name = ck_str_at(v, "Name");
    size_t at = 0;
    for (const struct ck_task *t; (t = ck_aws_next(wanted, &ck_aws_dns_name, &at));) {
        const char *own = ck_task_get_str(t, "ResourceName");
        size_t n = strlen(own);
        if (!strncmp(own, name, n) && (!name[n] || !strcmp(name + n, ".")) &&
            ck_is_str(ck_get(v, "Type"), ck_task_get_str(t, "ResourceType")))
            return true;
    }
    return false;
}

/* Aliases below the cluster's name. Plain records there are those of controllers in the cluster,
 * and aliases further down may be anybody's: the names that are made here are looked at alone. */
static bool is_ours(const struct ck_aws_read *w, const struct ck_val *v)
{
    static const char *const hosts[] = {"api", "api.internal", "bastion"};
    bool any = false;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        any = any ||
              ck_is_str(ck_get(v, "Name"), ck_arena_printf(w->a, "%s.%s.", hosts[i], w->cluster));
    return any && *ck_str_at(v, "AliasTarget.DNSName");
}

static int list(struct ck_aws_read *w, const char *zone, const struct ck_val **ret,
                struct ck_err *err)
{
    return records(w, zone, w->cluster, ret, err);
}

static void look(struct ck_aws_read *w, const struct ck_tasks *wanted, const struct ck_task *zone,
                 const struct ck_val *item, struct ck_extras *ret)
{
    (void)zone;
    if (is_ours(w, item) && !is_wanted(wanted, item))
        ck_extras_add(ret, &ck_aws_dns_name, ck_str_at(item, "Name"), ck_str_at(item, "Type"),
                      false);
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_children c = {&ck_aws_dns_zone, list, look};
    return ck_aws_child_extras(world, wanted, &c, ret, err);
}

const struct ck_task_kind ck_aws_dns_name = {
    .name = "DNSName",
    .fields = fields,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
