// SPDX-License-Identifier: Apache-2.0
// What a manufacturer's certificate (MIC, SUDI) says about its device: model, MAC, serial number.
// Read attribute by attribute, never by one pattern over the whole name: a serial number may look
// like a MAC, and ST and L of other Cisco devices are places.
#pragma once

#include "conf/base/ossl.h"
#include "conf/limits.h"
#include "ra/names.h"

#define IDENTITY_MODEL_LEN  64 // bytes with NUL
#define IDENTITY_SERIAL_LEN 32 // bytes with NUL: "FCH2133E8B9", "88012BA01234"

enum identity_class {
    IDENTITY_NONE,    // nothing that names a device
    IDENTITY_PHONE,   // CN "<model>-SEP<MAC>", CP- and DP- alike
    IDENTITY_SPA,     // OU = product, L = serial number, ST = MAC
    IDENTITY_OTHER,   // a switch, an access point, a cloud ID: CN or PID and SN, but no phone's
    IDENTITY_GENERIC, // "ciscogeneric": the same in many devices, so it proves nothing
    IDENTITY_CLASS_MAX
};
const char *identity_class_name(enum identity_class identity_class); // "phone", "spa"...

struct identity {
    enum identity_class identity_class;
    char model[IDENTITY_MODEL_LEN];          // "CP-9871", "SPA-962"; "" when unknown
    char mac[MAC_TEXT_LEN];                  // 12 upper-case hex digits; "" when unknown
    char serial_number[IDENTITY_SERIAL_LEN]; // of the device, in capitals; "" = unknown
    char common_name[LIMIT_NAME_VALUE + 1];  // the certificate's CN; "" = it has none
    // What the device is called in a certificate of ours: its CN, or "<model>-SEP<MAC>"; "" when it
    // has neither, or is generic.
    char device_name[LIMIT_NAME_VALUE + 1];
};

// Reads a subject: serialNumber "PID:... SN:...", CN "CP-8861-SEP2C3124C9F8E1" or "DP-...",
// OU/L/ST in any order, also in multi-valued RDNs. serialNumber says more than CN, CN more than
// OU/L/ST; a PID of "CP-" or "DP-" makes a phone, too. Only these five attributes are looked at;
// their values come out as UTF-8 without NUL and controls. Errors: ERR_BAD_REQUEST for values that
// are no text (NUL, newline, invalid encoding), too long, or contradict each other (two CNs, MACs
// that differ); ERR_NOMEM.
enum err_code identity_read(const X509_NAME *subject, struct identity *ret_identity,
                            struct err *err) MUST_CHECK;

// Takes a serialNumber apart: "PID:<model> SN:<serial number>" in either order, one of the two, or
// the serial number alone. False, and nothing written, for everything else. Views borrow from
// `text` and are empty for what is not there.
bool identity_split_serial(const char *text, struct view *ret_model, struct view *ret_serial);

// A device's serial number as it is compared and kept: letters of ASCII in capitals. In place.
void identity_capitalise(char *text);
