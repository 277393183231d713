/* Line differences: Myers' algorithm on lines, with a ceiling on the work after which the rest is
 * shown as removed and added. The layout is kOps' (pkg/diff). */
#include "doc/textdiff.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_EDITS = 2000 };

struct lines {
    struct ck_slice *v;
    size_t n, cap;
};

static void split(struct ck_slice t, struct lines *l)
{
    struct ck_slice line;
    while (ck_slice_next(&t, '\n', &line)) {
        ck_xgrow(&l->v, &l->cap, l->n + 1, sizeof *l->v);
        l->v[l->n++] = line;
    }
}

struct script {
    char *op; /* '=', '-', '+' in output order */
    struct ck_slice *text;
    size_t n, cap;
};

static void add(struct script *s, char op, struct ck_slice text)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 64;
        s->op = ck_xrealloc(s->op, s->cap);
        s->text = ck_xrealloc(s->text, s->cap * sizeof *s->text);
    }
    s->op[s->n] = op;
    s->text[s->n++] = text;
}

/* Walk the saved fronts backwards and note which lines of a and b are unmatched. */
static void mark(long *const *fronts, long d, long n, long m, bool *gone, bool *come)
{
    long x = n, y = m;
    for (; d > 0; d--) {
        const long *v = fronts[d - 1] + d; /* index 0 is diagonal 0 of front d-1 */
        long k = x - y;
        bool down = k == -d || (k != d && v[k - 1] < v[k + 1]);
        long pk = down ? k + 1 : k - 1, px = v[pk], py = px - pk;
        while (x > px + !down && y > py + down)
            x--, y--;
        if (down)
            come[--y] = true;
        else
            gone[--x] = true;
        x = px;
        y = py;
    }
}

/* false: more edits than the ceiling. */
static bool myers(const struct ck_slice *a, long n, const struct ck_slice *b, long m, bool *gone,
                  bool *come)
{
    long most = n + m < MAX_EDITS ? n + m : MAX_EDITS;
    long **fronts = ck_xcalloc((size_t)most + 1, sizeof *fronts);
    long *v = ck_xcalloc((size_t)(2 * most + 3), sizeof *v), *mid = v + most + 1;
    bool found = false;
    long d = 0;
    for (; d <= most && !found; d++) {
        for (long k = -d; k <= d; k += 2) {
            bool down = k == -d || (k != d && mid[k - 1] < mid[k + 1]);
            long x = down ? mid[k + 1] : mid[k - 1] + 1, y = x - k;
            while (x < n && y < m && ck_slice_eq(a[x], b[y]))
                x++, y++;
            mid[k] = x;
            if (x >= n && y >= m) {
                found = true;
                break;
            }
        }
        if (found)
            break;
        /* Diagonals -(d+1) … d+1 of this front, for the way back. */
        fronts[d] = ck_xmemdup(mid - (d + 1), (size_t)(2 * (d + 1) + 1) * sizeof *v);
    }
    if (found)
        mark((long *const *)fronts, d, n, m, gone, come);
    for (long i = 0; i <= most; i++)
        free(fronts[i]);
    free(fronts);
    free(v);
    return found;
}

static void build(const struct lines *a, const struct lines *b, struct script *s)
{
    size_t head = 0, tail = 0;
    while (head < a->n && head < b->n && ck_slice_eq(a->v[head], b->v[head]))
        head++;
    while (tail < a->n - head && tail < b->n - head &&
           ck_slice_eq(a->v[a->n - 1 - tail], b->v[b->n - 1 - tail]))
        tail++;
    size_t n = a->n - head - tail, m = b->n - head - tail;
    bool *gone = ck_xcalloc(n + 1, 1), *come = ck_xcalloc(m + 1, 1);
    if (!myers(a->v + head, (long)n, b->v + head, (long)m, gone, come)) {
        memset(gone, 1, n);
        memset(come, 1, m);
    }
    for (size_t i = 0; i < head; i++)
        add(s, '=', a->v[i]);
    for (size_t i = 0, k = 0; i < n || k < m;) {
        if (i < n && gone[i])
            add(s, '-', a->v[head + i++]);
        else if (k < m && come[k])
            add(s, '+', b->v[head + k++]);
        else
            add(s, '=', a->v[head + i++]), k++;
    }
    for (size_t i = 0; i < tail; i++)
        add(s, '=', a->v[a->n - tail + i]);
    free(gone);
    free(come);
}

static void put(struct ck_buf *out, char op, struct ck_slice text, struct ck_diff_style style)
{
    const char *color = op == '-' ? "\033[31m" : op == '+' ? "\033[32m" : "";
    if (style.color)
        ck_buf_puts(out, color);
    ck_buf_puts(out, op == '-' ? "- " : op == '+' ? "+ " : "  ");
    ck_buf_put(out, text);
    if (style.color && *color)
        ck_buf_puts(out, "\033[0m");
    ck_buf_putc(out, '\n');
}

static void show(struct ck_buf *out, const struct script *s, struct ck_diff_style style)
{
    bool *near = ck_xcalloc(s->n + 1, 1);
    for (size_t i = 0; i < s->n; i++) {
        if (s->op[i] == '=')
            continue;
        size_t from = i > style.context ? i - style.context : 0;
        for (size_t k = from; k <= i + style.context && k < s->n; k++)
            near[k] = true;
    }
    for (size_t i = 0; i < s->n; i++) {
        if (near[i])
            put(out, s->op[i], s->text[i], style);
        else if (i == 0 || near[i - 1])
            ck_buf_puts(out, "...\n");
    }
    free(near);
}

bool ck_text_diff(struct ck_buf *out, struct ck_slice a, struct ck_slice b,
                  struct ck_diff_style style)
{
    if (ck_slice_eq(a, b))
        return false;
    struct lines la = {0}, lb = {0};
    struct script s = {0};
    split(a, &la);
    split(b, &lb);
    build(&la, &lb, &s);
    show(out, &s, style);
    free(la.v);
    free(lb.v);
    free(s.op);
    free(s.text);
    return true;
}
