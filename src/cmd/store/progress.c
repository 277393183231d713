/* How far a copy is: one line, rewritten on a terminal, else now and then. */
#include "cmd/store/storecmd.h"

#include <stdio.h>

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
    ck_store_bytes(b, s->bytes);
    if (s->ms > 0) {
        ck_buf_puts(b, ", ");
        ck_store_bytes(b, s->bytes * MS / (uint64_t)s->ms);
        ck_buf_puts(b, "/s");
    }
    /* Whichever takes longer: the files or their bytes. */
    uint64_t ms = (uint64_t)s->ms, left = done ? ms * (s->files - done) / done : 0;
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
}
