// SPDX-License-Identifier: Apache-2.0
#include "ra/algorithms.h"

#include <openssl/objects.h>

bool algorithms_is_digest_allowed(int digest_nid, bool allow_sha1, bool allow_md5)
{
    switch (digest_nid) {
    case NID_sha256:
    case NID_sha384:
    case NID_sha512:
        return true;
    case NID_sha1:
        return allow_sha1;
    case NID_md5:
        return allow_md5;
    default:
        return false;
    }
}

int algorithms_rsa_digest(int signature_nid)
{
    int digest_nid = NID_undef;
    int key_nid = NID_undef;
    if (OBJ_find_sigid_algs(signature_nid, &digest_nid, &key_nid) != 1 ||
        key_nid != NID_rsaEncryption) {
        return NID_undef;
    }
    return digest_nid;
}

bool algorithms_is_cipher_allowed(int cipher_nid, const struct settings *settings)
{
    switch (cipher_nid) {
    case NID_aes_128_cbc:
    case NID_aes_192_cbc:
    case NID_aes_256_cbc:
        return true;
    case NID_des_ede3_cbc:
        return settings->algorithms.des3;
    case NID_des_cbc:
        return settings->algorithms.legacy;
    default:
        return false;
    }
}

bool algorithms_is_key_transport_allowed(const X509_ALGOR *algorithm,
                                         const struct settings *settings)
{
    const ASN1_OBJECT *object = NULL;
    int parameter_type = V_ASN1_UNDEF;
    X509_ALGOR_get0(&object, &parameter_type, NULL, algorithm);
    switch (OBJ_obj2nid(object)) {
    case NID_rsaEncryption:
        return parameter_type == V_ASN1_NULL || parameter_type == V_ASN1_UNDEF;
    case NID_rsaesOaep:
        return settings->algorithms.oaep;
    default:
        return false;
    }
}

const char *algorithms_name(int nid)
{
    const char *name = nid != NID_undef ? OBJ_nid2sn(nid) : NULL;
    return name != NULL ? name : "an unknown one";
}
