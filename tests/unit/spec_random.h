/* Random clusters for property tests: options of `create cluster` that belong together, and any
 * field of the schema with a fitting value. */
#pragma once

#include "ops/new_cluster.h"
#include "spec/assign.h"
#include "spec/codec/field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rnd {
    uint64_t s;
};

static inline uint64_t rnd_next(struct rnd *r)
{
    r->s ^= r->s << 13;
    r->s ^= r->s >> 7;
    r->s ^= r->s << 17;
    return r->s * 0x2545f4914f6cdd1dULL;
}

static inline size_t rnd_below(struct rnd *r, size_t n)
{
    return (size_t)(rnd_next(r) >> 33) % n;
}

static inline bool rnd_one_in(struct rnd *r, size_t n)
{
    return rnd_below(r, n) == 0;
}

#define RND_PICK(r, array) (array)[rnd_below(r, CK_ARRAY_LEN(array))]

static const struct rnd_cloud {
    const char *cloud, *zones[4];
    size_t max_zones;
    bool ipv6, dns;
} rnd_clouds[] = {
    {"aws", {"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"}, 4, true, true},
    {"gce", {"us-east1-b", "us-east1-c", "us-east1-d", "us-east1-e"}, 4, false, true},
    {"azure", {"eastus-1", "eastus-2", "eastus-3", "eastus-4"}, 3, false, false},
    {"openstack", {"nova-a", "nova-b", "nova-c", "nova-d"}, 4, false, true},
    {"hetzner", {"fsn1"}, 1, false, false},
    {"digitalocean", {"nyc1"}, 1, false, false},
    {"scaleway", {"fr-par-1"}, 1, false, false},
    {"linode", {"us-east"}, 1, false, false},
    {"metal", {"main"}, 1, false, false},
    {"alicloud", {"cn-a", "cn-b", "cn-c", "cn-d"}, 4, false, true},
};

static inline void rnd_list(struct rnd *r, struct ck_strv *to, const char *const *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rnd_one_in(r, 2))
            ck_strv_push(to, from[i]);
}

static inline void rnd_text_options(struct rnd *r, struct ck_new_cluster_opts *o)
{
    static const char *const versions[] = {"1.32.5", "v1.33.1", "1.34.0", "1.35.7", "1.36.3"};
    static const char *const cidrs[] = {"10.0.0.0/8", "192.168.0.0/16", "2001:db8::/32",
                                        "1.2.3.4/32"};
    static const char *const gates[] = {"+A", "-B", "C", "+D"};
    static const char *const auth[] = {"RBAC", "AlwaysAllow", ""};
    o->kubernetes_version = RND_PICK(r, versions);
    o->authorization = RND_PICK(r, auth);
    rnd_list(r, &o->admin_access, cidrs, CK_ARRAY_LEN(cidrs));
    rnd_list(r, &o->ssh_access, cidrs, CK_ARRAY_LEN(cidrs));
    rnd_list(r, &o->feature_gates, gates, CK_ARRAY_LEN(gates));
    if (rnd_one_in(r, 3))
        o->cloud_labels = "Owner=John Doe,\"a/b\"=c=d";
    if (rnd_one_in(r, 3))
        o->api_public_name = "api.example.org";
    if (rnd_one_in(r, 3))
        o->control_plane_volume_size = 1 + (int64_t)rnd_below(r, 500);
    if (rnd_one_in(r, 3))
        o->node_volume_size = 1 + (int64_t)rnd_below(r, 500);
    if (rnd_one_in(r, 3))
        o->node_volume_type = "gp3";
    if (rnd_one_in(r, 4))
        o->node_tenancy = "dedicated";
    o->node_count = (int64_t)rnd_below(r, 20);
    o->associate_public_ip_given = rnd_one_in(r, 3);
    o->associate_public_ip = rnd_one_in(r, 2);
    o->encrypt_etcd_storage_given = rnd_one_in(r, 3);
    o->encrypt_etcd_storage = rnd_one_in(r, 2);
    o->disable_subnet_tags = rnd_one_in(r, 5);
}

static const char *const rnd_modes[] = {
    "cilium",    "calico",      "cni",        "kindnet", "flannel", "kube-router", "kubenet",
    "amazonvpc", "cilium-etcd", "cilium-eni", "gcp",     "kopeio",  "flannel-udp"};

/* All strings are set, and most combinations are valid. */
static inline void rnd_options(struct rnd *r, struct ck_new_cluster_opts *o)
{
    const char **text = (const char **)o; /* the strings come first */
    memset(o, 0, sizeof *o);
    for (size_t i = 0; i < offsetof(struct ck_new_cluster_opts, zones) / sizeof *text; i++)
        text[i] = "";
    const struct rnd_cloud *c = &RND_PICK(r, rnd_clouds);
    size_t zones = 1 + rnd_below(r, c->max_zones);
    o->name = rnd_one_in(r, 2) ? "c.example.com" : "a-b.c.example.org";
    o->cloud = c->cloud;
    for (size_t i = 0; i < zones; i++)
        ck_strv_push(&o->zones, c->zones[i]);
    o->control_plane_count = rnd_one_in(r, 3) ? 3 : 1;
    o->networking = RND_PICK(r, rnd_modes);
    o->topology = rnd_one_in(r, 2) ? "private" : "public";
    o->ipv6 = c->ipv6 && rnd_one_in(r, 4);
    o->bastion = strcmp(o->topology, "private") == 0 && rnd_one_in(r, 2);
    if (c->dns && rnd_one_in(r, 2)) {
        o->dns = rnd_one_in(r, 2) ? "public" : "private";
        o->dns_zone = "Z123";
    }
    rnd_text_options(r, o);
    o->image = "ami-12345678";
    ck_strv_push(&o->node_sizes, "m5.large");
    if (rnd_one_in(r, 3))
        ck_strv_push(&o->node_sizes, "m6i.large");
    ck_strv_push(&o->control_plane_sizes, "m5.large");
    o->project = "testproject";
    o->azure_subscription_id = "s";
    o->azure_tenant_id = "t";
    if (strcmp(c->cloud, "openstack") == 0)
        ck_strv_push(&o->network_cidrs, "10.64.0.0/16");
    if (strcmp(c->cloud, "openstack") == 0)
        o->os_ext_net = "ext";
}

static inline void rnd_options_done(struct ck_new_cluster_opts *o)
{
    struct ck_strv *lists = &o->zones;
    for (size_t i = 0; i < (offsetof(struct ck_new_cluster_opts, control_plane_count) -
                            offsetof(struct ck_new_cluster_opts, zones)) /
                               sizeof *lists;
         i++)
        ck_strv_done(&lists[i]);
}

/* ---- any field ---- */

static inline struct ck_val *rnd_text_of_enum(struct rnd *r, struct ck_arena *a, const char *list)
{
    struct ck_slice rest = ck_slice_of(list), word, chosen = {0};
    for (size_t i = 1; ck_slice_next(&rest, ',', &word); i++)
        if (rnd_one_in(r, i))
            chosen = word;
    return ck_strn(a, chosen);
}

static inline struct ck_val *rnd_scalar(struct rnd *r, struct ck_arena *a, const struct ck_field *f)
{
    static const char *const texts[] = {
        "a",        "x-y",  "true",  "12",  "a: b",       "# c", "10.0.0.0/8", "two\nlines\n",
        "\xc3\xa4", "0x1f", " lead", "1e3", "2001-01-01", "~",   "'q'",        "{}"};
    static const char *const durations[] = {"10s", "1h0m0s", "90s", "1.5s", "0s"};
    static const char *const quantities[] = {"100m", "1", "1500m", "100Mi", "1Gi", "0.5"};
    if (f->enums)
        return rnd_text_of_enum(r, a, ck_field_text(f->enums));
    switch (f->type) {
    case CK_T_BOOL:
        return ck_bool(a, rnd_one_in(r, 2));
    case CK_T_INT:
    case CK_T_INT32:
    case CK_T_INT64:
        return ck_int(a, (int64_t)rnd_below(r, 100000) - 10);
    case CK_T_INT16:
    case CK_T_UINT8:
    case CK_T_UINT32:
        return ck_int(a, (int64_t)rnd_below(r, 200));
    case CK_T_BYTES:
        return ck_str(a, "aGVsbG8=");
    case CK_T_TIME:
        return ck_str(a, "2026-01-02T03:04:05Z");
    case CK_T_DURATION:
        return ck_str(a, RND_PICK(r, durations));
    case CK_T_QUANTITY:
        return ck_str(a, RND_PICK(r, quantities));
    case CK_T_INTORSTRING:
        return rnd_one_in(r, 2) ? ck_int(a, (int64_t)rnd_below(r, 50)) : ck_str(a, "25%");
    case CK_T_ANY:
        return ck_map(a);
    default:
        return ck_str(a, RND_PICK(r, texts));
    }
}

static inline struct ck_val *rnd_struct(struct rnd *r, struct ck_arena *a, const struct ck_type *t,
                                        size_t depth, size_t sparse);

static inline struct ck_val *rnd_one(struct rnd *r, struct ck_arena *a, const struct ck_field *f,
                                     size_t depth, size_t sparse)
{
    return f->type == CK_T_STRUCT ? rnd_struct(r, a, ck_field_struct(f), depth + 1, sparse)
                                  : rnd_scalar(r, a, f);
}

static inline struct ck_val *rnd_field(struct rnd *r, struct ck_arena *a, const struct ck_field *f,
                                       size_t depth, size_t sparse)
{
    static const char *const keys[] = {"k", "a.b/c", "Main", "x", "1"};
    struct ck_val *v = NULL;
    size_t n = 1 + rnd_below(r, 2);
    switch (f->shape) {
    case CK_SHAPE_LIST:
        v = ck_list(a);
        for (size_t i = 0; i < n; i++)
            ck_append(a, v, rnd_one(r, a, f, depth, sparse));
        return v;
    case CK_SHAPE_MAP:
    case CK_SHAPE_MAPLIST:
        v = ck_map(a);
        for (size_t i = 0; i < n; i++) {
            struct ck_val *item = rnd_one(r, a, f, depth, sparse);
            if (f->shape == CK_SHAPE_MAPLIST) {
                struct ck_val *list = ck_list(a);
                ck_append(a, list, item);
                item = list;
            }
            ck_set(a, v, RND_PICK(r, keys), item);
        }
        return v;
    default:
        return rnd_one(r, a, f, depth, sparse);
    }
}

/* A structure with about one in `sparse` of its fields, without those that no longer exist. */
static inline struct ck_val *rnd_struct(struct rnd *r, struct ck_arena *a, const struct ck_type *t,
                                        size_t depth, size_t sparse)
{
    struct ck_val *m = ck_map(a);
    for (size_t i = 0; i < t->n && depth < 12; i++) {
        const struct ck_field *f = ck_field_at(t, i);
        if (!ck_field_retired(f) && rnd_one_in(r, sparse))
            ck_set(a, m, ck_field_name(f), rnd_field(r, a, f, depth, sparse));
    }
    return m;
}
