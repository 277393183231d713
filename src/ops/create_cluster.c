/* `create cluster`, the whole way: facts and channel, build or merge, --set and --unset,
 * assignments, validation of the user's and of the completed specification, store. */
#include "ops/create_cluster.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/file.h"
#include "cloud/zones.h"
#include "doc/json.h"
#include "net/http.h"
#include "ops/create_ig.h"
#include "ops/givenfacts.h"
#include "ops/manifest.h"
#include "ops/update/awsfacts.h"
#include "spec/populate.h"
#include "spec/validate.h"

#include <string.h>

enum { KEY_MAX = 64 << 10 };

struct work {
    struct ck_arena *a;
    const struct ck_store *s;
    struct ck_create_cluster_opts *o;
    struct ck_facts facts;
    struct ck_channel channel;
    struct ck_object cluster;
    struct ck_object *igs;
    size_t n_igs;
    struct ck_object *addons; /* those stored, when merging, and those given */
    size_t n_addons;
    bool merging;
    struct ck_stored old;          /* when merging */
    struct ck_stored_list old_igs; /* when merging */
};

static void note(const struct work *w, const char *fmt, ...) CK_PRINTF(2, 3);
static void note(const struct work *w, const char *fmt, ...)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    ck_buf_vfmt(&b, fmt, ap);
    va_end(ap);
    if (w->o->note)
        w->o->note(w->o->note_arg, ck_buf_str(&b));
}

/* ---- facts and channel ---- */

static int load_facts(struct work *w, struct ck_err *err)
{
    int r = ck_facts_from_env(w->a, w->o->env, &w->facts, err);
    if (r == 0 && ck_facts_now(&w->facts))
        ck_clock_set_ns(ck_facts_now(&w->facts) * 1000000000);
    return r;
}

static void pass_note(void *arg, const char *text)
{
    note(arg, "%s", text);
}

/* A network that is not the cluster's own is known to the cloud only: its range of addresses, and
 * which zone a subnet lies in. Whatever else follows from zones is not asked. */
static bool needs_cloud(const struct work *w)
{
    const struct ck_new_cluster_opts *n = &w->o->n;
    const char *zone = n->zones.n ? n->zones.v[0] : "";
    bool aws = *n->cloud ? strcmp(n->cloud, "aws") == 0 : ck_zone_is_known("aws", zone);
    bool subnets = n->subnets.n || n->utility_subnets.n;
    return !w->facts.root && !w->merging && aws && *zone &&
           (subnets || (*n->network_id && !n->network_cidrs.n));
}

static int ask_cloud(struct work *w, struct ck_err *err)
{
    if (!needs_cloud(w))
        return 0;
    CK_AUTOERR why = CK_ERR_INIT;
    const char *zone = w->o->n.zones.v[0];
    struct ck_http *http = ck_http_new(w->o->env, NULL, NULL);
    struct ck_aws_read aws = {0};
    int r = ck_aws_read_open(w->a, w->o->env, http, ck_arena_strndup(w->a, zone, strlen(zone) - 1),
                             w->o->n.name, &aws, &why);
    if (r == 0)
        r = ck_ask_aws_network(w->a, &aws, &w->facts, &why);
    if (r < 0)
        note(w, "AWS does not tell about the network: %s", ck_err_msg(&why));
    ck_aws_read_close(&aws);
    ck_http_free(http);
    const char *vpc = w->o->n.network_id;
    if (r == 0 && *vpc && !ck_facts_vpc_cidr(&w->facts, vpc))
        return ck_fail(err, CK_INVALID, "there is no network \"%s\" in region %s", vpc, aws.region);
    return 0;
}

/* ---- build or merge ---- */

static int build_new(struct work *w, struct ck_err *err)
{
    struct ck_path path;
    int r = ck_layout_cluster(w->a, w->s, w->o->n.name, &path, err);
    if (r < 0)
        return r;
    const char *version = ck_facts_kops_version(&w->facts);
    const struct ck_new_cluster_env env = {
        .facts = &w->facts,
        .channel = &w->channel,
        .features = w->s->features,
        .kops_version = version ? version : w->o->kops_version,
        .state_url = w->s->url,
        .state_text = ck_path_location(w->a, &path),
        .hcloud_token = ck_env_nonempty(w->o->env, "HCLOUD_TOKEN") != NULL,
        .linode_token = ck_env_nonempty(w->o->env, "LINODE_TOKEN") != NULL,
        .note = pass_note,
        .note_arg = w,
    };
    struct ck_new_cluster built = {0};
    r = ck_new_cluster_build(w->a, &w->o->n, &env, &built, err);
    if (r < 0)
        return r;
    w->cluster = built.cluster;
    w->igs = built.igs;
    w->n_igs = built.n_igs;
    return 0;
}

static int merge(struct work *w, struct ck_err *err)
{
    w->cluster = ck_object_clone(w->a, &w->old.obj);
    size_t n = w->old_igs.n;
    struct ck_object *igs = ck_arena_alloc(w->a, (n + 1) * sizeof *igs);
    for (size_t i = 0; i < n; i++)
        igs[i] = ck_object_clone(w->a, &w->old_igs.v[i].obj);
    struct ck_merge m = {
        .a = w->a, .o = w->o, .cluster = &w->cluster, .igs = igs, .n_igs = n, .cap_igs = n + 1};
    int r = ck_merge_options(&m, err);
    w->igs = m.igs;
    w->n_igs = m.n_igs;
    return r;
}

static int sets_and_unsets(struct work *w, struct ck_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < w->o->unsets->n; i++)
        r = ck_object_unset(w->a, &w->cluster, w->o->unsets->v[i], err);
    for (size_t i = 0; r == 0 && i < w->o->sets->n; i++)
        r = ck_object_set(w->a, &w->cluster, w->o->sets->v[i], err);
    /* Calico's eBPF data plane replaces kube-proxy. */
    struct ck_val *spec = ck_object_spec(&w->cluster);
    if (r == 0 && ck_bool_at(spec, "networking.calico.bpfEnabled", false) &&
        !ck_at(spec, "kubeProxy.enabled"))
        ck_put(w->a, spec, "kubeProxy.enabled", ck_bool(w->a, false));
    return r;
}

/* ---- additional objects ---- */

static bool same_object(const struct work *w, const struct ck_object *x, const struct ck_object *y)
{
    return strcmp(ck_object_gvk(w->a, x), ck_object_gvk(w->a, y)) == 0 &&
           strcmp(ck_object_name(x), ck_object_name(y)) == 0 &&
           strcmp(ck_str_at(x->root, "metadata.namespace"),
                  ck_str_at(y->root, "metadata.namespace")) == 0;
}

static void add_object(struct work *w, const struct ck_object *obj)
{
    for (size_t i = 0; i < w->n_addons; i++)
        if (same_object(w, &w->addons[i], obj)) {
            w->addons[i] = *obj;
            return;
        }
    w->addons[w->n_addons++] = *obj;
}

/* --add: a later object of the same kind and name replaces an earlier one. */
static int take_addons(struct work *w, struct ck_err *err)
{
    struct ck_inputs in = {0};
    struct ck_object *old = NULL;
    size_t n_old = 0;
    if (!w->o->addons->n)
        return 0;
    if (!w->s->features->on[CK_FF_CLUSTER_ADDONS])
        return ck_fail(
            err, CK_INVALID, "--add requires the %s feature flag: export KOPS_FEATURE_FLAGS=%s",
            ck_feature_name(CK_FF_CLUSTER_ADDONS), ck_feature_name(CK_FF_CLUSTER_ADDONS));
    int r = ck_inputs_read(w->a, w->s, w->o->addons, "error ", &in, err);
    if (r == 0 && w->merging)
        r = ck_addons_read(w->a, w->s, w->o->n.name, &old, &n_old, err);
    if (r < 0)
        return r;
    w->addons = ck_arena_alloc(w->a, (in.n + n_old + 1) * sizeof *w->addons);
    for (size_t i = 0; i < n_old; i++)
        add_object(w, &old[i]);
    for (size_t i = 0; i < in.n; i++) {
        if (in.v[i].obj.kind != CK_KIND_OTHER)
            return ck_fail(err, CK_INVALID,
                           "--add takes objects for the cluster; %s in %s is one of kOps' own: use "
                           "create -f",
                           ck_object_gvk(w->a, &in.v[i].obj), in.v[i].file);
        add_object(w, &in.v[i].obj);
    }
    return 0;
}

/* ---- checks ---- */

static int validate(struct work *w, const struct ck_object *cluster, const struct ck_object *igs,
                    bool strict, struct ck_err *err)
{
    struct ck_field_errs errs = {.arena = w->a};
    const struct ck_validate_ctx c = {.arena = w->a, .features = w->s->features, .strict = strict};
    ck_validate_cluster(&c, cluster, &errs);
    if (ck_field_errs_fail(&errs, NULL) == 0)
        for (size_t i = 0; i < w->n_igs; i++) {
            ck_validate_instance_group(&c, &igs[i], &errs);
            ck_cross_validate(&c, &igs[i], cluster, &errs);
        }
    return ck_field_errs_fail(&errs, err);
}

static int check_names(const struct work *w, struct ck_err *err)
{
    CK_CLEANUP(ck_map_done) struct ck_map names = {0};
    for (size_t i = 0; i < w->n_igs; i++)
        if (!ck_map_put(&names, ck_object_name(&w->igs[i]), w->igs))
            return ck_fail(err, CK_INVALID, "duplicate InstanceGroup Name found: \"%s\"",
                           ck_object_name(&w->igs[i]));
    return 0;
}

/* What the facts and the channel tell the assignments. */
static void assign_facts(struct work *w, struct ck_assign_facts *ret)
{
    const struct ck_val *spec = ck_object_spec(&w->cluster);
    const char *version = ck_facts_kops_version(&w->facts);
    struct ck_semver kops;
    *ret = (struct ck_assign_facts){.assigned = pass_note, .skipped = pass_note, .arg = w};
    if (ck_semver_parse_tolerant(ck_slice_of(version ? version : w->o->kops_version), &kops))
        ret->kubernetes_version = ck_channel_recommended_kubernetes(&w->channel, &kops);
    ck_given_subnets(w->a, &w->facts, spec, ret);
}

/* The completed form has rules of its own: they run on a copy that is not stored. */
static int check_completed(struct work *w, const struct ck_assign_facts *assign, struct ck_err *err)
{
    struct ck_populate_facts facts = {
        .assign = assign,
        .features = w->s->features,
        .groups = w->igs,
        .n_groups = w->n_igs,
        .skipped = pass_note,
        .arg = w,
    };
    ck_given_zones(w->a, &w->facts, &facts);
    struct ck_object full;
    int r = ck_populate_cluster(w->a, &w->cluster, &facts, &full, err);
    struct ck_object *groups = ck_arena_alloc(w->a, (w->n_igs + 1) * sizeof *groups);
    const struct ck_group_facts group = {.channel = &w->channel, .features = w->s->features};
    for (size_t i = 0; r == 0 && i < w->n_igs; i++)
        r = ck_populate_instance_group(w->a, &full, &w->igs[i], &group, &groups[i], err);
    if (r < 0)
        return r;
    r = validate(w, &full, groups, true, err);
    return r < 0 ? ck_wrap(err, "validation of the full cluster and instance group specs failed")
                 : 0;
}

static int complete_and_check(struct work *w, struct ck_err *err)
{
    struct ck_assign_facts facts;
    assign_facts(w, &facts);
    int r = ck_assign_cluster(w->a, &w->cluster, &facts, err);
    const struct ck_val *spec = ck_object_spec(&w->cluster);
    if (r == 0 && *ck_str_at(spec, "networkID") && !*ck_str_at(spec, "networkCIDR") &&
        ck_is_str(ck_get(spec, "cloudProvider"), "aws"))
        r = ck_fail(err, CK_INVALID,
                    "unable to infer NetworkCIDR from Network ID, please specify --network-cidr");
    if (r == 0)
        r = check_names(w, err);
    if (r == 0)
        r = validate(w, &w->cluster, w->igs, false, err);
    return r < 0 ? r : check_completed(w, &facts, err);
}

/* ---- results ---- */

static int read_ssh_key(struct work *w, struct ck_slice *ret, struct ck_err *err)
{
    *ret = (struct ck_slice){NULL, 0};
    if (!*w->o->ssh_public_key)
        return 0;
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    int r = ck_file_read(w->o->ssh_public_key, KEY_MAX, &text, err);
    if (r < 0)
        return ck_wrap(err, "error reading SSH key file \"%s\"", w->o->ssh_public_key);
    *ret = ck_arena_slice(w->a, ck_buf_slice(&text));
    return 0;
}

static void fill_result(struct work *w, struct ck_slice ssh, struct ck_create_cluster_result *ret)
{
    ret->objects = ck_arena_alloc(w->a, (w->n_igs + w->n_addons + 2) * sizeof *ret->objects);
    ret->objects[ret->n++] = w->cluster;
    for (size_t i = 0; i < w->n_igs; i++) {
        struct ck_object ig = ck_object_clone(w->a, &w->igs[i]);
        ck_object_set_label(w->a, &ig, CK_LABEL_CLUSTER, w->o->n.name);
        ret->objects[ret->n++] = ig;
        const char *role = ck_str_at(ck_object_spec(&ig), "role");
        if (!ret->node_group && strcmp(role, "Node") == 0)
            ret->node_group = ck_object_name(&w->igs[i]);
        if (!ret->control_plane_group && strcmp(role, "Master") == 0)
            ret->control_plane_group = ck_object_name(&w->igs[i]);
    }
    if (ssh.ptr) {
        struct ck_object key = ck_object_new(w->a, CK_KIND_SSH_CREDENTIAL, "admin");
        ck_object_set_label(w->a, &key, CK_LABEL_CLUSTER, w->o->n.name);
        struct ck_slice text = ck_slice_trim(ssh);
        ck_set(w->a, ck_object_spec(&key), "publicKey", ck_strn(w->a, text));
        ret->objects[ret->n++] = key;
    }
    for (size_t i = 0; i < w->n_addons; i++)
        ret->objects[ret->n++] = w->addons[i];
    ret->merged = w->merging;
}

static void put_value(const struct work *w, struct ck_buf *b, const struct ck_val *v,
                      const char *color)
{
    if (w->o->color)
        ck_buf_puts(b, color);
    if (v)
        ck_json_emit(b, v, (struct ck_json_style){.order = CK_JSON_SORTED, .raw_html = true});
    else
        ck_buf_puts(b, "(none)");
    if (w->o->color)
        ck_buf_puts(b, "\033[0m");
}

static size_t diff_one(struct work *w, struct ck_buf *b, const char *what,
                       const struct ck_object *from, const struct ck_object *to)
{
    struct ck_changes changes = {0};
    ck_object_diff(w->a, from, to, &changes);
    for (size_t i = 0; i < changes.n; i++) {
        ck_buf_fmt(b, "  %s %s: ", what, changes.v[i].path);
        put_value(w, b, changes.v[i].from, "\033[31m");
        ck_buf_puts(b, " -> ");
        put_value(w, b, changes.v[i].to, "\033[32m");
        ck_buf_putc(b, '\n');
    }
    return changes.n;
}

static void diff(struct work *w, struct ck_create_cluster_result *ret)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ret->n_changes = diff_one(w, &b, "cluster", &w->old.obj, &w->cluster);
    for (size_t i = 0; i < w->n_igs; i++) {
        const char *what = ck_arena_printf(w->a, "instancegroup %s", ck_object_name(&w->igs[i]));
        if (i < w->old_igs.n) {
            ret->n_changes += diff_one(w, &b, what, &w->old_igs.v[i].obj, &w->igs[i]);
        } else {
            ck_buf_fmt(&b, "  %s: new\n", what);
            ret->n_changes++;
        }
    }
    ret->diff = ck_arena_strndup(w->a, ck_buf_str(&b), b.len);
}

/* ---- storing ---- */

static int store_new(struct work *w, struct ck_slice ssh, struct ck_err *err)
{
    struct ck_batch batch = {0};
    int r = ck_cluster_prepare_create(w->a, w->s, &w->cluster, &batch, err);
    for (size_t i = 0; r == 0 && i < w->n_igs; i++)
        r = ck_ig_prepare_create(w->a, w->s, w->o->n.name, &w->igs[i], &batch, err);
    if (r == 0)
        r = ck_addons_prepare(w->a, w->s, w->o->n.name, w->addons, w->n_addons, &batch, err);
    if (r == 0 && ssh.ptr)
        r = ck_ssh_prepare(w->a, w->s, &w->cluster, ssh, &batch, err);
    if (r == 0)
        r = ck_batch_commit(w->a, w->s, &batch, NULL, err);
    return r < 0 ? ck_wrap(err, "error writing updated configuration") : 0;
}

static int store_merged(struct work *w, struct ck_slice ssh, struct ck_err *err)
{
    struct ck_batch batch = {0};
    int r = 0;
    if (!ck_object_spec_eq(&w->old.obj, &w->cluster))
        r = ck_cluster_prepare_update(w->a, w->s, &w->old, &w->cluster, &batch, err);
    for (size_t i = 0; r == 0 && i < w->n_igs; i++) {
        if (i >= w->old_igs.n)
            r = ck_ig_prepare_create(w->a, w->s, w->o->n.name, &w->igs[i], &batch, err);
        else if (!ck_object_spec_eq(&w->old_igs.v[i].obj, &w->igs[i]))
            r = ck_ig_prepare_update(w->a, w->s, w->o->n.name, &w->old_igs.v[i], &w->igs[i], &batch,
                                     err);
    }
    if (r == 0 && w->o->addons->n)
        r = ck_addons_prepare(w->a, w->s, w->o->n.name, w->addons, w->n_addons, &batch, err);
    if (r == 0 && ssh.ptr)
        r = ck_ssh_prepare(w->a, w->s, &w->cluster, ssh, &batch, err);
    return r < 0 ? r : ck_batch_commit(w->a, w->s, &batch, NULL, err);
}

static int find_existing(struct work *w, struct ck_err *err)
{
    CK_AUTOERR local = CK_ERR_INIT;
    int r = ck_cluster_get(w->a, w->s, w->o->n.name, &w->old, &local);
    if (r == -(int)CK_NOT_FOUND)
        return 0;
    if (r == 0)
        r = ck_ig_list(w->a, w->s, w->o->n.name, &w->old_igs, &local);
    w->merging = r == 0;
    return r < 0 ? ck_err_move(err, &local) : 0;
}

/* Options that say where and how, not what. */
static bool asks_for_change(const struct work *w)
{
    static const char *const silent[] = {"name",   "state", "config", "v",   "lenient", "dry-run",
                                         "output", "yes",   "target", "out", "cloud",   "o"};
    const struct ck_map *g = w->o->given;
    for (size_t i = 0; g && i < g->n; i++) {
        bool quiet = false;
        for (size_t k = 0; k < CK_ARRAY_LEN(silent); k++)
            quiet = quiet || strcmp(g->e[i].key, silent[k]) == 0;
        if (!quiet)
            return true;
    }
    return false;
}

static int make(struct work *w, struct ck_err *err)
{
    int r = load_facts(w, err);
    if (r == 0)
        r = find_existing(w, err);
    if (r < 0)
        return r;
    if (w->merging && !asks_for_change(w)) {
        CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
        ck_goquote(&q, ck_slice_of(w->o->n.name));
        return ck_fail(err, CK_EXISTS,
                       "cluster %s already exists; use 'ckops update cluster' to apply changes",
                       ck_buf_str(&q));
    }
    if (!w->merging) {
        r = ck_channel_load(w->a, w->s->vfs, &w->facts,
                            *w->o->n.channel ? w->o->n.channel : "stable", pass_note, w,
                            &w->channel, err);
        if (r == 0)
            r = ask_cloud(w, err);
        if (r == 0)
            r = build_new(w, err);
    } else {
        r = merge(w, err);
    }
    if (r == 0)
        r = sets_and_unsets(w, err);
    if (r == 0)
        r = take_addons(w, err);
    return r < 0 ? r : complete_and_check(w, err);
}

int ck_create_cluster(struct ck_arena *a, const struct ck_store *s,
                      struct ck_create_cluster_opts *o, struct ck_create_cluster_result *ret,
                      struct ck_err *err)
{
    struct work w = {.a = a, .s = s, .o = o};
    struct ck_slice ssh;
    int r = make(&w, err);
    if (r == 0)
        r = read_ssh_key(&w, &ssh, err);
    if (r < 0)
        return r;
    if (w.merging)
        diff(&w, ret);
    fill_result(&w, ssh, ret);
    if (o->dry_run)
        return 0;
    return w.merging ? store_merged(&w, ssh, err) : store_new(&w, ssh, err);
}
