/* The files that `toolbox template` reads: values, snippets, templates. */
#pragma once

#include "base/strv.h"
#include "ops/template/template.h"
#include "vfs/vfs.h"

/* A folder becomes its files in order of their names; anything else stays as it is. Appended.
 * Errors: IO, LIMIT (10,000 files). */
int ck_template_expand(const char *path, struct ck_strv *ret, struct ck_err *err);
/* The values of several files, later ones over earlier ones key by key at the top, as kOps merges
 * them. Errors: INVALID, NOT_FOUND, IO. */
int ck_template_values(struct ck_arena *a, struct ck_vfs_ctx *vfs, const struct ck_strv *paths,
                       struct ck_val **ret, struct ck_err *err);
/* Snippets, called by the last part of their file's name. */
int ck_template_snippets(struct ck_arena *a, struct ck_vfs_ctx *vfs, const struct ck_strv *paths,
                         struct ck_snippet **ret, size_t *ret_n, struct ck_err *err);
/* Render every file and put the documents together; `format`: each document is read as YAML and
 * written in the one canonical way. Errors: INVALID with kOps' texts. */
int ck_template_documents(struct ck_arena *a, struct ck_vfs_ctx *vfs, const struct ck_strv *paths,
                          const struct ck_val *values, const struct ck_template_opts *o,
                          bool format, struct ck_buf *out, struct ck_err *err);
