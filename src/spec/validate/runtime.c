/* Container runtime, assets, kernel parameters, rolling updates, the API load balancer's general
 * rules (138–149). Mirrors validateClusterSpec and its helpers in kOps
 * pkg/apis/kops/validation/validation.go. */
#include "spec/validate/rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NO_DOCKER                                                                                  \
    "Docker CRI support was removed in Kubernetes 1.24: "                                          \
    "https://kubernetes.io/blog/2020/12/02/dockershim-faq"

/* Rule 139. */
static void check_containerd_version(struct ck_chk *c, struct ck_fld f)
{
    struct ck_semver v;
    if (!ck_fld_set(f))
        return;
    if (!ck_semver_parse_tolerant(ck_slice_of(ck_fld_str(f)), &v))
        ck_chk_invalid(c, f, "unable to parse version string: Invalid version \"%s\"",
                       ck_fld_str(f));
    else if (v.major < 2 || (v.major == 2 && v.minor < 1))
        ck_chk_invalid(c, f, "unsupported legacy version; containerd 2.1.0 or newer is required");
}

/* Rule 140, for one architecture. */
static void check_package(struct ck_chk *c, struct ck_fld f, const char *arch, const char *suffix)
{
    struct ck_fld url = ck_fld_at(c, f, ck_arena_printf(c->a, "packages.url%s", arch),
                                  ck_arena_printf(c->a, "packageUrl%s", suffix));
    struct ck_fld hash = ck_fld_at(c, f, ck_arena_printf(c->a, "packages.hash%s", arch),
                                   ck_arena_printf(c->a, "packageHash%s", suffix));
    bool has_url = !ck_is_null(url.v), has_hash = !ck_is_null(hash.v);
    if (has_url && !has_hash)
        ck_chk_invalid(c, url, "Package hash must also be set");
    else if (has_hash && !has_url)
        ck_chk_invalid(c, hash, "Package URL must also be set");
    else if (has_hash && strlen(ck_fld_str(hash)) != 64)
        ck_chk_invalid(c, hash, "Package hash must be 64 characters long");
}

static void check_timeout(struct ck_chk *c, struct ck_fld f)
{
    int64_t ns;
    if (f.v && f.v->kind == CK_STR && ck_duration_parse(f.v->s, &ns, NULL) == 0 && ns <= 0)
        ck_chk_invalid(c, f, "must be a positive duration");
}

void ck_chk_containerd(struct ck_chk *c, struct ck_fld f, bool in_cluster)
{
    if (ck_is_null(f.v))
        return;
    check_containerd_version(c, ck_fld_at(c, f, "version", NULL));
    check_package(c, f, "Amd64", "");
    check_package(c, f, "Arm64", "Arm64");
    struct ck_fld gpu = ck_fld_at(c, f, "nvidiaGPU", "nvidia");
    if (ck_bool_at(gpu.v, "enabled", false)) {
        bool openstack = ck_chk_is_cloud(c, "openstack");
        if (!openstack && !ck_chk_is_cloud(c, "aws"))
            ck_chk_forbidden(c, gpu, "Nvidia is only supported on AWS and OpenStack");
        if (openstack && in_cluster)
            ck_chk_forbidden(c, gpu,
                             "OpenStack supports nvidia configuration only in instance group");
    }
    struct ck_fld gvisor = ck_fld_at(c, f, "gvisor", NULL);
    if (in_cluster && !ck_is_null(gvisor.v))
        ck_chk_forbidden(c, gvisor, "gVisor can only be configured on instance groups");
    check_timeout(c, ck_fld_at(c, f, "nri.pluginRegistrationTimeout", NULL));
    check_timeout(c, ck_fld_at(c, f, "nri.pluginRequestTimeout", NULL));
}

/* Rules 143 and 144. */
static void check_assets(struct ck_chk *c, struct ck_fld assets)
{
    static const char *const schemes[] = {"http://", "https://", "gs://", "s3://", "azureblob://"};
    struct ck_fld proxy = ck_fld_at(c, assets, "containerProxy", NULL);
    if (!ck_is_null(proxy.v) && !ck_is_null(ck_get(assets.v, "containerRegistry")))
        ck_chk_forbidden(c, proxy,
                         "containerProxy cannot be used in conjunction with containerRegistry");
    struct ck_fld repo = ck_fld_at(c, assets, "fileRepository", NULL);
    const char *s = ck_fld_str(repo), *host = NULL;
    if (!*s)
        return;
    for (size_t i = 0; i < CK_ARRAY_LEN(schemes); i++)
        if (ck_str_starts(s, schemes[i]))
            host = s + strlen(schemes[i]);
    if (!host)
        ck_chk_invalid(c, repo,
                       "fileRepository must be an http://, https://, gs://, s3://, or "
                       "azureblob:// URL");
    else if (!*host || *host == '/')
        ck_chk_invalid(c, repo, "fileRepository must include a host");
    else if (ck_str_starts(s, "gs://") && !ck_chk_is_cloud(c, "gce"))
        ck_chk_invalid(
            c, repo,
            "gs:// fileRepository is only supported on GCE, but the cloud provider is \"%s\"",
            c->cloud);
}

void ck_chk_sysctls(struct ck_chk *c, struct ck_fld list)
{
    for (size_t i = 0; i < ck_len(list.v); i++) {
        struct ck_fld f = ck_fld_item(c, list, i);
        if (!strchr(ck_fld_str(f), '='))
            ck_chk_invalid(c, f, "must contain a \"=\" character");
    }
}

/* apimachinery's GetScaledValueFromIntOrPercent; false with *ret_why when the text is no
 * percentage.
 */
static bool scaled(const struct ck_val *v, int64_t total, bool round_up, int64_t *ret,
                   const char **ret_why)
{
    if (v->kind == CK_INT) {
        *ret = v->i;
        return true;
    }
    const char *s = ck_str_or(v, "");
    size_t n = strlen(s);
    char *end;
    *ret_why = "invalid value for IntOrString: invalid type: string is not a percentage";
    if (!n || s[n - 1] != '%')
        return false;
    *ret_why = "invalid value for IntOrString: the percentage is not a number";
    long percent = strtol(s, &end, 10);
    if (end != s + n - 1 || end == s || n > 9 || isspace((unsigned char)*s))
        return false;
    int64_t product = percent * total;
    *ret = product / 100;
    if (product % 100 && round_up == (product > 0))
        *ret += round_up ? 1 : -1;
    return true;
}

/* Rule 146. */
void ck_chk_rolling_update(struct ck_chk *c, struct ck_fld f, bool control_plane)
{
    struct ck_fld down = ck_fld_at(c, f, "maxUnavailable", NULL);
    struct ck_fld up = ck_fld_at(c, f, "maxSurge", NULL);
    const char *why = NULL;
    int64_t unavailable = 1, surge = 0;
    if (!ck_is_null(down.v)) {
        if (!scaled(down.v, 1, false, &unavailable, &why))
            ck_chk_invalid(c, down, "Unable to parse: %s", why);
        else if (unavailable < 0)
            ck_chk_invalid(c, down, "Cannot be negative");
    }
    if (ck_is_null(up.v))
        return;
    if (!scaled(up.v, 1000, true, &surge, &why)) {
        ck_chk_invalid(c, up, "Unable to parse: %s", why);
        return;
    }
    if (surge < 0)
        ck_chk_invalid(c, up, "Cannot be negative");
    else if (control_plane && surge != 0)
        ck_chk_forbidden(c, up, "Cannot surge instance groups with role \"ControlPlane\"");
    else if (surge == 0 && unavailable == 0)
        ck_chk_forbidden(c, up, "Cannot be zero if maxUnavailable is zero");
}

/* Rules 147 and 148. */
static void check_load_balancer(struct ck_chk *c, struct ck_fld lb)
{
    static const char *const aws_only[] = {"class",
                                           "securityGroupOverride",
                                           "additionalSecurityGroups",
                                           "sslCertificate",
                                           "sslPolicy",
                                           "crossZoneLoadBalancing",
                                           "accessLog"};
    if (ck_is_null(lb.v))
        return;
    for (size_t i = 0; i < CK_ARRAY_LEN(aws_only) && !ck_chk_is_cloud(c, "aws"); i++) {
        struct ck_fld f = ck_fld_at(c, lb, aws_only[i], NULL);
        if (ck_fld_set(f))
            ck_chk_forbidden(c, f, "%s is only supported on AWS", aws_only[i]);
    }
    struct ck_fld type = ck_fld_at(c, lb, "type", NULL);
    if (!ck_fld_is(type, "Internal"))
        return;
    const struct ck_val *subnets = ck_get(c->spec, "subnets");
    for (size_t i = 0; i < ck_len(subnets); i++)
        if (!strcmp(ck_str_at(ck_item(subnets, i), "type"), "Private"))
            return;
    ck_chk_forbidden(c, type,
                     "Internal LoadBalancers must have at least one subnet of type Private");
}

void ck_chk_runtime(struct ck_chk *c, struct ck_fld spec)
{
    struct ck_fld f = ck_fld_at(c, spec, "containerRuntime", NULL);
    ck_chk_one_of_set(c, f, CK_ONE_OF("containerd", "docker"));
    if (ck_fld_is(f, "docker"))
        ck_chk_forbidden(c, f, "%s", NO_DOCKER);
    ck_chk_containerd(c, ck_fld_at(c, spec, "containerd", NULL), true);
    f = ck_fld_at(c, spec, "docker", NULL);
    if (!ck_is_null(f.v))
        ck_chk_forbidden(c, f, "%s", NO_DOCKER);
    check_assets(c, ck_fld_at(c, spec, "assets", NULL));
    ck_chk_sysctls(c, ck_fld_at(c, spec, "sysctlParameters", NULL));
    ck_chk_rolling_update(c, ck_fld_at(c, spec, "rollingUpdate", NULL), false);
    check_load_balancer(c, ck_fld_at(c, spec, "api.loadBalancer", NULL));
    f = ck_fld_at(c, spec, "cloudConfig.manageStorageClasses", NULL);
    const struct ck_val *create =
        ck_at(c->spec, "cloudConfig.openstack.blockStorage.createStorageClass");
    if (create && f.v && create->kind == CK_BOOL && f.v->kind == CK_BOOL && create->b != f.v->b)
        ck_chk_forbidden(c, f,
                         "Management of storage classes and OpenStack block storage classes are "
                         "both specified but disagree");
}
