/* Examining a local folder: whose it is, who else can write there, room, and what kind of file
 * system keeps it. */
#include "vfs/fs.h"

#include "vfs/examine/examine.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#define MIB ((unsigned long long)1 << 20)

enum { FEW_MIB = 100, SHARED_WRITE = S_IWGRP | S_IWOTH, SHARED_READ = S_IRGRP | S_IROTH };

enum kind { LOCAL, NETWORK, MEMORY };

/* Kinds whose locks or permanence differ; all others count as local disks. */
static const struct {
    long magic;
    const char *name;
    enum kind kind;
} SYSTEMS[] = {
    {NFS_SUPER_MAGIC, "NFS", NETWORK},   {SMB_SUPER_MAGIC, "SMB", NETWORK},
    {0xff534d42, "CIFS", NETWORK},       {0xfe534d42, "SMB 2", NETWORK},
    {V9FS_MAGIC, "9P", NETWORK},         {FUSE_SUPER_MAGIC, "FUSE", NETWORK},
    {CEPH_SUPER_MAGIC, "Ceph", NETWORK}, {AFS_SUPER_MAGIC, "AFS", NETWORK},
    {TMPFS_MAGIC, "tmpfs", MEMORY},      {RAMFS_MAGIC, "ramfs", MEMORY},
    {EXT4_SUPER_MAGIC, "ext4", LOCAL},   {XFS_SUPER_MAGIC, "XFS", LOCAL},
    {BTRFS_SUPER_MAGIC, "Btrfs", LOCAL}, {OVERLAYFS_SUPER_MAGIC, "overlay", LOCAL},
};

static void file_system(struct ck_exam *x, int fd)
{
    struct statfs st;
    if (fstatfs(fd, &st) < 0) {
        ck_exam_add(x, "file-system", CK_EXAM_SKIPPED, "statfs: %s", strerror(errno));
        return;
    }
    const char *name = ck_arena_printf(x->a, "type %lx", (unsigned long)st.f_type);
    enum kind kind = LOCAL;
    for (size_t i = 0; i < CK_ARRAY_LEN(SYSTEMS); i++)
        if (SYSTEMS[i].magic == (long)st.f_type) {
            name = SYSTEMS[i].name;
            kind = SYSTEMS[i].kind;
        }
    if (kind == NETWORK)
        ck_exam_add(x, "file-system", CK_EXAM_WARN,
                    "%s: locks may hold within one machine only, so let one machine at a time "
                    "write here",
                    name);
    else if (kind == MEMORY)
        ck_exam_add(x, "file-system", CK_EXAM_WARN, "%s: gone when the machine restarts", name);
    else
        ck_exam_add(x, "file-system", CK_EXAM_OK, "%s: files are renamed into place whole", name);
}

static void room(struct ck_exam *x, int fd)
{
    struct statvfs st;
    if (fstatvfs(fd, &st) < 0) {
        ck_exam_add(x, "free-space", CK_EXAM_SKIPPED, "statvfs: %s", strerror(errno));
        return;
    }
    unsigned long long mib = (unsigned long long)st.f_bavail * st.f_frsize / MIB;
    bool no_files = st.f_files > 0 && st.f_favail == 0;
    enum ck_exam_result result = mib == 0 || no_files ? CK_EXAM_FAIL
                                 : mib < FEW_MIB      ? CK_EXAM_WARN
                                                      : CK_EXAM_OK;
    ck_exam_add(x, "free-space", result, "%llu MiB%s%s", mib,
                no_files ? ", but no more files can be made" : "",
                result == CK_EXAM_OK ? "" : ": make room before the next write");
}

static void owner(struct ck_exam *x, const struct stat *st)
{
    if (st->st_uid == geteuid())
        ck_exam_add(x, "owner", CK_EXAM_OK, "user %u, who runs this", (unsigned)st->st_uid);
    else
        ck_exam_add(x, "owner", CK_EXAM_WARN,
                    "the folder is user %u's, and this is user %u: what is written here may be out "
                    "of the owner's reach",
                    (unsigned)st->st_uid, (unsigned)geteuid());
}

static void modes(struct ck_exam *x, const struct stat *st)
{
    unsigned mode = (unsigned)st->st_mode & 07777;
    bool sticky = mode & S_ISVTX;
    if ((mode & SHARED_WRITE) && !sticky)
        ck_exam_add(x, "mode", CK_EXAM_FAIL,
                    "%04o: others can replace and delete whole clusters; chmod go-w", mode);
    else if (mode & (SHARED_WRITE | SHARED_READ))
        ck_exam_add(x, "mode", CK_EXAM_OK, "%04o: others can see names; ckops writes files as 0600",
                    mode);
    else
        ck_exam_add(x, "mode", CK_EXAM_OK, "%04o", mode);
}

int ck_fs_examine(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err)
{
    struct stat st;
    int fd = -1;
    ck_exam_add(x, "identity", CK_EXAM_OK, "user %u, group %u", (unsigned)geteuid(),
                (unsigned)getegid());
    int r = ck_fs_open_dir((struct ck_fs *)v, key, &fd, err);
    if (r < 0)
        return r;
    if (fstat(fd, &st) == 0) {
        owner(x, &st);
        modes(x, &st);
    }
    file_system(x, fd);
    room(x, fd);
    close(fd);
    return 0;
}
