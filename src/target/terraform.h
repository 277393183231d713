/* Writing a Terraform module. */
#pragma once

#include "task/tf.h"

/* Render every task of `order` whose lifecycle lets it be made. */
int ck_terraform_render(struct ck_tf *tf, struct ck_task *const *order, size_t n,
                        struct ck_err *err);

/* Put the module into folder `out`: kubernetes.tf and data/. Everything is written beside it first
 * and then moved into place; an error leaves the old module as it was. Files that Terraform keeps
 * there (its state, its plug-ins) and other files of the user stay.
 *
 * Errors: INVALID when `out` holds files but no module of ours; DENIED, IO. */
int ck_terraform_write(const struct ck_tf *tf, const char *out, struct ck_err *err);
