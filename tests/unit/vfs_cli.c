/* One operation on a store from the command line, for tests of drivers that need more than the
 * commands of ckops: large objects, versions, reads over time.
 *
 *   vfs_cli URL get|put|create|hash|list|dirs|tree|rm|rmtree|rmversions KEY
 *   vfs_cli URL update KEY VERSION
 *   vfs_cli URL repeat KEY TIMES MILLISECONDS
 *
 * Content goes through standard input and output; put, create and update print the new version,
 * repeat a line per read. Errors go to standard error as "code: text", status 1. */
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "vfs/vfs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int write_stdin(const struct ck_path *p, enum ck_write_mode mode, const char *version,
                       struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf data = CK_BUF_INIT;
    struct ck_version old = {""}, now = {""};
    if (version)
        snprintf(old.token, sizeof old.token, "%s", version);
    int r = ck_fd_read_all(0, 256 << 20, &data, err);
    const struct ck_write_opts o = {.mode = mode, .version = &old};
    if (r == 0)
        r = ck_vfs_write(p, ck_buf_slice(&data), &o, &now, err);
    if (r == 0)
        puts(now.token);
    return r;
}

static int get(const struct ck_path *p, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf data = CK_BUF_INIT;
    int r = ck_vfs_read(p, &data, NULL, err);
    if (r == 0)
        fwrite(data.ptr, 1, data.len, stdout);
    return r;
}

static int repeat(const struct ck_path *p, long times, long ms, struct ck_err *err)
{
    int r = 0;
    for (long i = 0; r == 0 && i < times; i++) {
        CK_AUTOBUF struct ck_buf data = CK_BUF_INIT;
        if (i)
            ck_sleep_ms(ms);
        r = ck_vfs_read(p, &data, NULL, err);
        if (r == 0)
            printf("%zu bytes\n", data.len);
    }
    return r;
}

static int show(const struct ck_path *p, const char *op, struct ck_arena *a, struct ck_err *err)
{
    struct ck_entries e = {0};
    int r = strcmp(op, "list") == 0   ? ck_vfs_list(p, a, &e, err)
            : strcmp(op, "dirs") == 0 ? ck_vfs_list_dirs(p, a, &e, err)
                                      : ck_vfs_tree(p, a, &e, err);
    for (size_t i = 0; r == 0 && i < e.n; i++)
        printf("%s %lld %s\n", e.v[i].name, (long long)e.v[i].size, e.v[i].md5 ? e.v[i].md5 : "-");
    return r;
}

static int hash(const struct ck_path *p, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    struct ck_hash h;
    int r = ck_vfs_hash(p, CK_MD5, &h, err);
    if (r == 0 && h.len) {
        ck_hash_put(&text, &h);
        puts(ck_buf_str(&text));
    }
    return r;
}

/* `version` NULL: whatever it is. */
static int remove_one(const struct ck_path *p, const char *version, struct ck_err *err)
{
    struct ck_version v = {""};
    snprintf(v.token, sizeof v.token, "%s", version ? version : "");
    return ck_vfs_remove(p, version ? &v : NULL, err);
}

static int run(const struct ck_path *p, char **arg, struct ck_arena *a, struct ck_err *err)
{
    const char *op = arg[2];
    if (strcmp(op, "get") == 0)
        return get(p, err);
    if (strcmp(op, "put") == 0)
        return write_stdin(p, CK_WRITE_ANY, NULL, err);
    if (strcmp(op, "create") == 0)
        return write_stdin(p, CK_WRITE_CREATE, NULL, err);
    if (strcmp(op, "update") == 0 && arg[4])
        return write_stdin(p, CK_WRITE_IF_UNCHANGED, arg[4], err);
    if (strcmp(op, "repeat") == 0 && arg[4] && arg[5])
        return repeat(p, strtol(arg[4], NULL, 10), strtol(arg[5], NULL, 10), err);
    if (strcmp(op, "hash") == 0)
        return hash(p, err);
    if (strcmp(op, "rm") == 0)
        return remove_one(p, arg[4], err);
    if (strcmp(op, "rmtree") == 0)
        return ck_vfs_remove_tree(p, err);
    if (strcmp(op, "rmversions") == 0)
        return ck_vfs_remove_versions(p, err);
    if (strcmp(op, "list") == 0 || strcmp(op, "dirs") == 0 || strcmp(op, "tree") == 0)
        return show(p, op, a, err);
    return ck_fail(err, CK_INVALID, "unknown operation %s", op);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: vfs_cli URL OPERATION KEY [ARGUMENT…]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); /* as ckops does: a failed write is reported instead */
    struct ck_env env = {0};
    ck_env_from_process(&env);
    const char *v = ck_env_nonempty(&env, "CK_VERBOSITY");
    ck_log_set_verbosity(v ? (int)strtol(v, NULL, 10) : 0);
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    const char *ms = ck_env_nonempty(&env, "VFS_CLI_TIMEOUT_MS");
    struct ck_vfs_ctx ctx = {.env = &env,
                             .arena = a,
                             .max_object = 256 << 20,
                             .timeout_ms = ms ? strtol(ms, NULL, 10) : 0};
    struct ck_path top, p;
    int r = ck_vfs_parse(&ctx, argv[1], &top, &err);
    if (r == 0)
        r = ck_path_join(a, &top, argv[3], &p, &err);
    if (r == 0)
        r = run(&p, argv, a, &err);
    if (r < 0)
        fprintf(stderr, "%s: %s\n", ck_code_name(err.code), ck_err_msg(&err));
    ck_vfs_ctx_done(&ctx);
    ck_env_done(&env);
    return r < 0;
}
