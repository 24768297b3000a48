// SPDX-License-Identifier: Apache-2.0
#include "server/phone/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const level_names[] = {
    [FINDING_OK] = "ok",
    [FINDING_WARNING] = "warning",
    [FINDING_PROBLEM] = "problem",
};

const char *finding_level_name(enum finding_level level)
{
    return level_names[level];
}

static PRINTF_LIKE(1, 0) char *print_text(const char *format, va_list args)
{
    char *text = NULL;
    return vasprintf(&text, format, args) >= 0 ? text : NULL;
}

void findings_add(struct findings *findings, enum finding_level level, const char *step,
                  const char *format, ...)
{
    struct finding *longer =
        reallocarray(findings->list, findings->count + 1, sizeof *findings->list);
    if (longer == NULL) {
        findings->failed = true;
        return;
    }
    findings->list = longer;
    va_list args;
    va_start(args, format);
    char *seen = print_text(format, args);
    va_end(args);
    findings->failed = findings->failed || seen == NULL;
    if (seen != NULL) {
        findings->list[findings->count++] =
            (struct finding){.level = level, .step = step, .seen = seen};
    }
}

void findings_explain(struct findings *findings, const char *format, ...)
{
    if (findings->failed || findings->count == 0) {
        return;
    }
    struct finding *last = &findings->list[findings->count - 1];
    va_list args;
    va_start(args, format);
    free(last->phone);
    last->phone = print_text(format, args);
    va_end(args);
    findings->failed = last->phone == NULL;
}

enum finding_level findings_worst(const struct findings *findings)
{
    enum finding_level worst = FINDING_OK;
    for (size_t i = 0; i < findings->count; i++) {
        worst = findings->list[i].level > worst ? findings->list[i].level : worst;
    }
    return worst;
}

void findings_done(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->list[i].seen);
        free(findings->list[i].phone);
    }
    free(findings->list);
    *findings = (struct findings){0};
}
