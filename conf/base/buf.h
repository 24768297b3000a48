// SPDX-License-Identifier: Apache-2.0
// Octet strings: `struct view` borrows and is passed by value, `struct buf` owns.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/base/attributes.h"
#include "conf/base/err.h"

// Borrowed octets. Lives no longer than what it points into; nothing taken from an LMDB map
// outlives its transaction.
struct view {
    const uint8_t *data;
    size_t len;
};

// Owned octets; {0} is a valid empty buffer.
struct buf {
    uint8_t *data;
    size_t len;
    size_t capacity;
};

#define VIEW_EMPTY ((struct view){.data = NULL, .len = 0})

static inline struct view view_of(const void *data, size_t len)
{
    return (struct view){.data = (const uint8_t *)data, .len = len};
}
// The octets of a C string without its NUL; NULL gives the empty view.
struct view view_of_text(const char *text);
static inline struct view buf_view(const struct buf *buf)
{
    return (struct view){.data = buf->data, .len = buf->len};
}
// Same length and same octets. Not constant-time: for public data.
bool view_equal(struct view a, struct view b);
// Same length and same octets, in time that depends on the lengths only. For secrets.
bool view_equal_secret(struct view a, struct view b);
// The octets are exactly those of the C string `text`.
bool view_is_text(struct view view, const char *text);

// Makes room for `extra` more octets. Errors: ERR_NOMEM.
enum err_code buf_reserve(struct buf *buf, size_t extra, struct err *err) MUST_CHECK;
// Appends a copy of `octets`. Errors: ERR_NOMEM; then the buffer is as it was.
enum err_code buf_append(struct buf *buf, struct view octets, struct err *err) MUST_CHECK;
// A buffer that holds a copy of `octets`, in *ret_buf, which must be empty. Errors: ERR_NOMEM.
enum err_code buf_copy(struct view octets, struct buf *ret_buf, struct err *err) MUST_CHECK;
// Overwrites the octets, then frees them; leaves an empty buffer. For secrets and for everything
// that may hold one.
void buf_wipe(struct buf *buf);
// Frees the octets and leaves an empty buffer; accepts an empty one.
void buf_done(struct buf *buf);
