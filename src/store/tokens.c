/* Tokens of a cluster: random, made once, never changed. Mirrors kOps
 * upup/pkg/fi/fitasks/secret.go and secrets.go (CreateSecret). */
#include "store/tokens.h"

#include "base/enc.h"
#include "base/mem.h"
#include "base/secret.h"
#include "crypto/hash.h"

#include <string.h>

const char *const ck_token_names[] = {
    "admin",
    "kube",
    "kube-proxy",
    "kubelet",
    "system:controller_manager",
    "system:dns",
    "system:logging",
    "system:monitoring",
    "system:scheduler",
    NULL,
};

enum { RANDOM_BYTES = 128, TOKEN_CHARS = 32 };

/* Letters and digits of base64. */
static void new_token(struct ck_buf *out)
{
    unsigned char random[RANDOM_BYTES];
    CK_AUTOSECRET text = CK_SECRET_INIT;
    struct ck_buf *b = ck_secret_sink(&text);
    while (out->len < TOKEN_CHARS) {
        ck_buf_reset(b);
        ck_random(random, sizeof random);
        ck_base64_encode(b, random, sizeof random);
        for (size_t i = 0; i < b->len && out->len < TOKEN_CHARS; i++)
            if (!strchr("+/=", b->ptr[i]))
                ck_buf_putc(out, b->ptr[i]);
    }
    ck_wipe(random, sizeof random);
}

static int make_one(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                    const char *name, struct ck_err *err)
{
    CK_AUTOSECRET token = CK_SECRET_INIT;
    struct ck_buf *b = ck_secret_sink(&token);
    CK_AUTOERR mine = CK_ERR_INIT;
    new_token(b);
    int r = ck_secret_write(a, s, cluster, name, ck_buf_slice(b), false, &mine);
    if (!r || r == -CK_EXISTS)
        return 0;
    ck_wrap(&mine, "writing secret \"%s\"", name);
    return ck_err_move(err, &mine);
}

int ck_tokens_load(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                   bool make, struct ck_strv *ret, struct ck_err *err)
{
    int r = ck_secret_list(a, s, cluster, ret, err);
    for (size_t i = 0; make && ck_token_names[i] && !r; i++) {
        if (ck_strv_has(ret, ck_token_names[i]))
            continue;
        r = make_one(a, s, cluster, ck_token_names[i], err);
        if (!r)
            ck_strv_push(ret, ck_token_names[i]);
    }
    ck_strv_sort(ret);
    return r;
}
