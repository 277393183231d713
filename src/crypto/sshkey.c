/* SSH public keys in authorized_keys form: finding the key in a text, checking it, its fingerprint.
 *
 * Private keys are not read here. Mirrors golang.org/x/crypto/ssh keys.go (ParseAuthorizedKey) and
 * kOps pkg/sshcredentials. */
#include "crypto/sshkey.h"

#include "base/buf.h"
#include "base/enc.h"
#include "crypto/hash.h"

#include <stdint.h>
#include <stdio.h>

enum { MAX_BLOB = 1 << 16 };

/* ---- the wire blob: length-prefixed strings ---- */

static bool take_string(struct ck_slice *rest, struct ck_slice *ret)
{
    if (rest->len < 4)
        return false;
    const unsigned char *p = (const unsigned char *)rest->ptr;
    size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    if (n > rest->len - 4)
        return false;
    *ret = ck_slice_n(rest->ptr + 4, n);
    *rest = ck_slice_n(rest->ptr + 4 + n, rest->len - 4 - n);
    return true;
}

enum key_shape { SHAPE_RSA, SHAPE_DSA, SHAPE_ECDSA, SHAPE_ED25519, SHAPE_CERT };

static const struct {
    const char *name;
    enum key_shape shape;
    bool hardware;      /* a security key: an application string follows */
    size_t point_bytes; /* of an uncompressed ECDSA point */
} ALGORITHMS[] = {
    {"ssh-rsa", SHAPE_RSA, false, 0},
    {"ssh-ed25519", SHAPE_ED25519, false, 0},
    {"ecdsa-sha2-nistp256", SHAPE_ECDSA, false, 65},
    {"ecdsa-sha2-nistp384", SHAPE_ECDSA, false, 97},
    {"ecdsa-sha2-nistp521", SHAPE_ECDSA, false, 133},
    {"ssh-dss", SHAPE_DSA, false, 0},
    {"sk-ssh-ed25519@openssh.com", SHAPE_ED25519, true, 0},
    {"sk-ecdsa-sha2-nistp256@openssh.com", SHAPE_ECDSA, true, 65},
    {"ssh-rsa-cert-v01@openssh.com", SHAPE_CERT, false, 0},
    {"ssh-dss-cert-v01@openssh.com", SHAPE_CERT, false, 0},
    {"ssh-ed25519-cert-v01@openssh.com", SHAPE_CERT, false, 0},
    {"ecdsa-sha2-nistp256-cert-v01@openssh.com", SHAPE_CERT, false, 0},
    {"ecdsa-sha2-nistp384-cert-v01@openssh.com", SHAPE_CERT, false, 0},
    {"ecdsa-sha2-nistp521-cert-v01@openssh.com", SHAPE_CERT, false, 0},
};

/* A positive integer of at least `min_bytes` bytes in SSH's two's-complement form. */
static bool is_mpint(struct ck_slice s, size_t min_bytes)
{
    return s.len >= min_bytes && s.len > 0 && !((unsigned char)s.ptr[0] & 0x80);
}

static bool check_fields(size_t alg, struct ck_slice *rest)
{
    struct ck_slice f[4];
    switch (ALGORITHMS[alg].shape) {
    case SHAPE_RSA:
        if (!take_string(rest, &f[0]) || !take_string(rest, &f[1]))
            return false;
        return is_mpint(f[0], 1) && f[0].len <= 4 && is_mpint(f[1], 64);
    case SHAPE_DSA:
        for (size_t i = 0; i < 4; i++)
            if (!take_string(rest, &f[i]) || !is_mpint(f[i], 1))
                return false;
        return true;
    case SHAPE_ECDSA:
        if (!take_string(rest, &f[0]) || !take_string(rest, &f[1]))
            return false;
        return ck_slice_starts(f[0], "nistp") && f[1].len == ALGORITHMS[alg].point_bytes &&
               f[1].ptr[0] == 4;
    case SHAPE_ED25519:
        return take_string(rest, &f[0]) && f[0].len == 32;
    case SHAPE_CERT:
        if (!take_string(rest, &f[0]) || !take_string(rest, &f[1]))
            return false;
        *rest = (struct ck_slice){0}; /* signed content: the nodes' sshd judges it */
        return true;
    }
    return false;
}

static bool is_key_blob(struct ck_slice blob)
{
    struct ck_slice name, application;
    if (!take_string(&blob, &name))
        return false;
    for (size_t i = 0; i < CK_ARRAY_LEN(ALGORITHMS); i++) {
        if (!ck_slice_eq_str(name, ALGORITHMS[i].name))
            continue;
        if (!check_fields(i, &blob))
            return false;
        if (ALGORITHMS[i].hardware && !take_string(&blob, &application))
            return false;
        return blob.len == 0;
    }
    return false;
}

/* ---- the text ---- */

static size_t find_blank(struct ck_slice s)
{
    size_t i = 0;
    while (i < s.len && s.ptr[i] != ' ' && s.ptr[i] != '\t')
        i++;
    return i;
}

static struct ck_slice drop(struct ck_slice s, size_t n)
{
    return ck_slice_n(s.ptr + n, s.len - n);
}

/* "TYPE BASE64 [comment]" */
static bool read_key(struct ck_slice line, struct ck_buf *ret_blob)
{
    size_t type = find_blank(line);
    if (type == line.len)
        return false;
    struct ck_slice rest = ck_slice_trim(drop(line, type));
    ck_buf_reset(ret_blob);
    return ck_base64_decode(ret_blob, ck_slice_n(rest.ptr, find_blank(rest))) &&
           ck_buf_ok(ret_blob) && is_key_blob(ck_buf_slice(ret_blob));
}

/* Length of the options in front of a key: up to a blank outside quotes. */
static size_t options_len(struct ck_slice s)
{
    bool quoted = false;
    for (size_t i = 0; i < s.len; i++) {
        if (!quoted && (s.ptr[i] == ' ' || s.ptr[i] == '\t'))
            return i;
        if (s.ptr[i] == '"' && (i == 0 || s.ptr[i - 1] != '\\'))
            quoted = !quoted;
    }
    return s.len;
}

static bool find_key(struct ck_slice text, struct ck_buf *ret_blob)
{
    struct ck_slice line;
    while (ck_slice_next(&text, '\n', &line)) {
        line = ck_slice_trim(ck_slice_n(line.ptr, ck_slice_find(line, '\r')));
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        if (read_key(line, ret_blob) ||
            read_key(ck_slice_trim(drop(line, options_len(line))), ret_blob))
            return true;
    }
    return false;
}

int ck_sshkey_id(struct ck_slice text, char ret[CK_SSHKEY_ID_SIZE], struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf blob = CK_BUF_MAX(MAX_BLOB);
    if (!find_key(text, &blob))
        return ck_fail(err, CK_INVALID, "error parsing SSH public key: ssh: no key found");
    unsigned char md5[CK_MD5_LEN];
    ck_md5(ck_buf_slice(&blob), md5);
    for (size_t i = 0; i < CK_MD5_LEN; i++)
        snprintf(ret + 3 * i, 4, i + 1 < CK_MD5_LEN ? "%02x:" : "%02x", md5[i]);
    return 0;
}
