// SPDX-License-Identifier: Apache-2.0
// GET /v1/devices/MAC-or-SERIAL-NUMBER-or-CN: all that is known of one device, listed or not: its
// entry of the device list, every certificate with what authorised it, and what comes next.
#include <string.h>
#include <strings.h>

#include "conf/base/hex.h"
#include "ra/devices.h"
#include "server/admin/admin_input.h"
#include "server/admin/admin_outlook.h"
#include "server/admin/admin_resources.h"

#define HISTORY_MAX  1000   // certificates of one device that its view lists
#define SEARCHED_MAX 100000 // devices looked through for a serial number: below a second

// What is known of the device.
struct found {
    char device[STORE_DEVICE_LEN]; // its name in the store; "" = it has no certificates
    struct store_device entry;     // of the device list; empty = none that the item names
    struct admin_copies history;   // newest first
};

static void found_done(struct found *found)
{
    admin_copies_done(&found->history);
}

static bool has_entry(const struct found *found)
{
    return found->entry.mac[0] != '\0' || found->entry.serial_number[0] != '\0';
}

static bool is_found(const struct found *found)
{
    return has_entry(found) || found->history.count > 0;
}

static enum err_code take_history(struct store *store, const char *device, struct found *found,
                                  struct err *err)
{
    snprintf(found->device, sizeof found->device, "%s", device);
    enum err_code code = store_list_device(store, device, admin_copy, &found->history, err);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code take_entry(struct store *store, const char *mac, const char *number,
                                struct found *found, struct err *err)
{
    enum err_code code = store_find_listed(store, mac, number, &found->entry, err);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code find_by_mac(struct store *store, const char *mac, struct found *found,
                                 struct err *err)
{
    enum err_code code = take_entry(store, mac, "", found, err);
    return code == ERR_OK ? take_history(store, mac, found, err) : code;
}

// Looks for a device among the present certificates.
struct search {
    const char *serial_number;
    char device[STORE_DEVICE_LEN]; // "" = not found
    unsigned looked_at;
};

static bool visit_search(const struct store_certificate *certificate, void *context)
{
    struct search *search = context;
    if (strcasecmp(search->serial_number, certificate->serial_number) == 0) {
        memcpy(search->device, certificate->device, sizeof search->device);
        return false;
    }
    return ++search->looked_at < SEARCHED_MAX;
}

// The store has no index of certificates by the device's serial number.
static enum err_code find_by_number(struct store *store, const char *number, struct found *found,
                                    struct err *err)
{
    struct search search = {.serial_number = number};
    enum err_code code = take_entry(store, "", number, found, err);
    if (code == ERR_OK && found->entry.mac[0] != '\0') {
        return take_history(store, found->entry.mac, found, err);
    }
    if (code == ERR_OK) {
        code = store_list_due(store, INT64_MIN, INT64_MAX, NULL, visit_search, &search, err);
    }
    if (code == ERR_OK && search.device[0] != '\0') {
        return take_history(store, search.device, found, err);
    }
    if (code == ERR_OK && search.looked_at == SEARCHED_MAX && !has_entry(found)) {
        return err_set(err, ERR_NOT_FOUND,
                       "no MAC, common name or listed serial number \"%.64s\"; there are more than "
                       "%d devices, too many to search for a serial number that is not listed",
                       number, SEARCHED_MAX);
    }
    return code;
}

// By MAC first, then by CN, which is quick, then by serial number.
static enum err_code find(struct store *store, const char *item, struct found *found,
                          struct err *err)
{
    char mac[MAC_TEXT_LEN];
    char number[STORE_NUMBER_LEN];
    enum err_code code = ERR_OK;
    if (admin_read_mac(item, mac, NULL) == ERR_OK || names_find_mac(view_of_text(item), mac)) {
        code = find_by_mac(store, mac, found, err);
    } else if (strlen(item) < STORE_DEVICE_LEN) {
        code = take_history(store, item, found, err);
    }
    if (code == ERR_OK && !is_found(found) &&
        admin_read_device_number(item, number, NULL) == ERR_OK) {
        code = find_by_number(store, number, found, err);
    }
    if (code == ERR_OK && !is_found(found)) {
        return err_set(err, ERR_NOT_FOUND,
                       "no device has the MAC, serial number or common name \"%.64s\"", item);
    }
    return code;
}

const char *admin_authority_name(const struct store_certificate *certificate)
{
    static const char *const names[] = {
        [ORIGIN_CHALLENGE] = "challenge",
        [ORIGIN_MIC] = "MIC",
        [ORIGIN_APPROVAL] = "approval",
        [ORIGIN_ADMINISTRATOR] = "administrator",
    };
    static const uint8_t none[SERIAL_LEN];
    if (memcmp(certificate->renews, none, SERIAL_LEN) != 0) {
        return "renewal";
    }
    return names[certificate->origin];
}

static json_t *history_json(const struct store_certificate *certificate, int64_t now)
{
    bool is_revoked = certificate->status == CERTIFICATE_REVOKED;
    json_t *reason =
        is_revoked ? json_string(admin_reason_name(certificate->revocation_reason)) : json_null();
    return json_pack("{s:o, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",        //
                     "serial", admin_json_serial(certificate->serial),                      //
                     "kind", admin_kind_name(certificate),                                  //
                     "common_name", admin_json_optional(certificate->common_name),          //
                     "status", admin_certificate_status(certificate, now),                  //
                     "authorised_by", admin_authority_name(certificate),                    //
                     "renews", admin_json_serial(certificate->renews),                      //
                     "issued_at", admin_json_time(certificate->issued_at),                  //
                     "not_before", admin_json_time(certificate->not_before),                //
                     "not_after", admin_json_time(certificate->not_after),                  //
                     "superseded_at", admin_json_optional_time(certificate->superseded_at), //
                     "revoked_at", admin_json_optional_time(certificate->revoked_at),       //
                     "revocation_reason", reason);
}

static json_t *histories_json(const struct admin_copies *history, int64_t now)
{
    json_t *list = json_array();
    for (size_t i = 0; i < history->count; i++) {
        if (json_array_append_new(list, history_json(&history->list[i], now)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

// The device's present certificate; NULL when it has none.
static const struct store_certificate *present_of(const struct found *found)
{
    return found->history.count > 0 ? &found->history.list[0] : NULL;
}

static enum err_code outlook_json(const struct admin_judge *judge, const struct found *found,
                                  json_t **ret_outlook, struct err *err)
{
    struct outlook outlook;
    const struct store_certificate *present = present_of(found);
    if (present == NULL) {
        *ret_outlook = json_null();
        return ERR_OK;
    }
    enum err_code code = admin_judge(judge, present, &outlook, err);
    if (code == ERR_OK) {
        *ret_outlook =
            json_pack("{s:s, s:b, s:o, s:o, s:o, s:o}",                                  //
                      "state", outlook_state_name(outlook.state),                        //
                      "renews", (int)(present->kind == CERTIFICATE_OF_PHONE),            //
                      "not_after", admin_json_time(present->not_after),                  //
                      "renews_at", admin_json_optional_time(outlook.renews_at),          //
                      "mic_not_after", admin_json_optional_time(present->mic_not_after), //
                      "will_fail", admin_troubles_json(outlook.troubles));
    }
    return code;
}

static const char *either(const char *known, const char *listed)
{
    return known[0] != '\0' ? known : listed;
}

// What its certificates say of the device, and where they are silent the list.
static struct device_claim claim_of(const struct found *found)
{
    static const struct store_certificate nothing;
    const struct store_certificate *present = present_of(found);
    const struct store_certificate *known = present != NULL ? present : &nothing;
    return (struct device_claim){
        .mac = either(known->mac, found->entry.mac),
        .serial_number = either(known->serial_number, found->entry.serial_number),
        .model = either(known->model, found->entry.model),
    };
}

// The entry for the device as its certificates tell it, which may not be the one that was asked
// for by its serial number or MAC; with it, why it does not count.
static enum err_code listing_json(struct store *store, struct found *found, json_t **ret_listing,
                                  struct err *err)
{
    struct device_finding finding = {0};
    const struct device_claim claim = claim_of(found);
    enum err_code code = devices_check(store, &claim, &finding, err);
    if (code == ERR_OK && !has_entry(found)) {
        code = take_entry(store, claim.mac, claim.serial_number, found, err);
    }
    if (code == ERR_OK) {
        *ret_listing =
            json_pack("{s:b, s:o, s:o}", "listed", (int)(finding.state == DEVICE_LISTED), //
                      "reason", admin_json_optional(finding.reason),                      //
                      "entry", has_entry(found) ? admin_listed_json(&found->entry) : json_null());
    }
    return code;
}

static json_t *device_json(const struct found *found, bool is_list_asked, json_t *take_listing,
                           json_t *take_outlook, int64_t now)
{
    const struct device_claim claim = claim_of(found);
    return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:b}", //
                     "device", found->history.count > 0 ? json_string(found->device) : json_null(),
                     "mac", admin_json_optional(claim.mac),                     //
                     "serial_number", admin_json_optional(claim.serial_number), //
                     "model", admin_json_optional(claim.model),                 //
                     "list_is_asked", (int)is_list_asked,                       //
                     "list", take_listing,                                      //
                     "outlook", take_outlook,                                   //
                     "certificates", histories_json(&found->history, now),      //
                     "has_more", (int)found->history.has_more);
}

static enum err_code view_device(const struct admin_judge *judge, struct found *found,
                                 json_t **ret_body, struct err *err)
{
    json_t *listing = NULL;
    json_t *outlook = NULL;
    enum err_code code = listing_json(judge->store, found, &listing, err);
    if (code == ERR_OK) {
        code = outlook_json(judge, found, &outlook, err);
    }
    if (code != ERR_OK) {
        json_decref(listing);
        return code;
    }
    *ret_body = device_json(found, admin_asks_list(judge->policy), listing, outlook, judge->now);
    return ERR_OK;
}

enum err_code admin_get_device(const struct admin_request *request, json_t **ret_body,
                               struct err *err)
{
    struct store *store = request->live->store;
    CLEANUP(found_done) struct found found = {0};
    enum err_code code = admin_copies_new(HISTORY_MAX, &found.history, err);
    if (code == ERR_OK) {
        code = find(store, request->item, &found, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    struct policy *policy = live_policy_get(request->live->policy);
    const struct admin_judge judge = {
        .store = store,
        .policy = policy,
        .now = request->now,
        .within_sec = (int64_t)ADMIN_DUE_DAYS * DAY_SEC,
    };
    code = view_device(&judge, &found, ret_body, err);
    policy_unref(policy);
    return code;
}
