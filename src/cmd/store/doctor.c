/* `store doctor`: whether a store is fit for use. Everything but options and printing is in
 * ops/doctor. kOps has nothing like it. */
#include "cmd/store/storecmd.h"

#include "doc/val.h"
#include "ops/doctor/doctor.h"
#include "ui/table.h"

#include <string.h>

enum { FINDINGS = 2, MAX_REQUESTS = 1000 };

struct doctor_opts {
    const char *output;
    bool read_only;
    int64_t requests;
};

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct doctor_opts *o = opts;
    if (ck_store_check_output(o->output, "table", err) < 0)
        return -(int)err->code;
    if (o->requests < 1 || o->requests > MAX_REQUESTS)
        return ck_fail(err, CK_INVALID, "--requests is 1 to %d", MAX_REQUESTS);
    if (argc > 1)
        return ck_fail(err, CK_INVALID, "one store at a time");
    if (argc == 1 && ctx->state_given)
        return ck_fail(err, CK_INVALID, "give the store once: as argument or by --state");
    if (argc == 1) {
        ctx->opt_state = argv[0];
        ctx->state_given = true;
    }
    return 0;
}

static void print_json(struct ck_ctx *ctx, struct ck_arena *a, const char *url,
                       const struct ck_exam *x)
{
    struct ck_val *m = ck_map(a), *rows = ck_list(a), *missing = ck_list(a);
    for (size_t i = 0; i < x->n; i++) {
        struct ck_val *row = ck_map(a);
        ck_set_str(a, row, "check", x->v[i].check);
        ck_set_str(a, row, "result", ck_exam_result_name(x->v[i].result));
        ck_set_str(a, row, "detail", x->v[i].detail);
        if (x->v[i].missing) {
            ck_set_str(a, row, "missing", x->v[i].missing);
            ck_append_str(a, missing, x->v[i].missing);
        }
        ck_append(a, rows, row);
    }
    ck_set_str(a, m, "store", url);
    ck_set(a, m, "checks", rows);
    ck_set(a, m, "missing", missing);
    ck_store_print_json(ctx, m);
}

/* A cell holds one line, whatever a server says. */
static void put_cell(struct ck_buf *b, const char *text)
{
    for (; *text; text++)
        ck_buf_putc(b, (unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text);
}

static void print_table(struct ck_ctx *ctx, const struct ck_exam *x)
{
    CK_AUTOBUF struct ck_buf lines = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    ck_buf_puts(&lines, "CHECK\tRESULT\tDETAIL\n");
    for (size_t i = 0; i < x->n; i++) {
        put_cell(&lines, x->v[i].check);
        ck_buf_fmt(&lines, "\t%s\t", ck_exam_result_name(x->v[i].result));
        put_cell(&lines, x->v[i].detail);
        ck_buf_putc(&lines, '\n');
    }
    ck_tabwriter(&out, ck_buf_slice(&lines));
    ck_print_slice(ctx, ck_buf_slice(&out));
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct doctor_opts *o = opts;
    struct ck_store *s;
    struct ck_exam found;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    int r = ck_ctx_store(ctx, &s, err);
    if (r < 0)
        return r;
    const struct ck_doctor_opts how = {.read_only = o->read_only,
                                       .requests = (unsigned)o->requests};
    r = ck_doctor_run(a, &s->root, &how, &found, err);
    if (r < 0)
        return r;
    if (strcmp(o->output, "json") == 0)
        print_json(ctx, a, s->url, &found);
    else
        print_table(ctx, &found);
    if (!ck_doctor_sound(&found))
        ctx->exit_status = FINDINGS;
    return 0;
}

#define O(member) .off = offsetof(struct doctor_opts, member), .given_off = CK_OPT_NO_GIVEN
static const struct ck_opt options[] = {
    CK_STORE_OUTPUT(struct doctor_opts, "table"),
    {.name = "read-only",
     .type = CK_OPT_BOOL,
     O(read_only),
     .help = "write nothing: leaves out what only a write can prove"},
    {.name = "requests",
     .type = CK_OPT_INT,
     O(requests),
     .dflt = "5",
     .complete = "",
     .help = "number of requests to time"},
    {0},
};

const struct ck_cmd ck_cmd_store_doctor = {
    .name = "doctor",
    .use = "doctor [STORE]",
    .brief = "Check access to a store and its settings.",
    .detail = "Shows who asks, where the store is, which permissions are missing by their names, "
              "whether conditional\nwrites hold, and how the store is set up. Writes a file below "
              ".ckops and deletes it again, unless\n--read-only. The exit status is 2 when a row "
              "says warn or fail.",
    .example = "ckops store doctor --state s3://my-store\n"
               "ckops store doctor --read-only -o json",
    .opts = options,
    .opts_size = sizeof(struct doctor_opts),
    .args = args,
    .run = run,
};
