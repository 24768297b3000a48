// SPDX-License-Identifier: Apache-2.0
// The program's commands. Each prints what it saw to standard output and returns the exit code.
#pragma once

#include "tests/phone/options.h"

enum outcome command_enroll(const struct options *options, struct trouble *trouble) MUST_CHECK;
enum outcome command_renew(const struct options *options, struct trouble *trouble) MUST_CHECK;
enum outcome command_poll(const struct options *options, struct trouble *trouble) MUST_CHECK;
enum outcome command_getcert(const struct options *options, struct trouble *trouble) MUST_CHECK;
enum outcome command_getcrl(const struct options *options, struct trouble *trouble) MUST_CHECK;
enum outcome command_getnextca(const struct options *options, struct trouble *trouble) MUST_CHECK;
enum outcome command_bench(const struct options *options, struct trouble *trouble) MUST_CHECK;
// `name` is one case, or "all".
enum outcome command_hostile(const char *name, const struct options *options,
                             struct trouble *trouble) MUST_CHECK;
// Names, expected classes and what each case does.
void command_hostile_list(void);
