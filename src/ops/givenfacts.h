/* What given facts, or a cloud that was asked, tell populating and assigning. */
#pragma once

#include "cloud/facts.h"
#include "spec/populate.h"

/* The hosted zones, in `a`. */
void ck_given_zones(struct ck_arena *a, const struct ck_facts *f, struct ck_populate_facts *ret);
/* The range of the network the spec names, and which of its subnets are there. `ret->subnets` stays
 * NULL when nothing is known of that network; one that is not there is left out otherwise. */
void ck_given_subnets(struct ck_arena *a, const struct ck_facts *f, const struct ck_val *spec,
                      struct ck_assign_facts *ret);
