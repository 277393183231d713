/* Commands of kops that work on running clusters or in a cloud and are not offered yet: each says
 * why, and what to do instead. Their options are not looked at. One row of the table per command.
 */
#include "cmd/commands.h"
#include "cmd/getout.h"

#include <string.h>

struct refusal {
    const struct ck_cmd *cmd;
    const char *why, *instead;
};

static int refuse(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err);

#define NOT_OFFERED(row, word, form, text)                                                         \
    const struct ck_cmd row = {.name = (word),                                                     \
                               .use = (form),                                                      \
                               .brief = (text),                                                    \
                               .opts_size = sizeof(struct ck_get_opts),                            \
                               .run = refuse,                                                      \
                               .raw_args = true}

NOT_OFFERED(ck_cmd_validate_cluster, "cluster", "cluster [CLUSTER]",
            "Check a running cluster (not offered).");
NOT_OFFERED(ck_cmd_get_instances, "instances", "instances [CLUSTER]",
            "List machines (not offered).");
NOT_OFFERED(ck_cmd_delete_instance, "instance", "instance INSTANCE|NODE",
            "Delete a machine (not offered).");
NOT_OFFERED(ck_cmd_toolbox_dump, "dump", "dump [CLUSTER]", "Dump cloud resources (not offered).");
NOT_OFFERED(ck_cmd_toolbox_enroll, "enroll", "enroll [CLUSTER]",
            "Add a machine to a cluster (not offered).");
NOT_OFFERED(ck_cmd_toolbox_addons, "addons", "addons", "Apply add-on channels (not offered).");
NOT_OFFERED(ck_cmd_toolbox_clusterapi, "clusterapi", "clusterapi",
            "Cluster API manifests (not offered).");
static NOT_OFFERED(rolling_update_cluster, "cluster", "cluster [CLUSTER]",
                   "Replace machines step by step (not offered).");
static NOT_OFFERED(reconcile_cluster, "cluster", "cluster [CLUSTER]",
                   "Update and roll a cluster (not offered).");

static const char needs_api[] =
    "it talks to the cluster's API server, and ckops talks to state stores";
static const char needs_cloud[] = "it looks for resources in a cloud, and this version asks none";

#define OR_KOPS ", or use kOps with the same store"

static const struct refusal refusals[] = {
    {&ck_cmd_validate_cluster, needs_api,
     "`ckops validate -f FILE` for manifests, `kubectl get nodes` for what runs"},
    {&ck_cmd_get_instances, needs_cloud, "`kubectl get nodes -o wide`" OR_KOPS},
    {&ck_cmd_delete_instance, "it ends a machine in a cloud, and this version changes none",
     "drain the node with kubectl and end its machine in the cloud" OR_KOPS},
    {&ck_cmd_toolbox_dump, needs_cloud, "`ckops get all -o yaml`" OR_KOPS},
    {&ck_cmd_toolbox_enroll, "it prepares a machine over SSH", "use kOps with the same store"},
    {&ck_cmd_toolbox_addons, needs_api, "`kubectl apply`" OR_KOPS},
    {&ck_cmd_toolbox_clusterapi, "the Cluster API objects of kOps are experimental",
     "use kOps with the same store"},
    {&rolling_update_cluster, "it ends machines in a cloud, and this version changes none",
     "drain nodes with kubectl and let the cloud's groups replace their machines" OR_KOPS},
    {&reconcile_cluster, "it changes a cloud and ends machines, and this version does neither",
     "`ckops update cluster` step by step" OR_KOPS},
};

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int refuse(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    (void)opts;
    const struct refusal *r = &refusals[0];
    for (size_t i = 0; i < CK_ARRAY_LEN(refusals); i++)
        if (refusals[i].cmd == ctx->cmd)
            r = &refusals[i];
    if (asks_for_help(argc, argv)) {
        ck_print(ctx, "%s\n\nWhy: %s.\nInstead: %s.\n", r->cmd->brief, r->why, r->instead);
        return 0;
    }
    if (r->cmd == &ck_cmd_toolbox_enroll && !ctx->features.on[CK_FF_METAL])
        return ck_fail(err, CK_UNSUPPORTED,
                       "bare-metal support requires the Metal feature flag to be enabled");
    const char *path = strchr(ctx->cmd_path, ' ');
    return ck_fail(err, CK_UNSUPPORTED, "%s is not supported because %s; do this instead: %s",
                   path ? path + 1 : ctx->cmd_path, r->why, r->instead);
}

/* ---- the groups that hold nothing else ---- */

static const struct ck_cmd *const rolling_update_subs[] = {&rolling_update_cluster, NULL};
const struct ck_cmd ck_cmd_rolling_update = {
    .name = "rolling-update",
    .use = "rolling-update",
    .brief = "Replace machines step by step (not offered).",
    .subs = rolling_update_subs,
};

static const struct ck_cmd *const reconcile_subs[] = {&reconcile_cluster, NULL};
const struct ck_cmd ck_cmd_reconcile = {
    .name = "reconcile",
    .use = "reconcile",
    .brief = "Update and roll a cluster (not offered).",
    .subs = reconcile_subs,
};
