/* The state store over a store of this test's own, which can fail and be changed at any write. */
#include "base/mem.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- a store in memory ---- */

struct file {
    char *key, *data;
    unsigned version;
};

struct fake {
    struct ck_vfs vfs;
    struct file files[64];
    size_t n;
    unsigned clock;
    unsigned writes;        /* writes and removals that were tried */
    unsigned fail_at;       /* the write with this number fails … */
    enum ck_code fail_code; /* … so */
    bool fail_after;        /* but takes effect all the same */
    bool silent_after;      /* and from then on nothing can be read */
    void (*before_fail)(struct fake *f);
};

static struct file *find(struct fake *f, const char *key)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->files[i].key, key) == 0)
            return &f->files[i];
    return NULL;
}

static void set(struct fake *f, const char *key, const char *data)
{
    struct file *x = find(f, key);
    if (!x) {
        x = &f->files[f->n++];
        *x = (struct file){.key = ck_xstrdup(key)};
    }
    free(x->data);
    x->data = ck_xstrdup(data);
    x->version = ++f->clock;
}

static const char *content(struct fake *f, const char *key)
{
    struct file *x = find(f, key);
    return x ? x->data : NULL;
}

static void drop(struct fake *f, struct file *x)
{
    free(x->key);
    free(x->data);
    *x = f->files[--f->n];
}

static void put_version(const struct file *x, struct ck_version *ret)
{
    if (ret)
        snprintf(ret->token, sizeof ret->token, "%u", x->version);
}

static bool has_version(const struct file *x, const struct ck_version *v)
{
    struct ck_version now;
    put_version(x, &now);
    return strcmp(now.token, v->token) == 0;
}

static int fake_read(struct ck_vfs *v, const char *key, struct ck_buf *out, struct ck_version *ret,
                     struct ck_err *err)
{
    struct fake *f = (struct fake *)v;
    struct file *x = find(f, key);
    if (f->silent_after && f->writes >= f->fail_at)
        return ck_fail(err, CK_UNAVAILABLE, "no answer");
    if (!x)
        return ck_fail(err, CK_NOT_FOUND, "open %s: no such file or directory", key);
    ck_buf_puts(out, x->data);
    put_version(x, ret);
    return 0;
}

static bool failing(struct fake *f, bool after)
{
    if (f->writes != f->fail_at || f->fail_after != after)
        return false;
    if (f->before_fail)
        f->before_fail(f);
    return true;
}

static int fake_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                      const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err)
{
    struct fake *f = (struct fake *)v;
    struct file *x = find(f, key);
    f->writes++;
    if (failing(f, false))
        return ck_fail(err, f->fail_code, "the store failed");
    if (opts->mode == CK_WRITE_CREATE && x)
        return ck_fail(err, CK_EXISTS, "file already exists");
    if (opts->mode == CK_WRITE_IF_UNCHANGED && (!x || !has_version(x, opts->version)))
        return ck_fail(err, CK_CONFLICT, "changed");
    CK_AUTOFREE char *copy = ck_xstrndup(data.ptr, data.len);
    set(f, key, copy);
    if (failing(f, true))
        return ck_fail(err, f->fail_code, "the store did not answer");
    put_version(find(f, key), ret);
    return 0;
}

static int fake_remove(struct ck_vfs *v, const char *key, const struct ck_version *version,
                       struct ck_err *err)
{
    struct fake *f = (struct fake *)v;
    struct file *x = find(f, key);
    f->writes++;
    if (failing(f, false))
        return ck_fail(err, f->fail_code, "the store failed");
    if (!x)
        return ck_fail(err, CK_NOT_FOUND, "remove %s: no such file or directory", key);
    if (version && !has_version(x, version))
        return ck_fail(err, CK_CONFLICT, "changed");
    drop(f, x);
    return 0;
}

static void add_below(struct fake *f, const char *key, bool deep, struct ck_arena *a,
                      struct ck_entries *ret)
{
    size_t n = strlen(key);
    for (size_t i = 0; i < f->n; i++) {
        const char *k = f->files[i].key, *rel = k + n + 1;
        if (strncmp(k, key, n) != 0 || (n && k[n] != '/') || (!deep && strchr(rel, '/')))
            continue;
        ck_entries_add(
            a, ret,
            (struct ck_entry){.key = ck_arena_strdup(a, k), .name = ck_arena_strdup(a, rel)});
    }
    ck_entries_sort(ret);
}

static int fake_list(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                     struct ck_err *err)
{
    add_below((struct fake *)v, key, false, a, ret);
    return ret->n ? 0 : ck_fail(err, CK_NOT_FOUND, "open %s: no such file or directory", key);
}

static int fake_tree(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                     struct ck_err *err)
{
    add_below((struct fake *)v, key, true, a, ret);
    return 0;
}

static int fake_list_dirs(struct ck_vfs *v, const char *key, struct ck_arena *a,
                          struct ck_entries *ret, struct ck_err *err)
{
    struct fake *f = (struct fake *)v;
    size_t n = strlen(key);
    for (size_t i = 0; i < f->n; i++) {
        const char *k = f->files[i].key,
                   *slash = strncmp(k, key, n) ? NULL : strchr(k + n + 1, '/');
        if (!slash)
            continue;
        char *dir = ck_arena_strndup(a, k, (size_t)(slash - k));
        bool known = false;
        for (size_t j = 0; j < ret->n; j++)
            known = known || strcmp(ret->v[j].key, dir) == 0;
        if (!known)
            ck_entries_add(a, ret, (struct ck_entry){.key = dir, .name = dir + n + 1});
    }
    ck_entries_sort(ret);
    return 0;
}

static char *fake_text(struct ck_vfs *v, const char *key, struct ck_arena *a)
{
    return ck_arena_printf(a, "fake:/%s", key);
}

static int fake_hash(struct ck_vfs *v, const char *key, enum ck_hash_alg alg, struct ck_hash *ret,
                     struct ck_err *err)
{
    ret->len = 0;
    return 0;
}

static const struct ck_vfs_ops FAKE_OPS = {
    .scheme = "fake",
    .read = fake_read,
    .write = fake_write,
    .remove = fake_remove,
    .list = fake_list,
    .list_dirs = fake_list_dirs,
    .tree = fake_tree,
    .hash = fake_hash,
    .text = fake_text,
    .absolute_keys = true,
};

/* ---- fixture ---- */

struct fx {
    struct ck_arena *a;
    struct ck_env env;
    struct ck_vfs_ctx ctx;
    struct ck_feature_flags features;
    struct ck_store s;
    struct fake fake;
    struct ck_err err;
    unsigned warnings;
};

static void warned(void *arg, const char *text)
{
    ((struct fx *)arg)->warnings++;
}

static int setup(void **state)
{
    struct fx *f = calloc(1, sizeof *f);
    f->a = ck_arena_new();
    f->ctx = (struct ck_vfs_ctx){.env = &f->env, .arena = f->a};
    f->fake.vfs = (struct ck_vfs){.ops = &FAKE_OPS, .ctx = &f->ctx, .container = ""};
    f->s = (struct ck_store){.vfs = &f->ctx,
                             .root = {&f->fake.vfs, "/s"},
                             .url = "/s",
                             .features = &f->features,
                             .warn = warned,
                             .warn_arg = f};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fx *f = *state;
    while (f->fake.n)
        drop(&f->fake, &f->fake.files[0]);
    ck_err_done(&f->err);
    ck_env_done(&f->env);
    ck_arena_free(f->a);
    free(f);
    return 0;
}

static const char CLUSTER[] = "apiVersion: kops.k8s.io/v1alpha2\n"
                              "kind: Cluster\n"
                              "metadata:\n"
                              "  creationTimestamp: \"2016-12-10T22:42:27Z\"\n"
                              "  name: c.example.com\n"
                              "spec:\n"
                              "  authorization:\n"
                              "    rbac: {}\n"
                              "  channel: stable\n"
                              "  cloudProvider: aws\n"
                              "  configBase: fake:/s/c.example.com\n"
                              "  etcdClusters:\n"
                              "  - etcdMembers:\n"
                              "    - instanceGroup: cp\n"
                              "      name: a\n"
                              "    name: main\n"
                              "  - etcdMembers:\n"
                              "    - instanceGroup: cp\n"
                              "      name: a\n"
                              "    name: events\n"
                              "  kubernetesApiAccess:\n"
                              "  - 0.0.0.0/0\n"
                              "  kubernetesVersion: v1.34.0\n"
                              "  networkCIDR: 172.20.0.0/16\n"
                              "  networking:\n"
                              "    cni: {}\n"
                              "  nonMasqueradeCIDR: 100.64.0.0/10\n"
                              "  sshAccess:\n"
                              "  - 0.0.0.0/0\n"
                              "  subnets:\n"
                              "  - cidr: 172.20.32.0/19\n"
                              "    name: us-test-1a\n"
                              "    type: Public\n"
                              "    zone: us-test-1a\n"
                              "  topology:\n"
                              "    dns:\n"
                              "      type: Public\n";

static const char GROUP[] = "apiVersion: kops.k8s.io/v1alpha2\n"
                            "kind: InstanceGroup\n"
                            "metadata:\n"
                            "  name: nodes\n"
                            "spec:\n"
                            "  image: ubuntu\n"
                            "  machineType: t2.medium\n"
                            "  maxSize: 2\n"
                            "  minSize: 2\n"
                            "  role: Node\n"
                            "  subnets:\n"
                            "  - us-test-1a\n";

#define CONFIG "/s/c.example.com/config"
#define NODES  "/s/c.example.com/instancegroup/nodes"

static struct ck_object decoded(struct fx *f, const char *text)
{
    struct ck_object o;
    struct ck_decode_opts opts = {.lenient = true};
    if (ck_object_decode(f->a, ck_slice_of(text), &opts, &o, &f->err))
        fail_msg("%s", ck_err_msg(&f->err));
    return o;
}

static struct ck_stored group(struct fx *f)
{
    struct ck_stored ig;
    set(&f->fake, NODES, GROUP);
    if (ck_ig_get(f->a, &f->s, "c.example.com", "nodes", &ig, &f->err))
        fail_msg("%s", ck_err_msg(&f->err));
    return ig;
}

static void add(struct fx *f, struct ck_batch *b, const char *key, const char *data)
{
    struct ck_batch_item *it = ck_batch_add(f->a, b);
    it->what = key;
    it->path = (struct ck_path){&f->fake.vfs, key};
    it->data = ck_slice_of(data);
}

/* ---- layout ---- */

static void names_cannot_lead_out_of_the_store(void **state)
{
    struct fx *f = *state;
    static const char *const bad[] = {"..", "../x", "a/../../x", "/etc", "a//b",
                                      ".",  "a/.",  "a\nb",      "",     "a/"};
    struct ck_path p;
    for (size_t i = 0; i < CK_ARRAY_LEN(bad); i++) {
        assert_int_equal(ck_layout_config(f->a, &f->s, bad[i], &p, &f->err), -CK_INVALID);
        assert_int_equal(ck_layout_ig(f->a, &f->s, "c", bad[i], &p, &f->err), -CK_INVALID);
    }
    assert_int_equal(ck_layout_ig(f->a, &f->s, "c", "a/b", &p, &f->err), -CK_INVALID);
}

static void cluster_names_may_be_nested(void **state)
{
    struct fx *f = *state;
    struct ck_path p;
    assert_int_equal(ck_layout_config(f->a, &f->s, "team/c.example.com", &p, &f->err), 0);
    assert_string_equal(p.key, "/s/team/c.example.com/config");
}

static void empty_state_store_is_explained_in_three_lines(void **state)
{
    struct fx *f = *state;
    struct ck_store s;
    assert_int_equal(ck_store_open(&f->ctx, "", &f->features, &s, &f->err), -CK_INVALID);
    assert_non_null(strstr(ck_err_msg(&f->err), "State Store: Required value: "));
}

/* ---- batches ---- */

static void batch_writes_everything(void **state)
{
    struct fx *f = *state;
    struct ck_batch b = {0};
    add(f, &b, "/s/1", "one");
    add(f, &b, "/s/2", "two");
    assert_int_equal(ck_batch_commit(f->a, &f->s, &b, NULL, &f->err), 0);
    assert_string_equal(content(&f->fake, "/s/1"), "one");
    assert_string_equal(content(&f->fake, "/s/2"), "two");
}

static void created_files_go_again_when_a_later_write_fails(void **state)
{
    struct fx *f = *state;
    struct ck_batch b = {0};
    size_t failed = 99;
    add(f, &b, "/s/1", "one");
    add(f, &b, "/s/2", "two");
    add(f, &b, "/s/3", "three");
    f->fake.fail_at = 3;
    f->fake.fail_code = CK_DENIED;
    assert_int_equal(ck_batch_commit(f->a, &f->s, &b, &failed, &f->err), -CK_DENIED);
    assert_int_equal(failed, 2);
    assert_int_equal(f->fake.n, 0);
}

static void replaced_files_get_their_content_back(void **state)
{
    struct fx *f = *state;
    struct ck_batch b = {0};
    set(&f->fake, "/s/1", "before");
    add(f, &b, "/s/1", "after");
    b.v[0].replaces = true;
    b.v[0].before = CK_S("before");
    put_version(find(&f->fake, "/s/1"), &b.v[0].version);
    add(f, &b, "/s/2", "two");
    f->fake.fail_at = 2;
    f->fake.fail_code = CK_UNAVAILABLE;
    assert_int_equal(ck_batch_commit(f->a, &f->s, &b, NULL, &f->err), -CK_UNAVAILABLE);
    assert_string_equal(content(&f->fake, "/s/1"), "before");
    assert_null(content(&f->fake, "/s/2"));
}

static void someone_writes(struct fake *f)
{
    set(f, "/s/1", "theirs");
}

static void taking_back_spares_what_someone_else_wrote_meanwhile(void **state)
{
    struct fx *f = *state;
    struct ck_batch b = {0};
    add(f, &b, "/s/1", "one");
    add(f, &b, "/s/2", "two");
    f->fake.fail_at = 2;
    f->fake.fail_code = CK_DENIED;
    f->fake.before_fail = someone_writes;
    assert_int_equal(ck_batch_commit(f->a, &f->s, &b, NULL, &f->err), -CK_DENIED);
    assert_string_equal(content(&f->fake, "/s/1"), "theirs");
    assert_non_null(strstr(ck_err_msg(&f->err), "could not be taken back"));
    assert_non_null(strstr(ck_err_msg(&f->err), "fake://s/1"));
}

static void unanswered_write_that_happened_is_taken_back_too(void **state)
{
    struct fx *f = *state;
    struct ck_batch b = {0};
    add(f, &b, "/s/1", "one");
    add(f, &b, "/s/2", "two");
    f->fake.fail_at = 2;
    f->fake.fail_code = CK_TIMEOUT;
    f->fake.fail_after = true;
    assert_int_equal(ck_batch_commit(f->a, &f->s, &b, NULL, &f->err), -CK_TIMEOUT);
    assert_int_equal(f->fake.n, 0);
}

static void what_came_before_a_write_nobody_knows_of_stays(void **state)
{
    struct fx *f = *state;
    struct ck_batch b = {0};
    add(f, &b, "/s/1", "one");
    add(f, &b, "/s/2", "two");
    add(f, &b, "/s/3", "three");
    f->fake.fail_at = 2;
    f->fake.fail_code = CK_UNAVAILABLE;
    f->fake.fail_after = f->fake.silent_after = true;
    assert_int_equal(ck_batch_commit(f->a, &f->s, &b, NULL, &f->err), -CK_UNAVAILABLE);
    assert_int_equal(f->fake.n, 2);
    assert_non_null(strstr(ck_err_msg(&f->err), "these writes before it stay:\n  fake://s/1"));
    assert_null(strstr(ck_err_msg(&f->err), "stay:\n  fake://s/1\n"));
}

static void existing_file_stops_a_create(void **state)
{
    struct fx *f = *state;
    struct ck_batch b = {0};
    set(&f->fake, "/s/2", "theirs");
    add(f, &b, "/s/1", "one");
    add(f, &b, "/s/2", "two");
    assert_int_equal(ck_batch_commit(f->a, &f->s, &b, NULL, &f->err), -CK_EXISTS);
    assert_string_equal(ck_err_msg(&f->err), "file already exists");
    assert_string_equal(content(&f->fake, "/s/2"), "theirs");
    assert_null(content(&f->fake, "/s/1"));
}

/* ---- clusters ---- */

static void missing_cluster_is_not_found(void **state)
{
    struct fx *f = *state;
    struct ck_stored c;
    assert_int_equal(ck_cluster_get(f->a, &f->s, "x", &c, &f->err), -CK_NOT_FOUND);
    assert_string_equal(ck_err_msg(&f->err), "Cluster.kops.k8s.io \"x\" not found");
    assert_int_equal(ck_cluster_get_for_command(f->a, &f->s, "x", &c, &f->err), -CK_NOT_FOUND);
    assert_string_equal(ck_err_msg(&f->err), "error reading cluster configuration: "
                                             "Cluster.kops.k8s.io \"x\" not found");
}

static void name_inside_must_match_the_folder(void **state)
{
    struct fx *f = *state;
    struct ck_stored c;
    set(&f->fake, "/s/other/config", CLUSTER);
    assert_int_equal(ck_cluster_get_for_command(f->a, &f->s, "other", &c, &f->err), -CK_INVALID);
    assert_string_equal(ck_err_msg(&f->err), "cluster name did not match expected name: other vs "
                                             "c.example.com");
}

static void created_cluster_is_read_back_and_not_created_twice(void **state)
{
    struct fx *f = *state;
    struct ck_object o = decoded(f, CLUSTER);
    struct ck_stored c;
    if (ck_cluster_create(f->a, &f->s, &o, &f->err))
        fail_msg("%s", ck_err_msg(&f->err));
    assert_string_equal(content(&f->fake, CONFIG), CLUSTER);
    assert_int_equal(ck_cluster_get(f->a, &f->s, "c.example.com", &c, &f->err), 0);
    assert_true(ck_val_eq(c.obj.root, o.root));
    assert_int_equal(ck_cluster_create(f->a, &f->s, &o, &f->err), -CK_EXISTS);
}

static void update_counts_generations_of_real_changes_only(void **state)
{
    struct fx *f = *state;
    struct ck_stored c;
    set(&f->fake, CONFIG, CLUSTER);
    assert_int_equal(ck_cluster_get(f->a, &f->s, "c.example.com", &c, &f->err), 0);
    struct ck_object same = ck_object_clone(f->a, &c.obj);
    assert_int_equal(ck_cluster_update(f->a, &f->s, &c, &same, &f->err), 0);
    assert_null(ck_at(same.root, "metadata.generation"));
    assert_int_equal(ck_cluster_get(f->a, &f->s, "c.example.com", &c, &f->err), 0);
    ck_put(f->a, same.root, "spec.kubernetesVersion", ck_str(f->a, "v1.34.1"));
    if (ck_cluster_update(f->a, &f->s, &c, &same, &f->err))
        fail_msg("%s", ck_err_msg(&f->err));
    assert_int_equal(ck_int_at(same.root, "metadata.generation", 0), 1);
}

static void update_of_a_changed_cluster_conflicts(void **state)
{
    struct fx *f = *state;
    struct ck_stored c;
    set(&f->fake, CONFIG, CLUSTER);
    assert_int_equal(ck_cluster_get(f->a, &f->s, "c.example.com", &c, &f->err), 0);
    set(&f->fake, CONFIG, CLUSTER);
    struct ck_object o = ck_object_clone(f->a, &c.obj);
    assert_int_equal(ck_cluster_update(f->a, &f->s, &c, &o, &f->err), -CK_CONFLICT);
}

static void object_with_unknown_fields_is_read_but_not_rewritten(void **state)
{
    struct fx *f = *state;
    struct ck_stored c;
    CK_AUTOFREE char *text = ck_xasprintf("%s  fieldOfTomorrow: 1\n", CLUSTER);
    set(&f->fake, CONFIG, text);
    assert_int_equal(ck_cluster_get(f->a, &f->s, "c.example.com", &c, &f->err), 0);
    assert_true(c.lossy);
    assert_true(f->warnings > 0);
    struct ck_object o = ck_object_clone(f->a, &c.obj);
    assert_int_equal(ck_cluster_update(f->a, &f->s, &c, &o, &f->err), -CK_INVALID);
    assert_string_equal(content(&f->fake, CONFIG), text);
    f->s.lenient = true;
    assert_int_equal(ck_cluster_update(f->a, &f->s, &c, &o, &f->err), 0);
}

struct seen {
    char text[256];
};

static int seen(void *arg, const char *name, const struct ck_stored *c, struct ck_err *item_err)
{
    struct seen *s = arg;
    size_t n = strlen(s->text);
    snprintf(s->text + n, sizeof s->text - n, "%s=%s ", name,
             c ? ck_object_name(&c->obj) : ck_code_name(item_err->code));
    return 0;
}

static void unreadable_clusters_are_reported_not_dropped(void **state)
{
    struct fx *f = *state;
    struct seen s = {{0}};
    set(&f->fake, CONFIG, CLUSTER);
    set(&f->fake, "/s/a.example.com/config", "{[");
    set(&f->fake, "/s/b.example.com/config",
        "kind: InstanceGroup\napiVersion: "
        "kops.k8s.io/v1alpha2\nmetadata:\n  name: x\n");
    if (ck_cluster_each(NULL, &f->s, seen, &s, &f->err))
        fail_msg("%s", ck_err_msg(&f->err));
    assert_string_equal(s.text,
                        "a.example.com=invalid b.example.com=invalid c.example.com=c.example.com ");
}

/* ---- removal ---- */

static struct ck_stored cluster_with(struct fx *f, const char *more_spec)
{
    struct ck_stored c;
    CK_AUTOFREE char *text = ck_xasprintf("%s%s", CLUSTER, more_spec);
    set(&f->fake, CONFIG, text);
    set(&f->fake, NODES, GROUP);
    set(&f->fake, "/s/c.example.com/pki/private/ca/keyset.yaml", "secret");
    set(&f->fake, "/s/d.example.com/config", CLUSTER);
    if (ck_cluster_get(f->a, &f->s, "c.example.com", &c, &f->err))
        fail_msg("%s", ck_err_msg(&f->err));
    c.obj.root = ck_val_clone(f->a, c.obj.root);
    ck_drop(c.obj.root, "spec.configBase"); /* the fake has no URL */
    return c;
}

static void removal_takes_this_cluster_and_nothing_else(void **state)
{
    struct fx *f = *state;
    struct ck_stored c = cluster_with(f, "");
    if (ck_cluster_delete(f->a, &f->s, &c, &f->err))
        fail_msg("%s", ck_err_msg(&f->err));
    assert_int_equal(f->fake.n, 1);
    assert_non_null(content(&f->fake, "/s/d.example.com/config"));
}

static void unknown_file_stops_removal_before_anything_is_gone(void **state)
{
    struct fx *f = *state;
    struct ck_stored c = cluster_with(f, "");
    set(&f->fake, "/s/c.example.com/zz/stray", "?");
    size_t before = f->fake.n;
    assert_int_equal(ck_cluster_delete(f->a, &f->s, &c, &f->err), -CK_INVALID);
    assert_string_equal(ck_err_msg(&f->err), "refusing to delete: unknown file found: "
                                             "fake://s/c.example.com/zz/stray");
    assert_int_equal(f->fake.n, before);
}

static void removal_of_a_changed_cluster_conflicts(void **state)
{
    struct fx *f = *state;
    struct ck_stored c = cluster_with(f, "");
    set(&f->fake, CONFIG, "changed");
    size_t before = f->fake.n;
    assert_int_equal(ck_cluster_delete(f->a, &f->s, &c, &f->err), -CK_CONFLICT);
    assert_int_equal(f->fake.n, before);
}

static void interrupted_removal_leaves_the_cluster_listed(void **state)
{
    struct fx *f = *state;
    struct ck_stored c = cluster_with(f, "");
    f->fake.fail_at = f->fake.writes + 2;
    f->fake.fail_code = CK_UNAVAILABLE;
    assert_int_equal(ck_cluster_delete(f->a, &f->s, &c, &f->err), -CK_UNAVAILABLE);
    assert_non_null(content(&f->fake, CONFIG));
}

/* ---- instance groups ---- */

static void groups_are_listed_by_name_with_their_cluster(void **state)
{
    struct fx *f = *state;
    struct ck_stored_list l;
    set(&f->fake, "/s/c.example.com/instancegroup/z", GROUP);
    set(&f->fake, "/s/c.example.com/instancegroup/a", GROUP);
    assert_int_equal(ck_ig_list(f->a, &f->s, "c.example.com", &l, &f->err), 0);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.v[0].path.key, "/s/c.example.com/instancegroup/a");
    assert_string_equal(ck_object_label(&l.v[1].obj, CK_LABEL_CLUSTER), "c.example.com");
}

static void cluster_without_groups_has_an_empty_list(void **state)
{
    struct fx *f = *state;
    struct ck_stored_list l;
    assert_int_equal(ck_ig_list(f->a, &f->s, "c.example.com", &l, &f->err), 0);
    assert_int_equal(l.n, 0);
}

static void one_bad_group_fails_the_list_by_name(void **state)
{
    struct fx *f = *state;
    struct ck_stored_list l;
    set(&f->fake, NODES, GROUP);
    set(&f->fake, "/s/c.example.com/instancegroup/bad", "{[");
    assert_int_equal(ck_ig_list(f->a, &f->s, "c.example.com", &l, &f->err), -CK_INVALID);
    assert_ptr_equal(strstr(ck_err_msg(&f->err), "error reading InstanceGroup \"bad\": error "
                                                 "parsing fake://s/c.example.com/instancegroup/"
                                                 "bad: "),
                     ck_err_msg(&f->err));
}

static void leftover_of_an_interrupted_write_is_ignored(void **state)
{
    struct fx *f = *state;
    struct ck_stored_list l;
    set(&f->fake, NODES, GROUP);
    set(&f->fake, "/s/c.example.com/instancegroup/tmp123456", "{[");
    assert_int_equal(ck_ig_list(f->a, &f->s, "c.example.com", &l, &f->err), 0);
    assert_int_equal(l.n, 1);
    assert_int_equal(f->warnings, 1);
}

static void group_update_is_refused_when_someone_was_faster(void **state)
{
    struct fx *f = *state;
    struct ck_stored ig = group(f);
    struct ck_object mine = ck_object_clone(f->a, &ig.obj);
    ck_put(f->a, mine.root, "spec.maxSize", ck_int(f->a, 9));
    set(&f->fake, NODES, GROUP);
    assert_int_equal(ck_ig_update(f->a, &f->s, "c.example.com", &ig, &mine, &f->err), -CK_CONFLICT);
    assert_string_equal(content(&f->fake, NODES), GROUP);
}

static void group_that_was_removed_meanwhile_does_not_come_back(void **state)
{
    struct fx *f = *state;
    struct ck_stored ig = group(f);
    struct ck_object mine = ck_object_clone(f->a, &ig.obj);
    drop(&f->fake, find(&f->fake, NODES));
    assert_int_equal(ck_ig_update(f->a, &f->s, "c.example.com", &ig, &mine, &f->err), -CK_CONFLICT);
    assert_null(content(&f->fake, NODES));
}

static void group_update_stamps_and_counts(void **state)
{
    struct fx *f = *state;
    struct ck_stored ig = group(f);
    struct ck_object mine = ck_object_clone(f->a, &ig.obj);
    ck_put(f->a, mine.root, "spec.maxSize", ck_int(f->a, 9));
    if (ck_ig_update(f->a, &f->s, "c.example.com", &ig, &mine, &f->err))
        fail_msg("%s", ck_err_msg(&f->err));
    assert_int_equal(ck_int_at(mine.root, "metadata.generation", 0), 1);
    assert_true(ck_str_at(mine.root, "metadata.creationTimestamp")[0] != 0);
}

/* ---- additional objects ---- */

static void additional_objects_are_written_as_kops_writes_them(void **state)
{
    struct fx *f = *state;
    struct ck_object o[2] = {decoded(f, "kind: B\napiVersion: v1\nmetadata:\n  name: one\n"),
                             decoded(f, "apiVersion: v1\nkind: A\nmetadata: {name: two}\n")};
    struct ck_object *back;
    size_t n;
    if (ck_addons_write(f->a, &f->s, "c.example.com", o, 2, &f->err))
        fail_msg("%s", ck_err_msg(&f->err));
    assert_string_equal(content(&f->fake, "/s/c.example.com/clusteraddons/default"),
                        "apiVersion: v1\nkind: B\nmetadata:\n  name: one\n\n---\n\n"
                        "apiVersion: v1\nkind: A\nmetadata:\n  name: two\n");
    assert_int_equal(ck_addons_read(f->a, &f->s, "c.example.com", &back, &n, &f->err), 0);
    assert_int_equal(n, 2);
    assert_string_equal(ck_object_name(&back[1]), "two");
}

static void empty_addons_file_holds_none(void **state)
{
    struct fx *f = *state;
    struct ck_object *back;
    size_t n = 9;
    set(&f->fake, "/s/c.example.com/clusteraddons/default", "");
    assert_int_equal(ck_addons_read(f->a, &f->s, "c.example.com", &back, &n, &f->err), 0);
    assert_int_equal(n, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(names_cannot_lead_out_of_the_store),
        T(cluster_names_may_be_nested),
        T(empty_state_store_is_explained_in_three_lines),
        T(batch_writes_everything),
        T(created_files_go_again_when_a_later_write_fails),
        T(replaced_files_get_their_content_back),
        T(taking_back_spares_what_someone_else_wrote_meanwhile),
        T(unanswered_write_that_happened_is_taken_back_too),
        T(what_came_before_a_write_nobody_knows_of_stays),
        T(existing_file_stops_a_create),
        T(missing_cluster_is_not_found),
        T(name_inside_must_match_the_folder),
        T(created_cluster_is_read_back_and_not_created_twice),
        T(update_counts_generations_of_real_changes_only),
        T(update_of_a_changed_cluster_conflicts),
        T(object_with_unknown_fields_is_read_but_not_rewritten),
        T(unreadable_clusters_are_reported_not_dropped),
        T(removal_takes_this_cluster_and_nothing_else),
        T(unknown_file_stops_removal_before_anything_is_gone),
        T(removal_of_a_changed_cluster_conflicts),
        T(interrupted_removal_leaves_the_cluster_listed),
        T(groups_are_listed_by_name_with_their_cluster),
        T(cluster_without_groups_has_an_empty_list),
        T(one_bad_group_fails_the_list_by_name),
        T(leftover_of_an_interrupted_write_is_ignored),
        T(group_update_is_refused_when_someone_was_faster),
        T(group_that_was_removed_meanwhile_does_not_come_back),
        T(group_update_stamps_and_counts),
        T(additional_objects_are_written_as_kops_writes_them),
        T(empty_addons_file_holds_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
