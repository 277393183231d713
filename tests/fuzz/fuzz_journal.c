/* Any bytes as an entry of the journal: what is taken says the same when it is written again. */
#include "base/gzip.h"
#include "ops/journal/internal.h"

#include <stdint.h>
#include <stdlib.h>

static const char ID[] = "20261121T140925.146577Z-d64dc367", CLUSTER[] = "c.example.com";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf plain = CK_BUF_INIT, out = CK_BUF_INIT;
    struct ck_slice in = ck_slice_n((const char *)data, size), packed = {0};
    struct ck_journal_entry e, again;
    int r = ck_journal_decode(a, ID, CLUSTER, in, &e, &packed, &err);
    if (r < 0)
        packed = in;
    bool whole = ck_gunzip(&plain, packed, 1 << 20);
    if (plain.len > 1 << 20)
        abort();
    if (r < 0)
        return 0;
    ck_journal_encode(&e, whole ? ck_buf_slice(&plain) : CK_S("x"), &out);
    if (ck_journal_decode(a, ID, CLUSTER, ck_buf_slice(&out), &again, NULL, &err) < 0 ||
        again.n_files != e.n_files || again.n_contents != e.n_contents)
        abort();
    return 0;
}
