/* One run of the program: set up, parse, dispatch, report.
 *
 * The one place that prints errors and decides the exit status. Mirrors cobra's Execute as kOps
 * uses it: failures before the run phase show the usage, later ones do not. */
#include "cmd/commands.h"
#include "cmd/frame/journal.h"
#include "cmd/frame/locking.h"
#include "cmd/frame/opt.h"

#include "base/enc.h"
#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__has_feature)
#define UNDER_ASAN __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#else
#define UNDER_ASAN 0
#endif

enum { STATUS_ERROR = 1, STATUS_CONFLICT = 3, STATUS_INTERRUPTED = 130 };

/* The process holds CA keys: no core dumps, no attaching by other programs of the user. */
static void harden(void)
{
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
#if !UNDER_ASAN /* the leak checker attaches */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

static void interrupted(int sig)
{
    _exit(STATUS_INTERRUPTED);
}

/* A standard stream the caller closed must not become a file of the store. Writing to it fails. */
static void open_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", O_RDONLY);
}

static void set_signals(void)
{
    struct sigaction stop = {.sa_handler = interrupted}, ignore = {.sa_handler = SIG_IGN}, old;
    /* a program started in the background with SIGINT ignored keeps ignoring it */
    if (sigaction(SIGINT, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        sigaction(SIGINT, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL); /* a failed write is reported instead */
    sigaction(SIGXFSZ, &ignore, NULL); /* so is one beyond the limit of a file's size */
}

/* ---- feature flags ---- */

struct flag_count {
    unsigned unknown;
};

static void unknown_flag(void *arg, const char *item)
{
    struct flag_count *c = arg;
    c->unknown++;
    ck_info("Unknown FeatureFlag \"%s\"", item);
}

static void read_features(struct ck_ctx *ctx)
{
    const char *spec = ck_env_nonempty(&ctx->env, "KOPS_FEATURE_FLAGS");
    struct flag_count count = {0};
    ck_feature_flags_parse(&ctx->features, spec, unknown_flag, &count);
    if (!spec)
        return;
    unsigned known = 0;
    struct ck_slice rest = ck_slice_of(spec), item;
    while (ck_slice_next(&rest, ',', &item)) {
        item = ck_slice_trim(item);
        bool on = !ck_slice_starts(item, "-");
        if (item.len && (*item.ptr == '+' || *item.ptr == '-'))
            item = ck_slice_n(item.ptr + 1, item.len - 1);
        for (int f = 0; f < _CK_FF_MAX; f++) {
            if (!ck_slice_eq_str(item, ck_feature_name((enum ck_feature)f)))
                continue;
            known++;
            ck_info("FeatureFlag \"%.*s\"=%s", CK_SARG(item), on ? "true" : "false");
        }
    }
    ck_info("ParseFlags: parsed %u flags from \"%s\" (unknown=%u, registered=%d)", known, spec,
            count.unknown, _CK_FF_MAX);
}

/* ---- reporting ---- */

int ck_exit_status(const struct ck_err *err)
{
    switch (err->code) {
    case CK_OK:
        return 0;
    case CK_CONFLICT:
    case CK_LOCKED:
        return STATUS_CONFLICT;
    case CK_CANCELLED:
        return STATUS_INTERRUPTED;
    default:
        return STATUS_ERROR;
    }
}

static void put_stderr(const struct ck_buf *b)
{
    (void)ck_fd_write_all(STDERR_FILENO, ck_buf_slice(b), NULL);
}

/* "Error: text", and the usage block when p is not NULL. */
static int report(struct ck_ctx *ctx, const struct ck_parsed *p, const struct ck_err *err)
{
    (void)ck_flush(ctx, NULL);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_puts(&b, "Error: ");
    ck_put_printable(&b, ck_slice_of(ck_err_msg(err)), false);
    ck_buf_putc(&b, '\n');
    if (p) {
        ck_usage(&b, p);
        ck_buf_putc(&b, '\n');
    }
    put_stderr(&b);
    return ck_exit_status(err);
}

/* A word where a sub-command belongs. Groups below the root also say so; kops prints their help and
 * succeeds. */
static int unknown_command(struct ck_ctx *ctx, const struct ck_parsed *p, const char *word)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_puts(&b, "Error: unknown command ");
    ck_goquote(&b, ck_slice_of(word));
    ck_buf_fmt(&b, " for \"%s\"", ck_parsed_path(p));
    ck_usage_suggest(&b, ck_parsed_cmd(p), word);
    ck_buf_fmt(&b, "\nRun '%s --help' for usage.\n", ck_parsed_path(p));
    put_stderr(&b);
    return STATUS_ERROR;
}

/* ---- the run ---- */

static int dispatch(struct ck_ctx *ctx, struct ck_parsed *p, struct ck_err *err)
{
    const struct ck_cmd *cmd = ck_parsed_cmd(p);
    int argc = (int)p->args.n;
    put_stderr(&p->notices);
    if (p->help || !cmd->run) {
        ck_usage_help(&ctx->out, p);
        return 0;
    }
    ctx->cmd = cmd;
    ctx->cmd_path = ck_parsed_path(p);
    ctx->given = &p->given;
    ctx->words = &p->args;
    ctx->opts = p->opts;
    ctx->cluster_name = ctx->opt_name;
    ck_log_set_verbosity((int)ctx->verbosity);
    if (cmd->deprecated)
        fprintf(stderr, "Command \"%s\" is deprecated, %s\n", cmd->name, cmd->deprecated);
    if (cmd->args && cmd->args(ctx, p->opts, argc, p->args.v, err) < 0)
        return report(ctx, p, err);
    int status = 0;
    if (ck_parse_required(p, err) < 0 || cmd->run(ctx, p->opts, argc, p->args.v, err) < 0)
        status = report(ctx, NULL, err);
    else
        status = ctx->exit_status;
    /* also what a command changed that failed later */
    CK_AUTOERR unrecorded = CK_ERR_INIT;
    if (ck_ctx_journal_end(ctx, &unrecorded) < 0) {
        int code = report(ctx, NULL, &unrecorded);
        status = status ? status : code;
    }
    return status;
}

static int run(struct ck_ctx *ctx, int argc, char **argv)
{
    CK_CLEANUP(ck_parsed_done)
    struct ck_parsed p = {.path = {&ck_cmd_root}, .depth = 1, .ctx = ctx};
    CK_AUTOERR err = CK_ERR_INIT;
    size_t n = argc > 1 ? (size_t)argc - 1 : 0;
    const char **words = ck_arena_alloc(ctx->arena, (n + 1) * sizeof(*words));
    for (size_t i = 0; i < n; i++)
        words[i] = argv[i + 1];
    size_t word = ck_parse_find(&p, words, &n);
    if (word < n && !ck_parsed_cmd(&p)->run)
        return unknown_command(ctx, &p, words[word]);
    if (ck_parse_flags(&p, words, n, &err) < 0)
        return report(ctx, &p, &err);
    return dispatch(ctx, &p, &err);
}

int ck_main(int argc, char **argv)
{
    open_streams();
    harden();
    set_signals();
    CK_AUTOARENA struct ck_arena *arena = ck_arena_new();
    struct ck_ctx ctx = {.arena = arena,
                         .program = "ckops",
                         .cluster_name = "",
                         .opt_state = "",
                         .opt_name = "",
                         .dash = -1};
    ck_env_from_process(&ctx.env);
    ctx.vfs.env = &ctx.env;
    ctx.vfs.arena = arena;
    read_features(&ctx);
    int status = run(&ctx, argc, argv);
    ck_locking_end(&ctx);
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_flush(&ctx, &err) < 0 && ctx.out_errno != EPIPE)
        status = report(&ctx, NULL, &err);
    bool reader_gone = ctx.out_errno == EPIPE;
    ck_vfs_ctx_done(&ctx.vfs);
    ck_buf_done(&ctx.out);
    ck_strv_done(&ctx.opt_states);
    ck_env_done(&ctx.env);
    if (reader_gone) { /* end as programs in a pipe end */
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    return status;
}
