// SPDX-License-Identifier: Apache-2.0
// DHCP option 43 as Cisco phones take it after a factory reset: plain code-length-value suboptions
// 10 to 15 with all that an enrolment needs. The value of the option only, not its own code and
// length. Any thread.
#pragma once

#include "server/phone/pin.h"

#define OPTION43_MAX_LEN   255 // octets of the whole option: DHCP counts them in one octet
#define OPTION43_TEXTS_MAX 207 // octets of server and challenge together: Cisco says less than 208
#define OPTION43_CODE_LEN  2   // octets in front of each value: code and length

enum option43_code {
    OPTION43_FIPS = 10,        // FIPS Mode: 0 disabled, 1 enabled
    OPTION43_SERVER = 11,      // Server: a URL or a bare address
    OPTION43_FINGERPRINT = 12, // Root CA Fingerprint: 20, 32, 48 or 64 octets
    OPTION43_CHALLENGE = 13,   // Challenge Password, in clear text
    OPTION43_DOT1X = 14,       // Enable 802.1X Authentication: 0 no, 1 yes
    OPTION43_CERTIFICATE = 15, // Certificate Select: 0 manufacturing, 1 custom installed
};

// A suboption that is a switch.
enum option43_switch { OPTION43_ABSENT = 0, OPTION43_NO, OPTION43_YES };

struct option43 {
    char server[OPTION43_MAX_LEN + 1];
    char challenge[OPTION43_MAX_LEN + 1]; // "" = none; a secret: wipe the struct
    struct pin fingerprint;
    enum option43_switch fips;
    enum option43_switch dot1x;
    enum option43_switch custom; // yes = custom, no = manufacturing installed
};

// The option's octets.
struct option43_octets {
    uint8_t octets[OPTION43_MAX_LEN];
    size_t len;
};

// Makes the option: the suboptions that are there, by their numbers. Errors, with the number that
// is allowed: ERR_SYNTAX (no server, no fingerprint or one of a length that no hash makes, a
// character that is not printable ASCII), ERR_LIMIT (more than OPTION43_TEXTS_MAX or
// OPTION43_MAX_LEN octets).
enum err_code option43_encode(const struct option43 *option, struct option43_octets *ret_octets,
                              struct err *err) MUST_CHECK;

// One suboption as it stands in the option.
struct option43_part {
    size_t offset; // of its code, from 0
    unsigned code;
    struct view value; // borrowed; cut where the option ends
};

// Goes through an option suboption by suboption; {.octets = ...} is the beginning.
struct option43_reader {
    struct view octets;
    size_t at;
    bool is_seen[UINT8_MAX + 1];
    struct option43 option; // what the good parts say; wipe it
};

// Takes the next suboption; false at the end. `err` says what is wrong with it, with its number and
// place: ERR_SYNTAX for one that ends behind the option, is there twice, is none of Cisco's or has
// a value that phones do not know. ERR_OK in err->code: nothing is.
bool option43_next(struct option43_reader *reader, struct option43_part *ret_part, struct err *err);
// What is wrong with the whole, once all parts are read: ERR_SYNTAX (server or fingerprint
// missing), ERR_LIMIT as in option43_encode().
enum err_code option43_finish(const struct option43_reader *reader, struct err *err) MUST_CHECK;

// Reads an option in which nothing is wrong. Errors: the first one of the above.
enum err_code option43_decode(struct view octets, struct option43 *ret_option,
                              struct err *err) MUST_CHECK;

// The parameter's name on the phone's web page; "unknown" for other codes. Static.
const char *option43_name(unsigned code);

// Appends what option43_encode() made in hexadecimal, `separator` between octets ('\0' = none).
// Digits are lower case but for the fingerprint's, as in Cisco's example, so that the fingerprint
// can be found by eye. Errors: ERR_NOMEM.
enum err_code option43_write_hex(const struct option43_octets *option, char separator,
                                 struct buf *text, struct err *err) MUST_CHECK;

// Reads hexadecimal text as people paste it: digits of either case, between octets spaces, line
// ends, colons, dashes, periods and commas, 0x in front of the whole or of any group. *ret_octets
// is empty before; wipe it. It may be longer than an option: option43_finish() says so. Errors with
// the place: ERR_SYNTAX (nothing, an odd number of digits, a separator inside an octet, another
// character), ERR_NOMEM.
enum err_code option43_read_hex(const char *text, struct buf *ret_octets,
                                struct err *err) MUST_CHECK;
