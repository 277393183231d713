/* The rows of `ckops store …`. */
#pragma once

#include "cmd/cmd.h"

extern const struct ck_cmd ck_cmd_store_fsck;
