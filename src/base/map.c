/* Insertion-ordered string map: an entry array plus an open-addressing index (FNV-1a). */
#include "base/map.h"

#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t hash(struct ck_slice k)
{
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < k.len; i++) {
        h ^= (unsigned char)k.ptr[i];
        h *= 1099511628211u;
    }
    return (size_t)(h ^ (h >> 29));
}

void ck_map_done(struct ck_map *m)
{
    for (size_t i = 0; i < m->n; i++)
        free(m->e[i].key);
    free(m->e);
    free(m->slots);
    *m = (struct ck_map){0};
}

static size_t *slot_of(const struct ck_map *m, struct ck_slice key)
{
    size_t mask = m->nslots - 1;
    for (size_t i = hash(key) & mask;; i = (i + 1) & mask) {
        size_t at = m->slots[i];
        if (at == 0 || ck_slice_eq_str(key, m->e[at - 1].key))
            return &m->slots[i];
    }
}

static void rehash(struct ck_map *m)
{
    size_t n = m->nslots ? m->nslots * 2 : 16;
    free(m->slots);
    m->slots = ck_xcalloc(n, sizeof *m->slots);
    m->nslots = n;
    for (size_t i = 0; i < m->n; i++)
        *slot_of(m, ck_slice_of(m->e[i].key)) = i + 1;
}

void *ck_map_getn(const struct ck_map *m, struct ck_slice key)
{
    if (!m->n)
        return NULL;
    size_t at = *slot_of(m, key);
    return at ? m->e[at - 1].val : NULL;
}

void *ck_map_get(const struct ck_map *m, const char *key)
{
    return ck_map_getn(m, ck_slice_of(key));
}

bool ck_map_has(const struct ck_map *m, const char *key)
{
    return m->n && *slot_of(m, ck_slice_of(key)) != 0;
}

bool ck_map_putn(struct ck_map *m, struct ck_slice key, void *val)
{
    if ((m->n + 1) * 2 > m->nslots)
        rehash(m);
    size_t *slot = slot_of(m, key);
    if (*slot) {
        m->e[*slot - 1].val = val;
        return false;
    }
    ck_xgrow(&m->e, &m->cap, m->n + 1, sizeof *m->e);
    m->e[m->n] = (struct ck_map_entry){ck_xstrndup(key.ptr, key.len), val};
    *slot = ++m->n;
    return true;
}

bool ck_map_put(struct ck_map *m, const char *key, void *val)
{
    return ck_map_putn(m, ck_slice_of(key), val);
}
