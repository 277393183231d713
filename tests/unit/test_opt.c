/* The command line framework: values, flags, finding commands, usage blocks, store URLs. */
#include "base/file.h"
#include "cmd/frame/config.h"
#include "cmd/frame/opt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a small command tree ---- */

struct group_opts {
    const char *output;
};

struct leaf_opts {
    struct group_opts group;
    struct ck_strv files, sets, raw;
    bool yes, yes_given;
    int64_t count, small, wait;
    const char *admin;
    int colour;
};

static int parse_colour(const char *text, void *value, struct ck_err *err)
{
    if (strcmp(text, "red") != 0 && strcmp(text, "blue") != 0)
        return ck_fail(err, CK_INVALID, "invalid colour: \"%s\"", text);
    *(int *)value = *text;
    return 0;
}

static int run_nothing(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    return 0;
}

#define LEAF(member) .off = offsetof(struct leaf_opts, member), .given_off = CK_OPT_NO_GIVEN

static const struct ck_opt group_options[] = {
    {.shorthand = 'o',
     .name = "output",
     .type = CK_OPT_STRING,
     .off = offsetof(struct group_opts, output),
     .given_off = CK_OPT_NO_GIVEN,
     .dflt = "table",
     .flags = CK_OPT_PERSISTENT,
     .help = "form"},
    {0},
};

static const struct ck_opt leaf_options[] = {
    {.shorthand = 'f',
     .name = "filename",
     .type = CK_OPT_STRINGS,
     LEAF(files),
     .flags = CK_OPT_REQUIRED,
     .help = "files"},
    {.name = "set",
     .type = CK_OPT_STRINGS,
     LEAF(sets),
     .dflt = "x,y",
     .flags = CK_OPT_LAZY_CSV,
     .help = "settings"},
    {.name = "raw", .type = CK_OPT_STRARRAY, LEAF(raw), .help = "as they are"},
    {.shorthand = 'y',
     .name = "yes",
     .type = CK_OPT_BOOL,
     .off = offsetof(struct leaf_opts, yes),
     .given_off = offsetof(struct leaf_opts, yes_given),
     .help = "do it"},
    {.name = "count", .type = CK_OPT_INT, LEAF(count), .dflt = "7", .help = "how many"},
    {.name = "small", .type = CK_OPT_INT32, LEAF(small), .help = "few"},
    {.name = "wait", .type = CK_OPT_DURATION, LEAF(wait), .dflt = "10m0s", .help = "how long"},
    {.name = "admin",
     .type = CK_OPT_CUSTOM,
     .type_name = "duration",
     LEAF(colour),
     .bare = "red",
     .parse = parse_colour,
     .help = "for long"},
    {.name = "colour",
     .type = CK_OPT_CUSTOM,
     .type_name = "colour",
     LEAF(colour),
     .dflt = "blue",
     .parse = parse_colour,
     .help = "which"},
    {.name = "old", .type = CK_OPT_INT, LEAF(count), .deprecated = "use --count instead"},
    {.name = "secret", .type = CK_OPT_INT, LEAF(count), .flags = CK_OPT_HIDDEN},
    {0},
};

static const char *const leaf_aliases[] = {"leaves", NULL};
static const char *const rm[] = {"rm", NULL};

static const struct ck_cmd leaf = {
    .name = "leaf",
    .aliases = leaf_aliases,
    .use = "leaf [NAME]...",
    .brief = "Work on leaves.",
    .example = "# One\nprog group leaf\n\n# Two\nprog group leaf -y",
    .opts = leaf_options,
    .opts_size = sizeof(struct leaf_opts),
    .run = run_nothing,
};
static const struct ck_cmd hidden = {
    .name = "leaked", .use = "leaked", .hidden = true, .run = run_nothing};
static const struct ck_cmd *const group_subs[] = {&leaf, &hidden, NULL};
static const struct ck_cmd group = {
    .name = "group",
    .use = "group",
    .brief = "Things.",
    .suggest_for = rm,
    .opts = group_options,
    .opts_size = sizeof(struct group_opts),
    .subs = group_subs,
};
static const struct ck_cmd *const root_subs[] = {&group, NULL};
static const struct ck_opt root_options[] = {
    {.name = "state",
     .type = CK_OPT_STRING,
     .off = offsetof(struct ck_ctx, opt_state),
     .given_off = offsetof(struct ck_ctx, state_given),
     .flags = CK_OPT_PERSISTENT,
     .help = "where"},
    {.name = "name",
     .type = CK_OPT_STRING,
     .off = offsetof(struct ck_ctx, opt_name),
     .given_off = offsetof(struct ck_ctx, name_given),
     .dflt_env = "T_NAME",
     .flags = CK_OPT_PERSISTENT,
     .help = "who"},
    {0},
};
static const struct ck_cmd root = {
    .name = "prog", .use = "prog", .brief = "Root.", .opts = root_options, .subs = root_subs};

/* ---- fixture ---- */

struct fx {
    struct ck_ctx ctx;
    struct ck_parsed p;
    struct ck_err err;
    size_t word; /* first word that names no command */
    size_t n;
};

static int setup(void **state)
{
    struct fx *f = calloc(1, sizeof(*f));
    f->ctx.arena = ck_arena_new();
    f->ctx.program = "prog";
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fx *f = *state;
    ck_parsed_done(&f->p);
    ck_err_done(&f->err);
    ck_env_done(&f->ctx.env);
    ck_buf_done(&f->ctx.out);
    ck_arena_free(f->ctx.arena);
    free(f);
    return 0;
}

/* Parse words separated by '|' ("" is one empty word). */
static int parse(struct fx *f, const char *line)
{
    const char *words[32];
    f->n = 0;
    struct ck_slice rest = ck_slice_of(line), w;
    while (*line && ck_slice_next(&rest, '|', &w))
        words[f->n++] = ck_arena_strndup(f->ctx.arena, w.ptr, w.len);
    ck_parsed_done(&f->p);
    ck_err_done(&f->err);
    f->p = (struct ck_parsed){.path = {&root}, .depth = 1, .ctx = &f->ctx};
    f->word = ck_parse_find(&f->p, words, &f->n);
    return ck_parse_flags(&f->p, words, f->n, &f->err);
}

static struct leaf_opts *parse_leaf(struct fx *f, const char *rest)
{
    CK_AUTOFREE char *line = malloc(strlen(rest) + 32);
    strcpy(line, *rest ? "group|leaf|" : "group|leaf");
    strcat(line, rest);
    assert_int_equal(parse(f, line), 0);
    return f->p.opts;
}

static void assert_fails(struct fx *f, const char *line, const char *message)
{
    assert_true(parse(f, line) < 0);
    assert_string_equal(ck_err_msg(&f->err), message);
}

/* ---- values ---- */

static void csv(const char *text, bool lazy, const char *expected)
{
    CK_AUTOSTRV v = {0};
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf joined = CK_BUF_INIT;
    if (ck_csv_split(text, lazy, &v, &err) < 0) {
        assert_string_equal(ck_err_msg(&err), expected);
        return;
    }
    for (size_t i = 0; i < v.n; i++)
        ck_buf_fmt(&joined, "<%s>", v.v[i]);
    assert_string_equal(ck_buf_str(&joined), expected);
}

static void csv_reads_one_record_as_go_does(void **state)
{
    csv("", false, "");
    csv("a", false, "<a>");
    csv("a,b,", false, "<a><b><>");
    csv(",", false, "<><>");
    csv(" a , b", false, "< a >< b>");
    csv("\"a,b\",c", false, "<a,b><c>");
    csv("\"a\"\"b\"", false, "<a\"b>");
    csv("\"a\nb\",c", false, "<a\nb><c>");
    csv("a\nb", false, "<a>");
    csv("\n\na,b\r\n", false, "<a><b>");
    csv("a\r", false, "<a>");
    csv("\"\"", false, "<>");
}

static void csv_errors_are_those_of_go(void **state)
{
    csv("a\"b", false, "parse error on line 1, column 2: bare \" in non-quoted-field");
    csv("x,a\"b", false, "parse error on line 1, column 4: bare \" in non-quoted-field");
    csv("\"a\"b", false,
        "parse error on line 1, column 3: extraneous or missing \" in quoted-field");
    csv("\"a", false, "parse error on line 1, column 3: extraneous or missing \" in quoted-field");
    csv("\n", false, "EOF");
}

static void lazy_csv_keeps_bare_quotes(void **state)
{
    csv("k={\"a\":\"b\"}", true, "<k={\"a\":\"b\"}>");
    csv("\"a\"b,c", true, "<a\"b,c>");
    csv("\"a\" b\",c", true, "<a\" b><c>");
    csv("\"abc", true, "<abc>");
}

static void integers_follow_strconv(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"12", 12},
        {"-3", -3},
        {"+4", 4},
        {"0x1F", 31},
        {"0b101", 5},
        {"0o17", 15},
        {"017", 15},
        {"1_000", 1000},
        {"0x_ff", 255},
        {"0", 0},
        {"-2147483648", INT32_MIN},
        {"2147483647", INT32_MAX},
    };
    CK_AUTOERR err = CK_ERR_INIT;
    int64_t n = 0;
    for (size_t i = 0; i < CK_ARRAY_LEN(good); i++) {
        assert_int_equal(ck_parse_int(good[i].text, 0, 32, &n, &err), 0);
        assert_int_equal(n, good[i].value);
    }
    static const char *const bad[] = {"", "abc", "1.5", "0x", "1__0", "_1", "1_", "08", "0b2", "-"};
    for (size_t i = 0; i < CK_ARRAY_LEN(bad); i++) {
        assert_true(ck_parse_int(bad[i], 0, 64, &n, &err) < 0);
        assert_non_null(strstr(ck_err_msg(&err), ": invalid syntax"));
    }
    assert_true(ck_parse_int("2147483648", 0, 32, &n, &err) < 0);
    assert_string_equal(ck_err_msg(&err),
                        "strconv.ParseInt: parsing \"2147483648\": value out of range");
    assert_true(ck_parse_int("0x10", 10, 32, &n, &err) < 0);
    assert_int_equal(ck_parse_int("-9223372036854775808", 0, 64, &n, &err), 0);
    assert_true(n == INT64_MIN);
    assert_true(ck_parse_int("9223372036854775808", 0, 64, &n, &err) < 0);
}

/* ---- flags ---- */

static void defaults_are_set_without_counting_as_given(void **state)
{
    struct leaf_opts *o = parse_leaf(*state, "");
    assert_string_equal(o->group.output, "table");
    assert_int_equal(o->count, 7);
    assert_int_equal(o->wait, 600000000000);
    assert_int_equal(o->colour, 'b');
    assert_int_equal(o->sets.n, 2);
    assert_false(o->yes_given);
}

static void all_spellings_of_a_value_are_read(void **state)
{
    static const char *const forms[] = {"-o|yaml", "-oyaml", "-o=yaml", "--output=yaml",
                                        "--output|yaml"};
    for (size_t i = 0; i < CK_ARRAY_LEN(forms); i++)
        assert_string_equal(parse_leaf(*state, forms[i])->group.output, "yaml");
    /* as pflag: "-o=" alone is the value "=" */
    assert_string_equal(parse_leaf(*state, "-o=")->group.output, "=");
    assert_string_equal(parse_leaf(*state, "--output=")->group.output, "");
}

static void shorthands_can_be_put_together(void **state)
{
    struct leaf_opts *o = parse_leaf(*state, "-yojson");
    assert_true(o->yes && o->yes_given);
    assert_string_equal(o->group.output, "json");
}

static void bool_takes_a_value_only_behind_equals(void **state)
{
    struct fx *f = *state;
    struct leaf_opts *o = parse_leaf(f, "--yes=false|x");
    assert_true(!o->yes && o->yes_given);
    o = parse_leaf(f, "--yes|false");
    assert_true(o->yes);
    assert_int_equal(f->p.args.n, 1);
}

static void lists_replace_the_default_and_accumulate(void **state)
{
    struct leaf_opts *o = parse_leaf(*state, "--set|a=1,b=2|--set|c|--raw|x,y|--raw|z");
    assert_int_equal(o->sets.n, 3);
    assert_string_equal(o->sets.v[0], "a=1");
    assert_string_equal(o->sets.v[2], "c");
    assert_int_equal(o->raw.n, 2);
    assert_string_equal(o->raw.v[0], "x,y");
}

static void option_without_value_takes_its_bare_one(void **state)
{
    struct fx *f = *state;
    struct leaf_opts *o = parse_leaf(f, "--admin|blue");
    assert_int_equal(o->colour, 'r');
    assert_string_equal(f->p.args.v[0], "blue");
}

static void two_dashes_end_the_flags(void **state)
{
    struct fx *f = *state;
    struct leaf_opts *o = parse_leaf(f, "a|--|--yes|-|b");
    assert_false(o->yes);
    assert_int_equal(f->p.args.n, 4);
    assert_string_equal(f->p.args.v[1], "--yes");
    parse_leaf(f, "-|-y");
    assert_string_equal(f->p.args.v[0], "-");
}

static void errors_are_those_of_pflag(void **state)
{
    assert_fails(*state, "group|leaf|--bogus", "unknown flag: --bogus");
    assert_fails(*state, "group|leaf|--bogus=3", "unknown flag: --bogus");
    assert_fails(*state, "group|leaf|-z", "unknown shorthand flag: 'z' in -z");
    assert_fails(*state, "group|leaf|-yz", "unknown shorthand flag: 'z' in -z");
    assert_fails(*state, "group|leaf|--state", "flag needs an argument: --state");
    assert_fails(*state, "group|leaf|-o", "flag needs an argument: 'o' in -o");
    assert_fails(*state, "group|leaf|---x", "bad flag syntax: ---x");
    assert_fails(*state, "group|leaf|--=x", "bad flag syntax: --=x");
    assert_fails(*state, "group|leaf|--yes=maybe",
                 "invalid argument \"maybe\" for \"-y, --yes\" flag: strconv.ParseBool: parsing "
                 "\"maybe\": invalid syntax");
    assert_fails(*state, "group|leaf|--count|a\tb",
                 "invalid argument \"a\\tb\" for \"--count\" flag: strconv.ParseInt: parsing "
                 "\"a\\tb\": invalid syntax");
    assert_fails(*state, "group|leaf|--colour|green",
                 "invalid argument \"green\" for \"--colour\" flag: invalid colour: \"green\"");
    assert_fails(*state, "group|leaf|-f|a\"b",
                 "invalid argument \"a\\\"b\" for \"-f, --filename\" flag: parse error on line 1, "
                 "column 2: bare \" in non-quoted-field");
}

static void required_flags_are_asked_for_by_name(void **state)
{
    struct fx *f = *state;
    parse_leaf(f, "");
    assert_true(ck_parse_required(&f->p, &f->err) < 0);
    assert_string_equal(ck_err_msg(&f->err), "required flag(s) \"filename\" not set");
    ck_err_done(&f->err);
    parse_leaf(f, "-f|x");
    assert_int_equal(ck_parse_required(&f->p, &f->err), 0);
}

static void deprecated_flag_works_and_leaves_a_notice(void **state)
{
    struct fx *f = *state;
    struct leaf_opts *o = parse_leaf(f, "--old|3");
    assert_int_equal(o->count, 3);
    assert_string_equal(ck_buf_str(&f->p.notices),
                        "Flag --old has been deprecated, use --count instead\n");
}

static void environment_supplies_a_default(void **state)
{
    struct fx *f = *state;
    ck_env_set(&f->ctx.env, "T_NAME", "from-env");
    parse_leaf(f, "");
    assert_string_equal(f->ctx.opt_name, "from-env");
    assert_false(f->ctx.name_given);
    parse_leaf(f, "--name|flag");
    assert_string_equal(f->ctx.opt_name, "flag");
    assert_true(f->ctx.name_given);
}

static void empty_state_counts_as_given(void **state)
{
    struct fx *f = *state;
    parse_leaf(f, "--state=");
    assert_true(f->ctx.state_given);
    assert_string_equal(f->ctx.opt_state, "");
}

/* ---- commands ---- */

static void commands_are_found_between_flags(void **state)
{
    struct fx *f = *state;
    assert_int_equal(parse(f, "--state|group|group|-o|yaml|leaves|x"), 0);
    assert_ptr_equal(ck_parsed_cmd(&f->p), &leaf);
    assert_string_equal(f->ctx.opt_state, "group");
    assert_string_equal(f->p.args.v[0], "x");
    assert_string_equal(ck_parsed_path(&f->p), "prog group leaf");
}

static void unknown_flag_swallows_the_next_word(void **state)
{
    struct fx *f = *state;
    parse(f, "--bogus|group");
    assert_ptr_equal(ck_parsed_cmd(&f->p), &root);
    assert_string_equal(ck_err_msg(&f->err), "unknown flag: --bogus");
}

static void a_word_that_names_no_command_is_pointed_at(void **state)
{
    struct fx *f = *state;
    parse(f, "group|--output|x|laef");
    assert_ptr_equal(ck_parsed_cmd(&f->p), &group);
    assert_int_equal(f->word, 2);
}

static void suggestions_are_near_or_begin_alike(void **state)
{
    static const struct {
        const char *typed;
        bool found;
    } t[] = {{"laef", true}, {"LEAF", true}, {"le", true}, {"lxxx", false}, {"leaked", true}};
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        ck_usage_suggest(&b, &group, t[i].typed);
        assert_string_equal(ck_buf_str(&b), t[i].found && strcmp(t[i].typed, "leaked") != 0
                                                ? "\n\nDid you mean this?\n\tleaf\n"
                                                : "");
    }
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_usage_suggest(&b, &root, "rm");
    assert_string_equal(ck_buf_str(&b), "\n\nDid you mean this?\n\tgroup\n");
}

static void usage_of_a_command_has_kops_layout(void **state)
{
    struct fx *f = *state;
    ck_env_set(&f->ctx.env, "T_NAME", "from-env");
    parse_leaf(f, "");
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_usage(&b, &f->p);
    assert_string_equal(ck_buf_str(&b), "Usage:\n"
                                        "  prog group leaf [NAME]... [flags]\n"
                                        "\n"
                                        "Aliases:\n"
                                        "  leaf, leaves\n"
                                        "\n"
                                        "Examples:\n"
                                        "  # One\n"
                                        "  prog group leaf\n"
                                        "  \n"
                                        "  # Two\n"
                                        "  prog group leaf -y\n"
                                        "\n"
                                        "Flags:\n"
                                        "      --admin duration[=red]   for long\n"
                                        "      --colour colour          which (default blue)\n"
                                        "      --count int              how many (default 7)\n"
                                        "  -f, --filename strings       files\n"
                                        "  -h, --help                   help for leaf\n"
                                        "      --raw stringArray        as they are\n"
                                        "      --set strings            settings (default [x,y])\n"
                                        "      --small int32            few\n"
                                        "      --wait duration          how long (default 10m0s)\n"
                                        "  -y, --yes                    do it\n"
                                        "\n"
                                        "Global Flags:\n"
                                        "      --name string     who (default \"from-env\")\n"
                                        "  -o, --output string   form (default \"table\")\n"
                                        "      --state string    where\n");
}

static void usage_of_a_group_lists_its_commands(void **state)
{
    struct fx *f = *state;
    parse(f, "group");
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_usage_help(&b, &f->p);
    assert_string_equal(ck_buf_str(&b),
                        "Things.\n"
                        "\n"
                        "Usage:\n"
                        "  prog group [command]\n"
                        "\n"
                        "Available Commands:\n"
                        "  leaf        Work on leaves.\n"
                        "\n"
                        "Flags:\n"
                        "  -h, --help            help for group\n"
                        "  -o, --output string   form (default \"table\")\n"
                        "\n"
                        "Global Flags:\n"
                        "      --name string    who\n"
                        "      --state string   where\n"
                        "\n"
                        "Use \"prog group [command] --help\" for more information about a "
                        "command.\n");
}

/* ---- where the store is ---- */

static void store_url_loses_trailing_slashes_only_behind_the_authority(void **state)
{
    static const char *const t[][2] = {
        {"s3://b/", "s3://b"},
        {"s3://b//", "s3://b"},
        {"s3://b/p/", "s3://b/p"},
        {"s3://", "s3://"},
        {"file:///", "file:///"},
        {"file:///x/", "file:///x"},
        {"/x/", "/x"},
        {"/", ""},
        {"", ""},
        {"rel/dir", "rel/dir"},
        {"foo://bar", "foo://bar"},
    };
    struct fx *f = *state;
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        const char *got = NULL;
        assert_int_equal(ck_state_clean(f->ctx.arena, t[i][0], &got, &f->err), 0);
        assert_string_equal(got, t[i][1]);
    }
    const char *got = NULL;
    assert_int_equal(ck_state_clean(f->ctx.arena, "s3:/b", &got, &f->err), -(int)CK_INVALID);
    assert_int_equal(ck_state_clean(f->ctx.arena, "weird:name", &got, &f->err), 0);
}

static char *write_file(struct fx *f, const char *dir, const char *name, const char *text)
{
    char *path = ck_arena_printf(f->ctx.arena, "%s/%s", dir, name);
    assert_int_equal(ck_file_write(path, ck_slice_of(text), 0600, &f->err), 0);
    return path;
}

static void first_existing_config_file_alone_is_read(void **state)
{
    struct fx *f = *state;
    char dir[] = "/tmp/ck-opt-XXXXXX";
    assert_non_null(mkdtemp(dir));
    ck_env_set(&f->ctx.env, "HOME", dir);
    struct ck_config c;
    ck_config_load(&f->ctx, &c);
    assert_null(c.state);
    char *folder = ck_arena_printf(f->ctx.arena, "%s/.kops", dir);
    assert_int_equal(ck_mkdirs(folder, 0700, &f->err), 0);
    char *second = write_file(f, folder, "config", "KOPS_State_Store: s3://second\n");
    ck_config_load(&f->ctx, &c);
    assert_string_equal(c.state, "s3://second");
    char *first = write_file(f, dir, ".kops.yaml", "other: 1\n");
    ck_config_load(&f->ctx, &c);
    assert_null(c.state);
    f->ctx.opt_config = second;
    ck_config_load(&f->ctx, &c);
    assert_string_equal(c.state, "s3://second");
    unlink(first);
    unlink(second);
    rmdir(folder);
    rmdir(dir);
}

static void first_kubeconfig_with_a_context_wins(void **state)
{
    struct fx *f = *state;
    char dir[] = "/tmp/ck-opt-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char *a = write_file(f, dir, "a", "contexts:\n- name: one\n  context: {cluster: from-a}\n");
    char *b = write_file(f, dir, "b",
                         "current-context: one\n"
                         "contexts:\n- name: one\n  context: {cluster: from-b}\n");
    ck_env_set(&f->ctx.env, "KUBECONFIG",
               ck_arena_printf(f->ctx.arena, "%s/missing::%s:%s", dir, a, b));
    assert_string_equal(ck_kube_current_cluster(&f->ctx), "from-a");
    ck_env_set(&f->ctx.env, "KUBECONFIG", a);
    assert_string_equal(ck_kube_current_cluster(&f->ctx), "");
    unlink(a);
    unlink(b);
    rmdir(dir);
}

/* ---- argument policies ---- */

static void cluster_name_comes_from_flag_or_one_argument(void **state)
{
    struct fx *f = *state;
    char *argv[] = {(char[]){"a"}, (char[]){"b"}};
    f->ctx.opt_name = "";
    assert_int_equal(ck_args_cluster(&f->ctx, NULL, 1, argv, &f->err), 0);
    assert_string_equal(f->ctx.cluster_name, "a");
    assert_true(ck_args_cluster(&f->ctx, NULL, 0, argv, &f->err) < 0);
    assert_string_equal(ck_err_msg(&f->err), "--name is required");
    assert_int_equal(ck_args_cluster_optional(&f->ctx, NULL, 0, argv, &f->err), 0);
    assert_true(ck_args_cluster(&f->ctx, NULL, 2, argv, &f->err) < 0);
    assert_string_equal(ck_err_msg(&f->err),
                        "expected a single <clustername> to be passed as an argument");
    f->ctx.opt_name = "n";
    assert_int_equal(ck_args_cluster(&f->ctx, NULL, 0, argv, &f->err), 0);
    assert_string_equal(f->ctx.cluster_name, "n");
    assert_true(ck_args_cluster(&f->ctx, NULL, 1, argv, &f->err) < 0);
    assert_string_equal(ck_err_msg(&f->err),
                        "cannot specify cluster via --name and positional argument");
}

static void exit_status_tells_conflict_and_interrupt_apart(void **state)
{
    struct fx *f = *state;
    assert_int_equal(ck_exit_status(&f->err), 0);
    ck_fail(&f->err, CK_INVALID, "x");
    assert_int_equal(ck_exit_status(&f->err), 1);
    ck_fail(&f->err, CK_CONFLICT, "x");
    assert_int_equal(ck_exit_status(&f->err), 3);
    ck_fail(&f->err, CK_CANCELLED, "x");
    assert_int_equal(ck_exit_status(&f->err), 130);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(csv_reads_one_record_as_go_does),
        T(csv_errors_are_those_of_go),
        T(lazy_csv_keeps_bare_quotes),
        T(integers_follow_strconv),
        T(defaults_are_set_without_counting_as_given),
        T(all_spellings_of_a_value_are_read),
        T(shorthands_can_be_put_together),
        T(bool_takes_a_value_only_behind_equals),
        T(lists_replace_the_default_and_accumulate),
        T(option_without_value_takes_its_bare_one),
        T(two_dashes_end_the_flags),
        T(errors_are_those_of_pflag),
        T(required_flags_are_asked_for_by_name),
        T(deprecated_flag_works_and_leaves_a_notice),
        T(environment_supplies_a_default),
        T(empty_state_counts_as_given),
        T(commands_are_found_between_flags),
        T(unknown_flag_swallows_the_next_word),
        T(a_word_that_names_no_command_is_pointed_at),
        T(suggestions_are_near_or_begin_alike),
        T(usage_of_a_command_has_kops_layout),
        T(usage_of_a_group_lists_its_commands),
        T(store_url_loses_trailing_slashes_only_behind_the_authority),
        T(first_existing_config_file_alone_is_read),
        T(first_kubeconfig_with_a_context_wins),
        T(cluster_name_comes_from_flag_or_one_argument),
        T(exit_status_tells_conflict_and_interrupt_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
