/* Machines that wait stopped in a warm pool: the hook that keeps them back, and the images they
 * pull meanwhile. Mirrors kOps pkg/nodemodel/nodeupconfigbuilder.go (buildWarmPoolImages). */
#include "base/attr.h"
#include "base/strv.h"
#include "model/addons.h"
#include "model/nodeup/internal.h"

#include <string.h>

/* What delays a start: images of the network, of storage and of the cloud. */
static bool is_slow(const char *image)
{
    static const char *const prefixes[] = {
        "registry.k8s.io/kube-proxy:",
        "registry.k8s.io/provider-aws/",
        "registry.k8s.io/sig-storage/csi-node-driver-registrar:",
        "registry.k8s.io/sig-storage/livenessprobe:",
        "quay.io/calico/",
        "quay.io/cilium/",
        "quay.io/coreos/flannel:",
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(prefixes); i++)
        if (ck_str_starts(image, prefixes[i]))
            return true;
    return false;
}

/* Add-ons are built after the groups, so their images come from a trial run. */
static int find_images(struct ck_model *m, const struct ck_val **ret, struct ck_err *err)
{
    const struct ck_image_asset *const *images;
    struct ck_model trial = *m;
    struct ck_tasks tasks;
    CK_AUTOSTRV slow = {0};
    const char *version = ck_str_at(m->spec, "kubernetesVersion");
    ck_tasks_init(&tasks, m->a);
    trial.tasks = &tasks;
    int r = ck_model_addons(&trial, err);
    if (!r)
        r = ck_tasks_fill(&tasks, err);
    ck_tasks_done(&tasks);
    if (r)
        return r;
    ck_model_image(m, ck_arena_printf(m->a, "registry.k8s.io/kube-proxy:v%s",
                                      version[0] == 'v' ? version + 1 : version));
    size_t n = ck_assets_images(m->assets, &images);
    for (size_t i = 0; i < n; i++)
        if (is_slow(images[i]->canonical))
            ck_strv_push(&slow, images[i]->download);
    ck_strv_sort(&slow);
    ck_strv_uniq(&slow);
    struct ck_val *list = ck_list(m->a);
    for (size_t i = 0; i < slow.n; i++)
        ck_append_str(m->a, list, slow.v[i]);
    *ret = list;
    return 0;
}

/* The images and those the settings add, in order. */
static struct ck_val *with_more(struct ck_model *m, const struct ck_val *images,
                                const struct ck_val *more)
{
    struct ck_val *list = ck_list(m->a);
    CK_AUTOSTRV all = {0};
    for (size_t i = 0; i < ck_len(images); i++)
        ck_strv_push(&all, ck_str_or(ck_item(images, i), ""));
    for (size_t i = 0; i < ck_len(more); i++)
        ck_strv_push(&all, ck_str_or(ck_item(more, i), ""));
    ck_strv_sort(&all);
    ck_strv_uniq(&all);
    for (size_t i = 0; i < all.n; i++)
        ck_append_str(m->a, list, all.v[i]);
    return list;
}

int ck_nodeup_put_warm_pool(struct ck_model *m, const struct ck_object *group,
                            struct ck_val *config, struct ck_err *err)
{
    struct ck_nodeup *n = ck_nodeup_of(m);
    struct ck_warm_pool w = ck_model_warm_pool(m, group);
    if (strcmp(m->cloud, "aws"))
        return 0;
    if (w.hook)
        ck_set_bool(m->a, config, "EnableLifecycleHook", true);
    if (!w.enabled || ck_model_role(group) == CK_ROLE_CONTROL_PLANE)
        return 0;
    int r = n->warm_images ? 0 : find_images(n->m, &n->warm_images, err);
    if (r)
        return r;
    struct ck_val *images = with_more(m, n->warm_images, w.images);
    if (ck_len(images))
        ck_set(m->a, config, "warmPoolImages", images);
    return 0;
}
