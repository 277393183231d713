/* Texts of --set as values of a field's type. */
#pragma once

#include "spec/codec/field.h"

/* Set field f of `map` (v1alpha2) to what `text` says: lists grow, maps get one entry, an empty
 * text makes an empty structure. f3 is the v1alpha3 field when the user named that one (or NULL);
 * `inverted`: it says the opposite. Errors: INVALID with kOps' text. */
int ck_set_field(struct ck_arena *a, const struct ck_field *f, struct ck_val *map,
                 const struct ck_field *f3, bool inverted, const char *text, struct ck_err *err);
/* Set item `at` of a list. */
int ck_set_item(struct ck_arena *a, const struct ck_field *f, struct ck_val *list, size_t at,
                const char *text, struct ck_err *err);
