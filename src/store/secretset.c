/* Secrets: one JSON file each, payload in base64.
 *
 * Contents are never looked at here. Mirrors kOps upup/pkg/fi/secrets/vfssecretstore.go. */
#include "store/secretset.h"

#include "base/enc.h"
#include "base/mem.h"
#include "base/secret.h"
#include "doc/json.h"

enum { MAX_FILE_BYTES = 2 * CK_SECRET_MAX_BYTES };

int ck_secret_list(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                   struct ck_strv *ret, struct ck_err *err)
{
    struct ck_path dir;
    struct ck_entries e = {0};
    int r = ck_layout_secret_store(a, s, cluster, &dir, err);
    if (!r)
        r = ck_vfs_list(&dir, a, &e, err);
    if (r == -CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r)
        return ck_wrap(err, "error listing secrets");
    for (size_t i = 0; i < e.n; i++)
        ck_strv_push(ret, e.v[i].name);
    return 0;
}

/* The value of the last key that is "data" in any case, as Go's decoder takes it. */
static const struct ck_val *data_of(const struct ck_val *v)
{
    const struct ck_val *found = NULL;
    for (uint32_t i = 0; ck_is_map(v) && i < v->map.n; i++)
        if (ck_slice_ieq_str(v->map.v[i].key, "data"))
            found = v->map.v[i].val;
    return found;
}

/* The one form kOps writes, without the JSON library: it would leave copies behind. */
static bool decode_plain(struct ck_slice file, struct ck_buf *out)
{
    static const char BEFORE[] = "{\"Data\":\"", AFTER[] = "\"}";
    enum { BEFORE_LEN = sizeof BEFORE - 1, AFTER_LEN = sizeof AFTER - 1 };
    if (!ck_slice_starts(file, BEFORE) || !ck_slice_ends(file, AFTER) ||
        file.len < BEFORE_LEN + AFTER_LEN)
        return false;
    size_t before = out->len;
    struct ck_slice data = {file.ptr + BEFORE_LEN, file.len - BEFORE_LEN - AFTER_LEN};
    if (ck_base64_decode(out, data))
        return true;
    out->len = before;
    return false;
}

static int decode(struct ck_slice file, struct ck_buf *out, struct ck_err *err)
{
    if (decode_plain(file, out))
        return 0;
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    CK_AUTOERR ignored = CK_ERR_INIT; /* its text may quote the secret */
    struct ck_val *v = NULL;
    ck_arena_set_wipe(tmp);
    if (ck_json_parse(tmp, file, MAX_FILE_BYTES, &v, &ignored) || !ck_is_map(v))
        return ck_fail(err, CK_INVALID, "it is not a JSON object");
    const struct ck_val *data = data_of(v);
    if (!data || ck_is_null(data))
        return 0;
    if (data->kind != CK_STR || !ck_base64_decode(out, data->s))
        return ck_fail(err, CK_INVALID, "its data is not base64");
    return 0;
}

int ck_secret_read(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                   const char *name, struct ck_buf *out, struct ck_err *err)
{
    struct ck_path path;
    ck_mem_set_wipe();
    CK_AUTOSECRET b = CK_SECRET_MAX(MAX_FILE_BYTES);
    int r = ck_layout_secret(a, s, cluster, name, &path, err);
    if (!r)
        r = ck_vfs_read(&path, ck_secret_sink(&b), NULL, err);
    if (r)
        return r;
    if (!ck_secret_ok(&b))
        r = ck_fail(err, CK_LIMIT, "it is larger than 2 MiB");
    else
        r = decode(ck_secret_view(&b), out, err);
    return r ? ck_wrap(err, "parsing secret from \"%s\"", ck_path_text(a, &path)) : 0;
}

static int overwrite(const struct ck_path *path, struct ck_slice data, struct ck_err *err)
{
    CK_AUTOSECRET now = CK_SECRET_MAX(MAX_FILE_BYTES);
    struct ck_version version;
    int r = ck_vfs_read(path, ck_secret_sink(&now), &version, err);
    struct ck_write_opts opts = {.mode = CK_WRITE_IF_UNCHANGED, .version = &version};
    if (r == -CK_NOT_FOUND) {
        ck_err_done(err);
        opts = (struct ck_write_opts){.mode = CK_WRITE_CREATE};
        r = 0;
    }
    if (!r)
        r = ck_vfs_write(path, data, &opts, NULL, err);
    if (r == -CK_CONFLICT || r == -CK_EXISTS || r == -CK_NOT_FOUND)
        return ck_fail(err, CK_CONFLICT, "it was changed by someone else at the same time");
    return r;
}

int ck_secret_write(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                    const char *name, struct ck_slice payload, bool replace, struct ck_err *err)
{
    struct ck_path path;
    int r = ck_layout_secret(a, s, cluster, name, &path, err);
    if (r)
        return r;
    if (payload.len > CK_SECRET_MAX_BYTES)
        return ck_fail(err, CK_LIMIT, "secret \"%s\" is larger than 1 MiB", name);
    ck_mem_set_wipe();
    CK_AUTOSECRET b = CK_SECRET_INIT;
    struct ck_buf *file = ck_secret_sink(&b);
    ck_buf_reserve(file, payload.len / 3 * 4 + 32);
    ck_buf_puts(file, "{\"Data\":\"");
    ck_base64_encode(file, payload.ptr, payload.len);
    ck_buf_puts(file, "\"}");
    struct ck_write_opts opts = {.mode = CK_WRITE_CREATE};
    r = replace ? overwrite(&path, ck_secret_view(&b), err)
                : ck_vfs_write(&path, ck_secret_view(&b), &opts, NULL, err);
    return r ? ck_wrap(err, "error writing secret \"%s\"", name) : 0;
}

int ck_secret_delete(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                     const char *name, struct ck_err *err)
{
    struct ck_path path;
    int r = ck_layout_secret(a, s, cluster, name, &path, err);
    if (!r && ck_vfs_remove(&path, NULL, err))
        return ck_wrap(err, "deleting secret \"%s\"", name);
    return r;
}
