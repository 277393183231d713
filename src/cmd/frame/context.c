/* The run's shared state: standard output and the state store.
 *
 * Standard output is collected and written in large pieces, its failures reported; nothing else in
 * the program writes to descriptor 1, except programs it starts. Mirrors cmd/kops/util/factory.go.
 */
#include "cmd/frame/config.h"
#include "cmd/frame/journal.h"
#include "cmd/frame/locking.h"

#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 };

static void flush_when_large(struct ck_ctx *ctx)
{
    /* a failure stays in out_errno and comes to light at the final flush */
    if (ctx->out.len >= PIECE)
        (void)ck_flush(ctx, NULL);
}

void ck_print(struct ck_ctx *ctx, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ck_buf_vfmt(&ctx->out, fmt, ap);
    va_end(ap);
    flush_when_large(ctx);
}

void ck_print_slice(struct ck_ctx *ctx, struct ck_slice s)
{
    ck_buf_put(&ctx->out, s);
    flush_when_large(ctx);
}

int ck_flush(struct ck_ctx *ctx, struct ck_err *err)
{
    const char *p = ctx->out.ptr;
    size_t left = ctx->out.len;
    while (left && !ctx->out_errno) {
        ssize_t n = write(STDOUT_FILENO, p, left);
        if (n < 0 && errno != EINTR)
            ctx->out_errno = errno;
        if (n > 0) {
            p += n;
            left -= (size_t)n;
        }
    }
    ck_buf_reset(&ctx->out);
    return ctx->out_errno ? ck_fail_errno(err, ctx->out_errno, "writing standard output") : 0;
}

/* ---- state store ---- */

static void warn(void *arg, const char *text)
{
    ck_warn("%s", text);
}

enum { TRACE_LEVEL = 4 };

static void trace(void *arg, const char *what, const char *text, int64_t ms, int code)
{
    ck_info("%s %s: %s, %lld ms", what, text, ck_code_name((enum ck_code)abs(code)), (long long)ms);
}

/* vfs.md §14.1: a given --state counts even when it is empty. */
static const char *state_text(const struct ck_ctx *ctx, const struct ck_config *config)
{
    const char *env = ck_env_nonempty(&ctx->env, "KOPS_STATE_STORE");
    if (ctx->state_given)
        return ctx->opt_state;
    return env ? env : config->state ? config->state : "";
}

/* What the configuration file says of this store; the environment comes before it. */
static void store_settings(struct ck_ctx *ctx, const struct ck_config *config, const char *url)
{
    const char *profile = ck_env_nonempty(&ctx->env, "CKOPS_STORE_PROFILE");
    if (!profile)
        profile = ck_config_store_setting(config, url, "profile");
    ctx->vfs.profile = profile ? profile : config->store_profile;
    const char *ca = ck_config_store_setting(config, url, "ca_bundle");
    if (ca && !ck_env_nonempty(&ctx->env, "CKOPS_STORE_CA_BUNDLE"))
        ck_env_set(&ctx->env, "CKOPS_STORE_CA_BUNDLE", ca);
}

/* Ask on the terminal itself: standard input may be a manifest. */
static int ask_mfa(void *arg, const char *serial, char *code, size_t size, struct ck_err *err)
{
    FILE *tty = fopen("/dev/tty", "r+e");
    if (!tty)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "the code of MFA device %s is needed, and there is no terminal to ask on",
                       serial);
    fprintf(tty, "MFA code for %s: ", serial);
    fflush(tty);
    bool ok = fgets(code, (int)size, tty) != NULL;
    fclose(tty);
    size_t n = ok ? strspn(code, "0123456789") : 0;
    code[n] = '\0';
    return n ? 0 : ck_fail(err, CK_CANCELLED, "no MFA code was given");
}

/* A store in memory ends with the process: good for dry runs, and nobody may take it for more. */
static void warn_forgetful(const struct ck_ctx *ctx, const char *url)
{
    if (ck_str_starts(url, "memfs://") && !ck_env_nonempty(&ctx->env, "CKOPS_MEMFS_ROOT"))
        ck_warn("%s is in memory and ends with this command; CKOPS_MEMFS_ROOT=FOLDER keeps it",
                url);
}

/* Which of several would be read or changed must not depend on their order. */
static int check_single(const struct ck_ctx *ctx, struct ck_err *err)
{
    const struct ck_strv *s = &ctx->opt_states;
    for (size_t i = 1; i < s->n; i++)
        if (strcmp(s->v[i], s->v[0]) != 0)
            return ck_fail(err, CK_INVALID,
                           "--state names %zu stores, and \"%s\" works on one; only `get clusters` "
                           "reads several",
                           s->n, ctx->cmd_path ? ctx->cmd_path : "this command");
    return 0;
}

int ck_ctx_store(struct ck_ctx *ctx, struct ck_store **ret, struct ck_err *err)
{
    *ret = &ctx->store;
    if (ctx->store_open)
        return 0;
    struct ck_config config;
    ck_config_load(ctx, &config);
    const char *url = NULL;
    int r = check_single(ctx, err);
    if (r == 0)
        r = ck_config_context(ctx, &config, state_text(ctx, &config), &url, err);
    if (r == 0)
        r = ck_state_clean(ctx->arena, url, &url, err);
    if (r < 0)
        return r;
    store_settings(ctx, &config, url);
    warn_forgetful(ctx, url);
    ctx->vfs.mfa = ask_mfa;
    if (ctx->verbosity >= TRACE_LEVEL)
        ctx->vfs.trace = trace;
    r = ck_store_open(&ctx->vfs, url, &ctx->features, &ctx->store, err);
    if (r < 0)
        return r;
    ck_debug(2, "state store %s", url); /* not before: a refused one may hold a password */
    ctx->store.lenient = ctx->lenient;
    ctx->store.warn = warn;
    if (ck_str_starts(url, "file://"))
        ck_warn("The local filesystem state store is not functional for running clusters");
    ck_ctx_journal_start(ctx);
    r = ck_locking_start(ctx, err);
    ctx->store_open = r == 0;
    return r;
}

int ck_ctx_settings(struct ck_ctx *ctx, const struct ck_store_settings **ret, struct ck_err *err)
{
    *ret = &ctx->settings;
    int r = ctx->settings_read ? 0 : ck_store_settings_read(&ctx->store, &ctx->settings, err);
    ctx->settings_read = r == 0;
    return r;
}
