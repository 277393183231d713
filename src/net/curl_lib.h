/* libcurl, loaded on first use. curl_syms.def is the one list of the functions in use; their types
 * come from curl's own header. */
#pragma once

#include "base/err.h"

/* The argument checks are macros around the functions' names; the names are needed plain. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

struct ck_curl {
#define CK_CURL(name) __typeof__ (&name)(name);
#include "net/curl_syms.def"
#undef CK_CURL
};

/* NULL with UNSUPPORTED and one sentence when the library is missing or too old. */
const struct ck_curl *ck_curl_load(struct ck_err *err);
