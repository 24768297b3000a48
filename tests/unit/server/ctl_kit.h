// SPDX-License-Identifier: Apache-2.0
// scepctl run inside the test, with what it wrote.
#pragma once

#include "kit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/ctl/ctl.h"

#define WORDS_MAX 16 // of a command line, with the NULL at its end

struct outcome {
    enum ctl_exit code;
    char *out;
    char *errors;
};

// Runs "scepctl <words...>"; NULL ends the words. Done with outcome_done().
static inline struct outcome ctl_kit_run(const char *const *words)
{
    struct outcome outcome = {0};
    size_t out_len;
    size_t errors_len;
    char *argv[WORDS_MAX + 1] = {(char *)"scepctl"};
    int argc = 1;
    for (; words[argc - 1] != NULL; argc++) {
        assert_true(argc < WORDS_MAX);
        argv[argc] = (char *)words[argc - 1];
    }
    FILE *out = open_memstream(&outcome.out, &out_len);
    FILE *errors = open_memstream(&outcome.errors, &errors_len);
    outcome.code = ctl_main(argc, argv, out, errors);
    fclose(out);
    fclose(errors);
    return outcome;
}

static inline void outcome_done(struct outcome *outcome)
{
    free(outcome->out);
    free(outcome->errors);
}

static inline void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", part, text);
    }
}
