// SPDX-License-Identifier: Apache-2.0
// Building blocks of the administrator's answers.
#include <string.h>

#include <openssl/pem.h>

#include "conf/base/clock.h"
#include "conf/base/hex.h"
#include "server/admin/admin_input.h"
#include "server/admin/admin_resources.h"

json_t *admin_json_time(int64_t time)
{
    char text[CLOCK_TEXT_LEN];
    return json_string(clock_format(time, text));
}

json_t *admin_json_asn1_time(const ASN1_TIME *time)
{
    int64_t seconds = 0;
    return ossl_time_read(time, &seconds) ? admin_json_time(seconds) : json_null();
}

json_t *admin_json_serial(const uint8_t serial[SERIAL_LEN])
{
    static const uint8_t none[SERIAL_LEN];
    char text[2 * SERIAL_LEN + 1];
    return memcmp(serial, none, SERIAL_LEN) == 0
               ? json_null()
               : json_string(hex_encode(view_of(serial, SERIAL_LEN), text));
}

json_t *admin_json_optional_time(int64_t time)
{
    return time != 0 ? admin_json_time(time) : json_null();
}

json_t *admin_json_optional(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *bio_json(BIO *bio)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    return len > 0 ? json_stringn(text, (size_t)len) : NULL;
}

json_t *admin_json_pem(const X509 *cert)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    return bio != NULL && PEM_write_bio_X509(bio, cert) == 1 ? bio_json(bio) : NULL;
}

json_t *admin_json_subject(const X509 *cert)
{
    // RFC 2253 order and quoting, but in UTF-8 instead of escaped octets.
    const unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL || X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, flags) < 0) {
        return NULL;
    }
    json_t *text = bio_json(bio);
    return text != NULL ? text : json_string("");
}

json_t *admin_json_fingerprint(const X509 *cert, const EVP_MD *digest)
{
    unsigned char octets[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE + 1];
    unsigned len = 0;
    if (X509_digest(cert, digest, octets, &len) != 1) {
        return NULL;
    }
    return json_string(hex_encode(view_of(octets, len), text));
}

enum err_code admin_read_object(const struct admin_request *request, json_t **ret_object,
                                struct err *err)
{
    json_error_t problem;
    json_t *object = json_loadb((const char *)request->body.data, request->body.len,
                                JSON_REJECT_DUPLICATES, &problem);
    if (!json_is_object(object)) {
        json_decref(object);
        return err_set(err, ERR_SYNTAX, "the body is not a JSON object%s%s",
                       object == NULL ? ": " : "", object == NULL ? problem.text : "");
    }
    *ret_object = object;
    return ERR_OK;
}

enum err_code admin_read_limit(const struct admin_request *request, unsigned *ret_limit,
                               struct err *err)
{
    static const struct admin_range range = {.name = "limit", .min = 1, .max = ADMIN_PAGE_MAX};
    const struct admin_filter *filter = &request->filter;
    if (filter->last != NULL || filter->of != NULL || filter->device != NULL ||
        filter->cn != NULL || filter->mac != NULL || filter->serial != NULL) {
        return err_set(err, ERR_SYNTAX,
                       "this list does not take last, of, device, cn, mac and serial; allowed are "
                       "after, limit");
    }
    if (request->limit != NULL) {
        return admin_read_number(request->limit, &range, ret_limit, err);
    }
    *ret_limit = ADMIN_PAGE_DEFAULT;
    return ERR_OK;
}

enum err_code admin_read_page(const struct admin_request *request, unsigned *ret_limit,
                              struct err *err)
{
    if (request->days != NULL) {
        return err_set(err, ERR_SYNTAX, "this list does not take days; allowed are after, limit");
    }
    return admin_read_limit(request, ret_limit, err);
}
