// SPDX-License-Identifier: Apache-2.0
// First every attribute that counts becomes text, then the forms are tried, the strongest first:
// generic, a phone's CN, OU/L/ST, anything else.
#include "ra/identity.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>

#define GENERIC_WORD  "ciscogeneric"
#define PHONE_INFIX   "SEP"
#define MAC_PAIRS_LEN (MAC_TEXT_LEN - 1 + MAC_LEN - 1) // characters of "00:0e:08:ab:cd:ef"

enum attribute {
    ATTRIBUTE_CN,
    ATTRIBUTE_SERIAL,
    ATTRIBUTE_OU,
    ATTRIBUTE_L,
    ATTRIBUTE_ST,
    ATTRIBUTE_COUNT,
};

static const struct {
    int nid;
    const char *name;
} attributes[ATTRIBUTE_COUNT] = {
    [ATTRIBUTE_CN] = {NID_commonName, "CN"},
    [ATTRIBUTE_SERIAL] = {NID_serialNumber, "serialNumber"},
    [ATTRIBUTE_OU] = {NID_organizationalUnitName, "OU"},
    [ATTRIBUTE_L] = {NID_localityName, "L"},
    [ATTRIBUTE_ST] = {NID_stateOrProvinceName, "ST"},
};

struct subject {
    char text[ATTRIBUTE_COUNT][LIMIT_NAME_VALUE + 1]; // the first value; "" = none
    bool has_another[ATTRIBUTE_COUNT];                // a second value that differs
    bool is_generic;
};

const char *identity_class_name(enum identity_class identity_class)
{
    static const char *const names[IDENTITY_CLASS_MAX] = {
        [IDENTITY_NONE] = "none",   [IDENTITY_PHONE] = "phone",     [IDENTITY_SPA] = "spa",
        [IDENTITY_OTHER] = "other", [IDENTITY_GENERIC] = "generic",
    };
    return (unsigned)identity_class < IDENTITY_CLASS_MAX ? names[identity_class] : "?";
}

static enum err_code contradiction(struct err *err, const char *what)
{
    return err_set(err, ERR_BAD_REQUEST, "the subject contradicts itself: two different %s", what);
}

static void keep_value(struct subject *subject, enum attribute attribute, const char *value)
{
    char *first = subject->text[attribute];
    if (first[0] == '\0') {
        memcpy(first, value, strlen(value) + 1);
    } else if (value[0] != '\0' && strcasecmp(first, value) != 0) {
        subject->has_another[attribute] = true;
    }
    subject->is_generic = subject->is_generic || strcasecmp(value, GENERIC_WORD) == 0;
}

static enum err_code read_text(struct view text, enum attribute attribute, struct subject *subject,
                               struct err *err)
{
    char value[LIMIT_NAME_VALUE + 1];
    const char *name = attributes[attribute].name;
    if (text.len > LIMIT_NAME_VALUE) {
        return err_set(err, ERR_BAD_REQUEST, "%s in the subject has %zu octets; allowed: %d", name,
                       text.len, LIMIT_NAME_VALUE);
    }
    snprintf(value, sizeof value, "%.*s", (int)text.len, (const char *)text.data);
    if (names_has_control(value)) {
        return err_set(err, ERR_BAD_REQUEST, "%s in the subject has a control character", name);
    }
    keep_value(subject, attribute, value);
    return ERR_OK;
}

static enum err_code read_value(const X509_NAME_ENTRY *entry, enum attribute attribute,
                                struct subject *subject, struct err *err)
{
    struct buf text = {0};
    enum err_code code = ossl_string_to_utf8(X509_NAME_ENTRY_get_data(entry), &text, err);
    if (code == ERR_SYNTAX) {
        return err_set(err, ERR_BAD_REQUEST,
                       "%s in the subject is no text: a NUL, an invalid encoding or another type",
                       attributes[attribute].name);
    }
    if (code == ERR_OK && text.len > 0) {
        code = read_text(buf_view(&text), attribute, subject, err);
    }
    buf_done(&text);
    return code;
}

static enum err_code read_entry(const X509_NAME_ENTRY *entry, struct subject *subject,
                                struct err *err)
{
    int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    for (unsigned i = 0; i < ATTRIBUTE_COUNT; i++) {
        if (attributes[i].nid == nid) {
            return read_value(entry, (enum attribute)i, subject, err);
        }
    }
    return ERR_OK;
}

// Several OUs are usual in certificates of devices that are named by other attributes.
static enum err_code read_subject(const X509_NAME *name, struct subject *subject, struct err *err)
{
    int count = X509_NAME_entry_count(name);
    if (count > LIMIT_SUBJECT_RDNS) {
        return err_set(err, ERR_BAD_REQUEST, "%d attributes in the subject; allowed: %d", count,
                       LIMIT_SUBJECT_RDNS);
    }
    enum err_code code = ERR_OK;
    for (int i = 0; code == ERR_OK && i < count; i++) {
        code = read_entry(X509_NAME_get_entry(name, i), subject, err);
    }
    for (unsigned i = 0; code == ERR_OK && i < ATTRIBUTE_COUNT; i++) {
        if (subject->has_another[i] && i != ATTRIBUTE_OU) {
            code = contradiction(err, attributes[i].name);
        }
    }
    return code;
}

static enum err_code copy_part(struct view part, char *place, size_t size, struct err *err)
{
    if (part.len >= size) {
        return err_set(err, ERR_BAD_REQUEST,
                       "a model or serial number of %zu octets in the subject; allowed: %zu",
                       part.len, size - 1);
    }
    snprintf(place, size, "%.*s", (int)part.len, (const char *)part.data);
    return ERR_OK;
}

static struct view next_word(const char **text)
{
    const char *begin = *text + strspn(*text, " ");
    *text = begin + strcspn(begin, " ");
    return view_of(begin, (size_t)(*text - begin));
}

static bool has_prefix(struct view word, const char *prefix)
{
    size_t len = strlen(prefix);
    return word.len >= len && strncasecmp((const char *)word.data, prefix, len) == 0;
}

static struct view behind(struct view word, const char *prefix)
{
    size_t len = strlen(prefix);
    return view_of(word.data + len, word.len - len);
}

// What a serialNumber holds.
struct serial_words {
    struct view model;
    struct view serial;
    bool is_contradictory; // two different models or serial numbers
    unsigned other_words;
};

// The first such word stays; a copy of it is harmless.
static void keep_word(struct view *place, struct view word, bool *is_contradictory)
{
    if (place->data == NULL) {
        *place = word;
    } else if (!view_equal(*place, word)) {
        *is_contradictory = true;
    }
}

static struct serial_words split_words(const char *text)
{
    static const char model_prefix[] = "PID:";
    static const char serial_prefix[] = "SN:";
    struct serial_words words = {0};
    struct view other = VIEW_EMPTY;
    for (struct view word = next_word(&text); word.len > 0; word = next_word(&text)) {
        if (has_prefix(word, model_prefix)) {
            keep_word(&words.model, behind(word, model_prefix), &words.is_contradictory);
        } else if (has_prefix(word, serial_prefix)) {
            keep_word(&words.serial, behind(word, serial_prefix), &words.is_contradictory);
        } else {
            other = word;
            words.other_words++;
        }
    }
    if (words.other_words == 1 && words.model.data == NULL && words.serial.data == NULL) {
        words.serial = other;
        words.other_words = 0;
    }
    return words;
}

bool identity_split_serial(const char *text, struct view *ret_model, struct view *ret_serial)
{
    struct serial_words words = split_words(text);
    if (words.is_contradictory || words.other_words > 0) {
        return false;
    }
    *ret_model = words.model;
    *ret_serial = words.serial;
    return true;
}

static enum err_code read_serial(const struct subject *subject, struct identity *identity,
                                 struct err *err)
{
    struct serial_words words = split_words(subject->text[ATTRIBUTE_SERIAL]);
    if (words.is_contradictory) {
        return contradiction(err, "models or serial numbers in serialNumber");
    }
    enum err_code code = copy_part(words.model, identity->model, sizeof identity->model, err);
    if (code == ERR_OK) {
        code =
            copy_part(words.serial, identity->serial_number, sizeof identity->serial_number, err);
    }
    return code;
}

// A MAC and nothing else.
static bool read_bare_mac(const char *text, char ret_mac[MAC_TEXT_LEN])
{
    size_t len = strlen(text);
    return (len == MAC_TEXT_LEN - 1 || len == MAC_PAIRS_LEN) &&
           names_find_mac(view_of_text(text), ret_mac);
}

static bool is_phone_model(const char *model)
{
    return strncasecmp(model, "CP-", 3) == 0 || strncasecmp(model, "DP-", 3) == 0;
}

// "<model>-SEP<MAC>" or "SEP<MAC>", and nothing behind it; also says how long the model is.
static bool is_phone_name(const char *name, size_t *ret_model_len)
{
    static const size_t tail_len = sizeof PHONE_INFIX - 1 + MAC_TEXT_LEN - 1;
    char mac[MAC_TEXT_LEN];
    size_t len = strlen(name);
    if (len < tail_len) {
        return false;
    }
    const char *tail = name + len - tail_len;
    bool has_tail = strncasecmp(tail, PHONE_INFIX, sizeof PHONE_INFIX - 1) == 0 &&
                    read_bare_mac(tail + sizeof PHONE_INFIX - 1, mac);
    if (!has_tail || (tail != name && tail[-1] != '-') || name[0] == '-') {
        return false;
    }
    *ret_model_len = tail == name ? 0 : len - tail_len - 1;
    return true;
}

// "AP1G4-94D469F82DE8": the model is what stands in front of the MAC.
static size_t model_len_of(const char *name)
{
    char mac[MAC_TEXT_LEN];
    size_t len = strlen(name);
    const char *dash = strrchr(name, '-');
    bool has_mac = dash != NULL && read_bare_mac(dash + 1, mac);
    return has_mac ? len - strlen(dash) : 0;
}

static enum err_code read_common_name(const struct subject *subject, struct identity *identity,
                                      struct err *err)
{
    const char *name = subject->text[ATTRIBUTE_CN];
    size_t model_len = 0;
    memcpy(identity->common_name, name, strlen(name) + 1);
    names_find_mac(view_of_text(name), identity->mac);
    if (is_phone_name(name, &model_len)) {
        identity->identity_class = IDENTITY_PHONE;
    } else {
        model_len = model_len_of(name);
    }
    if (identity->model[0] == '\0') {
        return copy_part(view_of(name, model_len), identity->model, sizeof identity->model, err);
    }
    return ERR_OK;
}

// OU = product, L = serial number, ST = MAC, where ST is no place. What serialNumber and CN have
// said already stays.
static enum err_code read_spa(const struct subject *subject, struct identity *identity,
                              struct err *err)
{
    char mac[MAC_TEXT_LEN];
    if (!read_bare_mac(subject->text[ATTRIBUTE_ST], mac)) {
        return ERR_OK;
    }
    if (identity->mac[0] != '\0' && strcmp(identity->mac, mac) != 0) {
        return contradiction(err, "MACs in CN and ST");
    }
    if (subject->has_another[ATTRIBUTE_OU]) {
        return contradiction(err, attributes[ATTRIBUTE_OU].name);
    }
    memcpy(identity->mac, mac, sizeof mac);
    if (identity->identity_class == IDENTITY_NONE) {
        identity->identity_class = IDENTITY_SPA;
    }
    enum err_code code = ERR_OK;
    if (identity->model[0] == '\0') {
        code = copy_part(view_of_text(subject->text[ATTRIBUTE_OU]), identity->model,
                         sizeof identity->model, err);
    }
    if (code == ERR_OK && identity->serial_number[0] == '\0') {
        code = copy_part(view_of_text(subject->text[ATTRIBUTE_L]), identity->serial_number,
                         sizeof identity->serial_number, err);
    }
    return code;
}

static enum identity_class classify(const struct subject *subject, const struct identity *identity)
{
    if (subject->is_generic) {
        return IDENTITY_GENERIC;
    }
    if (identity->identity_class != IDENTITY_NONE) {
        return identity->identity_class;
    }
    if (is_phone_model(identity->model)) {
        return IDENTITY_PHONE;
    }
    bool is_named = identity->common_name[0] != '\0' || identity->serial_number[0] != '\0';
    return is_named ? IDENTITY_OTHER : IDENTITY_NONE;
}

static void name_device(struct identity *identity)
{
    if (identity->common_name[0] != '\0') {
        memcpy(identity->device_name, identity->common_name, sizeof identity->device_name);
    } else if (identity->mac[0] != '\0') {
        snprintf(identity->device_name, sizeof identity->device_name, "%s%s" PHONE_INFIX "%s",
                 identity->model, identity->model[0] != '\0' ? "-" : "", identity->mac);
    }
}

void identity_capitalise(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text >= 'a' && *text <= 'z') {
            *text = (char)(*text - 'a' + 'A');
        }
    }
}

enum err_code identity_read(const X509_NAME *subject, struct identity *ret_identity,
                            struct err *err)
{
    struct subject texts = {0};
    struct identity identity = {0};
    ERR_clear_error();
    enum err_code code = read_subject(subject, &texts, err);
    if (code == ERR_OK) {
        code = read_serial(&texts, &identity, err);
    }
    if (code == ERR_OK) {
        code = read_common_name(&texts, &identity, err);
    }
    if (code == ERR_OK) {
        code = read_spa(&texts, &identity, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    identity_capitalise(identity.serial_number);
    identity.identity_class = classify(&texts, &identity);
    if (identity.identity_class != IDENTITY_GENERIC) {
        name_device(&identity);
    }
    *ret_identity = identity;
    return ERR_OK;
}
