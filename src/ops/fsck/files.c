/* The files of one cluster's folder: which are known, and each looked at by its kind. */
#include "ops/fsck/internal.h"

#include "base/enc.h"
#include "base/mem.h"
#include "doc/json.h"
#include "doc/yaml.h"

#include <fnmatch.h>
#include <string.h>

enum { MAX_JSON = 1 << 20 };

enum kind {
    CONFIG,
    COMPLETED,
    VERSION,
    GROUP,
    ADDONS,
    KEYSET, /* looked at by ck_fsck_keysets */
    SSH,
    SECRET,
    YAML,
    ETCD_SPEC,
    JSON,
    OPAQUE, /* known by place, nothing to look at */
    OLD,    /* of older versions of kOps */
    UNKNOWN,
};

/* statestore.md §2; the first row that fits counts. `*` does not cross slashes, a final slash takes
 * everything below. */
static const struct {
    const char *pattern;
    enum kind kind;
} LAYOUT[] = {
    {"config", CONFIG},
    {"cluster-completed.spec", COMPLETED},
    {"kops-version.txt", VERSION},
    {"instancegroup/*", GROUP},
    {"clusteraddons/default", ADDONS},
    {"pki/private/*/keyset.yaml", KEYSET},
    {"pki/ssh/public/admin/*", SSH},
    {"secrets/*", SECRET},
    {"addons/*.yaml", YAML},
    {"addons/*/*.yaml", YAML},
    {"manifests/*/*.yaml", YAML},
    {"manifests/static/", OPAQUE},
    {"igconfig/*/*/nodeupconfig.yaml", YAML},
    {"igconfig/*/*/nodeupscript.sh", OPAQUE},
    {"backups/etcd/*/control/etcd-cluster-spec", ETCD_SPEC},
    {"backups/", OPAQUE},
    {"openid/v1/jwks", JSON},
    {".well-known/openid-configuration", JSON},
    {"discovery.json", OPAQUE},
    {"addons/", OPAQUE},
    {"cluster.spec", OLD},
    {"pki/issued/", OLD},
    {"pki/private/*/*.key", OLD},
};

static bool fits(const char *pattern, const char *rel)
{
    size_t n = strlen(pattern);
    return pattern[n - 1] == '/' ? strncmp(rel, pattern, n) == 0
                                 : fnmatch(pattern, rel, FNM_PATHNAME) == 0;
}

static enum kind kind_of(const char *rel)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(LAYOUT); i++)
        if (fits(LAYOUT[i].pattern, rel))
            return LAYOUT[i].kind;
    return UNKNOWN;
}

struct reading {
    struct ck_fsck_cluster *c;
    const struct ck_path *dir;
    const char **keys, **rels;
    enum kind *kinds;
    size_t n;
    int failed;
    struct ck_err err;
};

static const char *last(const char *rel)
{
    const char *slash = strrchr(rel, '/');
    return slash ? slash + 1 : rel;
}

/* ---- by kind ---- */

static void check_yaml(struct ck_fsck_cluster *c, const char *path, struct ck_slice data)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_section *v = NULL;
    size_t n = ck_manifest_split(tmp, ck_arena_slice(tmp, data), &v);
    for (size_t i = 0; i < n; i++) {
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_val *root = NULL;
        struct ck_yaml_opts o = {.line_offset = v[i].line_offset};
        if (ck_yaml_parse(tmp, v[i].text, &o, &root, NULL, &err) < 0) {
            ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "unreadable", path, "%s", ck_err_msg(&err));
            return;
        }
    }
}

static void check_json(struct ck_fsck_cluster *c, const char *path, struct ck_slice data)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_val *v = NULL;
    if (ck_json_parse(tmp, data, MAX_JSON, &v, &err) < 0)
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "unreadable", path, "%s", ck_err_msg(&err));
    else if (!ck_is_map(v))
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "unreadable", path, "it is not a JSON object");
}

static void check_version(struct ck_fsck_cluster *c, const char *path, struct ck_slice data)
{
    struct ck_slice t = ck_slice_trim(data);
    bool ok =
        t.len && t.len < 80 && t.ptr[0] >= '0' && t.ptr[0] <= '9' && ck_slice_find(t, '.') < t.len;
    if (!ok)
        ck_fsck_add(c->a, c->out, CK_FSCK_WARNING, "unreadable", path,
                    "it does not hold a version of kOps");
}

static void look(struct ck_fsck_cluster *c, enum kind kind, const char *path, const char *rel,
                 struct ck_slice data)
{
    switch (kind) {
    case CONFIG:
        ck_fsck_config(c, path, data);
        break;
    case COMPLETED:
        ck_fsck_completed(c, path, data);
        break;
    case VERSION:
        check_version(c, path, data);
        break;
    case GROUP:
        ck_fsck_group(c, path, last(rel), data);
        break;
    case ADDONS:
        ck_fsck_addons(c, path, data);
        break;
    case SSH:
        ck_fsck_ssh(c, path, last(rel), data);
        break;
    case SECRET:
        ck_fsck_secret(c, path, data);
        break;
    case YAML:
        check_yaml(c, path, data);
        break;
    case ETCD_SPEC:
    case JSON:
        check_json(c, path, data);
        break;
    default:
        break;
    }
}

static int take(void *arg, size_t i, struct ck_slice data, const struct ck_version *version,
                struct ck_err *item_err)
{
    struct reading *r = arg;
    struct ck_path p = {r->dir->vfs, r->keys[i]};
    const char *path = ck_path_text(r->c->a, &p);
    if (item_err->code == CK_OK)
        look(r->c, r->kinds[i], path, r->rels[i], data);
    else if (item_err->code != CK_NOT_FOUND)
        ck_fsck_add(r->c->a, r->c->out, CK_FSCK_ERROR, "cannot-read", path, "%s",
                    ck_err_msg(item_err));
    if (item_err->code != CK_OK && r->kinds[i] == GROUP)
        r->c->groups_whole = false;
    return 0;
}

/* ---- places ---- */

/* "igconfig/node/NAME/…" and "manifests/etcd/CLUSTER-NAME.yaml" of groups that are not there. */
static void check_orphan(struct ck_fsck_cluster *c, const char *path, const char *rel)
{
    const char *group = NULL;
    if (!c->groups_whole || !c->loaded || !c->n_groups)
        return;
    if (ck_str_starts(rel, "igconfig/")) {
        const char *role = rel + strlen("igconfig/"), *slash = strchr(role, '/');
        const char *end = slash ? strchr(slash + 1, '/') : NULL;
        group = end ? ck_arena_strndup(c->a, slash + 1, (size_t)(end - slash - 1)) : NULL;
    } else if (ck_str_starts(rel, "manifests/etcd/")) {
        const char *name = last(rel), *dash = strchr(name, '-'), *dot = strrchr(name, '.');
        group =
            dash && dot > dash ? ck_arena_strndup(c->a, dash + 1, (size_t)(dot - dash - 1)) : NULL;
    }
    if (group && !ck_fsck_has_group(c, group))
        ck_fsck_add(c->a, c->out, CK_FSCK_NOTE, "orphan", path,
                    "it is of instance group \"%s\", which is not there any more", group);
}

static void place(struct ck_fsck_cluster *c, enum kind kind, const char *path, const char *rel)
{
    if (kind == UNKNOWN)
        ck_fsck_add(c->a, c->out, CK_FSCK_WARNING, "unknown-file", path,
                    "kOps does not know it, and does not delete the cluster while it is there");
    else if (kind == OLD)
        ck_fsck_add(c->a, c->out, CK_FSCK_NOTE, "old-file", path,
                    "it is of an older version of kOps, which reads it no more");
    check_orphan(c, path, rel);
}

int ck_fsck_files(struct ck_fsck_cluster *c, const struct ck_path *dir, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_entries e = {0};
    int r = ck_vfs_tree(dir, tmp, &e, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r < 0 || !e.n)
        return r;
    struct reading w = {.c = c, .dir = dir};
    w.keys = ck_arena_alloc(tmp, e.n * sizeof *w.keys);
    w.rels = ck_arena_alloc(tmp, e.n * sizeof *w.rels);
    w.kinds = ck_arena_alloc(tmp, e.n * sizeof *w.kinds);
    c->out->files += e.n;
    for (size_t i = 0; i < e.n; i++) {
        enum kind kind = kind_of(e.v[i].name);
        if (kind == KEYSET || kind >= OPAQUE)
            continue;
        w.keys[w.n] = e.v[i].key;
        w.rels[w.n] = e.v[i].name;
        w.kinds[w.n++] = kind;
    }
    r = w.n ? ck_vfs_read_many(dir, w.keys, w.n, take, &w, err) : 0;
    for (size_t i = 0; r == 0 && i < e.n; i++) {
        struct ck_path p = {dir->vfs, e.v[i].key};
        place(c, kind_of(e.v[i].name), ck_path_text(c->a, &p), e.v[i].name);
    }
    return r;
}
