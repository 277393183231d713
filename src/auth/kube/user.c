/* The user of a kubeconfig: client certificate, token, token file, password, exec plug-in,
 * impersonation. What cannot be used is said when it is read, not when the server refuses it.
 * Mirrors client-go's tools/clientcmd/client_config.go. */
#include "auth/kube/internal.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/file.h"
#include "crypto/pki.h"

#include <string.h>

enum { PEM_MAX = 1 << 20 };

int ck_kube_text(const struct ck_val *map, const char *name, const char *where, const char **ret,
                 struct ck_err *err)
{
    const struct ck_val *v = ck_get(map, name);
    *ret = ck_str_or(v, "");
    if (ck_is_null(v) || v->kind == CK_STR)
        return 0;
    return ck_fail(err, CK_INVALID, "%s: %s is not a text; put it in quotes", where, name);
}

const char *ck_kube_path(struct ck_arena *a, const char *dir, const char *path)
{
    return *path == '/' ? path : ck_arena_printf(a, "%s/%s", dir, path);
}

int ck_kube_pem(struct ck_kube *k, const struct ck_val *map, const char *name, const char *where,
                const char *dir, struct ck_slice *ret, struct ck_err *err)
{
    const char *data_name = ck_arena_printf(k->arena, "%s-data", name);
    const char *data = "", *file = "";
    int r = ck_kube_text(map, data_name, where, &data, err);
    if (r == 0)
        r = ck_kube_text(map, name, where, &file, err);
    if (r < 0 || (!*data && !*file))
        return r;
    CK_CLEANUP(ck_buf_wipe) struct ck_buf text = CK_BUF_INIT;
    const char *what = *data ? data_name : name;
    if (*data) {
        if (!ck_base64_decode(&text, ck_slice_of(data)))
            return ck_fail(err, CK_INVALID, "%s: %s is not base64", where, what);
    } else {
        r = ck_file_read(ck_kube_path(k->arena, dir, file), PEM_MAX, &text, err);
        if (r < 0) {
            err->code = CK_INVALID;
            return ck_wrap(err, "%s: %s", where, what);
        }
    }
    if (!text.len || !strstr(ck_buf_str(&text), "-----BEGIN "))
        return ck_fail(err, CK_INVALID, "%s: there is no PEM text in %s%s%s", where, what,
                       *data ? "" : " ", *data ? "" : file);
    *ret = ck_arena_slice(k->arena, ck_buf_slice(&text));
    return 0;
}

int ck_kube_check_pair(struct ck_kube *k, struct ck_slice cert, struct ck_slice key,
                       const char *where, struct ck_err *err)
{
    if (!cert.len && !key.len)
        return 0;
    if (!cert.len || !key.len)
        return ck_fail(err, CK_INVALID, "%s: it has a client %s and no client %s", where,
                       cert.len ? "certificate" : "key", cert.len ? "key" : "certificate");
    /* libcurl would ask for the password on the terminal. */
    if (strstr(key.ptr, "ENCRYPTED"))
        return ck_fail(err, CK_INVALID, "%s: its client key is encrypted, which is not offered",
                       where);
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_cert c;
    int r = ck_cert_read(a, cert, &c, err);
    if (r < 0)
        return ck_wrap(err, "%s: client-certificate", where);
    k->cert_expires_s = c.not_after_s;
    CK_AUTOPKIKEY struct ck_pki_key *pkey = NULL;
    CK_AUTOERR other = CK_ERR_INIT;
    if (ck_pki_key_read(key, &pkey, &other) < 0)
        return 0; /* a kind of key that only the TLS library knows: it decides */
    r = ck_cert_check_key(&c, pkey, err);
    return r < 0 ? ck_wrap(err, "%s", where) : 0;
}

/* ---- impersonation ---- */

static void add_extra(struct ck_kube *k, const struct ck_val *extra)
{
    for (size_t i = 0; ck_is_map(extra) && i < ck_len(extra); i++) {
        const struct ck_pair *p = &extra->map.v[i];
        CK_AUTOBUF struct ck_buf name = CK_BUF_INIT;
        ck_buf_puts(&name, "Impersonate-Extra-");
        ck_pct_encode(&name, p->key, CK_PCT_UNRESERVED);
        for (size_t j = 0; j < ck_len(p->val); j++)
            ck_nvs_add(k->arena, &k->as, ck_arena_strdup(k->arena, ck_buf_str(&name)),
                       ck_str_or(ck_item(p->val, j), ""));
    }
}

static int set_impersonation(struct ck_kube *k, const struct ck_val *u, const char *where,
                             struct ck_err *err)
{
    const char *as = "", *uid = "";
    int r = ck_kube_text(u, "as", where, &as, err);
    if (r == 0)
        r = ck_kube_text(u, "as-uid", where, &uid, err);
    if (r < 0)
        return r;
    const struct ck_val *groups = ck_get(u, "as-groups"), *extra = ck_get(u, "as-user-extra");
    if (!*as && (*uid || ck_len(groups) || ck_len(extra)))
        return ck_fail(err, CK_INVALID, "%s: as-groups, as-uid and as-user-extra need \"as\"",
                       where);
    if (!*as)
        return 0;
    ck_nvs_add(k->arena, &k->as, "Impersonate-User", as);
    if (*uid)
        ck_nvs_add(k->arena, &k->as, "Impersonate-Uid", uid);
    for (size_t i = 0; ck_is_list(groups) && i < ck_len(groups); i++)
        ck_nvs_add(k->arena, &k->as, "Impersonate-Group", ck_str_or(ck_item(groups, i), ""));
    add_extra(k, extra);
    return 0;
}

/* ---- plug-ins ---- */

static int set_exec(struct ck_kube *k, const struct ck_val *e, const struct ck_val *cluster,
                    const char *dir, const char *where, struct ck_err *err)
{
    static const char *const versions[] = {"client.authentication.k8s.io/v1",
                                           "client.authentication.k8s.io/v1beta1"};
    struct ck_kube_exec *x = &k->exec;
    const char *mode = "";
    int r = ck_kube_text(e, "command", where, &x->command, err);
    if (r == 0)
        r = ck_kube_text(e, "apiVersion", where, &x->api_version, err);
    if (r == 0)
        r = ck_kube_text(e, "installHint", where, &x->hint, err);
    if (r == 0)
        r = ck_kube_text(e, "interactiveMode", where, &mode, err);
    if (r < 0)
        return r;
    if (!*x->command)
        return ck_fail(err, CK_INVALID, "%s: its exec plug-in has no command", where);
    if (strcmp(x->api_version, versions[0]) != 0 && strcmp(x->api_version, versions[1]) != 0)
        return ck_fail(err, CK_INVALID, "%s: the apiVersion of its exec plug-in is \"%s\", not %s",
                       where, x->api_version, versions[0]);
    if (strcmp(mode, "Always") == 0)
        return ck_fail(err, CK_UNSUPPORTED,
                       "%s: its exec plug-in wants to ask on the terminal (interactiveMode: "
                       "Always), which is not offered",
                       where);
    x->args = ck_get(e, "args");
    x->vars = ck_get(e, "env");
    x->dir = dir;
    x->cluster = ck_bool_at(e, "provideClusterInfo", false) ? cluster : NULL;
    k->has_exec = true;
    return 0;
}

static int set_password(struct ck_kube *k, const struct ck_val *u, const char *where,
                        struct ck_err *err)
{
    const char *name = "", *password = "";
    int r = ck_kube_text(u, "username", where, &name, err);
    if (r == 0)
        r = ck_kube_text(u, "password", where, &password, err);
    if (r < 0 || (!*name && !*password))
        return r;
    if (*k->token || *k->token_file)
        return ck_fail(err, CK_INVALID, "%s: it has both a password and a token", where);
    CK_CLEANUP(ck_buf_wipe) struct ck_buf plain = CK_BUF_INIT;
    CK_CLEANUP(ck_buf_wipe) struct ck_buf out = CK_BUF_INIT;
    ck_buf_fmt(&plain, "%s:%s", name, password);
    ck_base64_encode(&out, plain.ptr, plain.len);
    k->basic = ck_arena_strdup(k->arena, ck_buf_str(&out));
    return 0;
}

int ck_kube_set_user(struct ck_kube *k, const struct ck_val *user, const struct ck_val *cluster,
                     const char *dir, struct ck_err *err)
{
    const char *where = ck_arena_printf(k->arena, "kubeconfig user \"%s\"", k->user);
    const struct ck_val *exec = ck_get(user, "exec"), *provider = ck_get(user, "auth-provider");
    if (ck_is_map(provider))
        return ck_fail(err, CK_UNSUPPORTED,
                       "%s: auth-provider \"%s\" is gone from Kubernetes; use its exec plug-in",
                       where, ck_str_at(provider, "name"));
    int r = ck_kube_pem(k, user, "client-certificate", where, dir, &k->tls.cert, err);
    if (r == 0)
        r = ck_kube_pem(k, user, "client-key", where, dir, &k->tls.key, err);
    if (r == 0)
        r = ck_kube_check_pair(k, k->tls.cert, k->tls.key, where, err);
    if (r == 0)
        r = ck_kube_text(user, "token", where, &k->token, err);
    if (r == 0)
        r = ck_kube_text(user, "tokenFile", where, &k->token_file, err);
    if (r < 0)
        return r;
    if (*k->token_file)
        k->token_file = ck_kube_path(k->arena, dir, k->token_file);
    r = set_password(k, user, where, err);
    if (r == 0)
        r = set_impersonation(k, user, where, err);
    /* Fixed credentials come before a plug-in, as in client-go: it does not run at all. */
    bool fixed = *k->token || *k->token_file || k->basic || k->tls.cert.len;
    if (r == 0 && ck_is_map(exec) && !fixed)
        r = set_exec(k, exec, cluster, dir, where, err);
    return r;
}
