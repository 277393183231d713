/* Taking, keeping and giving back one lock; see lock.h for what it promises. */
#include "ops/storelock/internal.h"

#include "base/clock.h"
#include "base/enc.h"
#include "crypto/hash.h"

enum {
    MS = 1000,
    MAX_STEALS = 8,
    PROVE_TRIES = 64, /* other commands of one holder by hand renew the same lock */
    SHORTEST_WAIT_MS = 5,
    LONGEST_WAIT_MS = 1000,
};

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Returns how long at least. */
static int64_t wait_about(int64_t ms)
{
    uint16_t random;
    ck_random(&random, sizeof random);
    ms = ms < SHORTEST_WAIT_MS ? SHORTEST_WAIT_MS : min64(ms, LONGEST_WAIT_MS);
    ms = ms / 2 + random % (ms / 2 + 1);
    ck_sleep_ms(ms);
    return ms;
}

static int begin(struct ck_lock *l, const struct ck_store *s, const char *cluster,
                 struct ck_err *err)
{
    *l = (struct ck_lock){.a = ck_arena_new(), .s = s};
    l->info.cluster = ck_arena_strdup(l->a, cluster);
    int r = ck_crypto_load(err);
    return r < 0 ? r : ck_layout_lock(l->a, s, cluster, &l->path, err);
}

void ck_lock_done(struct ck_lock *l)
{
    ck_arena_free(l->a);
    l->a = NULL;
}

static bool is_ours(const struct ck_lock *l, const struct ck_lock_info *i)
{
    return i->there && i->held && strcmp(i->digest, l->info.digest) == 0;
}

/* ---- writing the object ---- */

static void new_token(struct ck_lock *l)
{
    unsigned char random[(CK_LOCK_TOKEN_SIZE - 1) / 2];
    CK_AUTOBUF struct ck_buf hex = CK_BUF_INIT;
    ck_random(random, sizeof random);
    ck_hex_encode(&hex, random, sizeof random);
    memcpy(l->token, ck_buf_str(&hex), sizeof l->token);
    l->info.digest = ck_lock_digest(l->a, l->token);
}

static void stamp(struct ck_lock_info *i)
{
    i->renewed_s = ck_now_s();
    i->expires_s = i->renewed_s + (i->lease_ms + MS - 1) / MS;
    i->serial++;
}

/* Replace the object, only while it is as `old` says. EXISTS and CONFLICT: it is not. */
static int put(struct ck_lock *l, const struct ck_lock_info *i, const struct ck_version *old,
               struct ck_version *ret, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_lock_encode(&b, i);
    const struct ck_write_opts opts = {
        .mode = *old->token ? CK_WRITE_IF_UNCHANGED : CK_WRITE_CREATE, .version = old};
    struct ck_version written = {""};
    int r = ck_vfs_write(&l->path, ck_buf_slice(&b), &opts, &written, err);
    if (r < 0)
        return r;
    if (!*written.token)
        return ck_fail(err, CK_UNSUPPORTED,
                       "this store does not tell the version of what was written: there are no "
                       "locks in it");
    *ret = written;
    return 0;
}

/* Make the lock ours, in place of `old`. */
static int seize(struct ck_lock *l, const struct ck_lock_info *old, const struct ck_lock_opts *o,
                 struct ck_err *err)
{
    struct ck_lock_info *i = &l->info;
    int64_t dflt = o->by_hand ? CK_LOCK_LEASE_BY_HAND_MS : CK_LOCK_LEASE_MS;
    i->there = i->held = true;
    i->by_hand = o->by_hand;
    i->holder = ck_arena_strdup(l->a, o->who.holder);
    i->host = ck_arena_strdup(l->a, o->who.host);
    i->command = ck_arena_strdup(l->a, o->who.command);
    i->process = o->who.process;
    i->lease_ms = o->lease_ms ? o->lease_ms : dflt;
    i->serial = old->serial;
    i->steals = old->steals;
    i->n_steals = old->n_steals;
    stamp(i);
    i->taken_s = i->renewed_s;
    l->since_ms = ck_mono_ms();
    return put(l, i, &old->version, &i->version, err);
}

/* ---- refusals ---- */

static int fail_locked(struct ck_arena *a, const struct ck_lock_info *i, struct ck_err *err)
{
    return ck_fail(err, CK_LOCKED,
                   "cluster \"%s\" is locked by %s since %s, until %s; wait for it with "
                   "--lock-timeout, or take it away: store lock steal %s --yes",
                   i->cluster, ck_lock_holder_text(a, i), ck_lock_when(a, i->taken_s),
                   ck_lock_when(a, i->expires_s), i->cluster);
}

/* What has become of a lock that was ours. */
static int fail_lost(struct ck_lock *l, const struct ck_lock_info *now, struct ck_err *err)
{
    l->lost = true;
    const char *name = l->info.cluster;
    const char *forget =
        l->adopted ? ck_arena_printf(l->a, " (store unlock %s forgets it)", name) : "";
    if (!now->there || !now->held)
        return ck_fail(
            err, CK_LOCKED,
            "the lock of cluster \"%s\" is not held any more: it %s; nothing is "
            "written%s",
            name, now->there ? "was given back, or ended and was taken meanwhile" : "was removed",
            forget);
    const struct ck_lock_steal *last = now->n_steals ? &now->steals[now->n_steals - 1] : NULL;
    bool stolen = last && strcmp(last->at, ck_lock_when(l->a, now->taken_s)) == 0;
    return ck_fail(err, CK_LOCKED,
                   "the lock of cluster \"%s\" is not held any more: it %s by %s at %s; nothing "
                   "is written%s",
                   name, stolen ? "was stolen" : "had ended and was taken",
                   ck_lock_holder_text(l->a, now), ck_lock_when(l->a, now->taken_s), forget);
}

/* ---- taking ---- */

/* How long one must have watched a silent holder before the lock may be taken. */
static int64_t must_watch(const struct ck_lock_info *i, bool *ret_ended)
{
    *ret_ended = ck_now_s() > i->expires_s + CK_LOCK_MARGIN_MS / MS;
    return *ret_ended ? min64(i->lease_ms, CK_LOCK_SETTLE_MS) : i->lease_ms;
}

struct watching {
    struct ck_version version;
    int64_t began_ms;           /* monotonic */
    int64_t slept_ms, since_ms; /* since then */
    bool told;
};

/* How long it has been going on. A clock that stands still must not make it endless: what has been
 * slept has passed. */
static int64_t elapsed(const struct watching *w)
{
    int64_t ms = ck_mono_ms() - w->began_ms;
    return ms > w->slept_ms ? ms : w->slept_ms;
}

/* Look at a lock that somebody holds: 0 when it may be taken, 1 to look again later. */
static int watch(struct watching *w, const struct ck_lock_info *i, const struct ck_lock_opts *o,
                 struct ck_err *err)
{
    int64_t now = elapsed(w);
    bool ended;
    if (strcmp(w->version.token, i->version.token) != 0) {
        w->version = i->version;
        w->since_ms = now;
    }
    int64_t left = w->since_ms + must_watch(i, &ended) - now;
    if (left <= 0)
        return 0;
    if (!ended && now >= o->wait_ms) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        return fail_locked(a, i, err);
    }
    if (!w->told && o->waiting)
        o->waiting(o->arg, i, ended);
    w->told = true;
    if (!ended)
        left = min64(left, o->wait_ms - now);
    w->slept_ms += wait_about(min64(left, i->lease_ms / 10));
    return 1;
}

int ck_lock_take(struct ck_lock *l, const struct ck_store *s, const char *cluster,
                 const struct ck_lock_opts *opts, struct ck_err *err)
{
    int r = begin(l, s, cluster, err);
    if (r < 0)
        return r;
    new_token(l);
    struct watching w = {.began_ms = ck_mono_ms()};
    for (;;) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        struct ck_lock_info old;
        r = ck_lock_read(a, s, cluster, &old, err);
        if (r < 0)
            return r;
        if (is_ours(l, &old)) { /* the write had an effect, whatever its reply said */
            l->info.version = old.version;
            return 0;
        }
        r = old.held ? watch(&w, &old, opts, err) : 0;
        if (r < 0)
            return r;
        if (r > 0)
            continue;
        old.steals = ck_arena_memdup(l->a, old.steals, old.n_steals * sizeof *old.steals);
        for (size_t k = 0; k < old.n_steals; k++)
            old.steals[k] =
                (struct ck_lock_steal){.at = ck_arena_strdup(l->a, old.steals[k].at),
                                       .from = ck_arena_strdup(l->a, old.steals[k].from),
                                       .by = ck_arena_strdup(l->a, old.steals[k].by)};
        r = seize(l, &old, opts, err);
        if (r != -(int)CK_CONFLICT && r != -(int)CK_EXISTS)
            return r;
        ck_err_done(err); /* somebody was faster */
        wait_about(SHORTEST_WAIT_MS);
    }
}

/* ---- by force ---- */

static void remember_steal(struct ck_lock *l, struct ck_lock_info *old,
                           const struct ck_lock_opts *o)
{
    size_t drop = old->n_steals >= MAX_STEALS ? old->n_steals - MAX_STEALS + 1 : 0;
    size_t kept = old->n_steals - drop;
    struct ck_lock_steal *v = ck_arena_alloc(l->a, (kept + 1) * sizeof *v);
    for (size_t k = 0; k < kept; k++)
        v[k] = old->steals[drop + k];
    const struct ck_lock_info by = {.holder = o->who.holder,
                                    .host = o->who.host,
                                    .command = o->who.command,
                                    .process = o->who.process};
    const char *from = *old->holder || *old->host ? ck_lock_holder_text(l->a, old) : "unknown";
    v[kept] = (struct ck_lock_steal){
        .at = ck_lock_when(l->a, ck_now_s()), .from = from, .by = ck_lock_holder_text(l->a, &by)};
    old->steals = v;
    old->n_steals = kept + 1;
}

int ck_lock_take_by_force(struct ck_lock *l, const struct ck_store *s, const char *cluster,
                          const struct ck_lock_opts *opts, struct ck_err *err)
{
    int r = begin(l, s, cluster, err);
    if (r < 0)
        return r;
    new_token(l);
    for (int tries = 0;; tries++) {
        struct ck_lock_info old;
        CK_AUTOERR why = CK_ERR_INIT;
        r = ck_lock_read(l->a, s, cluster, &old, &why);
        if (r < 0 && !(r == -(int)CK_INVALID && *old.version.token))
            return ck_err_move(err, &why);
        if (is_ours(l, &old)) {
            l->info.version = old.version;
            return 0;
        }
        if (!old.held)
            return ck_fail(err, CK_NOT_FOUND, "cluster \"%s\" is not locked", cluster);
        remember_steal(l, &old, opts);
        r = seize(l, &old, opts, err);
        if (r != -(int)CK_CONFLICT || tries == PROVE_TRIES)
            return r;
        ck_err_done(err); /* the holder has just renewed it */
        wait_about(SHORTEST_WAIT_MS);
    }
}

/* ---- keeping ---- */

int ck_lock_adopt(struct ck_lock *l, const struct ck_store *s, const char *cluster,
                  const char *token, const struct ck_lock_opts *opts, struct ck_err *err)
{
    int r = begin(l, s, cluster, err);
    if (r < 0)
        return r;
    memcpy(l->token, token, sizeof l->token);
    l->info.digest = ck_lock_digest(l->a, token);
    l->adopted = true;
    struct ck_lock_info now;
    r = ck_lock_read(l->a, s, cluster, &now, err);
    if (r < 0)
        return r;
    if (!is_ours(l, &now))
        return fail_lost(l, &now, err);
    if (ck_now_s() > now.expires_s)
        return ck_fail(err, CK_LOCKED,
                       "the lock of cluster \"%s\" ended at %s; take it again (store lock %s), or "
                       "do without it (store unlock %s)",
                       cluster, ck_lock_when(l->a, now.expires_s), cluster, cluster);
    l->info = now;
    if (opts->lease_ms)
        l->info.lease_ms = opts->lease_ms;
    return ck_lock_prove(l, err);
}

/* After a refusal: the lock as it is now, when it is still ours. */
static int look_again(struct ck_lock *l, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_lock_info now;
    int r = ck_lock_read(a, l->s, l->info.cluster, &now, err);
    if (r < 0)
        return r;
    if (!is_ours(l, &now))
        return fail_lost(l, &now, err);
    l->info.version = now.version;
    l->info.serial = now.serial;
    return 0;
}

/* Write `i` in place of what was last seen; again when another command of ours was faster. */
static int replace(struct ck_lock *l, bool held, struct ck_err *err)
{
    if (l->lost)
        return ck_fail(err, CK_LOCKED,
                       "the lock of cluster \"%s\" is not held any more; nothing is written",
                       l->info.cluster);
    for (int tries = 0;; tries++) {
        int64_t before = ck_mono_ms();
        struct ck_lock_info next = l->info;
        next.held = held;
        stamp(&next);
        if (!held)
            next.expires_s = next.renewed_s;
        CK_AUTOERR refused = CK_ERR_INIT;
        int r = put(l, &next, &l->info.version, &next.version, &refused);
        if (r == 0) {
            l->info = next;
            l->since_ms = before;
            return 0;
        }
        if (r != -(int)CK_CONFLICT || tries == PROVE_TRIES) {
            ck_err_move(err, &refused);
            return ck_wrap(err, "the lock of cluster \"%s\" cannot be %s", l->info.cluster,
                           held ? "renewed, so nothing is written" : "given back");
        }
        r = look_again(l, err);
        if (r < 0)
            return r;
        wait_about((int64_t)SHORTEST_WAIT_MS * (tries + 1));
    }
}

int ck_lock_prove(struct ck_lock *l, struct ck_err *err)
{
    return replace(l, true, err);
}

int ck_lock_prove_by_reading(struct ck_lock *l, struct ck_err *err)
{
    return look_again(l, err);
}

int64_t ck_lock_left(const struct ck_lock *l)
{
    return l->since_ms + l->info.lease_ms - ck_mono_ms();
}

int ck_lock_release(struct ck_lock *l, struct ck_err *err)
{
    return replace(l, false, err);
}

int ck_lock_give_back(struct ck_lock *l, const struct ck_store *s, const char *cluster,
                      const char *token, struct ck_err *err)
{
    int r = begin(l, s, cluster, err);
    if (r < 0)
        return r;
    l->info.digest = ck_lock_digest(l->a, token);
    struct ck_lock_info now;
    r = ck_lock_read(l->a, s, cluster, &now, err);
    if (r == 0 && !is_ours(l, &now))
        r = fail_lost(l, &now, err);
    if (r < 0)
        return r;
    l->info = now;
    return ck_lock_release(l, err);
}
