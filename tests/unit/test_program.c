/* Programs that print credentials: what they print is taken, and their limits hold. */
#include "auth/program.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void programs(void **state)
{
    static const struct {
        const char *script;
        int64_t timeout_ms;
        enum ck_code code;
        const char *text; /* what was printed, or a part of the message */
    } t[] = {
        {"printf hello", 60000, CK_OK, "hello"},
        {"printf 0123456789", 60000, CK_OK, "0123456789"},
        {"printf 0123456789x", 60000, CK_UNAUTHENTICATED, "printed more than 10 bytes"},
        {"exec cat /dev/zero", 60000, CK_UNAUTHENTICATED, "printed more than 10 bytes"},
        {"printf hello; exit 3", 60000, CK_UNAUTHENTICATED, "failed with status 3"},
        {"kill -9 $$", 60000, CK_UNAUTHENTICATED, "failed with status 137"},
        {"exec sleep 1000", 100, CK_UNAUTHENTICATED, "took more than 0 s"},
        {"exec >&-; exec sleep 1000", 100, CK_UNAUTHENTICATED, "took more than 0 s"},
        /* Something it started in the background keeps the pipe: nobody waits for that. */
        {"sleep 6 2>/dev/null & printf hello", 5000, CK_OK, "hello"},
        {"read x || printf nothing", 60000, CK_OK, "nothing"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        CK_AUTOERR err = CK_ERR_INIT;
        CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
        const char *const argv[] = {"sh", "-c", t[i].script, NULL};
        const struct ck_program p = {.where = "it",
                                     .path = "/bin/sh",
                                     .argv = argv,
                                     .timeout_ms = t[i].timeout_ms,
                                     .output_max = 10};
        int r = ck_program_run(&p, &out, &err);
        if (r != -(int)t[i].code)
            fail_msg("%s: %d: %s", t[i].script, r, ck_err_msg(&err));
        if (r < 0 ? !strstr(ck_err_msg(&err), t[i].text) : strcmp(ck_buf_str(&out), t[i].text) != 0)
            fail_msg("%s: %s%s", t[i].script, ck_buf_str(&out), ck_err_msg(&err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
