/* Inside of the template engine: syntax tree, interpreter, table of functions. */
#pragma once

#include "ops/template/template.h"

enum ck_tnode_kind {
    CK_TN_TEXT,
    CK_TN_ACTION, /* a pipeline whose value is printed, or a declaration */
    CK_TN_IF,
    CK_TN_RANGE,
    CK_TN_WITH,
    CK_TN_TEMPLATE,
    CK_TN_BREAK,
    CK_TN_CONTINUE,
};

enum ck_targ_kind {
    CK_TA_DOT,
    CK_TA_FIELD, /* .a.b */
    CK_TA_VAR,   /* $x.a.b */
    CK_TA_CONST, /* string, number, bool, nil */
    CK_TA_FUNC,
    CK_TA_PIPE, /* (pipeline).a.b */
};

struct ck_targ {
    enum ck_targ_kind kind;
    struct ck_slice src; /* as written, for messages */
    const char *at;      /* the place messages tell: Go's is that of the first field behind it */
    const char *name;    /* of the variable or function */
    const char **fields; /* behind it */
    size_t n_fields;
    struct ck_val *value; /* CK_TA_CONST */
    struct ck_tpipe *pipe;
};
struct ck_tcmd {
    struct ck_targ *args;
    size_t n;
    struct ck_slice src;
};
struct ck_tpipe {
    struct ck_tcmd *cmds;
    size_t n;
    const char *vars[2]; /* declared or assigned */
    size_t n_vars;
    bool assign; /* "=" instead of ":=" */
    struct ck_slice src;
};
struct ck_tnode {
    enum ck_tnode_kind kind;
    struct ck_slice text; /* CK_TN_TEXT */
    const char *name;     /* CK_TN_TEMPLATE */
    struct ck_tpipe *pipe;
    struct ck_tlist *body, *otherwise;
    struct ck_slice src;
};
struct ck_tlist {
    struct ck_tnode *v;
    size_t n, cap;
};

/* One source text, and where errors in it are told. */
struct ck_tsource {
    const char *name; /* of the text as a whole */
    struct ck_slice text;
};
struct ck_tdef {
    const char *name;
    struct ck_tlist *body;
    const struct ck_tsource *source;
};
struct ck_tset {
    struct ck_arena *a;
    struct ck_tdef *defs;
    size_t n, cap;
};

/* parse.c: add the text, under its name, and what it defines. */
int ck_tparse(struct ck_tset *set, const struct ck_tsource *source, struct ck_err *err);
/* lex.c */
enum ck_ttok {
    CK_TT_END, /* of the action */
    CK_TT_IDENT,
    CK_TT_FIELD, /* .name */
    CK_TT_DOT,
    CK_TT_VAR, /* $name */
    CK_TT_STRING,
    CK_TT_NUMBER,
    CK_TT_DECLARE, /* := */
    CK_TT_ASSIGN,
    CK_TT_PIPE,
    CK_TT_COMMA,
    CK_TT_LPAREN,
    CK_TT_RPAREN,
    CK_TT_BAD,
};
struct ck_tlex {
    const struct ck_tsource *source;
    size_t at, end; /* within the action */
    enum ck_ttok tok;
    struct ck_slice src; /* of the token */
    bool spaced;         /* white space in front of it */
    struct ck_val *value;
    const char *problem; /* CK_TT_BAD; NULL: the character has no business there */
};
void ck_tlex_next(struct ck_arena *a, struct ck_tlex *l);
/* The next action from *at on: text in front of it, then its inside. False: only text is left. */
bool ck_tlex_action(const struct ck_tsource *s, size_t *at, bool *trim_next,
                    struct ck_slice *ret_text, struct ck_slice *ret_inside,
                    const char **ret_problem);
/* "template: NAME:LINE" and ":COL" at a place of the source. */
int ck_tfail_at(const struct ck_tsource *s, const char *at, bool column, struct ck_err *err,
                const char *fmt, ...) CK_PRINTF(5, 6);

/* ---- functions ---- */
struct ck_tcall {
    struct ck_arena *a;
    const struct ck_val **v;
    size_t n;
    struct ck_err *err;
};
typedef int (*ck_tfn)(struct ck_tcall *c, struct ck_val **ret);
struct ck_tfunc {
    const char *name;
    ck_tfn fn;
    size_t min, max;
};
#define CK_TANY ((size_t)-1)
extern const struct ck_tfunc ck_tfuncs_text[], ck_tfuncs_data[], ck_tfuncs_math[];
const struct ck_tfunc *ck_tfunc_find(const char *name);

/* ---- values ---- */
bool ck_tval_true(const struct ck_val *v);
const char *ck_tval_text(struct ck_arena *a, const struct ck_val *v); /* %v, nil is "" */
int64_t ck_tval_int(const struct ck_val *v);                          /* sprig's toInt64 */
double ck_tval_float(const struct ck_val *v);
const char *ck_tval_type(const struct ck_val *v); /* Go's name of its type */
/* <0, 0, >0; *ret_ok false when they cannot be compared. */
int ck_tval_cmp(const struct ck_val *a, const struct ck_val *b, bool *ret_ok);
int ck_tprintf(struct ck_tcall *c, struct ck_val **ret);
