// SPDX-License-Identifier: Apache-2.0
// Macros in values of phones' configuration: $MAU, $(MAU), $(MAU:0:6), $$.
#pragma once

// Calls `warn` with one sentence for each thing in `common_name` that the phone will not turn into
// what was meant: unknown macros, those that are no help in a name, a "$" without a name, and a
// name that gets longer than LIMIT_COMMON_NAME.
void phone_macros_check(const char *common_name, void (*warn)(const char *text, void *context),
                        void *context);
