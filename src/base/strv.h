/* A vector of owned C strings. */
#pragma once

#include "base/attr.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct ck_strv {
    char **v;
    size_t n, cap;
};

#define CK_AUTOSTRV CK_CLEANUP(ck_strv_done) struct ck_strv

void ck_strv_done(struct ck_strv *s);
void ck_strv_push(struct ck_strv *s, const char *str);            /* copies */
void ck_strv_pushn(struct ck_strv *s, const char *str, size_t n); /* copies */
void ck_strv_push_take(struct ck_strv *s, char *str);             /* takes ownership */
bool ck_strv_has(const struct ck_strv *s, const char *str);
void ck_strv_sort(struct ck_strv *s); /* bytewise */
void ck_strv_uniq(struct ck_strv *s); /* drop equal neighbours; sort first */
void ck_strv_clear(struct ck_strv *s);
void ck_strv_join(const struct ck_strv *s, const char *sep, struct ck_buf *out);
