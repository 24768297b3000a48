// SPDX-License-Identifier: Apache-2.0
// scepctl fingerprint: the root's fingerprint for each place that wants it, or in every form that
// phones and Unified CM take.
#include <string.h>

#include "conf/base/hex.h"
#include "server/ctl/answer.h"
#include "server/ctl/phone/phone_hash.h"
#include "server/ctl/root.h"

#define NUMBER_LEN  16
#define SUBJECT_LEN 512 // bytes of a subject as text
#define HASHES_MAX  2

// Phones' fields take 40 or 64 digits with one separator after every so many of them.
static const char separators[] = {':', '-', '.', ' '};
static const char *const separator_names[] = {"colon", "dash", "period", "space"};
static const size_t groups[] = {2, 4, 8, 16, 32};
#define SEPARATOR_COUNT (sizeof separators / sizeof separators[0])
#define GROUP_COUNT     (sizeof groups / sizeof groups[0])

// One form of a fingerprint.
struct form {
    const char *separator; // its name; NULL = bare
    size_t group;          // digits
    char text[PIN_TEXT_LEN];
};

static void group_digits(const char *digits, char separator, size_t group, char text[PIN_TEXT_LEN])
{
    size_t used = 0;
    for (size_t i = 0; digits[i] != '\0'; i++) {
        if (i > 0 && i % group == 0) {
            text[used++] = separator;
        }
        text[used++] = digits[i];
    }
    text[used] = '\0';
}

// Calls `show` for each form of the fingerprint, the bare one first.
static void each_form(const struct pin *pin, void (*show)(const struct form *form, void *context),
                      void *context)
{
    struct form form = {0};
    char digits[PIN_TEXT_LEN];
    hex_encode(view_of(pin->octets, pin->len), digits);
    memcpy(form.text, digits, sizeof digits);
    show(&form, context);
    for (size_t i = 0; i < SEPARATOR_COUNT; i++) {
        // A group that does not come out even, or is the whole, is no form.
        for (size_t k = 0; k < GROUP_COUNT && strlen(digits) % groups[k] == 0; k++) {
            form = (struct form){.separator = separator_names[i], .group = groups[k]};
            group_digits(digits, separators[i], groups[k], form.text);
            show(&form, context);
        }
    }
}

static void add_row(const struct form *form, void *context)
{
    char group[NUMBER_LEN];
    snprintf(group, sizeof group, "%zu", form->group);
    table_add(context, (const char *[]){form->separator != NULL ? form->separator : "none",
                                        form->separator != NULL ? group : NULL, form->text});
}

static void add_json(const struct form *form, void *context)
{
    json_array_append_new(
        context,
        json_pack("{s:s?, s:o, s:s}", "separator", form->separator, "digits",
                  form->separator != NULL ? json_integer((json_int_t)form->group) : json_null(),
                  "text", form->text));
}

static enum ctl_exit print_root(struct ctl *ctl, const X509 *cert)
{
    char subject[SUBJECT_LEN];
    struct table table = table_of(2);
    ossl_name_print(X509_get_subject_name(cert), subject, sizeof subject);
    table_add(&table, (const char *[]){"Root:", subject});
    return answer_print(ctl, &table);
}

// As Cisco's documents show it in each place.
static void add_places(struct table *table, const struct pin *pin)
{
    char bare[PIN_TEXT_LEN];
    char colons[PIN_TEXT_LEN];
    const char *hash = pin_digest_name(pin);
    hex_encode(view_of(pin->octets, pin->len), bare);
    group_digits(bare, ':', 2, colons);
    bool is_for_all = pin->len <= SHA256_LEN; // the longer ones are for option 43 alone
    if (is_for_all) {
        table_add(table, (const char *[]){hash, "cfg.xml: CDC_Root_CA_Fingerprint_1_", bare});
    }
    table_add(table, (const char *[]){hash, "DHCP option 43: suboption 12", bare});
    if (is_for_all) {
        table_add(table, (const char *[]){hash, "Unified CM: WLAN Root CA Fingerprint", colons});
    }
}

static enum ctl_exit print_places(struct ctl *ctl, const struct pin *pins, size_t count)
{
    struct table table = table_of(3);
    table_add(&table, (const char *[]){"HASH", "PLACE", "FINGERPRINT"});
    for (size_t i = 0; i < count; i++) {
        add_places(&table, &pins[i]);
    }
    fputc('\n', ctl->out);
    enum ctl_exit code = answer_print(ctl, &table);
    if (code == CTL_OK) {
        fputs("\nOther separators: scepctl fingerprint --all\n", ctl->out);
    }
    return code;
}

static enum ctl_exit print_table(struct ctl *ctl, const struct pin *pin)
{
    struct table table = table_of(3);
    table_add(&table, (const char *[]){"SEPARATOR", "AFTER EACH", pin_digest_name(pin)});
    each_form(pin, add_row, &table);
    return answer_print(ctl, &table);
}

static enum ctl_exit print_tables(struct ctl *ctl, const struct pin *pins, size_t count)
{
    enum ctl_exit code = CTL_OK;
    for (size_t i = 0; i < count && code == CTL_OK; i++) {
        fputc('\n', ctl->out);
        code = print_table(ctl, &pins[i]);
    }
    return code;
}

static enum ctl_exit print_json(struct ctl *ctl, const X509 *cert, const struct pin *pins,
                                size_t count)
{
    char subject[SUBJECT_LEN];
    json_t *list = json_array();
    ossl_name_print(X509_get_subject_name(cert), subject, sizeof subject);
    for (size_t i = 0; i < count; i++) {
        json_t *forms = json_array();
        each_form(&pins[i], add_json, forms);
        json_array_append_new(
            list, json_pack("{s:s, s:o}", "hash", pin_digest_name(&pins[i]), "forms", forms));
    }
    CLEANUP(api_decref)
    json_t *answer = json_pack("{s:s, s:o}", "subject", subject, "fingerprints", list);
    if (answer == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    return api_print(ctl, answer);
}

// What is printed.
struct root {
    const X509 *cert;
    const struct pin *pins;
    size_t count;
};

static enum ctl_exit print(struct ctl *ctl, const struct ctl_arguments *arguments,
                           const struct root *root)
{
    if (ctl->is_json) {
        return print_json(ctl, root->cert, root->pins, root->count);
    }
    enum ctl_exit code = print_root(ctl, root->cert);
    if (code != CTL_OK) {
        return code;
    }
    return arguments->options[CTL_ALL] != NULL ? print_tables(ctl, root->pins, root->count)
                                               : print_places(ctl, root->pins, root->count);
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    static const char *const usual[HASHES_MAX] = {"sha256", "sha1"};
    const char *hash = arguments->options[CTL_HASH];
    size_t count = hash != NULL ? 1 : HASHES_MAX;
    struct pin pins[HASHES_MAX];
    CLEANUP(cleanup_X509_free) X509 *cert = NULL;
    struct err err = {0};
    const EVP_MD *digest = NULL;
    if (hash != NULL && phone_hash_find(hash, &digest, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "%s", err.text);
    }
    enum ctl_exit code = root_get(ctl, arguments->operand, &cert);
    if (code != CTL_OK) {
        return code;
    }
    for (size_t i = 0; i < count; i++) {
        if (phone_hash_cert(cert, hash != NULL ? hash : usual[i], &pins[i], &err) != ERR_OK) {
            return ctl_complain(ctl, CTL_FAILED, "%s", err.text);
        }
    }
    return print(ctl, arguments, &(struct root){.cert = cert, .pins = pins, .count = count});
}

static const struct ctl_option options[] = {
    {"hash", CTL_HASH, PHONE_HASH_CHOICE, "only this one (sha256 and sha1)"},
    {"all", CTL_ALL, NULL, "in every form that phones and Unified CM take"},
    {0},
};

const struct ctl_command ctl_fingerprint = {
    .name = "fingerprint",
    .operand = "FILE",
    .is_operand_optional = true,
    .summary =
        "Show whose the root is and its fingerprint for phones; without FILE, that of scepd.",
    .options = options,
    .run = run,
};
