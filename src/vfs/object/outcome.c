/* The outcome of conditional writes; see outcome.h. */
#include "vfs/object/outcome.h"

enum ck_marks_verdict ck_outcome_judge(const char *written, const struct ck_version *base,
                                       const struct ck_version *now, const char *marks)
{
    enum ck_marks_verdict verdict = ck_marks_judge(written, marks);
    if (verdict == CK_MARKS_UNKNOWN && base && ck_marks_same_tag(now->token, base->token))
        verdict = CK_MARKS_UNCHANGED;
    return verdict;
}

int ck_outcome_refused(const struct ck_outcome *o, struct ck_err *err)
{
    if (o->create)
        return ck_fail(err, CK_EXISTS, "file already exists");
    return ck_fail(err, CK_CONFLICT, "%s://%s/%s was changed by someone else since it was read",
                   o->scheme, o->container, o->key);
}

/* Whether a look shows that the write took effect; then *ret is its version, "" when somebody has
 * written on top of it already. */
static bool took_effect(const struct ck_seen *now, struct ck_version *ret)
{
    bool ours = now->verdict == CK_MARKS_OURS;
    if (!ours && now->verdict != CK_MARKS_OURS_ONCE)
        return false;
    if (ret)
        *ret = ours ? now->version : (struct ck_version){""};
    return true;
}

int ck_outcome_of_refusal(const struct ck_outcome *o, bool resent, struct ck_version *ret,
                          struct ck_err *err)
{
    struct ck_seen now = {.verdict = CK_MARKS_UNKNOWN};
    CK_AUTOERR why = CK_ERR_INIT;
    int r = o->look(o->arg, &now, &why);
    /* A network that is bad enough for the look may have sent the request twice. */
    bool bad = r == -(int)CK_UNAVAILABLE || r == -(int)CK_TIMEOUT;
    if (r < 0 && (resent || bad)) {
        ck_wrap(&why, "the outcome of the write is unknown");
        return err ? ck_err_move(err, &why) : r;
    }
    if (r == 0 && took_effect(&now, ret))
        return 0;
    /* Marks that do not reach back leave it open; without a known second sending, a creation that
     * would have had to be overwritten so often in the meantime is not thought of. */
    bool buried = now.verdict == CK_MARKS_BURIED;
    bool open = o->create ? buried && resent : buried || resent;
    if (now.verdict == CK_MARKS_NOT_OURS || !open)
        return ck_outcome_refused(o, err);
    return ck_fail(err, CK_UNAVAILABLE,
                   "the outcome of the write is unknown: %s://%s/%s was refused, but that may have "
                   "been the second sending, and others have written since",
                   o->scheme, o->container, o->key);
}

int ck_outcome_of_silence(const struct ck_outcome *o, struct ck_version *ret, struct ck_err *err)
{
    struct ck_seen now = {.verdict = CK_MARKS_UNKNOWN};
    CK_AUTOERR why = CK_ERR_INIT;
    int r = o->look(o->arg, &now, &why);
    bool done = r == 0 && took_effect(&now, ret);
    bool open = !done && now.verdict != CK_MARKS_NOT_OURS;
    if (r < 0 || (open && o->late))
        return ck_wrap(err, "the outcome of the write is unknown");
    if (open)
        return -(int)err->code;
    ck_err_done(err);
    return done ? 0 : ck_outcome_refused(o, err);
}
