// SPDX-License-Identifier: Apache-2.0
// scepctl log: the story of one phone, from what is remembered of it to how it stands now.
#include <stdlib.h>
#include <string.h>

#include "conf/base/attributes.h"
#include "server/ctl/color.h"
#include "server/ctl/fleet/story.h"
#include "server/ctl/pages.h"
#include "server/ctl/table.h"

#define LIMIT_DEFAULT 1000
#define STATE_LEN     1024 // bytes of the last lines

DEFINE_CLEANUP(char *, free);

static enum ctl_exit get_state(struct ctl *ctl, const char *device, json_t **ret_state)
{
    const struct api_request request = {
        .method = "GET", .collection = "/v1/devices", .item = device, .may_be_missing = true};
    return api_call(ctl, &request, ret_state);
}

static enum ctl_exit get_events(struct ctl *ctl, const char *device, int64_t limit, json_t *list,
                                json_t **after)
{
    CLEANUP(cleanup_free) char *query = story_query(ctl, device);
    if (query == NULL) {
        return CTL_FAILED;
    }
    const struct pages pages = {.collection = query, .member = "events", .limit = limit};
    return pages_get(ctl, &pages, list, after, NULL);
}

// The name by which the newest event knows the device; NULL = none. What somebody claims leads to
// no device.
static const char *device_of_events(const json_t *events)
{
    for (size_t i = json_array_size(events); i > 0; i--) {
        const json_t *event = json_array_get(events, i - 1);
        if (!json_is_true(json_object_get(event, "claimed"))) {
            return api_text(event, "device");
        }
    }
    return NULL;
}

struct findings {
    json_t *events; // oldest first
    json_t *after;  // a text when there are more
    json_t *state;  // /v1/devices/ITEM; NULL = unknown there
};

static void findings_done(struct findings *findings)
{
    json_decref(findings->events);
    json_decref(findings->after);
    json_decref(findings->state);
}

// What a phone is called by the administrator, in certificates and in events may be three names:
// what is found under one leads to the others.
static enum ctl_exit find(struct ctl *ctl, const char *item, int64_t limit,
                          struct findings *findings)
{
    enum ctl_exit code = get_events(ctl, item, limit, findings->events, &findings->after);
    if (code == CTL_OK) {
        code = get_state(ctl, item, &findings->state);
    }
    bool has_events = json_array_size(findings->events) > 0;
    if (code == CTL_OK && findings->state == NULL && has_events) {
        const char *device = device_of_events(findings->events);
        code = device != NULL ? get_state(ctl, device, &findings->state) : CTL_OK;
    } else if (code == CTL_OK && findings->state != NULL && !has_events) {
        const char *device = api_text(findings->state, "device");
        code = device != NULL ? get_events(ctl, device, limit, findings->events, &findings->after)
                              : CTL_OK;
    }
    if (code == CTL_OK && findings->state == NULL && json_array_size(findings->events) == 0) {
        return ctl_complain(ctl, CTL_FAILED,
                            "no phone \"%.64s\": neither a certificate, nor an entry of the device "
                            "list, nor an event has this MAC, common name or serial number",
                            item);
    }
    return code;
}

static enum ctl_exit print_events(struct ctl *ctl, const json_t *events, bool is_colored)
{
    const struct story story = {.is_colored = is_colored};
    size_t i;
    const json_t *event;
    json_array_foreach(events, i, event)
    {
        enum ctl_exit code = story_print(ctl, &story, event);
        if (code != CTL_OK) {
            return code;
        }
    }
    return CTL_OK;
}

static const char *or_unknown(const char *text)
{
    return text != NULL ? text : "?";
}

static enum color color_of_state(const char *state)
{
    if (strcmp(state, "ok") == 0) {
        return COLOR_GOOD;
    }
    return strcmp(state, "due") == 0 ? COLOR_WAITS : COLOR_BAD;
}

// The words of `state` in its colour, then what follows from it.
static void print_outlook(struct ctl *ctl, const json_t *outlook, bool is_colored)
{
    size_t i;
    const json_t *trouble;
    const char *state = or_unknown(api_text(outlook, "state"));
    enum color color = color_of_state(state);
    const char *end = or_unknown(api_text(outlook, "not_after"));
    fprintf(ctl->out, "Now: certificate %s%s%s, ", color_begin(is_colored, color), state,
            color_end(is_colored, color));
    if (strcmp(state, "revoked") == 0) {
        fprintf(ctl->out, "which would have ended at %s\n", end);
    } else if (json_is_false(json_object_get(outlook, "renews"))) {
        fprintf(ctl->out, "a server's: does not renew by itself; ends %s\n", end);
    } else {
        fprintf(ctl->out, "valid until %s, renews from %s\n", end,
                or_unknown(api_text(outlook, "renews_at")));
    }
    json_array_foreach(json_object_get(outlook, "will_fail"), i, trouble)
    {
        fprintf(ctl->out, "Its renewal will fail: %s\n", or_unknown(json_string_value(trouble)));
    }
}

static void print_state(struct ctl *ctl, const json_t *state, bool is_colored)
{
    const json_t *outlook = json_object_get(state, "outlook");
    if (json_is_object(outlook)) {
        print_outlook(ctl, outlook, is_colored);
    } else {
        fputs("Now: no certificate\n", ctl->out);
    }
    const json_t *list = json_object_get(state, "list");
    if (json_is_true(json_object_get(state, "list_is_asked")) &&
        json_is_false(json_object_get(list, "listed"))) {
        fputs("Not on the device list\n", ctl->out);
    }
}

static enum ctl_exit print(struct ctl *ctl, const struct findings *findings)
{
    if (ctl->is_json) {
        CLEANUP(api_decref)
        json_t *answer = json_pack("{s:O, s:O, s:O?}", "events", findings->events, "next_after",
                                   findings->after != NULL ? findings->after : json_null(), "now",
                                   findings->state);
        return api_print(ctl, answer);
    }
    bool is_colored = color_is_wanted(ctl->out);
    enum ctl_exit code = print_events(ctl, findings->events, is_colored);
    if (code != CTL_OK) {
        return code;
    }
    if (json_is_string(findings->after)) {
        pages_tell_more(ctl, findings->after);
        return CTL_OK; // the end of the story is not there yet
    }
    print_state(ctl, findings->state, is_colored);
    return CTL_OK;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    int64_t limit = 0;
    enum ctl_exit code = pages_read_limit(ctl, arguments, LIMIT_DEFAULT, &limit);
    if (code != CTL_OK) {
        return code;
    }
    CLEANUP(findings_done) struct findings findings = {.events = json_array()};
    code = find(ctl, arguments->operand, limit, &findings);
    return code == CTL_OK ? print(ctl, &findings) : code;
}

static const struct ctl_option options[] = {
    {"limit", CTL_LIMIT, "N", "at most so many events (1000), from the oldest"},
    {0},
};

const struct ctl_command ctl_log = {
    .name = "log",
    .operand = "CN|MAC",
    .summary = "Tell the story of one phone, oldest first, and how it stands now.",
    .options = options,
    .run = run,
};
