// SPDX-License-Identifier: Apache-2.0
// What a trial saw, step by step, and what a phone makes of it. Texts may hold what a server sent,
// as it came: whoever prints them escapes them.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "conf/base/attributes.h"

enum finding_level {
    FINDING_OK,
    FINDING_WARNING, // a phone goes on, yet somebody should know
    FINDING_PROBLEM, // a phone fails here
};

struct finding {
    enum finding_level level;
    const char *step; // static: "GetCACert"
    char *seen;
    char *phone; // what a phone makes of it; NULL = nothing is to be said
};

struct findings {
    struct finding *list;
    size_t count;
    bool failed; // out of memory; the list is not complete then
};

// "ok", "warning", "problem"; static.
const char *finding_level_name(enum finding_level level);

// Appends a finding; printf-style what was seen. `step` is static.
void findings_add(struct findings *findings, enum finding_level level, const char *step,
                  const char *format, ...) PRINTF_LIKE(4, 5);
// Says of the last finding what a phone makes of it.
void findings_explain(struct findings *findings, const char *format, ...) PRINTF_LIKE(2, 3);

// The gravest level there is; FINDING_OK when there is no finding.
enum finding_level findings_worst(const struct findings *findings);
void findings_done(struct findings *findings);
