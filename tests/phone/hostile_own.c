// SPDX-License-Identifier: Apache-2.0
// Requests signed with a certificate of the server's own, or with something made to look like it.
#include "tests/phone/hostile.h"

#include <string.h>

// The same octets but for the last bit of the CA's signature.
static X509 *flip_signature(X509 *own)
{
    X509 *copy = X509_dup(own);
    const ASN1_BIT_STRING *signature = NULL;
    require(copy != NULL, "copying a certificate");
    X509_get0_signature(&signature, NULL, copy);
    flip((ASN1_BIT_STRING *)signature, 1);
    return copy;
}

// Another subject under the old signature.
static X509 *rename_cert(X509 *own, const char *common_name)
{
    X509 *copy = X509_dup(own);
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *name = X509_NAME_new();
    require(copy != NULL && name != NULL &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                           (const unsigned char *)common_name, -1, -1, 0) == 1 &&
                X509_set_subject_name(copy, name) == 1 && i2d_re_X509_tbs(copy, NULL) > 0,
            "renaming a certificate");
    return copy;
}

// All that the certificate says, for another key and signed by that.
static X509 *forge_cert(X509 *own, EVP_PKEY *key)
{
    X509 *copy = X509_dup(own);
    require(copy != NULL && X509_set_pubkey(copy, key) == 1 &&
                X509_sign(copy, key, EVP_sha256()) > 0,
            "forging a certificate");
    return copy;
}

// The phone signs with the key it has; its new one goes into the PKCS#10.
static void sign_with_own_key(struct draft *draft)
{
    draft->csr_key = draft->key;
    draft->key = draft->own->key;
    require(EVP_PKEY_up_ref(draft->key) == 1, "sharing a key");
}

void plan_own(struct draft *draft, const char *kind)
{
    static const char renamed[] = "hostile-renamed";
    draft->csr_plan.subject = X509_get_subject_name(draft->own->cert);
    draft->plan.type = MESSAGE_TYPE_RENEWAL;
    if (strncmp(kind, "forged", strlen("forged")) == 0) {
        draft->signer = forge_cert(draft->own->cert, draft->key);
        if (strcmp(kind, "forged-19") == 0) {
            draft->plan.type = MESSAGE_TYPE_REQ;
            return; // with the challenge
        }
        draft->csr_plan.challenge = NULL;
        return;
    }
    draft->csr_plan.challenge = NULL;
    sign_with_own_key(draft);
    if (strcmp(kind, "flipped") == 0) {
        draft->signer = flip_signature(draft->own->cert);
    } else if (strcmp(kind, "renamed") == 0) {
        draft->signer = rename_cert(draft->own->cert, renamed);
        draft->csr_plan.subject = X509_get_subject_name(draft->signer);
    } else {
        draft->signer = draft->own->cert;
        require(X509_up_ref(draft->signer) == 1, "sharing a certificate");
    }
    if (strcmp(kind, "other-name") == 0) {
        draft->csr_plan.subject = NULL; // that of the case instead
    } else if (strcmp(kind, "type-18") == 0) {
        draft->plan.type = "18";
    }
}
