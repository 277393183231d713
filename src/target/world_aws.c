/* AWS as the state of the world: each kind's find function asks it. */
#include "target/world.h"

#include "cloud/aws/read.h"
#include "task/aws/aws.h"

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

static int extras(struct ck_world *w, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    struct aws_world *a = (struct aws_world *)w;
    for (size_t i = 0; ck_aws_kinds[i]; i++) {
        const struct ck_task_kind *kind = ck_aws_kinds[i];
        int r = kind->extras ? kind->extras(a->read, wanted, ret, err) : 0;
        if (r)
            return ck_wrap(err, "what is left of %s", kind->name);
    }
    return 0;
}

struct ck_world *ck_world_of_aws(struct ck_arena *a, struct ck_aws_read *read)
{
    struct aws_world *w = ck_arena_alloc(a, sizeof *w);
    *w = (struct aws_world){.world = {look, extras}, .read = read};
    return &w->world;
}
