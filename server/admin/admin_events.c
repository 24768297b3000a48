// SPDX-License-Identifier: Apache-2.0
// GET /v1/events: the history, page by page from the oldest event, or the last ones of it.
#include <stdlib.h>
#include <string.h>

#include "conf/base/hex.h"
#include "server/admin/admin_input.h"
#include "server/admin/admin_resources.h"

#define ID_LEN 21 // bytes with NUL of an id in decimal digits

// What a client sent may be cut, or no UTF-8 at all.
static json_t *words_json(const char *words)
{
    char ascii[STORE_WORDS_LEN];
    size_t i = 0;
    json_t *text = admin_json_optional(words);
    if (text != NULL) {
        return text;
    }
    for (; i < sizeof ascii - 1 && words[i] != '\0'; i++) {
        ascii[i] = (unsigned char)words[i] < 0x80 ? words[i] : '?';
    }
    ascii[i] = '\0';
    return json_string(ascii);
}

json_t *admin_event_json(const struct store_event *event)
{
    const char *authority = store_event_authority_name(event->authority);
    return json_pack(
        "{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", //
        "id", (json_int_t)event->id,                                                   //
        "at", admin_json_time(event->at / STORE_US_PER_SEC),                           //
        "event", store_event_name(event->kind),                                        //
        "device", admin_json_optional(event->device),                                  //
        "common_name", admin_json_optional(event->common_name),                        //
        "mac", admin_json_optional(event->mac),                                        //
        "model", admin_json_optional(event->model),                                    //
        "claimed", event->is_claimed,                                                  //
        "mic_issuer", admin_json_optional(event->issuer),                              //
        "serial", admin_json_serial(event->serial),                                    //
        "peer", admin_json_optional(event->peer),                                      //
        "authorised_by", admin_json_optional(authority),                               //
        "reason", admin_json_optional(event->reason),                                  //
        "fail_info", admin_json_optional(event->fail_info),                            //
        "detail", words_json(event->words));
}

// What is asked for.
struct question {
    struct store_event_filter filter; // points to what follows, and into the request
    char mac[MAC_TEXT_LEN];
    char device[STORE_DEVICE_LEN]; // of the certificate with `serial`
    uint8_t serial[SERIAL_LEN];
    bool is_nothing; // no certificate has that serial number
    uint64_t after;
    unsigned limit;
    bool is_from_end;
};

static enum err_code read_mac(const char *text, struct question *question, struct err *err)
{
    enum err_code code = admin_read_mac(text, question->mac, err);
    question->filter.device = question->mac;
    return code;
}

// Without its device every event would have to be looked at.
static enum err_code read_serial(struct store *store, const char *text, struct question *question,
                                 struct err *err)
{
    struct store_certificate certificate = {0};
    enum err_code code = admin_read_serial(text, question->serial, err);
    if (code == ERR_OK) {
        code = store_find_serial(store, question->serial, &certificate, err);
        question->is_nothing = code == ERR_NOT_FOUND;
        code = question->is_nothing ? ERR_OK : code;
    }
    if (code == ERR_OK) {
        memcpy(question->device, certificate.device, sizeof question->device);
        question->filter.device = question->device;
        question->filter.serial = question->serial;
    }
    store_certificate_done(&certificate);
    return code;
}

// A CN may be a device's name, and may have its MAC in it.
static void read_of(const char *text, struct question *question)
{
    bool is_mac = admin_read_mac(text, question->mac, NULL) == ERR_OK ||
                  names_find_mac(view_of_text(text), question->mac);
    question->filter = (struct store_event_filter){
        .device = is_mac ? question->mac : text,
        .common_name = text,
        .is_either = true,
    };
}

static enum err_code read_filter(const struct admin_request *request, struct question *question,
                                 struct err *err)
{
    const struct admin_filter *asked = &request->filter;
    int devices = (asked->device != NULL) + (asked->mac != NULL) + (asked->serial != NULL) +
                  (asked->of != NULL);
    if (devices > 1 || (asked->of != NULL && asked->cn != NULL)) {
        return err_set(err, ERR_SYNTAX,
                       "only one of device, mac, serial and of, and cn not with of");
    }
    if (asked->of != NULL) {
        read_of(asked->of, question);
        return ERR_OK;
    }
    question->filter.common_name = asked->cn;
    question->filter.device = asked->device;
    if (asked->mac != NULL) {
        return read_mac(asked->mac, question, err);
    }
    return asked->serial != NULL ? read_serial(request->live->store, asked->serial, question, err)
                                 : ERR_OK;
}

static enum err_code read_after(const char *text, uint64_t *ret_after, struct err *err)
{
    size_t len = strlen(text);
    if (len == 0 || len >= ID_LEN - 1 || strspn(text, "0123456789") != len) {
        return err_set(err, ERR_SYNTAX, "after is \"%.64s\"; it is the id of an event", text);
    }
    *ret_after = strtoull(text, NULL, 10);
    return ERR_OK;
}

static enum err_code read_place(const struct admin_request *request, struct question *question,
                                struct err *err)
{
    static const struct admin_range limit = {.name = "limit", .min = 1, .max = ADMIN_PAGE_MAX};
    static const struct admin_range last = {.name = "last", .min = 1, .max = ADMIN_PAGE_MAX};
    const char *count = request->filter.last;
    question->limit = ADMIN_PAGE_DEFAULT;
    question->is_from_end = count != NULL;
    if (request->days != NULL) {
        return err_set(err, ERR_SYNTAX, "this list does not take days");
    }
    if (count != NULL && (request->after != NULL || request->limit != NULL)) {
        return err_set(err, ERR_SYNTAX, "last goes without after and limit");
    }
    if (count != NULL) {
        return admin_read_number(count, &last, &question->limit, err);
    }
    enum err_code code = ERR_OK;
    if (request->limit != NULL) {
        code = admin_read_number(request->limit, &limit, &question->limit, err);
    }
    return code == ERR_OK && request->after != NULL
               ? read_after(request->after, &question->after, err)
               : code;
}

// What a walk gathers.
struct gathering {
    const struct question *question;
    json_t *list;
    uint64_t last;
    bool is_full; // there was one more than the limit
    bool failed;  // out of memory
};

static bool gather(const struct store_event *event, void *context)
{
    struct gathering *gathering = context;
    json_t *list = gathering->list;
    if (json_array_size(list) == gathering->question->limit) {
        gathering->is_full = true;
        return false;
    }
    json_t *entry = admin_event_json(event);
    gathering->last = event->id;
    gathering->failed =
        (gathering->question->is_from_end ? json_array_insert_new(list, 0, entry)
                                          : json_array_append_new(list, entry)) != 0;
    return !gathering->failed;
}

static enum err_code walk(struct store *store, struct gathering *gathering, struct err *err)
{
    const struct question *question = gathering->question;
    enum err_code code = ERR_OK;
    if (question->is_from_end && !question->is_nothing) {
        code = store_list_events_back(store, &question->filter, gather, gathering, err);
    } else if (!question->is_nothing) {
        code = store_list_events(store, &question->filter, question->after, gather, gathering, err);
    }
    return code == ERR_OK && gathering->failed
               ? err_set(err, ERR_NOMEM, "no memory for a list of events")
               : code;
}

enum err_code admin_list_events(const struct admin_request *request, json_t **ret_body,
                                struct err *err)
{
    struct question question = {0};
    struct gathering gathering = {.question = &question};
    enum err_code code = read_place(request, &question, err);
    if (code == ERR_OK) {
        code = read_filter(request, &question, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    gathering.list = json_array();
    code = walk(request->live->store, &gathering, err);
    if (code != ERR_OK) {
        json_decref(gathering.list);
        return code;
    }
    char next[ID_LEN];
    snprintf(next, sizeof next, "%ju", (uintmax_t)gathering.last);
    bool has_more = gathering.is_full && !question.is_from_end;
    *ret_body = json_pack("{s:o, s:o}", "next_after", has_more ? json_string(next) : json_null(),
                          "events", gathering.list);
    return ERR_OK;
}
