// SPDX-License-Identifier: Apache-2.0
// libarchive wants a member's size before its octets, so it is asked for the first member's header
// alone, into memory.
#include "server/ctl/archive/tar_writer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#define BLOCK_LEN   512  // of tar
#define MEMBER_MODE 0600 // what is in a backup is nobody else's business

struct tar_writer {
    struct newfile *file;
    struct archive *archive; // NULL until the first whole member
    int64_t now;
    uint64_t stream_len;
    struct err failure; // of a write below libarchive
};

// One block of a header that libarchive makes.
struct header {
    uint8_t octets[BLOCK_LEN];
    size_t len;
};

static enum err_code fail(const struct tar_writer *writer, struct archive *archive, struct err *err)
{
    if (writer->failure.code != ERR_OK) {
        return err_set(err, writer->failure.code, "%s", writer->failure.text);
    }
    const char *reason = archive != NULL ? archive_error_string(archive) : NULL;
    return err_set(err, ERR_IO, "cannot write the archive: %s",
                   reason != NULL ? reason : "out of memory");
}

enum err_code tar_writer_new(struct newfile *file, int64_t now, struct tar_writer **ret_writer,
                             struct err *err)
{
    struct tar_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for an archive");
    }
    writer->file = file;
    writer->now = now;
    if (ftruncate(file->fd, 0) != 0 || lseek(file->fd, 0, SEEK_SET) != 0) {
        free(writer);
        return err_set_errno(err, "cannot begin %s", file->path);
    }
    *ret_writer = writer;
    return ERR_OK;
}

void tar_writer_free(struct tar_writer *writer)
{
    if (writer != NULL) {
        archive_write_free(writer->archive);
        free(writer);
    }
}

static enum err_code pad(struct tar_writer *writer, uint64_t len, struct err *err)
{
    static const uint8_t zeroes[BLOCK_LEN];
    size_t over = (size_t)(len % BLOCK_LEN);
    return over == 0 ? ERR_OK : newfile_write(writer->file, view_of(zeroes, BLOCK_LEN - over), err);
}

enum err_code tar_writer_begin_stream(struct tar_writer *writer, struct err *err)
{
    static const uint8_t place[BLOCK_LEN];
    return newfile_write(writer->file, view_of(place, sizeof place), err);
}

enum err_code tar_writer_stream(struct tar_writer *writer, struct view octets, struct err *err)
{
    writer->stream_len += octets.len;
    return newfile_write(writer->file, octets, err);
}

static struct archive_entry *entry_of(const struct tar_writer *writer, const char *name,
                                      uint64_t size)
{
    struct archive_entry *entry = archive_entry_new();
    if (entry != NULL) {
        archive_entry_set_pathname(entry, name);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, MEMBER_MODE);
        archive_entry_set_size(entry, (la_int64_t)size);
        archive_entry_set_mtime(entry, (time_t)writer->now, 0);
    }
    return entry;
}

static struct archive *new_archive(void)
{
    struct archive *archive = archive_write_new();
    if (archive != NULL && (archive_write_set_format_gnutar(archive) != ARCHIVE_OK ||
                            archive_write_set_bytes_per_block(archive, 0) != ARCHIVE_OK)) {
        archive_write_free(archive);
        return NULL;
    }
    return archive;
}

// Refuses what comes after the header.
static la_ssize_t take_header(struct archive *archive, void *context, const void *octets,
                              size_t len)
{
    (void)archive;
    struct header *header = context;
    if (header->len + len > sizeof header->octets) {
        return -1;
    }
    memcpy(header->octets + header->len, octets, len);
    header->len += len;
    return (la_ssize_t)len;
}

static enum err_code make_header(const struct tar_writer *writer, const char *name,
                                 struct header *ret_header, struct err *err)
{
    struct header header = {0};
    struct archive *archive = new_archive();
    struct archive_entry *entry = entry_of(writer, name, writer->stream_len);
    bool is_made = archive != NULL && entry != NULL &&
                   archive_write_open(archive, &header, NULL, take_header, NULL) == ARCHIVE_OK &&
                   archive_write_header(archive, entry) == ARCHIVE_OK &&
                   header.len == sizeof header.octets;
    enum err_code code = is_made ? ERR_OK : fail(writer, archive, err);
    if (is_made) {
        *ret_header = header;
    }
    archive_write_free(archive); // fails at the octets that do not follow
    archive_entry_free(entry);
    return code;
}

enum err_code tar_writer_end_stream(struct tar_writer *writer, const char *name, struct err *err)
{
    struct header header;
    struct newfile *file = writer->file;
    enum err_code code = pad(writer, writer->stream_len, err);
    if (code == ERR_OK) {
        code = make_header(writer, name, &header, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    off_t end = lseek(file->fd, 0, SEEK_CUR);
    if (end < 0 || lseek(file->fd, 0, SEEK_SET) != 0) {
        return err_set_errno(err, "cannot go back in %s", file->path);
    }
    code = newfile_write(file, view_of(header.octets, sizeof header.octets), err);
    if (code == ERR_OK && lseek(file->fd, end, SEEK_SET) != end) {
        code = err_set_errno(err, "cannot go on in %s", file->path);
    }
    return code;
}

static la_ssize_t take_octets(struct archive *archive, void *context, const void *octets,
                              size_t len)
{
    (void)archive;
    struct tar_writer *writer = context;
    enum err_code code = newfile_write(writer->file, view_of(octets, len), &writer->failure);
    return code == ERR_OK ? (la_ssize_t)len : -1;
}

static enum err_code open_archive(struct tar_writer *writer, struct err *err)
{
    if (writer->archive != NULL) {
        return ERR_OK;
    }
    writer->archive = new_archive();
    return writer->archive != NULL && archive_write_open(writer->archive, writer, NULL, take_octets,
                                                         NULL) == ARCHIVE_OK
               ? ERR_OK
               : fail(writer, writer->archive, err);
}

enum err_code tar_writer_add(struct tar_writer *writer, const char *name, struct view content,
                             struct err *err)
{
    enum err_code code = open_archive(writer, err);
    if (code != ERR_OK) {
        return code;
    }
    struct archive_entry *entry = entry_of(writer, name, content.len);
    bool is_written =
        entry != NULL && archive_write_header(writer->archive, entry) == ARCHIVE_OK &&
        (content.len == 0 || archive_write_data(writer->archive, content.data, content.len) ==
                                 (la_ssize_t)content.len) &&
        archive_write_finish_entry(writer->archive) == ARCHIVE_OK;
    archive_entry_free(entry);
    return is_written ? ERR_OK : fail(writer, writer->archive, err);
}

enum err_code tar_writer_finish(struct tar_writer *writer, struct err *err)
{
    enum err_code code = open_archive(writer, err);
    return code == ERR_OK && archive_write_close(writer->archive) != ARCHIVE_OK
               ? fail(writer, writer->archive, err)
               : code;
}
