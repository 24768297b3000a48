// SPDX-License-Identifier: Apache-2.0
// A backup as a whole: a tar file of the store's copy, the files of the settings, manifest.json
// with the hash of each of them, and manifest.sha256 with its own.
#pragma once

#include <jansson.h>

#include "server/ctl/archive/manifest.h"
#include "server/ctl/archive/tar_writer.h"
#include "server/ctl/progress.h"

// Reads all of it, before anything in it is used: it has what its manifest says and nothing else,
// and every hash is right. The caller gives *ret_manifest back. Errors: ERR_SYNTAX and ERR_LIMIT
// with what is wrong, ERR_CONFIG (another format), ERR_IO, ERR_NOMEM, ERR_DENIED (interrupted).
enum err_code archive_verify(int fd, struct progress *progress, json_t **ret_manifest,
                             struct err *err) MUST_CHECK;

// Ends an archive: the manifest and its hash. Errors: as tar_writer_add().
enum err_code archive_finish(struct tar_writer *writer, const json_t *manifest,
                             struct err *err) MUST_CHECK;
