/* JSON reader and writer: what is read and written must be read again as the same value. */
#include "doc/json.h"

#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_val *v = NULL, *again = NULL;
    if (ck_json_parse(a, ck_slice_n((const char *)data, size), 1 << 20, &v, &err) < 0)
        return 0;
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    ck_json_emit(&out, v, (struct ck_json_style){.order = CK_JSON_AS_IS});
    if (ck_json_parse(a, ck_buf_slice(&out), 64 << 20, &again, &err) < 0 || !ck_val_eq(v, again))
        abort();
    return 0;
}
