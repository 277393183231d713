/* What the network rules hand to the subnet rules. */
#pragma once

#include "spec/ipnet.h"
#include "spec/validate/rules.h"

struct ck_networks {
    struct ck_ipnet v[32]; /* networkCIDR (when has_main) and the additional ones */
    size_t n;
    struct ck_ipnet masq, pod, service;
    bool has_main, has_masq, has_pod, has_service;
    bool need_subnets, need_subnet_cidr, need_region; /* the cloud's demands */
};

void ck_chk_subnets(struct ck_chk *c, struct ck_fld subnets, const struct ck_networks *nets);
