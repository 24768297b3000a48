// SPDX-License-Identifier: Apache-2.0
// GET /v1/status: how the daemon is, in one answer.

#include <openssl/crypto.h>

#include "server/admin/admin_resources.h"

static json_t *certificate_json(const X509 *cert)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",                              //
                     "subject", admin_json_subject(cert),                           //
                     "not_before", admin_json_asn1_time(X509_get0_notBefore(cert)), //
                     "not_after", admin_json_asn1_time(X509_get0_notAfter(cert)),   //
                     "sha256", admin_json_fingerprint(cert, EVP_sha256()),          //
                     "sha1", admin_json_fingerprint(cert, EVP_sha1()),              //
                     "pem", admin_json_pem(cert));
}

static json_t *certificates_json(const struct credentials *credentials)
{
    return json_pack("{s:o, s:o, s:o}",                                                   //
                     "ra", certificate_json(credentials_ra(credentials)->cert),           //
                     "issuing", certificate_json(credentials_issuing(credentials)->cert), //
                     "root", certificate_json(credentials_root(credentials)));
}

static json_t *settings_json(const struct policy *policy)
{
    const struct settings *settings = policy->settings;
    return json_pack("{s:b, s:b, s:b, s:b, s:b, s:i}",                    //
                     "static_challenge", (int)policy->secrets.has_static, //
                     "legacy", (int)settings->algorithms.legacy,          //
                     "sha1", (int)settings->algorithms.sha1,              //
                     "des3", (int)settings->algorithms.des3,              //
                     "oaep", (int)settings->algorithms.oaep,              //
                     "validity_days", (int)settings->phone.validity_days);
}

static json_t *store_json(const struct store_counts *counts)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",  //
                     "certificates", (json_int_t)counts->certificates, //
                     "transactions", (json_int_t)counts->transactions, //
                     "challenges", (json_int_t)counts->challenges,     //
                     "pending", (json_int_t)counts->pending,           //
                     "devices", (json_int_t)counts->devices,           //
                     "events", (json_int_t)counts->events,             //
                     "used_octets", (json_int_t)counts->used_octets,   //
                     "map_octets", (json_int_t)counts->map_octets,     //
                     "max_octets", (json_int_t)counts->max_octets);
}

static json_t *requests_json(const struct live *live)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}",                      //
                     "total", (json_int_t)live_get(live, LIVE_REQUESTS),    //
                     "issued", (json_int_t)live_get(live, LIVE_ISSUED),     //
                     "replayed", (json_int_t)live_get(live, LIVE_REPLAYED), //
                     "refused", (json_int_t)live_get(live, LIVE_REFUSED),   //
                     "bad_http", (json_int_t)live_get(live, LIVE_BAD_HTTP), //
                     "unavailable", (json_int_t)live_get(live, LIVE_UNAVAILABLE));
}

enum err_code admin_get_status(const struct admin_request *request, json_t **ret_body,
                               struct err *err)
{
    struct live *live = request->live;
    struct store_counts counts = {0};
    enum err_code code = store_count(live->store, &counts, err);
    if (code != ERR_OK) {
        return code;
    }
    struct policy *policy = live_policy_get(live->policy);
    *ret_body = json_pack("{s:s, s:s, s:o, s:I, s:s, s:o, s:b, s:o, s:o, s:o, s:o}",       //
                          "version", SCEPD_VERSION,                                        //
                          "openssl", OpenSSL_version(OPENSSL_VERSION),                     //
                          "started_at", admin_json_time(live->started_at),                 //
                          "uptime_seconds", (json_int_t)(request->now - live->started_at), //
                          "listening", live->listening,                                    //
                          "web", admin_json_optional(live->web_listening),                 //
                          "ca_answering", (int)health_ca_answers(live, request->now),      //
                          "certificates", certificates_json(policy->credentials),          //
                          "store", store_json(&counts),                                    //
                          "requests", requests_json(live),                                 //
                          "settings", settings_json(policy));
    policy_unref(policy);
    return ERR_OK;
}
