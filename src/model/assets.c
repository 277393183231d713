/* Which files nodes fetch, from where. Hashes are assets_hash.c's part. Mirrors kOps
 * upup/pkg/fi/cloudup/{apply_cluster,containerd,networking,urls}.go and pkg/assets. */
#include "model/assets.h"

#include "base/attr.h"
#include "base/mem.h"
#include "model/assets_internal.h"
#include "spec/kubeversion.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    struct ck_asset asset;
    enum ck_asset_use use;
};

struct ck_assets {
    struct ck_arena *a;
    struct entry *v;
    size_t n, cap;
    struct ck_map images; /* canonical → struct ck_image_asset */
};

static const char *const archs[] = {"amd64", "arm64"};
/* Amazon's credential provider for its registry. */
static const char ECR_URL[] = "https://artifacts.k8s.io/binaries/cloud-provider-aws/v1.31.7/"
                              "linux/%s/ecr-credential-provider-linux-%s";
static const char CRICTL[] = "1.29.0", NERDCTL[] = "1.7.4";
/* The completed form names it, but not where the user chose containerd alone. */
static const char RUNC[] = "1.4.3";

/* What collecting needs. */
struct work {
    struct ck_arena *a;
    struct ck_model *m;
    struct ck_assets *s;
    struct ck_hash_source hashes;
    struct ck_err *err;
};

/* ---- locations ---- */

static const char *path_of_url(const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    return path ? path : "";
}

static const char *trimmed(struct ck_arena *a, const char *url)
{
    size_t n = strlen(url);
    while (n && url[n - 1] == '/')
        n--;
    return ck_arena_strndup(a, url, n);
}

/* Releases of kops itself are on GitHub, too, where names have no folders. */
static const char *mirror(struct work *w, const char *url)
{
    const char *version = w->m->kops_version, *arch = strstr(url, "/arm64/") ? "arm64" : "amd64";
    const char *canonical = ck_arena_printf(
        w->a, "https://artifacts.k8s.io/binaries/kops/%s/linux/%s/nodeup", version, arch);
    if (strcmp(url, canonical))
        return NULL;
    return ck_arena_printf(
        w->a, "https://github.com/kubernetes/kops/releases/download/v%s/nodeup-linux-%s", version,
        arch);
}

static struct ck_val *locations(struct work *w, const char *canonical)
{
    struct ck_val *list = ck_list(w->a);
    const char *repository = ck_str_at(w->m->spec, "assets.fileRepository");
    if (*repository) {
        ck_append(w->a, list,
                  ck_strf(w->a, "%s%s", trimmed(w->a, repository), path_of_url(canonical)));
        return list;
    }
    ck_append_str(w->a, list, canonical);
    const char *second = mirror(w, canonical);
    if (second)
        ck_append_str(w->a, list, second);
    return list;
}

/* ---- the list ---- */

/* `sha256` NULL: to be found out. */
static int add(struct work *w, enum ck_asset_use use, const char *name, const char *arch,
               const char *canonical, const char *sha256)
{
    struct ck_asset one = {.name = name, .arch = arch, .canonical = canonical, .sha256 = sha256};
    one.locations = locations(w, canonical);
    /* Asking once is enough to learn that nobody answers. */
    bool give_up = w->m->preview && w->m->unknown_hash;
    int r = sha256 ? 0
            : give_up
                ? -CK_NOT_FOUND
                : ck_hash_source_find(&w->hashes, canonical, one.locations, &one.sha256, w->err);
    if (r && w->m->preview) {
        if (!give_up)
            w->m->unknown_hash = ck_arena_strdup(w->s->a, ck_err_msg(w->err));
        ck_err_done(w->err);
        one.sha256 = "0000000000000000000000000000000000000000000000000000000000000000";
        r = 0;
    }
    if (r)
        return r;
    ck_xgrow(&w->s->v, &w->s->cap, w->s->n + 1, sizeof *w->s->v);
    w->s->v[w->s->n++] = (struct entry){one, use};
    return 0;
}

static bool is_url(const char *version)
{
    return ck_str_starts(version, "http://") || ck_str_starts(version, "https://") ||
           ck_str_starts(version, "memfs://");
}

static int add_kubernetes(struct work *w, const char *arch)
{
    static const char *const names[] = {"kubelet", "kubectl"};
    const char *version = ck_str_at(w->m->spec, "kubernetesVersion");
    const char *base = is_url(version) ? trimmed(w->a, version)
                                       : ck_arena_printf(w->a, "https://dl.k8s.io/release/v%s",
                                                         version[0] == 'v' ? version + 1 : version);
    int r = 0;
    for (size_t i = 0; i < CK_ARRAY_LEN(names) && !r; i++)
        r = add(w, CK_ASSET_NODE, names[i], arch,
                ck_arena_printf(w->a, "%s/bin/linux/%s/%s", base, arch, names[i]), NULL);
    return r;
}

static int add_ecr(struct work *w, const char *arch)
{
    if (strcmp(w->m->cloud, "aws"))
        return 0;
    return add(w, CK_ASSET_NODE, "ecr-credential-provider", arch,
               ck_arena_printf(w->a, ECR_URL, arch, arch), NULL);
}

bool ck_model_installs_cni(const struct ck_model *m)
{
    const struct ck_val *net = ck_get(m->spec, "networking");
    return !ck_is_map(ck_get(net, "amazonvpc")) && !ck_is_map(ck_get(net, "calico")) &&
           !ck_is_map(ck_get(net, "cilium"));
}

static int add_cni(struct work *w, const char *arch)
{
    static const struct {
        unsigned minor; /* from here on */
        const char *version;
    } rows[] = {{36, "1.9.1"}, {35, "1.8.0"}, {34, "1.7.1"}, {0, "1.6.2"}};
    if (!ck_model_installs_cni(w->m))
        return 0;
    size_t i = 0;
    while (!ck_kube_version_ge(&w->m->kubernetes, 1, rows[i].minor))
        i++;
    return add(w, CK_ASSET_NODE, "cni-plugins", arch,
               ck_arena_printf(w->a,
                               "https://github.com/containernetworking/plugins/releases/download/"
                               "v%s/cni-plugins-linux-%s-v%s.tgz",
                               rows[i].version, arch, rows[i].version),
               NULL);
}

/* A package of the user's own: URL and hash are both given. */
static bool own_package(const struct ck_val *packages, const char *arch, const char **ret_url,
                        const char **ret_hash)
{
    bool amd = !strcmp(arch, "amd64");
    *ret_url = ck_str_at(packages, amd ? "urlAmd64" : "urlArm64");
    *ret_hash = ck_str_at(packages, amd ? "hashAmd64" : "hashArm64");
    return **ret_url && **ret_hash;
}

static int add_runtime(struct work *w, const char *arch)
{
    const struct ck_val *c = ck_get(w->m->spec, "containerd");
    const char *url, *hash, *version = ck_str_at(c, "version"),
                            *runc = ck_str_at(c, "runc.version");
    int r;
    if (ck_bool_at(c, "skipInstall", false))
        return 0;
    if (own_package(ck_get(c, "packages"), arch, &url, &hash)) {
        r = add(w, CK_ASSET_NODE, "containerd", arch, url, hash);
    } else {
        url = ck_arena_printf(w->a,
                              "https://github.com/containerd/containerd/releases/download/v%s/"
                              "containerd-%s-linux-%s.tar.gz",
                              version, version, arch);
        r = add(w, CK_ASSET_NODE, "containerd", arch, url, NULL);
    }
    if (r)
        return r;
    if (own_package(ck_at(c, "runc.packages"), arch, &url, &hash))
        return add(w, CK_ASSET_NODE, "runc", arch, url, hash);
    url = ck_arena_printf(w->a,
                          "https://github.com/opencontainers/runc/releases/download/v%s/runc.%s",
                          *runc ? runc : RUNC, arch);
    return add(w, CK_ASSET_NODE, "runc", arch, url, NULL);
}

/* A tool of debuggers, when the cluster or a group asks for it. */
static bool wants(const struct ck_model *m, const char *path)
{
    bool any = ck_bool_at(m->spec, path, false);
    for (size_t i = 0; i < m->n_groups; i++)
        any = any || ck_bool_at(ck_object_spec(&m->groups[i]), path, false);
    return any;
}

static int add_tools(struct work *w, const char *arch)
{
    int r = 0;
    if (wants(w->m, "containerd.installNerdCtl"))
        r = add(w, CK_ASSET_NODE, "nerdctl", arch,
                ck_arena_printf(w->a,
                                "https://github.com/containerd/nerdctl/releases/download/v%s/"
                                "nerdctl-%s-linux-%s.tar.gz",
                                NERDCTL, NERDCTL, arch),
                NULL);
    if (!r && wants(w->m, "containerd.installCriCtl"))
        r = add(w, CK_ASSET_NODE, "crictl", arch,
                ck_arena_printf(w->a,
                                "https://github.com/kubernetes-sigs/cri-tools/releases/download/"
                                "v%s/crictl-v%s-linux-%s.tar.gz",
                                CRICTL, CRICTL, arch),
                NULL);
    return r;
}

/* The boot program; with a base of one's own also the images of kops' components. */
static int add_kops(struct work *w, const char *arch)
{
    static const char *const images[] = {"kops-channels", "kops-controller", "dns-controller",
                                         "kube-apiserver-healthcheck"};
    const char *own = ck_env_nonempty(w->m->env, "KOPS_BASE_URL");
    const char *base = own ? trimmed(w->a, own)
                           : ck_arena_printf(w->a, "https://artifacts.k8s.io/binaries/kops/%s",
                                             w->m->kops_version);
    int r = add(w, CK_ASSET_NODEUP, "nodeup", arch,
                ck_arena_printf(w->a, "%s/linux/%s/nodeup", base, arch), NULL);
    for (size_t i = 0; own && i < CK_ARRAY_LEN(images) && !r; i++)
        r = add(w, CK_ASSET_IMAGE, images[i], arch,
                ck_arena_printf(w->a, "%s/images/%s-%s.tar.gz", base, images[i], arch), NULL);
    return r;
}

static void assets_done(void *arg)
{
    struct ck_assets *s = arg;
    free(s->v);
    ck_map_done(&s->images);
}

int ck_assets_new(struct ck_arena *a, struct ck_model *m, bool offline, struct ck_assets **ret,
                  struct ck_err *err)
{
    static int (*const steps[])(struct work * w, const char *arch) = {
        add_kubernetes, add_ecr, add_cni, add_runtime, add_tools, add_kops};
    struct ck_assets *s = ck_arena_alloc(a, sizeof *s);
    struct work w = {.a = a, .m = m, .s = s, .err = err};
    s->a = a;
    ck_arena_on_free(a, assets_done, s);
    int r = ck_hash_source_open(a, m, offline, &w.hashes, err);
    for (size_t i = 0; i < CK_ARRAY_LEN(archs) && !r; i++)
        for (size_t k = 0; k < CK_ARRAY_LEN(steps) && !r; k++)
            r = steps[k](&w, archs[i]);
    *ret = s;
    return r;
}

/* ---- reading ---- */

const struct ck_asset *ck_assets_get(const struct ck_assets *s, enum ck_asset_use use,
                                     const char *arch, size_t i)
{
    for (size_t k = 0; k < s->n; k++)
        if (s->v[k].use == use && !strcmp(s->v[k].asset.arch, arch) && i-- == 0)
            return &s->v[k].asset;
    return NULL;
}

static int by_canonical(const void *x, const void *y)
{
    const struct ck_asset *const *a = x, *const *b = y;
    return strcmp((*a)->canonical, (*b)->canonical);
}

size_t ck_assets_files(const struct ck_assets *s, const struct ck_asset *const **ret)
{
    const struct ck_asset **v = ck_arena_alloc(s->a, (s->n + 1) * sizeof *v);
    for (size_t i = 0; i < s->n; i++)
        v[i] = &s->v[i].asset;
    qsort(v, s->n, sizeof *v, by_canonical);
    *ret = v;
    return s->n;
}

static int by_image(const void *x, const void *y)
{
    const struct ck_image_asset *const *a = x, *const *b = y;
    return strcmp((*a)->canonical, (*b)->canonical);
}

size_t ck_assets_images(const struct ck_assets *s, const struct ck_image_asset *const **ret)
{
    const struct ck_image_asset **v = ck_arena_alloc(s->a, (s->images.n + 1) * sizeof *v);
    for (size_t i = 0; i < s->images.n; i++)
        v[i] = s->images.e[i].val;
    qsort(v, s->images.n, sizeof *v, by_image);
    *ret = v;
    return s->images.n;
}

void ck_assets_mention(struct ck_assets *s, const char *canonical, const char *download)
{
    if (!s || ck_map_has(&s->images, canonical))
        return;
    struct ck_image_asset *one = ck_arena_alloc(s->a, sizeof *one);
    one->canonical = ck_arena_strdup(s->a, canonical);
    one->download = ck_arena_strdup(s->a, download);
    ck_map_put(&s->images, canonical, one);
}
