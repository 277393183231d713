/* Whose write an object is, and whose were the last few before it.
 *
 * A conditional write carries a random mark in the object's metadata, followed by the marks of the
 * versions it builds on: "mine.before.before". When the reply to a write is lost, a look at the
 * object tells whether it took effect, even after others have written on top of it. The marks of
 * what was read travel in the version token, behind the ETag and a space. */
#pragma once

#include "vfs/vfs.h"

enum { CK_MARK_LEN = 16, CK_MARKS_KEPT = 14, CK_MARKS_LEN = CK_MARKS_KEPT * (CK_MARK_LEN + 1) };

enum ck_marks_verdict {
    CK_MARKS_OURS,      /* the write is what is there now */
    CK_MARKS_OURS_ONCE, /* it took effect; somebody has written on top of it */
    CK_MARKS_UNCHANGED, /* what it was to replace is still there */
    CK_MARKS_NOT_OURS,  /* others have written on top of that, so it cannot take effect any more */
    CK_MARKS_BURIED,    /* so many have written since that the marks do not reach back that far */
    CK_MARKS_UNKNOWN,   /* written by somebody who leaves no marks */
};

/* The marks of a new write on top of `base` (a version token; NULL or "": a new object). A base
 * that has no mark is called by the beginning of its ETag, or a digest of it when that has fewer
 * hexadecimal digits than a mark. */
void ck_marks_new(const char *base, char out[CK_MARKS_LEN]);
/* What the marks found with an object (NULL: it has none) say of a write that carried `written`. */
enum ck_marks_verdict ck_marks_judge(const char *written, const char *found);
/* Put the marks of an object behind the ETag in its version; what are no marks is left out. */
void ck_marks_add(struct ck_version *v, const char *marks);
/* Bytes of the token before the marks. */
size_t ck_marks_tag_len(const char *token);
/* Whether both tokens have the same ETag; no tag is like no other. */
bool ck_marks_same_tag(const char *a, const char *b);
