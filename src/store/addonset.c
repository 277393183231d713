/* Additional objects of a cluster: S/N/clusteraddons/default, several YAML documents in one file.
 *
 * Mirrors kOps pkg/client/simple/vfsclientset/addons.go. */
#include "store/internal.h"

enum { MAX_BYTES = 16 << 20 };

static bool is_blank(struct ck_slice s)
{
    struct ck_slice t = ck_slice_trim(s);
    return t.len == 0;
}

static int read_file(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                     struct ck_path *ret_path, struct ck_slice *ret, struct ck_version *ret_version,
                     struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_BYTES);
    int r = ck_layout_addons(a, s, cluster, ret_path, err);
    if (!r)
        r = ck_vfs_read(ret_path, &b, ret_version, err);
    if (!r)
        *ret = ck_arena_slice(a, ck_buf_slice(&b));
    return r;
}

int ck_addons_read(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                   struct ck_object **ret, size_t *ret_n, struct ck_err *err)
{
    struct ck_path path;
    struct ck_slice text = {0};
    *ret = NULL;
    *ret_n = 0;
    int r = read_file(a, s, cluster, &path, &text, NULL, err);
    if (r == -CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r)
        return ck_wrap(err, "error reading addons of \"%s\"", cluster);
    const char *file = ck_path_text(a, &path);
    struct ck_section *sections;
    size_t n = ck_manifest_split(a, text, &sections);
    struct ck_object *v = ck_arena_alloc(a, (n + 1) * sizeof *v);
    for (size_t i = 0; i < n; i++) {
        if (is_blank(sections[i].text))
            continue;
        struct ck_decode_opts opts = {.file = file,
                                      .line_offset = sections[i].line_offset,
                                      .lenient = true,
                                      .warn = s->warn,
                                      .warn_arg = s->warn_arg};
        if (ck_object_decode(a, sections[i].text, &opts, &v[*ret_n], err))
            return ck_wrap(err, "error parsing addons in %s", file);
        v[(*ret_n)++].file = file;
    }
    *ret = v;
    return 0;
}

int ck_addons_prepare(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                      const struct ck_object *addons, size_t n, struct ck_batch *b,
                      struct ck_err *err)
{
    struct ck_path path;
    struct ck_slice before = {0};
    struct ck_version version;
    int r = read_file(a, s, cluster, &path, &before, &version, err);
    if (r && r != -CK_NOT_FOUND)
        return ck_wrap(err, "error reading addons of \"%s\"", cluster);
    ck_err_done(err);
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    for (size_t i = 0; i < n; i++) {
        if (i)
            ck_buf_puts(&text, "\n---\n\n");
        ck_object_yaml(a, &text, &addons[i]);
    }
    struct ck_batch_item *it = ck_batch_add(a, b);
    it->what = ck_arena_printf(a, "additional objects of \"%s\"", cluster);
    it->path = path;
    if (ck_buf_ok(&text))
        it->data = ck_arena_slice(a, ck_buf_slice(&text));
    if (!r) {
        it->replaces = true;
        it->version = version;
        it->before = before;
    }
    return 0;
}

int ck_addons_write(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                    const struct ck_object *addons, size_t n, struct ck_err *err)
{
    struct ck_batch b = {0};
    int r = ck_addons_prepare(a, s, cluster, addons, n, &b, err);
    return r ? r : ck_batch_commit(a, s, &b, NULL, err);
}
