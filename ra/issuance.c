// SPDX-License-Identifier: Apache-2.0
#include "ra/issuance.h"

#include <stdio.h>
#include <string.h>

#include "conf/base/hex.h"
#include "ra/certificate.h"

void issuance_order(const struct issuance *issuance, struct issue_order *ret_order)
{
    *ret_order = (struct issue_order){
        .profile = issuance->profile,
        .max_validity_sec = issuance->max_validity_sec,
        .issuer = view_of(issuance->issuer, SHA256_LEN),
        .csr = buf_view(&issuance->pkcs10->der),
        .san_count = issuance->san_count,
        .transaction_id = issuance->transaction_id,
    };
    memcpy(ret_order->sans, issuance->sans, issuance->san_count * sizeof issuance->sans[0]);
    if (issuance->names->common_name == NULL) {
        ret_order->common_name = view_of_text(issuance->common_name);
    }
}

static enum err_code read_serial(const struct certificate *cert, uint8_t serial[SERIAL_LEN],
                                 struct err *err)
{
    struct view octets = certificate_serial(cert);
    if (octets.len != SERIAL_LEN) {
        return err_set(err, ERR_PROTOCOL, "the CA sent a serial number of %zu octets; expected %d",
                       octets.len, SERIAL_LEN);
    }
    memcpy(serial, octets.data, SERIAL_LEN);
    return ERR_OK;
}

// The key must be the one that was asked for: an answer to somebody else's order would be released
// to the wrong phone.
static enum err_code check_key(const struct certificate *cert, const struct pkcs10 *pkcs10,
                               struct err *err)
{
    return view_equal(certificate_spki(cert), buf_view(&pkcs10->spki))
               ? ERR_OK
               : err_set(err, ERR_PROTOCOL, "the CA sent a certificate for another key");
}

static enum err_code read_subject(const struct certificate *cert, struct store_certificate *record,
                                  struct err *err)
{
    const X509_NAME *subject = certificate_subject(cert);
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

// What the signer's certificate proves comes before what a CN says.
static void copy_device(const struct signer_device *device, struct store_certificate *record)
{
    snprintf(record->mac, sizeof record->mac, "%s", device->mac);
    snprintf(record->model, sizeof record->model, "%s", device->model);
    snprintf(record->serial_number, sizeof record->serial_number, "%s", device->serial_number);
    record->mic_not_after = device->mic_not_after;
}

// A server is no device, whatever its name looks like.
static bool has_mac(struct store_certificate *record)
{
    return record->kind == CERTIFICATE_OF_PHONE &&
           (record->mac[0] != '\0' ||
            names_find_mac(view_of_text(record->common_name), record->mac));
}

static void name_device(struct store_certificate *record)
{
    if (has_mac(record)) {
        snprintf(record->device, sizeof record->device, "%s", record->mac);
    } else if (record->common_name[0] != '\0' &&
               strlen(record->common_name) < sizeof record->device) {
        memcpy(record->device, record->common_name, strlen(record->common_name) + 1);
    } else {
        hex_encode(view_of(record->subject_hash, SHA256_LEN), record->device);
    }
}

static enum err_code read_certificate(const struct certificate *cert,
                                      struct store_certificate *record, struct err *err)
{
    enum err_code code = read_serial(cert, record->serial, err);
    if (code == ERR_OK) {
        code = certificate_read_validity(cert, &record->not_before, &record->not_after, err);
    }
    if (code == ERR_OK) {
        code = read_subject(cert, record, err);
    }
    if (code == ERR_OK) {
        name_device(record);
    }
    return code;
}

static enum err_code parse(struct view der, struct certificate **ret_cert, struct err *err)
{
    if (certificate_parse(der, ret_cert, err) == ERR_OK) {
        return ERR_OK;
    }
    err->code = ERR_PROTOCOL;
    return err_prefix(err, "the CA's answer");
}

static struct store_certificate begin_record(const struct issuance *issuance)
{
    struct store_certificate record = {
        .status = CERTIFICATE_VALID,
        .kind = issuance->profile == PROFILE_SERVER ? CERTIFICATE_OF_SERVER : CERTIFICATE_OF_PHONE,
        .issued_at = issuance->now,
        .signer_class = (uint8_t)issuance->signer_class,
        .origin = issuance->origin,
    };
    memcpy(record.spki_hash, issuance->pkcs10->spki_hash, SHA256_LEN);
    memcpy(record.csr_hash, issuance->pkcs10->hash, SHA256_LEN);
    memcpy(record.transaction_key, issuance->transaction_key, SHA256_LEN);
    memcpy(record.issuer, issuance->issuer, SHA256_LEN);
    if (issuance->challenge_hash != NULL) {
        memcpy(record.challenge_hash, issuance->challenge_hash, SHA256_LEN);
    }
    if (issuance->renews != NULL) {
        memcpy(record.renews, issuance->renews, SERIAL_LEN);
    }
    copy_device(&issuance->device, &record);
    return record;
}

enum err_code issuance_record(const struct issuance *issuance, struct view certificate,
                              struct store_certificate *ret_record, struct err *err)
{
    CLEANUP(cleanup_certificate_free) struct certificate *cert = NULL;
    enum err_code code = parse(certificate, &cert, err);
    if (code != ERR_OK) {
        return code;
    }
    struct store_certificate record = begin_record(issuance);
    code = check_key(cert, issuance->pkcs10, err);
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
