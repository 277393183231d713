/* Compiler attributes used throughout: cleanup at scope end, ownership hand-over, printf checks. */
#pragma once

#include <stddef.h>
#include <stdlib.h>

#define CK_CLEANUP(fn)        __attribute__((cleanup(fn)))
#define CK_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define CK_WARN_UNUSED        __attribute__((warn_unused_result))
#define CK_NORETURN           __attribute__((noreturn))
#define CK_UNUSED             __attribute__((unused))

#define CK_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Hand the pointer over to the caller: yields it and leaves NULL behind, so that a cleanup
 * attribute on the variable does nothing. */
#define CK_TAKE(p)                                                                                 \
    __extension__({                                                                                \
        __typeof__(p) *_ck_pp = &(p);                                                              \
        __typeof__(p) _ck_v = *_ck_pp;                                                             \
        *_ck_pp = NULL;                                                                            \
        _ck_v;                                                                                     \
    })

static inline void ck_cleanup_free(void *p)
{
    free(*(void **)p);
}

/* `CK_AUTOFREE char *p = NULL;` frees p at the end of its scope. */
#define CK_AUTOFREE CK_CLEANUP(ck_cleanup_free)
