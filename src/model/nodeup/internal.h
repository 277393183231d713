/* Node configurations while they are made: what is computed once per cluster and once per group.
 * Internal to nodeup and managedfiles.c. */
#pragma once

#include "model/assets.h"
#include "model/nodeup.h"
#include "store/keysneeded.h"

/* What a group's machines read. */
struct ck_node_files {
    struct ck_slice config; /* nodeupconfig.yaml */
    const char *hash;       /* of it: base64 of SHA-256 */
    const char *ca;         /* kubernetes-ca's bundle where it moved to the boot configuration */
};

struct ck_nodeup {
    struct ck_model *m;            /* whose arena outlives single configurations */
    const struct ck_val *internal; /* the cluster's spec as kOps' own types spell it */
    struct ck_keyset_need *needs;
    size_t n_needs;
    const struct ck_val *warm_images; /* worth pulling early; NULL: not looked for yet */
    struct ck_map groups;             /* name → struct ck_node_files */
};

/* What is known per cluster, made on first use and kept in m->nodeup. */
struct ck_nodeup *ck_nodeup_of(struct ck_model *m);
/* The files of one group, made on first use. */
int ck_nodeup_files(struct ck_model *m, const struct ck_object *group,
                    const struct ck_node_files **ret, struct ck_err *err);
/* Whether the machines read a configuration at all: bastions only with user data of their own. */
bool ck_nodeup_has_config(const struct ck_object *group);
/* "igconfig/ROLE/NAME" */
const char *ck_nodeup_folder(const struct ck_model *m, const struct ck_object *group);

/* ---- parts of the configuration ---- */
/* config_files.c: FileAssets, Hooks, SysctlParameters, VolumeMounts, packages. */
void ck_nodeup_put_files(struct ck_model *m, const struct ck_object *group, struct ck_val *config);
/* config_control.c: what API servers and control planes need. */
int ck_nodeup_put_control(struct ck_model *m, const struct ck_object *group, struct ck_val *config,
                          struct ck_err *err);
/* warm_pool.c: EnableLifecycleHook and warmPoolImages. */
int ck_nodeup_put_warm_pool(struct ck_model *m, const struct ck_object *group,
                            struct ck_val *config, struct ck_err *err);

/* Addresses of the API's balancer inside the cluster's network, as far as they are known. */
const struct ck_val *ck_nodeup_api_addresses(const struct ck_model *m);

/* ---- boot.c, script.c, mime.c ---- */
/* kube_env.yaml */
void ck_nodeup_boot_config(const struct ck_model *m, const struct ck_object *group,
                           const struct ck_node_files *files, struct ck_buf *out);
int ck_nodeup_script(struct ck_model *m, const struct ck_object *group, struct ck_buf *out,
                     struct ck_err *err);
/* Wrap the script (may be empty) and the group's own parts. */
int ck_nodeup_mime(const struct ck_object *group, struct ck_slice script, struct ck_buf *out,
                   struct ck_err *err);

/* ---- pods.c, etcd.c, discovery.c: documents ---- */
/* The variables components get: region, proxy, S3 endpoint; a list of {name, value}. */
struct ck_val *ck_nodeup_component_env(const struct ck_model *m);
/* "1.34.0+x" → "1.34.0-x": what tags may hold. */
const char *ck_nodeup_image_tag(const struct ck_model *m);
int ck_nodeup_channels_pod(struct ck_model *m, struct ck_buf *out, struct ck_err *err);
int ck_nodeup_healthcheck_pod(struct ck_model *m, struct ck_buf *out, struct ck_err *err);
/* INVALID when etcd-manager knows no cluster of this name. */
int ck_nodeup_etcd_check(const struct ck_val *etcd, struct ck_err *err);
int ck_nodeup_etcd_pod(struct ck_model *m, const struct ck_val *etcd, struct ck_buf *out,
                       struct ck_err *err);
void ck_nodeup_etcd_spec(const struct ck_model *m, const struct ck_val *etcd, struct ck_buf *out);
/* The location of an etcd cluster's backups. */
const char *ck_nodeup_backup_store(const struct ck_model *m, const struct ck_val *etcd);
int ck_nodeup_discovery(const struct ck_model *m, struct ck_buf *discovery, struct ck_buf *keys,
                        struct ck_err *err);
