// SPDX-License-Identifier: Apache-2.0
#include "conf/base/buf.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#define SMALLEST_CAPACITY 256 // octets; most messages and records grow at most a few times

struct view view_of_text(const char *text)
{
    return text != NULL ? view_of(text, strlen(text)) : VIEW_EMPTY;
}

bool view_equal(struct view a, struct view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool view_equal_secret(struct view a, struct view b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.data, b.data, a.len) == 0);
}

bool view_is_text(struct view view, const char *text)
{
    return view_equal(view, view_of_text(text));
}

enum err_code buf_reserve(struct buf *buf, size_t extra, struct err *err)
{
    if (extra > SIZE_MAX - buf->len) {
        return err_set(err, ERR_NOMEM, "a buffer of more than SIZE_MAX octets");
    }
    size_t wanted = buf->len + extra;
    if (wanted <= buf->capacity) {
        return ERR_OK;
    }
    size_t capacity = buf->capacity < SMALLEST_CAPACITY ? SMALLEST_CAPACITY : buf->capacity;
    while (capacity < wanted) {
        capacity = capacity > SIZE_MAX / 2 ? wanted : capacity * 2;
    }
    // Not realloc(): it may leave a copy of a secret behind in freed memory.
    uint8_t *data = malloc(capacity);
    if (data == NULL) {
        err_set(err, ERR_NOMEM, "no memory for %zu octets", capacity);
        return ERR_NOMEM;
    }
    if (buf->len > 0) {
        memcpy(data, buf->data, buf->len);
        OPENSSL_cleanse(buf->data, buf->len);
    }
    free(buf->data);
    buf->data = data;
    buf->capacity = capacity;
    return ERR_OK;
}

enum err_code buf_append(struct buf *buf, struct view octets, struct err *err)
{
    if (octets.len == 0) {
        return ERR_OK;
    }
    enum err_code code = buf_reserve(buf, octets.len, err);
    if (code == ERR_OK) {
        memcpy(buf->data + buf->len, octets.data, octets.len);
        buf->len += octets.len;
    }
    return code;
}

enum err_code buf_copy(struct view octets, struct buf *ret_buf, struct err *err)
{
    struct buf copy = {0};
    enum err_code code = buf_append(&copy, octets, err);
    if (code == ERR_OK) {
        *ret_buf = copy;
    }
    return code;
}

void buf_wipe(struct buf *buf)
{
    if (buf->data != NULL) {
        OPENSSL_cleanse(buf->data, buf->capacity);
    }
    buf_done(buf);
}

void buf_done(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}
