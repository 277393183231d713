/* Manifests and store files in: sections of a file, what kind of object one is, its fields checked
 * and brought into v1alpha2 form. Mirrors kOps pkg/kopscodecs and util/pkg/text. */
#include "doc/json.h"
#include "doc/yaml.h"
#include "spec/codec/field.h"

#define SCHEME "pkg/kopscodecs/codecs.go:36" /* part of kOps' message */

size_t ck_manifest_split(struct ck_arena *a, struct ck_slice text, struct ck_section **ret)
{
    /* CRLF → LF */
    char *s = ck_arena_alloc(a, text.len + 1);
    size_t len = 0, n = 1, lines = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '\r' || i + 1 == text.len || text.ptr[i + 1] != '\n')
            s[len++] = text.ptr[i];
    for (const char *p = s; (p = memmem(p, len - (size_t)(p - s), "\n---\n", 5)); p += 5)
        n++;
    struct ck_section *v = ck_arena_alloc(a, n * sizeof *v);
    const char *from = s;
    for (size_t i = 0; i < n; i++) {
        size_t left = len - (size_t)(from - s);
        const char *end = memmem(from, left, "\n---\n", 5);
        v[i].text = ck_slice_n(from, end ? (size_t)(end - from) : left);
        v[i].line_offset = (unsigned)lines;
        for (const char *p = from; end && p < end + 5; p++)
            lines += *p == '\n';
        from = end ? end + 5 : from;
    }
    *ret = v;
    return n;
}

/* ---- which object it is ---- */

struct header {
    struct ck_slice api_version, group, version, kind;
};

static int read_header(const struct ck_val *root, struct header *ret, struct ck_err *err)
{
    *ret = (struct header){.api_version = CK_S(""), .group = CK_S(""), .version = CK_S("")};
    const struct ck_val *kind = ck_get(root, "kind"), *api = ck_get(root, "apiVersion");
    if (ck_is_map(root) && kind && kind->kind != CK_NULL && kind->kind != CK_STR)
        return ck_fail(err, CK_INVALID, "kind is not a string");
    if (!ck_str_or(kind, "")[0]) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(64 << 10);
        if (root)
            ck_json_emit(&b, root, (struct ck_json_style){.order = CK_JSON_SORTED});
        return ck_fail(err, CK_INVALID, "Object 'Kind' is missing in '%s'", ck_buf_str(&b));
    }
    if (api && api->kind != CK_NULL && api->kind != CK_STR)
        return ck_fail(err, CK_INVALID, "apiVersion is not a string");
    ret->kind = kind->s;
    if (api && api->kind == CK_STR) {
        ret->api_version = api->s;
        struct ck_slice rest = api->s;
        size_t slash = ck_slice_find(rest, '/');
        if (slash < rest.len) {
            ret->group = ck_slice_n(rest.ptr, slash);
            ret->version = ck_slice_n(rest.ptr + slash + 1, rest.len - slash - 1);
        } else {
            ret->version = rest;
        }
    }
    return 0;
}

static void put_problems(struct ck_err *err, const struct ck_buf *b)
{
    ck_fail(err, CK_INVALID, "%s", ck_buf_str(b));
}

static int check(struct ck_arena *a, struct ck_val *root, enum ck_object_kind kind, bool v3,
                 const struct ck_decode_opts *opts, struct ck_err *err)
{
    static const struct ck_decode_opts none;
    struct ck_check c = {.arena = a,
                         .opts = opts ? opts : &none,
                         .version = v3 ? "v1alpha3" : "v1alpha2",
                         .kind = kind,
                         .problems = CK_BUF_MAX(256 << 10)};
    ck_check_tree(&c, ck_type_of(kind, v3), root);
    if (c.n_problems)
        put_problems(err, &c.problems);
    ck_buf_done(&c.problems);
    return c.n_problems ? -CK_INVALID : 0;
}

/* `root` is ours to change. */
static int decode_tree(struct ck_arena *a, struct ck_val *root, const struct ck_decode_opts *opts,
                       struct ck_object *ret, struct ck_err *err)
{
    struct header h;
    int rc = read_header(root, &h, err);
    if (rc)
        return rc;
    *ret = (struct ck_object){.kind = CK_KIND_OTHER, .root = root};
    if (opts && opts->file)
        ret->file = ck_arena_strdup(a, opts->file);
    bool legacy = ck_slice_eq_str(h.group, "kops");
    if (!legacy && !ck_slice_eq_str(h.group, "kops.k8s.io"))
        return 0;
    bool v3 = !legacy && ck_slice_eq_str(h.version, "v1alpha3");
    enum ck_object_kind kind = ck_kind_of(h.kind);
    if ((!v3 && !ck_slice_eq_str(h.version, "v1alpha2")) || kind == CK_KIND_OTHER)
        return ck_fail(err, CK_INVALID,
                       "no kind \"%.*s\" is registered for version \"%.*s\" in scheme \"" SCHEME
                       "\"",
                       CK_SARG(h.kind), CK_SARG(h.api_version));
    rc = check(a, root, kind, v3, opts, err);
    if (rc)
        return rc;
    if (v3) {
        rc = ck_spec_from_v3(a, kind, root, &root, err);
        if (rc)
            return rc;
    }
    ck_set(a, root, "apiVersion", ck_str(a, "kops.k8s.io/v1alpha2"));
    rc = ck_spec_refuse(kind, root, opts, err);
    if (rc)
        return rc;
    ck_spec_defaults(a, kind, root);
    ck_spec_canonical(a, kind, root);
    ret->kind = kind;
    ret->root = root;
    return 0;
}

int ck_object_decode(struct ck_arena *a, struct ck_slice section, const struct ck_decode_opts *opts,
                     struct ck_object *ret, struct ck_err *err)
{
    struct ck_yaml_opts yaml = {.strict = !(opts && opts->lenient),
                                .line_offset = opts ? opts->line_offset : 0};
    struct ck_pos at = {0, 0};
    struct ck_val *root = NULL;
    int rc = ck_yaml_parse(a, section, &yaml, &root, &at, err);
    if (rc && at.line) {
        CK_AUTOBUF struct ck_buf pos = CK_BUF_INIT, msg = CK_BUF_INIT;
        ck_put_pos(&pos, opts, at);
        ck_buf_puts(&msg, ck_err_msg(err));
        return ck_fail(err, (enum ck_code) - rc, "%s (%s)", ck_buf_str(&msg), ck_buf_str(&pos));
    }
    return rc ? rc : decode_tree(a, root, opts, ret, err);
}

int ck_object_from_val(struct ck_arena *a, struct ck_val *root, const struct ck_decode_opts *opts,
                       struct ck_object *ret, struct ck_err *err)
{
    return decode_tree(a, ck_val_clone(a, root), opts, ret, err);
}
