/* Writing IAM policy documents.
 *
 * Source: shared facts update-cluster-aws.md §10; kOps pkg/model/iam/iam_builder.go. */
#include "model/aws/policy.h"

#include "doc/json.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void ck_policy_init(struct ck_policy *p, const struct ck_model *m)
{
    *p = (struct ck_policy){.m = m, .statements = ck_list(m->a)};
    for (int i = 0; i < _CK_POLICY_SETS; i++)
        p->sets[i] = ck_map(m->a);
}

void ck_policy_allow(struct ck_policy *p, enum ck_policy_set set, const char *const *actions,
                     size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_set(p->m->a, p->sets[set], actions[i], ck_null(p->m->a));
}

void ck_policy_statement(struct ck_policy *p, struct ck_val *action, struct ck_val *condition,
                         struct ck_val *resource)
{
    struct ck_arena *a = p->m->a;
    struct ck_val *s = ck_map(a);
    ck_set(a, s, "Action", action);
    if (condition)
        ck_set(a, s, "Condition", condition);
    ck_set_str(a, s, "Effect", "Allow");
    ck_set(a, s, "Resource", resource);
    ck_append(a, p->statements, s);
}

const char *ck_policy_arn(const struct ck_model *m, const char *fmt, ...)
{
    va_list ap;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_fmt(&b, "arn:%s:", m->partition);
    va_start(ap, fmt);
    ck_buf_vfmt(&b, fmt, ap);
    va_end(ap);
    return ck_arena_strdup(m->a, ck_buf_str(&b));
}

struct ck_val *ck_policy_list(const struct ck_model *m, const char *const *items, size_t n)
{
    struct ck_val *list = ck_list(m->a);
    for (size_t i = 0; i < n; i++)
        ck_append_str(m->a, list, items[i]);
    return list;
}

struct ck_val *ck_policy_when(const struct ck_model *m, struct ck_val *condition,
                              const char *operator_, const char *key, struct ck_val *value)
{
    struct ck_val *c = condition ? condition : ck_map(m->a);
    struct ck_val *inner = ck_get(c, operator_);
    if (!inner) {
        inner = ck_map(m->a);
        ck_set(m->a, c, operator_, inner);
    }
    ck_set(m->a, inner, key, value);
    return c;
}

/* One action is a string, several are a sorted list. */
static struct ck_val *set_value(const struct ck_model *m, const struct ck_val *set)
{
    size_t n = ck_len(set);
    const char **v = ck_arena_alloc(m->a, (n + 1) * sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = set->map.v[i].key.ptr;
    qsort(v, n, sizeof *v, ck_text_cmp);
    return n == 1 ? ck_str(m->a, v[0]) : ck_policy_list(m, v, n);
}

static void set_statement(struct ck_policy *p, enum ck_policy_set set, struct ck_val *condition)
{
    if (ck_len(p->sets[set]))
        ck_policy_statement(p, set_value(p->m, p->sets[set]), condition, ck_str(p->m->a, "*"));
}

static void kms(struct ck_policy *p)
{
    const struct ck_model *m = p->m;
    const char *services[] = {ck_arena_printf(m->a, "ec2.%s.amazonaws.com", m->region),
                              "s3.*.amazonaws.com"};
    if (!ck_len(p->sets[CK_POLICY_KMS]))
        return;
    ck_policy_statement(
        p, ck_str(m->a, "kms:CreateGrant"),
        ck_policy_when(m, NULL, "Bool", "kms:GrantIsForAWSResource", ck_str(m->a, "true")),
        ck_str(m->a, "*"));
    set_statement(
        p, CK_POLICY_KMS,
        ck_policy_when(m, NULL, "StringLike", "kms:ViaService", ck_policy_list(m, services, 2)));
}

struct ck_slice ck_policy_text(struct ck_policy *p)
{
    const struct ck_model *m = p->m;
    struct ck_val *cluster = ck_str(m->a, m->name);
    kms(p);
    set_statement(p, CK_POLICY_ANY, NULL);
    set_statement(
        p, CK_POLICY_TAGGED,
        ck_policy_when(m, NULL, "StringEquals", "aws:ResourceTag/KubernetesCluster", cluster));
    set_statement(
        p, CK_POLICY_CREATE,
        ck_policy_when(m, NULL, "StringEquals", "aws:RequestTag/KubernetesCluster", cluster));
    if (ck_get(p->sets[CK_POLICY_CREATE], "ec2:CreateSecurityGroup"))
        ck_policy_statement(p, ck_str(m->a, "ec2:CreateSecurityGroup"), NULL,
                            ck_str(m->a, ck_policy_arn(m, "ec2:*:*:vpc/*")));
    if (!ck_len(p->statements))
        return (struct ck_slice){"", 0};
    struct ck_val *document = ck_map(m->a);
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    ck_set(m->a, document, "Statement", p->statements);
    ck_set_str(m->a, document, "Version", "2012-10-17");
    ck_json_emit(&text, document, (struct ck_json_style){.order = CK_JSON_SORTED, .indent = 2});
    return ck_arena_slice(m->a, ck_buf_slice(&text));
}

int ck_policy_of_statements(const struct ck_model *m, const char *json, struct ck_slice *ret,
                            struct ck_err *err)
{
    enum { MAX_POLICY = 1 << 20 };
    struct ck_policy p;
    struct ck_val *list;
    int r = ck_json_parse(m->a, ck_slice_of(json), MAX_POLICY, &list, err);
    if (r)
        return ck_wrap(err, "a policy is a JSON list of statements");
    if (!ck_is_list(list))
        return ck_fail(err, CK_INVALID, "a policy is a JSON list of statements, in brackets");
    ck_policy_init(&p, m);
    for (size_t i = 0; i < ck_len(list); i++) {
        if (!*ck_str_at(ck_item(list, i), "Effect"))
            return ck_fail(err, CK_INVALID, "statement %zu has no Effect (Allow or Deny)", i + 1);
        ck_append(m->a, p.statements, ck_item(list, i));
    }
    *ret = ck_policy_text(&p);
    return 0;
}
