/* Allocation that does not fail: out of memory ends the process with a message. A size that comes
 * from outside must be checked against a limit before it gets here. */
#pragma once

#include "base/attr.h"

#include <stdbool.h>
#include <stddef.h>

/* End the process as these functions do: for libraries that report it. */
CK_NORETURN void ck_out_of_memory(void);
void *ck_xmalloc(size_t n) CK_WARN_UNUSED;
void *ck_xcalloc(size_t n, size_t size) CK_WARN_UNUSED;
void *ck_xrealloc(void *p, size_t n) CK_WARN_UNUSED;
/* Grow *p (an array of `size`-byte items with capacity *cap) so that it holds at least `need`. */
void ck_xgrow(void *p, size_t *cap, size_t need, size_t size);
char *ck_xstrdup(const char *s) CK_WARN_UNUSED;
char *ck_xstrndup(const char *s, size_t n) CK_WARN_UNUSED;
void *ck_xmemdup(const void *p, size_t n) CK_WARN_UNUSED;
char *ck_xasprintf(const char *fmt, ...) CK_PRINTF(1, 2) CK_WARN_UNUSED;

/* Overwrite n bytes in a way the compiler may not drop. For secrets before they are freed. */
void ck_wipe(void *p, size_t n);
/* From now on every buffer and arena of the process is overwritten before its memory is given back:
 * called by whoever brings keys in, so that the copies of parsers and encoders go, too. */
void ck_mem_set_wipe(void);
bool ck_mem_wipes(void);
