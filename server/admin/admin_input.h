// SPDX-License-Identifier: Apache-2.0
// What an administrator types: MAC addresses, common names, serial numbers, numbers. Strict, with
// messages that say what was seen and what is allowed.
#pragma once

#include "ra/names.h"
#include "ra/store/store.h"

// A MAC in any usual notation (001A2B3C4D5E, 00:1a:2b:3c:4d:5e, 00-1A-..., 001a.2b3c.4d5e,
// SEP001A2B3C4D5E): upper-case digits without separators in `ret_mac`. Errors: ERR_SYNTAX.
enum err_code admin_read_mac(const char *text, char ret_mac[MAC_TEXT_LEN],
                             struct err *err) MUST_CHECK;

// The same for a MAC that one device can have: no group's, not the broadcast address and not zero.
enum err_code admin_read_device_mac(const char *text, char ret_mac[MAC_TEXT_LEN],
                                    struct err *err) MUST_CHECK;

// `text` (valid UTF-8) can be a phone's CN: 1 to LIMIT_COMMON_NAME characters, no `$` (a phone's
// macro that was not expanded) and no control characters. Errors: ERR_SYNTAX, ERR_LIMIT.
enum err_code admin_check_common_name(const char *text, struct err *err) MUST_CHECK;

// A serial number as 2 * SERIAL_LEN hex digits, with or without colons between pairs, or 0x in
// front. Errors: ERR_SYNTAX.
enum err_code admin_read_serial(const char *text, uint8_t ret_serial[SERIAL_LEN],
                                struct err *err) MUST_CHECK;

// The argument `name` as a whole number of decimal digits from `min` to `max`. Errors: ERR_LIMIT.
struct admin_range {
    const char *name;
    unsigned min;
    unsigned max;
};
enum err_code admin_read_number(const char *text, const struct admin_range *range,
                                unsigned *ret_number, struct err *err) MUST_CHECK;

// A device's serial number: visible ASCII without spaces, at most STORE_NUMBER_LEN - 1 of it; in
// upper case in `ret_number`. Errors: ERR_SYNTAX, ERR_LIMIT.
enum err_code admin_read_device_number(const char *text, char ret_number[STORE_NUMBER_LEN],
                                       struct err *err) MUST_CHECK;

// An entry of the device list as it is typed (UTF-8); NULL or "" = not given.
struct admin_device_text {
    const char *mac; // in any notation, of admin_read_device_mac()
    const char *serial_number;
    const char *model;
    const char *note;
};
// Checks it and puts it into the store's form; `added_at` is left 0. Errors: ERR_SYNTAX, ERR_LIMIT.
enum err_code admin_read_device(const struct admin_device_text *text,
                                struct store_device *ret_device, struct err *err) MUST_CHECK;
