/* Subject tokens from a program (Google's "executable-sourced credentials", AIP-4117): only where
 * GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1 allows it, with a time limit, and with an output file
 * as a cache if the credentials name one. */
#include "auth/gcp/adc.h"

#include "auth/program.h"
#include "base/clock.h"
#include "base/file.h"
#include "doc/json.h"

#include <string.h>

enum { OUTPUT_MAX = 64 * 1024, TIMEOUT_MS = 30000, LEAST_MS = 5000, MOST_MS = 120000 };

#define ID_TOKEN "urn:ietf:params:oauth:token-type:id_token"
#define JWT      "urn:ietf:params:oauth:token-type:jwt"
#define SAML     "urn:ietf:params:oauth:token-type:saml2"
#define WHERE    "subject token: the executable"

/* The account to be impersonated: "…/serviceAccounts/EMAIL:generateAccessToken". */
static const char *impersonated_email(struct ck_arena *a, const struct ck_val *file)
{
    const char *url = ck_str_at(file, "service_account_impersonation_url");
    const char *last = strrchr(url, '/'), *colon = last ? strrchr(last, ':') : NULL;
    return colon ? ck_arena_strndup(a, last + 1, (size_t)(colon - last - 1)) : "";
}

/* Its answer: *ret is the token, NULL when the answer has expired. */
static int take_answer(const struct ck_val *v, const char **ret, struct ck_err *err)
{
    const struct ck_val *ok = ck_get(v, "success"), *until = ck_get(v, "expiration_time");
    const char *type = ck_str_at(v, "token_type");
    *ret = NULL;
    if (ck_int_at(v, "version", 0) != 1)
        return ck_fail(err, CK_UNAUTHENTICATED, WHERE " answered in no version 1");
    if (!ok || ok->kind != CK_BOOL)
        return ck_fail(err, CK_UNAUTHENTICATED, WHERE " did not say whether it succeeded");
    if (!ok->b)
        return ck_fail(err, CK_UNAUTHENTICATED, WHERE " answered %.80s: %.300s",
                       ck_str_at(v, "code"), ck_str_at(v, "message"));
    if (until && ck_int_at(v, "expiration_time", 0) <= ck_now_s())
        return 0;
    bool saml = strcmp(type, SAML) == 0;
    if (!saml && strcmp(type, ID_TOKEN) != 0 && strcmp(type, JWT) != 0)
        return ck_fail(err, CK_UNAUTHENTICATED, WHERE " answered with token_type \"%.80s\"", type);
    const char *field = saml ? "saml_response" : "id_token";
    *ret = ck_str_at(v, field);
    return **ret ? 0 : ck_fail(err, CK_UNAUTHENTICATED, WHERE " answered without %s", field);
}

/* What an earlier run left in the output file, while it says until when it holds; *ret NULL: none.
 */
static int from_cache(struct ck_arena *a, const char *path, const char **ret, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf text = {.secret = true};
    CK_AUTOERR ignored = CK_ERR_INIT;
    struct ck_val *v = NULL;
    *ret = NULL;
    if (!*path || ck_file_read(path, OUTPUT_MAX, &text, &ignored) < 0 ||
        ck_json_parse(a, ck_buf_slice(&text), OUTPUT_MAX, &v, &ignored) < 0)
        return 0;
    const struct ck_val *ok = ck_get(v, "success");
    if (!ck_get(v, "expiration_time") || (ok && ok->kind == CK_BOOL && !ok->b))
        return 0;
    return take_answer(v, ret, err);
}

static int run(struct ck_gcp *g, struct ck_arena *a, const struct ck_val *file,
               const struct ck_val *executable, struct ck_buf *out, struct ck_err *err)
{
    const char *output = ck_str_at(executable, "output_file");
    int64_t timeout = ck_int_at(executable, "timeout_millis", TIMEOUT_MS);
    const char **argv = ck_program_words(a, ck_str_at(executable, "command"));
    if (!argv)
        return ck_fail(err, CK_UNAUTHENTICATED, "its executable has no command that can be read");
    if (timeout < LEAST_MS || timeout > MOST_MS)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "its executable's timeout_millis is not between %d and %d", LEAST_MS,
                       MOST_MS);
    const char *path = ck_program_find(a, g->cfg.env, argv[0]);
    if (!path)
        return ck_fail(err, CK_UNAUTHENTICATED, WHERE " %.200s was not found or may not be run",
                       argv[0]);
    CK_CLEANUP(ck_env_done) struct ck_env env = {0};
    ck_program_env(g->cfg.env, &env);
    ck_env_set(&env, "GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE", ck_str_at(file, "audience"));
    ck_env_set(&env, "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE", ck_str_at(file, "subject_token_type"));
    ck_env_set(&env, "GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE", "0");
    ck_env_set(&env, "GOOGLE_EXTERNAL_ACCOUNT_REVOKE", "0");
    const char *email = impersonated_email(a, file);
    if (*email)
        ck_env_set(&env, "GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL", email);
    if (*output)
        ck_env_set(&env, "GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE", output);
    const struct ck_program program = {.where = WHERE,
                                       .path = path,
                                       .argv = argv,
                                       .env = ck_env_vector(a, &env),
                                       .timeout_ms = timeout,
                                       .output_max = OUTPUT_MAX};
    int r = ck_program_run(&program, out, err);
    if (r < 0 || out->len || !*output)
        return r;
    r = ck_file_read(output, OUTPUT_MAX, out, err);
    return r < 0 ? ck_wrap(err, WHERE " printed nothing, and its output file cannot be read") : 0;
}

int ck_gcp_executable(struct ck_gcp *g, struct ck_arena *a, const struct ck_val *file,
                      const char **ret, struct ck_err *err)
{
    const struct ck_val *executable = ck_get(ck_get(file, "credential_source"), "executable");
    const char *allowed = ck_env_get(g->cfg.env, "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES");
    if (!allowed || strcmp(allowed, "1") != 0)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "its credential_source is a program, which is run only with "
                       "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1");
    CK_CLEANUP(ck_buf_wipe) struct ck_buf out = {.secret = true};
    struct ck_val *v = NULL;
    int r = from_cache(a, ck_str_at(executable, "output_file"), ret, err);
    if (r < 0 || *ret)
        return r;
    r = run(g, a, file, executable, &out, err);
    if (r < 0)
        return r;
    CK_AUTOERR bad = CK_ERR_INIT; /* whose message might quote a token */
    if (ck_json_parse(a, ck_buf_slice(&out), OUTPUT_MAX, &v, &bad) < 0)
        return ck_fail(err, CK_UNAUTHENTICATED, WHERE " did not print JSON");
    r = take_answer(v, ret, err);
    if (r == 0 && !*ret)
        r = ck_fail(err, CK_UNAUTHENTICATED, WHERE " answered with a token that has expired");
    return r;
}
