/* The SHA-256 of files: from lists, from what was asked earlier, from the servers that have them.
 * Nothing is downloaded but the sums. Mirrors kOps pkg/assets/builder.go (findHash) and
 * assetdata. */
#include "base/attr.h"
#include "base/file.h"
#include "crypto/hash.h"
#include "model/assets_internal.h"

#include <ctype.h>
#include <string.h>

enum { HEX = 64, MAX_LIST = 16 << 20, MAX_SUM = 64 << 10 };

static bool is_sha256(struct ck_slice s)
{
    if (s.len != HEX)
        return false;
    for (size_t i = 0; i < HEX; i++)
        if (!isxdigit((unsigned char)s.ptr[i]) || isupper((unsigned char)s.ptr[i]))
            return false;
    return true;
}

/* ---- lists ---- */

static int read_list(struct ck_arena *a, const char *path, struct ck_slice *ret, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    int r = ck_file_read(path, MAX_LIST, &text, err);
    *ret = ck_arena_slice(a, ck_buf_slice(&text));
    return r ? ck_wrap(err, "list of hashes") : 0;
}

/* XDG's folder of caches; NULL when the environment names no home. */
static const char *cache_dir(struct ck_arena *a, const struct ck_env *env)
{
    const char *xdg = ck_env_nonempty(env, "XDG_CACHE_HOME"), *home = ck_env_nonempty(env, "HOME");
    if (xdg)
        return ck_arena_printf(a, "%s/ckops/sha256", xdg);
    return home ? ck_arena_printf(a, "%s/.cache/ckops/sha256", home) : NULL;
}

int ck_hash_source_open(struct ck_arena *a, const struct ck_model *m, bool offline,
                        struct ck_hash_source *ret, struct ck_err *err)
{
    const char *mine = ck_env_nonempty(m->env, "CKOPS_ASSET_HASHES");
    const char *given = m->facts ? ck_str_at(m->facts->root, "assetHashes") : "";
    *ret = (struct ck_hash_source){.a = a, .vfs = m->vfs, .offline = offline};
    ret->cache = cache_dir(a, m->env);
    ret->lists[2] = ck_slice_n(ck_assets_known, ck_assets_known_len);
    int r = mine ? read_list(a, mine, &ret->lists[0], err) : 0;
    if (r || !*given)
        return r;
    if (*given != '/')
        given = ck_arena_printf(a, "%s/%s", m->facts->dir, given);
    CK_AUTOERR missing = CK_ERR_INIT;
    r = read_list(a, given, &ret->lists[1], &missing);
    if (r == -CK_NOT_FOUND) /* facts travel without their lists; the others may do */
        return 0;
    return r ? ck_err_move(err, &missing) : 0;
}

/* The sum in the line that begins with the name; empty when there is none. */
static struct ck_slice in_list(struct ck_slice list, const char *name)
{
    size_t n = strlen(name);
    const char *p = list.ptr, *end = list.ptr + list.len;
    while (p && (p = memmem(p, (size_t)(end - p), name, n))) {
        bool starts = p == list.ptr || p[-1] == '\n';
        p += n;
        if (!starts || p == end || (*p != '\t' && *p != ' '))
            continue;
        struct ck_slice sum = ck_slice_n(p + 1, (size_t)(end - p - 1));
        sum.len = strcspn(sum.ptr, " \t\r\n") < sum.len ? strcspn(sum.ptr, " \t\r\n") : sum.len;
        if (is_sha256(sum))
            return sum;
    }
    return (struct ck_slice){0};
}

/* ---- what was asked earlier: a file per name, for names that say a version ---- */

static const char *cache_file(const struct ck_hash_source *s, const char *location)
{
    char name[HEX + 1];
    if (!s->cache || !ck_str_starts(location, "https://"))
        return NULL;
    ck_sha256_hex(ck_slice_of(location), name);
    return ck_arena_printf(s->a, "%s/%s", s->cache, name);
}

static const char *from_cache(const struct ck_hash_source *s, const char *location)
{
    const char *file = cache_file(s, location);
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    if (!file || ck_file_read(file, MAX_SUM, &text, NULL))
        return NULL;
    struct ck_slice sum = in_list(ck_buf_slice(&text), location);
    return sum.len ? ck_arena_strndup(s->a, sum.ptr, sum.len) : NULL;
}

static void to_cache(const struct ck_hash_source *s, const char *location, const char *sum)
{
    const char *file = cache_file(s, location);
    if (!file || ck_mkdirs(s->cache, 0700, NULL))
        return; /* only costs the next look-up */
    const char *text = ck_arena_printf(s->a, "%s\t%s\n", location, sum);
    (void)ck_file_write(file, ck_slice_of(text), 0600, NULL);
}

/* ---- asking ---- */

/* "SUM" or "SUM  FILE". */
static int ask_one(const struct ck_hash_source *s, const char *url, const char **ret,
                   struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_MAX(MAX_SUM);
    int r = ck_vfs_read_location(s->vfs, url, &text, err);
    if (r)
        return r;
    struct ck_slice sum = ck_slice_trim(ck_buf_slice(&text));
    sum.len = strcspn(ck_buf_str(&text) + (sum.ptr - text.ptr), " \t\r\n");
    if (!is_sha256(sum))
        return ck_fail(err, CK_INVALID, "%s does not hold a SHA-256", url);
    *ret = ck_arena_strndup(s->a, sum.ptr, sum.len);
    return 0;
}

static int ask(const struct ck_hash_source *s, const char *location, const char **ret,
               struct ck_err *err)
{
    static const char *const suffixes[] = {".sha256", ".sha256sum"};
    int r = 0;
    for (size_t i = 0; i < CK_ARRAY_LEN(suffixes); i++) {
        ck_err_done(err);
        r = ask_one(s, ck_arena_printf(s->a, "%s%s", location, suffixes[i]), ret, err);
        if (r != -CK_NOT_FOUND)
            return r;
    }
    return ck_fail(err, CK_NOT_FOUND, "there is no %s.sha256", location);
}

static bool is_local(const char *location)
{
    return ck_str_starts(location, "file://") || ck_str_starts(location, "memfs://");
}

int ck_hash_source_find(const struct ck_hash_source *s, const char *canonical,
                        const struct ck_val *locations, const char **ret, struct ck_err *err)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(s->lists); i++) {
        struct ck_slice sum = in_list(s->lists[i], canonical);
        if (sum.len) {
            *ret = ck_arena_strndup(s->a, sum.ptr, sum.len);
            return 0;
        }
    }
    CK_AUTOERR why = CK_ERR_INIT;
    bool asked = false;
    for (size_t i = 0; i < ck_len(locations); i++) {
        const char *location = ck_str_or(ck_item(locations, i), "");
        *ret = from_cache(s, location);
        if (*ret)
            return 0;
        if (s->offline && !is_local(location))
            continue;
        asked = true;
        ck_err_done(&why);
        if (!ask(s, location, ret, &why)) {
            to_cache(s, location, *ret);
            return 0;
        }
    }
    if (!asked)
        return ck_fail(err, CK_NOT_FOUND,
                       "the SHA-256 of %s is not known, and asking for it is not allowed offline: "
                       "put it into a list (lines of URL, tab, SHA-256) and name that in "
                       "CKOPS_ASSET_HASHES, or run once with network access",
                       canonical);
    return ck_fail(err, why.code,
                   "the SHA-256 of %s is not known: %s (CKOPS_ASSET_HASHES can name a list of "
                   "hashes, KOPS_BASE_URL a place that has the binaries of kops)",
                   canonical, ck_err_msg(&why));
}
