/* Statements of S3 policies. */
#include "ops/storepolicy/internal.h"

#include <stdarg.h>
#include <string.h>

struct ck_statements ck_statements_new(struct ck_arena *a, const struct ck_policy_opts *o)
{
    return (struct ck_statements){.a = a, .o = o, .list = ck_list(a)};
}

const char *ck_statement_arn(const struct ck_statements *x, const char *fmt, ...)
{
    va_list ap;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_fmt(&b, "arn:%s:s3:::", x->o->partition);
    va_start(ap, fmt);
    ck_buf_vfmt(&b, fmt, ap);
    va_end(ap);
    return ck_arena_strdup(x->a, ck_buf_str(&b));
}

struct ck_val *ck_statement_when(struct ck_arena *a, const char *operator_, const char *key,
                                 const char *value)
{
    struct ck_val *outer = ck_map(a), *inner = ck_map(a);
    ck_set_str(a, inner, key, value);
    ck_set(a, outer, operator_, inner);
    return outer;
}

static struct ck_val *principal(const struct ck_statements *x)
{
    const struct ck_policy_opts *o = x->o;
    struct ck_val *p = ck_map(x->a);
    const char *who = *o->user ? ck_arena_printf(x->a, "user/%s", o->user) : "root";
    ck_set_str(x->a, p, "AWS",
               ck_arena_printf(x->a, "arn:%s:iam::%s:%s", o->partition, o->account, who));
    return p;
}

static void statement(struct ck_statements *x, const char *sid, const char *effect,
                      struct ck_val *who, struct ck_val *actions, struct ck_val *resources,
                      struct ck_val *condition)
{
    struct ck_val *s = ck_map(x->a);
    ck_set_str(x->a, s, "Sid", sid);
    ck_set_str(x->a, s, "Effect", effect);
    if (who)
        ck_set(x->a, s, "Principal", who);
    ck_set(x->a, s, "Action", actions);
    ck_set(x->a, s, "Resource", resources);
    if (condition)
        ck_set(x->a, s, "Condition", condition);
    ck_append(x->a, x->list, s);
}

void ck_statement_allow(struct ck_statements *x, const char *sid, struct ck_val *actions,
                        struct ck_val *resources, struct ck_val *condition)
{
    if (ck_len(actions) && ck_len(resources))
        statement(x, sid, "Allow", *x->o->account ? principal(x) : NULL, actions, resources,
                  condition);
}

void ck_statement_deny(struct ck_statements *x, const char *sid, struct ck_val *who,
                       const char *action, struct ck_val *resources, struct ck_val *condition)
{
    struct ck_val *actions = ck_list(x->a);
    ck_append_str(x->a, actions, action);
    if (!who && *x->o->account)
        who = principal(x);
    statement(x, sid, "Deny", who, actions, resources, condition);
}

const struct ck_val *ck_statements_done(struct ck_statements *x, const char *bucket)
{
    struct ck_val *document = ck_map(x->a), *all = ck_list(x->a), *files = ck_list(x->a);
    ck_append_str(x->a, all, ck_statement_arn(x, "%s", bucket));
    ck_append_str(x->a, all, ck_statement_arn(x, "%s/*", bucket));
    ck_append_str(x->a, files, ck_statement_arn(x, "%s/*", bucket));
    if (*x->o->account && !x->o->insecure)
        ck_statement_deny(x, "OnlyEncryptedTransport", ck_str(x->a, "*"), "s3:*", all,
                          ck_statement_when(x->a, "Bool", "aws:SecureTransport", "false"));
    if (*x->o->account && x->o->owner_acl)
        ck_statement_deny(x, "OwnerHasFullControl", NULL, "s3:PutObject", files,
                          ck_statement_when(x->a, "StringNotEquals", "s3:x-amz-acl",
                                            "bucket-owner-full-control"));
    ck_set_str(x->a, document, "Version", "2012-10-17");
    ck_set(x->a, document, "Statement", x->list);
    return document;
}

int ck_policy_literal(const char *what, const char *text, struct ck_err *err)
{
    if (strpbrk(text, "*?$\"\\"))
        return ck_fail(err, CK_INVALID,
                       "%s %s holds a character that policies take for a wildcard or variable",
                       what, text);
    return 0;
}
