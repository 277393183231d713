/* Shared between the files that build a new cluster; not for others. */
#pragma once

#include "doc/scalar.h"
#include "ops/new_cluster.h"

struct ck_zone_subnet {
    const char *zone, *subnet; /* the zone's first subnet */
};

struct ck_new_build {
    struct ck_arena *a;
    const struct ck_new_cluster_opts *o;
    const struct ck_new_cluster_env *env;
    const char *cloud;
    struct ck_semver kubernetes;
    struct ck_object cluster;
    struct ck_val *spec;
    struct ck_strv zones; /* sorted union of --zones and --control-plane-zones; owned */
    bool private_topology, dns_published;
    struct ck_object *igs;
    size_t n_igs, cap_igs;
};

/* ---- new_cluster.c ---- */
/* Refuse the value of an option: `lead` and the value, and the nearest of those known. */
int ck_new_unknown(struct ck_err *err, const char *lead, const char *value, bool quote,
                   const char *const *known, size_t n);

/* ---- new_cluster_check.c ---- */
/* Values that cannot be right. Errors: INVALID naming the option. */
int ck_new_check_options(struct ck_new_build *b, struct ck_err *err);
/* Options without effect, versions out of range: told, not refused. After the build. */
void ck_new_remarks(struct ck_new_build *b);

/* ---- new_cluster_network.c ---- */
int ck_new_subnets(struct ck_new_build *b, struct ck_err *err);
int ck_new_networking(struct ck_new_build *b, struct ck_err *err);
int ck_new_topology(struct ck_new_build *b, struct ck_err *err);
int ck_new_api(struct ck_new_build *b, struct ck_err *err);
/* Name of the subnet a zone's control plane goes to. */
const char *ck_new_subnet_of_zone(struct ck_new_build *b, const char *zone);

/* ---- new_cluster_groups.c ---- */
int ck_new_groups(struct ck_new_build *b, struct ck_err *err);
bool ck_new_zoned_groups(const struct ck_new_build *b); /* GCE, Azure: groups carry zones */

static inline bool ck_new_is(const struct ck_new_build *b, const char *cloud)
{
    const char *p = b->cloud;
    while (*p && *p == *cloud)
        p++, cloud++;
    return *p == *cloud;
}
