// SPDX-License-Identifier: Apache-2.0
// PKCS#10: cheap checks first, so that the cost of the signature check is bounded by the key
// limits and no private operation of ours is ever spent on a bad request.
#include "ca/csr.h"

#include "conf/keys.h"
#include "conf/limits.h"

// ExtensionRequest of PKCS #9 (RFC 2985, 5.4.2) and the one Windows clients use.
static const int extension_attributes[] = {NID_ext_req, NID_ms_ext_req};

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

static enum err_code check_algorithm(const struct csr *csr, const struct csr_rules *rules,
                                     struct err *err)
{
    int algorithm = csr_signature_nid(csr);
    int digest = NID_undef;
    int key_type = NID_undef;
    if (OBJ_find_sigid_algs(algorithm, &digest, &key_type) != 1 || key_type != NID_rsaEncryption ||
        !is_digest_allowed(digest, rules)) {
        const char *name = OBJ_nid2ln(algorithm);
        return err_set(err, ERR_BAD_ALG, "the PKCS#10 is signed with %s, which is not allowed",
                       name != NULL ? name : "an unknown algorithm");
    }
    return ERR_OK;
}

static enum err_code decode_attribute(X509_ATTRIBUTE *attribute,
                                      STACK_OF(X509_EXTENSION) * *ret_extensions, struct err *err)
{
    const ASN1_TYPE *value =
        X509_ATTRIBUTE_count(attribute) == 1 ? X509_ATTRIBUTE_get0_type(attribute, 0) : NULL;
    if (value == NULL || ASN1_TYPE_get(value) != V_ASN1_SEQUENCE) {
        return err_set(err, ERR_BAD_REQUEST, "an extensionRequest without exactly one list");
    }
    struct view octets = ossl_string_view(value->value.sequence);
    const unsigned char *end = octets.data;
    CLEANUP(cleanup_free_extension_stack)
    STACK_OF(X509_EXTENSION) *extensions = d2i_X509_EXTENSIONS(NULL, &end, (long)octets.len);
    if (extensions == NULL || end != octets.data + octets.len) {
        return err_set_openssl(err, ERR_BAD_REQUEST, "a malformed extensionRequest");
    }
    *ret_extensions = extensions;
    extensions = NULL;
    return ERR_OK;
}

// Appends what one kind of attribute asks for to *all.
static enum err_code collect(const STACK_OF(X509_ATTRIBUTE) * attributes, int nid,
                             STACK_OF(X509_EXTENSION) * all, struct err *err)
{
    int at = X509at_get_attr_by_NID(attributes, nid, -1);
    if (at < 0) {
        return ERR_OK;
    }
    if (X509at_get_attr_by_NID(attributes, nid, at) >= 0) {
        return err_set(err, ERR_BAD_REQUEST, "more than one extensionRequest");
    }
    CLEANUP(cleanup_free_extension_stack) STACK_OF(X509_EXTENSION) *extensions = NULL;
    enum err_code code = decode_attribute(X509at_get_attr(attributes, at), &extensions, err);
    if (code != ERR_OK) {
        return code;
    }
    for (;;) {
        CLEANUP(cleanup_X509_EXTENSION_free)
        X509_EXTENSION *extension = sk_X509_EXTENSION_shift(extensions);
        if (extension == NULL) {
            return ERR_OK;
        }
        if (sk_X509_EXTENSION_push(all, extension) <= 0) {
            return err_set_openssl(err, ERR_NOMEM, "no memory for extensions");
        }
        extension = NULL;
    }
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

static enum err_code check_extension(const STACK_OF(X509_EXTENSION) * all, int at, struct err *err)
{
    X509_EXTENSION *extension = sk_X509_EXTENSION_value(all, at);
    const ASN1_OBJECT *object = X509_EXTENSION_get_object(extension);
    if (X509v3_get_ext_by_OBJ(all, object, at) >= 0) {
        char name[80];
        OBJ_obj2txt(name, sizeof name, object, 0);
        return err_set(err, ERR_BAD_REQUEST, "the extension %s twice in the PKCS#10", name);
    }
    int nid = OBJ_obj2nid(object);
    enum err_code code = check_syntax(extension, nid, err);
    if (code == ERR_OK && nid == NID_subject_alt_name) {
        code = check_alt_names(extension, err);
    }
    return code;
}

static enum err_code check_extensions(const struct csr *csr, struct err *err)
{
    CLEANUP(cleanup_free_extension_stack)
    STACK_OF(X509_EXTENSION) *all = sk_X509_EXTENSION_new_null();
    if (all == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for extensions");
    }
    size_t kinds = sizeof extension_attributes / sizeof extension_attributes[0];
    for (size_t i = 0; i < kinds; i++) {
        enum err_code code = collect(csr_attributes(csr), extension_attributes[i], all, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    for (int i = 0; i < sk_X509_EXTENSION_num(all); i++) {
        enum err_code code = check_extension(all, i, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

enum err_code csr_read(struct view der, const struct csr_rules *rules, struct csr **ret_csr,
                       struct err *err)
{
    if (der.len > LIMIT_CSR_LEN) {
        return err_set(err, ERR_BAD_REQUEST, "a PKCS#10 of %zu octets; allowed: %d", der.len,
                       LIMIT_CSR_LEN);
    }
    CLEANUP(cleanup_csr_free) struct csr *csr = NULL;
    enum err_code code = csr_parse(der, &csr, err);
    if (code == ERR_OK) {
        code = keys_check_client(csr_key(csr), err);
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
