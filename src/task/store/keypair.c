/* A keyset of the cluster. Keys are made before the tasks are (store/keysneeded.h), because files
 * name them; the task says what the store lacks. kOps upup/pkg/fi/fitasks/keypair.go. */
#include "task/store/store_kinds.h"

static const struct ck_task_field fields[] = {
    {"Subject", CK_FIELD_STR, 0},
    {"Issuer", CK_FIELD_STR, 0},
    {"Type", CK_FIELD_STR, 0},
    {"LegacyFormat", CK_FIELD_BOOL, 0},
    {"Exists", CK_FIELD_BOOL, CK_FIELD_HIDDEN | CK_FIELD_NO_DIFF},
    {"WasLegacy", CK_FIELD_BOOL, CK_FIELD_HIDDEN | CK_FIELD_NO_DIFF},
    {0},
};

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    (void)world;
    (void)err;
    *ret = NULL;
    if (!ck_task_get_bool(t, "Exists", false))
        return 0;
    struct ck_task *there = ck_arena_memdup(t->set->a, t, sizeof *t);
    size_t n = sizeof fields / sizeof *fields - 1;
    there->v = ck_arena_memdup(t->set->a, t->v, n * sizeof *t->v);
    ck_task_bool(there, "LegacyFormat", ck_task_get_bool(t, "WasLegacy", false));
    *ret = there;
    return 0;
}

const struct ck_task_kind ck_task_keypair = {
    .name = "Keypair",
    .fields = fields,
    .find = find,
    .self_known = true,
};
