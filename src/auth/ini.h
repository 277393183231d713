/* The AWS shared files: sections of "key = value" lines. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "base/slice.h"

struct ck_ini {
    struct ck_map
        sections; /* name → struct ck_map* of key → const char*; all in the arena's care */
};

/* Read `text` into *ini. In a config file "[profile x]" is section "x" and "[sso-session y]" stays
 * as it is; later files win over earlier ones. Comments (# ;), blank lines and nested (indented)
 * settings are passed over. Errors: INVALID "FILE:LINE: …". */
int ck_ini_read(struct ck_arena *a, struct ck_ini *ini, const char *file, struct ck_slice text,
                bool config_file, struct ck_err *err);
bool ck_ini_has(const struct ck_ini *ini, const char *section);
const char *ck_ini_get(const struct ck_ini *ini, const char *section,
                       const char *key); /* or NULL */
void ck_ini_done(struct ck_ini *ini);
