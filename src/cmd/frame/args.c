/* What positional arguments mean: the argument policies of cli.md §1.4.
 *
 * Every policy settles ctx->cluster_name. Mirrors cmd/kops/root.go (ProcessArgs, ClusterName). */
#include "cmd/frame/config.h"

#include "base/enc.h"

static int too_many(struct ck_ctx *ctx, int argc, char **argv, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    ck_buf_puts(&text, "\nFound multiple arguments which look like a cluster name\n");
    if (*ctx->opt_name) {
        ck_buf_putc(&text, '\t');
        ck_goquote(&text, ck_slice_of(ctx->opt_name));
        ck_buf_puts(&text, " (via flag)\n");
    }
    for (int i = 0; i < argc; i++) {
        ck_buf_putc(&text, '\t');
        ck_goquote(&text, ck_slice_of(argv[i]));
        ck_buf_puts(&text, " (as argument)\n");
    }
    ck_buf_puts(&text, "\nThis often happens if you specify an argument to a boolean flag without "
                       "using =\nFor example: use `--bastion=true` or `--bastion`, not `--bastion "
                       "true`\n\n");
    ck_print_slice(ctx, ck_buf_slice(&text));
    if (argc == 1)
        return ck_fail(err, CK_INVALID,
                       "cannot specify cluster via --name and positional argument");
    return ck_fail(err, CK_INVALID, "expected a single <clustername> to be passed as an argument");
}

enum missing { REQUIRED, OPTIONAL };
enum fallback { NO_KUBECONFIG, KUBECONFIG };

static int settle(struct ck_ctx *ctx, enum fallback fallback, enum missing missing,
                  struct ck_err *err)
{
    if (!*ctx->cluster_name && fallback == KUBECONFIG)
        ctx->cluster_name = ck_kube_current_cluster(ctx);
    if (!*ctx->cluster_name && missing == REQUIRED)
        return ck_fail(err, CK_INVALID, "--name is required");
    return 0;
}

static int name_or_argument(struct ck_ctx *ctx, int argc, char **argv, enum fallback fallback,
                            enum missing missing, struct ck_err *err)
{
    if (argc > 1 || (argc == 1 && *ctx->opt_name))
        return too_many(ctx, argc, argv, err);
    ctx->cluster_name = argc == 1 ? argv[0] : ctx->opt_name;
    return settle(ctx, fallback, missing, err);
}

int ck_args_cluster_kubeconfig(struct ck_ctx *ctx, void *opts, int argc, char **argv,
                               struct ck_err *err)
{
    return name_or_argument(ctx, argc, argv, KUBECONFIG, REQUIRED, err);
}

int ck_args_cluster(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    return name_or_argument(ctx, argc, argv, NO_KUBECONFIG, REQUIRED, err);
}

int ck_args_cluster_optional(struct ck_ctx *ctx, void *opts, int argc, char **argv,
                             struct ck_err *err)
{
    return name_or_argument(ctx, argc, argv, NO_KUBECONFIG, OPTIONAL, err);
}

int ck_resolve_name_kubeconfig(struct ck_ctx *ctx, struct ck_err *err)
{
    ctx->cluster_name = ctx->opt_name;
    return settle(ctx, KUBECONFIG, REQUIRED, err);
}

int ck_args_none(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    if (argc == 0)
        return 0;
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(argv[0]));
    return ck_fail(err, CK_INVALID, "unknown command %s for \"%s\"", ck_buf_str(&q), ctx->cmd_path);
}
