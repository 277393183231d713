/* Programs of the user's that print credentials: no terminal, little time, little output. What they
 * print to standard error is for the user. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct ck_program {
    const char *where;       /* for messages: "profile x (credential_process): the command" */
    const char *path;        /* what to run */
    const char *const *argv; /* ends with NULL */
    char *const *env;        /* as execve() takes it; NULL: this process' own */
    int64_t timeout_ms;
    size_t output_max;
};

/* Run it and wait for its end; its standard output is appended to `out`, a secret.
 * UNAUTHENTICATED: it cannot be run, ended with another status than 0, or met a limit, at which it
 * is killed. */
int ck_program_run(const struct ck_program *p, struct ck_buf *out, struct ck_err *err);
/* Where `name` is by PATH, never in the working directory; a name with a slash stays as it is.
 * NULL: nowhere. Arena-owned. */
const char *ck_program_find(struct ck_arena *a, const struct ck_env *env, const char *name);
/* The words of a command line, as a POSIX shell splits them by white space and quotes; ends with
 * NULL. NULL: a quote stays open, or there is no word. Arena-owned. */
const char **ck_program_words(struct ck_arena *a, const char *text);
/* A copy of `env` in *ret, which the caller frees. */
void ck_program_env(const struct ck_env *env, struct ck_env *ret);
