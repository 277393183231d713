/* Which instance groups may be removed.
 *
 * Mirrors kOps pkg/instancegroups/delete.go, without the cloud's side. */
#include "ops/remove.h"

#include "ops/get.h"

static bool is_control_plane(const struct ck_object *ig)
{
    return strcmp(ck_ig_role(ig), "ControlPlane") == 0;
}

int ck_ig_check_removable(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                          const struct ck_stored *ig, struct ck_err *err)
{
    if (!is_control_plane(&ig->obj))
        return 0;
    struct ck_stored_list all;
    int r = ck_ig_list(a, s, cluster, &all, err);
    if (r)
        return r;
    size_t others = 0;
    for (size_t i = 0; i < all.n; i++)
        others += is_control_plane(&all.v[i].obj) &&
                  strcmp(ck_object_name(&all.v[i].obj), ck_object_name(&ig->obj)) != 0;
    if (others == 0)
        return ck_fail(err, CK_INVALID, "cannot delete the only control plane instance group");
    return 0;
}
