/* Diagnostics in klog's format on standard error.
 *
 * The library only logs at debug verbosity (ck_debug); info, warning and error lines belong to
 * cmd/. Secrets never reach these functions. */
#pragma once

#include "base/attr.h"

#include <stdbool.h>

/* -v N. 0 is the default. */
void ck_log_set_verbosity(int v);
int ck_log_verbosity(void);
/* Write one line "Lmmdd hh:mm:ss.uuuuuu PPPPPPP file.c:LINE] text"; level is I, W, E or F. */
void ck_log_line(char level, const char *file, int line, const char *fmt, ...) CK_PRINTF(4, 5);

#define ck_info(...) ck_log_line('I', __FILE__, __LINE__, __VA_ARGS__)
#define ck_warn(...) ck_log_line('W', __FILE__, __LINE__, __VA_ARGS__)
#define ck_debug(v, ...)                                                                           \
    do {                                                                                           \
        if (ck_log_verbosity() >= (v))                                                             \
            ck_log_line('I', __FILE__, __LINE__, __VA_ARGS__);                                     \
    } while (0)
