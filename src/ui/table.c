/* Tables: rows sorted by their cells, columns padded with tabs to multiples of eight. Does not know
 * what the cells mean. Mirrors kOps' util/pkg/tables over Go's text/tabwriter (minimum width 0, tab
 * width 8, padding 1). */
#include "ui/table.h"

#include "base/enc.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct ck_table {
    const char *const *columns;
    size_t n; /* columns */
    char ***rows;
    size_t n_rows, cap;
};

struct ck_table *ck_table_new(const char *const *columns, size_t n)
{
    struct ck_table *t = ck_xcalloc(1, sizeof *t);
    t->columns = columns;
    t->n = n;
    return t;
}

void ck_table_row(struct ck_table *t, const char *const *cells)
{
    ck_xgrow(&t->rows, &t->cap, t->n_rows + 1, sizeof(char **));
    char **row = ck_xcalloc(t->n + 1, sizeof *row);
    for (size_t i = 0; i < t->n; i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        ck_put_printable(&b, ck_slice_of(cells[i] ? cells[i] : ""), true);
        row[i] = ck_xstrdup(ck_buf_str(&b));
    }
    t->rows[t->n_rows++] = row;
}

void ck_table_free(struct ck_table *t)
{
    if (!t)
        return;
    for (size_t r = 0; r < t->n_rows; r++) {
        for (size_t i = 0; i < t->n; i++)
            free(t->rows[r][i]);
        free(t->rows[r]);
    }
    free(t->rows);
    free(t);
}

/* Rows end in NULL, so a row's own end stops the comparison. */
static int by_cells(const void *a, const void *b)
{
    char *const *x = *(char **const *)a, *const *y = *(char **const *)b;
    for (; *x && *y; x++, y++) {
        int r = strcmp(*x, *y);
        if (r)
            return r;
    }
    return 0;
}

void ck_table_render(struct ck_table *t, struct ck_buf *out)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    if (t->n_rows > 1)
        qsort(t->rows, t->n_rows, sizeof *t->rows, by_cells);
    for (size_t r = 0; r <= t->n_rows; r++)
        for (size_t i = 0; i < t->n; i++) {
            ck_buf_puts(&text, r ? t->rows[r - 1][i] : t->columns[i]);
            ck_buf_putc(&text, i + 1 < t->n ? '\t' : '\n');
        }
    ck_tabwriter(out, ck_buf_slice(&text));
}

/* ---- tabwriter ---- */

/* Columns beyond this one are written with their tabs but not aligned. */
enum { MAX_COLUMNS = 256 };

struct cell {
    struct ck_slice text;
    size_t width; /* in code points */
};

struct line {
    struct cell *cells; /* the last one is not terminated by a tab */
    size_t n;
};

struct writer {
    struct ck_buf *out;
    struct line *lines;
    size_t n, cap;
    size_t widths[MAX_COLUMNS]; /* of the columns around the block being written */
    size_t depth;
};

static void put_line(struct writer *w, const struct line *line)
{
    for (size_t i = 0; i < line->n; i++) {
        const struct cell *c = &line->cells[i];
        ck_buf_put(w->out, c->text);
        if (i + 1 == line->n)
            break;
        if (i >= w->depth && i >= MAX_COLUMNS)
            ck_buf_putc(w->out, '\t');
        for (size_t at = c->width; i < w->depth && at < w->widths[i]; at = (at / 8 + 1) * 8)
            ck_buf_putc(w->out, '\t');
    }
}

static void put_lines(struct writer *w, size_t from, size_t to)
{
    for (size_t l = from; l < to; l++) {
        put_line(w, &w->lines[l]);
        if (l + 1 < w->n)
            ck_buf_putc(w->out, '\n');
    }
}

/* Write lines from…to, of which the first w->depth columns have their widths. A block is a run of
 * lines that have a terminated cell in the next column: it decides that column's width. */
static void format(struct writer *w, size_t from, size_t to)
{
    size_t column = w->depth, start = from;
    for (size_t l = from; l < to && column < MAX_COLUMNS;) {
        if (column + 1 >= w->lines[l].n) {
            l++;
            continue;
        }
        put_lines(w, start, l);
        size_t width = 0;
        for (start = l; l < to && column + 1 < w->lines[l].n; l++)
            if (w->lines[l].cells[column].width + 1 > width)
                width = w->lines[l].cells[column].width + 1;
        w->widths[w->depth++] = (width + 7) / 8 * 8;
        format(w, start, l);
        w->depth--;
        start = l;
    }
    put_lines(w, start, to);
}

static void split_line(struct ck_slice text, struct line *ret)
{
    struct ck_slice cell;
    size_t cap = 0;
    while (ck_slice_next(&text, '\t', &cell)) {
        ck_xgrow(&ret->cells, &cap, ret->n + 1, sizeof *ret->cells);
        ret->cells[ret->n++] = (struct cell){cell, ck_utf8_len(cell)};
    }
}

void ck_tabwriter(struct ck_buf *out, struct ck_slice text)
{
    struct writer w = {.out = out};
    struct ck_slice line;
    while (ck_slice_next(&text, '\n', &line)) {
        ck_xgrow(&w.lines, &w.cap, w.n + 1, sizeof *w.lines);
        w.lines[w.n] = (struct line){0};
        split_line(line, &w.lines[w.n++]);
    }
    /* A tab that ends the text ends no column. */
    if (w.n) {
        struct line *last = &w.lines[w.n - 1];
        if (last->n && !last->cells[last->n - 1].text.len)
            last->n--;
    }
    format(&w, 0, w.n);
    for (size_t i = 0; i < w.n; i++)
        free(w.lines[i].cells);
    free(w.lines);
}
