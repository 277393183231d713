/* Reading AWS: describe calls of seven services, nothing that changes anything.
 *
 * One table names the services, their API versions and endpoints; a call is refused unless its
 * action begins with Describe, Get or List. Replies are value trees; each call is sent once per
 * plan and remembered. Source: the API references of the services. */
#pragma once

#include "auth/cred.h"
#include "base/map.h"
#include "doc/val.h"
#include "net/http.h"

struct ck_aws_read {
    struct ck_arena *a;
    const struct ck_env *env; /* borrowed */
    struct ck_http *http;     /* borrowed */
    const char *region;
    const char *cluster; /* name: objects of ours carry the tag KubernetesCluster */
    struct ck_cred_provider *creds;
    struct ck_map replies; /* call → reply */
    struct ck_map ids;     /* "Kind/Name" → id of what was found */
    struct ck_val *log;    /* actions sent, in order: "ec2:DescribeVpcs" */
};

int ck_aws_read_open(struct ck_arena *a, const struct ck_env *env, struct ck_http *http,
                     const char *region, const char *cluster, struct ck_aws_read *ret,
                     struct ck_err *err);
void ck_aws_read_close(struct ck_aws_read *w);

/* A query-protocol call ("ec2", "autoscaling", "elbv2", "iam", "sqs"); parameters in pairs, ended
 * by NULL. *ret is the result element. What is not there (…NotFound, NoSuchEntity) is NOT_FOUND.
 * Pages are followed and their lists joined. */
int ck_aws_query(struct ck_aws_read *w, const char *service, const char *action,
                 const char *const *params, const struct ck_val **ret, struct ck_err *err);
#define CK_AWS_QUERY(w, service, action, ret, err, ...)                                            \
    ck_aws_query((w), (service), (action), (const char *const[]){__VA_ARGS__, NULL}, (ret), (err))
/* GET of Route 53, a path like "/2013-04-01/hostedzone". */
int ck_aws_route53(struct ck_aws_read *w, const char *path, const struct ck_val **ret,
                   struct ck_err *err);
/* A JSON-protocol call: service "events", action "ListRules", body as text. */
int ck_aws_json(struct ck_aws_read *w, const char *service, const char *action, const char *body,
                const struct ck_val **ret, struct ck_err *err);

/* ---- items and tags ---- */
/* The items of an EC2 set ("vpcSet" → item…), or of a query list (member…), as a list. */
const struct ck_val *ck_aws_items(const struct ck_aws_read *w, const struct ck_val *parent,
                                  const char *set);
/* [{key, value}] → map, whatever the spelling of the API. */
struct ck_val *ck_aws_tag_map(const struct ck_aws_read *w, const struct ck_val *tag_set);
