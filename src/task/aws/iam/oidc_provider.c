/* The provider through which service accounts take roles. kOps awstasks/iamoidcprovider.go. */
#include "task/aws/find.h"

#include <string.h>

static const struct ck_task_field fields[] = {
    CK_F_SET("ClientIDs"), CK_F_SET("Thumbprints"), CK_F_STR("URL"), CK_F_MAP("Tags"), CK_F_END,
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

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *list, *v;
    const char *url = ck_task_get_str(t, "URL");
    const char *bare = ck_str_starts(url, "https://") ? url + strlen("https://") : url;
    int r = ck_aws_query(w, "iam", "ListOpenIDConnectProviders", NULL, &list, err);
    if (r)
        return r;
    list = ck_aws_items(w, list, "OpenIDConnectProviderList");
    for (size_t i = 0; i < ck_len(list); i++) {
        const char *arn = ck_str_at(ck_item(list, i), "Arn");
        if (!ck_str_ends(arn, ck_arena_printf(w->a, "oidc-provider/%s", bare)))
            continue;
        r = CK_AWS_QUERY(w, "iam", "GetOpenIDConnectProvider", &v, err, "OpenIDConnectProviderArn",
                         arn);
        if (r)
            return r;
        struct ck_task *actual = *ret = ck_aws_actual(w, t);
        ck_aws_found(w, t, arn);
        ck_task_str(actual, "URL", url);
        ck_task_val(actual, "ClientIDs", ck_aws_items(w, v, "ClientIDList"));
        ck_task_val(actual, "Thumbprints", ck_aws_items(w, v, "ThumbprintList"));
        ck_aws_take_tags(w, actual, ck_get(v, "Tags"));
    }
    return 0;
}

static bool is_wanted(const struct ck_aws_read *w, const struct ck_tasks *wanted, const char *arn)
{
    size_t at = 0;
    for (const struct ck_task *t; (t = ck_aws_next(wanted, &ck_aws_oidc_provider, &at));) {
        const char *id = ck_aws_id(w, t);
        if (id && !strcmp(id, arn))
            return true;
    }
    return false;
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *list, *v;
    int r = ck_aws_query(w, "iam", "ListOpenIDConnectProviders", NULL, &list, err);
    list = r ? NULL : ck_aws_items(w, list, "OpenIDConnectProviderList");
    for (size_t i = 0; i < ck_len(list) && !r; i++) {
        const char *arn = ck_str_at(ck_item(list, i), "Arn");
        if (is_wanted(w, wanted, arn))
            continue;
        r = CK_AWS_QUERY(w, "iam", "GetOpenIDConnectProvider", &v, err, "OpenIDConnectProviderArn",
                         arn);
        if (!r && ck_aws_owned(w, ck_aws_tag_map(w, ck_get(v, "Tags"))))
            ck_extras_add(ret, &ck_aws_oidc_provider, ck_str_at(v, "Url"), arn, false);
    }
    return r;
}

const struct ck_task_kind ck_aws_oidc_provider = {
    .name = "IAMOIDCProvider",
    .fields = fields,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
