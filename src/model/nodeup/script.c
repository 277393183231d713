/* The script a machine runs when it boots for the first time: it fetches the node program, checks
 * it, and starts it with the boot configuration. What the program does is not here. Mirrors kOps
 * pkg/model/resources/nodeup.go and pkg/model/bootstrapscript.go; the wording is our own. */
#include "base/attr.h"
#include "base/enc.h"
#include "base/gzip.h"
#include "model/nodeup/internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char HEAD[] = "#!/bin/bash\n"
                           "set -o errexit\n"
                           "set -o nounset\n"
                           "set -o pipefail\n"
                           "\n";

/* Windows of TCP for machines that talk over long distances. */
static const char TUNING[] = "sysctl -w net.core.rmem_max=16777216 || true\n"
                             "sysctl -w net.core.wmem_max=16777216 || true\n"
                             "sysctl -w net.ipv4.tcp_rmem='4096 87380 16777216' || true\n"
                             "sysctl -w net.ipv4.tcp_wmem='4096 87380 16777216' || true\n"
                             "\n";

static const char FUNCTIONS[] =
    "# The folder everything goes into. Systems whose /opt cannot be written or executed have a\n"
    "# toolbox folder instead.\n"
    "function ensure-install-dir() {\n"
    "  if [[ -d /var/lib/toolbox ]]; then\n"
    "    INSTALL_DIR=\"/var/lib/toolbox/kops\"\n"
    "  else\n"
    "    INSTALL_DIR=\"/opt/kops\"\n"
    "  fi\n"
    "  mkdir -p \"${INSTALL_DIR}/bin\" \"${INSTALL_DIR}/conf\"\n"
    "  cd \"${INSTALL_DIR}\"\n"
    "}\n"
    "\n"
    "# validate-hash FILE SHA256\n"
    "function validate-hash() {\n"
    "  local sum\n"
    "  sum=$(sha256sum \"$1\" | cut -d ' ' -f 1) || sum=\"\"\n"
    "  if [[ \"${sum}\" != \"$2\" ]]; then\n"
    "    echo \"$1 has the SHA-256 '${sum}', expected '$2'\"\n"
    "    return 1\n"
    "  fi\n"
    "}\n"
    "\n"
    "# download-or-bust FILE SHA256 URLS: tries every URL, over and over, until FILE is there. "
    "What\n"
    "# is fetched is compressed; the hash is that of the unpacked file.\n"
    "function download-or-bust() {\n"
    "  local -r file=\"$1\" hash=\"$2\"\n"
    "  local -a urls\n"
    "  local url\n"
    "  IFS=, read -r -a urls <<< \"$3\"\n"
    "  if [[ -f \"${file}\" ]] && validate-hash \"${file}\" \"${hash}\"; then\n"
    "    return 0\n"
    "  fi\n"
    "  while true; do\n"
    "    for url in \"${urls[@]}\"; do\n"
    "      rm -f \"${file}\" \"${file}.xz\"\n"
    "      echo \"fetching ${url}.xz\"\n"
    "      if curl -f -L -o \"${file}.xz\" --connect-timeout 20 --retry 6 --retry-delay 10 "
    "\"${url}.xz\" \\\n"
    "          && xz -d \"${file}.xz\" && validate-hash \"${file}\" \"${hash}\"; then\n"
    "        return 0\n"
    "      fi\n"
    "      echo \"${url}.xz cannot be used\"\n"
    "    done\n"
    "    echo \"no source has a good ${file}; next try in a minute\"\n"
    "    sleep 60\n"
    "  done\n"
    "}\n"
    "\n"
    "function download-release() {\n"
    "  local nodeup_url nodeup_hash\n"
    "  case \"$(uname -m)\" in\n"
    "  x86_64* | amd64*)\n"
    "    nodeup_url=\"${NODEUP_URL_AMD64}\"\n"
    "    nodeup_hash=\"${NODEUP_HASH_AMD64}\"\n"
    "    ;;\n"
    "  aarch64* | arm64*)\n"
    "    nodeup_url=\"${NODEUP_URL_ARM64}\"\n"
    "    nodeup_hash=\"${NODEUP_HASH_ARM64}\"\n"
    "    ;;\n"
    "  *)\n"
    "    echo \"no release for the architecture $(uname -m)\" >&2\n"
    "    exit 1\n"
    "    ;;\n"
    "  esac\n"
    "  cd \"${INSTALL_DIR}/bin\"\n"
    "  download-or-bust nodeup \"${nodeup_hash}\" \"${nodeup_url}\"\n"
    "  chmod +x nodeup\n"
    "  ./nodeup --install-systemd-unit --conf=\"${INSTALL_DIR}/conf/kube_env.yaml\" --v=8\n"
    "}\n"
    "\n"
    "/bin/systemd-machine-id-setup || echo \"the machine id could not be set; it must exist\"\n"
    "\n"
    "echo \"configuring this node\"\n"
    "ensure-install-dir\n"
    "\n";

static const char TAIL[] = "\n"
                           "download-release\n"
                           "echo \"this node is configured\"\n";

/* ---- values ---- */

static bool is_plain(const char *s)
{
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && !strchr("_-./:,@%+=", *s))
            return false;
    return true;
}

/* A value as a shell reads it back. */
static void put_value(struct ck_buf *out, const char *s)
{
    if (*s && is_plain(s)) {
        ck_buf_puts(out, s);
        return;
    }
    ck_buf_putc(out, '\'');
    for (; *s; s++) {
        if (*s == '\'')
            ck_buf_puts(out, "'\\''");
        else
            ck_buf_putc(out, *s);
    }
    ck_buf_putc(out, '\'');
}

static void put_nodeup(const struct ck_model *m, struct ck_buf *out)
{
    static const char *const archs[][2] = {{"amd64", "AMD64"}, {"arm64", "ARM64"}};
    for (size_t i = 0; i < CK_ARRAY_LEN(archs); i++) {
        const struct ck_asset *f = ck_assets_get(m->assets, CK_ASSET_NODEUP, archs[i][0], 0);
        CK_AUTOBUF struct ck_buf urls = CK_BUF_INIT;
        for (size_t k = 0; f && k < ck_len(f->locations); k++)
            ck_buf_fmt(&urls, "%s%s", k ? "," : "", ck_str_or(ck_item(f->locations, k), ""));
        ck_buf_fmt(out, "NODEUP_URL_%s=", archs[i][1]);
        put_value(out, ck_buf_str(&urls));
        ck_buf_fmt(out, "\nNODEUP_HASH_%s=%s\n", archs[i][1], f ? f->sha256 : "");
    }
    ck_buf_putc(out, '\n');
}

/* Sorted by name. Control planes reach a store that is not Amazon's by what the caller's
 * environment says. */
static void put_environment(const struct ck_model *m, const struct ck_object *group,
                            struct ck_buf *out)
{
    static const char *const s3[] = {"S3_ACCESS_KEY_ID", "S3_ENDPOINT", "S3_REGION",
                                     "S3_SECRET_ACCESS_KEY"};
    bool own_s3 =
        ck_model_role(group) == CK_ROLE_CONTROL_PLANE && ck_env_nonempty(m->env, "S3_ENDPOINT");
    if (!strcmp(m->cloud, "aws") && *m->region) {
        ck_buf_puts(out, "export AWS_REGION=");
        put_value(out, m->region);
        ck_buf_putc(out, '\n');
    }
    for (size_t i = 0; own_s3 && i < CK_ARRAY_LEN(s3); i++) {
        const char *value = ck_env_get(m->env, s3[i]);
        ck_buf_fmt(out, "export %s=", s3[i]);
        put_value(out, value ? value : "");
        ck_buf_putc(out, '\n');
    }
    ck_buf_putc(out, '\n');
}

/* For shells, package managers and services. */
static void put_proxy(const struct ck_model *m, struct ck_buf *out)
{
    const struct ck_val *proxy = ck_get(m->spec, "egressProxy");
    const char *host = ck_str_at(proxy, "httpProxy.host"), *none = ck_str_at(proxy, "excludes");
    int64_t port = ck_int_at(proxy, "httpProxy.port", 0);
    CK_AUTOBUF struct ck_buf url = CK_BUF_INIT;
    if (!*host)
        return;
    ck_buf_fmt(&url, "%s%s", ck_str_starts(host, "http://") ? "" : "http://", host);
    if (port)
        ck_buf_fmt(&url, ":%d", (int)port);
    const char *u = ck_buf_str(&url);
    ck_buf_fmt(out,
               "{\n  echo \"http_proxy=%s\"\n  echo \"https_proxy=%s\"\n"
               "  echo \"no_proxy=%s\"\n  echo \"NO_PROXY=%s\"\n} >> /etc/environment\n",
               u, u, none, none);
    ck_buf_puts(out, "while read -r line; do export \"${line?}\"; done < /etc/environment\n");
    ck_buf_fmt(out,
               "case $(cat /proc/version) in\n*[Dd]ebian* | *[Uu]buntu*)\n"
               "  echo 'Acquire::http::Proxy \"%s\";' > /etc/apt/apt.conf.d/30proxy\n  ;;\n"
               "*[Rr]ed[Hh]at*)\n  echo 'proxy=%s' >> /etc/yum.conf\n  ;;\nesac\n",
               u, u);
    ck_buf_fmt(out,
               "echo 'DefaultEnvironment=\"http_proxy=%s\" \"https_proxy=%s\" \"NO_PROXY=%s\" "
               "\"no_proxy=%s\"' >> /etc/systemd/system.conf\n"
               "systemctl daemon-reload\nsystemctl daemon-reexec\n\n",
               u, u, none, none);
}

static void put_boot_config(struct ck_slice config, bool compressed, struct ck_buf *out)
{
    CK_AUTOBUF struct ck_buf zipped = CK_BUF_INIT;
    if (!compressed) {
        ck_buf_puts(out, "cat > conf/kube_env.yaml << '__EOF_KUBE_ENV'\n");
        ck_buf_put(out, config);
        ck_buf_puts(out, "\n__EOF_KUBE_ENV\n");
        return;
    }
    ck_gzip(&zipped, config);
    ck_buf_puts(out, "echo \"");
    ck_base64_encode(out, zipped.ptr, zipped.len);
    ck_buf_puts(out, "\" | base64 -d | gzip -d > conf/kube_env.yaml\n");
}

int ck_nodeup_script(struct ck_model *m, const struct ck_object *group, struct ck_buf *out,
                     struct ck_err *err)
{
    const struct ck_node_files *files;
    CK_AUTOBUF struct ck_buf config = CK_BUF_INIT;
    int r = ck_nodeup_files(m, group, &files, err);
    if (r)
        return r;
    CK_AUTOARENA struct ck_arena *scratch = ck_arena_new();
    struct ck_model with_scratch = *m;
    with_scratch.a = scratch;
    ck_nodeup_boot_config(&with_scratch, group, files, &config);
    ck_buf_puts(out, HEAD);
    put_nodeup(m, out);
    put_environment(m, group, out);
    put_proxy(m, out);
    ck_buf_puts(out, TUNING);
    ck_buf_puts(out, FUNCTIONS);
    put_boot_config(ck_buf_slice(&config),
                    ck_bool_at(ck_object_spec(group), "compressUserData", false), out);
    ck_buf_puts(out, TAIL);
    return 0;
}

int ck_model_user_data(struct ck_model *m, const struct ck_object *group, struct ck_buf *out,
                       struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf script = CK_BUF_INIT;
    if (!ck_nodeup_has_config(group))
        return 0;
    int r = 0;
    if (ck_model_role(group) != CK_ROLE_BASTION)
        r = ck_nodeup_script(m, group, &script, err);
    return r ? r : ck_nodeup_mime(group, ck_buf_slice(&script), out, err);
}
