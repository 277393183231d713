/* Output shared by the `get` commands.
 *
 * Layouts are those of cmd/kops/get.go and pkg/formatter; what a cell holds is in ops/get.c. */
#include "cmd/getout.h"

#include "base/enc.h"
#include "base/log.h"
#include "ops/get.h"

enum ck_get_format ck_get_format_of(const char *text)
{
    static const char *const NAMES[] = {"table", "yaml", "json"};
    for (size_t i = 0; i < CK_ARRAY_LEN(NAMES); i++)
        if (strcmp(text, NAMES[i]) == 0)
            return (enum ck_get_format)i;
    return CK_GET_UNKNOWN;
}

int ck_get_bad_format(const char *text, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(text));
    return ck_fail(err, CK_INVALID, "unknown output format: %s", ck_buf_str(&q));
}

void ck_get_list_put(struct ck_get_list *l, const struct ck_object *o)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOARENA struct ck_arena *once = ck_arena_new();
    if (l->format == CK_GET_YAML) {
        if (l->n)
            ck_buf_puts(&b, "\n---\n\n");
        ck_object_yaml(once, &b, o);
    } else if (l->format == CK_GET_JSON) {
        if (!l->single)
            ck_buf_putc(&b, l->n ? ',' : '[');
        ck_object_json(once, &b, o);
    }
    l->n++;
    ck_print_slice(l->ctx, ck_buf_slice(&b));
}

void ck_get_list_end(struct ck_get_list *l, bool empty_too)
{
    if (l->format != CK_GET_JSON || l->single)
        return;
    if (l->n)
        ck_print(l->ctx, "]");
    else if (empty_too)
        ck_print(l->ctx, "[]");
}

static const char *const CLUSTER_COLUMNS[] = {"NAME", "CLOUD", "ZONES"};
static const char *const IG_COLUMNS[] = {"NAME", "ROLE", "MACHINETYPE", "MIN", "MAX", "ZONES"};
static const char *const ADDON_COLUMNS[] = {"NAME", "KIND", "VERSION"};

struct ck_table *ck_get_cluster_table(void)
{
    return ck_table_new(CLUSTER_COLUMNS, CK_ARRAY_LEN(CLUSTER_COLUMNS));
}

void ck_get_cluster_row(struct ck_arena *a, struct ck_table *t, const struct ck_object *cluster)
{
    const char *cells[] = {ck_object_name(cluster), ck_cluster_cloud(cluster),
                           ck_cluster_zones(a, cluster)};
    ck_table_row(t, cells);
}

struct ck_table *ck_get_ig_table(void)
{
    return ck_table_new(IG_COLUMNS, CK_ARRAY_LEN(IG_COLUMNS));
}

void ck_get_ig_row(struct ck_arena *a, struct ck_table *t, const struct ck_object *cluster,
                   const struct ck_object *ig)
{
    const char *unknown;
    const char *zones = ck_ig_zones(a, cluster, ig, &unknown);
    if (unknown)
        ck_warn(
            "error fetching zones for instancegroup: instance group \"%s\" names subnet \"%s\", "
            "which the cluster does not have",
            ck_object_name(ig), unknown);
    const char *cells[] = {ck_object_name(ig),
                           ck_ig_role(ig),
                           ck_str_at(ig->root, "spec.machineType"),
                           ck_ig_size(a, ig, "minSize"),
                           ck_ig_size(a, ig, "maxSize"),
                           zones};
    ck_table_row(t, cells);
}

struct ck_table *ck_get_addon_table(void)
{
    return ck_table_new(ADDON_COLUMNS, CK_ARRAY_LEN(ADDON_COLUMNS));
}

void ck_get_addon_row(struct ck_table *t, const struct ck_object *addon)
{
    const char *cells[] = {ck_object_name(addon), ck_str_at(addon->root, "kind"),
                           ck_str_at(addon->root, "spec.version")};
    ck_table_row(t, cells);
}

void ck_get_table_end(struct ck_ctx *ctx, struct ck_table *t)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_table_render(t, &b);
    ck_table_free(t);
    ck_print_slice(ctx, ck_buf_slice(&b));
}
