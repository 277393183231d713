/* Objects in and out: the bytes kOps writes, what is refused and how, defaults, JSON order. */
#include "base/file.h"
#include "base/nearest.h"
#include "doc/yaml.h"
#include "spec/codec/field.h"
#include "spec/object.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "skipped.h"

struct fx {
    struct ck_arena *a;
    struct ck_err err;
    struct ck_buf warnings;
};

static int setup(void **state)
{
    struct fx *f = calloc(1, sizeof *f);
    f->a = ck_arena_new();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fx *f = *state;
    ck_arena_free(f->a);
    ck_err_done(&f->err);
    ck_buf_done(&f->warnings);
    free(f);
    return 0;
}

static void note_warning(void *arg, const char *text)
{
    struct ck_buf *b = arg;
    ck_buf_fmt(b, "%s\n", text);
}

static const char *shared(void)
{
    const char *dir = getenv("CK_SHARED");
    if (!dir || access(dir, R_OK) != 0)
        skip_because(NO_REFERENCE);
    return dir;
}

/* ---- what kOps wrote, we write byte for byte ---- */

struct tally {
    struct fx *f;
    size_t same, different;
};

static bool decode_yaml(struct fx *f, struct ck_slice text, bool lenient, struct ck_buf *out)
{
    struct ck_decode_opts opts = {.lenient = lenient};
    struct ck_object o;
    if (ck_object_decode(f->a, text, &opts, &o, &f->err))
        return false;
    ck_object_yaml(f->a, out, &o);
    return true;
}

static void compare_file(struct tally *t, const char *path, struct ck_slice text)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    bool ok = decode_yaml(t->f, text, false, &out);
    if (ok && ck_slice_eq(ck_buf_slice(&out), text)) {
        t->same++;
        return;
    }
    t->different++;
    size_t i = 0;
    while (ok && i < out.len && i < text.len && out.ptr[i] == text.ptr[i])
        i++;
    print_error("%s: %s at byte %zu\n", path, ok ? "differs" : ck_err_msg(&t->f->err), i);
}

/* Files of a store that kOps itself wrote. */
static bool is_stored(const char *dir, const char *name)
{
    const char *base = strrchr(dir, '/');
    return strcmp(name, "config") == 0 || strcmp(name, "cluster-completed.spec") == 0 ||
           strcmp(name, "keyset.yaml") == 0 || (base && strcmp(base, "/instancegroup") == 0);
}

static void walk(struct tally *t, const char *dir, bool (*want)(const char *, const char *),
                 void (*fn)(struct tally *, const char *, struct ck_slice))
{
    DIR *d = opendir(dir);
    struct dirent *e;
    while (d && (e = readdir(d))) {
        char path[1024];
        struct stat st;
        if (e->d_name[0] == '.' ||
            snprintf(path, sizeof path, "%s/%s", dir, e->d_name) >= (int)sizeof path ||
            lstat(path, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode)) {
            walk(t, path, want, fn);
        } else if (S_ISREG(st.st_mode) && want(dir, e->d_name)) {
            CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
            assert_int_equal(ck_file_read(path, 1 << 20, &b, NULL), 0);
            fn(t, path, ck_buf_slice(&b));
        }
    }
    if (d)
        closedir(d);
}

/* Files that were damaged (387, 388, 389) or changed by hand (383 to 388) on purpose. */
static bool is_hand_made(const char *path)
{
    static const char *const corrupt[] = {"/387-", "/388-", "/389-"};
    static const char *const edited[] = {"/383-", "/384-", "/385-", "/386-"};
    for (size_t i = 0; i < CK_ARRAY_LEN(corrupt); i++)
        if (strstr(path, corrupt[i]))
            return true;
    for (size_t i = 0; i < CK_ARRAY_LEN(edited); i++)
        if (strstr(path, edited[i]) && strstr(path, "cluster-completed.spec"))
            return true;
    return false;
}

static void compare_stored(struct tally *t, const char *path, struct ck_slice text)
{
    if (!is_hand_made(path))
        compare_file(t, path, text);
}

static void files_of_stores_come_out_as_kops_wrote_them(void **state)
{
    struct tally t = {.f = *state};
    char dir[512];
    snprintf(dir, sizeof dir, "%s/corpus", shared());
    walk(&t, dir, is_stored, compare_stored);
    print_message("%zu files the same, %zu different\n", t.same, t.different);
    assert_int_equal(t.different, 0);
    assert_true(t.same > 1000);
}

static bool is_completed(const char *dir, const char *name)
{
    (void)dir;
    return strstr(name, "cluster-completed.spec") != NULL;
}

static void completed_specs_come_out_as_kops_wrote_them(void **state)
{
    struct tally t = {.f = *state};
    char dir[512];
    snprintf(dir, sizeof dir, "%s/goldens/update_cluster", shared());
    walk(&t, dir, is_completed, compare_file);
    assert_int_equal(t.different, 0);
    assert_true(t.same > 10);
}

static bool is_expected(const char *dir, const char *name)
{
    (void)dir;
    return strncmp(name, "expected", 8) == 0;
}

static void compare_sections(struct tally *t, const char *path, struct ck_slice text)
{
    struct ck_section *s;
    size_t n = ck_manifest_split(t->f->a, text, &s);
    for (size_t i = 0; i < n; i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        ck_buf_put(&b, ck_slice_trim(s[i].text));
        ck_buf_putc(&b, '\n');
        compare_file(t, path, ck_buf_slice(&b));
    }
}

static void dry_runs_come_out_as_kops_wrote_them(void **state)
{
    struct tally t = {.f = *state};
    char dir[512];
    snprintf(dir, sizeof dir, "%s/goldens/create_cluster", shared());
    walk(&t, dir, is_expected, compare_sections);
    assert_int_equal(t.different, 0);
    assert_true(t.same > 30);
}

/* Every object of a JSON output: read, written, equal with its key order. */
static void json_keeps_the_order_of_declaration(void **state)
{
    static const char *const cases[] = {
        "047-get-cluster-json",   "048-get-clusters-json-list", "053-get-all-json",
        "057-get-ig-json-one",    "058-get-ig-json-many",       "168-create-ig-dryrun-json",
        "201-cc-aws-dryrun-json", "356-shorthand-o-eq",
    };
    struct fx *f = *state;
    size_t seen = 0;
    for (size_t i = 0; i < CK_ARRAY_LEN(cases); i++) {
        char path[512];
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        snprintf(path, sizeof path, "%s/corpus/%s/stdout", shared(), cases[i]);
        assert_int_equal(ck_file_read(path, 1 << 20, &b, NULL), 0);
        struct ck_slice rest = ck_buf_slice(&b), line;
        while (ck_slice_next(&rest, '\n', &line)) {
            while (line.len && line.ptr[0] != '{') {
                line.ptr++;
                line.len--;
            }
            if (!line.len)
                continue;
            struct ck_object o;
            CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
            assert_int_equal(ck_object_decode(f->a, line, NULL, &o, &f->err), 0);
            ck_object_json(f->a, &out, &o);
            assert_string_equal(ck_buf_str(&out), ck_arena_printf(f->a, "%.*s\n", CK_SARG(line)));
            seen++;
        }
    }
    assert_int_equal(seen, 15);
}

static bool is_input(const char *dir, const char *name)
{
    (void)dir;
    return strncmp(name, "in-", 3) == 0;
}

/* Written by people: other orders and spellings, but nothing that is refused; what is written reads
 * back as itself. */
static void settle_sections(struct tally *t, const char *path, struct ck_slice text)
{
    struct ck_section *s;
    size_t n = ck_manifest_split(t->f->a, text, &s);
    for (size_t i = 0; i < n; i++) {
        CK_AUTOBUF struct ck_buf one = CK_BUF_INIT, two = CK_BUF_INIT;
        if (!decode_yaml(t->f, s[i].text, false, &one))
            fail_msg("%s: %s", path, ck_err_msg(&t->f->err));
        assert_true(decode_yaml(t->f, ck_buf_slice(&one), false, &two));
        assert_string_equal(ck_buf_str(&one), ck_buf_str(&two));
        t->same++;
    }
}

static void manifests_of_people_are_read(void **state)
{
    struct tally t = {.f = *state};
    char dir[512];
    snprintf(dir, sizeof dir, "%s/goldens/update_cluster", shared());
    walk(&t, dir, is_input, settle_sections);
    assert_true(t.same > 60);
}

/* ---- the schema itself ---- */

static const char *type_text(struct ck_arena *a, const struct ck_field *f)
{
    static const char *const scalars[] = {
        [CK_T_STRUCT] = "object",     [CK_T_STRING] = "string",
        [CK_T_BOOL] = "bool",         [CK_T_INT] = "int",
        [CK_T_INT16] = "int16",       [CK_T_INT32] = "int32",
        [CK_T_INT64] = "int64",       [CK_T_UINT8] = "uint8",
        [CK_T_UINT32] = "uint32",     [CK_T_BYTES] = "bytes",
        [CK_T_TIME] = "time",         [CK_T_DURATION] = "duration",
        [CK_T_QUANTITY] = "quantity", [CK_T_INTORSTRING] = "intOrString",
        [CK_T_ANY] = "object",
    };
    static const char *const shapes[] = {"", "[]", "map[string]", "map[string][]"};
    return ck_arena_printf(a, "%s%s%s%s", f->flags & CK_F_PTR ? "*" : "", shapes[f->shape],
                           f->flags & CK_F_ELEM_PTR ? "*" : "", scalars[f->type]);
}

static const struct ck_field *field_at(struct ck_slice path)
{
    struct ck_slice step;
    ck_slice_next(&path, '.', &step);
    const struct ck_type *t = ck_type_of(ck_kind_of(step), false);
    const struct ck_field *f = NULL;
    while (ck_slice_next(&path, '.', &step)) {
        if (ck_slice_ends(step, "[]"))
            step.len -= 2;
        f = t ? ck_field_find(t, step) : NULL;
        if (!f)
            return NULL;
        t = f->type == CK_T_STRUCT ? ck_field_struct(f) : NULL;
    }
    return f;
}

static void the_schema_has_every_field_of_the_reference(void **state)
{
    struct fx *f = *state;
    char path[512];
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    snprintf(path, sizeof path, "%s/spec/fields-v1alpha2.tsv", shared());
    assert_int_equal(ck_file_read(path, 1 << 20, &b, NULL), 0);
    struct ck_slice rest = ck_buf_slice(&b), line, name, type;
    size_t n = 0;
    ck_slice_next(&rest, '\n', &line); /* the heading */
    while (ck_slice_next(&rest, '\n', &line) && line.len) {
        ck_slice_next(&line, '\t', &name);
        ck_slice_next(&line, '\t', &type);
        const struct ck_field *field = field_at(name);
        if (!field)
            fail_msg("%.*s is missing", CK_SARG(name));
        assert_string_equal(type_text(f->a, field), ck_arena_strndup(f->a, type.ptr, type.len));
        if (ck_slice_eq_str(line, "true"))
            assert_true(field->flags & CK_F_REQ);
        else if (field->type != CK_T_STRUCT && field->type != CK_T_QUANTITY)
            assert_false(field->flags & CK_F_REQ);
        n++;
    }
    assert_int_equal(n, 1671);
}

/* ---- refusals ---- */

#define CLUSTER                                                                                    \
    "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata:\n  name: c.example.com\nspec:\n"
#define GROUP                                                                                      \
    "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n  name: nodes\nspec:\n"

static const struct {
    const char *text, *message;
} refused[] = {
    {"", "Object 'Kind' is missing in 'null'"},
    {"# nothing\n", "Object 'Kind' is missing in 'null'"},
    {"b: 1\na: [x, true]\n", "Object 'Kind' is missing in '{\"a\":[\"x\",true],\"b\":1}'"},
    {"apiVersion: kops.k8s.io/v1alpha9\nkind: Cluster\n",
     "no kind \"Cluster\" is registered for version \"kops.k8s.io/v1alpha9\" in scheme "
     "\"pkg/kopscodecs/codecs.go:36\""},
    {"apiVersion: kops.k8s.io/v1alpha2\nkind: Clutser\n",
     "no kind \"Clutser\" is registered for version \"kops.k8s.io/v1alpha2\" in scheme "
     "\"pkg/kopscodecs/codecs.go:36\""},
    /* Go's words for values of another type */
    {CLUSTER "  kubernetesVersion: 1.34\n",
     "json: cannot unmarshal number into Go struct field ClusterSpec.spec.kubernetesVersion of "
     "type string (f.yaml:6:22)"},
    {CLUSTER "  sshAccess: nope\n",
     "json: cannot unmarshal string into Go struct field ClusterSpec.spec.sshAccess of type "
     "[]string (f.yaml:6:14)"},
    {CLUSTER "  etcdClusters:\n  - name: main\n    etcdMembers:\n    - volumeSize: big\n",
     "json: cannot unmarshal string into Go struct field "
     "EtcdMemberSpec.spec.etcdClusters.etcdMembers.volumeSize of type int32 (f.yaml:9:19)"},
    {GROUP "  minSize: \"1\"\n",
     "json: cannot unmarshal string into Go struct field InstanceGroupSpec.spec.minSize of type "
     "int32 (f.yaml:6:12)"},
    {GROUP "  minSize: 1.5\n",
     "json: cannot unmarshal number 1.5 into Go struct field InstanceGroupSpec.spec.minSize of "
     "type int32 (f.yaml:6:12)"},
    {GROUP "  maxSize: 3000000000\n",
     "json: cannot unmarshal number 3000000000 into Go struct field "
     "InstanceGroupSpec.spec.maxSize of type int32 (f.yaml:6:12)"},
    {GROUP "  maxInstanceLifetime: 90\n",
     "json: cannot unmarshal number into Go struct field "
     "InstanceGroupSpec.spec.maxInstanceLifetime of type string (f.yaml:6:24)"},
    {GROUP "  role: 5\n",
     "json: cannot unmarshal number into Go struct field InstanceGroupSpec.spec.role of type "
     "v1alpha2.InstanceGroupRole (f.yaml:6:9)"},
    {GROUP "  kubelet: [1]\n",
     "json: cannot unmarshal array into Go struct field InstanceGroupSpec.spec.kubelet of type "
     "v1alpha2.KubeletConfigSpec (f.yaml:6:12)"},
    {"apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n  annotations:\n    a: "
     "on\n",
     "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.annotations of type "
     "string (f.yaml:5:8)"},
    {GROUP "  maxInstanceLifetime: 3 days\n",
     "time: unknown unit \" days\" in duration \"3 days\" (f.yaml:6:24: spec.maxInstanceLifetime)"},
    /* fields that do not exist */
    {CLUSTER "  notAField: 3\n", "f.yaml:6:3: spec.notAField: unknown field"},
    {GROUP "  minsize: 3\n  maxSzie: 4\n",
     "f.yaml:6:3: spec.minsize: unknown field, did you mean \"minSize\"?\n"
     "f.yaml:7:3: spec.maxSzie: unknown field, did you mean \"maxSize\"?"},
    {CLUSTER "  etcdClusters:\n  - name: main\n  - nmae: events\n",
     "f.yaml:8:5: spec.etcdClusters[1].nmae: unknown field, did you mean \"name\"?"},
    {CLUSTER "  channel: a\n  channel: b\n",
     "yaml: unmarshal errors:\n  line 7: key \"channel\" already set in map (f.yaml:7:3)"},
    /* kOps' conversion */
    {CLUSTER "  cloudProvider: foo\n",
     "spec.cloudProvider: Unsupported value: \"foo\": supported values: \"gce\", \"digitalocean\", "
     "\"azure\", \"aws\", \"hetzner\", \"linode\", \"openstack\", \"scaleway\" (f.yaml:6:18)"},
    {CLUSTER "  cloudProvider: gce\n  warmPool: {}\n",
     "spec.warmPool: Forbidden: warm pool only supported on AWS (f.yaml:7:13)"},
    {CLUSTER "  cloudProvider: gce\n  cloudConfig:\n    awsEBSCSIDriver: {}\n",
     "spec.cloudConfig.awsEBSCSIDriver: Forbidden: EBS CSI driver supports only AWS "
     "(f.yaml:8:22)"},
    {CLUSTER "  cloudProvider: gce\n  nodeTerminationHandler: {}\n",
     "spec.nodeTerminationHandler: Forbidden: node termination handler supports only AWS "
     "(f.yaml:7:27)"},
    {CLUSTER "  cloudProvider: aws\n  cloudConfig:\n    multizone: false\n",
     "spec.cloudConfig.multizone: Forbidden: multizone supports only GCE (f.yaml:8:16)"},
};

static void refusals_say_what_kops_says_and_where(void **state)
{
    struct fx *f = *state;
    struct ck_decode_opts opts = {.file = "f.yaml"};
    for (size_t i = 0; i < CK_ARRAY_LEN(refused); i++) {
        struct ck_object o;
        int rc = ck_object_decode(f->a, ck_slice_of(refused[i].text), &opts, &o, &f->err);
        assert_int_equal(rc, -CK_INVALID);
        assert_string_equal(ck_err_msg(&f->err), refused[i].message);
    }
}

static void positions_count_from_the_start_of_the_file(void **state)
{
    struct fx *f = *state;
    struct ck_section *s;
    const char *text = CLUSTER "  channel: stable\r\n---\r\n" GROUP "  bogus: 1\n";
    assert_int_equal(ck_manifest_split(f->a, ck_slice_of(text), &s), 2);
    struct ck_decode_opts opts = {.file = "f.yaml", .line_offset = s[1].line_offset};
    struct ck_object o;
    assert_int_equal(ck_object_decode(f->a, s[1].text, &opts, &o, &f->err), -CK_INVALID);
    assert_string_equal(ck_err_msg(&f->err), "f.yaml:13:3: spec.bogus: unknown field");
}

static void split_needs_the_exact_separator(void **state)
{
    struct fx *f = *state;
    struct ck_section *s;
    assert_int_equal(ck_manifest_split(f->a, CK_S("---\na: 1\n--- \nb: 2\n---\n"), &s), 2);
    assert_int_equal(s[1].text.len, 0);
    assert_int_equal(s[1].line_offset, 5);
    assert_int_equal(ck_manifest_split(f->a, CK_S("a\n---\n---\nb"), &s), 2);
    assert_int_equal(ck_manifest_split(f->a, CK_S("a\r\n---\r\nb"), &s), 2);
    assert_int_equal(ck_manifest_split(f->a, CK_S(""), &s), 1);
}

static void lenient_reading_drops_what_kops_drops(void **state)
{
    struct fx *f = *state;
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    assert_true(
        decode_yaml(f, CK_S(GROUP "  minsize: 3\n  maxSize: 1\n  maxSize: 2\n"), true, &out));
    assert_string_equal(ck_buf_str(&out), GROUP "  maxSize: 2\n");
}

static void retired_fields_are_dropped_with_a_warning(void **state)
{
    struct fx *f = *state;
    struct ck_decode_opts opts = {.file = "f.yaml", .warn = note_warning, .warn_arg = &f->warnings};
    const char *text = CLUSTER "  masterInternalName: x\n  topology:\n    masters: public\n"
                               "  serviceOIDCProvider: {issuerURL: u}\n";
    struct ck_object o;
    assert_int_equal(ck_object_decode(f->a, ck_slice_of(text), &opts, &o, &f->err), 0);
    assert_string_equal(
        ck_buf_str(&f->warnings),
        "f.yaml:6:3: spec.masterInternalName is no longer used; its value is not kept\n"
        "f.yaml:8:5: spec.topology.masters is no longer used; its value is not kept\n"
        "f.yaml:9:3: spec.serviceOIDCProvider is no longer used; its value is not kept\n");
    assert_null(ck_at(o.root, "spec.masterInternalName"));
    assert_null(ck_at(o.root, "spec.topology.masters"));
}

/* ---- forms of values, defaults, oddities ---- */

static const struct {
    const char *in, *out; /* below spec */
} kept[] = {
    /* the read defaults */
    {GROUP "  role: Node\n", GROUP "  role: Node\n"},
    {CLUSTER "  channel: stable\n",
     CLUSTER "  authorization:\n    rbac: {}\n  channel: stable\n  topology:\n    dns:\n"
             "      type: Public\n"},
    /* zero values go, pointers to them stay */
    {GROUP "  minSize: 0\n  machineType: \"\"\n  subnets: []\n  autoscale: false\n  zones: null\n",
     GROUP "  autoscale: false\n  minSize: 0\n"},
    {GROUP "  kubelet:\n    evictionHard: \"\"\n    logFormat: \"\"\n    featureGates: {}\n",
     GROUP "  kubelet:\n    evictionHard: \"\"\n"},
    {"apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\n",
     "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata: {}\nspec: {}\n"},
    {"apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n  creationTimestamp: null\n"
     "  name: nodes\nspec: {}\n",
     "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n  name: nodes\nspec: {}\n"},
    /* canonical texts */
    {GROUP "  maxInstanceLifetime: 48h20m\n", GROUP "  maxInstanceLifetime: 48h20m0s\n"},
    {GROUP "  maxInstanceLifetime: \"0\"\n", GROUP "  maxInstanceLifetime: 0s\n"},
    {GROUP "  maxSize: 2.0\n", GROUP "  maxSize: 2\n"},
    {GROUP "  mixedInstancesPolicy:\n    instanceRequirements:\n      cpu:\n        min: 4\n"
           "        max: 0.5\n      memory:\n        min: 1024Mi\n",
     GROUP "  mixedInstancesPolicy:\n    instanceRequirements:\n      cpu:\n        max: 500m\n"
           "        min: \"4\"\n      memory:\n        min: 1Gi\n"},
    {GROUP "  rollingUpdate:\n    maxSurge: 25%\n    maxUnavailable: 1\n",
     GROUP "  rollingUpdate:\n    maxSurge: 25%\n    maxUnavailable: 1\n"},
    {"apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n"
     "  creationTimestamp: \"2026-01-02T05:04:05.5+02:00\"\nspec: {}\n",
     "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n"
     "  creationTimestamp: \"2026-01-02T03:04:05Z\"\nspec: {}\n"},
    /* roles, also in hooks */
    {GROUP "  role: ControlPlane\n  hooks:\n  - disabled: true\n    roles: [ControlPlane, Node]\n"
           "  fileAssets:\n  - roles: [ControlPlane]\n",
     GROUP "  fileAssets:\n  - roles:\n    - ControlPlane\n  hooks:\n  - disabled: true\n"
           "    roles:\n    - Master\n    - Node\n  role: Master\n"},
    /* a key that is a word of YAML */
    {GROUP "  nodeLabels:\n    y: \"1\"\n", GROUP "  nodeLabels:\n    \"true\": \"1\"\n"},
    {"apiVersion: kops/v1alpha2\nkind: InstanceGroup\nmetadata:\n  name: nodes\nspec: {}\n",
     "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n  name: nodes\nspec: {}\n"},
    /* other groups are kept as they are */
    {"apiVersion: v1\nkind: ConfigMap\ndata:\n  a: null\n  b: \"\"\n",
     "apiVersion: v1\ndata:\n  a: null\n  b: \"\"\nkind: ConfigMap\n"},
    {"kind: Cluster\nspec:\n  nope: 1\n", "kind: Cluster\nspec:\n  nope: 1\n"},
};

#define TAIL "  topology:\n    dns:\n      type: Public\n"
#define RBAC "  authorization:\n    rbac: {}\n"

static const struct {
    const char *in, *out; /* below the cluster's spec, without the defaults */
} oddities[] = {
    {"  api: {}\n  networking: {}\n", RBAC TAIL},
    {"  api:\n    dns: {}\n  networking:\n    cni: {}\n",
     "  api:\n    dns: {}\n" RBAC "  networking:\n    cni: {}\n" TAIL},
    {"  iam: {}\n", RBAC "  iam:\n    legacy: false\n" TAIL},
    {"  networking:\n    flannel: {}\n",
     RBAC "  networking:\n    flannel:\n      backend: udp\n" TAIL},
    {"  egressProxy: {}\n", RBAC "  egressProxy:\n    httpProxy: {}\n" TAIL},
    {"  kubeAPIServer:\n    oidcClientID: x\n    oidcRequiredClaim: [b=1, a=2, b=3]\n",
     "  authentication: {}\n" RBAC "  kubeAPIServer:\n    oidcClientID: x\n"
     "    oidcRequiredClaim:\n    - a=2\n    - b=3\n" TAIL},
    {"  externalDns:\n    disable: true\n    provider: external-dns\n",
     RBAC "  externalDns:\n    disable: true\n" TAIL},
    {"  externalDns:\n    provider: none\n", RBAC "  externalDns:\n    disable: true\n" TAIL},
    {"  additionalPolicies:\n    control-plane: p\n    node: q\n",
     "  additionalPolicies:\n    master: p\n    node: q\n" RBAC TAIL},
    {"  cloudProvider: openstack\n",
     RBAC "  cloudConfig:\n    openstack: {}\n  cloudProvider: openstack\n" TAIL},
    {"  cloudProvider: azure\n",
     RBAC "  cloudConfig:\n    azure:\n      tenantId: \"\"\n  cloudProvider: azure\n" TAIL},
    {"  topology:\n    nodes: private\n    dns:\n      type: None\n",
     RBAC "  topology:\n    dns:\n      type: None\n"},
    {"  kubeAPIServer:\n    auditWebhookBatchThrottleQps: 3.14\n",
     RBAC "  kubeAPIServer:\n    auditWebhookBatchThrottleQps: 3140m\n" TAIL},
    {"  networking:\n    amazonvpc:\n      env:\n      - value: x\n",
     RBAC "  networking:\n    amazonvpc:\n      env:\n      - name: \"\"\n        value: x\n" TAIL},
};

static void values_take_the_form_kops_writes(void **state)
{
    struct fx *f = *state;
    for (size_t i = 0; i < CK_ARRAY_LEN(kept); i++) {
        CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
        if (!decode_yaml(f, ck_slice_of(kept[i].in), false, &out))
            fail_msg("%s", ck_err_msg(&f->err));
        assert_string_equal(ck_buf_str(&out), kept[i].out);
    }
    for (size_t i = 0; i < CK_ARRAY_LEN(oddities); i++) {
        CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
        const char *in = ck_arena_printf(f->a, CLUSTER "%s", oddities[i].in);
        if (!decode_yaml(f, ck_slice_of(in), false, &out))
            fail_msg("%s", ck_err_msg(&f->err));
        assert_string_equal(ck_buf_str(&out), ck_arena_printf(f->a, CLUSTER "%s", oddities[i].out));
    }
}

static void equality_sees_through_spelling(void **state)
{
    struct fx *f = *state;
    struct ck_object a, b, c;
    assert_int_equal(
        ck_object_decode(f->a, CK_S(GROUP "  maxInstanceLifetime: 60m\n"), NULL, &a, &f->err), 0);
    assert_int_equal(ck_object_decode(f->a, CK_S(GROUP "  maxInstanceLifetime: 1h\n  zones: []\n"),
                                      NULL, &b, &f->err),
                     0);
    assert_int_equal(
        ck_object_decode(f->a, CK_S(GROUP "  maxInstanceLifetime: 61m\n"), NULL, &c, &f->err), 0);
    assert_true(ck_object_spec_eq(&a, &b));
    assert_false(ck_object_spec_eq(&a, &c));
    ck_put(f->a, b.root, "spec.zones", ck_list(f->a)); /* nil and empty are one */
    assert_true(ck_object_spec_eq(&a, &b));
}

static void differences_name_the_field(void **state)
{
    struct fx *f = *state;
    struct ck_object a, b;
    struct ck_changes d = {0};
    assert_int_equal(ck_object_decode(f->a,
                                      CK_S(CLUSTER "  channel: a\n  subnets:\n  - name: x\n"
                                                   "    zone: z\n  sshAccess: [a]\n"),
                                      NULL, &a, &f->err),
                     0);
    assert_int_equal(
        ck_object_decode(f->a,
                         CK_S(CLUSTER
                              "  channel: b\n  subnets:\n  - name: x\n"
                              "    zone: q\n  sshAccess: [a, b]\n  networking:\n    cni: {}\n"),
                         NULL, &b, &f->err),
        0);
    ck_object_diff(f->a, &a, &b, &d);
    assert_int_equal(d.n, 4);
    assert_string_equal(d.v[0].path, "spec.channel");
    assert_true(ck_is_str(d.v[0].from, "a") && ck_is_str(d.v[0].to, "b"));
    assert_string_equal(d.v[1].path, "spec.networking.cni");
    assert_null(d.v[1].from);
    assert_string_equal(d.v[2].path, "spec.sshAccess");
    assert_string_equal(d.v[3].path, "spec.subnets[0].zone");
    struct ck_changes none = {0};
    ck_object_diff(f->a, &a, &a, &none);
    assert_int_equal(none.n, 0);
}

static void nearest_is_near_or_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"minSize", "maxSize", "machineType", "role"};
    assert_string_equal(ck_nearest("minsize", names, 4), "minSize");
    assert_string_equal(ck_nearest("maxSzie", names, 4), "maxSize");
    assert_string_equal(ck_nearest("machinType", names, 4), "machineType");
    assert_string_equal(ck_nearest("rol", names, 4), "role");
    assert_null(ck_nearest("completelyOther", names, 4));
    assert_null(ck_nearest("", names, 4));
    assert_null(ck_nearest("x", names, 0));
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(files_of_stores_come_out_as_kops_wrote_them),
        T(completed_specs_come_out_as_kops_wrote_them),
        T(dry_runs_come_out_as_kops_wrote_them),
        T(manifests_of_people_are_read),
        T(the_schema_has_every_field_of_the_reference),
        T(json_keeps_the_order_of_declaration),
        T(refusals_say_what_kops_says_and_where),
        T(positions_count_from_the_start_of_the_file),
        T(split_needs_the_exact_separator),
        T(lenient_reading_drops_what_kops_drops),
        T(retired_fields_are_dropped_with_a_warning),
        T(values_take_the_form_kops_writes),
        T(equality_sees_through_spelling),
        T(differences_name_the_field),
        T(nearest_is_near_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
