/* credential_process: a command that prints credentials as JSON (Version 1). */
#include "auth/aws.h"

#include "auth/program.h"
#include "doc/json.h"

enum { TIMEOUT_MS = 60000, OUTPUT_MAX = 64 * 1024 };

int ck_aws_from_process(struct ck_aws *w, const char *command, const char *profile,
                        struct ck_cred *ret, struct ck_err *err)
{
    const char *source = ck_arena_printf(w->arena, "profile %s (credential_process)", profile);
    const char *const argv[] = {"sh", "-c", command, NULL};
    const struct ck_program program = {
        .where = ck_arena_printf(w->arena, "%s: the command", source),
        .path = "/bin/sh",
        .argv = argv,
        .timeout_ms = TIMEOUT_MS,
        .output_max = OUTPUT_MAX,
    };
    CK_CLEANUP(ck_buf_wipe) struct ck_buf out = CK_BUF_INIT;
    int r = ck_program_run(&program, &out, err);
    if (r < 0)
        return r;
    struct ck_val *v = NULL;
    r = ck_json_parse(w->arena, ck_buf_slice(&out), OUTPUT_MAX, &v, NULL);
    if (r < 0)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s: the command did not print JSON", source);
    if (ck_int_at(v, "Version", 0) != 1)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s: Version is not 1", source);
    return ck_aws_cred_of_json(w, ck_buf_slice(&out), "SessionToken", "Expiration", source, ret,
                               err);
}
