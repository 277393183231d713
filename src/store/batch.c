/* Several writes that happen all or not at all.
 *
 * Stores have no transactions: on a failure, what was written is taken back step by step, each only
 * while the content is still what this run wrote. Where nobody can say whether the write that
 * failed took effect, all of it stays: `create -f` again finds a beginning that it completes, and
 * not an end without a beginning. kOps has nothing like it. */
#include "store/store.h"

#include "base/mem.h"

#include <signal.h>

struct ck_batch_item *ck_batch_add(struct ck_arena *a, struct ck_batch *b)
{
    if (b->n == b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 8;
        struct ck_batch_item *v = ck_arena_alloc(a, cap * sizeof *v);
        if (b->n)
            memcpy(v, b->v, b->n * sizeof *v);
        b->v = v;
        b->cap = cap;
    }
    struct ck_batch_item *it = &b->v[b->n++];
    *it = (struct ck_batch_item){0};
    return it;
}

static int take_back(const struct ck_batch_item *it, struct ck_err *err)
{
    if (!it->replaces)
        return ck_vfs_remove(&it->path, &it->written, err);
    struct ck_write_opts opts = {.mode = CK_WRITE_IF_UNCHANGED, .version = &it->written};
    return ck_vfs_write(&it->path, it->before, &opts, NULL, err);
}

enum fate { NOT_WRITTEN, WRITTEN, UNKNOWN };

/* A write that failed without an answer may have happened all the same: look. */
static enum fate fate_of(struct ck_batch_item *it, enum ck_code code)
{
    if (code != CK_TIMEOUT && code != CK_UNAVAILABLE && code != CK_IO)
        return NOT_WRITTEN;
    CK_AUTOERR ignored = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(it->data.len + 1);
    int r = ck_vfs_read(&it->path, &b, &it->written, &ignored);
    if (r == 0)
        return ck_slice_eq(ck_buf_slice(&b), it->data) ? WRITTEN : NOT_WRITTEN;
    return r == -CK_TIMEOUT || r == -CK_UNAVAILABLE || r == -CK_IO ? UNKNOWN : NOT_WRITTEN;
}

static void append(struct ck_err *err, const char *what, const char *list)
{
    CK_AUTOFREE char *msg = ck_xstrdup(ck_err_msg(err));
    int status = err->http_status;
    if (!*list)
        return;
    ck_fail(err, err->code, "%s\n%s:%s", msg, what, list);
    err->http_status = status;
}

static void leave(struct ck_arena *a, const struct ck_batch *b, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf list = CK_BUF_INIT;
    for (size_t i = 0; i < b->n; i++)
        if (b->v[i].done)
            ck_buf_fmt(&list, "\n  %s", ck_path_text(a, &b->v[i].path));
    append(err, "Whether it took effect is not known, so these writes before it stay",
           ck_buf_str(&list));
}

static void roll_back(struct ck_arena *a, struct ck_batch *b, size_t failed, struct ck_err *err)
{
    enum fate fate = fate_of(&b->v[failed], err->code);
    if (fate == UNKNOWN) {
        leave(a, b, err);
        return;
    }
    b->v[failed].done |= fate == WRITTEN;
    CK_AUTOBUF struct ck_buf left = CK_BUF_INIT;
    for (size_t i = failed + 1; i-- > 0;) {
        struct ck_batch_item *it = &b->v[i];
        if (!it->done)
            continue;
        it->done = false;
        CK_AUTOERR e = CK_ERR_INIT;
        if (take_back(it, &e) && e.code != CK_NOT_FOUND)
            ck_buf_fmt(&left, "\n  %s: %s", ck_path_text(a, &it->path), ck_err_msg(&e));
    }
    append(err, "These writes could not be taken back", ck_buf_str(&left));
}

static int write_item(struct ck_arena *a, const struct ck_store *s, struct ck_batch_item *it,
                      struct ck_err *err)
{
    struct ck_write_opts opts = {.mode = CK_WRITE_CREATE};
    if (it->replaces)
        opts = (struct ck_write_opts){.mode = CK_WRITE_IF_UNCHANGED, .version = &it->version};
    int r = ck_vfs_write(&it->path, it->data, &opts, &it->written, err);
    it->done = !r;
    if (r == -CK_EXISTS && it->unguarded) {
        ck_err_done(err);
        opts.mode = CK_WRITE_ANY;
        r = ck_vfs_write(&it->path, it->data, &opts, &it->written, err);
    }
    if (!r)
        return 0;
    const char *text = ck_path_text(a, &it->path);
    if (err->code == CK_EXISTS) {
        s->warn(s->warn_arg,
                ck_arena_printf(a, "failed to create file as already exists: %s", text));
        return ck_fail(err, CK_EXISTS, "file already exists");
    }
    if (err->code == CK_CONFLICT || (err->code == CK_NOT_FOUND && it->replaces))
        return ck_fail(err, CK_CONFLICT, "%s was changed by someone else since it was read",
                       it->what);
    ck_wrap(err, "error writing configuration file %s", text);
    return ck_wrap(err, "error writing %s", it->what);
}

static int write_all(struct ck_arena *a, const struct ck_store *s, struct ck_batch *b,
                     size_t *ret_failed, struct ck_err *err)
{
    for (size_t i = 0; i < b->n; i++) {
        if (write_item(a, s, &b->v[i], err)) {
            if (ret_failed)
                *ret_failed = i;
            roll_back(a, b, i, err);
            return -(int)err->code;
        }
    }
    return 0;
}

int ck_batch_commit(struct ck_arena *a, const struct ck_store *s, struct ck_batch *b,
                    size_t *ret_failed, struct ck_err *err)
{
    for (size_t i = 0; i < b->n; i++) {
        if (b->v[i].data.ptr)
            continue;
        if (ret_failed)
            *ret_failed = i;
        return ck_fail(err, CK_INTERNAL, "%s could not be written as YAML; nothing was stored",
                       b->v[i].what);
    }
    /* Ctrl-C between two writes would leave a part behind: it takes effect afterwards. */
    sigset_t stop, old;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &stop, &old);
    int r = write_all(a, s, b, ret_failed, err);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return r;
}
