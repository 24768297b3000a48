// SPDX-License-Identifier: Apache-2.0
#include "ra/claim.h"

#include <string.h>

#include "ra/enroll_state.h"

// SHA-1 can be forged and a generic certificate is everybody's; one that is only out of its time
// still names its device.
static bool is_signer_proven(const struct signer *signer)
{
    switch (signer->state) {
    case SIGNER_GOOD:
    case SIGNER_EXPIRED:
    case SIGNER_NOT_YET_VALID:
        return signer->signer_class == SIGNER_OURS || signer->signer_class == SIGNER_MIC;
    default:
        return signer->signer_class == SIGNER_OURS;
    }
}

// By a challenge or an administrator, to who has the key that is asked for.
static bool is_authorised(const struct enroll_job *job)
{
    const struct facts *facts = &job->state->facts;
    bool is_allowed = facts->challenge == CHALLENGE_STATIC ||
                      facts->challenge == CHALLENGE_ONE_TIME || facts->past == PAST_APPROVED;
    return job->report.is_opened && facts->is_signer_key && facts->proof.code == ERR_OK &&
           is_allowed;
}

static void fill(char *to, size_t size, const char *text)
{
    if (to[0] == '\0') {
        store_event_text(to, size, text);
    }
}

static void fill_names(struct enroll_report *report, const struct identity *identity)
{
    const char *name =
        identity->device_name[0] != '\0' ? identity->device_name : identity->common_name;
    fill(report->common_name, sizeof report->common_name, name);
    fill(report->mac, sizeof report->mac, identity->mac);
    fill(report->model, sizeof report->model, identity->model);
    fill(report->serial_number, sizeof report->serial_number, identity->serial_number);
}

// What cannot be read claims nothing.
static void read_names(struct enroll_job *job)
{
    const struct enroll_state *state = job->state;
    struct identity identity = {0};
    if (is_signer_proven(&state->signer)) {
        fill(job->report.common_name, sizeof job->report.common_name, state->device.name);
    } else if (state->request.signer != NULL &&
               identity_read(X509_get_subject_name(state->request.signer), &identity, NULL) ==
                   ERR_OK) {
        fill_names(&job->report, &identity);
    }
}

static void read_issuer(struct enroll_job *job)
{
    const struct enroll_state *state = job->state;
    const struct signer *signer = &state->signer;
    bool is_foreign = signer->signer_class == SIGNER_UNKNOWN ||
                      (signer->signer_class == SIGNER_MIC && signer->state != SIGNER_GOOD);
    if (job->report.is_signer_known && is_foreign && state->request.signer != NULL) {
        ossl_name_print(X509_get_issuer_name(state->request.signer), job->report.mic_issuer,
                        sizeof job->report.mic_issuer);
    }
}

void claim_note(struct enroll_job *job)
{
    struct enroll_report *report = &job->report;
    bool is_waiting = strcmp(report->decision, "pending") == 0;
    if (job->state == NULL || (report->refusal == REFUSAL_NONE && !is_waiting)) {
        return;
    }
    bool is_of_request = report->is_opened && report->common_name[0] != '\0';
    if (report->common_name[0] == '\0') {
        read_names(job);
    }
    read_issuer(job);
    bool is_named = report->common_name[0] != '\0' || report->mac[0] != '\0';
    bool is_own = is_signer_proven(&job->state->signer) &&
                  (!is_of_request || job->state->facts.is_same_identity);
    report->is_claimed = is_named && !is_own && !is_authorised(job);
}
