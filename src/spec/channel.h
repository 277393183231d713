/* Channels: recommended versions and images (kOps pkg/apis/kops/channel.go). */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "doc/scalar.h"
#include "doc/val.h"

struct ck_channel {
    const struct ck_val
        *spec; /* images, kopsVersions, kubernetesVersions; NULL: the empty channel */
};

/* Parse a channel file. Unknown fields are errors, as in kOps. */
int ck_channel_parse(struct ck_arena *a, struct ck_slice text, struct ck_channel *ret,
                     struct ck_err *err);
/* The data of "stable" and "alpha" that this program carries. */
int ck_channel_builtin(struct ck_arena *a, const char *name, struct ck_channel *ret,
                       struct ck_err *err);
/* The Kubernetes version for new clusters of this kOps version; NULL when the channel has none. */
const char *ck_channel_recommended_kubernetes(const struct ck_channel *c,
                                              const struct ck_semver *kops);
/* The entry of kubernetesVersions or kopsVersions whose range holds v; NULL when there is none. */
const struct ck_val *ck_channel_kubernetes_entry(const struct ck_channel *c,
                                                 const struct ck_semver *v);
const struct ck_val *ck_channel_kops_entry(const struct ck_channel *c, const struct ck_semver *v);
/* First image for (cloud, architecture, Kubernetes version); NULL when there is none. */
const char *ck_channel_image(const struct ck_channel *c, const char *cloud, const char *arch,
                             const struct ck_semver *kubernetes);
/* Whether the image's name begins as one of the channel's images does, up to its version. */
bool ck_channel_has_image(const struct ck_channel *c, const char *image);
