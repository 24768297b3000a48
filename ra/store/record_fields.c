// SPDX-License-Identifier: Apache-2.0
#include "ra/store/record_fields.h"

#include <string.h>

#include "ra/store/record.h"

void record_put_version(struct wire_writer *writer)
{
    wire_put_u8(writer, RECORD_VERSION);
}

enum err_code record_get_version(struct wire_reader *reader, const char *what, struct err *err)
{
    uint8_t version = wire_get_u8(reader);
    if (reader->failed) {
        return err_set(err, ERR_IO, "%s record in the store is empty", what);
    }
    if (version != RECORD_VERSION) {
        return err_set(err, ERR_IO, "%s record in the store has version %u; this program knows %d",
                       what, version, RECORD_VERSION);
    }
    return ERR_OK;
}

void record_put_text(struct wire_writer *writer, const char *text, size_t size)
{
    wire_put_octets(writer, view_of(text, strnlen(text, size)));
}

void record_get_text(struct wire_reader *reader, char *to, size_t size)
{
    struct view text = wire_get_octets(reader, size - 1);
    if (text.len == 0) {
        return;
    }
    if (memchr(text.data, '\0', text.len) != NULL) {
        reader->failed = true;
        return;
    }
    memcpy(to, text.data, text.len);
}

void record_put_bool(struct wire_writer *writer, bool value)
{
    wire_put_u8(writer, value ? 1 : 0);
}

bool record_get_bool(struct wire_reader *reader)
{
    uint8_t value = wire_get_u8(reader);
    if (value > 1) {
        reader->failed = true;
    }
    return value == 1;
}

enum err_code record_damaged(const char *what, struct err *err)
{
    return err_set(err, ERR_IO, "%s record in the store is damaged", what);
}
