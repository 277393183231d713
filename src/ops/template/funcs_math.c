/* Template functions that compare and count, and versions. */
#include "ops/template/internal.h"

#include "doc/scalar.h"

#include <math.h>
#include <string.h>

enum { MAX_COUNT = 100000 };

static int give_int(struct ck_tcall *c, struct ck_val **ret, int64_t i)
{
    *ret = ck_int(c->a, i);
    return 0;
}

static int give_bool(struct ck_tcall *c, struct ck_val **ret, bool b)
{
    *ret = ck_bool(c->a, b);
    return 0;
}

/* ---- text/template's comparisons ---- */

static bool basic_equal(struct ck_tcall *c, const struct ck_val *a, const struct ck_val *b,
                        int *ret_rc)
{
    bool ok;
    int order = ck_tval_cmp(a, b, &ok);
    if (ok)
        return order == 0;
    if (ck_is_null(a) || ck_is_null(b))
        return ck_is_null(a) && ck_is_null(b);
    if (a->kind == CK_BOOL && b->kind == CK_BOOL)
        return a->b == b->b;
    if ((a->kind == CK_LIST || a->kind == CK_MAP) && a->kind == b->kind)
        return ck_val_eq(a, b);
    *ret_rc = ck_fail(c->err, CK_INVALID, "incompatible types for comparison: %s and %s",
                      ck_tval_type(a), ck_tval_type(b));
    return false;
}

static int f_eq(struct ck_tcall *c, struct ck_val **ret)
{
    int rc = 0;
    bool any = false;
    for (size_t i = 1; rc == 0 && !any && i < c->n; i++)
        any = basic_equal(c, c->v[0], c->v[i], &rc);
    return rc < 0 ? rc : give_bool(c, ret, any);
}

static int f_ne(struct ck_tcall *c, struct ck_val **ret)
{
    int rc = 0;
    bool same = basic_equal(c, c->v[0], c->v[1], &rc);
    return rc < 0 ? rc : give_bool(c, ret, !same);
}

static int order_of(struct ck_tcall *c, int *ret_rc)
{
    bool ok;
    int order = ck_tval_cmp(c->v[0], c->v[1], &ok);
    *ret_rc = ok ? 0
                 : ck_fail(c->err, CK_INVALID, "incompatible types for comparison: %s and %s",
                           ck_tval_type(c->v[0]), ck_tval_type(c->v[1]));
    return order;
}

#define ORDER(fn, test)                                                                            \
    static int fn(struct ck_tcall *c, struct ck_val **ret)                                         \
    {                                                                                              \
        int rc, order = order_of(c, &rc);                                                          \
        return rc < 0 ? rc : give_bool(c, ret, order test 0);                                      \
    }
ORDER(f_lt, <)
ORDER(f_le, <=)
ORDER(f_gt, >)
ORDER(f_ge, >=)

static int f_not(struct ck_tcall *c, struct ck_val **ret)
{
    return give_bool(c, ret, !ck_tval_true(c->v[0]));
}

/* The interpreter does these two itself, because later arguments may not be looked at. */
static int f_logic(struct ck_tcall *c, struct ck_val **ret)
{
    return give_bool(c, ret, c->n > 0);
}

/* ---- whole numbers, as sprig counts ---- */

static int f_add(struct ck_tcall *c, struct ck_val **ret)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < c->n; i++)
        sum += (uint64_t)ck_tval_int(c->v[i]);
    return give_int(c, ret, (int64_t)sum);
}

static int f_add1(struct ck_tcall *c, struct ck_val **ret)
{
    return give_int(c, ret, (int64_t)((uint64_t)ck_tval_int(c->v[0]) + 1));
}

static int f_sub(struct ck_tcall *c, struct ck_val **ret)
{
    return give_int(c, ret,
                    (int64_t)((uint64_t)ck_tval_int(c->v[0]) - (uint64_t)ck_tval_int(c->v[1])));
}

static int f_mul(struct ck_tcall *c, struct ck_val **ret)
{
    uint64_t product = 1;
    for (size_t i = 0; i < c->n; i++)
        product *= (uint64_t)ck_tval_int(c->v[i]);
    return give_int(c, ret, (int64_t)product);
}

static int divide(struct ck_tcall *c, struct ck_val **ret, bool rest)
{
    int64_t a = ck_tval_int(c->v[0]), b = ck_tval_int(c->v[1]);
    if (b == 0)
        return ck_fail(c->err, CK_INVALID, "runtime error: integer divide by zero");
    if (b == -1)
        return give_int(c, ret, rest ? 0 : (int64_t)(0 - (uint64_t)a));
    return give_int(c, ret, rest ? a % b : a / b);
}

static int f_div(struct ck_tcall *c, struct ck_val **ret)
{
    return divide(c, ret, false);
}

static int f_mod(struct ck_tcall *c, struct ck_val **ret)
{
    return divide(c, ret, true);
}

static int extreme(struct ck_tcall *c, struct ck_val **ret, bool max)
{
    int64_t best = ck_tval_int(c->v[0]);
    for (size_t i = 1; i < c->n; i++) {
        int64_t v = ck_tval_int(c->v[i]);
        if (max ? v > best : v < best)
            best = v;
    }
    return give_int(c, ret, best);
}

static int f_max(struct ck_tcall *c, struct ck_val **ret)
{
    return extreme(c, ret, true);
}

static int f_min(struct ck_tcall *c, struct ck_val **ret)
{
    return extreme(c, ret, false);
}

static int f_int(struct ck_tcall *c, struct ck_val **ret)
{
    return give_int(c, ret, ck_tval_int(c->v[0]));
}

static int f_float(struct ck_tcall *c, struct ck_val **ret)
{
    *ret = ck_float(c->a, ck_tval_float(c->v[0]));
    return 0;
}

static int f_floor(struct ck_tcall *c, struct ck_val **ret)
{
    *ret = ck_float(c->a, floor(ck_tval_float(c->v[0])));
    return 0;
}

static int f_ceil(struct ck_tcall *c, struct ck_val **ret)
{
    *ret = ck_float(c->a, ceil(ck_tval_float(c->v[0])));
    return 0;
}

/* ---- counting out ---- */

static int count(struct ck_tcall *c, struct ck_val **ret, int64_t from, int64_t to, int64_t step)
{
    struct ck_val *l = ck_list(c->a);
    *ret = l;
    if (step == 0)
        return 0;
    for (int64_t i = from; step > 0 ? i < to : i > to; i += step) {
        if (ck_len(l) >= MAX_COUNT)
            return ck_fail(c->err, CK_LIMIT, "more than %d numbers", MAX_COUNT);
        ck_append(c->a, l, ck_int(c->a, i));
    }
    return 0;
}

static int f_until(struct ck_tcall *c, struct ck_val **ret)
{
    int64_t to = ck_tval_int(c->v[0]);
    return count(c, ret, 0, to, to < 0 ? -1 : 1);
}

static int f_until_step(struct ck_tcall *c, struct ck_val **ret)
{
    int64_t step = ck_tval_int(c->v[2]);
    if (step < -MAX_COUNT || step > MAX_COUNT)
        return ck_fail(c->err, CK_INVALID, "the step is too large");
    return count(c, ret, ck_tval_int(c->v[0]), ck_tval_int(c->v[1]), step);
}

/* ---- versions ---- */

/* Masterminds' constraints, as far as they are those of the channel files: "^1.2.0", "~1.2" and
 * spaces or commas between parts. */
static int f_semver_compare(struct ck_tcall *c, struct ck_val **ret)
{
    struct ck_semver v;
    const char *range = ck_tval_text(c->a, c->v[0]), *text = ck_tval_text(c->a, c->v[1]);
    char *plain = ck_arena_strdup(c->a, range);
    bool in = false;
    for (char *p = plain; *p; p++)
        if (*p == ',')
            *p = ' ';
    if (!ck_semver_parse_tolerant(ck_slice_of(text), &v))
        return ck_fail(c->err, CK_INVALID, "Invalid Semantic Version");
    if (*plain == '^' || *plain == '~') {
        struct ck_semver low;
        if (!ck_semver_parse_tolerant(ck_slice_of(plain + 1), &low))
            return ck_fail(c->err, CK_INVALID, "improper constraint: %s", range);
        in = ck_semver_cmp(&v, &low) >= 0 && v.major == low.major &&
             (*plain == '^' ? low.major > 0 || v.minor == low.minor : v.minor == low.minor);
        return give_bool(c, ret, in);
    }
    if (ck_semver_in_range(&v, plain, &in, c->err) < 0)
        return -(int)CK_INVALID;
    return give_bool(c, ret, in);
}

static int f_semver(struct ck_tcall *c, struct ck_val **ret)
{
    struct ck_semver v;
    if (!ck_semver_parse_tolerant(ck_slice_of(ck_tval_text(c->a, c->v[0])), &v))
        return ck_fail(c->err, CK_INVALID, "Invalid Semantic Version");
    struct ck_val *m = ck_map(c->a);
    ck_set_int(c->a, m, "Major", (int64_t)v.major);
    ck_set_int(c->a, m, "Minor", (int64_t)v.minor);
    ck_set_int(c->a, m, "Patch", (int64_t)v.patch);
    ck_set_str(c->a, m, "Prerelease", v.pre);
    ck_set_str(c->a, m, "Metadata", v.build);
    *ret = m;
    return 0;
}

const struct ck_tfunc ck_tfuncs_math[] = {
    {"add", f_add, 0, CK_TANY},
    {"add1", f_add1, 1, 1},
    {"and", f_logic, 1, CK_TANY},
    {"atoi", f_int, 1, 1},
    {"ceil", f_ceil, 1, 1},
    {"div", f_div, 2, 2},
    {"eq", f_eq, 2, CK_TANY},
    {"float64", f_float, 1, 1},
    {"floor", f_floor, 1, 1},
    {"ge", f_ge, 2, 2},
    {"gt", f_gt, 2, 2},
    {"int", f_int, 1, 1},
    {"int64", f_int, 1, 1},
    {"le", f_le, 2, 2},
    {"lt", f_lt, 2, 2},
    {"max", f_max, 1, CK_TANY},
    {"min", f_min, 1, CK_TANY},
    {"mod", f_mod, 2, 2},
    {"mul", f_mul, 1, CK_TANY},
    {"ne", f_ne, 2, 2},
    {"not", f_not, 1, 1},
    {"or", f_logic, 1, CK_TANY},
    {"semver", f_semver, 1, 1},
    {"semverCompare", f_semver_compare, 2, 2},
    {"sub", f_sub, 2, 2},
    {"until", f_until, 1, 1},
    {"untilStep", f_until_step, 3, 3},
    {0},
};
