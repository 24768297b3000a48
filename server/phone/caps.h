// SPDX-License-Identifier: Apache-2.0
// The answer to GetCACaps (RFC 8894, 3.5.2).
#pragma once

#include <stdbool.h>

#include "conf/base/buf.h"

#define PHONE_CAPS_LEN_MAX 4096 // octets of an answer; real ones have up to 100

struct phone_caps {
    bool aes;
    bool des3;
    bool next_ca;
    bool post;
    bool renewal;
    bool sha1;
    bool sha256;
    bool sha512;
    bool standard;
    unsigned known;   // how many of these words
    unsigned unknown; // lines that are other words
};

// Reads one keyword a line, ended by LF, CRLF or the end; case counts; blanks around are forgiven.
// SCEPStandard says AES, SHA-256 and POSTPKIOperation as well (3.5.2).
struct phone_caps phone_caps_read(struct view body);
