/* The binaries that nodes fetch: where they are, under which names, and their SHA-256; and the
 * images a cluster uses, as builders mention them.
 *
 * All look-ups happen once, in ck_assets_new; builders only read. Source: shared facts
 * update-cluster-aws.md §19, §20; kOps pkg/assets, upup/pkg/fi/cloudup/apply_cluster.go. */
#pragma once

#include "model/model.h"

/* One file for one architecture. */
struct ck_asset {
    const char *name; /* "kubelet", "nodeup", … */
    const char *arch; /* "amd64", "arm64" */
    const char *canonical;
    const struct ck_val *locations; /* where nodes fetch it: one, and mirrors */
    const char *sha256;             /* hex */
};

enum ck_asset_use {
    CK_ASSET_NODE,   /* unpacked or run on every node */
    CK_ASSET_NODEUP, /* fetched by the boot script */
    CK_ASSET_IMAGE,  /* an image loaded on control planes, with a KOPS_BASE_URL */
};

/* An image by its usual name and as nodes pull it. */
struct ck_image_asset {
    const char *canonical, *download;
};

/* Find out what the nodes of `m` need and the hashes of it all. m needs env, vfs, spec, facts,
 * cloud, kops_version and kubernetes. With `offline` only lists, caches and local files are asked.
 * Lists: CKOPS_ASSET_HASHES (lines of URL, tab, SHA-256), the given facts', the built-in one; then
 * files beside the binaries. Errors: INVALID, NOT_FOUND, UNAVAILABLE naming the file. */
int ck_assets_new(struct ck_arena *a, struct ck_model *m, bool offline, struct ck_assets **ret,
                  struct ck_err *err);

/* The i-th file of that use for the architecture; NULL after the last. */
const struct ck_asset *ck_assets_get(const struct ck_assets *s, enum ck_asset_use use,
                                     const char *arch, size_t i);
/* All files: sorted by canonical name. */
size_t ck_assets_files(const struct ck_assets *s, const struct ck_asset *const **ret);
/* Images mentioned so far: sorted by canonical name. */
size_t ck_assets_images(const struct ck_assets *s, const struct ck_image_asset *const **ret);
/* A builder uses this image. `s` may be NULL. */
void ck_assets_mention(struct ck_assets *s, const char *canonical, const char *download);

/* Whether nodes get the usual network plugins: not where the cluster's network brings its own. */
bool ck_model_installs_cni(const struct ck_model *m);
