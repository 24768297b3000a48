// SPDX-License-Identifier: Apache-2.0
// A table of certificates, as `list` and `show` print it.
#pragma once

#include "server/ctl/api.h"

enum ctl_exit certificates_print(struct ctl *ctl, const json_t *certificates);
