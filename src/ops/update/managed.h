/* The files a cluster keeps in its store, written there instead of into a Terraform module. */
#pragma once

#include "ops/update/update.h"

/* Whether the task writes a file of the store. */
bool ck_update_is_file(const struct ck_task *t);
/* Write every such file whose content differs. Plain overwrites: the files are made of the rest of
 * the store, and whoever runs later knows more. Errors: those of the store, naming the file. */
int ck_update_write_files(struct ck_update *u, struct ck_err *err);
