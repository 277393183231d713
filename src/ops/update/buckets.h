/* What a module and the nodes' configuration say about buckets: regions, and the address that the
 * checkers of tokens read. */
#pragma once

#include "ops/update/update.h"

/* The region of the bucket of an s3:// location, and the HTTPS address of the location: from given
 * facts (aws.bucketRegions.NAME), else by asking the bucket, if anything is asked at all. A bucket
 * that nobody tells of is taken to be in `region`, which is noted; in a module that is to be
 * written, one that can be asked and does not answer is an error. `u` has facts and options. */
int ck_update_bucket(struct ck_update *u, const char *location, bool dualstack, const char *region,
                     struct ck_vfs_place *ret, struct ck_err *err);
