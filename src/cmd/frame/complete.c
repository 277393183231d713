/* The hidden commands __complete and __completeNoDesc that the shells' scripts call.
 *
 * Speaks cobra's protocol: one candidate per line, ":DIRECTIVE" last. Never fails for what cannot
 * be read: a completion that does not work must not disturb the shell. Mirrors cobra
 * completions.go. */
#include "cmd/commands.h"
#include "cmd/frame/opt.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

struct request {
    struct ck_parsed p;
    const char **words; /* without the one being completed */
    size_t n;
    const char *prefix;
    const struct ck_opt *flag; /* whose value is completed; NULL: none */
    struct ck_strv out;
    int directive;
};

static void request_done(struct request *q)
{
    ck_parsed_done(&q->p);
    ck_strv_done(&q->out);
}

/* Which flag's value is being typed: "--flag=va", "-ova", or "--flag va". */
static bool find_flag(struct request *q)
{
    const char *last = q->prefix, *eq = strchr(last, '=');
    if (last[0] == '-') {
        if (!eq || eq == last + 1)
            return true;
        q->flag = last[1] == '-'
                      ? ck_parsed_opt(&q->p, ck_slice_n(last + 2, (size_t)(eq - last) - 2))
                      : ck_parsed_short(&q->p, eq[-1]);
        q->prefix = eq + 1;
        return q->flag;
    }
    if (!q->n)
        return true;
    const char *prev = q->words[q->n - 1];
    if (prev[0] != '-' || !prev[1] || strchr(prev, '=') || strcmp(prev, "--") == 0)
        return true;
    const struct ck_opt *o = prev[1] == '-' ? ck_parsed_opt(&q->p, ck_slice_of(prev + 2))
                                            : ck_parsed_short(&q->p, prev[strlen(prev) - 1]);
    if (!o)
        return false;
    if (ck_opt_bare(o))
        return true; /* takes no separate value: an argument follows */
    q->flag = o;
    q->n--;
    return true;
}

static void add(struct request *q, const char *text, const char *description)
{
    if (!ck_str_starts(text, q->prefix))
        return;
    if (description && *description)
        ck_strv_push_take(&q->out, ck_xasprintf("%s\t%s", text, description));
    else
        ck_strv_push(&q->out, text);
}

static void add_flag(struct request *q, const struct ck_opt *o)
{
    char text[128] = {'-', o->shorthand, '\0'};
    CK_AUTOBUF struct ck_buf help = CK_BUF_INIT;
    ck_buf_puts(&help, o == &ck_opt_help ? "explain the command" : o->help ? o->help : "");
    if (o->shorthand)
        add(q, text, ck_buf_str(&help));
    snprintf(text, sizeof(text), "--%s", o->name);
    add(q, text, ck_buf_str(&help));
}

/* Flag names: those not given yet, or that accumulate; `required_only` for a word without dash. */
static void add_flags(struct request *q, bool required_only)
{
    for (size_t i = q->p.depth; i-- > 0;) {
        bool own = i + 1 == q->p.depth;
        for (const struct ck_opt *o = q->p.path[i]->opts; o && o->name; o++) {
            bool list = o->type == CK_OPT_STRINGS || o->type == CK_OPT_STRARRAY;
            bool given = ck_map_has(&q->p.given, o->name);
            if ((!own && !(o->flags & CK_OPT_PERSISTENT)) || !ck_opt_visible(o))
                continue;
            if (required_only ? (o->flags & CK_OPT_REQUIRED) && !given : list || !given)
                add_flag(q, o);
        }
    }
    if (!required_only)
        add_flag(q, &ck_opt_help);
}

static bool own_flag_given(const struct request *q)
{
    for (const struct ck_opt *o = ck_parsed_cmd(&q->p)->opts; o && o->name; o++)
        if (!(o->flags & CK_OPT_PERSISTENT) && ck_map_has(&q->p.given, o->name))
            return true;
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp((*(const struct ck_cmd *const *)a)->name,
                  (*(const struct ck_cmd *const *)b)->name);
}

static void add_commands(struct request *q)
{
    const struct ck_cmd *const *subs = ck_parsed_cmd(&q->p)->subs;
    const struct ck_cmd *sorted[64];
    size_t n = 0;
    for (; subs && subs[n] && n < CK_ARRAY_LEN(sorted); n++)
        sorted[n] = subs[n];
    if (!n)
        return;
    qsort(sorted, n, sizeof(*sorted), by_text);
    for (size_t i = 0; i < n; i++)
        if (!sorted[i]->hidden && !sorted[i]->deprecated)
            add(q, sorted[i]->name, sorted[i]->brief);
    q->directive = CK_COMPLETE_NO_FILE;
}

static int add_flag_values(struct request *q, struct ck_err *err)
{
    const struct ck_opt *o = q->flag;
    q->directive = CK_COMPLETE_NO_FILE;
    if (o->complete_fn) {
        CK_AUTOSTRV all = {0};
        int r = o->complete_fn(q->p.ctx, q->p.opts, q->prefix, &all, err);
        for (size_t i = 0; i < all.n; i++) /* the function decides what fits */
            ck_strv_push(&q->out, all.v[i]);
        return r;
    }
    if (o->type == CK_OPT_BOOL) {
        add(q, "false", NULL);
        add(q, "true", NULL);
    } else if (!o->complete) {
        bool text = o->type == CK_OPT_STRING || o->type == CK_OPT_STRINGS;
        q->directive = text ? CK_COMPLETE_DEFAULT : CK_COMPLETE_NO_FILE;
    } else {
        struct ck_slice rest = ck_slice_of(o->complete), word;
        while (ck_slice_next(&rest, ' ', &word))
            if (word.len)
                add(q, ck_arena_strndup(q->p.ctx->arena, word.ptr, word.len), NULL);
    }
    return 0;
}

static int add_arguments(struct request *q, struct ck_err *err)
{
    const struct ck_cmd *cmd = ck_parsed_cmd(&q->p);
    if (q->p.args.n == 0 && !own_flag_given(q))
        add_commands(q);
    add_flags(q, true);
    if (!cmd->complete_args) {
        q->directive = CK_COMPLETE_NO_FILE;
        return 0;
    }
    CK_AUTOSTRV all = {0};
    q->directive = CK_COMPLETE_NO_FILE;
    int r = cmd->complete_args(q->p.ctx, q->p.opts, (int)q->p.args.n, q->p.args.v, q->prefix, &all,
                               &q->directive, err);
    for (size_t i = 0; i < all.n; i++)
        add(q, all.v[i], NULL);
    return r;
}

static int complete(struct request *q, struct ck_err *err)
{
    size_t word = ck_parse_find(&q->p, q->words, &q->n);
    const struct ck_cmd *cmd = ck_parsed_cmd(&q->p);
    if (word < q->n && !cmd->run) {
        q->directive = CK_COMPLETE_ERROR;
        return 0;
    }
    bool dashes_end = false;
    for (size_t i = 0; i < q->n; i++)
        dashes_end = dashes_end || strcmp(q->words[i], "--") == 0;
    if (!dashes_end && !find_flag(q)) {
        q->directive = CK_COMPLETE_DEFAULT;
        return 0;
    }
    if (ck_parse_flags(&q->p, q->words, q->n, err) < 0) {
        q->directive = CK_COMPLETE_DEFAULT;
        return 0;
    }
    q->p.ctx->cmd = cmd;
    q->p.ctx->cmd_path = ck_parsed_path(&q->p);
    q->p.ctx->cluster_name = q->p.ctx->opt_name;
    q->directive = CK_COMPLETE_NO_FILE;
    if (q->p.help)
        return 0;
    if (q->flag)
        return add_flag_values(q, err);
    if (q->prefix[0] == '-' && !dashes_end) {
        add_flags(q, false);
        return 0;
    }
    return add_arguments(q, err);
}

static void put_directive_names(int directive)
{
    static const char *const names[] = {"Error", "NoSpace", "NoFileComp", "FilterFileExt"};
    fputs("Completion ended with directive: ", stderr);
    bool any = false;
    for (size_t i = 0; i < CK_ARRAY_LEN(names); i++) {
        if (!(directive & (1 << i)))
            continue;
        fprintf(stderr, "%sShellCompDirective%s", any ? ", " : "", names[i]);
        any = true;
    }
    fputs(any ? "\n" : "ShellCompDirectiveDefault\n", stderr);
}

int ck_complete_run(struct ck_ctx *ctx, int argc, char **argv, bool descriptions,
                    struct ck_err *err)
{
    CK_CLEANUP(request_done)
    struct request q = {.p = {.path = {&ck_cmd_root}, .depth = 1, .ctx = ctx}, .prefix = ""};
    q.n = argc > 0 ? (size_t)argc - 1 : 0;
    q.words = ck_arena_alloc(ctx->arena, (q.n + 1) * sizeof(*q.words));
    for (size_t i = 0; i < q.n; i++)
        q.words[i] = argv[i];
    if (argc > 0)
        q.prefix = argv[argc - 1];
    CK_AUTOERR why = CK_ERR_INIT;
    if (complete(&q, &why) < 0) {
        ck_debug(1, "completion: %s", ck_err_msg(&why));
        q.directive = CK_COMPLETE_ERROR;
    }
    for (size_t i = 0; i < q.out.n; i++) {
        size_t n = strcspn(q.out.v[i], descriptions ? "\n" : "\t\n");
        ck_print(ctx, "%.*s\n", (int)n, q.out.v[i]);
    }
    ck_print(ctx, ":%d\n", q.directive);
    put_directive_names(q.directive);
    return 0;
}

/* ---- candidates shared by commands ---- */

static bool takes_one_cluster(const struct ck_cmd *c)
{
    return c && (c->args == ck_args_cluster || c->args == ck_args_cluster_kubeconfig ||
                 c->args == ck_args_cluster_optional);
}

int ck_complete_clusters(struct ck_ctx *ctx, const void *opts, int argc, char **argv,
                         const char *prefix, struct ck_strv *ret, int *ret_directive,
                         struct ck_err *err)
{
    *ret_directive = CK_COMPLETE_NO_FILE;
    if (*ctx->opt_name || (argc > 0 && takes_one_cluster(ctx->cmd)))
        return 0; /* another name would be refused */
    struct ck_store *store = NULL;
    CK_AUTOSTRV names = {0};
    int r = ck_ctx_store(ctx, &store, err);
    if (r == 0)
        r = ck_cluster_names(store, &names, err);
    for (size_t i = 0; r == 0 && i < names.n; i++) {
        bool taken = !ck_str_starts(names.v[i], prefix);
        for (int k = 0; k < argc; k++)
            taken = taken || strcmp(argv[k], names.v[i]) == 0;
        if (!taken)
            ck_strv_push(ret, names.v[i]);
    }
    return r;
}

/* ---- the rows ---- */

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    return ck_complete_run(ctx, argc, argv, true, err);
}

static int run_nodesc(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    return ck_complete_run(ctx, argc, argv, false, err);
}

const struct ck_cmd ck_cmd_complete = {
    .name = "__complete",
    .use = "__complete [command-line]",
    .brief = "Candidates for the shell.",
    .hidden = true,
    .raw_args = true,
    .run = run,
};

const struct ck_cmd ck_cmd_complete_nodesc = {
    .name = "__completeNoDesc",
    .use = "__completeNoDesc [command-line]",
    .brief = "Candidates for the shell, without descriptions.",
    .hidden = true,
    .raw_args = true,
    .run = run_nodesc,
};
