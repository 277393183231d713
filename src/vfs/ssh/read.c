/* Reading, one file or many at once. Files are opened and read in one round trip where the server's
 * handles can be guessed (ck_sftp_guess), in two elsewhere. */
#include "vfs/ssh/ssh.h"

#include "base/mem.h"
#include "vfs/fs.h"

#include <string.h>

enum { DEFAULT_MAX = 64 << 20, AT_ONCE = 128 };
enum { OPEN_READ = 1 };
enum { STEPS = 2 }; /* ids per file: open, read */

/* One file on its way: opened, read piece by piece, closed. Its requests bear its own ids. */
struct fetch {
    struct ck_ssh *s;
    const char *key;
    uint32_t id; /* of its first request; the later one counts up from there */
    char handle[SFTP_HANDLE_MAX];
    size_t handle_len;
    bool guessed; /* its first piece has been asked for by a guess of its handle */
    struct ck_buf data;
    bool done;
};

static size_t max_size(const struct ck_ssh *s)
{
    return s->base.ctx->max_object ? s->base.ctx->max_object : DEFAULT_MAX;
}

static void ask_open(struct fetch *f)
{
    struct ck_sftp *c = &f->s->sftp;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    ck_sftp_start(c, SFTP_OPEN, f->id);
    ck_sftp_str(c, ck_slice_of(ck_ssh_path(a, f->key)));
    ck_sftp_u32(c, OPEN_READ);
    ck_sftp_u32(c, 0);
    ck_sftp_end(c);
}

static void ask(struct ck_sftp *c, uint32_t id, struct ck_slice handle, uint64_t at)
{
    ck_sftp_start(c, SFTP_READ, id);
    ck_sftp_str(c, handle);
    ck_sftp_u64(c, at);
    ck_sftp_u32(c, SFTP_PIECE);
    ck_sftp_end(c);
}

static void ask_piece(struct fetch *f)
{
    ask(&f->s->sftp, f->id + 1, ck_slice_n(f->handle, f->handle_len), f->data.len);
}

static int nonsense(struct fetch *f, struct ck_err *err)
{
    return ck_fail(err, CK_UNAVAILABLE, "error reading ssh://%s/%s: a reply that makes no sense",
                   f->s->base.container, f->key);
}

/* A piece that is shorter than what was asked for is the last one of an ordinary file. */
static int pieced(struct fetch *f, const struct ck_sftp_reply *reply, struct ck_err *err)
{
    struct ck_slice body = reply->body, piece = CK_S("");
    bool end = reply->type == SFTP_STATUS && reply->status == FX_EOF;
    /* A folder can be opened, but not read. */
    if (reply->type == SFTP_STATUS && reply->status == FX_FAILURE && !f->data.len)
        return ck_fail(err, CK_NOT_FOUND, "error reading ssh://%s/%s: it is not a file",
                       f->s->base.container, f->key);
    if (reply->type == SFTP_STATUS && !end)
        return ck_ssh_fail(f->s, reply->status, "reading", f->key, err);
    if (!end && (reply->type != SFTP_DATA || !ck_sftp_get_str(&body, &piece)))
        return nonsense(f, err);
    if (f->data.len + piece.len > max_size(f->s))
        return ck_fail(err, CK_LIMIT, "error reading ssh://%s/%s: it has more than %zu bytes",
                       f->s->base.container, f->key, max_size(f->s));
    ck_buf_put(&f->data, piece);
    f->done = end || piece.len < SFTP_PIECE;
    if (!f->done)
        ask_piece(f);
    return 0;
}

static void fetch_done(struct fetch *f)
{
    ck_buf_done(&f->data);
}

/* ---- many at once ---- */

struct batch {
    struct ck_ssh *s;
    const char *const *keys;
    size_t n, next; /* keys [next, n) have not been asked for */
    struct fetch *slots;
    size_t n_slots, busy;
    size_t *of; /* which key a slot holds */
    /* Pieces asked for by guessed handles: ids from guess_id on. */
    uint32_t guess_id;
    size_t guesses;
    char (*handles)[SFTP_GUESS];
    bool *answered;
    ck_bulk_fn fn;
    void *arg;
};

static void fill_slot(struct batch *b, size_t slot)
{
    struct fetch *f = &b->slots[slot];
    fetch_done(f);
    *f = (struct fetch){.s = b->s, .done = true};
    if (b->next >= b->n)
        return;
    b->of[slot] = b->next;
    f->key = b->keys[b->next++];
    f->done = false;
    f->id = b->s->sftp.next_id + 1;
    b->s->sftp.next_id += STEPS;
    ask_open(f);
}

/* All openings, then the readings: a file that cannot be opened shifts no guess, since the handles
 * are given to the others in turn. */
static void first_requests(void *arg)
{
    struct batch *b = arg;
    struct ck_sftp *c = &b->s->sftp;
    b->next = b->busy = b->guesses = 0;
    for (size_t i = 0; i < b->n_slots; i++) {
        fill_slot(b, i);
        b->busy += !b->slots[i].done;
    }
    b->guess_id = c->next_id + 1;
    while (b->guesses < b->n_slots &&
           ck_sftp_guess(c, (uint32_t)b->guesses, b->handles[b->guesses])) {
        ask(c, 0, ck_slice_n(b->handles[b->guesses], SFTP_GUESS), 0);
        b->answered[b->guesses++] = false;
    }
}

/* The slot a reply belongs to; b->n_slots: none. */
static size_t slot_of(const struct batch *b, const struct ck_sftp_reply *reply)
{
    uint32_t guess = reply->id - b->guess_id;
    for (size_t i = 0; i < b->n_slots; i++) {
        const struct fetch *f = &b->slots[i];
        if (f->done)
            continue;
        if (guess < b->guesses ? f->guessed && memcmp(f->handle, b->handles[guess], SFTP_GUESS) == 0
                               : reply->id - f->id < STEPS)
            return i;
    }
    return b->n_slots;
}

static int opened(struct batch *b, struct fetch *f, const struct ck_sftp_reply *reply,
                  struct ck_err *err)
{
    if (reply->type == SFTP_STATUS)
        return ck_ssh_fail(f->s, reply->status, "reading", f->key, err);
    if (!ck_sftp_get_handle(reply, f->handle, &f->handle_len))
        return nonsense(f, err);
    for (size_t i = 0; !f->guessed && f->handle_len == SFTP_GUESS && i < b->guesses; i++)
        f->guessed = !b->answered[i] && memcmp(f->handle, b->handles[i], SFTP_GUESS) == 0;
    if (!f->guessed) {
        b->s->sftp.guess = false;
        ask_piece(f);
    }
    return 0;
}

/* A reply that belongs to it. Negative: it has failed, with its own error. */
static int advance(struct batch *b, struct fetch *f, const struct ck_sftp_reply *reply,
                   struct ck_err *err)
{
    int r = 0;
    bool guess = reply->id - b->guess_id < b->guesses;
    if (guess && reply->type != SFTP_DATA && reply->status != FX_EOF)
        ask_piece(f); /* the server was not that far */
    else if (guess || reply->id == f->id + 1)
        r = pieced(f, reply, err);
    else
        r = opened(b, f, reply, err);
    if (guess)
        f->guessed = false;
    if (r < 0)
        f->done = true;
    if (f->done)
        ck_sftp_release(&f->s->sftp, ck_slice_n(f->handle, f->handle_len));
    return r;
}

/* Hand one result over; another takes its place. */
static int hand_over(struct batch *b, size_t slot, struct ck_err *item)
{
    struct ck_version version = {""};
    struct ck_slice data = ck_buf_slice(&b->slots[slot].data);
    if (item->code == CK_OK)
        ck_fs_version(data, &version);
    int r = b->fn(b->arg, b->of[slot], item->code == CK_OK ? data : CK_S(""), &version, item);
    fill_slot(b, slot);
    b->busy -= b->slots[slot].done;
    return r;
}

static int lost(struct batch *b, size_t i, const struct ck_err *why)
{
    CK_AUTOERR item = CK_ERR_INIT;
    ck_fail(&item, why->code, "%s", ck_err_msg(why));
    ck_ssh_wrap(b->s, "reading", b->keys[i], &item);
    return b->fn(b->arg, i, CK_S(""), &(struct ck_version){""}, &item);
}

/* The connection is gone: what is left gets its error. */
static int give_up(struct batch *b, const struct ck_err *why)
{
    int r = 0;
    for (size_t i = 0; r >= 0 && i < b->n_slots; i++)
        r = b->slots[i].done ? 0 : lost(b, b->of[i], why);
    for (; r >= 0 && b->next < b->n; b->next++)
        r = lost(b, b->next, why);
    return r < 0 ? r : 0;
}

static int run_batch(struct batch *b, bool *ret_again)
{
    while (b->busy) {
        struct ck_sftp_reply reply;
        CK_AUTOERR why = CK_ERR_INIT;
        int r = ck_sftp_next(&b->s->sftp, &reply, &why);
        *ret_again = r < 0 && ck_sftp_again(&b->s->sftp, r);
        if (*ret_again)
            return 0;
        if (r < 0)
            return give_up(b, &why);
        size_t slot = slot_of(b, &reply);
        if (reply.id - b->guess_id < b->guesses)
            b->answered[reply.id - b->guess_id] = true;
        if (slot == b->n_slots)
            continue;
        CK_AUTOERR item = CK_ERR_INIT;
        advance(b, &b->slots[slot], &reply, &item);
        r = b->slots[slot].done ? hand_over(b, slot, &item) : 0;
        if (r < 0) {
            b->s->sftp.guess = false; /* openings are still under way */
            return r;
        }
    }
    return 0;
}

int ck_ssh_read_many(struct ck_vfs *v, const char *const *keys, size_t n, ck_bulk_fn fn, void *arg,
                     struct ck_err *err)
{
    if (!n)
        return 0;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    size_t slots = n < AT_ONCE ? n : AT_ONCE;
    struct batch b = {.s = (struct ck_ssh *)v,
                      .keys = keys,
                      .n = n,
                      .n_slots = slots,
                      .slots = ck_arena_alloc(a, slots * sizeof(struct fetch)),
                      .of = ck_arena_alloc(a, slots * sizeof(size_t)),
                      .handles = ck_arena_alloc(a, slots * SFTP_GUESS),
                      .answered = ck_arena_alloc(a, slots * sizeof(bool)),
                      .fn = fn,
                      .arg = arg};
    int r;
    bool again;
    do {
        again = false;
        r = ck_ssh_begin_with(b.s, first_requests, &b, err);
        r = r < 0 ? r : run_batch(&b, &again);
    } while (again);
    for (size_t i = 0; i < slots; i++)
        fetch_done(&b.slots[i]);
    return r;
}

/* ---- one ---- */

struct one {
    struct ck_buf *out;
    struct ck_version *ret;
    struct ck_err *err;
};

static int take_one(void *arg, size_t i, struct ck_slice data, const struct ck_version *version,
                    struct ck_err *item_err)
{
    struct one *o = arg;
    if (item_err->code != CK_OK) {
        ck_err_move(o->err, item_err);
        return 0;
    }
    ck_buf_put(o->out, data);
    if (o->ret)
        *o->ret = *version;
    return 0;
}

int ck_ssh_read(struct ck_vfs *v, const char *key, struct ck_buf *out, struct ck_version *ret,
                struct ck_err *err)
{
    struct ck_ssh *s = (struct ck_ssh *)v;
    CK_AUTOERR own = CK_ERR_INIT;
    struct one one = {.out = out, .ret = ret, .err = &own};
    bool fresh = !s->sftp.open;
    int r = ck_ssh_read_many(v, &key, 1, take_one, &one, &own);
    if (r == 0 && own.code == CK_UNAVAILABLE &&
        !fresh) { /* a connection that had ended meanwhile */
        ck_err_done(&own);
        r = ck_ssh_read_many(v, &key, 1, take_one, &one, &own);
    }
    if (r < 0)
        ck_ssh_wrap(s, "reading", key, &own);
    r = -(int)own.code;
    return r < 0 && err ? ck_err_move(err, &own) : r;
}
