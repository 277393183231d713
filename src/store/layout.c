/* Every path a state store uses, in one place.
 *
 * Names come from manifests and the command line and become path elements, so they are checked
 * here: nothing outside the cluster's folder can be named. Mirrors kOps pkg/apis/kops/registry. */
#include "store/store.h"

enum { NAME_MAX_BYTES = 253 }; /* a DNS name; longer ones have no use */

static int bad_name(const char *what, const char *name, const char *why, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (const char *p = name; *p && b.len < 80; p++)
        ck_buf_putc(&b, (unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p);
    return ck_fail(err, CK_INVALID, "%s name \"%s\" cannot be used in a state store: %s", what,
                   ck_buf_str(&b), why);
}

/* `nested`: cluster names may hold slashes, because kOps lists folders at any depth. */
static int check_name(const char *what, const char *name, bool nested, struct ck_err *err)
{
    size_t len = strlen(name);
    if (len == 0)
        return ck_fail(err, CK_INVALID, "%s name is required", what);
    if (len > NAME_MAX_BYTES)
        return bad_name(what, name, "it is too long", err);
    for (const char *p = name; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return bad_name(what, name, "it holds control characters", err);
    struct ck_slice rest = ck_slice_of(name), part;
    while (ck_slice_next(&rest, '/', &part)) {
        if (part.len == 0 || ck_slice_eq_str(part, ".") || ck_slice_eq_str(part, ".."))
            return bad_name(what, name, "it would lead out of its folder", err);
        if (!nested && part.len != len)
            return bad_name(what, name, "it holds a slash", err);
    }
    return 0;
}

int ck_layout_cluster(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                      struct ck_path *ret, struct ck_err *err)
{
    int r = check_name("cluster", cluster, true, err);
    return r ? r : ck_path_join(a, &s->root, cluster, ret, err);
}

static int below_cluster(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                         const char *rel, struct ck_path *ret, struct ck_err *err)
{
    struct ck_path dir;
    int r = ck_layout_cluster(a, s, cluster, &dir, err);
    return r ? r : ck_path_join(a, &dir, rel, ret, err);
}

int ck_layout_config(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                     struct ck_path *ret, struct ck_err *err)
{
    return below_cluster(a, s, cluster, "config", ret, err);
}

int ck_layout_ig(struct ck_arena *a, const struct ck_store *s, const char *cluster, const char *ig,
                 struct ck_path *ret, struct ck_err *err)
{
    struct ck_path dir;
    int r = below_cluster(a, s, cluster, "instancegroup", &dir, err);
    if (r || !ig) {
        *ret = dir;
        return r;
    }
    r = check_name("instance group", ig, false, err);
    return r ? r : ck_path_join(a, &dir, ig, ret, err);
}

int ck_layout_addons(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                     struct ck_path *ret, struct ck_err *err)
{
    return below_cluster(a, s, cluster, "clusteraddons/default", ret, err);
}

int ck_layout_lock(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                   struct ck_path *ret, struct ck_err *err)
{
    int r = check_name("cluster", cluster, true, err);
    return r ? r
             : ck_path_join(a, &s->root, ck_arena_printf(a, "%s/%s.lock", CK_LAYOUT_LOCKS, cluster),
                            ret, err);
}

int ck_layout_config_base(struct ck_arena *a, const struct ck_store *s,
                          const struct ck_object *cluster, struct ck_path *ret, struct ck_err *err)
{
    const char *base = ck_str_at(cluster->root, "spec.configBase");
    if (!base[0])
        return ck_layout_cluster(a, s, ck_object_name(cluster), ret, err);
    if (ck_vfs_parse(s->vfs, base, ret, err))
        return ck_wrap(err, "error parsing configBase \"%s\"", base);
    return 0;
}

static int root_of(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                   const char *field, const char *dflt, struct ck_path *ret, struct ck_err *err)
{
    const char *url = ck_str_at(ck_object_spec(cluster), field);
    if (url[0]) {
        if (ck_vfs_parse(s->vfs, url, ret, err))
            return ck_wrap(err, "error parsing %s \"%s\"", field, url);
        return 0;
    }
    struct ck_path base;
    int r = ck_layout_config_base(a, s, cluster, &base, err);
    return r ? r : ck_path_join(a, &base, dflt, ret, err);
}

int ck_layout_key_store(struct ck_arena *a, const struct ck_store *s,
                        const struct ck_object *cluster, struct ck_path *ret, struct ck_err *err)
{
    return root_of(a, s, cluster, "keyStore", "pki", ret, err);
}

int ck_layout_secret_store(struct ck_arena *a, const struct ck_store *s,
                           const struct ck_object *cluster, struct ck_path *ret, struct ck_err *err)
{
    return root_of(a, s, cluster, "secretStore", "secrets", ret, err);
}

int ck_layout_keyset(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                     const char *keyset, struct ck_path *ret, struct ck_err *err)
{
    struct ck_path keys;
    int r = keyset ? check_name("keyset", keyset, false, err) : 0;
    if (!r)
        r = ck_layout_key_store(a, s, cluster, &keys, err);
    if (r)
        return r;
    const char *rel = keyset ? ck_arena_printf(a, "private/%s/keyset.yaml", keyset) : "private";
    return ck_path_join(a, &keys, rel, ret, err);
}

int ck_layout_secret(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                     const char *secret, struct ck_path *ret, struct ck_err *err)
{
    struct ck_path dir;
    int r = check_name("secret", secret, false, err);
    if (!r)
        r = ck_layout_secret_store(a, s, cluster, &dir, err);
    return r ? r : ck_path_join(a, &dir, secret, ret, err);
}

/* statestore.md §5.7: what kOps lets lie in a cluster's folder when it deletes the cluster. */
static const char *const KNOWN_FILES[] = {"config", "cluster.spec", "cluster-completed.spec",
                                          "kops-version.txt"};
static const char *const KNOWN_FOLDERS[] = {"addons/",    "clusteraddons/", "pki/",
                                            "secrets/",   "instancegroup/", "igconfig/",
                                            "manifests/", "backups/"};

bool ck_layout_is_known(const char *rel)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(KNOWN_FILES); i++)
        if (strcmp(rel, KNOWN_FILES[i]) == 0)
            return true;
    for (size_t i = 0; i < CK_ARRAY_LEN(KNOWN_FOLDERS); i++)
        if (ck_str_starts(rel, KNOWN_FOLDERS[i]))
            return true;
    return false;
}
