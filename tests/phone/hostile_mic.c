// SPDX-License-Identifier: Apache-2.0
// Requests signed with a manufacturer's certificate, genuine or not, from the folder --mic-dir. The
// server trusts the genuine roots and intermediates of that folder, by its default policy.
#include "tests/phone/hostile.h"

#include <stdio.h>
#include <string.h>

#define OTHER_DEVICE "CP-9871-SEP0000000000FF"

enum outcome hostile_mic_load(const struct session *session, const char *name,
                              struct credential *ret_mic, struct trouble *trouble)
{
    const char *folder = session->options->mic_folder;
    char cert[PATH_LEN_MAX] = "";
    char key[PATH_LEN_MAX] = "";
    char chain[PATH_LEN_MAX] = "";
    snprintf(cert, sizeof cert, "%s/%s.pem", folder, name);
    snprintf(key, sizeof key, "%s/%s.key", folder, name);
    snprintf(chain, sizeof chain, "%s/%s-chain.pem", folder, name);
    // What a root signed itself has no chain.
    struct octets content = {0};
    bool has_chain = file_load(chain, &content, trouble) == OUTCOME_OK && content.len > 0;
    octets_done(&content);
    const struct credential_files files = {
        .cert = cert, .key = key, .chain = has_chain ? chain : NULL};
    return credential_load(&files, ret_mic, trouble);
}

// The phone signs with this MIC and has a new key in its PKCS#10, which asks for the MIC's own
// common name and has no challenge.
static void plan_mic(struct draft *draft, const char *name)
{
    struct credential mic = {0};
    struct trouble trouble = {0};
    if (hostile_mic_load(draft->session, name, &mic, &trouble) != OUTCOME_OK) {
        fprintf(stderr, "phone: %s\n", trouble.text);
        die("reading a MIC");
    }
    draft->csr_key = draft->key;
    draft->key = mic.key;
    draft->signer = mic.cert;
    draft->chain = mic.chain;
    draft->csr_plan.challenge = NULL;
    char common_name[COMMON_NAME_LEN] = "";
    draft->csr_plan.rdn_count = cert_common_name(mic.cert, common_name) ? 1 : 0;
    snprintf(draft->rdn, sizeof draft->rdn, "CN=%s", common_name);
    draft->rdns[0] = draft->rdn;
}

static void plan_mic_renewal(struct draft *draft, const char *name)
{
    plan_mic(draft, name);
    draft->plan.type = MESSAGE_TYPE_RENEWAL;
}

static void plan_mic_chain_first(struct draft *draft, const char *name)
{
    plan_mic(draft, name);
    draft->plan.is_chain_first = true;
}

static void plan_mic_other_name(struct draft *draft, const char *name)
{
    plan_mic(draft, name);
    draft->rdns[0] = "CN=" OTHER_DEVICE;
}

static void plan_mic_other_san(struct draft *draft, const char *name)
{
    static const char *const names[] = {OTHER_DEVICE};
    plan_mic(draft, name);
    draft->csr_plan.dns_names = names;
    draft->csr_plan.dns_name_count = 1;
}

static void plan_mic_other_domain(struct draft *draft, const char *name)
{
    plan_mic(draft, name);
    size_t used = strlen(draft->rdn);
    snprintf(draft->rdn + used, sizeof draft->rdn - used, ".evil.example");
}

// A genuine MIC with one bit of its signature changed.
static void plan_mic_flipped(struct draft *draft, const char *name)
{
    plan_mic(draft, name);
    const ASN1_BIT_STRING *signature = NULL;
    X509_get0_signature(&signature, NULL, draft->signer);
    flip((ASN1_BIT_STRING *)signature, 1);
}

// A genuine MIC with another phone's key and signature on the message.
static void plan_mic_stolen(struct draft *draft, const char *name)
{
    plan_mic(draft, name);
    EVP_PKEY_free(draft->key);
    draft->key = draft_other_key(draft, 0);
}

const struct hostile_case hostile_mic_cases[] = {
    {"mic-forged", EXPECT_BAD_REQUEST, STEP_PLAN, plan_mic, "forged-9871",
     "all names right, another root"},
    {"mic-forged-renewal", EXPECT_BAD_REQUEST, STEP_PLAN, plan_mic_renewal, "forged-9871",
     "the same as RenewalReq"},
    {"mic-forged-serial", EXPECT_BAD_REQUEST, STEP_PLAN, plan_mic, "forged-serial",
     "issuer and serial number of a genuine one, another key"},
    {"mic-lookalike", EXPECT_BAD_REQUEST, STEP_PLAN, plan_mic, "lookalike-9871",
     "an issuer whose name is nearly right"},
    {"mic-minted", EXPECT_BAD_REQUEST, STEP_PLAN, plan_mic, "minted-9871",
     "signed by a phone as if that were a CA"},
    {"mic-self", EXPECT_BAD_REQUEST, STEP_PLAN, plan_mic, "self-9871",
     "a MIC's subject, self-signed"},
    {"mic-self-renewal", EXPECT_BAD_REQUEST, STEP_PLAN, plan_mic_renewal, "self-9871",
     "the same as RenewalReq"},
    {"mic-flipped", EXPECT_BAD_REQUEST, STEP_PLAN, plan_mic_flipped, "phone-9871",
     "a bit of the MIC's signature"},
    {"mic-stolen", EXPECT_BAD_MESSAGE_CHECK, STEP_PLAN, plan_mic_stolen, "phone-9871",
     "a genuine MIC without its key"},
    {"mic-other-name", EXPECT_BAD_REQUEST, STEP_PLAN, plan_mic_other_name, "phone-9871",
     "another phone's name"},
    {"mic-other-san", EXPECT_BAD_REQUEST, STEP_PLAN, plan_mic_other_san, "phone-9871",
     "another phone's name as dNSName"},
    {"mic-other-domain", EXPECT_BAD_REQUEST, STEP_PLAN, plan_mic_other_domain, "phone-9871",
     "a domain that is not allowed"},
    {"mic-generic", EXPECT_BAD_REQUEST, STEP_PLAN, plan_mic, "generic",
     "the certificate that many devices share"},
    {"mic-newline", EXPECT_BAD_REQUEST, STEP_PLAN, plan_mic, "phone-newline",
     "a line break in the MIC's common name"},
    {"mic-nul", EXPECT_BAD_REQUEST, STEP_PLAN, plan_mic, "phone-nul",
     "a NUL in the MIC's common name; what stands before it is asked for"},
    {"mic-quotes", EXPECT_BAD_REQUEST, STEP_PLAN, plan_mic, "phone-quotes",
     "quotes and a command in the MIC's common name"},
    {"mic-expired", EXPECT_BAD_TIME, STEP_PLAN, plan_mic, "phone-expired", "an expired MIC"},
    {"mic-future", EXPECT_BAD_TIME, STEP_PLAN, plan_mic, "phone-future", "a MIC of tomorrow"},
    {"mic-ec", EXPECT_BAD_ALG, STEP_PLAN, plan_mic, "phone-ec",
     "a MIC that cannot receive the answer"},
    {"ok-mic", EXPECT_ISSUED, STEP_PLAN, plan_mic, "phone-9871", "a genuine phone"},
    {"ok-mic-again", EXPECT_ISSUED, STEP_PLAN, plan_mic, "phone-9871", "the same once more"},
    {"ok-mic-renewal", EXPECT_ISSUED, STEP_PLAN, plan_mic_renewal, "phone-9871", "as RenewalReq"},
    {"ok-mic-chain-first", EXPECT_ISSUED, STEP_PLAN, plan_mic_chain_first, "phone-9871",
     "its chain in the wrong order"},
    {"ok-mic-bmp", EXPECT_ISSUED, STEP_PLAN, plan_mic, "phone-bmp",
     "the MIC's common name is a BMPString"},
    {"ok-mic-multi", EXPECT_ISSUED, STEP_PLAN, plan_mic, "phone-multi",
     "the MIC's subject has an RDN of several values"},
    {"ok-mic-9999", EXPECT_ISSUED, STEP_PLAN, plan_mic, "phone-9999", "a MIC that never ends"},
};
const size_t hostile_mic_case_count = sizeof hostile_mic_cases / sizeof hostile_mic_cases[0];
