/* Shared by the validation tests: base objects, a patch notation, and the comparison of messages.
 *
 * A patch is lines of PATH=VALUE; PATH as a.b[0].c, VALUE in YAML, an empty VALUE removes. */
#pragma once

#include "base/mem.h"
#include "doc/yaml.h"
#include "spec/featureflag.h"
#include "spec/validate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "skipped.h"

struct rule_case {
    const char *name;
    const char *patch;
    const char *expected; /* messages, one a line, in kOps' order */
};

static inline struct ck_val *parse_yaml(struct ck_arena *a, const char *text)
{
    struct ck_val *v = NULL;
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_yaml_parse(a, ck_slice_of(text), NULL, &v, NULL, &err))
        fail_msg("%s: %s", text, ck_err_msg(&err));
    return v;
}

/* One step of a path: the map or list item below v, made when absent. */
static inline struct ck_val *step(struct ck_arena *a, struct ck_val *v, char *token)
{
    char *bracket = strchr(token, '[');
    if (bracket)
        *bracket = 0;
    struct ck_val *next = ck_get(v, token);
    if (!next) {
        next = bracket ? ck_list(a) : ck_map(a);
        ck_set(a, v, token, next);
    }
    if (!bracket)
        return next;
    size_t i = strtoul(bracket + 1, NULL, 10);
    while (ck_len(next) <= i)
        ck_append(a, next, ck_map(a));
    return ck_item(next, i);
}

static inline void apply_line(struct ck_arena *a, struct ck_val *root, char *line)
{
    char *value = strchr(line, '='), *save = NULL;
    if (!value)
        fail_msg("no value in %s", line);
    *value++ = 0;
    struct ck_val *v = root;
    char *token = strtok_r(line, ".", &save);
    for (char *next; (next = strtok_r(NULL, ".", &save)); token = next)
        v = step(a, v, token);
    char *bracket = strchr(token, '[');
    if (bracket)
        *step(a, v, token) = *parse_yaml(a, value);
    else if (*value)
        ck_set(a, v, token, parse_yaml(a, value));
    else
        ck_unset(v, token);
}

static inline void apply_patch(struct ck_arena *a, struct ck_val *root, const char *patch)
{
    char *copy = ck_arena_strdup(a, patch), *save = NULL;
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        apply_line(a, root, line);
}

static inline const char *join_errs(struct ck_arena *a, const struct ck_field_errs *e)
{
    struct ck_buf b CK_AUTOBUF = CK_BUF_INIT;
    for (size_t i = 0; i < e->n; i++) {
        if (i)
            ck_buf_putc(&b, '\n');
        ck_buf_puts(&b, e->v[i].text);
    }
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static inline void expect_same(const char *name, const char *got, const char *expected,
                               size_t *failures)
{
    if (!strcmp(got, expected))
        return;
    print_error("%s\n  expected: %s\n  got:      %s\n", name, expected, got);
    ++*failures;
}
