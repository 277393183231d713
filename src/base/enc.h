/* Text encodings: hex, base64, percent, Go's %q. One encoder per alphabet. */
#pragma once

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void ck_hex_encode(struct ck_buf *out, const void *p, size_t n); /* lower case */
bool ck_hex_decode(struct ck_buf *out, struct ck_slice in);
void ck_base64_encode(struct ck_buf *out, const void *p, size_t n); /* standard, padded */
/* Strict standard alphabet; CR and LF are skipped as Go's decoder does. False when malformed. */
bool ck_base64_decode(struct ck_buf *out, struct ck_slice in);

enum ck_pct {
    CK_PCT_UNRESERVED, /* RFC 3986 unreserved stay; everything else %XX (upper case) */
    CK_PCT_PATH,       /* as above, and '/' stays */
};
void ck_pct_encode(struct ck_buf *out, struct ck_slice in, enum ck_pct set);
/* '+' stays a plus sign. False on a bad escape. */
bool ck_pct_decode(struct ck_buf *out, struct ck_slice in);

/* Text that may come from a store or a server, for a terminal, which it must not drive: control
 * characters become \xNN, but for newlines and tabs when there may be several lines. */
void ck_put_printable(struct ck_buf *b, struct ck_slice text, bool one_line);
/* Quote as Go's strconv.Quote / fmt %q does. */
void ck_goquote(struct ck_buf *out, struct ck_slice in);

/* One word of a POSIX shell's command line; quoted only where it has to be. */
void ck_shquote(struct ck_buf *out, struct ck_slice in);

/* Decode one UTF-8 sequence; returns its length 1–4, or 0 when invalid (overlong, surrogate,
 * cut).*/
size_t ck_utf8_decode(const char *p, size_t n, uint32_t *ret_cp);
size_t ck_utf8_encode(uint32_t cp, char out[4]);
bool ck_utf8_valid(struct ck_slice s);
size_t ck_utf8_len(struct ck_slice s); /* code points; invalid bytes count 1 each */
