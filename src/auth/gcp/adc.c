/* Where Google's default credentials come from, and which flow the file asks for. Not here:
 * gcloud's own login. */
#include "auth/gcp/adc.h"

#include "base/file.h"
#include "base/mem.h"
#include "doc/json.h"

#include <string.h>

enum { FILE_MAX = 256 * 1024, MAX_DEPTH = 3 };

#define GOOGLE_TOKEN_URL "https://oauth2.googleapis.com/token"

/* ---- flows of a file ---- */

static int authorized_user(struct ck_gcp *g, struct ck_arena *a, const struct ck_val *file,
                           struct ck_token *ret, struct ck_err *err)
{
    static const char *const needed[] = {"client_id", "client_secret", "refresh_token"};
    CK_AUTOBUF struct ck_buf form = {.secret = true};
    ck_form_add(&form, "grant_type", "refresh_token");
    for (size_t i = 0; i < CK_ARRAY_LEN(needed); i++) {
        const char *value = ck_str_at(file, needed[i]);
        if (!*value)
            return ck_fail(err, CK_UNAUTHENTICATED, "it has no %s", needed[i]);
        ck_form_add(&form, needed[i], value);
    }
    const char *url = ck_str_at(file, "token_uri");
    struct ck_req req;
    struct ck_val *reply;
    int r = ck_token_request(a, *url ? url : GOOGLE_TOKEN_URL, "token service", &req, err);
    if (r < 0)
        return r;
    req.method = "POST";
    req.body = ck_buf_slice(&form);
    ck_nvs_add(a, &req.headers, "content-type", "application/x-www-form-urlencoded");
    r = ck_token_call(g->cfg.http, a, &req, "token service", &reply, err);
    if (r == -(int)CK_UNAUTHENTICATED && err) {
        const char *why = ck_arena_strdup(a, ck_err_msg(err));
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "%s; sign in again with: gcloud auth application-default login", why);
    }
    return r < 0 ? r : ck_token_take(reply, "token service", ret, err);
}

static int impersonated(struct ck_gcp *g, struct ck_arena *a, const struct ck_val *file,
                        const char *scope, unsigned depth, struct ck_token *ret, struct ck_err *err)
{
    const struct ck_val *source = ck_get(file, "source_credentials");
    if (!ck_is_map(source))
        return ck_fail(err, CK_UNAUTHENTICATED, "it has no source_credentials");
    struct ck_token base = {0};
    int r = ck_gcp_fetch(g, a, source, CK_GCP_CLOUD_SCOPE, depth + 1, &base, err);
    if (r < 0)
        return ck_wrap(err, "source_credentials");
    r = ck_gcp_impersonate(g, a, ck_str_at(file, "service_account_impersonation_url"), base.text,
                           ck_get(file, "delegates"), 0, scope, ret, err);
    ck_token_done(&base);
    return r;
}

int ck_gcp_fetch(struct ck_gcp *g, struct ck_arena *a, const struct ck_val *file, const char *scope,
                 unsigned depth, struct ck_token *ret, struct ck_err *err)
{
    const char *type = ck_str_at(file, "type");
    if (depth > MAX_DEPTH)
        return ck_fail(err, CK_UNAUTHENTICATED, "source_credentials within source_credentials");
    if (strcmp(type, "service_account") == 0)
        return ck_gcp_service_account(g, a, file, scope, ret, err);
    if (strcmp(type, "authorized_user") == 0)
        return authorized_user(g, a, file, ret, err);
    if (strcmp(type, "external_account") == 0)
        return ck_gcp_external_account(g, a, file, scope, ret, err);
    if (strcmp(type, "impersonated_service_account") == 0)
        return impersonated(g, a, file, scope, depth, ret, err);
    if (ck_get(file, "installed") || ck_get(file, "web"))
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "it names an OAuth client, which gives no tokens by itself");
    if (!*type)
        return ck_fail(err, CK_UNAUTHENTICATED, "it does not say its type");
    return ck_fail(err, CK_UNAUTHENTICATED,
                   "unsupported type \"%.80s\" (supported: service_account, authorized_user, "
                   "external_account, impersonated_service_account)",
                   type);
}

/* ---- the search ---- */

static int load(struct ck_gcp *g, const char *path, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf text = {.secret = true};
    struct ck_val *v = NULL;
    int r = ck_file_read(path, FILE_MAX, &text, err);
    if (r < 0)
        return r;
    CK_AUTOERR bad = CK_ERR_INIT; /* whose message might quote the file */
    if (ck_json_parse(g->arena, ck_buf_slice(&text), FILE_MAX, &v, &bad) < 0 || !ck_is_map(v))
        return ck_fail(err, CK_INVALID, "%s is not a JSON object", path);
    g->file = v;
    g->base.origin = ck_arena_strdup(g->arena, path);
    return 0;
}

static const char *well_known(struct ck_gcp *g)
{
    const char *home = ck_env_nonempty(g->cfg.env, "HOME");
    if (!home)
        return NULL;
    return ck_arena_printf(g->arena, "%s/.config/gcloud/application_default_credentials.json",
                           home);
}

/* The file, if there is one: *ret_report says what was looked at otherwise. */
static int search(struct ck_gcp *g, struct ck_buf *report, struct ck_err *err)
{
    const char *named = ck_env_nonempty(g->cfg.env, "GOOGLE_APPLICATION_CREDENTIALS");
    if (named) {
        int r = load(g, named, err);
        return r < 0
                   ? ck_token_fail(err, "Google Cloud credentials (GOOGLE_APPLICATION_CREDENTIALS)")
                   : 0;
    }
    ck_buf_puts(report, "\n  GOOGLE_APPLICATION_CREDENTIALS: not set");
    const char *path = well_known(g);
    CK_AUTOERR why = CK_ERR_INIT;
    int r = path ? load(g, path, &why) : -(int)CK_NOT_FOUND;
    if (r == 0)
        return 0;
    if (r != -(int)CK_NOT_FOUND) {
        r = ck_token_fail(&why, "Google Cloud credentials");
        return err ? ck_err_move(err, &why) : r;
    }
    ck_buf_fmt(report, "\n  gcloud's file: %s", path ? path : "HOME is not set");
    if (path)
        ck_buf_puts(report, " does not exist");
    return 0;
}

static int from_metadata(struct ck_gcp *g, struct ck_arena *a, struct ck_buf *report,
                         struct ck_token *ret, struct ck_err *err)
{
    CK_AUTOERR why = CK_ERR_INIT;
    int r = ck_gcp_metadata(g, a, g->cfg.scope, ret, &why);
    if (r == -(int)CK_NOT_FOUND)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "no Google Cloud credentials were found; tried:%s\n  metadata server: %s",
                       ck_buf_str(report), ck_err_msg(&why));
    if (r < 0) {
        r = ck_token_fail(&why, "Google Cloud credentials: metadata server");
        return err ? ck_err_move(err, &why) : r;
    }
    g->base.origin = "the metadata server";
    g->base.identity = "the instance's service account";
    return 0;
}

static int fetch(struct ck_token_source *s, struct ck_token *ret, struct ck_err *err)
{
    struct ck_gcp *g = (struct ck_gcp *)s;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf report = CK_BUF_INIT;
    ck_arena_set_wipe(a);
    if (!g->searched) {
        int r = search(g, &report, err);
        if (r < 0)
            return r;
    }
    int r;
    if (g->file) {
        CK_AUTOERR why = CK_ERR_INIT;
        r = ck_gcp_fetch(g, a, g->file, g->cfg.scope, 0, ret, &why);
        if (r < 0) {
            CK_AUTOBUF struct ck_buf what = CK_BUF_INIT;
            ck_buf_fmt(&what, "Google Cloud credentials: %s", g->base.origin);
            r = ck_token_fail(&why, ck_buf_str(&what));
            return err ? ck_err_move(err, &why) : r;
        }
    } else {
        r = from_metadata(g, a, &report, ret, err);
    }
    g->searched = g->file || r == 0;
    return r;
}

static void gcp_free(struct ck_token_source *s)
{
    struct ck_gcp *g = (struct ck_gcp *)s;
    ck_arena_free(g->arena);
    free(g);
}

struct ck_token_source *ck_gcp_source_new(const struct ck_gcp_config *cfg)
{
    static const struct ck_token_ops ops = {fetch, gcp_free};
    struct ck_gcp *g = ck_xcalloc(1, sizeof *g);
    g->base = (struct ck_token_source){.ops = &ops, .identity = "", .origin = ""};
    g->cfg = *cfg;
    g->arena = ck_arena_new();
    ck_arena_set_wipe(g->arena);
    return &g->base;
}

const char *ck_gcp_quota_project(const struct ck_token_source *s)
{
    const struct ck_gcp *g = (const struct ck_gcp *)s;
    const char *project = ck_env_nonempty(g->cfg.env, "GOOGLE_CLOUD_QUOTA_PROJECT");
    if (!project)
        project = ck_str_at(g->file, "quota_project_id");
    return *project ? project : NULL;
}
