// SPDX-License-Identifier: Apache-2.0
// What the pages are made of: the frame that all have, times, numbers, states; and the pages. Each
// asks the administrator's resources (server/admin/) for JSON, as scepctl does, and shows it. All
// on the main thread.
#pragma once

#include <jansson.h>

#include "server/admin/admin_resources.h"
#include "server/web/html.h"

#define PAGE_LINES 100 // lines of a list on one page

struct page_request {
    struct live *live;
    int64_t now;
    const char *item;  // what follows the page's path, decoded; NULL = nothing
    const char *query; // ?q=; NULL = not given
    const char *after; // ?after=; NULL = not given
    const char *days;  // ?days=; NULL = not given
};

// A page that is being written.
struct page {
    const struct page_request *request;
    struct html html; // what comes between the frame's head and foot
    char title[STORE_NAME_LEN];
    const char *here;    // path of the entry of the menu that it belongs to; static; NULL = none
    unsigned status;     // HTTP
    struct buf location; // not empty: go there instead, a path with a NUL that its length counts
};

// Writes a page's content and sets its other members. Errors: those of the administrator's
// resources; what was written is then thrown away.
typedef enum err_code page_call(struct page *page, struct err *err);
page_call page_fleet;
page_call page_search;
page_call page_device; // item: a device
page_call page_due;
page_call page_pending;
page_call page_certificates;
page_call page_events;

// The whole page `page` as it is sent, in *ret_text (empty before). Errors: ERR_NOMEM.
enum err_code page_frame(const struct page *page, struct buf *ret_text, struct err *err) MUST_CHECK;
// Makes it a page that says what went wrong; its content so far is forgotten.
void page_fail(struct page *page, enum err_code code, const struct err *failure);

void page_set_title(struct page *page, const char *title); // what is too long is cut

// Adds what happened to a phone that `of` names (MAC or common name), newest first, if anything
// did. Errors: those of admin_list_events.
enum err_code page_add_story(struct page *page, const char *of, bool *ret_has_story,
                             struct err *err) MUST_CHECK;

// Asks a resource on behalf of a page. Caller gives *ret_answer back. Errors: the resource's.
enum err_code page_ask(const struct page *page, admin_call *call,
                       const struct admin_request *question, json_t **ret_answer,
                       struct err *err) MUST_CHECK;

static inline void page_decref(json_t **json)
{
    json_decref(*json);
}
// Members of objects: NULL, 0 when they are missing, null, or of another type.
const char *page_text(const json_t *object, const char *key);
int64_t page_number(const json_t *object, const char *key);
// A member that is an RFC 3339 time; false when it is none.
bool page_read_time(const json_t *object, const char *key, int64_t *ret_time);

// Write into page->html:
// a day, with the exact time to point at; a dash when there is none;
void page_add_day(struct page *page, const json_t *object, const char *key);
// the same, and how far it is from now ("in 12 days", "3 hours ago");
void page_add_when(struct page *page, const json_t *object, const char *key);
// a number with its thousands set apart;
void page_add_number(struct page *page, int64_t number);
// a state ("late", "revoked") with its colour;
void page_add_state(struct page *page, const char *state);
// a link to a device's page, with `text` on it;
void page_add_device(struct page *page, const char *device, const char *text);
// a MAC as people write it, 00:1A:2B:3C:4D:5E; a dash for NULL;
void page_add_mac(struct page *page, const char *mac);
// a bar, `part` of `whole`, in a state's colour; nothing for those who have the number read out;
void page_add_bar(struct page *page, int64_t part, int64_t whole, const char *state);
// one of the program's words ("wrong_challenge") with spaces in it;
void page_add_word(struct page *page, const char *word);
// a link to the next page of a list, when there is one (`after` is not NULL).
void page_add_next(struct page *page, const char *path, const char *after);
// Seconds in the largest unit that fits: "12 days", "1 hour".
#define PAGE_SPAN_LEN 32 // bytes with NUL
const char *page_span(int64_t seconds, char text[PAGE_SPAN_LEN]);
