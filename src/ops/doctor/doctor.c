/* Examining a store: the driver first, then the ordinary operations on a file that is removed
 * again. */
#include "ops/doctor/doctor.h"

#include "base/clock.h"
#include "vfs/examine/permissions.h"

#include <string.h>
#include <unistd.h>

enum { REQUESTS = 5, MAX_REQUESTS = 1000 };

struct visit {
    struct ck_arena *a;
    struct ck_exam *x;
    const struct ck_path *root;
    struct ck_path probe;
    const struct ck_permissions *names; /* NULL: the operations' own names */
    bool written;
};

/* ---- rows ---- */

static const char *permission(const struct visit *v, enum ck_permission_for what)
{
    static const char *const plain[] = {"list", "read", "create", "update", "delete"};
    return v->names ? v->names->name[what] : plain[what];
}

/* A failure that is no answer about permissions: connection, identity, a store that is not there.
 */
static void failure(struct ck_exam *x, const struct ck_path *root, const struct ck_err *why)
{
    bool store = why->code == CK_INVALID || why->code == CK_NOT_FOUND;
    const char *check = why->code == CK_UNAUTHENTICATED          ? "identity"
                        : store || root->vfs->ops->absolute_keys ? "store"
                                                                 : "connection";
    ck_exam_add(x, check, CK_EXAM_FAIL, "%s", ck_err_msg(why));
    x->stop = true;
}

/* The row of an operation that `r` and `why` are the result of; whether it worked. NOT_FOUND is an
 * answer too. */
static bool outcome(struct visit *v, const char *check, enum ck_permission_for what, int r,
                    const struct ck_err *why)
{
    if (r == 0 || r == -(int)CK_NOT_FOUND) {
        ck_exam_add(v->x, check, CK_EXAM_OK, "%s", permission(v, what));
        return r == 0;
    }
    if (r != -(int)CK_DENIED) {
        ck_exam_add(v->x, check, CK_EXAM_FAIL, "%s", ck_err_msg(why));
        return false;
    }
    ck_exam_add(v->x, check, CK_EXAM_FAIL, "refused: allow \"%s\"; %s", permission(v, what),
                ck_err_msg(why));
    v->x->v[v->x->n - 1].missing = permission(v, what);
    return false;
}

static void condition(struct visit *v, const char *check, int r, int expected, const char *means,
                      const struct ck_err *why)
{
    if (r == -expected)
        ck_exam_add(v->x, check, CK_EXAM_OK, "proven: %s is refused", means);
    else if (r == 0)
        ck_exam_add(v->x, check, CK_EXAM_WARN, "%s is accepted: two writers may not see each other",
                    means);
    else
        ck_exam_add(v->x, check, CK_EXAM_WARN, "%s ends otherwise: %s", means, ck_err_msg(why));
}

/* ---- questions that write nothing ---- */

static int listing(struct visit *v)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    CK_AUTOERR why = CK_ERR_INIT;
    struct ck_entries dirs = {0};
    int r = ck_vfs_list_dirs(v->root, tmp, &dirs, &why);
    if (r == 0 || r == -(int)CK_DENIED || r == -(int)CK_NOT_FOUND) {
        outcome(v, "list", CK_PERMISSION_LIST, r, &why);
        return r;
    }
    failure(v->x, v->root, &why);
    return r;
}

/* Reads of a file that is not there: one answer each, and nothing to transfer. */
static void reading(struct visit *v)
{
    unsigned n = v->x->requests > MAX_REQUESTS ? MAX_REQUESTS : v->x->requests;
    int64_t *ms = ck_arena_alloc(v->a, n * sizeof *ms);
    for (unsigned i = 0; i < n; i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        CK_AUTOERR why = CK_ERR_INIT;
        int64_t start = ck_mono_ms();
        int r = ck_vfs_read(&v->probe, &b, NULL, &why);
        ms[i] = ck_mono_ms() - start;
        if (i == 0)
            outcome(v, "read", CK_PERMISSION_READ, r, &why);
    }
    ck_exam_latency(v->x, ms, n);
}

static void skip_writing(struct visit *v, const char *why)
{
    static const char *const checks[] = {"create", "conditional-create", "update",
                                         "conditional-update", "delete"};
    for (size_t i = 0; i < CK_ARRAY_LEN(checks); i++)
        ck_exam_add(v->x, checks[i], CK_EXAM_SKIPPED, "%s", why);
}

/* ---- questions that write ---- */

static int write_probe(struct visit *v, const char *text, enum ck_write_mode mode,
                       const struct ck_version *version, struct ck_version *ret, struct ck_err *why)
{
    const struct ck_write_opts opts = {.mode = mode, .version = version};
    ck_err_done(why);
    int r = ck_vfs_write(&v->probe, ck_slice_of(text), &opts, ret, why);
    v->written = v->written || (r != -(int)CK_DENIED && r != -(int)CK_INVALID);
    return r;
}

static void read_back(struct visit *v, const char *expected)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR why = CK_ERR_INIT;
    int r = ck_vfs_read(&v->probe, &b, NULL, &why);
    if (r < 0)
        ck_exam_add(v->x, "read-after-write", CK_EXAM_FAIL, "%s", ck_err_msg(&why));
    else if (!ck_slice_eq_str(ck_buf_slice(&b), expected))
        ck_exam_add(v->x, "read-after-write", CK_EXAM_FAIL,
                    "the store gives another content than was just written");
    else
        ck_exam_add(v->x, "read-after-write", CK_EXAM_OK, "what was written is read");
}

static void exposure(struct visit *v)
{
    static const enum ck_exam_result results[] = {
        [CK_REACH_UNKNOWN] = CK_EXAM_SKIPPED,
        [CK_REACH_OWNER] = CK_EXAM_OK,
        [CK_REACH_GROUP] = CK_EXAM_WARN,
        [CK_REACH_EVERYONE] = CK_EXAM_FAIL,
    };
    CK_AUTOERR why = CK_ERR_INIT;
    struct ck_exposure seen;
    if (ck_vfs_exposure(&v->probe, v->a, &seen, &why) < 0)
        ck_exam_add(v->x, "readers", CK_EXAM_SKIPPED, "%s", ck_err_msg(&why));
    else
        ck_exam_add(v->x, "readers", results[seen.reach], "of a new file: %s", seen.readers);
}

static void removing(struct visit *v)
{
    CK_AUTOERR why = CK_ERR_INIT;
    int r = v->written ? ck_vfs_remove(&v->probe, NULL, &why) : 0;
    if (r == -(int)CK_NOT_FOUND) { /* what failed to be created */
        ck_exam_add(v->x, "delete", CK_EXAM_SKIPPED, "nothing could be written");
        return;
    }
    outcome(v, "delete", CK_PERMISSION_DELETE, r, &why);
    if (r == 0)
        return;
    ck_exam_add(v->x, "probe", CK_EXAM_FAIL, "%s could not be deleted again: delete it",
                ck_path_text(v->a, &v->probe));
}

/* A local folder keeps that of the probe. Only an empty one goes: locks of others may be there. */
static void remove_folder(const struct visit *v)
{
    CK_AUTOERR why = CK_ERR_INIT;
    struct ck_path folder;
    if (strcmp(v->root->vfs->ops->scheme, "file") == 0 &&
        ck_path_join(v->a, v->root, CK_EXAM_FOLDER, &folder, &why) == 0)
        rmdir(folder.key);
}

static void writing(struct visit *v)
{
    CK_AUTOERR why = CK_ERR_INIT;
    struct ck_version first = {""}, second = {""};
    int r = write_probe(v, "one", CK_WRITE_CREATE, NULL, &first, &why);
    if (!outcome(v, "create", CK_PERMISSION_CREATE, r, &why)) {
        if (v->written)
            removing(v);
        remove_folder(v);
        ck_exam_add(v->x, "conditional-writes", CK_EXAM_SKIPPED, "nothing could be written");
        return;
    }
    r = write_probe(v, "two", CK_WRITE_CREATE, NULL, NULL, &why);
    condition(v, "conditional-create", r, CK_EXISTS, "creating a file that is there", &why);
    r = write_probe(v, "three", CK_WRITE_IF_UNCHANGED, &first, &second, &why);
    if (outcome(v, "update", CK_PERMISSION_UPDATE, r, &why)) {
        r = write_probe(v, "four", CK_WRITE_IF_UNCHANGED, &first, NULL, &why);
        condition(v, "conditional-update", r, CK_CONFLICT, "updating a version that is gone", &why);
        read_back(v, "three");
    }
    exposure(v);
    removing(v);
    remove_folder(v);
}

/* ---- all of it ---- */

static int ordinary(struct visit *v, struct ck_err *err)
{
    const char *key = ck_exam_probe_key(v->a, v->root->key);
    const char *rel = strstr(key, CK_EXAM_FOLDER "/");
    int r = ck_path_join(v->a, v->root, rel, &v->probe, err);
    if (r < 0)
        return r;
    v->names = ck_permissions_of(v->root->vfs->ops->scheme);
    ck_exam_add(v->x, "store", CK_EXAM_OK, "%s", ck_path_text(v->a, v->root));
    r = listing(v);
    if (v->x->stop)
        return 0;
    reading(v);
    if (v->x->read_only)
        skip_writing(v, "trying it means writing: left out by --read-only");
    else
        writing(v);
    return 0;
}

int ck_doctor_run(struct ck_arena *a, const struct ck_path *root, const struct ck_doctor_opts *opts,
                  struct ck_exam *ret, struct ck_err *err)
{
    struct ck_vfs_ctx *ctx = root->vfs->ctx;
    struct ck_vfs_watch *watch = ctx->watch;
    CK_AUTOERR why = CK_ERR_INIT;
    *ret = (struct ck_exam){.a = a,
                            .read_only = opts->read_only,
                            .requests = opts->requests ? opts->requests : REQUESTS};
    struct visit v = {.a = a, .x = ret, .root = root};
    ctx->watch = NULL;
    int r = ck_vfs_examine(root, ret, &why);
    if (r < 0)
        failure(ret, root, &why);
    r = ret->stop || ret->probed ? 0 : ordinary(&v, err);
    ctx->watch = watch;
    return r;
}

bool ck_doctor_sound(const struct ck_exam *x)
{
    for (size_t i = 0; i < x->n; i++)
        if (x->v[i].result == CK_EXAM_WARN || x->v[i].result == CK_EXAM_FAIL)
            return false;
    return true;
}
