/* Static pods of control planes: the program that applies add-ons, and the health check of the API
 * server. Mirrors kOps pkg/model/components/channels and .../kubeapiserver. */
#include "base/attr.h"
#include "doc/yaml.h"
#include "model/nodeup/internal.h"

#include <string.h>

const char *ck_nodeup_image_tag(const struct ck_model *m)
{
    char *tag = ck_arena_strdup(m->a, m->kops_version);
    for (char *p = tag; *p; p++)
        if (*p == '+')
            *p = '-';
    return tag;
}

static void add_env(const struct ck_model *m, struct ck_val *list, const char *name,
                    const char *value)
{
    struct ck_val *one = ck_map(m->a);
    ck_set_str(m->a, one, "name", name);
    if (*value)
        ck_set_str(m->a, one, "value", value);
    ck_append(m->a, list, one);
}

struct ck_val *ck_nodeup_component_env(const struct ck_model *m)
{
    static const char *const s3[] = {"S3_ACCESS_KEY_ID", "S3_ENDPOINT", "S3_REGION",
                                     "S3_SECRET_ACCESS_KEY"};
    const struct ck_val *proxy = ck_get(m->spec, "egressProxy");
    const char *host = ck_str_at(proxy, "httpProxy.host"), *none = ck_str_at(proxy, "excludes");
    int64_t port = ck_int_at(proxy, "httpProxy.port", 0);
    struct ck_val *list = ck_list(m->a);
    if (!strcmp(m->cloud, "aws") && *m->region)
        add_env(m, list, "AWS_REGION", m->region);
    if (*host)
        add_env(m, list, "NO_PROXY", none);
    for (size_t i = 0; i < CK_ARRAY_LEN(s3); i++) {
        const char *value = ck_env_nonempty(m->env, s3[i]);
        if (value)
            add_env(m, list, s3[i], value);
    }
    if (*host) {
        const char *url = port ? ck_arena_printf(m->a, "http://%s:%d", host, (int)port)
                               : ck_arena_printf(m->a, "http://%s", host);
        add_env(m, list, "http_proxy", url);
        add_env(m, list, "https_proxy", url);
        add_env(m, list, "no_proxy", none);
    }
    return list;
}

/* ---- channels ---- */

static const char CHANNELS[] =
    "apiVersion: v1\n"
    "kind: Pod\n"
    "metadata:\n"
    "  labels: {k8s-app: kops-channels}\n"
    "  name: kops-channels\n"
    "  namespace: kube-system\n"
    "spec:\n"
    "  containers:\n"
    "  - args: [apply, channel, --v=4, '--yes', --interval=1m0s,\n"
    "      '--node-labels=node-role.kubernetes.io/control-plane', --node-name=$(NODE_NAME)]\n"
    "    env:\n"
    "    - {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}\n"
    "    - {name: KUBECONFIG, value: /var/lib/kops/kubeconfig}\n"
    "    - {name: HOME, value: /tmp}\n"
    "    name: kops-channels\n"
    "    readinessProbe:\n"
    "      failureThreshold: 2\n"
    "      httpGet: {host: 127.0.0.1, path: /readyz, port: 3986}\n"
    "      initialDelaySeconds: 30\n"
    "      periodSeconds: 10\n"
    "    resources: {requests: {cpu: 50m, memory: 50Mi}}\n"
    "    securityContext: {runAsNonRoot: true, runAsUser: 10013}\n"
    "    volumeMounts:\n"
    "    - {mountPath: /var/lib/kops/kubeconfig, name: kubeconfig, readOnly: true}\n"
    "  dnsPolicy: Default\n"
    "  hostNetwork: true\n"
    "  priorityClassName: system-node-critical\n"
    "  tolerations:\n"
    "  - {key: CriticalAddonsOnly, operator: Exists}\n"
    "  volumes:\n"
    "  - {hostPath: {path: /var/lib/kops/kubeconfig, type: File}, name: kubeconfig}\n"
    "status: {}\n";

static const char HEALTHCHECK[] =
    "apiVersion: v1\n"
    "kind: Pod\n"
    "metadata: {}\n"
    "spec:\n"
    "  containers:\n"
    "  - args:\n"
    "    - --ca-cert=/secrets/ca.crt\n"
    "    - --client-cert=/secrets/client.crt\n"
    "    - --client-key=/secrets/client.key\n"
    "    livenessProbe:\n"
    "      httpGet:\n"
    "        host: 127.0.0.1\n"
    "        path: /.kube-apiserver-healthcheck/healthz\n"
    "        port: 3990\n"
    "      initialDelaySeconds: 5\n"
    "      timeoutSeconds: 5\n"
    "    name: healthcheck\n"
    "    resources: {}\n"
    "    securityContext: {runAsNonRoot: true, runAsUser: 10012}\n"
    "    volumeMounts:\n"
    "    - {mountPath: /secrets, name: healthcheck-secrets, readOnly: true}\n"
    "  volumes:\n"
    "  - hostPath: {path: /etc/kubernetes/kube-apiserver-healthcheck/secrets, type: Directory}\n"
    "    name: healthcheck-secrets\n"
    "status: {}\n";

/* A pod as written above, and its container. INTERNAL for a mistake in the text. */
static int pod_of(const struct ck_model *m, const char *text, struct ck_val **ret,
                  struct ck_val **ret_container, struct ck_err *err)
{
    if (ck_yaml_parse(m->a, ck_slice_of(text), NULL, ret, NULL, err))
        return ck_fail(err, CK_INTERNAL, "a built-in pod cannot be read");
    *ret_container = ck_item(ck_at(*ret, "spec.containers"), 0);
    return 0;
}

static const char *own_image(const struct ck_model *m, const char *name)
{
    return ck_model_image(
        m, ck_arena_printf(m->a, "registry.k8s.io/kops/%s:%s", name, ck_nodeup_image_tag(m)));
}

int ck_nodeup_channels_pod(struct ck_model *m, struct ck_buf *out, struct ck_err *err)
{
    struct ck_val *c = NULL, *pod = NULL;
    int r = pod_of(m, CHANNELS, &pod, &c, err);
    if (r)
        return r;
    struct ck_val *args = ck_get(c, "args"), *env = ck_get(c, "env");
    const struct ck_val *more = ck_get(m->spec, "addons"), *common = ck_nodeup_component_env(m);
    ck_append(m->a, args,
              ck_strf(m->a, "%s/addons/bootstrap-channel.yaml", ck_str_at(m->spec, "configBase")));
    for (size_t i = 0; i < ck_len(more); i++)
        ck_append_str(m->a, args, ck_str_at(ck_item(more, i), "manifest"));
    for (size_t i = 0; i < ck_len(common); i++)
        ck_append(m->a, env, ck_item(common, i));
    ck_set_str(m->a, c, "image", own_image(m, "channels"));
    ck_yaml_emit(out, pod);
    return 0;
}

int ck_nodeup_healthcheck_pod(struct ck_model *m, struct ck_buf *out, struct ck_err *err)
{
    struct ck_val *c = NULL, *pod = NULL;
    int r = pod_of(m, HEALTHCHECK, &pod, &c, err);
    if (r)
        return r;
    ck_set_str(m->a, c, "image", own_image(m, "kube-apiserver-healthcheck"));
    ck_yaml_emit(out, pod);
    return 0;
}
