/* Images and machine types, as given facts tell them.
 *
 * Source: shared facts update-cluster-aws.md §14; kOps upup/pkg/fi/cloudup/awsup/aws_cloud.go
 * (resolveImage), machine_types.go. */
#include "model/aws/images.h"

#include "doc/scalar.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *alias, *account;
} OWNERS[] = {
    {"amazon", "137112412989"},   {"amazon.com", "137112412989"}, {"debian10", "136693071363"},
    {"debian11", "136693071363"}, {"debian12", "136693071363"},   {"debian13", "136693071363"},
    {"flatcar", "075585003325"},  {"redhat", "309956199498"},     {"redhat.com", "309956199498"},
    {"rocky", "792107900819"},    {"ubuntu", "099720109477"},
};

const char *ck_aws_image_owner(struct ck_arena *a, const char *owner, size_t len)
{
    for (size_t i = 0; i < sizeof OWNERS / sizeof *OWNERS; i++)
        if (strlen(OWNERS[i].alias) == len && !strncmp(OWNERS[i].alias, owner, len))
            return OWNERS[i].account;
    return ck_arena_strndup(a, owner, len);
}

static bool matches(const struct ck_model *m, const struct ck_val *fact, const char *name)
{
    if (ck_str_starts(name, "ami-"))
        return ck_is_str(ck_get(fact, "id"), name);
    if (ck_str_starts(name, "ssm:"))
        return ck_is_str(ck_get(fact, "ssm"), name + strlen("ssm:"));
    if (ck_is_str(ck_get(fact, "name"), name))
        return true;
    const char *slash = strchr(name, '/');
    return slash && ck_is_str(ck_get(fact, "name"), slash + 1) &&
           ck_is_str(ck_get(fact, "owner"), ck_aws_image_owner(m->a, name, (size_t)(slash - name)));
}

bool ck_aws_image_find(const struct ck_model *m, const char *name, struct ck_aws_image *ret)
{
    const struct ck_val *images = ck_model_fact(m, "images"), *newest = NULL;
    for (size_t i = 0; i < ck_len(images); i++) {
        const struct ck_val *f = ck_item(images, i);
        if (matches(m, f, name) && (!newest || strcmp(ck_str_at(f, "creationDate"),
                                                      ck_str_at(newest, "creationDate")) > 0))
            newest = f;
    }
    if (newest) {
        const char *root = ck_str_at(newest, "rootDeviceName");
        *ret = (struct ck_aws_image){ck_str_at(newest, "id"), *root ? root : "/dev/xvda"};
        return true;
    }
    if (!ck_str_starts(name, "ami-"))
        return false;
    *ret = (struct ck_aws_image){name, "/dev/xvda"};
    return true;
}

const struct ck_val *ck_aws_machine_type(const struct ck_model *m, const char *machine_type)
{
    return ck_get(ck_model_fact(m, "instanceTypes"), machine_type);
}

const struct ck_val *ck_aws_ephemeral_devices(const struct ck_model *m, const char *machine_type)
{
    enum { FIRST_LETTER = 'c', LAST_LETTER = 'z' };
    const struct ck_val *disks = ck_get(ck_aws_machine_type(m, machine_type), "instanceStorage");
    struct ck_val *list = ck_list(m->a);
    int n = 0;
    for (size_t i = 0; i < ck_len(disks); i++)
        for (int64_t k = 0; k < ck_int_at(ck_item(disks, i), "count", 1); k++, n++) {
            if (FIRST_LETTER + n > LAST_LETTER)
                break;
            struct ck_val *d = ck_map(m->a);
            ck_set_str(m->a, d, "device_name",
                       ck_arena_printf(m->a, "/dev/sd%c", FIRST_LETTER + n));
            ck_set_str(m->a, d, "virtual_name", ck_arena_printf(m->a, "ephemeral%d", n));
            ck_append(m->a, list, d);
        }
    return ck_len(list) ? list : NULL;
}

int64_t ck_aws_duration(const struct ck_val *v)
{
    int64_t ns = 0;
    const char *text = ck_str_or(v, "");
    if (*text && ck_duration_parse(ck_slice_of(text), &ns, NULL))
        return 0;
    return ns;
}

/* Quantities are checked when they are read; here only whole multiples matter. */
int64_t ck_aws_quantity(const struct ck_val *v)
{
    static const struct {
        const char *suffix;
        int64_t factor;
    } units[] = {
        {"Ki", 1LL << 10}, {"Mi", 1LL << 20}, {"Gi", 1LL << 30}, {"Ti", 1LL << 40},
        {"k", 1000},       {"M", 1000000},    {"G", 1000000000}, {"T", 1000000000000},
    };
    if (v && v->kind == CK_INT)
        return v->i;
    const char *text = ck_str_or(v, "0");
    char *end;
    long long n = strtoll(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(end, units[i].suffix))
            return n * units[i].factor;
    return *end ? 0 : n;
}
