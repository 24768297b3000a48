// SPDX-License-Identifier: Apache-2.0
// The certificates of GetCACert, as a phone sees them.
#include <string.h>

#include "conf/limits.h"
#include "server/phone/judge.h"
#include "server/phone/words.h"

#define STEP_CERTS "ca_certificates"
#define STEP_CERT  "ca_certificate"
#define STEP_ROOT  "root"
#define STEP_CHAIN "chain"
#define STEP_RA    "ra"

#define TYPE_CERT   "application/x-x509-ca-cert"
#define TYPE_BUNDLE "application/x-x509-ca-ra-cert"

#define SOON_DAYS 30 // a CA or RA certificate that ends within these is worth a word

// Flaws of one certificate, gathered into one finding.
struct flaws {
    enum finding_level level;
    char list[WORDS_LIST_LEN];
};

static void add_flaw(struct flaws *flaws, enum finding_level level, const char *flaw)
{
    flaws->level = level > flaws->level ? level : flaws->level;
    words_list_add(flaws->list, flaw);
}

bool judge_is_hash_weak(const X509 *cert)
{
    int digest_nid = NID_undef;
    return OBJ_find_sigid_algs(X509_get_signature_nid(cert), &digest_nid, NULL) == 1 &&
           (digest_nid == NID_sha1 || digest_nid == NID_md5);
}

static bool is_rsa_below(const X509 *cert, int bits)
{
    const EVP_PKEY *key = X509_get0_pubkey(cert);
    return key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
           EVP_PKEY_get_bits(key) < bits;
}

static void judge_times(const struct judge *judge, const X509 *cert, enum finding_level gravest,
                        struct flaws *flaws)
{
    int64_t from = 0;
    int64_t until = 0;
    if (!ossl_time_read(X509_get0_notBefore(cert), &from) ||
        !ossl_time_read(X509_get0_notAfter(cert), &until)) {
        add_flaw(flaws, gravest, "its dates cannot be read");
    } else if (until < judge->now) {
        add_flaw(flaws, gravest, "it has expired");
    } else if (from > judge->now) {
        add_flaw(flaws, gravest, "it is not valid yet");
    } else if (WORDS_DAYS(judge->now, until) < SOON_DAYS) {
        add_flaw(flaws, FINDING_WARNING, "it ends within 30 days");
    }
}

static void judge_one(const struct judge *judge, const struct phone_authority *authority,
                      X509 *cert)
{
    char name[WORDS_NAME_LEN];
    char words[WORDS_CERT_LEN];
    char fingerprint[PIN_TEXT_LEN];
    struct flaws flaws = {.level = FINDING_OK};
    bool is_used =
        cert == authority->root || cert == authority->recipient || cert == authority->issuing;
    judge_times(judge, cert, is_used ? FINDING_PROBLEM : FINDING_WARNING, &flaws);
    if (is_rsa_below(cert, LIMIT_RSA_BITS_MIN)) {
        add_flaw(&flaws, judge_weak(judge), "its RSA key is below 2048 bits");
    }
    // Nobody checks the signature of a certificate that is trusted by its fingerprint.
    if (judge_is_hash_weak(cert) && !ossl_is_self_issued(cert)) {
        add_flaw(&flaws, judge_weak(judge), "it is signed with an outdated hash");
    }
    findings_add(judge->findings, flaws.level, STEP_CERT, "%s: \"%s\", %s, %s fingerprint %s",
                 phone_authority_role(authority, cert),
                 words_name(X509_get_subject_name(cert), name), words_cert(cert, words),
                 pin_digest_name(judge->pin), pin_format_cert(judge->pin, cert, fingerprint));
    if (flaws.level != FINDING_OK) {
        findings_explain(judge->findings, "Wrong with it: %s.", flaws.list);
    }
}

static void judge_type(const struct judge *judge, const struct phone_authority *authority,
                       const struct phone_answer *answer)
{
    const char *right = authority->is_bundle ? TYPE_BUNDLE : TYPE_CERT;
    bool is_right = strcmp(answer->type, right) == 0;
    int count = sk_X509_num(authority->certs);
    findings_add(judge->findings, is_right ? FINDING_OK : FINDING_WARNING, STEP_CERTS,
                 "GetCACert: %d certificate%s as %s, %zu octets", count, count == 1 ? "" : "s",
                 answer->type[0] != '\0' ? answer->type : "nothing (no Content-Type)",
                 answer->body.len);
    if (!is_right) {
        findings_explain(judge->findings,
                         "For this content RFC 8894 wants %s, exactly; clients that look at the "
                         "type stop here.",
                         right);
    }
}

static X509 *find_self_issued(const struct phone_authority *authority)
{
    for (int i = 0; i < sk_X509_num(authority->certs); i++) {
        X509 *cert = sk_X509_value(authority->certs, i);
        if (ossl_is_self_issued(cert)) {
            return cert;
        }
    }
    return NULL;
}

static void judge_missing_root(const struct judge *judge, const struct phone_authority *authority)
{
    char fingerprint[PIN_TEXT_LEN];
    X509 *other = find_self_issued(authority);
    findings_add(judge->findings, FINDING_PROBLEM, STEP_ROOT,
                 "root: no certificate of GetCACert has the given %s fingerprint",
                 pin_digest_name(judge->pin));
    if (other == NULL) {
        findings_explain(judge->findings, "A phone looks for its root in this answer, does not "
                                          "find it, and stops. There is no root in it at all: "
                                          "the server must send it along.");
    } else {
        findings_explain(judge->findings,
                         "A phone does not trust this server, and stops. The root that is there "
                         "has %s: give phones that one if this is your server.",
                         pin_format_cert(judge->pin, other, fingerprint));
    }
}

// Whether a phone goes on.
static bool judge_root(const struct judge *judge, const struct phone_authority *authority)
{
    char name[WORDS_NAME_LEN];
    X509 *root = authority->root;
    if (root == NULL) {
        judge_missing_root(judge, authority);
        return false;
    }
    bool is_good = ossl_is_self_issued(root) || X509_check_ca(root) != 0;
    words_name(X509_get_subject_name(root), name);
    if (ossl_is_self_issued(root)) {
        findings_add(judge->findings, FINDING_OK, STEP_ROOT,
                     "root: \"%s\" has the given %s fingerprint", name,
                     pin_digest_name(judge->pin));
        findings_explain(judge->findings, "A phone trusts what chains to it.");
    } else {
        findings_add(judge->findings, is_good ? FINDING_WARNING : FINDING_PROBLEM, STEP_ROOT,
                     "root: the given %s fingerprint is that of \"%s\", which is no root",
                     pin_digest_name(judge->pin), name);
        findings_explain(judge->findings, "Phones are documented to compare the root's. Give "
                                          "them that one.");
    }
    return is_good;
}

static void judge_chains(const struct judge *judge, const struct phone_authority *authority)
{
    unsigned bad = 0;
    for (int i = 0; i < sk_X509_num(authority->certs); i++) {
        struct err err = {0};
        char name[WORDS_NAME_LEN];
        X509 *cert = sk_X509_value(authority->certs, i);
        bool is_used = cert == authority->recipient || cert == authority->issuing;
        if (phone_authority_check_chain(authority, cert, NULL, judge->now, &err) == ERR_OK) {
            continue;
        }
        bad++;
        findings_add(judge->findings, is_used ? FINDING_PROBLEM : FINDING_WARNING, STEP_CHAIN,
                     "chain: \"%s\" does not lead to the root: %s",
                     words_name(X509_get_subject_name(cert), name), err.text);
        findings_explain(judge->findings, "%s",
                         is_used ? "A phone that checks it does not trust this server."
                                 : "A phone does not need this one.");
    }
    if (bad == 0) {
        findings_add(judge->findings, FINDING_OK, STEP_CHAIN,
                     "chain: all certificates lead to the root");
    }
}

// The certificate that requests are encrypted for.
static void judge_recipient(const struct judge *judge, const struct phone_authority *authority)
{
    const uint32_t both = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
    char name[WORDS_NAME_LEN];
    X509 *cert = authority->recipient;
    if (cert == NULL) {
        findings_add(judge->findings, FINDING_PROBLEM, STEP_RA,
                     "RA: no certificate has an RSA key and KeyUsage keyEncipherment");
        findings_explain(judge->findings, "A phone has nobody to encrypt its request for.");
        return;
    }
    words_name(X509_get_subject_name(cert), name);
    uint32_t usage = phone_key_usage(cert, 0);
    bool is_ca = X509_check_ca(cert) != 0;
    if ((usage & both) == both) {
        findings_add(judge->findings, FINDING_OK, STEP_RA,
                     "RA: \"%s\" has KeyUsage digitalSignature and keyEncipherment", name);
        findings_explain(judge->findings, "A phone encrypts its request for %s.",
                         is_ca ? "the CA itself" : "this RA");
    } else if ((usage & KU_KEY_ENCIPHERMENT) != 0) {
        findings_add(judge->findings, FINDING_WARNING, STEP_RA,
                     "RA: \"%s\" has KeyUsage keyEncipherment without digitalSignature", name);
        findings_explain(judge->findings, "Answers are signed by another certificate; RFC 8894 "
                                          "wants one for both, and not every client copes.");
    } else {
        findings_add(judge->findings, FINDING_WARNING, STEP_RA,
                     "RA: \"%s\" is all there is, without KeyUsage keyEncipherment", name);
        findings_explain(judge->findings, "A phone that looks at KeyUsage finds nobody to "
                                          "encrypt its request for; others take this one.");
    }
}

void judge_authority(const struct judge *judge, const struct phone_authority *authority,
                     const struct phone_answer *answer)
{
    judge_type(judge, authority, answer);
    for (int i = 0; i < sk_X509_num(authority->certs); i++) {
        judge_one(judge, authority, sk_X509_value(authority->certs, i));
    }
    if (judge_root(judge, authority)) {
        judge_chains(judge, authority);
        judge_recipient(judge, authority);
    }
}
