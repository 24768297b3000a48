// SPDX-License-Identifier: Apache-2.0
// The table itself and how to find its entries.
#include "conf/schema.h"

#include <string.h>

#include "conf/limits.h"
#include "conf/settings.h"

#define FIELD(member)      .offset = offsetof(struct settings, member)
#define COUNT(array)       (sizeof(array) / sizeof(array)[0])
#define INTEGER(low, high) .type = SCHEMA_INTEGER, .min = (low), .max = (high)

#define CONNECTIONS_MAX 65536
#define TIMEOUT_SEC_MAX 3600
#define WORKERS_MAX     256
#define QUEUE_MAX       65536
#define WINDOW_SEC_MAX  31536000 // a year: phones without a clock start in the past
#define VALIDITY_MIN    (PHONE_RENEWS_BEFORE_DAYS + 1)
#define VALIDITY_MAX    3650
#define JITTER_MAX      365
#define STORE_MIB_MIN   16      // room for some thousand certificates
#define STORE_MIB_MAX   1048576 // 1 TiB

static const char *const ca_items[] = {
    [SETTINGS_CA_ITEM_RA] = "ra",
    [SETTINGS_CA_ITEM_ISSUING] = "issuing",
    [SETTINGS_CA_ITEM_ROOT] = "root",
    [SETTINGS_CA_ITEM_ROOT + 1] = NULL,
};
static const char *const fail_infos[] = {
    [SETTINGS_FAIL_BAD_REQUEST] = "badRequest",
    [SETTINGS_FAIL_BAD_MESSAGE_CHECK] = "badMessageCheck",
    [SETTINGS_FAIL_BAD_MESSAGE_CHECK + 1] = NULL,
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
static const char *const log_levels[] = {
    [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug", [LOG_LEVEL_DEBUG + 1] = NULL,
};

static const struct schema_group groups[] = {
    {"http", "The web server that phones talk to."},
    {"scep", "What the server says in the SCEP protocol."},
    {"algorithms", "Which older algorithms are accepted beside SHA-2, AES and RSA."},
    {"ra", "The registration authority: the key pair that phones encrypt their requests to."},
    {"ca", "The certification authority that signs the phones' certificates."},
    {"challenge", "The passwords by which a new phone proves that it may have a certificate."},
    {"phone", "What goes into the certificates of phones."},
    {"store", "The database of certificates, challenges and transactions."},
    {"admin", "The way in for scepctl(8)."},
    {"log", "What is logged."},
};

static const struct schema_item items[] = {
    {.name = "http.listen",
     .type = SCHEMA_LISTEN,
     FIELD(http.listen),
     .initial = "0.0.0.0:8080",
     .example = "[::]:80",
     .words = "The address and port on which phones reach the server. Change it to use another "
              "port or only one network; \"[::]:8080\" is IPv6 and IPv4 at once, and port 0 takes "
              "any free port."},
    {.name = "http.connections",
     INTEGER(1, CONNECTIONS_MAX),
     FIELD(http.connections),
     .initial = "1000",
     .example = "4000",
     .words = "How many connections may be open at a time; further ones wait in the kernel. Raise "
              "it when very many phones come at once, and the limit on open files with it."},
    {.name = "http.connections_per_address",
     INTEGER(0, CONNECTIONS_MAX),
     FIELD(http.connections_per_address),
     .initial = "64",
     .example = "0",
     .words = "How many of these connections one client address may have; 0 means no limit. Raise "
              "it when many phones come through one proxy or address translator."},
    {.name = "http.timeout_sec",
     INTEGER(1, TIMEOUT_SEC_MAX),
     FIELD(http.timeout_sec),
     .initial = "30",
     .example = "10",
     .words = "After so many seconds without any data a connection is closed. Raise it for phones "
              "behind very slow lines."},
    {.name = "http.workers",
     INTEGER(0, WORKERS_MAX),
     FIELD(http.workers),
     .initial = "0",
     .example = "8",
     .words = "How many threads work on requests; 0 means two for each processor. Set it to leave "
              "processors to other programs, or higher when the CA key is in slow hardware."},
    {.name = "http.queue",
     INTEGER(1, QUEUE_MAX),
     FIELD(http.queue),
     .initial = "256",
     .example = "1024",
     .words = "How many requests may wait for a thread; further ones are told to come again "
              "(HTTP status 503). Raise it if phones give up when they are told so."},

    {.name = "scep.get_ca_cert",
     .type = SCHEMA_ENUM_LIST,
     .choices = ca_items,
     FIELD(scep.get_ca_cert),
     .count_offset = offsetof(struct settings, scep.get_ca_cert_count),
     .initial = "ra, issuing, root",
     .example = "ra, issuing",
     .words = "Which certificates the server shows to clients that ask for its CA, in this order. "
              "Phones need all three to find the root whose fingerprint they know; leave the root "
              "out for clients that refuse a whole chain. \"ra\" must be in the list, because "
              "clients encrypt to it."},
    {.name = "scep.reply_chain",
     .type = SCHEMA_BOOLEAN,
     FIELD(scep.reply_chain),
     .initial = "false",
     .example = "true",
     .words = "Whether the issuing CA's certificate comes along with each new certificate. Phones "
              "do not need it; turn it on for clients that do."},
    {.name = "scep.fail_info_text",
     .type = SCHEMA_BOOLEAN,
     FIELD(scep.fail_info_text),
     .initial = "true",
     .example = "false",
     .words = "Whether a refusal may carry a short reason in words beside its code. The text never "
              "tells why a challenge was wrong; turn it off for clients that cannot read it."},
    {.name = "scep.signing_time_window_sec",
     INTEGER(0, WINDOW_SEC_MAX),
     FIELD(scep.signing_time_window_sec),
     .initial = "0",
     .example = "86400",
     .words = "How many seconds the time of signature in a request may differ from the server's "
              "clock; 0 means that it is not looked at. Set it only when all phones get their time "
              "before they enrol."},

    {.name = "algorithms.sha1",
     .type = SCHEMA_BOOLEAN,
     FIELD(algorithms.sha1),
     .initial = "false",
     .example = "true",
     .words = "Whether requests may be signed with SHA-1. Turn it on only for old phones that know "
              "nothing better; certificates are signed with SHA-2 in any case."},
    {.name = "algorithms.des3",
     .type = SCHEMA_BOOLEAN,
     FIELD(algorithms.des3),
     .initial = "true",
     .example = "false",
     .words = "Whether requests may be encrypted with triple DES, as many phones do. Turn it off "
              "when all clients use AES."},
    {.name = "algorithms.oaep",
     .type = SCHEMA_BOOLEAN,
     FIELD(algorithms.oaep),
     .initial = "false",
     .example = "true",
     .words = "Whether the key of an encrypted request may come under RSA-OAEP padding. No phone "
              "uses it; turn it on for Windows clients that do."},
    {.name = "algorithms.legacy",
     .type = SCHEMA_BOOLEAN,
     FIELD(algorithms.legacy),
     .initial = "false",
     .example = "true",
     .words = "Whether single DES and MD5 are accepted. Both are broken and RFC 8894 forbids them: "
              "turn it on only for clients that cannot be replaced, and only on a network you "
              "trust. The server warns in its log and no longer says that it follows the RFC."},

    {.name = "ra.certificate",
     .type = SCHEMA_FILE,
     FIELD(ra.certificate),
     .initial = "/etc/scepd/ra.pem",
     .example = "ra.pem",
     .required = true,
     .words = "The RA's certificate, PEM or DER. Clients encrypt requests to it and check answers "
              "with it."},
    {.name = "ra.key",
     .type = SCHEMA_KEY,
     FIELD(ra.key),
     .initial = "/etc/scepd/ra.key",
     .example = "pkcs11:token=scepd;object=ra;type=private",
     .required = true,
     .words = "The private key of the RA's certificate. Only scepd should be able to read it; it "
              "cannot be the CA's key."},
    {.name = "ra.pin_file",
     .type = SCHEMA_FILE,
     FIELD(ra.pin_file),
     .example = "/etc/scepd/ra.pin",
     .words = "A file whose first line is the passphrase or PIN of ra.key. Set it when the key is "
              "encrypted or in a token."},

    {.name = "ca.certificate",
     .type = SCHEMA_FILE,
     FIELD(ca.certificate),
     .initial = "/etc/scepd/ca.pem",
     .example = "ca.pem",
     .required = true,
     .words = "The certificate of the CA that signs the phones' certificates, PEM or DER."},
    {.name = "ca.key",
     .type = SCHEMA_KEY,
     FIELD(ca.key),
     .initial = "/etc/scepd/ca.key",
     .example = "pkcs11:token=scepd;object=ca;type=private",
     .required = true,
     .only_ca = true,
     .words = "The private key of the CA's certificate. Only scepd-ca opens it; scepd should not "
              "even be able to read it."},
    {.name = "ca.pin_file",
     .type = SCHEMA_FILE,
     FIELD(ca.pin_file),
     .example = "/etc/scepd/ca.pin",
     .only_ca = true,
     .words = "A file whose first line is the passphrase or PIN of ca.key. Set it when the key is "
              "encrypted or in a token. Only scepd-ca opens it."},
    {.name = "ca.root",
     .type = SCHEMA_FILE,
     FIELD(ca.root),
     .example = "/etc/scepd/root.pem",
     .words = "The root certificate, whose fingerprint phones are given, and before it in the same "
              "PEM file any certificates between it and the issuing CA. Leave it out when the "
              "issuing CA is itself the root."},
    {.name = "ca.socket",
     .type = SCHEMA_SOCKET,
     FIELD(ca.socket),
     .initial = "/run/scepd/ca.sock",
     .example = "ca.sock",
     .words = "The Unix socket between scepd and scepd-ca. Change it when several servers run on "
              "one machine."},
    {.name = "ca.program",
     .type = SCHEMA_PROGRAM,
     FIELD(ca.program),
     .example = "/usr/libexec/scepd/scepd-ca",
     .words =
         "The program that scepd starts as its CA. When it is not set, that is the scepd-ca in "
         "the directory of scepd itself."},

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

    {.name = "phone.validity_days",
     INTEGER(VALIDITY_MIN, VALIDITY_MAX),
     .range_reason = "a phone renews in the last 15 days of its certificate and looks every 4 "
                     "hours, so with 15 days or less it would enrol again for ever",
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
    {.name = "phone.crl_url",
     .type = SCHEMA_URL,
     FIELD(phone.crl_url),
     .example = "http://pki.example.net/scepd.crl",
     .words = "Where those who check phones' certificates find the list of revoked ones; it goes "
              "into each certificate. Set it before the first phone enrols."},
    {.name = "phone.ca_url",
     .type = SCHEMA_URL,
     FIELD(phone.ca_url),
     .example = "http://pki.example.net/ca.cer",
     .words = "Where those who check phones' certificates find the issuing CA's certificate; it "
              "goes into each certificate."},

    {.name = "store.directory",
     .type = SCHEMA_DIRECTORY,
     FIELD(store.directory),
     .initial = "/var/lib/scepd/store",
     .example = "store",
     .words = "Where the database is. It must be a local disk, because each certificate is on it "
              "before the phone gets it. The directory is made when it is missing."},
    {.name = "store.max_size_mib",
     INTEGER(STORE_MIB_MIN, STORE_MIB_MAX),
     FIELD(store.max_size_mib),
     .initial = "4096",
     .example = "16384",
     .words = "The database never grows beyond so many MiB; when it is full, no certificates are "
              "issued until this is raised. 4096 MiB hold some hundred thousand certificates."},

    {.name = "admin.socket",
     .type = SCHEMA_SOCKET,
     FIELD(admin.socket),
     .initial = "/run/scepd/admin.sock",
     .example = "admin.sock",
     .words = "The Unix socket through which scepctl talks to scepd. Whoever can open it can make "
              "challenges, so its directory decides who is an administrator."},

    {.name = "log.level",
     .type = SCHEMA_ENUM,
     .choices = log_levels,
     FIELD(log.level),
     .initial = "info",
     .example = "warning",
     .words = "The least important lines that are logged. \"info\" has one line for each request, "
              "\"warning\" only what somebody should look at, \"error\" only what must be mended, "
              "\"debug\" is for developers."},
};
_Static_assert(COUNT(items) <= SCHEMA_ITEMS_MAX, "raise SCHEMA_ITEMS_MAX");

const struct schema_item *schema_item(size_t index)
{
    return index < COUNT(items) ? &items[index] : NULL;
}

const struct schema_group *schema_group(size_t index)
{
    return index < COUNT(groups) ? &groups[index] : NULL;
}

const struct schema_item *schema_find(const char *name)
{
    for (size_t i = 0; i < COUNT(items); i++) {
        if (strcmp(items[i].name, name) == 0) {
            return &items[i];
        }
    }
    return NULL;
}

const struct schema_group *schema_find_group(const char *name)
{
    for (size_t i = 0; i < COUNT(groups); i++) {
        if (strcmp(groups[i].name, name) == 0) {
            return &groups[i];
        }
    }
    return NULL;
}

const char *schema_last_name(const struct schema_item *item)
{
    return strchr(item->name, '.') + 1;
}

bool schema_is_in_group(const struct schema_item *item, const char *group)
{
    size_t len = strlen(group);
    return strncmp(item->name, group, len) == 0 && item->name[len] == '.';
}

bool schema_is_text(const struct schema_item *item)
{
    return item->type >= SCHEMA_LISTEN;
}
