/* JSON reader and writer: what was written reads as what writes the same bytes, in every style. The
 * one exception is a negative zero, which is written -0 and read as the whole number 0. */
#include "doc/json.h"

#include "fuzz.h"

#include <stdlib.h>

static void write_again(struct ck_arena *a, const struct ck_buf *text, struct ck_json_style style,
                        struct ck_buf *out)
{
    struct ck_val *v = NULL;
    if (ck_json_parse(a, ck_buf_slice(text), 64 << 20, &v, NULL) < 0)
        abort();
    ck_json_emit(out, v, style);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ck_json_style compact = {.order = CK_JSON_AS_IS},
                                      indented = {
                                          .order = CK_JSON_AS_IS, .indent = 2, .raw_html = true};
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_val *v = NULL;
    if (ck_json_parse(a, ck_slice_n((const char *)data, size), 1 << 20, &v, &err) < 0)
        return 0;
    CK_AUTOBUF struct ck_buf any = CK_BUF_INIT, first = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf wide = CK_BUF_INIT, second = CK_BUF_INIT;
    ck_json_emit(&any, v, compact);
    write_again(a, &any, compact, &first);
    write_again(a, &first, indented, &wide);
    write_again(a, &wide, compact, &second);
    if (!ck_slice_eq(ck_buf_slice(&first), ck_buf_slice(&second)))
        abort();
    return 0;
}
