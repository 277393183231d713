/* `get assets`: the images and files a cluster's nodes fetch. They are found by building the
 * cluster's model; nothing is written. Mirrors cmd/kops/get_assets.go. */
#include "cmd/commands.h"
#include "cmd/getout.h"

#include "base/log.h"
#include "doc/json.h"
#include "doc/yaml.h"
#include "model/assets.h"
#include "ops/update/update.h"

struct assets_opts {
    struct ck_get_opts get; /* first: -o is inherited */
    bool copy, offline;
};

static void on_note(void *arg, const char *text)
{
    (void)arg;
    ck_warn("%s", text);
}

/* Where nodes fetch a file first. */
static const char *download(const struct ck_asset *f)
{
    return ck_str_or(ck_item(f->locations, 0), f->canonical);
}

static void print_table(struct ck_ctx *ctx, const struct ck_assets *s)
{
    static const char *const columns[] = {"CANONICAL", "DOWNLOAD", "SHA"};
    const struct ck_image_asset *const *images;
    const struct ck_asset *const *files;
    size_t n_images = ck_assets_images(s, &images), n_files = ck_assets_files(s, &files);
    struct ck_table *t = ck_table_new(columns, 2);
    for (size_t i = 0; i < n_images; i++) {
        const char *const row[] = {images[i]->canonical, images[i]->download};
        ck_table_row(t, row);
    }
    ck_print(ctx, "\n");
    ck_get_table_end(ctx, t);
    t = ck_table_new(columns, 3);
    for (size_t i = 0; i < n_files; i++) {
        const char *const row[] = {files[i]->canonical, download(files[i]), files[i]->sha256};
        ck_table_row(t, row);
    }
    ck_print(ctx, "\n");
    ck_get_table_end(ctx, t);
}

static const struct ck_val *as_val(struct ck_arena *a, const struct ck_assets *s)
{
    const struct ck_image_asset *const *images;
    const struct ck_asset *const *files;
    size_t n_images = ck_assets_images(s, &images), n_files = ck_assets_files(s, &files);
    struct ck_val *all = ck_map(a), *list = ck_list(a);
    for (size_t i = 0; i < n_images; i++) {
        struct ck_val *one = ck_map(a);
        ck_set_str(a, one, "canonical", images[i]->canonical);
        ck_set_str(a, one, "download", images[i]->download);
        ck_append(a, list, one);
    }
    ck_set(a, all, "images", list);
    list = ck_list(a);
    for (size_t i = 0; i < n_files; i++) {
        struct ck_val *one = ck_map(a);
        ck_set_str(a, one, "canonical", files[i]->canonical);
        ck_set_str(a, one, "download", download(files[i]));
        ck_set_str(a, one, "sha", files[i]->sha256);
        ck_append(a, list, one);
    }
    ck_set(a, all, "files", list);
    return all;
}

static void print(struct ck_ctx *ctx, enum ck_get_format format, const struct ck_assets *s)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (format == CK_GET_TABLE) {
        print_table(ctx, s);
        return;
    }
    if (format == CK_GET_YAML)
        ck_yaml_emit(&b, as_val(ctx->arena, s));
    else
        ck_json_emit(&b, as_val(ctx->arena, s), (struct ck_json_style){CK_JSON_AS_IS, 0, 0});
    ck_print_slice(ctx, ck_buf_slice(&b));
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct assets_opts *o = opts;
    static const struct ck_strv none;
    enum ck_get_format format = ck_get_format_of(o->get.output);
    struct ck_store *store;
    struct ck_update u;
    const struct ck_update_opts options = {
        .name = ctx->cluster_name,
        .phase = "",
        .plan_only = true,
        .overrides = &none,
        .groups = &none,
        .roles = &none,
        .offline = o->offline,
        .env = &ctx->env,
        .note = on_note,
    };
    if (format == CK_GET_UNKNOWN)
        return ck_get_bad_format(o->get.output, err);
    if (o->copy)
        return ck_fail(err, CK_UNSUPPORTED,
                       "--copy is not offered: copy what the list names with a tool for registries "
                       "and files");
    int r = ck_ctx_store(ctx, &store, err);
    if (r)
        return r;
    r = ck_update_load(ctx->arena, store, &options, &u, err);
    if (!r)
        r = ck_tasks_fill(&u.tasks, err); /* add-ons name their images as they are made */
    if (!r)
        print(ctx, format, u.model.assets);
    ck_update_done(&u);
    return r;
}

static const struct ck_opt options[] = {
    {.name = "copy",
     .type = CK_OPT_BOOL,
     .off = offsetof(struct assets_opts, copy),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "copy them to the cluster's repositories (not offered)"},
    {.name = "offline",
     .type = CK_OPT_BOOL,
     .off = offsetof(struct assets_opts, offline),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "take the hashes of files from lists and caches alone"},
    {0},
};

static const char *const aliases[] = {"asset", NULL};

const struct ck_cmd ck_cmd_get_assets = {
    .name = "assets",
    .aliases = aliases,
    .use = "assets [CLUSTER]",
    .brief = "Show the images and files that nodes of a cluster fetch.",
    .example = "ckops get assets k8s.example.com -o json",
    .opts = options,
    .opts_size = sizeof(struct assets_opts),
    .args = ck_args_cluster_kubeconfig,
    .run = run,
    .complete_args = ck_complete_clusters,
};
