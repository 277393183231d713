/* `gen-cli-docs`: reference pages of every command, from the command table.
 *
 * Writes Markdown or man pages into a folder; nothing in them is written twice. Mirrors the hidden
 * command of the same name in cmd/kops/gen_cli_docs.go. */
#include "cmd/commands.h"
#include "cmd/frame/opt.h"

#include "base/file.h"

#include <string.h>

struct gendocs_opts {
    const char *out, *format;
};

/* Text for roff: no line may begin with a control character, a dash is a dash. */
static void put_roff(struct ck_buf *b, struct ck_slice s)
{
    bool line_start = true;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (line_start && (c == '.' || c == '\''))
            ck_buf_puts(b, "\\&");
        if (c == '\\')
            ck_buf_puts(b, "\\e");
        else if (c == '-')
            ck_buf_puts(b, "\\-");
        else
            ck_buf_putc(b, c);
        line_start = c == '\n';
    }
}

static const char *joined_path(const struct ck_parsed *p, char sep)
{
    char *s = ck_arena_strdup(p->ctx->arena, ck_parsed_path(p));
    for (char *c = s; *c; c++)
        if (*c == ' ')
            *c = sep;
    return s;
}

static void put_man(struct ck_buf *b, const struct ck_parsed *p)
{
    const struct ck_cmd *c = ck_parsed_cmd(p);
    CK_AUTOBUF struct ck_buf usage = CK_BUF_INIT;
    ck_usage(&usage, p);
    ck_buf_puts(b, ".TH \"");
    put_roff(b, ck_slice_of(joined_path(p, '-')));
    ck_buf_fmt(b, "\" 1 \"\" \"ckops %s\"\n.SH NAME\n", CK_VERSION);
    put_roff(b, ck_slice_of(joined_path(p, '-')));
    ck_buf_puts(b, " \\- ");
    put_roff(b, ck_slice_of(c->brief ? c->brief : ""));
    ck_buf_puts(b, "\n.SH DESCRIPTION\n");
    put_roff(b, ck_slice_of(c->detail ? c->detail : c->brief ? c->brief : ""));
    ck_buf_puts(b, "\n.SH USAGE\n.nf\n");
    put_roff(b, ck_buf_slice(&usage));
    ck_buf_puts(b, ".fi\n");
}

static void put_markdown(struct ck_buf *b, const struct ck_parsed *p)
{
    const struct ck_cmd *c = ck_parsed_cmd(p);
    CK_AUTOBUF struct ck_buf usage = CK_BUF_INIT;
    ck_usage(&usage, p);
    ck_buf_fmt(b, "# %s\n\n%s\n\n```\n%s```\n", ck_parsed_path(p),
               c->detail  ? c->detail
               : c->brief ? c->brief
                          : "",
               ck_buf_str(&usage));
    if (!c->subs)
        return;
    ck_buf_puts(b, "\n## Commands\n\n");
    for (size_t i = 0; c->subs[i]; i++)
        if (!c->subs[i]->hidden)
            ck_buf_fmt(b, "* [%s](%s_%s.md): %s\n", c->subs[i]->name, joined_path(p, '_'),
                       c->subs[i]->name, c->subs[i]->brief ? c->subs[i]->brief : "");
}

/* This command's page and those below it. */
static int write_pages(struct ck_parsed *p, const struct gendocs_opts *o, bool man,
                       struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf page = CK_BUF_INIT;
    if (man)
        put_man(&page, p);
    else
        put_markdown(&page, p);
    const char *file = ck_arena_printf(p->ctx->arena, "%s/%s%s", o->out,
                                       joined_path(p, man ? '-' : '_'), man ? ".1" : ".md");
    int r = ck_file_write(file, ck_buf_slice(&page), 0644, err);
    const struct ck_cmd *const *subs = ck_parsed_cmd(p)->subs;
    for (size_t i = 0; r == 0 && subs && subs[i] && p->depth < CK_CMD_DEPTH; i++) {
        if (subs[i]->hidden)
            continue;
        p->path[p->depth++] = subs[i];
        r = write_pages(p, o, man, err);
        p->depth--;
    }
    return r;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct gendocs_opts *o = opts;
    bool man = strcmp(o->format, "man") == 0;
    if (!man && strcmp(o->format, "markdown") != 0)
        return ck_fail(err, CK_INVALID, "unknown format \"%s\": man or markdown", o->format);
    int r = ck_mkdirs(o->out, 0755, err);
    ck_env_set(&ctx->env, "KOPS_CLUSTER_NAME", NULL); /* would show as a default */
    struct ck_parsed p = {.path = {&ck_cmd_root}, .depth = 1, .ctx = ctx};
    if (r == 0)
        r = write_pages(&p, o, man, err);
    ck_parsed_done(&p);
    return r;
}

static const struct ck_opt options[] = {
    {.name = "format",
     .type = CK_OPT_STRING,
     .off = offsetof(struct gendocs_opts, format),
     .given_off = CK_OPT_NO_GIVEN,
     .dflt = "markdown",
     .complete = "markdown man",
     .help = "form of the pages: markdown or man"},
    {.name = "out",
     .type = CK_OPT_STRING,
     .off = offsetof(struct gendocs_opts, out),
     .given_off = CK_OPT_NO_GIVEN,
     .flags = CK_OPT_REQUIRED,
     .help = "folder to write to"},
    {0},
};

const struct ck_cmd ck_cmd_gen_docs = {
    .name = "gen-cli-docs",
    .use = "gen-cli-docs",
    .brief = "Write reference pages of all commands.",
    .opts = options,
    .opts_size = sizeof(struct gendocs_opts),
    .hidden = true,
    .args = ck_args_none,
    .run = run,
};
