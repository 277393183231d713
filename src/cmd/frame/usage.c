/* Help and usage blocks, laid out as cobra and pflag lay them out; suggestions for mistyped words.
 *
 * Pure text: decides neither the stream nor the exit status. Mirrors cobra's usage template and
 * pflag's FlagUsages. */
#include "cmd/frame/opt.h"

#include "base/enc.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static bool available(const struct ck_cmd *c)
{
    return !c->hidden && !c->deprecated;
}

static int by_cmd_name(const void *a, const void *b)
{
    return strcmp((*(const struct ck_cmd *const *)a)->name,
                  (*(const struct ck_cmd *const *)b)->name);
}

/* The visible sub-commands sorted by name; the caller frees. */
static const struct ck_cmd **sorted_subs(const struct ck_cmd *c, size_t *ret_n)
{
    const struct ck_cmd **v = NULL;
    size_t n = 0, cap = 0;
    for (size_t i = 0; c->subs && c->subs[i]; i++) {
        if (!available(c->subs[i]))
            continue;
        ck_xgrow(&v, &cap, n + 1, sizeof(*v));
        v[n++] = c->subs[i];
    }
    if (n)
        qsort(v, n, sizeof(*v), by_cmd_name);
    *ret_n = n;
    return v;
}

/* ---- flags ---- */

struct rows {
    const struct ck_opt **v;
    size_t n, cap;
};

static void rows_add(struct rows *r, const struct ck_opt *o)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->v[i]->name, o->name) == 0)
            return;
    ck_xgrow(&r->v, &r->cap, r->n + 1, sizeof(*r->v));
    r->v[r->n++] = o;
}

static int by_opt_name(const void *a, const void *b)
{
    return strcmp((*(const struct ck_opt *const *)a)->name,
                  (*(const struct ck_opt *const *)b)->name);
}

static const char *type_name(const struct ck_opt *o)
{
    switch (o->type) {
    case CK_OPT_BOOL:
        return "";
    case CK_OPT_STRING:
        return "string";
    case CK_OPT_STRINGS:
        return "strings";
    case CK_OPT_STRARRAY:
        return "stringArray";
    case CK_OPT_INT:
        return "int";
    case CK_OPT_INT32:
        return "int32";
    case CK_OPT_DURATION:
        return "duration";
    case CK_OPT_CUSTOM:
        break;
    }
    return o->type_name ? o->type_name : "";
}

/* "  -o, --output string" */
static void put_left(struct ck_buf *b, const struct ck_opt *o)
{
    if (o->shorthand)
        ck_buf_fmt(b, "  -%c, --%s", o->shorthand, o->name);
    else
        ck_buf_fmt(b, "      --%s", o->name);
    if (*type_name(o))
        ck_buf_fmt(b, " %s", type_name(o));
    if (o->bare && o->type == CK_OPT_STRING)
        ck_buf_fmt(b, "[=\"%s\"]", o->bare);
    else if (o->bare && strcmp(o->bare, "true") != 0)
        ck_buf_fmt(b, "[=%s]", o->bare);
}

/* " (default …)" unless the default is the type's zero value. */
static void put_default(struct ck_buf *b, const struct ck_opt *o, const struct ck_env *env)
{
    const char *d = o->dflt_env ? ck_env_nonempty(env, o->dflt_env) : NULL;
    d = d ? d : o->dflt ? o->dflt : "";
    bool list = o->type == CK_OPT_STRINGS || o->type == CK_OPT_STRARRAY;
    /* pflag knows the empty list of its own type only; --set has one of kOps' own */
    if (list && (*d || (o->flags & CK_OPT_LAZY_CSV))) {
        ck_buf_fmt(b, " (default [%s])", d);
    } else if (!list && o->type == CK_OPT_STRING && *d) {
        CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
        ck_goquote(&q, ck_slice_of(d));
        ck_buf_fmt(b, " (default %s)", ck_buf_str(&q));
    } else if (!list && *d && strcmp(d, "false") && strcmp(d, "0") && strcmp(d, "0s")) {
        ck_buf_fmt(b, " (default %s)", d);
    }
}

static void put_rows(struct ck_buf *out, const struct ck_parsed *p, struct rows *r)
{
    size_t width = 0;
    qsort(r->v, r->n, sizeof(*r->v), by_opt_name);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < r->n; i++) {
            const struct ck_opt *o = r->v[i];
            CK_AUTOBUF struct ck_buf left = CK_BUF_INIT;
            put_left(&left, o);
            if (left.len > width)
                width = left.len;
            if (pass == 0)
                continue;
            ck_buf_put(out, ck_buf_slice(&left));
            ck_buf_fill(out, ' ', width + 3 - left.len);
            if (o == &ck_opt_help)
                ck_buf_fmt(out, "help for %s",
                           p->depth > 1 ? ck_parsed_cmd(p)->name : p->ctx->program);
            else
                ck_buf_puts(out, o->help ? o->help : "");
            put_default(out, o, &p->ctx->env);
            ck_buf_putc(out, '\n');
        }
    }
}

/* The command's own flags and --help, or (global) what it inherits. */
static void put_flags(struct ck_buf *out, const struct ck_parsed *p, bool global)
{
    struct rows r = {0};
    size_t lo = global ? 0 : p->depth - 1, hi = global ? p->depth - 1 : p->depth;
    for (size_t i = lo; i < hi; i++)
        for (const struct ck_opt *o = p->path[i]->opts; o && o->name; o++)
            if (ck_opt_visible(o) && (!global || (o->flags & CK_OPT_PERSISTENT)))
                rows_add(&r, o);
    if (!global)
        rows_add(&r, &ck_opt_help);
    if (r.n) {
        ck_buf_puts(out, global ? "\nGlobal Flags:\n" : "\nFlags:\n");
        put_rows(out, p, &r);
    }
    free(r.v);
}

/* ---- the block ---- */

static void put_use_lines(struct ck_buf *out, const struct ck_parsed *p, const char *path,
                          bool has_subs)
{
    const struct ck_cmd *c = ck_parsed_cmd(p);
    ck_buf_puts(out, "Usage:\n");
    if (c->run) {
        const char *rest = strchr(c->use, ' ');
        ck_buf_fmt(out, "  %s%s%s\n", path, rest ? rest : "",
                   strstr(c->use, "[flags]") ? "" : " [flags]");
    }
    if (has_subs)
        ck_buf_fmt(out, "  %s [command]\n", path);
}

static void put_aliases(struct ck_buf *out, const struct ck_cmd *c)
{
    if (!c->aliases || !c->aliases[0])
        return;
    ck_buf_fmt(out, "\nAliases:\n  %s", c->name);
    for (size_t i = 0; c->aliases[i]; i++)
        ck_buf_fmt(out, ", %s", c->aliases[i]);
    ck_buf_putc(out, '\n');
}

static void put_examples(struct ck_buf *out, const struct ck_cmd *c)
{
    if (!c->example)
        return;
    ck_buf_puts(out, "\nExamples:\n");
    struct ck_slice rest = ck_slice_of(c->example), line;
    while (ck_slice_next(&rest, '\n', &line))
        ck_buf_fmt(out, "  %.*s\n", CK_SARG(line));
}

static void put_subs(struct ck_buf *out, const struct ck_cmd **subs, size_t n)
{
    size_t width = 11; /* cobra's minimum */
    for (size_t i = 0; i < n; i++)
        if (strlen(subs[i]->name) > width)
            width = strlen(subs[i]->name);
    ck_buf_puts(out, "\nAvailable Commands:\n");
    for (size_t i = 0; i < n; i++) {
        ck_buf_fmt(out, "  %-*s %s\n", (int)width, subs[i]->name,
                   subs[i]->brief ? subs[i]->brief : "");
    }
}

void ck_usage(struct ck_buf *out, const struct ck_parsed *p)
{
    const struct ck_cmd *c = ck_parsed_cmd(p);
    const char *path = ck_parsed_path(p);
    size_t n = 0;
    CK_AUTOFREE const struct ck_cmd **subs = sorted_subs(c, &n);
    put_use_lines(out, p, path, n > 0);
    put_aliases(out, c);
    put_examples(out, c);
    if (n)
        put_subs(out, subs, n);
    put_flags(out, p, false);
    put_flags(out, p, true);
    if (n)
        ck_buf_fmt(out, "\nUse \"%s [command] --help\" for more information about a command.\n",
                   path);
}

void ck_usage_help(struct ck_buf *out, const struct ck_parsed *p)
{
    const struct ck_cmd *c = ck_parsed_cmd(p);
    const char *text = c->detail ? c->detail : c->brief;
    if (text && *text)
        ck_buf_fmt(out, "%s\n\n", text);
    ck_usage(out, p);
}

/* ---- suggestions ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Levenshtein distance without regard to case; words longer than 63 bytes count as far apart. */
static size_t distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b), row[64];
    if (na > 63 || nb > 63)
        return 64;
    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t best = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[nb];
}

static bool near(const struct ck_cmd *c, const char *typed)
{
    size_t n = strlen(typed);
    if (distance(typed, c->name) <= 2 ||
        (n <= strlen(c->name) && ck_slice_ieq_str(ck_slice_n(c->name, n), typed)))
        return true;
    for (size_t i = 0; c->suggest_for && c->suggest_for[i]; i++)
        if (ck_slice_ieq_str(ck_slice_of(typed), c->suggest_for[i]))
            return true;
    return false;
}

void ck_usage_suggest(struct ck_buf *out, const struct ck_cmd *parent, const char *typed)
{
    size_t n = 0;
    CK_AUTOFREE const struct ck_cmd **subs = sorted_subs(parent, &n);
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        if (!near(subs[i], typed))
            continue;
        if (!any)
            ck_buf_puts(out, "\n\nDid you mean this?\n");
        any = true;
        ck_buf_fmt(out, "\t%s\n", subs[i]->name);
    }
}
