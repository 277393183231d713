/* Reads Kubernetes versions the way kOps does. Comparing full versions is doc/scalar's business.
 * Mirrors kOps pkg/apis/kops/util/versions.go. */
#include "spec/kubeversion.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* A URL such as https://host/release/v1.34.2/: the first "v1.N[.P]" in it. */
static bool parse_inside(const char *text, struct ck_semver *ret)
{
    for (const char *p = strstr(text, "v1."); p; p = strstr(p + 1, "v1.")) {
        size_t n = 3;
        while (isdigit((unsigned char)p[n]))
            n++;
        if (n == 3)
            continue;
        if (p[n] == '.' && isdigit((unsigned char)p[n + 1])) {
            n++;
            while (isdigit((unsigned char)p[n]))
                n++;
        }
        return ck_semver_parse_tolerant(ck_slice_n(p, n), ret);
    }
    return false;
}

bool ck_kube_version_parse(const char *text, struct ck_semver *ret)
{
    if (ck_semver_parse_tolerant(ck_slice_of(text), ret))
        return true;
    return parse_inside(text, ret);
}

bool ck_kube_version_ge(const struct ck_semver *v, unsigned major, unsigned minor)
{
    return v->major > major || (v->major == major && v->minor >= minor);
}
