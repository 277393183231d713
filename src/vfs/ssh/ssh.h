/* Folders on another machine: ssh://[user@]host[:port]/folder.
 *
 * Shared between the files of the driver: process.c (the ssh program as a child), share.c (one
 * connection for several commands), sftp.c (the SFTP protocol, version 3, over its pipes), ssh.c
 * (the scheme), read.c (reading), write.c (writing under a lock), list.c (listings, trees). No
 * remote shell is started, so no name is ever quoted for one. kOps' util/pkg/vfs/sshfs.go is only
 * reachable from its own code and removes a file before it renames the new one into place. */
#pragma once

#include "vfs/lease.h"
#include "vfs/scheme.h"
#include "vfs/vfs.h"

#include <sys/types.h>

/* ---- share.c ---- */
enum { CK_SSH_PERSIST_S = 60 };
struct ck_ssh_share {
    bool asked, on;
    bool there;   /* the socket was there when it was looked for: the connection is an old one */
    bool proxied; /* over a jump host, whose complaints ssh drops when the connection is shared */
    char path[108];
};
/* Whether and where the connection to `target` is shared; costs a run of `ssh -G` at most. */
void ck_ssh_share_find(struct ck_ssh_share *sh, const struct ck_env *env, const char *target);
/* Find out whether a connection is there. What is no socket of ours ends sharing. */
void ck_ssh_share_look(struct ck_ssh_share *sh);
/* Do without. The connection that is there is given up for all: who uses it goes on, new commands
 * make another. */
void ck_ssh_share_forget(struct ck_ssh_share *sh);

/* ---- process.c ---- */
struct ck_ssh_child {
    pid_t pid; /* 0: not running */
    bool ours; /* nobody else uses what it holds */
    int in, out, errors;
    struct ck_buf said; /* the end of what it wrote to its standard error */
};
/* Start ssh for the SFTP subsystem of `target` ("[user@]host[:port]"), over a connection that is
 * shared when `share` is not NULL and on. `options`: only to print the options it would use. */
int ck_ssh_spawn(struct ck_ssh_child *c, const struct ck_env *env, const char *target,
                 const struct ck_ssh_share *share, bool options, struct ck_err *err);
/* Take what it has written to its standard error so far. */
void ck_ssh_listen(struct ck_ssh_child *c);
/* End it; *ret_status as of waitpid(). `done`: all that was asked for has been answered; then a
 * child that is only ours is not given the round trip of a farewell, and another, which may hold
 * the connection of the user's other sessions, is not killed. */
void ck_ssh_end(struct ck_ssh_child *c, bool done, int *ret_status);
/* Why it ended, as an error of ours. */
int ck_ssh_explain(const struct ck_ssh_child *c, const char *target, int status,
                   struct ck_err *err);

/* ---- sftp.c ---- */
enum {
    SFTP_INIT = 1,
    SFTP_VERSION = 2,
    SFTP_OPEN = 3,
    SFTP_CLOSE = 4,
    SFTP_READ = 5,
    SFTP_WRITE = 6,
    SFTP_LSTAT = 7,
    SFTP_OPENDIR = 11,
    SFTP_READDIR = 12,
    SFTP_REMOVE = 13,
    SFTP_MKDIR = 14,
    SFTP_RMDIR = 15,
    SFTP_STAT = 17,
    SFTP_STATUS = 101,
    SFTP_HANDLE = 102,
    SFTP_DATA = 103,
    SFTP_NAME = 104,
    SFTP_ATTRS = 105,
    SFTP_EXTENDED = 200,
};
enum {
    FX_OK = 0,
    FX_EOF = 1,
    FX_NO_SUCH_FILE = 2,
    FX_DENIED = 3,
    FX_FAILURE = 4,
    FX_UNSUPPORTED = 8
};
enum { SFTP_PIECE = 32768, SFTP_HANDLE_MAX = 256 };

struct ck_sftp {
    struct ck_ssh_child child;
    struct ck_ssh_share share;
    const char *target;
    int64_t deadline; /* monotonic; of what is waited for */
    int64_t until;    /* of the operation under way */
    int64_t timeout_ms;
    struct ck_buf tx, rx;
    size_t tx_at, rx_at, packet; /* `packet`: where the one being made starts */
    uint32_t next_id;
    bool open, posix_rename, hardlink, fsync;
    bool ahead; /* requests left together with the greeting, and none has been answered yet */
    bool plain; /* this server gets none before it has greeted */
    bool again; /* what begins next is an operation's second try */
    bool guess; /* handles can be guessed: none has been closed, and no guess was wrong */
    uint32_t handles, kept; /* opened on this connection; of them left open */
};

struct ck_sftp_reply {
    uint8_t type;
    uint32_t id;
    struct ck_slice body; /* after the id; valid until the next call */
    uint32_t status;      /* of SFTP_STATUS; FX_OK for the others */
};

/* Connect when there is no connection, and start the operation's time. `requests`, when not NULL,
 * makes the operation's first requests; on a new connection they leave together with the greeting,
 * which saves a round trip. It is called again when connecting takes several tries. */
int ck_sftp_begin(struct ck_sftp *c, const struct ck_env *env, void (*requests)(void *arg),
                  void *arg, struct ck_err *err);
/* After a failure `r`: whether the server may have stumbled over requests that came with the
 * greeting. Then the operation is to be begun once more; it waits for the greeting this time. */
bool ck_sftp_again(struct ck_sftp *c, int r);
/* `done` as of ck_ssh_end(). */
void ck_sftp_close(struct ck_sftp *c, bool done);
/* Make a request: start, add its fields, end. `id` 0: the next one. Returns the id. */
uint32_t ck_sftp_start(struct ck_sftp *c, int type, uint32_t id);
void ck_sftp_u32(struct ck_sftp *c, uint32_t v);
void ck_sftp_u64(struct ck_sftp *c, uint64_t v);
void ck_sftp_str(struct ck_sftp *c, struct ck_slice s);
void ck_sftp_end(struct ck_sftp *c);
/* Send what can be sent without waiting: requests whose replies nobody waits for. */
void ck_sftp_flush(struct ck_sftp *c);
/* The next reply to anything. UNAVAILABLE, TIMEOUT, UNAUTHENTICATED: the connection is gone. */
int ck_sftp_next(struct ck_sftp *c, struct ck_sftp_reply *ret, struct ck_err *err);
/* The reply to `id`; others are dropped (nobody waits for a CLOSE). */
int ck_sftp_wait(struct ck_sftp *c, uint32_t id, struct ck_sftp_reply *ret, struct ck_err *err);
/* The status in reply to `id`; any other reply is an error, and nobody knows what was done. */
int ck_sftp_wait_status(struct ck_sftp *c, uint32_t id, uint32_t *ret, struct ck_err *err);
/* The handle that the server will give to the k-th file opened from now on, when it counts them as
 * OpenSSH does: requests on a file can then follow its opening without waiting for it. Only handles
 * that were never given before are guessed, so that a request on one reaches the file that gets it
 * or none; whether it is the right one tells the reply to the opening. false: no guess. */
enum { SFTP_GUESS = 4 };
bool ck_sftp_guess(const struct ck_sftp *c, uint32_t k, char ret[SFTP_GUESS]);
/* Close a handle without waiting for the reply. The first few of a connection stay open until it
 * ends, since handles that come back cannot be guessed. */
void ck_sftp_release(struct ck_sftp *c, struct ck_slice handle);
/* A reply's handle; false when there is none. */
bool ck_sftp_get_handle(const struct ck_sftp_reply *reply, char ret[SFTP_HANDLE_MAX],
                        size_t *ret_len);
/* Fields of a reply; false when it is too short. */
bool ck_sftp_get_u32(struct ck_slice *s, uint32_t *ret);
bool ck_sftp_get_str(struct ck_slice *s, struct ck_slice *ret);
struct ck_sftp_attrs {
    uint64_t size;
    uint32_t mode, mtime; /* 0: not told */
};
bool ck_sftp_get_attrs(struct ck_slice *s, struct ck_sftp_attrs *ret);

/* ---- ssh.c ---- */
struct ck_ssh {
    struct ck_vfs base; /* container: the target */
    struct ck_sftp sftp;
};
/* Start an operation; with its first requests as of ck_sftp_begin(). */
int ck_ssh_begin(struct ck_ssh *s, struct ck_err *err);
int ck_ssh_begin_with(struct ck_ssh *s, void (*requests)(void *arg), void *arg, struct ck_err *err);
/* The remote path of a key: "/" + key. */
const char *ck_ssh_path(struct ck_arena *a, const char *key);
/* "error VERB ssh://…: why" from a status. */
int ck_ssh_fail(struct ck_ssh *s, uint32_t status, const char *verb, const char *key,
                struct ck_err *err);
int ck_ssh_wrap(struct ck_ssh *s, const char *verb, const char *key, struct ck_err *err);
/* A request with one path, and its status. */
int ck_ssh_simple(struct ck_ssh *s, int type, const char *path, uint32_t *ret_status,
                  struct ck_err *err);
/* Attributes of what is there, links not followed; *ret_status FX_NO_SUCH_FILE when nothing is. */
int ck_ssh_lstat(struct ck_ssh *s, const char *path, uint32_t *ret_status,
                 struct ck_sftp_attrs *ret, struct ck_err *err);
/* Names of unfinished files and of locks begin so, and are not listed. */
#define CK_SSH_TEMP ".ckops-"

/* ---- read.c ---- */
int ck_ssh_read(struct ck_vfs *v, const char *key, struct ck_buf *out, struct ck_version *ret,
                struct ck_err *err);
int ck_ssh_read_many(struct ck_vfs *v, const char *const *keys, size_t n, ck_bulk_fn fn, void *arg,
                     struct ck_err *err);

/* ---- write.c ---- */
int ck_ssh_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                 const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err);
int ck_ssh_remove(struct ck_vfs *v, const char *key, const struct ck_version *version,
                  struct ck_err *err);
int ck_ssh_remove_versions(struct ck_vfs *v, const char *key, struct ck_err *err);

/* ---- list.c ---- */
int ck_ssh_vfs_list(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                    struct ck_err *err);
int ck_ssh_list_dirs(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                     struct ck_err *err);
int ck_ssh_tree(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                struct ck_err *err);
int ck_ssh_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err);
