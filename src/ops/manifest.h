/* The files given with -f: read, split, decoded. */
#pragma once

#include "store/store.h"

struct ck_input {
    struct ck_object obj;
    const char *file; /* as given; "-" is standard input */
};
struct ck_inputs {
    struct ck_input *v; /* in the arena */
    size_t n, cap;
};

/* Read every file (local, file://, http(s)://, a store URL, "-" for descriptor 0) and decode every
 * object in it; nothing is applied. `lead` starts the messages: "error " gives
 * `error reading file "F": …` and `error parsing file "F": …`.
 * Errors: INVALID, LIMIT, and those of the store a file is read from. */
int ck_inputs_read(struct ck_arena *a, const struct ck_store *s, const struct ck_strv *files,
                   const char *lead, struct ck_inputs *ret, struct ck_err *err);
/* The same, but an object that cannot be decoded is told to `bad` (its file and message) and left
 * out. Errors: those of reading the files, LIMIT. */
int ck_inputs_read_good(struct ck_arena *a, const struct ck_store *s, const struct ck_strv *files,
                        void (*bad)(void *arg, const char *file, const char *message), void *arg,
                        struct ck_inputs *ret, struct ck_err *err);
/* "group/version, Kind=K", as kOps names a kind in messages. */
const char *ck_object_gvk(struct ck_arena *a, const struct ck_object *o);
