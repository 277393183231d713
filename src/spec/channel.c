/* Channel files: strict reading, version and image look-up. */
#include "spec/channel.h"

#include "doc/yaml.h"

#include <string.h>

static int only_keys(const struct ck_val *map, const char *where, const char *const *known,
                     struct ck_err *err)
{
    for (size_t i = 0; ck_is_map(map) && i < ck_len(map); i++) {
        const struct ck_pair *p = &map->map.v[i];
        bool ok = false;
        for (const char *const *k = known; *k && !ok; k++)
            ok = ck_slice_eq_str(p->key, *k);
        if (!ok)
            return ck_fail(err, CK_INVALID, "line %u: unknown field \"%s%s\"", p->key_pos.line,
                           where, p->key.ptr);
    }
    return 0;
}

static int items_have_only(const struct ck_val *list, const char *where, const char *const *known,
                           struct ck_err *err)
{
    for (size_t i = 0; i < ck_len(list); i++) {
        int r = only_keys(ck_item(list, i), where, known, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int ck_channel_parse(struct ck_arena *a, struct ck_slice text, struct ck_channel *ret,
                     struct ck_err *err)
{
    static const char *const top[] = {"apiVersion", "kind", "metadata", "spec", NULL};
    static const char *const spec[] = {"images",   "cluster", "kopsVersions", "kubernetesVersions",
                                       "packages", NULL};
    static const char *const image[] = {"providerID",        "architectureID", "name",
                                        "kubernetesVersion", "labels",         NULL};
    static const char *const kops[] = {"range", "recommendedVersion", "requiredVersion",
                                       "kubernetesVersion", NULL};
    static const char *const kubernetes[] = {"range", "recommendedVersion", "requiredVersion",
                                             NULL};
    struct ck_val *root = NULL;
    int r = ck_yaml_parse(a, text, NULL, &root, NULL, err);
    if (r == 0)
        r = only_keys(root, "", top, err);
    const struct ck_val *s = ck_get(root, "spec");
    if (r == 0)
        r = only_keys(s, "spec.", spec, err);
    if (r == 0)
        r = items_have_only(ck_get(s, "images"), "spec.images[].", image, err);
    if (r == 0)
        r = items_have_only(ck_get(s, "kopsVersions"), "spec.kopsVersions[].", kops, err);
    if (r == 0)
        r = items_have_only(ck_get(s, "kubernetesVersions"), "spec.kubernetesVersions[].",
                            kubernetes, err);
    if (r == 0)
        *ret = (struct ck_channel){s};
    return r;
}

static const struct ck_val *entry(const struct ck_val *list, const struct ck_semver *v)
{
    for (size_t i = 0; i < ck_len(list); i++) {
        const struct ck_val *e = ck_item(list, i);
        const char *range = ck_str_at(e, "range");
        bool in = !*range;
        if (in || (ck_semver_in_range(v, range, &in, NULL) == 0 && in))
            return e;
    }
    return NULL;
}

const struct ck_val *ck_channel_kubernetes_entry(const struct ck_channel *c,
                                                 const struct ck_semver *v)
{
    return entry(ck_get(c->spec, "kubernetesVersions"), v);
}

const struct ck_val *ck_channel_kops_entry(const struct ck_channel *c, const struct ck_semver *v)
{
    return entry(ck_get(c->spec, "kopsVersions"), v);
}

const char *ck_channel_recommended_kubernetes(const struct ck_channel *c,
                                              const struct ck_semver *kops)
{
    const struct ck_val *e = ck_channel_kops_entry(c, kops);
    const char *v = ck_str_at(e, "kubernetesVersion");
    if (*v)
        return v;
    v = ck_str_at(c->spec, "cluster.kubernetesVersion");
    return *v ? v : NULL;
}

const char *ck_channel_image(const struct ck_channel *c, const char *cloud, const char *arch,
                             const struct ck_semver *kubernetes)
{
    const struct ck_val *images = ck_get(c->spec, "images");
    for (size_t i = 0; i < ck_len(images); i++) {
        const struct ck_val *m = ck_item(images, i);
        if (strcmp(ck_str_at(m, "providerID"), cloud) != 0)
            continue;
        const char *a = ck_str_at(m, "architectureID"), *range = ck_str_at(m, "kubernetesVersion");
        bool in = true;
        if (*a && strcmp(a, arch) != 0)
            continue;
        if (*range && (ck_semver_in_range(kubernetes, range, &in, NULL) < 0 || !in))
            continue;
        return ck_str_at(m, "name");
    }
    return NULL;
}

/* Everything before the last "-": the part that does not change from one release to the next. */
static size_t family_len(const char *image)
{
    const char *dash = strrchr(image, '-');
    return dash ? (size_t)(dash - image) : strlen(image);
}

bool ck_channel_has_image(const struct ck_channel *c, const char *image)
{
    const struct ck_val *images = ck_get(c->spec, "images");
    for (size_t i = 0; i < ck_len(images); i++) {
        const char *name = ck_str_at(ck_item(images, i), "name");
        size_t n = family_len(name);
        if (n == family_len(image) && strncmp(name, image, n) == 0)
            return true;
    }
    return false;
}

/* What new clusters need, kept short: the current image per cloud and the latest patch releases. */
static const char builtin[] =
    "spec:\n"
    "  images:\n"
    "  - {providerID: aws, architectureID: amd64, kubernetesVersion: \">=1.32.0\", name: "
    "099720109477/ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260714}\n"
    "  - {providerID: aws, architectureID: arm64, kubernetesVersion: \">=1.32.0\", name: "
    "099720109477/ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20260714}\n"
    "  - {providerID: gce, architectureID: amd64, kubernetesVersion: \">=1.32.0\", name: "
    "ubuntu-os-cloud/ubuntu-2404-noble-amd64-v20260615}\n"
    "  - {providerID: gce, architectureID: arm64, kubernetesVersion: \">=1.32.0\", name: "
    "ubuntu-os-cloud/ubuntu-2404-noble-arm64-v20260615}\n"
    "  - {providerID: azure, architectureID: amd64, kubernetesVersion: \">=1.32.0\", name: "
    "\"Canonical:ubuntu-24_04-lts:server:24.04.202606060\"}\n"
    "  - {providerID: azure, architectureID: arm64, kubernetesVersion: \">=1.32.0\", name: "
    "\"Canonical:ubuntu-24_04-lts:server-arm64:24.04.202606060\"}\n"
    "  kubernetesVersions:\n"
    "  - {range: \">=1.36.0\", recommendedVersion: 1.36.3, requiredVersion: 1.36.0}\n"
    "  - {range: \">=1.35.0\", recommendedVersion: 1.35.7, requiredVersion: 1.35.0}\n"
    "  - {range: \">=1.34.0\", recommendedVersion: 1.34.10, requiredVersion: 1.34.0}\n"
    "  - {range: \">=1.33.0\", recommendedVersion: 1.33.13, requiredVersion: 1.33.0}\n"
    "  - {range: \">=1.32.0\", recommendedVersion: 1.32.13, requiredVersion: 1.32.0}\n"
    "  kopsVersions:\n"
    "  - {range: \">=1.36.0-alpha.1\", kubernetesVersion: 1.36.3}\n";

int ck_channel_builtin(struct ck_arena *a, const char *name, struct ck_channel *ret,
                       struct ck_err *err)
{
    if (strcmp(name, "stable") != 0 && strcmp(name, "alpha") != 0)
        return ck_fail(err, CK_NOT_FOUND, "no data for channel \"%s\" is built in", name);
    return ck_channel_parse(a, CK_S(builtin), ret, err);
}
