// SPDX-License-Identifier: Apache-2.0
// scepctl against the running admin interface of a fixture.
#pragma once

#include "admin_fixture.h"

#include "server/ctl_kit.h"

// Runs "scepctl -c <config> <words...>".
static inline struct outcome run(struct fixture *fixture, const char *const *words)
{
    const char *all[WORDS_MAX] = {"-c", fixture->config};
    size_t count = 2;
    for (size_t i = 0; words[i] != NULL; i++) {
        assert_true(count + 1 < WORDS_MAX);
        all[count++] = words[i];
    }
    return ctl_kit_run(all);
}

// Runs a command that must succeed without a word on the error stream.
static inline struct outcome succeed(struct fixture *fixture, const char *const *words)
{
    struct outcome outcome = run(fixture, words);
    assert_string_equal(outcome.errors, "");
    assert_int_equal(outcome.code, CTL_OK);
    return outcome;
}

static inline void fail_with(struct fixture *fixture, const char *const *words, const char *errors)
{
    struct outcome outcome = run(fixture, words);
    assert_contains(outcome.errors, errors);
    assert_int_equal(outcome.code, CTL_FAILED);
    assert_string_equal(outcome.out, "");
    outcome_done(&outcome);
}
