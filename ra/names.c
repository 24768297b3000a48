// SPDX-License-Identifier: Apache-2.0
// Everything is turned into UTF-8 text once, here; the rules then compare text with text.
#include "ra/names.h"

#include <string.h>

#include <openssl/err.h>

#include "conf/csr_parse.h"

#define ASCII_MAX 127 // highest octet of an IA5String

void names_done(struct names *names)
{
    buf_done(&names->subject_der);
    *names = (struct names){0};
}

static enum err_code bad_request(enum err_code code, struct err *err, const char *what)
{
    if (code == ERR_SYNTAX) {
        err->code = ERR_BAD_REQUEST;
        return err_prefix(err, "%s", what);
    }
    return code;
}

static enum err_code add_text(struct names *names, enum name_kind kind, struct view text,
                              struct err *err)
{
    if (names->count >= NAMES_MAX) {
        return err_set(err, ERR_BAD_REQUEST, "more than %d names", NAMES_MAX);
    }
    if (text.len > LIMIT_NAME_VALUE) {
        return err_set(err, ERR_BAD_REQUEST, "a name of %zu octets; allowed: %d", text.len,
                       LIMIT_NAME_VALUE);
    }
    struct name *name = &names->list[names->count++];
    name->kind = kind;
    if (text.len > 0) {
        memcpy(name->text, text.data, text.len);
    }
    name->text[text.len] = '\0';
    return ERR_OK;
}

static enum err_code add_string(struct names *names, enum name_kind kind, const ASN1_STRING *string,
                                struct err *err)
{
    struct buf text = {0};
    enum err_code code =
        bad_request(ossl_string_to_utf8(string, &text, err), err, "a name in the request");
    if (code == ERR_OK) {
        code = add_text(names, kind, buf_view(&text), err);
    }
    buf_done(&text);
    return code;
}

static enum name_kind kind_of(const X509_NAME_ENTRY *entry)
{
    switch (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry))) {
    case NID_commonName:
        return NAME_COMMON_NAME;
    case NID_serialNumber:
        return NAME_SERIAL_NUMBER;
    case NID_pkcs9_unstructuredName:
    case NID_pkcs9_unstructuredAddress:
    case NID_userId:
    case NID_dnQualifier:
        return NAME_UNSTRUCTURED;
    case NID_pkcs9_emailAddress:
        return NAME_EMAIL;
    default:
        return NAME_OTHER;
    }
}

static enum err_code read_subject(const X509_NAME *subject, struct names *names, struct err *err)
{
    int count = X509_NAME_entry_count(subject);
    if (count > LIMIT_SUBJECT_RDNS) {
        return err_set(err, ERR_BAD_REQUEST, "%d attributes in the subject; allowed: %d", count,
                       LIMIT_SUBJECT_RDNS);
    }
    enum err_code code = ERR_OK;
    for (int i = 0; code == ERR_OK && i < count; i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(subject, i);
        code = add_string(names, kind_of(entry), X509_NAME_ENTRY_get_data(entry), err);
    }
    if (code == ERR_OK) {
        code = ossl_name_to_der(subject, &names->subject_der, err);
    }
    if (code == ERR_OK && names->subject_der.len > LIMIT_SUBJECT_LEN) {
        code = err_set(err, ERR_BAD_REQUEST, "a subject of %zu octets; allowed: %d",
                       names->subject_der.len, LIMIT_SUBJECT_LEN);
    }
    names->is_subject_empty = count == 0;
    return code;
}

static enum err_code add_ascii(struct names *names, enum name_kind kind,
                               const ASN1_IA5STRING *string, struct err *err)
{
    struct view text = ossl_string_view(string);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\0' || text.data[i] > ASCII_MAX) {
            return err_set(err, ERR_BAD_REQUEST,
                           "a subjectAltName with an octet that is not ASCII");
        }
    }
    return add_text(names, kind, text, err);
}

static enum err_code add_other_name(struct names *names, const OTHERNAME *other, struct err *err)
{
    if (OBJ_obj2nid(other->type_id) != NID_ms_upn) {
        return add_text(names, NAME_SAN_OTHER, VIEW_EMPTY, err);
    }
    if (ASN1_TYPE_get(other->value) != V_ASN1_UTF8STRING) {
        return err_set(err, ERR_BAD_REQUEST, "a userPrincipalName that is no UTF8String");
    }
    return add_string(names, NAME_SAN_UPN, other->value->value.utf8string, err);
}

static enum err_code add_general_name(struct names *names, const GENERAL_NAME *name,
                                      struct err *err)
{
    switch (name->type) {
    case GEN_DNS:
        return add_ascii(names, NAME_SAN_DNS, name->d.dNSName, err);
    case GEN_EMAIL:
        return add_ascii(names, NAME_SAN_EMAIL, name->d.rfc822Name, err);
    case GEN_OTHERNAME:
        return add_other_name(names, name->d.otherName, err);
    default:
        return add_text(names, NAME_SAN_OTHER, VIEW_EMPTY, err);
    }
}

static enum err_code read_alt_names(struct names *names, X509_EXTENSION *extension, struct err *err)
{
    struct view value = ossl_string_view(X509_EXTENSION_get_data(extension));
    const unsigned char *end = value.data;
    CLEANUP(cleanup_GENERAL_NAMES_free)
    GENERAL_NAMES *list = d2i_GENERAL_NAMES(NULL, &end, (long)value.len);
    if (list == NULL || end != value.data + value.len) {
        return err_set_openssl(err, ERR_BAD_REQUEST, "a malformed subjectAltName");
    }
    int count = sk_GENERAL_NAME_num(list);
    if (count < 1 || count > LIMIT_SUBJECT_ALT_NAMES) {
        return err_set(err, ERR_BAD_REQUEST, "%d subjectAltNames; allowed: 1 to %d", count,
                       LIMIT_SUBJECT_ALT_NAMES);
    }
    enum err_code code = ERR_OK;
    for (int i = 0; code == ERR_OK && i < count; i++) {
        code = add_general_name(names, sk_GENERAL_NAME_value(list, i), err);
    }
    return code;
}

static enum err_code read_extensions(const STACK_OF(X509_ATTRIBUTE) * attributes,
                                     struct names *names, struct err *err)
{
    CLEANUP(cleanup_free_extension_stack) X509_EXTENSIONS *all = NULL;
    enum err_code code = csr_extensions(attributes, &all, err);
    int at = X509v3_get_ext_by_NID(all, NID_subject_alt_name, -1);
    if (code == ERR_OK && at >= 0) {
        code = read_alt_names(names, sk_X509_EXTENSION_value(all, at), err);
    }
    return code;
}

static void find_common_name(struct names *names)
{
    for (unsigned i = 0; i < names->count; i++) {
        if (names->list[i].kind == NAME_COMMON_NAME) {
            names->common_name = names->list[i].text;
            names_find_mac(view_of_text(names->common_name), names->mac);
            return;
        }
    }
}

enum err_code names_read(const X509_NAME *subject, const STACK_OF(X509_ATTRIBUTE) * attributes,
                         struct names *ret_names, struct err *err)
{
    *ret_names = (struct names){0};
    ERR_clear_error();
    enum err_code code = read_subject(subject, ret_names, err);
    if (code == ERR_OK) {
        code = read_extensions(attributes, ret_names, err);
    }
    if (code != ERR_OK) {
        names_done(ret_names);
        return code;
    }
    find_common_name(ret_names);
    return ERR_OK;
}
