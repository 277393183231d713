/* Loaded before libc (LD_PRELOAD): lets the n-th operation of a program fail, or be its last.
 *
 *   CK_FAULT_AT=N       the N-th counted file operation fails (from 1; 0: none)
 *   CK_FAULT_ERRNO=E    with this number (default ENOSPC)
 *   CK_FAULT_STAY=1     and all after it, too
 *   CK_FAULT_KILL=1     the program is killed instead
 *   CK_FAULT_ALLOC=N    the N-th allocation gives nothing
 *   CK_FAULT_COUNT=FILE how many operations and allocations there were, and which operations were
 *                       rename(), written at the end
 *
 * Counted are opening, writing, renaming, linking, making folders, syncing and removing. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);

enum { MOST_RENAMES = 64 };
static atomic_long operations, allocations;
static long renames[MOST_RENAMES];
static atomic_size_t n_renames;
static long fault_at, alloc_at;
static int fault_errno = ENOSPC;
static bool stay, deadly;
static const char *count_file;

static long number(const char *name)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void)
{
    fault_at = number("CK_FAULT_AT");
    alloc_at = number("CK_FAULT_ALLOC");
    stay = number("CK_FAULT_STAY") != 0;
    deadly = number("CK_FAULT_KILL") != 0;
    count_file = getenv("CK_FAULT_COUNT");
    if (number("CK_FAULT_ERRNO"))
        fault_errno = (int)number("CK_FAULT_ERRNO");
    atomic_store(&operations, 0);
    atomic_store(&allocations, 0);
}

__attribute__((destructor)) static void end(void)
{
    long ops = atomic_load(&operations), allocs = atomic_load(&allocations);
    fault_at = alloc_at = 0;
    FILE *f = count_file ? fopen(count_file, "w") : NULL;
    if (!f)
        return;
    fprintf(f, "%ld %ld", ops, allocs);
    for (size_t i = 0; i < atomic_load(&n_renames) && i < MOST_RENAMES; i++)
        fprintf(f, " %ld", renames[i]);
    fputc('\n', f);
    fclose(f);
}

/* Whether this operation is the one. */
static bool fails(void)
{
    long n = atomic_fetch_add(&operations, 1) + 1;
    if (!fault_at || (stay ? n < fault_at : n != fault_at))
        return false;
    if (deadly)
        kill(getpid(), SIGKILL);
    errno = fault_errno;
    return true;
}

#define REAL(name)                                                                                 \
    static __typeof__(name) *real;                                                                 \
    if (!real)                                                                                     \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        REAL(name);                                                                                \
        va_list ap;                                                                                \
        va_start(ap, flags);                                                                       \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;                    \
        va_end(ap);                                                                                \
        return fails() ? -1 : real(path, flags, mode);                                             \
    }
#define OPENAT(name)                                                                               \
    int name(int dir, const char *path, int flags, ...)                                            \
    {                                                                                              \
        REAL(name);                                                                                \
        va_list ap;                                                                                \
        va_start(ap, flags);                                                                       \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;                    \
        va_end(ap);                                                                                \
        return fails() ? -1 : real(dir, path, flags, mode);                                        \
    }
#define PLAIN(type, name, params, args)                                                            \
    type name params                                                                               \
    {                                                                                              \
        REAL(name);                                                                                \
        return fails() ? (type)-1 : real args;                                                     \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
int rename(const char *from, const char *to)
{
    REAL(rename);
    bool failed = fails();
    size_t i = atomic_fetch_add(&n_renames, 1);
    if (i < MOST_RENAMES)
        renames[i] = atomic_load(&operations);
    return failed ? -1 : real(from, to);
}
PLAIN(int, renameat, (int d, const char *from, int e, const char *to), (d, from, e, to))
PLAIN(int, link, (const char *from, const char *to), (from, to))
PLAIN(int, linkat, (int d, const char *from, int e, const char *to, int f), (d, from, e, to, f))
PLAIN(int, mkdir, (const char *path, mode_t mode), (path, mode))
PLAIN(int, mkdirat, (int d, const char *path, mode_t mode), (d, path, mode))
PLAIN(int, fsync, (int fd), (fd))
PLAIN(int, fdatasync, (int fd), (fd))
PLAIN(int, unlink, (const char *path), (path))
PLAIN(int, unlinkat, (int d, const char *path, int f), (d, path, f))
PLAIN(int, chmod, (const char *path, mode_t mode), (path, mode))
PLAIN(int, fchmod, (int fd, mode_t mode), (fd, mode))
PLAIN(int, fflush, (FILE * f), (f))

/* What goes to a terminal or pipe is the answer, not a file. */
ssize_t write(int fd, const void *p, size_t n)
{
    REAL(write);
    return fd > STDERR_FILENO && fails() ? -1 : real(fd, p, n);
}

FILE *fopen(const char *path, const char *mode)
{
    REAL(fopen);
    return fails() ? NULL : real(path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    REAL(fopen64);
    return fails() ? NULL : real(path, mode);
}

size_t fwrite(const void *p, size_t size, size_t n, FILE *f)
{
    REAL(fwrite);
    bool file = f != stdout && f != stderr;
    return file && fails() ? 0 : real(p, size, n, f);
}

/* ---- memory ---- */

static bool no_memory(void)
{
    long n = atomic_fetch_add(&allocations, 1) + 1;
    if (!alloc_at || n != alloc_at)
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n)
{
    return no_memory() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return no_memory() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return no_memory() ? NULL : __libc_realloc(p, n);
}
