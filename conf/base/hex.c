// SPDX-License-Identifier: Apache-2.0
#include "conf/base/hex.h"

#include <string.h>

char *hex_encode(struct view octets, char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < octets.len; i++) {
        text[2 * i] = digits[octets.data[i] >> 4];
        text[2 * i + 1] = digits[octets.data[i] & 0x0f];
    }
    text[2 * octets.len] = '\0';
    return text;
}

static int value_of(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

ssize_t hex_decode(const char *text, uint8_t *octets, size_t max_len)
{
    size_t len = strlen(text);
    if (len % 2 != 0 || len / 2 > max_len) {
        return -1;
    }
    for (size_t i = 0; i < len / 2; i++) {
        int high = value_of(text[2 * i]);
        int low = value_of(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return -1;
        }
        octets[i] = (uint8_t)(high << 4 | low);
    }
    return (ssize_t)(len / 2);
}

char *hex_to_upper(char *text)
{
    for (char *at = text; *at != '\0'; at++) {
        if (*at >= 'a' && *at <= 'f') {
            *at = (char)(*at - 'a' + 'A');
        }
    }
    return text;
}
