/* Small test macros. A test is a program with a main(); REQUIRE prints what failed and
 * exits 1; `return CHECK_SKIP;` (77) skips when something outside is missing. */
#ifndef TAGLIGHT_TESTS_CHECK_H
#define TAGLIGHT_TESTS_CHECK_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_SKIP 77

#define REQUIRE(condition)                                                             \
    do {                                                                               \
        if (!(condition)) {                                                            \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);  \
            exit(1);                                                                   \
        }                                                                              \
    } while (0)

#define REQUIRE_INT(got, want)                                                         \
    do {                                                                               \
        long long got_ = (long long)(got), want_ = (long long)(want);                  \
        if (got_ != want_) {                                                           \
            fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #got, \
                    got_, want_);                                                      \
            exit(1);                                                                   \
        }                                                                              \
    } while (0)

/* Not where one of them is no number. */
#define REQUIRE_NEAR(got, want, tolerance)                                              \
    do {                                                                                \
        double got_ = (got), want_ = (want);                                            \
        if (!(fabs(got_ - want_) <= (tolerance))) {                                     \
            fprintf(stderr, "%s:%d: %s is %.12g, not %.12g\n", __FILE__, __LINE__, #got, \
                    got_, want_);                                                       \
            exit(1);                                                                    \
        }                                                                               \
    } while (0)

#define REQUIRE_STR(got, want)                                                         \
    do {                                                                               \
        const char *got_ = (got), *want_ = (want);                                     \
        if (!got_ || strcmp(got_, want_) != 0) {                                       \
            fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, __LINE__,   \
                    #got, got_ ? got_ : "(null)", want_);                              \
            exit(1);                                                                   \
        }                                                                              \
    } while (0)

/* For functions that return enum nn_status and fill `error`. */
#define REQUIRE_OK(call)                                                               \
    do {                                                                               \
        enum nn_status status_ = (call);                                               \
        if (status_ != NN_OK) {                                                        \
            fprintf(stderr, "%s:%d: %s failed: %s\n", __FILE__, __LINE__, #call,       \
                    error.text);                                                       \
            exit(1);                                                                   \
        }                                                                              \
    } while (0)

#endif
