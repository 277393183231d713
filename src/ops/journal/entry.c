/* One entry as a file: a line of JSON that describes it, then its contents as gzip. Entries are
 * read back without trust: whoever can write to the store can write them. */
#include "ops/journal/internal.h"

#include "base/gzip.h"
#include "doc/json.h"

#include <string.h>

static const char FORMAT[] = "ckops journal 1";

void ck_journal_encode(const struct ck_journal_entry *e, struct ck_slice contents,
                       struct ck_buf *out)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf time = CK_BUF_INIT;
    struct ck_val *m = ck_map(a), *files = ck_list(a), *kept = ck_list(a);
    ck_journal_put_time(&time, e->from_ns);
    ck_set_str(a, m, "format", FORMAT);
    ck_set_str(a, m, "id", e->id);
    ck_set_str(a, m, "cluster", e->cluster);
    ck_set_str(a, m, "time", ck_buf_str(&time));
    ck_set_int(a, m, "from", e->from_ns);
    ck_set_int(a, m, "to", e->to_ns);
    ck_set_str(a, m, "user", e->user);
    ck_set_str(a, m, "host", e->host);
    ck_set_str(a, m, "command", e->command);
    if (e->snapshot)
        ck_set_bool(a, m, "snapshot", true);
    for (size_t i = 0; i < e->n_files; i++) {
        struct ck_val *f = ck_map(a);
        ck_set_str(a, f, "path", e->files[i].path);
        ck_set_int(a, f, "at", e->files[i].at_ns);
        ck_set_str(a, f, "before", e->files[i].before);
        ck_set_str(a, f, "after", e->files[i].after);
        ck_append(a, files, f);
    }
    ck_set(a, m, "files", files);
    for (size_t i = 0; i < e->n_contents; i++) {
        struct ck_val *c = ck_map(a);
        ck_set_str(a, c, "sha256", e->contents[i].sha);
        ck_set_int(a, c, "size", e->contents[i].size);
        ck_append(a, kept, c);
    }
    ck_set(a, m, "contents", kept);
    ck_json_emit(out, m, (struct ck_json_style){.order = CK_JSON_AS_IS, .raw_html = true});
    ck_buf_putc(out, '\n');
    ck_gzip(out, contents);
}

/* Text that goes to terminals. */
static const char *plain(struct ck_arena *a, const struct ck_val *m, const char *key)
{
    char *s = ck_arena_strdup(a, ck_str_at(m, key));
    for (char *p = s; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    return s;
}

static bool sha_ok(const char *s, bool empty_too)
{
    if (!*s)
        return empty_too;
    return strlen(s) == CK_JOURNAL_SHA && strspn(s, "0123456789abcdef") == CK_JOURNAL_SHA;
}

static bool read_files(struct ck_arena *a, const struct ck_val *l, struct ck_journal_entry *e)
{
    e->n_files = ck_len(l);
    e->files = ck_arena_alloc(a, (e->n_files + 1) * sizeof *e->files);
    for (size_t i = 0; i < e->n_files; i++) {
        const struct ck_val *f = ck_item(l, i);
        e->files[i] = (struct ck_journal_file){.path = ck_str_at(f, "path"),
                                               .before = ck_str_at(f, "before"),
                                               .after = ck_str_at(f, "after"),
                                               .at_ns = ck_int_at(f, "at", -1)};
        const struct ck_journal_file *x = &e->files[i];
        if (!ck_journal_covers(x->path) || !sha_ok(x->before, true) || !sha_ok(x->after, true) ||
            x->at_ns < e->from_ns || x->at_ns > e->to_ns || (i && strcmp(x[-1].path, x->path) >= 0))
            return false;
    }
    return true;
}

static bool read_contents(struct ck_arena *a, const struct ck_val *l, struct ck_journal_entry *e)
{
    int64_t total = 0;
    e->n_contents = ck_len(l);
    e->contents = ck_arena_alloc(a, (e->n_contents + 1) * sizeof *e->contents);
    for (size_t i = 0; i < e->n_contents; i++) {
        const struct ck_val *c = ck_item(l, i);
        struct ck_journal_content *x = &e->contents[i];
        *x = (struct ck_journal_content){ck_str_at(c, "sha256"), ck_int_at(c, "size", -1)};
        if (!sha_ok(x->sha, false) || x->size < 0 || x->size > CK_JOURNAL_TOTAL_MAX - total)
            return false;
        total += x->size;
    }
    return true;
}

int ck_journal_decode(struct ck_arena *a, const char *id, const char *cluster, struct ck_slice data,
                      struct ck_journal_entry *ret, struct ck_slice *ret_packed, struct ck_err *err)
{
    size_t end = ck_slice_find(data, '\n');
    struct ck_val *m = NULL;
    if (end == data.len)
        return ck_fail(err, CK_INVALID, "it is no entry of a journal");
    int r = ck_json_parse(a, ck_slice_n(data.ptr, end), CK_JOURNAL_HEAD_MAX, &m, err);
    if (r < 0)
        return r;
    if (strcmp(ck_str_at(m, "format"), FORMAT) != 0)
        return ck_fail(err, CK_INVALID,
                       "it has another format than \"%s\", which a newer version may know", FORMAT);
    *ret = (struct ck_journal_entry){.id = ck_arena_strdup(a, id),
                                     .cluster = ck_arena_strdup(a, cluster),
                                     .user = plain(a, m, "user"),
                                     .host = plain(a, m, "host"),
                                     .command = plain(a, m, "command"),
                                     .from_ns = ck_int_at(m, "from", -1),
                                     .to_ns = ck_int_at(m, "to", -1),
                                     .snapshot = ck_bool_at(m, "snapshot", false)};
    if (strcmp(ck_str_at(m, "id"), id) != 0 || strcmp(ck_str_at(m, "cluster"), cluster) != 0)
        return ck_fail(err, CK_INVALID, "it says that it is another entry");
    if (ret->from_ns < 0 || ret->to_ns < ret->from_ns || !read_files(a, ck_get(m, "files"), ret) ||
        !read_contents(a, ck_get(m, "contents"), ret))
        return ck_fail(err, CK_INVALID, "what it describes cannot be");
    if (ret_packed)
        *ret_packed = ck_slice_n(data.ptr + end + 1, data.len - end - 1);
    return 0;
}
