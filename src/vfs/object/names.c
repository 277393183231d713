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

/* Lower case; every run of other characters one hyphen, or nothing where that is not allowed;
 * padded and cut. */
static void nearest(const struct ck_container_rule *rule, const char *name, struct ck_buf *out)
{
    for (; *name && out->len < rule->max; name++) {
        char c = *name >= 'A' && *name <= 'Z' ? (char)(*name | 0x20) : *name;
        if (!allowed(rule, c))
            c = '-';
        if (!allowed(rule, c))
            continue;
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

int ck_container_url(struct ck_arena *a, const struct ck_container_rule *rule, const char *invalid,
                     const char *url, struct ck_vfs_url *ret, struct ck_err *err)
{
    const char *host = strstr(url, "://") + 3;
    size_t n = strcspn(host, "/?#");
    int r = n ? ck_container_check(rule, ck_arena_strndup(a, host, n), invalid, url, err) : 0;
    if (r == 0)
        r = ck_vfs_refuse_query(invalid, url, err);
    if (r < 0 || ck_vfs_url_split(a, url, ret))
        return r;
    CK_AUTOBUF struct ck_buf quoted = CK_BUF_INIT;
    ck_goquote(&quoted, ck_slice_of(url));
    return ck_fail(err, CK_INVALID, n ? "%s: %s: " CK_VFS_PERCENT : "%s: %s", invalid,
                   ck_buf_str(&quoted));
}
