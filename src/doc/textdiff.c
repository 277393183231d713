/* Line differences: Myers' algorithm on lines, with a ceiling on the work after which what is left
 * is shown as one large change. Does not look inside lines. The layout is kOps' (pkg/diff). */
#include "doc/textdiff.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Time and memory grow with the square of this: 16 MB at most. */
enum { MAX_EDITS = 2000 };

struct lines {
    struct ck_slice *v;
    size_t n, cap;
};

struct op {
    char sign; /* ' ', '-' or '+' */
    struct ck_slice text;
};

struct script {
    struct op *v;
    size_t n, cap;
};

static bool terminated(struct ck_slice t)
{
    return !t.len || t.ptr[t.len - 1] == '\n';
}

/* A newline at the end ends the last line; `keep_end`: it begins an empty one, so that it shows. */
static void split(struct ck_slice t, bool keep_end, struct lines *l)
{
    struct ck_slice line;
    ck_xgrow(&l->v, &l->cap, 1, sizeof *l->v); /* never NULL, even without lines */
    if (!keep_end && terminated(t)) {
        if (!t.len)
            return;
        t.len--;
    }
    while (ck_slice_next(&t, '\n', &line)) {
        ck_xgrow(&l->v, &l->cap, l->n + 1, sizeof *l->v);
        l->v[l->n++] = line;
    }
}

static void add(struct script *s, char sign, struct ck_slice text)
{
    ck_xgrow(&s->v, &s->cap, s->n + 1, sizeof *s->v);
    s->v[s->n++] = (struct op){sign, text};
}

/* ---- shortest edit script ---- */

/* Two runs of lines without common head or tail, and which of their lines have no partner. */
struct pair {
    const struct ck_slice *a, *b;
    long n, m;
    bool *gone, *come;
};

/* front[d][i] is how far along `a` the path with d edits on diagonal 2i-d got. */
static void walk_back(const struct pair *p, long *const *front, long d)
{
    long x = p->n, y = p->m;
    for (; d > 0; d--) {
        const long *v = front[d - 1]; /* diagonals 1-d … d-1 */
        long k = x - y, i = (k + d) / 2;
        bool down = k == -d || (k != d && v[i - 1] < v[i]);
        long from_x = down ? v[i] : v[i - 1], from_y = from_x - (down ? k + 1 : k - 1);
        if (down)
            p->come[from_y] = true;
        else
            p->gone[from_x] = true;
        x = from_x;
        y = from_y;
    }
}

/* Fill the front of d edits from the one before; true when it reaches the end of both runs. */
static bool extend(const struct pair *p, const long *before, long *v, long d)
{
    for (long i = 0; i <= d; i++) {
        long k = 2 * i - d, x = 0;
        if (d > 0) {
            bool down = i == 0 || (i != d && before[i - 1] < before[i]);
            x = down ? before[i] : before[i - 1] + 1;
        }
        long y = x - k;
        while (x < p->n && y < p->m && ck_slice_eq(p->a[x], p->b[y]))
            x++, y++;
        v[i] = x;
        if (x >= p->n && y >= p->m)
            return true;
    }
    return false;
}

/* Mark the lines without partner; false when there are more than the ceiling. */
static bool myers(const struct pair *p)
{
    long *front[MAX_EDITS + 1];
    long d = 0, most = p->n + p->m < MAX_EDITS ? p->n + p->m : MAX_EDITS;
    bool found = false;
    for (; d <= most && !found; d++) {
        front[d] = ck_xmalloc((size_t)(d + 1) * sizeof(long));
        found = extend(p, d > 0 ? front[d - 1] : NULL, front[d], d);
    }
    if (found)
        walk_back(p, front, d - 1);
    while (d > 0)
        free(front[--d]);
    return found;
}

/* Write a change. Runs of equal length are shown line by line, the new line above the old one, as
 * kOps' comparison of characters has it for lines of which only the value changed. */
static void add_change(struct script *s, const struct ck_slice *gone, size_t n,
                       const struct ck_slice *come, size_t m)
{
    for (size_t i = 0; i < m; i++) {
        add(s, '+', come[i]);
        if (n == m)
            add(s, '-', gone[i]);
    }
    for (size_t i = 0; i < n && n != m; i++)
        add(s, '-', gone[i]);
}

static void add_pair(struct script *s, const struct pair *p)
{
    long i = 0, k = 0;
    while (i < p->n || k < p->m) {
        long gone = i, come = k;
        while (i < p->n && p->gone[i])
            i++;
        while (k < p->m && p->come[k])
            k++;
        add_change(s, p->a + gone, (size_t)(i - gone), p->b + come, (size_t)(k - come));
        for (; i < p->n && k < p->m && !p->gone[i] && !p->come[k]; i++, k++)
            add(s, ' ', p->a[i]);
    }
}

static void compare(const struct lines *a, const struct lines *b, struct script *s)
{
    size_t head = 0, tail = 0;
    while (head < a->n && head < b->n && ck_slice_eq(a->v[head], b->v[head]))
        head++;
    while (tail < a->n - head && tail < b->n - head &&
           ck_slice_eq(a->v[a->n - 1 - tail], b->v[b->n - 1 - tail]))
        tail++;
    struct pair p = {.a = a->v + head,
                     .b = b->v + head,
                     .n = (long)(a->n - head - tail),
                     .m = (long)(b->n - head - tail)};
    CK_AUTOFREE bool *gone = ck_xcalloc((size_t)p.n + 1, sizeof *gone);
    CK_AUTOFREE bool *come = ck_xcalloc((size_t)p.m + 1, sizeof *come);
    p.gone = gone;
    p.come = come;
    if (!myers(&p)) {
        memset(gone, 1, (size_t)p.n);
        memset(come, 1, (size_t)p.m);
    }
    for (size_t i = 0; i < head; i++)
        add(s, ' ', a->v[i]);
    add_pair(s, &p);
    for (size_t i = a->n - tail; i < a->n; i++)
        add(s, ' ', a->v[i]);
}

/* ---- layout ---- */

static void put(struct ck_buf *out, const struct op *op, bool color)
{
    color = color && op->sign != ' ';
    if (color)
        ck_buf_puts(out, op->sign == '-' ? "\033[31m" : "\033[32m");
    ck_buf_putc(out, op->sign);
    ck_buf_putc(out, ' ');
    ck_buf_put(out, op->text);
    ck_buf_puts(out, color ? "\033[0m\n" : "\n");
}

static void show(struct ck_buf *out, const struct script *s, struct ck_diff_style style)
{
    CK_AUTOFREE bool *near = ck_xcalloc(s->n + 1, sizeof *near);
    size_t done = 0; /* lines before this one are decided */
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].sign == ' ')
            continue;
        size_t from = i > style.context ? i - style.context : 0;
        for (done = done > from ? done : from; done < s->n && done <= i + style.context; done++)
            near[done] = true;
    }
    for (size_t i = 0; i < s->n; i++) {
        if (near[i])
            put(out, &s->v[i], style.color);
        else if (i == 0 || near[i - 1])
            ck_buf_puts(out, "...\n");
    }
}

bool ck_text_diff(struct ck_buf *out, struct ck_slice a, struct ck_slice b,
                  struct ck_diff_style style)
{
    if (ck_slice_eq(a, b))
        return false;
    struct lines la = {0}, lb = {0};
    struct script s = {0};
    bool ends_differ = terminated(a) != terminated(b) && a.len && b.len;
    split(a, ends_differ, &la);
    split(b, ends_differ, &lb);
    compare(&la, &lb, &s);
    show(out, &s, style);
    free(la.v);
    free(lb.v);
    free(s.v);
    return true;
}
