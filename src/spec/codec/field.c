/* Look-ups in the field schema. The tables themselves are made from fields.def. */
#include "spec/codec/field.h"

#include "spec_tables.h"

static uint32_t hash(struct ck_slice k)
{
    uint32_t h = ck_fnv1a(k); /* as in tools/gen_spec.py */
    return h ^ (h >> 15);
}

const struct ck_field *ck_field_find(const struct ck_type *t, struct ck_slice name)
{
    const uint8_t *slots = &ck_field_slots[t->slots];
    uint32_t mask = (1u << t->bits) - 1;
    for (uint32_t i = hash(name) & mask; slots[i]; i = (i + 1) & mask) {
        const struct ck_field *f = ck_field_at(t, slots[i] - 1u);
        const char *s = ck_field_name(f);
        if (strncmp(s, name.ptr, name.len) == 0 && s[name.len] == '\0')
            return f;
    }
    return NULL;
}

static const struct {
    const char *name;
    uint16_t v2, v3;
} kinds[] = {
    [CK_KIND_CLUSTER] = {"Cluster", CK_TYPE2_CLUSTER, CK_TYPE3_CLUSTER},
    [CK_KIND_INSTANCE_GROUP] = {"InstanceGroup", CK_TYPE2_INSTANCEGROUP, CK_TYPE3_INSTANCEGROUP},
    [CK_KIND_KEYSET] = {"Keyset", CK_TYPE2_KEYSET, CK_TYPE3_KEYSET},
    [CK_KIND_SSH_CREDENTIAL] = {"SSHCredential", CK_TYPE2_SSHCREDENTIAL, CK_TYPE3_SSHCREDENTIAL},
    [CK_KIND_HOST] = {"Host", CK_TYPE2_HOST, CK_TYPE3_HOST},
};

const struct ck_type *ck_type_of(enum ck_object_kind kind, bool v3)
{
    return &ck_types[v3 ? kinds[kind].v3 : kinds[kind].v2];
}

enum ck_object_kind ck_kind_of(struct ck_slice name)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(kinds); i++)
        if (ck_slice_eq_str(name, kinds[i].name))
            return (enum ck_object_kind)i;
    return CK_KIND_OTHER;
}

const char *ck_kind_name(enum ck_object_kind kind)
{
    return kind < CK_ARRAY_LEN(kinds) ? kinds[kind].name : "";
}
