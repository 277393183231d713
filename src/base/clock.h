/* Time: wall clock, monotonic clock, sleeping, RFC 3339. Replaceable in tests. */
#pragma once

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

int64_t ck_now_s(void);   /* seconds since the epoch, UTC */
int64_t ck_now_ns(void);  /* nanoseconds since the epoch, UTC */
int64_t ck_mono_ms(void); /* milliseconds on a clock that never goes back, nor stands still */
void ck_sleep_ms(int64_t ms);
/* From now on sleeping takes no time: it moves the monotonic clock of this process. For tests. */
void ck_clock_skip_sleeps(void);
/* Fix the wall clock for this process (ns since the epoch); 0 restores it. Tests and given facts.
 */
void ck_clock_set_ns(int64_t ns);
/* "2006-01-02T15:04:05Z" into out[21]. */
void ck_rfc3339(int64_t unix_s, char out[21]);
/* "20060102T150405Z" into out[17]. */
void ck_iso8601_basic(int64_t unix_s, char out[17]);
/* Parse RFC 3339 (fraction and offset allowed) to seconds since the epoch. */
bool ck_rfc3339_parse(struct ck_slice s, int64_t *ret_s);
/* "Sun, 06 Nov 1994 08:49:37 GMT" into out[30]. */
void ck_http_date(int64_t unix_s, char out[30]);
/* Parse an HTTP date, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7, IMF-fixdate only). */
bool ck_http_date_parse(const char *s, int64_t *ret_s);
/* Days since the epoch of a civil date and back (proleptic Gregorian). */
int64_t ck_days_from_civil(int64_t y, int m, int d);
void ck_civil_from_days(int64_t days, int64_t *ret_y, int *ret_m, int *ret_d);
