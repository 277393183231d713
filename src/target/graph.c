/* Pictures of tasks. DOT only: turning it into an image is Graphviz' work. */
#include "target/graph.h"

#include <string.h>

static void put_text(struct ck_buf *out, const char *s)
{
    ck_buf_putc(out, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            ck_buf_putc(out, '\\');
        ck_buf_putc(out, *s);
    }
    ck_buf_putc(out, '"');
}

static void put_id(struct ck_buf *out, const struct ck_task *t)
{
    CK_AUTOBUF struct ck_buf id = CK_BUF_INIT;
    ck_buf_fmt(&id, "%s/%s", t->kind->name, t->name);
    put_text(out, ck_buf_str(&id));
}

/* ---- tasks ---- */

static const char *colour_of(const struct ck_plan *p, const struct ck_task *t)
{
    for (size_t i = 0; p && i < p->n; i++)
        if (p->v[i].task == t)
            return p->v[i].action == CK_PLAN_CREATE ? "palegreen" : "khaki";
    return "white";
}

static void put_edge(struct ck_buf *out, const struct ck_task *from, const struct ck_task *to)
{
    ck_buf_puts(out, "  ");
    put_id(out, from);
    ck_buf_puts(out, " -> ");
    put_id(out, to);
    ck_buf_puts(out, ";\n");
}

void ck_graph_tasks(struct ck_task *const *order, size_t n, const struct ck_plan *plan,
                    struct ck_buf *out)
{
    ck_buf_puts(out, "digraph tasks {\n  rankdir=LR;\n"
                     "  node [shape=box, style=filled, fontname=\"Helvetica\", fontsize=10];\n");
    for (size_t i = 0; i < n; i++) {
        ck_buf_puts(out, "  ");
        put_id(out, order[i]);
        ck_buf_fmt(out, " [fillcolor=%s];\n", colour_of(plan, order[i]));
    }
    for (size_t i = 0; i < n; i++) {
        const struct ck_task *t = order[i];
        for (size_t f = 0; t->kind->fields[f].name; f++)
            for (size_t k = 0; k < t->v[f].n_refs; k++)
                put_edge(out, t, t->v[f].refs[k]);
        for (size_t k = 0; k < t->n_after; k++)
            put_edge(out, t, t->after[k]);
    }
    ck_buf_puts(out, "}\n");
}

/* ---- the cluster ---- */

static bool is(const struct ck_task *t, const char *kind)
{
    return !strcmp(t->kind->name, kind);
}

/* A field's text when the kind has such a field; the picture knows kinds by name only. */
static const struct ck_task_value *field(const struct ck_task *t, const char *name)
{
    static const struct ck_task_value none;
    for (size_t i = 0; t->kind->fields[i].name; i++)
        if (!strcmp(t->kind->fields[i].name, name))
            return &t->v[i];
    return &none;
}

static const char *text_of(const struct ck_task *t, const char *name)
{
    return ck_str_or(field(t, name)->val, "");
}

static long long number_of(const struct ck_task *t, const char *name)
{
    const struct ck_val *v = field(t, name)->val;
    return v && v->kind == CK_INT ? v->i : 0;
}

static void put_node(struct ck_buf *out, const struct ck_task *t, const char *label,
                     const char *look)
{
    ck_buf_puts(out, "      ");
    put_id(out, t);
    ck_buf_puts(out, " [label=");
    put_text(out, label);
    ck_buf_fmt(out, ", %s];\n", look);
}

/* A group stands in its first subnet; lines lead to the others. */
static bool stands_in(const struct ck_task *group, const struct ck_task *subnet)
{
    const struct ck_task_value *v = field(group, "Subnets");
    return v->n_refs && v->refs[0] == subnet;
}

static const char *machine_type(const struct ck_task *group)
{
    const struct ck_task_value *v = field(group, "LaunchTemplate");
    return v->n_refs ? text_of(v->refs[0], "InstanceType") : "";
}

static void put_groups(struct ck_buf *out, struct ck_task *const *order, size_t n,
                       const struct ck_task *subnet)
{
    for (size_t i = 0; i < n; i++) {
        const struct ck_task *t = order[i];
        CK_AUTOBUF struct ck_buf label = CK_BUF_INIT;
        if (is(t, "AutoscalingGroup") && stands_in(t, subnet)) {
            ck_buf_fmt(&label, "%s\n%lld-%lld x %s", t->name, number_of(t, "MinSize"),
                       number_of(t, "MaxSize"), machine_type(t));
            put_node(out, t, ck_buf_str(&label), "shape=box3d, style=filled, fillcolor=lightblue");
        }
        if (is(t, "NatGateway") && field(t, "Subnet")->n_refs &&
            field(t, "Subnet")->refs[0] == subnet)
            put_node(out, t, "NAT gateway", "shape=hexagon, style=filled, fillcolor=wheat");
    }
}

static void put_subnet(struct ck_buf *out, struct ck_task *const *order, size_t n,
                       const struct ck_task *subnet, size_t index)
{
    CK_AUTOBUF struct ck_buf label = CK_BUF_INIT;
    const char *type = ck_str_or(ck_get(field(subnet, "Tags")->val, "SubnetType"), "");
    ck_buf_fmt(&label, "%s%s%s\n%s", text_of(subnet, "ShortName"), *type ? " · " : "", type,
               text_of(subnet, "CIDR"));
    if (*text_of(subnet, "IPv6CIDR"))
        ck_buf_fmt(&label, " %s", text_of(subnet, "IPv6CIDR"));
    ck_buf_fmt(out, "    subgraph cluster_subnet_%zu {\n      label=", index);
    put_text(out, ck_buf_str(&label));
    ck_buf_fmt(out, "; style=\"rounded,filled\"; fillcolor=\"%s\"; fontsize=10;\n      ",
               !strcmp(type, "Private") || !strcmp(type, "DualStack") ? "#eef5ff" : "#f3fbef");
    put_id(out, subnet);
    ck_buf_puts(out, " [shape=point, style=invis];\n");
    put_groups(out, order, n, subnet);
    ck_buf_puts(out, "    }\n");
}

static void put_zones(struct ck_buf *out, struct ck_task *const *order, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!is(order[i], "Subnet"))
            continue;
        const char *zone = text_of(order[i], "AvailabilityZone");
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = is(order[k], "Subnet") && !strcmp(text_of(order[k], "AvailabilityZone"), zone);
        if (seen)
            continue;
        ck_buf_fmt(out, "  subgraph cluster_zone_%zu {\n    label=", i);
        put_text(out, zone);
        ck_buf_puts(out, "; style=dashed; color=gray40;\n");
        for (size_t k = i; k < n; k++)
            if (is(order[k], "Subnet") && !strcmp(text_of(order[k], "AvailabilityZone"), zone))
                put_subnet(out, order, n, order[k], k);
        ck_buf_puts(out, "  }\n");
    }
}

/* From a balancer to the groups that a target group of one of its listeners serves. */
static void put_balancer_edges(struct ck_buf *out, struct ck_task *const *order, size_t n,
                               const struct ck_task *balancer)
{
    for (size_t l = 0; l < n; l++) {
        const struct ck_task_value *of = field(order[l], "NetworkLoadBalancer");
        const struct ck_task_value *target = field(order[l], "TargetGroup");
        if (!of->n_refs || of->refs[0] != balancer || !target->n_refs)
            continue;
        for (size_t g = 0; g < n; g++) {
            const struct ck_task_value *served = field(order[g], "TargetGroups");
            for (size_t k = 0; k < served->n_refs; k++) {
                if (served->refs[k] != target->refs[0])
                    continue;
                ck_buf_puts(out, "  ");
                put_id(out, balancer);
                ck_buf_puts(out, " -> ");
                put_id(out, order[g]);
                ck_buf_fmt(out, " [label=\"%lld\", fontsize=9];\n", number_of(order[l], "Port"));
            }
        }
    }
}

static void put_outside(struct ck_buf *out, struct ck_task *const *order, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct ck_task *t = order[i];
        CK_AUTOBUF struct ck_buf label = CK_BUF_INIT;
        if (is(t, "NetworkLoadBalancer")) {
            ck_buf_fmt(&label, "%s\n%s", t->name, text_of(t, "Scheme"));
            put_node(out, t, ck_buf_str(&label), "shape=component, style=filled, fillcolor=plum");
            put_balancer_edges(out, order, n, t);
        } else if (is(t, "InternetGateway")) {
            put_node(out, t, "internet gateway", "shape=cds, style=filled, fillcolor=wheat");
        } else if (is(t, "SQS")) {
            put_node(out, t, t->name, "shape=cylinder, style=filled, fillcolor=mistyrose");
        } else if (is(t, "AutoscalingGroup")) {
            const struct ck_task_value *v = field(t, "Subnets");
            for (size_t k = 1; k < v->n_refs; k++) {
                put_edge(out, t, v->refs[k]);
            }
        }
    }
}

void ck_graph_cluster(struct ck_task *const *order, size_t n, const char *name, struct ck_buf *out)
{
    ck_buf_puts(out, "digraph cluster {\n  compound=true; rankdir=TB; labelloc=t; "
                     "fontname=\"Helvetica\";\n"
                     "  node [fontname=\"Helvetica\", fontsize=10];\n  label=");
    for (size_t i = 0; i < n; i++)
        if (is(order[i], "VPC")) {
            CK_AUTOBUF struct ck_buf label = CK_BUF_INIT;
            ck_buf_fmt(&label, "%s · VPC %s", name, text_of(order[i], "CIDR"));
            put_text(out, ck_buf_str(&label));
        }
    ck_buf_puts(out, ";\n");
    put_zones(out, order, n);
    put_outside(out, order, n);
    ck_buf_puts(out, "}\n");
}
