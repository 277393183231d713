/* Clocks and RFC 3339 text. Civil-date arithmetic after Howard Hinnant's public algorithms. */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t fixed_ns;
static bool skipping;
static int64_t skipped_ms;

void ck_clock_set_ns(int64_t ns)
{
    fixed_ns = ns;
}

int64_t ck_now_ns(void)
{
    if (fixed_ns)
        return fixed_ns;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t ck_now_s(void)
{
    return ck_now_ns() / 1000000000;
}

/* Linux' monotonic clock stands still while the machine sleeps: who wakes up would take a lock that
 * ended hours ago for its own. */
#ifdef CLOCK_BOOTTIME
#define NEVER_STANDS_STILL CLOCK_BOOTTIME
#else
#define NEVER_STANDS_STILL CLOCK_MONOTONIC
#endif

int64_t ck_mono_ms(void)
{
    struct timespec ts;
    clock_gettime(NEVER_STANDS_STILL, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + skipped_ms;
}

void ck_clock_skip_sleeps(void)
{
    skipping = true;
}

void ck_sleep_ms(int64_t ms)
{
    if (ms <= 0)
        return;
    if (skipping) {
        skipped_ms += ms;
        return;
    }
    struct timespec ts = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (ms % 1000) * 1000000};
    while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
        ;
}

int64_t ck_days_from_civil(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

void ck_civil_from_days(int64_t days, int64_t *ret_y, int *ret_m, int *ret_d)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *ret_d = (int)(doy - (153 * mp + 2) / 5 + 1);
    *ret_m = (int)(mp < 10 ? mp + 3 : mp - 9);
    *ret_y = yoe + era * 400 + (*ret_m <= 2);
}

static void split(int64_t s, int64_t *y, int *mo, int *d, int *h, int *mi, int *sec)
{
    int64_t days = s / 86400, rest = s % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    ck_civil_from_days(days, y, mo, d);
    *h = (int)(rest / 3600);
    *mi = (int)(rest / 60 % 60);
    *sec = (int)(rest % 60);
}

void ck_rfc3339(int64_t unix_s, char out[21])
{
    int64_t y;
    int mo, d, h, mi, s;
    split(unix_s, &y, &mo, &d, &h, &mi, &s);
    char tmp[64];
    snprintf(tmp, sizeof tmp, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)(y % 10000), mo, d, h, mi, s);
    snprintf(out, 21, "%.20s", tmp);
}

void ck_iso8601_basic(int64_t unix_s, char out[17])
{
    int64_t y;
    int mo, d, h, mi, s;
    split(unix_s, &y, &mo, &d, &h, &mi, &s);
    char tmp[64];
    snprintf(tmp, sizeof tmp, "%04d%02d%02dT%02d%02d%02dZ", (int)(y % 10000), mo, d, h, mi, s);
    snprintf(out, 17, "%.16s", tmp);
}

static bool digits(const char *p, int n, int *ret)
{
    int v = 0;
    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        v = v * 10 + (p[i] - '0');
    }
    *ret = v;
    return true;
}

static bool zone_offset(const char *p, size_t n, int *ret_s)
{
    if (n == 1 && (*p == 'Z' || *p == 'z')) {
        *ret_s = 0;
        return true;
    }
    int h, m;
    if (n != 6 || (*p != '+' && *p != '-') || p[3] != ':' || !digits(p + 1, 2, &h) ||
        !digits(p + 4, 2, &m) || h > 23 || m > 59)
        return false;
    *ret_s = (h * 3600 + m * 60) * (*p == '-' ? -1 : 1);
    return true;
}

bool ck_rfc3339_parse(struct ck_slice s, int64_t *ret_s)
{
    int y, mo, d, h, mi, sec, off;
    const char *p = s.ptr;
    if (s.len < 20 || s.len > 64 || p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != 't') ||
        p[13] != ':' || p[16] != ':')
        return false;
    if (!digits(p, 4, &y) || !digits(p + 5, 2, &mo) || !digits(p + 8, 2, &d) ||
        !digits(p + 11, 2, &h) || !digits(p + 14, 2, &mi) || !digits(p + 17, 2, &sec))
        return false;
    static const int mdays[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (mo < 1 || mo > 12 || d < 1 || d > mdays[mo - 1] || (mo == 2 && d == 29 && !leap) ||
        h > 23 || mi > 59 || sec > 59)
        return false;
    size_t at = 19;
    if (p[at] == '.') {
        size_t start = ++at;
        while (at < s.len && p[at] >= '0' && p[at] <= '9')
            at++;
        if (at == start)
            return false;
    }
    if (at >= s.len || !zone_offset(p + at, s.len - at, &off))
        return false;
    *ret_s = ck_days_from_civil(y, mo, d) * 86400 + h * 3600 + mi * 60 + sec - off;
    return true;
}

void ck_http_date(int64_t unix_s, char out[30])
{
    static const char days[] = "ThuFriSatSunMonTueWed";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t day = unix_s / 86400, s = unix_s % 86400, year;
    int month, mday;
    ck_civil_from_days(day, &year, &month, &mday);
    snprintf(out, 30, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * (day % 7),
             (unsigned)mday % 100, months + 3 * (month - 1), (unsigned)year % 10000,
             (unsigned)(s / 3600) % 100, (unsigned)(s / 60 % 60), (unsigned)(s % 60));
}

bool ck_http_date_parse(const char *s, int64_t *ret_s)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int d, y, h, mi, sec;
    if (strlen(s) != 29 || strcmp(s + 25, " GMT") != 0 || !digits(s + 5, 2, &d) ||
        !digits(s + 12, 4, &y) || !digits(s + 17, 2, &h) || !digits(s + 20, 2, &mi) ||
        !digits(s + 23, 2, &sec))
        return false;
    for (int m = 0; m < 12; m++) {
        if (memcmp(s + 8, months + 3 * m, 3) != 0)
            continue;
        *ret_s = ck_days_from_civil(y, m + 1, d) * 86400 + h * 3600 + mi * 60 + sec;
        return true;
    }
    return false;
}
