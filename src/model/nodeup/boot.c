/* The boot configuration: what a fresh machine must know before it can fetch its configuration.
 * Mirrors kOps pkg/apis/nodeup/bootconfig.go and pkg/nodemodel/nodeupconfigbuilder.go. */
#include "doc/yaml.h"
#include "model/nodeup/internal.h"

#include <string.h>

enum { KOPS_CONTROLLER_PORT = 3988 };

static const char *controller_url(const struct ck_model *m, const char *host)
{
    bool v6 = strchr(host, ':') != NULL;
    return ck_arena_printf(m->a, "https://%s%s%s:%d/", v6 ? "[" : "", host, v6 ? "]" : "",
                           KOPS_CONTROLLER_PORT);
}

/* Where workers get everything else, and whom they trust there. Without DNS that is at the
 * addresses of the API's balancer, once they are known. */
static struct ck_val *config_server(const struct ck_model *m, const struct ck_val *addresses,
                                    const struct ck_node_files *files)
{
    const char *name = ck_arena_printf(m->a, "kops-controller.internal.%s", m->name);
    struct ck_val *server = ck_map(m->a), *urls = ck_list(m->a);
    for (size_t i = 0; i < ck_len(addresses); i++)
        ck_append_str(m->a, urls, controller_url(m, ck_str_or(ck_item(addresses, i), "")));
    if (ck_len(urls))
        ck_set_str(m->a, server, "tlsServerName", name);
    else
        ck_append_str(m->a, urls, controller_url(m, name));
    ck_set_str(m->a, server, "CACertificates", files->ca ? files->ca : "");
    ck_set(m->a, server, "servers", urls);
    return server;
}

void ck_nodeup_boot_config(const struct ck_model *m, const struct ck_object *group,
                           const struct ck_node_files *files, struct ck_buf *out)
{
    struct ck_val *c = ck_map(m->a);
    ck_set_str(m->a, c, "CloudProvider", m->cloud);
    ck_set_str(m->a, c, "ClusterName", m->name);
    ck_set_str(m->a, c, "InstanceGroupName", ck_object_name(group));
    ck_set_str(m->a, c, "InstanceGroupRole", ck_model_role_name(ck_model_role(group)));
    ck_set_str(m->a, c, "NodeupConfigHash", files->hash);
    if (ck_model_has_apiserver(group)) {
        ck_set_str(m->a, c, "ConfigBase", ck_str_at(m->spec, "configBase"));
    } else {
        const struct ck_val *addresses =
            ck_model_dns_none(m) ? ck_nodeup_api_addresses(m) : ck_list(m->a);
        if (ck_len(addresses))
            ck_set(m->a, c, "APIServerIPs", ck_val_clone(m->a, addresses));
        ck_set(m->a, c, "ConfigServer", config_server(m, addresses, files));
    }
    ck_yaml_emit(out, c);
}
