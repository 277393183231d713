/* Inside of model/addons: a row of the add-on table, the context one manifest is made in, and the
 * steps that make it: values, render, expand, finish.
 *
 * A template is one YAML list of objects in a short form. Text rules, on the parsed tree:
 *   <name>, <name|default>   a value; alone in a scalar it keeps its type, absent drops the entry
 *   <*name>                  in a list: the items of a list value
 *   ?cond? text              the scalar only when the condition holds
 *   $if: cond                in a map: the map only when the condition holds
 *   $each: name              in a map that is a list's item: once per item of the list, as <item.x>
 * A name is a path into the values of the add-on, or begins with "spec." and is a path into the
 * completed cluster. A condition is terms joined by " & ": name, !name, name=text, name!=text, and
 * any of them may be alternatives joined by "|". A map or list that loses all it had is dropped. */
#pragma once

#include "base/err.h"
#include "model/model.h"

struct ck_addon_ctx;

/* One add-on. Conditions as in templates; NULL means "always" for `when` and `filled`, "never" for
 * `prune` and `pki`. */
struct ck_addon_row {
    const char *name, *id; /* id NULL: none */
    const char *file;      /* without ".yaml"; NULL: the id */
    const char *manifest;  /* name of the template; NULL: objects come from the store */
    const char *when;      /* listed */
    const char *filled;    /* else the manifest is empty, which removes the objects */
    const char *selector;  /* "label=value"; NULL: k8s-addon=NAME; "": none */
    const char *rolling;   /* needsRollingUpdate */
    const char *prune, *pki;
    /* Values only this add-on needs; may be NULL. */
    void (*values)(struct ck_addon_ctx *c);
};

extern const struct ck_addon_row ck_addon_rows[];
extern const size_t ck_addon_n_rows;

struct ck_addon_ctx {
    const struct ck_model *m;
    struct ck_arena *a;
    const struct ck_addon_row *row;
    struct ck_val *vals;
    const struct ck_val *snippets; /* of manifests/common.yaml */
};

/* Templates, embedded by tools/gen_manifests.py. */
struct ck_addon_file {
    const char *name, *text;
    size_t len;
};
extern const struct ck_addon_file ck_addon_files[];
extern const size_t ck_addon_n_files;

/* What every add-on may use. */
void ck_addon_values(struct ck_addon_ctx *c);
/* Values of single add-ons (values_*.c). */
void ck_addon_values_coredns(struct ck_addon_ctx *c);
void ck_addon_values_kops_controller(struct ck_addon_ctx *c);
void ck_addon_values_dns_controller(struct ck_addon_ctx *c);
void ck_addon_values_autoscaler(struct ck_addon_ctx *c);
void ck_addon_values_cloud_controller(struct ck_addon_ctx *c);
void ck_addon_values_pod_identity(struct ck_addon_ctx *c);
void ck_addon_values_authenticator(struct ck_addon_ctx *c);
void ck_addon_values_karpenter(struct ck_addon_ctx *c);
void ck_addon_values_certmanager(struct ck_addon_ctx *c);
void ck_addon_values_cilium(struct ck_addon_ctx *c);
void ck_addon_values_calico(struct ck_addon_ctx *c);
void ck_addon_values_flannel(struct ck_addon_ctx *c);
void ck_addon_values_kindnet(struct ck_addon_ctx *c);
void ck_addon_values_amazonvpc(struct ck_addon_ctx *c);
void ck_addon_values_kuberouter(struct ck_addon_ctx *c);
void ck_addon_values_nodelocaldns(struct ck_addon_ctx *c);

/* Truth of a condition. INTERNAL when it names something unknown. */
int ck_addon_cond(struct ck_addon_ctx *c, const char *cond, bool *ret, struct ck_err *err);
/* A template's tree with values put in; *ret is NULL when nothing is left of it. */
int ck_addon_render(struct ck_addon_ctx *c, const struct ck_val *tpl, struct ck_val **ret,
                    struct ck_err *err);
/* One object of the short form as Kubernetes reads it. */
int ck_addon_expand(struct ck_arena *a, const struct ck_val *brief, struct ck_val **ret,
                    struct ck_err *err);
/* Labels, image names and service-account roles of one object. */
void ck_addon_finish(struct ck_addon_ctx *c, struct ck_val *object);
/* The selector of a row as a map; NULL when it has none. */
struct ck_val *ck_addon_selector(struct ck_arena *a, const struct ck_addon_row *row);
/* `prune` of the channel's entry. */
struct ck_val *ck_addon_prune(struct ck_addon_ctx *c, const struct ck_val *objects);
/* "arn:…:role/…" of a service account's own role; NULL when it has none. */
const char *ck_addon_role_arn(struct ck_addon_ctx *c, const char *ns, const char *account);
