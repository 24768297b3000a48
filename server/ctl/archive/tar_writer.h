// SPDX-License-Identifier: Apache-2.0
// Writes a plain tar file of regular files. The first member may be of a size that nobody knows
// before its end: its header is written last, into the place that was left for it.
#pragma once

#include "server/ctl/archive/newfile.h"

struct tar_writer;

// At the file's beginning; what was in the file is gone. `file` outlives the writer. To be freed
// with tar_writer_free(). Errors: ERR_NOMEM, ERR_IO, ERR_FULL.
enum err_code tar_writer_new(struct newfile *file, int64_t now, struct tar_writer **ret_writer,
                             struct err *err) MUST_CHECK;
void tar_writer_free(struct tar_writer *writer);

// The first member: what tar_writer_stream() is given, up to tar_writer_end_stream(), which gives
// it its name. Errors of all: ERR_IO, ERR_FULL, ERR_NOMEM.
enum err_code tar_writer_begin_stream(struct tar_writer *writer, struct err *err) MUST_CHECK;
enum err_code tar_writer_stream(struct tar_writer *writer, struct view octets,
                                struct err *err) MUST_CHECK;
enum err_code tar_writer_end_stream(struct tar_writer *writer, const char *name,
                                    struct err *err) MUST_CHECK;

// Whole members, after the first one.
enum err_code tar_writer_add(struct tar_writer *writer, const char *name, struct view content,
                             struct err *err) MUST_CHECK;
enum err_code tar_writer_finish(struct tar_writer *writer, struct err *err) MUST_CHECK;
