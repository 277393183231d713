/* k8s://: files as Secrets of one namespace of a Kubernetes API.
 *
 * Shared between the files of the driver: url.c (locations), client.c (requests, errors), object.c
 * (a file as a Secret and back), file.c (read, remove, hash), write.c (conditional writes), parts.c
 * (files over 1 MiB), list.c (listings). The layout is that of the shared facts, vfs.md §8.2; kOps
 * has only stubs here. */
#pragma once

#include "auth/kube/kube.h"
#include "base/buf.h"
#include "doc/val.h"
#include "net/http.h"
#include "vfs/object/refusal.h"
#include "vfs/scheme.h"
#include "vfs/vfs.h"

enum {
    CK_K8S_PART = 1 << 20,    /* bytes of content one Secret takes: the API server's limit */
    CK_K8S_MAX_PARTS = 1024,  /* of one file */
    CK_K8S_NAME = 4 + 40 + 1, /* "ckf-" and hex, with its NUL */
    CK_K8S_GEN = 12 + 1,      /* names one write's parts */
    CK_K8S_LEVELS = 16,       /* folders that have a label of their own */
    CK_K8S_HASH = 16 + 1,     /* label value of a folder */
};

struct ck_k8s {
    struct ck_vfs base; /* container: "context/namespace" as given */
    const char *context, *given_namespace;
    bool ready;
    struct ck_kube *kube;
    const char *namespace_name;
    const char *secrets; /* "/api/v1/namespaces/NS/secrets" */
    int64_t listed_s;    /* the server's clock at the last page of a listing; 0 unknown */
};

/* What a Secret says about its file. Strings live in the parsed document. */
struct ck_k8s_meta {
    const char *path, *rv, *uid, *md5, *sha256;
    const char *nonce; /* the marks of the writes that made it */
    int64_t size;      /* bytes; -1 unknown */
    char gen[CK_K8S_GEN];
    unsigned parts; /* 0: the content is in the Secret itself */
};

/* A file, or one part of it, on its way into a Secret. */
struct ck_k8s_file {
    const char *key;
    struct ck_slice data; /* the whole content */
    const char *nonce;    /* the marks of this write and of those it builds on */
    const char *rv;       /* NULL: to be created */
    char gen[CK_K8S_GEN];
    unsigned parts;
};

/* ---- url.c ---- */
/* Whether a namespace's name can exist; the nearest one that can goes to *ret_near. */
bool ck_k8s_namespace_ok(const char *name, char ret_near[64]);

/* ---- client.c ---- */
/* Find the API and the namespace once. */
int ck_k8s_prepare(struct ck_k8s *s, struct ck_err *err);
struct ck_http *ck_k8s_http(struct ck_k8s *s);
/* A request on the collection (name NULL) or one Secret. `meta`: only metadata comes back. */
void ck_k8s_request(struct ck_arena *a, struct ck_k8s *s, const char *method, const char *name,
                    bool meta, struct ck_req *ret);
int ck_k8s_send(struct ck_k8s *s, const struct ck_req *r, struct ck_resp *ret, struct ck_err *err);
/* The body of a success as a document. UNAVAILABLE: it is none. */
int ck_k8s_body(struct ck_k8s *s, struct ck_arena *a, const struct ck_resp *resp,
                struct ck_val **ret, struct ck_err *err);
/* Whether the reply is the API server's own refusal with this reason ("AlreadyExists", …). */
bool ck_k8s_reason(const struct ck_resp *resp, const char *reason);
/* A reply that is no success, as an error; `verb` for people ("reading"), `action` the API's. */
int ck_k8s_fail(struct ck_k8s *s, const struct ck_resp *resp, const char *verb, const char *action,
                const char *key, struct ck_err *err);
/* A failed exchange, worded the same way. */
int ck_k8s_wrap(struct ck_k8s *s, const char *verb, const char *action, const char *key,
                struct ck_err *err);
const char *ck_k8s_where(struct ck_k8s *s, const char *key, struct ck_arena *a);

/* ---- object.c ---- */
void ck_k8s_name(const char *key, char ret[CK_K8S_NAME]);
const char *ck_k8s_part_name(struct ck_arena *a, const char *key, const char *gen, unsigned i);
void ck_k8s_hash(struct ck_slice text, char ret[CK_K8S_HASH]);
/* A label's value for a name: the name itself where it may be one, else a hash. */
const char *ck_k8s_label(struct ck_arena *a, struct ck_slice name);
/* Append the JSON of the file's Secret. */
void ck_k8s_put_file(struct ck_buf *out, const struct ck_k8s_file *f);
/* … of its part number i. `uid`, when not "", is that of the file's Secret, which owns the part.
 * `rv` "" : to be created. */
void ck_k8s_put_part(struct ck_buf *out, const struct ck_k8s_file *f, unsigned i, const char *uid,
                     const char *rv);
/* INVALID when it is not a file of ckops. */
int ck_k8s_meta_of(const struct ck_val *secret, struct ck_k8s_meta *ret, struct ck_err *err);
/* INVALID: the Secret belongs to another path, or its content is not what its hash says. */
int ck_k8s_check_path(const struct ck_k8s_meta *m, const char *key, struct ck_err *err);
int ck_k8s_check_hash(const struct ck_k8s_meta *m, struct ck_slice content, struct ck_err *err);
/* The content a Secret itself holds. */
int ck_k8s_content_of(const struct ck_val *secret, struct ck_buf *out, struct ck_err *err);
/* The version token and back: resourceVersion, the parts that go when it is replaced, its marks. */
void ck_k8s_version(const struct ck_k8s_meta *m, struct ck_version *ret);
bool ck_k8s_version_parse(struct ck_arena *a, const struct ck_version *v, struct ck_k8s_meta *ret);

/* ---- file.c ---- */
/* The metadata of a file's Secret. NOT_FOUND. */
int ck_k8s_stat(struct ck_k8s *s, struct ck_arena *a, const char *key, struct ck_k8s_meta *ret,
                struct ck_err *err);
int ck_k8s_read(struct ck_vfs *v, const char *key, struct ck_buf *out, struct ck_version *ret,
                struct ck_err *err);
int ck_k8s_read_many(struct ck_vfs *v, const char *const *keys, size_t n, ck_bulk_fn fn, void *arg,
                     struct ck_err *err);
/* `must`: NOT_FOUND when it is not there. */
int ck_k8s_remove(struct ck_vfs *v, const char *key, const struct ck_version *version, bool must,
                  struct ck_err *err);
int ck_k8s_content_hash(struct ck_vfs *v, const char *key, enum ck_hash_alg alg,
                        struct ck_hash *ret, struct ck_err *err);
/* Content and version of a Secret that has been received; fetches its parts. */
int ck_k8s_take(struct ck_k8s *s, const struct ck_val *secret, const char *key, struct ck_buf *out,
                struct ck_version *ret, struct ck_err *err);

/* ---- write.c ---- */
int ck_k8s_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                 const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err);

/* ---- parts.c ---- */
int ck_k8s_parts_write(struct ck_k8s *s, const struct ck_k8s_file *f, const char *uid,
                       struct ck_err *err);
/* NOT_FOUND when one is gone: the file has been replaced meanwhile. */
int ck_k8s_parts_read(struct ck_k8s *s, const struct ck_k8s_meta *m, struct ck_buf *out,
                      struct ck_err *err);
/* Make the file's Secret the owner of its parts, so that they go with it. Best effort. */
void ck_k8s_parts_adopt(struct ck_k8s *s, const struct ck_k8s_file *f, const char *uid);
/* Delete the parts of one write. Best effort: what stays is found by ck_k8s_parts_sweep. */
void ck_k8s_parts_drop(struct ck_k8s *s, const char *key, const char *gen, unsigned n);
/* Delete parts below `key` (of the file `key` itself, when not `tree`) that a write left behind
 * more than a day ago and that are not `keep`. Best effort. */
void ck_k8s_parts_sweep(struct ck_k8s *s, const char *key, bool tree, const char *keep);
/* Delete Secrets by name; each failure but "gone" is counted and the first ones described, by
 * their keys (NULL: parts). */
int ck_k8s_delete_names(struct ck_k8s *s, const char *const *names, const char *const *keys,
                        size_t n, struct ck_err *err);

/* ---- list.c ---- */
/* Every Secret a selector finds, page by page. fn(NULL) means that the listing starts over. */
typedef int (*ck_k8s_item_fn)(void *arg, const struct ck_val *secret, struct ck_err *err);
int ck_k8s_each(struct ck_k8s *s, const char *selector, bool meta, const char *key,
                ck_k8s_item_fn fn, void *arg, struct ck_err *err);
int ck_k8s_list(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                struct ck_err *err);
int ck_k8s_list_dirs(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                     struct ck_err *err);
int ck_k8s_tree(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                struct ck_err *err);
int ck_k8s_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err);
int ck_k8s_find(struct ck_vfs *v, const char *key, const char *leaf, bool content, ck_found_fn fn,
                void *arg, struct ck_err *err);
