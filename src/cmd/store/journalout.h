/* What the commands around the journal share. */
#pragma once

#include "cmd/cmd.h"
#include "ops/journal/journal.h"

/* Open the store and read the journal of the cluster that was named, or of the only one that has a
 * journal; with `to_change` its lock is taken first, where locks are asked for. INVALID: none was
 * named and there are several; NOT_FOUND: none has one. */
int ck_journal_open(struct ck_ctx *ctx, struct ck_arena *a, bool to_change,
                    struct ck_journal_history *ret, struct ck_err *err);
/* ck_journal_point_of(), with a warning for a time that the journal does not reach back to. */
int ck_journal_moment(const struct ck_journal_history *h, const char *text,
                      struct ck_journal_point *ret, struct ck_err *err);
/* Print what differs, file by file: of secrets only that they do. `contents`: line by line. */
int ck_journal_print(struct ck_ctx *ctx, const struct ck_journal_history *h,
                     const struct ck_journal_view *from, const struct ck_journal_view *to,
                     const struct ck_journal_changes *changes, bool contents, struct ck_err *err);
/* Print text that others wrote, as ck_put_printable(). */
void ck_journal_print_text(struct ck_ctx *ctx, struct ck_slice text);
/* As a document: path, before, after. */
struct ck_val *ck_journal_files_doc(struct ck_arena *a, const struct ck_journal_changes *changes);
/* Print a document as "json" or "yaml". */
void ck_journal_put_doc(struct ck_ctx *ctx, const struct ck_val *v, const char *form);
/* `--output is …` when it is none of table (with `table`), json and yaml. */
int ck_journal_check_output(const char *output, bool table, struct ck_err *err);
