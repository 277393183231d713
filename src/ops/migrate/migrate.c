/* A migration from its first look to its last. */
#include "ops/migrate/internal.h"

#include "base/clock.h"
#include "crypto/hash.h"
#include "store/store.h"

#include <string.h>

/* Looks that find something to do, before edits that do not end are a reason to stop. */
enum { MAX_LOOKS = 24 };

enum { FROM, TO };

int ck_migrate_guard(struct ck_migrate *m, struct ck_err *err)
{
    return m->o->guard && !m->o->dry_run ? m->o->guard(m->o->arg, err) : 0;
}

/* ---- what is to be done ---- */

static bool same(const struct ck_migrate_file *f)
{
    return f->there[FROM] && f->there[TO] && strcmp(f->md5[FROM], f->md5[TO]) == 0;
}

static void clash(struct ck_migrate_file *f, const char *why)
{
    f->action = CK_MIGRATE_CLASH;
    f->why = why;
}

/* At the source only: not copied yet, or deleted in the new store. */
static void decide_missing(struct ck_migrate_file *f, const struct ck_migrate_record *rec,
                           bool completed)
{
    if (!completed || !rec || !*rec->base || ck_migrate_ours(rec, CK_MIGRATE_GONE))
        f->action = CK_MIGRATE_WRITE;
    else if (strcmp(rec->base, f->md5[FROM]) == 0)
        f->action = CK_MIGRATE_KEEP;
    else
        clash(f, "was edited in the old store and deleted in the new one");
}

static void decide_extra(struct ck_migrate_file *f, const struct ck_migrate_record *rec,
                         bool completed)
{
    const struct ck_migrate *m = f->m;
    if (!rec && completed)
        f->action = CK_MIGRATE_KEEP;
    else if (!rec)
        clash(f, "was put into the new store by someone else");
    else if (!ck_migrate_ours(rec, f->md5[TO]))
        clash(f, "was deleted in the old store and edited in the new one");
    else if (m->ended_before && !m->o->delete_gone)
        clash(f, "was deleted in the old store since the migration (--delete deletes it in the new "
                 "one too)");
    else
        f->action = CK_MIGRATE_DELETE;
}

/* Three ways: what is there now, what is here, and what the migration knows to have written. */
static void decide(struct ck_migrate_file *f)
{
    struct ck_migrate *m = f->m;
    const struct ck_migrate_record *rec = ck_migrate_record(m, f->item->name);
    bool completed = *m->state.completed;
    f->action = CK_MIGRATE_NOTHING;
    if (same(f) || (!f->there[FROM] && !f->there[TO]))
        return;
    if (!f->there[TO])
        decide_missing(f, rec, completed);
    else if (!f->there[FROM])
        decide_extra(f, rec, completed);
    else if (ck_migrate_ours(rec, f->md5[TO]))
        f->action = CK_MIGRATE_WRITE;
    else if (completed && rec && strcmp(rec->base, f->md5[FROM]) == 0)
        f->action = CK_MIGRATE_KEEP;
    else if (completed)
        clash(f, "was edited in both stores");
    else
        clash(f, "was written into the new store by someone else");
}

static size_t count(const struct ck_migrate *m, enum ck_migrate_action what, bool config)
{
    size_t n = 0;
    for (size_t i = 0; i < m->plan.n; i++)
        n += m->files[i].action == what && m->files[i].config == config;
    return n;
}

static size_t to_do(const struct ck_migrate *m, bool config)
{
    return count(m, CK_MIGRATE_WRITE, config) + count(m, CK_MIGRATE_DELETE, config);
}

/* Only a cluster that is not there yet may be brought there. */
static int check_vacant(const struct ck_migrate *m, struct ck_err *err)
{
    for (size_t i = 0; !m->state.there && i < m->plan.n; i++)
        if (m->files[i].there[TO])
            return ck_fail(err, CK_EXISTS,
                           "%s has files of cluster \"%s\" that no migration put there, %s for "
                           "one: nothing was changed",
                           m->ret->to, m->o->cluster, m->files[i].item->name);
    return 0;
}

/* ---- doing it ---- */

/* Before anything is written: what each file is going to hold. */
static int record_intents(struct ck_migrate *m, struct ck_err *err)
{
    for (size_t i = 0; i < m->plan.n; i++) {
        const struct ck_migrate_file *f = &m->files[i];
        if (f->action == CK_MIGRATE_WRITE || f->action == CK_MIGRATE_DELETE)
            ck_migrate_intend(m, ck_migrate_record_new(m, f->item->name),
                              f->there[FROM] ? f->md5[FROM] : CK_MIGRATE_GONE,
                              f->there[TO] ? f->md5[TO] : CK_MIGRATE_GONE);
    }
    return m->state.dirty || !m->state.there ? ck_migrate_save(m, err) : 0;
}

/* Everything but config, or config alone when nothing else is left. */
static int bring(struct ck_migrate *m, struct ck_err *err)
{
    bool config = !to_do(m, false);
    int r = record_intents(m, err);
    for (size_t i = 0; i < m->plan.n; i++) {
        struct ck_migrate_file *f = &m->files[i];
        bool act = f->action == CK_MIGRATE_WRITE || f->action == CK_MIGRATE_DELETE;
        f->now = act && f->config == config;
    }
    return r < 0 ? r : ck_migrate_apply(m, "migrated", err);
}

static bool looked_at(const struct ck_migrate *m, const char *name)
{
    for (size_t i = 0; i < ck_len(m->folders); i++)
        if (ck_copy_within(name, ck_str_or(ck_item(m->folders, i), "")))
            return true;
    return false;
}

/* Both ends are alike: remember how. */
static int settle(struct ck_migrate *m, bool *ret_wrote, struct ck_err *err)
{
    struct ck_migrate_state *s = &m->state;
    for (size_t i = 0; i < s->records.n; i++)
        if (s->records.e[i].val)
            ((struct ck_migrate_record *)s->records.e[i].val)->seen = false;
    for (size_t i = 0; i < m->plan.n; i++) {
        const struct ck_migrate_file *f = &m->files[i];
        struct ck_migrate_record *rec = ck_migrate_record(m, f->item->name);
        if (same(f))
            ck_migrate_settle(m, rec ? rec : ck_migrate_record_new(m, f->item->name), f->md5[TO]);
        else if (rec)
            rec->seen = f->there[FROM] || f->there[TO];
    }
    for (size_t i = 0; i < s->records.n; i++) {
        const struct ck_migrate_record *rec = s->records.e[i].val;
        if (!rec || rec->seen || !looked_at(m, s->records.e[i].key))
            continue;
        s->records.e[i].val = NULL; /* gone at both ends */
        s->dirty = true;
    }
    if (!*s->completed) {
        ck_rfc3339(ck_now_s(), s->completed);
        s->dirty = true;
    }
    *ret_wrote = s->dirty;
    return s->dirty ? ck_migrate_save(m, err) : 0;
}

static int unending(const struct ck_migrate *m, const char *last, struct ck_err *err)
{
    return ck_fail(err, CK_CONFLICT,
                   "cluster \"%s\" was edited in %s all the time, %s last; what was copied stays: "
                   "run the same command again when the edits have ended",
                   m->o->cluster, m->ret->from, last);
}

/* Someone else wrote the record: another run of the same migration, or one that was killed and
 * whose last request came through late. After a rollback, what this run wrote since goes too: there
 * would be no record of it. */
static int read_again(struct ck_migrate *m, struct ck_err *err)
{
    struct ck_migrate_state known = m->state;
    ck_err_done(err);
    int r = ck_migrate_load(m, err);
    if (r < 0 || (m->state.there && !m->state.rolling_back)) {
        ck_map_done(&known.records);
        return r;
    }
    ck_map_done(&m->state.records);
    m->state = known;
    m->state.rolling_back = true;
    r = ck_migrate_undo(m, err);
    if (r < 0)
        return r;
    return ck_fail(err, CK_CONFLICT, "the migration of \"%s\" was rolled back meanwhile",
                   m->o->cluster);
}

static void plan(struct ck_migrate *m)
{
    struct ck_migrate_result *ret = m->ret;
    for (size_t i = 0; i < m->plan.n; i++) {
        const struct ck_migrate_file *f = &m->files[i];
        enum ck_copy_what what = f->action == CK_MIGRATE_DELETE ? CK_COPY_EXTRA
                                 : f->there[TO]                 ? CK_COPY_CHANGED
                                                                : CK_COPY_NEW;
        if (f->action != CK_MIGRATE_WRITE && f->action != CK_MIGRATE_DELETE)
            continue;
        *(what == CK_COPY_EXTRA ? &ret->deleted
          : what == CK_COPY_NEW ? &ret->copied
                                : &ret->replaced) += 1;
        if (m->o->planned)
            m->o->planned(m->o->arg, what, f->item->name, f->item->size);
    }
}

/* One look, decided. */
static int look(struct ck_migrate *m, struct ck_err *err)
{
    int r = ck_migrate_guard(m, err);
    if (r == 0)
        r = ck_migrate_look(m, err);
    if (r == 0)
        r = check_vacant(m, err);
    for (size_t i = 0; r == 0 && i < m->plan.n; i++)
        decide(&m->files[i]);
    if (r < 0)
        return r;
    m->ret->kept = count(m, CK_MIGRATE_KEEP, false) + count(m, CK_MIGRATE_KEEP, true);
    r = ck_migrate_clashes(m, "nothing of it was overwritten", err);
    return r;
}

static const char *last_of(const struct ck_migrate *m, const char *last)
{
    for (size_t i = 0; i < m->plan.n; i++)
        if (m->files[i].now)
            last = ck_arena_strdup(m->a, m->files[i].item->name);
    return last;
}

/* Look and act until a look finds both ends alike and nothing to write down: what is edited before
 * that look is carried over. */
static int migrate(struct ck_migrate *m, struct ck_err *err)
{
    const char *last = "";
    for (unsigned n = 0; n < MAX_LOOKS; n++) {
        int r = look(m, err);
        if (r < 0)
            return r;
        if (m->o->dry_run) {
            plan(m);
            return 0;
        }
        bool wrote = true;
        r = to_do(m, false) || to_do(m, true) ? bring(m, err) : settle(m, &wrote, err);
        last = last_of(m, last);
        if (r == -(int)CK_CONFLICT) /* only the record can have been overtaken */
            r = read_again(m, err);
        if (r < 0)
            return r;
        if (!wrote)
            return ck_migrate_guard(m, err);
    }
    return unending(m, last, err);
}

/* ---- the whole ---- */

static int open_ends(struct ck_migrate *m, struct ck_err *err)
{
    const struct ck_migrate_opts *o = m->o;
    int r = ck_copy_open(&m->w.from, m->a, &o->from, err);
    if (r == 0)
        r = ck_copy_open(&m->w.to, m->a, &o->to, err);
    if (r < 0)
        return r;
    m->w.from.ctx.parallel = m->w.to.ctx.parallel = o->parallel;
    struct ck_store s = {.vfs = &m->w.from.ctx, .root = m->w.from.root};
    struct ck_path ignored;
    m->ret->from = ck_migrate_text(m->a, &m->w.from, "");
    m->ret->to = ck_migrate_text(m->a, &m->w.to, "");
    m->ret->readable =
        m->w.to.root.vfs->ops->cluster_readable && !m->w.to.root.vfs->ops->absolute_keys;
    m->config = ck_arena_printf(m->a, "%s/config", o->cluster);
    r = ck_layout_cluster(m->a, &s, o->cluster, &ignored, err);
    return r < 0 ? r : ck_copy_check_apart(m->a, &m->copy, &m->w, err);
}

static int run(struct ck_migrate *m, struct ck_err *err)
{
    int r = ck_crypto_load(err);
    if (r == 0)
        r = open_ends(m, err);
    if (r == 0)
        r = ck_migrate_load(m, err);
    if (r < 0)
        return r;
    if (m->o->rollback)
        return ck_migrate_rollback(m, err);
    if (m->state.rolling_back) { /* the rest of it is taken back by copying again */
        m->state.rolling_back = false;
        m->state.completed[0] = '\0';
        m->state.dirty = true;
    }
    m->ended_before = *m->state.completed;
    if (m->ended_before)
        m->ret->completed = ck_arena_strdup(m->a, m->state.completed);
    return migrate(m, err);
}

int ck_migrate(struct ck_arena *a, const struct ck_migrate_opts *opts,
               struct ck_migrate_result *ret, struct ck_err *err)
{
    CK_AUTOERR own = CK_ERR_INIT;
    *ret = (struct ck_migrate_result){0};
    struct ck_migrate m = {.o = opts,
                           .a = a,
                           .ret = ret,
                           .copy = {.from = opts->from,
                                    .to = opts->to,
                                    .parallel = opts->parallel,
                                    .progress = opts->progress,
                                    .failed = opts->failed,
                                    .arg = opts->arg}};
    int r = run(&m, &own);
    for (size_t i = 0; i < m.plan.n; i++)
        ret->same += same(&m.files[i]);
    ck_migrate_look_done(&m);
    ck_map_done(&m.state.records);
    ck_copy_close(&m.w.from);
    ck_copy_close(&m.w.to);
    return r < 0 && err ? ck_err_move(err, &own) : r;
}
