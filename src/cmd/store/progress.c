/* How far a copy is, one line, rewritten on a terminal, else now and then; what it does to which
 * file. */
#include "cmd/store/storecmd.h"

#include "base/enc.h"
#include "doc/val.h"

#include <stdio.h>
#include <string.h>

enum { LINE_MS = 5000, MS = 1000 };

void ck_store_bytes(struct ck_buf *b, uint64_t n)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double v = (double)n;
    size_t u = 0;
    for (; v >= 1024 && u + 1 < CK_ARRAY_LEN(units); u++)
        v /= 1024;
    ck_buf_fmt(b, u ? "%.1f %s" : "%.0f %s", v, units[u]);
}

static void put_progress(struct ck_buf *b, const struct ck_copy_stats *s)
{
    uint64_t done = s->copied + s->deleted + s->failed;
    ck_buf_fmt(b, "%llu of %llu files, ", (unsigned long long)done, (unsigned long long)s->files);
    uint64_t ms = s->ms > 0 ? (uint64_t)s->ms : 1;
    ck_store_bytes(b, s->bytes);
    ck_buf_puts(b, ", ");
    ck_store_bytes(b, s->bytes * MS / ms);
    ck_buf_puts(b, "/s");
    /* Whichever takes longer: the files or their bytes. */
    uint64_t left = done ? ms * (s->files - done) / done : 0;
    if (s->bytes && s->bytes < s->total && ms * (s->total - s->bytes) / s->bytes > left)
        left = ms * (s->total - s->bytes) / s->bytes;
    if (left && done < s->files)
        ck_buf_fmt(b, ", %llu s left", (unsigned long long)(left / MS + 1));
}

void ck_store_progress(struct ck_store_progress *p, const struct ck_copy_stats *s)
{
    bool last = s->copied + s->deleted + s->failed >= s->files;
    if (!p->terminal && (s->ms - p->last_line_ms < LINE_MS || last))
        return;
    p->last_line_ms = s->ms;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    put_progress(&b, s);
    if (p->terminal)
        fprintf(stderr, "\r\x1b[K%s%s", ck_buf_str(&b), last ? "\n" : "");
    else
        fprintf(stderr, "%s\n", ck_buf_str(&b));
    fflush(stderr);
    p->open = p->terminal && !last;
}

void ck_store_progress_end(struct ck_store_progress *p)
{
    if (p->open)
        fputc('\n', stderr);
    p->open = false;
}

void ck_store_planned(const struct ck_store_report *r, enum ck_copy_what what, const char *path,
                      int64_t size)
{
    static const char *const words[] = {"copy", "replace", "delete"};
    if (r->json) {
        struct ck_val *m = ck_map(r->a);
        ck_set_str(r->a, m, "action", words[what]);
        ck_set_str(r->a, m, "path", path);
        if (size >= 0)
            ck_set_int(r->a, m, "size", size);
        ck_append(r->a, r->plan, m);
        return;
    }
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(path));
    bool plain = q.len == strlen(path) + 2;
    ck_print(r->ctx, "%-7s %s\n", words[what], plain ? path : ck_buf_str(&q));
}

void ck_store_failed(const struct ck_store_report *r, const char *word, const char *path,
                     const struct ck_err *why)
{
    struct ck_val *m = ck_map(r->a);
    const char *before = ck_str_at(ck_item(r->failures, ck_len(r->failures) - 1), "error");
    bool again = *before && strcmp(before, ck_err_msg(why)) == 0;
    ck_set_str(r->a, m, "path", path);
    ck_set_str(r->a, m, "error", ck_err_msg(why));
    ck_append(r->a, r->failures, m);
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(path));
    fprintf(stderr, "%s: %s: %s\n", word, ck_buf_str(&q), again ? "the same" : ck_err_msg(why));
}
