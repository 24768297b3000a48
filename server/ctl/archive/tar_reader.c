// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/archive/tar_reader.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <jansson.h>

#include "server/ctl/api.h"

#define BLOCK_LEN 65536 // octets read in one go
#define SHOWN_LEN 80    // octets of a name in an error

static void free_archive(struct archive *archive)
{
    archive_read_free(archive);
}
DEFINE_CLEANUP(struct archive *, free_archive);

struct reading {
    struct archive *archive;
    const struct tar_visitor *visitor;
    uint64_t file_len;
    json_t *seen; // names → null
};

static bool is_plain_part(const char *part, size_t len)
{
    bool is_dots = (len == 1 && part[0] == '.') || (len == 2 && part[0] == '.' && part[1] == '.');
    return len > 0 && !is_dots;
}

bool tar_is_plain_name(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7F) {
            return false;
        }
    }
    const char *at = name;
    for (;;) {
        size_t part = strcspn(at, "/");
        if (!is_plain_part(at, part)) {
            return false;
        }
        if (at[part] == '\0') {
            return len <= TAR_NAME_MAX;
        }
        at += part + 1;
    }
}

static enum err_code fail(struct archive *archive, struct err *err)
{
    const char *reason = archive_error_string(archive);
    return err_set(err, ERR_SYNTAX, "it is damaged or no archive of scepctl: %s",
                   reason != NULL ? reason : "nothing more is known");
}

static enum err_code note_name(struct reading *reading, const char *name, struct err *err)
{
    if (json_object_get(reading->seen, name) != NULL) {
        return err_set(err, ERR_SYNTAX, "\"%.*s\" is in it twice", SHOWN_LEN, name);
    }
    if (json_object_size(reading->seen) == TAR_MEMBERS_MAX) {
        return err_set(err, ERR_LIMIT, "it has more than %d members", TAR_MEMBERS_MAX);
    }
    return json_object_set_new(reading->seen, name, json_null()) == 0
               ? ERR_OK
               : err_set(err, ERR_SYNTAX, "it has a name that is not UTF-8 text");
}

static enum err_code check_entry(struct reading *reading, struct archive_entry *entry,
                                 struct err *err)
{
    const char *name = archive_entry_pathname(entry);
    if (name == NULL || !tar_is_plain_name(name)) {
        return err_set(err, ERR_SYNTAX,
                       "it has a member \"%.*s\"; allowed are relative names without \"..\"",
                       SHOWN_LEN, name != NULL ? name : "");
    }
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != NULL ||
        archive_entry_sparse_count(entry) > 0) {
        return err_set(err, ERR_SYNTAX, "\"%.*s\" in it is not a regular file", SHOWN_LEN, name);
    }
    if (archive_entry_size_is_set(entry) == 0 || archive_entry_size(entry) < 0 ||
        (uint64_t)archive_entry_size(entry) > reading->file_len) {
        return err_set(err, ERR_SYNTAX, "\"%.*s\" in it claims to be longer than the file it is in",
                       SHOWN_LEN, name);
    }
    return note_name(reading, name, err);
}

static enum err_code read_content(struct reading *reading, uint64_t size, struct err *err)
{
    static const char cut[] = "it is cut off";
    const struct tar_visitor *visitor = reading->visitor;
    uint64_t taken = 0;
    uint8_t block[BLOCK_LEN];
    for (;;) {
        la_ssize_t got = archive_read_data(reading->archive, block, sizeof block);
        if (got < 0) {
            return fail(reading->archive, err);
        }
        if (got == 0) {
            return taken == size ? ERR_OK : err_set(err, ERR_SYNTAX, "%s", cut);
        }
        taken += (uint64_t)got;
        if (taken > size) {
            return err_set(err, ERR_SYNTAX, "a member is longer than it claims to be");
        }
        enum err_code code = visitor->take(visitor->context, view_of(block, (size_t)got), err);
        if (code != ERR_OK) {
            return code;
        }
    }
}

static enum err_code read_entry(struct reading *reading, struct archive_entry *entry,
                                struct err *err)
{
    const struct tar_visitor *visitor = reading->visitor;
    enum err_code code = check_entry(reading, entry, err);
    if (code != ERR_OK) {
        return code;
    }
    uint64_t size = (uint64_t)archive_entry_size(entry);
    code = visitor->begin(visitor->context, archive_entry_pathname(entry), size, err);
    if (code == ERR_OK) {
        code = read_content(reading, size, err);
    }
    return code == ERR_OK ? visitor->end(visitor->context, err) : code;
}

static enum err_code read_entries(struct reading *reading, struct err *err)
{
    for (;;) {
        struct archive_entry *entry = NULL;
        int status = archive_read_next_header(reading->archive, &entry);
        if (status == ARCHIVE_EOF) {
            return ERR_OK;
        }
        // A warning is about something that no archive of ours has.
        enum err_code code =
            status == ARCHIVE_OK ? read_entry(reading, entry, err) : fail(reading->archive, err);
        if (code != ERR_OK) {
            return code;
        }
    }
}

enum err_code tar_read(int fd, const struct tar_visitor *visitor, struct err *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || lseek(fd, 0, SEEK_SET) != 0) {
        return err_set_errno(err, "cannot go to its beginning");
    }
    CLEANUP(cleanup_free_archive) struct archive *archive = archive_read_new();
    CLEANUP(api_decref) json_t *seen = json_object();
    if (archive == NULL || seen == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for an archive");
    }
    if (archive_read_support_format_tar(archive) != ARCHIVE_OK ||
        archive_read_open_fd(archive, fd, BLOCK_LEN) != ARCHIVE_OK) {
        return fail(archive, err);
    }
    struct reading reading = {
        .archive = archive, .visitor = visitor, .file_len = (uint64_t)status.st_size, .seen = seen};
    return read_entries(&reading, err);
}
