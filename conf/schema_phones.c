// SPDX-License-Identifier: Apache-2.0
// The table's second part: which phones get a certificate, and what is in it.
#include "conf/limits.h"
#include "conf/schema_table.h"

#define JITTER_MAX      365
#define DAYS_MAX        3650
#define PENDING_MAX     10000
#define EXPIRY_DAYS_MAX 365
#define FAILURES_MAX    100000

static const char *const fail_infos[] = {
    [SETTINGS_FAIL_BAD_REQUEST] = "badRequest",
    [SETTINGS_FAIL_BAD_MESSAGE_CHECK] = "badMessageCheck",
    [SETTINGS_FAIL_BAD_MESSAGE_CHECK + 1] = NULL,
};
static const char *const mic_classes[] = {
    [SETTINGS_MIC_PHONE] = "phone",
    [SETTINGS_MIC_SPA] = "spa",
    [SETTINGS_MIC_OTHER] = "other",
    [SETTINGS_MIC_OTHER + 1] = NULL,
};
static const char *const device_policies[] = {
    [SETTINGS_DEVICES_ANY] = "any",
    [SETTINGS_DEVICES_LISTED] = "listed",
    [SETTINGS_DEVICES_LISTED + 1] = NULL,
};
static const char *const unknown_policies[] = {
    [SETTINGS_UNKNOWN_REFUSE] = "refuse",
    [SETTINGS_UNKNOWN_PENDING] = "pending",
    [SETTINGS_UNKNOWN_PENDING + 1] = NULL,
};
static const char *const proven_challenges[] = {
    [SETTINGS_PROVEN_IGNORE] = "ignore",
    [SETTINGS_PROVEN_STRICT] = "strict",
    [SETTINGS_PROVEN_STRICT + 1] = NULL,
};
static const char *const san_policies[] = {
    [SETTINGS_SAN_MATCHING] = "matching",
    [SETTINGS_SAN_NONE] = "none",
    [SETTINGS_SAN_REFUSE] = "refuse",
    [SETTINGS_SAN_REFUSE + 1] = NULL,
};
static const char *const duplicate_policies[] = {
    [SETTINGS_DUPLICATE_ALLOW] = "allow",
    [SETTINGS_DUPLICATE_REFUSE] = "refuse",
    [SETTINGS_DUPLICATE_REFUSE + 1] = NULL,
};
static const char *const added_sans[] = {
    [SETTINGS_ADD_DNS] = "dns",
    [SETTINGS_ADD_EMAIL] = "email",
    [SETTINGS_ADD_UPN] = "upn",
    [SETTINGS_ADD_UPN + 1] = NULL,
};

static const struct schema_group groups[] = {
    {.name = "challenge",
     .words = "The passwords by which a new phone proves that it may have a certificate."},
    {.name = "mic",
     .words = "Trust stores for manufacturer's certificates (MIC, SUDI), by which a phone proves "
              "which one it is without a password. Each entry of this list is one store with a "
              "policy of its own; mic-cisco.conf has one for each line of phones.",
     .most = SETTINGS_MIC_STORES_MAX,
     .offset = offsetof(struct settings, mic),
     .entry_size = sizeof(struct settings_mic_store),
     .count_offset = offsetof(struct settings, mic_count)},
    {.name = "devices", .words = "Which genuine phones are let in."},
    {.name = "renewal", .words = "When a phone that has a certificate gets the next one."},
    {.name = "approval", .words = "Requests that wait for somebody to decide."},
    {.name = "phone", .words = "What goes into the certificates of phones."},
};

static const struct schema_item items[] = {
    {.name = "challenge.static_file",
     .type = SCHEMA_FILE,
     FIELD(challenge.static_file),
     .example = "/etc/scepd/static-challenge",
     .words = "A file whose first line is one challenge that is good for every phone and never "
              "expires. Whoever learns it gets certificates, so prefer one-time challenges and set "
              "this only while a fleet is rolled out; the server warns of it in its log."},
    {.name = "challenge.key_file",
     .type = SCHEMA_FILE,
     FIELD(challenge.key_file),
     .initial = "/etc/scepd/challenge.key",
     .example = "challenge.key",
     .words = "A file of 32 or more random octets with which one-time challenges are hashed before "
              "they are stored. With another key no challenge that was given out before is valid "
              "any more."},
    {.name = "challenge.fail_info",
     .type = SCHEMA_ENUM,
     .choices = fail_infos,
     FIELD(challenge.fail_info),
     .initial = "badRequest",
     .example = "badMessageCheck",
     .words = "The failInfo a phone gets for a wrong, expired or missing challenge, and for every "
              "other failure before the challenge is known to be right. Try the other one if the "
              "phones do not ask their users for the password again."},
    {.name = "challenge.failures_per_minute",
     INTEGER(0, FAILURES_MAX),
     FIELD(challenge.failures_per_minute),
     .initial = "60",
     .example = "600",
     .words = "How many requests with a wrong challenge one address may send a minute; further "
              "ones are told to come again (HTTP status 503) without being looked at, until some "
              "time has passed. 0 means no limit. Phones that sign with a certificate are never "
              "limited. Raise it when many phones come through one proxy or address translator."},

    {.name = "mic.name",
     .type = SCHEMA_LABEL,
     MIC_FIELD(name),
     .example = "cisco-m2",
     .presence = SCHEMA_REQUIRED,
     .words =
         "What this trust store is called in the log and by scepctl. Each needs another name."},
    {.name = "mic.roots",
     .type = SCHEMA_FILE_LIST,
     .min = 1,
     MIC_FIELD(roots),
     .example = "mic/crcam2.pem",
     .presence = SCHEMA_REQUIRED,
     .words = "The root certificates in which a manufacturer's certificate may end, PEM or DER."},
    {.name = "mic.intermediates",
     .type = SCHEMA_FILE_LIST,
     MIC_FIELD(intermediates),
     .example = "mic/cmca2.pem",
     .words = "Certificates of the CAs between devices and roots, PEM or DER. Phones may leave "
              "them out of their requests, so name all there are."},
    {.name = "mic.accept_expired",
     .type = SCHEMA_BOOLEAN,
     MIC_FIELD(accept_expired),
     .initial = "false",
     .example = "true",
     .words = "Whether a manufacturer's certificate that has expired still proves which phone it "
              "is. Turn it on for old phones that cannot get a new one."},
    {.name = "mic.accept_sha1",
     .type = SCHEMA_BOOLEAN,
     MIC_FIELD(accept_sha1),
     .initial = "false",
     .example = "true",
     .words = "Whether the certificates may be signed with SHA-1. Turn it on only for a store "
              "whose roots never issued anything better."},
    {.name = "mic.min_rsa_bits",
     INTEGER(LIMIT_MIC_RSA_BITS_MIN, LIMIT_RSA_BITS_MAX),
     MIC_FIELD(min_rsa_bits),
     .initial = "2048",
     .example = "1024",
     .words = "The smallest RSA key that a device or a CA above it may have. Lower it only for old "
              "phones; the new key that a phone asks a certificate for has 2048 bits or more in "
              "any case."},
    {.name = "mic.classes",
     .type = SCHEMA_ENUM_LIST,
     .min = 1,
     .choices = mic_classes,
     MIC_CHOICES(classes),
     .initial = "phone, spa",
     .example = "phone",
     .words = "Which kinds of device this store lets in: \"phone\" is named CP-...-SEP... or "
              "DP-...-SEP..., \"spa\" has its model, serial number and MAC as OU, L and ST, "
              "\"other\" is everything else that the same CAs certify, such as switches. The "
              "certificate that many devices have in common is never let in."},

    {.name = "devices.accept",
     .type = SCHEMA_ENUM,
     .choices = device_policies,
     FIELD(devices.accept),
     .initial = "any",
     .example = "listed",
     .words =
         "Which genuine phones may have a certificate: \"any\", or only those \"listed\" with "
         "\"scepctl device add\". A manufacturer's certificate proves that a phone is genuine, not "
         "that it is yours: prefer \"listed\" on a network that strangers can reach."},
    {.name = "devices.unlisted",
     .type = SCHEMA_ENUM,
     .choices = unknown_policies,
     FIELD(devices.unlisted),
     .initial = "refuse",
     .example = "pending",
     .words = "What happens to a genuine phone that is not on the list: \"refuse\" says no, "
              "\"pending\" has it wait until somebody decides with \"scepctl pending\"."},

    {.name = "renewal.window_days",
     INTEGER(PHONE_RENEWS_BEFORE_DAYS + 1, DAYS_MAX),
     .range_reason = "a phone renews in the last 15 days of its certificate, which must be in the "
                     "window",
     FIELD(renewal.window_days),
     .initial = "30",
     .example = "60",
     .words = "A certificate may be renewed in its last so many days; before that a phone gets its "
              "present one again, or is refused when it has a new key. Certificates must be valid "
              "for longer than that."},
    {.name = "renewal.grace_days",
     INTEGER(0, DAYS_MAX),
     FIELD(renewal.grace_days),
     .initial = "0",
     .example = "14",
     .words =
         "For so many days after its end a certificate may still be renewed. Raise it for phones "
         "that come back from storage; a phone that comes later has to enrol as a new one."},
    {.name = "renewal.challenge",
     .type = SCHEMA_ENUM,
     .choices = proven_challenges,
     FIELD(renewal.challenge),
     .initial = "ignore",
     .example = "strict",
     .words = "What a challenge counts when a certificate proves already who asks: \"ignore\" does "
              "not look at it, \"strict\" refuses the request when the challenge is a wrong one. "
              "Phones may send one that was used long ago."},
    {.name = "renewal.revoke_superseded_days",
     INTEGER(0, DAYS_MAX),
     FIELD(renewal.revoke_superseded_days),
     .initial = "0",
     .example = "30",
     .words = "So many days after a renewal the old certificate is revoked; 0 means never. Leave "
              "time for a phone that did not get the new one."},

    {.name = "approval.unauthenticated",
     .type = SCHEMA_ENUM,
     .choices = unknown_policies,
     FIELD(approval.unauthenticated),
     .initial = "refuse",
     .example = "pending",
     .words = "What happens to a request that has no challenge and nothing else that proves who "
              "asks: \"refuse\" says no, \"pending\" has it wait until somebody decides with "
              "\"scepctl pending\"."},
    {.name = "approval.max_pending",
     INTEGER(1, PENDING_MAX),
     FIELD(approval.max_pending),
     .initial = "1000",
     .example = "100",
     .words = "How many requests may wait for a decision; further ones are refused."},
    {.name = "approval.max_per_source",
     INTEGER(1, PENDING_MAX),
     FIELD(approval.max_per_source),
     .initial = "20",
     .example = "500",
     .words = "How many of them may come from one address. Raise it when many phones come through "
              "one proxy or address translator."},
    {.name = "approval.expiry_days",
     INTEGER(1, EXPIRY_DAYS_MAX),
     FIELD(approval.expiry_days),
     .initial = "7",
     .example = "30",
     .words = "After so many days without a decision a request is forgotten."},

    {.name = "phone.validity_days",
     INTEGER(PHONE_DAYS_MIN, DAYS_MAX),
     .range_reason = PHONE_DAYS_REASON,
     FIELD(phone.validity_days),
     .initial = "730",
     .example = "365",
     .words = "For how many days a phone's certificate is valid, at most as long as the CA's own. "
              "Phones renew by themselves in the last 15 days; they must be on the network in that "
              "time, so prefer a long validity for phones that are often away."},
    {.name = "phone.validity_jitter_days",
     INTEGER(0, JITTER_MAX),
     FIELD(phone.validity_jitter_days),
     .initial = "7",
     .example = "30",
     .words = "Each certificate ends up to so many days earlier, by chance, so that phones which "
              "enrolled on one day do not all renew on one day. More than 15 days of "
              "phone.validity_days must be left over."},
    {.name = "phone.subject_alt_name",
     .type = SCHEMA_ENUM,
     .choices = san_policies,
     FIELD(phone.subject_alt_name),
     .initial = "matching",
     .example = "none",
     .words = "What happens to alternative names that a phone asks for: \"matching\" keeps those "
              "that are its common name, alone or with a domain, and drops the others, \"none\" "
              "drops all, \"refuse\" refuses requests with a name that does not match."},
    {.name = "phone.duplicate_subject",
     .type = SCHEMA_ENUM,
     .choices = duplicate_policies,
     FIELD(phone.duplicate_subject),
     .initial = "allow",
     .example = "refuse",
     .words = "Whether a subject that has a valid certificate gets another one for a new key. A "
              "phone that was reset needs that; with \"refuse\" the old certificate must be "
              "revoked first."},
    {.name = "phone.domains",
     .type = SCHEMA_DOMAIN_LIST,
     FIELD(phone.domains),
     .example = "example.nl, voice.example.net",
     .words = "Domains that a phone may put behind its name, which it gets by DHCP (option 15): "
              "CP-9871-SEP001A2B3C4D5E.example.nl. Without them a phone that proves itself by its "
              "manufacturer's certificate may ask for its bare name only."},
    {.name = "phone.added_sans",
     .type = SCHEMA_ENUM_LIST,
     .choices = added_sans,
     CHOICES(phone.added_sans),
     .example = "dns, upn",
     .words = "Alternative names that are put into every certificate beside those the phone asks "
              "for: its common name as \"dns\", and its name with the domain as \"email\" address "
              "or as user principal name (\"upn\"), which Windows servers look for."},
    {.name = "phone.crl_url",
     .type = SCHEMA_URL,
     FIELD(phone.crl_url),
     .example = "http://pki.example.net/crl/{ca}.crl",
     .words = "Where those who check phones' certificates find the list of revoked ones; it goes "
              "into each certificate. Set it before the first phone enrols, to a web server or "
              "proxy that leads to http.crl_path here. \"{ca}\" in it is replaced by the name of "
              "the CA, so that the CAs before and after a rollover each have their list."},
    {.name = "phone.ca_url",
     .type = SCHEMA_URL,
     FIELD(phone.ca_url),
     .example = "http://pki.example.net/ca/{ca}.cer",
     .words = "Where those who check phones' certificates find the issuing CA's certificate; it "
              "goes into each certificate. Set it to what leads to http.ca_path here; \"{ca}\" is "
              "replaced as in phone.crl_url."},
    {.name = "phone.ocsp_url",
     .type = SCHEMA_URL,
     FIELD(phone.ocsp_url),
     .example = "http://pki.example.net/ocsp",
     .words = "Where those who check phones' certificates ask for the state of one (OCSP); it goes "
              "into each certificate. Set it to what leads to http.ocsp_path here; \"{ca}\" is "
              "replaced as in phone.crl_url."},
};

struct schema_part schema_phones(void)
{
    return (struct schema_part){.groups = groups,
                                .groups_count = COUNT(groups),
                                .items = items,
                                .items_count = COUNT(items)};
}
