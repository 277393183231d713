/* `toolbox`: the group. */
#include "cmd/commands.h"

static const struct ck_cmd *const subs[] = {
    &ck_cmd_toolbox_addons,
    &ck_cmd_toolbox_clusterapi,
    &ck_cmd_toolbox_dump,
    &ck_cmd_toolbox_enroll,
    &ck_cmd_toolbox_instance_selector,
    &ck_cmd_toolbox_template,
    NULL,
};

const struct ck_cmd ck_cmd_toolbox = {
    .name = "toolbox",
    .use = "toolbox",
    .brief = "Templates and other tools.",
    .subs = subs,
};
