// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#define BODY_LEN_MAX     16777216 // octets of an answer; a CRL may have 8 MiB
#define TIMEOUT_SEC      30
#define POLL_MS          1000
#define SHOWN_BODY_CHARS 120

// One call under way.
struct lane {
    CURL *curl;
    struct http_answer *answer;
    size_t capacity; // of answer->body
    int64_t started_us;
    char error[CURL_ERROR_SIZE];
};

struct race {
    const struct http_volley *volley;
    struct http_answer *answers;
    CURLM *multi;
    struct curl_slist *post_headers;
    size_t next; // call not started yet
    size_t done;
};

static size_t collect(char *data, size_t size, size_t count, void *user)
{
    struct lane *lane = user;
    struct octets *body = &lane->answer->body;
    size_t len = size * count;
    if (body->len + len > BODY_LEN_MAX) {
        return 0;
    }
    if (body->len + len > lane->capacity) {
        size_t capacity = 2 * (body->len + len);
        unsigned char *bigger = OPENSSL_realloc(body->data, capacity);
        require(bigger != NULL, "getting memory");
        body->data = bigger;
        lane->capacity = capacity;
    }
    memcpy(body->data + body->len, data, len);
    body->len += len;
    return len;
}

static void set_up_lane(struct lane *lane, long timeout_sec)
{
    lane->curl = curl_easy_init();
    require(lane->curl != NULL, "starting libcurl");
    curl_easy_setopt(lane->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(lane->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(lane->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(lane->curl, CURLOPT_TIMEOUT, timeout_sec);
    curl_easy_setopt(lane->curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(lane->curl, CURLOPT_ERRORBUFFER, lane->error);
    curl_easy_setopt(lane->curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(lane->curl, CURLOPT_WRITEDATA, lane);
    curl_easy_setopt(lane->curl, CURLOPT_PRIVATE, lane);
}

static void start_next(struct race *race, struct lane *lane)
{
    const struct http_call *call = &race->volley->calls[race->next];
    lane->answer = &race->answers[race->next];
    lane->capacity = 0;
    *lane->answer = (struct http_answer){0};
    race->next++;
    curl_easy_setopt(lane->curl, CURLOPT_URL, call->url);
    curl_easy_setopt(lane->curl, CURLOPT_USERAGENT, call->user_agent);
    if (call->body != NULL) {
        curl_easy_setopt(lane->curl, CURLOPT_HTTPHEADER, race->post_headers);
        curl_easy_setopt(lane->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body->len);
        curl_easy_setopt(lane->curl, CURLOPT_POSTFIELDS,
                         call->body->len > 0 ? (const char *)call->body->data : "");
    } else {
        curl_easy_setopt(lane->curl, CURLOPT_HTTPHEADER, NULL);
        curl_easy_setopt(lane->curl, CURLOPT_HTTPGET, 1L);
    }
    lane->started_us = clock_us();
    require(curl_multi_add_handle(race->multi, lane->curl) == CURLM_OK, "starting a call");
}

static void finish(struct lane *lane, CURLcode result)
{
    struct http_answer *answer = lane->answer;
    answer->us = clock_us() - lane->started_us;
    if (result != CURLE_OK) {
        const char *words = lane->error[0] != '\0' ? lane->error : curl_easy_strerror(result);
        snprintf(answer->error, sizeof answer->error, "%s", words);
        return;
    }
    char *type = NULL;
    curl_off_t len = -1;
    curl_easy_getinfo(lane->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_getinfo(lane->curl, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(lane->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &len);
    snprintf(answer->type, sizeof answer->type, "%s", type != NULL ? type : "");
    answer->has_length = len >= 0;
}

// Collects what has ended and puts the next calls on the lanes that became free.
static void turn_over(struct race *race)
{
    int left = 0;
    for (CURLMsg *message = curl_multi_info_read(race->multi, &left); message != NULL;
         message = curl_multi_info_read(race->multi, &left)) {
        CURL *curl = message->easy_handle;
        CURLcode result = message->data.result;
        struct lane *lane = NULL;
        curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&lane);
        curl_multi_remove_handle(race->multi, curl);
        finish(lane, result);
        race->done++;
        if (race->next < race->volley->count) {
            start_next(race, lane);
        }
    }
}

int64_t http_send(const struct http_volley *volley, struct http_answer *answers)
{
    struct race race = {.volley = volley, .answers = answers, .multi = curl_multi_init()};
    race.post_headers = curl_slist_append(NULL, "Content-Type: application/x-pki-message");
    race.post_headers = curl_slist_append(race.post_headers, "Expect:");
    size_t lanes = volley->connections < volley->count ? volley->connections : volley->count;
    struct lane *lane = calloc(lanes, sizeof *lane);
    require(race.multi != NULL && race.post_headers != NULL && lane != NULL, "starting libcurl");
    curl_multi_setopt(race.multi, CURLMOPT_MAXCONNECTS, (long)lanes);
    for (size_t i = 0; i < lanes; i++) {
        set_up_lane(&lane[i], volley->timeout_sec);
    }
    int64_t begun_us = clock_us();
    for (size_t i = 0; i < lanes; i++) {
        start_next(&race, &lane[i]);
    }
    while (race.done < volley->count) {
        int running = 0;
        curl_multi_perform(race.multi, &running);
        size_t before = race.done;
        turn_over(&race);
        if (race.done == before) {
            curl_multi_poll(race.multi, NULL, 0, POLL_MS, NULL);
        }
    }
    int64_t elapsed_us = clock_us() - begun_us;
    for (size_t i = 0; i < lanes; i++) {
        curl_easy_cleanup(lane[i].curl);
    }
    free(lane);
    curl_multi_cleanup(race.multi);
    curl_slist_free_all(race.post_headers);
    return elapsed_us;
}

struct http_answer http_call(const struct http_call *call)
{
    struct http_volley volley = {
        .calls = call, .count = 1, .connections = 1, .timeout_sec = TIMEOUT_SEC};
    struct http_answer answer = {0};
    http_send(&volley, &answer);
    return answer;
}

void http_answer_done(struct http_answer *answer)
{
    octets_done(&answer->body);
}

enum outcome http_check_ok(const struct http_answer *answer, struct trouble *trouble)
{
    if (answer->status == 0) {
        return trouble_set(trouble, OUTCOME_TROUBLE, "no answer: %s", answer->error);
    }
    if (answer->status != 200) {
        int len = 0;
        while (len < SHOWN_BODY_CHARS && (size_t)len < answer->body.len &&
               answer->body.data[len] >= ' ' && answer->body.data[len] <= '~') {
            len++;
        }
        return trouble_set(trouble, OUTCOME_TROUBLE, "HTTP status %ld: %.*s", answer->status, len,
                           len > 0 ? (const char *)answer->body.data : "");
    }
    return OUTCOME_OK;
}
