// SPDX-License-Identifier: Apache-2.0
// GET /v1/certificates and /v1/certificates/SERIAL-or-CN-or-MAC.
#include <string.h>

#include "conf/base/hex.h"
#include "server/admin/admin_input.h"
#include "server/admin/admin_resources.h"

#define OTHERS_MAX 100 // other certificates of one device that its view lists

const char *admin_certificate_status(const struct store_certificate *certificate, int64_t now)
{
    if (certificate->status == CERTIFICATE_REVOKED) {
        return "revoked";
    }
    return certificate->not_after < now ? "expired" : "valid";
}

const char *admin_kind_name(const struct store_certificate *certificate)
{
    return certificate->kind == CERTIFICATE_OF_SERVER ? "server" : "phone";
}

// What the administrator has made no phone has signed the request for.
static const char *signer_name(const struct store_certificate *certificate)
{
    static const char administrator[] = "administrator";
    const char *authority = admin_authority_name(certificate);
    return strcmp(authority, administrator) == 0
               ? administrator
               : signer_class_name((enum signer_class)certificate->signer_class);
}

json_t *admin_certificate_json(const struct store_certificate *certificate, int64_t now)
{
    char serial[2 * SERIAL_LEN + 1];
    hex_encode(view_of(certificate->serial, SERIAL_LEN), serial);
    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:s, s:s}",    //
                     "kind", admin_kind_name(certificate),                         //
                     "serial", serial,                                             //
                     "common_name", admin_json_optional(certificate->common_name), //
                     "mac", admin_json_optional(certificate->mac),                 //
                     "device", certificate->device,                                //
                     "status", admin_certificate_status(certificate, now),         //
                     "issued_at", admin_json_time(certificate->issued_at),         //
                     "not_before", admin_json_time(certificate->not_before),       //
                     "not_after", admin_json_time(certificate->not_after),         //
                     "authorised_by", admin_authority_name(certificate),           //
                     "signer", signer_name(certificate));
}

// What a walk over certificates gathers; also what it looks for.
struct gathering {
    int64_t now;
    const char *common_name;   // only with this CN; NULL = any
    const uint8_t *not_serial; // all but this one; NULL = all
    size_t limit;
    json_t *list;
    bool is_full; // there was one more than `limit`
    bool failed;  // out of memory
};

static bool is_wanted(const struct gathering *gathering,
                      const struct store_certificate *certificate)
{
    if (gathering->common_name != NULL &&
        strcmp(gathering->common_name, certificate->common_name) != 0) {
        return false;
    }
    return gathering->not_serial == NULL ||
           memcmp(gathering->not_serial, certificate->serial, SERIAL_LEN) != 0;
}

static bool gather(const struct store_certificate *certificate, void *context)
{
    struct gathering *gathering = context;
    if (!is_wanted(gathering, certificate)) {
        return true;
    }
    if (json_array_size(gathering->list) == gathering->limit) {
        gathering->is_full = true;
        return false;
    }
    json_t *entry = admin_certificate_json(certificate, gathering->now);
    gathering->failed = json_array_append_new(gathering->list, entry) != 0;
    return !gathering->failed;
}

// Ends a walk: ERR_NOMEM when the store did not fail but memory did.
static enum err_code gathered(const struct gathering *gathering, enum err_code code,
                              struct err *err)
{
    if (code == ERR_OK && gathering->failed) {
        return err_set(err, ERR_NOMEM, "no memory for a list of certificates");
    }
    return code;
}

static enum err_code read_page(const struct admin_request *request, size_t *ret_limit,
                               uint8_t after[SERIAL_LEN], struct err *err)
{
    unsigned limit = 0;
    enum err_code code = admin_read_page(request, &limit, err);
    *ret_limit = limit;
    return code == ERR_OK && request->after != NULL ? admin_read_serial(request->after, after, err)
                                                    : code;
}

// The serial number that the next page begins after, or null.
static json_t *next_after(const struct gathering *gathering)
{
    size_t count = json_array_size(gathering->list);
    if (!gathering->is_full) {
        return json_null();
    }
    return json_incref(json_object_get(json_array_get(gathering->list, count - 1), "serial"));
}

enum err_code admin_list_certificates(const struct admin_request *request, json_t **ret_body,
                                      struct err *err)
{
    struct gathering gathering = {.now = request->now};
    uint8_t after[SERIAL_LEN] = {0};
    enum err_code code = read_page(request, &gathering.limit, after, err);
    if (code != ERR_OK) {
        return code;
    }
    gathering.list = json_array();
    code = store_list_certificates(request->live->store, request->after != NULL ? after : NULL,
                                   gather, &gathering, err);
    code = gathered(&gathering, code, err);
    if (code != ERR_OK) {
        json_decref(gathering.list);
        return code;
    }
    *ret_body = json_pack("{s:o, s:o}", "next_after", next_after(&gathering), "certificates",
                          gathering.list);
    return ERR_OK;
}

// The device a common name or MAC belongs to, as the store files it, and whether only certificates
// with exactly this CN are meant.
static const char *find_device(const char *item, char mac[MAC_TEXT_LEN], bool *ret_is_exact)
{
    *ret_is_exact = false;
    if (admin_read_mac(item, mac, NULL) == ERR_OK) {
        return mac;
    }
    *ret_is_exact = true;
    return names_find_mac(view_of_text(item), mac) ? mac : item;
}

// Takes the first certificate that is wanted, with its DER.
struct choice {
    const char *common_name; // NULL = any
    struct store_certificate found;
    bool is_found;
    enum err_code code;
};

static bool choose(const struct store_certificate *certificate, void *context)
{
    struct choice *choice = context;
    if (choice->common_name != NULL && strcmp(choice->common_name, certificate->common_name) != 0) {
        return true;
    }
    choice->found = *certificate;
    choice->found.der = (struct buf){0};
    choice->code = buf_copy(buf_view(&certificate->der), &choice->found.der, NULL);
    choice->is_found = true;
    return false;
}

static enum err_code find_by_name(struct store *store, const char *item,
                                  struct store_certificate *ret_certificate, struct err *err)
{
    char mac[MAC_TEXT_LEN] = "";
    bool is_exact;
    const char *device = find_device(item, mac, &is_exact);
    struct choice choice = {.common_name = is_exact ? item : NULL};
    enum err_code code = store_list_device(store, device, choose, &choice, err);
    if (code != ERR_OK && code != ERR_NOT_FOUND) {
        return code;
    }
    if (!choice.is_found) {
        return err_set(err, ERR_NOT_FOUND,
                       "no certificate has the serial number, common name or MAC \"%.64s\"", item);
    }
    *ret_certificate = choice.found;
    return choice.code;
}

static enum err_code find_certificate(struct store *store, const char *item,
                                      struct store_certificate *ret_certificate, struct err *err)
{
    uint8_t serial[SERIAL_LEN];
    if (admin_read_serial(item, serial, NULL) == ERR_OK) {
        enum err_code code = store_find_serial(store, serial, ret_certificate, err);
        if (code != ERR_NOT_FOUND) {
            return code;
        }
    }
    return find_by_name(store, item, ret_certificate, err);
}

enum err_code admin_add_certificate(json_t *body, const struct store_certificate *certificate,
                                    struct err *err)
{
    X509 *parsed = NULL;
    enum err_code code = ossl_cert_from_der(buf_view(&certificate->der), &parsed, err);
    if (code != ERR_OK) {
        return err_set(err, ERR_INTERNAL, "a stored certificate cannot be parsed");
    }
    CLEANUP(cleanup_X509_free) X509 *cert = parsed;
    if (json_object_set_new(body, "subject", admin_json_subject(cert)) != 0 ||
        json_object_set_new(body, "sha256", admin_json_fingerprint(cert, EVP_sha256())) != 0 ||
        json_object_set_new(body, "pem", admin_json_pem(cert)) != 0) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for a certificate's view");
    }
    return ERR_OK;
}

static enum err_code add_others(json_t *body, struct store *store,
                                const struct store_certificate *certificate, int64_t now,
                                struct err *err)
{
    struct gathering gathering = {
        .now = now,
        .not_serial = certificate->serial,
        .limit = OTHERS_MAX,
        .list = json_array(),
    };
    enum err_code code = store_list_device(store, certificate->device, gather, &gathering, err);
    code = gathered(&gathering, code == ERR_NOT_FOUND ? ERR_OK : code, err);
    if (json_object_set_new(body, "others", gathering.list) != 0 && code == ERR_OK) {
        code = err_set(err, ERR_NOMEM, "no memory for a certificate's view");
    }
    return code;
}

enum err_code admin_get_certificate(const struct admin_request *request, json_t **ret_body,
                                    struct err *err)
{
    struct store *store = request->live->store;
    struct store_certificate certificate = {0};
    enum err_code code = find_certificate(store, request->item, &certificate, err);
    if (code != ERR_OK) {
        store_certificate_done(&certificate);
        return code;
    }
    json_t *body = admin_certificate_json(&certificate, request->now);
    code = admin_add_certificate(body, &certificate, err);
    if (code == ERR_OK) {
        code = add_others(body, store, &certificate, request->now, err);
    }
    store_certificate_done(&certificate);
    if (code != ERR_OK) {
        json_decref(body);
        return code;
    }
    *ret_body = body;
    return ERR_OK;
}
