/* Reading what templates need, and putting documents together. Mirrors kOps
 * cmd/kops/toolbox_template.go. */
#include "ops/template/files.h"

#include "doc/yaml.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_FILE = 16 << 20, MAX_FILES = 10000 };

int ck_template_expand(const char *path, struct ck_strv *ret, struct ck_err *err)
{
    struct stat st;
    if (strstr(path, "://") || stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        ck_strv_push(ret, path);
        return 0;
    }
    DIR *d = opendir(path);
    if (!d)
        return ck_fail_errno(err, errno, "open %s", path);
    CK_AUTOSTRV names = {0};
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct dirent *e;
    while (names.n <= MAX_FILES && (e = readdir(d))) {
        ck_buf_reset(&b);
        ck_buf_fmt(&b, "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.' && stat(ck_buf_str(&b), &st) == 0 && S_ISREG(st.st_mode))
            ck_strv_push(&names, ck_buf_str(&b));
    }
    closedir(d);
    if (names.n > MAX_FILES)
        return ck_fail(err, CK_LIMIT, "%s: more than %d files", path, MAX_FILES);
    ck_strv_sort(&names);
    for (size_t i = 0; i < names.n; i++)
        ck_strv_push(ret, names.v[i]);
    return 0;
}

static int expand_all(const struct ck_strv *paths, struct ck_strv *ret, struct ck_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < paths->n; i++)
        r = ck_template_expand(paths->v[i], ret, err);
    return r;
}

static int read_text(struct ck_arena *a, struct ck_vfs_ctx *vfs, const char *path,
                     struct ck_slice *ret, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_FILE);
    int r = ck_vfs_read_location(vfs, path, &b, err);
    if (r == 0 && b.overflow)
        r = ck_fail(err, CK_LIMIT, "the file is larger than 16 MiB");
    if (r == 0)
        *ret = ck_arena_slice(a, ck_buf_slice(&b));
    return r;
}

int ck_template_values(struct ck_arena *a, struct ck_vfs_ctx *vfs, const struct ck_strv *paths,
                       struct ck_val **ret, struct ck_err *err)
{
    CK_AUTOSTRV files = {0};
    int r = expand_all(paths, &files, err);
    *ret = ck_map(a);
    for (size_t i = 0; r == 0 && i < files.n; i++) {
        struct ck_slice text;
        struct ck_val *v = NULL;
        r = read_text(a, vfs, files.v[i], &text, err);
        if (r == 0)
            r = ck_yaml_parse(a, text, NULL, &v, NULL, err);
        if (r == 0 && !ck_is_null(v) && !ck_is_map(v))
            r = ck_fail(err, CK_INVALID, "the values are no map");
        if (r < 0)
            return ck_wrap(err, "unable to parse the configuration file: %s, error", files.v[i]);
        for (size_t k = 0; ck_is_map(v) && k < ck_len(v); k++)
            ck_setn(a, *ret, v->map.v[k].key, v->map.v[k].val);
    }
    return r;
}

int ck_template_snippets(struct ck_arena *a, struct ck_vfs_ctx *vfs, const struct ck_strv *paths,
                         struct ck_snippet **ret, size_t *ret_n, struct ck_err *err)
{
    CK_AUTOSTRV files = {0};
    int r = expand_all(paths, &files, err);
    struct ck_snippet *v = ck_arena_alloc(a, (files.n + 1) * sizeof *v);
    for (size_t i = 0; r == 0 && i < files.n; i++) {
        const char *slash = strrchr(files.v[i], '/');
        v[i].name = ck_arena_strdup(a, slash ? slash + 1 : files.v[i]);
        r = read_text(a, vfs, files.v[i], &v[i].text, err);
        if (r < 0)
            ck_wrap(err, "unable to read snippet: %s, error", files.v[i]);
    }
    *ret = v;
    *ret_n = files.n;
    return r;
}

static const char *find_mark(const char *p, const char *end)
{
    for (; p + 4 <= end; p++)
        if (memcmp(p, "---\n", 4) == 0)
            return p;
    return NULL;
}

/* One document read and written again; kOps writes an empty one as null. */
static int put_formatted(struct ck_arena *a, struct ck_slice text, struct ck_buf *out,
                         struct ck_err *err)
{
    struct ck_val *v = NULL;
    int r = ck_yaml_parse(a, text, NULL, &v, NULL, err);
    if (r < 0)
        return ck_wrap(err, "unable to unmarshall content from template");
    ck_yaml_emit(out, v);
    return 0;
}

/* Append the documents of one rendered text, "---" between them. */
static int put_documents(struct ck_arena *a, struct ck_slice text, bool format, bool first,
                         struct ck_buf *out, struct ck_err *err)
{
    const char *p = text.ptr, *end = text.ptr + text.len;
    for (int r = 0;; first = false) {
        const char *mark = find_mark(p, end);
        struct ck_slice doc = ck_slice_n(p, (size_t)((mark ? mark : end) - p));
        if (!first)
            ck_buf_puts(out, "---\n");
        if (format)
            r = put_formatted(a, doc, out, err);
        else
            ck_buf_put(out, doc);
        if (r < 0 || !mark)
            return r;
        p = mark + 4;
    }
}

int ck_template_documents(struct ck_arena *a, struct ck_vfs_ctx *vfs, const struct ck_strv *paths,
                          const struct ck_val *values, const struct ck_template_opts *o,
                          bool format, struct ck_buf *out, struct ck_err *err)
{
    CK_AUTOSTRV files = {0};
    int r = expand_all(paths, &files, err);
    bool first = true;
    for (size_t i = 0; r == 0 && i < files.n; i++) {
        struct ck_slice text;
        CK_AUTOBUF struct ck_buf rendered = CK_BUF_INIT;
        r = read_text(a, vfs, files.v[i], &text, err);
        if (r < 0)
            return ck_wrap(err, "unable to read template: %s, error", files.v[i]);
        /* each file starts from the same values, whatever the one before did to them */
        r = ck_template_render(a, text, ck_val_clone(a, values), o, &rendered, err);
        if (r < 0)
            return ck_wrap(err, "unable to render template: %s, error", files.v[i]);
        if (!rendered.len)
            continue;
        struct ck_slice kept = ck_arena_slice(a, ck_buf_slice(&rendered));
        r = put_documents(a, kept, format, first, out, err);
        first = false;
    }
    return r;
}
