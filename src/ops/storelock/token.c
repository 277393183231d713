/* Tokens of locks that were taken by hand. The lock object holds only their SHA-256, so that
 * nobody takes a lock over, without its being written down, by reading it. */
#include "ops/storelock/internal.h"

#include "base/file.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <unistd.h>

enum { HEX = CK_LOCK_TOKEN_SIZE - 1 };

/* One text per store: a relative folder is another one in another working directory. */
static const char *store_text(struct ck_arena *a, const struct ck_store *s)
{
    if (s->root.vfs->ops->absolute_keys) {
        char *real = realpath(*s->root.key ? s->root.key : ".", NULL);
        const char *copy = real ? ck_arena_strdup(a, real) : NULL;
        free(real);
        if (copy)
            return copy;
    }
    return ck_path_text(a, &s->root);
}

int ck_lock_key(const struct ck_store *s, const char *cluster, char ret[CK_LOCK_KEY_SIZE],
                struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    int r = ck_crypto_load(err);
    if (r < 0)
        return r;
    char hex[2 * CK_SHA256_LEN + 1];
    ck_sha256_hex(ck_slice_of(ck_arena_printf(a, "%s\n%s", store_text(a, s), cluster)), hex);
    memcpy(ret, hex, CK_LOCK_KEY_SIZE - 1);
    ret[CK_LOCK_KEY_SIZE - 1] = '\0';
    return 0;
}

/* A damaged token is one that fits no lock: who has it believed to hold one, and must be told. */
static bool take(struct ck_slice text, char ret[CK_LOCK_TOKEN_SIZE])
{
    bool good = text.len == HEX;
    for (size_t i = 0; good && i < HEX; i++)
        good = (text.ptr[i] >= '0' && text.ptr[i] <= '9') ||
               (text.ptr[i] >= 'a' && text.ptr[i] <= 'f');
    if (good)
        memcpy(ret, text.ptr, HEX);
    else
        memset(ret, '0', HEX);
    ret[HEX] = '\0';
    return true;
}

static const char *file_of(struct ck_arena *a, const char *dir, const char *key)
{
    return ck_arena_printf(a, "%s/%s", dir, key);
}

bool ck_lock_token_find(const char *given, const char *dir, const char *key,
                        char ret[CK_LOCK_TOKEN_SIZE])
{
    struct ck_slice rest = ck_slice_of(given ? given : ""), item;
    while (ck_slice_next(&rest, ',', &item)) {
        size_t colon = ck_slice_find(item, ':');
        if (colon < item.len && ck_slice_eq_str(ck_slice_n(item.ptr, colon), key))
            return take(ck_slice_n(item.ptr + colon + 1, item.len - colon - 1), ret);
    }
    if (!dir)
        return false;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR ignored = CK_ERR_INIT;
    int r = ck_file_read(file_of(a, dir, key), CK_LOCK_TOKEN_SIZE + 1, &b, &ignored);
    return r != -(int)CK_NOT_FOUND && take(ck_slice_trim(ck_buf_slice(&b)), ret);
}

const char *ck_lock_token_add(struct ck_arena *a, const char *given, const char *key,
                              const char *token)
{
    bool more = given && *given;
    return ck_arena_printf(a, "%s:%s%s%s", key, token, more ? "," : "", more ? given : "");
}

int ck_lock_token_keep(const char *dir, const char *key, const char *token, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    int r = ck_mkdirs(dir, 0700, err);
    return r < 0 ? r : ck_file_write(file_of(a, dir, key), ck_slice_of(token), 0600, err);
}

void ck_lock_token_forget(const char *dir, const char *key)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    (void)unlink(file_of(a, dir, key));
}
