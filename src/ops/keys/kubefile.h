/* The user's kubeconfig files: which they are, locking them as kubectl does, reading and replacing
 * one.
 *
 * Source: client-go tools/clientcmd (config.go, loader.go). */
#pragma once

#include "base/arena.h"
#include "base/env.h"
#include "base/err.h"
#include "doc/val.h"

struct ck_kubefile {
    const char *path;    /* as named */
    const char *target;  /* what it stands for when it is a symbolic link */
    const char *lock;    /* NULL: not locked */
    struct ck_val *root; /* NULL: the file is absent or empty */
    bool exists;
};

struct ck_kubefiles {
    struct ck_kubefile *v;
    size_t n;
    size_t dflt; /* index of the one that gets what has no place yet */
};

/* The files of KUBECONFIG, else $HOME/.kube/config; `explicit` not "": that one alone. No I/O but
 * looking which of them exist. n may be 0 (neither variable is set). */
void ck_kubefiles_find(struct ck_arena *a, const struct ck_env *env, const char *explicit,
                       struct ck_kubefiles *ret);
/* Create FILE.lock, waiting up to a second for whoever holds it. EXISTS with the way out. Files
 * that do not exist are locked only when `create`; their folder is made then. */
int ck_kubefile_lock(struct ck_arena *a, struct ck_kubefile *f, bool create, struct ck_err *err);
void ck_kubefiles_unlock(struct ck_kubefiles *files);
/* Fill root. INVALID `error loading config file "PATH": …`. */
int ck_kubefile_read(struct ck_arena *a, struct ck_kubefile *f, struct ck_err *err);
/* Replace the file by root, atomically, readable by its owner alone. Nothing is written when
 * content and mode would stay the same. */
int ck_kubefile_write(const struct ck_kubefile *f, struct ck_err *err);

#define CK_AUTOKUBEFILES CK_CLEANUP(ck_kubefiles_unlock) struct ck_kubefiles
