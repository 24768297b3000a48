// SPDX-License-Identifier: Apache-2.0
#include "conf/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// The one piece of global state in the project beside the signal flag.
static _Atomic int least_level = LOG_LEVEL_INFO;
static const char *program_name = "scepd";
static bool is_journal;

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};
static const int syslog_priorities[] = {
    [LOG_LEVEL_ERROR] = 3,
    [LOG_LEVEL_WARNING] = 4,
    [LOG_LEVEL_INFO] = 6,
    [LOG_LEVEL_DEBUG] = 7,
};

// sd-daemon(3): $JOURNAL_STREAM names the device and inode of the journal's stream; it counts only
// while standard error still is that very stream.
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status;
    char actual[64];
    if (stream == NULL || fstat(STDERR_FILENO, &status) != 0) {
        return false;
    }
    snprintf(actual, sizeof actual, "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    return strcmp(stream, actual) == 0;
}

void log_init(const char *program, enum log_level level)
{
    program_name = program;
    is_journal = stderr_is_journal();
    log_set_level(level);
}

void log_set_level(enum log_level level)
{
    atomic_store(&least_level, (int)level);
}

static void append(struct log_line *line, const char *text, size_t len)
{
    size_t room = sizeof line->text - 1 - line->len; // one octet stays for the newline
    size_t fitting = len < room ? len : room;
    memcpy(line->text + line->len, text, fitting);
    line->len += fitting;
}

static void append_text(struct log_line *line, const char *text)
{
    append(line, text, strlen(text));
}

static void append_key(struct log_line *line, const char *key)
{
    append_text(line, line->len > 0 ? " " : "");
    append_text(line, key);
    append_text(line, "=");
}

static bool is_printable(uint8_t octet)
{
    return octet >= 0x20 && octet < 0x7f;
}

static bool needs_quotes(struct view value)
{
    for (size_t i = 0; i < value.len; i++) {
        uint8_t octet = value.data[i];
        if (!is_printable(octet) || octet == ' ' || octet == '"' || octet == '=' || octet == '\\') {
            return true;
        }
    }
    return value.len == 0;
}

static void append_escaped(struct log_line *line, uint8_t octet)
{
    char escaped[8];
    if (octet == '"' || octet == '\\') {
        snprintf(escaped, sizeof escaped, "\\%c", octet);
    } else if (is_printable(octet)) {
        snprintf(escaped, sizeof escaped, "%c", octet);
    } else {
        snprintf(escaped, sizeof escaped, "\\x%02x", octet);
    }
    append_text(line, escaped);
}

void log_begin(struct log_line *line, const char *event)
{
    line->len = 0;
    log_add_text(line, "event", event);
}

void log_add(struct log_line *line, const char *key, struct view value)
{
    struct view shown = value;
    if (shown.len > LOG_VALUE_LEN) {
        shown.len = LOG_VALUE_LEN;
    }
    append_key(line, key);
    bool quoted = needs_quotes(shown);
    append_text(line, quoted ? "\"" : "");
    for (size_t i = 0; i < shown.len; i++) {
        append_escaped(line, shown.data[i]);
    }
    append_text(line, shown.len < value.len ? "..." : "");
    append_text(line, quoted ? "\"" : "");
}

void log_add_text(struct log_line *line, const char *key, const char *value)
{
    if (value != NULL) {
        log_add(line, key, view_of_text(value));
    }
}

void log_add_int(struct log_line *line, const char *key, int64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%jd", (intmax_t)value);
    append_key(line, key);
    append_text(line, digits);
}

void log_add_hex(struct log_line *line, const char *key, struct view octets)
{
    append_key(line, key);
    for (size_t i = 0; i < octets.len && i < LOG_VALUE_LEN; i++) {
        char digits[3];
        snprintf(digits, sizeof digits, "%02x", octets.data[i]);
        append_text(line, digits);
    }
}

void log_add_err(struct log_line *line, const struct err *err)
{
    log_add_text(line, "error", err_name(err->code));
    log_add_text(line, "reason", err->text);
}

void log_end(struct log_line *line, enum log_level level)
{
    if ((int)level > atomic_load(&least_level)) {
        return;
    }
    char whole[LOG_LINE_LEN + 64];
    int head;
    if (is_journal) {
        head = snprintf(whole, 64, "<%d>", syslog_priorities[level]);
    } else {
        head = snprintf(whole, 64, "%s level=%s ", program_name, level_names[level]);
    }
    memcpy(whole + head, line->text, line->len);
    size_t len = (size_t)head + line->len;
    whole[len++] = '\n';
    // Nobody could be told that logging failed.
    ssize_t written = write(STDERR_FILENO, whole, len);
    (void)written;
}

void log_message(enum log_level level, const char *event, const char *format, ...)
{
    char text[ERR_TEXT_LEN];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct log_line line;
    log_begin(&line, event);
    log_add_text(&line, "message", text);
    log_end(&line, level);
}

void log_failure(enum log_level level, const char *event, const struct err *err)
{
    struct log_line line;
    log_begin(&line, event);
    log_add_err(&line, err);
    log_end(&line, level);
}
