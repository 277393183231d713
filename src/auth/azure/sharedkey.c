/* Azure Storage's SharedKey signatures, from the same decoded parts that are sent. kOps knows
 * tokens only. */
#include "auth/azure/azure.h"

#include "base/clock.h"
#include "base/enc.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void put_date(struct ck_buf *out, int64_t now_s)
{
    static const char days[][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t day = now_s / 86400, s = now_s % 86400, year;
    int month, mday;
    ck_civil_from_days(day, &year, &month, &mday);
    ck_buf_fmt(out, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[day % 7], mday, months[month - 1],
               (int)year, (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
}

static int by_name(const void *x, const void *y)
{
    const struct ck_nv *a = x, *b = y;
    int r = strcasecmp(a->name, b->name);
    return r ? r : strcmp(a->value ? a->value : "", b->value ? b->value : "");
}

/* A sorted copy; names in lower case. */
static struct ck_nv *sorted(struct ck_arena *a, const struct ck_nvs *l)
{
    struct ck_nv *v = ck_arena_alloc(a, (l->n + 1) * sizeof *v);
    for (size_t i = 0; i < l->n; i++) {
        char *name = ck_arena_strdup(a, l->v[i].name);
        for (char *p = name; *p; p++)
            *p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
        v[i] = (struct ck_nv){name, l->v[i].value};
    }
    qsort(v, l->n, sizeof *v, by_name);
    return v;
}

static void put_headers(struct ck_buf *out, struct ck_arena *a, const struct ck_req *r)
{
    const struct ck_nv *v = sorted(a, &r->headers);
    for (size_t i = 0; i < r->headers.n; i++)
        if (ck_str_starts(v[i].name, "x-ms-")) {
            ck_buf_fmt(out, "%s:", v[i].name);
            ck_buf_put(out, ck_slice_trim(ck_slice_of(v[i].value)));
            ck_buf_putc(out, '\n');
        }
}

static void put_resource(struct ck_buf *out, struct ck_arena *a, const char *account,
                         const struct ck_req *r)
{
    ck_buf_fmt(out, "/%s", account);
    ck_url_path(out, r);
    const struct ck_nv *v = sorted(a, &r->query);
    for (size_t i = 0; i < r->query.n; i++) {
        bool more = i && strcmp(v[i].name, v[i - 1].name) == 0;
        const char *value = v[i].value ? v[i].value : "";
        if (more)
            ck_buf_fmt(out, ",%s", value);
        else
            ck_buf_fmt(out, "\n%s:%s", v[i].name, value);
    }
}

void ck_azure_string_to_sign(struct ck_buf *out, const char *account, const struct ck_req *r)
{
    static const char *const before[] = {"content-encoding", "content-language"};
    static const char *const after[] = {"content-md5",         "content-type", "date",
                                        "if-modified-since",   "if-match",     "if-none-match",
                                        "if-unmodified-since", "range"};
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    ck_buf_fmt(out, "%s\n", r->method);
    for (size_t i = 0; i < CK_ARRAY_LEN(before); i++) {
        const char *value = ck_nvs_get(&r->headers, before[i]);
        ck_buf_fmt(out, "%s\n", value ? value : "");
    }
    if (r->body.len)
        ck_buf_fmt(out, "%zu", r->body.len);
    ck_buf_putc(out, '\n');
    for (size_t i = 0; i < CK_ARRAY_LEN(after); i++) {
        const char *value = ck_nvs_get(&r->headers, after[i]);
        ck_buf_fmt(out, "%s\n", value ? value : "");
    }
    put_headers(out, a, r);
    put_resource(out, a, account, r);
}

void ck_azure_sign(struct ck_arena *a, const char *account, struct ck_slice key, int64_t now_s,
                   struct ck_req *r)
{
    CK_AUTOBUF struct ck_buf date = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf value = CK_BUF_INIT;
    unsigned char mac[CK_SHA256_LEN];
    put_date(&date, now_s);
    ck_nvs_add(a, &r->headers, "x-ms-date", ck_arena_strdup(a, ck_buf_str(&date)));
    ck_azure_string_to_sign(&text, account, r);
    ck_hmac_sha256(key, ck_buf_slice(&text), mac);
    ck_buf_fmt(&value, "SharedKey %s:", account);
    ck_base64_encode(&value, mac, sizeof mac);
    ck_nvs_add(a, &r->headers, "authorization", ck_arena_strdup(a, ck_buf_str(&value)));
}
