/* Any bytes as a manifest: decoding must end, and what it accepts must be written in a form that
 * reads back as itself. */
#include "spec/object.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_stable(struct ck_arena *a, const struct ck_object *o)
{
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf one = CK_BUF_INIT, two = CK_BUF_INIT, json = CK_BUF_INIT;
    struct ck_object again, third;
    ck_object_yaml(a, &one, o);
    ck_object_json(a, &json, o);
    struct ck_decode_opts lenient = {.lenient = true};
    if (ck_object_decode(a, ck_buf_slice(&one), &lenient, &again, &err))
        abort();
    ck_object_yaml(a, &two, &again);
    /* Trees, not bytes: go-yaml's order of strange keys depends on where it begins. */
    if (ck_object_decode(a, ck_buf_slice(&two), &lenient, &third, &err) ||
        !ck_val_eq(again.root, third.root))
        abort();
    if (o->kind != CK_KIND_OTHER && !ck_object_spec_eq(o, &again))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_section *s;
    size_t n = ck_manifest_split(a, ck_slice_n((const char *)data, size), &s);
    for (size_t i = 0; i < n && i < 4; i++) {
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_decode_opts opts = {.file = "f", .line_offset = s[i].line_offset};
        struct ck_object o;
        if (ck_object_decode(a, s[i].text, &opts, &o, &err) == 0)
            check_stable(a, &o);
    }
    return 0;
}
