/* Google Cloud Storage by its JSON API.
 *
 * Shared between the files of the driver: gs.c (locations, objects, listings), gs_client.c
 * (endpoint, tokens, errors), gs_upload.c (writes). Mirrors kOps' util/pkg/vfs/gsfs.go; where it
 * differs docs/differences.md says why. */
#pragma once

#include "auth/gcp/gcp.h"
#include "vfs/object/object.h"

/* Custom metadata: marks of its writers (vfs/object/marks.h). Replies to alt=media leave it out. */
#define CK_GS_MARKS "ckops-write"

struct ck_gs {
    struct ck_object_store base; /* container: the bucket */
    bool ready;
    const char *url_scheme, *host, *base_path; /* base_path: "" or "/x" */
    int port;
    const char *ca_file;
    struct ck_token_source *tokens; /* NULL: an emulator, which wants none */
};

/* ---- gs_client.c ---- */
int ck_gs_prepare(struct ck_vfs *v, struct ck_err *err);
/* A request below the endpoint: `path` is encoded and starts with "/". */
void ck_gs_base(struct ck_arena *a, struct ck_gs *g, const char *method, const char *path,
                struct ck_req *ret);
/* "/storage/v1/b/BUCKET/o" or, with a key, "…/o/KEY", encoded. */
const char *ck_gs_path(struct ck_arena *a, struct ck_gs *g, const char *key);
int ck_gs_fail(struct ck_vfs *v, enum ck_object_call call, const char *key,
               const struct ck_resp *resp, struct ck_err *err);
void ck_gs_describe(struct ck_vfs *v, enum ck_object_call call, struct ck_buf *out);

/* ---- gs_upload.c ---- */
int ck_gs_send_put(struct ck_vfs *v, const struct ck_object_put *p, struct ck_resp *ret,
                   struct ck_err *err);
