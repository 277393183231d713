/* Inside of the completion of specs: its state and the notation of defaults. Not for use outside
 * this folder. */
#pragma once

#include "spec/kubeversion.h"
#include "spec/populate.h"

struct ck_pop {
    struct ck_arena *a;
    const struct ck_populate_facts *f;
    struct ck_object *o;
    struct ck_val *spec;
    const char *name, *cloud, *version; /* version without "v" */
    struct ck_semver ver;
    bool ipv6, none_dns;
};

/* A default: path below some map, and the value. */
struct ck_dflt {
    const char *path;
    enum ck_kind kind; /* CK_STR, CK_INT or CK_BOOL */
    const char *s;
    int64_t i;
};
#define CK_DS(p, v)                                                                                \
    {                                                                                              \
        .path = (p), .kind = CK_STR, .s = (v)                                                      \
    }
#define CK_DI(p, v)                                                                                \
    {                                                                                              \
        .path = (p), .kind = CK_INT, .i = (v)                                                      \
    }
#define CK_DB(p, v)                                                                                \
    {                                                                                              \
        .path = (p), .kind = CK_BOOL, .i = (v)                                                     \
    }

/* Set those that are not set; `always` sets all. */
void ck_pop_defaults(struct ck_pop *p, struct ck_val *map, const struct ck_dflt *d, size_t n);
void ck_pop_always(struct ck_pop *p, struct ck_val *map, const struct ck_dflt *d, size_t n);
void ck_pop_str(struct ck_pop *p, struct ck_val *map, const char *path,
                const char *s); /* if unset */
void ck_pop_int(struct ck_pop *p, struct ck_val *map, const char *path, int64_t i);
void ck_pop_bool(struct ck_pop *p, struct ck_val *map, const char *path, bool b);
bool ck_pop_is(const struct ck_pop *p, const char *cloud);
bool ck_pop_has(const struct ck_pop *p, const char *path);         /* present and not null */
const char *ck_pop_spec(const struct ck_pop *p, const char *path); /* "" when absent */
struct ck_val *ck_pop_list(struct ck_pop *p, const char *const *items, size_t n);
/* Image name as the assets settings and digests want it (kOps' RemapImage). */
const char *ck_pop_image(struct ck_pop *p, const char *image);
/* "registry.k8s.io/NAME:vVERSION" through ck_pop_image. */
const char *ck_pop_component_image(struct ck_pop *p, const char *name);
void ck_pop_skip(struct ck_pop *p, const char *fmt, ...) CK_PRINTF(2, 3);
/* Lay src over dest: maps merge by key, everything else is replaced (kOps' JSONMergeStruct). */
void ck_pop_merge(struct ck_arena *a, struct ck_val *dest, const struct ck_val *src);
/* GCE resource name of the cluster: dots become dashes. */
const char *ck_pop_gce_name(struct ck_pop *p);

/* ---- builders, in kOps' order of effect ---- */
int ck_pop_etcd(struct ck_pop *p, struct ck_err *err);       /* etcd.c */
int ck_pop_api_access(struct ck_pop *p, struct ck_err *err); /* access.c: api, DNS */
int ck_pop_dns_zone(struct ck_pop *p, struct ck_err *err);
int ck_pop_api_server(struct ck_pop *p, struct ck_err *err); /* control_plane.c */
int ck_pop_controller_manager(struct ck_pop *p, struct ck_err *err);
void ck_pop_scheduler(struct ck_pop *p);
void ck_pop_proxy(struct ck_pop *p);
void ck_pop_discovery(struct ck_pop *p);
void ck_pop_containerd(struct ck_pop *p); /* node.c */
void ck_pop_kubedns(struct ck_pop *p);
void ck_pop_kubelets(struct ck_pop *p);
int ck_pop_network(struct ck_pop *p, struct ck_err *err); /* network.c */
void ck_pop_cloud(struct ck_pop *p);                      /* cloud.c */
void ck_pop_addons(struct ck_pop *p);                     /* addon.c */
