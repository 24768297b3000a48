// SPDX-License-Identifier: Apache-2.0
#include "server/web/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <microhttpd.h>

#include "conf/base/clock.h"

#define MAC_DIGITS    12
#define DAY_TEXT_LEN  10 // of "2027-01-15T08:00:00Z"
#define MOMENT_SEC    5  // what is not further away is now
#define BAR_WIDTH     1000
#define NUMBER_LEN    32 // bytes of a number with its separators
#define SAFE_POLICIES "noindex, nofollow"

enum err_code page_ask(const struct page *page, admin_call *call,
                       const struct admin_request *question, json_t **ret_answer, struct err *err)
{
    struct admin_request request = *question;
    request.live = page->request->live;
    request.now = page->request->now;
    json_t *answer = NULL;
    enum err_code code = call(&request, &answer, err);
    if (code == ERR_OK && answer == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for a page");
    }
    if (code == ERR_OK) {
        *ret_answer = answer;
    }
    return code;
}

// ---- the frame ----

static void add_menu(struct html *html, const char *here)
{
    static const char *const entries[][2] = {
        {"/", "Fleet"},          {"/due", "Due"},
        {"/pending", "Pending"}, {"/certificates", "Certificates"},
        {"/events", "Events"},
    };
    html_add(html, "<nav aria-label=\"Pages\"><ul>");
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        bool is_here = here != NULL && strcmp(here, entries[i][0]) == 0;
        html_add(html, "<li><a href=\"%s\"", entries[i][0]);
        html_add(html, is_here ? " aria-current=\"page\">%s</a></li>" : ">%s</a></li>",
                 entries[i][1]);
    }
    html_add(html, "</ul></nav>");
}

static void add_search(struct html *html, const char *query)
{
    html_add(html,
             "<form role=\"search\" action=\"/search\" method=\"get\">"
             "<label for=\"q\">Find a phone</label>"
             "<input id=\"q\" name=\"q\" type=\"search\" value=\"%s\" maxlength=\"128\" "
             "placeholder=\"MAC, name or serial number\" autocomplete=\"off\" spellcheck=\"false\">"
             "<button type=\"submit\">Find</button></form>",
             query != NULL ? query : "");
}

static void add_head(struct html *html, const struct page *page)
{
    html_add(html,
             "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta name=\"color-scheme\" content=\"light dark\">\n"
             "<meta name=\"robots\" content=\"" SAFE_POLICIES "\">\n"
             "<title>%s \xC2\xB7 scepd</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n"
             "</head>\n<body>\n<a class=\"skip\" href=\"#content\">Skip to the content</a>\n"
             "<header><a class=\"brand\" href=\"/\">scepd</a>",
             page->title);
    add_menu(html, page->here);
    add_search(html, page->request->query);
    html_add(html, "</header>\n<main id=\"content\">\n<h1>%s</h1>\n", page->title);
}

static void add_foot(struct html *html, const struct page *page)
{
    char now[CLOCK_TEXT_LEN];
    html_add(html,
             "</main>\n<footer><p>scepd %s \xC2\xB7 as of %s \xC2\xB7 all times are UTC \xC2\xB7 "
             "this page only shows; <code>scepctl</code> changes</p></footer>\n</body>\n</html>\n",
             SCEPD_VERSION, clock_format(page->request->now, now));
}

enum err_code page_frame(const struct page *page, struct buf *ret_text, struct err *err)
{
    struct buf text = {0};
    struct html html = {.out = &text};
    add_head(&html, page);
    enum err_code code = html_finish(&html, err);
    if (code == ERR_OK) {
        code = buf_append(&text, buf_view(page->html.out), err);
    }
    add_foot(&html, page);
    if (code == ERR_OK) {
        code = html_finish(&html, err);
    }
    if (code != ERR_OK) {
        buf_done(&text);
        return code;
    }
    *ret_text = text;
    return ERR_OK;
}

void page_set_title(struct page *page, const char *title)
{
    snprintf(page->title, sizeof page->title, "%s", title);
}

static unsigned status_of(enum err_code code)
{
    switch (code) {
    case ERR_SYNTAX:
    case ERR_LIMIT:
        return MHD_HTTP_BAD_REQUEST;
    case ERR_NOT_FOUND:
        return MHD_HTTP_NOT_FOUND;
    default:
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    }
}

void page_fail(struct page *page, enum err_code code, const struct err *failure)
{
    page->status = status_of(code);
    page->html.out->len = 0;
    page->html.failed = false;
    const char *title = "This is not possible at present";
    if (page->status != MHD_HTTP_SERVICE_UNAVAILABLE) {
        title = code == ERR_NOT_FOUND ? "Not found" : "That is not possible";
    }
    page_set_title(page, title);
    html_add(&page->html, "<p class=\"notice\">%s.</p>\n<p><a href=\"/\">To the fleet</a></p>\n",
             failure->text);
}

// ---- JSON ----

const char *page_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

int64_t page_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static bool read_time(const char *text, int64_t *ret_time)
{
    struct tm parts = {0};
    const char *end = text != NULL ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts) : NULL;
    if (end == NULL || *end != '\0') {
        return false;
    }
    *ret_time = timegm(&parts);
    return true;
}

bool page_read_time(const json_t *object, const char *key, int64_t *ret_time)
{
    return read_time(page_text(object, key), ret_time);
}

// ---- parts ----

const char *page_span(int64_t seconds, char text[PAGE_SPAN_LEN])
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{2 * 365 * (int64_t)DAY_SEC, "year"},
                 {DAY_SEC, "day"},
                 {HOUR_SEC, "hour"},
                 {60, "minute"},
                 {1, "second"}};
    size_t i = 0;
    while (i + 1 < sizeof units / sizeof units[0] && seconds < units[i].seconds) {
        i++;
    }
    int64_t unit = i == 0 ? 365 * (int64_t)DAY_SEC : units[i].seconds;
    int64_t count = seconds / unit;
    snprintf(text, PAGE_SPAN_LEN, "%jd %s%s", (intmax_t)count, units[i].name,
             count == 1 ? "" : "s");
    return text;
}

void page_add_day(struct page *page, const json_t *object, const char *key)
{
    const char *text = page_text(object, key);
    if (text == NULL || strlen(text) < DAY_TEXT_LEN) {
        html_add(&page->html, HTML_DASH);
        return;
    }
    char day[DAY_TEXT_LEN + 1];
    snprintf(day, sizeof day, "%s", text);
    html_add(&page->html, "<time datetime=\"%s\" title=\"%s\">%s</time>", text, text, day);
}

void page_add_when(struct page *page, const json_t *object, const char *key)
{
    int64_t time = 0;
    char span[PAGE_SPAN_LEN];
    page_add_day(page, object, key);
    if (!page_read_time(object, key, &time)) {
        return;
    }
    int64_t left = time - page->request->now;
    if (llabs(left) < MOMENT_SEC) {
        html_add(&page->html, " <span class=\"rel\">now</span>");
        return;
    }
    html_add(&page->html,
             left >= 0 ? " <span class=\"rel\">in %s</span>" : " <span class=\"rel\">%s ago</span>",
             page_span(llabs(left), span));
}

void page_add_number(struct page *page, int64_t number)
{
    char digits[NUMBER_LEN];
    char text[NUMBER_LEN];
    int len = snprintf(digits, sizeof digits, "%jd", (intmax_t)number);
    size_t at = 0;
    for (int i = 0; i < len && at + 2 < sizeof text; i++) {
        bool is_group = i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-';
        if (is_group) {
            text[at++] = ',';
        }
        text[at++] = digits[i];
    }
    text[at] = '\0';
    html_add(&page->html, "%s", text);
}

void page_add_state(struct page *page, const char *state)
{
    html_add(&page->html, "<span class=\"state %s\">%s</span>", state != NULL ? state : "unknown",
             state);
}

void page_add_device(struct page *page, const char *device, const char *text)
{
    if (device == NULL) {
        html_add(&page->html, "<bdi>%s</bdi>", text);
        return;
    }
    html_add(&page->html, "<a href=\"/device/");
    html_add_url(&page->html, device);
    html_add(&page->html, "\"><bdi>%s</bdi></a>", text != NULL ? text : device);
}

void page_add_mac(struct page *page, const char *mac)
{
    if (mac == NULL || strlen(mac) != MAC_DIGITS) {
        html_add(&page->html, "%s", mac);
        return;
    }
    html_add(&page->html, "<span class=\"mac\">");
    for (size_t i = 0; i < MAC_DIGITS; i += 2) {
        const char pair[] = {mac[i], mac[i + 1], '\0'};
        html_add(&page->html, i > 0 ? ":%s" : "%s", pair);
    }
    html_add(&page->html, "</span>");
}

void page_add_bar(struct page *page, int64_t part, int64_t whole, const char *state)
{
    int64_t width = whole > 0 && part > 0 ? part * BAR_WIDTH / whole : 0;
    if (part > 0 && width < BAR_WIDTH / 100) {
        width = BAR_WIDTH / 100; // one phone of many can be seen, too
    }
    html_add(&page->html,
             "<svg class=\"bar %s\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" "
             "aria-hidden=\"true\" focusable=\"false\"><rect class=\"track\" width=\"1000\" "
             "height=\"10\"/><rect class=\"fill\" width=\"%jd\" height=\"10\"/></svg>",
             state, (intmax_t)(width < BAR_WIDTH ? width : BAR_WIDTH));
}

void page_add_word(struct page *page, const char *word)
{
    char words[STORE_NAME_LEN];
    if (word == NULL) {
        html_add(&page->html, HTML_DASH);
        return;
    }
    snprintf(words, sizeof words, "%s", word);
    for (char *at = words; *at != '\0'; at++) {
        *at = *at == '_' ? ' ' : *at;
    }
    html_add(&page->html, "%s", words);
}

void page_add_next(struct page *page, const char *path, const char *after)
{
    if (after == NULL) {
        return;
    }
    html_add(&page->html, "<p class=\"next\"><a rel=\"next\" href=\"%s?after=", path);
    html_add_url(&page->html, after);
    if (page->request->days != NULL) {
        html_add(&page->html, "&amp;days=");
        html_add_url(&page->html, page->request->days);
    }
    html_add(&page->html, "\">Next page</a></p>\n");
}
