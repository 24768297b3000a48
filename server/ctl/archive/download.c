// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/archive/download.h"

#include <string.h>

#include <curl/curl.h>

#include "server/ctl/api.h"
#include "server/ctl/interrupt.h"

#define REFUSAL_MAX 65536 // octets of an answer that says no
#define LINE_LEN    256   // bytes of a line of the head; longer ones are none of ours
#define CONNECT_SEC 5L
#define SILENCE_SEC 60L // without an octet: a busy disk takes no longer
#define STATUS_OK   200L
#define STATUS_BUSY 503L

struct transfer {
    const struct download *download;
    CURL *curl;
    char *url;
    struct buf refusal;
    struct err failure; // of `take`
};

static void transfer_done(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->curl);
    free(transfer->url);
    buf_done(&transfer->refusal);
}

static long status_of(const struct transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    struct view octets = view_of(data, size * count);
    enum err_code code;
    if (status_of(transfer) == STATUS_OK) {
        code = transfer->download->take(transfer->download->context, octets, &transfer->failure);
    } else if (transfer->refusal.len + octets.len > REFUSAL_MAX) {
        code = ERR_LIMIT;
    } else {
        code = buf_append(&transfer->refusal, octets, &transfer->failure);
    }
    return code == ERR_OK ? octets.len : 0;
}

static size_t take_line(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    char line[LINE_LEN];
    size_t len = size * count;
    if (len < sizeof line) {
        memcpy(line, data, len);
        line[len] = '\0';
        line[strcspn(line, "\r\n")] = '\0';
        transfer->download->take_head(transfer->download->context, line);
    }
    return len;
}

// Called once a second at least, also while nothing comes.
static int look_up(void *context, curl_off_t total_down, curl_off_t down, curl_off_t total_up,
                   curl_off_t up)
{
    (void)total_down;
    (void)down;
    (void)total_up;
    (void)up;
    struct transfer *transfer = context;
    return interrupt_check(&transfer->failure) == ERR_OK ? 0 : 1;
}

static bool prepare(struct transfer *transfer)
{
    const struct download *download = transfer->download;
    transfer->curl = curl_easy_init();
    if (transfer->curl == NULL || asprintf(&transfer->url, "http://scepd%s", download->path) < 0) {
        transfer->url = NULL;
        return false;
    }
    curl_easy_setopt(transfer->curl, CURLOPT_URL, transfer->url);
    curl_easy_setopt(transfer->curl, CURLOPT_PROXY, ""); // whatever the environment says
    curl_easy_setopt(transfer->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(transfer->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SEC);
    curl_easy_setopt(transfer->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(transfer->curl, CURLOPT_LOW_SPEED_TIME, SILENCE_SEC);
    curl_easy_setopt(transfer->curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(transfer->curl, CURLOPT_XFERINFOFUNCTION, look_up);
    curl_easy_setopt(transfer->curl, CURLOPT_XFERINFODATA, transfer);
    curl_easy_setopt(transfer->curl, CURLOPT_HEADERFUNCTION, take_line);
    curl_easy_setopt(transfer->curl, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(transfer->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(transfer->curl, CURLOPT_WRITEDATA, transfer);
    return curl_easy_setopt(transfer->curl, CURLOPT_UNIX_SOCKET_PATH, download->socket) == CURLE_OK;
}

static enum err_code unreachable(const struct transfer *transfer, CURLcode result, struct err *err)
{
    long error = 0;
    curl_easy_getinfo(transfer->curl, CURLINFO_OS_ERRNO, &error);
    return err_set(err, ERR_NOT_FOUND, "cannot reach scepd at %s: %s", transfer->download->socket,
                   error != 0 ? strerror((int)error) : curl_easy_strerror(result));
}

static enum err_code refused(const struct transfer *transfer, struct err *err)
{
    CLEANUP(api_decref)
    json_t *answer =
        json_loadb((const char *)transfer->refusal.data, transfer->refusal.len, 0, NULL);
    const char *message = api_text(answer, "message");
    return err_set(err, status_of(transfer) == STATUS_BUSY ? ERR_BUSY : ERR_DENIED,
                   "scepd says no: %s", message != NULL ? message : "no reason given");
}

static enum err_code judge(const struct transfer *transfer, CURLcode result, struct err *err)
{
    if (transfer->failure.code != ERR_OK) {
        return err_set(err, transfer->failure.code, "%s", transfer->failure.text);
    }
    long status = status_of(transfer);
    if (status == 0) {
        return unreachable(transfer, result, err);
    }
    if (status != STATUS_OK) {
        return refused(transfer, err);
    }
    return result == CURLE_OK ? ERR_OK
                              : err_set(err, ERR_BUSY, "scepd ended its answer before its end: %s",
                                        curl_easy_strerror(result));
}

enum err_code download_run(const struct download *download, struct err *err)
{
    CLEANUP(transfer_done) struct transfer transfer = {.download = download};
    if (!prepare(&transfer)) {
        return err_set(err, ERR_NOMEM,
                       "cannot prepare a request to %s: out of memory or the path is too long",
                       download->socket);
    }
    CURLcode result = curl_easy_perform(transfer.curl);
    return judge(&transfer, result, err);
}
