// SPDX-License-Identifier: Apache-2.0
#include "conf/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION // one place in here has nothing to tell
#include <systemd/sd-journal.h>

#define FIELD_NAME_LEN 65 // bytes with NUL; the journal takes 64
#define DELETE         0x7f

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

// Upper-case letters, digits and underscores are what the journal takes as a field's name.
static size_t field_name(const char *key, char ret_name[FIELD_NAME_LEN])
{
    snprintf(ret_name, FIELD_NAME_LEN, "SCEPD_%s=", key);
    size_t len = 0;
    for (; ret_name[len] != '\0'; len++) {
        bool is_small = ret_name[len] >= 'a' && ret_name[len] <= 'z';
        ret_name[len] = (char)(ret_name[len] - (is_small ? 'a' - 'A' : 0));
    }
    return len;
}

// The value as it is but for control characters, so that it can be searched for.
static void add_field(struct log_line *line, const char *key, struct view value)
{
    if (!is_journal) {
        return;
    }
    char name[FIELD_NAME_LEN];
    size_t name_len = field_name(key, name);
    size_t from = line->field_count > 0 ? line->field_ends[line->field_count - 1] : 0;
    size_t len = name_len + value.len;
    if (line->field_count == LOG_FIELDS_MAX || len > sizeof line->fields - from) {
        return;
    }
    memcpy(line->fields + from, name, name_len);
    char *at = line->fields + from + name_len;
    for (size_t i = 0; i < value.len; i++) {
        bool is_control = value.data[i] < ' ' || value.data[i] == DELETE;
        at[i] = is_control ? '?' : (char)value.data[i];
    }
    line->field_ends[line->field_count++] = from + len;
}

void log_begin(struct log_line *line, const char *event)
{
    line->len = 0;
    line->field_count = 0;
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
    add_field(line, key, shown);
}

void log_add_text(struct log_line *line, const char *key, const char *value)
{
    if (value != NULL) {
        log_add(line, key, view_of_text(value));
    }
}

// For values that need no quotes.
static void add_plain(struct log_line *line, const char *key, const char *value)
{
    append_key(line, key);
    append_text(line, value);
    add_field(line, key, view_of_text(value));
}

void log_add_int(struct log_line *line, const char *key, int64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%jd", (intmax_t)value);
    add_plain(line, key, digits);
}

void log_add_hex(struct log_line *line, const char *key, struct view octets)
{
    char digits[2 * LOG_VALUE_LEN + 1] = "";
    for (size_t i = 0; i < octets.len && i < LOG_VALUE_LEN; i++) {
        snprintf(digits + 2 * i, 3, "%02x", octets.data[i]);
    }
    add_plain(line, key, digits);
}

void log_add_err(struct log_line *line, const struct err *err)
{
    log_add_text(line, "error", err_name(err->code));
    log_add_text(line, "reason", err->text);
}

static struct iovec piece_of(const char *text, size_t len)
{
    return (struct iovec){.iov_base = (char *)text, .iov_len = len};
}

// False when the journal did not take it.
static bool send_to_journal(const struct log_line *line, enum log_level level)
{
    char message[LOG_LINE_LEN + 16];
    char priority[16];
    char identifier[64];
    int message_len = snprintf(message, sizeof message, "MESSAGE=%.*s", (int)line->len, line->text);
    int priority_len = snprintf(priority, sizeof priority, "PRIORITY=%d", syslog_priorities[level]);
    int identifier_len =
        snprintf(identifier, sizeof identifier, "SYSLOG_IDENTIFIER=%s", program_name);
    struct iovec pieces[LOG_FIELDS_MAX + 3] = {
        piece_of(message, (size_t)message_len),
        piece_of(priority, (size_t)priority_len),
        piece_of(identifier, (size_t)identifier_len),
    };
    int count = 3;
    size_t from = 0;
    for (unsigned i = 0; i < line->field_count; i++) {
        pieces[count++] = piece_of(line->fields + from, line->field_ends[i] - from);
        from = line->field_ends[i];
    }
    return sd_journal_sendv(pieces, count) == 0;
}

void log_end(struct log_line *line, enum log_level level)
{
    if ((int)level > atomic_load(&least_level) || (is_journal && send_to_journal(line, level))) {
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
