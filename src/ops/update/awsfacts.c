/* The read-only questions that completing and modelling a cluster on AWS have.
 *
 * Mirrors kOps upup/pkg/fi/cloudup/awsup/aws_cloud.go (ResolveImage, DescribeAvailabilityZones,
 * DescribeInstanceType) and awsmodel's look-ups. */
#include "ops/update/awsfacts.h"

#include "doc/xml.h"
#include "model/aws/images.h"

#include <stdlib.h>
#include <string.h>

struct ask {
    struct ck_arena *a;
    struct ck_aws_read *w;
    const struct ck_val *spec; /* of the cluster */
    const struct ck_stored_list *igs;
    struct ck_val *facts; /* "aws" of the facts */
    struct ck_err *err;
};

static void copy(struct ask *q, struct ck_val *to, const char *key, const struct ck_val *from,
                 const char *path)
{
    const char *s = ck_str_at(from, path);
    if (*s)
        ck_set_str(q->a, to, key, s);
}

/* The ARN of the caller tells partition and account: arn:PARTITION:sts::ACCOUNT:… */
static int account(struct ask *q, const struct ck_env *env)
{
    const struct ck_aws_config cfg = {.env = env, .http = q->w->http, .region = q->w->region};
    enum { WAIT_MS = 5000 };
    struct ck_cred c = {0};
    const char *arn = "";
    int r = q->w->creds->ops->get(q->w->creds, &c, q->err);
    if (!r)
        r = ck_aws_caller_arn(q->a, &cfg, &c, q->w->region, 0, WAIT_MS, &arn, q->err);
    ck_cred_done(&c);
    if (r)
        return r;
    struct ck_slice rest = ck_slice_of(arn), part;
    for (int i = 0; ck_slice_next(&rest, ':', &part); i++) {
        if (i == 1)
            ck_set(q->a, q->facts, "partition", ck_strn(q->a, part));
        if (i == 4)
            ck_set(q->a, q->facts, "accountID", ck_strn(q->a, part));
    }
    return 0;
}

static int zones(struct ask *q)
{
    const struct ck_val *reply;
    struct ck_val *list = ck_list(q->a);
    int r = ck_aws_query(q->w, "ec2", "DescribeAvailabilityZones", NULL, &reply, q->err);
    const struct ck_val *items = r ? NULL : ck_aws_items(q->w, reply, "availabilityZoneInfo");
    for (size_t i = 0; i < ck_len(items); i++)
        ck_append_str(q->a, list, ck_str_at(ck_item(items, i), "zoneName"));
    ck_set(q->a, q->facts, "zones", list);
    return r;
}

static int image(struct ask *q, const char *name, struct ck_val *list)
{
    const struct ck_val *reply;
    const char *slash = strchr(name, '/');
    int r;
    if (ck_str_starts(name, "ami-"))
        r = CK_AWS_QUERY(q->w, "ec2", "DescribeImages", &reply, q->err, "ImageId.1", name);
    else
        r = CK_AWS_QUERY(q->w, "ec2", "DescribeImages", &reply, q->err, "Owner.1",
                         slash ? ck_aws_image_owner(q->a, name, (size_t)(slash - name)) : "self",
                         "Filter.1.Name", "name", "Filter.1.Value.1", slash ? slash + 1 : name);
    if (r)
        return r == -CK_NOT_FOUND ? (ck_err_done(q->err), 0) : r;
    const struct ck_val *items = ck_aws_items(q->w, reply, "imagesSet");
    for (size_t i = 0; i < ck_len(items); i++) {
        const struct ck_val *v = ck_item(items, i);
        struct ck_val *f = ck_map(q->a);
        copy(q, f, "id", v, "imageId");
        copy(q, f, "owner", v, "imageOwnerId");
        copy(q, f, "name", v, "name");
        copy(q, f, "architecture", v, "architecture");
        copy(q, f, "rootDeviceName", v, "rootDeviceName");
        copy(q, f, "creationDate", v, "creationDate");
        ck_append(q->a, list, f);
    }
    return 0;
}

static int machine_type(struct ask *q, const char *name, struct ck_val *types)
{
    const struct ck_val *reply;
    struct ck_val *f = ck_map(q->a), *arch = ck_list(q->a), *disks = ck_list(q->a);
    int r =
        CK_AWS_QUERY(q->w, "ec2", "DescribeInstanceTypes", &reply, q->err, "InstanceType.1", name);
    if (r)
        return r == -CK_NOT_FOUND ? (ck_err_done(q->err), 0) : r;
    const struct ck_val *v = ck_item(ck_aws_items(q->w, reply, "instanceTypeSet"), 0);
    if (!v)
        return 0;
    const struct ck_val *all =
        ck_aws_items(q->w, ck_get(v, "processorInfo"), "supportedArchitectures");
    const struct ck_val *storage = ck_aws_items(q->w, ck_get(v, "instanceStorageInfo"), "disks");
    for (size_t i = 0; i < ck_len(all); i++)
        ck_append(q->a, arch, ck_item(all, i));
    for (size_t i = 0; i < ck_len(storage); i++) {
        struct ck_val *d = ck_map(q->a);
        ck_set_int(q->a, d, "count", atoll(ck_str_at(ck_item(storage, i), "count")));
        ck_set_int(q->a, d, "sizeGB", atoll(ck_str_at(ck_item(storage, i), "sizeInGB")));
        ck_append(q->a, disks, d);
    }
    ck_set(q->a, f, "arch", arch);
    ck_set(q->a, f, "instanceStorage", disks);
    ck_set_bool(q->a, f, "gpu", ck_get(v, "gpuInfo") != NULL);
    ck_set(q->a, types, name, f);
    return 0;
}

static int groups(struct ask *q)
{
    struct ck_val *images = ck_list(q->a), *types = ck_map(q->a), *seen = ck_map(q->a);
    int r = 0;
    for (size_t i = 0; i < q->igs->n && !r; i++) {
        const struct ck_val *spec = ck_object_spec(&q->igs->v[i].obj);
        const char *name = ck_str_at(spec, "image"), *all = ck_str_at(spec, "machineType");
        const char *type = ck_arena_strndup(q->a, all, strcspn(all, ","));
        if (*name && !ck_get(seen, name)) {
            ck_set_bool(q->a, seen, name, true);
            r = image(q, name, images);
        }
        if (!r && *type && !ck_get(types, type))
            r = machine_type(q, type, types);
    }
    ck_set(q->a, q->facts, "images", images);
    ck_set(q->a, q->facts, "instanceTypes", types);
    return r;
}

static int hosted_zones(struct ask *q)
{
    const struct ck_val *reply;
    struct ck_val *list = ck_list(q->a);
    if (ck_is_str(ck_at(q->spec, "topology.dns.type"), "None"))
        return 0;
    int r = ck_aws_route53(q->w, "/2013-04-01/hostedzone", &reply, q->err);
    const struct ck_val *items =
        r ? NULL : ck_xml_list(q->a, ck_get(reply, "HostedZones"), "HostedZone");
    for (size_t i = 0; i < ck_len(items); i++) {
        const struct ck_val *v = ck_item(items, i);
        const char *id = ck_str_at(v, "Id"), *slash = strrchr(id, '/');
        struct ck_val *f = ck_map(q->a);
        ck_set_str(q->a, f, "id", slash ? slash + 1 : id);
        copy(q, f, "name", v, "Name");
        ck_set_bool(q->a, f, "private", ck_is_str(ck_at(v, "Config.PrivateZone"), "true"));
        ck_append(q->a, list, f);
    }
    ck_set(q->a, q->facts, "hostedZones", list);
    return r;
}

/* Lists of objects with an id and the VPC they belong to. */
static int objects(struct ask *q, const char *action, const char *set, const char *id,
                   const char *name)
{
    const struct ck_val *reply;
    struct ck_val *list = ck_list(q->a);
    int r = ck_aws_query(q->w, "ec2", action, NULL, &reply, q->err);
    const struct ck_val *items = r ? NULL : ck_aws_items(q->w, reply, set);
    for (size_t i = 0; i < ck_len(items); i++) {
        const struct ck_val *v = ck_item(items, i);
        struct ck_val *f = ck_map(q->a);
        copy(q, f, "id", v, id);
        copy(q, f, "vpc", v, "vpcId");
        copy(q, f, "vpc", ck_item(ck_aws_items(q->w, v, "attachmentSet"), 0), "vpcId");
        copy(q, f, "zone", v, "availabilityZone");
        copy(q, f, "cidr", v, "cidrBlock");
        copy(q, f, "allocationID", v, "allocationId");
        copy(q, f, "publicIP", v, "publicIp");
        ck_append(q->a, list, f);
    }
    ck_set(q->a, q->facts, name, list);
    return r;
}

static int networks(struct ask *q)
{
    int r = objects(q, "DescribeVpcs", "vpcSet", "vpcId", "vpcs");
    return r ? r : objects(q, "DescribeSubnets", "subnetSet", "subnetId", "subnets");
}

static int shared_network(struct ask *q)
{
    if (!*ck_str_at(q->spec, "networkID"))
        return 0;
    int r = networks(q);
    if (!r)
        r = objects(q, "DescribeInternetGateways", "internetGatewaySet", "internetGatewayId",
                    "internetGateways");
    if (!r && strchr(ck_str_at(q->spec, "nonMasqueradeCIDR"), ':'))
        r = objects(q, "DescribeEgressOnlyInternetGateways", "egressOnlyInternetGatewaySet",
                    "egressOnlyInternetGatewayId", "egressOnlyInternetGateways");
    return r;
}

/* Public addresses of NAT gateways that the user brings. */
static int addresses(struct ask *q)
{
    const struct ck_val *subnets = ck_get(q->spec, "subnets");
    for (size_t i = 0; i < ck_len(subnets); i++)
        if (*ck_str_at(ck_item(subnets, i), "publicIP"))
            return objects(q, "DescribeAddresses", "addressesSet", "allocationId", "elasticIPs");
    return 0;
}

/* The answers in the form of a facts file. */
static void give(struct ask *q, struct ck_facts *ret)
{
    struct ck_val *root = ck_map(q->a);
    ck_set_str(q->a, q->facts, "region", q->w->region);
    ck_set(q->a, root, "aws", q->facts);
    ret->root = root;
}

int ck_ask_aws_network(struct ck_arena *a, struct ck_aws_read *w, struct ck_facts *ret,
                       struct ck_err *err)
{
    struct ask q = {.a = a, .w = w, .err = err, .facts = ck_map(a)};
    int r = zones(&q);
    if (!r)
        r = networks(&q);
    if (!r)
        give(&q, ret);
    return r;
}

int ck_update_ask_aws(struct ck_arena *a, struct ck_update *u, const struct ck_stored_list *igs,
                      struct ck_err *err)
{
    struct ask q = {.a = a, .w = u->aws, .igs = igs, .err = err, .facts = ck_map(a)};
    q.spec = ck_object_spec(&u->cluster.obj);
    int r = account(&q, u->aws->env);
    if (!r)
        r = zones(&q);
    if (!r)
        r = groups(&q);
    if (!r)
        r = hosted_zones(&q);
    if (!r)
        r = shared_network(&q);
    if (!r)
        r = addresses(&q);
    if (!r)
        give(&q, &u->facts);
    return r;
}
