/* The lock of one cluster: an object beside the clusters, .ckops/locks/CLUSTER.lock, that says who
 * works on it and until when.
 *
 * It is taken, kept and given back by compare-and-swap alone, and every content is unique (token
 * and serial number), so whoever holds the version that is stored holds the lock. A lock is a
 * lease: a holder that dies loses it. Nobody's clock is trusted for that: whoever wants the lock
 * of a silent holder watches it stay as it is for the whole lease by his own monotonic clock, or,
 * when it ended more than CK_LOCK_MARGIN_MS ago by his wall clock, for a part of it. A holder
 * whose clock stands still notices by the version: its next compare-and-swap fails.
 *
 * Locks keep operations apart; that no single update is lost is the work of each file's own
 * compare-and-swap. kOps knows neither. */
#pragma once

#include "store/store.h"

enum {
    CK_LOCK_LEASE_MS = 60 * 1000,           /* of a command, by default */
    CK_LOCK_LEASE_BY_HAND_MS = 3600 * 1000, /* of `store lock`, by default */
    CK_LOCK_LEASE_MIN_MS = 2000,
    CK_LOCK_LEASE_MAX_MS = 24 * 3600 * 1000,
    CK_LOCK_MARGIN_MS = 30 * 1000, /* by which clocks of machines may differ */
    CK_LOCK_SETTLE_MS = 5000,      /* watched at least, even when the lease ended long ago */
    CK_LOCK_TOKEN_SIZE = 33,       /* 128 random bits in hex, and NUL */
    CK_LOCK_KEY_SIZE = 33,
};

/* Who takes a lock; borrowed. */
struct ck_lock_who {
    const char *holder, *host;
    const char *command; /* the words of the command without options: those may hold secrets */
    int64_t process;
};

/* A steal, as the lock remembers it. */
struct ck_lock_steal {
    const char *at;        /* RFC 3339 */
    const char *from, *by; /* in words: holder, host, command */
};

/* What a lock object says; strings in the arena, without control characters. */
struct ck_lock_info {
    bool there; /* there is an object; false: never locked */
    bool held;
    bool by_hand; /* with `store lock`: holds across commands */
    const char *cluster, *holder, *host, *command;
    int64_t process;
    int64_t taken_s, renewed_s, expires_s; /* by the holder's clock, since the epoch */
    int64_t lease_ms;
    int64_t serial;
    const char *digest;           /* SHA-256 of the holder's token */
    struct ck_lock_steal *steals; /* oldest first; at most 8 are kept */
    size_t n_steals;
    struct ck_version version;
};

/* Read the lock of a cluster; an absent one is no error. INVALID: the object cannot be understood
 * (ret->version is set all the same; only a steal replaces it). */
int ck_lock_read(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                 struct ck_lock_info *ret, struct ck_err *err);
/* `HOLDER on HOST (process N, COMMAND)`. */
const char *ck_lock_holder_text(struct ck_arena *a, const struct ck_lock_info *i);
/* A time of a lock as RFC 3339. */
const char *ck_lock_when(struct ck_arena *a, int64_t s);
/* Names of the clusters that have a lock object, sorted; not only of those that are held. */
int ck_lock_names(const struct ck_store *s, struct ck_strv *ret, struct ck_err *err);

/* A lock that is, or was, held. */
struct ck_lock {
    struct ck_arena *a; /* its own */
    const struct ck_store *s;
    struct ck_path path;
    struct ck_lock_info info; /* as last written */
    char token[CK_LOCK_TOKEN_SIZE];
    int64_t since_ms; /* monotonic, before the last renewal was sent */
    bool lost;
    bool adopted; /* taken by hand by an earlier command: not ours to give back */
};

struct ck_lock_opts {
    struct ck_lock_who who;
    int64_t lease_ms; /* 0: CK_LOCK_LEASE_MS, or …_BY_HAND_MS */
    int64_t wait_ms;  /* for a lock that is held; 0: not at all */
    bool by_hand;
    /* Told once before it waits for more than a moment. May be NULL. */
    void (*waiting)(void *arg, const struct ck_lock_info *other, bool expired);
    void *arg;
};

/* Take the lock. LOCKED: somebody else holds it; the message says who and until when. Release
 * with ck_lock_done, also after an error. */
int ck_lock_take(struct ck_lock *l, const struct ck_store *s, const char *cluster,
                 const struct ck_lock_opts *opts, struct ck_err *err);
/* Take it from whoever holds it, and write down from whom. NOT_FOUND: it is not locked. */
int ck_lock_take_by_force(struct ck_lock *l, const struct ck_store *s, const char *cluster,
                          const struct ck_lock_opts *opts, struct ck_err *err);
/* Go on with a lock that `token` was given for. LOCKED: it is no longer that token's. */
int ck_lock_adopt(struct ck_lock *l, const struct ck_store *s, const char *cluster,
                  const char *token, const struct ck_lock_opts *opts, struct ck_err *err);
/* Prove by compare-and-swap that the lock is ours, which starts its lease anew. LOCKED: it has
 * been taken. Any other error: nobody knows, so nothing may be written. */
int ck_lock_prove(struct ck_lock *l, struct ck_err *err);
/* The same by reading, without a new lease: for stores that take few writes of one object. */
int ck_lock_prove_by_reading(struct ck_lock *l, struct ck_err *err);
/* Milliseconds for which nobody else can take it, by the monotonic clock. */
int64_t ck_lock_left(const struct ck_lock *l);
/* Give it back. LOCKED: it was not ours any more. */
int ck_lock_release(struct ck_lock *l, struct ck_err *err);
/* The same for a lock that `token` was given for, also one that has ended. */
int ck_lock_give_back(struct ck_lock *l, const struct ck_store *s, const char *cluster,
                      const char *token, struct ck_err *err);
void ck_lock_done(struct ck_lock *l); /* frees memory; releases nothing */

/* ---- token.c: locks taken by hand, remembered by their holder ---- */

/* What one lock of one store is called on this machine. Loads libcrypto. */
int ck_lock_key(const struct ck_store *s, const char *cluster, char ret[CK_LOCK_KEY_SIZE],
                struct ck_err *err);
/* The token for `key`: from `given` ("KEY:TOKEN,…", the environment's; may be NULL), else from the
 * file KEY in `dir` (may be NULL). False: there is none. */
bool ck_lock_token_find(const char *given, const char *dir, const char *key,
                        char ret[CK_LOCK_TOKEN_SIZE]);
/* `given` with one more entry, in the arena. */
const char *ck_lock_token_add(struct ck_arena *a, const char *given, const char *key,
                              const char *token);
/* Keep and forget the file; 0600 in a folder of 0700. */
int ck_lock_token_keep(const char *dir, const char *key, const char *token, struct ck_err *err);
void ck_lock_token_forget(const char *dir, const char *key);
