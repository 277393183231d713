/* `edit cluster` and `edit instancegroup` without the editor: the text shown, what became of it,
 * --set and --unset, storing the result. */
#pragma once

#include "store/store.h"

struct ck_edit {
    struct ck_arena *a;
    const struct ck_store *s;
    const char *cluster;           /* its name */
    const struct ck_stored *owner; /* the cluster itself */
    const struct ck_stored *old;   /* what is edited: the cluster, or one of its groups */
    enum ck_object_kind kind;
};

enum ck_edit_verdict {
    CK_EDIT_GOOD,
    CK_EDIT_WRONG,      /* show the text again with `problem` on top */
    CK_EDIT_UNREADABLE, /* not YAML, or values of the wrong kind */
};

struct ck_edit_result {
    struct ck_object obj;
    const char *problem; /* for people; may hold several lines */
    const char *shown;   /* the same with positions in the file as it will be shown again */
    unsigned line;       /* where the problem is in that file; 0 unknown */
};

/* The object as the user gets to see it, without header. In the arena. */
struct ck_slice ck_edit_text(const struct ck_edit *e);
/* Header and body; `problem` NULL the first time. */
void ck_edit_present(struct ck_buf *out, const char *problem, struct ck_slice body);
/* The file without the header that ck_edit_present put in front of it. */
struct ck_slice ck_edit_body(struct ck_slice file);
/* Whether the texts are equal but for comment lines. */
bool ck_edit_same(struct ck_slice x, struct ck_slice y);
/* Whether there is nothing but blank and comment lines. */
bool ck_edit_is_empty(struct ck_slice file);
/* Judge what the user saved. */
enum ck_edit_verdict ck_edit_check(const struct ck_edit *e, struct ck_slice file,
                                   struct ck_edit_result *ret);
/* Apply the unsets, then the sets, to a copy of the object; check it as the editor path does.
 * Errors: INVALID with kOps' texts. */
int ck_edit_assign(const struct ck_edit *e, const struct ck_strv *sets,
                   const struct ck_strv *unsets, struct ck_object *ret, struct ck_err *err);
/* Write if nobody else did meanwhile. Errors: CONFLICT with the three-way view, and the store's. */
int ck_edit_store(const struct ck_edit *e, struct ck_object *obj, struct ck_err *err);
