/* Kinds of tasks that live in the state store: files nodes read, keysets, secrets. */
#pragma once

#include "task/task.h"

/* Fields: Base (as previews show it; unset where the file is in the cluster's own folder),
 * Location (below it), Contents, PublicACL, URL (the whole location; ours). */
extern const struct ck_task_kind ck_task_managed_file;
/* Fields: Subject, Issuer, Type, LegacyFormat; ours: Exists, WasLegacy (what the store has). */
extern const struct ck_task_kind ck_task_keypair;
/* Ours: Exists. */
extern const struct ck_task_kind ck_task_secret;
