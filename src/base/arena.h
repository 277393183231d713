/* A bump allocator: objects of one command or one document that die together.
 *
 * Documents, tasks and API replies live in an arena; handles (files, locks, connections) do not. */
#pragma once

#include "base/attr.h"
#include "base/slice.h"

#include <stddef.h>

struct ck_arena;

struct ck_arena *ck_arena_new(void);
void ck_arena_free(struct ck_arena *a); /* NULL is fine */
/* From now on everything in the arena is overwritten before it is freed: it holds secrets. */
void ck_arena_set_wipe(struct ck_arena *a);
void *ck_arena_alloc(struct ck_arena *a, size_t n); /* zeroed, aligned for any type */
void *ck_arena_memdup(struct ck_arena *a, const void *p, size_t n);
char *ck_arena_strdup(struct ck_arena *a, const char *s);
char *ck_arena_strndup(struct ck_arena *a, const char *s, size_t n);
struct ck_slice ck_arena_slice(struct ck_arena *a, struct ck_slice s); /* copy, NUL-terminated */
char *ck_arena_printf(struct ck_arena *a, const char *fmt, ...) CK_PRINTF(2, 3);
/* Call fn(p) when the arena is freed, last registered first. */
void ck_arena_on_free(struct ck_arena *a, void (*fn)(void *), void *p);
size_t ck_arena_bytes(const struct ck_arena *a);

static inline void ck_cleanup_arena(struct ck_arena **a)
{
    ck_arena_free(*a);
}
#define CK_AUTOARENA CK_CLEANUP(ck_cleanup_arena)
