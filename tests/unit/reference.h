/* Reference tables made with kOps' own libraries, when they are at hand (CK_SHARED). */
#pragma once

#include "base/file.h"
#include "doc/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "skipped.h"

/* The table `name` below corpus/, or skip the test. */
static inline struct ck_val *reference_table(struct ck_arena *a, const char *name)
{
    const char *dir = getenv("CK_SHARED");
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_val *v = NULL;
    if (!dir ||
        ck_file_read(ck_arena_printf(a, "%s/corpus/%s", dir, name), 64 << 20, &text, &err) < 0) {
        ck_err_done(&err);
        ck_arena_free(a);
        skip_because(NO_REFERENCE);
    }
    if (ck_json_parse(a, ck_buf_slice(&text), 64 << 20, &v, &err) < 0)
        fail_msg("%s: %s", name, ck_err_msg(&err));
    return v;
}

static inline struct ck_slice text_at(const struct ck_val *row, size_t i)
{
    const struct ck_val *v = ck_item(row, i);
    assert_non_null(v);
    return v->s;
}
