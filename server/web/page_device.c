// SPDX-License-Identifier: Apache-2.0
// One phone's page, and the search that leads there.
#include <string.h>

#include <microhttpd.h>

#include "server/admin/admin_input.h"
#include "server/web/table.h"

static void add_fact(struct page *page, const char *what, const char *text)
{
    html_add(&page->html, "<dt>%s</dt><dd><bdi>%s</bdi></dd>\n", what, text);
}

// ---- the list, the outlook ----

static void add_listing(struct page *page, const json_t *device)
{
    const json_t *list = json_object_get(device, "list");
    const json_t *entry = json_object_get(list, "entry");
    bool is_asked = json_is_true(json_object_get(device, "list_is_asked"));
    bool is_listed = json_is_true(json_object_get(list, "listed"));
    html_add(&page->html, "<dt>Device list</dt><dd>");
    if (is_listed) {
        html_add(&page->html, "listed");
    } else {
        html_add(&page->html, is_asked ? "not listed; only listed phones are welcome"
                                       : "not listed; everybody is welcome");
    }
    if (page_text(list, "reason") != NULL && !is_listed && is_asked) {
        html_add(&page->html, " (%s)", page_text(list, "reason"));
    }
    if (page_text(entry, "note") != NULL) {
        html_add(&page->html, ": <bdi>%s</bdi>", page_text(entry, "note"));
    }
    html_add(&page->html, "</dd>\n");
}

static void add_facts(struct page *page, const json_t *device)
{
    html_add(&page->html,
             "<section class=\"card\" aria-labelledby=\"identity\">"
             "<h2 id=\"identity\">Identity</h2>\n<dl class=\"facts\"><dt>MAC</dt><dd>");
    page_add_mac(page, page_text(device, "mac"));
    html_add(&page->html, "</dd>\n");
    add_fact(page, "Model", page_text(device, "model"));
    add_fact(page, "Serial number", page_text(device, "serial_number"));
    add_listing(page, device);
    html_add(&page->html, "</dl></section>\n");
}

static void add_troubles(struct page *page, const json_t *troubles)
{
    size_t i = 0;
    const json_t *trouble = NULL;
    if (json_array_size(troubles) == 0) {
        return;
    }
    html_add(&page->html, "<p class=\"notice\">Its renewal will fail:</p><ul>\n");
    json_array_foreach(troubles, i, trouble)
    {
        html_add(&page->html, "<li>%s</li>\n", json_string_value(trouble));
    }
    html_add(&page->html, "</ul>\n");
}

static void add_outlook(struct page *page, const json_t *outlook)
{
    html_add(&page->html, "<section class=\"card\" aria-labelledby=\"outlook\">"
                          "<h2 id=\"outlook\">Outlook</h2>\n");
    if (!json_is_object(outlook)) {
        html_add(&page->html, "<p>It has no certificate yet.</p></section>\n");
        return;
    }
    html_add(&page->html, "<dl class=\"facts\"><dt>State</dt><dd>");
    page_add_state(page, page_text(outlook, "state"));
    html_add(&page->html, "</dd>\n<dt>Certificate ends</dt><dd>");
    page_add_when(page, outlook, "not_after");
    html_add(&page->html, "</dd>\n<dt>Begins to renew</dt><dd>");
    if (json_is_false(json_object_get(outlook, "renews"))) {
        html_add(&page->html, "not by itself: it is a server's");
    } else {
        page_add_when(page, outlook, "renews_at");
    }
    html_add(&page->html, "</dd>\n");
    if (page_text(outlook, "mic_not_after") != NULL) {
        html_add(&page->html, "<dt>Manufacturer's certificate ends</dt><dd>");
        page_add_when(page, outlook, "mic_not_after");
        html_add(&page->html, "</dd>\n");
    }
    html_add(&page->html, "</dl>\n");
    add_troubles(page, json_object_get(outlook, "will_fail"));
    html_add(&page->html, "</section>\n");
}

// ---- its certificates ----

static void add_revocation(struct page *page, const json_t *certificate)
{
    const char *reason = page_text(certificate, "revocation_reason");
    table_open(page, "Revoked");
    page_add_when(page, certificate, "revoked_at");
    if (reason != NULL) {
        html_add(&page->html, " <span class=\"rel\">%s</span>", reason);
    }
    table_close(page);
}

static void add_certificate(struct page *page, const json_t *certificate)
{
    const char *serial = page_text(certificate, "serial");
    html_add(&page->html, "<tr id=\"%s\"><th scope=\"row\"><code class=\"serial\">%s</code></th>",
             serial, serial);
    table_add_text(page, "Name", certificate, "common_name");
    table_add_state(page, certificate, "status");
    table_add_text(page, "Authorised by", certificate, "authorised_by");
    table_add_when(page, "Issued", certificate, "issued_at");
    table_add_when(page, "Ends", certificate, "not_after");
    table_add_when(page, "Replaced", certificate, "superseded_at");
    add_revocation(page, certificate);
    html_add(&page->html, "</tr>\n");
}

static void add_certificates(struct page *page, const json_t *device)
{
    static const char *const columns[] = {"Certificate",   "Name",    "State",
                                          "Authorised by", "Issued",  "Ends",
                                          "Replaced",      "Revoked", NULL};
    size_t i = 0;
    const json_t *certificate = NULL;
    const json_t *list = json_object_get(device, "certificates");
    if (json_array_size(list) == 0) {
        return;
    }
    table_begin(page, "Certificates, newest first", columns);
    json_array_foreach(list, i, certificate)
    {
        add_certificate(page, certificate);
    }
    table_end(page);
    if (json_is_true(json_object_get(device, "has_more"))) {
        html_add(&page->html, "<p class=\"fine\">There are older ones.</p>\n");
    }
}

// What people call it: the name in its newest certificate, else its MAC or serial number.
static const char *name_of(const json_t *device)
{
    const json_t *newest = json_array_get(json_object_get(device, "certificates"), 0);
    const char *names[] = {page_text(newest, "common_name"), page_text(device, "mac"),
                           page_text(device, "serial_number"), page_text(device, "device")};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i] != NULL) {
            return names[i];
        }
    }
    return "A phone";
}

// Of a phone that was always refused there is nothing but that.
static enum err_code tell_story_alone(struct page *page, struct err *err)
{
    bool has_story = false;
    struct err failure = {0};
    page_set_title(page, page->request->item);
    html_add(&page->html, "<p>It has no certificate and is not on the device list.</p>\n");
    enum err_code code = page_add_story(page, page->request->item, &has_story, &failure);
    if (code != ERR_OK) {
        return err_set(err, code, "%s", failure.text);
    }
    return has_story ? ERR_OK : err->code;
}

enum err_code page_device(struct page *page, struct err *err)
{
    bool has_story = false;
    CLEANUP(page_decref) json_t *device = NULL;
    const struct admin_request question = {.item = page->request->item};
    enum err_code code = page_ask(page, admin_get_device, &question, &device, err);
    if (code == ERR_NOT_FOUND) {
        return tell_story_alone(page, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    page_set_title(page, name_of(device));
    html_add(&page->html, "<div class=\"cards\">\n");
    add_facts(page, device);
    add_outlook(page, json_object_get(device, "outlook"));
    html_add(&page->html, "</div>\n");
    add_certificates(page, device);
    return page_add_story(page, page->request->item, &has_story, err);
}

// ---- search ----

// Leads to the device's page, and on it to the certificate with `serial` (NULL = none).
static enum err_code go_to_device(struct page *page, const char *device, const char *serial,
                                  struct err *err)
{
    struct html path = {.out = &page->location};
    html_add(&path, "/device/");
    html_add_url(&path, device);
    if (serial != NULL) {
        html_add(&path, "#");
        html_add_url(&path, serial);
    }
    enum err_code code = html_finish(&path, err);
    return code == ERR_OK ? buf_append(&page->location, view_of("", 1), err) : code;
}

// A whole serial number of a certificate of ours.
static enum err_code find_certificate(struct page *page, const char *text, struct err *err)
{
    uint8_t serial[SERIAL_LEN];
    if (admin_read_serial(text, serial, NULL) != ERR_OK) {
        return ERR_NOT_FOUND;
    }
    CLEANUP(page_decref) json_t *certificate = NULL;
    const struct admin_request question = {.item = text};
    enum err_code code = page_ask(page, admin_get_certificate, &question, &certificate, err);
    return code == ERR_OK ? go_to_device(page, page_text(certificate, "device"),
                                         page_text(certificate, "serial"), err)
                          : code;
}

// By what it has, else by what happened to it.
static enum err_code find_device(struct page *page, const char *text, struct err *err)
{
    CLEANUP(page_decref) json_t *device = NULL;
    CLEANUP(page_decref) json_t *events = NULL;
    const struct admin_request question = {.item = text};
    const struct admin_request story = {.filter = {.of = text, .last = "1"}};
    enum err_code code = page_ask(page, admin_get_device, &question, &device, err);
    if (code == ERR_NOT_FOUND) {
        code = page_ask(page, admin_list_events, &story, &events, err);
        bool is_known = json_array_size(json_object_get(events, "events")) > 0;
        return code == ERR_OK && !is_known ? ERR_NOT_FOUND : go_to_device(page, text, NULL, err);
    }
    const char *name = page_text(device, "device"); // NULL: it is only on the device list
    return code == ERR_OK ? go_to_device(page, name != NULL ? name : text, NULL, err) : code;
}

static void add_hit(struct page *page, const json_t *certificate)
{
    html_add(&page->html, "<tr>");
    table_add_device(page, certificate);
    table_add_mac(page, certificate);
    table_add_text(page, "Kind", certificate, "kind");
    table_add_state(page, certificate, "status");
    table_add_when(page, "Ends", certificate, "not_after");
    html_add(&page->html, "</tr>\n");
}

// What begins like that: one leads to its page, more are listed.
static enum err_code find_beginnings(struct page *page, const char *text, struct err *err)
{
    static const char *const columns[] = {"Phone or server", "MAC", "Kind", "State", "Ends", NULL};
    size_t i = 0;
    const json_t *hit = NULL;
    CLEANUP(page_decref) json_t *found = NULL;
    const struct admin_request question = {.item = text};
    enum err_code code = page_ask(page, admin_search, &question, &found, err);
    const json_t *list = json_object_get(found, "certificates");
    if (code != ERR_OK || json_array_size(list) == 0) {
        return code != ERR_OK ? code : ERR_NOT_FOUND;
    }
    if (json_array_size(list) == 1) {
        return go_to_device(page, page_text(json_array_get(list, 0), "device"), NULL, err);
    }
    table_begin(page, "What begins like that", columns);
    json_array_foreach(list, i, hit)
    {
        add_hit(page, hit);
    }
    table_end(page);
    if (json_is_true(json_object_get(found, "has_more"))) {
        html_add(&page->html, "<p class=\"fine\">There are more than these %jd.</p>\n",
                 (intmax_t)ADMIN_SEARCH_MAX);
    }
    return ERR_OK;
}

static void say_not_found(struct page *page, const char *text)
{
    page->status = MHD_HTTP_NOT_FOUND;
    page_set_title(page, "No such phone");
    html_add(&page->html,
             "<p class=\"notice\">Nothing is known of <bdi class=\"asked\">%s</bdi>.</p>\n"
             "<p>A phone is found by</p><ul>"
             "<li>its MAC in any notation: <code>001A2B3C4D5E</code>, "
             "<code>00:1a:2b:3c:4d:5e</code>, <code>001a.2b3c.4d5e</code>, "
             "<code>SEP001A2B3C4D5E</code>;</li>"
             "<li>the whole common name of a certificate: <code>CP-8841-SEP001A2B3C4D5E</code>;"
             "</li><li>the beginning of its MAC: <code>001A2B</code>, <code>SEP001A2B</code>; or, "
             "if it has no MAC in its name, the beginning of that;</li><li>its own serial number: "
             "<code>FCH12345678</code>;</li>"
             "<li>the serial number of a certificate, 32 hexadecimal digits, with 0x in front or "
             "without.</li></ul>\n",
             text);
}

// Without spaces around, which come along when something is copied.
static bool trim(const char *text, char *room, size_t size)
{
    static const char blanks[] = " \t\r\n";
    text += strspn(text, blanks);
    size_t len = strlen(text);
    while (len > 0 && strchr(blanks, text[len - 1]) != NULL) {
        len--;
    }
    if (len == 0 || len >= size) {
        return false;
    }
    memcpy(room, text, len);
    room[len] = '\0';
    return true;
}

enum err_code page_search(struct page *page, struct err *err)
{
    char text[STORE_NAME_LEN];
    const char *query = page->request->query;
    page_set_title(page, "Find a phone");
    if (query == NULL || !trim(query, text, sizeof text)) {
        html_add(&page->html, "<p>Ask for a MAC, a common name or a serial number above.</p>\n");
        return ERR_OK;
    }
    enum err_code code = find_certificate(page, text, err);
    if (code == ERR_NOT_FOUND) {
        code = find_device(page, text, err);
    }
    if (code == ERR_NOT_FOUND) {
        code = find_beginnings(page, text, err);
    }
    if (code == ERR_NOT_FOUND) {
        say_not_found(page, text);
        return ERR_OK;
    }
    return code;
}
