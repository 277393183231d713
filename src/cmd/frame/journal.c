/* Who changes a store, and by which command, for its journal. */
#include "cmd/frame/journal.h"

#include "cmd/frame/opt.h"
#include "ops/journal/journal.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

enum { WORD_MAX = 200, COMMAND_MAX = 1000 };

static void put_word(struct ck_buf *out, struct ck_slice w)
{
    for (size_t i = 0; i < w.len && i < WORD_MAX; i++)
        ck_buf_putc(out, (unsigned char)w.ptr[i] < 0x20 || w.ptr[i] == 0x7f ? '?' : w.ptr[i]);
    if (w.len > WORD_MAX)
        ck_buf_puts(out, "…");
}

const char *ck_ctx_login(struct ck_ctx *ctx)
{
    struct passwd entry, *found = NULL;
    char space[4096];
    if (getpwuid_r(geteuid(), &entry, space, sizeof space, &found) == 0 && found)
        return ck_arena_strdup(ctx->arena, found->pw_name);
    return ck_arena_printf(ctx->arena, "%u", (unsigned)geteuid());
}

const char *ck_ctx_user(struct ck_ctx *ctx)
{
    const char *given = ck_env_nonempty(&ctx->env, "CKOPS_USER");
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    put_word(&b, ck_slice_of(given ? given : ck_ctx_login(ctx)));
    return ck_arena_strdup(ctx->arena, ck_buf_str(&b));
}

const char *ck_ctx_host(struct ck_ctx *ctx)
{
    char host[256] = "";
    if (gethostname(host, sizeof host - 1) < 0 || !*host)
        return "unknown";
    return ck_arena_strdup(ctx->arena, host);
}

/* ---- the command line without what may be secret ---- */

/* A name or a location. Of assignments only what is assigned to; of URLs neither a password nor
 * what follows `?`, where signatures are. */
static void put_value(struct ck_buf *out, const char *text)
{
    struct ck_slice shown = ck_slice_of(ck_location_shown(text));
    size_t cut = ck_slice_find(shown, strstr(text, "://") ? '?' : '=');
    put_word(out, ck_slice_n(shown.ptr, cut));
    if (cut < shown.len)
        ck_buf_fmt(out, "%c…", shown.ptr[cut]);
}

/* Options whose values are names and places. Every other value could be anything: it is left out.
 */
static const char *const shown_options[] = {"at",   "filename", "git",   "name",   "output",
                                            "role", "set",      "state", "subnet", "target",
                                            "to",   "unset",    NULL};

static bool is_shown(const char *name)
{
    for (const char *const *p = shown_options; *p; p++)
        if (strcmp(*p, name) == 0)
            return true;
    return false;
}

static bool is_root_option(const struct ck_opt *o)
{
    for (const struct ck_opt *p = ck_cmd_root.opts; p->name; p++)
        if (p == o)
            return true;
    return false;
}

/* --state is one, too. */
static bool is_list(const struct ck_opt *o)
{
    return o->type == CK_OPT_STRINGS || o->type == CK_OPT_STRARRAY ||
           (o->type == CK_OPT_CUSTOM && o->off == offsetof(struct ck_ctx, opt_states) &&
            is_root_option(o));
}

static void put_option(struct ck_buf *out, const struct ck_opt *o, const char *base)
{
    const void *value = base + o->off;
    const struct ck_strv *list = value;
    ck_buf_fmt(out, " --%s", o->name);
    if (o->type == CK_OPT_BOOL) {
        if (!*(const bool *)value)
            ck_buf_puts(out, "=false");
    } else if (is_shown(o->name) && o->type == CK_OPT_STRING) {
        ck_buf_putc(out, '=');
        put_value(out, *(const char *const *)value);
    } else if (is_shown(o->name) && is_list(o)) {
        for (size_t i = 0; i < list->n; i++) {
            if (i)
                ck_buf_fmt(out, " --%s", o->name);
            ck_buf_putc(out, '=');
            put_value(out, list->v[i]);
        }
    } else {
        ck_buf_puts(out, "=…");
    }
}

const char *ck_ctx_command(struct ck_ctx *ctx)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(COMMAND_MAX);
    const char *path = strchr(ctx->cmd_path, ' '); /* without the program's name */
    ck_buf_puts(&b, path ? path + 1 : ctx->cmd_path);
    for (size_t i = 0; i < ctx->words->n; i++) {
        ck_buf_putc(&b, ' ');
        put_value(&b, ctx->words->v[i]);
    }
    for (size_t i = 0; i < ctx->given->n; i++) {
        const struct ck_opt *o = ctx->given->e[i].val;
        put_option(&b, o, is_root_option(o) ? (const char *)ctx : ctx->opts);
    }
    return ck_arena_strdup(ctx->arena, ck_buf_str(&b));
}

/* ---- the run's journal ---- */

void ck_ctx_who(struct ck_ctx *ctx, struct ck_journal_who *ret)
{
    *ret = (struct ck_journal_who){ck_ctx_user(ctx), ck_ctx_host(ctx), ck_ctx_command(ctx)};
}

static int ask(void *arg, bool *ret_wanted, struct ck_journal_who *ret_who, struct ck_err *err)
{
    struct ck_ctx *ctx = arg;
    const struct ck_store_settings *settings;
    int r = ck_ctx_settings(ctx, &settings, err);
    if (r < 0)
        return r;
    *ret_wanted = settings->journal;
    if (settings->journal)
        ck_ctx_who(ctx, ret_who);
    return 0;
}

void ck_ctx_journal_start(struct ck_ctx *ctx)
{
    ctx->journal = ck_journal_start(&ctx->store, ask, ctx);
}

int ck_ctx_journal_flush(struct ck_ctx *ctx, struct ck_err *err)
{
    return ctx->journal ? ck_journal_flush(ctx->journal, err) : 0;
}

int ck_ctx_journal_end(struct ck_ctx *ctx, struct ck_err *err)
{
    int r = ck_ctx_journal_flush(ctx, err);
    ck_journal_free(ctx->journal);
    ctx->journal = NULL;
    return r;
}
