// SPDX-License-Identifier: Apache-2.0
#include "ra/manual.h"

#include <string.h>
#include <strings.h>

#include "conf/base/hex.h"
#include "conf/hosts.h"
#include "ra/issuance.h"
#include "ra/transaction.h"

#define ID_OCTETS 16 // random ones of an ID that joins our log line and the CA's

// What an order turns into on its way.
struct making {
    const struct manual_parts *parts;
    const struct manual_order *order;
    struct pkcs10 pkcs10;
    struct names names;
    struct names_added added;
    struct san sans[LIMIT_SUBJECT_ALT_NAMES];
    uint32_t san_count;
    char id[2 * ID_OCTETS + 1];
    uint8_t key[SHA256_LEN]; // of the transaction
    struct transaction_past past;
};

static void making_done(struct making *making)
{
    pkcs10_done(&making->pkcs10);
    names_done(&making->names);
    transaction_past_done(&making->past);
}

uint32_t manual_days_max(const struct settings *settings, enum issue_profile profile)
{
    return profile == PROFILE_SERVER ? settings->servers.validity_days
                                     : settings->phone.validity_days;
}

uint32_t manual_days_min(enum issue_profile profile)
{
    return profile == PROFILE_PHONE ? PHONE_DAYS_MIN : 1;
}

static enum err_code check_days(const struct making *making, struct err *err)
{
    uint32_t days = making->order->days;
    uint32_t least = manual_days_min(making->order->profile);
    uint32_t most = manual_days_max(making->parts->policy->settings, making->order->profile);
    if (days > most || (days > 0 && days < least)) {
        return err_set(err, ERR_LIMIT, "%u days; allowed: %u to %u (%s)", (unsigned)days,
                       (unsigned)least, (unsigned)most,
                       making->order->profile == PROFILE_SERVER ? "servers.validity_days"
                                                                : "phone.validity_days");
    }
    return ERR_OK;
}

// A random ID is nobody else's, so no phone can ask for this transaction.
static enum err_code make_id(struct making *making, struct err *err)
{
    uint8_t octets[ID_OCTETS];
    enum err_code code = ossl_random(octets, sizeof octets, err);
    if (code == ERR_OK) {
        hex_encode(view_of(octets, sizeof octets), making->id);
        struct view part = view_of_text(making->id);
        ossl_sha256(&part, 1, making->key);
    }
    return code;
}

// What signed it was made just now, by a tool of today, so neither MD5 nor SHA-1 is needed.
static enum err_code read_request(struct making *making, struct err *err)
{
    enum err_code code = pkcs10_parse(making->order->csr, &making->pkcs10, err);
    if (code == ERR_OK) {
        code = pkcs10_verify(&making->pkcs10, false, false, err);
    }
    if (code == ERR_OK) {
        code = names_read(csr_subject(making->pkcs10.csr), csr_attributes(making->pkcs10.csr),
                          &making->names, err);
    }
    if (code == ERR_OK) {
        code = names_check(&making->names, err);
    }
    if (code == ERR_OK && making->names.common_name == NULL) {
        code =
            err_set(err, ERR_BAD_REQUEST, "no common name in the PKCS#10; exactly one is needed");
    }
    return code;
}

// ---- names ----

static enum err_code choose_phone_sans(struct making *making, struct err *err)
{
    const struct settings *settings = making->parts->policy->settings;
    enum settings_san rule = (enum settings_san)settings->phone.subject_alt_name;
    enum err_code code =
        names_choose_sans(&making->names, rule, making->sans, &making->san_count, err);
    return code == ERR_OK ? names_add_sans(making->names.common_name, settings, &making->added,
                                           making->sans, &making->san_count, err)
                          : code;
}

static bool is_there(const struct making *making, struct view host)
{
    for (uint32_t i = 0; i < making->san_count; i++) {
        struct view other = making->sans[i].text;
        if (other.len == host.len &&
            strncasecmp((const char *)other.data, (const char *)host.data, host.len) == 0) {
            return true;
        }
    }
    return false;
}

static enum err_code add_host(struct making *making, struct view host, struct err *err)
{
    if (is_there(making, host)) {
        return ERR_OK;
    }
    if (making->san_count >= LIMIT_SUBJECT_ALT_NAMES) {
        return err_set(err, ERR_BAD_REQUEST,
                       "more than %d subjectAltNames, with the host of the common name",
                       LIMIT_SUBJECT_ALT_NAMES);
    }
    making->sans[making->san_count++] = (struct san){.kind = SAN_DNS, .text = host};
    return ERR_OK;
}

static enum err_code add_server_name(struct making *making, const struct name *name,
                                     struct err *err)
{
    switch (name->kind) {
    case NAME_SAN_DNS:
        return add_host(making, view_of_text(name->text), err);
    case NAME_SAN_EMAIL:
    case NAME_SAN_UPN:
    case NAME_SAN_OTHER:
        return err_set(err, ERR_BAD_REQUEST,
                       "a subjectAltName that is an IP address, a mail address or something else; "
                       "allowed for a server: names of hosts (dNSName)");
    default:
        return ERR_OK;
    }
}

static enum err_code choose_server_sans(struct making *making, struct err *err)
{
    struct view host = VIEW_EMPTY;
    enum err_code code = hosts_of_common_name(view_of_text(making->names.common_name), &host, err);
    if (code == ERR_OK) {
        code = add_host(making, host, err);
    }
    for (unsigned i = 0; code == ERR_OK && i < making->names.count; i++) {
        code = add_server_name(making, &making->names.list[i], err);
    }
    return code;
}

static enum err_code choose_sans(struct making *making, struct err *err)
{
    return making->order->profile == PROFILE_SERVER ? choose_server_sans(making, err)
                                                    : choose_phone_sans(making, err);
}

// ---- the past ----

static bool refuses_duplicates(const struct making *making)
{
    return making->order->profile == PROFILE_PHONE &&
           making->parts->policy->settings->phone.duplicate_subject == SETTINGS_DUPLICATE_REFUSE;
}

static enum err_code judge_past(struct making *making, struct err *err)
{
    struct transaction_query query = {
        .pkcs10 = &making->pkcs10,
        .names = &making->names,
        .common_name = "",
        .mac = "",
        .signer_class = SIGNER_SELF_SIGNED,
        .refuse_duplicates = refuses_duplicates(making),
        .now = making->order->now,
    };
    memcpy(query.key, making->key, SHA256_LEN);
    enum err_code code = transaction_find_request(making->parts->store, &query, &making->past, err);
    if (code != ERR_OK) {
        return code;
    }
    switch (making->past.past) {
    case PAST_FOREIGN_KEY:
        return err_set(
            err, ERR_EXISTS,
            "the key in the PKCS#10 is certified for another subject already; make a new "
            "key");
    case PAST_DUPLICATE:
        return err_set(err, ERR_EXISTS,
                       "%s has a valid certificate already, and phone.duplicate_subject is "
                       "\"refuse\"; revoke that one first",
                       making->names.common_name);
    default:
        return ERR_OK;
    }
}

// ---- issuing ----

static struct issuance issuance_of(const struct making *making)
{
    struct issuance issuance = {
        .profile = making->order->profile,
        .max_validity_sec = making->order->days * (uint32_t)DAY_SEC,
        .pkcs10 = &making->pkcs10,
        .names = &making->names,
        .common_name = "",
        .sans = making->sans,
        .san_count = making->san_count,
        .issuer = credentials_issuing(making->parts->policy->credentials)->id,
        .transaction_id = view_of_text(making->id),
        .signer_class = SIGNER_SELF_SIGNED,
        .origin = ORIGIN_ADMINISTRATOR,
        .device = {.name = "", .mac = "", .model = "", .serial_number = ""},
        .now = making->order->now,
    };
    memcpy(issuance.transaction_key, making->key, SHA256_LEN);
    return issuance;
}

static enum err_code have_issued(const struct making *making, struct store_certificate *ret_record,
                                 struct err *err)
{
    const struct issuance issuance = issuance_of(making);
    struct issue_order order;
    CLEANUP(buf_done) struct buf certificate = {0};
    issuance_order(&issuance, &order);
    enum err_code code = ca_client_issue(making->parts->ca, &order, &certificate, err);
    return code == ERR_OK ? issuance_record(&issuance, buf_view(&certificate), ret_record, err)
                          : code;
}

// The record stays the caller's: the order only borrows it.
static enum err_code have_written(const struct making *making,
                                  const struct store_certificate *certificate, struct err *err)
{
    struct write_order write = {
        .kind = WRITE_ISSUED,
        .now = making->order->now,
        .certificate = *certificate,
        .has_key_record = making->past.has_key_record,
        .supersedes = true,
        .refuse_duplicate = refuses_duplicates(making),
    };
    memcpy(write.key_serial, making->past.key_serial, SERIAL_LEN);
    return writer_submit_and_wait(making->parts->writer, &write, err);
}

enum err_code manual_issue(const struct manual_parts *parts, const struct manual_order *order,
                           struct store_certificate *ret_certificate, struct err *err)
{
    CLEANUP(making_done) struct making making = {.parts = parts, .order = order};
    struct store_certificate certificate = {0};
    enum err_code code = check_days(&making, err);
    if (code == ERR_OK) {
        code = make_id(&making, err);
    }
    if (code == ERR_OK) {
        code = read_request(&making, err);
    }
    if (code == ERR_OK) {
        code = choose_sans(&making, err);
    }
    if (code == ERR_OK) {
        code = judge_past(&making, err);
    }
    if (code == ERR_OK) {
        code = have_issued(&making, &certificate, err);
    }
    if (code == ERR_OK) {
        code = have_written(&making, &certificate, err);
    }
    if (code != ERR_OK) {
        store_certificate_done(&certificate);
        return code;
    }
    *ret_certificate = certificate;
    return ERR_OK;
}
