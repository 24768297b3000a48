// SPDX-License-Identifier: Apache-2.0
// Every limit on what comes from outside, with its unit and its reason, in one place.
#pragma once

#define LIMIT_MESSAGE_LEN       65536   // octets of a pkiMessage; real ones are 2 to 6 KiB
#define LIMIT_MESSAGE_CERTS     10      // certificates in a pkiMessage; a MIC chain has 3
#define LIMIT_RECIPIENTS        10      // RecipientInfos in an envelope; clients send 1 to 3
#define LIMIT_TRANSACTION_ID    255     // octets; real ones are 28 to 64
#define LIMIT_NONCE             64      // octets; RFC 8894 says 16, old clients send 8
#define LIMIT_CHALLENGE_LEN     255     // octets of a challengePassword as UTF-8 (PKCS #9 ub-...)
#define LIMIT_CSR_LEN           16384   // octets of a PKCS#10
#define LIMIT_CERT_LEN          16384   // octets of a certificate
#define LIMIT_SUBJECT_LEN       2048    // octets of a subject name's DER
#define LIMIT_SUBJECT_RDNS      32      // attributes in a subject name
#define LIMIT_SUBJECT_ALT_NAMES 32      // names in a subjectAltName
#define LIMIT_COMMON_NAME       64      // characters; X.520 ub-common-name
#define LIMIT_NAME_VALUE        255     // octets of any one name value
#define LIMIT_RSA_BITS_MIN      2048    // RFC 8894 names no size; below is broken
#define LIMIT_RSA_BITS_MAX      4096    // a verification of 16384 bits costs 100 times as much
#define LIMIT_FILE_LEN          1048576 // octets of a certificate, key or settings file
#define LIMIT_MIC_RSA_BITS_MIN  1024   // of a manufacturer's certificate, where its store allows it
#define LIMIT_CRL_ENTRIES       200000 // revoked certificates in one CRL; 49 octets each
#define LIMIT_CRL_LEN           12582912 // octets of a CRL; LIMIT_CRL_ENTRIES take 9.4 MiB
#define SERIAL_LEN              16       // octets of our serial numbers; the first is 01 to 7F

// Validity of what the CA issues (reference: section "X.509 profiles" in ca/README.md).
#define BACKDATE_SEC             600 // notBefore this far back: phones' clocks differ
#define PHONE_RENEWS_BEFORE_DAYS 15  // phones renew in the last 15 days, looked at every 4 h
#define PHONE_DAYS_MIN           (PHONE_RENEWS_BEFORE_DAYS + 1)
#define PHONE_DAYS_REASON                                                                          \
    "a phone renews in the last 15 days of its certificate and looks every 4 hours, so with 15 "   \
    "days or less it would enrol again for ever"
#define DAY_SEC  86400
#define HOUR_SEC 3600
