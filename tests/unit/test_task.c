/* Sets of tasks: what builders' mistakes and impossible graphs become, and documents that are made
 * when they are read. */
#include "base/attr.h"
#include "target/plan.h"
#include "task/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

static const struct ck_task_field fields[] = {
    {"Size", CK_FIELD_INT, 0},
    {"Needs", CK_FIELD_REFS, 0},
    {"Text", CK_FIELD_BYTES, 0},
    {0},
};
static const struct ck_task_kind thing = {.name = "Thing", .fields = fields};

struct fx {
    struct ck_arena *a;
    struct ck_tasks set;
    struct ck_task **order;
    struct ck_err err;
    int made; /* how often a document was made */
};

static int setup(void **state)
{
    static struct fx f;
    f = (struct fx){.a = ck_arena_new()};
    ck_tasks_init(&f.set, f.a);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fx *f = *state;
    ck_tasks_done(&f->set);
    ck_err_done(&f->err);
    ck_arena_free(f->a);
    return 0;
}

static struct ck_task *add(struct fx *f, const char *name, const char *needs)
{
    struct ck_task *t = ck_task_new(&f->set, &thing, name, CK_LIFECYCLE_SYNC);
    if (needs)
        ck_task_ref(t, "Needs", &thing, needs);
    return t;
}

static void tasks_come_after_what_they_need(void **state)
{
    struct fx *f = *state;
    add(f, "a", "b");
    add(f, "b", "c");
    add(f, "c", NULL);
    assert_int_equal(ck_tasks_resolve(&f->set, &f->order, &f->err), 0);
    assert_string_equal(f->order[0]->name, "c");
    assert_string_equal(f->order[2]->name, "a");
}

static void a_cycle_is_refused_and_named_whole(void **state)
{
    struct fx *f = *state;
    add(f, "a", "b");
    add(f, "b", "c");
    add(f, "c", "a");
    assert_int_equal(ck_tasks_resolve(&f->set, &f->order, &f->err), -CK_INVALID);
    assert_string_equal(ck_err_msg(&f->err),
                        "tasks wait for each other: Thing/a -> Thing/b -> Thing/c -> Thing/a");
}

static void a_cycle_through_an_order_without_field_is_refused(void **state)
{
    struct fx *f = *state;
    struct ck_task *a = add(f, "a", "b"), *b = add(f, "b", NULL);
    ck_task_after(b, a);
    assert_int_equal(ck_tasks_resolve(&f->set, &f->order, &f->err), -CK_INVALID);
}

static void a_task_that_is_not_there_is_named_with_who_needs_it(void **state)
{
    struct fx *f = *state;
    add(f, "a", "gone");
    assert_int_equal(ck_tasks_resolve(&f->set, &f->order, &f->err), -CK_INVALID);
    assert_string_equal(ck_err_msg(&f->err),
                        "Thing/a needs Thing/gone, which is not part of the plan");
}

static void two_tasks_of_one_name_are_a_mistake(void **state)
{
    struct fx *f = *state;
    add(f, "a", NULL);
    add(f, "a", NULL);
    assert_int_equal(ck_tasks_resolve(&f->set, &f->order, &f->err), -CK_INTERNAL);
    assert_non_null(strstr(ck_err_msg(&f->err), "Thing/a"));
}

static int make_text(void *arg, struct ck_slice *ret, struct ck_err *err)
{
    struct fx *f = arg;
    if (f->made++ < 0)
        return ck_fail(err, CK_INVALID, "no text");
    *ret = CK_S("text");
    return 0;
}

static void a_document_is_made_once_and_when_it_is_needed(void **state)
{
    struct fx *f = *state;
    struct ck_plan plan;
    struct ck_task *t = add(f, "a", NULL);
    ck_task_bytes_later(t, "Text", make_text, f);
    assert_int_equal(ck_tasks_resolve(&f->set, &f->order, &f->err), 0);
    assert_int_equal(ck_plan_make(f->a, f->order, 1, NULL, &plan, &f->err), 0);
    assert_int_equal(plan.n, 1);
    assert_int_equal(f->made, 0);
    assert_int_equal(ck_task_fill(t, &f->err), 0);
    assert_int_equal(ck_tasks_fill(&f->set, &f->err), 0);
    assert_int_equal(f->made, 1);
    assert_true(ck_slice_eq_str(ck_task_get_bytes(t, "Text"), "text"));
}

static void a_document_that_cannot_be_made_names_its_task(void **state)
{
    struct fx *f = *state;
    f->made = -1;
    ck_task_bytes_later(add(f, "a", NULL), "Text", make_text, f);
    assert_int_equal(ck_tasks_fill(&f->set, &f->err), -CK_INVALID);
    assert_string_equal(ck_err_msg(&f->err), "Thing/a: no text");
}

static void documents_of_two_configurations_are_compared(void **state)
{
    struct fx *f = *state;
    struct ck_tasks before;
    struct ck_plan plan;
    ck_tasks_init(&before, f->a);
    struct ck_task *was = ck_task_new(&before, &thing, "a", CK_LIFECYCLE_SYNC);
    ck_task_bytes(was, "Text", CK_S("other text"));
    ck_task_bytes_later(add(f, "a", NULL), "Text", make_text, f);
    assert_int_equal(ck_tasks_resolve(&f->set, &f->order, &f->err), 0);
    struct ck_world *world = ck_world_of_tasks(f->a, &before);
    assert_int_equal(ck_plan_make(f->a, f->order, 1, world, &plan, &f->err), 0);
    assert_int_equal(plan.n, 1);
    assert_int_equal(plan.v[0].action, CK_PLAN_MODIFY);
    ck_tasks_done(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tasks_come_after_what_they_need, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cycle_is_refused_and_named_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cycle_through_an_order_without_field_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_task_that_is_not_there_is_named_with_who_needs_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(two_tasks_of_one_name_are_a_mistake, setup, teardown),
        cmocka_unit_test_setup_teardown(a_document_is_made_once_and_when_it_is_needed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_document_that_cannot_be_made_names_its_task, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(documents_of_two_configurations_are_compared, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
