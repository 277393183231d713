/* Choosing machine types by what they have, from given facts (the cloud is not asked). */
#pragma once

#include "base/strv.h"
#include "cloud/facts.h"

struct ck_range {
    int64_t min, max; /* 0: open */
};

struct ck_type_filter {
    struct ck_range vcpus, memory_mib, gpus, interfaces;
    const char *arch;           /* "amd64", "arm64"; "" for any */
    const char *allow, *deny;   /* regular expressions on names; "" for none */
    double memory_per_vcpu_gib; /* 0: any; else the ratio wanted, by a quarter more or less */
    size_t max;                 /* results */
};

/* Names of the AWS machine types that fit, the smallest first. Errors: INVALID (a bad expression),
 * NOT_FOUND when there are no facts about machine types, or none fits. */
int ck_types_select(struct ck_arena *a, const struct ck_facts *facts,
                    const struct ck_type_filter *filter, struct ck_strv *ret, struct ck_err *err);
/* "4GiB", "512 MB", "1.5g" in MiB; the unit is needed. Errors: INVALID. */
int ck_memory_mib(const char *text, int64_t *ret, struct ck_err *err);
