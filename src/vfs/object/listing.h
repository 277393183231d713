/* Listings of stores that know keys but no folders, page by page: by prefix and, for one level, by
 * delimiter. A driver says how a page is asked for and what it holds (`pages` of its struct
 * ck_vfs_ops); one listing, many at once and trees of any size are the same for all. */
#pragma once

#include "net/http.h"
#include "vfs/object/pages.h"
#include "vfs/vfs.h"

enum ck_object_what { CK_OBJECT_FILES, CK_OBJECT_DIRS, CK_OBJECT_TREE, CK_OBJECT_VERSIONS };

struct ck_object_listing {
    struct ck_vfs *v;
    struct ck_arena *a;    /* of the entries */
    struct ck_arena *keep; /* of the token; outlives a page */
    enum ck_object_what what;
    const char *prefix; /* "" or ending in "/"; the exact key for versions */
    const char *token;  /* of the page to ask for; NULL: the first, or none is left */
    struct ck_pages_seen seen;
    struct ck_entries *out;
    bool started; /* the first page has been taken */
};

struct ck_pages_ops {
    /* Endpoint and credentials, once. */
    int (*prepare)(struct ck_vfs *v, struct ck_err *err);
    struct ck_http *(*http)(struct ck_vfs *v);
    /* The request of the page that l->token names. */
    void (*page)(struct ck_arena *a, const struct ck_object_listing *l, struct ck_req *ret);
    /* Send it: a reply, of which any status but 200 stands for an empty page, or an error in the
     * store's words. NOT_FOUND is the container's, and becomes INVALID. */
    int (*fetch)(struct ck_object_listing *l, struct ck_req *req, struct ck_resp *ret,
                 struct ck_err *err);
    /* Add the entries of a page of status 200 and say which page is next (ck_object_next_page). */
    int (*take_page)(struct ck_object_listing *l, const struct ck_resp *resp, struct ck_err *err);
    /* Optional: the first page of this listing is there already; *ret is the caller's then. */
    bool (*ahead)(const struct ck_object_listing *l, struct ck_resp *ret);
};

/* The members of struct ck_vfs_ops for a store whose `pages` is set. */
#define CK_PAGES_OPS                                                                               \
    .list = ck_pages_list, .list_dirs = ck_pages_list_dirs,                                        \
    .list_dirs_many = ck_pages_list_dirs_many, .tree = ck_pages_tree,                              \
    .tree_each = ck_pages_tree_each

int ck_pages_list(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                  struct ck_err *err);
int ck_pages_list_dirs(struct ck_vfs *v, const char *key, struct ck_arena *a,
                       struct ck_entries *ret, struct ck_err *err);
/* A page of every listing at once, until all are complete. */
int ck_pages_list_dirs_many(struct ck_vfs *v, const char *const *keys, size_t n, struct ck_arena *a,
                            struct ck_entries *ret, struct ck_err *err);
int ck_pages_tree(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                  struct ck_err *err);
/* In the server's order, holding a page at a time. */
int ck_pages_tree_each(struct ck_vfs *v, const char *key, ck_entry_fn fn, void *arg,
                       struct ck_err *err);
/* All versions of exactly this key, in the server's order: key and id of each. */
int ck_pages_versions(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                      struct ck_err *err);

/* The prefix of what lies below a key: "" or ending in "/". In the arena. */
const char *ck_object_prefix(struct ck_arena *a, const char *key);

/* For take_page: an object or version of the page, a folder ("x/") of the page. Those that the
 * listing does not want are passed over. Texts are copied. */
void ck_object_add(struct ck_object_listing *l, const char *key, int64_t size, int64_t mtime_s,
                   const unsigned char *md5);
void ck_object_add_version(struct ck_object_listing *l, const char *key, const char *id);
void ck_object_add_dir(struct ck_object_listing *l, const char *prefix);
/* The token of the next page, or "" at the end; tokens that go in a circle are an error. */
int ck_object_next_page(struct ck_object_listing *l, const char *token, struct ck_err *err);
/* UNAVAILABLE: "error listing gs://b/p/: WHY". */
int ck_object_bad_page(const struct ck_object_listing *l, const char *why, struct ck_err *err);
