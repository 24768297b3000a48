// SPDX-License-Identifier: Apache-2.0
// PKCS#10: cheap checks first, so that the cost of the signature check is bounded by the key
// limits and no private operation of ours is ever spent on a bad request.
#include "ca/csr.h"

#include "conf/keys.h"
#include "conf/limits.h"

static bool is_digest_allowed(int digest, const struct csr_rules *rules)
{
    switch (digest) {
    case NID_sha256:
    case NID_sha384:
    case NID_sha512:
        return true;
    case NID_sha1:
        return rules->allow_sha1;
    case NID_md5:
        return rules->allow_md5;
    default:
        return false;
    }
}

static bool is_ec(const struct csr *csr)
{
    return EVP_PKEY_is_a(csr_key(csr), "EC") == 1;
}

static enum err_code check_algorithm(const struct csr *csr, const struct csr_rules *rules,
                                     struct err *err)
{
    int algorithm = csr_signature_nid(csr);
    int wanted_type = is_ec(csr) ? NID_X9_62_id_ecPublicKey : NID_rsaEncryption;
    int digest = NID_undef;
    int key_type = NID_undef;
    if (OBJ_find_sigid_algs(algorithm, &digest, &key_type) != 1 || key_type != wanted_type ||
        !is_digest_allowed(digest, rules)) {
        const char *name = OBJ_nid2ln(algorithm);
        return err_set(err, ERR_BAD_ALG,
                       "the PKCS#10 is signed with %s, which is not allowed; allowed: SHA-256, "
                       "SHA-384, SHA-512%s%s",
                       name != NULL ? name : "an unknown algorithm",
                       rules->allow_sha1 ? ", SHA-1" : "", rules->allow_md5 ? ", MD5" : "");
    }
    return ERR_OK;
}

static enum err_code parse(struct view der, const struct csr_rules *rules, struct csr **ret_csr,
                           struct err *err)
{
    return rules->allow_p256 ? csr_parse_signer(der, ret_csr, err) : csr_parse(der, ret_csr, err);
}

// The curve was checked when it was parsed.
static enum err_code check_key(const struct csr *csr, struct err *err)
{
    return is_ec(csr) ? ERR_OK : keys_check_client(csr_key(csr), err);
}

static enum err_code check_alt_names(X509_EXTENSION *extension, struct err *err)
{
    CLEANUP(cleanup_GENERAL_NAMES_free) GENERAL_NAMES *names = X509V3_EXT_d2i(extension);
    int count = sk_GENERAL_NAME_num(names);
    if (count > LIMIT_SUBJECT_ALT_NAMES) {
        return err_set(err, ERR_BAD_REQUEST, "%d subjectAltNames in the PKCS#10; allowed: %d",
                       count, LIMIT_SUBJECT_ALT_NAMES);
    }
    return ERR_OK;
}

static enum err_code check_syntax(X509_EXTENSION *extension, int nid, struct err *err)
{
    const X509V3_EXT_METHOD *method = X509V3_EXT_get(extension);
    if (method == NULL) {
        return ERR_OK; // one we do not know, such as Microsoft's template name: it is not copied
    }
    if (method->it == NULL) {
        return ERR_OK; // decoded by a function of its own (SCT lists): nothing a request asks for
    }
    struct view octets = ossl_string_view(X509_EXTENSION_get_data(extension));
    const unsigned char *end = octets.data;
    ASN1_VALUE *value = ASN1_item_d2i(NULL, &end, (long)octets.len, ASN1_ITEM_ptr(method->it));
    ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
    if (value == NULL || end != octets.data + octets.len) {
        return err_set_openssl(err, ERR_BAD_REQUEST, "a malformed extension %s in the PKCS#10",
                               OBJ_nid2sn(nid));
    }
    return ERR_OK;
}

static enum err_code check_extension(X509_EXTENSION *extension, struct err *err)
{
    int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    enum err_code code = check_syntax(extension, nid, err);
    if (code == ERR_OK && nid == NID_subject_alt_name) {
        code = check_alt_names(extension, err);
    }
    return code;
}

static enum err_code check_extensions(const struct csr *csr, struct err *err)
{
    CLEANUP(cleanup_free_extension_stack) X509_EXTENSIONS *all = NULL;
    enum err_code code = csr_extensions(csr_attributes(csr), &all, err);
    for (int i = 0; code == ERR_OK && i < sk_X509_EXTENSION_num(all); i++) {
        code = check_extension(sk_X509_EXTENSION_value(all, i), err);
    }
    return code;
}

enum err_code csr_read(struct view der, const struct csr_rules *rules, struct csr **ret_csr,
                       struct err *err)
{
    if (der.len > LIMIT_CSR_LEN) {
        return err_set(err, ERR_BAD_REQUEST, "a PKCS#10 of %zu octets; allowed: %d", der.len,
                       LIMIT_CSR_LEN);
    }
    CLEANUP(cleanup_csr_free) struct csr *csr = NULL;
    enum err_code code = parse(der, rules, &csr, err);
    if (code == ERR_OK) {
        code = check_key(csr, err);
    }
    if (code == ERR_OK) {
        code = check_algorithm(csr, rules, err);
    }
    if (code == ERR_OK && !csr_is_signature_valid(csr)) {
        code = err_set(err, ERR_BAD_REQUEST, "the PKCS#10's own signature does not verify");
    }
    if (code == ERR_OK) {
        code = check_extensions(csr, err);
    }
    if (code == ERR_OK) {
        *ret_csr = csr;
        csr = NULL;
    }
    return code;
}
