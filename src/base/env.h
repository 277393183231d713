/* The environment as an explicit value, so that the library never calls getenv().
 *
 * cmd/ builds one from the process; tests build their own. */
#pragma once

#include "base/arena.h"
#include "base/map.h"

struct ck_env {
    struct ck_map vars; /* name → char* (owned by the env) */
};

void ck_env_from_process(struct ck_env *e);
void ck_env_set(struct ck_env *e, const char *name, const char *value); /* value NULL unsets */
const char *ck_env_get(const struct ck_env *e, const char *name);       /* NULL when unset */
const char *ck_env_nonempty(const struct ck_env *e, const char *name);  /* NULL when unset or "" */
/* "NAME=value" texts and a NULL, as a new process takes them; in the arena. */
char **ck_env_vector(struct ck_arena *a, const struct ck_env *e);
void ck_env_done(struct ck_env *e);
