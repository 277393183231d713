/* Every command row, one per file of this folder; the tree is put together in root.c and the group
 * files (get.c, create.c, …). */
#pragma once

#include "cmd/cmd.h"

extern const struct ck_cmd ck_cmd_version, ck_cmd_completion, ck_cmd_complete,
    ck_cmd_complete_nodesc, ck_cmd_help, ck_cmd_gen_docs;
extern const struct ck_cmd ck_cmd_get, ck_cmd_get_all, ck_cmd_get_clusters,
    ck_cmd_get_instancegroups, ck_cmd_get_sshpublickeys, ck_cmd_get_addons, ck_cmd_get_assets;
extern const struct ck_cmd ck_cmd_create_cluster;
extern const struct ck_cmd ck_cmd_create, ck_cmd_create_sshpublickey, ck_cmd_create_instancegroup;
extern const struct ck_cmd ck_cmd_create_secret, ck_cmd_create_secret_sshpublickey,
    ck_cmd_create_keypair;
extern const struct ck_cmd ck_cmd_get_keypairs, ck_cmd_get_secrets, ck_cmd_delete_secret;
extern const struct ck_cmd ck_cmd_promote, ck_cmd_distrust, ck_cmd_trust;
extern const struct ck_cmd ck_cmd_export, ck_cmd_helpers, ck_cmd_node, ck_cmd_store, ck_cmd_secrets;
extern const struct ck_cmd ck_cmd_replace, ck_cmd_plan, ck_cmd_update, ck_cmd_upgrade;
extern const struct ck_cmd ck_cmd_validate, ck_cmd_validate_cluster;
extern const struct ck_cmd ck_cmd_toolbox, ck_cmd_toolbox_addons, ck_cmd_toolbox_clusterapi,
    ck_cmd_toolbox_dump, ck_cmd_toolbox_enroll, ck_cmd_toolbox_template,
    ck_cmd_toolbox_instance_selector;
extern const struct ck_cmd ck_cmd_get_instances, ck_cmd_delete_instance;
extern const struct ck_cmd ck_cmd_rolling_update, ck_cmd_reconcile;
extern const struct ck_cmd ck_cmd_edit, ck_cmd_edit_cluster, ck_cmd_edit_instancegroup;
extern const struct ck_cmd ck_cmd_delete, ck_cmd_delete_cluster, ck_cmd_delete_instancegroup,
    ck_cmd_delete_sshpublickey;
