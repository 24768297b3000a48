// SPDX-License-Identifier: Apache-2.0
// scepctl export: all certificates, page by page, so that it takes no more memory for a million.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/base/clock.h"
#include "server/ctl/api.h"
#include "server/ctl/archive/export_csv.h"
#include "server/ctl/archive/newfile.h"
#include "server/ctl/interrupt.h"
#include "server/ctl/progress.h"

#define COLLECTION "/v1/export"
#define PAGE       250  // certificates asked for at a time: scepd is not busy with one for long
#define PATH_LEN   128  // bytes of what is asked for
#define FILE_MODE  0644 // nothing in it is secret

struct export
{
    struct ctl *ctl;
    FILE *out;
    const char *name; // of what is written, for people
    enum err_code (*write)(FILE * out, const json_t *certificate, struct err *err);
    struct progress progress;
    bool is_begun; // a page is written
    uint64_t done;
    uint64_t total;
};

static const char *const columns[] = {
    "serial",     "common_name",       "mac",           "device",        "status", "issued_at",
    "not_before", "not_after",         "renews",        "authorised_by", "model",  "serial_number",
    "revoked_at", "revocation_reason", "superseded_at", "sha256",
};
#define COLUMN_COUNT (sizeof columns / sizeof columns[0])

static enum err_code cannot_write(struct err *err)
{
    return err_set_errno(err, "cannot write");
}

static enum err_code write_row(FILE *out, const char *const cells[COLUMN_COUNT], struct err *err)
{
    CLEANUP(buf_done) struct buf row = {0};
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < COLUMN_COUNT; i++) {
        if (i > 0) {
            code = buf_append(&row, view_of_text(","), err);
        }
        if (code == ERR_OK) {
            code = export_csv_cell(&row, cells[i], err);
        }
    }
    if (code == ERR_OK) {
        code = buf_append(&row, view_of_text("\r\n"), err);
    }
    if (code == ERR_OK && fwrite(row.data, 1, row.len, out) != row.len) {
        code = cannot_write(err);
    }
    return code;
}

static enum err_code write_csv(FILE *out, const json_t *certificate, struct err *err)
{
    const char *cells[COLUMN_COUNT];
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        cells[i] = api_text(certificate, columns[i]);
    }
    return write_row(out, cells, err);
}

static enum err_code write_pem(FILE *out, const json_t *certificate, struct err *err)
{
    const char *pem = api_text(certificate, "pem");
    return pem != NULL && fputs(pem, out) != EOF ? ERR_OK : cannot_write(err);
}

static enum err_code write_jsonl(FILE *out, const json_t *certificate, struct err *err)
{
    return json_dumpf(certificate, out, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 &&
                   fputc('\n', out) != EOF
               ? ERR_OK
               : cannot_write(err);
}

static const struct format {
    const char *name;
    enum err_code (*write)(FILE *out, const json_t *certificate, struct err *err);
} formats[] = {{"pem", write_pem}, {"csv", write_csv}, {"jsonl", write_jsonl}};

static const struct format *find_format(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, name) == 0) {
            return &formats[i];
        }
    }
    return NULL;
}

static enum ctl_exit complain(const struct export *export, const struct err *err)
{
    return ctl_complain(export->ctl, CTL_FAILED, "%s: %s", export->name, err->text);
}

static enum ctl_exit write_page(struct export *export, const json_t *page)
{
    struct err err = {0};
    size_t i;
    const json_t *certificate;
    export->total = (uint64_t)api_number(page, "total");
    // Only now it is sure that there is something to have titles.
    bool is_first = !export->is_begun;
    export->is_begun = true;
    if (is_first && export->write == write_csv && write_row(export->out, columns, &err) != ERR_OK) {
        return complain(export, &err);
    }
    json_array_foreach(json_object_get(page, "certificates"), i, certificate)
    {
        if (export->write(export->out, certificate, &err) != ERR_OK) {
            return complain(export, &err);
        }
        export->done++;
    }
    progress_show(&export->progress, export->done, export->total, clock_monotonic_us());
    return interrupt_check(&err) == ERR_OK ? CTL_OK : complain(export, &err);
}

// *after (a text or NULL) is where the page begins, and then where the next one does.
static enum ctl_exit get_page(struct export *export, json_t **after)
{
    char path[PATH_LEN];
    CLEANUP(api_decref) json_t *page = NULL;
    if (*after == NULL) {
        snprintf(path, sizeof path, COLLECTION "?limit=%d", PAGE);
    } else {
        snprintf(path, sizeof path, COLLECTION "?limit=%d&after=%s", PAGE,
                 json_string_value(*after));
    }
    const struct api_request request = {.method = "GET", .collection = path};
    enum ctl_exit code = api_call(export->ctl, &request, &page);
    if (code != CTL_OK) {
        return code;
    }
    json_decref(*after);
    *after = json_incref(json_object_get(page, "next_after"));
    return write_page(export, page);
}

static enum ctl_exit write_pages(struct export *export)
{
    struct err err = {0};
    CLEANUP(api_decref) json_t *after = NULL;
    export->progress = progress_begin(export->ctl->errors, "Exporting", PROGRESS_ITEMS);
    // Not into the midst of what is written to the same terminal.
    export->progress.is_shown = export->progress.is_shown && isatty(fileno(export->out)) != 1;
    enum ctl_exit code = CTL_OK;
    do {
        code = get_page(export, &after);
    } while (code == CTL_OK && json_is_string(after));
    if (code == CTL_OK && fflush(export->out) != 0) {
        (void)cannot_write(&err);
        code = complain(export, &err);
    }
    progress_end(&export->progress);
    return code;
}

static void close_file(FILE **file)
{
    if (*file != NULL) {
        fclose(*file);
    }
}

static enum ctl_exit write_file(struct export *export, const char *path)
{
    struct err err = {0};
    CLEANUP(newfile_done) struct newfile file = {.fd = -1};
    export->name = path;
    if (newfile_open(path, FILE_MODE, &file, &err) != ERR_OK) {
        return ctl_complain(export->ctl, CTL_FAILED, "%s", err.text);
    }
    int fd = dup(file.fd); // the stream's own, which it closes
    CLEANUP(close_file) FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (out == NULL) {
        return ctl_complain(export->ctl, CTL_FAILED, "%s: %m", path);
    }
    export->out = out;
    enum ctl_exit code = write_pages(export);
    if (code == CTL_OK && newfile_keep(&file, &err) != ERR_OK) {
        code = ctl_complain(export->ctl, CTL_FAILED, "%s", err.text);
    }
    if (code == CTL_OK) {
        fprintf(export->ctl->errors, "%ju certificate%s exported to %s.\n",
                (uintmax_t) export->done, export->done == 1 ? "" : "s", path);
    }
    return code;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    const char *name = arguments->options[CTL_FORMAT];
    const char *path = arguments->options[CTL_OUT];
    if (name == NULL && ctl->is_json) {
        name = "jsonl";
    }
    const struct format *format = name != NULL ? find_format(name) : NULL;
    if (name == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "export needs --format pem, csv or jsonl");
    }
    if (format == NULL || (ctl->is_json && format->write != write_jsonl)) {
        return ctl_complain(ctl, CTL_USAGE, "--format: \"%s\"; allowed %s", name,
                            ctl->is_json ? "with --json is jsonl" : "are pem, csv, jsonl");
    }
    struct export export = {
        .ctl = ctl, .out = ctl->out, .name = "standard output", .write = format->write};
    if (path == NULL) {
        return write_pages(&export);
    }
    struct interrupt interrupt = interrupt_hold();
    enum ctl_exit code = write_file(&export, path);
    interrupt_release(&interrupt);
    return code;
}

static const struct ctl_option options[] = {
    {"format", CTL_FORMAT, "pem|csv|jsonl",
     "pem: the certificates; csv: what is known of each; jsonl: both, an object on each line"},
    {"out", CTL_OUT, "FILE", "into a new file (standard output)"},
    {0},
};

const struct ctl_command ctl_export = {
    .name = "export",
    .summary = "Write out all certificates, from the newest issued to the oldest.",
    .options = options,
    .run = run,
};
