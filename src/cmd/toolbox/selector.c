/* `toolbox instance-selector`: instance groups of machine types that have what is asked for. Types
 * come from given facts. Mirrors cmd/kops/toolbox_instance_selector.go. */
#include "cmd/commands.h"

#include "base/log.h"
#include "ops/create_ig.h"
#include "ops/group_defaults.h"
#include "ops/select_types.h"

#include <stdlib.h>
#include <string.h>

struct selector_opts {
    int64_t vcpus, vcpus_min, vcpus_max, gpus, gpus_min, gpus_max, nics, nics_min, nics_max;
    const char *memory, *memory_min, *memory_max, *ratio, *arch, *allow, *deny, *usage, *output;
    int64_t ig_count, count_min, count_max, volume_size, max_results;
    struct ck_strv subnets, security_groups;
    bool dry_run, autoscaler;
};

enum { MAX_GROUPS = 100 };

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    (void)opts;
    (void)argv;
    int r = ck_resolve_name_kubeconfig(ctx, err);
    if (r < 0)
        return r;
    if (argc != 1)
        return ck_fail(err, CK_INVALID,
                       argc ? "can only create one instance group at a time"
                            : "must specify instance group name");
    return 0;
}

static struct ck_range range(int64_t exact, int64_t min, int64_t max)
{
    return exact ? (struct ck_range){exact, exact} : (struct ck_range){min, max};
}

static int memory(const struct selector_opts *o, struct ck_range *ret, struct ck_err *err)
{
    int r = 0;
    *ret = (struct ck_range){0, 0};
    if (*o->memory_min)
        r = ck_memory_mib(o->memory_min, &ret->min, err);
    if (r == 0 && *o->memory_max)
        r = ck_memory_mib(o->memory_max, &ret->max, err);
    if (r == 0 && *o->memory) {
        r = ck_memory_mib(o->memory, &ret->min, err);
        ret->max = ret->min;
    }
    return r;
}

/* "1:4": four GiB for each processor. */
static int ratio(const char *text, double *ret, struct ck_err *err)
{
    char *end;
    *ret = 0;
    if (!*text)
        return 0;
    if (ck_str_starts(text, "1:"))
        *ret = strtod(text + 2, &end);
    if (!ck_str_starts(text, "1:") || *end || *ret <= 0)
        return ck_fail(err, CK_INVALID,
                       "--vcpus-to-memory-ratio: \"%s\" is no ratio; write it as 1:4", text);
    return 0;
}

static int select_types(struct ck_ctx *ctx, const struct selector_opts *o,
                        const struct ck_facts *facts, struct ck_strv *ret, struct ck_err *err)
{
    struct ck_type_filter f = {.vcpus = range(o->vcpus, o->vcpus_min, o->vcpus_max),
                               .gpus = range(o->gpus, o->gpus_min, o->gpus_max),
                               .interfaces = range(o->nics, o->nics_min, o->nics_max),
                               .arch = o->arch,
                               .allow = o->allow,
                               .deny = o->deny,
                               .max = o->max_results > 0 ? (size_t)o->max_results : 20};
    int r = memory(o, &f.memory_mib, err);
    if (r == 0)
        r = ratio(o->ratio, &f.memory_per_vcpu_gib, err);
    return r < 0 ? r : ck_types_select(ctx->arena, facts, &f, ret, err);
}

static void append(struct ck_ctx *ctx, struct ck_val *spec, const char *path,
                   const struct ck_strv *items)
{
    struct ck_val *l = ck_list(ctx->arena);
    for (size_t i = 0; i < items->n; i++)
        ck_append_str(ctx->arena, l, items->v[i]);
    ck_put(ctx->arena, spec, path, l);
}

static void decorate(struct ck_ctx *ctx, const struct selector_opts *o, const struct ck_strv *types,
                     struct ck_object *ig)
{
    struct ck_arena *a = ctx->arena;
    struct ck_val *spec = ck_object_spec(ig);
    ck_set_str(a, spec, "machineType", types->v[0]);
    ck_set_int(a, spec, "minSize", o->count_min);
    ck_set_int(a, spec, "maxSize", o->count_max);
    append(ctx, spec, "mixedInstancesPolicy.instances", types);
    if (strcmp(o->usage, "spot") == 0) {
        ck_put(a, spec, "mixedInstancesPolicy.onDemandBase", ck_int(a, 0));
        ck_put(a, spec, "mixedInstancesPolicy.onDemandAboveBase", ck_int(a, 0));
        ck_put(a, spec, "mixedInstancesPolicy.spotAllocationStrategy",
               ck_str(a, "capacity-optimized"));
    }
    if (o->volume_size)
        ck_set_int(a, spec, "rootVolumeSize", o->volume_size);
    if (o->security_groups.n)
        append(ctx, spec, "additionalSecurityGroups", &o->security_groups);
    if (o->autoscaler) {
        struct ck_val *labels = ck_ensure_map(a, spec, "cloudLabels");
        ck_set_str(a, labels, "k8s.io/cluster-autoscaler/enabled", "1");
        ck_set_str(a, labels, ck_arena_printf(a, "k8s.io/cluster-autoscaler/%s", ctx->cluster_name),
                   "1");
    }
}

/* The image of the architecture asked for. */
static int set_image(struct ck_ctx *ctx, const struct selector_opts *o,
                     const struct ck_channel *channel, const struct ck_object *cluster,
                     struct ck_object *ig, struct ck_err *err)
{
    struct ck_semver v;
    const char *version = ck_str_at(cluster->root, "spec.kubernetesVersion"), *image = NULL;
    if (strcmp(o->arch, "arm64") != 0)
        return 0;
    if (ck_semver_parse_tolerant(ck_slice_of(version), &v))
        image = ck_default_image(channel, "aws", o->arch, &v);
    if (!image)
        return ck_fail(err, CK_INVALID,
                       "unable to determine default image for cloud provider \"aws\" and "
                       "architecture \"arm64\"");
    ck_set_str(ctx->arena, ck_object_spec(ig), "image", image);
    return 0;
}

struct plan {
    struct ck_object igs[MAX_GROUPS];
    size_t n;
};

static int build(struct ck_ctx *ctx, const struct selector_opts *o, const struct ck_store *store,
                 const struct ck_object *cluster, const char *name, struct plan *ret,
                 struct ck_err *err)
{
    struct ck_facts facts;
    struct ck_channel channel;
    CK_AUTOSTRV types = {0};
    struct ck_strv no_zones = {0};
    const char *from = ck_str_at(cluster->root, "spec.channel");
    int r = ck_facts_from_env(ctx->arena, &ctx->env, &facts, err);
    if (r == 0)
        r = select_types(ctx, o, &facts, &types, err);
    if (r == 0)
        r = ck_channel_load(ctx->arena, store->vfs, &facts, *from ? from : "stable", NULL, NULL,
                            &channel, err);
    for (int64_t i = 0; r == 0 && i < o->ig_count; i++) {
        const struct ck_create_ig c = {
            .name = o->ig_count == 1
                        ? name
                        : ck_arena_printf(ctx->arena, "%s%lld", name, (long long)i + 1),
            .role = "Node",
            .subnets = &o->subnets,
            .zones = &no_zones,
            .facts = &facts,
            .channel = &channel};
        r = ck_create_ig_build(ctx->arena, cluster, &c, &ret->igs[i], err);
        if (r == 0)
            r = set_image(ctx, o, &channel, cluster, &ret->igs[i], err);
        if (r == 0) {
            decorate(ctx, o, &types, &ret->igs[i]);
            ret->n++;
        }
    }
    return r;
}

static int check(const struct selector_opts *o, struct ck_err *err)
{
    if (o->ig_count < 1 || o->ig_count > MAX_GROUPS)
        return ck_fail(err, CK_INVALID, "--ig-count must be between 1 and %d", MAX_GROUPS);
    if (o->count_min < 0 || o->count_max < o->count_min)
        return ck_fail(err, CK_INVALID,
                       "--node-count-max must not be smaller than --node-count-min");
    if (strcmp(o->arch, "amd64") != 0 && strcmp(o->arch, "arm64") != 0)
        return ck_fail(err, CK_INVALID, "--cpu-architecture: \"%s\" is neither amd64 nor arm64",
                       o->arch);
    if (strcmp(o->usage, "spot") != 0 && strcmp(o->usage, "on-demand") != 0)
        return ck_fail(err, CK_INVALID, "--usage-class: \"%s\" is neither spot nor on-demand",
                       o->usage);
    if (o->dry_run && strcmp(o->output, "yaml") != 0 && strcmp(o->output, "json") != 0)
        return ck_fail(err, CK_INVALID, "unsupported output type \"%s\"", o->output);
    return 0;
}

static int store_all(struct ck_ctx *ctx, const struct ck_store *store, struct plan *p,
                     struct ck_err *err)
{
    struct ck_batch batch = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < p->n; i++)
        r = ck_ig_prepare_create(ctx->arena, store, ctx->cluster_name, &p->igs[i], &batch, err);
    if (r == 0)
        r = ck_batch_commit(ctx->arena, store, &batch, NULL, err);
    return r < 0 ? ck_wrap(err, "error storing InstanceGroup") : 0;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct selector_opts *o = opts;
    struct ck_store *store;
    struct ck_stored cluster;
    struct plan *p = ck_arena_alloc(ctx->arena, sizeof *p);
    int r = check(o, err);
    if (r == 0)
        r = ck_ctx_store(ctx, &store, err);
    if (r == 0)
        r = ck_cluster_get_for_command(ctx->arena, store, ctx->cluster_name, &cluster, err);
    if (r < 0)
        return r;
    if (!ck_is_str(ck_at(cluster.obj.root, "spec.cloudProvider"), "aws"))
        return ck_fail(err, CK_INVALID, "cannot select instance types from non-aws cluster");
    r = build(ctx, o, store, &cluster.obj, argv[0], p, err);
    if (r < 0 || !o->dry_run)
        return r < 0 ? r : store_all(ctx, store, p, err);
    for (size_t i = 0; i < p->n; i++) {
        ck_object_set_label(ctx->arena, &p->igs[i], CK_LABEL_CLUSTER, ctx->cluster_name);
        if (strcmp(o->output, "json") == 0) {
            ck_object_json(ctx->arena, &ctx->out, &p->igs[i]);
            continue;
        }
        ck_print(ctx, i ? "---\n" : "");
        ck_object_yaml(ctx->arena, &ctx->out, &p->igs[i]);
    }
    return 0;
}

#define ROW(opt, kind, member, text, ...)                                                          \
    {                                                                                              \
        .name = (opt), .type = (kind), .off = offsetof(struct selector_opts, member),              \
        .given_off = CK_OPT_NO_GIVEN, .help = (text), ##__VA_ARGS__                                \
    }
#define INT(opt, member, text, ...) ROW(opt, CK_OPT_INT, member, text, ##__VA_ARGS__)
#define TEXT(opt, member, text, ...)                                                               \
    ROW(opt, CK_OPT_STRING, member, text, .complete = "", ##__VA_ARGS__)

static const struct ck_opt options[] = {
    TEXT("allow-list", allow, "regular expression of the types wanted"),
    ROW("cluster-autoscaler", CK_OPT_BOOL, autoscaler, "label the groups for the autoscaler",
        .dflt = "true"),
    ROW("cpu-architecture", CK_OPT_STRING, arch, "amd64 or arm64", .dflt = "amd64",
        .complete = "amd64 arm64"),
    TEXT("deny-list", deny, "regular expression of the types not wanted"),
    ROW("dry-run", CK_OPT_BOOL, dry_run, "print the groups, store nothing"),
    INT("gpus", gpus, "number of GPUs"),
    INT("gpus-max", gpus_max, "most GPUs"),
    INT("gpus-min", gpus_min, "fewest GPUs"),
    INT("ig-count", ig_count, "number of groups", .dflt = "1"),
    INT("max-results", max_results, "most machine types", .dflt = "20"),
    TEXT("memory", memory, "memory, as 4GiB"),
    TEXT("memory-max", memory_max, "most memory"),
    TEXT("memory-min", memory_min, "least memory"),
    INT("network-interfaces", nics, "number of network interfaces"),
    INT("network-interfaces-max", nics_max, "most network interfaces"),
    INT("network-interfaces-min", nics_min, "fewest network interfaces"),
    INT("node-count-max", count_max, "largest size of a group", .dflt = "10"),
    INT("node-count-min", count_min, "smallest size of a group", .dflt = "1"),
    ROW("node-security-groups", CK_OPT_STRINGS, security_groups, "more security groups",
        .complete = ""),
    INT("node-volume-size", volume_size, "root volume, GB"),
    {.shorthand = 'o',
     .name = "output",
     .type = CK_OPT_STRING,
     .off = offsetof(struct selector_opts, output),
     .given_off = CK_OPT_NO_GIVEN,
     .dflt = "yaml",
     .complete = "yaml json",
     .help = "with --dry-run: yaml or json"},
    ROW("subnets", CK_OPT_STRINGS, subnets, "subnets of the groups", .complete = ""),
    ROW("usage-class", CK_OPT_STRING, usage, "on-demand or spot", .dflt = "on-demand",
        .complete = "on-demand spot"),
    INT("vcpus", vcpus, "number of processors"),
    INT("vcpus-max", vcpus_max, "most processors"),
    INT("vcpus-min", vcpus_min, "fewest processors"),
    TEXT("vcpus-to-memory-ratio", ratio, "GiB of memory for each processor, as 1:4"),
    {0},
};

const struct ck_cmd ck_cmd_toolbox_instance_selector = {
    .name = "instance-selector",
    .use = "instance-selector INSTANCE_GROUP",
    .brief = "Make instance groups of machine types that have what is needed.",
    .detail = "Chooses machine types from the facts given with CKOPS_FIXTURES (aws.instanceTypes: "
              "vcpus,\nmemoryMiB, gpus, maxENIs, arch); the cloud is not asked. The smallest type "
              "becomes the group's,\nall become its mixed instances policy.",
    .example = "# Types with four processors and 16 GiB\n"
               "CKOPS_FIXTURES=facts.json ckops toolbox instance-selector workers \\\n"
               "  --name k8s.example.com --vcpus 4 --memory 16GiB --dry-run",
    .opts = options,
    .opts_size = sizeof(struct selector_opts),
    .args = args,
    .run = run,
};
