/* Taking stock of what is secret in a cluster's part of a store.
 *
 * Nothing is judged by its content but certificates, whose dates are public. Who can read an object
 * is what the store says (vfs exposure). */
#include "ops/keys/inventory.h"

#include "base/clock.h"
#include "base/mem.h"
#include "store/secretset.h"

enum { DAY_S = 86400, MOST_FINDINGS = 8 };

struct stock {
    struct ck_arena *a;
    const struct ck_store *s;
    const struct ck_object *cluster;
    const struct ck_inventory_opts *opts;
    struct ck_inventory *out;
    const struct ck_vfs *asked; /* container whose answer holds for all of it */
    struct ck_exposure answer;
};

static void find(struct stock *x, struct ck_inventory_item *it, const char *text)
{
    if (it->n_findings == MOST_FINDINGS)
        return;
    if (!it->findings)
        it->findings = ck_arena_alloc(x->a, MOST_FINDINGS * sizeof(*it->findings));
    it->findings[it->n_findings++] = text;
    x->out->n_findings++;
}

static struct ck_inventory_item *add(struct stock *x, const char *kind, const char *name)
{
    struct ck_inventory *l = x->out;
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        struct ck_inventory_item *v = ck_arena_alloc(x->a, l->cap * sizeof(*v));
        if (l->n)
            memcpy(v, l->v, l->n * sizeof(*v));
        l->v = v;
    }
    struct ck_inventory_item *it = &l->v[l->n++];
    *it = (struct ck_inventory_item){.cluster = ck_object_name(x->cluster),
                                     .kind = kind,
                                     .name = name,
                                     .id = "",
                                     .exposure = {.readers = "", .encryption = ""}};
    return it;
}

/* ---- who can read it ---- */

static int expose(struct stock *x, const struct ck_path *p, struct ck_inventory_item *it,
                  struct ck_err *err)
{
    it->path = ck_path_text(x->a, p);
    if (x->asked != p->vfs) {
        int r = ck_vfs_exposure(p, x->a, &x->answer, err);
        if (r == -CK_NOT_FOUND) { /* removed meanwhile */
            ck_err_done(err);
            return 0;
        }
        if (r)
            return r;
        x->asked = x->answer.of_container ? p->vfs : NULL;
    }
    it->exposure = x->answer;
    if (it->exposure.reach == CK_REACH_EVERYONE)
        find(x, it, "readable by everyone");
    if (it->exposure.reach == CK_REACH_GROUP)
        find(x, it, "readable by a group");
    if (strcmp(it->exposure.encryption, "none") == 0)
        find(x, it, "not encrypted at rest");
    return 0;
}

/* ---- keys ---- */

/* kOps' ids begin with the time they were made at, in nanoseconds. */
static int64_t made_at(const struct ck_keyset_item *it, int64_t now_s)
{
    enum { SHIFT = 32, NS_PER_S = 1000000000, EARLIEST_S = 1262304000, BACKDATED_S = 48 * 3600 };
    unsigned __int128 v = 0;
    for (const char *p = it->id; *p && ck_pki_id_is_number(it->id) && v >> 120 == 0; p++)
        v = v * 10 + (unsigned)(*p - '0');
    int64_t at_s = (int64_t)((v >> SHIFT) / NS_PER_S);
    if (at_s > EARLIEST_S && at_s <= now_s + DAY_S)
        return at_s;
    return it->has_cert ? it->cert.not_before_s : 0;
}

static void judge_dates(struct stock *x, const struct ck_keyset_item *key,
                        struct ck_inventory_item *it)
{
    if (!key->has_cert)
        return;
    int64_t left = key->cert.not_after_s - x->opts->now_s;
    it->expires_s = key->cert.not_after_s;
    if (key->distrusted)
        return; /* nobody relies on it any more */
    if (left <= 0)
        find(x, it, "expired");
    else if (left <= x->opts->warn_s)
        find(x, it, ck_arena_printf(x->a, "expires in %lld days", (long long)(left / DAY_S)));
}

static int add_keyset(struct stock *x, const struct ck_keyset *k, struct ck_err *err)
{
    int r = 0;
    for (size_t i = 0; i < k->n && !r; i++) {
        const struct ck_keyset_item *key = k->v[i];
        struct ck_inventory_item *it = add(x, key->has_key ? "keypair" : "certificate", k->name);
        it->id = key->id;
        it->has_key = key->has_key;
        it->primary = key == k->primary;
        it->distrusted = key->distrusted;
        it->created_s = made_at(key, x->opts->now_s);
        judge_dates(x, key, it);
        if (!k->primary)
            find(x, it, "its keyset has no primary keypair");
        r = expose(x, &k->stored.path, it, err);
    }
    return r;
}

static int add_file(struct stock *x, const struct ck_path *dir, const struct ck_entry *e,
                    const char *finding, struct ck_err *err)
{
    struct ck_inventory_item *it = add(x, "file", e->name);
    struct ck_path p = {dir->vfs, e->key};
    it->created_s = e->mtime_s;
    find(x, it, finding);
    return expose(x, &p, it, err);
}

static const struct ck_keyset *keyset_at(const struct ck_keyset *v, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].stored.path.key, key) == 0)
            return &v[i];
    return NULL;
}

static int add_keys(struct stock *x, struct ck_err *err)
{
    struct ck_path dir;
    struct ck_entries all = {0};
    struct ck_keyset *v = NULL;
    size_t n = 0;
    int r = ck_layout_keyset(x->a, x->s, x->cluster, NULL, &dir, err);
    if (!r)
        r = ck_vfs_tree(&dir, x->a, &all, err);
    if (!r && all.n)
        r = ck_keyset_list(x->a, x->s, x->cluster, &v, &n, err);
    if (r == -CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    for (size_t i = 0; i < all.n && !r; i++) {
        const struct ck_keyset *k = keyset_at(v, n, all.v[i].key);
        if (k)
            r = add_keyset(x, k, err);
        else if (ck_str_ends(all.v[i].name, "/keyset.yaml"))
            r = add_file(x, &dir, &all.v[i], "cannot be read", err);
        else
            r = add_file(x, &dir, &all.v[i], "not used any more, or not of kOps", err);
    }
    return r;
}

/* ---- secrets ---- */

static int add_secrets(struct stock *x, struct ck_err *err)
{
    struct ck_path dir;
    struct ck_entries all = {0};
    int r = ck_layout_secret_store(x->a, x->s, x->cluster, &dir, err);
    if (!r)
        r = ck_vfs_list(&dir, x->a, &all, err);
    if (r == -CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    for (size_t i = 0; i < all.n && !r; i++) {
        struct ck_inventory_item *it = add(x, "secret", all.v[i].name);
        struct ck_path p = {dir.vfs, all.v[i].key};
        it->created_s = all.v[i].mtime_s;
        r = expose(x, &p, it, err);
    }
    return r;
}

/* ---- backups: every secret of the cluster is in them ---- */

static int backup_of(struct stock *x, const struct ck_val *etcd, const char *name,
                     struct ck_path *ret, struct ck_err *err)
{
    struct ck_path base;
    const char *url = ck_str_at(etcd, "backups.backupStore");
    if (url[0])
        return ck_vfs_parse(x->s->vfs, url, ret, err);
    int r = ck_layout_config_base(x->a, x->s, x->cluster, &base, err);
    return r ? r
             : ck_path_join(x->a, &base, ck_arena_printf(x->a, "backups/etcd/%s", name), ret, err);
}

static int add_backup(struct stock *x, const struct ck_val *etcd, struct ck_err *err)
{
    const char *name = ck_str_at(etcd, "name");
    struct ck_path dir;
    struct ck_entries all = {0};
    int r = backup_of(x, etcd, name, &dir, err);
    if (!r)
        r = ck_vfs_tree(&dir, x->a, &all, err);
    if (r == -CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    size_t files = 0, last = 0;
    for (size_t i = 0; i < all.n; i++) {
        if (ck_str_starts(all.v[i].name, "control/"))
            continue; /* commands to etcd-manager */
        files++;
        if (files == 1 || all.v[i].mtime_s > all.v[last].mtime_s)
            last = i;
    }
    if (r || files == 0)
        return r;
    struct ck_inventory_item *it = add(x, "backup", name);
    struct ck_path newest = {dir.vfs, all.v[last].key};
    it->files = files;
    it->created_s = all.v[last].mtime_s;
    r = expose(x, &newest, it, err);
    it->path = ck_path_text(x->a, &dir);
    return r;
}

/* ---- all ---- */

static int by_place(const void *p, const void *q)
{
    const struct ck_inventory_item *a = p, *b = q;
    int c = strcmp(a->cluster, b->cluster);
    c = c ? c : strcmp(a->kind, b->kind);
    c = c ? c : strcmp(a->name, b->name);
    return c ? c : ck_pki_id_cmp(a->id, b->id);
}

int ck_inventory_cluster(struct ck_arena *a, const struct ck_store *s,
                         const struct ck_object *cluster, const struct ck_inventory_opts *opts,
                         struct ck_inventory *ret, struct ck_err *err)
{
    struct stock x = {.a = a, .s = s, .cluster = cluster, .opts = opts, .out = ret};
    const struct ck_val *etcd = ck_get(ck_object_spec(cluster), "etcdClusters");
    int r = add_keys(&x, err);
    if (!r)
        r = add_secrets(&x, err);
    for (size_t i = 0; i < ck_len(etcd) && !r; i++)
        r = add_backup(&x, ck_item(etcd, i), err);
    if (ret->n)
        qsort(ret->v, ret->n, sizeof(*ret->v), by_place);
    return r;
}
