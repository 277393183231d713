/* AWS as the state of the world: each kind's find function asks it. */
#include "target/world.h"

#include "cloud/aws/read.h"

struct aws_world {
    struct ck_world world;
    struct ck_aws_read *read;
};

static int look(struct ck_world *w, struct ck_task *t, struct ck_look *ret, struct ck_err *err)
{
    struct aws_world *a = (struct aws_world *)w;
    *ret = (struct ck_look){0};
    if (!t->kind->find)
        return 0;
    ret->known = true;
    int r = ck_task_fill(t, err);
    if (r)
        return r;
    r = t->kind->find(a->read, t, &ret->actual, err);
    ret->found = ret->actual != NULL;
    return r ? ck_wrap(err, "%s/%s", t->kind->name, t->name) : 0;
}

struct ck_world *ck_world_of_aws(struct ck_arena *a, struct ck_aws_read *read)
{
    struct aws_world *w = ck_arena_alloc(a, sizeof *w);
    *w = (struct aws_world){.world.look = look, .read = read};
    return &w->world;
}
