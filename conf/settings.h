// SPDX-License-Identifier: Apache-2.0
// The administrator's settings: one libconfig file becomes one immutable struct. schema.c has the
// one table of all settings (name, type, range, default, words), from which the reader, the
// example file and the manual page's test are made.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "conf/base/err.h"
#include "conf/base/log.h"

#define SETTINGS_LIST_MAX       8  // entries of a list setting
#define SETTINGS_MIC_STORES_MAX 16 // entries of `mic`

// Which failInfo a phone gets for a failed challenge; see challenge.fail_info.
enum settings_fail_info { SETTINGS_FAIL_BAD_REQUEST, SETTINGS_FAIL_BAD_MESSAGE_CHECK };
// What happens to subjectAltNames that are not the CN, CN.<domain> or CN@<domain>.
enum settings_san { SETTINGS_SAN_MATCHING, SETTINGS_SAN_NONE, SETTINGS_SAN_REFUSE };
// Whether a second live certificate with the same subject and another key is issued.
enum settings_duplicate { SETTINGS_DUPLICATE_ALLOW, SETTINGS_DUPLICATE_REFUSE };
// What GetCACert lists, in this order.
enum settings_ca_item { SETTINGS_CA_ITEM_RA, SETTINGS_CA_ITEM_ISSUING, SETTINGS_CA_ITEM_ROOT };
// Who answers SCEP: an RA with a key of its own, or the CA certificate itself.
enum settings_topology { SETTINGS_TOPOLOGY_RA, SETTINGS_TOPOLOGY_DIRECT };
// subjectAltNames that the RA adds to those a phone asks for.
enum settings_added_san { SETTINGS_ADD_DNS, SETTINGS_ADD_EMAIL, SETTINGS_ADD_UPN };
// Kinds of manufacturer's certificate (ra/identity.h).
enum settings_mic_class { SETTINGS_MIC_PHONE, SETTINGS_MIC_SPA, SETTINGS_MIC_OTHER };
// Whether every genuine phone gets a certificate, or only those of the device list.
enum settings_devices { SETTINGS_DEVICES_ANY, SETTINGS_DEVICES_LISTED };
// What happens to a request that nothing authorises yet.
enum settings_unknown { SETTINGS_UNKNOWN_REFUSE, SETTINGS_UNKNOWN_PENDING };
// What a challengePassword counts when the signer is proven already.
enum settings_proven_challenge { SETTINGS_PROVEN_IGNORE, SETTINGS_PROVEN_STRICT };

struct settings_texts {
    const char *list[SETTINGS_LIST_MAX];
    uint32_t count;
};

// One trust store for manufacturer's certificates: an entry of the list `mic`.
struct settings_mic_store {
    const char *name;                    // for people and the log
    struct settings_texts roots;         // files, PEM or DER
    struct settings_texts intermediates; // files, PEM or DER; may be none
    bool accept_expired;
    bool accept_sha1;                    // SHA-1 in the signatures of the chain
    uint32_t min_rsa_bits;               // of the MIC and of the CAs above it
    uint32_t classes[SETTINGS_LIST_MAX]; // enum settings_mic_class
    uint32_t classes_count;
};

// All strings and paths are owned by the struct; an optional one that is not set is NULL. Relative
// paths in the file, also those in file: URIs, are resolved against the file's own directory.
// http.listen has been checked by syntax_listen(), which gives its socket address.
struct settings {
    struct {
        const char *listen;   // "ADDR:PORT" or "[V6]:PORT"; port 0 = any free one
        uint32_t connections; // most connections at a time
        uint32_t connections_per_address;
        uint32_t timeout_sec; // an idle connection is closed after this
        uint32_t workers;     // 0 = two per processor
        uint32_t queue;       // requests that may wait for a worker; more get 503
        // Paths of what is served beside SCEP; "{ca}" in one stands for the CA's name in hex
        // (conf/generations.h), so that CAs before and after a rollover have their own.
        const char *crl_path;
        const char *ca_path;
        const char *root_path;
        const char *ocsp_path;
    } http;
    struct {
        uint32_t get_ca_cert[SETTINGS_LIST_MAX]; // enum settings_ca_item
        uint32_t get_ca_cert_count;
        bool reply_chain;                 // CertRep carries the issuing CA after the certificate
        bool fail_info_text;              // CertRep FAILURE may carry failInfoText
        uint32_t signing_time_window_sec; // 0 = signingTime is not looked at
        uint32_t topology;                // enum settings_topology
        bool get_cert;                    // GetCert is served
        bool get_crl;                     // GetCRL is served
    } scep;
    struct {
        bool sha1;   // SHA-1 in signatures of requests
        bool des3;   // DES-EDE3-CBC
        bool oaep;   // RSAES-OAEP key transport
        bool legacy; // single DES and MD5 (OpenSSL's legacy provider)
    } algorithms;
    struct {
        // The first three are NULL under SETTINGS_TOPOLOGY_DIRECT.
        const char *certificate; // PEM or DER path
        const char *key;         // OSSL_STORE URI or path
        const char *pin_file;    // optional: file with the key's passphrase or PIN
        const char *directory;   // where scepd keeps RA keys and certificates that it made
        uint32_t renew_days;     // the RA certificate is renewed so many days before its end
        uint32_t previous_days;  // its predecessor's key decrypts so many days longer
    } ra;
    struct {
        const char *certificate; // issuing CA's certificate, path
        const char *key;         // OSSL_STORE URI or path; only scepd-ca opens it
        const char *pin_file;    // optional
        const char *root;        // optional: root certificate (and what is between), path
        const char *socket;      // path of the SEQPACKET socket between scepd and scepd-ca
        const char *program;     // path of scepd-ca; optional: beside scepd
        const char *generations; // optional: folder of CAs made by rollovers (conf/generations.h)
        uint32_t crl_hours;      // a CRL is valid this long; made anew at half of it
        uint32_t direct_per_sec; // envelopes scepd-ca opens a second (topology direct)
    } ca;
    struct {
        const char *static_file;      // optional: file with one static challenge
        const char *key_file;         // 32+ octets that key the hash of one-time challenges
        uint32_t fail_info;           // enum settings_fail_info
        uint32_t failures_per_minute; // from one address; 0 = no limit
    } challenge;
    struct settings_mic_store mic[SETTINGS_MIC_STORES_MAX];
    uint32_t mic_count;
    struct {
        uint32_t accept;   // enum settings_devices
        uint32_t unlisted; // enum settings_unknown: genuine, but not on the list
    } devices;
    struct {
        uint32_t window_days;            // a certificate is renewed in its last so many days
        uint32_t grace_days;             // and so many after its end; 0 = none
        uint32_t challenge;              // enum settings_proven_challenge
        uint32_t revoke_superseded_days; // an old one is revoked so long after; 0 = never
    } renewal;
    struct {
        uint32_t unauthenticated; // enum settings_unknown: a request without a challenge
        uint32_t max_pending;     // requests that may wait, in all
        uint32_t max_per_source;  // and from one address
        uint32_t expiry_days;     // after which one is forgotten
    } approval;
    struct { // profile "phone"
        uint32_t validity_days;
        uint32_t validity_jitter_days;          // notAfter is this many days earlier at most
        uint32_t subject_alt_name;              // enum settings_san
        uint32_t duplicate_subject;             // enum settings_duplicate
        struct settings_texts domains;          // "example.nl": CN may be "<MIC CN>.<domain>"
        uint32_t added_sans[SETTINGS_LIST_MAX]; // enum settings_added_san
        uint32_t added_sans_count;
        const char *crl_url;  // optional: cRLDistributionPoints
        const char *ca_url;   // optional: authorityInfoAccess caIssuers
        const char *ocsp_url; // optional: authorityInfoAccess OCSP
    } phone;
    struct {                           // profile "server"
        struct settings_texts domains; // hosts in these may get a certificate; none = nobody
        uint32_t validity_days;        // at most
    } servers;
    struct {
        const char *directory; // LMDB environment
        uint32_t max_size_mib; // the file never grows beyond this
    } store;
    struct {
        uint32_t max_events; // remembered at most
        uint32_t days;       // and for so long
    } history;
    struct {
        const char *socket; // path of the administrator's Unix socket
    } admin;
    struct {
        const char *listen; // optional: "ADDR:PORT" of a loopback address
    } web;
    struct {
        uint32_t level; // enum log_level
    } log;
};

// One value for settings_write(): `name` as in the file ("http.listen"), `value` as text without
// quotes, lists with commas ("ra, root"). A NULL name ends a list of these.
struct settings_value {
    const char *name;
    const char *value;
};

// Reads and checks the file. Every problem in it goes to `problems` (a stream; NULL = nowhere) as
// one line "FILE:LINE: SETTING: what was seen; what is allowed". Caller frees *ret_settings.
// `must_exist` also checks that the files named by the settings exist and can be read; those of the
// CA (its key and PIN) are only checked for existence and never opened, not even that when they lie
// where only scepd-ca may look; keys in tokens and sockets are not checked. Any thread.
// Errors: ERR_CONFIG with the number of problems and the first one in the text; ERR_NOT_FOUND,
// ERR_IO, ERR_LIMIT when the file cannot be read; ERR_NOMEM.
enum err_code settings_load(const char *path, bool must_exist, FILE *problems,
                            struct settings **ret_settings, struct err *err) MUST_CHECK;
// NULL is fine.
void settings_free(struct settings *settings);

// Writes a commented settings file with every setting of the table in it: values given in `values`
// (NULL = none) are set, and so are the required ones, to where a packaged install has them unless
// given; all others appear as comments with their default, `mic` as one entry in comments. The
// example scepd.conf is this function's output and so is what `scepctl init` writes. Errors:
// ERR_CONFIG for a name that does not exist, is in `mic` or is ruled out by the scep.topology
// given, and for a value that is not allowed, and then nothing was written; ERR_IO, ERR_FULL,
// ERR_NOMEM.
enum err_code settings_write(FILE *out, const struct settings_value *values,
                             struct err *err) MUST_CHECK;
