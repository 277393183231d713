/* Names of buckets and containers: the rule, and the nearest name that keeps it. Checked before
 * anything is sent. */
#include "vfs/object/object.h"

#include "base/enc.h"

#include <string.h>

static bool alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool allowed(const struct ck_container_rule *rule, char c)
{
    return alnum(c) || (c && strchr(rule->extra, c));
}

static bool valid(const struct ck_container_rule *rule, const char *name)
{
    size_t n = strlen(name);
    if (n < rule->min || n > rule->max || !alnum(name[0]) || !alnum(name[n - 1]))
        return false;
    for (const char *p = name; *p; p++)
        if (!allowed(rule, *p))
            return false;
    return !strstr(name, "..") && !(rule->no_double_hyphen && strstr(name, "--"));
}

/* Lower case; every run of other characters one hyphen where that is allowed; padded and cut. */
static void nearest(const struct ck_container_rule *rule, const char *name, struct ck_buf *out)
{
    char filler = strchr(rule->extra, '-') ? '-' : '0';
    for (; *name && out->len < rule->max; name++) {
        char c = *name >= 'A' && *name <= 'Z' ? (char)(*name | 0x20) : *name;
        if (!allowed(rule, c))
            c = filler;
        char last = out->len ? out->ptr[out->len - 1] : '\0';
        if (!alnum(c) && (!last || (c == '.' && last == '.') || (c == '-' && last == '-')))
            continue;
        ck_buf_putc(out, c);
    }
    while (out->len && !alnum(out->ptr[out->len - 1]))
        out->ptr[--out->len] = '\0';
    while (out->len < rule->min)
        ck_buf_putc(out, '0');
}

int ck_container_check(const struct ck_container_rule *rule, const char *name, const char *invalid,
                       const char *url, struct ck_err *err)
{
    if (valid(rule, name))
        return 0;
    CK_AUTOBUF struct ck_buf quoted = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf form = CK_BUF_INIT;
    ck_goquote(&quoted, ck_slice_of(url));
    nearest(rule, name, &form);
    return ck_fail(err, CK_INVALID, "%s: %s: %s %s; the nearest valid form is \"%s\"", invalid,
                   ck_buf_str(&quoted), rule->what, rule->rule, ck_buf_str(&form));
}
