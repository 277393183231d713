/* Shared by the files of the conformance program. The store is named by CK_STORE_URL. */
#pragma once

#include "vfs/vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct store {
    struct ck_env env;
    struct ck_arena *a;
    struct ck_vfs_ctx ctx;
    struct ck_path root; /* a fresh folder below the URL */
};

/* ---- fixture.c ---- */
const char *url(void);
bool is(const char *scheme);
bool object_store(void);
long setting(const char *name, long dflt); /* a number from the environment */
void must(int r, struct ck_err *err);
void open_store(struct store *s, const char *folder);
void close_store(struct store *s);
int setup(void **state);
int teardown(void **state);
struct ck_path at(struct store *s, const char *key);
int put(struct store *s, const char *key, const char *text, enum ck_write_mode mode,
        const struct ck_version *version, struct ck_version *ret);
void has(struct store *s, const char *key, const char *want, struct ck_version *ret);
int get(struct store *s, const char *key);
enum what { LIST, DIRS, TREE };
void lists(struct store *s, enum what what, const char *key, const char *want);

/* A part of the contract that this store does not have. */
#define leave_out(reason)                                                                          \
    do {                                                                                           \
        print_message("skipped: %s\n", reason);                                                    \
        skip();                                                                                    \
    } while (0)

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- pieces.c ---- */
int run_pieces(void);

/* ---- races.c ---- */
int run_races(void);
