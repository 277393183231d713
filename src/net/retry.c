/* When to send again and how long to wait: reply classes, backoff, Retry-After, token buckets.
 *
 * Does not send. After the standard retry mode of the AWS SDKs (500 tokens, 5 per retry, 10 per
 * timeout), with waits short enough for a command line. */
#include "net/internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <string.h>

enum { TOKENS_FULL = 500, BASE_MS = 100, CAP_MS = 5000, SCAN_MAX = 64 * 1024 };

struct ck_tokens *ck_tokens_of(struct ck_tokens **all, const char *name)
{
    if (!name)
        return NULL;
    for (struct ck_tokens *t = *all; t; t = t->next)
        if (strcmp(t->name, name) == 0)
            return t;
    struct ck_tokens *t = ck_xcalloc(1, sizeof *t + strlen(name) + 1);
    memcpy(t->name, name, strlen(name) + 1);
    t->left = TOKENS_FULL;
    t->next = *all;
    return *all = t;
}

bool ck_tokens_take(struct ck_tokens *t, int cost)
{
    if (!t)
        return true;
    if (t->left < cost)
        return false;
    t->left -= cost;
    return true;
}

void ck_tokens_give(struct ck_tokens *t, int cost)
{
    if (t)
        t->left = t->left + cost > TOKENS_FULL ? TOKENS_FULL : t->left + cost;
}

void ck_tokens_free(struct ck_tokens *all)
{
    for (struct ck_tokens *next; all; all = next) {
        next = all->next;
        free(all);
    }
}

/* Codes by which services say "slower" or "once more" under any status. */
static const char *const AGAIN_CODES[] = {
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
};

/* The text from p up to the first of `stop` is one of the codes. */
static bool is_again_code(const char *p, const char *stop)
{
    size_t n = strcspn(p, stop);
    for (size_t i = 0; i < CK_ARRAY_LEN(AGAIN_CODES); i++)
        if (strlen(AGAIN_CODES[i]) == n && memcmp(p, AGAIN_CODES[i], n) == 0)
            return true;
    return false;
}

/* <Code>X</Code> of the XML protocols, "__type": "prefix#X" of the JSON ones. */
static bool body_says_again(const struct ck_resp *resp)
{
    if (resp->body.len == 0 || resp->body.len > SCAN_MAX)
        return false;
    const char *xml = strstr(resp->body.ptr, "<Code>");
    if (xml && is_again_code(xml + 6, "<"))
        return true;
    const char *json = strstr(resp->body.ptr, "\"__type\"");
    if (!json)
        return false;
    json += 8;
    json += strspn(json, " \t\r\n:");
    if (*json++ != '"')
        return false;
    const char *hash = strpbrk(json, "#\"");
    return is_again_code(hash && *hash == '#' ? hash + 1 : json, "\"");
}

bool ck_retry_reply(const struct ck_resp *resp)
{
    switch (resp->status) {
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return true;
    default:
        break;
    }
    if (resp->status < 400 || resp->status > 499)
        return false;
    const char *type = ck_nvs_get(&resp->headers, "x-amzn-errortype");
    return (type && is_again_code(type, ":")) || body_says_again(resp);
}

/* Retry-After: seconds or a date (RFC 9110 §10.2.3); -1 when absent or unreadable. */
static int64_t asked_wait(const struct ck_resp *resp)
{
    const char *v = ck_nvs_get(&resp->headers, "retry-after");
    if (!v || !*v)
        return -1;
    size_t digits = strspn(v, "0123456789");
    if (!v[digits])
        return digits > 9 ? INT64_MAX / 2 : (int64_t)strtol(v, NULL, 10) * 1000;
    int64_t at;
    if (!ck_http_date_parse(v, &at))
        return -1;
    int64_t wait = (at - ck_now_s()) * 1000;
    return wait < 0 ? 0 : wait;
}

int64_t ck_retry_wait(unsigned attempt, const struct ck_resp *resp)
{
    int64_t asked = resp ? asked_wait(resp) : -1;
    if (asked >= 0)
        return asked;
    int64_t most = CAP_MS;
    if (attempt < 8)
        most = (int64_t)BASE_MS << (attempt < 2 ? 0 : attempt - 2);
    if (most > CAP_MS)
        most = CAP_MS;
    uint32_t random;
    ck_random(&random, sizeof random);
    return (int64_t)((uint64_t)random * (uint64_t)(most + 1) >> 32);
}
