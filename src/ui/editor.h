/* Starting the user's editor on a text (KUBE_EDITOR, EDITOR, vi; cli.md §8.1). */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"

/* Put `text` into a fresh 0600 file in $TMPDIR called <program>-edit-<digits>yaml, run the editor
 * on it, read it back. *ret_path stays on disk: the caller removes it when the edit is done with,
 * or tells the user where it is. Errors: INVALID `there was a problem with the editor "CMD"`; IO.
 */
int ck_editor_run(struct ck_arena *a, const struct ck_env *env, const char *program,
                  struct ck_slice text, unsigned line, struct ck_buf *ret_text,
                  const char **ret_path, struct ck_err *err);
