/* Facts that AWS tells where no facts file gives them. */
#pragma once

#include "cloud/aws/read.h"
#include "ops/update/update.h"

/* Ask AWS about account, zones, images and machine types of the groups, hosted zones, and the
 * network a cluster shares, into u->facts in the form of a facts file.
 * Errors: those of the calls; UNAUTHENTICATED when no credentials are found. */
int ck_update_ask_aws(struct ck_arena *a, struct ck_update *u, const struct ck_stored_list *igs,
                      struct ck_err *err);

/* Ask AWS about the zones of the region and its networks and subnets: what `create cluster` must
 * know of a network that is shared. *ret is left alone unless all of it was told.
 * Errors: those of the calls; UNAUTHENTICATED when no credentials are found. */
int ck_ask_aws_network(struct ck_arena *a, struct ck_aws_read *w, struct ck_facts *ret,
                       struct ck_err *err);
