// SPDX-License-Identifier: Apache-2.0
// One log line = one event as key=value pairs on standard error; when that is the journal, each
// pair is a field there, too (mac=... is SCEPD_MAC=...). Values are escaped and clipped here, so
// that nothing a client sends can forge a line. Secrets never get here: there is no call that could
// take one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "conf/base/buf.h"

// Levels say who is at fault: ERROR = we must act; WARNING = somebody should look; INFO = success
// or the client's fault; DEBUG = for developers.
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

#define LOG_LINE_LEN  2048 // bytes of one line with its newline; longer lines are cut
#define LOG_VALUE_LEN 256  // octets of one value before escaping; longer values are cut with "..."

#define LOG_FIELDS_MAX 48 // pairs of a line that become fields; further ones are in its text only

struct log_line {
    char text[LOG_LINE_LEN];
    size_t len;
    char fields[LOG_LINE_LEN]; // "SCEPD_KEY=value" one after the other, for the journal
    size_t field_ends[LOG_FIELDS_MAX];
    unsigned field_count;
};

// Sets the program's name and the least important level that is printed, and finds out whether
// standard error is the journal. Called once at start, before any thread; log_set_level() later.
void log_init(const char *program, enum log_level level);
void log_set_level(enum log_level level);

// Starts a line with event=<event>. The line lives on the caller's stack; no thread is special.
void log_begin(struct log_line *line, const char *event);
// Adds key=value. Text with spaces, quotes, '=', control or non-ASCII octets is quoted, with \xHH
// for what does not print. An empty view adds key="" ; log_add_text with NULL adds nothing.
void log_add(struct log_line *line, const char *key, struct view value);
void log_add_text(struct log_line *line, const char *key, const char *value);
void log_add_int(struct log_line *line, const char *key, int64_t value);
// Adds key=<lower-case hex of the octets>.
void log_add_hex(struct log_line *line, const char *key, struct view octets);
// Adds error=<code> reason="<text>".
void log_add_err(struct log_line *line, const struct err *err);
// Writes the line with one write(2), so that lines of several threads never mix.
void log_end(struct log_line *line, enum log_level level);

// Short forms for events with nothing but a text, and for a failure.
void log_message(enum log_level level, const char *event, const char *format, ...)
    PRINTF_LIKE(3, 4);
void log_failure(enum log_level level, const char *event, const struct err *err);
