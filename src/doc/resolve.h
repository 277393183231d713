/* What a plain YAML scalar means to go-yaml v2 (resolve.go): the rule both reading and quoting
 * follow. */
#pragma once

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum ck_scalar_kind {
    CK_SCALAR_STR,
    CK_SCALAR_NULL,
    CK_SCALAR_BOOL,
    CK_SCALAR_INT,
    CK_SCALAR_UINT,
    CK_SCALAR_FLOAT, /* may be infinite or not a number */
    CK_SCALAR_TIME,  /* read as a string; never written plain */
};

struct ck_scalar {
    enum ck_scalar_kind kind;
    bool b;
    int64_t i;
    uint64_t u;
    double f;
};

struct ck_scalar ck_scalar_resolve(struct ck_slice s);
/* Whether go-yaml writes this text without quotes, as far as its meaning goes. */
bool ck_scalar_plain(struct ck_slice s);
/* Append s as valid UTF-8: Go's encoding/json makes each wrong byte a U+FFFD. */
void ck_scalar_repair(struct ck_buf *out, struct ck_slice s);
