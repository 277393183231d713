/* Regions and addresses of buckets. Mirrors kOps' util/pkg/vfs/s3fs.go (GetHTTPsUrl,
 * TerraformProvider). */
#include "ops/update/buckets.h"

#include "vfs/s3/locate.h"

#include <string.h>

static const char S3[] = "s3://";

/* Of given facts; NULL. */
static const char *given_region(const struct ck_update *u, const char *bucket)
{
    const struct ck_val *v = ck_get(ck_at(u->facts.root, "aws.bucketRegions"), bucket);
    const char *region = ck_str_or(v, "");
    return *region ? region : NULL;
}

/* Once for each bucket. */
static void note(struct ck_update *u, const char *bucket, const char *region,
                 const struct ck_err *why)
{
    struct ck_arena *a = u->arena;
    if (!u->noted)
        u->noted = ck_map(a);
    if (ck_get(u->noted, bucket))
        return;
    ck_set_bool(a, u->noted, bucket, true);
    if (u->opts.note)
        u->opts.note(u->opts.note_arg,
                     ck_arena_printf(a,
                                     "the region of bucket %s is not known, it is taken to be "
                                     "%s%s%s",
                                     bucket, region, why ? ": " : "", why ? ck_err_msg(why) : ""));
}

static int ask(const struct ck_update *u, const char *location, bool dualstack,
               struct ck_vfs_place *ret, struct ck_err *err)
{
    struct ck_path p;
    int r = ck_vfs_parse(u->store->vfs, location, &p, err);
    return r ? r : ck_vfs_locate(&p, dualstack, u->arena, ret, err);
}

int ck_update_bucket(struct ck_update *u, const char *location, bool dualstack, const char *region,
                     struct ck_vfs_place *ret, struct ck_err *err)
{
    struct ck_arena *a = u->arena;
    const char *path = location + strlen(S3);
    size_t n = strcspn(path, "/");
    const char *bucket = ck_arena_strndup(a, path, n), *known = given_region(u, bucket);
    CK_AUTOERR why = CK_ERR_INIT;
    bool asked = !known && !u->facts_given && !u->opts.offline;
    int r = asked ? ask(u, location, dualstack, ret, &why) : 0;
    if (r && !u->opts.plan_only)
        return ck_err_move(err, &why);
    if (asked && !r)
        return 0;
    if (!known) {
        note(u, bucket, region, r ? &why : NULL);
        known = region;
    }
    ret->region = known;
    ret->url = ck_s3_https_url(a, bucket, path[n] ? path + n + 1 : "", known, dualstack);
    return 0;
}
