// SPDX-License-Identifier: Apache-2.0
// The table's first part: what the server is, its web server, protocol, keys and files.
#include "conf/schema_table.h"

#define CONNECTIONS_MAX    65536
#define TIMEOUT_SEC_MAX    3600
#define WORKERS_MAX        256
#define QUEUE_MAX          65536
#define WINDOW_SEC_MAX     31536000 // a year: phones without a clock start in the past
#define RA_RENEW_DAYS_MAX  365
#define DAYS_MAX           3650
#define CRL_HOURS_MAX      8760 // a year
#define DIRECT_PER_SEC_MAX 10000
#define SERVER_DAYS_MAX    825 // phones and browsers refuse longer ones
#define EVENTS_MIN         100
#define EVENTS_MAX         10000000
#define STORE_MIB_MIN      16      // room for some thousand certificates
#define STORE_MIB_MAX      1048576 // 1 TiB

static const char *const ca_items[] = {
    [SETTINGS_CA_ITEM_RA] = "ra",
    [SETTINGS_CA_ITEM_ISSUING] = "issuing",
    [SETTINGS_CA_ITEM_ROOT] = "root",
    [SETTINGS_CA_ITEM_ROOT + 1] = NULL,
};
static const char *const topologies[] = {
    [SETTINGS_TOPOLOGY_RA] = "ra",
    [SETTINGS_TOPOLOGY_DIRECT] = "direct",
    [SETTINGS_TOPOLOGY_DIRECT + 1] = NULL,
};
static const char *const log_levels[] = {
    [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug", [LOG_LEVEL_DEBUG + 1] = NULL,
};

static const struct schema_group groups[] = {
    {.name = "http", .words = "The web server that phones talk to."},
    {.name = "scep", .words = "What the server says in the SCEP protocol."},
    {.name = "algorithms",
     .words = "Which older algorithms are accepted beside SHA-2, AES and RSA."},
    {.name = "ra",
     .words = "The registration authority: the key pair that phones encrypt their requests to."},
    {.name = "ca", .words = "The certification authority that signs the phones' certificates."},
    {.name = "servers",
     .words = "Certificates for the servers that phones fetch their settings from (\"scepctl "
              "server-cert sign\")."},
    {.name = "store", .words = "The database of certificates, challenges and transactions."},
    {.name = "history", .words = "What is remembered of each phone for \"scepctl log\"."},
    {.name = "admin", .words = "The way in for scepctl(8)."},
    {.name = "web", .words = "A page to look at, and figures for Prometheus; both only show."},
    {.name = "log", .words = "What is logged."},
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
    {.name = "http.crl_path",
     .type = SCHEMA_URL_PATH,
     FIELD(http.crl_path),
     .initial = "/crl/{ca}.crl",
     .example = "/scepd.crl",
     .words = "Where the list of revoked certificates is served. \"{ca}\" stands for the name of a "
              "CA, 16 hex digits that \"scepctl ca rollover status\" shows; without it only the "
              "present CA's list is there. Change it together with phone.crl_url."},
    {.name = "http.ca_path",
     .type = SCHEMA_URL_PATH,
     FIELD(http.ca_path),
     .initial = "/ca/{ca}.cer",
     .example = "/scepd.cer",
     .words = "Where the issuing CA's certificate is served; \"{ca}\" as in http.crl_path. Change "
              "it together with phone.ca_url."},
    {.name = "http.root_path",
     .type = SCHEMA_URL_PATH,
     FIELD(http.root_path),
     .initial = "/root.cer",
     .example = "/pki/root.cer",
     .words = "Where the root certificate is served, for those who set up other servers. Requests "
              "with a SCEP operation are answered under any path, so none of these paths is in the "
              "way of phones."},
    {.name = "http.ocsp_path",
     .type = SCHEMA_URL_PATH,
     FIELD(http.ocsp_path),
     .initial = "/ocsp",
     .example = "/pki/ocsp",
     .words = "Where questions for the state of a certificate (OCSP) are answered. Change it "
              "together with phone.ocsp_url."},

    {.name = "scep.get_ca_cert",
     .type = SCHEMA_ENUM_LIST,
     .choices = ca_items,
     CHOICES(scep.get_ca_cert),
     .min = 1,
     .initial = "ra, issuing, root",
     .example = "ra, issuing",
     .words = "Which certificates the server shows to clients that ask for its CA, in this order. "
              "Phones need all three to find the root whose fingerprint they know; leave the root "
              "out for clients that refuse a whole chain. \"ra\" must be in the list, because "
              "clients encrypt to it. Under scep.topology \"direct\" it does not count: then "
              "only the CA's certificate is shown."},
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
    {.name = "scep.topology",
     .type = SCHEMA_ENUM,
     .choices = topologies,
     FIELD(scep.topology),
     .initial = "ra",
     .example = "direct",
     .words =
         "Who answers SCEP: \"ra\" is a registration authority with a key of its own, \"direct\" "
         "the CA itself, which must be its own root then. Take \"direct\" only for clients that "
         "accept nothing but one CA certificate: it has scepd-ca work with what strangers send."},
    {.name = "scep.get_cert",
     .type = SCHEMA_BOOLEAN,
     FIELD(scep.get_cert),
     .initial = "false",
     .example = "true",
     .words = "Whether clients may ask for a certificate by its serial number (GetCert). Phones do "
              "not; turn it on for clients that do."},
    {.name = "scep.get_crl",
     .type = SCHEMA_BOOLEAN,
     FIELD(scep.get_crl),
     .initial = "false",
     .example = "true",
     .words = "Whether clients may ask for the list of revoked certificates by SCEP (GetCRL). It "
              "costs far more than fetching it from http.crl_path; turn it on for clients that can "
              "do nothing else."},

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
     .presence = SCHEMA_REQUIRED_WITH_RA,
     .words = "The RA's certificate, PEM or DER. Clients encrypt requests to it and check answers "
              "with it."},
    {.name = "ra.key",
     .type = SCHEMA_KEY,
     FIELD(ra.key),
     .initial = "/etc/scepd/ra.key",
     .example = "pkcs11:token=scepd;object=ra;type=private",
     .presence = SCHEMA_REQUIRED_WITH_RA,
     .words = "The private key of the RA's certificate. Only scepd should be able to read it; it "
              "cannot be the CA's key."},
    {.name = "ra.pin_file",
     .type = SCHEMA_FILE,
     FIELD(ra.pin_file),
     .example = "/etc/scepd/ra.pin",
     .presence = SCHEMA_ONLY_WITH_RA,
     .words = "A file whose first line is the passphrase or PIN of ra.key. Set it when the key is "
              "encrypted or in a token."},
    {.name = "ra.directory",
     .type = SCHEMA_DIRECTORY,
     FIELD(ra.directory),
     .example = "/var/lib/scepd/ra",
     .words = "Where scepd keeps the keys and certificates that it makes when it renews the RA's "
              "certificate. Without it the RA's certificate is renewed by hand only, and a "
              "rollover of the CA is not possible. The directory is made when it is missing."},
    {.name = "ra.renew_days",
     INTEGER(1, RA_RENEW_DAYS_MAX),
     FIELD(ra.renew_days),
     .initial = "60",
     .example = "90",
     .words = "The RA's certificate is renewed when it is valid for less than so many days. Raise "
              "it if CA or administrator may be away for longer."},
    {.name = "ra.previous_days",
     INTEGER(0, DAYS_MAX),
     FIELD(ra.previous_days),
     .initial = "30",
     .example = "90",
     .words = "For so many days after that the RA's previous key still opens requests of clients "
              "that remember the old certificate."},

    {.name = "ca.certificate",
     .type = SCHEMA_FILE,
     FIELD(ca.certificate),
     .initial = "/etc/scepd/ca.pem",
     .example = "ca.pem",
     .presence = SCHEMA_REQUIRED,
     .words = "The certificate of the CA that signs the phones' certificates, PEM or DER."},
    {.name = "ca.key",
     .type = SCHEMA_KEY,
     FIELD(ca.key),
     .initial = "/etc/scepd/ca.key",
     .example = "pkcs11:token=scepd;object=ca;type=private",
     .presence = SCHEMA_REQUIRED,
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
     .presence = SCHEMA_ONLY_WITH_RA,
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
    {.name = "ca.generations",
     .type = SCHEMA_DIRECTORY,
     FIELD(ca.generations),
     .example = "/etc/scepd/generations",
     .words =
         "Where the CAs are that \"scepctl ca rollover\" makes to follow the one above. Their keys "
         "are in it, too: scepd needs their certificates only and should not be able to read the "
         "keys. Without it there is no rollover. The directory is made when it is missing."},
    {.name = "ca.crl_hours",
     INTEGER(1, CRL_HOURS_MAX),
     FIELD(ca.crl_hours),
     .initial = "168",
     .example = "24",
     .words = "For how many hours a list of revoked certificates is valid. A new one is made at "
              "half of that time and at each revocation; those who keep a copy may learn of a "
              "revocation as late as this."},
    {.name = "ca.direct_per_sec",
     INTEGER(1, DIRECT_PER_SEC_MAX),
     FIELD(ca.direct_per_sec),
     .initial = "20",
     .example = "100",
     .words =
         "How many requests scepd-ca opens in a second under scep.topology \"direct\"; further "
         "ones are refused and tried again by the client. Raise it when many phones come at once."},

    {.name = "servers.domains",
     .type = SCHEMA_DOMAIN_LIST,
     FIELD(servers.domains),
     .example = "example.nl, voice.example.net",
     .words = "The domains whose hosts may get a server's certificate: for example.nl these are "
              "example.nl itself and every name that ends in .example.nl. scepd-ca holds to this "
              "list whatever scepd asks for. Without it no server gets one."},
    {.name = "servers.validity_days",
     INTEGER(1, SERVER_DAYS_MAX),
     FIELD(servers.validity_days),
     .initial = "398",
     .example = "90",
     .words = "How many days a server's certificate may live at most; \"scepctl server-cert sign "
              "--days\" asks for less."},

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

    {.name = "history.max_events",
     INTEGER(EVENTS_MIN, EVENTS_MAX),
     FIELD(history.max_events),
     .initial = "100000",
     .example = "1000000",
     .words = "How many events (certificates issued, requests refused and so on) are remembered; "
              "the oldest are forgotten first. Raise it for a large fleet; one takes about half a "
              "KiB of the database."},
    {.name = "history.days",
     INTEGER(1, DAYS_MAX),
     FIELD(history.days),
     .initial = "365",
     .example = "90",
     .words = "After so many days an event is forgotten."},

    {.name = "admin.socket",
     .type = SCHEMA_SOCKET,
     FIELD(admin.socket),
     .initial = "/run/scepd/admin.sock",
     .example = "admin.sock",
     .words = "The Unix socket through which scepctl talks to scepd. Whoever can open it can make "
              "challenges, so its directory decides who is an administrator."},

    {.name = "web.listen",
     .type = SCHEMA_LISTEN,
     FIELD(web.listen),
     .example = "127.0.0.1:9180",
     .words = "A loopback address and port for the page and for Prometheus; port 0 takes any free "
              "port. Nobody is asked who they are there, so put a web server with a password in "
              "front for others to look. Without it there is none. The packaged service has "
              "scepd-web.socket instead."},

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

struct schema_part schema_server(void)
{
    return (struct schema_part){.groups = groups,
                                .groups_count = COUNT(groups),
                                .items = items,
                                .items_count = COUNT(items)};
}
