// SPDX-License-Identifier: Apache-2.0
// GET /v1/export: all that is known of each certificate, and the certificate itself, page by page.
#include <string.h>

#include <openssl/pem.h>

#include "conf/base/hex.h"
#include "server/admin/admin_input.h"
#include "server/admin/admin_resources.h"

#define DIGEST_TEXT_LEN (2 * SHA256_LEN + 1) // bytes with NUL

static json_t *pem_json(struct view der)
{
    char *text = NULL;
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL || PEM_write_bio(bio, PEM_STRING_X509, "", der.data, (long)der.len) <= 0) {
        return NULL;
    }
    long len = BIO_get_mem_data(bio, &text);
    return json_stringn(text, (size_t)len);
}

static json_t *digest_json(struct view der)
{
    uint8_t digest[SHA256_LEN];
    char text[DIGEST_TEXT_LEN];
    ossl_sha256(&der, 1, digest);
    return json_string(hex_encode(view_of(digest, sizeof digest), text));
}

static json_t *reason_json(const struct store_certificate *certificate)
{
    return certificate->status == CERTIFICATE_REVOKED
               ? json_string(admin_reason_name(certificate->revocation_reason))
               : json_null();
}

static json_t *certificate_json(const struct store_certificate *certificate, int64_t now)
{
    struct view der = buf_view(&certificate->der);
    return json_pack("{s:o, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, "
                     "s:o, s:o}",                                                           //
                     "serial", admin_json_serial(certificate->serial),                      //
                     "common_name", admin_json_optional(certificate->common_name),          //
                     "mac", admin_json_optional(certificate->mac),                          //
                     "device", certificate->device,                                         //
                     "status", admin_certificate_status(certificate, now),                  //
                     "issued_at", admin_json_time(certificate->issued_at),                  //
                     "not_before", admin_json_time(certificate->not_before),                //
                     "not_after", admin_json_time(certificate->not_after),                  //
                     "authorised_by", admin_authority_name(certificate),                    //
                     "model", admin_json_optional(certificate->model),                      //
                     "serial_number", admin_json_optional(certificate->serial_number),      //
                     "renews", admin_json_serial(certificate->renews),                      //
                     "superseded_at", admin_json_optional_time(certificate->superseded_at), //
                     "revoked_at", admin_json_optional_time(certificate->revoked_at),       //
                     "revocation_reason", reason_json(certificate),                         //
                     "sha256", digest_json(der),                                            //
                     "pem", pem_json(der));
}

struct page {
    int64_t now;
    size_t limit;
    json_t *list;
    bool is_full; // there was one more
    bool failed;  // out of memory
};

static bool visit(const struct store_certificate *certificate, void *context)
{
    struct page *page = context;
    if (json_array_size(page->list) == page->limit) {
        page->is_full = true;
        return false;
    }
    page->failed = json_array_append_new(page->list, certificate_json(certificate, page->now)) != 0;
    return !page->failed;
}

static enum err_code fill(const struct admin_request *request, struct page *page, struct err *err)
{
    uint8_t after[SERIAL_LEN] = {0};
    unsigned limit = 0;
    enum err_code code = admin_read_page(request, &limit, err);
    if (code == ERR_OK && request->after != NULL) {
        code = admin_read_serial(request->after, after, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    page->limit = limit;
    code = store_list_certificates(request->live->store, request->after != NULL ? after : NULL,
                                   visit, page, err);
    if (code == ERR_NOT_FOUND) {
        return err_set(err, code, "no certificate has the serial number \"%s\"", request->after);
    }
    return code == ERR_OK && page->failed ? err_set(err, ERR_NOMEM, "no memory for an export")
                                          : code;
}

static json_t *next_after(const struct page *page)
{
    const json_t *last = json_array_get(page->list, json_array_size(page->list) - 1);
    return page->is_full ? json_incref(json_object_get(last, "serial")) : json_null();
}

enum err_code admin_export(const struct admin_request *request, json_t **ret_body, struct err *err)
{
    struct page page = {.now = request->now, .list = json_array()};
    struct store_counts counts = {0};
    enum err_code code = store_count(request->live->store, &counts, err);
    if (code == ERR_OK) {
        code = fill(request, &page, err);
    }
    if (code != ERR_OK) {
        json_decref(page.list);
        return code;
    }
    *ret_body = json_pack("{s:I, s:o, s:o}", "total", (json_int_t)counts.certificates, "next_after",
                          next_after(&page), "certificates", page.list);
    return ERR_OK;
}
