/* Given facts: reading the file and answering questions from it. */
#include "cloud/facts.h"

#include "base/clock.h"
#include "base/file.h"
#include "doc/json.h"

#include <string.h>

enum { FACTS_MAX = 32 << 20 };

int ck_facts_load(struct ck_arena *a, const char *path, struct ck_facts *ret, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    int r = ck_file_read(path, FACTS_MAX, &text, err);
    if (r < 0)
        return ck_wrap(err, "reading given facts");
    struct ck_val *root = NULL;
    r = ck_json_parse(a, ck_buf_slice(&text), FACTS_MAX, &root, err);
    if (r < 0)
        return ck_wrap(err, "reading given facts %s", path);
    const char *slash = strrchr(path, '/');
    *ret = (struct ck_facts){
        .arena = a,
        .root = root,
        .dir = slash ? ck_arena_strndup(a, path, (size_t)(slash - path)) : ".",
    };
    return 0;
}

int64_t ck_facts_now(const struct ck_facts *f)
{
    int64_t s = 0;
    ck_rfc3339_parse(ck_slice_of(ck_str_at(f->root, "now")), &s);
    return s;
}

static const char *text_or_null(const struct ck_val *v)
{
    const char *s = ck_str_or(v, "");
    return *s ? s : NULL;
}

const char *ck_facts_kops_version(const struct ck_facts *f)
{
    return text_or_null(ck_get(f->root, "kopsVersion"));
}

const char *ck_facts_channel_file(const struct ck_facts *f, const char *channel)
{
    const char *name = text_or_null(ck_get(ck_get(f->root, "channels"), channel));
    if (!name || *name == '/')
        return name;
    return ck_arena_printf(f->arena, "%s/%s", f->dir, name);
}

const struct ck_val *ck_facts_zones(const struct ck_facts *f, const char *cloud)
{
    return ck_get(ck_get(f->root, cloud), "zones");
}

/* OpenStack offers flavors, not defaults: the smallest that serves the role (kOps' openstack
 * instance.go: memory of 4 GiB; 1 GiB for a bastion; two cores for nodes). */
static const char *smallest_flavor(const struct ck_val *flavors, const char *role)
{
    int64_t need_ram = strcmp(role, "Bastion") == 0 ? 1024 : 4096;
    int64_t need_cpu = strcmp(role, "Node") == 0 ? 2 : 1;
    const struct ck_val *best = NULL;
    for (size_t i = 0; i < ck_len(flavors); i++) {
        const struct ck_val *v = ck_item(flavors, i);
        int64_t ram = ck_int_at(v, "ramMB", 0), cpu = ck_int_at(v, "vcpus", 0);
        if (ram < need_ram || cpu < need_cpu)
            continue;
        int64_t best_ram = ck_int_at(best, "ramMB", 0), best_cpu = ck_int_at(best, "vcpus", 0);
        if (!best || ram < best_ram || (ram == best_ram && cpu < best_cpu))
            best = v;
    }
    return text_or_null(ck_get(best, "name"));
}

const char *ck_facts_default_machine_type(const struct ck_facts *f, const char *cloud,
                                          const char *role)
{
    const struct ck_val *c = ck_get(f->root, cloud);
    const char *given = text_or_null(ck_get(ck_get(c, "defaultInstanceType"), role));
    return given ? given : smallest_flavor(ck_get(c, "flavors"), role);
}

static const struct ck_val *find_by(const struct ck_val *list, const char *key, const char *value)
{
    for (size_t i = 0; i < ck_len(list); i++)
        if (ck_is_str(ck_get(ck_item(list, i), key), value))
            return ck_item(list, i);
    return NULL;
}

const char *ck_facts_vpc_cidr(const struct ck_facts *f, const char *vpc)
{
    return text_or_null(ck_get(find_by(ck_at(f->root, "aws.vpcs"), "id", vpc), "cidr"));
}

const struct ck_val *ck_facts_subnet(const struct ck_facts *f, const char *cloud,
                                     const char *subnet)
{
    const struct ck_val *list = ck_get(ck_get(f->root, cloud), "subnets");
    const struct ck_val *s = find_by(list, "id", subnet);
    return s ? s : find_by(list, "name", subnet);
}

const char *ck_facts_project(const struct ck_facts *f)
{
    return text_or_null(ck_at(f->root, "gce.project"));
}

/* Amazon marks its own processor with a "g" after the generation (m6g, c7gn, t4g; first was a1);
 * Google's families are t2a, c4a, n4a; Azure puts a "p" into the feature letters. */
static bool arm_by_name(const char *cloud, const char *type)
{
    if (strcmp(cloud, "gce") == 0)
        return ck_str_starts(type, "t2a-") || ck_str_starts(type, "c4a-") ||
               ck_str_starts(type, "n4a-");
    if (strcmp(cloud, "hetzner") == 0)
        return ck_str_starts(type, "cax");
    if (strcmp(cloud, "scaleway") == 0)
        return ck_str_starts(type, "COPARM");
    if (strcmp(cloud, "aws") != 0)
        return false;
    if (ck_str_starts(type, "a1."))
        return true;
    const char *p = type + strcspn(type, "0123456789.");
    p += strspn(p, "0123456789");
    return *p == 'g';
}

const char *ck_facts_architecture(const struct ck_facts *f, const char *cloud,
                                  const char *machine_type)
{
    const struct ck_val *archs =
        ck_get(ck_get(ck_get(ck_get(f->root, cloud), "instanceTypes"), machine_type), "arch");
    if (archs)
        return ck_list_has_str(archs, "arm64") && !ck_list_has_str(archs, "x86_64") ? "arm64"
                                                                                    : "amd64";
    return arm_by_name(cloud, machine_type) ? "arm64" : "amd64";
}
