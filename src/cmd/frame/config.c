/* Where the state store is: configuration file and the form of its URL.
 *
 * The precedence of flag, environment and file is applied in context.c. Mirrors cmd/kops/root.go
 * (viper) with the differences that vfs.md §14.3 asks for. */
#include "cmd/frame/config.h"

#include "base/enc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/nearest.h"
#include "doc/yaml.h"

#include <string.h>

enum { CONFIG_MAX = 1024 * 1024 };

/* The value of a top-level key, upper and lower case alike; the last one wins. */
static const char *value_of(const struct ck_val *root, const char *key)
{
    const char *found = NULL;
    if (!ck_is_map(root))
        return NULL;
    for (uint32_t i = 0; i < root->map.n; i++)
        if (ck_slice_ieq_str(root->map.v[i].key, key))
            found = ck_str_or(root->map.v[i].val, found);
    return found;
}

/* A setting that does nothing is a trap. */
static void warn_of_unknown(struct ck_ctx *ctx, const struct ck_val *stores)
{
    static const char *const known[] = {"profile", "ca_bundle"};
    for (size_t i = 0; ck_is_map(stores) && i < ck_len(stores); i++) {
        const struct ck_pair *p = &stores->map.v[i];
        for (size_t j = 0; ck_is_map(p->val) && j < ck_len(p->val); j++) {
            struct ck_slice key = p->val->map.v[j].key;
            if (ck_slice_eq_str(key, known[0]) || ck_slice_eq_str(key, known[1]))
                continue;
            const char *near = ck_nearest(ck_arena_strndup(ctx->arena, key.ptr, key.len), known,
                                          CK_ARRAY_LEN(known));
            ck_warn("configuration file: ckops_stores, %.*s: there is no setting \"%.*s\"%s%s",
                    CK_SARG(p->key), CK_SARG(key), near ? "; did you mean " : "", near ? near : "");
        }
    }
}

static int parse(struct ck_ctx *ctx, struct ck_slice text, struct ck_config *ret,
                 struct ck_err *err)
{
    /* as viper's parser: of two stores with one name neither is meant */
    const struct ck_yaml_opts opts = {.strict = true};
    struct ck_val *root = NULL;
    if (ck_yaml_parse(ctx->arena, text, &opts, &root, NULL, err) < 0)
        return ck_wrap(err, "While parsing config");
    ret->state = value_of(root, "kops_state_store");
    ret->store_profile = value_of(root, "ckops_store_profile");
    ret->contexts = ck_get(root, "ckops_contexts");
    ret->stores = ck_get(root, "ckops_stores");
    warn_of_unknown(ctx, ret->stores);
    return 0;
}

const char *ck_config_store_setting(const struct ck_config *c, const char *url, const char *key)
{
    const char *found = NULL;
    size_t longest = 0;
    for (size_t i = 0; ck_is_map(c->stores) && i < ck_len(c->stores); i++) {
        const struct ck_pair *p = &c->stores->map.v[i];
        size_t n = p->key.len;
        while (n && p->key.ptr[n - 1] == '/')
            n--;
        bool covers = strncmp(url, p->key.ptr, n) == 0 && (url[n] == '/' || !url[n]);
        const char *v = ck_str_or(ck_get(p->val, key), NULL);
        if (covers && v && n >= longest) {
            found = v;
            longest = n;
        }
    }
    return found;
}

static int no_such_context(const struct ck_config *c, const char *name, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf known = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    for (size_t i = 0; ck_is_map(c->contexts) && i < ck_len(c->contexts); i++)
        ck_buf_fmt(&known, "%s@%.*s", i ? ", " : "", CK_SARG(c->contexts->map.v[i].key));
    ck_goquote(&q, ck_slice_of(name));
    return ck_fail(err, CK_INVALID,
                   "there is no store called %s in the configuration file's ckops_contexts (%s); a "
                   "folder of this name is written ./@…",
                   ck_buf_str(&q), known.len ? ck_buf_str(&known) : "it has none");
}

int ck_config_context(struct ck_ctx *ctx, const struct ck_config *c, const char *text,
                      const char **ret, struct ck_err *err)
{
    *ret = text;
    if (*text != '@')
        return 0;
    const struct ck_val *found = ck_get(c->contexts, text + 1);
    const char *url = ck_str_or(found, "");
    if (!found)
        return no_such_context(c, text, err);
    if (!*url)
        return ck_fail(err, CK_INVALID, "%s in ckops_contexts is no URL", text);
    if (*url == '@')
        return ck_fail(err, CK_INVALID, "%s in ckops_contexts is %s: a URL is needed, not a name",
                       text, url);
    *ret = url;
    return 0;
}

static int load(struct ck_ctx *ctx, const char *path, struct ck_config *ret, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    int r = ck_file_read(path, CONFIG_MAX, &text, err);
    return r < 0 ? r : parse(ctx, ck_buf_slice(&text), ret, err);
}

void ck_config_load(struct ck_ctx *ctx, struct ck_config *ret)
{
    static const char *const names[] = {".kops.yaml", ".kops/config"};
    const char *home = ck_env_nonempty(&ctx->env, "HOME");
    *ret = (struct ck_config){0};
    CK_AUTOERR err = CK_ERR_INIT;
    int r = 0;
    if (ctx->opt_config && *ctx->opt_config) {
        r = load(ctx, ctx->opt_config, ret, &err);
    } else {
        for (size_t i = 0; home && i < CK_ARRAY_LEN(names); i++) {
            r = load(ctx, ck_arena_printf(ctx->arena, "%s/%s", home, names[i]), ret, &err);
            if (r != -(int)CK_NOT_FOUND)
                break;
            r = 0;
        }
    }
    if (r < 0)
        ck_warn("error reading config: %s", ck_err_msg(&err));
}

/* "s3:/bucket": a known scheme and one slash only. */
static bool slash_missing(const char *text)
{
    static const char *const schemes[] = {"s3",    "gs",        "do",  "linode", "hos",
                                          "swift", "azureblob", "scw", "k8s",    "memfs",
                                          "oss",   "ssh",       "file"};
    const char *colon = strchr(text, ':');
    if (!colon || strncmp(colon, "://", 3) == 0)
        return false;
    for (size_t i = 0; i < CK_ARRAY_LEN(schemes); i++)
        if (ck_slice_eq_str(ck_slice_n(text, (size_t)(colon - text)), schemes[i]))
            return true;
    return false;
}

int ck_state_clean(struct ck_arena *a, const char *text, const char **ret, struct ck_err *err)
{
    if (slash_missing(text))
        return ck_fail(err, CK_INVALID,
                       "error building path for \"%s\": a store URL has two slashes after its "
                       "scheme, as in s3://bucket",
                       text);
    size_t keep = 0, len = strlen(text);
    const char *sep = strstr(text, "://");
    if (sep)
        keep = (size_t)(sep - text) + 3 + (sep[3] == '/'); /* file:/// is the root folder */
    while (len > keep && text[len - 1] == '/')
        len--;
    *ret = ck_arena_strndup(a, text, len);
    return 0;
}
