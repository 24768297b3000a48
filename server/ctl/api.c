// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/api.h"

#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "conf/base/buf.h"
#include "conf/base/clock.h"
#include "conf/settings.h"

#define ANSWER_MAX     16777216 // octets; the largest page has about 400 KiB
#define CONNECT_SEC    5L
#define TIMEOUT_SEC    30L // a busy disk may make a commit wait
#define STATUS_FAIL    400L
#define STATUS_MISSING 404L

struct call {
    CURL *curl;
    char *url;
    char *body; // JSON text
    struct buf answer;
    long status;
    CURLcode result;
};

static void call_done(struct call *call)
{
    curl_easy_cleanup(call->curl);
    free(call->url);
    free(call->body);
    buf_wipe(&call->answer);
}

static size_t take_answer(char *data, size_t size, size_t count, void *context)
{
    struct call *call = context;
    size_t len = size * count;
    if (call->answer.len + len > ANSWER_MAX ||
        buf_append(&call->answer, view_of(data, len), NULL) != ERR_OK) {
        return 0;
    }
    return len;
}

static int show_progress(void *context, curl_off_t total_down, curl_off_t down, curl_off_t total_up,
                         curl_off_t up)
{
    (void)total_down;
    (void)down;
    progress_show(context, (uint64_t)up, (uint64_t)total_up, clock_monotonic_us());
    return 0;
}

static bool make_url(struct call *call, const struct api_request *request)
{
    char *item = request->item != NULL ? curl_easy_escape(call->curl, request->item, 0) : NULL;
    if (request->item == NULL || item != NULL) {
        const char *slash = item != NULL ? "/" : "";
        const char *last = item != NULL ? item : "";
        if (asprintf(&call->url, "http://scepd%s%s%s", request->collection, slash, last) < 0) {
            call->url = NULL;
        }
    }
    curl_free(item);
    return call->url != NULL;
}

static bool prepare(struct call *call, const struct api_request *request, const char *socket)
{
    call->curl = curl_easy_init();
    if (call->curl == NULL || !make_url(call, request)) {
        return false;
    }
    if (request->body != NULL) {
        call->body = json_dumps(request->body, JSON_COMPACT);
        if (call->body == NULL) {
            return false;
        }
        curl_easy_setopt(call->curl, CURLOPT_POSTFIELDS, call->body);
    }
    if (request->progress != NULL) {
        curl_easy_setopt(call->curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(call->curl, CURLOPT_XFERINFOFUNCTION, show_progress);
        curl_easy_setopt(call->curl, CURLOPT_XFERINFODATA, request->progress);
    }
    curl_easy_setopt(call->curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(call->curl, CURLOPT_URL, call->url);
    curl_easy_setopt(call->curl, CURLOPT_PROXY, ""); // whatever the environment says
    curl_easy_setopt(call->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(call->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SEC);
    curl_easy_setopt(call->curl, CURLOPT_TIMEOUT, TIMEOUT_SEC);
    curl_easy_setopt(call->curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(call->curl, CURLOPT_WRITEDATA, call);
    return curl_easy_setopt(call->curl, CURLOPT_UNIX_SOCKET_PATH, socket) == CURLE_OK;
}

static enum ctl_exit complain_unreachable(struct ctl *ctl, struct call *call, const char *socket)
{
    long error = 0;
    curl_easy_getinfo(call->curl, CURLINFO_OS_ERRNO, &error);
    const char *reason = error != 0 ? strerror((int)error) : curl_easy_strerror(call->result);
    if (ctl->socket != NULL) {
        return ctl_complain(ctl, CTL_FAILED, "cannot reach scepd at %s: %s; is it running?", socket,
                            reason);
    }
    return ctl_complain(ctl, CTL_FAILED, "cannot reach scepd at %s: %s; is it running with %s?",
                        socket, reason, ctl->config);
}

// Borrowed from `answer`.
static const char *message_of(const json_t *answer)
{
    const char *message = api_text(answer, "message");
    return message != NULL ? message : "no reason given";
}

static enum ctl_exit read_answer(struct ctl *ctl, const struct call *call, json_t **ret_answer)
{
    json_error_t problem;
    json_t *answer = json_loadb((const char *)call->answer.data, call->answer.len, 0, &problem);
    if (answer == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "scepd's answer (HTTP %ld) is not JSON: %s",
                            call->status, problem.text);
    }
    if (call->status >= STATUS_FAIL) {
        ctl_complain(ctl, CTL_FAILED, "scepd says no: %s", message_of(answer));
        json_decref(answer);
        return CTL_FAILED;
    }
    *ret_answer = answer;
    return CTL_OK;
}

static enum ctl_exit call_socket(struct ctl *ctl, const struct api_request *request,
                                 const char *socket, json_t **ret_answer)
{
    CLEANUP(call_done) struct call call = {0};
    if (!prepare(&call, request, socket)) {
        return ctl_complain(ctl, CTL_FAILED,
                            "cannot prepare a request to %s: out of memory or "
                            "the path is too long",
                            socket);
    }
    call.result = curl_easy_perform(call.curl);
    if (request->ret_is_unreachable != NULL) {
        *request->ret_is_unreachable = call.result != CURLE_OK;
    }
    if (call.result != CURLE_OK && request->ret_is_unreachable != NULL) {
        return CTL_FAILED;
    }
    if (call.result != CURLE_OK) {
        return complain_unreachable(ctl, &call, socket);
    }
    curl_easy_getinfo(call.curl, CURLINFO_RESPONSE_CODE, &call.status);
    if (call.status == STATUS_MISSING && request->may_be_missing) {
        *ret_answer = NULL;
        return CTL_OK;
    }
    return read_answer(ctl, &call, ret_answer);
}

enum ctl_exit api_call(struct ctl *ctl, const struct api_request *request, json_t **ret_answer)
{
    struct err err = {0};
    struct settings *settings = NULL;
    if (ctl->socket != NULL) {
        return call_socket(ctl, request, ctl->socket, ret_answer);
    }
    if (settings_load(ctl->config, false, ctl->errors, &settings, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE,
                            "%s (-c FILE names another settings file, -s PATH the socket itself)",
                            err.text);
    }
    enum ctl_exit code = call_socket(ctl, request, settings->admin.socket, ret_answer);
    settings_free(settings);
    return code;
}

enum ctl_exit api_print(struct ctl *ctl, const json_t *answer)
{
    if (json_dumpf(answer, ctl->out, JSON_INDENT(2) | JSON_ENSURE_ASCII) != 0 ||
        fputc('\n', ctl->out) == EOF) {
        return ctl_complain(ctl, CTL_FAILED, "cannot write the output");
    }
    return CTL_OK;
}

const char *api_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

int64_t api_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}
