/* What became of a conditional write whose reply is missing, or says that the condition did not
 * hold: a look at the object tells by the marks of its writers (marks.h). One's own success is not
 * mistaken for somebody else's, and an outcome that nobody can know is an error of its own. */
#pragma once

#include "vfs/object/marks.h"

/* What is there now. */
struct ck_seen {
    bool found;
    struct ck_version version;
    enum ck_marks_verdict verdict; /* on the write in question */
};

struct ck_outcome {
    const char *scheme, *container, *key; /* for messages */
    bool create;                          /* else an update */
    bool late; /* the store does not compare: what was sent may arrive after the look */
    /* Look at the object: fills *ret. An error when the store does not answer. */
    int (*look)(void *arg, struct ck_seen *ret, struct ck_err *err);
    void *arg;
};

/* The verdict on a write that carried `written` and was to replace `base` ("" or NULL: nothing),
 * by what is there now: its version and marks (NULL: none). */
enum ck_marks_verdict ck_outcome_judge(const char *written, const struct ck_version *base,
                                       const struct ck_version *now, const char *marks);
/* EXISTS or CONFLICT. */
int ck_outcome_refused(const struct ck_outcome *o, struct ck_err *err);
/* The condition did not hold: 0 when an earlier sending of the write took effect (*ret: its
 * version, "" when somebody has written on top of it), else EXISTS or CONFLICT, or UNAVAILABLE when
 * the outcome cannot be known, TIMEOUT or another code when the look fails. `resent`: an earlier
 * sending is known of. Looked into even when none is, because something on the way may have sent
 * the request twice. */
int ck_outcome_of_refusal(const struct ck_outcome *o, bool resent, struct ck_version *ret,
                          struct ck_err *err);
/* No reply came, or one that says nothing about what was done; *err says so. 0, EXISTS or CONFLICT
 * when the object tells, else *err stays. */
int ck_outcome_of_silence(const struct ck_outcome *o, struct ck_version *ret, struct ck_err *err);
