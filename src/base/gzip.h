/* Compression in gzip's format (RFC 1951, 1952). */
#pragma once

#include "base/buf.h"
#include "base/slice.h"

/* Append `in` compressed. The same input gives the same bytes everywhere, which libraries do not
 * promise from one version to the next: what is compressed here is compared later. For texts of at
 * most a few hundred kB. */
void ck_gzip(struct ck_buf *out, struct ck_slice in);
