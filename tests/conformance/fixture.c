/* The store under test and short forms of its operations. */
#include "conformance.h"

#include "base/mem.h"

const char *url(void)
{
    return getenv("CK_STORE_URL");
}

bool is(const char *scheme)
{
    return ck_str_starts(url(), scheme);
}

bool object_store(void)
{
    return !is("file://") && strstr(url(), "://") && !is("memfs://");
}

long setting(const char *name, long dflt)
{
    const char *v = getenv(name);
    return v ? strtol(v, NULL, 10) : dflt;
}

void must(int r, struct ck_err *err)
{
    if (r < 0)
        fail_msg("%s: %s", ck_code_name(err->code), ck_err_msg(err));
}

void open_store(struct store *s, const char *folder)
{
    *s = (struct store){.a = ck_arena_new()};
    ck_env_from_process(&s->env);
    s->ctx = (struct ck_vfs_ctx){
        .env = &s->env, .arena = s->a, .timeout_ms = setting("CK_TIMEOUT_MS", 0)};
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_path top;
    must(ck_vfs_parse(&s->ctx, url(), &top, &err), &err);
    must(ck_path_join(s->a, &top, folder, &s->root, &err), &err);
}

void close_store(struct store *s)
{
    ck_vfs_ctx_done(&s->ctx);
    ck_env_done(&s->env);
    ck_arena_free(s->a);
}

int setup(void **state)
{
    static unsigned n;
    struct store *s = ck_xcalloc(1, sizeof *s);
    char folder[64];
    snprintf(folder, sizeof folder, "t%ld-%u", (long)getpid(), n++);
    open_store(s, folder);
    *state = s;
    return 0;
}

int teardown(void **state)
{
    struct store *s = *state;
    ck_vfs_remove_tree(&s->root, NULL);
    close_store(s);
    free(s);
    return 0;
}

struct ck_path at(struct store *s, const char *key)
{
    struct ck_path p;
    CK_AUTOERR err = CK_ERR_INIT;
    must(ck_path_join(s->a, &s->root, key, &p, &err), &err);
    return p;
}

int put(struct store *s, const char *key, const char *text, enum ck_write_mode mode,
        const struct ck_version *version, struct ck_version *ret)
{
    struct ck_path p = at(s, key);
    CK_AUTOERR err = CK_ERR_INIT;
    const struct ck_write_opts o = {.mode = mode, .version = version};
    int r = ck_vfs_write(&p, ck_slice_of(text), &o, ret, &err);
    if (r < 0 && err.code != CK_EXISTS && err.code != CK_CONFLICT)
        printf("  %.60s: %.600s\n", key, ck_err_msg(&err));
    return r;
}

void has(struct store *s, const char *key, const char *want, struct ck_version *ret)
{
    struct ck_path p = at(s, key);
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    must(ck_vfs_read(&p, &b, ret, &err), &err);
    assert_string_equal(ck_buf_str(&b), want);
}

int get(struct store *s, const char *key)
{
    struct ck_path p = at(s, key);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    return ck_vfs_read(&p, &b, NULL, &err);
}

void lists(struct store *s, enum what what, const char *key, const char *want)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_path p = at(s, key);
    struct ck_entries e = {0};
    int r = what == LIST   ? ck_vfs_list(&p, a, &e, &err)
            : what == DIRS ? ck_vfs_list_dirs(&p, a, &e, &err)
                           : ck_vfs_tree(&p, a, &e, &err);
    must(r, &err);
    for (size_t i = 0; i < e.n; i++)
        ck_buf_fmt(&b, "%s%s", i ? " " : "", e.v[i].name);
    assert_string_equal(ck_buf_str(&b), want);
}
