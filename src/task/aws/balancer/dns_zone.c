/* The hosted zone, which must exist. A private one that the VPC is not associated with yet gets an
 * association. kOps awstasks/dnszone.go. */
#include "task/aws/find.h"

#include "doc/xml.h"

#include <string.h>

static const struct ck_task_field fields[] = {
    CK_F_STR("DNSName"),
    CK_F_STR("ZoneID"),
    CK_F_BOOL("Private"),
    CK_F_REF("PrivateVPC"),
    CK_F_OURS("Associated", CK_FIELD_BOOL), /* with the VPC, as far as facts tell */
    CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_tf_quote(tf, ck_arena_printf(tf->a, "/hostedzone/%s", ck_task_get_str(t, "ZoneID")));
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (!ck_task_has(t, "ZoneID"))
        return ck_fail(err, CK_INVALID,
                       "hosted zone \"%s\" does not exist: Terraform modules refer to zones, they "
                       "do not make them; create it first, or set spec.dnsZone to another",
                       ck_task_get_str(t, "DNSName"));
    if (ck_task_get_bool(t, "Private", false) && ck_task_has(t, "PrivateVPC") &&
        !ck_task_get_bool(t, "Associated", false)) {
        struct ck_tf_block *b = ck_tf_resource(tf, "aws_route53_zone_association", t->name);
        ck_tf_ref(b, "vpc_id", t, "PrivateVPC");
        ck_tf_expr(b, "zone_id", link(tf, t));
    }
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    int r = ck_aws_route53(w, "/2013-04-01/hostedzone", &reply, err);
    const struct ck_val *list =
        r ? NULL : ck_xml_list(w->a, ck_get(reply, "HostedZones"), "HostedZone");
    for (size_t i = 0; i < ck_len(list); i++) {
        const char *id = ck_str_at(ck_item(list, i), "Id");
        const char *slash = strrchr(id, '/');
        id = slash ? slash + 1 : id;
        if (strcmp(id, ck_task_get_str(t, "ZoneID")))
            continue;
        struct ck_task *actual = *ret = ck_aws_actual(w, t);
        ck_aws_found(w, t, id);
        ck_task_str(actual, "ZoneID", id);
        ck_task_bool(actual, "Private",
                     !strcmp(ck_str_at(ck_item(list, i), "Config.PrivateZone"), "true"));
        for (size_t f = 0; fields[f].name; f++)
            if (!actual->v[f].set)
                actual->v[f] = t->v[f];
    }
    return r;
}

const struct ck_task_kind ck_aws_dns_zone = {
    .name = "DNSZone",
    .fields = fields,
    .link = link,
    .terraform = terraform,
    .find = find,
};
