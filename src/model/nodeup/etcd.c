/* The pod of etcd-manager, which runs a member of an etcd cluster, and what it is told about the
 * cluster. Mirrors kOps pkg/model/components/etcdmanager/model.go. */
#include "base/attr.h"
#include "base/strv.h"
#include "doc/json.h"
#include "doc/yaml.h"
#include "model/nodeup/internal.h"

#include <string.h>

static const char IMAGE[] = "registry.k8s.io/etcd-manager/etcd-manager-slim:v3.0.20260707";

static const struct ports {
    const char *etcd;
    int client, peer, grpc, quarantine;
} PORTS[] = {
    {"main", 4001, 2380, 3996, 3994},
    {"events", 4002, 2381, 3997, 3995},
    {"cilium", 4003, 2382, 3991, 3992},
    {"leases", 4004, 2383, 4006, 4005},
};

/* Versions of etcd that can run, so that a cluster can be restored or upgraded: all patches up to
 * the newest of each minor, which stands for all of them. */
static const struct {
    int minor, newest;
} VERSIONS[] = {{5, 31}, {6, 12}, {7, 0}};

static const struct ports *ports_of(const char *etcd)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(PORTS); i++)
        if (!strcmp(PORTS[i].etcd, etcd))
            return &PORTS[i];
    return NULL;
}

const char *ck_nodeup_backup_store(const struct ck_model *m, const struct ck_val *etcd)
{
    const char *given = ck_str_at(etcd, "backups.backupStore");
    return *given ? given
                  : ck_arena_printf(m->a, "%s/backups/etcd/%s", ck_str_at(m->spec, "configBase"),
                                    ck_str_at(etcd, "name"));
}

void ck_nodeup_etcd_spec(const struct ck_model *m, const struct ck_val *etcd, struct ck_buf *out)
{
    struct ck_val *v = ck_map(m->a);
    const char *version = ck_str_at(etcd, "version");
    ck_set_int(m->a, v, "memberCount", (int64_t)ck_len(ck_get(etcd, "etcdMembers")));
    ck_set_str(m->a, v, "etcdVersion", version[0] == 'v' ? version + 1 : version);
    ck_json_emit(out, v, (struct ck_json_style){.indent = 2});
}

/* ---- arguments ---- */

static void flag(struct ck_strv *flags, struct ck_arena *a, const char *name, const char *value)
{
    if (value && *value)
        ck_strv_push(flags, ck_arena_printf(a, "--%s=%s", name, value));
}

static struct ck_val *args_of(const struct ck_model *m, const struct ck_val *etcd,
                              const struct ports *p)
{
    static const char *const wrapper[] = {"--log-file=/var/log/etcd.log", "--also-stdout",
                                          "/ko-app/etcd-manager"};
    const char *name = ck_str_at(etcd, "name");
    const struct ck_val *manager = ck_get(etcd, "manager");
    bool cilium = !strcmp(name, "cilium");
    struct ck_arena *a = m->a;
    CK_AUTOSTRV f = {0};
    flag(&f, a, "backup-interval", ck_str_at(manager, "backupInterval"));
    flag(&f, a, "backup-store", ck_nodeup_backup_store(m, etcd));
    flag(&f, a, "client-urls",
         cilium ? ck_arena_printf(a, "https://%s:%d", ck_model_internal_api_name(m), p->client)
                : ck_arena_printf(a, "https://__name__:%d", p->client));
    flag(&f, a, "cluster-name",
         strcmp(name, "main") ? ck_arena_printf(a, "etcd-%s", name) : "etcd");
    flag(&f, a, "containerized", "true");
    flag(&f, a, "discovery-poll-interval", ck_str_at(manager, "discoveryPollInterval"));
    flag(&f, a, "dns-suffix", ck_arena_printf(a, ".internal.%s", m->name));
    flag(&f, a, "grpc-port", ck_arena_printf(a, "%d", p->grpc));
    flag(&f, a, "peer-urls", ck_arena_printf(a, "https://__name__:%d", p->peer));
    flag(&f, a, "quarantine-client-urls", ck_arena_printf(a, "https://__name__:%d", p->quarantine));
    flag(&f, a, "v", ck_arena_printf(a, "%d", (int)ck_int_at(manager, "logLevel", 6)));
    flag(&f, a, "volume-name-tag", ck_arena_printf(a, "k8s.io/etcd/%s", name));
    flag(&f, a, "volume-provider", m->cloud);
    flag(&f, a, "volume-tag", ck_arena_printf(a, "k8s.io/etcd/%s", name));
    flag(&f, a, "volume-tag", "k8s.io/role/control-plane=1");
    flag(&f, a, "volume-tag", ck_arena_printf(a, "kubernetes.io/cluster/%s=owned", m->name));
    ck_strv_sort(&f);
    struct ck_val *args = ck_list(a);
    for (size_t i = 0; i < CK_ARRAY_LEN(wrapper); i++)
        ck_append_str(a, args, wrapper[i]);
    for (size_t i = 0; i < f.n; i++)
        ck_append_str(a, args, f.v[i]);
    return args;
}

/* ---- environment ---- */

static void add_env(struct ck_arena *a, struct ck_val *list, const char *name, const char *value)
{
    struct ck_val *one = ck_map(a);
    ck_set_str(a, one, "name", name);
    if (*value)
        ck_set_str(a, one, "value", value);
    ck_append(a, list, one);
}

static void add_joined(struct ck_arena *a, struct ck_val *list, const char *name,
                       const struct ck_val *urls)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (size_t i = 0; i < ck_len(urls); i++)
        ck_buf_fmt(&b, "%s%s", i ? "," : "", ck_str_or(ck_item(urls, i), ""));
    if (ck_len(urls))
        add_env(a, list, name, ck_buf_str(&b));
}

static struct ck_val *env_of(const struct ck_model *m, const struct ck_val *etcd)
{
    const struct ck_val *manager = ck_get(etcd, "manager"), *more = ck_get(manager, "env");
    struct ck_val *env = ck_nodeup_component_env(m);
    if (ck_get(manager, "backupRetentionDays"))
        add_env(m->a, env, "ETCD_MANAGER_DAILY_BACKUPS_RETENTION",
                ck_arena_printf(m->a, "%dd", (int)ck_int_at(manager, "backupRetentionDays", 0)));
    add_joined(m->a, env, "ETCD_LISTEN_METRICS_URLS", ck_get(manager, "listenMetricsURLs"));
    add_joined(m->a, env, "ETCD_LISTEN_CLIENT_HTTP_URLS", ck_get(manager, "listenClientHTTPURLs"));
    for (size_t i = 0; i < ck_len(more); i++)
        add_env(m->a, env, ck_str_at(ck_item(more, i), "name"),
                ck_str_at(ck_item(more, i), "value"));
    return env;
}

/* ---- volumes ---- */

struct volumes {
    const struct ck_model *m;
    struct ck_val *volumes, *mounts;
};

static void mount(struct volumes *v, const char *name, const char *path)
{
    struct ck_val *one = ck_map(v->m->a);
    ck_set_str(v->m->a, one, "mountPath", path);
    ck_set_str(v->m->a, one, "name", name);
    ck_append(v->m->a, v->mounts, one);
}

static void host_path(struct volumes *v, const char *name, const char *path, const char *type,
                      const char *at)
{
    struct ck_val *one = ck_map(v->m->a);
    ck_put(v->m->a, one, "hostPath.path", ck_str(v->m->a, path));
    ck_put(v->m->a, one, "hostPath.type", ck_str(v->m->a, type));
    ck_set_str(v->m->a, one, "name", name);
    ck_append(v->m->a, v->volumes, one);
    mount(v, name, at);
}

/* etcd's own image as a volume, mounted where each of its patches is looked for. */
static void etcd_versions(struct volumes *v, size_t i)
{
    struct ck_arena *a = v->m->a;
    int minor = VERSIONS[i].minor, newest = VERSIONS[i].newest;
    const char *name = ck_arena_printf(a, "etcd-v3-%d-%d", minor, newest);
    struct ck_val *one = ck_map(a);
    ck_put(a, one, "image.pullPolicy", ck_str(a, "IfNotPresent"));
    ck_put(a, one, "image.reference",
           ck_str(a, ck_model_image(v->m, ck_arena_printf(a, "registry.k8s.io/etcd:v3.%d.%d", minor,
                                                          newest))));
    ck_set_str(a, one, "name", name);
    ck_append(a, v->volumes, one);
    for (int patch = 0; patch <= newest; patch++)
        mount(v, name, ck_arena_printf(a, "/opt/etcd-v3.%d.%d", minor, patch));
}

static void put_volumes(const struct ck_model *m, const char *etcd, struct ck_val *pod_spec,
                        struct ck_val *container)
{
    struct volumes v = {m, ck_list(m->a), ck_list(m->a)};
    const char *suffix = strcmp(etcd, "main") ? ck_arena_printf(m->a, "-%s", etcd) : "";
    host_path(&v, "rootfs", "/", "Directory", "/rootfs");
    host_path(&v, "run", "/run", "DirectoryOrCreate", "/run");
    host_path(&v, "pki", ck_arena_printf(m->a, "/etc/kubernetes/pki/etcd-manager-%s", etcd),
              "DirectoryOrCreate", "/etc/kubernetes/pki/etcd-manager");
    for (size_t i = 0; i < CK_ARRAY_LEN(VERSIONS); i++)
        etcd_versions(&v, i);
    host_path(&v, "varlogetcd", ck_arena_printf(m->a, "/var/log/etcd%s.log", suffix),
              "FileOrCreate", "/var/log/etcd.log");
    ck_set(m->a, container, "volumeMounts", v.mounts);
    ck_set(m->a, pod_spec, "volumes", v.volumes);
}

/* ---- the pod ---- */

static struct ck_val *container_of(struct ck_model *m, const struct ck_val *etcd,
                                   const struct ports *p)
{
    const char *cpu = ck_str_at(etcd, "cpuRequest"), *memory = ck_str_at(etcd, "memoryRequest");
    const char *image = ck_str_at(etcd, "manager.image");
    struct ck_arena *a = m->a;
    struct ck_val *c = ck_map(a), *command = ck_list(a);
    ck_append_str(a, command, "/go-runner");
    ck_set(a, c, "args", args_of(m, etcd, p));
    ck_set(a, c, "command", command);
    ck_set(a, c, "env", env_of(m, etcd));
    ck_set_str(a, c, "image", ck_model_image(m, *image ? image : IMAGE));
    ck_set_str(a, c, "name", "etcd-manager");
    ck_put(a, c, "resources.requests.cpu", ck_str(a, *cpu ? cpu : "200m"));
    ck_put(a, c, "resources.requests.memory", ck_str(a, *memory ? memory : "100Mi"));
    ck_put(a, c, "securityContext.privileged", ck_bool(a, true));
    return c;
}

int ck_nodeup_etcd_check(const struct ck_val *etcd, struct ck_err *err)
{
    const char *name = ck_str_at(etcd, "name");
    if (ports_of(name))
        return 0;
    return ck_fail(err, CK_INVALID,
                   "spec.etcdClusters: there is no etcd cluster \"%s\" (known are main, events, "
                   "cilium, leases)",
                   name);
}

int ck_nodeup_etcd_pod(struct ck_model *m, const struct ck_val *etcd, struct ck_buf *out,
                       struct ck_err *err)
{
    const char *name = ck_str_at(etcd, "name");
    const char *pod_name = ck_arena_printf(m->a, "etcd-manager-%s", name);
    const struct ports *p = ports_of(name);
    struct ck_arena *a = m->a;
    if (!p)
        return ck_nodeup_etcd_check(etcd, err);
    struct ck_val *pod = ck_map(a), *spec = ck_ensure_map(a, pod, "spec"), *list = ck_list(a);
    struct ck_val *toleration = ck_map(a), *tolerations = ck_list(a);
    struct ck_val *container = container_of(m, etcd, p);
    ck_set_str(a, pod, "apiVersion", "v1");
    ck_set_str(a, pod, "kind", "Pod");
    ck_put(a, pod, "metadata.labels.k8s-app", ck_str(a, pod_name));
    ck_put(a, pod, "metadata.name", ck_str(a, pod_name));
    ck_put(a, pod, "metadata.namespace", ck_str(a, "kube-system"));
    ck_append(a, list, container);
    ck_set(a, spec, "containers", list);
    ck_set_bool(a, spec, "hostNetwork", true);
    ck_set_bool(a, spec, "hostPID", true);
    ck_set_str(a, spec, "priorityClassName", "system-cluster-critical");
    ck_set_str(a, toleration, "key", "CriticalAddonsOnly");
    ck_set_str(a, toleration, "operator", "Exists");
    ck_append(a, tolerations, toleration);
    ck_set(a, spec, "tolerations", tolerations);
    put_volumes(m, name, spec, container);
    ck_set(a, pod, "status", ck_map(a));
    ck_yaml_emit(out, pod);
    return 0;
}
