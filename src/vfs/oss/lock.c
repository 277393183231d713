/* Locks of OSS: objects that are made exclusively, in names that hold key, version and a number
 * (vfs/lease.h).
 *
 * A lock is removed only when its version has been replaced, which never comes back. A writer that
 * ends without having replaced it overwrites its lock instead, with a mark that says so, and the
 * next one takes the next number. So while a version is there no name of a lock becomes free, and
 * no request that arrives late or twice can take a lock away from somebody else.
 *
 * What an update has written is there before its answer, and others may read it and replace it at
 * once; should the network send the update a second time it would undo theirs. So an object names
 * the lock under which it was written, and who replaces it waits until that one is gone, marked as
 * over, or too old for anything of its writer to be under way. */
#include "vfs/oss/oss.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOCKS ".ckops/locks/"
/* In place of marks, before the number of the first lock that is not over yet. */
#define OVER "over."

/* What may be sent twice does not wait for the lock's end when there is no answer: it is tried
 * again after ANSWER_MS, with twice the patience. */
enum { ANSWER_MS = 1000, NUMBER_MAX = 1000000 };

/* Waiting for the writer before: so long at a time, while the own lock has this much left. */
enum { PAUSE_MS = 10, MOST_PAUSE_MS = 500, ENOUGH_MS = 3000 };

static const char *lock_key(struct ck_arena *a, const char *name)
{
    return ck_arena_printf(a, LOCKS "%s", name);
}

/* ---- looking ---- */

/* Ends by `until_ms`, 0 for the usual time. */
static int look(struct ck_oss *s, const char *key, int64_t until_ms, struct ck_resp *resp,
                struct ck_object_facts *ret, struct ck_err *err)
{
    for (int64_t patience = ANSWER_MS;; patience *= 2) {
        CK_AUTOERR why = CK_ERR_INIT;
        int64_t soon = ck_mono_ms() + patience;
        s->look_until_ms = until_ms && soon < until_ms ? soon : until_ms;
        int r = ck_object_facts(&s->base.base, key, resp, ret, &why);
        s->look_until_ms = 0;
        if (r == -(int)CK_TIMEOUT && until_ms && ck_mono_ms() < until_ms) {
            ck_resp_done(resp);
            continue;
        }
        return r < 0 && err ? ck_err_move(err, &why) : r;
    }
}

/* The name of a lock, and nothing that leads elsewhere. */
static void take_before(struct ck_oss_turn *t, const struct ck_resp *resp)
{
    const char *name = ck_nvs_get(&resp->headers, CK_OSS_LOCK);
    t->before[0] = '\0';
    if (name && strlen(name) < sizeof t->before &&
        name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0')
        memcpy(t->before, name, strlen(name) + 1);
}

int ck_oss_unchanged(struct ck_oss_turn *t, struct ck_err *err)
{
    struct ck_oss *s = t->s;
    CK_AUTORESP resp = {0};
    struct ck_object_facts facts;
    int64_t until = t->lease.held ? ck_mono_ms() + ck_lease_left(&t->lease) : 0;
    int r = look(s, t->key, until, &resp, &facts, err);
    if (r < 0)
        return r;
    t->gone = !facts.found || strcmp(facts.version.token, t->want) != 0;
    take_before(t, &resp);
    return t->gone ? ck_oss_changed(s, t->key, err) : 0;
}

/* ---- taking ---- */

static int take_failed(const struct ck_oss_turn *t, const char *key, int r, struct ck_err *err)
{
    if (!err || r != -(int)CK_DENIED)
        return ck_wrap(err, "taking a lock for oss://%s/%s", t->s->base.base.container, t->key);
    CK_AUTOERR why = CK_ERR_INIT;
    ck_err_move(&why, err);
    return ck_fail(err, CK_DENIED,
                   "taking a lock for oss://%s/%s: %s; a lock is an object of its own: allow "
                   "GetObject, PutObject and DeleteObject on %.20s*, or set CKOPS_OSS_LOCKS=no to "
                   "look before and after each write instead, which does not tell two writers "
                   "within the same second apart",
                   t->s->base.base.container, t->key, ck_err_msg(&why), key);
}

/* Whose the lock of that name is, by a look at it. */
static int inspect(struct ck_oss_turn *t, const char *key, int64_t until, bool *ret_found,
                   bool *ret_ours, struct ck_err *err)
{
    CK_AUTORESP resp = {0};
    struct ck_object_facts facts;
    *ret_ours = *ret_found = false;
    int r = look(t->s, key, until, &resp, &facts, err);
    if (r < 0)
        return r;
    *ret_found = facts.found;
    *ret_ours = facts.found && ck_marks_judge(t->marks, facts.marks) == CK_MARKS_OURS;
    const char *marks = facts.found && facts.marks ? facts.marks : "";
    if (ck_str_starts(marks, OVER)) {
        unsigned long next = strtoul(marks + strlen(OVER), NULL, 10);
        t->lease.next = next <= NUMBER_MAX ? (unsigned)next : 0;
    }
    return 0;
}

/* Send the making of the lock. *ret_unsure: only a look can tell whose it is. */
static int make(struct ck_oss_turn *t, const char *key, int64_t until, bool *ret_ours,
                bool *ret_unsure, struct ck_err *err)
{
    static const struct ck_write_opts opts = {.mode = CK_WRITE_CREATE};
    struct ck_oss *s = t->s;
    struct ck_vfs *v = &s->base.base;
    struct ck_object_put p = {.key = key, .data = CK_S("ckops\n"), .opts = &opts};
    struct ck_version ignored;
    CK_AUTORESP resp = {0};
    memcpy(p.marks, t->marks, sizeof p.marks);
    int64_t soon = ck_mono_ms() + ((int64_t)ANSWER_MS << t->unanswered);
    s->put_until_ms = soon < until ? soon : until;
    int r = ck_oss_create(v, &p, true, &resp, err);
    s->put_until_ms = 0;
    t->unanswered += r == -(int)CK_TIMEOUT && t->unanswered < 4;
    *ret_unsure = r < 0 || resp.status >= 500 || resp.attempts > 1;
    if (r < 0)
        return r;
    switch (ck_oss_judge_put(v, &p, &resp, &ignored)) {
    case CK_OBJECT_DONE:
        *ret_ours = true;
        return 0;
    case CK_OBJECT_REFUSED:
        /* Most likely another writer is about to replace the version, and a look at the object will
         * tell; that at the lock can wait. */
        return 0;
    case CK_OBJECT_FAILED:
        break;
    }
    return ck_oss_fail(v, CK_OBJECT_WRITE, key, &resp, err);
}

/* What was sent first counts: it may be what took the lock. */
static void begin_number(struct ck_oss_turn *t)
{
    if (t->sent != t->lease.n + 1) {
        t->sent = t->lease.n + 1;
        t->since = t->lease.since;
        t->look_first = t->s->versioning != CK_OSS_VERSIONING_NO;
    }
    t->lease.since = t->since;
}

static int take(void *arg, const char *name, int64_t left, bool *ret_ours, struct ck_err *err)
{
    struct ck_oss_turn *t = arg;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR why = CK_ERR_INIT;
    const char *key = lock_key(a, name);
    int64_t until = ck_mono_ms() + left;
    bool found = false, unsure = false;
    begin_number(t);
    *ret_ours = false;
    int r = t->look_first ? inspect(t, key, until, &found, ret_ours, &why) : 0;
    t->look_first = true;
    if (r == 0 && !found) {
        r = make(t, key, until, ret_ours, &unsure, &why);
        /* One that may still arrive is waited for as if somebody had it. */
        bool open = r == -(int)CK_TIMEOUT;
        if (unsure && !*ret_ours && inspect(t, key, until, &found, ret_ours, NULL) == 0 &&
            (found || open))
            r = 0;
    }
    if (r == 0)
        return 0;
    if (err)
        ck_err_move(err, &why);
    return take_failed(t, key, r, err);
}

static void mark_over(const struct ck_oss_turn *t, const char *name)
{
    static const struct ck_write_opts opts = {.mode = CK_WRITE_ANY};
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTORESP resp = {0};
    struct ck_object_put p = {.key = lock_key(a, name), .data = CK_S("ckops\n"), .opts = &opts};
    snprintf(p.marks, sizeof p.marks, OVER "%u", t->lease.n + 1);
    if (ck_oss_send_put(&t->s->base.base, &p, &resp, &err) < 0 || resp.status != 200)
        ck_debug(1, "the lock %s was not given back: %s", name, ck_err_msg(&err));
}

/* One that cannot be removed stays as a small object; nobody waits for it, because its version does
 * not come back. */
static void drop(void *arg, const char *name)
{
    const struct ck_oss_turn *t = arg;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_object_remove(&t->s->base.base, lock_key(a, name), NULL, &err) == 0)
        return;
    ck_debug(1, "the lock %s was not removed: %s", name, ck_err_msg(&err));
    mark_over(t, name); /* so that who replaces the new version need not wait */
}

static int moved(void *arg, struct ck_err *err)
{
    return ck_oss_unchanged(arg, err);
}

static const struct ck_lease_ops lease_ops = {take, drop, moved};

/* ---- leaving ---- */

/* The version is still there. What the mark says stays true, however late or often it arrives. The
 * first lock tells newcomers, so that they need not go through all numbers. */
static void give_back(struct ck_oss_turn *t)
{
    char name[CK_LEASE_NAME_MAX];
    mark_over(t, ck_lease_name(&t->lease, t->lease.n, name));
    if (t->lease.n)
        mark_over(t, ck_lease_name(&t->lease, 0, name));
    t->lease.held = false;
}

/* What was sent without a reply may still arrive: then the lock stays until others take it for
 * left behind. */
void ck_oss_end(struct ck_oss_turn *t, int r)
{
    if (!t->lease.held || r == -(int)CK_UNAVAILABLE || r == -(int)CK_TIMEOUT)
        return;
    if (r == -(int)CK_CONFLICT && !t->gone)
        ck_oss_unchanged(t, NULL);
    if (r == 0 || t->gone)
        ck_lease_drop(&lease_ops, t, &t->lease);
    else
        give_back(t);
}

/* ---- the writer before ---- */

/* By the service's clock, which has made both times. */
static bool is_old(const struct ck_resp *resp)
{
    const char *now = ck_nvs_get(&resp->headers, "date");
    const char *made = ck_nvs_get(&resp->headers, "last-modified");
    int64_t now_s, made_s;
    return now && made && ck_http_date_parse(now, &now_s) && ck_http_date_parse(made, &made_s) &&
           (now_s - made_s - 1) * 1000 >= CK_LEASE_BREAK_MS;
}

/* *ret_over: nothing of what the writer of the present version has sent can still arrive. */
static int look_before(struct ck_oss_turn *t, bool *ret_over, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTORESP resp = {0};
    struct ck_object_facts facts;
    int64_t now = ck_mono_ms(), until = now + ck_lease_left(&t->lease);
    *ret_over = true;
    if (!*t->before)
        return 0;
    int r = look(t->s, lock_key(a, t->before), until, &resp, &facts, err);
    if (r < 0)
        return ck_wrap(err, "looking for the lock of the writer before");
    t->waits_since = t->waits_since ? t->waits_since : now;
    *ret_over = !facts.found || ck_str_starts(facts.marks ? facts.marks : "", OVER) ||
                is_old(&resp) || now - t->waits_since >= CK_LEASE_BREAK_MS;
    return 0;
}

/* Wait for its end as long as the own lock allows. */
static int await_before(struct ck_oss_turn *t, bool *ret_over, struct ck_err *err)
{
    int64_t pause = PAUSE_MS;
    int r = look_before(t, ret_over, err);
    while (r == 0 && !*ret_over && ck_lease_left(&t->lease) > ENOUGH_MS + pause) {
        t->s->base.base.waited_ms += pause;
        ck_sleep_ms(pause);
        pause = pause * 2 < MOST_PAUSE_MS ? pause * 2 : MOST_PAUSE_MS;
        r = look_before(t, ret_over, err);
    }
    return r;
}

/* ---- a turn ---- */

/* Nothing has been sent that could still arrive. */
static void leave(struct ck_oss_turn *t)
{
    if (t->gone)
        ck_lease_drop(&lease_ops, t, &t->lease);
    else
        give_back(t);
}

/* The lock, the look under it, and the end of the writer before. */
static int take_turn(struct ck_oss_turn *t, bool *ret_over, struct ck_err *err)
{
    struct ck_vfs *v = &t->s->base.base;
    ck_marks_new(NULL, t->marks);
    t->sent = t->unanswered = 0;
    int r = ck_lease_take(v, t->key, t->want, &lease_ops, t, &t->lease, err);
    if (r < 0)
        return r;
    r = ck_oss_unchanged(t, err);
    if (r == 0)
        r = await_before(t, ret_over, err);
    if (r < 0 || !*ret_over)
        leave(t);
    return r;
}

int ck_oss_begin(struct ck_oss_turn *t, int64_t *ret_left, struct ck_err *err)
{
    struct ck_oss *s = t->s;
    struct ck_vfs *v = &s->base.base;
    *ret_left = 0;
    /* A look is cheaper than a lock; it pays where the answer is likely to be no. */
    int r = v->losses || !s->locks ? ck_oss_unchanged(t, err) : 0;
    if (r < 0 || !s->locks)
        return r;
    /* Waiting ends, at the latest, when the lock of the writer before is old. */
    for (bool over = false; r == 0 && !over;)
        r = take_turn(t, &over, err);
    if (r < 0)
        return r;
    *ret_left = ck_lease_left(&t->lease);
    if (*ret_left <= 0)
        r = ck_fail(
            err, CK_UNAVAILABLE,
            "error writing oss://%s/%s: the store was too slow: the lock had to be given up "
            "before the write",
            v->container, t->key);
    if (r < 0)
        leave(t);
    return r;
}
