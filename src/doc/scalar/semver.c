/* Semantic versions: strict and tolerant reading, precedence. Ranges are in semver_range.c. Mirrors
 * blang/semver, including the texts of its errors. */
#include "base/enc.h"
#include "doc/scalar.h"

#include <string.h>

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool all_digits(struct ck_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!digit(s.ptr[i]))
            return false;
    return true;
}

static bool identifier_byte(char c)
{
    return digit(c) || c == '-' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool all_identifier_bytes(struct ck_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!identifier_byte(s.ptr[i]))
            return false;
    return true;
}

/* Digits to a number; false when it does not fit. */
static bool value_of(struct ck_slice s, uint64_t *ret)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++)
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.ptr[i] - '0'), &v))
            return false;
    *ret = v;
    return true;
}

static int quoted_error(struct ck_err *err, const char *what, struct ck_slice s)
{
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, s);
    return ck_fail(err, CK_INVALID, "%s %s", what, ck_buf_str(&q));
}

static int range_error(struct ck_err *err, struct ck_slice s)
{
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, s);
    return ck_fail(err, CK_INVALID, "strconv.ParseUint: parsing %s: %s", ck_buf_str(&q),
                   s.len ? "value out of range" : "invalid syntax");
}

/* One of the three numbers; `name` is "major", …, and `Name` the same at the start of a sentence.
 */
static int read_number(struct ck_slice s, const char *name, const char *Name, uint64_t *ret,
                       struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf what = CK_BUF_INIT;
    if (!all_digits(s)) {
        ck_buf_fmt(&what, "Invalid character(s) found in %s number", name);
        return quoted_error(err, ck_buf_str(&what), s);
    }
    if (s.len > 1 && s.ptr[0] == '0') {
        ck_buf_fmt(&what, "%s number must not contain leading zeroes", Name);
        return quoted_error(err, ck_buf_str(&what), s);
    }
    return s.len && value_of(s, ret) ? 0 : range_error(err, s);
}

static int check_prerelease(struct ck_slice all, struct ck_err *err)
{
    struct ck_slice id;
    uint64_t v;
    while (ck_slice_next(&all, '.', &id)) {
        if (!id.len)
            return ck_fail(err, CK_INVALID, "Prerelease is empty");
        if (all_digits(id)) {
            if (id.len > 1 && id.ptr[0] == '0')
                return quoted_error(
                    err, "Numeric PreRelease version must not contain leading zeroes", id);
            if (!value_of(id, &v))
                return range_error(err, id);
        } else if (!all_identifier_bytes(id)) {
            return quoted_error(err, "Invalid character(s) found in prerelease", id);
        }
    }
    return 0;
}

static int check_build(struct ck_slice all, struct ck_err *err)
{
    struct ck_slice id;
    while (ck_slice_next(&all, '.', &id)) {
        if (!id.len)
            return ck_fail(err, CK_INVALID, "Build meta data is empty");
        if (!all_identifier_bytes(id))
            return quoted_error(err, "Invalid character(s) found in build meta data", id);
    }
    return 0;
}

/* Cut *s at the first `sep`; what follows goes to *ret (ptr NULL: there is no sep). */
static void cut(struct ck_slice *s, char sep, struct ck_slice *ret)
{
    size_t at = ck_slice_find(*s, sep);
    *ret = (struct ck_slice){NULL, 0};
    if (at < s->len) {
        *ret = ck_slice_n(s->ptr + at + 1, s->len - at - 1);
        s->len = at;
    }
}

/* Split at the first two dots; the number of parts. */
static size_t split(struct ck_slice s, struct ck_slice part[3])
{
    part[0] = s;
    size_t n = 1;
    for (; n < 3; n++) {
        cut(&part[n - 1], '.', &part[n]);
        if (!part[n].ptr)
            break;
    }
    return n;
}

static int read_strict(struct ck_slice s, struct ck_semver *ret, struct ck_err *err)
{
    struct ck_slice part[3], pre, build;
    struct ck_semver v = {0};
    int r;
    if (!s.len)
        return ck_fail(err, CK_INVALID, "Version string empty");
    if (s.len > sizeof ret->text - 3)
        return ck_fail(err, CK_INVALID, "Version is longer than %zu bytes", sizeof ret->text - 3);
    if (split(s, part) < 3)
        return ck_fail(err, CK_INVALID, "No Major.Minor.Patch elements found");
    cut(&part[2], '+', &build);
    cut(&part[2], '-', &pre);
    if ((r = read_number(part[0], "major", "Major", &v.major, err)) < 0 ||
        (r = read_number(part[1], "minor", "Minor", &v.minor, err)) < 0 ||
        (r = read_number(part[2], "patch", "Patch", &v.patch, err)) < 0 ||
        (r = check_prerelease(pre, err)) < 0 || (r = check_build(build, err)) < 0)
        return r;
    /* The parts are read as C strings: cut the copy apart where they meet. */
    memcpy(v.text, s.ptr, s.len);
    *ret = v;
    ret->pre = ret->build = ret->text + s.len;
    if (pre.ptr) {
        ret->pre = ret->text + (pre.ptr - s.ptr);
        ret->text[pre.ptr - s.ptr - 1] = '\0';
    }
    if (build.ptr) {
        ret->build = ret->text + (build.ptr - s.ptr);
        ret->text[build.ptr - s.ptr - 1] = '\0';
    }
    return 0;
}

/* Without leading zeros, but with one digit in front. */
static void put_forgiven(struct ck_buf *out, struct ck_slice part)
{
    size_t i = 0;
    while (part.len > 1 && i < part.len && part.ptr[i] == '0')
        i++;
    if (part.len > 1 && (i == part.len || !digit(part.ptr[i])))
        ck_buf_putc(out, '0');
    ck_buf_putn(out, part.ptr + i, part.len - i);
}

static int read_tolerant(struct ck_slice s, struct ck_semver *ret, struct ck_err *err)
{
    struct ck_slice part[3];
    CK_AUTOBUF struct ck_buf text = CK_BUF_MAX(sizeof ret->text);
    s = ck_slice_trim(s);
    if (ck_slice_starts(s, "v"))
        s = ck_slice_n(s.ptr + 1, s.len - 1);
    if (!s.ptr)
        s = CK_S("");
    size_t n = split(s, part);
    for (size_t i = 0; i < n; i++) {
        if (i)
            ck_buf_putc(&text, '.');
        put_forgiven(&text, part[i]);
    }
    if (n < 3 && (memchr(part[n - 1].ptr, '+', part[n - 1].len) ||
                  memchr(part[n - 1].ptr, '-', part[n - 1].len)))
        return ck_fail(err, CK_INVALID, "Short version cannot contain PreRelease/Build meta data");
    for (; n < 3; n++)
        ck_buf_puts(&text, ".0");
    return read_strict(ck_buf_slice(&text), ret, err);
}

int ck_semver_read(struct ck_slice s, bool tolerant, struct ck_semver *ret, struct ck_err *err)
{
    return tolerant ? read_tolerant(s, ret, err) : read_strict(s, ret, err);
}

bool ck_semver_parse(struct ck_slice s, struct ck_semver *ret)
{
    return read_strict(s, ret, NULL) == 0;
}

bool ck_semver_parse_tolerant(struct ck_slice s, struct ck_semver *ret)
{
    return read_tolerant(s, ret, NULL) == 0;
}

static int cmp_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int cmp_identifier(struct ck_slice a, struct ck_slice b)
{
    uint64_t x = 0, y = 0;
    bool na = all_digits(a) && value_of(a, &x), nb = all_digits(b) && value_of(b, &y);
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
    /* A version comes after its pre-releases. */
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
