/* The settings of a store; see settings.h. */
#include "store/settings.h"

#include "base/mem.h"
#include "doc/yaml.h"

enum { MAX_BYTES = 4096, MAX_DEPTH = 4, MAX_NODES = 64 };

static const struct {
    const char *key;
    size_t off;
} keys[] = {
    {"journal", offsetof(struct ck_store_settings, journal)},
    {"lock", offsetof(struct ck_store_settings, lock)},
};

static bool *member(struct ck_store_settings *s, size_t i)
{
    return (bool *)((char *)s + keys[i].off);
}

static int path_of(struct ck_arena *a, const struct ck_store *s, struct ck_path *ret,
                   struct ck_err *err)
{
    return ck_path_join(a, &s->root, CK_STORE_OWN_DIR "/settings.yaml", ret, err);
}

static int set(struct ck_store_settings *s, const struct ck_pair *p, struct ck_err *err)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(keys); i++) {
        if (!ck_slice_eq_str(p->key, keys[i].key))
            continue;
        if (p->val->kind != CK_BOOL)
            return ck_fail(err, CK_INVALID, "line %u: %s is true or false", p->key_pos.line,
                           keys[i].key);
        *member(s, i) = p->val->b;
        return 0;
    }
    return ck_fail(err, CK_INVALID, "line %u: unknown setting; a newer version may know it",
                   p->key_pos.line);
}

static int decode(struct ck_slice text, struct ck_store_settings *s, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_yaml_opts opts = {
        .limits = {.bytes = MAX_BYTES, .depth = MAX_DEPTH, .nodes = MAX_NODES}, .strict = true};
    struct ck_val *v;
    int r = ck_yaml_parse(a, text, &opts, &v, NULL, err);
    if (r < 0 || ck_is_null(v))
        return r;
    if (!ck_is_map(v))
        return ck_fail(err, CK_INVALID, "it is no map of settings");
    for (uint32_t i = 0; r == 0 && i < v->map.n; i++)
        r = set(s, &v->map.v[i], err);
    return r;
}

int ck_store_settings_read(const struct ck_store *s, struct ck_store_settings *ret,
                           struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_path path;
    *ret = (struct ck_store_settings){.lock = false};
    int r = path_of(a, s, &path, err);
    if (r < 0)
        return r;
    r = ck_vfs_read(&path, &b, &ret->version, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        ret->version.token[0] = '\0';
        return 0;
    }
    if (r == 0 && b.len > MAX_BYTES)
        r = ck_fail(err, CK_LIMIT, "more than %d bytes", MAX_BYTES);
    if (r == 0)
        r = decode(ck_buf_slice(&b), ret, err);
    return r < 0 ? ck_wrap(err, "the settings of the store, %s", ck_path_text(a, &path)) : 0;
}

int ck_store_settings_write(const struct ck_store *s, struct ck_store_settings *settings,
                            struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_path path;
    int r = path_of(a, s, &path, err);
    if (r < 0)
        return r;
    struct ck_val *v = ck_map(a);
    for (size_t i = 0; i < CK_ARRAY_LEN(keys); i++)
        ck_set_bool(a, v, keys[i].key, *member(settings, i));
    ck_yaml_emit(&b, v);
    const struct ck_version read = settings->version;
    const struct ck_write_opts opts = {
        .mode = *read.token ? CK_WRITE_IF_UNCHANGED : CK_WRITE_CREATE, .version = &read};
    r = ck_vfs_write(&path, ck_buf_slice(&b), &opts, &settings->version, err);
    if (r == -(int)CK_EXISTS)
        return ck_fail(err, CK_CONFLICT, "%s was made by someone else meanwhile",
                       ck_path_text(a, &path));
    return r;
}
