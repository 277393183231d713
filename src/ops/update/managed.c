/* Writing managed files to the store (feature flag -TerraformManagedFiles). Mirrors kOps
 * upup/pkg/fi/fitasks/managedfile.go. */
#include "ops/update/managed.h"

#include "task/store/addons.h"
#include "task/store/store_kinds.h"

enum { MAX_FILE = 16 << 20 };

bool ck_update_is_file(const struct ck_task *t)
{
    return t->kind == &ck_task_managed_file || t->kind == &ck_task_addon_manifest ||
           t->kind == &ck_task_bootstrap_channel;
}

static const char *location(struct ck_arena *a, const struct ck_task *t)
{
    if (t->kind == &ck_task_managed_file)
        return ck_task_get_str(t, "URL");
    return ck_arena_printf(a, "%s/%s", ck_task_get_str(t, "Base"), ck_task_get_str(t, "Location"));
}

static int write_one(struct ck_update *u, struct ck_task *t, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf there = CK_BUF_MAX(MAX_FILE);
    CK_AUTOERR missing = CK_ERR_INIT;
    struct ck_write_opts opts = {.mode = CK_WRITE_ANY};
    struct ck_path path;
    int r = ck_task_fill(t, err);
    if (!r)
        r = ck_vfs_parse(u->model.vfs, location(u->model.a, t), &path, err);
    if (r)
        return r;
    struct ck_slice content = ck_task_get_bytes(t, "Contents");
    r = ck_vfs_read(&path, &there, NULL, &missing);
    if (!r && ck_buf_ok(&there) && ck_slice_eq(ck_buf_slice(&there), content))
        return 0;
    if (r && r != -CK_NOT_FOUND)
        return ck_err_move(err, &missing);
    opts.public_read = t->kind == &ck_task_managed_file && ck_task_get_bool(t, "PublicACL", false);
    return ck_vfs_write(&path, content, &opts, NULL, err);
}

int ck_update_write_files(struct ck_update *u, struct ck_err *err)
{
    int r = 0;
    for (size_t i = 0; i < u->tasks.n && !r; i++) {
        struct ck_task *t = u->order[i];
        if (!ck_update_is_file(t) || t->lifecycle == CK_LIFECYCLE_IGNORE)
            continue;
        r = write_one(u, t, err);
        if (r)
            ck_wrap(err, "%s/%s", t->kind->name, t->name);
    }
    return r;
}
