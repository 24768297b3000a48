// SPDX-License-Identifier: Apache-2.0
// Bad input, one case a mistake: an ordinary request is made step by step, and at one step it is
// changed. Also requests that look odd but are right, because real clients send such.
#pragma once

#include "tests/phone/exchange.h"

// What the server must do.
enum expected {
    EXPECT_BAD_ALG, // the first five have the value of their failInfo
    EXPECT_BAD_MESSAGE_CHECK,
    EXPECT_BAD_REQUEST,
    EXPECT_BAD_TIME,
    EXPECT_BAD_CERT_ID,
    EXPECT_UNIFORM, // badRequest without text: nothing may be told about what was in the envelope
    EXPECT_HTTP_400,
    EXPECT_TOO_LARGE, // HTTP 413 for POST, 414 for GET
    EXPECT_ISSUED,
};

// When a case's change happens: right after this step.
enum hostile_step {
    STEP_PLAN,     // keys, names and algorithms chosen; nothing made yet
    STEP_CSR,      // PKCS#10 made; signed again after the change
    STEP_PLAIN,    // PKCS#10 encoded, in draft->plain
    STEP_ENVELOPE, // draft->envelope made
    STEP_CONTENT,  // envelope encoded, in draft->content
    STEP_MESSAGE,  // draft->message signed; its attributes are signed again after the change
    STEP_SIGNED,   // draft->message signed for the last time
    STEP_OCTETS,   // message encoded, in draft->der
};

#define HOSTILE_RDN_LEN (COMMON_NAME_LEN + 4)

// A request in the making. Everything in it is owned but for what the session and plans borrow.
struct draft {
    const struct session *session;
    const struct keymill *mill;
    const struct credential *own; // a certificate of this server's, with its key
    EVP_PKEY *key;                // signs the message
    EVP_PKEY *csr_key;            // signs the PKCS#10; the same key unless a case says otherwise
    struct csr_plan csr_plan;
    const char *rdns[3];
    X509_REQ *csr;
    X509 *signer;              // a change at STEP_PLAN may make it; else made after STEP_CSR
    STACK_OF(X509) * chain;    // enclosed with it; NULL = none
    char rdn[HOSTILE_RDN_LEN]; // storage for a name of the case's own
    struct octets plain;
    const EVP_CIPHER *cipher;
    PKCS7 *envelope;
    struct octets content;
    const EVP_MD *digest;
    struct message_plan plan;
    char transaction_id[TRANSACTION_ID_LEN];
    PKCS7 *message;
    PKCS7_SIGNER_INFO *info; // of draft->message
    struct octets der;
    struct octets echoed_id; // what an answer must repeat; a change may set it
    struct octets echoed_nonce;
};

struct hostile_case {
    const char *name;
    enum expected expected;
    enum hostile_step step;
    void (*change)(struct draft *draft, const char *detail);
    const char *detail;
    const char *words;
};

extern const struct hostile_case hostile_cases[];
extern const size_t hostile_case_count;
// Those that need the manufacturer's certificates of --mic-dir (hostile_mic.c).
extern const struct hostile_case hostile_mic_cases[];
extern const size_t hostile_mic_case_count;

// What the server did, in the words of the list: "issued", "pending", "badRequest: text",
// "http-503"..., or the rule that its answer breaks.
#define VERDICT_LEN TROUBLE_TEXT_LEN
void hostile_judge(const struct session *session, const struct request *request,
                   const struct http_answer *answer, char verdict[VERDICT_LEN]);

// Many requests at once, of which none may be answered with a certificate (hostile_series.c).
struct hostile_series {
    const char *name;
    const char *words;
    bool needs_mics;
    // Sends them, prints what was answered wrongly, returns how many were. Errors: those of making
    // a request.
    enum outcome (*run)(const struct draft *draft, size_t *ret_faults, struct trouble *trouble);
};
extern const struct hostile_series hostile_series[];
extern const size_t hostile_series_count;

// NAME.pem, NAME.key and NAME-chain.pem of --mic-dir. Errors: those of credential_load().
enum outcome hostile_mic_load(const struct session *session, const char *name,
                              struct credential *ret_mic, struct trouble *trouble) MUST_CHECK;

// Changes to what is inside the envelope (hostile_inner.c).
void plan_bits(struct draft *draft, const char *bits);
void plan_exponent(struct draft *draft, const char *exponent);
void plan_ec(struct draft *draft, const char *encoding);
void plan_dsa(struct draft *draft, const char *unused);
void plan_other_csr_key(struct draft *draft, const char *type);
void plan_digest(struct draft *draft, const char *name);
void plan_csr_digest(struct draft *draft, const char *name);
void plan_cipher(struct draft *draft, const char *name);
void plan_challenge(struct draft *draft, const char *challenge);
void plan_challenge_type(struct draft *draft, const char *type);
void plan_rdns(struct draft *draft, const char *kind);
void csr_name_raw(struct draft *draft, const char *kind);
void csr_challenges(struct draft *draft, const char *kind);
void csr_many_sans(struct draft *draft, const char *count);
void csr_broken_san(struct draft *draft, const char *unused);
void plain_change(struct draft *draft, const char *kind);

// Changes to the envelope (hostile_envelope.c).
void envelope_flip(struct draft *draft, const char *part);
void envelope_cut(struct draft *draft, const char *octets);
void envelope_algorithm(struct draft *draft, const char *name);
void envelope_transport(struct draft *draft, const char *name);
void envelope_inner_type(struct draft *draft, const char *unused);
void envelope_recipients(struct draft *draft, const char *kind);
void content_cms(struct draft *draft, const char *kind);
void content_change(struct draft *draft, const char *kind);

// Changes to the signed message (hostile_outer.c).
void plan_type(struct draft *draft, const char *type);
void plan_transaction(struct draft *draft, const char *transaction_id);
void plan_signer(struct draft *draft, const char *kind);
void attribute_remove(struct draft *draft, const char *name);
void attribute_double(struct draft *draft, const char *name);
void attribute_two_values(struct draft *draft, const char *name);
void attribute_utf8(struct draft *draft, const char *name);
void attribute_status(struct draft *draft, const char *status);
void attribute_nonce(struct draft *draft, const char *len);
void attribute_id(struct draft *draft, const char *kind);
void attributes_none(struct draft *draft, const char *unused);
void signed_flip(struct draft *draft, const char *part);
void signed_unsorted(struct draft *draft, const char *unused);
void signed_certs(struct draft *draft, const char *kind);
void signed_signers(struct draft *draft, const char *kind);
void signed_content(struct draft *draft, const char *kind);
void octets_change(struct draft *draft, const char *kind);

// Changes to who signs: with a certificate of the server's (hostile_own.c).
void plan_own(struct draft *draft, const char *kind);

// Helpers of the changes: a number in the table of cases, another key of the mill, and one octet of
// an ASN.1 string flipped
// (`from_end` 1 = the last).
int number_of(const char *detail);
EVP_PKEY *draft_other_key(const struct draft *draft, size_t index);
void flip(ASN1_STRING *string, int from_end);
void octets_replace(struct octets *octets, const void *data, size_t len);
void octets_append(struct octets *octets, const void *data, size_t len);
