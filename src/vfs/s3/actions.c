/* Permissions of S3 requests, and the record of those that were needed. */
#include "vfs/s3/actions.h"

#include "doc/xml.h"
#include "vfs/s3/s3.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOWEST_FD = 3, HIGHEST_FD = 1023, BODY_MAX = 4 << 20 };

const struct ck_s3_action ck_s3_actions[CK_S3_ACTION_COUNT] = {
#define X(id, name, method, query, object, users, purpose)                                         \
    {name, method, query, object, users, purpose},
    CK_S3_ACTIONS(X)
#undef X
};

static bool has_query(const struct ck_req *r, const char *name)
{
    if (!*name)
        return true;
    for (size_t i = 0; i < r->query.n; i++)
        if (strcmp(r->query.v[i].name, name) == 0)
            return true;
    return false;
}

const struct ck_s3_action *ck_s3_action_of(const struct ck_req *r, bool object)
{
    const char *method = strcmp(r->method, "HEAD") == 0 ? "GET" : r->method;
    for (size_t i = 0; i < CK_S3_ACTION_COUNT; i++) {
        const struct ck_s3_action *x = &ck_s3_actions[i];
        if (x->object == object && strcmp(x->method, method) == 0 && has_query(r, x->query))
            return x;
    }
    return NULL;
}

int ck_s3_record_open(const struct ck_env *env)
{
    const char *text = ck_env_nonempty(env, CK_S3_RECORD_VARIABLE);
    char *end = NULL;
    struct stat st;
    long fd = text ? strtol(text, &end, 10) : -1;
    if (!text || *end || fd < LOWEST_FD || fd > HIGHEST_FD)
        return 0;
    if (fstat((int)fd, &st) < 0 || !S_ISFIFO(st.st_mode))
        return 0;
    fcntl((int)fd, F_SETFD, FD_CLOEXEC); /* editors and credential programs have no use for it */
    return (int)fd + 1;
}

static void put_line(const struct ck_s3 *s, const char *action, const char *key)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_fmt(&b, "%s\t%s%s%s\n", action, s->base.container, key ? "/" : "", key ? key : "");
    /* At most PIPE_BUF bytes: lines of several threads do not mix. */
    ssize_t n = write(s->record - 1, ck_buf_str(&b), b.len);
    (void)n;
}

/* A batch names its keys in the body. */
static void put_batch(const struct ck_s3 *s, const struct ck_req *r)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_val *root = NULL;
    if (ck_xml_parse(a, r->body, BODY_MAX, &root, NULL) < 0)
        return;
    const struct ck_val *list = ck_xml_list(a, ck_get(root, "Delete"), "Object");
    for (size_t i = 0; i < ck_len(list); i++) {
        const struct ck_val *o = ck_item(list, i);
        put_line(
            s, ck_get(o, "VersionId") ? CK_S3_ACTION(DELETE_VERSION) : CK_S3_ACTION(DELETE_OBJECT),
            ck_str_at(o, "Key"));
    }
}

/* The key in the path of a request that ck_s3_request made; NULL when it is the bucket's. */
static const char *key_of(const struct ck_s3 *s, const struct ck_req *r)
{
    const char *p = r->path + strlen(s->base_path);
    if (!s->virtual_host)
        p += 1 + strlen(s->base.container);
    return p[0] == '/' && p[1] ? p + 1 : NULL;
}

void ck_s3_record(const struct ck_s3 *s, const struct ck_req *r)
{
    if (!s->record)
        return;
    const char *key = key_of(s, r);
    const struct ck_s3_action *x = ck_s3_action_of(r, key);
    if (!x)
        return;
    if (x == &ck_s3_actions[CK_S3_DELETE_OBJECTS])
        put_batch(s, r);
    else
        put_line(s, x->name, key);
    if (x == &ck_s3_actions[CK_S3_PUT_OBJECT] && ck_nvs_get(&r->headers, "x-amz-acl"))
        put_line(s, CK_S3_ACTION(PUT_OBJECT_ACL), key);
}
