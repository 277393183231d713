/* The process environment as a value. */
#include "base/env.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

void ck_env_from_process(struct ck_env *e)
{
    for (char **p = environ; p && *p; p++) {
        const char *eq = strchr(*p, '=');
        if (!eq)
            continue;
        struct ck_slice name = ck_slice_n(*p, (size_t)(eq - *p));
        if (!ck_map_getn(&e->vars, name))
            ck_map_putn(&e->vars, name, ck_xstrdup(eq + 1));
    }
}

void ck_env_set(struct ck_env *e, const char *name, const char *value)
{
    char *old = ck_map_get(&e->vars, name);
    ck_map_put(&e->vars, name, value ? ck_xstrdup(value) : NULL);
    free(old);
}

const char *ck_env_get(const struct ck_env *e, const char *name)
{
    return ck_map_get(&e->vars, name);
}

const char *ck_env_nonempty(const struct ck_env *e, const char *name)
{
    const char *v = ck_env_get(e, name);
    return v && *v ? v : NULL;
}

void ck_env_done(struct ck_env *e)
{
    for (size_t i = 0; i < e->vars.n; i++) {
        char *v = e->vars.e[i].val;
        if (v)
            ck_wipe(v, strlen(v)); /* credentials travel in the environment */
        free(v);
    }
    ck_map_done(&e->vars);
}

char **ck_env_vector(struct ck_arena *a, const struct ck_env *e)
{
    char **v = ck_arena_alloc(a, (e->vars.n + 1) * sizeof *v);
    size_t n = 0;
    for (size_t i = 0; i < e->vars.n; i++)
        if (e->vars.e[i].val)
            v[n++] = ck_arena_printf(a, "%s=%s", e->vars.e[i].key, (char *)e->vars.e[i].val);
    return v;
}
