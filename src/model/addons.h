/* The add-ons of a cluster: which ones it gets, their manifests, and the channel that lists them.
 *
 * Manifests are our own, made from templates below model/addons/manifests. Source: shared facts
 * update-cluster-aws.md §25, addon-objects.tsv; kOps bootstrapchannelbuilder. */
#pragma once

#include "base/err.h"
#include "model/model.h"

/* Add one AddonManifest task per add-on and the BootstrapChannel task to m->tasks, of lifecycle
 * m->cluster. Errors: INVALID when an additional object of the store cannot be used; INTERNAL for
 * a defect of a template. */
int ck_model_addons(struct ck_model *m, struct ck_err *err);
