// SPDX-License-Identifier: Apache-2.0
// "Did you mean": which of several words somebody who typed another one had in mind.
#pragma once

#include <stddef.h>

struct suggestion {
    const char *given;
    const char *best; // borrowed; NULL = none is near
    size_t distance;  // of `best`
};

struct suggestion suggestion_for(const char *given);
// Takes `candidate` as the best one when it is nearer than those before it: few letters are
// missing, too many, wrong or swapped, or it begins with what was given.
void suggestion_try(struct suggestion *suggestion, const char *candidate);
