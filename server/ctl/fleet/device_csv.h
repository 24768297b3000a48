// SPDX-License-Identifier: Apache-2.0
// Devices from a CSV file (RFC 4180), line by line: a quoted field ends on its line, so that one
// broken line costs no other. UTF-8 with or without a byte order mark, LF or CRLF.
#pragma once

#include <stdio.h>

#include <jansson.h>

#include "server/admin/admin_input.h"

struct device_csv {
    // Good lines in the form of POST /v1/devices: {mac, serial_number, model, note}.
    json_t *devices;
    // Bad ones: {line, message}, in the order of the file.
    json_t *problems;
};

// Reads to the end of `in`. When the first line that is not empty begins with a column's name
// (mac, serial or serial_number, model, note) it says which columns there are, in any order, and
// each line must have so many; else the columns are these, in this order, and those at the end may
// be missing. *ret_csv is to be done with device_csv_done(). Errors: ERR_SYNTAX (what the first
// line says makes no sense), ERR_LIMIT (more than ADMIN_DEVICES_MAX good lines), ERR_IO, ERR_NOMEM.
enum err_code device_csv_read(FILE *in, struct device_csv *ret_csv, struct err *err) MUST_CHECK;
void device_csv_done(struct device_csv *csv);
