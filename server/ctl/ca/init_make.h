// SPDX-License-Identifier: Apache-2.0
// For init_files.c only: the ceremony that the plan asks for, and its files; and who may read them.
#pragma once

#include "server/ctl/ca/init_work.h"
#include "server/ctl/folder.h"

// The folder where everything goes, and the one of what scepd writes itself.
struct init_folders {
    struct folder main;
    struct folder state; // nothing in it unless the place has such a folder
};

// Adds keys and certificates, and the challenge key; notes fingerprints in `result`. Errors: as
// ceremony_run(), ceremony_request(), ceremony_adopt(); as folder_add_file().
enum err_code init_make(struct folder *folder, const struct init_work *work,
                        struct init_result *result, struct err *err) MUST_CHECK;

// Of an installed service: scepd's and scepd-ca's own users come to what they need, and nobody else
// to a key. Errors: as folder_give().
enum err_code init_share(struct init_folders *folders, const struct init_place *place,
                         struct err *err) MUST_CHECK;
