/* The four steps of rotating a keyset.
 *
 * What a keyset may look like when it is written is checked in store/keyset.c. Mirrors kOps
 * cmd/kops/{create,promote,distrust,trust}_keypair.go. */
#include "ops/keys/keypair.h"

#include "store/keysneeded.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"

bool ck_keypair_rotatable(const char *keyset)
{
    return strcmp(keyset, "service-account") == 0 || strstr(keyset, "-ca");
}

static int check_rotatable(const char *keyset, const char *doing, struct ck_err *err)
{
    if (ck_keypair_rotatable(keyset))
        return 0;
    return ck_fail(err, CK_INVALID, "%s \"%s\" is not supported", doing, keyset);
}

/* Run fn on one keyset, or on all. */
typedef int (*keyset_fn)(const struct ck_keypair_run *run, struct ck_keyset *k, void *arg,
                         struct ck_err *err);

static int on_keyset(const struct ck_keypair_run *run, const char *name, keyset_fn fn, void *arg,
                     struct ck_err *err)
{
    struct ck_keyset k;
    int r = ck_keyset_read(run->arena, run->store, run->cluster, name, &k, err);
    return r ? r : fn(run, &k, arg, err);
}

static int all_names(const struct ck_keypair_run *run, struct ck_strv *ret, struct ck_err *err)
{
    CK_AUTOSTRV all = {0};
    int r = ck_keyset_names(run->arena, run->store, run->cluster, &all, err);
    for (size_t i = 0; i < all.n && !r; i++)
        if (ck_keypair_rotatable(all.v[i]))
            ck_strv_push(ret, all.v[i]);
    return r;
}

/* All are read before the first is written: one that cannot be read stops everything. `step` is the
 * distance from one keyset's argument to the next one's, 0 when they share it. */
static int on_all(const struct ck_keypair_run *run, const struct ck_strv *names, keyset_fn fn,
                  void *arg, size_t step, struct ck_err *err)
{
    struct ck_keyset *v = ck_arena_alloc(run->arena, (names->n + 1) * sizeof *v);
    int r = ck_keyset_read_named(run->arena, run->store, run->cluster,
                                 (const char *const *)names->v, names->n, false, v, err);
    for (size_t i = 0; i < names->n && !r; i++) {
        if (!v[i].exists)
            continue; /* removed meanwhile */
        r = fn(run, &v[i], step ? (char *)arg + i * step : arg, err);
        if (r)
            ck_wrap(err, "keyset \"%s\"", names->v[i]);
    }
    return r;
}

static int on_keysets(const struct ck_keypair_run *run, const char *name, keyset_fn fn, void *arg,
                      struct ck_err *err)
{
    if (strcmp(name, "all") != 0)
        return on_keyset(run, name, fn, arg, err);
    CK_AUTOSTRV names = {0};
    int r = all_names(run, &names, err);
    return r ? r : on_all(run, &names, fn, arg, 0, err);
}

static int save(const struct ck_keypair_run *run, struct ck_keyset *k, struct ck_err *err)
{
    return ck_keyset_write(run->arena, run->store, run->cluster, k, err);
}

/* ---- create ---- */

/* What goes into one keyset: the key and the certificate in PEM. */
struct material {
    struct ck_pki_key *key; /* NULL: only the certificate is known */
    bool made_cert;         /* a certificate is to be made */
    struct ck_cert cert;    /* the user's, otherwise */
    bool primary;
};

/* kOps numbers a user's certificate by its serial where that keeps the order of ids, otherwise by
 * the time. */
static const char *choose_id(struct ck_arena *a, const struct ck_keyset *k, const char *serial,
                             bool has_key, bool primary)
{
    char now[CK_PKI_SERIAL_SIZE];
    ck_pki_serial(ck_now_ns(), now);
    const char *highest = k->n ? k->v[k->n - 1]->id : NULL;
    bool fits = ck_pki_id_is_number(serial) && ck_pki_id_cmp(serial, now) <= 0 &&
                (!primary || !highest || ck_pki_id_cmp(serial, highest) > 0);
    const char *id = ck_arena_strdup(a, fits ? serial : now);
    bool before_primary =
        k->primary && k->primary->has_cert && ck_pki_id_cmp(k->primary->cert.serial, id) > 0;
    if (has_key || before_primary)
        return id;
    /* A certificate alone must sort before the primary, so that no one takes it for newer. */
    for (unsigned i = 0;; i++) {
        id = ck_arena_printf(a, "%u", i);
        if (!ck_keyset_find(k, id))
            return id;
    }
}

static int add_pair(const struct ck_keypair_run *run, struct ck_keyset *k, const struct material *m,
                    struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf cert = CK_BUF_INIT;
    CK_AUTOSECRET key = CK_SECRET_INIT;
    char serial[CK_PKI_SERIAL_SIZE];
    ck_pki_serial(ck_now_ns(), serial);
    const char *cert_serial = m->made_cert ? serial : m->cert.serial;
    struct ck_cert_ca ca = {k->name, serial, true, ck_now_s()};
    int r = 0;
    if (m->made_cert)
        r = ck_cert_issue_ca(&ca, m->key, &cert, err);
    else
        ck_cert_write(&m->cert, &cert);
    if (!r && m->key)
        r = ck_pki_key_write(m->key, ck_secret_sink(&key), err);
    if (r)
        return r;
    const char *id = choose_id(run->arena, k, cert_serial, m->key != NULL, m->primary);
    struct ck_keyset_item *it;
    r = ck_keyset_add(run->arena, k, id, ck_buf_slice(&cert), ck_secret_view(&key), &it, err);
    if (!r && m->primary)
        k->primary = it;
    if (!r)
        r = save(run, k, err);
    if (!r)
        run->tell(run->arg, CK_KEYPAIR_CREATED, k->name, it->id);
    return r;
}

static int read_user_pair(const struct ck_keypair_run *run, const struct ck_keypair_new *n,
                          struct material *m, struct ck_err *err)
{
    if (n->key.len && ck_pki_key_read(n->key, &m->key, err))
        return ck_wrap(err, "error loading private key");
    m->made_cert = n->cert.len == 0;
    if (m->made_cert)
        return 0;
    int r = ck_cert_read(run->arena, n->cert, &m->cert, err);
    if (!r && !m->cert.is_ca)
        r = ck_fail(err, CK_INVALID, "it is not the certificate of a certificate authority");
    if (!r && m->cert.not_after_s <= ck_now_s()) {
        char stamp[21];
        ck_rfc3339(m->cert.not_after_s, stamp);
        r = ck_fail(err, CK_INVALID, "it expired on %s", stamp);
    }
    if (!r && m->key)
        r = ck_cert_check_key(&m->cert, m->key, err);
    if (r)
        return ck_wrap(err, "error loading certificate");
    if (n->primary && !m->key)
        return ck_fail(err, CK_INVALID, "the primary keypair must have a private key");
    return 0;
}

static int create_one(const struct ck_keypair_run *run, const char *name,
                      const struct ck_keypair_new *n, struct ck_err *err)
{
    struct ck_keyset k;
    int r = ck_keyset_read(run->arena, run->store, run->cluster, name, &k, err);
    if (r == -CK_NOT_FOUND) {
        ck_err_done(err);
        r = 0;
        k = ck_keyset_new(run->arena, name);
    }
    if (r)
        return r;
    if (k.n == 0 && !n->primary)
        return ck_fail(err, CK_INVALID, "the first keypair added to a keyset must be primary");
    if (!k.primary && !n->primary)
        return ck_fail(err, CK_INVALID,
                       "keyset \"%s\" has no primary keypair; add one with --primary", name);
    struct material m = {.primary = n->primary};
    r = read_user_pair(run, n, &m, err);
    unsigned bits;
    if (!r && !m.key && m.made_cert) {
        r = ck_keysets_rsa_bits(run->store, &bits, err);
        if (!r)
            r = ck_pki_key_new_rsa(bits, &m.key, err);
    }
    if (!r)
        r = add_pair(run, &k, &m, err);
    ck_pki_key_free(m.key);
    return r;
}

static int add_secondary(const struct ck_keypair_run *run, struct ck_keyset *k, void *arg,
                         struct ck_err *err)
{
    if (!k->primary)
        return ck_fail(err, CK_INVALID, "it has no primary keypair");
    struct ck_pki_key **key = arg;
    struct material m = {.key = *key, .made_cert = true};
    return add_pair(run, k, &m, err);
}

/* Keys are made first and all at once: that takes the time, and the keysets are read afterwards. */
static int create_all(const struct ck_keypair_run *run, struct ck_err *err)
{
    CK_AUTOSTRV names = {0};
    unsigned bits;
    int r = all_names(run, &names, err);
    if (!r)
        r = ck_keysets_rsa_bits(run->store, &bits, err);
    if (r)
        return r;
    struct ck_pki_key **keys = ck_arena_alloc(run->arena, (names.n + 1) * sizeof(*keys));
    r = ck_pki_keys_new_rsa(bits, names.n, keys, err);
    if (!r)
        r = on_all(run, &names, add_secondary, keys, sizeof(*keys), err);
    for (size_t i = 0; i < names.n; i++)
        ck_pki_key_free(keys[i]);
    return r;
}

int ck_keypair_create(const struct ck_keypair_run *run, const char *keyset,
                      const struct ck_keypair_new *new_pair, struct ck_err *err)
{
    if (strcmp(keyset, "all") == 0)
        return create_all(run, err);
    int r = check_rotatable(keyset, "adding keypair to", err);
    return r ? r : create_one(run, keyset, new_pair, err);
}

/* ---- promote ---- */

static const char *unfit(const struct ck_keyset_item *it)
{
    return it->distrusted  ? "keypair is distrusted"
           : !it->has_key  ? "keypair has no private key"
           : !it->has_cert ? "keypair has no certificate"
                           : NULL;
}

static int promote(const struct ck_keypair_run *run, struct ck_keyset *k, void *arg,
                   struct ck_err *err)
{
    const char *id = arg;
    struct ck_keyset_item *it = NULL;
    if (id) {
        it = ck_keyset_find(k, id);
        if (!it)
            return ck_fail(err, CK_NOT_FOUND, "keypair not found");
        if (unfit(it))
            return ck_fail(err, CK_INVALID, "%s", unfit(it));
    }
    for (size_t i = k->n; i-- > 0 && !it;)
        if (ck_pki_id_is_number(k->v[i]->id) && !unfit(k->v[i]))
            it = k->v[i];
    if (!it)
        return ck_fail(err, CK_INVALID,
                       "no keypair can be the primary: each is distrusted or incomplete");
    if (it == k->primary && !id) {
        run->tell(run->arg, CK_KEYPAIR_NO_NEWER, k->name, it->id);
        return 0;
    }
    k->primary = it;
    int r = save(run, k, err);
    if (!r)
        run->tell(run->arg, CK_KEYPAIR_PROMOTED, k->name, it->id);
    return r;
}

int ck_keypair_promote(const struct ck_keypair_run *run, const char *keyset, const char *id,
                       struct ck_err *err)
{
    int r = 0;
    if (strcmp(keyset, "all") != 0)
        r = check_rotatable(keyset, "promoting keypairs for", err);
    return r ? r : on_keysets(run, keyset, promote, (void *)id, err);
}

/* ---- distrust, trust ---- */

struct ids {
    const char *const *v;
    size_t n;
};

/* The named items in the order given. */
static int named(struct ck_arena *a, const struct ck_keyset *k, const struct ids *ids,
                 struct ck_keyset_item ***ret, struct ck_err *err)
{
    *ret = ck_arena_alloc(a, (ids->n + 1) * sizeof(**ret));
    for (size_t i = 0; i < ids->n; i++) {
        (*ret)[i] = ck_keyset_find(k, ids->v[i]);
        if (!(*ret)[i])
            return ck_fail(err, CK_NOT_FOUND, "keypair not found");
    }
    return 0;
}

static void older(struct ck_arena *a, const struct ck_keyset *k, struct ck_keyset_item ***ret,
                  size_t *ret_n)
{
    *ret = ck_arena_alloc(a, (k->n + 1) * sizeof(**ret));
    for (size_t i = 0; i < k->n; i++) {
        struct ck_keyset_item *it = k->v[i];
        if (!it->distrusted && it->has_cert &&
            ck_pki_id_cmp(it->cert.serial, k->primary->cert.serial) < 0)
            (*ret)[(*ret_n)++] = it;
    }
}

static int distrust(const struct ck_keypair_run *run, struct ck_keyset *k, void *arg,
                    struct ck_err *err)
{
    const struct ids *ids = arg;
    struct ck_keyset_item **v;
    size_t n = ids->n, changed = 0;
    if (!k->primary || !k->primary->has_cert)
        return ck_fail(err, CK_INVALID, "keyset must have a primary key");
    if (n == 0)
        older(run->arena, k, &v, &n);
    else if (named(run->arena, k, ids, &v, err))
        return -(int)err->code;
    for (size_t i = 0; i < n; i++) {
        if (v[i] == k->primary)
            return ck_fail(err, CK_INVALID, "cannot distrust the primary keypair");
        if (v[i]->distrusted)
            continue;
        v[i]->distrusted = true;
        v[i]->distrusted_s = ck_now_s();
        v[changed++] = v[i];
    }
    if (ids->n == 0 && changed == 0)
        run->tell(run->arg, CK_KEYPAIR_NONE_OLDER, k->name, NULL);
    int r = changed ? save(run, k, err) : 0;
    for (size_t i = 0; i < changed && !r; i++)
        run->tell(run->arg, CK_KEYPAIR_DISTRUSTED, k->name, v[i]->id);
    return r;
}

int ck_keypair_distrust(const struct ck_keypair_run *run, const char *keyset,
                        const char *const *ids, size_t n, struct ck_err *err)
{
    struct ids x = {ids, n};
    return on_keysets(run, keyset, distrust, &x, err);
}

static int trust(const struct ck_keypair_run *run, struct ck_keyset *k, void *arg,
                 struct ck_err *err)
{
    const struct ids *ids = arg;
    struct ck_keyset_item **v;
    size_t changed = 0;
    int r = named(run->arena, k, ids, &v, err);
    for (size_t i = 0; i < ids->n && !r; i++) {
        if (!v[i]->distrusted)
            continue;
        v[i]->distrusted = false;
        v[changed++] = v[i];
    }
    /* A keyset in which everything was distrusted gets its primary back. */
    for (size_t i = 0; i < changed && !k->primary; i++)
        if (!unfit(v[i]))
            k->primary = v[i];
    if (!r && changed)
        r = save(run, k, err);
    for (size_t i = 0; i < changed && !r; i++)
        run->tell(run->arg, CK_KEYPAIR_TRUSTED, k->name, v[i]->id);
    return r;
}

int ck_keypair_trust(const struct ck_keypair_run *run, const char *keyset, const char *const *ids,
                     size_t n, struct ck_err *err)
{
    struct ids x = {ids, n};
    return on_keyset(run, keyset, trust, &x, err);
}
