/* One value tree for every syntax: YAML, JSON, XML replies, Terraform output.
 *
 * Values live in an arena and carry the position they were read from, so that an error can point at
 * the line. Maps keep insertion order; writers decide the order they print. */
#pragma once

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ck_kind { CK_NULL, CK_BOOL, CK_INT, CK_UINT, CK_FLOAT, CK_STR, CK_LIST, CK_MAP };

/* 1-based; line 0 means "not from a file". */
struct ck_pos {
    uint32_t line, col;
};

struct ck_val;

struct ck_pair {
    struct ck_slice key; /* NUL-terminated */
    struct ck_pos key_pos;
    struct ck_val *val;
};

struct ck_val {
    enum ck_kind kind;
    bool quoted; /* a string that was quoted, literal or folded in its source */
    struct ck_pos pos;
    union {
        bool b;
        int64_t i;         /* CK_INT */
        uint64_t u;        /* CK_UINT: only values above INT64_MAX */
        double f;          /* CK_FLOAT: finite */
        struct ck_slice s; /* CK_STR: UTF-8, NUL-terminated, may hold NUL bytes inside */
        struct {
            struct ck_val **v;
            uint32_t n, cap;
        } list;
        struct {
            struct ck_pair *v;
            uint32_t n, cap;
            uint32_t *index; /* hash index, built when the map is large */
            uint32_t nindex;
        } map;
    };
};

/* ---- making: every result lives in `a` ---- */
struct ck_val *ck_null(struct ck_arena *a);
struct ck_val *ck_bool(struct ck_arena *a, bool b);
struct ck_val *ck_int(struct ck_arena *a, int64_t i);
struct ck_val *ck_uint(struct ck_arena *a, uint64_t u); /* becomes CK_INT when it fits */
struct ck_val *ck_float(struct ck_arena *a, double f);
struct ck_val *ck_str(struct ck_arena *a, const char *s);      /* copies */
struct ck_val *ck_strn(struct ck_arena *a, struct ck_slice s); /* copies */
struct ck_val *ck_strf(struct ck_arena *a, const char *fmt, ...) CK_PRINTF(2, 3);
struct ck_val *ck_list(struct ck_arena *a);
struct ck_val *ck_map(struct ck_arena *a);
struct ck_val *ck_val_clone(struct ck_arena *a, const struct ck_val *v); /* deep, positions kept */

/* ---- maps ---- */
/* The value under key, or NULL when v is NULL, not a map, or has no such key. Borrowed. */
struct ck_val *ck_get(const struct ck_val *v, const char *key);
struct ck_val *ck_getn(const struct ck_val *v, struct ck_slice key);
struct ck_pair *ck_pair_of(const struct ck_val *v, struct ck_slice key);
/* Insert or replace; the key is copied into `a`, the value is not copied. */
void ck_set(struct ck_arena *a, struct ck_val *map, const char *key, struct ck_val *val);
void ck_setn(struct ck_arena *a, struct ck_val *map, struct ck_slice key, struct ck_val *val);
/* Append without looking for an equal key (readers that check themselves). */
struct ck_pair *ck_map_append(struct ck_arena *a, struct ck_val *map, struct ck_slice key,
                              struct ck_val *val);
bool ck_unset(struct ck_val *map, const char *key); /* true when it was there */
void ck_set_str(struct ck_arena *a, struct ck_val *map, const char *key, const char *s);
void ck_set_int(struct ck_arena *a, struct ck_val *map, const char *key, int64_t i);
void ck_set_bool(struct ck_arena *a, struct ck_val *map, const char *key, bool b);

/* ---- lists ---- */
size_t ck_len(const struct ck_val *v); /* items of a list or map; 0 for NULL and scalars */
struct ck_val *ck_item(const struct ck_val *v, size_t i); /* NULL when out of range */
void ck_append(struct ck_arena *a, struct ck_val *list, struct ck_val *item);
void ck_append_str(struct ck_arena *a, struct ck_val *list, const char *s);
void ck_list_remove(struct ck_val *list, size_t i);

/* ---- paths: map keys separated by dots, "spec.networking.cilium"; keys with dots need ck_get ----
 */
struct ck_val *ck_at(const struct ck_val *v, const char *path); /* NULL when any step is absent */
/* As ck_at, creating maps on the way; a non-map in the way is replaced by a map. */
struct ck_val *ck_ensure_map(struct ck_arena *a, struct ck_val *v, const char *path);
/* Set the value at a path, creating maps on the way. */
void ck_put(struct ck_arena *a, struct ck_val *v, const char *path, struct ck_val *val);
bool ck_drop(struct ck_val *v, const char *path); /* remove the last step; true when it was there */

/* ---- reading scalars: the default when the value is absent or of another kind ---- */
const char *ck_str_or(const struct ck_val *v, const char *dflt); /* borrowed */
const char *ck_str_at(const struct ck_val *v, const char *path); /* "" when absent */
bool ck_bool_at(const struct ck_val *v, const char *path, bool dflt);
int64_t ck_int_at(const struct ck_val *v, const char *path, int64_t dflt);
bool ck_is_str(const struct ck_val *v, const char *s);
bool ck_is_map(const struct ck_val *v);
bool ck_is_list(const struct ck_val *v);
bool ck_is_null(const struct ck_val *v); /* also true for NULL */
bool ck_list_has_str(const struct ck_val *list, const char *s);

/* ---- comparing and ordering ---- */
/* Deep equality; key order does not matter, CK_INT and CK_UINT compare by value. */
bool ck_val_eq(const struct ck_val *a, const struct ck_val *b);
/* kOps' YAML key order (go-yaml v2 "natural" comparison; api-objects.md §2.2). <0, 0, >0. */
int ck_key_cmp_natural(struct ck_slice a, struct ck_slice b);
/* For qsort of struct ck_pair pointers: by key, bytewise. */
int ck_pair_cmp(const void *a, const void *b);
