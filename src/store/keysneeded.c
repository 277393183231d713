/* Which keysets a cluster needs, and making the missing ones.
 *
 * Rotation is in ops/keys/keypair.c. Mirrors kOps pkg/model/pki.go, components/etcdmanager/model.go
 * and upup/pkg/fi/fitasks/keypair.go. */
#include "store/keysneeded.h"

#include "base/clock.h"
#include "base/secret.h"

/* The one list of what clusters need. `%s` stands for the name of an etcd cluster. */
static const struct row {
    const char *name;
    enum { ALWAYS, PER_ETCD, WITH_CILIUM_ETCD, WITH_DISCOVERY } when;
    bool bundle;
    unsigned readers;
} TABLE[] = {
    {"apiserver-aggregator-ca", ALWAYS, true, CK_KEYSET_CONTROL_PLANE | CK_KEYSET_APISERVER},
    {"discovery-ca", WITH_DISCOVERY, false, 0},
    {"etcd-clients-ca", ALWAYS, true, CK_KEYSET_CONTROL_PLANE | CK_KEYSET_APISERVER},
    {"etcd-clients-ca-cilium", WITH_CILIUM_ETCD, true, CK_KEYSET_EVERYONE},
    {"etcd-manager-ca-%s", PER_ETCD, true, CK_KEYSET_CONTROL_PLANE},
    {"etcd-peers-ca-%s", PER_ETCD, true, CK_KEYSET_CONTROL_PLANE},
    {"kubernetes-ca", ALWAYS, true, CK_KEYSET_EVERYONE},
    {"service-account", ALWAYS, false, CK_KEYSET_CONTROL_PLANE | CK_KEYSET_APISERVER},
};

static const char CILIUM[] = "cilium";

struct list {
    struct ck_arena *a;
    struct ck_keyset_need *v;
    size_t n;
};

static void add(struct list *l, const struct row *row, const char *name, unsigned readers)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->v[i].name, name) == 0)
            return; /* two etcd clusters of one name are refused elsewhere */
    l->v[l->n++] = (struct ck_keyset_need){.name = name,
                                           .subject = ck_arena_printf(l->a, "cn=%s", name),
                                           .issuer = "",
                                           .type = "ca",
                                           .bundle = row->bundle,
                                           .readers = readers};
}

/* Cilium's agents on every node talk to its etcd cluster. */
static void add_per_etcd(struct list *l, const struct row *row, const char *prefix,
                         const struct ck_val *etcd)
{
    for (size_t i = 0; i < ck_len(etcd); i++) {
        const char *name = ck_str_at(ck_item(etcd, i), "name");
        if (name[0])
            add(l, row, ck_arena_printf(l->a, "%s%s", prefix, name),
                strcmp(name, CILIUM) == 0 ? CK_KEYSET_EVERYONE : row->readers);
    }
}

static int by_name(const void *x, const void *y)
{
    const struct ck_keyset_need *a = x, *b = y;
    return strcmp(a->name, b->name);
}

void ck_keysets_needed(struct ck_arena *a, const struct ck_object *cluster,
                       struct ck_keyset_need **ret, size_t *ret_n)
{
    const struct ck_val *spec = ck_object_spec(cluster), *etcd = ck_get(spec, "etcdClusters");
    bool cilium = false;
    for (size_t i = 0; i < ck_len(etcd); i++)
        cilium = cilium || ck_is_str(ck_get(ck_item(etcd, i), "name"), CILIUM);
    bool discovery = ck_str_at(spec, "discoveryService.url")[0];
    struct list l = {a, NULL, 0};
    l.v = ck_arena_alloc(a, CK_ARRAY_LEN(TABLE) * (ck_len(etcd) + 1) * sizeof(*l.v));
    for (size_t i = 0; i < CK_ARRAY_LEN(TABLE); i++) {
        const struct row *row = &TABLE[i];
        size_t prefix = strcspn(row->name, "%");
        if (row->when == PER_ETCD)
            add_per_etcd(&l, row, ck_arena_strndup(a, row->name, prefix), etcd);
        else if (row->when == ALWAYS || (row->when == WITH_CILIUM_ETCD && cilium) ||
                 (row->when == WITH_DISCOVERY && discovery))
            add(&l, row, row->name, row->readers);
    }
    qsort(l.v, l.n, sizeof(*l.v), by_name);
    *ret = l.v;
    *ret_n = l.n;
}

/* ---- looking ---- */

/* A keyset without a key that can sign is of no use to a cluster. */
static int check_usable(const struct ck_keyset *k, struct ck_err *err)
{
    if (k->primary && k->primary->has_cert && k->primary->has_key)
        return 0;
    return ck_fail(err, CK_INVALID, "keyset \"%s\" has no usable primary keypair", k->name);
}

static int look(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                bool brief, struct ck_keyset_found **ret, size_t *ret_n, struct ck_err *err)
{
    struct ck_keyset_need *need;
    size_t n;
    ck_keysets_needed(a, cluster, &need, &n);
    struct ck_keyset_found *v = ck_arena_alloc(a, (n + 1) * sizeof(*v));
    const char **names = ck_arena_alloc(a, (n + 1) * sizeof(*names));
    struct ck_keyset *sets = ck_arena_alloc(a, (n + 1) * sizeof(*sets));
    for (size_t i = 0; i < n; i++)
        names[i] = need[i].name;
    int r = ck_keyset_read_named(a, s, cluster, names, n, brief, sets, err);
    for (size_t i = 0; i < n && !r; i++) {
        bool missing = sets[i].n == 0 && !sets[i].exists;
        v[i] = (struct ck_keyset_found){need[i], sets[i], missing, false};
        r = v[i].missing ? 0 : check_usable(&v[i].keyset, err);
    }
    *ret = v;
    *ret_n = r ? 0 : n;
    return r;
}

int ck_keysets_look(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                    struct ck_keyset_found **ret, size_t *ret_n, struct ck_err *err)
{
    return look(a, s, cluster, true, ret, ret_n, err);
}

/* ---- making ---- */

int ck_keysets_rsa_bits(const struct ck_store *s, unsigned *ret, struct ck_err *err)
{
    const char *text = ck_env_nonempty(s->vfs->env, "KOPS_RSA_PRIVATE_KEY_SIZE");
    *ret = CK_PKI_DEFAULT_RSA_BITS;
    if (!text)
        return 0;
    unsigned n = 0;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9' || n > CK_PKI_MAX_RSA_BITS)
            return ck_fail(err, CK_INVALID,
                           "error parsing KOPS_RSA_PRIVATE_KEY_SIZE=%s as a number of bits", text);
        n = n * 10 + (unsigned)(*p - '0');
    }
    *ret = n;
    return 0;
}

struct making {
    struct ck_arena *a;
    const struct ck_store *s;
    const struct ck_object *cluster;
};

static int make(const struct making *m, struct ck_keyset_found *f, const struct ck_pki_key *key,
                struct ck_err *err)
{
    struct ck_keyset *k = &f->keyset;
    struct ck_keyset_item *it;
    char serial[CK_PKI_SERIAL_SIZE];
    CK_AUTOBUF struct ck_buf cert = CK_BUF_INIT;
    CK_AUTOSECRET pem = CK_SECRET_INIT;
    ck_pki_serial(ck_now_ns(), serial);
    struct ck_cert_ca ca = {f->need.name, serial, false, ck_now_s()};
    int r = ck_cert_issue_ca(&ca, key, &cert, err);
    if (!r)
        r = ck_pki_key_write(key, ck_secret_sink(&pem), err);
    if (!r)
        r = ck_keyset_add(m->a, k, serial, ck_buf_slice(&cert), ck_secret_view(&pem), &it, err);
    if (r)
        return r;
    k->primary = it;
    return ck_keyset_write(m->a, m->s, m->cluster, k, err);
}

/* Someone else was faster: theirs is the keyset. */
static int take_over(const struct making *m, struct ck_keyset_found *f, struct ck_err *err)
{
    ck_err_done(err);
    int r = ck_keyset_read(m->a, m->s, m->cluster, f->need.name, &f->keyset, err);
    return r ? r : check_usable(&f->keyset, err);
}

static int ensure_one(const struct making *m, struct ck_keyset_found *f,
                      const struct ck_pki_key *key, struct ck_err *err)
{
    int r = key ? make(m, f, key, err) : ck_keyset_write(m->a, m->s, m->cluster, &f->keyset, err);
    f->made = !r && key;
    if (r == -CK_CONFLICT)
        r = take_over(m, f, err);
    if (!r)
        f->missing = f->keyset.legacy = false;
    return r;
}

int ck_keysets_ensure(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                      struct ck_keyset_found *v, size_t n, struct ck_err *err)
{
    struct making m = {a, s, cluster};
    size_t missing = 0, next = 0;
    for (size_t i = 0; i < n; i++)
        missing += v[i].missing;
    struct ck_pki_key **keys = ck_arena_alloc(a, (missing + 1) * sizeof(*keys));
    unsigned bits;
    int r = ck_keysets_rsa_bits(s, &bits, err);
    if (!r && missing)
        r = ck_pki_keys_new_rsa(bits, missing, keys, err);
    for (size_t i = 0; i < n && !r; i++)
        if (v[i].missing || v[i].keyset.legacy)
            r = ensure_one(&m, &v[i], v[i].missing ? keys[next++] : NULL, err);
    for (size_t i = 0; i < missing; i++)
        ck_pki_key_free(keys[i]);
    return r;
}

int ck_keysets_ensure_all(struct ck_arena *a, const struct ck_store *s,
                          const struct ck_object *cluster, struct ck_keyset_found **ret,
                          size_t *ret_n, struct ck_err *err)
{
    int r = look(a, s, cluster, false, ret, ret_n, err);
    return r ? r : ck_keysets_ensure(a, s, cluster, *ret, *ret_n, err);
}

void ck_keyset_bundle(const struct ck_keyset *k, struct ck_buf *out)
{
    for (size_t i = 0; i < k->n; i++)
        if (k->v[i]->has_cert && !k->v[i]->distrusted)
            ck_cert_write(&k->v[i]->cert, out);
}
