/* Defaults that are stored with the cluster: etcd backups, network ranges, public name, proxy
 * exclusions, version. Subnets and GCE's ranges are in assign_subnet.c and assign_gce.c. Mirrors
 * kOps upup/pkg/fi/cloudup/defaults.go. */
#include "spec/assign.h"

#include "spec/ipnet.h"

#include <stdarg.h>
#include <string.h>

static const char *vformat(struct ck_arena *a, const char *fmt, va_list ap)
{
    struct ck_buf b CK_AUTOBUF = CK_BUF_INIT;
    ck_buf_vfmt(&b, fmt, ap);
    return ck_arena_strdup(a, ck_buf_str(&b));
}

void ck_assign_tell(struct ck_arena *a, const struct ck_assign_facts *facts, const char *fmt, ...)
{
    va_list ap;
    if (!facts || !facts->assigned)
        return;
    va_start(ap, fmt);
    facts->assigned(facts->arg, vformat(a, fmt, ap));
    va_end(ap);
}

void ck_assign_skip(struct ck_arena *a, const struct ck_assign_facts *facts, const char *fmt, ...)
{
    va_list ap;
    if (!facts || !facts->skipped)
        return;
    va_start(ap, fmt);
    facts->skipped(facts->arg, vformat(a, fmt, ap));
    va_end(ap);
}

static void assign_etcd(struct ck_arena *a, struct ck_val *spec)
{
    struct ck_val *list = ck_get(spec, "etcdClusters");
    for (size_t i = 0; i < ck_len(list); i++) {
        struct ck_val *manager = ck_ensure_map(a, ck_item(list, i), "manager");
        if (ck_is_null(ck_get(manager, "backupRetentionDays")))
            ck_set_int(a, manager, "backupRetentionDays", 90);
    }
}

static bool is_cloud(const struct ck_val *spec, const char *cloud)
{
    return !strcmp(ck_str_at(spec, "cloudProvider"), cloud);
}

/* The range of the whole network on AWS, Azure and AliCloud. */
static void assign_network(struct ck_arena *a, struct ck_val *spec,
                           const struct ck_assign_facts *facts)
{
    bool aws = is_cloud(spec, "aws");
    bool azure = is_cloud(spec, "azure");
    if ((!aws && !azure && !is_cloud(spec, "alicloud")) || *ck_str_at(spec, "networkCIDR"))
        return;
    const char *id = ck_str_at(spec, "networkID");
    const char *cidr = azure ? "10.0.0.0/16" : "172.20.0.0/16";
    if (*id) {
        cidr = facts ? facts->network_cidr : NULL;
        if (!cidr) {
            ck_assign_skip(a, facts,
                           "spec.networkCIDR: only the cloud knows the range of network %s", id);
            return;
        }
    }
    ck_set_str(a, spec, "networkCIDR", cidr);
    if (aws && !ck_is_null(ck_at(spec, "networking.amazonvpc")) &&
        !strchr(ck_str_at(spec, "nonMasqueradeCIDR"), ':'))
        ck_set_str(a, spec, "nonMasqueradeCIDR", cidr);
}

static void assign_names(struct ck_arena *a, struct ck_val *spec, const char *name)
{
    if (!*ck_str_at(spec, "nonMasqueradeCIDR"))
        ck_set_str(a, spec, "nonMasqueradeCIDR", "100.64.0.0/10");
    const char *dns = ck_str_at(spec, "topology.dns.type");
    if ((!*dns || !strcmp(dns, "Public")) && !*ck_str_at(spec, "masterPublicName"))
        ck_set(a, spec, "masterPublicName", ck_strf(a, "api.%s", name));
}

/* Append one exclusion unless it is empty or already part of what the user wrote. */
static void exclude(struct ck_buf *b, const char *user, const char *item)
{
    if (!*item || strstr(user, item))
        return;
    if (b->len)
        ck_buf_putc(b, ',');
    ck_buf_puts(b, item);
}

static void assign_proxy(struct ck_arena *a, struct ck_val *spec, const char *name)
{
    struct ck_val *proxy = ck_get(spec, "egressProxy");
    if (!ck_is_map(proxy))
        return;
    const char *user = ck_str_at(proxy, "excludes"), *masq = ck_str_at(spec, "nonMasqueradeCIDR");
    char first[CK_IPNET_TEXT] = "";
    struct ck_ipnet net;
    if (ck_ipnet_parse(masq, &net))
        ck_ipnet_nth_ip(&net, 1, first);
    struct ck_buf b CK_AUTOBUF = CK_BUF_INIT;
    ck_buf_puts(&b, user);
    exclude(&b, user, "127.0.0.1");
    exclude(&b, user, "localhost");
    /* The completed form has a default domain and public name, which were open when the exclusions
     * were assigned: completing it again must add nothing. */
    const char *domain = ck_str_at(spec, "clusterDNSDomain");
    const char *public_name = ck_str_at(spec, "masterPublicName");
    bool assigned = strstr(user, name) && strstr(user, masq);
    if (!assigned || strcmp(domain, "cluster.local") != 0)
        exclude(&b, user, domain);
    if (!assigned || !ck_str_starts(public_name, "api.") || strcmp(public_name + 4, name) != 0)
        exclude(&b, user, public_name);
    exclude(&b, user, name);
    exclude(&b, user, first);
    exclude(&b, user, masq);
    if (is_cloud(spec, "aws"))
        exclude(&b, user, "169.254.169.254");
    exclude(&b, user, ck_str_at(spec, "networkCIDR"));
    const struct ck_val *more = ck_get(spec, "additionalNetworkCIDRs");
    for (size_t i = 0; i < ck_len(more); i++)
        exclude(&b, user, ck_str_or(ck_item(more, i), ""));
    ck_set_str(a, proxy, "excludes", ck_buf_str(&b));
}

static void assign_azure(struct ck_arena *a, struct ck_val *spec,
                         const struct ck_assign_facts *facts)
{
    if (!is_cloud(spec, "azure") || *ck_str_at(spec, "cloudConfig.azure.storageAccountID"))
        return;
    if (facts && facts->azure_storage_account)
        ck_put(a, spec, "cloudConfig.azure.storageAccountID",
               ck_str(a, facts->azure_storage_account));
    else
        ck_assign_skip(a, facts,
                       "spec.cloudConfig.azure.storageAccountID: only the cloud knows it");
}

static void assign_version(struct ck_arena *a, struct ck_val *spec,
                           const struct ck_assign_facts *facts)
{
    if (*ck_str_at(spec, "kubernetesVersion"))
        return;
    if (facts && facts->kubernetes_version) {
        ck_set_str(a, spec, "kubernetesVersion", facts->kubernetes_version);
        ck_assign_tell(a, facts, "Using KubernetesVersion \"%s\" from channel \"%s\"",
                       facts->kubernetes_version, ck_str_at(spec, "channel"));
    } else {
        ck_assign_skip(a, facts, "spec.kubernetesVersion: the channel recommends none");
    }
}

int ck_assign_cluster(struct ck_arena *a, struct ck_object *cluster,
                      const struct ck_assign_facts *facts, struct ck_err *err)
{
    struct ck_val *spec = ck_object_spec(cluster);
    const char *name = ck_object_name(cluster);
    assign_etcd(a, spec);
    ck_ensure_map(a, spec, "topology");
    if (is_cloud(spec, "gce")) {
        int r = ck_assign_gce(a, cluster, facts, err);
        if (r < 0)
            return r;
    }
    assign_network(a, spec, facts);
    assign_names(a, spec, name);
    if (is_cloud(spec, "aws") || is_cloud(spec, "openstack") || is_cloud(spec, "azure") ||
        is_cloud(spec, "alicloud")) {
        int r = ck_assign_subnets(a, cluster, facts, err);
        if (r < 0)
            return r;
    }
    assign_proxy(a, spec, name);
    assign_azure(a, spec, facts);
    assign_version(a, spec, facts);
    return 0;
}
