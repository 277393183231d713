/* Reading the files given with -f.
 *
 * All files are read and decoded before the caller does anything with them, unlike kOps, which
 * applies earlier documents before it looks at later ones (cmd/kops/create.go). */
#include "ops/manifest.h"

#include "base/file.h"

#include <unistd.h>

enum { MAX_FILE_BYTES = 16 << 20, MAX_OBJECTS = 20000 };

static int read_file(const struct ck_store *s, const char *file, struct ck_buf *out,
                     struct ck_err *err)
{
    if (strcmp(file, "-") == 0)
        return ck_fd_read_all(STDIN_FILENO, MAX_FILE_BYTES, out, err);
    int r = ck_vfs_read_location(s->vfs, file, out, err);
    if (r == -CK_NOT_FOUND)
        return ck_fail(err, CK_NOT_FOUND, "file does not exist");
    return r;
}

static void add(struct ck_arena *a, struct ck_inputs *l, const struct ck_object *o,
                const char *file)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 16;
        struct ck_input *v = ck_arena_alloc(a, cap * sizeof *v);
        if (l->n)
            memcpy(v, l->v, l->n * sizeof *v);
        l->v = v;
        l->cap = cap;
    }
    l->v[l->n++] = (struct ck_input){*o, file};
}

/* Names become paths and C strings: a NUL inside would cut them short. */
static bool holds_nul(const struct ck_val *v)
{
    if (v->kind == CK_STR)
        return memchr(v->s.ptr, 0, v->s.len) != NULL;
    if (v->kind == CK_LIST)
        for (uint32_t i = 0; i < v->list.n; i++)
            if (holds_nul(v->list.v[i]))
                return true;
    if (v->kind == CK_MAP)
        for (uint32_t i = 0; i < v->map.n; i++)
            if (memchr(v->map.v[i].key.ptr, 0, v->map.v[i].key.len) || holds_nul(v->map.v[i].val))
                return true;
    return false;
}

/* Who is told of objects that cannot be decoded; `tell` NULL: they end the reading. */
struct listener {
    void (*tell)(void *arg, const char *file, const char *message);
    void *arg;
};

static int decode_section(struct ck_arena *a, const struct ck_store *s, const char *file,
                          const struct ck_section *section, struct ck_object *ret,
                          struct ck_err *err)
{
    struct ck_decode_opts opts = {
        .file = file,
        .line_offset = section->line_offset,
        .lenient = s->lenient,
        .warn = s->warn,
        .warn_arg = s->warn_arg,
    };
    int r = ck_object_decode(a, section->text, &opts, ret, err);
    if (r)
        return r;
    if (holds_nul(ret->root))
        return ck_fail(err, CK_INVALID, "%s \"%s\" holds a NUL character",
                       ck_str_at(ret->root, "kind"), ck_object_name(ret));
    ret->file = file;
    return 0;
}

static int decode_file(struct ck_arena *a, const struct ck_store *s, const char *file,
                       struct ck_slice text, const struct listener *l, struct ck_inputs *ret,
                       struct ck_err *err)
{
    struct ck_section *sections;
    size_t n = ck_manifest_split(a, text, &sections);
    if (n > MAX_OBJECTS - ret->n)
        return ck_fail(err, CK_LIMIT, "more than %d objects", MAX_OBJECTS);
    for (size_t i = 0; i < n; i++) {
        struct ck_object o;
        CK_AUTOERR e = CK_ERR_INIT;
        int r = decode_section(a, s, file, &sections[i], &o, &e);
        if (!r)
            add(a, ret, &o, file);
        else if (l->tell)
            l->tell(l->arg, file, ck_err_msg(&e));
        else
            return ck_err_move(err, &e);
    }
    return 0;
}

static int read_files(struct ck_arena *a, const struct ck_store *s, const struct ck_strv *files,
                      const char *lead, const struct listener *l, struct ck_inputs *ret,
                      struct ck_err *err)
{
    *ret = (struct ck_inputs){0};
    for (size_t i = 0; i < files->n; i++) {
        const char *file = ck_arena_strdup(a, files->v[i]);
        CK_AUTOBUF struct ck_buf text = CK_BUF_MAX(MAX_FILE_BYTES);
        if (read_file(s, file, &text, err))
            return ck_wrap(err, "%sreading file \"%s\"", lead, ck_location_shown(file));
        /* positions in the tree do not borrow from the text, but slices may */
        struct ck_slice kept = ck_arena_slice(a, ck_buf_slice(&text));
        if (decode_file(a, s, file, kept, l, ret, err))
            return ck_wrap(err, "%sparsing file \"%s\"", lead, file);
    }
    return 0;
}

int ck_inputs_read(struct ck_arena *a, const struct ck_store *s, const struct ck_strv *files,
                   const char *lead, struct ck_inputs *ret, struct ck_err *err)
{
    return read_files(a, s, files, lead, &(struct listener){NULL, NULL}, ret, err);
}

int ck_inputs_read_good(struct ck_arena *a, const struct ck_store *s, const struct ck_strv *files,
                        void (*bad)(void *arg, const char *file, const char *message), void *arg,
                        struct ck_inputs *ret, struct ck_err *err)
{
    return read_files(a, s, files, "error ", &(struct listener){bad, arg}, ret, err);
}

const char *ck_object_gvk(struct ck_arena *a, const struct ck_object *o)
{
    const char *version = ck_str_at(o->root, "apiVersion");
    return ck_arena_printf(a, "%s%s, Kind=%s", strchr(version, '/') ? "" : "/", version,
                           ck_str_at(o->root, "kind"));
}
