/* Notation of defaults, merging, image names. Decides nothing about the cluster. Mirrors kOps
 * util/pkg/reflectutils (JSONMergeStruct) and pkg/assets/builder.go (RemapImage). */
#include "spec/populate/pop.h"

#include <stdarg.h>
#include <string.h>

static bool is_set(const struct ck_val *v)
{
    return !ck_is_null(v) && !ck_is_str(v, "");
}

static struct ck_val *value_of(struct ck_arena *a, const struct ck_dflt *d)
{
    switch (d->kind) {
    case CK_BOOL:
        return ck_bool(a, d->i != 0);
    case CK_INT:
        return ck_int(a, d->i);
    default:
        return ck_str(a, d->s);
    }
}

void ck_pop_defaults(struct ck_pop *p, struct ck_val *map, const struct ck_dflt *d, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_set(ck_at(map, d[i].path)))
            ck_put(p->a, map, d[i].path, value_of(p->a, &d[i]));
}

void ck_pop_always(struct ck_pop *p, struct ck_val *map, const struct ck_dflt *d, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_put(p->a, map, d[i].path, value_of(p->a, &d[i]));
}

void ck_pop_str(struct ck_pop *p, struct ck_val *map, const char *path, const char *s)
{
    if (*s)
        ck_pop_defaults(p, map, &(struct ck_dflt)CK_DS(path, s), 1);
}

void ck_pop_int(struct ck_pop *p, struct ck_val *map, const char *path, int64_t i)
{
    ck_pop_defaults(p, map, &(struct ck_dflt)CK_DI(path, i), 1);
}

void ck_pop_bool(struct ck_pop *p, struct ck_val *map, const char *path, bool b)
{
    ck_pop_defaults(p, map, &(struct ck_dflt)CK_DB(path, b), 1);
}

bool ck_pop_is(const struct ck_pop *p, const char *cloud)
{
    return !strcmp(p->cloud, cloud);
}

bool ck_pop_has(const struct ck_pop *p, const char *path)
{
    return !ck_is_null(ck_at(p->spec, path));
}

const char *ck_pop_spec(const struct ck_pop *p, const char *path)
{
    return ck_str_at(p->spec, path);
}

struct ck_val *ck_pop_list(struct ck_pop *p, const char *const *items, size_t n)
{
    struct ck_val *list = ck_list(p->a);
    for (size_t i = 0; i < n; i++)
        ck_append_str(p->a, list, items[i]);
    return list;
}

/* A first part with a dot or colon, or a second slash, says that the name starts with a host. */
static const char *behind_proxy(struct ck_arena *a, const char *proxy, const char *image)
{
    size_t n = strlen(proxy), first = strcspn(image, "/");
    if (n && proxy[n - 1] == '/')
        n--;
    const char *slash = image[first] ? image + first : NULL;
    bool has_host =
        memchr(image, '.', first) || memchr(image, ':', first) || (slash && strchr(slash + 1, '/'));
    return ck_arena_printf(a, "%.*s%s%s", (int)n, proxy, has_host && slash ? "" : "/",
                           has_host && slash ? slash : image);
}

static const char *in_registry(struct ck_arena *a, const char *registry, const char *image)
{
    static const char usual[] = "registry.k8s.io/";
    size_t n = strlen(registry);
    if (ck_str_starts(image, usual))
        image += sizeof usual - 1;
    if (!strncmp(image, registry, n) && image[n] == '/')
        image += n + 1;
    char *name = ck_arena_strdup(a, image);
    for (char *c = name; *c; c++)
        if (*c == '/')
            *c = '-';
    return ck_arena_printf(a, "%s/%s", registry, name);
}

const char *ck_populate_image(struct ck_arena *a, const struct ck_val *assets, const char *image)
{
    const char *proxy = ck_str_at(assets, "containerProxy");
    const char *registry = ck_str_at(assets, "containerRegistry");
    if (*proxy)
        image = behind_proxy(a, proxy, image);
    return *registry ? in_registry(a, registry, image) : image;
}

const char *ck_pop_image(struct ck_pop *p, const char *image)
{
    image = ck_populate_image(p->a, ck_get(p->spec, "assets"), image);
    const char *digest = p->f->digest ? p->f->digest(p->f->arg, image) : NULL;
    return digest ? ck_arena_printf(p->a, "%s@%s", image, digest) : image;
}

const char *ck_pop_component_image(struct ck_pop *p, const char *name)
{
    return ck_pop_image(p, ck_arena_printf(p->a, "registry.k8s.io/%s:v%s", name, p->version));
}

void ck_pop_skip(struct ck_pop *p, const char *fmt, ...)
{
    struct ck_buf b CK_AUTOBUF = CK_BUF_INIT;
    va_list ap;
    if (!p->f->skipped)
        return;
    va_start(ap, fmt);
    ck_buf_vfmt(&b, fmt, ap);
    va_end(ap);
    p->f->skipped(p->f->arg, ck_buf_str(&b));
}

void ck_pop_merge(struct ck_arena *a, struct ck_val *dest, const struct ck_val *src)
{
    for (size_t i = 0; ck_is_map(src) && i < src->map.n; i++) {
        const struct ck_pair *pair = &src->map.v[i];
        struct ck_val *there = ck_getn(dest, pair->key);
        if (ck_is_map(pair->val) && ck_is_map(there))
            ck_pop_merge(a, there, pair->val);
        else
            ck_setn(a, dest, pair->key, ck_val_clone(a, pair->val));
    }
}

const char *ck_pop_gce_name(struct ck_pop *p)
{
    char *name = ck_arena_strdup(p->a, p->name);
    for (char *c = name; *c; c++)
        if (*c == '.')
            *c = '-';
    return name;
}
