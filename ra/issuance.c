// SPDX-License-Identifier: Apache-2.0
#include "ra/issuance.h"

#include <stdio.h>
#include <string.h>

#include "conf/base/hex.h"

void issuance_order(const struct issuance *issuance, struct issue_order *ret_order)
{
    *ret_order = (struct issue_order){
        .profile = PROFILE_PHONE,
        .csr = buf_view(&issuance->pkcs10->der),
        .san_count = issuance->san_count,
        .transaction_id = issuance->transaction_id,
    };
    memcpy(ret_order->sans, issuance->sans, issuance->san_count * sizeof issuance->sans[0]);
    if (issuance->names->is_subject_empty) {
        ret_order->common_name = view_of_text(issuance->challenge->common_name);
    }
}

static enum err_code read_serial(const X509 *cert, uint8_t serial[SERIAL_LEN], struct err *err)
{
    struct view octets = ossl_string_view(X509_get0_serialNumber(cert));
    if (octets.len != SERIAL_LEN) {
        return err_set(err, ERR_PROTOCOL, "the CA sent a serial number of %zu octets; expected %d",
                       octets.len, SERIAL_LEN);
    }
    memcpy(serial, octets.data, SERIAL_LEN);
    return ERR_OK;
}

static enum err_code read_time(const ASN1_TIME *time, int64_t *ret_seconds, struct err *err)
{
    CLEANUP(cleanup_ASN1_TIME_free) ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0;
    int seconds = 0;
    if (epoch == NULL || ASN1_TIME_diff(&days, &seconds, epoch, time) != 1) {
        return err_set_openssl(err, ERR_PROTOCOL, "the CA sent an unreadable date");
    }
    *ret_seconds = (int64_t)days * DAY_SEC + seconds;
    return ERR_OK;
}

// The key must be the one that was asked for: an answer to somebody else's order would be released
// to the wrong phone.
static enum err_code check_key(const X509 *cert, const struct pkcs10 *pkcs10, struct err *err)
{
    struct buf spki = {0};
    enum err_code code = ossl_spki_to_der(X509_get0_pubkey(cert), &spki, err);
    if (code == ERR_OK && !view_equal(buf_view(&spki), buf_view(&pkcs10->spki))) {
        code = err_set(err, ERR_PROTOCOL, "the CA sent a certificate for another key");
    }
    buf_done(&spki);
    return code;
}

static enum err_code read_subject(const X509 *cert, struct store_certificate *record,
                                  struct err *err)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    struct buf der = {0};
    enum err_code code = ossl_name_to_der(subject, &der, err);
    if (code != ERR_OK) {
        return code;
    }
    struct view part = buf_view(&der);
    ossl_sha256(&part, 1, record->subject_hash);
    buf_done(&der);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0) {
        return ERR_OK;
    }
    struct buf text = {0};
    code =
        ossl_string_to_utf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), &text, err);
    if (code == ERR_OK) {
        snprintf(record->common_name, sizeof record->common_name, "%.*s", (int)text.len,
                 (const char *)text.data);
    }
    buf_done(&text);
    return code;
}

static void name_device(struct store_certificate *record)
{
    if (names_find_mac(view_of_text(record->common_name), record->mac)) {
        snprintf(record->device, sizeof record->device, "%s", record->mac);
    } else if (record->common_name[0] != '\0' &&
               strlen(record->common_name) < sizeof record->device) {
        memcpy(record->device, record->common_name, strlen(record->common_name) + 1);
    } else {
        hex_encode(view_of(record->subject_hash, SHA256_LEN), record->device);
    }
}

static enum err_code read_certificate(const X509 *cert, struct store_certificate *record,
                                      struct err *err)
{
    enum err_code code = read_serial(cert, record->serial, err);
    if (code == ERR_OK) {
        code = read_time(X509_get0_notBefore(cert), &record->not_before, err);
    }
    if (code == ERR_OK) {
        code = read_time(X509_get0_notAfter(cert), &record->not_after, err);
    }
    if (code == ERR_OK) {
        code = read_subject(cert, record, err);
    }
    if (code == ERR_OK) {
        name_device(record);
    }
    return code;
}

enum err_code issuance_record(const struct issuance *issuance, struct view certificate,
                              struct store_certificate *ret_record, struct err *err)
{
    X509 *parsed = NULL;
    if (ossl_cert_from_der(certificate, &parsed, err) != ERR_OK) {
        err->code = ERR_PROTOCOL;
        return err_prefix(err, "the CA's answer");
    }
    CLEANUP(cleanup_X509_free) X509 *cert = parsed;
    struct store_certificate record = {
        .status = CERTIFICATE_VALID,
        .issued_at = issuance->now,
        .signer_class = (uint8_t)issuance->signer_class,
    };
    memcpy(record.spki_hash, issuance->pkcs10->spki_hash, SHA256_LEN);
    memcpy(record.csr_hash, issuance->pkcs10->hash, SHA256_LEN);
    memcpy(record.transaction_key, issuance->transaction_key, SHA256_LEN);
    memcpy(record.challenge_hash, issuance->challenge->hash, SHA256_LEN);
    enum err_code code = check_key(cert, issuance->pkcs10, err);
    if (code == ERR_OK) {
        code = read_certificate(cert, &record, err);
    }
    if (code == ERR_OK) {
        code = buf_copy(certificate, &record.der, err);
    }
    if (code == ERR_OK) {
        *ret_record = record;
    }
    return code;
}
