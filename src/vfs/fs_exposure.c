/* Who can read a local file: its mode, and the modes of the folders above it.
 *
 * Access control lists beyond the mode bits are not looked at. */
#include "vfs/fs.h"

#include <errno.h>
#include <sys/stat.h>

/* Whether group and others may pass every folder above. */
struct way {
    bool group, others;
};

static struct way way_to(struct ck_arena *a, const char *key)
{
    struct way w = {true, true};
    struct stat st;
    CK_AUTOFREE char *real = realpath(key, NULL);
    char *path = ck_arena_strdup(a, real ? real : key);
    for (char *slash; (slash = strrchr(path, '/'));) {
        slash[slash == path] = '\0';
        if (stat(path, &st) < 0)
            break;
        w.others = w.others && (st.st_mode & S_IXOTH);
        w.group = w.group && (st.st_mode & (S_IXGRP | S_IXOTH));
        if (slash == path)
            break;
    }
    return w;
}

int ck_fs_exposure(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_exposure *ret,
                   struct ck_err *err)
{
    (void)v;
    struct stat st;
    if (lstat(key, &st) < 0)
        return ck_fail_errno(err, errno, "stat %s", key);
    struct way w = way_to(a, key);
    unsigned mode = (unsigned)st.st_mode & 0777;
    ret->of_container = false;
    if ((mode & S_IROTH) && w.others) {
        ret->reach = CK_REACH_EVERYONE;
        ret->readers = ck_arena_printf(a, "everyone on this machine: mode %03o", mode);
    } else if ((mode & S_IRGRP) && w.group) {
        ret->reach = CK_REACH_GROUP;
        ret->readers = ck_arena_printf(a, "group %u: mode %03o", (unsigned)st.st_gid, mode);
    } else {
        ret->reach = CK_REACH_OWNER;
        ret->readers = ck_arena_printf(a, "user %u", (unsigned)st.st_uid);
    }
    return 0;
}
