/* `store`: the tools around a state store, and what they share. kOps has nothing like it. */
#include "cmd/commands.h"
#include "cmd/frame/config.h"
#include "cmd/store/storecmd.h"

#include "doc/json.h"
#include "ops/storetools/copy.h"

#include <string.h>

int ck_store_end(struct ck_ctx *ctx, const char *text, struct ck_env *env, struct ck_copy_end *ret,
                 struct ck_err *err)
{
    struct ck_config config;
    ck_config_load(ctx, &config);
    const char *url = NULL;
    int r = ck_config_context(ctx, &config, text, &url, err);
    if (r == 0 && !*url)
        return ck_fail(err, CK_INVALID, "a location is empty: a store's URL or a folder is needed");
    if (r == 0)
        r = ck_state_clean(ctx->arena, url, &url, err);
    if (r < 0)
        return r;
    if (ck_str_starts(url, "memfs://") && !ck_env_nonempty(&ctx->env, "CKOPS_MEMFS_ROOT"))
        return ck_fail(err, CK_INVALID,
                       "%s is in memory and would end with this command; CKOPS_MEMFS_ROOT=FOLDER "
                       "keeps it",
                       url);
    for (size_t i = 0; i < ctx->env.vars.n; i++)
        if (ctx->env.vars.e[i].val)
            ck_env_set(env, ctx->env.vars.e[i].key, ctx->env.vars.e[i].val);
    const char *profile = ck_config_store_setting(&config, url, "profile");
    const char *ca = ck_config_store_setting(&config, url, "ca_bundle");
    if (ca && !ck_env_nonempty(env, "CKOPS_STORE_CA_BUNDLE"))
        ck_env_set(env, "CKOPS_STORE_CA_BUNDLE", ca);
    const char *given = ck_env_nonempty(env, "CKOPS_STORE_PROFILE");
    *ret = (struct ck_copy_end){.url = url,
                                .env = env,
                                .profile = given     ? given
                                           : profile ? profile
                                                     : config.store_profile};
    return 0;
}

int ck_store_check_output(const char *output, const char *plain, struct ck_err *err)
{
    if (strcmp(output, plain) == 0 || strcmp(output, "json") == 0)
        return 0;
    return ck_fail(err, CK_INVALID, "--output is %s or json, not \"%s\"", plain, output);
}

int ck_store_must_have(struct ck_ctx *ctx, const struct ck_store *s, const char *cluster,
                       struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_path config;
    int r = ck_layout_config(ctx->arena, s, cluster, &config, err);
    if (r == 0)
        r = ck_vfs_read(&config, &b, NULL, err);
    if (r == -(int)CK_NOT_FOUND)
        return ck_fail(err, CK_NOT_FOUND, "cluster \"%s\" not found in %s", cluster, s->url);
    return r;
}

void ck_store_print_json(struct ck_ctx *ctx, const struct ck_val *v)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_json_emit(&b, v, (struct ck_json_style){.order = CK_JSON_AS_IS, .indent = 2});
    ck_print(ctx, "%s\n", ck_buf_str(&b));
}

static const struct ck_cmd *const subs[] = {
    &ck_cmd_store_copy,
    &ck_cmd_store_diff,
    &ck_cmd_store_doctor,
    &ck_cmd_store_export,
    &ck_cmd_store_fsck,
    &ck_cmd_store_import,
    &ck_cmd_store_lock,
    &ck_cmd_store_log,
    &ck_cmd_store_migrate,
    &ck_cmd_store_policy,
    &ck_cmd_store_restore,
    &ck_cmd_store_settings,
    &ck_cmd_store_snapshot,
    &ck_cmd_store_sync,
    &ck_cmd_store_undo,
    &ck_cmd_store_unlock,
    NULL,
};
const struct ck_cmd ck_cmd_store = {
    .name = "store",
    .use = "store",
    .brief = "Copy, check, share and guard stores.",
    .subs = subs,
};
