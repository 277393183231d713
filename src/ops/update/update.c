/* Loading what `update cluster` works on.
 *
 * Mirrors kOps upup/pkg/fi/cloudup/apply_cluster.go. */
#include "ops/update/update.h"

#include "auth/cred.h"
#include "base/enc.h"
#include "base/secret.h"
#include "base/version.h"
#include "crypto/hash.h"
#include "model/assets.h"
#include "model/build.h"
#include "ops/create_ig.h"
#include "ops/givenfacts.h"
#include "ops/group_defaults.h"
#include "ops/update/awsfacts.h"
#include "ops/update/buckets.h"
#include "ops/update/managed.h"
#include "spec/kubeversion.h"
#include "spec/populate.h"
#include "spec/validate.h"
#include "store/keysneeded.h"
#include "store/tokens.h"
#include "target/terraform.h"

#include <stdlib.h>
#include <string.h>

struct work {
    struct ck_arena *a;
    const struct ck_store *s;
    const struct ck_update_opts *o;
    struct ck_update *u;
};

static void note(void *arg, const char *text)
{
    const struct work *w = arg;
    if (w->o->note)
        w->o->note(w->o->note_arg, text);
}

void ck_update_done(struct ck_update *u)
{
    ck_tasks_done(&u->tasks);
    ck_strv_done(&u->secrets);
    if (u->aws)
        ck_aws_read_close(u->aws);
    if (u->http)
        ck_http_free(u->http);
    u->aws = NULL;
    u->http = NULL;
}

/* ---- options ---- */

static int phase(struct work *w, struct ck_model *m, struct ck_err *err)
{
    const char *p = w->o->phase;
    enum ck_lifecycle there =
        w->o->plan_only ? CK_LIFECYCLE_EXISTS_AND_WARN : CK_LIFECYCLE_EXISTS_AND_VALIDATES;
    m->network = m->security = m->cluster = CK_LIFECYCLE_SYNC;
    if (!*p)
        return 0;
    if (!strcmp(p, "network")) {
        m->security = m->cluster = CK_LIFECYCLE_IGNORE;
    } else if (!strcmp(p, "security") || !strcmp(p, "iam")) {
        m->network = CK_LIFECYCLE_EXISTS_AND_WARN;
        m->cluster = CK_LIFECYCLE_IGNORE;
    } else if (!strcmp(p, "cluster")) {
        m->network = m->security = there;
    } else {
        return ck_fail(err, CK_INVALID,
                       "unknown phase \"%s\", available phases: cluster,network,security", p);
    }
    return 0;
}

static int overrides(struct work *w, struct ck_err *err)
{
    struct ck_val *map = ck_map(w->a);
    for (size_t i = 0; i < w->o->overrides->n; i++) {
        const char *text = w->o->overrides->v[i], *eq = strchr(text, '=');
        enum ck_lifecycle l;
        if (!eq || strchr(eq + 1, '='))
            return ck_fail(err, CK_INVALID,
                           "incorrect syntax for lifecyle-overrides, correct syntax is "
                           "TaskName=lifecycleName, override provided: \"%s\"",
                           text);
        if (!ck_lifecycle_parse(eq + 1, &l))
            return ck_fail(err, CK_INVALID,
                           "unknown lifecycle \"%s\", available lifecycle: "
                           "ExistsAndValidates,ExistsAndWarnIfChanges,Ignore,Sync,"
                           "WarnIfInsufficientAccess",
                           eq + 1);
        ck_set_str(w->a, map, ck_arena_strndup(w->a, text, (size_t)(eq - text)), eq + 1);
    }
    w->u->tasks.overrides = map;
    return 0;
}

/* ---- versions ---- */

static const char *kops_version(const struct work *w)
{
    const char *given = ck_facts_kops_version(&w->u->facts);
    return given ? given : CK_KOPS_VERSION;
}

/* A store that a newer kops wrote is left alone. */
static int check_downgrade(struct work *w, struct ck_err *err)
{
    struct ck_path base, file;
    struct ck_semver stored, ours;
    CK_AUTOERR missing = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf text = CK_BUF_MAX(4096);
    int r = ck_layout_config_base(w->a, w->s, &w->u->cluster.obj, &base, err);
    if (!r)
        r = ck_path_join(w->a, &base, "kops-version.txt", &file, err);
    if (r)
        return r;
    r = ck_vfs_read(&file, &text, NULL, &missing);
    if (r == -CK_NOT_FOUND || !text.len)
        return 0;
    if (r)
        return ck_err_move(err, &missing);
    struct ck_slice last = ck_slice_trim(ck_buf_slice(&text));
    if (w->o->allow_downgrade || !ck_semver_parse_tolerant(last, &stored) ||
        !ck_semver_parse_tolerant(ck_slice_of(kops_version(w)), &ours) ||
        ck_semver_cmp(&ours, &stored) >= 0)
        return 0;
    return ck_fail(err, CK_INVALID,
                   "kops version older than last used to update the cluster: %.*s wrote it, this "
                   "is compatible with %s; use a newer ckops, or --allow-kops-downgrade",
                   CK_SARG(last), kops_version(w));
}

static int check_kubernetes(struct work *w, const struct ck_semver *v, struct ck_err *err)
{
    enum { OLDEST_MINOR = 32, OLDEST_WITHOUT_NOTICE = 34 };
    if (v->major == 1 && v->minor < OLDEST_MINOR)
        return ck_fail(err, CK_INVALID,
                       "kubernetes version \"%s\" is too old: at least 1.%d.0 is needed", v->text,
                       OLDEST_MINOR);
    if (v->major == 1 && v->minor < OLDEST_WITHOUT_NOTICE)
        note(w, ck_arena_printf(w->a,
                                "Kubernetes %s is deprecated: the next version of kops will need "
                                "at least 1.%d",
                                v->text, OLDEST_WITHOUT_NOTICE));
    return 0;
}

/* ---- the completed objects ---- */

static bool wanted(const struct work *w, const struct ck_object *group)
{
    const struct ck_strv *names = w->o->groups, *roles = w->o->roles;
    bool by_name = !names->n || ck_strv_has(names, ck_object_name(group));
    bool by_role = !roles->n;
    for (size_t i = 0; i < roles->n && !by_role; i++) {
        const char *role = ck_role_parse(w->a, roles->v[i]);
        by_role = role && ck_is_str(ck_at(group->root, "spec.role"), role);
    }
    return by_name && by_role;
}

static int check_filters(struct work *w, const struct ck_stored_list *igs, struct ck_err *err)
{
    for (size_t i = 0; i < w->o->groups->n; i++) {
        bool found = false;
        for (size_t k = 0; k < igs->n && !found; k++)
            found = !strcmp(w->o->groups->v[i], ck_object_name(&igs->v[k].obj));
        if (!found)
            return ck_fail(err, CK_INVALID, "InstanceGroup \"%s\" not found", w->o->groups->v[i]);
    }
    for (size_t i = 0; i < w->o->roles->n; i++)
        if (!ck_role_parse(w->a, w->o->roles->v[i]))
            return ck_fail(err, CK_INVALID, "invalid instance group role \"%s\"",
                           w->o->roles->v[i]);
    return 0;
}

/* A store keeps groups by file; two files may say the same name. */
static int check_names(struct work *w, const struct ck_stored_list *igs, struct ck_err *err)
{
    for (size_t i = 0; i < igs->n; i++)
        for (size_t k = 0; k < i; k++)
            if (!strcmp(ck_object_name(&igs->v[i].obj), ck_object_name(&igs->v[k].obj)))
                return ck_fail(err, CK_INVALID,
                               "two instance groups have the metadata.name \"%s\": %s and %s",
                               ck_object_name(&igs->v[i].obj), ck_path_text(w->a, &igs->v[k].path),
                               ck_path_text(w->a, &igs->v[i].path));
    return 0;
}

static int complete_group(struct work *w, const struct ck_object *group, struct ck_object *ret,
                          struct ck_err *err)
{
    const struct ck_update *u = w->u;
    const char *type = ck_str_at(group->root, "spec.machineType");
    const char *cloud = u->model.cloud;
    struct ck_group_facts f = {.channel = &u->channel, .features = w->s->features};
    if (!*type) {
        f.machine_type =
            ck_default_machine_type(&u->facts, cloud, ck_str_at(group->root, "spec.role"), "amd64");
        type = f.machine_type ? f.machine_type : "";
    }
    const char *first = ck_arena_strndup(w->a, type, strcspn(type, ","));
    const struct ck_val *known = ck_get(ck_at(u->facts.root, "aws.instanceTypes"), first);
    f.arch = *first ? ck_facts_architecture(&u->facts, cloud, first) : NULL;
    f.gpu = ck_bool_at(known, "gpu", false);
    return ck_populate_instance_group(w->a, &u->full, group, &f, ret, err);
}

/* Of the first zone, before anything is checked: us-east-1a → us-east-1. "" without zones. */
static const char *first_region(const struct work *w)
{
    const struct ck_val *subnets = ck_at(w->u->cluster.obj.root, "spec.subnets");
    const char *zone = "";
    for (size_t i = 0; i < ck_len(subnets) && !*zone; i++)
        zone = ck_str_at(ck_item(subnets, i), "zone");
    return *zone ? ck_arena_strndup(w->a, zone, strlen(zone) - 1) : "";
}

/* Without a facts file the cloud is asked, if there are credentials for it. */
static int ask_cloud(struct work *w, const struct ck_stored_list *igs, struct ck_err *err)
{
    struct ck_update *u = w->u;
    const char *region = first_region(w);
    CK_AUTOERR none = CK_ERR_INIT;
    if (u->facts.root || w->o->offline || strcmp(u->model.cloud, "aws") || !*region)
        return 0;
    u->http = ck_http_new(w->o->env, NULL, NULL);
    u->aws = ck_arena_alloc(w->a, sizeof *u->aws);
    int r = ck_aws_read_open(w->a, w->o->env, u->http, region, w->o->name, u->aws, &none);
    if (!r)
        return ck_update_ask_aws(w->a, u, igs, err);
    ck_aws_read_close(u->aws);
    u->aws = NULL;
    note(w, ck_arena_printf(w->a, "AWS is not asked, everything is shown as new: %s",
                            ck_err_msg(&none)));
    return 0;
}

/* Where the checkers of tokens read, unless that is said; only S3's addresses depend on more than
 * the location. */
static int discovery_url(struct work *w, const char **ret, struct ck_err *err)
{
    const struct ck_val *spec = ck_object_spec(&w->u->cluster.obj);
    const char *store = ck_str_at(spec, "serviceAccountIssuerDiscovery.discoveryStore");
    bool ipv6 = strchr(ck_str_at(spec, "nonMasqueradeCIDR"), ':') != NULL;
    struct ck_vfs_place place;
    *ret = NULL;
    if (!ck_str_starts(store, "s3://") || *ck_str_at(spec, "kubeAPIServer.serviceAccountIssuer"))
        return 0;
    int r = ck_update_bucket(w->u, store, ipv6, first_region(w), &place, err);
    if (r)
        return ck_wrap(err, "spec.serviceAccountIssuerDiscovery.discoveryStore");
    *ret = place.url;
    return 0;
}

/* The rules for completed groups; the completed cluster was held against its own when it was made.
 * Stops at the first group with a fault, as kOps does. */
static int check_groups(struct work *w, const struct ck_object *groups, size_t n,
                        struct ck_err *err)
{
    const struct ck_validate_ctx c = {
        .arena = w->a, .features = w->s->features, .strict = true, .cloud_rules = true};
    int r = 0;
    for (size_t i = 0; i < n && !r; i++) {
        struct ck_field_errs errs = {.arena = w->a};
        ck_validate_instance_group(&c, &groups[i], &errs);
        ck_cross_validate(&c, &groups[i], &w->u->full, &errs);
        r = ck_field_errs_fail(&errs, err);
        if (r)
            return ck_wrap(err, "instance group \"%s\"", ck_object_name(&groups[i]));
    }
    return 0;
}

static int complete(struct work *w, struct ck_err *err)
{
    struct ck_update *u = w->u;
    struct ck_stored_list igs = {0};
    struct ck_assign_facts assign = {0};
    int r = ck_ig_list(w->a, w->s, w->o->name, &igs, err);
    if (!r)
        r = check_names(w, &igs, err);
    if (!r)
        r = check_filters(w, &igs, err);
    if (!r)
        r = ask_cloud(w, &igs, err);
    if (r)
        return r;
    struct ck_object *raw = ck_arena_alloc(w->a, (igs.n + 1) * sizeof *raw);
    for (size_t i = 0; i < igs.n; i++)
        raw[i] = igs.v[i].obj;
    ck_given_subnets(w->a, &u->facts, ck_object_spec(&u->cluster.obj), &assign);
    struct ck_populate_facts facts = {
        .assign = &assign,
        .features = w->s->features,
        .groups = raw,
        .n_groups = igs.n,
        .update = true,
        .skipped = note,
        .arg = w,
    };
    ck_given_zones(w->a, &u->facts, &facts);
    r = discovery_url(w, &facts.discovery_url, err);
    if (!r)
        r = ck_populate_cluster(w->a, &u->cluster.obj, &facts, &u->full, err);
    struct ck_object *all = ck_arena_alloc(w->a, (igs.n + 1) * sizeof *all);
    struct ck_object *groups = ck_arena_alloc(w->a, (igs.n + 1) * sizeof *groups);
    size_t n = 0;
    for (size_t i = 0; i < igs.n && !r; i++) {
        r = complete_group(w, &raw[i], &all[i], err);
        if (wanted(w, &raw[i]))
            groups[n++] = all[i];
    }
    if (!r)
        r = check_groups(w, all, igs.n, err);
    u->model.all_groups = all;
    u->model.n_all_groups = igs.n;
    u->model.groups = groups;
    u->model.n_groups = n;
    return r;
}

/* ---- keys ---- */

static int keysets(struct work *w, struct ck_err *err)
{
    struct ck_update *u = w->u;
    struct ck_keyset_found *found;
    size_t n;
    int r = w->o->plan_only ? ck_keysets_look(w->a, w->s, &u->cluster.obj, &found, &n, err)
                            : ck_keysets_ensure_all(w->a, w->s, &u->cluster.obj, &found, &n, err);
    if (r)
        return r;
    struct ck_keyset *v = ck_arena_alloc(w->a, (n + 1) * sizeof *v);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!found[i].missing)
            v[kept++] = found[i].keyset;
    u->model.keysets = v;
    u->model.n_keysets = kept;
    return 0;
}

/* ---- secrets ---- */

static int need_secret(struct work *w, const char *name, const char *field, struct ck_err *err)
{
    if (ck_strv_has(&w->u->secrets, name))
        return 0;
    return ck_fail(err, CK_NOT_FOUND,
                   "could not find %s secret: %s needs it, make it with `ckops create secret %s`",
                   name, field, name);
}

/* Nodes compare the hash, so that a changed configuration reaches them. */
static int encryption_hash(struct work *w, struct ck_err *err)
{
    unsigned char digest[CK_SHA256_LEN];
    CK_AUTOSECRET config = CK_SECRET_INIT;
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    struct ck_buf *b = ck_secret_sink(&config);
    if (!ck_bool_at(w->u->full.root, "spec.encryptionConfig", false))
        return 0;
    int r = need_secret(w, "encryptionconfig", "spec.encryptionConfig", err);
    if (!r)
        r = ck_secret_read(w->a, w->s, &w->u->cluster.obj, "encryptionconfig", b, err);
    if (r)
        return r;
    ck_sha256(ck_buf_slice(b), digest);
    ck_base64_encode(&text, digest, sizeof digest);
    for (char *p = text.ptr; *p; p++)
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    w->u->model.encryption_config_hash = ck_arena_strdup(w->a, ck_buf_str(&text));
    return 0;
}

static int secrets(struct work *w, struct ck_err *err)
{
    struct ck_update *u = w->u;
    int r = ck_tokens_load(w->a, w->s, &u->cluster.obj, !w->o->plan_only, &u->secrets, err);
    u->model.secrets = &u->secrets;
    const struct ck_val *cilium = ck_at(u->full.root, "spec.networking.cilium");
    const char *type = ck_str_at(cilium, "encryptionType");
    if (!r && ck_bool_at(cilium, "enableEncryption", false) && (!*type || !strcmp(type, "ipsec")))
        r = need_secret(w, "ciliumpassword", "spec.networking.cilium.enableEncryption", err);
    return r ? r : encryption_hash(w, err);
}

/* ---- the model ---- */

static const char *fact_or(const struct ck_update *u, const char *path, const char *dflt)
{
    const char *s = ck_str_at(u->facts.root, path);
    return *s ? s : dflt;
}

/* The zones' names tell the region: us-east-1a → us-east-1. */
static int region(struct work *w, const char **ret, struct ck_err *err)
{
    const struct ck_val *subnets = ck_at(w->u->full.root, "spec.subnets");
    const char *found = NULL;
    for (size_t i = 0; i < ck_len(subnets); i++) {
        const char *zone = ck_str_at(ck_item(subnets, i), "zone");
        size_t n = strlen(zone);
        if (!n)
            continue;
        const char *one = ck_arena_strndup(w->a, zone, n - 1);
        if (found && strcmp(found, one))
            return ck_fail(err, CK_INVALID,
                           "spec.subnets[%zu].zone: clusters cannot span multiple regions: \"%s\" "
                           "is not in %s",
                           i, zone, found);
        found = one;
    }
    const struct ck_val *zones = ck_at(w->u->facts.root, "aws.zones");
    for (size_t i = 0; zones && i < ck_len(subnets); i++) {
        const char *zone = ck_str_at(ck_item(subnets, i), "zone");
        if (*zone && !ck_list_has_str(zones, zone))
            return ck_fail(err, CK_INVALID, "spec.subnets[%zu].zone: region %s has no zone \"%s\"",
                           i, fact_or(w->u, "aws.region", found ? found : ""), zone);
    }
    *ret = found ? found : fact_or(w->u, "aws.region", "");
    return 0;
}

static int aws_part(struct work *w, struct ck_err *err)
{
    struct ck_model *m = &w->u->model;
    int r = region(w, &m->region, err);
    if (r)
        return r;
    m->partition = fact_or(w->u, "aws.partition", ck_aws_partition(m->region));
    m->account = fact_or(w->u, "aws.accountID", "");
    if (!*m->account)
        note(w, "the AWS account is not known: ARNs of queues and identity providers are left "
                "without it");
    return 0;
}

static int model(struct work *w, struct ck_err *err)
{
    struct ck_update *u = w->u;
    struct ck_model *m = &u->model;
    struct ck_ssh_key *ssh;
    struct ck_object *addons;
    m->a = w->a;
    m->env = w->o->env;
    m->vfs = w->s->vfs;
    m->store = w->s;
    m->name = ck_object_name(&u->cluster.obj);
    m->raw = &u->cluster.obj;
    m->full = &u->full;
    m->spec = ck_object_spec(&u->full);
    m->channel = &u->channel;
    m->features = w->s->features;
    m->facts = &u->facts;
    m->kops_version = kops_version(w);
    m->tasks = &u->tasks;
    if (!ck_semver_parse_tolerant(ck_slice_of(ck_str_at(m->spec, "kubernetesVersion")),
                                  &m->kubernetes))
        return ck_fail(err, CK_INVALID, "spec.kubernetesVersion: \"%s\" is not a version",
                       ck_str_at(m->spec, "kubernetesVersion"));
    int r = check_kubernetes(w, &m->kubernetes, err);
    if (!r)
        r = phase(w, m, err);
    if (!r)
        r = ck_ssh_list(w->a, w->s, &u->cluster.obj, &ssh, &m->n_ssh_keys, err);
    if (!r)
        r = ck_addons_read(w->a, w->s, m->name, &addons, &m->n_addons, err);
    if (r)
        return r;
    m->ssh_keys = ssh;
    m->addons = addons;
    r = strcmp(m->cloud, "aws") ? 0 : aws_part(w, err);
    m->preview = w->o->plan_only;
    if (!r)
        r = ck_assets_new(w->a, m, w->o->offline, &m->assets, err);
    if (!r && m->unknown_hash)
        note(w,
             ck_arena_printf(w->a, "what nodes read is shown without hashes: %s", m->unknown_hash));
    return r;
}

static int load_channel(struct work *w, struct ck_err *err)
{
    const char *name = ck_str_at(w->u->cluster.obj.root, "spec.channel");
    CK_AUTOERR e = CK_ERR_INIT;
    if (!*name)
        return 0;
    int r = ck_channel_load(w->a, w->s->vfs, &w->u->facts, name, note, w, &w->u->channel, &e);
    if (r)
        note(w, ck_arena_printf(w->a, "channel \"%s\" cannot be read: %s", name, ck_err_msg(&e)));
    return 0;
}

int ck_update_load(struct ck_arena *a, const struct ck_store *s, const struct ck_update_opts *o,
                   struct ck_update *ret, struct ck_err *err)
{
    struct work w = {.a = a, .s = s, .o = o, .u = ret};
    *ret = (struct ck_update){.arena = a, .store = s, .opts = *o};
    ck_arena_set_wipe(a);
    ck_tasks_init(&ret->tasks, a);
    int r = phase(&w, &ret->model, err);
    if (!r)
        r = overrides(&w, err);
    if (!r)
        r = ck_facts_from_env(a, o->env, &ret->facts, err);
    ret->facts_given = ret->facts.root;
    if (!r)
        r = ck_cluster_get_for_command(a, s, o->name, &ret->cluster, err);
    if (r)
        return r;
    ret->model.cloud = ck_str_at(ret->cluster.obj.root, "spec.cloudProvider");
    r = check_downgrade(&w, err);
    if (!r)
        r = load_channel(&w, err);
    if (!r)
        r = complete(&w, err);
    if (!r)
        r = keysets(&w, err);
    if (!r)
        r = secrets(&w, err);
    if (!r)
        r = model(&w, err);
    if (!r)
        r = ck_model_build(&ret->model, err);
    return r ? r : ck_tasks_resolve(&ret->tasks, &ret->order, err);
}

/* ---- Terraform ---- */

/* Where a store location lies as an object of a bucket. */
static int object_of(void *arg, const char *location, const char **ret_bucket, const char **ret_key,
                     const char **ret_region, struct ck_err *err)
{
    static const char S3[] = "s3://", MEM[] = "memfs://";
    struct ck_update *u = arg;
    struct ck_arena *a = u->model.a;
    if (ck_str_starts(location, S3)) {
        const char *path = location + strlen(S3);
        size_t n = strcspn(path, "/");
        struct ck_vfs_place place;
        int r = ck_update_bucket(u, location, false, u->model.region, &place, err);
        *ret_bucket = ck_arena_strndup(a, path, n);
        *ret_key = path[n] ? path + n + 1 : "";
        *ret_region = r ? NULL : place.region;
        return r;
    }
    if (ck_str_starts(location, MEM)) {
        *ret_bucket = fact_or(u, "memfs.terraformBucket", "memfs");
        *ret_key = location + strlen(MEM);
        *ret_region = fact_or(u, "memfs.terraformRegion", u->model.region);
        return 0;
    }
    return ck_fail(err, CK_UNSUPPORTED,
                   "path \"%s\" must be of a type that can render in Terraform: an s3:// store; "
                   "copy the cluster's state there first",
                   location);
}

/* A module to render into, with the providers and outputs every module has. */
static void module_init(struct ck_update *u, struct ck_tf *tf)
{
    const struct ck_model *m = &u->model;
    ck_tf_init(tf, m->a);
    tf->region = m->region;
    tf->object_of = object_of;
    tf->arg = u;
    tf->provider_extra = ck_at(m->spec, "target.terraform.providerExtraConfig");
    tf->files_provider_extra = ck_at(m->spec, "target.terraform.filesProviderExtraConfig");
    ck_tf_output(tf, "cluster_name", ck_tf_quote(tf, m->name));
    ck_tf_output(tf, "region", ck_tf_quote(tf, m->region));
}

int ck_update_world(struct ck_update *u, struct ck_world **ret, struct ck_err *err)
{
    struct ck_arena *a = u->model.a;
    const char *dir = ck_str_at(u->facts.root, "terraform");
    *ret = NULL;
    if (!*dir && u->aws)
        *ret = ck_world_of_aws(a, u->aws);
    if (!*dir)
        return 0;
    struct ck_tf *tf = ck_arena_alloc(a, sizeof *tf);
    module_init(u, tf);
    if (*dir != '/')
        dir = ck_arena_printf(a, "%s/%s", u->facts.dir, dir);
    return ck_world_of_module(a, dir, tf, ret, err);
}

int ck_update_terraform(struct ck_update *u, const char *out, struct ck_err *err)
{
    struct ck_tf tf;
    module_init(u, &tf);
    bool in_module = u->model.features->on[CK_FF_TERRAFORM_MANAGED_FILES];
    struct ck_task **v = ck_arena_alloc(u->model.a, (u->tasks.n + 1) * sizeof(struct ck_task *));
    size_t n = 0;
    for (size_t i = 0; i < u->tasks.n; i++)
        if (in_module || !ck_update_is_file(u->order[i]))
            v[n++] = u->order[i];
    int r = ck_terraform_render(&tf, v, n, err);
    if (!r && !in_module)
        r = ck_update_write_files(u, err);
    if (!r)
        r = ck_terraform_write(&tf, out, err);
    ck_tf_done(&tf);
    return r;
}
