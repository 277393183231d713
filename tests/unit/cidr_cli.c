/* Networks and addresses for the independent check (tests/oracle/cidr_oracle.py): one question per
 * line on standard input, words separated by tabs, one answer per line on standard output. */
#include "doc/cidr.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORDS = 4 };

struct question {
    struct ck_slice word[WORDS]; /* the verb, then its arguments; missing ones are empty */
    struct ck_cidr c[WORDS];     /* the arguments as networks … */
    struct ck_ipaddr ip[WORDS];  /* … and as addresses; zero when they are none */
};

static void say_cidr(struct ck_buf *out, bool there, const struct ck_cidr *c)
{
    if (there)
        ck_cidr_put(out, c);
    else
        ck_buf_puts(out, "none");
}

static void say_ip(struct ck_buf *out, bool there, const struct ck_ipaddr *ip)
{
    if (there)
        ck_ipaddr_put(out, ip);
    else
        ck_buf_puts(out, "none");
}

static long number(struct ck_slice s)
{
    char text[32];
    snprintf(text, sizeof text, "%.*s", CK_SARG(s));
    return strtol(text, NULL, 10);
}

static void parse(struct question *q, struct ck_buf *out)
{
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_cidr c;
    if (ck_cidr_parse(q->word[1], &c, &err) < 0) {
        ck_buf_puts(out, ck_err_msg(&err));
        return;
    }
    ck_ipaddr_put(out, &c.ip);
    ck_buf_putc(out, ' ');
    ck_cidr_put(out, &c);
}

static void ip(struct question *q, struct ck_buf *out)
{
    struct ck_ipaddr a;
    bool there = ck_ipaddr_parse(q->word[1], &a);
    say_ip(out, there, &a);
}

static void contains(struct question *q, struct ck_buf *out)
{
    ck_buf_fmt(out, "%d", ck_cidr_contains(&q->c[1], &q->ip[2]));
}

static void within(struct question *q, struct ck_buf *out)
{
    ck_buf_fmt(out, "%d", ck_cidr_within(&q->c[1], &q->c[2]));
}

static void overlap(struct question *q, struct ck_buf *out)
{
    ck_buf_fmt(out, "%d", ck_cidr_overlap(&q->c[1], &q->c[2]));
}

static void nth(struct question *q, struct ck_buf *out)
{
    struct ck_cidr c;
    bool there = ck_cidr_nth(&q->c[1], (int)number(q->word[2]), (uint64_t)number(q->word[3]), &c);
    say_cidr(out, there, &c);
}

static void place(struct question *q, struct ck_buf *out)
{
    struct ck_cidr c;
    bool there = ck_cidr_place(&q->c[1], q->word[2], &c, NULL) == 0;
    say_cidr(out, there, &c);
}

static void split(struct question *q, struct ck_buf *out)
{
    struct ck_cidr part[64];
    size_t n = (size_t)number(q->word[2]);
    if (n > CK_ARRAY_LEN(part) || !ck_cidr_split(&q->c[1], n, part)) {
        ck_buf_puts(out, "none");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        ck_buf_puts(out, i ? " " : "");
        ck_cidr_put(out, &part[i]);
    }
}

static void add(struct question *q, struct ck_buf *out)
{
    struct ck_ipaddr r;
    bool there = ck_ipaddr_add(&q->ip[1], number(q->word[2]), &r);
    say_ip(out, there, &r);
}

static void cmp(struct question *q, struct ck_buf *out)
{
    int r = ck_ipaddr_cmp(&q->ip[1], &q->ip[2]);
    ck_buf_fmt(out, "%d", r < 0 ? -1 : r > 0);
}

static const struct {
    const char *verb;
    void (*answer)(struct question *q, struct ck_buf *out);
} verbs[] = {{"parse", parse},     {"ip", ip},   {"contains", contains}, {"within", within},
             {"overlap", overlap}, {"nth", nth}, {"place", place},       {"split", split},
             {"add", add},         {"cmp", cmp}};

static void answer(struct ck_slice line, struct ck_buf *out)
{
    struct question q = {0};
    for (size_t i = 0; i < WORDS && ck_slice_next(&line, '\t', &q.word[i]); i++) {
        ck_cidr_parse(q.word[i], &q.c[i], NULL);
        ck_ipaddr_parse(q.word[i], &q.ip[i]);
    }
    for (size_t i = 0; i < CK_ARRAY_LEN(verbs); i++)
        if (ck_slice_eq_str(q.word[0], verbs[i].verb))
            verbs[i].answer(&q, out);
    ck_buf_putc(out, '\n');
}

int main(void)
{
    CK_AUTOFREE char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    while ((n = getline(&line, &cap, stdin)) > 0) {
        ck_buf_reset(&out);
        answer(ck_slice_n(line, (size_t)n - (line[n - 1] == '\n')), &out);
        fwrite(out.ptr, 1, out.len, stdout);
    }
    return 0;
}
