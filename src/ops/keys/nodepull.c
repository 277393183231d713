/* Reading what one node needs: node configuration, certificates, keys, secrets, manifests.
 *
 * Which file comes from where is one table; writing them is fileset.c's. Certificates come out of
 * the node configuration and keys are the ones it names, as in kOps' nodeup: a rotation reaches a
 * node with the next `update cluster`, not before. */
#include "ops/keys/nodeleaf.h"

#include "base/enc.h"
#include "crypto/hash.h"
#include "doc/yaml.h"
#include "store/keysneeded.h"
#include "store/secretset.h"

enum { MAX_CONFIG = 4 << 20, MAX_ETCD = 16 };

/* ---- roles ---- */

static const struct role {
    const char *folder; /* below igconfig/ */
    const char *name;   /* in instance groups */
    unsigned reader;    /* of enum ck_keyset_reader; 0: reads no keys at all */
    bool reads_keys;    /* has private keys of the store */
} ROLES[] = {
    {"control-plane", "ControlPlane", CK_KEYSET_CONTROL_PLANE, true},
    {"control-plane", "Master", CK_KEYSET_CONTROL_PLANE, true},
    {"apiserver", "APIServer", CK_KEYSET_APISERVER, true},
    {"node", "Node", CK_KEYSET_OTHER, false},
    {"etcd", "Etcd", CK_KEYSET_OTHER, false},
    {"scheduler", "Scheduler", CK_KEYSET_OTHER, false},
    {"kubecontrollermanager", "KubeControllerManager", CK_KEYSET_OTHER, false},
    {"bastion", "Bastion", 0, false},
};

static const struct role *role_of(const char *text)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(ROLES); i++)
        if (ck_slice_ieq_str(ck_slice_of(text), ROLES[i].folder) ||
            ck_slice_ieq_str(ck_slice_of(text), ROLES[i].name))
            return &ROLES[i];
    return NULL;
}

bool ck_node_role_known(const char *role)
{
    return role_of(role);
}

const char *ck_node_roles(void)
{
    return "control-plane apiserver node bastion etcd scheduler kubecontrollermanager";
}

/* ---- the table of files ---- */

enum what {
    CERTS,  /* all trusted certificates of the keyset */
    LEAF,   /* a certificate the keyset's primary signs, and its key beside it */
    KEY,    /* the private key of its primary */
    PUBLIC, /* the public keys tokens are checked with */
    SECRET,
};
enum when { ALWAYS, EACH_ETCD, IF_ENCRYPTED, IF_THERE };

#define CP   CK_KEYSET_CONTROL_PLANE
#define API  (CK_KEYSET_CONTROL_PLANE | CK_KEYSET_APISERVER)
#define ALL  CK_KEYSET_EVERYONE
#define K8S  "srv/kubernetes/"
#define ETCD "etc/kubernetes/pki/etcd-manager-%s/"

/* `%s` stands for the name of an etcd cluster; @clients for the authority of its clients. */
static const struct file {
    const char *path;
    enum what what;
    const char *source; /* keyset or secret */
    enum when when;
    unsigned readers;
} FILES[] = {
    {K8S "ca.crt", CERTS, "kubernetes-ca", ALWAYS, ALL},
    {K8S "kube-apiserver/apiserver-aggregator-ca.crt", CERTS, "apiserver-aggregator-ca", ALWAYS,
     API},
    {K8S "kube-apiserver/etcd-ca.crt", CERTS, "etcd-clients-ca", ALWAYS, API},
    {K8S "kube-apiserver/service-account.pub", PUBLIC, "service-account", ALWAYS, API},
    {K8S "kube-apiserver/service-account.key", KEY, "service-account", ALWAYS, API},
    {K8S "kube-apiserver/encryptionconfig.yaml", SECRET, "encryptionconfig", IF_ENCRYPTED, API},
    {K8S "kube-apiserver/server", LEAF, "kubernetes-ca", ALWAYS, API},
    {K8S "kube-apiserver/kubelet-api", LEAF, "kubernetes-ca", ALWAYS, API},
    {K8S "kube-apiserver/etcd-client", LEAF, "etcd-clients-ca", ALWAYS, API},
    {K8S "kube-apiserver/apiserver-aggregator", LEAF, "apiserver-aggregator-ca", ALWAYS, API},
    {K8S "kube-controller-manager/ca.crt", CERTS, "kubernetes-ca", ALWAYS, CP},
    {K8S "kube-controller-manager/ca.key", KEY, "kubernetes-ca", ALWAYS, CP},
    {K8S "kube-controller-manager/service-account.key", KEY, "service-account", ALWAYS, CP},
    {ETCD "etcd-manager-ca.crt", CERTS, "etcd-manager-ca-%s", EACH_ETCD, CP},
    {ETCD "etcd-manager-ca.key", KEY, "etcd-manager-ca-%s", EACH_ETCD, CP},
    {ETCD "etcd-peers-ca.crt", CERTS, "etcd-peers-ca-%s", EACH_ETCD, CP},
    {ETCD "etcd-peers-ca.key", KEY, "etcd-peers-ca-%s", EACH_ETCD, CP},
    {ETCD "etcd-clients-ca.crt", CERTS, "@clients", EACH_ETCD, CP},
    {ETCD "etcd-clients-ca.key", KEY, "@clients", EACH_ETCD, CP},
    {"root/.docker/config.json", SECRET, "dockerconfig", IF_THERE, API},
    {"var/lib/kubelet/config.json", SECRET, "dockerconfig", IF_THERE, API},
};

/* ---- one pull ---- */

struct pull {
    struct ck_arena *a;
    const struct ck_node_pull *p;
    const struct role *role;
    struct ck_path base;      /* of the cluster's configuration */
    struct ck_val *config;    /* nodeupconfig.yaml */
    struct ck_object cluster; /* says where keys and secrets are */
    const char **names;       /* keysets whose keys are wanted */
    struct ck_keyset *sets;
    size_t n_sets;
    struct ck_fileset *out;
    struct ck_node_reads *reads; /* of ck_node_reads */
};

static int find_base(struct pull *x, struct ck_err *err)
{
    if (x->p->config_base[0])
        return ck_vfs_parse(x->p->store->vfs, x->p->config_base, &x->base, err);
    return ck_layout_cluster(x->a, x->p->store, x->p->cluster, &x->base, err);
}

static int check_hash(const struct pull *x, struct ck_slice text, struct ck_err *err)
{
    unsigned char sum[CK_SHA256_LEN];
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (!x->p->config_hash[0])
        return 0;
    ck_sha256(text, sum);
    ck_base64_encode(&b, sum, sizeof sum);
    if (strcmp(ck_buf_str(&b), x->p->config_hash) == 0)
        return 0;
    return ck_fail(err, CK_INVALID,
                   "the node configuration is not the one expected: its hash is %s, not %s",
                   ck_buf_str(&b), x->p->config_hash);
}

static int denied(const struct pull *x, const char *what, struct ck_err *err)
{
    if (err->code == CK_DENIED)
        return ck_wrap(
            err, "a node of role %s needs %s, which the identity of this machine may not read",
            x->role->folder, what);
    return ck_wrap(err, "%s", what);
}

static int read_config(struct pull *x, struct ck_err *err)
{
    struct ck_path path;
    CK_AUTOSECRET text = CK_SECRET_MAX(MAX_CONFIG);
    const char *rel =
        ck_arena_printf(x->a, "igconfig/%s/%s/nodeupconfig.yaml", x->role->folder, x->p->group);
    if (strchr(x->p->group, '/'))
        return ck_fail(err, CK_INVALID, "\"%s\" is no name of an instance group", x->p->group);
    int r = ck_path_join(x->a, &x->base, rel, &path, err);
    if (!r)
        r = ck_vfs_read(&path, ck_secret_sink(&text), NULL, err);
    if (r == -CK_NOT_FOUND)
        return ck_fail(err, CK_NOT_FOUND,
                       "there is no %s: either the group has another name or role, or the cluster "
                       "has not been updated since it was made",
                       ck_path_text(x->a, &path));
    if (r)
        return denied(x, "its node configuration", err);
    r = ck_secret_ok(&text) ? check_hash(x, ck_secret_view(&text), err)
                            : ck_fail(err, CK_LIMIT, "%s is larger than 4 MiB", rel);
    if (!r && ck_yaml_parse(x->a, ck_secret_view(&text), NULL, &x->config, NULL, err))
        r = ck_wrap(err, "error parsing %s", ck_path_text(x->a, &path));
    if (!r && !ck_is_str(ck_get(x->config, "ClusterName"), x->p->cluster))
        r = ck_fail(err, CK_INVALID, "%s belongs to the cluster \"%s\"", ck_path_text(x->a, &path),
                    ck_str_at(x->config, "ClusterName"));
    return r ? r : ck_fileset_add(x->a, x->out, "nodeupconfig.yaml", ck_secret_view(&text), err);
}

/* A location the configuration names must lie below the cluster's own folder: the machine shows its
 * credentials to whoever it asks. */
static int check_location(struct pull *x, const char *url, struct ck_path *ret, struct ck_err *err)
{
    const char *rel;
    int r = ck_vfs_parse(x->p->store->vfs, url, ret, err);
    if (!r)
        r = ck_path_relative(x->a, &x->base, ret, &rel, err);
    return r ? ck_wrap(err, "the node configuration points out of the cluster's store") : 0;
}

/* An object that says where keys and secrets are, which is all that reading them asks for. */
static int locate_stores(struct pull *x, struct ck_err *err)
{
    static const char *const FIELDS[][2] = {{"configStore.keypairs", "spec.keyStore"},
                                            {"configStore.secrets", "spec.secretStore"}};
    x->cluster = ck_object_new(x->a, CK_KIND_CLUSTER, x->p->cluster);
    ck_put(x->a, x->cluster.root, "spec.configBase",
           ck_str(x->a, ck_path_location(x->a, &x->base)));
    for (size_t i = 0; i < CK_ARRAY_LEN(FIELDS); i++) {
        const char *url = ck_str_at(x->config, FIELDS[i][0]);
        struct ck_path path;
        int r = url[0] ? check_location(x, url, &path, err) : 0;
        if (r)
            return r;
        if (url[0])
            ck_put(x->a, x->cluster.root, FIELDS[i][1], ck_str(x->a, url));
    }
    return 0;
}

/* ---- rows of the table ---- */

/* Call fn for every file of the table that this node has, with names filled in. */
typedef int (*row_fn)(struct pull *x, const struct file *f, const char *path, const char *source,
                      struct ck_err *err);

static int each_etcd(struct pull *x, const struct file *f, row_fn fn, struct ck_err *err)
{
    const struct ck_val *etcd = ck_get(x->config, "EtcdClusterNames");
    if (ck_len(etcd) > MAX_ETCD)
        return ck_fail(err, CK_LIMIT, "there are more than %d etcd clusters", MAX_ETCD);
    int r = 0;
    for (size_t i = 0; i < ck_len(etcd) && !r; i++) {
        const char *name = ck_str_or(ck_item(etcd, i), "");
        bool cilium = strcmp(name, "cilium") == 0, clients = f->source[0] == '@';
        size_t before = strcspn(f->path, "%"), prefix = strcspn(f->source, "%");
        const char *path =
            ck_arena_printf(x->a, "%.*s%s%s", (int)before, f->path, name, f->path + before + 2);
        const char *source = clients
                                 ? (cilium ? "etcd-clients-ca-cilium" : "etcd-clients-ca")
                                 : ck_arena_printf(x->a, "%.*s%s", (int)prefix, f->source, name);
        r = fn(x, f, path, source, err);
    }
    return r;
}

static bool wanted(const struct pull *x, const struct file *f)
{
    if (!(f->readers & x->role->reader))
        return false;
    return f->when != IF_ENCRYPTED ||
           ck_str_at(x->config, "APIServerConfig.EncryptionConfigSecretHash")[0];
}

static int each_file(struct pull *x, row_fn fn, struct ck_err *err)
{
    int r = 0;
    for (size_t i = 0; i < CK_ARRAY_LEN(FILES) && !r; i++) {
        const struct file *f = &FILES[i];
        if (!wanted(x, f))
            continue;
        r = f->when == EACH_ETCD ? each_etcd(x, f, fn, err) : fn(x, f, f->path, f->source, err);
    }
    return r;
}

/* ---- keys ---- */

static int note_keyset(struct pull *x, const struct file *f, const char *path, const char *source,
                       struct ck_err *err)
{
    bool known = f->what != KEY && f->what != LEAF;
    for (size_t i = 0; i < x->n_sets && !known; i++)
        known = strcmp(x->names[i], source) == 0;
    if (!known)
        x->names[x->n_sets++] = source;
    return 0;
}

static int read_keysets(struct pull *x, struct ck_err *err)
{
    size_t most = CK_ARRAY_LEN(FILES) * MAX_ETCD + 1;
    x->names = ck_arena_alloc(x->a, most * sizeof(*x->names));
    int r = each_file(x, note_keyset, err);
    if (r || x->n_sets == 0)
        return r;
    x->sets = ck_arena_alloc(x->a, x->n_sets * sizeof(*x->sets));
    r = ck_keyset_read_named(x->a, x->p->store, &x->cluster, x->names, x->n_sets, false, x->sets,
                             err);
    return r ? denied(x, "the keys of the control plane", err) : 0;
}

/* The keypair of a keyset that the node configuration names. */
static int primary_of(struct pull *x, const char *keyset, const struct ck_keyset_item **ret,
                      struct ck_pki_key **ret_key, struct ck_err *err)
{
    const char *id = ck_str_or(ck_get(ck_get(x->config, "KeypairIDs"), keyset), "");
    const struct ck_keyset_item *it = NULL;
    for (size_t i = 0; i < x->n_sets; i++)
        if (strcmp(x->names[i], keyset) == 0)
            it = ck_keyset_find(&x->sets[i], id);
    if (!id[0])
        return ck_fail(err, CK_INVALID, "the node configuration names no key of keyset \"%s\"",
                       keyset);
    if (!it)
        return ck_fail(err, CK_INVALID,
                       "the node configuration wants key %s of keyset \"%s\", which the store has "
                       "not got",
                       id, keyset);
    *ret = it;
    int r = ck_keyset_item_key(it, ret_key, err);
    if (!r && it->has_cert)
        r = ck_cert_check_key(&it->cert, *ret_key, err);
    return r ? ck_wrap(err, "keyset \"%s\"", keyset) : 0;
}

static int put_key(struct pull *x, const char *path, const char *keyset, struct ck_err *err)
{
    CK_AUTOPKIKEY struct ck_pki_key *key = NULL;
    CK_AUTOSECRET pem = CK_SECRET_INIT;
    const struct ck_keyset_item *it;
    int r = primary_of(x, keyset, &it, &key, err);
    if (!r)
        r = ck_pki_key_write(key, ck_secret_sink(&pem), err);
    return r ? r : ck_fileset_add(x->a, x->out, path, ck_secret_view(&pem), err);
}

static int put_leaf(struct pull *x, const char *stem, const char *keyset, struct ck_err *err)
{
    CK_AUTOPKIKEY struct ck_pki_key *key = NULL;
    const struct ck_keyset_item *it;
    int r = primary_of(x, keyset, &it, &key, err);
    if (!r && !it->has_cert)
        r = ck_fail(err, CK_INVALID, "keyset \"%s\" has no certificate to sign with", keyset);
    return r ? r : ck_node_leaf(x->a, x->p, x->config, stem, &it->cert, key, x->out, err);
}

/* ---- certificates ---- */

static int check_certs(struct pull *x, const char *keyset, struct ck_slice pem, struct ck_err *err)
{
    struct ck_cert c;
    return ck_cert_read(x->a, pem, &c, err) ? ck_wrap(err, "certificates of \"%s\"", keyset) : 0;
}

static int put_certs(struct pull *x, const char *path, const char *keyset, struct ck_err *err)
{
    struct ck_slice pem = ck_slice_of(ck_str_or(ck_get(ck_get(x->config, "CAs"), keyset), ""));
    bool cluster_ca = strcmp(keyset, "kubernetes-ca") == 0;
    if (!pem.len && cluster_ca)
        pem = x->p->ca; /* the authority of workers is in their boot data */
    if (!pem.len && cluster_ca && !x->role->reads_keys) {
        if (x->p->note)
            x->p->note(x->p->arg,
                       "the cluster's authority is not in the node configuration of this "
                       "role; give it with --ca");
        return 0;
    }
    if (!pem.len && !x->role->reads_keys)
        return 0;
    if (!pem.len)
        return ck_fail(err, CK_INVALID, "the node configuration has no certificate of \"%s\"",
                       keyset);
    int r = check_certs(x, keyset, pem, err);
    return r ? r : ck_fileset_add(x->a, x->out, path, pem, err);
}

static int put_public(struct pull *x, const char *path, struct ck_err *err)
{
    const char *pem = ck_str_at(x->config, "APIServerConfig.ServiceAccountPublicKeys");
    if (!pem[0])
        return ck_fail(err, CK_INVALID, "the node configuration has no public keys of tokens");
    return ck_fileset_add(x->a, x->out, path, ck_slice_of(pem), err);
}

/* ---- secrets ---- */

static int put_secret(struct pull *x, const struct file *f, const char *path, const char *name,
                      struct ck_err *err)
{
    CK_AUTOSECRET data = CK_SECRET_MAX(CK_SECRET_MAX_BYTES);
    int r = ck_secret_read(x->a, x->p->store, &x->cluster, name, ck_secret_sink(&data), err);
    if (r == -CK_NOT_FOUND && f->when == IF_THERE) {
        ck_err_done(err);
        return 0;
    }
    if (r)
        return denied(x, ck_arena_printf(x->a, "the secret \"%s\"", name), err);
    return ck_fileset_add(x->a, x->out, path, ck_secret_view(&data), err);
}

static int put_row(struct pull *x, const struct file *f, const char *path, const char *source,
                   struct ck_err *err)
{
    switch (f->what) {
    case CERTS:
        return put_certs(x, path, source, err);
    case LEAF:
        return put_leaf(x, path, source, err);
    case KEY:
        return put_key(x, path, source, err);
    case PUBLIC:
        return put_public(x, path, err);
    case SECRET:
        return put_secret(x, f, path, source, err);
    }
    return 0;
}

/* ---- files and manifests the configuration names ---- */

static int put_assets(struct pull *x, struct ck_err *err)
{
    const struct ck_val *assets = ck_get(x->config, "FileAssets");
    int r = 0;
    for (size_t i = 0; i < ck_len(assets) && !r; i++) {
        const struct ck_val *f = ck_item(assets, i);
        const char *path = ck_str_at(f, "path");
        struct ck_slice content = ck_slice_of(ck_str_at(f, "content"));
        CK_AUTOSECRET decoded = CK_SECRET_INIT;
        if (!path[0] || !content.len)
            continue;
        if (ck_bool_at(f, "isBase64", false)) {
            if (!ck_base64_decode(ck_secret_sink(&decoded), content))
                return ck_fail(err, CK_INVALID,
                               "the file %s of the node configuration is not base64", path);
            content = ck_secret_view(&decoded);
        }
        r = ck_fileset_add(x->a, x->out, path + strspn(path, "/"), content, err);
    }
    return r;
}

static int put_manifest(struct pull *x, const struct ck_path *path, const char *name,
                        struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_MAX(MAX_CONFIG);
    int r = ck_vfs_read(path, &text, NULL, err);
    if (r)
        return denied(x, ck_path_text(x->a, path), err);
    if (!ck_buf_ok(&text))
        return ck_fail(err, CK_LIMIT, "%s is larger than 4 MiB", ck_path_text(x->a, path));
    const char *to = ck_arena_printf(x->a, "etc/kubernetes/manifests/%s.manifest", name);
    return ck_fileset_add(x->a, x->out, to, ck_buf_slice(&text), err);
}

/* etcd's pods are named by location, MAIN-GROUP.yaml; the others by a path below the base. */
static int put_manifests(struct pull *x, struct ck_err *err)
{
    const struct ck_val *etcd = ck_get(x->config, "etcdManifests");
    const struct ck_val *fixed = ck_get(x->config, "staticManifests");
    struct ck_path path;
    int r = 0;
    for (size_t i = 0; i < ck_len(etcd) && !r; i++) {
        r = check_location(x, ck_str_or(ck_item(etcd, i), ""), &path, err);
        const char *base = r ? "" : ck_path_base(x->a, &path);
        size_t n = strlen(base) - (ck_str_ends(base, ".yaml") ? sizeof ".yaml" - 1 : 0);
        if (!r)
            r = put_manifest(x, &path, ck_arena_printf(x->a, "etcd-%.*s", (int)n, base), err);
    }
    for (size_t i = 0; i < ck_len(fixed) && !r; i++) {
        const struct ck_val *m = ck_item(fixed, i);
        r = ck_path_join(x->a, &x->base, ck_str_at(m, "path"), &path, err);
        if (!r)
            r = put_manifest(x, &path, ck_str_at(m, "key"), err);
    }
    return r;
}

int ck_node_pull_read(struct ck_arena *a, const struct ck_node_pull *p, struct ck_fileset *ret,
                      struct ck_err *err)
{
    struct pull x = {.a = a, .p = p, .role = role_of(p->role), .out = ret};
    *ret = (struct ck_fileset){0};
    if (!x.role)
        return ck_fail(err, CK_INVALID, "there is no role \"%s\"; the roles are %s", p->role,
                       ck_node_roles());
    int r = find_base(&x, err);
    if (!r)
        r = read_config(&x, err);
    if (!r)
        r = locate_stores(&x, err);
    if (!r)
        r = read_keysets(&x, err);
    if (!r)
        r = each_file(&x, put_row, err);
    if (!r)
        r = put_assets(&x, err);
    return r ? r : put_manifests(&x, err);
}

/* ---- what a role reads ---- */

static void note_name(struct ck_arena *a, struct ck_val *list, const char *name)
{
    for (size_t i = 0; i < ck_len(list); i++)
        if (ck_is_str(ck_item(list, i), name))
            return;
    ck_append_str(a, list, name);
}

static int note_read(struct pull *x, const struct file *f, const char *path, const char *source,
                     struct ck_err *err)
{
    if (f->what == KEY || f->what == LEAF)
        note_name(x->a, x->reads->keysets, source);
    else if (f->what == SECRET)
        note_name(x->a, x->reads->secrets, source);
    return 0;
}

int ck_node_reads(struct ck_arena *a, const char *role, const struct ck_val *spec,
                  struct ck_node_reads *ret, struct ck_err *err)
{
    struct pull x = {.a = a, .role = role_of(role), .config = ck_map(a), .reads = ret};
    const struct ck_val *clusters = ck_get(spec, "etcdClusters");
    struct ck_val *etcd = ck_list(a);
    if (!x.role)
        return ck_fail(err, CK_INVALID, "there is no role \"%s\"; the roles are %s", role,
                       ck_node_roles());
    for (size_t i = 0; i < ck_len(clusters); i++)
        ck_append_str(a, etcd, ck_str_at(ck_item(clusters, i), "name"));
    ck_set(a, x.config, "EtcdClusterNames", etcd);
    if (ck_bool_at(spec, "encryptionConfig", false))
        ck_put(a, x.config, "APIServerConfig.EncryptionConfigSecretHash", ck_str(a, "any"));
    *ret = (struct ck_node_reads){.folder = x.role->folder,
                                  .static_manifests = x.role->reads_keys,
                                  .etcd_manifests = x.role->reader == CK_KEYSET_CONTROL_PLANE,
                                  .keysets = ck_list(a),
                                  .secrets = ck_list(a)};
    return each_file(&x, note_read, err);
}
