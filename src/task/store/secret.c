/* A token of the cluster. Its content is random and never part of a task. kOps
 * upup/pkg/fi/fitasks/secret.go. */
#include "task/store/store_kinds.h"

static const struct ck_task_field fields[] = {
    {"Exists", CK_FIELD_BOOL, CK_FIELD_HIDDEN | CK_FIELD_NO_DIFF},
    {0},
};

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    (void)world;
    (void)err;
    *ret = ck_task_get_bool(t, "Exists", false) ? ck_arena_memdup(t->set->a, t, sizeof *t) : NULL;
    return 0;
}

const struct ck_task_kind ck_task_secret = {
    .name = "Secret",
    .fields = fields,
    .find = find,
    .self_known = true,
};
