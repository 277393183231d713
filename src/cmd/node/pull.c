/* `node pull`: the machine's side of a store. Writes the files of one node, all at once, and keeps
 * them up to date with --watch. kOps has nodeup and kops-controller for this. */
#include "cmd/commands.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "ops/keys/nodepull.h"

enum { NS_PER_MS = 1000000, SLOWEST = 16, JITTER_PARTS = 5 };

struct pull_opts {
    const char *role, *group, *out, *config_base, *config_hash, *ca;
    struct ck_strv addresses;
    int64_t interval_ns;
    bool watch;
};

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct pull_opts *o = opts;
    int r = ck_args_cluster(ctx, opts, argc, argv, err);
    if (!r && *o->role && !ck_node_role_known(o->role))
        r = ck_fail(err, CK_INVALID, "there is no role \"%s\"; the roles are %s", o->role,
                    ck_node_roles());
    if (!r && o->interval_ns < (int64_t)1000 * NS_PER_MS)
        r = ck_fail(err, CK_INVALID, "--interval must be at least one second");
    return r;
}

static void note(void *arg, const char *text)
{
    (void)arg;
    ck_info("%s", text);
}

/* One pull with memory of its own, so that watching for months does not grow. */
static int pull_once(struct ck_ctx *ctx, const struct ck_store *store, const struct pull_opts *o,
                     bool first, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    CK_AUTOBUF struct ck_buf ca = CK_BUF_INIT;
    struct ck_fileset set;
    bool changed = false;
    int r = *o->ca ? ck_file_read(o->ca, CK_PKI_MAX_PEM, &ca, err) : 0;
    struct ck_node_pull p = {.store = store,
                             .cluster = ctx->cluster_name,
                             .config_base = o->config_base,
                             .role = o->role,
                             .group = o->group,
                             .config_hash = o->config_hash,
                             .ca = ck_buf_slice(&ca),
                             .addresses = (const char *const *)o->addresses.v,
                             .n_addresses = o->addresses.n,
                             .dir = o->out,
                             .note = first ? note : NULL};
    if (!r)
        r = ck_node_pull_read(a, &p, &set, err);
    if (!r)
        r = ck_fileset_install(a, o->out, &set, &changed, err);
    if (!r && (changed || first)) {
        ck_print(ctx,
                 changed ? "Wrote %zu files to %s/current\n"
                         : "%zu files in %s/current are up to date\n",
                 set.n, o->out);
        r = ck_flush(ctx, err);
    }
    return r;
}

/* Machines that started together must not ask together. */
static int64_t with_jitter(int64_t ms)
{
    uint32_t random;
    ck_random(&random, sizeof random);
    int64_t span = ms / JITTER_PARTS;
    return ms - span + (int64_t)random % (2 * span + 1);
}

static int watch(struct ck_ctx *ctx, const struct ck_store *store, const struct pull_opts *o,
                 struct ck_err *err)
{
    int64_t usual = o->interval_ns / NS_PER_MS, wait = usual;
    for (bool first = true;; first = false) {
        int r = pull_once(ctx, store, o, first, err);
        if (ctx->out_errno)
            return r;
        if (r) { /* the last good set stays; ask less often while it is the store's fault */
            ck_warn("%s", ck_err_msg(err));
            wait = wait < usual * SLOWEST ? wait * 2 : wait;
            ck_err_done(err);
        } else {
            wait = usual;
        }
        ck_sleep_ms(with_jitter(wait));
    }
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct pull_opts *o = opts;
    struct ck_store *store;
    int r = ck_ctx_store(ctx, &store, err);
    if (r)
        return r;
    return o->watch ? watch(ctx, store, o, err) : pull_once(ctx, store, o, true, err);
}

#define O(field) .off = offsetof(struct pull_opts, field), .given_off = CK_OPT_NO_GIVEN
static const struct ck_opt options[] = {
    {.name = "address",
     .type = CK_OPT_STRINGS,
     O(addresses),
     .complete = "",
     .help = "address or name of this machine, for the API server's certificate"},
    {.name = "ca",
     .type = CK_OPT_STRING,
     O(ca),
     .help = "file with the cluster's authority, for roles whose configuration has none"},
    {.name = "config-base",
     .type = CK_OPT_STRING,
     O(config_base),
     .complete = "",
     .help = "location of the cluster's files when it is not STORE/CLUSTER"},
    {.name = "config-hash",
     .type = CK_OPT_STRING,
     O(config_hash),
     .complete = "",
     .help = "hash that the node configuration must have (NodeupConfigHash)"},
    {.name = "ig",
     .type = CK_OPT_STRING,
     O(group),
     .flags = CK_OPT_REQUIRED,
     .complete = "",
     .help = "instance group of this machine"},
    {.name = "interval",
     .type = CK_OPT_DURATION,
     O(interval_ns),
     .dflt = "1m0s",
     .help = "with --watch: how often to look, more or less"},
    {.name = "out",
     .type = CK_OPT_STRING,
     O(out),
     .flags = CK_OPT_REQUIRED,
     .help = "folder to write to"},
    {.name = "role",
     .type = CK_OPT_STRING,
     O(role),
     .flags = CK_OPT_REQUIRED,
     .complete = "control-plane apiserver node bastion etcd scheduler kubecontrollermanager",
     .help = "role of this machine"},
    {.name = "watch",
     .type = CK_OPT_BOOL,
     O(watch),
     .help = "go on, and replace the files when they change"},
    {0},
};

static const struct ck_cmd node_pull = {
    .name = "pull",
    .use = "pull [CLUSTER]",
    .brief = "Write the files of one node.",
    .detail =
        "Reads what a machine of a role needs from the state store, with the machine's own "
        "identity, and\nwrites it to a folder: node configuration, certificates, keys, secrets "
        "and manifests. Files\nappear all at once under FOLDER/current, readable by their "
        "owner alone.",
    .example = "# On a machine of the control plane.\n"
               "ckops node pull k8s.example.com --role control-plane --ig control-plane-a --out "
               "/run/ckops\n"
               "\n"
               "# On a worker, for as long as it lives.\n"
               "ckops node pull k8s.example.com --role node --ig nodes --out /run/ckops --watch",
    .opts = options,
    .opts_size = sizeof(struct pull_opts),
    .args = args,
    .run = run,
    .complete_args = ck_complete_clusters,
};

static const struct ck_cmd *const subs[] = {&node_pull, NULL};
const struct ck_cmd ck_cmd_node = {
    .name = "node",
    .use = "node",
    .brief = "Commands for the machines of a cluster.",
    .subs = subs,
};
