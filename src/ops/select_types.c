/* Filtering and ordering machine types. What is not said of a type comes from the facts' defaults.
 */
#include "ops/select_types.h"

#include "base/attr.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct type {
    const char *name;
    int64_t vcpus, memory, gpus, interfaces;
};

static int64_t number(const struct ck_val *type, const struct ck_val *defaults, const char *key)
{
    return ck_int_at(type, key, ck_int_at(defaults, key, 0));
}

static bool in(const struct ck_range *r, int64_t v)
{
    return v >= r->min && (!r->max || v <= r->max);
}

static bool has_arch(const struct ck_val *type, const char *arch)
{
    const struct ck_val *list = ck_get(type, "arch");
    if (!*arch || !list)
        return true;
    return ck_list_has_str(list, strcmp(arch, "amd64") == 0 ? "x86_64" : arch);
}

static bool ratio_fits(const struct ck_type_filter *f, const struct type *t)
{
    double wanted = f->memory_per_vcpu_gib * 1024.0;
    if (wanted <= 0 || t->vcpus <= 0)
        return wanted <= 0;
    double has = (double)t->memory / (double)t->vcpus;
    return has > wanted * 0.75 && has < wanted * 1.25;
}

static int compile(const char *text, const char *option, regex_t *re, struct ck_err *err)
{
    if (strlen(text) > 1024 || regcomp(re, *text ? text : ".", REG_EXTENDED | REG_NOSUB) != 0)
        return ck_fail(err, CK_INVALID, "--%s: the regular expression \"%s\" cannot be read",
                       option, text);
    return 0;
}

static int by_size(const void *x, const void *y)
{
    const struct type *a = x, *b = y;
    if (a->vcpus != b->vcpus)
        return a->vcpus < b->vcpus ? -1 : 1;
    if (a->memory != b->memory)
        return a->memory < b->memory ? -1 : 1;
    return strcmp(a->name, b->name);
}

static struct type read_type(const struct ck_pair *p, const struct ck_val *defaults)
{
    struct type t = {.name = p->key.ptr,
                     .vcpus = number(p->val, defaults, "vcpus"),
                     .memory = number(p->val, defaults, "memoryMiB"),
                     .gpus = number(p->val, defaults, "gpus"),
                     .interfaces = number(p->val, defaults, "maxENIs")};
    if (!t.gpus && ck_bool_at(p->val, "gpu", false))
        t.gpus = 1;
    return t;
}

static size_t filter_types(const struct ck_val *types, const struct ck_val *defaults,
                           const struct ck_type_filter *f, const regex_t *allow,
                           const regex_t *deny, struct type *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < ck_len(types); i++) {
        const struct ck_pair *p = &types->map.v[i];
        struct type t = read_type(p, defaults);
        if (in(&f->vcpus, t.vcpus) && in(&f->memory_mib, t.memory) && in(&f->gpus, t.gpus) &&
            in(&f->interfaces, t.interfaces) && has_arch(p->val, f->arch) && ratio_fits(f, &t) &&
            regexec(allow, t.name, 0, NULL, 0) == 0 &&
            !(*f->deny && regexec(deny, t.name, 0, NULL, 0) == 0))
            ret[n++] = t;
    }
    return n;
}

int ck_types_select(struct ck_arena *a, const struct ck_facts *facts,
                    const struct ck_type_filter *filter, struct ck_strv *ret, struct ck_err *err)
{
    const struct ck_val *types = ck_at(facts->root, "aws.instanceTypes");
    regex_t allow, deny;
    if (!ck_len(types))
        return ck_fail(err, CK_NOT_FOUND,
                       "which machine types there are is known to the cloud only: give facts "
                       "(CKOPS_FIXTURES, aws.instanceTypes)");
    int r = compile(filter->allow, "allow-list", &allow, err);
    if (r < 0)
        return r;
    r = compile(filter->deny, "deny-list", &deny, err);
    if (r < 0) {
        regfree(&allow);
        return r;
    }
    struct type *v = ck_arena_alloc(a, (ck_len(types) + 1) * sizeof *v);
    size_t n = filter_types(types, ck_at(facts->root, "aws.instanceTypeDefaults"), filter, &allow,
                            &deny, v);
    regfree(&allow);
    regfree(&deny);
    if (!n)
        return ck_fail(err, CK_NOT_FOUND, "no instance types were found with the given criteria");
    qsort(v, n, sizeof *v, by_size);
    for (size_t i = 0; i < n && i < filter->max; i++)
        ck_strv_push(ret, v[i].name);
    return 0;
}

int ck_memory_mib(const char *text, int64_t *ret, struct ck_err *err)
{
    static const struct {
        char letter;
        double mib;
    } units[] = {{'m', 1}, {'g', 1024}, {'t', 1024 * 1024}};
    char *end;
    double v = strtod(text, &end);
    while (*end == ' ')
        end++;
    for (size_t i = 0; i < CK_ARRAY_LEN(units) && end != text; i++)
        if (tolower((unsigned char)*end) == units[i].letter && v >= 0 && v < 1e6) {
            *ret = (int64_t)(v * units[i].mib);
            return 0;
        }
    return ck_fail(err, CK_INVALID, "\"%s\" is no amount of memory: write it with a unit, as 4GiB",
                   text);
}
