/* The builders of AWS: each adds the tasks of one part of a cluster. Internal to model/aws/.
 *
 * Source: shared facts update-cluster-aws.md §4-17; kOps pkg/model/awsmodel. */
#pragma once

#include "model/model.h"
#include "task/aws/aws.h"

int ck_aws_build_network(struct ck_model *m, struct ck_err *err);
int ck_aws_build_firewall(struct ck_model *m, struct ck_err *err);
int ck_aws_build_api_balancer(struct ck_model *m, struct ck_err *err);
int ck_aws_build_dns(struct ck_model *m, struct ck_err *err);
int ck_aws_build_bastion(struct ck_model *m, struct ck_err *err);
int ck_aws_build_iam(struct ck_model *m, struct ck_err *err);
int ck_aws_build_oidc(struct ck_model *m, struct ck_err *err);
int ck_aws_build_ssh_key(struct ck_model *m, struct ck_err *err);
int ck_aws_build_volumes(struct ck_model *m, struct ck_err *err);
int ck_aws_build_groups(struct ck_model *m, struct ck_err *err);
int ck_aws_build_termination_queue(struct ck_model *m, struct ck_err *err);

/* ---- tags.c ---- */
/* tags(N) of §4; `name` "" leaves Name out. In m->a, the caller may add to it. */
struct ck_val *ck_aws_tags(const struct ck_model *m, const char *name, bool shared);
/* Of a group's launch template and autoscaling group. */
struct ck_val *ck_aws_group_tags(const struct ck_model *m, const struct ck_object *group);

/* ---- names ---- */
const char *ck_aws_subnet_task(const struct ck_model *m, const char *subnet); /* "SUBNET.C" */
/* "masters.C", "nodes.C", "bastions.C", "apiservers.C", truncated to 64. */
const char *ck_aws_role_task(const struct ck_model *m, enum ck_role role);
/* "masters", "nodes", "bastions", "apiservers": as outputs are named. */
const char *ck_aws_role_plural(enum ck_role role);
/* The queue of the termination handler. */
const char *ck_aws_queue_name(const struct ck_model *m);
bool ck_aws_uses_queue(const struct ck_model *m);

/* The id of the zone that spec.dnsZone names, by id or by DNS name; a name that no fact tells of is
 * itself. "" without a zone. */
const char *ck_aws_zone_id(const struct ck_model *m);

/* ---- subnets ---- */
const struct ck_val *ck_aws_subnet_of(const struct ck_model *m, const char *name); /* NULL */
bool ck_aws_subnet_type(const struct ck_val *subnet, const char *type);
/* The subnets of a balancer when the spec names none: one per zone of the right types, best first
 * by score, then name; sorted by name. `internal` picks private ones. */
struct ck_val *ck_aws_balancer_subnets(const struct ck_model *m, bool internal);

/* A target group of name32(prefix); `path` NULL: connecting is the health check. */
void ck_aws_add_target_group(struct ck_model *m, const char *prefix, int port, const char *protocol,
                             const char *path);

/* ---- security groups by role (firewall.c) ---- */
struct ck_aws_sg {
    const char *name;   /* of the task */
    const char *suffix; /* of rule names: "" or "-OVERRIDE" */
    const char *id;     /* of an override; NULL */
};
/* Overrides in the order of groups, then the default if a group of the role has none. */
size_t ck_aws_role_groups(const struct ck_model *m, enum ck_role role, struct ck_aws_sg **ret);
/* The task of the group that a group's instances are in. */
const char *ck_aws_group_sg(const struct ck_model *m, const struct ck_object *group);

struct ck_aws_rule {
    const char *name; /* NULL: the directional scheme */
    const char *group;
    const char *source_group; /* a task; or: */
    const char *source;       /* an IPv4 or IPv6 range or a prefix list */
    const char *protocol;     /* NULL: all */
    int from, to;             /* used when protocol is not NULL and to is not 0 */
    bool egress;
    bool untagged; /* a fixed name in kOps' tables */
};
void ck_aws_add_rule(struct ck_model *m, const struct ck_aws_rule *r);
/* To everywhere, IPv4 and IPv6. */
void ck_aws_open_egress(struct ck_model *m, const char *group);
bool ck_aws_is_ipv6_range(const char *s);
bool ck_aws_is_prefix_list(const char *s);
