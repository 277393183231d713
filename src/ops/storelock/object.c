/* Lock objects: where they lie and what is in them. A small YAML map that a person can read; what
 * comes from it is other people's text and loses its control characters here. */
#include "ops/storelock/internal.h"

#include "base/clock.h"
#include "crypto/hash.h"
#include "doc/scalar.h"
#include "doc/yaml.h"

enum {
    MAX_BYTES = 64 * 1024,
    MAX_DEPTH = 8,
    MAX_NODES = 1000,
    MAX_TEXT = 200,
    NS_PER_MS = 1000000
};

const char *ck_lock_digest(struct ck_arena *a, const char *token)
{
    char hex[2 * CK_SHA256_LEN + 1];
    ck_sha256_hex(ck_slice_of(token), hex);
    return ck_arena_strdup(a, hex);
}

/* ---- writing ---- */

const char *ck_lock_when(struct ck_arena *a, int64_t s)
{
    char text[21];
    ck_rfc3339(s, text);
    return ck_arena_strdup(a, text);
}

static void set_time(struct ck_arena *a, struct ck_val *v, const char *key, int64_t s)
{
    ck_set_str(a, v, key, ck_lock_when(a, s));
}

static void set_lease(struct ck_arena *a, struct ck_val *v, int64_t ms)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_duration_put(&b, ms * NS_PER_MS);
    ck_set_str(a, v, "lease", ck_buf_str(&b));
}

void ck_lock_encode(struct ck_buf *out, const struct ck_lock_info *i)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_val *v = ck_map(a), *steals = ck_list(a);
    ck_set_bool(a, v, "byHand", i->by_hand);
    ck_set_str(a, v, "cluster", i->cluster);
    ck_set_str(a, v, "command", i->command);
    set_time(a, v, "expires", i->expires_s);
    ck_set_str(a, v, "holder", i->holder);
    ck_set_str(a, v, "host", i->host);
    set_lease(a, v, i->lease_ms);
    ck_set_int(a, v, "process", i->process);
    set_time(a, v, "renewed", i->renewed_s);
    ck_set_int(a, v, "serial", i->serial);
    ck_set_str(a, v, "state", i->held ? "held" : "free");
    set_time(a, v, "taken", i->taken_s);
    ck_set_str(a, v, "tokenSHA256", i->digest);
    for (size_t k = 0; k < i->n_steals; k++) {
        struct ck_val *x = ck_map(a);
        ck_set_str(a, x, "at", i->steals[k].at);
        ck_set_str(a, x, "by", i->steals[k].by);
        ck_set_str(a, x, "from", i->steals[k].from);
        ck_append(a, steals, x);
    }
    if (i->n_steals)
        ck_set(a, v, "stolen", steals);
    ck_yaml_emit(out, v);
}

/* ---- reading ---- */

static const char *clean(struct ck_arena *a, const struct ck_val *v, const char *key)
{
    const char *text = ck_str_or(ck_get(v, key), "");
    char *copy = ck_arena_strndup(a, text, strnlen(text, MAX_TEXT));
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    return copy;
}

static bool get_time(const struct ck_val *v, const char *key, int64_t *ret)
{
    return ck_rfc3339_parse(ck_slice_of(ck_str_or(ck_get(v, key), "")), ret);
}

static void get_steals(struct ck_arena *a, const struct ck_val *v, struct ck_lock_info *ret)
{
    size_t n = ck_len(v);
    ret->steals = ck_arena_alloc(a, (n + 1) * sizeof *ret->steals);
    for (size_t k = 0; k < n; k++) {
        const struct ck_val *x = ck_item(v, k);
        ret->steals[ret->n_steals++] = (struct ck_lock_steal){
            .at = clean(a, x, "at"), .from = clean(a, x, "from"), .by = clean(a, x, "by")};
    }
}

static int decode(struct ck_arena *a, struct ck_slice text, struct ck_lock_info *ret,
                  struct ck_err *err)
{
    const struct ck_yaml_opts opts = {
        .limits = {.bytes = MAX_BYTES, .depth = MAX_DEPTH, .nodes = MAX_NODES}, .strict = true};
    struct ck_val *v;
    int64_t ns = 0;
    int r = ck_yaml_parse(a, text, &opts, &v, NULL, err);
    if (r < 0)
        return r;
    const char *state = clean(a, v, "state");
    ret->held = strcmp(state, "held") == 0;
    if (!ret->held && strcmp(state, "free") != 0)
        return ck_fail(err, CK_INVALID, "its state is neither held nor free");
    if (!get_time(v, "expires", &ret->expires_s) || !get_time(v, "taken", &ret->taken_s) ||
        !get_time(v, "renewed", &ret->renewed_s))
        return ck_fail(err, CK_INVALID, "a time in it is missing or wrong");
    r = ck_duration_parse(ck_slice_of(clean(a, v, "lease")), &ns, err);
    if (r < 0)
        return r;
    /* a lease that nobody may have would keep others waiting without end */
    ret->lease_ms = ns / NS_PER_MS;
    if (ret->lease_ms < CK_LOCK_LEASE_MIN_MS || ret->lease_ms > CK_LOCK_LEASE_MAX_MS)
        return ck_fail(err, CK_INVALID, "its lease is out of bounds");
    ret->by_hand = ck_bool_at(v, "byHand", false);
    ret->command = clean(a, v, "command");
    ret->holder = clean(a, v, "holder");
    ret->host = clean(a, v, "host");
    ret->process = ck_int_at(v, "process", 0);
    ret->serial = ck_int_at(v, "serial", 0);
    ret->digest = clean(a, v, "tokenSHA256");
    get_steals(a, ck_get(v, "stolen"), ret);
    return 0;
}

int ck_lock_read(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                 struct ck_lock_info *ret, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_path path;
    *ret = (struct ck_lock_info){.cluster = ck_arena_strdup(a, cluster),
                                 .holder = "",
                                 .host = "",
                                 .command = "",
                                 .digest = "",
                                 .lease_ms = CK_LOCK_LEASE_MS};
    int r = ck_layout_lock(a, s, cluster, &path, err);
    if (r < 0)
        return r;
    r = ck_vfs_read(&path, &b, &ret->version, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r < 0)
        return ck_wrap(err, "error reading the lock of \"%s\"", cluster);
    ret->there = true;
    if (!*ret->version.token)
        return ck_fail(err, CK_UNSUPPORTED,
                       "%s has no version: this store cannot compare and write, so there are no "
                       "locks in it",
                       ck_path_text(a, &path));
    r = decode(a, ck_buf_slice(&b), ret, err);
    if (r == 0)
        return 0;
    ret->held = true; /* nobody knows; a steal puts it right */
    return ck_fail(err, CK_INVALID, "%s is no lock: %s; \"store lock steal\" replaces it",
                   ck_path_text(a, &path), ck_err_msg(err));
}

const char *ck_lock_holder_text(struct ck_arena *a, const struct ck_lock_info *i)
{
    return ck_arena_printf(a, "%s on %s (process %lld, %s)", i->holder, i->host,
                           (long long)i->process, i->command);
}

int ck_lock_names(const struct ck_store *s, struct ck_strv *ret, struct ck_err *err)
{
    static const char suffix[] = ".lock";
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries e = {0};
    struct ck_path dir;
    int r = ck_path_join(a, &s->root, CK_LAYOUT_LOCKS, &dir, err);
    if (r == 0)
        r = ck_vfs_tree(&dir, a, &e, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    for (size_t i = 0; r == 0 && i < e.n; i++)
        if (ck_str_ends(e.v[i].name, suffix))
            ck_strv_pushn(ret, e.v[i].name, strlen(e.v[i].name) - strlen(suffix));
    return r;
}
