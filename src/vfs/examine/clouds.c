/* Examining stores other than S3 and local folders: who asks, and where. What else there is to try
 * needs nothing but the ordinary operations. */
#include "vfs/examine/clouds.h"

#include "auth/cred.h"
#include "vfs/azure/azure.h"
#include "vfs/examine/examine.h"
#include "vfs/gs/gs.h"
#include "vfs/k8s/k8s.h"
#include "vfs/oss/oss.h"
#include "vfs/ssh/ssh.h"
#include "vfs/swift/swift.h"

#include <string.h>

static void endpoint(struct ck_exam *x, const char *scheme, const char *host, int port)
{
    if (port)
        ck_exam_add(x, "endpoint", CK_EXAM_OK, "%s://%s:%d", scheme, host, port);
    else
        ck_exam_add(x, "endpoint", CK_EXAM_OK, "%s://%s", scheme, host);
}

/* A source often knows whose token it gives only after it gave one. */
static int token_row(struct ck_exam *x, struct ck_token_source *s, struct ck_err *err)
{
    const char *token;
    int r = ck_token_get(s, &token, err);
    if (r < 0)
        return r;
    ck_exam_add(x, "identity", CK_EXAM_OK, "%s%s%s", s->identity,
                *s->identity && *s->origin ? ", from " : "", s->origin);
    return 0;
}

int ck_gs_examine(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err)
{
    struct ck_gs *g = (struct ck_gs *)v;
    int r = ck_gs_prepare(v, err);
    if (r < 0)
        return r;
    endpoint(x, g->url_scheme, g->host, g->port);
    if (g->tokens)
        return token_row(x, g->tokens, err);
    ck_exam_add(x, "identity", CK_EXAM_OK, "none: an emulator, which wants none");
    return 0;
}

int ck_azure_examine(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err)
{
    struct ck_azure *z = (struct ck_azure *)v;
    int r = ck_azure_prepare(v, err);
    if (r < 0)
        return r;
    endpoint(x, z->url_scheme, z->host, z->port);
    if (z->tokens)
        return token_row(x, z->tokens, err);
    ck_exam_add(x, "identity", CK_EXAM_OK, "account %s, by %s", z->account,
                z->auth == CK_AZURE_KEY ? "AZURE_STORAGE_KEY" : "AZURE_STORAGE_SAS_TOKEN");
    return 0;
}

int ck_k8s_examine(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err)
{
    struct ck_k8s *s = (struct ck_k8s *)v;
    int r = ck_k8s_prepare(s, err);
    if (r < 0)
        return r;
    ck_exam_add(x, "identity", CK_EXAM_OK, "%s", ck_kube_identity(s->kube));
    ck_exam_add(x, "endpoint", CK_EXAM_OK, "%s, namespace %s", ck_kube_server(s->kube),
                s->namespace_name);
    return 0;
}

int ck_oss_examine(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err)
{
    struct ck_oss *s = (struct ck_oss *)v;
    CK_CLEANUP(ck_cred_done) struct ck_cred c = {0};
    int r = ck_oss_prepare(v, err);
    if (r == 0)
        r = s->creds->ops->get(s->creds, &c, err);
    if (r < 0)
        return r;
    ck_exam_add(x, "identity", CK_EXAM_OK, "%s (from %s)", c.access_key, c.source ? c.source : "?");
    endpoint(x, s->url_scheme, s->host, s->port);
    if (*s->region)
        ck_exam_add(x, "region", CK_EXAM_OK, "%s", s->region);
    return 0;
}

int ck_swift_examine(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err)
{
    struct ck_swift *s = (struct ck_swift *)v;
    int r = ck_swift_prepare(s, err);
    if (r < 0)
        return r;
    ck_exam_add(x, "identity", CK_EXAM_OK, "%s", ck_os_who(s->os));
    endpoint(x, s->store.scheme, s->store.host, s->store.port);
    if (*ck_os_region(s->os))
        ck_exam_add(x, "region", CK_EXAM_OK, "%s", ck_os_region(s->os));
    return 0;
}

int ck_ssh_examine(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err)
{
    const char *at = strrchr(v->container, '@');
    int r = ck_ssh_begin((struct ck_ssh *)v, err);
    if (r < 0)
        return r;
    ck_exam_add(x, "identity", CK_EXAM_OK, "%s",
                at ? ck_arena_strndup(x->a, v->container, (size_t)(at - v->container))
                   : "whom the configuration of ssh says");
    ck_exam_add(x, "endpoint", CK_EXAM_OK, "%s, by SFTP", at ? at + 1 : v->container);
    return 0;
}
