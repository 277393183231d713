/* A file as a Secret and back: names, labels, annotations, version tokens. No requests.
 *
 * Labels are only for finding; the annotation ckops.dev/path says whose Secret it is, and is
 * checked on every read. */
#include "vfs/k8s/k8s.h"

#include "base/enc.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "doc/json.h"
#include "vfs/object/marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A(name) "ckops.dev/" name

/* ---- names ---- */

void ck_k8s_name(const char *key, char ret[CK_K8S_NAME])
{
    char hex[2 * CK_SHA256_LEN + 1];
    ck_sha256_hex(ck_slice_of(key), hex);
    snprintf(ret, CK_K8S_NAME, "ckf-%.40s", hex);
}

const char *ck_k8s_part_name(struct ck_arena *a, const char *key, const char *gen, unsigned i)
{
    char name[CK_K8S_NAME];
    ck_k8s_name(key, name);
    return ck_arena_printf(a, "%s-%s-%u", name, gen, i);
}

void ck_k8s_hash(struct ck_slice text, char ret[CK_K8S_HASH])
{
    char hex[2 * CK_SHA256_LEN + 1];
    ck_sha256_hex(text, hex);
    snprintf(ret, CK_K8S_HASH, "%.16s", hex);
}

static bool alnum(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

const char *ck_k8s_label(struct ck_arena *a, struct ck_slice name)
{
    bool ok = name.len && name.len <= 63 && alnum(name.ptr[0]) && alnum(name.ptr[name.len - 1]);
    for (size_t i = 0; ok && i < name.len; i++)
        ok = alnum(name.ptr[i]) || name.ptr[i] == '.' || name.ptr[i] == '_' || name.ptr[i] == '-';
    if (ok)
        return ck_arena_strndup(a, name.ptr, name.len);
    char hex[CK_K8S_HASH];
    ck_k8s_hash(name, hex);
    return ck_arena_printf(a, "x-%s", hex);
}

/* ---- out ---- */

static void member(struct ck_buf *out, const char *name, const char *value, bool *first)
{
    if (!*first)
        ck_buf_putc(out, ',');
    *first = false;
    ck_json_string(out, ck_slice_of(name), true);
    ck_buf_putc(out, ':');
    ck_json_string(out, ck_slice_of(value), true);
}

/* For people and for kubectl: the first folder with a dot in its name is taken for a cluster, what
 * is above it for the store. */
static void put_cluster(struct ck_buf *out, struct ck_arena *a, const char *key, bool *first)
{
    const char *at = key;
    for (const char *slash; (slash = strchr(at, '/')); at = slash + 1) {
        struct ck_slice step = ck_slice_n(at, (size_t)(slash - at));
        if (step.len < 3 || step.ptr[0] == '.' || ck_slice_find(step, '.') == step.len)
            continue;
        char hex[CK_K8S_HASH];
        size_t above = at > key ? (size_t)(at - key) - 1 : 0;
        ck_k8s_hash(ck_slice_n(key, above), hex);
        hex[12] = '\0';
        member(out, A("store"), hex, first);
        member(out, A("cluster"), ck_k8s_label(a, step), first);
        return;
    }
}

static void put_labels(struct ck_buf *out, const char *key)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    bool first = true;
    char hex[CK_K8S_HASH];
    ck_buf_puts(out, "\"labels\":{");
    member(out, "app.kubernetes.io/managed-by", "ckops", &first);
    put_cluster(out, a, key, &first);
    const char *base = strrchr(key, '/');
    ck_k8s_hash(ck_slice_n(key, base ? (size_t)(base - key) : 0), hex);
    member(out, A("dir"), hex, &first);
    member(out, A("file"), ck_k8s_label(a, ck_slice_of(base ? base + 1 : key)), &first);
    unsigned level = 1;
    for (const char *p = strchr(key, '/'); p && level <= CK_K8S_LEVELS; p = strchr(p + 1, '/')) {
        ck_k8s_hash(ck_slice_n(key, (size_t)(p - key)), hex);
        member(out, ck_arena_printf(a, A("in-%u"), level++), hex, &first);
    }
    ck_buf_putc(out, '}');
}

static void put_head(struct ck_buf *out, const char *name, const char *rv)
{
    ck_buf_puts(out, "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"type\":\"ckops.dev/file\","
                     "\"metadata\":{\"name\":");
    ck_json_string(out, ck_slice_of(name), true);
    if (rv && *rv) {
        ck_buf_puts(out, ",\"resourceVersion\":");
        ck_json_string(out, ck_slice_of(rv), true);
    }
    ck_buf_putc(out, ',');
}

static void put_data(struct ck_buf *out, struct ck_slice content)
{
    ck_buf_puts(out, "},\"data\":{\"content\":\"");
    ck_base64_encode(out, content.ptr, content.len);
    ck_buf_puts(out, "\"}");
}

void ck_k8s_put_file(struct ck_buf *out, const struct ck_k8s_file *f)
{
    char name[CK_K8S_NAME], sha256[2 * CK_SHA256_LEN + 1], size[24];
    unsigned char md5[CK_MD5_LEN];
    CK_AUTOBUF struct ck_buf hex = CK_BUF_INIT;
    ck_k8s_name(f->key, name);
    ck_sha256_hex(f->data, sha256);
    ck_md5(f->data, md5);
    ck_hex_encode(&hex, md5, sizeof md5);
    snprintf(size, sizeof size, "%zu", f->data.len);
    put_head(out, name, f->rv);
    put_labels(out, f->key);
    bool first = true;
    ck_buf_puts(out, ",\"annotations\":{");
    member(out, A("path"), f->key, &first);
    member(out, A("md5"), ck_buf_str(&hex), &first);
    member(out, A("sha256"), sha256, &first);
    member(out, A("size"), size, &first);
    member(out, A("write"), f->nonce, &first);
    if (f->parts) {
        CK_AUTOBUF struct ck_buf parts = CK_BUF_INIT;
        ck_buf_fmt(&parts, "%s/%u", f->gen, f->parts);
        member(out, A("parts"), ck_buf_str(&parts), &first);
    }
    ck_buf_putc(out, '}');
    if (f->parts)
        ck_buf_puts(out, "},\"data\":{}");
    else
        put_data(out, f->data);
    ck_buf_putc(out, '}');
}

void ck_k8s_put_part(struct ck_buf *out, const struct ck_k8s_file *f, unsigned i, const char *uid,
                     const char *rv)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    char name[CK_K8S_NAME];
    ck_k8s_name(f->key, name);
    put_head(out, ck_k8s_part_name(a, f->key, f->gen, i), rv);
    bool first = true;
    ck_buf_puts(out, "\"labels\":{");
    member(out, "app.kubernetes.io/managed-by", "ckops", &first);
    member(out, A("part-of"), name, &first);
    ck_buf_puts(out, "},\"annotations\":{");
    first = true;
    member(out, A("path"), f->key, &first);
    member(out, A("part"), ck_arena_printf(a, "%s/%u", f->gen, i), &first);
    ck_buf_putc(out, '}');
    if (*uid) {
        ck_buf_puts(out, ",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Secret\","
                         "\"name\":");
        ck_json_string(out, ck_slice_of(name), true);
        ck_buf_puts(out, ",\"uid\":");
        ck_json_string(out, ck_slice_of(uid), true);
        ck_buf_puts(out, "}]");
    }
    size_t from = (size_t)i * CK_K8S_PART;
    size_t n = f->data.len - from < CK_K8S_PART ? f->data.len - from : CK_K8S_PART;
    put_data(out, ck_slice_n(f->data.ptr + from, n));
    ck_buf_puts(out, ",\"immutable\":true}");
}

/* ---- in ---- */

/* "GEN/N": hex digits and a number from 1 on. */
static bool parts_parse(struct ck_slice text, char gen[CK_K8S_GEN], unsigned *ret_n)
{
    size_t n = ck_slice_find(text, '/');
    if (n != CK_K8S_GEN - 1 || n >= text.len || text.len - n > 6)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!strchr("0123456789abcdef", text.ptr[i]))
            return false;
    unsigned v = 0;
    for (size_t i = n + 1; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        v = v * 10 + (unsigned)(text.ptr[i] - '0');
    }
    memcpy(gen, text.ptr, n);
    gen[n] = '\0';
    *ret_n = v;
    return v > 0 && v <= CK_K8S_MAX_PARTS;
}

int ck_k8s_meta_of(const struct ck_val *secret, struct ck_k8s_meta *ret, struct ck_err *err)
{
    const struct ck_val *m = ck_get(secret, "metadata"), *a = ck_get(m, "annotations");
    const char *name = ck_str_or(ck_get(m, "name"), "");
    *ret = (struct ck_k8s_meta){
        .path = ck_str_or(ck_get(a, A("path")), NULL),
        .rv = ck_str_or(ck_get(m, "resourceVersion"), ""),
        .uid = ck_str_or(ck_get(m, "uid"), ""),
        .nonce = ck_str_or(ck_get(a, A("write")), ""),
        .md5 = ck_str_or(ck_get(a, A("md5")), ""),
        .sha256 = ck_str_or(ck_get(a, A("sha256")), ""),
        .size = -1,
    };
    if (!ret->path)
        return ck_fail(err, CK_INVALID,
                       "the Secret %.80s has no annotation ckops.dev/path: it is no file of ckops",
                       name);
    const char *encoding = ck_str_or(ck_get(a, A("encoding")), "");
    if (*encoding && strcmp(encoding, "identity") != 0)
        return ck_fail(err, CK_UNSUPPORTED,
                       "the Secret %.80s has its content encoded as \"%.40s\", which this version "
                       "does not read",
                       name, encoding);
    const char *size = ck_str_or(ck_get(a, A("size")), "");
    if (*size && strspn(size, "0123456789") == strlen(size) && strlen(size) < 18)
        ret->size = strtoll(size, NULL, 10);
    const char *parts = ck_str_or(ck_get(a, A("parts")), "");
    if (!*parts)
        return 0;
    if (parts_parse(ck_slice_of(parts), ret->gen, &ret->parts))
        return 0;
    return ck_fail(err, CK_INVALID,
                   "the Secret %.80s has an annotation ckops.dev/parts that says nothing", name);
}

int ck_k8s_check_path(const struct ck_k8s_meta *m, const char *key, struct ck_err *err)
{
    if (strcmp(m->path, key) == 0)
        return 0;
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(m->path));
    return ck_fail(err, CK_INVALID,
                   "the Secret of this path says that it is that of %s: it was copied or edited",
                   ck_buf_str(&q));
}

int ck_k8s_check_hash(const struct ck_k8s_meta *m, struct ck_slice content, struct ck_err *err)
{
    char hex[2 * CK_SHA256_LEN + 1];
    if (!*m->sha256)
        return 0;
    ck_sha256_hex(content, hex);
    if (strcmp(hex, m->sha256) == 0)
        return 0;
    return ck_fail(err, CK_UNAVAILABLE,
                   "the content does not match the annotation ckops.dev/sha256: it was damaged, or "
                   "edited without removing the annotations ckops.dev/md5, ckops.dev/sha256 and "
                   "ckops.dev/size");
}

int ck_k8s_content_of(const struct ck_val *secret, struct ck_buf *out, struct ck_err *err)
{
    const struct ck_val *c = ck_get(ck_get(secret, "data"), "content");
    if (ck_is_null(c) || (c->kind == CK_STR && ck_base64_decode(out, c->s)))
        return 0;
    return ck_fail(err, CK_UNAVAILABLE, "the Secret's content is not base64");
}

/* ---- versions ---- */

void ck_k8s_version(const struct ck_k8s_meta *m, struct ck_version *ret)
{
    if (!ret)
        return;
    *ret = (struct ck_version){""};
    if (!*m->rv)
        return;
    if (m->parts)
        snprintf(ret->token, sizeof ret->token, "%.40s %s/%u", m->rv, m->gen, m->parts);
    else
        snprintf(ret->token, sizeof ret->token, "%.40s", m->rv);
    ck_marks_add(ret, m->nonce);
}

bool ck_k8s_version_parse(struct ck_arena *a, const struct ck_version *v, struct ck_k8s_meta *ret)
{
    *ret = (struct ck_k8s_meta){.rv = "", .uid = "", .nonce = ""};
    struct ck_slice rest = ck_slice_of(v ? v->token : ""), word = CK_S("");
    /* The server takes "0" and "" for "whatever is there". */
    if (!ck_slice_next(&rest, ' ', &word) || !word.len || word.ptr[0] == '0')
        return false;
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] < '0' || word.ptr[i] > '9')
            return false;
    ret->rv = ck_arena_strndup(a, word.ptr, word.len);
    while (ck_slice_next(&rest, ' ', &word))
        if (ck_slice_find(word, '/') == word.len)
            ret->nonce = ck_arena_strndup(a, word.ptr, word.len);
        else if (!parts_parse(word, ret->gen, &ret->parts))
            return false;
    return true;
}
