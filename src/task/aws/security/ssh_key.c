/* The key pair that instances accept. kOps awstasks/sshkey.go. */
#include "task/aws/find.h"

#include <string.h>

static const struct ck_task_field fields[] = {
    CK_F_ID,          CK_F_BOOL("Shared"),        CK_F_BYTES("PublicKey"),
    CK_F_MAP("Tags"), CK_F_STR("KeyFingerprint"), CK_F_END,
};

/* Colons of the fingerprint go; elsewhere they become "_". */
static const char *plain_name(struct ck_arena *a, const char *name)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (; *name; name++)
        if (*name != ':')
            ck_buf_putc(&b, *name);
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    if (ck_aws_shared(t))
        return ck_tf_quote(tf, t->name);
    return ck_tf_link(tf, "aws_key_pair", plain_name(tf->a, t->name), "id");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (ck_aws_shared(t))
        return 0;
    const char *name = plain_name(tf->a, t->name);
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_key_pair", name);
    ck_tf_str(b, "key_name", t->name);
    ck_tf_file(b, "public_key", name, "public_key", ck_task_get_bytes(t, "PublicKey"));
    ck_tf_field(b, "tags", t, "Tags");
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    int r = ck_aws_query(w, "ec2", "DescribeKeyPairs", NULL, &reply, err);
    const struct ck_val *items = r ? NULL : ck_aws_items(w, reply, "keySet");
    for (size_t i = 0; i < ck_len(items); i++) {
        const struct ck_val *v = ck_item(items, i);
        if (!ck_is_str(ck_get(v, "keyName"), t->name))
            continue;
        struct ck_task *actual = *ret = ck_aws_actual(w, t);
        ck_aws_found(w, t, t->name);
        ck_aws_take(actual, "ID", v, "keyPairId");
        ck_aws_take(actual, "KeyFingerprint", v, "keyFingerprint");
        ck_task_bool(actual, "Shared", ck_aws_shared(t));
        ck_aws_take_tags(w, actual, ck_get(v, "tagSet"));
        /* The name holds the fingerprint of the key: it cannot be another. */
        ck_task_bytes(actual, "PublicKey", ck_task_get_bytes(t, "PublicKey"));
    }
    return r;
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_ec2_list l = {.action = "DescribeKeyPairs",
                                             .set = "keySet",
                                             .id_key = "keyPairId",
                                             .name_key = "keyName"};
    return ck_aws_ec2_extras(world, wanted, &ck_aws_ssh_key, &l, ret, err);
}

const struct ck_task_kind ck_aws_ssh_key = {
    .name = "SSHKey",
    .fields = fields,
    .id_is_name = true,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
