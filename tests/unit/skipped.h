/* Leaving a test out, with the reason. Included after cmocka.h. */
#pragma once

/* Jumps: the caller's clean-up never runs. tools/test.sh shows the lines that begin so. */
#define skip_because(reason)                                                                       \
    do {                                                                                           \
        print_message("skipped: %s\n", reason);                                                    \
        skip();                                                                                    \
    } while (0)

#define NO_REFERENCE "the reference material is not here (CK_SHARED)"
