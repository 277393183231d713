/* The fast YAML reader against the full one: whatever it takes must come out alike, positions
 * included. A comment at the end sends a text to the full reader without changing its meaning. */
#include "reference.h"

#include "base/mem.h"
#include "doc/yaml_plain.h"

#include <dirent.h>
#include <string.h>

static const struct ck_yaml_limits LIMITS = {16 << 20, 100, 1000000};

static bool same(const struct ck_val *x, const struct ck_val *y)
{
    if (x->kind != y->kind || x->quoted != y->quoted || x->pos.line != y->pos.line ||
        x->pos.col != y->pos.col || ck_len(x) != ck_len(y))
        return false;
    for (size_t i = 0; i < ck_len(x); i++) {
        if (x->kind == CK_LIST && !same(x->list.v[i], y->list.v[i]))
            return false;
        const struct ck_pair *p = &x->map.v[i], *q = &y->map.v[i];
        if (x->kind == CK_MAP &&
            (!ck_slice_eq(p->key, q->key) || p->key_pos.line != q->key_pos.line ||
             p->key_pos.col != q->key_pos.col || !same(p->val, q->val)))
            return false;
    }
    return ck_len(x) || ck_val_eq(x, y);
}

/* Whether the fast reader took the text; fails when it then differs from the full one. */
static bool compare(struct ck_slice text)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_val *fast, *full;
    const struct ck_yaml_opts opts = {.strict = true, .line_offset = 7};
    if (!ck_yaml_read_plain(a, text, 7, &LIMITS, &fast))
        return false;
    ck_buf_put(&b, text);
    ck_buf_puts(&b, text.ptr[text.len - 1] == '\n' ? "#\n" : "\n#\n");
    if (ck_yaml_parse(a, ck_buf_slice(&b), &opts, &full, NULL, &err))
        fail_msg("taken, but: %s\n%.*s", ck_err_msg(&err), CK_SARG(text));
    if (!same(fast, full))
        fail_msg("read differently:\n%.*s", CK_SARG(text));
    return true;
}

static bool takes(const char *text)
{
    return compare(ck_slice_of(text));
}

static void written_form_is_taken_and_read_alike(void **state)
{
    assert_true(takes("a: 1\n"));
    assert_true(takes("a: b"));
    assert_true(takes("a:\n- 1\n- x: y\n  z:\n  - q\n- \"s\"\nb:\n  c: {}\n  d: []\n  e:\nf:\n"));
    assert_true(takes("a:\n    b: -1\n    c: 1.5\nd: 'x: y'\ne: http://h:1/p?q=a#b\n"));
    assert_true(takes("metadata:\n  labels:\n    kops.k8s.io/cluster: c\nspec:\n  x: 10.0.0.0/8\n  "
                      "q:\n  - ::/0\n  r: :1\n"));
    assert_true(
        takes("a: ~\nb: true\nc: 0x1f\nd: 2020-01-01\ne: 1_000\nf: 18446744073709551615\n"));
}

static void everything_else_is_left_to_the_full_reader(void **state)
{
    static const char *const texts[] = {
        "",
        "a: b\n  c\n",
        "a: &x 1\n",
        "a: *x\n",
        "a: !!str 1\n",
        "a: |\n  x\n",
        "a: >\n  x",
        "a: [1]\n",
        "a: {b: c}\n",
        "- a\n",
        "y: 1\n",
        "1: a\n",
        "a: b: c\n",
        "a: b #c\n",
        "a:  b\n",
        "a: b \n",
        "a:\tb\n",
        "a: b\n\nc: d\n",
        "---\na: b",
        "a: b\n...\n",
        "a: \"\\n\"",
        "a: 'it''s'\n",
        "a: .inf\n",
        "a: 1\na: 2\n",
        "<<: a\n",
        "a: b\n---\nc:",
        " a: b\n",
        "a:\n  b: c\n d: e\n",
        "a:\n- b\n c: d\n",
        "a: @b\n",
        "a: \xc3\xa4\n",
        "? a\n: b\n",
        "a: b\r\n",
        "a: %b\n",
        "a: - b\n",
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(texts); i++)
        if (takes(texts[i]))
            fail_msg("taken: %s", texts[i]);
}

static void limits_are_left_to_the_full_reader(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_val *v;
    const struct ck_yaml_limits depth = {100, 2, 100}, nodes = {100, 100, 4}, bytes = {5, 100, 100};
    assert_true(ck_yaml_read_plain(a, CK_S("a:\n  b: 1\n"), 0, &depth, &v));
    assert_false(ck_yaml_read_plain(a, CK_S("a:\n  b: {}\n"), 0, &depth, &v));
    assert_false(ck_yaml_read_plain(a, CK_S("a:\n  b:\n    c: 1\n"), 0, &depth, &v));
    assert_false(ck_yaml_read_plain(a, CK_S("a: 1\nb: 2\nc: 3\n"), 0, &nodes, &v));
    assert_false(ck_yaml_read_plain(a, CK_S("a: 123\n"), 0, &bytes, &v));
}

static uint32_t random_state;

static uint32_t rnd(uint32_t n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % n;
}

static void mutate(struct ck_buf *b)
{
    static const char *const pieces[] = {
        " ", "  ",   "\n",  "\n- ", ":",   ": ",  "-",  "- ", "#",    " #", "'",  "\"", "{}", "[]",
        "{", "]",    "&a ", "*a",   "!",   "|",   ">",  "%",  "@",    "`",  ",",  "?",  "? ", "~",
        "y", "null", "1",   ".",    "...", "---", "\t", "\\", "<<: ", "=",  "0x", "\r"};
    CK_AUTOFREE char *old = ck_buf_take(b);
    size_t n = strlen(old), at = rnd((uint32_t)n), cut = rnd(3) ? 0 : rnd(4);
    if (cut > n - at)
        cut = n - at;
    ck_buf_putn(b, old, at);
    if (rnd(4))
        ck_buf_puts(b, pieces[rnd(CK_ARRAY_LEN(pieces))]);
    ck_buf_puts(b, old + at + cut);
}

static void damaged_documents_are_refused_or_read_alike(void **state)
{
    static const char *const seeds[] = {
        "a:\n- b: c\n  d:\n  - e\n  - f: 1\ng: {}\nh: \"x\"\n",
        "a:\n  b:\n    c: d e\n    f:\n  g: 'h'\ni: []\n",
        "k.io/x: http://a:1/b\nl:\n    - 1.5\n    - -2\n    - ::/0\nm:\n",
        "a: b\nc: d\n",
    };
    size_t taken = 0;
    random_state = 1;
    for (int i = 0; i < 60000; i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        ck_buf_puts(&b, seeds[rnd(CK_ARRAY_LEN(seeds))]);
        for (uint32_t k = rnd(3) + 1; k && b.len; k--)
            mutate(&b);
        taken += b.len && compare(ck_buf_slice(&b));
    }
    assert_true(taken > 6000); /* or the test compares nothing */
}

static void compare_folder(const char *path, size_t *ret_seen, size_t *ret_taken)
{
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        CK_AUTOFREE char *sub = ck_xasprintf("%s/%s", path, e->d_name);
        if (e->d_type == DT_DIR) {
            compare_folder(sub, ret_seen, ret_taken);
            continue;
        }
        CK_AUTOERR err = CK_ERR_INIT;
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        if (ck_file_read(sub, 1 << 20, &b, &err) || !b.len)
            continue;
        ++*ret_seen;
        *ret_taken += compare(ck_buf_slice(&b));
    }
    if (d)
        closedir(d);
}

static void recorded_stores_are_mostly_taken_and_read_alike(void **state)
{
    const char *shared = getenv("CK_SHARED");
    CK_AUTOFREE char *path = ck_xasprintf("%s/corpus", shared ? shared : "../shared");
    CK_AUTOFREE char *one = ck_xasprintf("%s/273-get-all/before", path);
    size_t seen = 0, taken = 0;
    compare_folder(one, &seen, &taken);
    if (!seen) { /* what follows jumps over the clean-up */
        free(path);
        free(one);
        skip_because(NO_REFERENCE);
    }
    assert_true(taken * 2 > seen);
    compare_folder(path, &seen, &taken);
}

/* Each document of a reference table, as it is and damaged. */
static size_t compare_table(const char *name, size_t column)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *rows = reference_table(a, name);
    size_t taken = 0;
    random_state = 2;
    for (size_t i = 0; i < ck_len(rows); i++) {
        struct ck_slice text = text_at(ck_item(rows, i), column);
        if (!text.len || memchr(text.ptr, '\0', text.len))
            continue;
        taken += compare(text);
        for (int k = 0; k < 4; k++) {
            CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
            ck_buf_put(&b, text);
            mutate(&b);
            taken += b.len && compare(ck_buf_slice(&b));
        }
    }
    return taken;
}

static void reference_documents_are_left_or_read_alike(void **state)
{
    assert_true(compare_table("_yaml/emit-docs.json", 1) > 0);
    assert_true(compare_table("_yaml/emit-strings.json", 1) > 0);
    assert_true(compare_table("_yaml/decode.json", 0) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_form_is_taken_and_read_alike),
        cmocka_unit_test(everything_else_is_left_to_the_full_reader),
        cmocka_unit_test(limits_are_left_to_the_full_reader),
        cmocka_unit_test(damaged_documents_are_refused_or_read_alike),
        cmocka_unit_test(recorded_stores_are_mostly_taken_and_read_alike),
        cmocka_unit_test(reference_documents_are_left_or_read_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
