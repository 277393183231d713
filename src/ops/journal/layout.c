/* Names: which files of a store are recorded, and where and under which id. */
#include "ops/journal/internal.h"

#include "base/clock.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

enum { NS = 1000000000, ID_TIME = 23, ID_RANDOM = 8 };

bool ck_journal_covers(const char *path)
{
    if (!ck_layout_is_known(path))
        return false;
    struct ck_slice rest = ck_slice_of(path), part;
    while (ck_slice_next(&rest, '/', &part))
        if (part.len == 0 || ck_slice_eq_str(part, ".") || ck_slice_eq_str(part, ".."))
            return false;
    for (const char *p = path; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
    /* what etcd-manager leaves there is neither ours nor small */
    return !ck_str_starts(path, "backups/") || ck_str_ends(path, "/control/etcd-cluster-spec");
}

bool ck_journal_split(struct ck_arena *a, const char *rel, const char **ret_cluster,
                      const char **ret_path)
{
    if (*rel == '.')
        return false;
    for (const char *p = strchr(rel, '/'); p; p = strchr(p + 1, '/')) {
        if (p[1] == '.')
            return false;
        if (!ck_layout_is_known(p + 1))
            continue;
        *ret_cluster = ck_arena_strndup(a, rel, (size_t)(p - rel));
        *ret_path = p + 1;
        return ck_journal_covers(p + 1);
    }
    return false;
}

int ck_journal_dir(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                   struct ck_path *ret, struct ck_err *err)
{
    struct ck_path checked, dir; /* a cluster's name that can be a path */
    int r = ck_layout_cluster(a, s, cluster, &checked, err);
    if (r == 0)
        r = ck_path_join(a, &s->root, CK_JOURNAL_DIR, &dir, err);
    return r ? r : ck_path_join(a, &dir, cluster, ret, err);
}

/* "20061102T150405.123456Z-1a2b3c4d" */
void ck_journal_make_id(int64_t ns, char ret[40])
{
    char basic[17];
    unsigned char random[ID_RANDOM / 2];
    ck_iso8601_basic(ns / NS, basic);
    ck_random(random, sizeof random);
    snprintf(ret, 40, "%.15s.%06dZ-%02x%02x%02x%02x", basic, (int)(ns % NS / 1000), random[0],
             random[1], random[2], random[3]);
}

bool ck_journal_id_ok(const char *id)
{
    static const char form[] = "00000000T000000.000000Z-xxxxxxxx";
    if (strlen(id) != sizeof form - 1)
        return false;
    for (size_t i = 0; form[i]; i++) {
        bool digit = id[i] >= '0' && id[i] <= '9';
        bool hex = digit || (id[i] >= 'a' && id[i] <= 'f');
        if (form[i] == '0' ? !digit : form[i] == 'x' ? !hex : id[i] != form[i])
            return false;
    }
    return id[ID_TIME] == '-';
}

void ck_journal_put_time(struct ck_buf *out, int64_t ns)
{
    char text[21];
    ck_rfc3339(ns / NS, text);
    ck_buf_fmt(out, "%.19s.%06dZ", text, (int)(ns % NS / 1000));
}

bool ck_journal_is_secret(const char *path)
{
    return ck_str_starts(path, "pki/private/") || ck_str_starts(path, "secrets/");
}
