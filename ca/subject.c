// SPDX-License-Identifier: Apache-2.0
// Names. The string rules are RFC 5280, 4.1.2.4 and 4.1.2.6; upper bounds come from OpenSSL's table
// of X.520 attribute types. Order and odd attributes are kept because routers drop a certificate
// that lacks the identity they asked for.
#include "ca/subject.h"

#include <string.h>

#include "conf/limits.h"

#define DNS_NAME_LEN      253 // octets of a domain name as text; RFC 1035, 2.3.4
#define DNS_LABEL_LEN     63  // octets of one label
#define ATTRIBUTE_NAME    80  // bytes; OpenSSL's advice for OBJ_obj2txt()
#define NEW_RDN           0   // X509_NAME_add_entry(): an RDN of its own
#define IN_PREVIOUS_RDN   (-1)
#define FIRST_NON_ASCII   0x80
#define FIRST_PRINTABLE   0x20
#define DELETE_CHARACTER  0x7f
#define FIRST_NON_CONTROL 0xa0 // U+0080 to U+009F are controls as well

DEFINE_CLEANUP(GENERAL_NAME *, GENERAL_NAME_free);
DEFINE_CLEANUP(X509_NAME_ENTRY *, X509_NAME_ENTRY_free);

static enum err_code no_memory(struct err *err)
{
    return err_set_openssl(err, ERR_CRYPTO, "cannot build a name");
}

static bool is_control(unsigned long character)
{
    return character < FIRST_PRINTABLE ||
           (character >= DELETE_CHARACTER && character < FIRST_NON_CONTROL);
}

static enum err_code check_character(unsigned long character, const char *what, struct err *err)
{
    if (is_control(character)) {
        return err_set(err, ERR_BAD_REQUEST, "%s holds the control character U+%04lX", what,
                       character);
    }
    if (character == '$') {
        return err_set(err, ERR_BAD_REQUEST, "%s holds a literal $: a macro that was not expanded",
                       what);
    }
    return ERR_OK;
}

enum err_code subject_check_text(struct view text, const char *what, size_t max_chars,
                                 struct err *err)
{
    size_t count = 0;
    size_t at = 0;
    while (at < text.len) {
        unsigned long character = 0;
        int used = UTF8_getc(text.data + at, (int)(text.len - at), &character);
        if (used <= 0) {
            return err_set(err, ERR_BAD_REQUEST, "%s is not valid UTF-8", what);
        }
        enum err_code code = check_character(character, what, err);
        if (code != ERR_OK) {
            return code;
        }
        at += (size_t)used;
        count++;
    }
    if (count == 0 || count > max_chars) {
        return err_set(err, ERR_BAD_REQUEST, "%s has %zu characters; allowed: 1 to %zu", what,
                       count, max_chars);
    }
    return ERR_OK;
}

static bool is_all(struct view text, bool (*is_allowed)(uint8_t))
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_allowed(text.data[i])) {
            return false;
        }
    }
    return true;
}

static bool is_ascii(uint8_t octet)
{
    return octet < FIRST_NON_ASCII;
}

static bool is_digit(uint8_t octet)
{
    return octet >= '0' && octet <= '9';
}

static bool is_alphanumeric(uint8_t octet)
{
    uint8_t lower = octet | 0x20;
    return is_digit(octet) || (lower >= 'a' && lower <= 'z');
}

static bool is_visible(uint8_t octet)
{
    return octet > ' ' && octet < DELETE_CHARACTER;
}

static bool is_numeric_string(uint8_t octet)
{
    return is_digit(octet) || octet == ' ';
}

static bool is_printable_string(uint8_t octet)
{
    return is_alphanumeric(octet) || (octet != 0 && strchr(" '()+,-./:=?", octet) != NULL);
}

static bool is_ascii_type(int type)
{
    return type == V_ASN1_PRINTABLESTRING || type == V_ASN1_IA5STRING ||
           type == V_ASN1_NUMERICSTRING;
}

static int type_to_use(int type, struct view octets)
{
    bool is_kept = type == V_ASN1_IA5STRING ||
                   (type == V_ASN1_PRINTABLESTRING && is_all(octets, is_printable_string)) ||
                   (type == V_ASN1_NUMERICSTRING && is_all(octets, is_numeric_string));
    return is_kept ? type : V_ASN1_UTF8STRING;
}

static enum err_code read_value(const ASN1_STRING *value, const char *what, struct buf *ret_text,
                                struct err *err)
{
    struct view octets = ossl_string_view(value);
    if (is_ascii_type(ASN1_STRING_type(value)) && !is_all(octets, is_ascii)) {
        return err_set(err, ERR_BAD_REQUEST, "%s holds octets its string type does not allow",
                       what);
    }
    enum err_code code = ossl_string_to_utf8(value, ret_text, err);
    if (code == ERR_SYNTAX) {
        return err_set(err, ERR_BAD_REQUEST,
                       "%s holds a NUL or is not a valid text of its string type", what);
    }
    return code;
}

static size_t most_characters(const ASN1_OBJECT *attribute)
{
    const ASN1_STRING_TABLE *bounds = ASN1_STRING_TABLE_get(OBJ_obj2nid(attribute));
    if (bounds == NULL || bounds->maxsize <= 0 || bounds->maxsize > LIMIT_NAME_VALUE) {
        return LIMIT_NAME_VALUE;
    }
    return (size_t)bounds->maxsize;
}

// A checked copy of one attribute.
static enum err_code copy_entry(const X509_NAME_ENTRY *asked, X509_NAME_ENTRY **ret_entry,
                                struct err *err)
{
    const ASN1_OBJECT *attribute = X509_NAME_ENTRY_get_object(asked);
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(asked);
    char name[ATTRIBUTE_NAME];
    char what[ATTRIBUTE_NAME + sizeof "the subject's "] = "the subject's ";
    OBJ_obj2txt(name, sizeof name, attribute, 0);
    strncat(what, name, sizeof what - 1 - strlen(what));
    CLEANUP(buf_done) struct buf text = {0};
    enum err_code code = read_value(value, what, &text, err);
    if (code == ERR_OK) {
        code = subject_check_text(buf_view(&text), what, most_characters(attribute), err);
    }
    if (code == ERR_OK && text.len > LIMIT_NAME_VALUE) {
        code = err_set(err, ERR_BAD_REQUEST, "%s has %zu octets; allowed: %d", what, text.len,
                       LIMIT_NAME_VALUE);
    }
    if (code != ERR_OK) {
        return code;
    }
    int type = type_to_use(ASN1_STRING_type(value), buf_view(&text));
    X509_NAME_ENTRY *entry =
        X509_NAME_ENTRY_create_by_OBJ(NULL, attribute, type, text.data, (int)text.len);
    if (entry == NULL) {
        return no_memory(err);
    }
    *ret_entry = entry;
    return ERR_OK;
}

static enum err_code copy_entries(const X509_NAME *asked, X509_NAME *subject, struct err *err)
{
    int count = X509_NAME_entry_count(asked);
    int previous_rdn = -1;
    for (int i = 0; i < count; i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(asked, i);
        CLEANUP(cleanup_X509_NAME_ENTRY_free) X509_NAME_ENTRY *copy = NULL;
        enum err_code code = copy_entry(entry, &copy, err);
        if (code != ERR_OK) {
            return code;
        }
        int rdn = X509_NAME_ENTRY_set(entry);
        int where = rdn == previous_rdn ? IN_PREVIOUS_RDN : NEW_RDN;
        if (X509_NAME_add_entry(subject, copy, -1, where) != 1) {
            return no_memory(err);
        }
        previous_rdn = rdn;
    }
    return ERR_OK;
}

static enum err_code add_common_name(struct view common_name, X509_NAME *subject, struct err *err)
{
    enum err_code code =
        subject_check_text(common_name, "the order's common name", LIMIT_COMMON_NAME, err);
    if (code != ERR_OK) {
        return code;
    }
    if (X509_NAME_add_entry_by_NID(subject, NID_commonName, V_ASN1_UTF8STRING, common_name.data,
                                   (int)common_name.len, -1, NEW_RDN) != 1) {
        return no_memory(err);
    }
    return ERR_OK;
}

static enum err_code check_whole(const X509_NAME *subject, const X509_NAME *issuer, struct err *err)
{
    int len = i2d_X509_NAME(subject, NULL);
    if (len < 0) {
        return no_memory(err);
    }
    if (len > LIMIT_SUBJECT_LEN) {
        return err_set(err, ERR_BAD_REQUEST, "a subject of %d octets; allowed: %d", len,
                       LIMIT_SUBJECT_LEN);
    }
    if (X509_NAME_cmp(subject, issuer) == 0) {
        return err_set(err, ERR_BAD_REQUEST, "the subject is the CA's own name");
    }
    return ERR_OK;
}

static enum err_code check_count(int count, struct err *err)
{
    if (count == 0) {
        return err_set(err, ERR_BAD_REQUEST,
                       "the subject is empty and the order names no common name for it");
    }
    if (count > LIMIT_SUBJECT_RDNS) {
        return err_set(err, ERR_BAD_REQUEST, "%d attributes in the subject; allowed: %d", count,
                       LIMIT_SUBJECT_RDNS);
    }
    return ERR_OK;
}

enum err_code subject_build(const X509_NAME *asked, struct view common_name,
                            const X509_NAME *issuer, X509_NAME **ret_subject, struct err *err)
{
    CLEANUP(cleanup_X509_NAME_free) X509_NAME *subject = X509_NAME_new();
    if (subject == NULL) {
        return no_memory(err);
    }
    bool is_named = X509_NAME_get_index_by_NID(asked, NID_commonName, -1) >= 0;
    bool adds_name = !is_named && common_name.len > 0;
    enum err_code code = check_count(X509_NAME_entry_count(asked) + (adds_name ? 1 : 0), err);
    if (code == ERR_OK) {
        code = copy_entries(asked, subject, err);
    }
    if (code == ERR_OK && adds_name) {
        code = add_common_name(common_name, subject, err);
    }
    if (code == ERR_OK) {
        code = check_whole(subject, issuer, err);
    }
    if (code == ERR_OK) {
        *ret_subject = subject;
        subject = NULL;
    }
    return code;
}

static bool is_dns_name(struct view text)
{
    size_t label_len = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t octet = text.data[i];
        if (octet == '.' ? label_len == 0
                         : !(is_alphanumeric(octet) || octet == '-' || octet == '_')) {
            return false;
        }
        label_len = octet == '.' ? 0 : label_len + 1;
        if (label_len > DNS_LABEL_LEN) {
            return false;
        }
    }
    return label_len > 0 && text.len <= DNS_NAME_LEN;
}

static bool is_mailbox(struct view text)
{
    const uint8_t *at = memchr(text.data, '@', text.len);
    if (at == NULL || !is_all(text, is_visible)) {
        return false;
    }
    size_t local_len = (size_t)(at - text.data);
    return local_len > 0 && is_dns_name(view_of(at + 1, text.len - local_len - 1));
}

static enum err_code check_san(const struct san *san, struct err *err)
{
    enum err_code code = subject_check_text(san->text, "a subjectAltName", LIMIT_NAME_VALUE, err);
    if (code != ERR_OK) {
        return code;
    }
    if (san->kind == SAN_DNS && !is_dns_name(san->text)) {
        return err_set(err, ERR_BAD_REQUEST, "a dNSName that is not a domain name");
    }
    if (san->kind == SAN_EMAIL && !is_mailbox(san->text)) {
        return err_set(err, ERR_BAD_REQUEST, "an rfc822Name that is not a mail address");
    }
    return ERR_OK;
}

// Microsoft's userPrincipalName: otherName with a UTF8String. Takes `take_text` on success only.
static bool set_upn(GENERAL_NAME *name, ASN1_STRING *take_text)
{
    ASN1_TYPE *value = ASN1_TYPE_new();
    if (value == NULL) {
        return false;
    }
    ASN1_TYPE_set(value, V_ASN1_UTF8STRING, take_text);
    if (GENERAL_NAME_set0_othername(name, OBJ_nid2obj(NID_ms_upn), value) != 1) {
        value->type = V_ASN1_UNDEF;
        value->value.ptr = NULL;
        ASN1_TYPE_free(value);
        return false;
    }
    return true;
}

static GENERAL_NAME *general_name(const struct san *san)
{
    CLEANUP(cleanup_GENERAL_NAME_free) GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *text =
        ASN1_STRING_type_new(san->kind == SAN_UPN ? V_ASN1_UTF8STRING : V_ASN1_IA5STRING);
    bool is_set = name != NULL && text != NULL &&
                  ASN1_STRING_set(text, san->text.data, (int)san->text.len) == 1;
    if (is_set && san->kind == SAN_UPN) {
        is_set = set_upn(name, text);
    } else if (is_set) {
        GENERAL_NAME_set0_value(name, san->kind == SAN_DNS ? GEN_DNS : GEN_EMAIL, text);
    }
    if (!is_set) {
        ASN1_STRING_free(text);
        return NULL;
    }
    GENERAL_NAME *made = name;
    name = NULL;
    return made;
}

enum err_code subject_alt_names(const struct san *sans, uint32_t count, GENERAL_NAMES **ret_names,
                                struct err *err)
{
    if (count == 0) {
        *ret_names = NULL; // an empty SEQUENCE is not allowed: RFC 5280, 4.2.1.6
        return ERR_OK;
    }
    CLEANUP(cleanup_GENERAL_NAMES_free) GENERAL_NAMES *names = GENERAL_NAMES_new();
    for (uint32_t i = 0; i < count; i++) {
        enum err_code code = check_san(&sans[i], err);
        if (code != ERR_OK) {
            return code;
        }
        CLEANUP(cleanup_GENERAL_NAME_free) GENERAL_NAME *name = general_name(&sans[i]);
        if (names == NULL || name == NULL || sk_GENERAL_NAME_push(names, name) <= 0) {
            return no_memory(err);
        }
        name = NULL;
    }
    *ret_names = names;
    names = NULL;
    return ERR_OK;
}
