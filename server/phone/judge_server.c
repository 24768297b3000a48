// SPDX-License-Identifier: Apache-2.0
// The server's address and its capabilities, as a phone sees them.
#include <string.h>

#include "server/phone/judge.h"
#include "server/phone/words.h"

#define HTTP_OK             200
#define HTTP_REDIRECT_FIRST 300
#define HTTP_REDIRECT_LAST  399

#define STEP_URL  "url"
#define STEP_HTTP "http"
#define STEP_CAPS "caps"

enum finding_level judge_weak(const struct judge *judge)
{
    return judge->is_fips ? FINDING_PROBLEM : FINDING_WARNING;
}

void judge_address(const struct judge *judge, const struct phone_address *address,
                   const char *given)
{
    struct findings *findings = judge->findings;
    if (strcmp(address->scheme, "http") != 0) {
        findings_add(findings, FINDING_PROBLEM, STEP_URL, "URL: \"%s\" is %s, not http", given,
                     address->scheme);
        findings_explain(findings, "A phone's SCEP server is an http URL or an address; https is "
                                   "not supported. It asks nobody.");
        return;
    }
    findings_add(findings, FINDING_OK, STEP_URL, "URL: \"%s\", asked as %s", given, address->url);
    const char *name =
        address->is_ip ? "" : " It needs DNS for the name where it gets its certificate.";
    if (address->has_path) {
        findings_explain(findings, "A phone takes this URL as it is.%s", name);
    } else {
        findings_explain(findings,
                         "Which path a phone asks at a bare address is not documented; "
                         "this is RFC 8894's. A server for phones answers at every path.%s",
                         name);
    }
}

static void list_caps(const struct phone_caps *caps, char list[WORDS_LIST_LEN])
{
    const struct {
        bool is_there;
        const char *word;
    } words[] = {
        {caps->aes, "AES"},
        {caps->des3, "DES3"},
        {caps->post, "POSTPKIOperation"},
        {caps->renewal, "Renewal"},
        {caps->sha1, "SHA-1"},
        {caps->sha256, "SHA-256"},
        {caps->sha512, "SHA-512"},
        {caps->next_ca, "GetNextCACert"},
        {caps->standard, "SCEPStandard"},
    };
    list[0] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].is_there) {
            words_list_add(list, words[i].word);
        }
    }
}

static void judge_lacking(const struct judge *judge, const struct phone_caps *caps)
{
    struct findings *findings = judge->findings;
    const char *fips = " In FIPS mode it cannot go on.";
    if (!caps->aes) {
        findings_add(findings, judge_weak(judge), STEP_CAPS, "GetCACaps: no AES");
        findings_explain(findings, "A phone encrypts its request with triple DES.%s", fips);
    }
    if (!caps->sha256 && !caps->sha512) {
        findings_add(findings, judge_weak(judge), STEP_CAPS, "GetCACaps: no SHA-256");
        findings_explain(findings, "A phone signs its request with SHA-1.%s", fips);
    }
    if (!caps->post) {
        findings_add(findings, FINDING_WARNING, STEP_CAPS, "GetCACaps: no POSTPKIOperation");
        findings_explain(findings, "A phone sends its request as a part of the URL, some 3000 "
                                   "characters; proxies and servers may cut it.");
    }
    if (!caps->renewal) {
        findings_add(findings, FINDING_WARNING, STEP_CAPS, "GetCACaps: no Renewal");
        findings_explain(findings, "A phone that looks for this word asks for a wholly new "
                                   "certificate instead of renewing, with the challenge.");
    }
}

// Whether anybody serves SCEP here; false when a phone does not go on.
static bool judge_status(const struct judge *judge, const struct phone_answer *answer)
{
    struct findings *findings = judge->findings;
    if (answer->status >= HTTP_REDIRECT_FIRST && answer->status <= HTTP_REDIRECT_LAST) {
        findings_add(findings, FINDING_PROBLEM, STEP_HTTP,
                     "HTTP: %s redirects to another place (status %ld)", answer->peer,
                     answer->status);
        findings_explain(findings, "Nothing says that a phone follows; give it the final URL. "
                                   "A redirect to https cannot work.");
        return false;
    }
    findings_add(findings, FINDING_OK, STEP_HTTP, "HTTP: %s answers", answer->peer);
    return true;
}

struct phone_caps judge_caps(const struct judge *judge, const struct phone_answer *answer)
{
    char list[WORDS_LIST_LEN];
    struct findings *findings = judge->findings;
    struct phone_caps caps = {0};
    if (!judge_status(judge, answer)) {
        return caps;
    }
    if (answer->status != HTTP_OK) {
        findings_add(findings, FINDING_WARNING, STEP_CAPS, "GetCACaps: HTTP status %ld",
                     answer->status);
        findings_explain(findings, "A phone that asks for capabilities takes it that there are "
                                   "none.");
    } else {
        caps = phone_caps_read(buf_view(&answer->body));
        list_caps(&caps, list);
        findings_add(findings, caps.known > 0 ? FINDING_OK : FINDING_WARNING, STEP_CAPS,
                     "GetCACaps: %s", caps.known > 0 ? list : "no known keyword");
        findings_explain(findings, "A phone chooses %s and %s.",
                         caps.sha256 || caps.sha512 ? "SHA-256" : "SHA-1",
                         caps.aes ? "AES" : "triple DES");
    }
    judge_lacking(judge, &caps);
    return caps;
}
