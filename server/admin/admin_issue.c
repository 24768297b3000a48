// SPDX-License-Identifier: Apache-2.0
// POST /v1/certificates: a certificate for a PKCS#10 that the administrator brings.
#include <string.h>
#include <strings.h>

#include <openssl/pem.h>

#include "ca/key.h"
#include "conf/base/hex.h"
#include "conf/base/log.h"
#include "ra/manual.h"
#include "server/admin/admin_resources.h"

#define DIGEST_LEN 16 // bytes of "SHA256" and its like with NUL

// What was asked for; the texts are the body's.
struct wish {
    const char *csr;
    const char *profile;
    const char *digest; // NULL = whichever the CA signs with
    json_int_t days;    // 0 = as long as the settings say
    bool has_days;
};

static enum err_code read_wish(json_t *body, struct wish *ret_wish, struct err *err)
{
    struct wish wish = {0};
    json_error_t problem;
    wish.has_days = json_object_get(body, "days") != NULL;
    if (json_unpack_ex(body, &problem, 0, "{s:s, s:s, s?:I, s?:s !}", "csr", &wish.csr, "profile",
                       &wish.profile, "days", &wish.days, "digest", &wish.digest) != 0) {
        return err_set(err, ERR_SYNTAX,
                       "expected {csr, profile, and, if wanted, days and digest}: %s",
                       problem.text);
    }
    *ret_wish = wish;
    return ERR_OK;
}

static enum err_code read_profile(const struct wish *wish, enum issue_profile *ret_profile,
                                  struct err *err)
{
    if (strcmp(wish->profile, "phone") == 0) {
        *ret_profile = PROFILE_PHONE;
    } else if (strcmp(wish->profile, "server") == 0) {
        *ret_profile = PROFILE_SERVER;
    } else {
        return err_set(err, ERR_SYNTAX, "unknown profile \"%.64s\"; allowed are phone, server",
                       wish->profile);
    }
    return ERR_OK;
}

static enum err_code read_days(const struct wish *wish, const struct settings *settings,
                               enum issue_profile profile, uint32_t *ret_days, struct err *err)
{
    uint32_t least = manual_days_min(profile);
    uint32_t most = manual_days_max(settings, profile);
    if (wish->has_days && (wish->days < least || wish->days > most)) {
        bool is_short = profile == PROFILE_PHONE && wish->days < least;
        return err_set(err, ERR_LIMIT, "days is %jd%s; allowed are %u to %u, as the settings say",
                       (intmax_t)wish->days, is_short ? " (" PHONE_DAYS_REASON ")" : "",
                       (unsigned)least, (unsigned)most);
    }
    *ret_days = (uint32_t)wish->days;
    return ERR_OK;
}

// "SHA-256", "sha256"... as the library writes it.
static void normalise(const char *name, char text[DIGEST_LEN])
{
    size_t len = 0;
    for (; *name != '\0' && len < DIGEST_LEN - 1; name++) {
        if (*name != '-') {
            text[len++] = *name;
        }
    }
    text[len] = '\0';
    hex_to_upper(text);
}

// The CA signs with what goes with its key; nobody else chooses.
static enum err_code check_digest(const struct wish *wish, const struct credentials *credentials,
                                  struct err *err)
{
    char wanted[DIGEST_LEN];
    const char *digest = key_digest_name(X509_get0_pubkey(credentials_issuing(credentials)->cert));
    if (wish->digest == NULL || digest == NULL) {
        return ERR_OK;
    }
    normalise(wish->digest, wanted);
    return strcasecmp(wanted, digest) == 0
               ? ERR_OK
               : err_set(err, ERR_SYNTAX,
                         "digest is \"%.32s\"; allowed is %s, with which the CA's key signs",
                         wish->digest, digest);
}

static bool is_request_name(const char *name)
{
    return strcmp(name, PEM_STRING_X509_REQ) == 0 || strcmp(name, PEM_STRING_X509_REQ_OLD) == 0;
}

// What one PEM block was made of; the library's memory.
struct pem {
    char *name;
    char *header;
    unsigned char *data;
    long len;
};

static void pem_done(struct pem *pem)
{
    OPENSSL_free(pem->name);
    OPENSSL_free(pem->header);
    OPENSSL_free(pem->data);
}

static bool read_pem(BIO *bio, struct pem *pem)
{
    return PEM_read_bio(bio, &pem->name, &pem->header, &pem->data, &pem->len) == 1;
}

static enum err_code read_csr(const char *text, struct buf *ret_der, struct err *err)
{
    CLEANUP(pem_done) struct pem pem = {0};
    CLEANUP(pem_done) struct pem second = {0};
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new_mem_buf(text, -1);
    if (bio == NULL) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for a PKCS#10");
    }
    if (!read_pem(bio, &pem) || !is_request_name(pem.name)) {
        return err_set_openssl(err, ERR_SYNTAX,
                               "csr is no PKCS#10 in PEM (-----BEGIN CERTIFICATE REQUEST-----)");
    }
    if (read_pem(bio, &second)) {
        return err_set(err, ERR_SYNTAX, "csr holds more than one PEM block; allowed is one");
    }
    return buf_copy(view_of(pem.data, (size_t)pem.len), ret_der, err);
}

static enum err_code read_order(const struct wish *wish, const struct policy *policy,
                                struct manual_order *order, struct buf *ret_der, struct err *err)
{
    enum err_code code = read_profile(wish, &order->profile, err);
    if (code == ERR_OK) {
        code = read_days(wish, policy->settings, order->profile, &order->days, err);
    }
    if (code == ERR_OK) {
        code = check_digest(wish, policy->credentials, err);
    }
    if (code == ERR_OK) {
        code = read_csr(wish->csr, ret_der, err);
    }
    order->csr = buf_view(ret_der);
    return code;
}

// ---- the log ----

static void log_issued(const struct wish *wish, const struct store_certificate *certificate)
{
    struct log_line line;
    log_begin(&line, "issued_by_hand");
    log_add_text(&line, "profile", wish->profile);
    log_add_text(&line, "mac", certificate->mac[0] != '\0' ? certificate->mac : NULL);
    log_add_text(&line, "cn", certificate->common_name);
    log_add_hex(&line, "serial", view_of(certificate->serial, SERIAL_LEN));
    log_add_text(&line, "decision", "issue");
    log_end(&line, LOG_LEVEL_INFO);
}

// What is wrong with the request. Trouble of our own has admin.c's line.
static bool is_refusal(enum err_code code)
{
    switch (code) {
    case ERR_BAD_REQUEST:
    case ERR_BAD_ALG:
    case ERR_DENIED:
    case ERR_SYNTAX:
    case ERR_LIMIT:
    case ERR_EXISTS:
        return true;
    default:
        return false;
    }
}

static void log_refused(const struct wish *wish, const struct err *err)
{
    struct log_line line;
    log_begin(&line, "issued_by_hand");
    log_add_text(&line, "profile", wish->profile);
    log_add_text(&line, "decision", "refuse");
    log_add_text(&line, "reason", err->text);
    log_end(&line, LOG_LEVEL_INFO);
}

// ---- the answer ----

static json_t *chain_json(const struct credentials *credentials)
{
    json_t *chain = json_array();
    bool is_whole =
        json_array_append_new(chain, admin_json_pem(credentials_issuing(credentials)->cert)) == 0;
    for (int i = 0; is_whole && i < sk_X509_num(credentials->upper); i++) {
        is_whole =
            json_array_append_new(chain, admin_json_pem(sk_X509_value(credentials->upper, i))) == 0;
    }
    if (!is_whole) {
        json_decref(chain);
        return NULL;
    }
    return chain;
}

static enum err_code make_answer(const struct policy *policy,
                                 const struct store_certificate *certificate, int64_t now,
                                 json_t **ret_body, struct err *err)
{
    json_t *body = admin_certificate_json(certificate, now);
    enum err_code code = admin_add_certificate(body, certificate, err);
    if (code == ERR_OK &&
        json_object_set_new(body, "chain", chain_json(policy->credentials)) != 0) {
        code = err_set(err, ERR_NOMEM, "no memory for a certificate's chain");
    }
    if (code != ERR_OK) {
        json_decref(body);
        return code;
    }
    *ret_body = body;
    return ERR_OK;
}

static enum err_code issue(const struct admin_request *request, const struct policy *policy,
                           const struct wish *wish, json_t **ret_body, struct err *err)
{
    const struct manual_parts parts = {.policy = policy,
                                       .store = request->live->store,
                                       .writer = request->live->writer,
                                       .ca = request->live->ca};
    struct manual_order order = {.now = request->now};
    CLEANUP(buf_done) struct buf csr = {0};
    struct store_certificate certificate = {0};
    enum err_code code = read_order(wish, policy, &order, &csr, err);
    if (code == ERR_OK) {
        code = manual_issue(&parts, &order, &certificate, err);
    }
    if (code == ERR_OK) {
        log_issued(wish, &certificate);
        code = make_answer(policy, &certificate, request->now, ret_body, err);
    } else if (is_refusal(code)) {
        log_refused(wish, err);
    }
    store_certificate_done(&certificate);
    return code;
}

// The asker's mistake, as admin.c knows it.
static enum err_code as_answer(enum err_code code, struct err *err)
{
    bool is_mistake = code == ERR_BAD_REQUEST || code == ERR_BAD_ALG || code == ERR_DENIED;
    err->code = is_mistake ? ERR_SYNTAX : code;
    return err->code;
}

enum err_code admin_issue(const struct admin_request *request, json_t **ret_body, struct err *err)
{
    json_t *body = NULL;
    struct wish wish = {0};
    enum err_code code = admin_read_object(request, &body, err);
    if (code != ERR_OK) {
        return code;
    }
    code = read_wish(body, &wish, err);
    if (code == ERR_OK) {
        struct policy *policy = live_policy_get(request->live->policy);
        code = issue(request, policy, &wish, ret_body, err);
        policy_unref(policy);
    }
    json_decref(body);
    return as_answer(code, err);
}
