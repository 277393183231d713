/* Statements, shared by policies that are made and policies that are recorded. */
#pragma once

#include "ops/storepolicy/storepolicy.h"

struct ck_statements {
    struct ck_arena *a;
    const struct ck_policy_opts *o;
    struct ck_val *list;
};

struct ck_statements ck_statements_new(struct ck_arena *a, const struct ck_policy_opts *o);
/* "arn:PARTITION:s3:::REST" */
const char *ck_statement_arn(const struct ck_statements *x, const char *fmt, ...) CK_PRINTF(2, 3);
/* An Allow for whom the options say. Lists of one are written as lists. Nothing without actions. */
void ck_statement_allow(struct ck_statements *x, const char *sid, struct ck_val *actions,
                        struct ck_val *resources, struct ck_val *condition);
/* A Deny for them, or for `who` when that is not NULL. */
void ck_statement_deny(struct ck_statements *x, const char *sid, struct ck_val *principal,
                       const char *action, struct ck_val *resources, struct ck_val *condition);
/* {operator: {key: value}} */
struct ck_val *ck_statement_when(struct ck_arena *a, const char *operator_, const char *key,
                                 const char *value);
/* What the owner of a bucket asks of everyone, and the whole document. */
const struct ck_val *ck_statements_done(struct ck_statements *x, const char *bucket);
/* INVALID when it holds what policies take for wildcards or variables. */
int ck_policy_literal(const char *what, const char *text, struct ck_err *err);
