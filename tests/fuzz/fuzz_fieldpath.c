/* Any text as --set and --unset: the object must stay one that can be written and read. */
#include "spec/object.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_object o = ck_object_new(
        a, size && data[0] & 1 ? CK_KIND_CLUSTER : CK_KIND_INSTANCE_GROUP, "x.example.com");
    char *text = ck_arena_strndup(a, (const char *)data, size);
    struct ck_slice rest = ck_slice_of(text), line;
    for (int i = 0; i < 16 && ck_slice_next(&rest, '\n', &line); i++) {
        char *s = ck_arena_strndup(a, line.ptr, line.len);
        if (s[0] == '-')
            ck_object_unset(a, &o, s + 1, &err);
        else
            ck_object_set(a, &o, s, &err);
    }
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    ck_object_yaml(a, &out, &o);
    struct ck_object again;
    struct ck_decode_opts lenient = {.lenient = true};
    /* kOps' refusals (an unknown cloud) may remain; anything else is a defect */
    if (ck_object_decode(a, ck_buf_slice(&out), &lenient, &again, &err) &&
        !ck_str_starts(ck_err_msg(&err), "spec.") && !ck_str_starts(ck_err_msg(&err), "Object") &&
        !ck_str_starts(ck_err_msg(&err), "no kind"))
        abort();
    return 0;
}
