/* From words to a tree. Mirrors Go's text/template/parse/parse.go; what that refuses is refused
 * here, with its texts where people meet them. */
#include "ops/template/internal.h"

#include "base/enc.h"

#include <string.h>

enum { MAX_DEPTH = 100, MAX_NODES = 1 << 20 };

struct parser {
    struct ck_tset *set;
    const struct ck_tsource *source;
    size_t at; /* behind the last action */
    bool trim_next;
    struct ck_tlex l;
    size_t depth, nodes, loops;
    struct ck_err *err;
};

static int parse_list(struct parser *p, struct ck_tlist **ret, struct ck_slice *ret_stop);
static int parse_pipe(struct parser *p, enum ck_ttok stop, struct ck_tpipe **ret);

static int refuse(struct parser *p, const char *what)
{
    if (p->l.tok == CK_TT_BAD && !p->l.problem)
        return ck_tfail_at(p->source, p->l.src.ptr, false, p->err, "unexpected \"%c\" in operand",
                           *p->l.src.ptr);
    if (p->l.tok == CK_TT_BAD)
        return ck_tfail_at(p->source, p->l.src.ptr, false, p->err, "%s", p->l.problem);
    if (p->l.tok == CK_TT_END)
        return ck_tfail_at(p->source, p->l.src.ptr, false, p->err, "missing value for %s", what);
    return ck_tfail_at(p->source, p->l.src.ptr, false, p->err, "unexpected <%.*s> in %s",
                       CK_SARG(p->l.src), what);
}

static void next(struct parser *p)
{
    ck_tlex_next(p->set->a, &p->l);
}

static char *text_of(struct parser *p, struct ck_slice s)
{
    return ck_arena_strndup(p->set->a, s.ptr, s.len);
}

/* ---- pipelines ---- */

static void grow(struct ck_arena *a, void **v, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return;
    size_t bigger = *cap ? *cap * 2 : 4;
    void *to = ck_arena_alloc(a, bigger * size);
    if (n)
        memcpy(to, *v, n * size);
    *v = to;
    *cap = bigger;
}

/* The fields that follow without a space: $x.a.b, (…).c, .a.b */
static void fields(struct parser *p, struct ck_targ *arg)
{
    size_t cap = 0;
    while (p->l.tok == CK_TT_FIELD && !p->l.spaced) {
        if (!arg->at && (arg->kind != CK_TA_FIELD || arg->n_fields))
            arg->at = p->l.src.ptr;
        void *v = arg->fields;
        grow(p->set->a, &v, arg->n_fields, &cap, sizeof *arg->fields);
        arg->fields = v;
        arg->fields[arg->n_fields++] =
            ck_arena_strndup(p->set->a, p->l.src.ptr + 1, p->l.src.len - 1);
        next(p);
    }
    arg->src.len = (size_t)(p->source->text.ptr + p->l.at - arg->src.ptr);
}

static void constant(struct parser *p, struct ck_targ *arg, struct ck_val *v)
{
    arg->kind = CK_TA_CONST;
    arg->value = v;
    next(p);
}

static int parse_word(struct parser *p, struct ck_targ *arg)
{
    struct ck_arena *a = p->set->a;
    if (ck_slice_eq_str(p->l.src, "true") || ck_slice_eq_str(p->l.src, "false")) {
        constant(p, arg, ck_bool(a, p->l.src.len == 4));
    } else if (ck_slice_eq_str(p->l.src, "nil")) {
        constant(p, arg, ck_null(a));
    } else {
        arg->kind = CK_TA_FUNC;
        arg->name = text_of(p, p->l.src);
        if (!ck_tfunc_find(arg->name))
            return ck_tfail_at(p->source, p->l.src.ptr, false, p->err,
                               "function \"%s\" not defined", arg->name);
        next(p);
    }
    return 0;
}

static int parse_parens(struct parser *p, struct ck_targ *arg)
{
    arg->kind = CK_TA_PIPE;
    if (++p->depth > MAX_DEPTH)
        return ck_fail(p->err, CK_LIMIT, "the template nests too deeply");
    next(p);
    int r = parse_pipe(p, CK_TT_RPAREN, &arg->pipe);
    p->depth--;
    if (r == 0)
        next(p);
    return r;
}

/* 0: an argument was read; 1: there is none here. */
static int parse_arg(struct parser *p, struct ck_targ *arg)
{
    const char *start = p->l.src.ptr;
    int r = 0;
    *arg = (struct ck_targ){.src = p->l.src};
    switch (p->l.tok) {
    case CK_TT_DOT:
        next(p);
        break;
    case CK_TT_FIELD:
        arg->kind = CK_TA_FIELD;
        p->l.spaced = false;
        break;
    case CK_TT_VAR:
        arg->kind = CK_TA_VAR;
        arg->name = text_of(p, p->l.src);
        next(p);
        break;
    case CK_TT_STRING:
    case CK_TT_NUMBER:
        constant(p, arg, p->l.value);
        break;
    case CK_TT_IDENT:
        r = parse_word(p, arg);
        break;
    case CK_TT_LPAREN:
        r = parse_parens(p, arg);
        break;
    default:
        return 1;
    }
    if (r == 0)
        fields(p, arg);
    /* up to the next token, without the space in front of it */
    arg->src = ck_slice_trim(ck_slice_n(start, (size_t)(p->l.src.ptr - start)));
    return r;
}

static int parse_cmd(struct parser *p, struct ck_tcmd *cmd)
{
    size_t cap = 0;
    const char *start = p->l.src.ptr;
    for (;;) {
        struct ck_targ arg;
        int r = parse_arg(p, &arg);
        if (r < 0)
            return r;
        if (r)
            break;
        void *v = cmd->args;
        grow(p->set->a, &v, cmd->n, &cap, sizeof *cmd->args);
        cmd->args = v;
        cmd->args[cmd->n++] = arg;
    }
    cmd->src = ck_slice_trim(ck_slice_n(start, (size_t)(p->l.src.ptr - start)));
    if (!cmd->n)
        return refuse(p, "command");
    return 0;
}

/* "$x :=", "$i, $v :=" in front of a pipeline. */
static int declarations(struct parser *p, struct ck_tpipe *pipe)
{
    struct ck_tlex saved = p->l;
    size_t n = 0;
    while (p->l.tok == CK_TT_VAR && n < 2) {
        pipe->vars[n++] = text_of(p, p->l.src);
        next(p);
        if (p->l.tok != CK_TT_COMMA)
            break;
        next(p);
    }
    if (n && (p->l.tok == CK_TT_DECLARE || p->l.tok == CK_TT_ASSIGN)) {
        pipe->n_vars = n;
        pipe->assign = p->l.tok == CK_TT_ASSIGN;
        next(p);
        return 0;
    }
    p->l = saved;
    return 0;
}

static int parse_pipe(struct parser *p, enum ck_ttok stop, struct ck_tpipe **ret)
{
    struct ck_tpipe *pipe = ck_arena_alloc(p->set->a, sizeof *pipe);
    size_t cap = 0;
    *pipe = (struct ck_tpipe){.src = p->l.src};
    int r = declarations(p, pipe);
    while (r == 0) {
        struct ck_tcmd cmd = {0};
        r = parse_cmd(p, &cmd);
        if (r < 0)
            break;
        void *v = pipe->cmds;
        grow(p->set->a, &v, pipe->n, &cap, sizeof *pipe->cmds);
        pipe->cmds = v;
        pipe->cmds[pipe->n++] = cmd;
        if (p->l.tok != CK_TT_PIPE)
            break;
        next(p);
    }
    pipe->src = ck_slice_trim(ck_slice_n(pipe->src.ptr, (size_t)(p->l.src.ptr - pipe->src.ptr)));
    if (r == 0 && p->l.tok != stop)
        return p->l.tok == CK_TT_END
                   ? ck_tfail_at(p->source, p->l.src.ptr, false, p->err, "unclosed left paren")
                   : refuse(p, "operand");
    *ret = pipe;
    return r;
}

/* ---- actions ---- */

static struct ck_tnode *add(struct parser *p, struct ck_tlist *list, enum ck_tnode_kind kind,
                            struct ck_slice src)
{
    void *v = list->v;
    grow(p->set->a, &v, list->n, &list->cap, sizeof *list->v);
    list->v = v;
    list->v[list->n] = (struct ck_tnode){.kind = kind, .src = src};
    p->nodes++;
    return &list->v[list->n++];
}

static bool is_word(const struct parser *p, const char *word)
{
    return p->l.tok == CK_TT_IDENT && ck_slice_eq_str(p->l.src, word);
}

/* The rest of if, with, range: pipeline, body, else, end. */
static int parse_control(struct parser *p, struct ck_tnode *n)
{
    struct ck_slice stop;
    next(p);
    int r = parse_pipe(p, CK_TT_END, &n->pipe);
    if (r == 0)
        r = parse_list(p, &n->body, &stop);
    if (r < 0 || ck_slice_eq_str(stop, "end"))
        return r;
    if (p->l.tok == CK_TT_END)
        return (r = parse_list(p, &n->otherwise, &stop)) < 0 ? r
               : ck_slice_eq_str(stop, "end")                ? 0
                                              : ck_tfail_at(p->source, stop.ptr, false, p->err,
                                                            "expected end; found {{else}}");
    /* {{else if …}}, {{else with …}}: as if nested, with one end for both */
    bool is_if = is_word(p, "if"), is_with = is_word(p, "with");
    if ((n->kind == CK_TN_IF && !is_if) || (n->kind == CK_TN_WITH && !is_with) ||
        n->kind == CK_TN_RANGE)
        return refuse(p, "else");
    if (++p->depth > MAX_DEPTH)
        return ck_fail(p->err, CK_LIMIT, "the template nests too deeply");
    n->otherwise = ck_arena_alloc(p->set->a, sizeof *n->otherwise);
    *n->otherwise = (struct ck_tlist){0};
    r = parse_control(p, add(p, n->otherwise, n->kind, p->l.src));
    p->depth--;
    return r;
}

static int define(struct parser *p, const char *name, struct ck_tlist *body)
{
    struct ck_tset *set = p->set;
    void *v = set->defs;
    grow(set->a, &v, set->n, &set->cap, sizeof *set->defs);
    set->defs = v;
    set->defs[set->n++] = (struct ck_tdef){name, body, p->source};
    return 0;
}

static int parse_define(struct parser *p)
{
    struct ck_slice stop;
    struct ck_tlist *body;
    next(p);
    if (p->l.tok != CK_TT_STRING)
        return refuse(p, "define clause");
    const char *name = p->l.value->s.ptr;
    next(p);
    if (p->l.tok != CK_TT_END)
        return refuse(p, "define clause");
    int r = parse_list(p, &body, &stop);
    if (r == 0 && !ck_slice_eq_str(stop, "end"))
        return ck_tfail_at(p->source, stop.ptr, false, p->err,
                           "unexpected {{else}} in define clause");
    return r < 0 ? r : define(p, name, body);
}

/* template "name" pipeline; block also defines it. */
static int parse_template(struct parser *p, struct ck_tnode *n, bool block)
{
    next(p);
    if (p->l.tok != CK_TT_STRING)
        return refuse(p, "template clause");
    n->name = p->l.value->s.ptr;
    next(p);
    int r = p->l.tok == CK_TT_END ? 0 : parse_pipe(p, CK_TT_END, &n->pipe);
    if (r < 0 || !block)
        return r;
    struct ck_slice stop;
    struct ck_tlist *body;
    const char *name = n->name;
    r = parse_list(p, &body, &stop);
    return r < 0 ? r : define(p, name, body);
}

static int parse_control_in(struct parser *p, struct ck_tlist *list, enum ck_tnode_kind kind)
{
    if (++p->depth > MAX_DEPTH)
        return ck_fail(p->err, CK_LIMIT, "the template nests too deeply");
    struct ck_tnode *n = ck_arena_alloc(p->set->a, sizeof *n);
    *n = (struct ck_tnode){.kind = kind, .src = p->l.src};
    p->loops += kind == CK_TN_RANGE;
    int r = parse_control(p, n);
    p->loops -= kind == CK_TN_RANGE;
    p->depth--;
    *add(p, list, kind, n->src) = *n;
    return r;
}

static int parse_jump(struct parser *p, struct ck_tlist *list, enum ck_tnode_kind kind)
{
    if (!p->loops)
        return ck_tfail_at(p->source, p->l.src.ptr, false, p->err, "{{%.*s}} outside {{range}}",
                           CK_SARG(p->l.src));
    add(p, list, kind, p->l.src);
    next(p);
    return p->l.tok == CK_TT_END ? 0 : refuse(p, "break or continue");
}

static int parse_action(struct parser *p, struct ck_tlist *list)
{
    if (is_word(p, "if"))
        return parse_control_in(p, list, CK_TN_IF);
    if (is_word(p, "range"))
        return parse_control_in(p, list, CK_TN_RANGE);
    if (is_word(p, "with"))
        return parse_control_in(p, list, CK_TN_WITH);
    if (is_word(p, "define"))
        return parse_define(p);
    if (is_word(p, "break"))
        return parse_jump(p, list, CK_TN_BREAK);
    if (is_word(p, "continue"))
        return parse_jump(p, list, CK_TN_CONTINUE);
    if (is_word(p, "template") || is_word(p, "block")) {
        bool block = is_word(p, "block");
        struct ck_tnode n = {.kind = CK_TN_TEMPLATE, .src = p->l.src};
        int r = parse_template(p, &n, block);
        *add(p, list, CK_TN_TEMPLATE, n.src) = n;
        return r;
    }
    struct ck_tpipe *pipe;
    struct ck_slice src = p->l.src;
    int r = parse_pipe(p, CK_TT_END, &pipe);
    if (r == 0)
        add(p, list, CK_TN_ACTION, src)->pipe = pipe;
    return r;
}

/* Enter the next action; 0: there is one, 1: the text ends. Text in front goes into the list. */
static int next_action(struct parser *p, struct ck_tlist *list)
{
    struct ck_slice text, inside;
    const char *problem;
    bool more = ck_tlex_action(p->source, &p->at, &p->trim_next, &text, &inside, &problem);
    if (text.len)
        add(p, list, CK_TN_TEXT, text)->text = text;
    if (problem)
        return ck_tfail_at(p->source, inside.ptr, false, p->err, "%s", problem);
    if (p->nodes > MAX_NODES)
        return ck_fail(p->err, CK_LIMIT, "the template has too many parts");
    if (!more)
        return 1;
    size_t start = (size_t)(inside.ptr - p->source->text.ptr);
    p->l = (struct ck_tlex){.source = p->source, .at = start, .end = start + inside.len};
    next(p);
    return 0;
}

/* Up to {{end}} or {{else…}}, whose word is *ret_stop (empty at the end of the text); behind "else"
 * the parser stands at the next word. */
static int parse_list(struct parser *p, struct ck_tlist **ret, struct ck_slice *ret_stop)
{
    struct ck_tlist *list = ck_arena_alloc(p->set->a, sizeof *list);
    *list = (struct ck_tlist){0};
    *ret = list;
    for (;;) {
        int r = next_action(p, list);
        if (r < 0)
            return r;
        if (r)
            return ck_tfail_at(p->source, NULL, false, p->err, "unexpected EOF");
        *ret_stop = p->l.src;
        if (is_word(p, "end") || is_word(p, "else")) {
            bool end = is_word(p, "end");
            next(p);
            return end && p->l.tok != CK_TT_END ? refuse(p, "end") : 0;
        }
        r = p->l.tok == CK_TT_END ? 0 : parse_action(p, list); /* an empty one was a comment */
        if (r < 0)
            return r;
    }
}

int ck_tparse(struct ck_tset *set, const struct ck_tsource *source, struct ck_err *err)
{
    struct parser p = {.set = set, .source = source, .err = err};
    struct ck_tlist *list = ck_arena_alloc(set->a, sizeof *list);
    *list = (struct ck_tlist){0};
    for (;;) {
        int r = next_action(&p, list);
        if (r < 0)
            return r;
        if (r)
            break;
        if (is_word(&p, "end") || is_word(&p, "else"))
            return ck_tfail_at(source, p.l.src.ptr, false, err, "unexpected {{%.*s}}",
                               CK_SARG(p.l.src));
        r = p.l.tok == CK_TT_END ? 0 : parse_action(&p, list);
        if (r < 0)
            return r;
    }
    return define(&p, source->name, list);
}
