/* Reading one stored object and preparing one for writing; shared by clusters and instance groups.
 *
 * Mirrors kOps pkg/client/simple/vfsclientset/commonvfs.go. */
#include "store/internal.h"

#include "base/clock.h"

enum { MAX_STORED_BYTES = 16 << 20 };

static const char *kind_name(enum ck_object_kind kind)
{
    switch (kind) {
    case CK_KIND_CLUSTER:
        return "Cluster";
    case CK_KIND_INSTANCE_GROUP:
        return "InstanceGroup";
    case CK_KIND_KEYSET:
        return "Keyset";
    case CK_KIND_SSH_CREDENTIAL:
        return "SSHCredential";
    case CK_KIND_HOST:
        return "Host";
    case CK_KIND_OTHER:
        break;
    }
    return "another kind";
}

static int decode(struct ck_arena *a, const struct ck_store *s, const char *file,
                  struct ck_slice data, struct ck_stored *ret, struct ck_err *err)
{
    struct ck_decode_opts opts = {
        .file = file, .lenient = s->lenient, .warn = s->warn, .warn_arg = s->warn_arg};
    int r = ck_object_decode(a, data, &opts, &ret->obj, err);
    if (!r || s->lenient || r != -CK_INVALID)
        return r;
    /* A newer program may have written fields we do not know. Reading goes on without them;
     * writing such an object back is refused (ck_stored_check_lossy). */
    CK_AUTOERR again = CK_ERR_INIT;
    opts.lenient = true;
    if (ck_object_decode(a, data, &opts, &ret->obj, &again))
        return r;
    s->warn(s->warn_arg, ck_arena_printf(a, "%s holds what this version does not know: %s", file,
                                         ck_err_msg(err)));
    ck_err_done(err);
    ret->lossy = true;
    return 0;
}

int ck_stored_decode(struct ck_arena *a, const struct ck_store *s, const struct ck_path *path,
                     struct ck_slice data, enum ck_object_kind kind, struct ck_stored *ret,
                     struct ck_err *err)
{
    const char *file = ck_path_text(a, path);
    ret->path = *path;
    ret->bytes = data;
    ret->lossy = false;
    int r = decode(a, s, file, data, ret, err);
    if (!r && ret->obj.kind != kind)
        r = ck_fail(err, CK_INVALID, "expected a %s, found a %s", kind_name(kind),
                    kind_name(ret->obj.kind));
    if (r)
        return ck_wrap(err, "error parsing %s", file);
    ret->obj.file = file;
    return 0;
}

int ck_stored_read(struct ck_arena *a, const struct ck_store *s, const struct ck_path *path,
                   enum ck_object_kind kind, struct ck_stored *ret, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_STORED_BYTES);
    *ret = (struct ck_stored){.path = *path};
    int r = ck_vfs_read(path, &b, &ret->version, err);
    if (r) {
        if (r != -CK_NOT_FOUND)
            ck_wrap(err, "error reading %s", ck_path_text(a, path));
        return r;
    }
    struct ck_version version = ret->version;
    r = ck_stored_decode(a, s, path, ck_arena_slice(a, ck_buf_slice(&b)), kind, ret, err);
    ret->version = version;
    return r;
}

int ck_stored_check_lossy(struct ck_arena *a, const struct ck_store *s, const struct ck_stored *old,
                          struct ck_err *err)
{
    if (!old->lossy || s->lenient)
        return 0;
    return ck_fail(err, CK_INVALID,
                   "%s holds fields that this version does not know; writing it would drop them. "
                   "Use a newer version, or --lenient to drop them",
                   ck_path_text(a, &old->path));
}

void ck_stored_stamp(struct ck_arena *a, struct ck_object *o)
{
    const struct ck_val *t = ck_at(o->root, "metadata.creationTimestamp");
    if (t && t->kind == CK_STR && t->s.len && !ck_is_str(t, "0001-01-01T00:00:00Z"))
        return;
    char now[21];
    ck_rfc3339(ck_now_s(), now);
    ck_put(a, o->root, "metadata.creationTimestamp", ck_str(a, now));
}

void ck_stored_generation(struct ck_arena *a, const struct ck_object *old, struct ck_object *now)
{
    if (ck_object_spec_eq(old, now))
        return;
    int64_t generation = ck_int_at(old->root, "metadata.generation", 0);
    ck_put(a, now->root, "metadata.generation",
           ck_int(a, generation < INT64_MAX ? generation + 1 : generation));
}

struct ck_slice ck_stored_encode(struct ck_arena *a, const struct ck_object *o)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_object_yaml(a, &b, o);
    return ck_buf_ok(&b) ? ck_arena_slice(a, ck_buf_slice(&b)) : (struct ck_slice){0};
}
