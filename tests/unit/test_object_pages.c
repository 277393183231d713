/* Listings whose page tokens go in a circle are noticed, whatever its length; others are not. */
#include "crypto/hash.h"
#include "vfs/object/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* Pages taken until the circle is noticed: `tail` tokens of their own, then `length` in a circle.
 */
static unsigned noticed_after(unsigned tail, unsigned length, unsigned give_up)
{
    struct ck_pages_seen seen = {0};
    unsigned n = 0;
    char token[32];
    do {
        unsigned at = n < tail ? n : tail + (n - tail) % length;
        snprintf(token, sizeof token, "token %u", at);
    } while (!ck_pages_repeat(&seen, token) && ++n < give_up);
    return n;
}

static void circles_are_noticed(void **state)
{
    for (unsigned tail = 0; tail < 40; tail++)
        for (unsigned length = 1; length < 40; length++)
            assert_in_range(noticed_after(tail, length, 1000), length, 3 * (tail + length));
}

static void listings_with_an_end_are_not(void **state)
{
    assert_int_equal(noticed_after(100000, 1, 100000), 100000);
    struct ck_pages_seen seen = {0};
    assert_false(ck_pages_repeat(&seen, "a"));
    assert_false(ck_pages_repeat(&seen, "")); /* the end; another listing may begin the same way */
    assert_false(ck_pages_repeat(&seen, "a"));
    assert_true(ck_pages_repeat(&seen, "a"));
}

static int setup(void **state)
{
    return ck_crypto_load(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(circles_are_noticed),
        cmocka_unit_test(listings_with_an_end_are_not),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
