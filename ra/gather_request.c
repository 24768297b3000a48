// SPDX-License-Identifier: Apache-2.0
// What a request for a certificate asks for, and what the store and the lists say to that.
#include <stdio.h>
#include <string.h>

#include "ra/enroll_state.h"
#include "ra/renewal.h"

// ---- what the report says ----

static const char *common_name_of(const struct enroll_state *state)
{
    return state->names.common_name != NULL ? state->names.common_name : state->common_name;
}

static void report_names(struct enroll_job *job)
{
    const struct names *names = &job->state->names;
    struct enroll_report *report = &job->report;
    snprintf(report->common_name, sizeof report->common_name, "%s", common_name_of(job->state));
    if (report->mac[0] == '\0') {
        memcpy(report->mac, names->mac, sizeof report->mac);
    }
}

// To whoever has proven himself otherwise a challenge of his own past is no crime.
static void report_challenge(struct enroll_job *job)
{
    const struct challenge_result *result = &job->state->challenge;
    struct enroll_report *report = &job->report;
    report->challenge = result->state;
    memcpy(report->challenge_id, result->id, sizeof report->challenge_id);
    bool is_misused = (result->state == CHALLENGE_USED_UP || result->state == CHALLENGE_FOREIGN) &&
                      job->state->facts.signer_class == SIGNER_SELF_SIGNED;
    if (is_misused && report->alarm == NULL) {
        report->alarm = "challenge presented for another request or device";
        report->level = LOG_LEVEL_WARNING;
    }
}

static void report_opened(struct enroll_job *job)
{
    const struct enroll_state *state = job->state;
    const struct facts *facts = &state->facts;
    job->report.is_opened = true;
    report_names(job);
    // A repeat presents a used-up challenge by right, but only the key's owner can repeat.
    bool is_repeat =
        facts->is_signer_key && (facts->past == PAST_SAME_REQUEST || facts->past == PAST_SAME_KEY);
    if (!is_repeat) {
        report_challenge(job);
    }
    if (facts->past == PAST_PENDING || facts->past == PAST_APPROVED) {
        memcpy(job->report.pending_id, state->past.pending.id, PENDING_ID_LEN);
    }
}

// ---- the PKCS#10 ----

static void check_proof(struct enroll_job *job)
{
    struct enroll_state *state = job->state;
    struct facts *facts = &state->facts;
    const struct settings *settings = job->policy->settings;
    facts->is_signer_key =
        view_equal(buf_view(&state->pkcs10.spki), buf_view(&state->request.signer_spki));
    facts->proof.code = pkcs10_verify(&state->pkcs10, settings->algorithms.sha1,
                                      settings->algorithms.legacy, &facts->proof);
}

// Opens the envelope and looks inside. When that fails, all further steps run on the decoy, so that
// failing early takes as long as failing late; what they find is never looked at.
static enum err_code open_request(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    struct err *opening = &state->facts.opening;
    struct buf content = {0};
    enum err_code code = gather_open(job, &content, err);
    if (code == ERR_OK && opening->code == ERR_OK) {
        opening->code = pkcs10_parse(buf_view(&content), &state->pkcs10, opening);
    }
    buf_wipe(&content);
    if (code == ERR_OK && opening->code != ERR_OK) {
        code = pkcs10_parse(buf_view(&job->policy->decoy), &state->pkcs10, err);
    }
    if (code == ERR_OK) {
        check_proof(job);
        enroll_end_stage(job, STAGE_DECRYPT);
    }
    return code;
}

// ---- names ----

// Names that cannot be read belong to nobody.
static bool is_same_identity(const struct enroll_job *job, bool is_read)
{
    const struct enroll_state *state = job->state;
    const struct signer_device *device = &state->device;
    const struct names_owner owner = {
        .device_name = device->name,
        .serial_number = device->serial_number,
        .mac = device->mac,
        .domains = &job->policy->settings->phone.domains,
    };
    if (!is_read || state->facts.opening.code != ERR_OK) {
        return false;
    }
    switch (state->signer.signer_class) {
    case SIGNER_OURS:
        return renewal_is_same_identity(X509_get_subject_name(state->request.signer),
                                        csr_subject(state->pkcs10.csr));
    case SIGNER_MIC:
        return names_belong_to_device(&state->names, &owner);
    default:
        return false;
    }
}

// The names that a PKCS#10 asks for, by the rules for everybody and those for subjectAltNames.
static void read_names(struct enroll_job *job)
{
    struct enroll_state *state = job->state;
    struct err *err = &state->facts.names;
    enum settings_san rule = (enum settings_san)job->policy->settings->phone.subject_alt_name;
    err->code = names_read(csr_subject(state->pkcs10.csr), csr_attributes(state->pkcs10.csr),
                           &state->names, err);
    state->facts.is_same_identity = is_same_identity(job, err->code == ERR_OK);
    if (err->code == ERR_OK) {
        err->code = names_check(&state->names, err);
    }
    if (err->code == ERR_OK) {
        err->code = names_choose_sans(&state->names, rule, state->sans, &state->san_count, err);
    }
}

// The certificate's CN is known only after the challenge, whose record may have it.
static void add_names(struct enroll_job *job)
{
    struct enroll_state *state = job->state;
    struct err *err = &state->facts.names;
    const char *common_name = common_name_of(state);
    if (err->code == ERR_OK && common_name[0] != '\0') {
        err->code = names_add_sans(common_name, job->policy->settings, &state->added_names,
                                   state->sans, &state->san_count, err);
    }
}

// ---- what the store says ----

// A PKCS#10 without a CN gets that of its signer, else that of the challenge's record. When there
// are both, the challenge has to be for that signer.
static void choose_common_name(struct enroll_state *state)
{
    struct challenge_result *challenge = &state->challenge;
    if (!state->facts.is_same_identity) {
        state->common_name = challenge->common_name;
        return;
    }
    state->common_name = state->device.name;
    if (state->names.common_name == NULL && challenge->common_name[0] != '\0' &&
        strcmp(state->common_name, challenge->common_name) != 0) {
        challenge->state = CHALLENGE_FOREIGN;
    }
}

static enum err_code check_challenge(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    const struct pkcs10 *pkcs10 = &state->pkcs10;
    const struct challenge_query query = {
        .presented = pkcs10->has_challenge ? buf_view(&pkcs10->challenge) : VIEW_EMPTY,
        .names = &state->names,
        .now = job->now,
    };
    enum err_code code = challenge_check(&job->policy->secrets, state->service->store, &query,
                                         &state->challenge, err);
    if (code == ERR_OK) {
        choose_common_name(state);
        state->facts.challenge = state->challenge.state;
    }
    return code;
}

static bool is_list_asked(const struct enroll_job *job)
{
    const struct signer *signer = &job->state->signer;
    if (job->policy->settings->devices.accept != SETTINGS_DEVICES_LISTED) {
        return false;
    }
    return signer->signer_class == SIGNER_MIC ||
           (signer->signer_class == SIGNER_OURS && signer->certificate.origin == ORIGIN_MIC);
}

static enum err_code check_device(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    const struct device_claim claim = {
        .mac = state->device.mac,
        .serial_number = state->device.serial_number,
        .model = state->device.model,
    };
    if (!is_list_asked(job)) {
        return ERR_OK;
    }
    enum err_code code = devices_check(state->service->store, &claim, &state->listing, err);
    state->facts.device = state->listing.state;
    if (code == ERR_OK && state->listing.is_contradiction && job->report.alarm == NULL) {
        job->report.alarm = "the device list has another serial number or MAC for this device";
        job->report.level = LOG_LEVEL_WARNING;
    }
    return code;
}

static struct transaction_query past_query(const struct enroll_job *job)
{
    const struct enroll_state *state = job->state;
    struct transaction_query query = {
        .pkcs10 = &state->pkcs10,
        .names = &state->names,
        .common_name = state->common_name,
        .mac = state->facts.is_same_identity ? state->device.mac : "",
        .signer_class = state->signer.signer_class,
        .refuse_duplicates =
            job->policy->settings->phone.duplicate_subject == SETTINGS_DUPLICATE_REFUSE,
        .now = job->now,
    };
    memcpy(query.key, state->transaction_key, SHA256_LEN);
    memcpy(query.signer_serial, state->signer.certificate.serial, SERIAL_LEN);
    memcpy(query.challenge_hash, state->challenge.hash, SHA256_LEN);
    return query;
}

// Everything but the past, which polls know already.
static enum err_code gather_content(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    read_names(job);
    enum err_code code = check_challenge(job, err);
    if (code != ERR_OK) {
        return code;
    }
    add_names(job);
    if (state->signer.signer_class == SIGNER_OURS) {
        state->facts.renewal = renewal_judge_time(&state->signer.certificate,
                                                  job->policy->settings->renewal.window_days,
                                                  state->facts.is_signer_key, job->now);
    }
    return check_device(job, err);
}

enum err_code gather_request(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    enum err_code code = open_request(job, err);
    if (code == ERR_OK) {
        code = gather_content(job, err);
    }
    if (code == ERR_OK) {
        const struct transaction_query query = past_query(job);
        code = transaction_find_request(state->service->store, &query, &state->past, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    state->facts.past = state->past.past;
    if (state->facts.opening.code == ERR_OK) {
        report_opened(job);
    }
    return ERR_OK;
}

enum err_code gather_approved(struct enroll_job *job, struct err *err)
{
    struct enroll_state *state = job->state;
    enum err_code code = pkcs10_parse(buf_view(&state->past.pending.csr), &state->pkcs10, err);
    if (code != ERR_OK) {
        return enroll_is_refusal(code)
                   ? err_set(err, ERR_INTERNAL, "an approved request that cannot be read")
                   : code;
    }
    check_proof(job);
    code = gather_content(job, err);
    if (code == ERR_OK) {
        const struct transaction_query query = past_query(job);
        code = transaction_check_approved(state->service->store, &query, &state->past, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    state->facts.past = state->past.past;
    report_opened(job);
    return ERR_OK;
}
