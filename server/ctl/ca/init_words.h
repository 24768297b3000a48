// SPDX-License-Identifier: Apache-2.0
// What scepctl init says when it is done: which key to keep where, the fingerprints, the next step.
#pragma once

#include "server/ctl/ca/init_files.h"
#include "server/ctl/ctl.h"

// In words for people, or as JSON.
enum ctl_exit init_words(struct ctl *ctl, const struct init_plan *plan,
                         const struct init_result *result);
