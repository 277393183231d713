/* What object stores with their own conditional writes have in common: reads one by one and many at
 * once, writes whose outcome is looked into when a reply is missing, listings page by page,
 * concurrent removal of trees.
 *
 * A store gives its dialect (requests, and what replies mean) and takes the members of struct
 * ck_vfs_ops from here. Used by gs://, azureblob:// and oss://. */
#pragma once

#include "net/http.h"
#include "vfs/examine/permissions.h"
#include "vfs/object/listing.h"
#include "vfs/object/outcome.h"
#include "vfs/object/refusal.h"
#include "vfs/scheme.h"
#include "vfs/vfs.h"

enum { CK_OBJECT_MAX_KEY = 1024, CK_OBJECT_PAGE_MAX = 16 << 20 };

enum ck_object_call {
    CK_OBJECT_READ,
    CK_OBJECT_FACTS,
    CK_OBJECT_WRITE,
    CK_OBJECT_REMOVE,
    CK_OBJECT_LIST,
    CK_OBJECT_LIST_VERSIONS,
};

/* A write under way. A conditional one carries marks (metadata of the object; marks.h), so that
 * one's own success is not mistaken for somebody else's when a reply was lost. */
struct ck_object_put {
    const char *key;
    struct ck_slice data;
    const struct ck_write_opts *opts;
    char marks[CK_MARKS_LEN]; /* "": none */
};

/* What a store tells of an object without its content. */
struct ck_object_facts {
    bool found;
    struct ck_version version;
    const char *marks; /* borrowed from the reply, or NULL */
    unsigned char md5[16];
    bool has_md5;
};

enum ck_object_verdict {
    CK_OBJECT_DONE,    /* the write took effect */
    CK_OBJECT_REFUSED, /* its condition did not hold */
    CK_OBJECT_FAILED,
};

struct ck_object_ops {
    /* Endpoint and credentials, once. */
    int (*prepare)(struct ck_vfs *v, struct ck_err *err);
    /* The request of a call on an object (READ, FACTS, REMOVE), without conditions. */
    void (*request)(struct ck_arena *a, struct ck_vfs *v, enum ck_object_call call, const char *key,
                    struct ck_req *ret);
    /* Remove only while the object has this version. */
    void (*remove_if)(struct ck_arena *a, const struct ck_version *version, struct ck_req *r);
    /* Remove one version: `id` is the entry's name in a listing of versions. */
    void (*remove_version)(struct ck_arena *a, const char *id, struct ck_req *r);
    /* The request of a listing's page. */
    void (*page)(struct ck_arena *a, const struct ck_object_listing *l, struct ck_req *ret);
    /* Add the entries of a page of status 200 and set l->token. */
    int (*take_page)(struct ck_object_listing *l, const struct ck_resp *resp, struct ck_err *err);
    /* Judge the content of a read of status 200 (ck_object_damaged), give its version. NULL:
     * take_facts understands replies to reads too, and its MD5 must be that of the content. */
    int (*take_read)(struct ck_vfs *v, const char *key, const struct ck_resp *resp,
                     struct ck_version *ret, struct ck_err *err);
    /* What a FACTS reply of status 200 says. */
    int (*take_facts)(struct ck_vfs *v, struct ck_resp *resp, struct ck_object_facts *ret,
                      struct ck_err *err);
    /* Send the write, with its condition and marks; may take several requests. */
    int (*send_put)(struct ck_vfs *v, const struct ck_object_put *p, struct ck_resp *ret,
                    struct ck_err *err);
    enum ck_object_verdict (*judge_put)(struct ck_vfs *v, const struct ck_object_put *p,
                                        const struct ck_resp *resp, struct ck_version *ret);
    /* A reply that is no success, as an error. NOT_FOUND for an object alone: a missing container
     * is INVALID. key NULL: the container. */
    int (*fail)(struct ck_vfs *v, enum ck_object_call call, const char *key,
                const struct ck_resp *resp, struct ck_err *err);
    /* What the call is to the store, for messages: "storage.objects.get as x@y". May be "". */
    void (*describe)(struct ck_vfs *v, enum ck_object_call call, struct ck_buf *out);
    /* Replies to reads do not show marks, so versions have none: they are asked for before an
     * update. Otherwise versions carry them (ck_marks_add). */
    bool marks_apart;
    /* Plain writes carry a mark too: it is part of what makes a version. */
    bool marks_always;
};

/* First member of such a store's container. */
struct ck_object_store {
    struct ck_vfs base;
    const struct ck_object_ops *dialect;
    bool container_seen; /* it is known to exist */
    /* With marks_apart: the last write that succeeded, its key (a checksum) and version with marks,
     * so that who updates the same object again need not ask. */
    uint32_t written_key;
    struct ck_version written;
};

/* The members of struct ck_vfs_ops that are the same for every such store. */
#define CK_OBJECT_OPS                                                                              \
    CK_PAGES_OPS, .pages = &ck_object_pages, .read = ck_object_read,                               \
                  .read_many = ck_object_read_many, .hash = ck_object_hash,                        \
                  .text = ck_object_text, .preferred_hash = CK_MD5, .has_hash = true,              \
                  .cluster_readable = true

/* ---- object.c ---- */
/* The permission that a call needs (vfs/examine/permissions.h); of a write, that of creating. */
enum ck_permission_for ck_object_permission(enum ck_object_call call);
struct ck_http *ck_object_http(struct ck_vfs *v); /* of the context, made on first use */
/* "error reading gs://b/k: storage.objects.get as x@y" */
void ck_object_where(struct ck_vfs *v, enum ck_object_call call, const char *key,
                     struct ck_buf *out);
int ck_object_read(struct ck_vfs *v, const char *key, struct ck_buf *out, struct ck_version *ret,
                   struct ck_err *err);
/* UNAVAILABLE: what was read is not what `hash` ("MD5") of the server says. */
int ck_object_damaged(struct ck_vfs *v, const char *key, struct ck_slice hash, struct ck_err *err);
int ck_object_read_many(struct ck_vfs *v, const char *const *keys, size_t n, ck_bulk_fn fn,
                        void *arg, struct ck_err *err);
int ck_object_hash(struct ck_vfs *v, const char *key, enum ck_hash_alg alg, struct ck_hash *ret,
                   struct ck_err *err);
char *ck_object_text(struct ck_vfs *v, const char *key, struct ck_arena *a);
/* FACTS of an object; ret->found false when it is absent. `resp` owns what *ret borrows. */
int ck_object_facts(struct ck_vfs *v, const char *key, struct ck_resp *resp,
                    struct ck_object_facts *ret, struct ck_err *err);

/* ---- write.c ---- */
int ck_object_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                    const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err);

/* ---- remove.c ---- */
int ck_object_remove(struct ck_vfs *v, const char *key, const struct ck_version *version,
                     struct ck_err *err);
int ck_object_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err);
int ck_object_remove_versions(struct ck_vfs *v, const char *key, struct ck_err *err);
/* Remove the entries of a listing, concurrently; those that are gone already are fine, all other
 * failures make one message. `versions`: they come from a listing of versions. */
int ck_object_remove_entries(struct ck_vfs *v, const struct ck_entries *e, bool versions,
                             struct ck_err *err);

/* ---- list.c ---- */
extern const struct ck_pages_ops ck_object_pages;

/* ---- names.c ---- */
struct ck_container_rule {
    const char *what;  /* "a bucket's name" */
    const char *rule;  /* "has 3 to 63 lower-case letters, …" */
    const char *extra; /* characters beside a-z and 0-9 */
    size_t min, max;
    bool no_double_hyphen;
};
/* The parts of a URL, or INVALID before any request: with kOps' `PREFIX "URL"` when it names
 * nothing, else with the reason after it. `parts` are in `a`. */
int ck_container_url(struct ck_arena *a, const struct ck_container_rule *rule, const char *invalid,
                     const char *url, struct ck_vfs_url *ret, struct ck_err *err);
/* INVALID before any request: `PREFIX "URL": RULE; the nearest valid form is "x"`. */
int ck_container_check(const struct ck_container_rule *rule, const char *name, const char *invalid,
                       const char *url, struct ck_err *err);
