/* Exec credential plug-ins: a program of the user's that prints an ExecCredential. It gets no
 * terminal, at most a minute and 1 MiB of output; what it prints to standard error is for the user.
 * Mirrors client-go's plugin/pkg/client/auth/exec. */
#include "auth/kube/internal.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"
#include "base/strv.h"
#include "doc/json.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMEOUT_MS = 60000, OUTPUT_MAX = 1 << 20 };

/* ---- starting it ---- */

/* Where the command is: as it stands when absolute, beside the kubeconfig when it has a slash, else
 * by PATH. NULL: nowhere. */
static const char *find_command(struct ck_arena *a, const struct ck_kube *k)
{
    const char *name = k->exec.command;
    if (strchr(name, '/')) {
        const char *path = ck_kube_path(a, k->exec.dir, name);
        return access(path, X_OK) == 0 ? path : NULL;
    }
    const char *search = ck_env_nonempty(k->env, "PATH");
    struct ck_slice rest = ck_slice_of(search ? search : ""), dir;
    while (rest.len && ck_slice_next(&rest, ':', &dir)) {
        if (!dir.len || dir.ptr[0] != '/')
            continue; /* never from the working directory */
        const char *path = ck_arena_printf(a, "%.*s/%s", CK_SARG(dir), name);
        if (access(path, X_OK) == 0)
            return path;
    }
    return NULL;
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

static void environment(struct ck_arena *a, const struct ck_kube *k, struct ck_strv *ret)
{
    CK_CLEANUP(ck_env_done) struct ck_env e = {0};
    for (size_t i = 0; i < k->env->vars.n; i++)
        if (k->env->vars.e[i].val)
            ck_env_set(&e, k->env->vars.e[i].key, k->env->vars.e[i].val);
    for (size_t i = 0; i < ck_len(k->exec.vars); i++)
        put_var(&e, ck_item(k->exec.vars, i));
    CK_AUTOBUF struct ck_buf info = CK_BUF_INIT;
    exec_info(a, k, &info);
    ck_env_set(&e, "KUBERNETES_EXEC_INFO", ck_buf_str(&info));
    for (size_t i = 0; i < e.vars.n; i++)
        if (e.vars.e[i].val)
            ck_strv_push_take(
                ret, ck_xasprintf("%s=%s", e.vars.e[i].key, (const char *)e.vars.e[i].val));
    ck_strv_push(ret, "");
    free(ret->v[--ret->n]);
    ret->v[ret->n] = NULL; /* the list ends as execve() wants it */
}

static int start(struct ck_kube *k, struct ck_arena *a, const char *path, int out, pid_t *ret)
{
    CK_AUTOSTRV env = {0};
    environment(a, k, &env);
    size_t n = ck_len(k->exec.args);
    const char **argv = ck_arena_alloc(a, (n + 2) * sizeof *argv);
    argv[0] = path;
    for (size_t i = 0; i < n; i++)
        argv[i + 1] = ck_str_or(ck_item(k->exec.args, i), "");
    posix_spawn_file_actions_t fa;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, out, 1);
    posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
    int r = posix_spawn(ret, path, &fa, NULL, (char *const *)argv, env.v);
    posix_spawn_file_actions_destroy(&fa);
    return r;
}

/* false: the time or the size limit was met. */
static bool drain(int fd, struct ck_buf *out)
{
    int64_t deadline = ck_mono_ms() + TIMEOUT_MS;
    char piece[4096];
    for (;;) {
        int64_t left = deadline - ck_mono_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (left <= 0 || poll(&p, 1, (int)left) == 0)
            return false;
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            break;
        ck_buf_putn(out, piece, (size_t)n);
        if (out->len > OUTPUT_MAX)
            return false;
    }
    ck_wipe(piece, sizeof piece);
    return true;
}

static int output_of(struct ck_kube *k, const char *where, struct ck_buf *out, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const char *path = find_command(a, k);
    if (!path)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s was not found%s%s", where,
                       *k->exec.hint ? "; " : " or may not be run", k->exec.hint);
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return ck_fail_errno(err, errno, "%s", where);
    pid_t pid;
    int r = start(k, a, path, fds[1], &pid);
    close(fds[1]);
    if (r != 0) {
        close(fds[0]);
        return ck_fail(err, CK_UNAUTHENTICATED, "%s cannot be run: %s", where, strerror(r));
    }
    bool ok = drain(fds[0], out);
    close(fds[0]);
    if (!ok)
        kill(pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!ok)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "%s took more than %d s or printed more than %d bytes", where,
                       TIMEOUT_MS / 1000, OUTPUT_MAX);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s failed with status %d", where,
                       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
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
