/* Semantic versions and ranges (blang/semver): strict and tolerant reading, precedence, ranges. */
#include "base/enc.h"
#include "doc/scalar.h"

#include <stdio.h>
#include <string.h>

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool number(struct ck_slice s, uint64_t *ret)
{
    uint64_t v = 0;
    if (!s.len || (s.len > 1 && s.ptr[0] == '0'))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!digit(s.ptr[i]) || v > (UINT64_MAX - 9) / 10)
            return false;
        v = v * 10 + (uint64_t)(s.ptr[i] - '0');
    }
    *ret = v;
    return true;
}

static bool identifiers(struct ck_slice s, bool pre)
{
    struct ck_slice id;
    while (ck_slice_next(&s, '.', &id)) {
        bool numeric = id.len > 0;
        for (size_t i = 0; i < id.len; i++) {
            char c = id.ptr[i];
            if (!digit(c) && c != '-' && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
                return false;
            numeric = numeric && digit(c);
        }
        if (!id.len || (pre && numeric && id.len > 1 && id.ptr[0] == '0'))
            return false;
    }
    return true;
}

bool ck_semver_parse(struct ck_slice s, struct ck_semver *ret)
{
    if (!s.len || s.len >= sizeof ret->text - 2)
        return false;
    struct ck_slice core = s, pre = {NULL, 0}, build = {NULL, 0};
    size_t plus = ck_slice_find(s, '+');
    if (plus < s.len) {
        build = ck_slice_n(s.ptr + plus + 1, s.len - plus - 1);
        core.len = plus;
    }
    size_t dash = ck_slice_find(core, '-');
    if (dash < core.len) {
        pre = ck_slice_n(core.ptr + dash + 1, core.len - dash - 1);
        core.len = dash;
    }
    uint64_t v[3];
    struct ck_slice part, rest = core;
    size_t n = 0;
    while (ck_slice_next(&rest, '.', &part))
        if (n == 3 || !number(part, &v[n++]))
            return false;
    if (n != 3 || (pre.ptr && !identifiers(pre, true)) || (build.ptr && !identifiers(build, false)))
        return false;
    *ret = (struct ck_semver){.major = v[0], .minor = v[1], .patch = v[2]};
    memcpy(ret->text, s.ptr, s.len);
    ret->text[s.len] = '\0';
    ret->pre = ret->build = ret->text + s.len;
    /* Cut the text apart in place: the parts are read as C strings. */
    if (build.ptr) {
        ret->text[plus] = '\0';
        ret->build = ret->text + plus + 1;
    }
    if (pre.ptr)
        ret->pre = ret->text + dash + 1;
    return true;
}

bool ck_semver_parse_tolerant(struct ck_slice s, struct ck_semver *ret)
{
    char text[120];
    s = ck_slice_trim(s);
    if (ck_slice_starts(s, "v"))
        s = ck_slice_n(s.ptr + 1, s.len - 1);
    if (!s.len || s.len > 100)
        return false;
    size_t n = 0, dots = 0, at = 0, core = strcspn(s.ptr, "-+");
    if (core > s.len)
        core = s.len;
    while (at <= core) {
        size_t end = at;
        while (end < core && s.ptr[end] != '.')
            end++;
        if (dots == 3 || end == at)
            return false;
        while (at + 1 < end && s.ptr[at] == '0')
            at++; /* leading zeros are forgiven */
        if (dots)
            text[n++] = '.';
        memcpy(text + n, s.ptr + at, end - at);
        n += end - at;
        dots++;
        at = end + 1;
    }
    if (dots < 3 && core < s.len)
        return false; /* "1.2-beta" has no patch to belong to */
    for (; dots < 3; dots++) {
        memcpy(text + n, ".0", 2);
        n += 2;
    }
    memcpy(text + n, s.ptr + core, s.len - core);
    n += s.len - core;
    return ck_semver_parse(ck_slice_n(text, n), ret);
}

static int cmp_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int cmp_identifier(struct ck_slice a, struct ck_slice b)
{
    uint64_t x, y;
    bool na = number(a, &x), nb = number(b, &y);
    if (na && nb)
        return cmp_u64(x, y);
    if (na != nb)
        return na ? -1 : 1;
    int r = ck_slice_cmp(a, b);
    return r < 0 ? -1 : r > 0;
}

int ck_semver_cmp(const struct ck_semver *a, const struct ck_semver *b)
{
    int r = cmp_u64(a->major, b->major);
    if (!r)
        r = cmp_u64(a->minor, b->minor);
    if (!r)
        r = cmp_u64(a->patch, b->patch);
    if (r)
        return r;
    if (!*a->pre || !*b->pre)
        return (*b->pre != 0) - (*a->pre != 0);
    struct ck_slice ra = ck_slice_of(a->pre), rb = ck_slice_of(b->pre), ia, ib;
    for (;;) {
        bool ha = ck_slice_next(&ra, '.', &ia), hb = ck_slice_next(&rb, '.', &ib);
        if (!ha || !hb)
            return ha - hb;
        r = cmp_identifier(ia, ib);
        if (r)
            return r;
    }
}

/* ---- ranges ---- */

static int bad_range(struct ck_err *err, const char *what, struct ck_slice s)
{
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, s);
    return ck_fail(err, CK_INVALID, "%s: %s", what, ck_buf_str(&q));
}

static bool wildcard(struct ck_slice s)
{
    return s.len == 1 && strchr("xX*", s.ptr[0]);
}

/* "1.2.x": the first version of the family and the first after it. *ret_any: "x" alone. */
static bool family(struct ck_slice s, struct ck_semver *ret_low, struct ck_semver *ret_next,
                   bool *ret_any)
{
    uint64_t v[3] = {0};
    struct ck_slice part;
    size_t n = 0, given = 0;
    bool wild = false;
    while (ck_slice_next(&s, '.', &part)) {
        if (n++ == 3)
            return false;
        if (wildcard(part))
            wild = true;
        else if (wild || !number(part, &v[given++]))
            return false;
    }
    if (!wild)
        return false;
    *ret_any = given == 0;
    *ret_low = (struct ck_semver){.major = v[0], .minor = v[1], .patch = 0, .pre = "", .build = ""};
    *ret_next = *ret_low;
    if (given == 1)
        ret_next->major++, ret_next->minor = 0;
    else
        ret_next->minor++;
    return true;
}

static bool compare(const char *op, int c)
{
    if (!*op || strcmp(op, "=") == 0 || strcmp(op, "==") == 0)
        return c == 0;
    if (strcmp(op, "!") == 0 || strcmp(op, "!=") == 0)
        return c != 0;
    if (strcmp(op, ">") == 0)
        return c > 0;
    if (strcmp(op, ">=") == 0)
        return c >= 0;
    if (strcmp(op, "<") == 0)
        return c < 0;
    return c <= 0;
}

static int in_family(const struct ck_semver *v, const char *op, struct ck_slice text, bool *ret,
                     struct ck_err *err)
{
    struct ck_semver low, next;
    bool any;
    if (!family(text, &low, &next, &any))
        return bad_range(err, "Could not parse Range", text);
    bool from = any || ck_semver_cmp(v, &low) >= 0, before = any || ck_semver_cmp(v, &next) < 0;
    if (!*op || *op == '=')
        *ret = from && before;
    else if (*op == '!')
        *ret = !(from && before);
    else if (strcmp(op, ">") == 0)
        *ret = !before;
    else if (strcmp(op, ">=") == 0)
        *ret = from;
    else if (strcmp(op, "<") == 0)
        *ret = any ? false : !from;
    else
        *ret = before;
    return 0;
}

static int one_comparator(const struct ck_semver *v, struct ck_slice s, bool *ret,
                          struct ck_err *err)
{
    char op[4] = "";
    size_t n = 0;
    while (n < s.len && n < 3 && strchr("<>=!", s.ptr[n])) {
        op[n] = s.ptr[n];
        n++;
    }
    static const char *const ops[] = {"", "=", "==", "!", "!=", ">", ">=", "<", "<="};
    bool known = false;
    for (size_t i = 0; i < CK_ARRAY_LEN(ops); i++)
        known = known || strcmp(op, ops[i]) == 0;
    struct ck_slice text = ck_slice_n(s.ptr + n, s.len - n);
    if (!known)
        return bad_range(err, "Could not parse Range", s);
    struct ck_semver bound;
    if (ck_semver_parse(text, &bound)) {
        *ret = compare(op, ck_semver_cmp(v, &bound));
        return 0;
    }
    return in_family(v, op, text, ret, err);
}

static bool next_word(struct ck_slice *rest, struct ck_slice *ret)
{
    while (rest->len && strchr(" \t", rest->ptr[0]))
        *rest = ck_slice_n(rest->ptr + 1, rest->len - 1);
    size_t n = 0;
    while (n < rest->len && !strchr(" \t", rest->ptr[n]))
        n++;
    *ret = ck_slice_n(rest->ptr, n);
    *rest = ck_slice_n(rest->ptr + n, rest->len - n);
    return n > 0;
}

int ck_semver_in_range(const struct ck_semver *v, const char *range, bool *ret, struct ck_err *err)
{
    struct ck_slice rest = ck_slice_of(range), word;
    bool any = false, all = true, have = false;
    CK_AUTOBUF struct ck_buf joined = CK_BUF_INIT;
    while (next_word(&rest, &word)) {
        if (ck_slice_eq_str(word, "||")) {
            if (!have)
                return bad_range(err, "Could not parse Range", ck_slice_of(range));
            any = any || all;
            all = true;
            have = false;
            continue;
        }
        /* "> 1.2.3": an operator may stand apart from its version. */
        ck_buf_reset(&joined);
        ck_buf_put(&joined, word);
        if (strspn(ck_buf_str(&joined), "<>=!") == joined.len && next_word(&rest, &word))
            ck_buf_put(&joined, word);
        bool in = false;
        int r = one_comparator(v, ck_buf_slice(&joined), &in, err);
        if (r < 0)
            return r;
        all = all && in;
        have = true;
    }
    if (!have)
        return bad_range(err, "Could not parse Range", ck_slice_of(range));
    *ret = any || all;
    return 0;
}
