/* The provider through which service accounts take roles. kOps awstasks/iamoidcprovider.go. */
#include "task/aws/aws.h"

#include <string.h>

static const struct ck_task_field fields[] = {
    CK_F_STRS("ClientIDs"), CK_F_STRS("Thumbprints"), CK_F_STR("URL"), CK_F_MAP("Tags"), CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_tf_link(tf, "aws_iam_openid_connect_provider", t->name, "arn");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_iam_openid_connect_provider", t->name);
    const char *url = ck_task_get_str(t, "URL");
    ck_tf_field(b, "client_id_list", t, "ClientIDs");
    ck_tf_field(b, "thumbprint_list", t, "Thumbprints");
    ck_tf_str(b, "url", url);
    ck_tf_field(b, "tags", t, "Tags");
    ck_tf_output(tf, "iam_openid_connect_provider_arn", link(tf, t));
    const char *bare = ck_str_starts(url, "https://") ? url + strlen("https://") : url;
    ck_tf_output(tf, "iam_openid_connect_provider_issuer", ck_tf_quote(tf, bare));
    return 0;
}

const struct ck_task_kind ck_aws_oidc_provider = {
    .name = "IAMOIDCProvider",
    .fields = fields,
    .link = link,
    .terraform = terraform,
};
