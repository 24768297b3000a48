// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/root.h"

#include <string.h>

#include <openssl/pem.h>

#include "conf/cert_file.h"
#include "server/ctl/api.h"

// The only certificate that issued itself, or the only one at all. Borrowed; NULL = none.
static X509 *find_root(STACK_OF(X509) * certs)
{
    X509 *root = NULL;
    if (sk_X509_num(certs) == 1) {
        return sk_X509_value(certs, 0);
    }
    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *cert = sk_X509_value(certs, i);
        if (ossl_is_self_issued(cert)) {
            if (root != NULL && X509_cmp(root, cert) != 0) {
                return NULL;
            }
            root = cert;
        }
    }
    return root;
}

static enum ctl_exit read_file(struct ctl *ctl, const char *path, X509 **ret_cert)
{
    struct err err = {0};
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *certs = sk_X509_new_null();
    if (certs == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    if (cert_file_read_all(path, certs, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "%s", err.text);
    }
    X509 *root = find_root(certs);
    if (root == NULL) {
        return ctl_complain(ctl, CTL_USAGE,
                            "%s has %d certificates and not exactly one root among them", path,
                            sk_X509_num(certs));
    }
    if (!ossl_is_self_issued(root)) {
        ctl_complain(ctl, CTL_OK,
                     "warning: the certificate in %s is not self-signed; phones are given the "
                     "fingerprint of the root",
                     path);
    }
    X509_up_ref(root);
    *ret_cert = root;
    return CTL_OK;
}

static enum ctl_exit ask_scepd(struct ctl *ctl, X509 **ret_cert)
{
    CLEANUP(api_decref) json_t *status = NULL;
    const struct api_request request = {.method = "GET", .collection = "/v1/status"};
    enum ctl_exit code = api_call(ctl, &request, &status);
    if (code != CTL_OK) {
        return code;
    }
    const json_t *certificates = json_object_get(status, "certificates");
    const char *pem = api_text(json_object_get(certificates, "root"), "pem");
    CLEANUP(cleanup_BIO_free_all) BIO *bio = pem != NULL ? BIO_new_mem_buf(pem, -1) : NULL;
    X509 *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    if (cert == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "scepd's answer has no root certificate");
    }
    *ret_cert = cert;
    return CTL_OK;
}

enum ctl_exit root_get(struct ctl *ctl, const char *path, X509 **ret_cert)
{
    return path != NULL ? read_file(ctl, path, ret_cert) : ask_scepd(ctl, ret_cert);
}
