// SPDX-License-Identifier: Apache-2.0
#include "server/phone/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#define CONTENT_TYPE "Content-Type: application/x-pki-message"
#define NO_EXPECT    "Expect:" // phones and old servers know no 100-continue
#define PROTOCOL     "http"

// One request under way.
struct exchange {
    const struct phone_call *call;
    CURL *curl;
    struct curl_slist *headers;
    char *url;
    struct buf body; // of the answer
    bool is_too_long;
    char reason[CURL_ERROR_SIZE];
};

static void exchange_done(struct exchange *exchange)
{
    curl_easy_cleanup(exchange->curl);
    curl_slist_free_all(exchange->headers);
    free(exchange->url);
    buf_done(&exchange->body);
}

void phone_answer_done(struct phone_answer *answer)
{
    buf_done(&answer->body);
}

static size_t take_octets(char *data, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t len = size * count;
    if (len > exchange->call->max_len - exchange->body.len) {
        exchange->is_too_long = true;
        return 0;
    }
    return buf_append(&exchange->body, view_of(data, len), NULL) == ERR_OK ? len : 0;
}

static bool make_url(struct exchange *exchange)
{
    const struct phone_call *call = exchange->call;
    char *argument =
        call->argument != NULL ? curl_easy_escape(exchange->curl, call->argument, 0) : NULL;
    bool is_complete = call->argument == NULL || argument != NULL;
    if (is_complete &&
        asprintf(&exchange->url, "%s?operation=%s%s%s", call->url, call->operation,
                 argument != NULL ? "&message=" : "", argument != NULL ? argument : "") < 0) {
        exchange->url = NULL;
    }
    curl_free(argument);
    return exchange->url != NULL;
}

static bool add_header(struct exchange *exchange, const char *header)
{
    struct curl_slist *longer = curl_slist_append(exchange->headers, header);
    exchange->headers = longer != NULL ? longer : exchange->headers;
    return longer != NULL;
}

static bool add_body(struct exchange *exchange)
{
    struct view body = exchange->call->body;
    if (body.len == 0) {
        return true;
    }
    curl_easy_setopt(exchange->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(exchange->curl, CURLOPT_POSTFIELDS, (const char *)body.data);
    return add_header(exchange, CONTENT_TYPE) && add_header(exchange, NO_EXPECT) &&
           curl_easy_setopt(exchange->curl, CURLOPT_HTTPHEADER, exchange->headers) == CURLE_OK;
}

static bool prepare(struct exchange *exchange)
{
    exchange->curl = curl_easy_init();
    if (exchange->curl == NULL || !make_url(exchange) || !add_body(exchange)) {
        return false;
    }
    CURL *curl = exchange->curl;
    curl_easy_setopt(curl, CURLOPT_URL, exchange->url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); // whatever the environment says
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, exchange->call->timeout_sec);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, exchange->call->timeout_sec);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange->reason);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_octets);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, PROTOCOL) == CURLE_OK;
}

static void note_peer(CURL *curl, struct phone_answer *answer)
{
    const char *address = NULL;
    long port = 0;
    curl_easy_getinfo(curl, CURLINFO_PRIMARY_IP, &address);
    curl_easy_getinfo(curl, CURLINFO_PRIMARY_PORT, &port);
    address = address != NULL ? address : "";
    bool is_v6 = strchr(address, ':') != NULL;
    snprintf(answer->peer, sizeof answer->peer, "%s%s%s:%ld", is_v6 ? "[" : "", address,
             is_v6 ? "]" : "", port);
}

static void take_answer(struct exchange *exchange, struct phone_answer *ret_answer)
{
    struct phone_answer answer = {.body = exchange->body};
    const char *type = NULL;
    exchange->body = (struct buf){0};
    curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_easy_getinfo(exchange->curl, CURLINFO_CONTENT_TYPE, &type);
    snprintf(answer.type, sizeof answer.type, "%s", type != NULL ? type : "");
    note_peer(exchange->curl, &answer);
    *ret_answer = answer;
}

enum err_code phone_call(const struct phone_call *call, struct phone_answer *ret_answer,
                         struct err *err)
{
    CLEANUP(exchange_done) struct exchange exchange = {.call = call};
    if (!prepare(&exchange)) {
        return err_set(err, ERR_NOMEM, "no memory for an HTTP request");
    }
    CURLcode result = curl_easy_perform(exchange.curl);
    if (exchange.is_too_long) {
        return err_set(err, ERR_LIMIT, "an answer of more than %zu octets", call->max_len);
    }
    if (result != CURLE_OK) {
        return err_set(err, ERR_BUSY, "%s",
                       exchange.reason[0] != '\0' ? exchange.reason : curl_easy_strerror(result));
    }
    take_answer(&exchange, ret_answer);
    return ERR_OK;
}
