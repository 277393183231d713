/* Certificates that a machine of the control plane signs for itself, from the authorities it may
 * read. */
#pragma once

#include "doc/val.h"
#include "ops/keys/nodepull.h"

/* Add STEM.crt and STEM.key to the set. The pair of the last pull is kept while it fits: signed by
 * this authority, with the same names, and with a third of its life before it.
 * INVALID when the authority cannot sign. */
int ck_node_leaf(struct ck_arena *a, const struct ck_node_pull *p, const struct ck_val *config,
                 const char *stem, const struct ck_cert *ca, const struct ck_pki_key *ca_key,
                 struct ck_fileset *out, struct ck_err *err);
