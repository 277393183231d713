/* One connection for the commands of a minute: ssh leaves it in the background (ControlMaster=auto,
 * ControlPersist), and later commands reach it by a socket in a folder that is the user's alone.
 *
 * What the user has configured comes first: `ssh -G` tells, without a network, whether connections
 * are shared already, and then nothing is changed. Its whole answer goes into the socket's name,
 * with what else decides who is reached as whom; so a connection is never used for another
 * configuration, key, agent or route. Wherever something is not as expected nothing is shared. */
#include "vfs/ssh/ssh.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
    ANSWER_MAX = 65536,
    ANSWER_MS = 2000,
    MAX_AGE_S = 600,
    NAME_LEN = 32,
    SSH_ADDS = 17, /* ssh listens at PATH.RANDOM first, then gives it its name */
    SUN_PATH = 108
};

/* ---- may it be shared? ---- */

/* Of words that are options, one that is about sharing. */
static bool about_sharing(struct ck_slice text)
{
    struct ck_slice word;
    while (ck_slice_next(&text, ' ', &word)) {
        struct ck_slice name =
            ck_slice_starts(word, "-o") ? ck_slice_n(word.ptr + 2, word.len - 2) : word;
        if (name.len >= 7 && ck_slice_ieq_str(ck_slice_n(name.ptr, 7), "control"))
            return true;
    }
    return false;
}

/* Only the program ssh is asked: what else a user puts in its place may not know -G. */
static bool is_ssh(const char *command)
{
    struct ck_slice rest = ck_slice_of(command), word = CK_S("");
    while (!word.len && ck_slice_next(&rest, ' ', &word))
        ;
    return ck_slice_eq_str(word, "ssh") || ck_slice_ends(word, "/ssh");
}

static bool wanted(const struct ck_env *env)
{
    const char *share = ck_env_nonempty(env, "CKOPS_SSH_SHARE");
    const char *command = ck_env_nonempty(env, "CKOPS_SSH");
    if (share && strcmp(share, "yes") != 0)
        return false;
    return !command || (is_ssh(command) && !about_sharing(ck_slice_of(command)));
}

/* ---- the folder ---- */

/* A folder that nobody else can enter or has put there; -1: it is none. */
static int open_private(int at, const char *name)
{
    struct stat st;
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 077))) {
        close(fd);
        return -1;
    }
    return fd;
}

/* "$XDG_RUNTIME_DIR/ckops", which the login made for the user. NULL: there is none. No other place
 * is tried: where nobody has logged in (CI, containers) nothing is to stay behind. */
static const char *folder(struct ck_arena *a, const struct ck_env *env)
{
    const char *given = ck_env_nonempty(env, "XDG_RUNTIME_DIR");
    if (!given || given[0] != '/')
        return NULL;
    size_t n = strlen(given);
    while (n > 1 && given[n - 1] == '/') /* or a link would be followed */
        n--;
    const char *dir = ck_arena_printf(a, "%.*s/ckops", (int)n, given);
    /* ssh expands %, $ and ~ in the name, and splits it at blanks. */
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+,";
    if (dir[strspn(dir, plain)] || strlen(dir) + 1 + NAME_LEN + SSH_ADDS >= SUN_PATH)
        return NULL;
    int above = open_private(AT_FDCWD, ck_arena_strndup(a, given, n));
    if (above < 0)
        return NULL;
    mkdirat(above, "ckops", 0700); /* there already, as a rule */
    int fd = open_private(above, "ckops");
    close(above);
    if (fd < 0)
        return NULL;
    close(fd);
    return dir;
}

/* ---- the user's configuration ---- */

/* What `ssh -G` prints; false: no answer. */
static bool ask(const struct ck_env *env, const char *target, struct ck_buf *out)
{
    struct ck_ssh_child c = {0};
    if (ck_ssh_spawn(&c, env, target, NULL, true, NULL) < 0)
        return false;
    int64_t until = ck_mono_ms() + ANSWER_MS, left;
    ssize_t n = -1;
    while ((left = until - ck_mono_ms()) > 0 && out->len < ANSWER_MAX) {
        char piece[4096];
        struct pollfd p = {.fd = c.out, .events = POLLIN};
        if (poll(&p, 1, (int)left) <= 0)
            continue;
        n = read(c.out, piece, sizeof piece);
        if (n == 0)
            break;
        if (n > 0)
            ck_buf_putn(out, piece, (size_t)n);
    }
    int status;
    ck_ssh_end(&c, false, &status);
    ck_buf_done(&c.said);
    return n == 0 && status == 0;
}

/* A key file that is replaced is another key. */
static void put_file(struct ck_buf *id, const struct ck_env *env, struct ck_slice name)
{
    CK_AUTOBUF struct ck_buf path = CK_BUF_INIT;
    const char *home = ck_env_nonempty(env, "HOME");
    struct stat st;
    bool at_home = ck_slice_starts(name, "~/") && home;
    ck_buf_fmt(&path, "%s%.*s", at_home ? home : "", (int)name.len - at_home, name.ptr + at_home);
    if (stat(ck_buf_str(&path), &st) == 0)
        ck_buf_fmt(id, "%llu %lld.%09ld %lld\n", (unsigned long long)st.st_ino,
                   (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_size);
}

/* Goes through the answer; false: the user shares connections, or it is no answer of ssh's. */
static bool take_options(struct ck_ssh_share *sh, const struct ck_env *env, struct ck_slice answer,
                         struct ck_buf *id)
{
    static const char *const unset[] = {"controlmaster false", "controlpath none",
                                        "controlpersist no"};
    struct ck_slice rest = answer, line;
    bool answered = false;
    sh->proxied = false;
    while (ck_slice_next(&rest, '\n', &line)) {
        size_t blank = ck_slice_find(line, ' ');
        if (blank >= line.len)
            continue;
        struct ck_slice value = ck_slice_n(line.ptr + blank + 1, line.len - blank - 1);
        answered = answered || ck_slice_starts(line, "hostname ");
        bool none = ck_slice_eq_str(value, "none");
        if (ck_slice_starts(line, "control")) {
            bool known = false;
            for (size_t i = 0; i < CK_ARRAY_LEN(unset); i++)
                known = known || ck_slice_eq_str(line, unset[i]);
            if (!known)
                return false;
        }
        if ((ck_slice_starts(line, "proxyjump ") || ck_slice_starts(line, "proxycommand ")) &&
            !none)
            sh->proxied = true;
        if (ck_slice_starts(line, "identityfile ") || ck_slice_starts(line, "certificatefile "))
            put_file(id, env, value);
    }
    return answered;
}

/* What decides who is reached as whom, beside the configuration. */
static void put_circumstances(struct ck_buf *id, const struct ck_env *env, const char *target)
{
    static const char *const names[] = {"CKOPS_SSH", "HOME", "SSH_AUTH_SOCK", "KRB5CCNAME"};
    struct utsname machine;
    char net[64]; /* a folder that containers share does not mean that they share a network */
    ssize_t n = readlink("/proc/self/ns/net", net, sizeof net);
    ck_buf_fmt(id, "%s\n%s\n%.*s\n", target, uname(&machine) == 0 ? machine.nodename : "",
               n > 0 ? (int)n : 0, net);
    for (size_t i = 0; i < CK_ARRAY_LEN(names); i++) {
        const char *value = ck_env_get(env, names[i]);
        ck_buf_fmt(id, "%s=%s\n", names[i], value ? value : "");
    }
}

void ck_ssh_share_find(struct ck_ssh_share *sh, const struct ck_env *env, const char *target)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf answer = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf id = CK_BUF_INIT;
    *sh = (struct ck_ssh_share){.asked = true};
    const char *dir = wanted(env) ? folder(a, env) : NULL;
    if (!dir || !ask(env, target, &answer) || !take_options(sh, env, ck_buf_slice(&answer), &id))
        return;
    char hex[2 * CK_SHA256_LEN + 1];
    put_circumstances(&id, env, target);
    ck_buf_put(&id, ck_buf_slice(&answer));
    ck_sha256_hex(ck_buf_slice(&id), hex);
    sh->on = true;
    snprintf(sh->path, sizeof sh->path, "%s/%.*s", dir, NAME_LEN, hex);
    ck_debug(6, "connections to %s are shared by %s", target, sh->path);
}

/* ---- its socket ---- */

void ck_ssh_share_look(struct ck_ssh_share *sh)
{
    struct stat st;
    sh->there = false;
    if (!sh->on)
        return;
    if (lstat(sh->path, &st) < 0)
        sh->on = errno == ENOENT;
    else if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
        sh->on = false;
    else if (ck_now_s() - st.st_mtime > MAX_AGE_S)
        unlink(sh->path); /* who uses it goes on; it ends a minute after the last of them */
    else
        sh->there = true;
}

void ck_ssh_share_forget(struct ck_ssh_share *sh)
{
    if (sh->on)
        unlink(sh->path);
    sh->on = sh->there = false;
}
