/* The scheme table's rows: how a URL becomes a location. One parse function per scheme, in that
 * scheme's file; vfs.c holds the table. */
#pragma once

#include "net/http.h"
#include "vfs/vfs.h"

/* Decoded parts of scheme://container/key (kOps' net/url rules, vfs.md §1.3). Strings in the
 * arena.*/
struct ck_vfs_url {
    const char *scheme, *container, *key;
};
/* false when the URL is malformed, has no container, or carries credentials. A query is no part of
 * it: ck_vfs_refuse_query comes first. */
bool ck_vfs_url_split(struct ck_arena *a, const char *url, struct ck_vfs_url *ret);
/* INVALID `PREFIX "URL": …` when there is a query or a fragment. */
int ck_vfs_refuse_query(const char *invalid, const char *url, struct ck_err *err);
/* What is wrong with a key that cannot be decoded; part of a format. */
#define CK_VFS_PERCENT                                                                             \
    "a percent sign is followed by two hexadecimal digits, but not by 00; write %%25 for the "     \
    "sign itself"

/* Refuse control characters and URLs with credentials; the message does not repeat those. */
int ck_vfs_check_location(const char *url, struct ck_err *err);

/* A setting that is "yes" or "no"; *ret stays when the variable is not set. INVALID: anything else.
 */
int ck_vfs_switch(const struct ck_env *env, const char *name, bool *ret, struct ck_err *err);
/* For requests whose trusted authorities CKOPS_STORE_CA_BUNDLE names. */
extern const struct ck_tls ck_vfs_tls;

typedef int (*ck_vfs_parse_fn)(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                               struct ck_err *err);

int ck_vfs_parse_file(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                      struct ck_err *err);
int ck_vfs_parse_mem(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                     struct ck_err *err);
/* s3, do, scw, linode, hos */
int ck_vfs_parse_s3(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                    struct ck_err *err);
int ck_vfs_parse_gs(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                    struct ck_err *err);
int ck_vfs_parse_ssh(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                     struct ck_err *err);
int ck_vfs_parse_swift(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                       struct ck_err *err);
/* k8s */
int ck_vfs_parse_k8s(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                     struct ck_err *err);
int ck_vfs_parse_oss(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                     struct ck_err *err);
int ck_vfs_parse_azure(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                       struct ck_err *err);
