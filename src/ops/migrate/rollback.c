/* Taking a migration back: what it wrote to the new store goes, as long as nobody else's work and
 * no only copy goes with it. */
#include "ops/migrate/internal.h"

#include <string.h>

enum { MAX_LOOKS = 8 };

enum { FROM, TO };

static void clash(struct ck_migrate_file *f, const char *why)
{
    f->action = CK_MIGRATE_CLASH;
    f->why = why;
}

static void decide(struct ck_migrate_file *f)
{
    struct ck_migrate *m = f->m;
    const struct ck_migrate_record *rec = ck_migrate_record(m, f->item->name);
    bool alike = f->there[FROM] && strcmp(f->md5[FROM], f->md5[TO]) == 0;
    f->action = CK_MIGRATE_NOTHING;
    bool expected = *m->state.completed && !m->state.rolling_back && rec && *rec->base &&
                    !ck_migrate_ours(rec, CK_MIGRATE_GONE);
    if (!f->there[TO] && expected)
        clash(f, "was deleted in the new store since");
    else if (!f->there[TO])
        return;
    else if (!alike && !ck_migrate_ours(rec, f->md5[TO]))
        clash(f, "was changed in the new store since");
    else if (!f->there[FROM])
        clash(f, "is in the new store only: the old one has it no more");
    else
        f->action = CK_MIGRATE_DELETE;
}

static int look(struct ck_migrate *m, size_t *ret_left, struct ck_err *err)
{
    int r = ck_migrate_guard(m, err);
    if (r == 0)
        r = ck_migrate_look(m, err);
    *ret_left = 0;
    for (size_t i = 0; r == 0 && i < m->plan.n; i++) {
        decide(&m->files[i]);
        *ret_left += m->files[i].action == CK_MIGRATE_DELETE;
    }
    return r < 0 ? r : ck_migrate_clashes(m, "nothing was rolled back", err);
}

/* config first: what is being taken back is no cluster any more. */
static int take_back(struct ck_migrate *m, struct ck_err *err)
{
    bool config = false;
    for (size_t i = 0; i < m->plan.n; i++)
        config = config || (m->files[i].config && m->files[i].action == CK_MIGRATE_DELETE);
    for (size_t i = 0; i < m->plan.n; i++)
        m->files[i].now =
            m->files[i].action == CK_MIGRATE_DELETE && (!config || m->files[i].config);
    return ck_migrate_apply(m, "deleted", err);
}

static void tell(struct ck_migrate *m)
{
    for (size_t i = 0; i < m->plan.n; i++) {
        const struct ck_migrate_file *f = &m->files[i];
        if (f->action != CK_MIGRATE_DELETE)
            continue;
        m->ret->deleted++;
        if (m->o->planned)
            m->o->planned(m->o->arg, CK_COPY_EXTRA, f->item->name, f->item->size);
    }
}

static int undo(struct ck_migrate *m, size_t left, struct ck_err *err)
{
    int r = 0;
    for (unsigned n = 0; r == 0 && left; n++) {
        if (n == MAX_LOOKS)
            return ck_fail(err, CK_CONFLICT, "cluster \"%s\" is being changed in %s", m->o->cluster,
                           m->ret->to);
        r = take_back(m, err);
        if (r == 0)
            r = look(m, &left, err);
    }
    return r;
}

int ck_migrate_undo(struct ck_migrate *m, struct ck_err *err)
{
    size_t left = 0;
    int r = look(m, &left, err);
    return r < 0 ? r : undo(m, left, err);
}

int ck_migrate_rollback(struct ck_migrate *m, struct ck_err *err)
{
    size_t left = 0;
    if (!m->state.there)
        return ck_fail(err, CK_NOT_FOUND, "%s records no migration of cluster \"%s\"", m->ret->to,
                       m->o->cluster);
    int r = look(m, &left, err);
    if (r < 0)
        return r;
    if (m->o->dry_run) {
        tell(m);
        return 0;
    }
    if (!m->state.rolling_back) {
        m->state.rolling_back = true;
        r = ck_migrate_save(m, err);
    }
    if (r == 0)
        r = undo(m, left, err);
    return r < 0 ? r : ck_migrate_forget(m, err);
}
