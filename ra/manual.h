// SPDX-License-Identifier: Apache-2.0
// Certificates made by the administrator's hand: from a PKCS#10 that he vouches for, under the
// same profiles, with the same record and guards as those that phones get by SCEP. Any thread but
// the writer's.
#pragma once

#include "ca/client.h"
#include "ra/policy.h"
#include "ra/store/writer.h"

struct manual_parts {
    const struct policy *policy;
    struct store *store;
    struct writer *writer;
    struct ca_client *ca;
};

struct manual_order {
    enum issue_profile profile; // PROFILE_PHONE or PROFILE_SERVER
    struct view csr;            // DER PKCS#10; a challengePassword in it counts nothing
    uint32_t days;              // 0 = as long as the settings say
    int64_t now;
};

// The most days that the settings give a certificate of the profile, and the fewest that make
// sense: phones with less than PHONE_DAYS_MIN would enrol again and again.
uint32_t manual_days_max(const struct settings *settings, enum issue_profile profile);
uint32_t manual_days_min(enum issue_profile profile);

// Has the certificate issued by the present CA and written; it becomes the device's present one.
// A phone's subjectAltNames are chosen by the settings as ever; a server's are the host of its
// common name (conf/hosts.h) and the dNSNames it asks for. *ret_certificate is done with
// store_certificate_done(). Errors: ERR_BAD_REQUEST, ERR_BAD_ALG (keys that are not RSA of 2048
// bits or more, MD5, SHA-1, a wrong signature, names), ERR_DENIED (the CA says no: a host outside
// servers.domains) and ERR_LIMIT (days), with what was seen and what is allowed; ERR_EXISTS (the
// key is certified for another subject; the phone has a valid certificate and
// phone.duplicate_subject refuses a second); ERR_CONFLICT, ERR_BUSY and others of our own: nothing
// was released.
enum err_code manual_issue(const struct manual_parts *parts, const struct manual_order *order,
                           struct store_certificate *ret_certificate, struct err *err) MUST_CHECK;
