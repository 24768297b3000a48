// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/fleet/device_csv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <csv.h>

#include "server/admin/admin_resources.h"

#define LINE_LEN_MAX 4096 // octets; the longest good one has about 1000
#define FIELDS_MAX   16   // kept of one line; more are only counted
#define BOM          "\xef\xbb\xbf"
#define BOM_LITTLE   "\xff\xfe" // of UTF-16, and of UTF-32
#define BOM_BIG      "\xfe\xff"

enum column { COLUMN_MAC, COLUMN_SERIAL, COLUMN_MODEL, COLUMN_NOTE, COLUMN_COUNT };

static const struct {
    const char *name;
    enum column column;
} names[] = {
    {"mac", COLUMN_MAC},     {"serial", COLUMN_SERIAL}, {"serial_number", COLUMN_SERIAL},
    {"model", COLUMN_MODEL}, {"note", COLUMN_NOTE},
};

struct line {
    char text[LINE_LEN_MAX + 1];
    size_t len;
    unsigned number; // from 1
    bool is_too_long;
};

// The fields of one line; their texts stand in `text`, each with its NUL.
struct fields {
    char text[LINE_LEN_MAX + FIELDS_MAX];
    size_t used;
    const char *list[FIELDS_MAX];
    size_t count;     // also those that are not in `list`
    unsigned records; // a carriage return alone begins another one
};

struct reader {
    struct line line;
    struct fields fields;
    enum column columns[COLUMN_COUNT]; // by their place in the line
    size_t column_count;
    bool has_header;
    bool is_begun; // the first line that is not empty was there
    json_t *seen;  // "MAC ..." or "serial number ..." to its line
    struct device_csv csv;
};

static void reader_free(struct reader *reader)
{
    json_decref(reader->seen);
    device_csv_done(&reader->csv);
    free(reader);
}
DEFINE_CLEANUP(struct reader *, reader_free);

void device_csv_done(struct device_csv *csv)
{
    json_decref(csv->devices);
    json_decref(csv->problems);
    *csv = (struct device_csv){0};
}

// False at the end of the file. What does not fit is read and left out.
static bool read_line(FILE *in, struct line *line)
{
    int octet = getc_unlocked(in);
    line->len = 0;
    line->is_too_long = false;
    line->number++;
    if (octet == EOF) {
        return false;
    }
    for (; octet != EOF && octet != '\n'; octet = getc_unlocked(in)) {
        line->is_too_long = line->is_too_long || line->len == LINE_LEN_MAX;
        if (!line->is_too_long) {
            line->text[line->len++] = (char)octet;
        }
    }
    if (line->len > 0 && line->text[line->len - 1] == '\r') {
        line->len--;
    }
    if (line->number == 1 && line->len >= strlen(BOM) &&
        memcmp(line->text, BOM, strlen(BOM)) == 0) {
        line->len -= strlen(BOM);
        memmove(line->text, line->text + strlen(BOM), line->len);
    }
    line->text[line->len] = '\0';
    return true;
}

static bool is_blank(const struct line *line)
{
    return !line->is_too_long && strspn(line->text, " \t") == line->len;
}

static void on_field(void *text, size_t len, void *context)
{
    struct fields *fields = context;
    if (fields->count++ < FIELDS_MAX) {
        char *place = fields->text + fields->used;
        memcpy(place, text, len);
        place[len] = '\0';
        fields->list[fields->count - 1] = place;
        fields->used += len + 1;
    }
}

static void on_record(int end, void *context)
{
    (void)end;
    struct fields *fields = context;
    fields->records++;
}

// libcsv's failures on one line are quotes in wrong places, or memory.
static enum err_code split(const struct line *line, struct fields *fields, struct err *err)
{
    struct csv_parser parser;
    *fields = (struct fields){0};
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        return err_set(err, ERR_INTERNAL, "cannot initialise the CSV parser");
    }
    bool is_good =
        csv_parse(&parser, line->text, line->len, on_field, on_record, fields) == line->len &&
        csv_fini(&parser, on_field, on_record, fields) == 0;
    bool is_out_of_memory = csv_error(&parser) == CSV_ENOMEM;
    csv_free(&parser);
    if (is_out_of_memory) {
        return err_set(err, ERR_NOMEM, "no memory for a line");
    }
    if (!is_good) {
        return err_set(err, ERR_SYNTAX,
                       "a quote that is not closed on its line, or in the middle of a field; a "
                       "field with quotes is written \"like \"\"this\"\"\"");
    }
    return ERR_OK;
}

static bool is_utf16(const struct line *line)
{
    return line->len >= strlen(BOM_LITTLE) &&
           (memcmp(line->text, BOM_LITTLE, strlen(BOM_LITTLE)) == 0 ||
            memcmp(line->text, BOM_BIG, strlen(BOM_BIG)) == 0);
}

static enum err_code check_text(const struct line *line, struct err *err)
{
    if (line->is_too_long) {
        return err_set(err, ERR_LIMIT, "longer than %d octets", LINE_LEN_MAX);
    }
    if (line->number == 1 && is_utf16(line)) {
        return err_set(err, ERR_SYNTAX,
                       "UTF-16 text; the file must be UTF-8 (spreadsheets call it \"CSV UTF-8\")");
    }
    if (memchr(line->text, '\0', line->len) != NULL) {
        return err_set(err, ERR_SYNTAX, "a NUL octet; the file must be UTF-8 text");
    }
    json_t *text = json_stringn(line->text, line->len);
    if (text == NULL) {
        return err_set(err, ERR_SYNTAX, "not UTF-8 text");
    }
    json_decref(text);
    return ERR_OK;
}

static enum err_code read_fields(struct reader *reader, struct err *err)
{
    enum err_code code = check_text(&reader->line, err);
    if (code == ERR_OK) {
        code = split(&reader->line, &reader->fields, err);
    }
    if (code == ERR_OK && reader->fields.records > 1) {
        return err_set(err, ERR_SYNTAX,
                       "a carriage return in the middle; lines end with LF or CR LF");
    }
    return code;
}

static bool find_column(const char *name, enum column *ret_column)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(name, names[i].name) == 0) {
            *ret_column = names[i].column;
            return true;
        }
    }
    return false;
}

static enum err_code add_column(struct reader *reader, const char *name, struct err *err)
{
    enum column column;
    if (!find_column(name, &column)) {
        return err_set(err, ERR_SYNTAX,
                       "unknown column \"%.64s\"; allowed are mac, serial (or serial_number), "
                       "model, note",
                       name);
    }
    for (size_t i = 0; i < reader->column_count; i++) {
        if (reader->columns[i] == column) {
            return err_set(err, ERR_SYNTAX, "the column \"%.64s\" is there twice", name);
        }
    }
    reader->columns[reader->column_count++] = column;
    return ERR_OK;
}

static enum err_code read_header(struct reader *reader, struct err *err)
{
    bool can_identify = false;
    for (size_t i = 0; i < reader->fields.count && i < FIELDS_MAX; i++) {
        enum err_code code = add_column(reader, reader->fields.list[i], err);
        if (code != ERR_OK) {
            return code;
        }
        can_identify |= reader->columns[i] == COLUMN_MAC || reader->columns[i] == COLUMN_SERIAL;
    }
    reader->has_header = true;
    return can_identify
               ? ERR_OK
               : err_set(err, ERR_SYNTAX, "neither a column mac nor serial; one of them is needed");
}

static void take_usual_columns(struct reader *reader)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        reader->columns[i] = (enum column)i;
    }
    reader->column_count = COLUMN_COUNT;
}

static enum err_code read_row(const struct reader *reader, struct store_device *ret_device,
                              struct err *err)
{
    const struct fields *fields = &reader->fields;
    const char *texts[COLUMN_COUNT] = {0};
    size_t wanted = reader->column_count;
    if (fields->count > wanted || (reader->has_header && fields->count < wanted)) {
        return err_set(err, ERR_SYNTAX, "%zu columns; %s %zu", fields->count,
                       reader->has_header ? "the first line has" : "allowed are 1 to", wanted);
    }
    for (size_t i = 0; i < fields->count; i++) {
        texts[reader->columns[i]] = fields->list[i];
    }
    const struct admin_device_text text = {
        .mac = texts[COLUMN_MAC],
        .serial_number = texts[COLUMN_SERIAL],
        .model = texts[COLUMN_MODEL],
        .note = texts[COLUMN_NOTE],
    };
    return admin_read_device(&text, ret_device, err);
}

static enum err_code check_seen(const struct reader *reader, const char *kind, const char *text,
                                struct err *err)
{
    char key[STORE_DEVICE_LEN];
    snprintf(key, sizeof key, "%s %s", kind, text);
    const json_t *line = json_object_get(reader->seen, key);
    return line == NULL ? ERR_OK
                        : err_set(err, ERR_EXISTS, "the %s is on line %jd already", key,
                                  (intmax_t)json_integer_value(line));
}

static bool note_seen(struct reader *reader, const char *kind, const char *text)
{
    char key[STORE_DEVICE_LEN];
    snprintf(key, sizeof key, "%s %s", kind, text);
    return text[0] == '\0' ||
           json_object_set_new(reader->seen, key, json_integer(reader->line.number)) == 0;
}

static enum err_code take_device(struct reader *reader, const struct store_device *device,
                                 struct err *err)
{
    static const char mac[] = "MAC";
    static const char number[] = "serial number";
    enum err_code code = check_seen(reader, mac, device->mac, err);
    if (code == ERR_OK) {
        code = check_seen(reader, number, device->serial_number, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    json_t *entry = json_pack("{s:s, s:s, s:s, s:s}", "mac", device->mac, "serial_number",
                              device->serial_number, "model", device->model, "note", device->note);
    bool is_taken = json_array_append_new(reader->csv.devices, entry) == 0 &&
                    note_seen(reader, mac, device->mac) &&
                    note_seen(reader, number, device->serial_number);
    return is_taken ? ERR_OK : err_set(err, ERR_NOMEM, "no memory for a device");
}

// What a message repeats of the line may be cut in the middle of a character.
static json_t *message_json(const char *message)
{
    char ascii[ERR_TEXT_LEN];
    json_t *text = json_string(message);
    size_t i = 0;
    if (text != NULL) {
        return text;
    }
    for (; i < sizeof ascii - 1 && message[i] != '\0'; i++) {
        ascii[i] = (unsigned char)message[i] < 0x80 ? message[i] : '?';
    }
    ascii[i] = '\0';
    return json_string(ascii);
}

static enum err_code take_problem(struct reader *reader, const struct err *problem, struct err *err)
{
    json_t *entry = json_pack("{s:i, s:o}", "line", (int)reader->line.number, "message",
                              message_json(problem->text));
    return json_array_append_new(reader->csv.problems, entry) == 0
               ? ERR_OK
               : err_set(err, ERR_NOMEM, "no memory for a bad line");
}

// The first line that is not empty says which columns there are, and so it must be readable.
static enum err_code begin(struct reader *reader, bool *ret_is_header, struct err *err)
{
    enum column column;
    enum err_code code = read_fields(reader, err);
    reader->is_begun = true;
    if (code == ERR_OK && reader->fields.count == 1 && strchr(reader->line.text, ';') != NULL) {
        code = err_set(err, ERR_SYNTAX, "columns with semicolons between them; allowed are commas");
    }
    *ret_is_header = code == ERR_OK && find_column(reader->fields.list[0], &column);
    if (*ret_is_header) {
        code = read_header(reader, err);
    } else {
        take_usual_columns(reader);
    }
    return code == ERR_OK ? ERR_OK : err_prefix(err, "line %u", reader->line.number);
}

// A line that is wrong is noted, and reading goes on.
static enum err_code take_row(struct reader *reader, struct err *err)
{
    struct err problem = {0};
    struct store_device device = {0};
    enum err_code code = read_fields(reader, &problem);
    if (code == ERR_OK) {
        code = read_row(reader, &device, &problem);
    }
    if (code == ERR_OK) {
        code = take_device(reader, &device, &problem);
    }
    if (code == ERR_NOMEM || code == ERR_INTERNAL) {
        return err_set(err, code, "%s", problem.text);
    }
    return code == ERR_OK ? ERR_OK : take_problem(reader, &problem, err);
}

static enum err_code take_line(struct reader *reader, struct err *err)
{
    bool is_header = false;
    enum err_code code = ERR_OK;
    if (is_blank(&reader->line)) {
        return ERR_OK;
    }
    if (!reader->is_begun) {
        code = begin(reader, &is_header, err);
    }
    return code == ERR_OK && !is_header ? take_row(reader, err) : code;
}

static enum err_code read_all(FILE *in, struct reader *reader, struct err *err)
{
    while (read_line(in, &reader->line)) {
        enum err_code code = take_line(reader, err);
        if (code != ERR_OK) {
            return code;
        }
        if (json_array_size(reader->csv.devices) > ADMIN_DEVICES_MAX) {
            return err_set(err, ERR_LIMIT, "more than %d devices; import them in parts",
                           ADMIN_DEVICES_MAX);
        }
    }
    return ferror(in) == 0 ? ERR_OK : err_set_errno(err, "cannot read");
}

enum err_code device_csv_read(FILE *in, struct device_csv *ret_csv, struct err *err)
{
    CLEANUP(cleanup_reader_free) struct reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for a CSV file");
    }
    reader->seen = json_object();
    reader->csv.devices = json_array();
    reader->csv.problems = json_array();
    enum err_code code = read_all(in, reader, err);
    if (code == ERR_OK) {
        *ret_csv = reader->csv;
        reader->csv = (struct device_csv){0};
    }
    return code;
}
