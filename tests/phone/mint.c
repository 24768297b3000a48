// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/mint.h"

#include <stdio.h>
#include <string.h>

#include "tests/phone/request.h"

#define DEVICE_LEN_MAX   64  // X.520 ub-serial-number
#define DEVICE_TAIL_LEN  8   // characters of the name that become the device's serial number
#define SERIAL_BITS      127 // of the certificate's serial number
#define MIC_VALID_SEC    (3650L * 86400)
#define MIC_BACKDATE_SEC (-86400L)

static void add_entry(X509_NAME *name, const char *type, const char *value)
{
    require(X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const unsigned char *)value, -1,
                                       -1, 0) == 1,
            "naming a MIC");
}

static X509_NAME *make_subject(const char *common_name)
{
    size_t len = strlen(common_name);
    size_t skip = len > DEVICE_TAIL_LEN ? len - DEVICE_TAIL_LEN : 0;
    char device[DEVICE_LEN_MAX] = "";
    snprintf(device, sizeof device, "PID:CP-8861 SN:FCH%s", common_name + skip);
    X509_NAME *name = X509_NAME_new();
    require(name != NULL, "getting memory");
    add_entry(name, "serialNumber", device);
    add_entry(name, "O", "Cisco Systems Inc.");
    add_entry(name, "CN", common_name);
    return name;
}

X509 *mic_mint(EVP_PKEY *key, const char *common_name, const struct credential *ca)
{
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *subject = make_subject(common_name);
    CLEANUP(cleanup_BN_free) BIGNUM *serial = BN_new();
    X509 *mic = signer_make(key, subject, EVP_sha256());
    require(serial != NULL && BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
                BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(mic)) != NULL &&
                X509_set_issuer_name(mic, X509_get_subject_name(ca->cert)) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(mic), MIC_BACKDATE_SEC) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(mic), MIC_VALID_SEC) != NULL &&
                X509_sign(mic, ca->key, EVP_sha256()) > 0,
            "making a MIC");
    return mic;
}
