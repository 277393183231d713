/* OpenStack Swift: swift://container/key.
 *
 * Shared between the files of the driver: swift.c (objects), client.c (sign-in, requests, errors),
 * write.c (conditional writes), lock.c (locks), list.c (listings), delete.c (trees). Mirrors kOps'
 * util/pkg/vfs/swiftfs.go; where it differs docs/differences.md says why. */
#pragma once

#include "auth/openstack/openstack.h"
#include "net/http.h"
#include "vfs/lease.h"
#include "vfs/object/listing.h"
#include "vfs/object/marks.h"
#include "vfs/object/refusal.h"
#include "vfs/scheme.h"
#include "vfs/vfs.h"

struct ck_swift {
    struct ck_vfs base; /* container */
    struct ck_os *os;
    bool ready;
    struct ck_req store; /* scheme, host, port and path of the account; the template of requests */
    bool container_seen; /* it exists: a 404 speaks of the object */
    bool create_container, locks;
};

/* ---- client.c ---- */
/* Find credentials, sign in, look up the store's URL; once. */
int ck_swift_prepare(struct ck_swift *s, struct ck_err *err);
struct ck_http *ck_swift_http(struct ck_swift *s);
/* A request on the account (container NULL), a container (key NULL) or an object. */
void ck_swift_request(struct ck_arena *a, struct ck_swift *s, const char *method,
                      const char *container, const char *key, struct ck_req *ret);
/* Send; any reply is success here. */
int ck_swift_send(struct ck_swift *s, const struct ck_req *r, struct ck_resp *ret,
                  struct ck_err *err);
/* Turn a reply that is not a success into an error that names operation, location, identity and
 * what can be done. `verb` is kOps' ("reading", "writing", "listing", "deleting"). */
int ck_swift_fail(struct ck_swift *s, const struct ck_resp *resp, const char *verb, const char *key,
                  struct ck_err *err);
/* A transport failure, worded the same way. */
int ck_swift_wrap(struct ck_swift *s, const char *verb, const char *key, struct ck_err *err);
/* After a 404: 0 when the container is there, so that it was the object's; otherwise an error that
 * says that it is missing. */
int ck_swift_check_container(struct ck_swift *s, const char *verb, const char *key,
                             struct ck_err *err);
/* Make the container; only when CKOPS_SWIFT_CREATE_CONTAINER asks for it. */
int ck_swift_make_container(struct ck_swift *s, const char *key, struct ck_err *err);

/* ---- swift.c ---- */
#define CK_SWIFT_MARKS "x-object-meta-ckops-write"
/* The version of an object by its headers: ETag and the marks of its writers, or its time. */
void ck_swift_version(const struct ck_resp *resp, struct ck_version *ret);

/* ---- lock.c ---- */
struct ck_swift_lock {
    struct ck_swift *s;
    const char *key;
    int (*moved)(void *arg, struct ck_err *err); /* as in struct ck_lease_ops */
    void *arg;
    struct ck_lease lease;
    bool spent; /* its version is gone and does not come back */
};
int ck_swift_lock(struct ck_swift_lock *l, const char *version, struct ck_err *err);
void ck_swift_unlock(struct ck_swift_lock *l);

/* ---- write.c ---- */
int ck_swift_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                   const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err);
int ck_swift_remove(struct ck_vfs *v, const char *key, const struct ck_version *version,
                    struct ck_err *err);
int ck_swift_remove_versions(struct ck_vfs *v, const char *key, struct ck_err *err);

/* ---- list.c ---- */
extern const struct ck_pages_ops ck_swift_pages;

/* ---- delete.c ---- */
int ck_swift_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err);
