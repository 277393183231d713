/* Walking the tree. Mirrors Go's text/template/exec.go for values that came from YAML. */
#include "ops/template/internal.h"

#include "base/enc.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_DEPTH = 100,
    MAX_STEPS = 5000000,
    MAX_OUTPUT = 16 << 20,
    MAX_MEMORY = 128 << 20,
    MAX_VARS = 4096
};

struct var {
    const char *name;
    const struct ck_val *value;
};

struct exec {
    struct ck_arena *a;
    const struct ck_tset *set;
    const struct ck_tdef *def; /* being executed */
    bool missing_is_zero;
    struct ck_buf *out;
    size_t memory; /* the arena held at the start */
    struct var vars[MAX_VARS];
    size_t n_vars, depth, steps;
    enum { GO_ON, BREAK, CONTINUE } jump;
    struct ck_err *err;
};

static const struct ck_val nothing = {.kind = CK_NULL};

static int walk(struct exec *x, const struct ck_tlist *list, const struct ck_val *dot);
static int eval_pipe(struct exec *x, const struct ck_tpipe *p, const struct ck_val *dot,
                     const struct ck_val **ret);

/* "template: NAME:3:8: executing "NAME" at <.x>: …" */
static int fail_text(struct exec *x, struct ck_slice src, const char *at, const char *text)
{
    bool cut = src.len > 20;
    return ck_tfail_at(x->def->source, at ? at : src.ptr, true, x->err,
                       "executing \"%s\" at <%.*s%s>: %s", x->def->name, cut ? 20 : (int)src.len,
                       src.ptr, cut ? "..." : "", text);
}

static int fail_at(struct exec *x, struct ck_slice src, const char *fmt, ...) CK_PRINTF(3, 4);
static int fail_at(struct exec *x, struct ck_slice src, const char *fmt, ...)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    ck_buf_vfmt(&b, fmt, ap);
    va_end(ap);
    return fail_text(x, src, NULL, ck_buf_str(&b));
}

/* The same for a chain of fields. */
static int fail_in(struct exec *x, const struct ck_targ *arg, const char *fmt, ...) CK_PRINTF(3, 4);
static int fail_in(struct exec *x, const struct ck_targ *arg, const char *fmt, ...)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    ck_buf_vfmt(&b, fmt, ap);
    va_end(ap);
    return fail_text(x, arg->src, arg->at, ck_buf_str(&b));
}

/* Templates are programs: they may loop, and grow. */
static int step(struct exec *x)
{
    if (++x->steps > MAX_STEPS)
        return ck_fail(x->err, CK_LIMIT, "the template takes too many steps");
    if (x->out->len > MAX_OUTPUT || x->out->overflow)
        return ck_fail(x->err, CK_LIMIT, "the template's output is larger than 16 MiB");
    if (ck_arena_bytes(x->a) - x->memory > MAX_MEMORY)
        return ck_fail(x->err, CK_LIMIT, "the template needs more than 128 MiB of memory");
    return 0;
}

/* ---- variables ---- */

static int declare(struct exec *x, const char *name, const struct ck_val *v)
{
    if (x->n_vars == MAX_VARS)
        return ck_fail(x->err, CK_LIMIT, "the template declares too many variables");
    x->vars[x->n_vars++] = (struct var){name, v};
    return 0;
}

static struct var *variable(struct exec *x, const char *name)
{
    for (size_t i = x->n_vars; i > 0; i--)
        if (strcmp(x->vars[i - 1].name, name) == 0)
            return &x->vars[i - 1];
    return NULL;
}

/* ---- operands ---- */

static int eval_fields(struct exec *x, const struct ck_targ *arg, const struct ck_val *v,
                       const struct ck_val **ret)
{
    for (size_t i = 0; i < arg->n_fields; i++) {
        const char *name = arg->fields[i];
        if (ck_is_null(v))
            return fail_in(x, arg, "nil pointer evaluating interface {}.%s", name);
        if (v->kind != CK_MAP)
            return fail_in(x, arg, "can't evaluate field %s in type interface {}", name);
        v = ck_get(v, name);
        if (!v && !x->missing_is_zero)
            return fail_in(x, arg, "map has no entry for key \"%s\"", name);
    }
    *ret = v ? v : &nothing;
    return 0;
}

static int eval_call(struct exec *x, const struct ck_tcmd *cmd, const struct ck_val *dot,
                     const struct ck_val *last, const struct ck_val **ret);

static int eval_arg(struct exec *x, const struct ck_targ *arg, const struct ck_val *dot,
                    const struct ck_val **ret)
{
    const struct ck_val *v = dot;
    int r = 0;
    switch (arg->kind) {
    case CK_TA_CONST:
        v = arg->value;
        break;
    case CK_TA_VAR: {
        const struct var *var = variable(x, arg->name);
        if (!var)
            return fail_at(x, arg->src, "undefined variable \"%s\"", arg->name);
        v = var->value;
        break;
    }
    case CK_TA_PIPE:
        r = eval_pipe(x, arg->pipe, dot, &v);
        break;
    case CK_TA_FUNC: {
        struct ck_targ word = *arg;
        struct ck_tcmd cmd = {.args = &word, .n = 1, .src = arg->src};
        r = eval_call(x, &cmd, dot, NULL, &v);
        break;
    }
    default:
        break;
    }
    return r < 0 ? r : eval_fields(x, arg, v, ret);
}

static bool is_func(const struct ck_targ *arg, const char *name)
{
    return strcmp(arg->name, name) == 0;
}

/* and, or: the first argument that decides; later ones are not looked at. */
static int eval_logic(struct exec *x, const struct ck_tcmd *cmd, const struct ck_val *dot,
                      const struct ck_val *last, const struct ck_val **ret)
{
    bool stop_at = is_func(&cmd->args[0], "or");
    *ret = &nothing;
    for (size_t i = 1; i < cmd->n; i++) {
        int r = eval_arg(x, &cmd->args[i], dot, ret);
        if (r < 0 || ck_tval_true(*ret) == stop_at)
            return r;
    }
    if (last)
        *ret = last;
    return 0;
}

static int include(struct exec *x, const struct ck_tcmd *cmd, const struct ck_tcall *c,
                   const struct ck_val **ret);

static int call_function(struct exec *x, const struct ck_tcmd *cmd, struct ck_tcall *c,
                         const struct ck_val **ret)
{
    const char *name = cmd->args[0].name;
    const struct ck_tfunc *f = ck_tfunc_find(name);
    CK_AUTOERR e = CK_ERR_INIT;
    struct ck_val *v = NULL;
    if (!f)
        return fail_at(x, cmd->args[0].src, "\"%s\" is not a defined function", name);
    if (c->n < f->min || (f->max != CK_TANY && c->n > f->max)) {
        if (f->max == f->min)
            return fail_at(x, cmd->args[0].src, "wrong number of args for %s: want %zu got %zu",
                           name, f->min, c->n);
        return fail_at(x, cmd->args[0].src,
                       "wrong number of args for %s: want at least %zu got %zu", name, f->min,
                       c->n);
    }
    if (strcmp(name, "include") == 0)
        return include(x, cmd, c, ret);
    c->err = &e;
    if (f->fn(c, &v) < 0)
        return fail_at(x, cmd->src, "error calling %s: %s", name, ck_err_msg(&e));
    *ret = v ? v : &nothing;
    return 0;
}

static int eval_call(struct exec *x, const struct ck_tcmd *cmd, const struct ck_val *dot,
                     const struct ck_val *last, const struct ck_val **ret)
{
    if (is_func(&cmd->args[0], "and") || is_func(&cmd->args[0], "or"))
        return eval_logic(x, cmd, dot, last, ret);
    size_t n = cmd->n - 1 + (last != NULL);
    const struct ck_val **v = ck_arena_alloc(x->a, (n + 1) * sizeof *v);
    for (size_t i = 1; i < cmd->n; i++) {
        int r = eval_arg(x, &cmd->args[i], dot, &v[i - 1]);
        if (r < 0)
            return r;
    }
    if (last)
        v[n - 1] = last;
    struct ck_tcall c = {.a = x->a, .v = v, .n = n};
    return call_function(x, cmd, &c, ret);
}

static int eval_cmd(struct exec *x, const struct ck_tcmd *cmd, const struct ck_val *dot,
                    const struct ck_val *last, const struct ck_val **ret)
{
    if (step(x) < 0)
        return -(int)CK_LIMIT;
    const struct ck_targ *first = &cmd->args[0];
    if (first->kind == CK_TA_FUNC && !first->n_fields)
        return eval_call(x, cmd, dot, last, ret);
    if (cmd->n > 1 || last)
        return fail_at(x, first->src, "can't give argument to non-function %.*s",
                       CK_SARG(first->src));
    return eval_arg(x, first, dot, ret);
}

/* The value of a pipeline; its variables are not set here. */
static int eval_value(struct exec *x, const struct ck_tpipe *p, const struct ck_val *dot,
                      const struct ck_val **ret)
{
    const struct ck_val *v = NULL;
    if (++x->depth > MAX_DEPTH * 4)
        return ck_fail(x->err, CK_LIMIT, "the template nests too deeply");
    int r = 0;
    for (size_t i = 0; r == 0 && i < p->n; i++)
        r = eval_cmd(x, &p->cmds[i], dot, v, &v);
    x->depth--;
    *ret = v ? v : &nothing;
    return r;
}

static int set_variable(struct exec *x, const struct ck_tpipe *p, size_t i, const struct ck_val *v)
{
    if (!p->assign)
        return declare(x, p->vars[i], v);
    struct var *var = variable(x, p->vars[i]);
    if (!var)
        return fail_at(x, p->src, "undefined variable \"%s\"", p->vars[i]);
    var->value = v;
    return 0;
}

static int eval_pipe(struct exec *x, const struct ck_tpipe *p, const struct ck_val *dot,
                     const struct ck_val **ret)
{
    int r = eval_value(x, p, dot, ret);
    for (size_t i = 0; r == 0 && i < p->n_vars; i++)
        r = set_variable(x, p, i, *ret);
    return r;
}

/* ---- statements ---- */

static int walk_if_with(struct exec *x, const struct ck_tnode *n, const struct ck_val *dot)
{
    size_t vars = x->n_vars;
    const struct ck_val *v;
    int r = eval_pipe(x, n->pipe, dot, &v);
    if (r == 0 && ck_tval_true(v))
        r = walk(x, n->body, n->kind == CK_TN_WITH ? v : dot);
    else if (r == 0 && n->otherwise)
        r = walk(x, n->otherwise, dot);
    x->n_vars = vars;
    return r;
}

static int range_once(struct exec *x, const struct ck_tnode *n, const struct ck_val *key,
                      const struct ck_val *item)
{
    const struct ck_tpipe *p = n->pipe;
    size_t vars = x->n_vars;
    int r = step(x);
    if (r == 0 && p->n_vars == 1)
        r = set_variable(x, p, 0, item);
    if (r == 0 && p->n_vars == 2) {
        r = set_variable(x, p, 0, key);
        if (r == 0)
            r = set_variable(x, p, 1, item);
    }
    if (r == 0)
        r = walk(x, n->body, item);
    x->n_vars = vars;
    if (x->jump == CONTINUE)
        x->jump = GO_ON;
    return r;
}

static int range_map(struct exec *x, const struct ck_tnode *n, const struct ck_val *v)
{
    const struct ck_pair **sorted = ck_arena_alloc(x->a, (ck_len(v) + 1) * sizeof(void *));
    for (size_t i = 0; i < ck_len(v); i++)
        sorted[i] = &v->map.v[i];
    qsort(sorted, ck_len(v), sizeof(void *), ck_pair_cmp);
    int r = 0;
    for (size_t i = 0; r == 0 && x->jump != BREAK && i < ck_len(v); i++)
        r = range_once(x, n, ck_strn(x->a, sorted[i]->key), sorted[i]->val);
    return r;
}

static int range_over(struct exec *x, const struct ck_tnode *n, const struct ck_val *v)
{
    int r = 0;
    if (v->kind == CK_MAP)
        return range_map(x, n, v);
    if (v->kind == CK_LIST)
        for (size_t i = 0; r == 0 && x->jump != BREAK && i < ck_len(v); i++)
            r = range_once(x, n, ck_int(x->a, (int64_t)i), ck_item(v, i));
    else if (v->kind == CK_INT)
        for (int64_t i = 0; r == 0 && x->jump != BREAK && i < v->i; i++)
            r = range_once(x, n, ck_int(x->a, i), ck_int(x->a, i));
    else if (v->kind != CK_NULL)
        return fail_at(x, n->pipe->src, "range can't iterate over %s", ck_tval_text(x->a, v));
    return r;
}

static int walk_range(struct exec *x, const struct ck_tnode *n, const struct ck_val *dot)
{
    size_t vars = x->n_vars;
    const struct ck_val *v;
    int r = eval_value(x, n->pipe, dot, &v);
    bool empty = r == 0 && (v->kind == CK_INT ? v->i <= 0 : !ck_len(v) || v->kind == CK_NULL);
    if (r == 0 && empty &&
        (v->kind == CK_LIST || v->kind == CK_MAP || v->kind == CK_NULL || v->kind == CK_INT))
        r = n->otherwise ? walk(x, n->otherwise, dot) : 0;
    else if (r == 0)
        r = range_over(x, n, v);
    if (x->jump == BREAK)
        x->jump = GO_ON;
    x->n_vars = vars;
    return r;
}

static const struct ck_tdef *definition(const struct exec *x, const char *name)
{
    for (size_t i = x->set->n; i > 0; i--) /* the last one of a name counts */
        if (strcmp(x->set->defs[i - 1].name, name) == 0)
            return &x->set->defs[i - 1];
    return NULL;
}

static int run_definition(struct exec *x, const struct ck_tdef *def, const struct ck_val *dot)
{
    const struct ck_tdef *caller = x->def;
    struct var outer = x->vars[0]; /* $ */
    size_t first = x->n_vars;
    if (++x->depth > MAX_DEPTH)
        return ck_fail(x->err, CK_LIMIT, "the templates call each other too deeply");
    x->def = def;
    x->vars[0] = (struct var){"$", dot};
    int r = walk(x, def->body, dot);
    x->vars[0] = outer;
    x->n_vars = first;
    x->def = caller;
    x->depth--;
    return r;
}

static int walk_template(struct exec *x, const struct ck_tnode *n, const struct ck_val *dot)
{
    const struct ck_tdef *def = definition(x, n->name);
    const struct ck_val *v = &nothing;
    if (!def)
        return fail_at(x, n->src, "template \"%s\" not defined", n->name);
    int r = n->pipe ? eval_pipe(x, n->pipe, dot, &v) : 0;
    return r < 0 ? r : run_definition(x, def, v);
}

/* include NAME DOT: as `template`, but its text is a value. kOps' own function. */
static int include(struct exec *x, const struct ck_tcmd *cmd, const struct ck_tcall *c,
                   const struct ck_val **ret)
{
    const char *name = ck_tval_text(x->a, c->v[0]);
    const struct ck_tdef *def = definition(x, name);
    CK_AUTOBUF struct ck_buf text = CK_BUF_MAX(MAX_OUTPUT);
    struct ck_buf *out = x->out;
    if (!def)
        return fail_at(x, cmd->src, "error calling include: template \"%s\" not defined", name);
    x->out = &text;
    int r = run_definition(x, def, c->n > 1 ? c->v[1] : &nothing);
    x->out = out;
    *ret = ck_strn(x->a, ck_buf_slice(&text));
    return r;
}

static int walk_node(struct exec *x, const struct ck_tnode *n, const struct ck_val *dot)
{
    const struct ck_val *v;
    int r;
    switch (n->kind) {
    case CK_TN_TEXT:
        ck_buf_put(x->out, n->text);
        return 0;
    case CK_TN_IF:
    case CK_TN_WITH:
        return walk_if_with(x, n, dot);
    case CK_TN_RANGE:
        return walk_range(x, n, dot);
    case CK_TN_TEMPLATE:
        return walk_template(x, n, dot);
    case CK_TN_BREAK:
        x->jump = BREAK;
        return 0;
    case CK_TN_CONTINUE:
        x->jump = CONTINUE;
        return 0;
    case CK_TN_ACTION:
        break;
    }
    r = eval_pipe(x, n->pipe, dot, &v);
    if (r == 0 && !n->pipe->n_vars)
        ck_template_print(x->out, v);
    return r;
}

static int walk(struct exec *x, const struct ck_tlist *list, const struct ck_val *dot)
{
    int r = 0;
    for (size_t i = 0; r == 0 && x->jump == GO_ON && i < list->n; i++) {
        r = step(x);
        if (r == 0)
            r = walk_node(x, &list->v[i], dot);
    }
    return r;
}

static int parse_all(struct ck_tset *set, struct ck_slice text, const struct ck_template_opts *o,
                     struct ck_err *err)
{
    struct ck_tsource *sources = ck_arena_alloc(set->a, (o->n_snippets + 1) * sizeof *sources);
    sources[0] = (struct ck_tsource){o->name, text};
    int r = ck_tparse(set, &sources[0], err);
    for (size_t i = 0; r == 0 && i < o->n_snippets; i++) {
        const char *name = o->snippets[i].name;
        if (strcmp(name, o->name) == 0)
            return ck_fail(err, CK_INVALID, "snippet cannot have the same name as the template: %s",
                           name);
        sources[i + 1] = (struct ck_tsource){name, o->snippets[i].text};
        r = ck_tparse(set, &sources[i + 1], err);
        if (r < 0)
            return ck_wrap(err, "unable to parse snippet: %s, error", name);
    }
    return r;
}

int ck_template_render(struct ck_arena *a, struct ck_slice text, const struct ck_val *data,
                       const struct ck_template_opts *o, struct ck_buf *out, struct ck_err *err)
{
    struct ck_tset set = {.a = a};
    int r = parse_all(&set, text, o, err);
    if (r < 0)
        return r;
    struct exec *x = ck_arena_alloc(a, sizeof *x);
    x->a = a;
    x->set = &set;
    x->missing_is_zero = o->missing_is_zero;
    x->out = out;
    x->memory = ck_arena_bytes(a);
    x->n_vars = 0;
    x->depth = x->steps = 0;
    x->jump = GO_ON;
    x->err = err;
    x->def = definition(x, o->name);
    if (!x->def)
        return ck_fail(err, CK_INTERNAL, "template \"%s\" is lost", o->name);
    declare(x, "$", data);
    return walk(x, x->def->body, data);
}
