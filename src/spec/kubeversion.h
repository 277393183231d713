/* Kubernetes versions as kOps reads them: tolerant, with or without "v", also inside a URL. */
#pragma once

#include "doc/scalar.h"

#include <stdbool.h>

/* Parse spec.kubernetesVersion (kOps' util.ParseKubernetesVersion): "1.34.1", "v1.34", a URL that
 * holds "v1.34". False when nothing like a version is found. */
bool ck_kube_version_parse(const char *text, struct ck_semver *ret);
/* Whether v is at least major.minor; a pre-release of 1.34.0 counts as 1.34. */
bool ck_kube_version_ge(const struct ck_semver *v, unsigned major, unsigned minor);
