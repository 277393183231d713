/* --set and --unset: any text against a cluster and an instance group. */
#include "spec/object.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const char *text = ck_arena_strndup(a, (const char *)data, size);
    for (int kind = 0; kind < 2; kind++) {
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_object o =
            ck_object_new(a, kind ? CK_KIND_INSTANCE_GROUP : CK_KIND_CLUSTER, "c.example.com");
        if (ck_object_set(a, &o, text, &err) == 0) {
            CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
            ck_object_yaml(a, &out, &o);
        }
        ck_err_done(&err);
        (void)ck_object_unset(a, &o, text, &err);
    }
    return 0;
}
