/* What object stores make of a write whose reply is lost, or that was refused because an earlier
 * sending had succeeded: marks tell, even when others have written on top of it. */
#include "store_wire.h"

#include "answering.h"
#include "vfs/object/outcome.h"

struct store_kind {
    const char *url, *old, *marks_header; /* NULL: in the body */
    const char *env[8];
    int refused; /* status of an update that is refused; 0: this store has none */
    int refused_create;
};

static const struct store_kind kinds[] = {
    {"gs://bkt/k", "1001", NULL, {"STORAGE_EMULATOR_HOST", "localhost:1", NULL}, 412, 412},
    {"azureblob://acct/cont/k",
     "\"0x1\" aa.bb",
     "x-ms-meta-ckops_write",
     {"AZURE_STORAGE_KEY", "dmVyeS1zZWNyZXQ=", NULL},
     412,
     409},
    {"oss://bkt/k",
     "\"E\" aa.bb",
     "x-oss-meta-ckops-write",
     {"OSS_REGION", "cn-x", "ALIYUN_ACCESS_KEY_ID", "id", "ALIYUN_ACCESS_KEY_SECRET", "secret",
      NULL},
     0,
     409},
};

struct world {
    const struct store_kind *kind;
    struct ck_arena *a;
    bool update;
    unsigned lost;      /* the first so many writes take effect without a reply */
    int later;          /* status of the others; 0: success */
    const char *on_top; /* marks of others' writes on top of it: "cc." */
    bool unmarked;      /* somebody without marks has replaced it */
    bool buried;        /* so many have written on top that its mark has fallen off */
    unsigned writes;
    const char *marks; /* of the write; NULL: nothing was written */
};

static const char *marks_of(struct world *w, const struct ck_send *s)
{
    static const char name[] = "\"ckops-write\":\"";
    if (w->kind->marks_header)
        return ck_arena_strdup(w->a, ck_nvs_get(&s->req.headers, w->kind->marks_header));
    const char *body = ck_arena_strndup(w->a, s->req.body.ptr, s->req.body.len);
    const char *at = strstr(body, name);
    assert_non_null(at);
    at += strlen(name);
    return ck_arena_strndup(w->a, at, strcspn(at, "\""));
}

static void take_write(struct world *w, struct ck_send *s)
{
    const char *marks = marks_of(w, s);
    if (w->marks)
        assert_string_equal(marks, w->marks); /* one mark for all sendings of one write */
    w->marks = marks;
    if (++w->writes <= w->lost) {
        ck_fail(s->err, CK_UNAVAILABLE, "the connection broke before the reply");
        return;
    }
    ck_send_status(s, w->later                                           ? w->later
                      : w->kind->refused == 412 && w->kind->marks_header ? 201
                                                                         : 200);
    ck_send_header(s, CK_S("etag"), CK_S("\"N\""));
    if (!w->kind->marks_header && !w->later)
        ck_send_body(s, CK_S("{\"generation\":\"1002\"}"));
}

/* As many marks as an object keeps, of others alone. */
static const char *only_others(struct ck_arena *a)
{
    const char *marks = "c0";
    for (unsigned i = 1; i < CK_MARKS_KEPT; i++)
        marks = ck_arena_printf(a, "%s.c%u", marks, i);
    return marks;
}

static void tell_facts(struct world *w, struct ck_send *s)
{
    bool unmarked = w->unmarked && w->writes;
    const char *marks = unmarked                ? NULL
                        : w->buried && w->marks ? only_others(w->a)
                        : w->marks              ? ck_arena_printf(w->a, "%s%s", w->on_top, w->marks)
                        : w->update             ? "aa.bb"
                                                : NULL;
    bool there = marks || unmarked;
    ck_send_status(s, there ? 200 : 404);
    if (!there)
        return;
    if (w->kind->marks_header) {
        const char *old = ck_arena_strndup(w->a, w->kind->old, strcspn(w->kind->old, " "));
        ck_send_header(s, CK_S("etag"), w->marks ? CK_S("\"N\"") : ck_slice_of(old));
        if (marks)
            ck_send_header(s, ck_slice_of(w->kind->marks_header), ck_slice_of(marks));
        return;
    }
    ck_send_body(
        s, ck_slice_of(ck_arena_printf(w->a, "{\"generation\":\"%s\",\"metadata\":{\"%s\":\"%s\"}}",
                                       w->marks ? "1002" : "1001", marks ? "ckops-write" : "x",
                                       marks ? marks : "")));
}

static void answer(void *arg, struct ck_send *s)
{
    struct world *w = arg;
    bool write = strcmp(s->req.method, "PUT") == 0 || strcmp(s->req.method, "POST") == 0;
    if (strstr(s->req.path, "/.ckops/locks/")) {
        bool gone = strcmp(s->req.method, "HEAD") == 0;
        ck_send_status(s, gone ? 404 : write ? 200 : 204);
    } else if (write) {
        take_write(w, s);
    } else {
        tell_facts(w, s);
    }
}

static int perform(struct world *w, struct ck_buf *out, struct ck_err *err)
{
    const struct store_kind *k = w->kind;
    const struct wire_store store = {.url = k->url, .old = k->old, .random_after = ' '};
    struct answering answering = {answer, w};
    struct ck_env env = {0};
    for (size_t i = 0; k->env[i]; i += 2)
        ck_env_set(&env, k->env[i], k->env[i + 1]);
    struct ck_vfs_ctx ctx = {.env = &env, .arena = w->a, .timeout_ms = 400};
    ctx.http = ck_http_new(&env, &answering_ops, &answering);
    struct ck_path p;
    assert_int_equal(ck_vfs_parse(&ctx, k->url, &p, err), 0);
    int r = wire_run(&store, w->update ? UPDATE : CREATE, &p, w->a, out, err);
    ck_vfs_ctx_done(&ctx);
    ck_env_done(&env);
    return r;
}

/* `refused`: the later sendings are, in the way of the store and the kind of write. */
static void check(struct world w, bool refused, enum ck_code want, const char *what)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(kinds); i++)
        for (int update = 0; update <= 1; update++) {
            CK_AUTOARENA struct ck_arena *a = ck_arena_new();
            CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
            CK_AUTOERR err = CK_ERR_INIT;
            struct world this = w;
            this.kind = &kinds[i];
            this.a = a;
            this.update = update;
            if (refused)
                this.later = update ? kinds[i].refused : kinds[i].refused_create;
            if (refused && !this.later)
                continue;
            int r = perform(&this, &out, &err);
            if (r != -(int)want)
                fail_msg("%s: %s, update %d: %s (%s)", what, kinds[i].url, update,
                         ck_code_name((enum ck_code) - r), ck_err_msg(&err));
            /* Beneath others' writes it has no version that could be compared with. */
            if (want == CK_OK)
                assert_string_equal(ck_buf_str(&out), *this.on_top            ? ""
                                                      : kinds[i].marks_header ? "\"N\""
                                                                              : "1002");
        }
}

static void ones_own_write_is_known_again(void **state)
{
    static const char *const tops[] = {"", "ee.dd.cc."};
    for (size_t i = 0; i < CK_ARRAY_LEN(tops); i++) {
        const struct world silent = {.lost = 9, .on_top = tops[i]};
        const struct world once = {.lost = 1, .on_top = tops[i]};
        const struct world twice = {.lost = 0, .on_top = tops[i]};
        const struct world failing = {.later = 500, .on_top = tops[i]};
        check(silent, false, CK_OK, "no reply at all");
        check(once, true, CK_OK, "no reply, then refused");
        check(twice, true, CK_OK, "refused at once: the network sent it twice");
        check(failing, false, CK_OK, "took effect, and answered 500");
    }
}

static void what_nobody_can_know_is_said(void **state)
{
    const struct world unmarked = {.lost = 9, .on_top = "", .unmarked = true};
    const struct world buried = {.lost = 9, .on_top = "", .buried = true};
    check(unmarked, false, CK_UNAVAILABLE, "replaced by somebody who leaves no marks");
    check(buried, false, CK_UNAVAILABLE, "buried");
    const struct world often = {.lost = 1, .on_top = "", .buried = true};
    check(often, true, CK_UNAVAILABLE, "sent twice, refused, and buried");
}

static void names_of_bases_without_marks(void **state)
{
    char marks[CK_MARKS_LEN], again[CK_MARKS_LEN];
    static const struct {
        const char *token, *name; /* NULL: a digest */
    } t[] = {
        {"\"0123456789abcdef0123\"", "0123456789abcdef"},
        {"1360887697105000", "1360887697105000"},
        {"\"0x8DC5A1B2C3D4E5F\"", NULL},
        {"7", NULL},
        {"\"x\" ", NULL},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        ck_marks_new(t[i].token, marks);
        ck_marks_new(t[i].token, again);
        assert_int_equal(strlen(marks), 2 * CK_MARK_LEN + 1);
        assert_int_equal(strspn(marks, "0123456789abcdef."), strlen(marks));
        assert_string_equal(marks + CK_MARK_LEN, again + CK_MARK_LEN);
        assert_int_not_equal(memcmp(marks, again, CK_MARK_LEN), 0);
        if (t[i].name)
            assert_string_equal(marks + CK_MARK_LEN + 1, t[i].name);
        /* Others who built on the same base: it can have no effect any more. */
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        assert_int_equal(ck_marks_judge(marks, ck_arena_printf(a, "cc.%s", again)),
                         CK_MARKS_NOT_OURS);
    }
    char other[CK_MARKS_LEN];
    ck_marks_new("\"0x8DC5A1B2C3D4E60\"", marks);
    ck_marks_new("\"0x8DC5A1B2C3D4E5F\"", other);
    assert_string_not_equal(marks + CK_MARK_LEN, other + CK_MARK_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ones_own_write_is_known_again),
        cmocka_unit_test(what_nobody_can_know_is_said),
        cmocka_unit_test(names_of_bases_without_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
