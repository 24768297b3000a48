// SPDX-License-Identifier: Apache-2.0
// What everybody may ask for: GetCACert and GetCACaps.
#include "ra/credentials.h"

#include <string.h>

#include <openssl/err.h>

#include "conf/cms/certs_only.h"

#define CA_ITEMS_MAX 32 // certificates that GetCACert lists at most

// What GetCACert lists, borrowed.
struct ca_list {
    const X509 *certs[CA_ITEMS_MAX];
    size_t count;
    int64_t now;
};

static bool is_valid_at(const X509 *cert, int64_t now)
{
    time_t at = (time_t)now;
    return X509_cmp_time(X509_get0_notBefore(cert), &at) < 0 &&
           X509_cmp_time(X509_get0_notAfter(cert), &at) > 0;
}

static void list_cert(struct ca_list *list, const X509 *cert)
{
    for (size_t i = 0; i < list->count; i++) {
        if (X509_cmp(list->certs[i], cert) == 0) {
            return;
        }
    }
    if (is_valid_at(cert, list->now) && list->count < CA_ITEMS_MAX) {
        list->certs[list->count++] = cert;
    }
}

static void list_item(struct ca_list *list, const struct credentials *credentials,
                      enum settings_ca_item item)
{
    switch (item) {
    case SETTINGS_CA_ITEM_RA:
        list_cert(list, credentials_ra(credentials)->cert);
        break;
    case SETTINGS_CA_ITEM_ISSUING:
        list_cert(list, credentials_issuing(credentials)->cert);
        break;
    case SETTINGS_CA_ITEM_ROOT:
        // With what stands between: a root that nothing leads to is of no use.
        for (int i = 0; i < sk_X509_num(credentials->upper); i++) {
            list_cert(list, sk_X509_value(credentials->upper, i));
        }
        list_cert(list, credentials_root(credentials));
        break;
    }
}

static void list_configured(struct ca_list *list, const struct credentials *credentials,
                            const struct settings *settings)
{
    for (uint32_t i = 0; i < settings->scep.get_ca_cert_count; i++) {
        list_item(list, credentials, (enum settings_ca_item)settings->scep.get_ca_cert[i]);
    }
}

static enum err_code encode_list(const struct ca_list *list, struct buf *ret_body, struct err *err)
{
    struct buf encoded[CA_ITEMS_MAX] = {0};
    struct view views[CA_ITEMS_MAX];
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < list->count; i++) {
        code = ossl_cert_to_der(list->certs[i], &encoded[i], err);
        views[i] = buf_view(&encoded[i]);
    }
    if (code == ERR_OK) {
        code = certs_only_encode(views, list->count, ret_body, err);
    }
    for (size_t i = 0; i < list->count; i++) {
        buf_done(&encoded[i]);
    }
    return code;
}

enum err_code credentials_get_ca_cert(const struct credentials *credentials,
                                      const struct settings *settings, int64_t now,
                                      struct buf *ret_body, bool *ret_is_single, struct err *err)
{
    struct ca_list list = {.now = now};
    ERR_clear_error();
    if (settings->scep.topology == SETTINGS_TOPOLOGY_DIRECT) {
        list_cert(&list, credentials_ra(credentials)->cert);
    } else {
        list_configured(&list, credentials, settings);
    }
    if (list.count == 0) {
        return err_set(err, ERR_BAD_TIME, "no certificate for GetCACert is valid at present");
    }
    enum err_code code = list.count == 1 ? ossl_cert_to_der(list.certs[0], ret_body, err)
                                         : encode_list(&list, ret_body, err);
    if (code == ERR_OK) {
        *ret_is_single = list.count == 1;
    }
    return code;
}

const char *credentials_get_ca_caps(const struct settings *settings, bool has_next_ca,
                                    char text[CAPABILITIES_LEN])
{
    const struct {
        const char *keyword; // RFC 8894, table 7, but SHA-384
        bool is_true;
    } capabilities[] = {
        {"AES", true},
        {"DES3", settings->algorithms.des3},
        {"GetNextCACert", has_next_ca},
        {"POSTPKIOperation", true},
        {"Renewal", true},
        {"SHA-1", settings->algorithms.sha1},
        {"SHA-256", true},
        {"SHA-384", true},
        {"SHA-512", true},
        // What it promises excludes single DES and MD5.
        {"SCEPStandard", !settings->algorithms.legacy},
    };
    char *end = text;
    *end = '\0';
    for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++) {
        if (capabilities[i].is_true) {
            end = stpcpy(end, capabilities[i].keyword);
            end = stpcpy(end, "\n");
        }
    }
    return text;
}
