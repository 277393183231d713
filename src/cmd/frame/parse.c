/* From argv to command, options and positional arguments.
 *
 * Follows cobra's way of finding the sub-command and pflag's way of reading flags, including which
 * word counts as the value of which flag. Values are converted in opt.c. */
#include "cmd/frame/opt.h"

#include "base/enc.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

const struct ck_opt ck_opt_help = {
    .shorthand = 'h',
    .name = "help",
    .type = CK_OPT_BOOL,
    .off = offsetof(struct ck_parsed, help),
    .given_off = CK_OPT_NO_GIVEN,
    .help = "help",
};

void ck_parsed_done(struct ck_parsed *p)
{
    ck_map_done(&p->given);
    ck_strv_done(&p->args);
    ck_buf_done(&p->notices);
}

const char *ck_parsed_path(const struct ck_parsed *p)
{
    const char *s = p->ctx->program;
    for (size_t i = 1; i < p->depth; i++)
        s = ck_arena_printf(p->ctx->arena, "%s %s", s, p->path[i]->name);
    return s;
}

const char *ck_opt_bare(const struct ck_opt *o)
{
    return o->bare ? o->bare : o->type == CK_OPT_BOOL ? "true" : NULL;
}

bool ck_opt_visible(const struct ck_opt *o)
{
    return !o->deprecated && !(o->flags & CK_OPT_HIDDEN);
}

/* The option of level i that the command sees and `match` accepts. */
static const struct ck_opt *search(const struct ck_parsed *p, struct ck_slice name, char shorthand)
{
    for (size_t i = p->depth; i-- > 0;) {
        bool own = i + 1 == p->depth;
        for (const struct ck_opt *o = p->path[i]->opts; o && o->name; o++) {
            if (!own && !(o->flags & CK_OPT_PERSISTENT))
                continue;
            if (shorthand ? o->shorthand == shorthand : ck_slice_eq_str(name, o->name))
                return o;
        }
    }
    if (shorthand ? shorthand == 'h' : ck_slice_eq_str(name, "help"))
        return &ck_opt_help;
    return NULL;
}

const struct ck_opt *ck_parsed_opt(const struct ck_parsed *p, struct ck_slice name)
{
    return search(p, name, '\0');
}

const struct ck_opt *ck_parsed_short(const struct ck_parsed *p, char c)
{
    return c ? search(p, (struct ck_slice){0}, c) : NULL;
}

/* Where the option's value lies: the root's options are members of the context. */
static void *base_of(struct ck_parsed *p, const struct ck_opt *o)
{
    if (o == &ck_opt_help)
        return p;
    for (const struct ck_opt *r = p->path[0]->opts; r && r->name; r++)
        if (r == o)
            return p->ctx;
    return p->opts;
}

/* ---- finding the command ---- */

/* Whether `s` is a flag whose value is the next word. An unknown flag counts as one, as in cobra.
 */
static bool takes_next(const struct ck_parsed *p, const char *s)
{
    const struct ck_opt *o;
    if (strchr(s, '='))
        return false;
    if (s[0] == '-' && s[1] == '-')
        o = ck_parsed_opt(p, ck_slice_of(s + 2));
    else if (s[0] == '-' && s[1] && !s[2])
        o = ck_parsed_short(p, s[1]);
    else
        return false;
    return !o || !ck_opt_bare(o);
}

static size_t first_word(const struct ck_parsed *p, const char *const *args, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(args[i], "--") == 0)
            return n;
        if (takes_next(p, args[i]))
            i++;
        else if (args[i][0] && args[i][0] != '-')
            return i;
    }
    return n;
}

static const struct ck_cmd *sub_called(const struct ck_cmd *c, const char *word)
{
    for (size_t i = 0; c->subs && c->subs[i]; i++) {
        const struct ck_cmd *s = c->subs[i];
        if (strcmp(s->name, word) == 0)
            return s;
        for (size_t k = 0; s->aliases && s->aliases[k]; k++)
            if (strcmp(s->aliases[k], word) == 0)
                return s;
    }
    return NULL;
}

size_t ck_parse_find(struct ck_parsed *p, const char **args, size_t *n)
{
    for (;;) {
        const struct ck_cmd *c = ck_parsed_cmd(p);
        if (c->raw_args)
            return *n;
        size_t i = first_word(p, args, *n);
        const struct ck_cmd *sub = i < *n ? sub_called(c, args[i]) : NULL;
        if (!sub || p->depth == CK_CMD_DEPTH)
            return i;
        memmove(args + i, args + i + 1, (*n - i - 1) * sizeof(*args));
        --*n;
        p->path[p->depth++] = sub;
    }
}

/* ---- flags ---- */

static int set_flag(struct ck_parsed *p, const struct ck_opt *o, const char *value,
                    struct ck_err *err)
{
    bool first = !ck_map_has(&p->given, o->name);
    if (ck_opt_set(p->ctx->arena, o, base_of(p, o), value, first, err) < 0) {
        CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
        ck_goquote(&q, ck_slice_of(value));
        if (o->shorthand)
            return ck_wrap(err, "invalid argument %s for \"-%c, --%s\" flag", ck_buf_str(&q),
                           o->shorthand, o->name);
        return ck_wrap(err, "invalid argument %s for \"--%s\" flag", ck_buf_str(&q), o->name);
    }
    if (first)
        ck_map_put(&p->given, o->name, (void *)o);
    if (o->deprecated)
        ck_buf_fmt(&p->notices, "Flag --%s has been deprecated, %s\n", o->name, o->deprecated);
    return 0;
}

/* "--name", "--name=value", "--name value"; *i is the index of the word, moved when a value is
 * taken. */
static int long_flag(struct ck_parsed *p, const char *const *args, size_t n, size_t *i,
                     struct ck_err *err)
{
    const char *word = args[*i], *name = word + 2, *eq = strchr(name, '=');
    if (*name == '-' || *name == '=')
        return ck_fail(err, CK_INVALID, "bad flag syntax: %s", word);
    size_t len = eq ? (size_t)(eq - name) : strlen(name);
    const struct ck_opt *o = ck_parsed_opt(p, ck_slice_n(name, len));
    if (!o)
        return ck_fail(err, CK_INVALID, "unknown flag: --%.*s", (int)len, name);
    if (eq)
        return set_flag(p, o, eq + 1, err);
    if (ck_opt_bare(o))
        return set_flag(p, o, ck_opt_bare(o), err);
    if (*i + 1 >= n)
        return ck_fail(err, CK_INVALID, "flag needs an argument: %s", word);
    return set_flag(p, o, args[++*i], err);
}

/* "-o", "-oyaml", "-o=yaml", "-o yaml", "-yv2". */
static int short_flags(struct ck_parsed *p, const char *const *args, size_t n, size_t *i,
                       struct ck_err *err)
{
    for (const char *s = args[*i] + 1; *s; s++) {
        const struct ck_opt *o = ck_parsed_short(p, *s);
        if (!o) {
            uint32_t cp;
            size_t len = ck_utf8_decode(s, strlen(s), &cp);
            return ck_fail(err, CK_INVALID, "unknown shorthand flag: '%.*s' in -%s",
                           len ? (int)len : 1, s, s);
        }
        if (s[1] == '=' && s[2])
            return set_flag(p, o, s + 2, err);
        if (ck_opt_bare(o)) {
            int r = set_flag(p, o, ck_opt_bare(o), err);
            if (r < 0)
                return r;
            continue;
        }
        if (s[1])
            return set_flag(p, o, s + 1, err);
        if (*i + 1 >= n)
            return ck_fail(err, CK_INVALID, "flag needs an argument: '%c' in -%s", *s, s);
        return set_flag(p, o, args[++*i], err);
    }
    return 0;
}

static int set_defaults(struct ck_parsed *p, struct ck_err *err)
{
    size_t size = ck_parsed_cmd(p)->opts_size;
    for (size_t i = 1; i < p->depth; i++)
        if (p->path[i]->opts_size > size)
            size = p->path[i]->opts_size;
    p->opts = size ? ck_arena_alloc(p->ctx->arena, size) : NULL;
    for (size_t i = 0; i < p->depth; i++) {
        bool own = i + 1 == p->depth;
        for (const struct ck_opt *o = p->path[i]->opts; o && o->name; o++) {
            if (!own && !(o->flags & CK_OPT_PERSISTENT))
                continue;
            const char *env = o->dflt_env ? ck_env_nonempty(&p->ctx->env, o->dflt_env) : NULL;
            if (ck_opt_set_default(p->ctx->arena, o, i ? p->opts : p->ctx, env, err) < 0)
                return ck_wrap(err, "invalid value \"%.80s\" of %s", env ? env : o->dflt,
                               env ? o->dflt_env : o->name);
        }
    }
    return 0;
}

int ck_parse_flags(struct ck_parsed *p, const char *const *args, size_t n, struct ck_err *err)
{
    if (set_defaults(p, err) < 0)
        return -(int)err->code;
    bool ended = ck_parsed_cmd(p)->raw_args;
    for (size_t i = 0; i < n; i++) {
        const char *s = args[i];
        if (ended || s[0] != '-' || !s[1]) {
            ck_strv_push(&p->args, s);
        } else if (strcmp(s, "--") == 0) {
            ended = true;
            p->ctx->dash = (int)p->args.n;
        } else {
            int r = s[1] == '-' ? long_flag(p, args, n, &i, err) : short_flags(p, args, n, &i, err);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

int ck_parse_required(const struct ck_parsed *p, struct ck_err *err)
{
    CK_AUTOSTRV missing = {0};
    for (size_t i = 0; i < p->depth; i++) {
        bool own = i + 1 == p->depth;
        for (const struct ck_opt *o = p->path[i]->opts; o && o->name; o++) {
            bool seen = own || (o->flags & CK_OPT_PERSISTENT);
            if (seen && (o->flags & CK_OPT_REQUIRED) && !ck_map_has(&p->given, o->name))
                ck_strv_push(&missing, o->name);
        }
    }
    if (!missing.n)
        return 0;
    ck_strv_sort(&missing);
    CK_AUTOBUF struct ck_buf names = CK_BUF_INIT;
    ck_strv_join(&missing, "\", \"", &names);
    return ck_fail(err, CK_INVALID, "required flag(s) \"%s\" not set", ck_buf_str(&names));
}
