/* Certificates of the control plane's own programs.
 *
 * Names and lifetimes are those of kOps' nodeup (nodeup/pkg/model/kube_apiserver.go, secrets.go);
 * unlike there, a pair that still fits is kept, so that a pull without news changes nothing. */
#include "ops/keys/nodeleaf.h"

#include "base/clock.h"
#include "base/file.h"
#include "spec/ipnet.h"
#include "store/keysneeded.h"

enum { DAY_S = 86400, LIFETIME_DAYS = 455, MAX_NAMES = 64 };

static const struct leaf {
    const char *stem; /* its end */
    const char *common_name;
    enum ck_cert_use use;
} LEAVES[] = {
    {"/server", "kubernetes", CK_CERT_SERVER},
    {"/kubelet-api", "kubelet-api", CK_CERT_CLIENT},
    {"/etcd-client", "kube-apiserver", CK_CERT_CLIENT},
    {"/apiserver-aggregator", "aggregator", CK_CERT_CLIENT},
};

/* ---- names of the API server ---- */

struct names {
    const char **v;
    size_t n;
};

static void add(struct names *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->v[i], name) == 0)
            return;
    if (name[0] && l->n < MAX_NAMES)
        l->v[l->n++] = name;
}

static void add_list(struct names *l, const struct ck_val *list)
{
    for (size_t i = 0; i < ck_len(list); i++)
        add(l, ck_str_or(ck_item(list, i), ""));
}

static void add_service_address(struct ck_arena *a, struct names *l, const char *range)
{
    struct ck_ipnet net;
    char text[CK_IPNET_TEXT];
    if (!ck_ipnet_parse(range, &net))
        return;
    ck_ipnet_nth_ip(&net, 1, text);
    add(l, ck_arena_strdup(a, text));
}

static void server_names(struct ck_arena *a, const struct ck_node_pull *p,
                         const struct ck_val *config, struct names *l)
{
    static const char *const FIXED[] = {"kubernetes", "kubernetes.default",
                                        "kubernetes.default.svc"};
    const char *domain = ck_str_at(config, "APIServerConfig.ClusterDNSDomain");
    for (size_t i = 0; i < CK_ARRAY_LEN(FIXED); i++)
        add(l, FIXED[i]);
    if (domain[0])
        add(l, ck_arena_printf(a, "kubernetes.default.svc.%s", domain));
    add(l, ck_str_at(config, "APIServerConfig.API.publicName"));
    add(l, ck_arena_printf(a, "api.internal.%s", p->cluster));
    add_list(l, ck_at(config, "APIServerConfig.API.additionalSANs"));
    add_service_address(a, l, ck_str_at(config, "Networking.serviceClusterIPRange"));
    add(l, "127.0.0.1");
    add_list(l, ck_get(config, "ApiserverAdditionalIPs"));
    for (size_t i = 0; i < p->n_addresses; i++)
        add(l, p->addresses[i]);
}

/* ---- keeping what there is ---- */

static bool has_names(const struct ck_cert *c, const struct names *l)
{
    if (c->n_alt_names != l->n)
        return false;
    for (size_t i = 0; i < l->n; i++) {
        bool found = false;
        for (size_t k = 0; k < c->n_alt_names && !found; k++)
            found = strcmp(c->alt_names[k], l->v[i]) == 0;
        if (!found)
            return false;
    }
    return true;
}

static bool fits(struct ck_arena *a, const struct ck_cert_leaf *want, const struct names *names,
                 const struct ck_cert *ca, struct ck_slice pem, struct ck_slice key_pem)
{
    CK_AUTOERR e = CK_ERR_INIT;
    CK_AUTOPKIKEY struct ck_pki_key *key = NULL;
    struct ck_cert c;
    if (ck_cert_read(a, pem, &c, &e) || ck_pki_key_read(key_pem, &key, &e) ||
        ck_cert_check_key(&c, key, &e))
        return false;
    return ck_cert_is_signed_by(&c, ca) && strcmp(c.issuer, ca->subject) == 0 &&
           strcmp(c.subject, ck_arena_printf(a, "CN=%s", want->common_name)) == 0 &&
           has_names(&c, names) && c.not_after_s - want->now_s > want->lifetime_s / 3;
}

/* *ret_kept: the pair of the last pull is in the set again. */
static int keep(struct ck_arena *a, const struct ck_node_pull *p, const char *stem,
                const struct ck_cert_leaf *want, const struct names *names,
                const struct ck_cert *ca, struct ck_fileset *out, bool *ret_kept,
                struct ck_err *err)
{
    CK_AUTOERR e = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf cert = CK_BUF_INIT;
    CK_AUTOSECRET key = CK_SECRET_INIT;
    const char *base = ck_arena_printf(a, "%s/current/%s", p->dir, stem);
    *ret_kept = false;
    if (ck_file_read(ck_arena_printf(a, "%s.crt", base), CK_PKI_MAX_PEM, &cert, &e) ||
        ck_file_read(ck_arena_printf(a, "%s.key", base), CK_PKI_MAX_PEM, ck_secret_sink(&key),
                     &e) ||
        !fits(a, want, names, ca, ck_buf_slice(&cert), ck_secret_view(&key)))
        return 0;
    *ret_kept = true;
    int r = ck_fileset_add(a, out, ck_arena_printf(a, "%s.crt", stem), ck_buf_slice(&cert), err);
    return r ? r
             : ck_fileset_add(a, out, ck_arena_printf(a, "%s.key", stem), ck_secret_view(&key),
                              err);
}

/* ---- making ---- */

static int make(struct ck_arena *a, const struct ck_node_pull *p, const char *stem,
                const struct ck_cert_leaf *want, const struct ck_cert *ca,
                const struct ck_pki_key *ca_key, struct ck_fileset *out, struct ck_err *err)
{
    CK_AUTOPKIKEY struct ck_pki_key *key = NULL;
    CK_AUTOBUF struct ck_buf cert = CK_BUF_INIT;
    CK_AUTOSECRET pem = CK_SECRET_INIT;
    unsigned bits;
    int r = ck_keysets_rsa_bits(p->store, &bits, err);
    if (!r)
        r = ck_pki_key_new_rsa(bits, &key, err);
    if (!r)
        r = ck_cert_issue_leaf(want, key, ca, ca_key, &cert, err);
    if (!r)
        r = ck_pki_key_write(key, ck_secret_sink(&pem), err);
    if (!r)
        r = ck_fileset_add(a, out, ck_arena_printf(a, "%s.crt", stem), ck_buf_slice(&cert), err);
    return r ? r
             : ck_fileset_add(a, out, ck_arena_printf(a, "%s.key", stem), ck_secret_view(&pem),
                              err);
}

int ck_node_leaf(struct ck_arena *a, const struct ck_node_pull *p, const struct ck_val *config,
                 const char *stem, const struct ck_cert *ca, const struct ck_pki_key *ca_key,
                 struct ck_fileset *out, struct ck_err *err)
{
    const struct leaf *leaf = NULL;
    for (size_t i = 0; i < CK_ARRAY_LEN(LEAVES); i++)
        if (ck_str_ends(stem, LEAVES[i].stem))
            leaf = &LEAVES[i];
    if (!leaf)
        return ck_fail(err, CK_INTERNAL, "nobody knows the certificate %s", stem);
    struct names names = {ck_arena_alloc(a, MAX_NAMES * sizeof(*names.v)), 0};
    if (leaf->use == CK_CERT_SERVER)
        server_names(a, p, config, &names);
    struct ck_cert_leaf want = {.use = leaf->use,
                                .common_name = leaf->common_name,
                                .alt_names = names.v,
                                .n_alt_names = names.n,
                                .now_s = ck_now_s(),
                                .lifetime_s = (int64_t)LIFETIME_DAYS * DAY_S};
    bool kept = false;
    int r = p->dir[0] ? keep(a, p, stem, &want, &names, ca, out, &kept, err) : 0;
    return r || kept ? r : make(a, p, stem, &want, ca, ca_key, out, err);
}
