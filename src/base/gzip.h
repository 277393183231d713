/* Compression in gzip's format (RFC 1951, 1952). */
#pragma once

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* Append `in` compressed. The same input gives the same bytes everywhere, which libraries do not
 * promise from one version to the next: what is compressed here is compared later. For texts of at
 * most a few hundred kB. */
void ck_gzip(struct ck_buf *out, struct ck_slice in);
/* Append what `in`, one complete gzip member, holds. False, and `out` to be thrown away: damaged,
 * cut, followed by something else, or more than `max` bytes. */
bool ck_gunzip(struct ck_buf *out, struct ck_slice in, size_t max);
/* The checksum of gzip's trailer (CRC-32, ISO 3309). */
uint32_t ck_gzip_crc(struct ck_slice in);
