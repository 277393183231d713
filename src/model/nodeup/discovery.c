/* The documents that let others check the cluster's service-account tokens: OpenID Connect's
 * discovery, and the keys. Mirrors kOps pkg/model/issuerdiscovery.go. */
#include "crypto/hash.h"
#include "crypto/jws.h"
#include "crypto/spki.h"
#include "doc/json.h"
#include "model/nodeup/internal.h"

#include <stdlib.h>
#include <string.h>

static struct ck_val *texts(struct ck_arena *a, const char *const *v, size_t n)
{
    struct ck_val *list = ck_list(a);
    for (size_t i = 0; i < n; i++)
        ck_append_str(a, list, v[i]);
    return list;
}

/* Lines, but no indentation: Go's MarshalIndent with empty strings. No string here holds a line
 * break, so that a line's spaces at its start are indentation alone. */
static void put_flat(struct ck_buf *out, const struct ck_val *v)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    ck_json_emit(&text, v, (struct ck_json_style){.indent = 1});
    bool start = true;
    for (size_t i = 0; i < text.len; i++) {
        if (start && text.ptr[i] == ' ')
            continue;
        ck_buf_putc(out, text.ptr[i]);
        start = text.ptr[i] == '\n';
    }
}

static void put_discovery(const struct ck_model *m, struct ck_buf *out)
{
    static const char *const id_token[] = {"id_token"}, *const open[] = {"public"};
    static const char *const rs256[] = {"RS256"}, *const claims[] = {"sub", "iss"};
    const char *issuer = ck_str_at(m->spec, "kubeAPIServer.serviceAccountIssuer");
    struct ck_val *d = ck_map(m->a);
    ck_set_str(m->a, d, "issuer", issuer);
    ck_set(m->a, d, "jwks_uri", ck_strf(m->a, "%s/openid/v1/jwks", issuer));
    ck_set_str(m->a, d, "authorization_endpoint", "urn:kubernetes:programmatic_authorization");
    ck_set(m->a, d, "response_types_supported", texts(m->a, id_token, 1));
    ck_set(m->a, d, "subject_types_supported", texts(m->a, open, 1));
    ck_set(m->a, d, "id_token_signing_alg_values_supported", texts(m->a, rs256, 1));
    ck_set(m->a, d, "claims_supported", texts(m->a, claims, 2));
    put_flat(out, d);
}

static struct ck_val *url64(struct ck_arena *a, const void *p, size_t n)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_base64url_encode(&b, p, n);
    return ck_str(a, ck_buf_str(&b));
}

static struct ck_val *jwk(const struct ck_model *m, const struct ck_spki *key)
{
    unsigned char digest[CK_SHA256_LEN];
    struct ck_val *v = ck_map(m->a);
    ck_sha256(key->der, digest);
    ck_set_str(m->a, v, "use", "sig");
    ck_set_str(m->a, v, "kty", "RSA");
    ck_set(m->a, v, "kid", url64(m->a, digest, sizeof digest));
    ck_set_str(m->a, v, "alg", "RS256");
    ck_set(m->a, v, "n", url64(m->a, key->n.ptr, key->n.len));
    ck_set(m->a, v, "e", url64(m->a, key->e.ptr, key->e.len));
    return v;
}

static int by_kid(const void *x, const void *y)
{
    const struct ck_val *const *a = x, *const *b = y;
    return strcmp(ck_str_at(*a, "kid"), ck_str_at(*b, "kid"));
}

static int put_keys(const struct ck_model *m, struct ck_buf *out, struct ck_err *err)
{
    const struct ck_keyset *k = ck_model_keyset(m, "service-account");
    struct ck_val *list = ck_list(m->a), *document = ck_map(m->a);
    for (size_t i = 0; k && i < k->n; i++) {
        struct ck_spki key;
        if (k->v[i]->distrusted || !k->v[i]->has_cert)
            continue;
        int r = ck_spki_of_cert(k->v[i]->cert.der, &key, err);
        if (!r && !key.n.len)
            r = ck_fail(err, CK_INVALID, "it is not an RSA key");
        if (r)
            return ck_wrap(err, "keyset \"service-account\", key %s", k->v[i]->id);
        ck_append(m->a, list, jwk(m, &key));
    }
    if (list->list.n)
        qsort(list->list.v, list->list.n, sizeof(struct ck_val *), by_kid);
    ck_set(m->a, document, "keys", list);
    put_flat(out, document);
    return 0;
}

int ck_nodeup_discovery(const struct ck_model *m, struct ck_buf *discovery, struct ck_buf *keys,
                        struct ck_err *err)
{
    put_discovery(m, discovery);
    return put_keys(m, keys, err);
}
