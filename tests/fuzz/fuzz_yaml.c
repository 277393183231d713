/* YAML reader: any bytes; what is read must come out, and in again, as the same tree. */
#include "doc/yaml.h"

#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_val *v = NULL, *again = NULL;
    struct ck_slice text = ck_slice_n((const char *)data, size);
    const struct ck_yaml_opts strict = {.strict = true};
    (void)ck_yaml_parse(a, text, &strict, &v, NULL, &err);
    ck_err_done(&err);
    if (ck_yaml_parse(a, text, NULL, &v, NULL, &err) < 0)
        return 0;
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    ck_yaml_emit(&out, v);
    if (v->kind == CK_MAP && ck_yaml_parse(a, ck_buf_slice(&out), NULL, &again, NULL, &err) < 0 &&
        err.code == CK_INTERNAL)
        abort();
    return 0;
}
