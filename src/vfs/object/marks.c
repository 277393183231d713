/* Marks of writers in an object's metadata; see marks.h. */
#include "vfs/object/marks.h"

#include "base/enc.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

#define HEX "0123456789abcdef"

size_t ck_marks_tag_len(const char *token)
{
    return strcspn(token, " ");
}

bool ck_marks_same_tag(const char *a, const char *b)
{
    size_t n = ck_marks_tag_len(a);
    return n && n == ck_marks_tag_len(b) && memcmp(a, b, n) == 0;
}

static const char *marks_of(const char *token)
{
    size_t n = ck_marks_tag_len(token);
    return token[n] ? token + n + 1 : "";
}

void ck_marks_add(struct ck_version *v, const char *marks)
{
    size_t n = strlen(v->token);
    if (!marks || !*marks || strspn(marks, HEX ".") != strlen(marks) ||
        n + 1 + strlen(marks) >= sizeof v->token)
        return;
    snprintf(v->token + n, sizeof v->token - n, " %s", marks);
}

static void put_name_of(const char *tag, struct ck_buf *out)
{
    size_t n = ck_marks_tag_len(tag), skip = strcspn(tag, HEX);
    char digest[2 * CK_SHA256_LEN + 1];
    if (skip < n && strspn(tag + skip, HEX) >= CK_MARK_LEN) {
        ck_buf_fmt(out, ".%.*s", CK_MARK_LEN, tag + skip);
        return;
    }
    ck_sha256_hex(ck_slice_n(tag, n), digest);
    ck_buf_fmt(out, ".%.*s", CK_MARK_LEN, digest);
}

void ck_marks_new(const char *base, char out[CK_MARKS_LEN])
{
    unsigned char random[CK_MARK_LEN / 2];
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_random(random, sizeof random);
    ck_hex_encode(&b, random, sizeof random);
    if (base && *base && *marks_of(base))
        ck_buf_fmt(&b, ".%s", marks_of(base));
    else if (base && *base)
        put_name_of(base, &b);
    /* The oldest fall off, whole. */
    size_t n = b.len < CK_MARKS_LEN ? b.len : CK_MARKS_LEN - 1;
    while (n < b.len && n && b.ptr[n] != '.')
        n--;
    snprintf(out, CK_MARKS_LEN, "%.*s", (int)n, b.ptr);
}

static bool same(struct ck_slice a, struct ck_slice b)
{
    return a.len && a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

enum ck_marks_verdict ck_marks_judge(const char *written, const char *found)
{
    struct ck_slice rest = ck_slice_of(written), mine = CK_S(""), base = CK_S(""), mark;
    ck_slice_next(&rest, '.', &mine);
    ck_slice_next(&rest, '.', &base);
    struct ck_slice list = ck_slice_of(found ? found : "");
    unsigned n = 0;
    for (; ck_slice_next(&list, '.', &mark); n++) {
        if (same(mark, mine))
            return n ? CK_MARKS_OURS_ONCE : CK_MARKS_OURS;
        if (same(mark, base))
            return n ? CK_MARKS_NOT_OURS : CK_MARKS_UNCHANGED;
    }
    return n < CK_MARKS_KEPT ? CK_MARKS_UNKNOWN : CK_MARKS_BURIED;
}
