/* Manifests: sections, field decoding in both modes; what was decoded encodes to text that decodes
 * to the same. */
#include "spec/object.h"

#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_section *sections = NULL;
    size_t n = ck_manifest_split(a, ck_slice_n((const char *)data, size), &sections);
    for (size_t i = 0; i < n && i < 8; i++) {
        for (int lenient = 0; lenient < 2; lenient++) {
            CK_AUTOERR err = CK_ERR_INIT;
            const struct ck_decode_opts opts = {.file = "f", .lenient = lenient != 0};
            struct ck_object o = {0}, again = {0};
            if (ck_object_decode(a, sections[i].text, &opts, &o, &err) < 0)
                continue;
            CK_AUTOBUF struct ck_buf first = CK_BUF_INIT, second = CK_BUF_INIT;
            ck_object_yaml(a, &first, &o);
            if (o.kind == CK_KIND_OTHER)
                continue;
            if (ck_object_decode(a, ck_buf_slice(&first), &opts, &again, &err) < 0)
                continue;
            ck_object_yaml(a, &second, &again);
            if (!ck_slice_eq(ck_buf_slice(&first), ck_buf_slice(&second)))
                abort();
            ck_buf_done(&first);
            ck_buf_done(&second);
        }
    }
    return 0;
}
