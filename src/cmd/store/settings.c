/* `store settings`: what a store asks of commands that change it. */
#include "cmd/store/storecmd.h"

struct settings_opts {
    bool lock, lock_given, journal, journal_given;
};

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct settings_opts *o = opts;
    struct ck_store *s;
    struct ck_store_settings now;
    int r = ck_ctx_store(ctx, &s, err);
    if (r == 0)
        r = ck_store_settings_read(s, &now, err);
    if (r < 0)
        return r;
    const struct ck_store_settings old = now;
    if (o->lock_given)
        now.lock = o->lock;
    if (o->journal_given)
        now.journal = o->journal;
    if (now.lock != old.lock || now.journal != old.journal)
        r = ck_store_settings_write(s, &now, err);
    if (r == 0)
        ck_print(ctx, "journal: %s\nlock: %s\n", now.journal ? "true" : "false",
                 now.lock ? "true" : "false");
    return r;
}

#define O(member)                                                                                  \
    .off = offsetof(struct settings_opts, member),                                                 \
    .given_off = offsetof(struct settings_opts, member##_given)
static const struct ck_opt options[] = {
    {.name = "journal", .type = CK_OPT_BOOL, O(journal), .help = "whether changes are recorded"},
    {.name = "lock",
     .type = CK_OPT_BOOL,
     O(lock),
     .help = "whether commands take a cluster's lock before they change it"},
    {0},
};

const struct ck_cmd ck_cmd_store_settings = {
    .name = "settings",
    .use = "settings",
    .brief = "Show or change what a store asks of commands.",
    .detail = "Without options, shows the settings of the store; with them, changes those that are "
              "given.\nThey lie in .ckops/settings.yaml, where kops does not look, and bind every "
              "ckops that changes the store.",
    .example = "ckops store settings\n"
               "ckops store settings --lock=true",
    .opts = options,
    .opts_size = sizeof(struct settings_opts),
    .args = ck_args_none,
    .run = run,
};
