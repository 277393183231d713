/* String → pointer map that keeps insertion order. Values are borrowed; keys are copied. */
#pragma once

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct ck_map_entry {
    char *key;
    void *val;
};

struct ck_map {
    struct ck_map_entry *e; /* n entries in insertion order */
    size_t n, cap;
    size_t *slots; /* hash table of 1-based entry indexes */
    size_t nslots;
};

void ck_map_done(struct ck_map *m);
void *ck_map_get(const struct ck_map *m, const char *key); /* NULL when absent */
void *ck_map_getn(const struct ck_map *m, struct ck_slice key);
bool ck_map_has(const struct ck_map *m, const char *key);
/* Insert or replace; returns true when the key was new. */
bool ck_map_put(struct ck_map *m, const char *key, void *val);
bool ck_map_putn(struct ck_map *m, struct ck_slice key, void *val);
