/* The sign-in's state: settings found once, a token kept in memory and renewed before it ends or
 * when the store refuses it. */
#include "auth/openstack/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <string.h>

/* For so long a failed sign-in is not repeated: of many requests each would try. */
enum { FAILED_MS = 2000 };

struct ck_os *ck_os_new(const struct ck_os_config *cfg)
{
    struct ck_os *os = ck_xcalloc(1, sizeof *os);
    os->cfg = *cfg;
    os->arena = ck_arena_new();
    ck_arena_set_wipe(os->arena);
    os->who = "nobody";
    return os;
}

static void forget_token(struct ck_os *os)
{
    if (os->token)
        ck_wipe(os->token, strlen(os->token));
    free(os->token);
    os->token = NULL;
}

void ck_os_free(struct ck_os *os)
{
    if (!os)
        return;
    forget_token(os);
    ck_err_done(&os->failed);
    ck_arena_free(os->arena);
    free(os);
}

static int need_token(struct ck_os *os, struct ck_err *err)
{
    int r = ck_os_load(os, err);
    if (r < 0)
        return r;
    bool renewable = !os->set.v[OS_K_PASSCODE];
    if (os->token && renewable && os->renew_s && ck_now_s() >= os->renew_s) {
        ck_debug(4, "the token is about to end; signing in again");
        forget_token(os);
    }
    if (os->token)
        return 0;
    if (os->failed.code != CK_OK && ck_mono_ms() - os->failed_ms < FAILED_MS)
        return ck_fail(err, os->failed.code, "%s", ck_err_msg(&os->failed));
    CK_AUTOERR why = CK_ERR_INIT;
    r = ck_os_sign_in(os, &why);
    if (r == 0) {
        os->generation++;
        return 0;
    }
    os->failed_ms = ck_mono_ms();
    ck_fail(&os->failed, why.code, "%s", ck_err_msg(&why));
    return err ? ck_err_move(err, &why) : r;
}

int ck_os_endpoint(struct ck_os *os, const char **ret_url, struct ck_err *err)
{
    int r = need_token(os, err);
    if (r == 0)
        *ret_url = os->endpoint;
    return r;
}

int ck_os_sign(void *arg, struct ck_arena *a, struct ck_req *r, struct ck_err *err)
{
    struct ck_os_use *use = arg;
    int rc = need_token(use->os, err);
    if (rc == 0)
        ck_nvs_add(a, &r->headers, "x-auth-token", use->os->token);
    use->generation = use->os->generation;
    return rc;
}

bool ck_os_again(void *arg, struct ck_req *r, const struct ck_resp *resp)
{
    struct ck_os_use *use = arg;
    struct ck_os *os = use->os;
    /* A one-time code cannot be used again. */
    if (resp->status != 401 || use->renewed || os->set.v[OS_K_PASSCODE])
        return false;
    use->renewed = true;
    if (use->generation == os->generation) {
        ck_debug(4, "the token was refused; signing in again");
        forget_token(os);
    }
    return true;
}

const char *ck_os_who(const struct ck_os *os)
{
    return os->who;
}

const char *ck_os_region(const struct ck_os *os)
{
    const char *r = os->set.v[OS_K_REGION];
    return r ? r : "";
}

void ck_os_set_tls(const struct ck_os *os, struct ck_req *r)
{
    r->ca_file = os->set.v[OS_K_CACERT];
    r->tls = &os->tls;
}
