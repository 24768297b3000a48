// SPDX-License-Identifier: Apache-2.0
#include "conf/base/wire.h"

#include <string.h>

struct wire_reader wire_read(struct view octets)
{
    return (struct wire_reader){.rest = octets, .failed = false};
}

static struct view take(struct wire_reader *reader, size_t len)
{
    if (reader->failed || len > reader->rest.len) {
        reader->failed = true;
        return VIEW_EMPTY;
    }
    struct view taken = view_of(reader->rest.data, len);
    reader->rest = view_of(reader->rest.data + len, reader->rest.len - len);
    return taken;
}

static uint64_t get_integer(struct wire_reader *reader, size_t len)
{
    struct view octets = take(reader, len);
    uint64_t value = 0;
    for (size_t i = 0; i < octets.len; i++) {
        value = value << 8 | octets.data[i];
    }
    return value;
}

uint8_t wire_get_u8(struct wire_reader *reader)
{
    return (uint8_t)get_integer(reader, sizeof(uint8_t));
}

uint16_t wire_get_u16(struct wire_reader *reader)
{
    return (uint16_t)get_integer(reader, sizeof(uint16_t));
}

uint32_t wire_get_u32(struct wire_reader *reader)
{
    return (uint32_t)get_integer(reader, sizeof(uint32_t));
}

uint64_t wire_get_u64(struct wire_reader *reader)
{
    return get_integer(reader, sizeof(uint64_t));
}

int64_t wire_get_i64(struct wire_reader *reader)
{
    return (int64_t)wire_get_u64(reader);
}

struct view wire_get_octets(struct wire_reader *reader, size_t max_len)
{
    uint32_t len = wire_get_u32(reader);
    if (len > max_len) {
        reader->failed = true;
    }
    return take(reader, len);
}

void wire_get_fixed(struct wire_reader *reader, void *to, size_t len)
{
    struct view octets = take(reader, len);
    if (reader->failed) {
        memset(to, 0, len);
    } else if (len > 0) {
        memcpy(to, octets.data, len);
    }
}

bool wire_is_complete(const struct wire_reader *reader)
{
    return !reader->failed && reader->rest.len == 0;
}

struct wire_writer wire_write(struct buf *out)
{
    return (struct wire_writer){.out = out, .failed = false};
}

static void put(struct wire_writer *writer, struct view octets)
{
    if (!writer->failed && buf_append(writer->out, octets, NULL) != ERR_OK) {
        writer->failed = true;
    }
}

static void put_integer(struct wire_writer *writer, uint64_t value, size_t len)
{
    uint8_t octets[sizeof value];
    for (size_t i = 0; i < len; i++) {
        octets[i] = (uint8_t)(value >> 8 * (len - 1 - i));
    }
    put(writer, view_of(octets, len));
}

void wire_put_u8(struct wire_writer *writer, uint8_t value)
{
    put_integer(writer, value, sizeof value);
}

void wire_put_u16(struct wire_writer *writer, uint16_t value)
{
    put_integer(writer, value, sizeof value);
}

void wire_put_u32(struct wire_writer *writer, uint32_t value)
{
    put_integer(writer, value, sizeof value);
}

void wire_put_u64(struct wire_writer *writer, uint64_t value)
{
    put_integer(writer, value, sizeof value);
}

void wire_put_i64(struct wire_writer *writer, int64_t value)
{
    wire_put_u64(writer, (uint64_t)value);
}

void wire_put_octets(struct wire_writer *writer, struct view octets)
{
    if (octets.len > UINT32_MAX) {
        writer->failed = true;
        return;
    }
    wire_put_u32(writer, (uint32_t)octets.len);
    put(writer, octets);
}

void wire_put_fixed(struct wire_writer *writer, const void *from, size_t len)
{
    put(writer, view_of(from, len));
}

enum err_code wire_finish(const struct wire_writer *writer, struct err *err)
{
    return writer->failed ? err_set(err, ERR_NOMEM, "no memory to encode a record") : ERR_OK;
}
