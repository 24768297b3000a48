// SPDX-License-Identifier: Apache-2.0
// Certificates in words, for findings.
#pragma once

#include "conf/base/ossl.h"

#define WORDS_NAME_LEN 320 // bytes of a name, cut when longer
#define WORDS_DATE_LEN 24  // bytes of "2026-11-21T08:43:35Z" with NUL
#define WORDS_CERT_LEN 700 // bytes of a whole certificate
#define WORDS_LIST_LEN 160 // bytes of a list of a few words

// Whole days between two times, rounded towards 0.
#define WORDS_DAYS(from, to) (((to) - (from)) / 86400)

// A name as RFC 4514 writes it, with control characters escaped. Returns `text`.
char *words_name(const X509_NAME *name, char text[WORDS_NAME_LEN]);
// The first common name as UTF-8, "" when there is none that can be read. Returns `text`.
char *words_common_name(const X509 *cert, char text[WORDS_NAME_LEN]);
// A date; "?" for what is none. Returns `text`.
char *words_date(const ASN1_TIME *time, char text[WORDS_DATE_LEN]);
// "RSA, 2048 bits, sha256WithRSAEncryption, valid from ... until ...". Returns `text`.
char *words_cert(const X509 *cert, char text[WORDS_CERT_LEN]);
// Appends `word` to a list, with ", " between. What does not fit is left out.
void words_list_add(char list[WORDS_LIST_LEN], const char *word);
