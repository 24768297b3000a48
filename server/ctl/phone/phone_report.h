// SPDX-License-Identifier: Apache-2.0
// What a trial found, for people and for programs, and the files that it leaves.
#pragma once

#include "server/ctl/ctl.h"
#include "server/phone/trial.h"

// The names that phone_report_keep() makes in a folder, NULL at the end.
extern const char *const phone_report_files[];

struct phone_report {
    const char *server; // as it was given
    const struct findings *findings;
    const struct trial_result *result;
    const char *folder; // where the files are; NULL = none were kept
};

// Prints two lines a finding, or one JSON document; all that came from the server is escaped.
// CTL_FAILED when a phone would fail.
enum ctl_exit phone_report_print(struct ctl *ctl, const struct phone_report *report);

// Makes the files for a result that has a certificate, mode 0600. On failure the user has been
// told. *ret_is_kept tells whether there was anything to keep.
struct folder;
enum ctl_exit phone_report_keep(struct ctl *ctl, struct folder *folder,
                                const struct trial_result *result, bool *ret_is_kept);
