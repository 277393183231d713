/* Reading and writing keysets.
 *
 * Keys are kept as they were read, so that a rewrite changes nothing it was not asked to. What is
 * done with keys is in ops/keys/keypair.c. Mirrors kOps upup/pkg/fi/vfs_castore.go and ca.go. */
#include "store/keyset.h"

#include "doc/yaml.h"

#include "store/internal.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "crypto/spki.h"

enum { MAX_KEYSET_BYTES = 4 << 20, MAX_KEYS = 1000, MAX_KEYSETS = 10000 };

struct ck_arena *ck_keyset_arena(void)
{
    ck_mem_set_wipe(); /* what parsers copy on the way goes into other memory */
    struct ck_arena *a = ck_arena_new();
    ck_arena_set_wipe(a);
    return a;
}

static const struct {
    const char *name, *older;
} OLDER_NAMES[] = {{"service-account", "master"}, {"kubernetes-ca", "ca"}};

/* ---- decoding ---- */

static struct ck_slice slice_at(const struct ck_val *item, const char *field)
{
    const struct ck_val *v = ck_get(item, field);
    return v && v->kind == CK_STR ? v->s : (struct ck_slice){"", 0};
}

static int read_cert(struct ck_arena *a, struct ck_keyset_item *it, bool brief, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf pem = CK_BUF_MAX(CK_PKI_MAX_PEM);
    if (!ck_base64_decode(&pem, it->cert_b64) || !ck_buf_ok(&pem))
        return ck_fail(err, CK_INVALID, "publicMaterial is not base64");
    if (brief && ck_cert_der(a, ck_buf_slice(&pem), &it->cert.der))
        return 0;
    return ck_cert_read(a, ck_buf_slice(&pem), &it->cert, err); /* which knows what is wrong */
}

int ck_keyset_item_key(const struct ck_keyset_item *it, struct ck_pki_key **ret, struct ck_err *err)
{
    CK_AUTOSECRET pem = CK_SECRET_MAX(CK_PKI_MAX_PEM);
    *ret = NULL;
    if (!it->has_key)
        return ck_fail(err, CK_NOT_FOUND, "keypair %s has no private key", it->id);
    if (!ck_base64_decode(ck_secret_sink(&pem), ck_secret_ref_view(it->key_b64)) ||
        !ck_secret_ok(&pem))
        return ck_fail(err, CK_INVALID, "privateMaterial is not base64");
    return ck_pki_key_read(ck_secret_view(&pem), ret, err);
}

static int check_key(const struct ck_keyset_item *it, struct ck_err *err)
{
    CK_AUTOPKIKEY struct ck_pki_key *key = NULL;
    return ck_keyset_item_key(it, &key, err);
}

/* A PEM frame around something: all that can be said without decoding it. */
static bool looks_like_key(const struct ck_keyset_item *it)
{
    CK_AUTOSECRET pem = CK_SECRET_MAX(CK_PKI_MAX_PEM);
    if (!ck_base64_decode(ck_secret_sink(&pem), ck_secret_ref_view(it->key_b64)) ||
        !ck_secret_ok(&pem))
        return false;
    struct ck_slice text = ck_secret_view(&pem);
    return memmem(text.ptr, text.len, "PRIVATE KEY-----", 16) &&
           memmem(text.ptr, text.len, "-----END ", 9) &&
           !memmem(text.ptr, text.len, "ENCRYPTED", 9);
}

static int read_item(struct ck_arena *a, const struct ck_val *v, bool brief,
                     struct ck_keyset_item *ret, struct ck_err *err)
{
    *ret = (struct ck_keyset_item){.id = ck_str_at(v, "id"),
                                   .cert_b64 = slice_at(v, "publicMaterial"),
                                   .key_b64 = ck_secret_borrow(slice_at(v, "privateMaterial"))};
    if (!ret->id[0])
        return ck_fail(err, CK_INVALID, "a key has no id");
    struct ck_slice stamp = slice_at(v, "distrustTimestamp");
    ret->distrusted = stamp.len > 0;
    if (stamp.len && !ck_rfc3339_parse(stamp, &ret->distrusted_s))
        return ck_fail(err, CK_INVALID, "key \"%s\": distrustTimestamp is not a time", ret->id);
    ret->has_cert = ret->cert_b64.len > 0;
    ret->has_key = ck_secret_ref_view(ret->key_b64).len > 0;
    int r = ret->has_cert ? read_cert(a, ret, brief, err) : 0;
    if (!r && ret->has_key && !(brief && looks_like_key(ret)))
        r = check_key(ret, err);
    return r ? ck_wrap(err, "key \"%s\"", ret->id) : 0;
}

static int insert(struct ck_arena *a, struct ck_keyset *k, struct ck_keyset_item *it,
                  struct ck_err *err)
{
    if (ck_keyset_find(k, it->id))
        return ck_fail(err, CK_EXISTS, "keyset \"%s\" has a keypair with id %s already", k->name,
                       it->id);
    if (k->n == MAX_KEYS)
        return ck_fail(err, CK_LIMIT, "keyset \"%s\" has %d keypairs already", k->name, MAX_KEYS);
    if (k->n == k->cap) {
        k->cap = k->cap ? k->cap * 2 : 4;
        struct ck_keyset_item **v = ck_arena_alloc(a, k->cap * sizeof(*v));
        if (k->n)
            memcpy(v, k->v, k->n * sizeof(*v));
        k->v = v;
    }
    size_t at = k->n++;
    for (; at > 0 && ck_pki_id_cmp(k->v[at - 1]->id, it->id) > 0; at--)
        k->v[at] = k->v[at - 1];
    k->v[at] = it;
    return 0;
}

/* The key primaryId names when it is trusted, else the trusted key with the highest number. */
static struct ck_keyset_item *choose_primary(const struct ck_keyset *k, const char *primary_id)
{
    struct ck_keyset_item *named = ck_keyset_find(k, primary_id);
    if (named && !named->distrusted)
        return named;
    for (size_t i = k->n; i-- > 0;)
        if (!k->v[i]->distrusted && ck_pki_id_is_number(k->v[i]->id))
            return k->v[i];
    return NULL;
}

/* v1alpha3 calls it primaryID; such files under the name of v1alpha2 are about. Without it the
 * newest key would be taken for the primary one. "" when there is none. */
static const char *other_spelling(struct ck_arena *a, struct ck_slice data)
{
    struct ck_val *root = NULL;
    if (!memmem(data.ptr, data.len, "primaryID", strlen("primaryID")) ||
        ck_yaml_parse(a, data, NULL, &root, NULL, NULL))
        return "";
    return ck_str_at(root, "spec.primaryID");
}

static int decode(struct ck_arena *a, const struct ck_store *s, struct ck_slice data,
                  struct ck_keyset *k, struct ck_err *err)
{
    static const char CURRENT[] = "apiVersion: kops.k8s.io/v1alpha2\n";
    struct ck_path path = k->stored.path;
    int r = ck_stored_decode(a, s, &path, data, CK_KIND_KEYSET, &k->stored, err);
    if (r)
        return r;
    k->stored.bytes = (struct ck_slice){0}; /* borrowed for this call */
    const struct ck_val *spec = ck_object_spec(&k->stored.obj), *keys = ck_get(spec, "keys");
    if (ck_len(keys) > MAX_KEYS)
        r = ck_fail(err, CK_LIMIT, "it has more than %d keys", MAX_KEYS);
    for (size_t i = 0; i < ck_len(keys) && !r; i++) {
        struct ck_keyset_item *it = ck_arena_alloc(a, sizeof *it);
        r = read_item(a, ck_item(keys, i), k->brief, it, err);
        if (!r)
            r = insert(a, k, it, err);
    }
    if (r)
        return ck_wrap(err, "error parsing %s", ck_path_text(a, &path));
    k->legacy = !memmem(data.ptr, data.len, CURRENT, sizeof CURRENT - 1);
    const char *primary = ck_str_at(spec, "primaryId");
    k->primary = choose_primary(k, *primary ? primary : other_spelling(a, data));
    return 0;
}

static int read_at(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                   const char *file_name, struct ck_keyset *k, struct ck_err *err)
{
    struct ck_path path;
    CK_AUTOSECRET b = CK_SECRET_MAX(MAX_KEYSET_BYTES);
    struct ck_version version;
    int r = ck_layout_keyset(a, s, cluster, file_name, &path, err);
    if (!r)
        r = ck_vfs_read(&path, ck_secret_sink(&b), &version, err);
    if (r)
        return r;
    if (!ck_secret_ok(&b))
        return ck_fail(err, CK_LIMIT, "%s is larger than 4 MiB", ck_path_text(a, &path));
    k->stored = (struct ck_stored){.path = path};
    r = decode(a, s, ck_secret_view(&b), k, err);
    k->stored.version = version;
    return r;
}

int ck_keyset_read(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                   const char *name, struct ck_keyset *ret, struct ck_err *err)
{
    *ret = ck_keyset_new(a, name);
    int r = read_at(a, s, cluster, name, ret, err);
    ret->exists = !r;
    for (size_t i = 0; i < CK_ARRAY_LEN(OLDER_NAMES) && r == -CK_NOT_FOUND; i++) {
        if (strcmp(name, OLDER_NAMES[i].name) != 0)
            continue;
        r = read_at(a, s, cluster, OLDER_NAMES[i].older, ret, err);
        ret->legacy = true;
        break;
    }
    if (r == -CK_NOT_FOUND)
        return ck_fail(err, CK_NOT_FOUND, "keyset not found");
    if (!r)
        ck_err_done(err);
    return r ? ck_wrap(err, "error reading keyset \"%s\"", name) : 0;
}

/* ---- several at once ---- */

struct naming {
    struct ck_arena *a;
    const struct ck_store *s;
    struct ck_keyset *v;
};

static int named_arrived(void *arg, size_t i, struct ck_slice data,
                         const struct ck_version *version, struct ck_err *item_err)
{
    struct naming *x = arg;
    struct ck_keyset *k = &x->v[i];
    if (item_err->code == CK_NOT_FOUND)
        return 0;
    int r = -(int)item_err->code;
    if (!r && data.len > MAX_KEYSET_BYTES)
        r = ck_fail(item_err, CK_LIMIT, "it is larger than 4 MiB");
    if (!r)
        r = decode(x->a, x->s, data, k, item_err);
    if (r)
        return ck_wrap(item_err, "error reading keyset \"%s\"", k->name);
    k->stored.version = *version;
    k->exists = true;
    return 0;
}

static bool has_older_name(const char *name)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(OLDER_NAMES); i++)
        if (strcmp(name, OLDER_NAMES[i].name) == 0)
            return true;
    return false;
}

int ck_keyset_read_named(struct ck_arena *a, const struct ck_store *s,
                         const struct ck_object *cluster, const char *const *names, size_t n,
                         bool brief, struct ck_keyset *ret, struct ck_err *err)
{
    struct ck_path dir;
    const char **keys = ck_arena_alloc(a, (n + 1) * sizeof *keys);
    int r = ck_layout_keyset(a, s, cluster, NULL, &dir, err);
    for (size_t i = 0; i < n && !r; i++) {
        ret[i] = ck_keyset_new(a, names[i]);
        ret[i].brief = brief;
        r = ck_layout_keyset(a, s, cluster, names[i], &ret[i].stored.path, err);
        keys[i] = ret[i].stored.path.key;
    }
    struct naming x = {a, s, ret};
    if (!r)
        r = ck_vfs_read_many(&dir, keys, n, named_arrived, &x, err);
    for (size_t i = 0; i < n && !r; i++) {
        if (ret[i].exists || !has_older_name(names[i]))
            continue;
        r = ck_keyset_read(a, s, cluster, names[i], &ret[i], err);
        if (r == -CK_NOT_FOUND) {
            ck_err_done(err);
            r = 0;
        }
    }
    return r;
}

/* ---- listing ---- */

/* NAME of an entry called exactly NAME/keyset.yaml; NULL for others. */
static const char *keyset_of(struct ck_arena *a, const struct ck_entry *e)
{
    struct ck_slice rel = ck_slice_of(e->name);
    size_t n = ck_slice_find(rel, '/');
    if (n == 0 || n == rel.len || strcmp(e->name + n, "/keyset.yaml") != 0)
        return NULL;
    return ck_arena_strndup(a, e->name, n);
}

static int find_all(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                    struct ck_path *ret_dir, struct ck_entries *ret, const char ***ret_names,
                    struct ck_err *err)
{
    struct ck_entries all = {0};
    int r = ck_layout_keyset(a, s, cluster, NULL, ret_dir, err);
    if (r)
        return r;
    if (ck_vfs_tree(ret_dir, a, &all, err)) {
        ck_wrap(err, "error reading directory \"%s\"", ck_path_text(a, ret_dir));
        return ck_wrap(err, "error listing Keysets");
    }
    if (all.n > MAX_KEYSETS)
        return ck_fail(err, CK_LIMIT, "there are more than %d files in %s", MAX_KEYSETS,
                       ck_path_text(a, ret_dir));
    const char **names = ck_arena_alloc(a, (all.n + 1) * sizeof *names);
    *ret = (struct ck_entries){0};
    for (size_t i = 0; i < all.n; i++) {
        const char *name = keyset_of(a, &all.v[i]);
        if (!name)
            continue;
        names[ret->n] = name;
        ck_entries_add(a, ret, all.v[i]);
    }
    *ret_names = names;
    return 0;
}

void ck_keyset_list_follows(struct ck_arena *a, const struct ck_store *s, const char *cluster)
{
    struct ck_path config, dir;
    CK_AUTOERR ignored = CK_ERR_INIT;
    int r = ck_layout_config(a, s, cluster, &config, &ignored);
    if (r == 0)
        r = ck_layout_cluster(a, s, cluster, &dir, &ignored);
    if (r == 0)
        r = ck_path_join(a, &dir, "pki/private", &dir, &ignored);
    if (r == 0)
        ck_vfs_tree_follows(&config, &dir);
}

int ck_keyset_names(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                    struct ck_strv *ret, struct ck_err *err)
{
    struct ck_path dir;
    struct ck_entries e;
    const char **names;
    int r = find_all(a, s, cluster, &dir, &e, &names, err);
    for (size_t i = 0; i < e.n && !r; i++)
        ck_strv_push(ret, names[i]);
    if (!r)
        ck_strv_sort(ret);
    return r;
}

struct reading {
    struct ck_arena *a;
    const struct ck_store *s;
    struct ck_keyset *v;
    bool *read;
};

static int arrived(void *arg, size_t i, struct ck_slice data, const struct ck_version *version,
                   struct ck_err *item_err)
{
    struct reading *x = arg;
    struct ck_keyset *k = &x->v[i];
    int r = -(int)item_err->code;
    if (!r && data.len > MAX_KEYSET_BYTES)
        r = ck_fail(item_err, CK_LIMIT, "it is larger than 4 MiB");
    if (!r)
        r = decode(x->a, x->s, data, k, item_err);
    if (!r) {
        k->stored.version = *version;
        k->exists = x->read[i] = true;
        return 0;
    }
    if (item_err->code != CK_NOT_FOUND && item_err->code != CK_INVALID &&
        item_err->code != CK_LIMIT && item_err->code != CK_EXISTS)
        return r; /* an incomplete list would mislead */
    if (item_err->code != CK_NOT_FOUND)
        x->s->warn(x->s->warn_arg, ck_arena_printf(x->a, "ignoring keyset \"%s\": %s", k->name,
                                                   ck_err_msg(item_err)));
    return 0;
}

static int by_name(const void *x, const void *y)
{
    const struct ck_keyset *a = x, *b = y;
    return strcmp(a->name, b->name);
}

int ck_keyset_list(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                   struct ck_keyset **ret, size_t *ret_n, struct ck_err *err)
{
    struct ck_path dir;
    struct ck_entries e;
    const char **names;
    *ret = NULL;
    *ret_n = 0;
    int r = find_all(a, s, cluster, &dir, &e, &names, err);
    if (r)
        return r;
    const char **keys = ck_arena_alloc(a, (e.n + 1) * sizeof *keys);
    struct reading x = {a, s, ck_arena_alloc(a, (e.n + 1) * sizeof *x.v),
                        ck_arena_alloc(a, e.n + 1)};
    for (size_t i = 0; i < e.n; i++) {
        keys[i] = e.v[i].key;
        x.v[i] = ck_keyset_new(a, names[i]);
        x.v[i].stored.path = (struct ck_path){dir.vfs, keys[i]};
    }
    r = ck_vfs_read_many(&dir, keys, e.n, arrived, &x, err);
    if (r)
        return ck_wrap(err, "error listing Keysets");
    for (size_t i = 0; i < e.n; i++)
        if (x.read[i])
            x.v[(*ret_n)++] = x.v[i];
    qsort(x.v, *ret_n, sizeof *x.v, by_name);
    *ret = x.v;
    return 0;
}

/* ---- changing ---- */

struct ck_keyset ck_keyset_new(struct ck_arena *a, const char *name)
{
    return (struct ck_keyset){.name = ck_arena_strdup(a, name)};
}

struct ck_keyset_item *ck_keyset_find(const struct ck_keyset *k, const char *id)
{
    for (size_t i = 0; i < k->n; i++)
        if (strcmp(k->v[i]->id, id) == 0)
            return k->v[i];
    return NULL;
}

static struct ck_slice base64_of(struct ck_arena *a, struct ck_slice text)
{
    CK_AUTOSECRET b = CK_SECRET_INIT;
    ck_base64_encode(ck_secret_sink(&b), text.ptr, text.len);
    return ck_arena_slice(a, ck_secret_view(&b));
}

int ck_keyset_add(struct ck_arena *a, struct ck_keyset *k, const char *id, struct ck_slice cert_pem,
                  struct ck_slice key_pem, struct ck_keyset_item **ret, struct ck_err *err)
{
    struct ck_keyset_item *it = ck_arena_alloc(a, sizeof *it);
    it->id = ck_arena_strdup(a, id);
    it->has_cert = cert_pem.len > 0;
    it->has_key = key_pem.len > 0;
    int r = it->has_cert ? ck_cert_read(a, cert_pem, &it->cert, err) : 0;
    if (!r)
        r = insert(a, k, it, err);
    if (r)
        return r;
    it->cert_b64 = base64_of(a, cert_pem);
    it->key_b64 = ck_secret_borrow(base64_of(a, key_pem));
    *ret = it;
    return 0;
}

static int check(const struct ck_keyset *k, struct ck_err *err)
{
    const struct ck_keyset_item *p = k->primary;
    if (!p)
        return ck_fail(err, CK_INVALID, "keyset must have a primary key");
    const char *why = ck_keyset_find(k, p->id) != p ? "not present in items"
                      : p->distrusted               ? "must not be distrusted"
                      : !p->has_key                 ? "must have a private key"
                      : !p->has_cert                ? "must have a certificate"
                                                    : NULL;
    return why ? ck_fail(err, CK_INVALID, "keyset's primary id \"%s\" %s", p->id, why) : 0;
}

/* Private keys are kept away from the general writer, whose library leaves copies behind: it gets
 * a mark for each, which nobody can guess. */
struct mark {
    char text[2 * 16 + 2];
};

static struct mark new_mark(void)
{
    unsigned char random[16];
    struct mark m;
    ck_random(random, sizeof random);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_putc(&b, 'k');
    ck_hex_encode(&b, random, sizeof random);
    memcpy(m.text, b.ptr, sizeof m.text);
    return m;
}

static void put_keys(const struct ck_keyset *k, const struct mark *mark, struct ck_slice text,
                     struct ck_buf *out)
{
    const char *p = text.ptr, *end = p + text.len, *at;
    size_t i = 0, len = strlen(mark->text);
    while ((at = memmem(p, (size_t)(end - p), mark->text, len))) {
        while (!k->v[i]->has_key)
            i++;
        ck_buf_putn(out, p, (size_t)(at - p));
        ck_buf_put(out, ck_secret_ref_view(k->v[i++]->key_b64));
        p = at + len;
    }
    ck_buf_putn(out, p, (size_t)(end - p));
}

static struct ck_object build(struct ck_arena *a, const struct ck_keyset *k,
                              const struct mark *mark)
{
    struct ck_object o = k->stored.obj.root ? ck_object_clone(a, &k->stored.obj)
                                            : ck_object_new(a, CK_KIND_KEYSET, k->name);
    ck_put(a, o.root, "metadata.name", ck_str(a, k->name));
    struct ck_val *spec = ck_ensure_map(a, o.root, "spec"), *keys = ck_list(a);
    for (size_t i = 0; i < k->n; i++) {
        const struct ck_keyset_item *it = k->v[i];
        struct ck_val *m = ck_map(a);
        ck_set_str(a, m, "id", it->id);
        if (it->distrusted) {
            char stamp[21];
            ck_rfc3339(it->distrusted_s, stamp);
            ck_set_str(a, m, "distrustTimestamp", stamp);
        }
        if (it->has_cert)
            ck_set(a, m, "publicMaterial", ck_strn(a, it->cert_b64));
        if (it->has_key)
            ck_set_str(a, m, "privateMaterial", mark->text);
        ck_append(a, keys, m);
    }
    ck_set(a, spec, "keys", keys);
    ck_set_str(a, spec, "primaryId", k->primary->id);
    ck_set_str(a, spec, "type", "Keypair");
    return o;
}

static int lost(const struct ck_keyset *k, struct ck_err *err)
{
    return ck_fail(err, CK_CONFLICT,
                   "keyset \"%s\" was changed by someone else since it was read; nothing was "
                   "written, run the command again",
                   k->name);
}

int ck_keyset_write(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                    struct ck_keyset *k, struct ck_err *err)
{
    struct ck_path path;
    int r = check(k, err);
    if (!r && k->stored.obj.root)
        r = ck_stored_check_lossy(a, s, &k->stored, err);
    if (!r)
        r = ck_layout_keyset(a, s, cluster, k->name, &path, err);
    if (r)
        return ck_wrap(err, "error writing keyset \"%s\"", k->name);
    struct mark mark = new_mark();
    struct ck_object o = build(a, k, &mark);
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    CK_AUTOSECRET b = CK_SECRET_INIT;
    ck_object_yaml(a, &text, &o);
    put_keys(k, &mark, ck_buf_slice(&text), ck_secret_sink(&b));
    if (ck_secret_view(&b).len > MAX_KEYSET_BYTES) /* nobody could read it again */
        return ck_fail(err, CK_LIMIT, "keyset \"%s\" would be larger than 4 MiB", k->name);
    struct ck_write_opts opts = {.mode = CK_WRITE_CREATE};
    if (k->exists)
        opts = (struct ck_write_opts){.mode = CK_WRITE_IF_UNCHANGED, .version = &k->stored.version};
    struct ck_version written;
    r = ck_vfs_write(&path, ck_secret_view(&b), &opts, &written, err);
    if (r == -CK_CONFLICT || (r == -CK_EXISTS && !k->exists) || (r == -CK_NOT_FOUND && k->exists))
        return lost(k, err);
    if (r)
        return ck_wrap(err, "error writing keyset \"%s\"", k->name);
    k->exists = true;
    k->stored.obj = o;
    k->stored.path = path;
    k->stored.version = written;
    return 0;
}
