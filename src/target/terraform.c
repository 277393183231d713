/* Rendering tasks into a Terraform module and putting it into a folder.
 *
 * Mirrors kOps upup/pkg/fi/cloudup/terraform/target.go; swapping the module in whole is ours. */
#include "target/terraform.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIR_MODE = 0755, FILE_MODE = 0644 };
static const char MODULE[] = "kubernetes.tf", DATA[] = "data";
/* Stands in a module while its two parts are exchanged: Terraform refuses a folder with it. */
static const char GUARD[] = "ckops-incomplete.tf";
static const char GUARD_TEXT[] =
    "# ckops was stopped while it replaced this module, whose parts do not belong together.\n"
    "# Write it again: ckops update cluster --target=terraform --out=THIS_FOLDER\n"
    "this module is incomplete\n";

int ck_terraform_render(struct ck_tf *tf, struct ck_task *const *order, size_t n,
                        struct ck_err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct ck_task *t = order[i];
        bool ours =
            t->lifecycle == CK_LIFECYCLE_SYNC || t->lifecycle == CK_LIFECYCLE_WARN_IF_INSUFFICIENT;
        if (!ours || !t->kind->terraform)
            continue;
        int r = ck_task_fill(t, err);
        if (!r)
            r = t->kind->terraform(tf, t, err);
        if (r)
            return r;
    }
    if (tf->unknown)
        return ck_fail(err, CK_NOT_FOUND,
                       "%s/%s: the cluster uses one that is there already, and none is known: it "
                       "is looked up in the cloud, or in given facts",
                       tf->unknown->kind->name, tf->unknown->name);
    return 0;
}

/* ---- the folder ---- */

struct swap {
    struct ck_arena *a;
    const char *out;  /* the module's folder */
    const char *next; /* the new module, complete, beside or inside it */
    bool fresh;       /* there is no folder yet: the new one becomes it */
    bool broken;      /* the old module is gone and the new one could not be put in its place */
};

static const char *in(const struct swap *s, const char *dir, const char *name)
{
    return ck_arena_printf(s->a, "%s/%s", dir, name);
}

static void remove_all(struct swap *s, const char *path)
{
    struct stat st;
    if (lstat(path, &st))
        return;
    if (!S_ISDIR(st.st_mode)) {
        unlink(path);
        return;
    }
    DIR *d = opendir(path);
    if (!d)
        return;
    for (struct dirent *e = readdir(d); e; e = readdir(d))
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
            remove_all(s, in(s, path, e->d_name));
    closedir(d);
    rmdir(path);
}

/* Refuse a folder that is somebody else's. */
static int check_foreign(struct swap *s, struct ck_err *err)
{
    struct stat st;
    if (stat(s->out, &st)) {
        s->fresh = errno == ENOENT;
        return s->fresh ? 0 : ck_fail_errno(err, errno, "--out %s", s->out);
    }
    if (!S_ISDIR(st.st_mode))
        return ck_fail(err, CK_INVALID, "--out %s is a file; name a folder", s->out);
    if (!stat(in(s, s->out, MODULE), &st))
        return 0;
    DIR *d = opendir(s->out);
    if (!d)
        return ck_fail_errno(err, errno, "--out %s", s->out);
    int r = 0;
    for (struct dirent *e = readdir(d); e && !r; e = readdir(d))
        if (e->d_name[0] != '.')
            r = ck_fail(err, CK_INVALID,
                        "--out %s holds \"%s\" but no %s: it is not a module that ckops wrote; "
                        "name an empty or a new folder",
                        s->out, e->d_name, MODULE);
    closedir(d);
    return r;
}

static int make_next(struct swap *s, struct ck_err *err)
{
    char *parent = ck_arena_strdup(s->a, s->out);
    char *slash = strrchr(parent, '/');
    const char *dir = s->out;
    if (s->fresh) {
        if (slash == parent)
            slash++;
        if (slash)
            *slash = '\0';
        dir = slash ? parent : ".";
        int r = ck_mkdirs(dir, DIR_MODE, err);
        if (r)
            return r;
    }
    char *next = ck_arena_printf(s->a, "%s/.ckops-module-XXXXXX", dir);
    if (!mkdtemp(next))
        return ck_fail_errno(err, errno, "--out %s", s->out);
    s->next = next;
    if (chmod(next, DIR_MODE))
        return ck_fail_errno(err, errno, "%s", next);
    return 0;
}

static int write_file(const char *path, struct ck_slice data, struct ck_err *err)
{
    FILE *f = fopen(path, "wxe");
    if (!f)
        return ck_fail_errno(err, errno, "%s", path);
    size_t n = data.len ? fwrite(data.ptr, 1, data.len, f) : 0;
    int bad = n != data.len || fflush(f) || fchmod(fileno(f), FILE_MODE);
    int e = errno;
    if (fclose(f) || bad)
        return ck_fail_errno(err, bad ? e : errno, "%s", path);
    return 0;
}

static int write_next(struct swap *s, const struct ck_tf *tf, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    ck_tf_hcl(tf, &text);
    int r = write_file(in(s, s->next, MODULE), ck_buf_slice(&text), err);
    if (!r && tf->n_files && mkdir(in(s, s->next, DATA), DIR_MODE))
        r = ck_fail_errno(err, errno, "%s", s->next);
    for (size_t i = 0; i < tf->n_files && !r; i++)
        r = write_file(in(s, s->next, tf->files[i].name), tf->files[i].bytes, err);
    return r;
}

/* What lies in the old data/ and is not of a resource of ours is the user's: it moves along. */
static int keep_foreign(struct swap *s, struct ck_err *err)
{
    const char *old = in(s, s->out, DATA);
    DIR *d = opendir(old);
    int r = 0;
    if (!d)
        return 0;
    for (struct dirent *e = readdir(d); e && !r; e = readdir(d)) {
        if (e->d_name[0] == '.' || !strncmp(e->d_name, "aws_", 4))
            continue;
        const char *next = in(s, s->next, DATA);
        if (mkdir(next, DIR_MODE) && errno != EEXIST)
            r = ck_fail_errno(err, errno, "%s", next);
        else if (link(in(s, old, e->d_name), in(s, next, e->d_name)) && errno != EEXIST)
            r = ck_fail_errno(err, errno, "%s/%s", old, e->d_name);
    }
    closedir(d);
    return r;
}

static int move(const char *from, const char *to, struct ck_err *err)
{
    if (rename(from, to) && errno != ENOENT)
        return ck_fail_errno(err, errno, "rename %s to %s", from, to);
    return 0;
}

/* Both parts, or none: what was moved goes back when the next move fails. */
static int exchange(struct swap *s, struct ck_err *err)
{
    const char *data = in(s, s->out, DATA), *aside = in(s, s->next, "old");
    const char *next = in(s, s->next, DATA);
    int r = move(data, aside, err);
    if (r)
        return r;
    r = move(next, data, err);
    if (!r)
        r = move(in(s, s->next, MODULE), in(s, s->out, MODULE), err);
    if (!r)
        return 0;
    CK_AUTOERR again = CK_ERR_INIT;
    s->broken = move(data, next, &again) || move(aside, data, &again);
    return s->broken ? ck_wrap(err, "%s is incomplete, write it again", s->out) : r;
}

static int swap_in(struct swap *s, struct ck_err *err)
{
    if (s->fresh)
        return move(s->next, s->out, err);
    const char *guard = in(s, s->out, GUARD);
    int r = keep_foreign(s, err);
    if (!r)
        r = write_file(in(s, s->next, GUARD), CK_S(GUARD_TEXT), err);
    if (!r)
        r = move(in(s, s->next, GUARD), guard, err);
    if (r)
        return r;
    r = exchange(s, err);
    if (!s->broken && unlink(guard) && errno != ENOENT && !r)
        r = ck_fail_errno(err, errno, "%s", guard);
    return r;
}

int ck_terraform_write(const struct ck_tf *tf, const char *out, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct swap s = {.a = a};
    char *clean = ck_arena_strdup(a, out);
    for (size_t n = strlen(clean); n > 1 && clean[n - 1] == '/'; n--)
        clean[n - 1] = '\0';
    s.out = clean;
    int r = check_foreign(&s, err);
    if (!r)
        r = make_next(&s, err);
    if (!r)
        r = write_next(&s, tf, err);
    if (!r)
        r = swap_in(&s, err);
    if (s.next)
        remove_all(&s, s.next);
    return r;
}
