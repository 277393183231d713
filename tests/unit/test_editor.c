/* Starting the user's editor. */
#include "base/file.h"
#include "ui/editor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fx {
    struct ck_arena *arena;
    struct ck_env env;
    struct ck_err err;
    struct ck_buf text;
    const char *path; /* of the edited file */
    char dir[64];
};

static int setup(void **state)
{
    struct fx *f = calloc(1, sizeof(*f));
    f->arena = ck_arena_new();
    strcpy(f->dir, "/tmp/ck editor-XXXXXX"); /* a blank in the path must not matter */
    assert_non_null(mkdtemp(f->dir));
    ck_env_set(&f->env, "TMPDIR", f->dir);
    ck_env_set(&f->env, "PATH", "/usr/bin:/bin");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fx *f = *state;
    if (f->path)
        unlink(f->path);
    rmdir(f->dir);
    ck_env_done(&f->env);
    ck_err_done(&f->err);
    ck_buf_done(&f->text);
    ck_arena_free(f->arena);
    free(f);
    return 0;
}

static int edit(struct fx *f, const char *variable, const char *editor)
{
    if (f->path)
        unlink(f->path);
    ck_buf_reset(&f->text);
    ck_env_set(&f->env, variable, editor);
    return ck_editor_run(f->arena, &f->env, "ckops", CK_S("a: 1\n"), 1, &f->text, &f->path,
                         &f->err);
}

/* A program in the test's folder that appends its arguments but the last to the file. */
static char *script(struct fx *f, const char *body)
{
    char *path = ck_arena_printf(f->arena, "/tmp/ck-editor-%ld.sh", (long)getpid());
    char *text = ck_arena_printf(f->arena, "#!/bin/sh\n%s\n", body);
    assert_int_equal(ck_file_write(path, ck_slice_of(text), 0700, &f->err), 0);
    return path;
}

static void unchanged_text_comes_back(void **state)
{
    struct fx *f = *state;
    assert_int_equal(edit(f, "EDITOR", "true"), 0);
    assert_string_equal(ck_buf_str(&f->text), "a: 1\n");
}

static void file_is_private_and_named_as_kops_names_it(void **state)
{
    struct fx *f = *state;
    struct stat st;
    assert_int_equal(edit(f, "EDITOR", "true"), 0);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    const char *base = strrchr(f->path, '/') + 1;
    assert_int_equal(strncmp(base, "ckops-edit-", 11), 0);
    base += 11;
    assert_true(strspn(base, "0123456789") > 0);
    assert_string_equal(base + strspn(base, "0123456789"), "yaml");
}

static void kube_editor_wins_over_editor(void **state)
{
    struct fx *f = *state;
    ck_env_set(&f->env, "EDITOR", "false");
    assert_int_equal(edit(f, "KUBE_EDITOR", "true"), 0);
    ck_env_set(&f->env, "EDITOR", "true");
    assert_true(edit(f, "KUBE_EDITOR", "false") < 0);
}

static void words_of_the_editor_are_arguments(void **state)
{
    struct fx *f = *state;
    char *s = script(f, "for last; do :; done; echo \"$# $1\" > \"$last\"");
    assert_int_equal(edit(f, "EDITOR", ck_arena_printf(f->arena, "%s  --wait", s)), 0);
    assert_string_equal(ck_buf_str(&f->text), "2 --wait\n");
    unlink(s);
}

static void editor_with_quotes_goes_through_the_shell(void **state)
{
    struct fx *f = *state;
    char *s = script(f, "for last; do :; done; echo \"$# $1\" > \"$last\"");
    ck_env_set(&f->env, "SHELL", "/bin/sh");
    assert_int_equal(edit(f, "EDITOR", ck_arena_printf(f->arena, "%s 'two words'", s)), 0);
    assert_string_equal(ck_buf_str(&f->text), "2 two words\n");
    unlink(s);
}

static void failing_or_missing_editor_is_named(void **state)
{
    struct fx *f = *state;
    assert_int_equal(edit(f, "EDITOR", "false"), -(int)CK_INVALID);
    assert_string_equal(ck_err_msg(&f->err), "there was a problem with the editor \"false\"");
    assert_int_equal(edit(f, "EDITOR", "/nonexistent/ed"), -(int)CK_INVALID);
    assert_string_equal(ck_err_msg(&f->err),
                        "there was a problem with the editor \"/nonexistent/ed\"");
    /* the text stays for the caller to remove or to name */
    assert_int_equal(access(f->path, F_OK), 0);
}

static void unusable_folder_is_an_error(void **state)
{
    struct fx *f = *state;
    ck_env_set(&f->env, "TMPDIR", "/nonexistent");
    assert_int_equal(edit(f, "EDITOR", "true"), -(int)CK_NOT_FOUND);
    assert_null(f->path);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(unchanged_text_comes_back),
        T(file_is_private_and_named_as_kops_names_it),
        T(kube_editor_wins_over_editor),
        T(words_of_the_editor_are_arguments),
        T(editor_with_quotes_goes_through_the_shell),
        T(failing_or_missing_editor_is_named),
        T(unusable_folder_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
