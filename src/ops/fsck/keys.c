/* Keysets, secrets and SSH keys: readable, complete, and of a piece. Nothing secret is printed. */
#include "ops/fsck/internal.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "crypto/sshkey.h"
#include "doc/json.h"
#include "store/keyset.h"

#include <string.h>

enum { MAX_SECRET = 2 << 20 };

/* ---- secrets ---- */

void ck_fsck_secret(struct ck_fsck_cluster *c, const char *path, struct ck_slice data)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    CK_CLEANUP(ck_buf_wipe) struct ck_buf plain = CK_BUF_INIT;
    struct ck_val *v = NULL;
    ck_arena_set_wipe(tmp);
    const char *why = NULL;
    if (!data.len)
        why = "it is empty";
    else if (ck_json_parse(tmp, data, MAX_SECRET, &v, NULL) < 0 || !ck_is_map(v))
        why = "it is not a JSON object";
    const struct ck_val *d = ck_get(v, "Data") ? ck_get(v, "Data") : ck_get(v, "data");
    if (!why && (ck_is_null(d) || d->kind != CK_STR))
        why = "it has no Data";
    else if (!why && !ck_base64_decode(&plain, d->s))
        why = "its Data is not base64";
    else if (!why && !plain.len)
        why = "its Data is empty";
    if (why)
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "secret-unreadable", path, "%s", why);
}

/* ---- SSH keys ---- */

void ck_fsck_ssh(struct ck_fsck_cluster *c, const char *path, const char *id, struct ck_slice data)
{
    char fingerprint[CK_SSHKEY_ID_SIZE], plain[CK_SSHKEY_ID_SIZE];
    CK_AUTOERR err = CK_ERR_INIT;
    size_t n = 0;
    if (ck_sshkey_id(ck_arena_slice(c->a, data), fingerprint, &err) < 0) {
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "ssh-unreadable", path, "it holds no public key");
        return;
    }
    for (const char *p = fingerprint; *p; p++)
        if (*p != ':')
            plain[n++] = *p;
    plain[n] = '\0';
    if (strcmp(plain, id) != 0)
        ck_fsck_add(c->a, c->out, CK_FSCK_WARNING, "ssh-wrong-name", path,
                    "the fingerprint of its key is %s", plain);
}

/* ---- keysets ---- */

static void check_item(struct ck_fsck_cluster *c, const char *path, const struct ck_keyset *k,
                       const struct ck_keyset_item *it)
{
    bool primary = it == k->primary;
    CK_AUTOERR err = CK_ERR_INIT;
    if (!it->has_cert && !it->has_key)
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "key-empty", path,
                    "key %s has neither a certificate nor a private key", it->id);
    if (primary && it->has_cert && !it->has_key)
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "primary-without-key", path,
                    "its primary, %s, has no private key", it->id);
    if (it->has_cert && it->has_key) {
        CK_AUTOPKIKEY struct ck_pki_key *key = NULL;
        int r = ck_keyset_item_key(it, &key, &err);
        if (r == 0)
            r = ck_cert_check_key(&it->cert, key, &err);
        if (r < 0)
            ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "key-mismatch", path, "key %s: %s", it->id,
                        ck_err_msg(&err));
    }
    if (it->has_cert && !it->distrusted && it->cert.not_after_s < c->opts->now_s) {
        char when[21];
        ck_rfc3339(it->cert.not_after_s, when);
        ck_fsck_add(c->a, c->out, primary ? CK_FSCK_ERROR : CK_FSCK_WARNING, "certificate-ended",
                    path, "the certificate of key %s ended at %s", it->id, when);
    }
    if (it->has_cert && !it->cert.is_ca && strcmp(k->name, "service-account") != 0)
        ck_fsck_add(c->a, c->out, CK_FSCK_WARNING, "not-an-authority", path,
                    "the certificate of key %s is not that of an authority", it->id);
}

static void check_keyset(struct ck_fsck_cluster *c, const char *path, const struct ck_keyset *k)
{
    if (!k->n) {
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "keyset-empty", path, "it holds no keys");
        return;
    }
    if (!k->primary)
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "keyset-no-primary", path,
                    "none of its keys can be the primary");
    const char *stored = ck_str_at(k->stored.obj.root, "spec.primaryID");
    if (!*stored)
        stored = ck_str_at(k->stored.obj.root, "spec.primaryId");
    const struct ck_keyset_item *named = *stored ? ck_keyset_find(k, stored) : NULL;
    if (*stored && !named)
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "primary-missing", path,
                    "its primary, %.80s, is not among its keys", stored);
    else if (named && named->distrusted)
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "primary-distrusted", path,
                    "its primary, %.80s, is distrusted", stored);
    for (size_t i = 0; i < k->n; i++)
        check_item(c, path, k, k->v[i]);
}

/* No other file would be read better. */
static bool ends_all(enum ck_code code)
{
    return code == CK_UNAVAILABLE || code == CK_TIMEOUT || code == CK_UNAUTHENTICATED ||
           code == CK_CANCELLED || code == CK_INTERNAL;
}

static bool closed(enum ck_code code)
{
    return code == CK_DENIED || code == CK_IO;
}

int ck_fsck_keysets(struct ck_fsck_cluster *c, struct ck_err *err)
{
    CK_AUTOSTRV names = {0};
    CK_AUTOERR unlisted = CK_ERR_INIT;
    if (!c->loaded || (c->base_closed && !*ck_str_at(c->obj.root, "spec.keyStore")))
        return 0;
    int r = ck_keyset_names(c->a, c->s, &c->obj, &names, &unlisted);
    if (r == -(int)CK_NOT_FOUND) /* none have been made yet */
        return 0;
    if (r < 0) { /* the place itself is wrong, or closed to us: the rest can still be looked at */
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "cannot-read", ck_path_text(c->a, &c->dir), "%s",
                    ck_err_msg(&unlisted));
        return 0;
    }
    for (size_t i = 0; r == 0 && i < names.n; i++) {
        struct ck_path p;
        struct ck_keyset k;
        CK_AUTOERR why = CK_ERR_INIT;
        r = ck_layout_keyset(c->a, c->s, &c->obj, names.v[i], &p, err);
        if (r < 0)
            return r;
        const char *path = ck_path_text(c->a, &p);
        if (ck_keyset_read(c->a, c->s, &c->obj, names.v[i], &k, &why) == 0)
            check_keyset(c, path, &k);
        else if (ends_all(why.code))
            return ck_err_move(err, &why);
        else
            ck_fsck_add(c->a, c->out, CK_FSCK_ERROR,
                        closed(why.code) ? "cannot-read" : "keyset-unreadable", path, "%s",
                        ck_err_msg(&why));
    }
    return r;
}
