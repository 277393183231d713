/* The address of a cluster's API server and a client certificate for it.
 *
 * Nothing is written here: files are merged in kubemerge.c. Mirrors kOps
 * pkg/kubeconfig/create_kubecfg.go; addresses of load balancers, which only the cloud knows, are
 * left to the caller (--api-server). */
#include "ops/keys/kubeaccess.h"

#include "base/clock.h"
#include "store/keysneeded.h"

static const char AUTHORITY[] = "kubernetes-ca";
static const char ADMINISTRATORS[] = "system:masters";

void ck_kube_access_done(struct ck_kube_access *x)
{
    ck_secret_done(&x->key);
}

/* ---- address ---- */

/* A listener with a certificate of the user's own has a second one for client certificates. */
static const char *balancer_certificate(const struct ck_val *spec)
{
    return ck_str_at(spec, "api.loadBalancer.sslCertificate");
}

static bool second_listener(const struct ck_val *spec, const struct ck_kube_access_opts *opts)
{
    return opts->admin_s && balancer_certificate(spec)[0] &&
           strcmp(ck_str_at(spec, "api.loadBalancer.class"), "Network") == 0;
}

/* Without names in DNS the balancer's own address is needed. */
static bool has_no_dns(const struct ck_object *cluster)
{
    const char *type = ck_str_at(ck_object_spec(cluster), "topology.dns.type");
    return strcmp(type, "None") == 0 || ck_str_ends(ck_object_name(cluster), ".k8s.local");
}

static void set_address(struct ck_arena *a, const struct ck_object *cluster,
                        const struct ck_kube_access_opts *opts, struct ck_kube_access *ret)
{
    const struct ck_val *spec = ck_object_spec(cluster);
    const char *public_name = ck_str_at(spec, "masterPublicName");
    if (!public_name[0])
        public_name = ck_arena_printf(a, "api.%s", ret->name);
    ret->tls_server_name = ck_arena_printf(a, "api.internal.%s", ret->name);
    ret->server =
        ck_arena_printf(a, "https://%s%s", opts->internal ? ret->tls_server_name : public_name,
                        second_listener(spec, opts) ? ":8443" : "");
    if (opts->api_server[0])
        ret->server = opts->api_server;
    else
        ret->address_is_a_guess = has_no_dns(cluster);
}

/* ---- certificates ---- */

static int make_certificate(struct ck_arena *a, const struct ck_store *s,
                            const struct ck_keyset_item *authority,
                            const struct ck_kube_access_opts *opts, struct ck_kube_access *ret,
                            struct ck_err *err)
{
    CK_AUTOPKIKEY struct ck_pki_key *signer = NULL;
    CK_AUTOPKIKEY struct ck_pki_key *own = NULL;
    CK_AUTOBUF struct ck_buf cert = CK_BUF_INIT;
    struct ck_cert_leaf leaf = {.use = CK_CERT_CLIENT,
                                .common_name = ck_arena_printf(a, "kubecfg-%s", opts->login),
                                .organization = ADMINISTRATORS,
                                .now_s = ck_now_s(),
                                .lifetime_s = opts->admin_s};
    unsigned bits;
    int r = ck_keysets_rsa_bits(s, &bits, err);
    if (!r)
        r = ck_keyset_item_key(authority, &signer, err);
    if (!r)
        r = ck_pki_key_new_rsa(bits, &own, err);
    if (!r)
        r = ck_cert_issue_leaf(&leaf, own, &authority->cert, signer, &cert, err);
    if (!r)
        r = ck_pki_key_write(own, ck_secret_sink(&ret->key), err);
    if (r)
        return ck_wrap(err, "cannot sign with keyset \"%s\"", AUTHORITY);
    ret->cert = ck_arena_slice(a, ck_buf_slice(&cert));
    ret->cert_ends_s = leaf.now_s + leaf.lifetime_s;
    return 0;
}

int ck_kube_access_make(struct ck_arena *a, const struct ck_store *s,
                        const struct ck_object *cluster, const struct ck_kube_access_opts *opts,
                        struct ck_kube_access *ret, struct ck_err *err)
{
    const struct ck_val *spec = ck_object_spec(cluster);
    struct ck_keyset k;
    *ret = (struct ck_kube_access){.name = ck_object_name(cluster), .key = CK_SECRET_INIT};
    set_address(a, cluster, opts, ret);
    bool own_authority = !balancer_certificate(spec)[0] || second_listener(spec, opts);
    if (!own_authority && !opts->admin_s)
        return 0;
    int r = ck_keyset_read(a, s, cluster, AUTHORITY, &k, err);
    if (r == -CK_NOT_FOUND || (!r && (!k.primary || !k.primary->has_cert)))
        return ck_fail(err, CK_NOT_FOUND, "cannot find CA certificate");
    if (r)
        return ck_wrap(err, "error fetching CA keypair");
    CK_AUTOBUF struct ck_buf bundle = CK_BUF_INIT;
    ck_keyset_bundle(&k, &bundle);
    if (own_authority)
        ret->ca = ck_arena_slice(a, ck_buf_slice(&bundle));
    return opts->admin_s ? make_certificate(a, s, k.primary, opts, ret, err) : 0;
}
