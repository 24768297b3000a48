// SPDX-License-Identifier: Apache-2.0
// scepctl phone option43 --decode: what a value of option 43 says, and what is wrong with it.
#pragma once

#include "server/ctl/ctl.h"

// Explains `hex` ("-" = from standard input). CTL_FAILED when phones would not take the value,
// which is shown nevertheless; CTL_USAGE when it is not hexadecimal.
enum ctl_exit phone_decode(struct ctl *ctl, const char *hex);
