/* Taking turns by making things of agreed names; see lease.h. */
#include "vfs/lease.h"

#include "base/clock.h"
#include "base/log.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

enum {
    DEFAULT_TIMEOUT_MS = 30000,
    LEAST_WAIT_MS = 10,
    MOST_WAIT_MS = 1000,
    MAX_BROKEN = 16,
};

static void name_of(const struct ck_vfs *v, const char *key, const char *version,
                    struct ck_lease *l)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    char hex[2 * CK_SHA256_LEN + 1];
    ck_buf_fmt(&b, "%s/%s\n%s", v->container, key, version);
    ck_sha256_hex(ck_buf_slice(&b), hex);
    snprintf(l->name, sizeof l->name, "ckops_lock_%.40s", hex);
}

const char *ck_lease_name(const struct ck_lease *l, unsigned n, char out[CK_LEASE_NAME_MAX])
{
    snprintf(out, CK_LEASE_NAME_MAX, "%s_%u", l->name, n);
    return out;
}

/* The holder needs two more answers of the store, so `took` of one tells how long that may be. */
static void wait_a_moment(struct ck_vfs *v, int64_t took, unsigned shift)
{
    int64_t most = took < LEAST_WAIT_MS ? LEAST_WAIT_MS : took;
    uint16_t random;
    ck_random(&random, sizeof random);
    most = most < MOST_WAIT_MS ? most << (shift < 8 ? shift : 8) : MOST_WAIT_MS;
    most = most < MOST_WAIT_MS ? most : MOST_WAIT_MS;
    most = most / 2 + random % (most / 2 + 1);
    v->waited_ms += most;
    ck_sleep_ms(most);
}

static int waited_too_long(struct ck_vfs *v, const char *key, const struct ck_lease *l,
                           int64_t timeout, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    char name[CK_LEASE_NAME_MAX];
    return ck_fail(err, CK_TIMEOUT,
                   "error writing %s: another writer has been holding the lock %s for %lld s; if "
                   "it has died, delete that",
                   v->ops->text(v, key, a), ck_lease_name(l, l->n, name),
                   (long long)(timeout / 1000));
}

int ck_lease_take(struct ck_vfs *v, const char *key, const char *version,
                  const struct ck_lease_ops *ops, void *arg, struct ck_lease *l, struct ck_err *err)
{
    *l = (struct ck_lease){.n = 0};
    name_of(v, key, version, l);
    int64_t timeout = v->ctx->timeout_ms > 0 ? v->ctx->timeout_ms : DEFAULT_TIMEOUT_MS;
    int64_t began = ck_mono_ms(), seen = 0;
    char name[CK_LEASE_NAME_MAX];
    for (unsigned tries = 0, broken = 0;; tries++) {
        int64_t left = began + timeout - ck_mono_ms();
        if (left <= 0 || broken > MAX_BROKEN)
            return waited_too_long(v, key, l, timeout, err);
        int64_t asked = l->since = ck_mono_ms();
        int r = ops->take(arg, ck_lease_name(l, l->n, name),
                          left < CK_LEASE_HOLD_MS ? left : CK_LEASE_HOLD_MS, &l->held, err);
        if (r < 0 || l->held)
            return r;
        int64_t now = ck_mono_ms();
        if (l->next > l->n) {
            l->n = l->next;
            seen = 0;
            continue;
        }
        seen = seen ? seen : now;
        wait_a_moment(v, now - asked, tries);
        r = ops->moved(arg, err);
        if (r < 0)
            return r;
        if (now - seen >= CK_LEASE_BREAK_MS) {
            ck_debug(1, "the lock %s was left behind by a writer that died",
                     ck_lease_name(l, l->n, name));
            l->n++;
            broken++;
            seen = 0;
        }
    }
}

int64_t ck_lease_left(const struct ck_lease *l)
{
    return l->since + CK_LEASE_HOLD_MS - ck_mono_ms();
}

void ck_lease_drop(const struct ck_lease_ops *ops, void *arg, struct ck_lease *l)
{
    char name[CK_LEASE_NAME_MAX];
    for (unsigned n = 0; l->held && n <= l->n; n++) {
        /* Of very many, those in the middle stay: nobody waits for them. */
        if (n <= MAX_BROKEN || n + MAX_BROKEN >= l->n)
            ops->drop(arg, ck_lease_name(l, n, name));
    }
    l->held = false;
}
