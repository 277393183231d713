/* Templates: what Go's text/template and sprig make of them, refusals with Go's texts, limits. */
#include "doc/yaml.h"
#include "ops/template/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char values[] = "name: a.example.com\n"
                             "zones: [a, b, c]\n"
                             "count: 1000000\n"
                             "ratio: 1.5\n"
                             "on: true\n"
                             "flag: true\n"
                             "nothing: null\n"
                             "empty: \"\"\n"
                             "map: {x: 1, w: [1, 2]}\n"
                             "text: hello world\n";

struct row {
    const char *template, *expected;
};

static struct ck_val *data(struct ck_arena *a)
{
    struct ck_val *v = NULL;
    assert_int_equal(ck_yaml_parse(a, CK_S(values), NULL, &v, NULL, NULL), 0);
    return v;
}

static const char *render(struct ck_arena *a, const char *text, bool zero)
{
    static const struct ck_snippet snippets[] = {{"part", {"<{{ . }}>", 9}}};
    const struct ck_template_opts o = {
        .name = "mainTemplate", .snippets = snippets, .n_snippets = 1, .missing_is_zero = zero};
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_template_render(a, ck_slice_of(text), data(a), &o, &out, &err) < 0)
        return ck_arena_strdup(a, ck_err_msg(&err));
    return ck_arena_strndup(a, ck_buf_str(&out), out.len);
}

static void run_rows(const struct row *rows, size_t n, const char *lead)
{
    for (size_t i = 0; i < n; i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        const char *got = render(a, rows[i].template, false);
        size_t k = strlen(lead);
        bool led = strncmp(got, lead, k) == 0;
        if (!led || strcmp(got + k, rows[i].expected) != 0)
            fail_msg("%s\ngives\n%s\ninstead of\n%s%s", rows[i].template, got, lead,
                     rows[i].expected);
    }
}

static void actions_print_choose_and_repeat(void **state)
{
    static const struct row rows[] = {
        {"plain", "plain"},
        {"{{ .name }}", "a.example.com"},
        {"{{.count}} {{.ratio}} {{.flag}} {{.nothing}}", "1000000 1.5 true <no value>"},
        {"{{ .zones }} {{ .map }}", "[a b c] map[w:[1 2] x:1]"},
        {"a {{- \"b\" -}} c", "abc"},
        {"a {{/* } }} */}} b", "a  b"},
        {"a {{- /* x */ -}} b", "ab"},
        {"{{ if .empty }}1{{ else if .nothing }}2{{ else }}3{{ end }}", "3"},
        {"{{ with .map.w }}{{ index . 1 }}{{ else }}no{{ end }}", "2"},
        {"{{ with .empty }}x{{ else with .name }}{{ . }}{{ end }}", "a.example.com"},
        {"{{ range .zones }}{{ . }};{{ end }}", "a;b;c;"},
        {"{{ range $i, $z := .zones }}{{ $i }}{{ $z }}{{ end }}", "0a1b2c"},
        {"{{ range $k, $v := .map }}{{ $k }}={{ $v }} {{ end }}", "w=[1 2] x=1 "},
        {"{{ range .nothing }}x{{ else }}none{{ end }}", "none"},
        {"{{ range 3 }}{{ . }}{{ end }}", "012"},
        {"{{ range .zones }}{{ if eq . \"b\" }}{{ continue }}{{ end }}{{ . }}{{ end }}", "ac"},
        {"{{ range .zones }}{{ if eq . \"b\" }}{{ break }}{{ end }}{{ . }}{{ end }}", "a"},
        {"{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"},
        {"{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}", "1"},
        {"{{ range .zones }}{{ $.name }} {{ end }}", "a.example.com a.example.com a.example.com "},
        {"{{ define \"t\" }}[{{ . }}]{{ end }}{{ template \"t\" .text }}", "[hello world]"},
        {"{{ block \"t\" .text }}({{ . }}){{ end }}", "(hello world)"},
        {"{{ include \"part\" .name | upper }}", "<A.EXAMPLE.COM>"},
        {"{{ template \"part\" }}", "<<no value>>"},
        {"{{ (index .zones 0) }}{{ (dict \"k\" 5).k }}", "a5"},
        {"{{ .text | printf \"%s-%s\" \"x\" }}", "x-hello world"},
        {"{{ `a\"b` }}{{ \"\\t\\\"\" }}{{ 'a' }}{{ 0x10 }}{{ 1.50 }}{{ -3 }}", "a\"b\t\"97161.5-3"},
        {"{{ and 1 0 .missing }}{{ or 0 \"x\" .missing }}{{ not true }}", "0xfalse"},
        {"{{ eq 1 2 1 }}{{ ne \"a\" \"b\" }}{{ lt 1 2 }}{{ ge 1.5 2 }}", "truetruetruefalse"},
        {"}} { { }", "}} { { }"},
    };
    (void)state;
    run_rows(rows, CK_ARRAY_LEN(rows), "");
}

static void functions_are_those_of_go_and_sprig(void **state)
{
    static const struct row rows[] = {
        {"{{ upper .text }} {{ title .text }} {{ untitle \"AB Cd\" }}",
         "HELLO WORLD Hello World aB cd"},
        {"{{ trim \" x \" }}{{ trimAll \"-\" \"--y-\" }}{{ trimPrefix \"a.\" .name }}",
         "xyexample.com"},
        {"{{ trimSuffix \"ld\" .text }}|{{ nospace \"a b\" }}|{{ trunc 3 .text }}|{{ trunc -3 "
         ".text }}",
         "hello wor|ab|hel|rld"},
        {"{{ substr 1 3 \"abcd\" }} {{ repeat 3 \"ab\" }} {{ replace \"o\" \"0\" .text }}",
         "bc ababab hell0 w0rld"},
        {"{{ snakecase \"FirstName x\" }} {{ kebabcase \"firstName\" }} {{ camelcase \"a_bc\" }}",
         "first_name_x first-name ABc"},
        {"{{ indent 2 \"a\\nb\" }}{{ nindent 1 \"c\" }}", "  a\n  b\n c"},
        {"{{ quote \"a\\\"b\" 1 }} {{ squote \"x\" }} {{ cat \"a\" 1 nil }}",
         "\"a\\\"b\" \"1\" 'x' a 1"},
        {"{{ contains \"lo\" .text }}{{ hasPrefix \"he\" .text }}{{ hasSuffix \"x\" .text }}",
         "truetruefalse"},
        {"{{ regexMatch `^\\d+$` \"123\" }} {{ regexFind `o\\s` .text }}| {{ regexReplaceAll "
         "\"(h)(e)\" .text "
         "\"${2}$1\" }}",
         "true o | ehllo world"},
        {"{{ print \"a\" 1 2 \"b\" }} {{ println \"x\" 1 }}", "a1 2b x 1\n"},
        {"{{ printf \"%05d|%-4s|%q|%.1f|%t|%x|%%|%v\" 42 \"ab\" \"q\" 2.25 true 255 .zones }}",
         "00042|ab  |\"q\"|2.2|true|ff|%|[a b c]"},
        {"{{ printf \"%d\" \"x\" }} {{ printf \"%s\" }}", "%!d(string=x) %!s(MISSING)"},
        {"{{ b64enc \"hi\" }} {{ b64dec \"aGk=\" }}", "aGk= hi"},
        {"{{ toJson .map }} {{ (fromJson \"{\\\"a\\\": [1]}\").a }}", "{\"w\":[1,2],\"x\":1} [1]"},
        {"{{ toYaml .map }}", "w:\n- 1\n- 2\nx: 1"},
        {"{{ default \"d\" .empty }} {{ \"g\" | default \"d\" }} {{ coalesce 0 \"\" \"z\" }}",
         "d g z"},
        {"{{ ternary \"t\" \"f\" false }} {{ empty .empty }} {{ kindOf .map }} {{ kindIs \"int\" 1 "
         "}}",
         "f true map true"},
        {"{{ list 1 2 3 | first }} {{ last .zones }} {{ rest .zones }} {{ initial .zones }}",
         "1 c [b c] [a b]"},
        {"{{ append .zones \"d\" }} {{ prepend .zones \"0\" }} {{ concat (list 1) (list 2) }}",
         "[a b c d] [0 a b c] [1 2]"},
        {"{{ has \"b\" .zones }} {{ without .zones \"a\" }} {{ uniq (list 1 1 2) }} {{ compact "
         "(list 0 1) }}",
         "true [b c] [1 2] [1]"},
        {"{{ reverse .zones }} {{ sortAlpha (list \"b\" \"a\") }} {{ join \"-\" .zones }}",
         "[c b a] [a b] a-b-c"},
        {"{{ splitList \",\" \"a,b\" }} {{ (split \",\" \"a,b\")._1 }} {{ (splitn \",\" 2 "
         "\"a,b,c\")._1 }}",
         "[a b] b b,c"},
        {"{{ slice .zones 1 }} {{ slice \"abc\" 1 2 }} {{ len .text }} {{ index .map \"w\" 0 }}",
         "[b c] b 11 1"},
        {"{{ $d := dict \"a\" 1 }}{{ $_ := set $d \"b\" 2 }}{{ $d }} {{ hasKey $d \"b\" }} {{ get "
         "$d \"q\" }}|",
         "map[a:1 b:2] true |"},
        {"{{ keys .map }} {{ values (dict \"b\" 1 \"a\" 2) }} {{ pick .map \"x\" }} {{ omit .map "
         "\"x\" }}",
         "[w x] [2 1] map[x:1] map[w:[1 2]]"},
        {"{{ merge (dict \"a\" 1) (dict \"a\" 2 \"b\" 3) }} {{ mergeOverwrite (dict \"a\" 1) (dict "
         "\"a\" 2) }}",
         "map[a:1 b:3] map[a:2]"},
        {"{{ add 1 2 3 }} {{ add1 1 }} {{ sub 5 2 }} {{ mul 2 3 }} {{ div 7 2 }} {{ mod 7 2 }}",
         "6 2 3 6 3 1"},
        {"{{ max 1 5 2 }} {{ min 4 2 }} {{ int \"12\" }} {{ int64 3.9 }} {{ floor 1.7 }} {{ ceil "
         "1.2 }}",
         "5 2 12 3 1 2"},
        {"{{ until 3 }} {{ untilStep 10 0 -4 }}", "[0 1 2] [10 6 2]"},
        {"{{ semverCompare \">=1.2.0 <2.0.0\" \"1.5.1\" }} {{ semverCompare \"^1.2.0\" \"2.0.0\" "
         "}} {{ (semver "
         "\"v1.34.2\").Minor }}",
         "true false 34"},
        {"{{ required \"why\" .name }} {{ toString 5 | quote }}", "a.example.com \"5\""},
    };
    (void)state;
    run_rows(rows, CK_ARRAY_LEN(rows), "");
}

static void refusals_name_the_place_as_go_does(void **state)
{
    static const struct row parse[] = {
        {"{{ .a", "1: unclosed action"},
        {"x\n{{ nope }}", "2: function \"nope\" not defined"},
        {"{{ if .x }}", "1: unexpected EOF"},
        {"{{ end }}", "1: unexpected {{end}}"},
        {"{{ break }}", "1: {{break}} outside {{range}}"},
        {"{{ if .flag }}{{ else }}{{ else }}{{ end }}", "1: expected end; found {{else}}"},
        {"{{ env \"HOME\" }}", "1: function \"env\" not defined"},
        {"{{ now }}", "1: function \"now\" not defined"},
        {"{{ (1 }}", "1: unclosed left paren"},
        {"{{/* x }}", "1: unclosed comment"},
        {"{{ 1 2 }}",
         "1:3: executing \"mainTemplate\" at <1>: can't give argument to non-function 1"},
        {"{{ \"a }}", "1: unterminated quoted string"},
        {"{{ .name % 2 }}", "1: unexpected \"%\" in operand"},
        {"{{ }}{{ if }}x{{ end }}", "1: missing value for command"},
    };
    static const struct row exec[] = {
        {"{{ .x }}", "1:3: executing \"mainTemplate\" at <.x>: map has no entry for key \"x\""},
        {"\n  a: {{ .map.q }}",
         "2:12: executing \"mainTemplate\" at <.map.q>: map has no entry for key \"q\""},
        {"{{ .text.q }}", "1:8: executing \"mainTemplate\" at <.text.q>: can't evaluate field q in "
                          "type interface {}"},
        {"{{ .nothing.q }}",
         "1:11: executing \"mainTemplate\" at <.nothing.q>: nil pointer evaluating interface {}.q"},
        {"{{ fail \"boo\" }}",
         "1:3: executing \"mainTemplate\" at <fail \"boo\">: error calling fail: boo"},
        {"{{ index .zones 9 }}",
         "1:3: executing \"mainTemplate\" at <index .zones 9>: error calling "
         "index: index out of range: 9"},
        {"{{ div 1 0 }}",
         "1:3: executing \"mainTemplate\" at <div 1 0>: error calling div: runtime "
         "error: integer divide by zero"},
        {"{{ upper }}", "1:3: executing \"mainTemplate\" at <upper>: wrong number of args for "
                        "upper: want 1 got 0"},
        {"{{ lt \"a\" 1 }}", "1:3: executing \"mainTemplate\" at <lt \"a\" 1>: error calling lt: "
                             "incompatible types for comparison: string and int"},
        {"{{ template \"no\" }}",
         "1:3: executing \"mainTemplate\" at <template>: template \"no\" not defined"},
        {"{{ range .text }}x{{ end }}",
         "1:9: executing \"mainTemplate\" at <.text>: range can't iterate over hello world"},
    };
    (void)state;
    run_rows(parse, CK_ARRAY_LEN(parse), "template: mainTemplate:");
    run_rows(exec, CK_ARRAY_LEN(exec), "template: mainTemplate:");
}

static void a_missing_key_may_be_allowed(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    (void)state;
    assert_string_equal(render(a, "{{ .x }}{{ if .x }}y{{ end }}{{ default 1 .x }}", true),
                        "<no value>1");
}

static void endless_and_huge_templates_end(void **state)
{
    static const char *const texts[][2] = {
        {"{{ define \"a\" }}{{ template \"a\" }}{{ end }}{{ template \"a\" }}", "too deeply"},
        {"{{ define \"a\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}", "too deeply"},
        {"{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}", "memory"},
        {"{{ range 100000000 }}{{ end }}", "the template"},
        {"{{ repeat 100000000 \"x\" }}", "4 MiB"},
        {"{{ until 100000000 }}", "more than 100000 numbers"},
        {"{{ range 1000000000 }}aaaaaaaaaaaaaaaaaaaa{{ end }}", "16 MiB"},
        {"{{ printf \"%9999999d\" 1 }}", "format"},
    };
    (void)state;
    for (size_t i = 0; i < CK_ARRAY_LEN(texts); i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        const char *got = render(a, texts[i][0], false);
        if (!strstr(got, texts[i][1]))
            fail_msg("%s: %.200s", texts[i][0], got);
    }
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf deep = CK_BUF_INIT;
    for (int i = 0; i < 5000; i++)
        ck_buf_puts(&deep, i % 2 ? "{{ if ((((1)))) }}" : "{{ with 1 }}");
    assert_non_null(strstr(render(a, ck_buf_str(&deep), false), "too deeply"));
    ck_buf_reset(&deep);
    ck_buf_puts(&deep, "{{ ");
    for (int i = 0; i < 5000; i++)
        ck_buf_putc(&deep, '(');
    ck_buf_puts(&deep, "1 }}");
    assert_non_null(strstr(render(a, ck_buf_str(&deep), false), "too deeply"));
}

static const char *set(struct ck_arena *a, const char *text, bool as_text)
{
    struct ck_val *map = ck_map(a);
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    if (ck_template_set(a, map, text, as_text, &err) < 0)
        return ck_arena_strdup(a, ck_err_msg(&err));
    ck_template_print(&out, map);
    return ck_arena_strdup(a, ck_buf_str(&out));
}

static void set_reads_helms_notation(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    (void)state;
    assert_string_equal(set(a, "a=1,b.c=x,d={p,q},e=true,f=null,g=", false),
                        "map[a:1 b:map[c:x] d:[p q] e:true f:<nil> g:]");
    assert_string_equal(set(a, "a[1].b=2,a[0]=x", false), "map[a:[x map[b:2]]]");
    assert_string_equal(set(a, "a=x\\,y,b\\.c=1", false), "map[a:x,y b.c:1]");
    assert_string_equal(set(a, "a=007,b=1.5", false), "map[a:007 b:1.5]");
    assert_non_null(strstr(set(a, "a=true", true), "true"));
    assert_non_null(strstr(set(a, "a", false), "a key needs =VALUE"));
    assert_non_null(strstr(set(a, "=1", false), "a key is missing"));
    assert_non_null(strstr(set(a, "a[x]=1", false), "an index is a number"));
    assert_non_null(strstr(set(a, "a[99999]=1", false), "an index is a number"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actions_print_choose_and_repeat),
        cmocka_unit_test(functions_are_those_of_go_and_sprig),
        cmocka_unit_test(refusals_name_the_place_as_go_does),
        cmocka_unit_test(a_missing_key_may_be_allowed),
        cmocka_unit_test(endless_and_huge_templates_end),
        cmocka_unit_test(set_reads_helms_notation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
