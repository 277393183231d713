/* Signing: any path, query and headers give a canonical request of the right shape that does not
 * depend on the order of the parameters. Input: lines "/path", "?name=value" and "name: value". */
#include "auth/sigv4.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PARTS = 64 };

static void add_line(struct ck_arena *a, struct ck_req *r, struct ck_slice line)
{
    struct ck_slice rest = ck_slice_n(line.ptr + 1, line.len - 1);
    char sep = line.ptr[0] == '?' ? '=' : ':';
    struct ck_slice whole = line.ptr[0] == '?' ? rest : line;
    size_t at = ck_slice_find(whole, sep);
    const char *name = ck_arena_strndup(a, whole.ptr, at), *value = NULL;
    if (at < whole.len)
        value = ck_arena_strndup(a, whole.ptr + at + 1, whole.len - at - 1);
    if (line.ptr[0] == '/')
        r->path = ck_arena_strndup(a, line.ptr, line.len);
    else if (line.ptr[0] == '?' && r->query.n < MAX_PARTS)
        ck_nvs_add(a, &r->query, name, value);
    else if (r->headers.n < MAX_PARTS)
        ck_nvs_add(a, &r->headers, name, value ? value : "");
}

static void check(const struct ck_sigv4 *p, struct ck_arena *a, const struct ck_req *r)
{
    struct ck_req turned = *r;
    turned.query = (struct ck_nvs){0};
    for (size_t i = r->query.n; i > 0; i--)
        ck_nvs_add(a, &turned.query, r->query.v[i - 1].name, r->query.v[i - 1].value);
    CK_AUTOBUF struct ck_buf one = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf two = CK_BUF_INIT;
    ck_sigv4_canonical(&one, p, r, "HASH");
    ck_sigv4_canonical(&two, p, &turned, "HASH");
    if (strcmp(ck_buf_str(&one), ck_buf_str(&two)) != 0)
        abort();
    const char *path = strchr(one.ptr, '\n') + 1, *query = strchr(path, '\n') + 1;
    for (const char *c = path; c < query - 1; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7F)
            abort();
    const char *climbs = strstr(path, "/../");
    if (*path != '/' || (!p->no_double_encode && climbs && climbs < query))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req r = {.method = "GET", .scheme = "https", .host = "h", .path = "/"};
    /* A NUL ends every C string: none may be inside. */
    struct ck_slice rest = ck_slice_of(ck_arena_strndup(a, (const char *)data, size)), line;
    while (rest.len && ck_slice_next(&rest, '\n', &line))
        if (line.len)
            add_line(a, &r, line);
    const struct ck_sigv4 s3 = {.region = "r", .service = "s3", .no_double_encode = true};
    const struct ck_sigv4 other = {.region = "r", .service = "iam"};
    check(&s3, a, &r);
    check(&other, a, &r);
    const struct ck_cred c = {.access_key = (char *)"A", .secret_key = (char *)"S"};
    if (ck_sigv4_sign(a, &s3, &c, 0, &r, NULL) < 0 ||
        ck_sigv4_presign(a, &s3, &c, 0, 60, &r, NULL) < 0)
        abort();
    return 0;
}
