// SPDX-License-Identifier: Apache-2.0
// From an allowed request to the CA's order, and from the CA's certificate to the record that the
// store keeps of it.
#pragma once

#include "ca/frame.h"
#include "ra/decide.h"
#include "ra/names.h"
#include "ra/pkcs10.h"
#include "ra/store.h"

// What an issuance is made from; everything is borrowed.
struct issuance {
    const struct pkcs10 *pkcs10;
    const struct names *names;
    const struct challenge_result *challenge;
    const struct san *sans; // those the rules let through
    uint32_t san_count;
    struct view transaction_id;
    uint8_t transaction_key[SHA256_LEN];
    enum signer_class signer_class;
    int64_t now;
};

// The order for scepd-ca: profile phone, the PKCS#10, its subjectAltNames, and the CN of the
// challenge's record when the PKCS#10 has no subject. Views in *ret_order live as long as what
// `issuance` points to.
void issuance_order(const struct issuance *issuance, struct issue_order *ret_order);

// The record of the certificate that came back; checks that it is for the PKCS#10's key. Done with
// store_certificate_done(). Errors: ERR_PROTOCOL when the CA sent something else, ERR_NOMEM.
enum err_code issuance_record(const struct issuance *issuance, struct view certificate,
                              struct store_certificate *ret_record, struct err *err) MUST_CHECK;
