// SPDX-License-Identifier: Apache-2.0
// What happened: to one phone, and lately to all.
#include <stdio.h>

#include "conf/base/clock.h"
#include "server/web/table.h"

#define STORY_LENGTH "200" // events of one phone
#define NEWS_LENGTH  "200" // events of all

// The exact time: events of one second follow each other.
static void add_time_cell(struct page *page, const json_t *event)
{
    table_open(page, "When");
    const char *at = page_text(event, "at");
    int64_t time = 0;
    char span[PAGE_SPAN_LEN];
    char shown[CLOCK_TEXT_LEN];
    snprintf(shown, sizeof shown, "%s", at != NULL ? at : "");
    for (char *letter = shown; *letter != '\0'; letter++) {
        *letter = *letter == 'T' || *letter == 'Z' ? ' ' : *letter;
    }
    html_add(&page->html, "<time datetime=\"%s\">%s</time>", at, shown);
    if (page_read_time(event, "at", &time) && page->request->now > time) {
        html_add(&page->html, " <span class=\"rel\">%s ago</span>",
                 page_span(page->request->now - time, span));
    }
    table_close(page);
}

static void add_word_cell(struct page *page, const char *column, const json_t *event,
                          const char *key)
{
    table_open(page, column);
    page_add_word(page, page_text(event, key));
    table_close(page);
}

// Nothing proves a claim, whoever's page it stands on.
static void add_claim(struct page *page, const json_t *event)
{
    const char *name = page_text(event, "common_name");
    if (json_is_true(json_object_get(event, "claimed"))) {
        html_add(&page->html, " <span class=\"rel\">unproven: claims to be <bdi>%s</bdi></span>",
                 name != NULL ? name : page_text(event, "device"));
    }
}

static void add_event_cell(struct page *page, const json_t *event)
{
    const char *what = page_text(event, "event");
    table_open(page, "What");
    html_add(&page->html, "<span class=\"state %s\">", what);
    page_add_word(page, what);
    html_add(&page->html, "</span>");
    add_claim(page, event);
    table_close(page);
}

// Why, in a word and in words, and what the phone was told.
static void add_reason_cell(struct page *page, const json_t *event)
{
    const char *detail = page_text(event, "detail");
    const char *fail_info = page_text(event, "fail_info");
    const char *reason = page_text(event, "reason");
    table_open(page, "Why");
    if (reason != NULL || detail == NULL) {
        page_add_word(page, reason);
    }
    if (detail != NULL) {
        html_add(&page->html, reason != NULL ? ": <bdi>%s</bdi>" : "<bdi>%s</bdi>", detail);
    }
    if (fail_info != NULL) {
        html_add(&page->html, " <span class=\"rel\">%s</span>", fail_info);
    }
    table_close(page);
}

static void add_event(struct page *page, const json_t *event, bool is_of_all)
{
    html_add(&page->html, "<tr>");
    if (is_of_all) {
        table_add_device(page, event);
    }
    add_time_cell(page, event);
    add_event_cell(page, event);
    add_word_cell(page, "Authorised by", event, "authorised_by");
    add_reason_cell(page, event);
    table_add_text(page, "From", event, "peer");
    table_open(page, "Certificate");
    html_add(&page->html, "<code class=\"serial\">%s</code>", page_text(event, "serial"));
    table_close(page);
    html_add(&page->html, "</tr>\n");
}

// They come oldest first.
static void add_events(struct page *page, const json_t *events, bool is_of_all)
{
    static const char *const columns[] = {"Phone", "When", "What",        "Authorised by",
                                          "Why",   "From", "Certificate", NULL};
    table_begin(page, "What happened, newest first", is_of_all ? columns : columns + 1);
    for (size_t i = json_array_size(events); i > 0; i--) {
        add_event(page, json_array_get(events, i - 1), is_of_all);
    }
    table_end(page);
}

enum err_code page_add_story(struct page *page, const char *of, bool *ret_has_story,
                             struct err *err)
{
    CLEANUP(page_decref) json_t *answer = NULL;
    const struct admin_request question = {.filter = {.of = of, .last = STORY_LENGTH}};
    enum err_code code = page_ask(page, admin_list_events, &question, &answer, err);
    if (code != ERR_OK) {
        return code;
    }
    const json_t *events = json_object_get(answer, "events");
    *ret_has_story = json_array_size(events) > 0;
    if (*ret_has_story) {
        add_events(page, events, false);
    }
    return ERR_OK;
}

enum err_code page_events(struct page *page, struct err *err)
{
    CLEANUP(page_decref) json_t *answer = NULL;
    const struct admin_request question = {.filter = {.last = NEWS_LENGTH}};
    enum err_code code = page_ask(page, admin_list_events, &question, &answer, err);
    if (code != ERR_OK) {
        return code;
    }
    const json_t *events = json_object_get(answer, "events");
    page_set_title(page, "Events");
    page->here = "/events";
    if (json_array_size(events) > 0) {
        add_events(page, events, true);
    } else {
        html_add(&page->html, "<p class=\"none\">Nothing has happened yet.</p>\n");
    }
    return ERR_OK;
}
