/* What a secret's content must be before it is stored. */
#pragma once

#include "base/err.h"
#include "base/slice.h"

/* INVALID when `text` is no JSON object; the text is that of Go's encoding/json, which shows one
 * byte of the input at most. */
int ck_secret_check_json(struct ck_slice text, struct ck_err *err);
/* INVALID when `text` is no YAML map; nothing of the input is shown. */
int ck_secret_check_yaml(struct ck_slice text, struct ck_err *err);
