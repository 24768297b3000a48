// SPDX-License-Identifier: Apache-2.0
// From an allowed request to the CA's order, and from the CA's certificate to the record that the
// store keeps of it.
#pragma once

#include "ca/frame.h"
#include "ra/names.h"
#include "ra/pkcs10.h"
#include "ra/signer.h"
#include "ra/store/store.h"

// What an issuance is made from; everything is borrowed.
struct issuance {
    enum issue_profile profile;
    uint32_t max_validity_sec; // 0 = as the profile says
    const struct pkcs10 *pkcs10;
    const struct names *names;
    const char *common_name; // the certificate's when the PKCS#10 has none; "" = none
    const struct san *sans;  // those the rules let through
    uint32_t san_count;
    const uint8_t *issuer; // SHA256_LEN octets: the CA that shall issue
    struct view transaction_id;
    uint8_t transaction_key[SHA256_LEN];
    enum signer_class signer_class;
    enum certificate_origin origin;
    const uint8_t *challenge_hash; // SHA256_LEN octets: what authorised it; NULL = no challenge
    const uint8_t *renews;       // SERIAL_LEN octets: what signed the request; NULL = none of ours
    struct signer_device device; // what the signer's certificate proves of the device
    int64_t now;
};

// The order for scepd-ca: profile, the CA, the PKCS#10, its subjectAltNames, and the CN when
// the PKCS#10 has none. Views in *ret_order live as long as what `issuance` points to.
void issuance_order(const struct issuance *issuance, struct issue_order *ret_order);

// The record of the certificate that came back; checks that it is for the PKCS#10's key. Done with
// store_certificate_done(). Errors: ERR_PROTOCOL when the CA sent something else, ERR_NOMEM.
enum err_code issuance_record(const struct issuance *issuance, struct view certificate,
                              struct store_certificate *ret_record, struct err *err) MUST_CHECK;
