/* YAML: any bytes. What is read must come out as YAML that is read as the same tree; the fast
 * reader must agree with the full one about everything it takes. */
#include "doc/yaml.h"
#include "doc/yaml_plain.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

/* Whether kOps' form keeps all of v: floats may come back as integers, U+0085 folds away, and "<<"
 * as a key becomes a merge. */
static bool survives(const struct ck_val *v)
{
    if (v->kind == CK_STR)
        return !v->s.len || !memmem(v->s.ptr, v->s.len, "\xC2\x85", 2);
    for (size_t i = 0; i < ck_len(v); i++) {
        const struct ck_pair *p = v->kind == CK_MAP ? &v->map.v[i] : NULL;
        if (!survives(p ? p->val : v->list.v[i]))
            return false;
        if (p && (ck_slice_eq_str(p->key, "<<") ||
                  (p->key.len && memmem(p->key.ptr, p->key.len, "\xC2\x85", 2))))
            return false;
    }
    return v->kind != CK_FLOAT;
}

static void comes_out_and_in_alike(struct ck_arena *a, const struct ck_val *v)
{
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_val *again = NULL;
    ck_yaml_emit(&b, v);
    if (!ck_buf_ok(&b))
        abort();
    if (!survives(v))
        return;
    if (ck_yaml_parse(a, ck_buf_slice(&b), NULL, &again, NULL, &err) < 0) {
        if (err.code != CK_LIMIT)
            abort();
    } else if (!ck_val_eq(v, again)) {
        abort();
    }
}

/* A comment at the end sends a text to the full reader without changing its meaning. */
static void readers_agree(struct ck_arena *a, struct ck_slice text)
{
    static const struct ck_yaml_limits limits = {16 << 20, 100, 1000000};
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_val *fast = NULL, *full = NULL;
    if (!ck_yaml_read_plain(a, text, 0, &limits, &fast))
        return;
    ck_buf_put(&b, text);
    ck_buf_puts(&b, "\n#\n");
    if (ck_yaml_parse(a, ck_buf_slice(&b), NULL, &full, NULL, &err) < 0 || !ck_val_eq(fast, full))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_val *v = NULL;
    struct ck_slice text = ck_slice_n((const char *)data, size);
    const struct ck_yaml_opts strict = {.strict = true};
    (void)ck_yaml_parse(a, text, &strict, &v, NULL, &err);
    ck_err_done(&err);
    readers_agree(a, text);
    if (ck_yaml_parse(a, text, NULL, &v, NULL, &err) == 0)
        comes_out_and_in_alike(a, v);
    return 0;
}
