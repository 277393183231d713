/* Text forms that kOps' objects use: Go durations, Kubernetes quantities, versions, CIDRs are in
 * their own header doc/cidr.h. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* Go time.ParseDuration: "90s", "1h30m", "1.5h", "-2ms". Nanoseconds.
 * Errors: INVALID with Go's text (time: invalid duration "x"). */
int ck_duration_parse(struct ck_slice s, int64_t *ret_ns, struct ck_err *err);
/* Go Duration.String(): "1m30s", "48h0m0s", "1.5s", "0s". */
void ck_duration_put(struct ck_buf *out, int64_t ns);

/* Canonical text of a Kubernetes resource quantity (apimachinery resource.ParseQuantity + String).
 * Errors: INVALID with apimachinery's text. */
int ck_quantity_canonical(struct ck_slice s, struct ck_buf *out, struct ck_err *err);

/* Semantic versions (blang/semver). */
struct ck_semver {
    uint64_t major, minor, patch;
    const char *pre;   /* "alpha.1" or ""; points into `text` */
    const char *build; /* or "" */
    char text[128];
};
/* Errors: INVALID with blang/semver's text; `tolerant` allows what ck_semver_parse_tolerant does.
 * Versions of more than 125 bytes are refused, which blang/semver does not do. */
int ck_semver_read(struct ck_slice s, bool tolerant, struct ck_semver *ret, struct ck_err *err);
bool ck_semver_parse(struct ck_slice s, struct ck_semver *ret);          /* strict */
bool ck_semver_parse_tolerant(struct ck_slice s, struct ck_semver *ret); /* "v1.30", " 1.30.1 " */
int ck_semver_cmp(const struct ck_semver *a, const struct ck_semver *b); /* precedence order */
/* Whether v lies in a blang/semver range such as ">=1.20.0 <1.30.0 || 1.31.x", with that library's
 * reading of odd ranges ("!=1.x" matches nothing). Errors: INVALID with its text; LIMIT (1,024
 * bytes). */
int ck_semver_in_range(const struct ck_semver *v, const char *range, bool *ret, struct ck_err *err);
