/* Security groups of control plane and nodes, and their rules.
 *
 * Source: shared facts update-cluster-aws.md §6; kOps pkg/model/awsmodel/firewall.go. */
#include "model/aws/builders.h"

#include "doc/cidr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PORT = 65535, API_PORT = 443, SSH_PORT = 22 };

bool ck_aws_is_prefix_list(const char *s)
{
    return ck_str_starts(s, "pl-");
}

bool ck_aws_is_ipv6_range(const char *s)
{
    return strchr(s, ':') != NULL;
}

/* ---- groups by role ---- */

static const char *default_group(const struct ck_model *m, enum ck_role role)
{
    const char *word = role == CK_ROLE_NODE      ? "nodes"
                       : role == CK_ROLE_BASTION ? "bastion"
                                                 : "masters";
    return ck_arena_printf(m->a, "%s.%s", word, m->name);
}

/* API servers share the control plane's group. */
static enum ck_role firewall_role(enum ck_role role)
{
    return role == CK_ROLE_API_SERVER ? CK_ROLE_CONTROL_PLANE : role;
}

static const char *override_task(const struct ck_model *m, const char *id, enum ck_role role)
{
    return ck_arena_printf(m->a, "%s-%s", id, ck_model_role_name(role));
}

size_t ck_aws_role_groups(const struct ck_model *m, enum ck_role role, struct ck_aws_sg **ret)
{
    struct ck_aws_sg *v = ck_arena_alloc(m->a, (m->n_groups + 1) * sizeof *v);
    size_t n = 0;
    bool plain = false;
    for (size_t i = 0; i < m->n_groups; i++) {
        const struct ck_object *g = &m->groups[i];
        if (firewall_role(ck_model_role(g)) != role)
            continue;
        const char *id = ck_str_at(g->root, "spec.securityGroupOverride");
        bool known = !*id;
        plain = plain || !*id;
        for (size_t k = 0; k < n && !known; k++)
            known = !strcmp(v[k].id, id);
        if (!known)
            v[n++] = (struct ck_aws_sg){override_task(m, id, role),
                                        ck_arena_printf(m->a, "-%s", id), id};
    }
    if (plain)
        v[n++] = (struct ck_aws_sg){default_group(m, role), "", NULL};
    *ret = v;
    return n;
}

const char *ck_aws_group_sg(const struct ck_model *m, const struct ck_object *group)
{
    enum ck_role role = firewall_role(ck_model_role(group));
    const char *id = ck_str_at(group->root, "spec.securityGroupOverride");
    return *id ? override_task(m, id, role) : default_group(m, role);
}

/* ---- rules ---- */

static const char *directional_name(const struct ck_model *m, const struct ck_aws_rule *r)
{
    const char *other = r->source_group;
    if (!other)
        other = r->source && !ck_aws_is_prefix_list(r->source) ? r->source : "0.0.0.0/0";
    return ck_arena_printf(m->a, "from-%s-%s-%s-%dto%d-%s", r->egress ? r->group : other,
                           r->egress ? "egress" : "ingress", r->protocol ? r->protocol : "all",
                           r->from, r->to, r->egress ? other : r->group);
}

void ck_aws_add_rule(struct ck_model *m, const struct ck_aws_rule *r)
{
    const char *name = r->name ? r->name : directional_name(m, r);
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_security_group_rule, name, m->security);
    ck_task_ref(t, "SecurityGroup", &ck_aws_security_group, r->group);
    if (r->source_group)
        ck_task_ref(t, "SourceGroup", &ck_aws_security_group, r->source_group);
    if (r->source)
        ck_task_str(t,
                    ck_aws_is_prefix_list(r->source)  ? "PrefixList"
                    : ck_aws_is_ipv6_range(r->source) ? "IPv6CIDR"
                                                      : "CIDR",
                    r->source);
    ck_task_str(t, "Protocol", r->protocol);
    if (r->protocol && (r->from || r->to)) {
        ck_task_int(t, "FromPort", r->from);
        ck_task_int(t, "ToPort", r->to);
    }
    if (r->egress)
        ck_task_bool(t, "Egress", true);
    const struct ck_task *group = ck_tasks_find(m->tasks, &ck_aws_security_group, r->group);
    const struct ck_val *tags = group ? ck_task_get(group, "Tags") : NULL;
    if (!r->untagged && tags) {
        struct ck_val *own = ck_val_clone(m->a, tags);
        ck_set_str(m->a, own, "Name", name);
        ck_task_val(t, "Tags", own);
    }
}

void ck_aws_open_egress(struct ck_model *m, const char *group)
{
    ck_aws_add_rule(m,
                    &(struct ck_aws_rule){.group = group, .source = "0.0.0.0/0", .egress = true});
    ck_aws_add_rule(m, &(struct ck_aws_rule){.group = group, .source = "::/0", .egress = true});
}

static const struct ck_val *strings(const struct ck_model *m, const char *const *text, size_t n)
{
    struct ck_val *list = ck_list(m->a);
    for (size_t i = 0; i < n; i++)
        ck_append_str(m->a, list, text[i]);
    return list;
}

static void security_group(struct ck_model *m, const struct ck_aws_sg *g, enum ck_role role)
{
    static const char *const node_rules[] = {"port=22"};
    static const char *const master_rules[] = {
        "port=22",   "port=443",  "port=2380", "port=2381", "port=3988", "port=4001",
        "port=4002", "port=4789", "port=179",  "port=8443", "port=3:4",  "port=-1",
    };
    bool node = role == CK_ROLE_NODE;
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_security_group, g->name, m->security);
    ck_task_ref(t, "VPC", &ck_aws_vpc, m->name);
    ck_task_val(t, "RemoveExtraRules",
                node ? strings(m, node_rules, sizeof node_rules / sizeof *node_rules)
                     : strings(m, master_rules, sizeof master_rules / sizeof *master_rules));
    if (g->id) {
        ck_task_str(t, "ID", g->id);
        ck_task_bool(t, "Shared", true);
        return;
    }
    ck_task_str(t, "Description", node ? "Security group for nodes" : "Security group for masters");
    ck_task_val(t, "Tags", ck_aws_tags(m, g->name, false));
}

static void between(struct ck_model *m, const struct ck_aws_sg *from, size_t n_from,
                    const struct ck_aws_sg *to, size_t n_to, const char *protocol, int lo, int hi)
{
    for (size_t i = 0; i < n_from; i++)
        for (size_t k = 0; k < n_to; k++)
            ck_aws_add_rule(m, &(struct ck_aws_rule){.group = to[k].name,
                                                     .source_group = from[i].name,
                                                     .protocol = protocol,
                                                     .from = lo,
                                                     .to = hi});
}

static bool has_etcd(const struct ck_model *m, const char *name)
{
    const struct ck_val *list = ck_get(m->spec, "etcdClusters");
    for (size_t i = 0; i < ck_len(list); i++)
        if (ck_is_str(ck_get(ck_item(list, i), "name"), name))
            return true;
    return false;
}

/* Ports of etcd, which nodes must not reach, ascending. */
static size_t blocked_ports(const struct ck_model *m, int *ret)
{
    size_t n = 0;
    bool cilium = has_etcd(m, "cilium"), leases = has_etcd(m, "leases");
    ret[n++] = 2380;
    ret[n++] = 2381;
    if (cilium)
        ret[n++] = 2382;
    if (leases)
        ret[n++] = 2383;
    ret[n++] = 4001;
    ret[n++] = 4002;
    if (leases)
        ret[n++] = 4004;
    return n;
}

struct sides {
    struct ck_aws_sg *nodes, *masters;
    size_t n_nodes, n_masters;
};

static void nodes_to_masters(struct ck_model *m, const struct sides *s)
{
    int blocked[8];
    size_t n = blocked_ports(m, blocked);
    const struct ck_val *cni = ck_get(m->spec, "networking");
    between(m, s->nodes, s->n_nodes, s->masters, s->n_masters, "udp", 1, MAX_PORT);
    int from = 1;
    for (size_t i = 0; i <= n; i++) {
        int to = i < n ? blocked[i] - 1 : MAX_PORT;
        if (from <= to)
            between(m, s->nodes, s->n_nodes, s->masters, s->n_masters, "tcp", from, to);
        from = i < n ? blocked[i] + 1 : from;
    }
    if (ck_get(cni, "calico") || ck_get(cni, "kuberouter"))
        between(m, s->nodes, s->n_nodes, s->masters, s->n_masters, "4", 0, 0);
    if (ck_get(cni, "amazonvpc"))
        between(m, s->nodes, s->n_nodes, s->masters, s->n_masters, NULL, 0, 0);
}

static bool has_role(const struct ck_model *m, enum ck_role role)
{
    for (size_t i = 0; i < m->n_groups; i++)
        if (ck_model_role(&m->groups[i]) == role)
            return true;
    return false;
}

static void from_outside(struct ck_model *m, const struct ck_aws_sg *groups, size_t n,
                         const struct ck_val *sources, int port)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < ck_len(sources); k++)
            ck_aws_add_rule(m, &(struct ck_aws_rule){.group = groups[i].name,
                                                     .source = ck_str_or(ck_item(sources, k), ""),
                                                     .protocol = "tcp",
                                                     .from = port,
                                                     .to = port});
}

static int node_ports(struct ck_model *m, const struct sides *s, struct ck_err *err)
{
    static const char *const protocols[] = {"tcp", "udp"};
    const struct ck_val *sources = ck_get(m->spec, "nodePortAccess");
    const char *range = ck_str_at(m->spec, "kubeAPIServer.serviceNodePortRange");
    int lo = 30000, hi = 32767;
    if (*range && sscanf(range, "%d-%d", &lo, &hi) != 2)
        return ck_fail(err, CK_INVALID,
                       "spec.kubeAPIServer.serviceNodePortRange: \"%s\" is not a range such as "
                       "30000-32767",
                       range);
    for (size_t g = 0; g < s->n_nodes; g++)
        for (size_t i = 0; i < ck_len(sources); i++)
            for (size_t p = 0; p < 2; p++) {
                const char *from = ck_str_or(ck_item(sources, i), "");
                const char *name = ck_arena_printf(m->a, "nodeport-%s-external-to-node-%s%s",
                                                   protocols[p], from, s->nodes[g].suffix);
                ck_aws_add_rule(m, &(struct ck_aws_rule){.name = name,
                                                         .untagged = true,
                                                         .group = s->nodes[g].name,
                                                         .source = from,
                                                         .protocol = protocols[p],
                                                         .from = lo,
                                                         .to = hi});
            }
    return 0;
}

int ck_aws_build_firewall(struct ck_model *m, struct ck_err *err)
{
    struct sides s = {0};
    s.n_nodes = ck_aws_role_groups(m, CK_ROLE_NODE, &s.nodes);
    s.n_masters = ck_aws_role_groups(m, CK_ROLE_CONTROL_PLANE, &s.masters);
    for (size_t i = 0; i < s.n_nodes; i++) {
        security_group(m, &s.nodes[i], CK_ROLE_NODE);
        ck_aws_open_egress(m, s.nodes[i].name);
    }
    for (size_t i = 0; i < s.n_masters; i++) {
        security_group(m, &s.masters[i], CK_ROLE_CONTROL_PLANE);
        ck_aws_open_egress(m, s.masters[i].name);
    }
    between(m, s.nodes, s.n_nodes, s.nodes, s.n_nodes, NULL, 0, 0);
    between(m, s.masters, s.n_masters, s.masters, s.n_masters, NULL, 0, 0);
    between(m, s.masters, s.n_masters, s.nodes, s.n_nodes, NULL, 0, 0);
    nodes_to_masters(m, &s);
    if (!has_role(m, CK_ROLE_BASTION)) {
        const struct ck_val *ssh = ck_get(m->spec, "sshAccess");
        from_outside(m, s.masters, s.n_masters, ssh, SSH_PORT);
        from_outside(m, s.nodes, s.n_nodes, ssh, SSH_PORT);
    }
    if (!ck_model_has_api_balancer(m))
        from_outside(m, s.masters, s.n_masters, ck_get(m->spec, "kubernetesApiAccess"), API_PORT);
    return node_ports(m, &s, err);
}
