// SPDX-License-Identifier: Apache-2.0
// Macros in a phone's configuration, such as the MAC address in CDC_Common_Name.
#pragma once

#include <stdbool.h>

#include "conf/base/err.h"

#define MACRO_TEXT_LEN 256 // bytes of an expanded text with NUL
#define MACRO_MAC_LEN  13  // bytes of "001a2b3c4d5e" with NUL

// Whose values are put in. "" = not known.
struct macro_phone {
    char mac[MACRO_MAC_LEN]; // lower-case digits
    char product[32];        // "CP-9871"
};

// A phone read from a MIC's common name, "CP-9871-SEP001A2B3C4D5E"; members stay "" where the name
// is built otherwise.
struct macro_phone macro_phone_of(const char *common_name);

// Puts in $MA (MAC in lower-case digits), $MAU (upper-case), $MAC (with colons), $PN (product) and
// $$ ($). What is not known stays as it is, and *ret_is_left says so. Nothing is expanded twice.
// Errors: ERR_LIMIT.
enum err_code macro_expand(const char *text, const struct macro_phone *phone,
                           char ret_text[MACRO_TEXT_LEN], bool *ret_is_left,
                           struct err *err) MUST_CHECK;
