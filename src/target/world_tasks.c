/* Another set of tasks as the state of the world: what changes from one configuration to another,
 * without asking anybody. */
#include "target/world.h"

#include <string.h>

struct tasks_world {
    struct ck_world world;
    const struct ck_tasks *set;
};

static int look(struct ck_world *w, struct ck_task *t, struct ck_look *ret, struct ck_err *err)
{
    struct ck_task *other = ck_tasks_find(((struct tasks_world *)w)->set, t->kind, t->name);
    *ret = (struct ck_look){.known = true, .found = other != NULL, .actual = other};
    int r = other ? ck_task_fill(t, err) : 0;
    return r || !other ? r : ck_task_fill(other, err);
}

struct ck_world *ck_world_of_tasks(struct ck_arena *a, const struct ck_tasks *set)
{
    struct tasks_world *w = ck_arena_alloc(a, sizeof *w);
    *w = (struct tasks_world){.world.look = look, .set = set};
    return &w->world;
}
