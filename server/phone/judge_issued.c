// SPDX-License-Identifier: Apache-2.0
// The certificate a phone got: whether it is its own, chains to what it trusts, and will do.
#include <string.h>

#include "conf/base/clock.h"
#include "conf/limits.h"
#include "server/phone/judge.h"
#include "server/phone/words.h"

#define STEP_CERT    "certificate"
#define STEP_RENEWAL "renewal"

#define SERIAL_DIGITS_MAX 64 // of a serial number that is shown
#define CLOCK_SLACK_SEC   60 // what two well-kept clocks may differ

static X509 *find_own(const STACK_OF(X509) * certs, EVP_PKEY *key, int *ret_at)
{
    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *cert = sk_X509_value(certs, i);
        const EVP_PKEY *certified = X509_get0_pubkey(cert);
        if (certified != NULL && EVP_PKEY_eq(certified, key) == 1) {
            *ret_at = i;
            return cert;
        }
    }
    return NULL;
}

static void show(const struct judge *judge, const X509 *cert)
{
    char name[WORDS_NAME_LEN];
    char words[WORDS_CERT_LEN];
    const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
    CLEANUP(cleanup_BN_free) BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    char *digits = number != NULL ? BN_bn2hex(number) : NULL;
    findings_add(judge->findings, FINDING_OK, STEP_CERT,
                 "certificate: \"%s\", serial number %.*s, %s",
                 words_name(X509_get_subject_name(cert), name), SERIAL_DIGITS_MAX,
                 digits != NULL ? digits : "?", words_cert(cert, words));
    OPENSSL_free(digits);
}

static void judge_name(const struct judge *judge, const X509 *cert, const char *common_name)
{
    char name[WORDS_NAME_LEN];
    words_common_name(cert, name);
    if (strcmp(name, common_name) != 0) {
        findings_add(judge->findings, FINDING_WARNING, STEP_CERT,
                     "certificate: its common name is \"%s\", asked for was \"%s\"", name,
                     common_name);
        findings_explain(judge->findings, "802.1X servers see the certificate's name; some "
                                          "clients drop a certificate that is not in theirs.");
    }
}

// Uses (RFC 5280, 4.2.1.3 and 4.2.1.12): EAP-TLS signs; the answer to a renewal is encrypted for
// this certificate.
static void judge_usage(const struct judge *judge, X509 *cert)
{
    struct findings *findings = judge->findings;
    size_t before = findings->count;
    uint32_t usage = phone_key_usage(cert, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    bool has_purposes = (X509_get_extension_flags(cert) & EXFLAG_XKUSAGE) != 0;
    if ((usage & KU_DIGITAL_SIGNATURE) == 0) {
        findings_add(findings, FINDING_PROBLEM, STEP_CERT,
                     "certificate: KeyUsage without digitalSignature");
        findings_explain(findings, "802.1X by EAP-TLS cannot work with it.");
    }
    if ((usage & KU_KEY_ENCIPHERMENT) == 0) {
        findings_add(findings, FINDING_WARNING, STEP_CERT,
                     "certificate: KeyUsage without keyEncipherment");
        findings_explain(findings, "A renewal's answer is encrypted for it; a phone or server "
                                   "that looks at KeyUsage refuses that.");
    }
    if (has_purposes && (X509_get_extended_key_usage(cert) & (XKU_SSL_CLIENT | XKU_ANYEKU)) == 0) {
        findings_add(findings, FINDING_PROBLEM, STEP_CERT,
                     "certificate: extendedKeyUsage without clientAuth");
        findings_explain(findings, "802.1X servers refuse it as a client's certificate.");
    }
    if (X509_check_ca(cert) != 0) {
        findings_add(findings, FINDING_PROBLEM, STEP_CERT, "certificate: it is a CA's");
        findings_explain(findings, "Whoever has a phone's key could make certificates.");
    }
    if (findings->count == before) {
        findings_add(findings, FINDING_OK, STEP_CERT,
                     "certificate: KeyUsage and extendedKeyUsage are those of a TLS client");
        findings_explain(findings, "802.1X by EAP-TLS can work with it.");
    }
}

static void judge_times(const struct judge *judge, const X509 *cert)
{
    struct findings *findings = judge->findings;
    int64_t from = 0;
    int64_t until = 0;
    if (!ossl_time_read(X509_get0_notBefore(cert), &from) ||
        !ossl_time_read(X509_get0_notAfter(cert), &until)) {
        findings_add(findings, FINDING_PROBLEM, STEP_CERT, "certificate: its dates cannot be read");
        return;
    }
    if (from > judge->now || until < judge->now) {
        findings_add(findings, FINDING_PROBLEM, STEP_CERT, "certificate: %s",
                     from > judge->now ? "its validity begins in the future" : "it has expired");
        findings_explain(findings, "By the clock of this machine it cannot be used now; compare "
                                   "the server's.");
    }
    if (until - judge->now <= PHONE_RENEWS_BEFORE_DAYS * (int64_t)DAY_SEC) {
        findings_add(findings, FINDING_WARNING, STEP_CERT,
                     "certificate: it ends in %jd days, within the %d in which phones renew",
                     (intmax_t)WORDS_DAYS(judge->now, until), PHONE_RENEWS_BEFORE_DAYS);
        findings_explain(findings, "A phone renews it every 4 hours, for ever.");
    }
}

static void judge_strength(const struct judge *judge, const X509 *cert)
{
    if (judge_is_hash_weak(cert)) {
        findings_add(judge->findings, judge_weak(judge), STEP_CERT,
                     "certificate: signed with an outdated hash");
        findings_explain(judge->findings, "802.1X servers and phones in FIPS mode refuse it.");
    }
}

static void judge_chain(const struct judge *judge, const struct phone_authority *authority,
                        X509 *cert, STACK_OF(X509) * others)
{
    struct err err = {0};
    if (phone_authority_check_chain(authority, cert, others, judge->now, &err) == ERR_OK) {
        findings_add(judge->findings, FINDING_OK, STEP_CERT, "certificate: leads to the root");
        return;
    }
    findings_add(judge->findings, FINDING_PROBLEM, STEP_CERT,
                 "certificate: does not lead to the root: %s", err.text);
    findings_explain(judge->findings, "Neither the phone nor an 802.1X server that trusts the "
                                      "root takes it.");
}

// The time to judge at: a server that does not date back may be some seconds ahead.
static int64_t judging_time(const struct judge *judge, const X509 *cert)
{
    int64_t from = 0;
    bool is_soon = ossl_time_read(X509_get0_notBefore(cert), &from) && from > judge->now &&
                   from - judge->now <= CLOCK_SLACK_SEC;
    if (is_soon) {
        findings_add(judge->findings, FINDING_WARNING, STEP_CERT,
                     "certificate: its validity begins in %jd seconds",
                     (intmax_t)(from - judge->now));
        findings_explain(judge->findings, "Whoever's clock is behind the server's refuses it at "
                                          "first; servers had better date back some minutes.");
    }
    return is_soon ? from : judge->now;
}

X509 *judge_issued(const struct judge *judge, const struct phone_authority *authority,
                   const struct phone_request *request, const struct phone_reply *reply,
                   const char *common_name)
{
    int at = 0;
    X509 *cert = find_own(reply->certs, request->key, &at);
    if (cert == NULL) {
        findings_add(judge->findings, FINDING_PROBLEM, STEP_CERT,
                     "certificate: none in the answer is for the request's key");
        findings_explain(judge->findings, "A phone can do nothing with it.");
        return NULL;
    }
    show(judge, cert);
    if (at != 0) {
        findings_add(judge->findings, FINDING_WARNING, STEP_CERT,
                     "certificate: it is number %d in the answer", at + 1);
        findings_explain(judge->findings, "Many clients take the first certificate for theirs.");
    }
    struct judge then = *judge;
    then.now = judging_time(judge, cert);
    judge_name(&then, cert, common_name);
    judge_chain(&then, authority, cert, reply->certs);
    judge_usage(&then, cert);
    judge_strength(&then, cert);
    judge_times(&then, cert);
    return cert;
}

void judge_renewal(const struct judge *judge, X509 *cert, bool is_by_mic)
{
    char date[CLOCK_TEXT_LEN];
    int64_t until = 0;
    if (!ossl_time_read(X509_get0_notAfter(cert), &until)) {
        return;
    }
    clock_format(until - PHONE_RENEWS_BEFORE_DAYS * (int64_t)DAY_SEC, date);
    findings_add(judge->findings, FINDING_OK, STEP_RENEWAL, "renewal: from %s on", date);
    findings_explain(judge->findings,
                     "A phone looks every 4 hours, and proves who it is by %s. The trial's own "
                     "certificate is real: revoke it when it has served.",
                     is_by_mic ? "its manufacturer's certificate again"
                               : "the certificate that it has; the challenge is for the first "
                                 "time only");
}
