// SPDX-License-Identifier: Apache-2.0
// Whether a device is on the administrator's list: by MAC, serial number and model, never by the
// certificate that says so, because manufacturer's certificates are replaced in the field.
#pragma once

#include "ra/decide.h"
#include "ra/store/store.h"

// What a device says of itself and proves; "" = unknown.
struct device_claim {
    const char *mac;
    const char *serial_number;
    const char *model;
};

struct device_finding {
    enum device_state state; // DEVICE_LISTED or DEVICE_UNLISTED
    bool is_contradiction;   // the list knows the MAC or the serial number, with another beside it
    char reason[ERR_TEXT_LEN]; // why it is not listed, for the log; "" = it is
};

// Looks the device up. An entry's model counts without "CP-" or "DP-" in front and in letters of
// either case. Any thread. Errors: ERR_IO, ERR_NOMEM, ERR_BUSY.
enum err_code devices_check(struct store *store, const struct device_claim *claim,
                            struct device_finding *ret_finding, struct err *err) MUST_CHECK;
