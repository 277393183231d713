/* DHCP options of the VPC. kOps awstasks/dhcp_options.go. */
#include "task/aws/find.h"

#include <string.h>

static const struct ck_task_field fields[] = {
    CK_F_ID,
    CK_F_STR("DomainName"),
    CK_F_STR("DomainNameServers"),
    CK_F_BOOL("Shared"),
    CK_F_MAP("Tags"),
    CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_aws_link(tf, t, "aws_vpc_dhcp_options");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (ck_aws_shared(t))
        return 0;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_vpc_dhcp_options", t->name);
    ck_tf_field(b, "domain_name", t, "DomainName");
    struct ck_val *list = ck_list(tf->a);
    struct ck_slice rest = ck_slice_of(ck_task_get_str(t, "DomainNameServers")), one;
    while (ck_slice_next(&rest, ',', &one))
        ck_append(tf->a, list, ck_strn(tf->a, one));
    ck_tf_strs(b, "domain_name_servers", list);
    ck_tf_field(b, "tags", t, "Tags");
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *v;
    int r = ck_aws_ec2_one(w, t, "DescribeDhcpOptions", "dhcpOptionsSet", "dhcpOptionsId", &v, err);
    if (r || !v)
        return r;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    ck_aws_take(actual, "ID", v, "dhcpOptionsId");
    ck_task_bool(actual, "Shared", ck_aws_shared(t));
    ck_aws_take_tags(w, actual, ck_get(v, "tagSet"));
    const struct ck_val *list = ck_aws_items(w, v, "dhcpConfigurationSet");
    for (size_t i = 0; i < ck_len(list); i++) {
        const char *key = ck_str_at(ck_item(list, i), "key");
        const struct ck_val *values = ck_aws_items(w, ck_item(list, i), "valueSet");
        const char *field = !strcmp(key, "domain-name")           ? "DomainName"
                            : !strcmp(key, "domain-name-servers") ? "DomainNameServers"
                                                                  : NULL;
        if (field)
            ck_aws_take(actual, field, ck_item(values, 0), "value");
    }
    return 0;
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_ec2_list l = {
        .action = "DescribeDhcpOptions", .set = "dhcpOptionsSet", .id_key = "dhcpOptionsId"};
    return ck_aws_ec2_extras(world, wanted, &ck_aws_dhcp_options, &l, ret, err);
}

const struct ck_task_kind ck_aws_dhcp_options = {
    .name = "DHCPOptions",
    .fields = fields,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
