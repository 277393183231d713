/* Exec credential plug-ins: a program of the user's that prints an ExecCredential. It gets no
 * terminal, at most a minute and 1 MiB of output; what it prints to standard error is for the user.
 * Mirrors client-go's plugin/pkg/client/auth/exec. */
#include "auth/kube/internal.h"
#include "auth/program.h"

#include "base/clock.h"
#include "base/enc.h"
#include "doc/json.h"

#include <string.h>

enum { TIMEOUT_MS = 60000, OUTPUT_MAX = 1 << 20 };

/* ---- starting it ---- */

/* Where the command is: as it stands when absolute, beside the kubeconfig when it has a slash, else
 * by PATH. NULL: nowhere. */
static const char *find_command(struct ck_arena *a, const struct ck_kube *k)
{
    const char *name = k->exec.command;
    return ck_program_find(a, k->env,
                           strchr(name, '/') ? ck_kube_path(a, k->exec.dir, name) : name);
}

/* The "cluster" part of KUBERNETES_EXEC_INFO. */
static struct ck_val *cluster_info(struct ck_arena *a, const struct ck_kube *k)
{
    struct ck_val *c = ck_map(a);
    ck_set_str(a, c, "server", ck_str_at(k->exec.cluster, "server"));
    if (k->tls.server_name)
        ck_set_str(a, c, "tls-server-name", k->tls.server_name);
    if (k->tls.insecure)
        ck_set_bool(a, c, "insecure-skip-tls-verify", true);
    if (k->tls.ca.len) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        ck_base64_encode(&b, k->tls.ca.ptr, k->tls.ca.len);
        ck_set_str(a, c, "certificate-authority-data", ck_buf_str(&b));
    }
    if (k->proxy)
        ck_set_str(a, c, "proxy-url", k->proxy);
    const struct ck_val *l = ck_get(k->exec.cluster, "extensions");
    for (size_t i = 0; ck_is_list(l) && i < ck_len(l); i++)
        if (ck_is_str(ck_get(ck_item(l, i), "name"), "client.authentication.k8s.io/exec"))
            ck_set(a, c, "config", ck_val_clone(a, ck_get(ck_item(l, i), "extension")));
    return c;
}

static void exec_info(struct ck_arena *a, const struct ck_kube *k, struct ck_buf *out)
{
    struct ck_val *v = ck_map(a), *spec = ck_map(a);
    ck_set_str(a, v, "apiVersion", k->exec.api_version);
    ck_set_str(a, v, "kind", "ExecCredential");
    ck_set(a, v, "spec", spec);
    if (k->exec.cluster)
        ck_set(a, spec, "cluster", cluster_info(a, k));
    ck_set_bool(a, spec, "interactive", false);
    ck_json_emit(out, v, (struct ck_json_style){.order = CK_JSON_AS_IS});
}

static void put_var(struct ck_env *e, const struct ck_val *v)
{
    const char *name = ck_str_or(ck_get(v, "name"), "");
    if (*name)
        ck_env_set(e, name, ck_str_or(ck_get(v, "value"), ""));
}

static int output_of(struct ck_kube *k, const char *where, struct ck_buf *out, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_CLEANUP(ck_env_done) struct ck_env env = {0};
    CK_AUTOBUF struct ck_buf info = CK_BUF_INIT;
    const char *path = find_command(a, k);
    if (!path)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s was not found%s%s", where,
                       *k->exec.hint ? "; " : " or may not be run", k->exec.hint);
    ck_program_env(k->env, &env);
    for (size_t i = 0; i < ck_len(k->exec.vars); i++)
        put_var(&env, ck_item(k->exec.vars, i));
    exec_info(a, k, &info);
    ck_env_set(&env, "KUBERNETES_EXEC_INFO", ck_buf_str(&info));
    size_t n = ck_len(k->exec.args);
    const char **argv = ck_arena_alloc(a, (n + 2) * sizeof *argv);
    argv[0] = path;
    for (size_t i = 0; i < n; i++)
        argv[i + 1] = ck_str_or(ck_item(k->exec.args, i), "");
    argv[n + 1] = NULL;
    const struct ck_program program = {.where = where,
                                       .path = path,
                                       .argv = argv,
                                       .env = ck_env_vector(a, &env),
                                       .timeout_ms = TIMEOUT_MS,
                                       .output_max = OUTPUT_MAX};
    return ck_program_run(&program, out, err);
}

/* ---- its answer ---- */

static int take_answer(struct ck_kube *k, const struct ck_val *v, const char *where,
                       struct ck_err *err)
{
    const struct ck_val *status = ck_get(v, "status");
    if (!ck_is_map(v) || strcmp(ck_str_at(v, "kind"), "ExecCredential") != 0)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s did not print an ExecCredential", where);
    if (strcmp(ck_str_at(v, "apiVersion"), k->exec.api_version) != 0)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s answered in version \"%.80s\" instead of %s",
                       where, ck_str_at(v, "apiVersion"), k->exec.api_version);
    const char *token = ck_str_at(status, "token");
    const char *cert = ck_str_at(status, "clientCertificateData");
    const char *key = ck_str_at(status, "clientKeyData");
    const char *until = ck_str_at(status, "expirationTimestamp");
    if (!*token && !*cert && !*key)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "%s printed neither a token nor a client certificate", where);
    if (strpbrk(token, "\r\n \t"))
        return ck_fail(err, CK_UNAUTHENTICATED, "%s printed a token with white space in it", where);
    k->live_until_s = 0;
    if (*until && !ck_rfc3339_parse(ck_slice_of(until), &k->live_until_s))
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "%s printed an expirationTimestamp that is no time: \"%.40s\"", where,
                       until);
    int r = ck_kube_check_pair(k, ck_slice_of(cert), ck_slice_of(key), where, err);
    if (r < 0)
        return r;
    ck_buf_wipe(&k->live);
    ck_buf_wipe(&k->cert);
    ck_buf_wipe(&k->key);
    ck_buf_puts(&k->live, token);
    ck_buf_puts(&k->cert, cert);
    ck_buf_puts(&k->key, key);
    k->tls.cert = ck_buf_slice(&k->cert);
    k->tls.key = ck_buf_slice(&k->key);
    return 0;
}

int ck_kube_run_exec(struct ck_kube *k, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    ck_arena_set_wipe(a);
    const char *where =
        ck_arena_printf(a, "kubeconfig user \"%s\": the exec plug-in %s", k->user, k->exec.command);
    CK_CLEANUP(ck_buf_wipe) struct ck_buf out = CK_BUF_INIT;
    int r = output_of(k, where, &out, err);
    if (r < 0)
        return r;
    struct ck_val *v = NULL;
    if (ck_json_parse(a, ck_buf_slice(&out), OUTPUT_MAX, &v, NULL) < 0)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s did not print JSON", where);
    return take_answer(k, v, where, err);
}
