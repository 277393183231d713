/* The scheme table's rows: how a URL becomes a location. One parse function per scheme, in that
 * scheme's file; vfs.c holds the table. */
#pragma once

#include "vfs/vfs.h"

/* Decoded parts of scheme://container/key (kOps' net/url rules, vfs.md §1.3). Strings in the
 * arena.*/
struct ck_vfs_url {
    const char *scheme, *container, *key;
};
/* false when the URL is malformed, has no container, or carries credentials. */
bool ck_vfs_url_split(struct ck_arena *a, const char *url, struct ck_vfs_url *ret);

/* Refuse control characters and URLs with credentials; the message does not repeat those. */
int ck_vfs_check_location(const char *url, struct ck_err *err);

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
