/* XML reader: any bytes end in a tree or an error. */
#include "doc/xml.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_val *v = NULL;
    if (ck_xml_parse(a, ck_slice_n((const char *)data, size), 1 << 20, &v, &err) == 0)
        ck_xml_list(a, v, "Contents");
    return 0;
}
