/* Line differences: both texts can be told from the difference. The texts are what is before and
 * behind the first byte 0xff. */
#include "doc/textdiff.h"

#include "fuzz.h"

#include <stdlib.h>

static void add_line(struct ck_buf *out, struct ck_slice line)
{
    ck_buf_putn(out, line.ptr + 2, line.len - 2);
    ck_buf_putc(out, '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ck_slice rest = ck_slice_n((const char *)data, size), a, line;
    CK_AUTOBUF struct ck_buf x = CK_BUF_INIT, y = CK_BUF_INIT, out = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf from_a = CK_BUF_INIT, from_b = CK_BUF_INIT;
    if (!ck_slice_next(&rest, '\xff', &a))
        return 0;
    ck_text_diff(&out, a, rest, (struct ck_diff_style){.context = 2, .color = true});
    ck_buf_reset(&out);
    ck_buf_put(&x, a);
    ck_buf_put(&y, rest);
    ck_buf_putc(&x, '\n');
    ck_buf_putc(&y, '\n');
    if (!ck_text_diff(&out, ck_buf_slice(&x), ck_buf_slice(&y),
                      (struct ck_diff_style){.context = (unsigned)size + 2}))
        return 0;
    struct ck_slice text = ck_slice_n(out.ptr, out.len - 1);
    while (ck_slice_next(&text, '\n', &line)) {
        if (line.ptr[0] != '+')
            add_line(&from_a, line);
        if (line.ptr[0] != '-')
            add_line(&from_b, line);
    }
    if (!ck_slice_eq(ck_buf_slice(&x), ck_buf_slice(&from_a)) ||
        !ck_slice_eq(ck_buf_slice(&y), ck_buf_slice(&from_b)))
        abort();
    return 0;
}
