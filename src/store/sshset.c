/* SSH public keys of a cluster: KEYSTORE/ssh/public/admin/<MD5 of the key, hex>.
 *
 * The user is always "admin". Mirrors kOps upup/pkg/fi/vfs_castore.go (SSH part). */
#include "store/internal.h"

#include "base/mem.h"
#include "crypto/sshkey.h"

enum { MAX_KEY_BYTES = 1 << 20 };

static int keys_dir(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                    struct ck_path *ret, struct ck_err *err)
{
    struct ck_path base;
    int r = ck_layout_key_store(a, s, cluster, &base, err);
    return r ? r : ck_path_join(a, &base, "ssh/public/admin", ret, err);
}

static int list_files(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                      struct ck_path *ret_dir, struct ck_entries *ret, struct ck_err *err)
{
    int r = keys_dir(a, s, cluster, ret_dir, err);
    if (!r)
        r = ck_vfs_list(ret_dir, a, ret, err);
    if (r == -CK_NOT_FOUND) {
        ck_err_done(err);
        ret->n = 0;
        return 0;
    }
    return r ? ck_wrap(err, "error listing SSH public keys") : 0;
}

/* The id is made from the content; a file that holds no key keeps its name as id. */
static const char *id_of(struct ck_arena *a, const struct ck_store *s, struct ck_slice text,
                         const struct ck_path *file, const char *name)
{
    CK_AUTOERR e = CK_ERR_INIT;
    char id[CK_SSHKEY_ID_SIZE];
    if (!ck_sshkey_id(text, id, &e))
        return ck_arena_strdup(a, id);
    s->warn(s->warn_arg, ck_arena_printf(a, "%s: %s", ck_path_text(a, file), ck_err_msg(&e)));
    return ck_arena_strdup(a, name);
}

int ck_ssh_list(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                struct ck_ssh_key **ret, size_t *ret_n, struct ck_err *err)
{
    struct ck_path dir;
    struct ck_entries files = {0};
    *ret = NULL;
    *ret_n = 0;
    int r = list_files(a, s, cluster, &dir, &files, err);
    if (r)
        return r;
    struct ck_ssh_key *v = ck_arena_alloc(a, (files.n + 1) * sizeof *v);
    for (size_t i = 0; i < files.n; i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_KEY_BYTES);
        struct ck_path file = {dir.vfs, files.v[i].key};
        r = ck_vfs_read(&file, &b, NULL, err);
        if (r == -CK_NOT_FOUND) {
            ck_err_done(err);
            continue;
        }
        if (r)
            return ck_wrap(err, "error reading SSH public key %s", ck_path_text(a, &file));
        struct ck_slice text = ck_arena_slice(a, ck_slice_trim(ck_buf_slice(&b)));
        v[(*ret_n)++] = (struct ck_ssh_key){id_of(a, s, text, &file, files.v[i].name), text.ptr};
    }
    *ret = v;
    return 0;
}

int ck_ssh_prepare(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                   struct ck_slice key, struct ck_batch *b, struct ck_err *err)
{
    char id[CK_SSHKEY_ID_SIZE], name[CK_SSHKEY_ID_SIZE];
    if (ck_sshkey_id(key, id, err))
        return ck_wrap(err, "error fingerprinting SSH public key");
    size_t n = 0;
    for (const char *p = id; *p; p++)
        if (*p != ':')
            name[n++] = *p;
    name[n] = 0;
    struct ck_path dir, path;
    int r = keys_dir(a, s, cluster, &dir, err);
    if (!r)
        r = ck_path_join(a, &dir, name, &path, err);
    if (r)
        return r;
    struct ck_batch_item *it = ck_batch_add(a, b);
    it->what = ck_arena_printf(a, "SSH public key \"%s\"", id);
    it->path = path;
    it->data = ck_arena_slice(a, key);
    it->unguarded = true; /* the name is the key: another content there is the same key */
    return 0;
}

int ck_ssh_add(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
               struct ck_slice key, struct ck_err *err)
{
    struct ck_batch b = {0};
    int r = ck_ssh_prepare(a, s, cluster, key, &b, err);
    return r ? r : ck_batch_commit(a, s, &b, NULL, err);
}

int ck_ssh_delete_all(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                      struct ck_err *err)
{
    struct ck_path dir;
    struct ck_entries files = {0};
    int r = list_files(a, s, cluster, &dir, &files, err);
    for (size_t i = 0; i < files.n && !r; i++) {
        struct ck_path file = {dir.vfs, files.v[i].key};
        r = ck_vfs_remove(&file, NULL, err);
        if (r == -CK_NOT_FOUND) {
            ck_err_done(err);
            r = 0;
        }
        if (r)
            ck_wrap(err, "error deleting SSH public key %s", ck_path_text(a, &file));
    }
    return r;
}
