/* OpenStack's service catalog: the object store's URL for a region and an interface. */
#include "auth/openstack/internal.h"

#include "doc/val.h"

#include <string.h>
#include <strings.h>

static const char *service_type(const struct ck_os *os)
{
    const char *t = os->set.v[OS_K_SERVICE_TYPE];
    return t ? t : "object-store";
}

/* "public", also written "publicURL". */
static bool same_interface(const char *have, const char *want)
{
    size_t n = strlen(want);
    if (n > 3 && strcasecmp(want + n - 3, "URL") == 0)
        n -= 3;
    return strncasecmp(have, want, n) == 0 && have[n] == '\0';
}

static bool same_region(const struct ck_val *e, const char *region)
{
    return !region || ck_is_str(ck_get(e, "region"), region) ||
           ck_is_str(ck_get(e, "region_id"), region);
}

/* v3: {"interface": "public", "url": …}; v2: {"publicURL": …}. "" when this is another one. */
static const char *url_of(const struct ck_os *os, const struct ck_val *e, const char *interface)
{
    if (!os->v2)
        return same_interface(ck_str_at(e, "interface"), interface) ? ck_str_at(e, "url") : "";
    static const char *const keys[] = {"publicURL", "internalURL", "adminURL"};
    static const char *const names[] = {"public", "internal", "admin"};
    for (size_t i = 0; i < CK_ARRAY_LEN(keys); i++)
        if (same_interface(names[i], interface))
            return ck_str_at(e, keys[i]);
    return "";
}

static void put_choice(struct ck_buf *b, const struct ck_os *os, const struct ck_val *e)
{
    const char *region = ck_str_at(e, "region");
    if (!*region)
        region = ck_str_at(e, "region_id");
    if (b->len < 400)
        ck_buf_fmt(b, "%s%s%s%s", b->len ? ", " : "", *region ? region : "(no region)",
                   os->v2 ? "" : " ", os->v2 ? "" : ck_str_at(e, "interface"));
}

int ck_os_find_endpoint(struct ck_os *os, const struct ck_val *catalog, const char **ret,
                        struct ck_err *err)
{
    const char *region = os->set.v[OS_K_REGION], *name = os->set.v[OS_K_SERVICE_NAME];
    const char *interface = os->set.v[OS_K_INTERFACE] ? os->set.v[OS_K_INTERFACE] : "public";
    CK_AUTOBUF struct ck_buf choices = CK_BUF_INIT;
    if (!ck_len(catalog))
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "%s got a token without a service catalog: name the project with "
                       "OS_PROJECT_ID, or OS_PROJECT_NAME and its domain",
                       os->who);
    for (size_t i = 0; i < ck_len(catalog); i++) {
        const struct ck_val *s = ck_item(catalog, i);
        if (!ck_is_str(ck_get(s, "type"), service_type(os)) ||
            (name && !ck_is_str(ck_get(s, "name"), name)))
            continue;
        const struct ck_val *endpoints = ck_get(s, "endpoints");
        for (size_t k = 0; k < ck_len(endpoints); k++) {
            const struct ck_val *e = ck_item(endpoints, k);
            const char *url = same_region(e, region) ? url_of(os, e, interface) : "";
            if (*url) {
                *ret = url;
                return 0;
            }
            put_choice(&choices, os, e);
        }
    }
    return ck_fail(err, CK_INVALID,
                   "No suitable endpoint could be found in the service catalog: no %s with the %s "
                   "interface%s in %s%s%s; the catalog has: %s",
                   service_type(os), interface, os->set.v[OS_K_INTERFACE] ? " (OS_INTERFACE)" : "",
                   region ? "region " : "any region", region ? region : "",
                   region ? " (OS_REGION_NAME)" : "", choices.len ? ck_buf_str(&choices) : "none");
}
