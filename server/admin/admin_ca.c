// SPDX-License-Identifier: Apache-2.0
// POST /v1/reload, GET /v1/rollover, POST /v1/revocations: what concerns the CA.
#include <string.h>

#include "ca/frame.h"
#include "conf/base/clock.h"
#include "conf/base/hex.h"
#include "conf/base/log.h"
#include "server/admin/admin_input.h"
#include "server/admin/admin_resources.h"
#include "server/crl.h"

#define REVOKED_MAX 1000 // certificates of one device that one request revokes

static const enum revocation_reason reasons[] = {
    REVOCATION_UNSPECIFIED,         REVOCATION_KEY_COMPROMISE, REVOCATION_CA_COMPROMISE,
    REVOCATION_AFFILIATION_CHANGED, REVOCATION_SUPERSEDED,     REVOCATION_CESSATION_OF_OPERATION,
    REVOCATION_PRIVILEGE_WITHDRAWN,
};
#define REASON_COUNT (sizeof reasons / sizeof reasons[0])

const char *admin_reason_name(unsigned reason)
{
    return store_revocation_name(reason);
}

enum err_code admin_reload(const struct admin_request *request, json_t **ret_body, struct err *err)
{
    enum err_code code = request->live->reload(request->live->reload_context, err);
    if (code == ERR_CONFIG) {
        err->code = ERR_CONFLICT; // with what is on disk, not with what was asked
        return ERR_CONFLICT;
    }
    if (code != ERR_OK) {
        return code;
    }
    *ret_body = json_pack("{s:b}", "reloaded", 1);
    return ERR_OK;
}

static json_t *number_json(enum err_code found, uint64_t number)
{
    return found == ERR_OK ? json_integer((json_int_t)number) : json_null();
}

static json_t *generation_json(struct store *store, const struct generation *generation)
{
    struct store_crl crl = {0};
    int64_t last = 0;
    enum err_code has_last = store_find_last_expiry(store, generation->id, &last, NULL);
    enum err_code has_crl = store_find_crl(store, generation->id, &crl, NULL);
    json_t *json = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o}",                                              //
        "name", generation->name,                                                           //
        "subject", admin_json_subject(generation->cert),                                    //
        "not_after", admin_json_asn1_time(X509_get0_notAfter(generation->cert)),            //
        "sha256", admin_json_fingerprint(generation->cert, EVP_sha256()),                   //
        "last_certificate_until", has_last == ERR_OK ? admin_json_time(last) : json_null(), //
        "crl_number", number_json(has_crl, crl.number),                                     //
        "crl_next_update", has_crl == ERR_OK ? admin_json_time(crl.next_update) : json_null());
    store_crl_done(&crl);
    return json;
}

static json_t *recipient_json(const struct recipient *recipient)
{
    static const char *const roles[] = {
        [RECIPIENT_CURRENT] = "current",
        [RECIPIENT_NEXT] = "next",
        [RECIPIENT_PREVIOUS] = "previous",
    };
    char serial[2 * LIMIT_NAME_VALUE + 1];
    struct view octets = ossl_string_view(X509_get0_serialNumber(recipient->cert));
    hex_encode(view_of(octets.data, octets.len < LIMIT_NAME_VALUE ? octets.len : LIMIT_NAME_VALUE),
               serial);
    return json_pack("{s:s, s:s, s:o, s:o}",                                                   //
                     "role", roles[recipient->role],                                           //
                     "serial", serial,                                                         //
                     "not_before", admin_json_asn1_time(X509_get0_notBefore(recipient->cert)), //
                     "not_after", admin_json_asn1_time(X509_get0_notAfter(recipient->cert)));
}

// json_array_append_new() gives its value back on failure, and the caller sees a list too short as
// out of memory.
static bool append(json_t *list, json_t *take_value)
{
    return json_array_append_new(list, take_value) == 0;
}

enum err_code admin_get_rollover(const struct admin_request *request, json_t **ret_body,
                                 struct err *err)
{
    struct store *store = request->live->store;
    struct policy *policy = live_policy_get(request->live->policy);
    const struct credentials *credentials = policy->credentials;
    const struct generations *generations = &credentials->generations;
    const struct generation *next = generations_next(generations);
    json_t *old = json_array();
    json_t *ra = json_array();
    bool is_complete = true;
    for (unsigned i = 0; i < generations->count; i++) {
        if (generations->list[i].role == GENERATION_OLD) {
            is_complete = append(old, generation_json(store, &generations->list[i])) && is_complete;
        }
    }
    for (unsigned i = 0; i < credentials->recipient_count; i++) {
        const struct recipient *recipient = &credentials->recipients[i];
        bool is_over = recipient->until != 0 && request->now >= recipient->until;
        is_complete = (is_over || append(ra, recipient_json(recipient))) && is_complete;
    }
    json_t *body = json_pack("{s:o, s:o, s:o, s:o, s:b}",                                         //
                             "current", generation_json(store, credentials_issuing(credentials)), //
                             "next", next != NULL ? generation_json(store, next) : json_null(),   //
                             "old", old,                                                          //
                             "ra", ra,                                                            //
                             "next_ca_answer", (int)(policy->next_ca.len > 0));
    policy_unref(policy);
    if (body == NULL || !is_complete) {
        json_decref(body);
        return err_set(err, ERR_NOMEM, "no memory for the answer");
    }
    *ret_body = body;
    return ERR_OK;
}

struct revocation {
    const char *what; // serial number, CN or MAC
    enum revocation_reason reason;
};

static enum err_code read_reason(const char *name, enum revocation_reason *ret_reason,
                                 struct err *err)
{
    for (size_t i = 0; i < REASON_COUNT; i++) {
        if (strcasecmp(name, admin_reason_name(reasons[i])) == 0) {
            *ret_reason = reasons[i];
            return ERR_OK;
        }
    }
    return err_set(err, ERR_SYNTAX,
                   "unknown reason \"%.64s\"; allowed are unspecified, keyCompromise, "
                   "cACompromise, affiliationChanged, superseded, cessationOfOperation, "
                   "privilegeWithdrawn",
                   name);
}

static enum err_code read_revocation(json_t *body, struct revocation *ret_revocation,
                                     struct err *err)
{
    const char *what = NULL;
    const char *reason = "unspecified";
    if (json_unpack(body, "{s:s, s?s !}", "certificate", &what, "reason", &reason) != 0) {
        return err_set(err, ERR_SYNTAX,
                       "expected {\"certificate\": SERIAL, CN or MAC, \"reason\": optional}");
    }
    ret_revocation->what = what;
    return read_reason(reason, &ret_revocation->reason, err);
}

// The certificates that one request is about.
struct targets {
    uint8_t serials[REVOKED_MAX][SERIAL_LEN];
    uint8_t issuers[REVOKED_MAX][SHA256_LEN];
    size_t count;
    bool is_full;
    uint8_t revoked[SERIAL_LEN]; // of those that are not over, the one that was revoked last
    int64_t revoked_at;          // 0 = none was
    int64_t now;
};

static void put_target(const struct store_certificate *certificate, struct targets *targets)
{
    memcpy(targets->serials[targets->count], certificate->serial, SERIAL_LEN);
    memcpy(targets->issuers[targets->count], certificate->issuer, SHA256_LEN);
    targets->count++;
}

static void note_revoked(const struct store_certificate *certificate, struct targets *targets)
{
    if (certificate->status == CERTIFICATE_REVOKED &&
        certificate->revoked_at > targets->revoked_at) {
        memcpy(targets->revoked, certificate->serial, SERIAL_LEN);
        targets->revoked_at = certificate->revoked_at;
    }
}

static enum err_code refuse_revoked(const struct targets *targets, struct err *err)
{
    char serial[2 * SERIAL_LEN + 1];
    char date[CLOCK_TEXT_LEN];
    hex_encode(view_of(targets->revoked, SERIAL_LEN), serial);
    clock_format(targets->revoked_at, date);
    return err_set(err, ERR_CONFLICT, "certificate %s is revoked already, since %s", serial, date);
}

static enum err_code find_serial(struct store *store, const uint8_t serial[SERIAL_LEN],
                                 struct targets *targets, struct err *err)
{
    struct store_certificate certificate = {0};
    enum err_code code = store_find_serial(store, serial, &certificate, err);
    if (code == ERR_OK) {
        note_revoked(&certificate, targets);
        code = targets->revoked_at != 0 ? refuse_revoked(targets, err) : ERR_OK;
        put_target(&certificate, targets);
    } else {
        char text[2 * SERIAL_LEN + 1];
        err_prefix(err, "certificate %s", hex_encode(view_of(serial, SERIAL_LEN), text));
    }
    store_certificate_done(&certificate);
    return code;
}

static bool add_target(const struct store_certificate *certificate, void *context)
{
    struct targets *targets = context;
    bool is_live =
        certificate->status == CERTIFICATE_VALID && targets->now < certificate->not_after;
    if (!is_live) {
        if (targets->now < certificate->not_after) {
            note_revoked(certificate, targets);
        }
        return true;
    }
    if (targets->count == REVOKED_MAX) {
        targets->is_full = true;
        return false;
    }
    put_target(certificate, targets);
    return true;
}

// By serial number that one certificate, expired or not; by CN or MAC all live ones of the device.
static enum err_code find_targets(struct store *store, const char *what, struct targets *targets,
                                  struct err *err)
{
    char mac[MAC_TEXT_LEN];
    uint8_t serial[SERIAL_LEN];
    if (admin_read_serial(what, serial, NULL) == ERR_OK) {
        return find_serial(store, serial, targets, err);
    }
    // A CN with a MAC in it is filed under that.
    bool has_mac =
        admin_read_mac(what, mac, NULL) == ERR_OK || names_find_mac(view_of_text(what), mac);
    const char *device = has_mac ? mac : what;
    enum err_code code = store_list_device(store, device, add_target, targets, err);
    if (code == ERR_OK && targets->count == 0 && targets->revoked_at != 0) {
        return refuse_revoked(targets, err);
    }
    if (code == ERR_OK && targets->count == 0) {
        return err_set(err, ERR_NOT_FOUND, "no valid certificate of \"%.64s\"", what);
    }
    return code;
}

static void log_revoked(const char *serial, const struct revocation *revocation)
{
    struct log_line line;
    log_begin(&line, "revoked");
    log_add_text(&line, "serial", serial);
    log_add_text(&line, "reason", admin_reason_name(revocation->reason));
    log_end(&line, LOG_LEVEL_INFO);
}

static enum err_code revoke_all(const struct admin_request *request,
                                const struct revocation *revocation, const struct targets *targets,
                                json_t *list, struct err *err)
{
    for (size_t i = 0; i < targets->count; i++) {
        char serial[2 * SERIAL_LEN + 1];
        struct write_order order = {
            .kind = WRITE_REVOKE,
            .now = request->now,
            .revocation_reason = (uint8_t)revocation->reason,
        };
        memcpy(order.certificate.serial, targets->serials[i], SERIAL_LEN);
        hex_encode(view_of(targets->serials[i], SERIAL_LEN), serial);
        enum err_code code = writer_submit_and_wait(request->live->writer, &order, err);
        if (code != ERR_OK) {
            return err_prefix(err, "certificate %s", serial);
        }
        log_revoked(serial, revocation);
        if (!append(list, json_string(serial))) {
            return err_set(err, ERR_NOMEM, "no memory for the answer");
        }
    }
    return ERR_OK;
}

// A CA that was restored without its key, or that nobody holds any more, signs no CRL.
static enum err_code check_held(const struct admin_request *request, const struct targets *targets,
                                struct err *err)
{
    struct policy *policy = live_policy_get(request->live->policy);
    const struct generations *generations = &policy->credentials->generations;
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < targets->count; i++) {
        bool is_held = false;
        for (unsigned at = 0; at < generations->count; at++) {
            is_held =
                is_held || memcmp(generations->list[at].id, targets->issuers[i], SHA256_LEN) == 0;
        }
        if (!is_held) {
            code = err_set(err, ERR_NOT_FOUND,
                           "the CA that issued it is not held here, so no CRL lists it");
        }
    }
    policy_unref(policy);
    return code;
}

// What was revoked stays so even if the CA does not answer at present; the answer says whether the
// CRL is out already.
static enum err_code revoke(const struct admin_request *request,
                            const struct revocation *revocation, json_t **ret_body, struct err *err)
{
    struct targets targets = {.now = request->now};
    enum err_code code = find_targets(request->live->store, revocation->what, &targets, err);
    if (code != ERR_OK) {
        return code;
    }
    json_t *list = json_array();
    code = revoke_all(request, revocation, &targets, list, err);
    struct err trouble = {0};
    bool is_out = json_array_size(list) > 0 && check_held(request, &targets, &trouble) == ERR_OK &&
                  crl_publish(request->live, CRL_IN_ANY_CASE, request->now, &trouble) == ERR_OK;
    if (code != ERR_OK) {
        json_decref(list);
        return code;
    }
    *ret_body = json_pack("{s:o, s:b, s:o, s:b}",                                          //
                          "revoked", list,                                                 //
                          "crl_published", (int)is_out,                                    //
                          "crl_trouble", is_out ? json_null() : json_string(trouble.text), //
                          "has_more", (int)targets.is_full);
    return ERR_OK;
}

enum err_code admin_revoke(const struct admin_request *request, json_t **ret_body, struct err *err)
{
    struct revocation revocation = {0};
    json_t *body = NULL;
    enum err_code code = admin_read_object(request, &body, err);
    if (code == ERR_OK) {
        code = read_revocation(body, &revocation, err);
    }
    if (code == ERR_OK) {
        code = revoke(request, &revocation, ret_body, err);
    }
    json_decref(body);
    return code;
}
