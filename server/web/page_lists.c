// SPDX-License-Identifier: Apache-2.0
// Lists: phones that are due, requests that wait, the newest certificates.
#include "server/web/table.h"

// ---- due ----

static void add_troubles(struct page *page, const json_t *troubles)
{
    size_t i = 0;
    const json_t *trouble = NULL;
    table_open(page, "Renewal will fail because");
    if (json_array_size(troubles) == 0) {
        html_add(&page->html, HTML_DASH);
    }
    json_array_foreach(troubles, i, trouble)
    {
        html_add(&page->html, i > 0 ? "; %s" : "%s", json_string_value(trouble));
    }
    table_close(page);
}

static void add_due_row(struct page *page, const json_t *device)
{
    html_add(&page->html, "<tr>");
    table_add_device(page, device);
    table_add_mac(page, device);
    table_add_text(page, "Model", device, "model");
    table_add_state(page, device, "state");
    table_add_when(page, "Ends", device, "not_after");
    table_add_when(page, "Renews", device, "renews_at");
    add_troubles(page, json_object_get(device, "will_fail"));
    html_add(&page->html, "</tr>\n");
}

static void add_due_counts(struct page *page, const json_t *counts)
{
    static const char *const shown[][2] = {
        {"due", "due"},         {"late", "late"},           {"expired", "expired"},
        {"revoked", "revoked"}, {"will_fail", "will fail"}, {"renewed", "renewed in that time"},
    };
    if (!json_is_object(counts)) {
        return;
    }
    html_add(&page->html, "<ul class=\"counts\">");
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        html_add(&page->html, "<li class=\"%s\"><strong>", shown[i][0]);
        page_add_number(page, page_number(counts, shown[i][0]));
        html_add(&page->html, "</strong> %s</li>", shown[i][1]);
    }
    html_add(&page->html, "</ul>\n");
    if (!json_is_true(json_object_get(counts, "complete"))) {
        html_add(&page->html, "<p class=\"fine\">There are more than were counted.</p>\n");
    }
}

static void add_server_row(struct page *page, const json_t *server)
{
    html_add(&page->html, "<tr>");
    table_add_device(page, server);
    table_add_state(page, server, "state");
    table_add_when(page, "Ends", server, "not_after");
    html_add(&page->html, "</tr>\n");
}

static void add_servers(struct page *page, const json_t *servers)
{
    static const char *const columns[] = {"Server", "State", "Ends", NULL};
    size_t i = 0;
    const json_t *server = NULL;
    if (json_array_size(servers) == 0) {
        return;
    }
    table_begin(page, "Servers, which do not renew by themselves", columns);
    json_array_foreach(servers, i, server)
    {
        add_server_row(page, server);
    }
    table_end(page);
}

static void add_phones(struct page *page, const json_t *devices)
{
    static const char *const columns[] = {
        "Phone", "MAC", "Model", "State", "Ends", "Renews", "Renewal will fail because", NULL};
    size_t i = 0;
    const json_t *device = NULL;
    if (json_array_size(devices) == 0) {
        html_add(&page->html, "<p class=\"none\">No phone is due in that time.</p>\n");
        return;
    }
    table_begin(page, "Phones by the end of their certificate", columns);
    json_array_foreach(devices, i, device)
    {
        add_due_row(page, device);
    }
    table_end(page);
}

static void add_days_form(struct page *page, int64_t days)
{
    html_add(&page->html,
             "<form class=\"days\" action=\"/due\" method=\"get\"><label for=\"days\">Days before "
             "and after now</label><input id=\"days\" name=\"days\" type=\"number\" min=\"1\" "
             "max=\"%jd\" value=\"%jd\" required><button type=\"submit\">Show</button></form>\n",
             (intmax_t)ADMIN_DUE_DAYS_MAX, (intmax_t)days);
}

enum err_code page_due(struct page *page, struct err *err)
{
    CLEANUP(page_decref) json_t *due = NULL;
    const struct admin_request question = {.after = page->request->after,
                                           .days = page->request->days};
    enum err_code code = page_ask(page, admin_list_due, &question, &due, err);
    if (code != ERR_OK) {
        return code;
    }
    page_set_title(page, "Due for renewal");
    page->here = "/due";
    html_add(&page->html,
             "<p>Phones renew by themselves in the last %jd days of their certificate."
             "</p>\n",
             (intmax_t)PHONE_RENEWS_BEFORE_DAYS);
    add_days_form(page, page_number(due, "days"));
    add_due_counts(page, json_object_get(due, "counts"));
    add_phones(page, json_object_get(due, "devices"));
    page_add_next(page, "/due", page_text(due, "next_after"));
    add_servers(page, json_object_get(due, "servers"));
    return ERR_OK;
}

// ---- pending ----

static void add_pending_row(struct page *page, const json_t *pending)
{
    html_add(&page->html, "<tr><th scope=\"row\"><code>%s</code></th>", page_text(pending, "id"));
    table_add_text(page, "Name asked for", pending, "common_name");
    table_add_mac(page, pending);
    table_add_text(page, "Model", pending, "model");
    table_add_text(page, "Serial number", pending, "serial_number");
    table_add_text(page, "From", pending, "source");
    table_add_text(page, "Signed by", pending, "signer");
    table_add_text(page, "Waits because", pending, "reason");
    table_add_state(page, pending, "state");
    table_add_when(page, "Came", pending, "created_at");
    table_add_when(page, "Is forgotten", pending, "expires_at");
    html_add(&page->html, "</tr>\n");
}

enum err_code page_pending(struct page *page, struct err *err)
{
    static const char *const columns[] = {
        "ID",        "Name asked for", "MAC",   "Model", "Serial number", "From",
        "Signed by", "Waits because",  "State", "Came",  "Is forgotten",  NULL};
    size_t i = 0;
    const json_t *entry = NULL;
    CLEANUP(page_decref) json_t *answer = NULL;
    const struct admin_request question = {0};
    enum err_code code = page_ask(page, admin_list_pending, &question, &answer, err);
    if (code != ERR_OK) {
        return code;
    }
    const json_t *list = json_object_get(answer, "pending");
    page_set_title(page, "Waiting for approval");
    page->here = "/pending";
    if (json_array_size(list) == 0) {
        html_add(&page->html, "<p class=\"none\">No request waits.</p>\n");
        return ERR_OK;
    }
    html_add(&page->html, "<p>Decide with <code>scepctl pending approve ID</code> or "
                          "<code>scepctl pending deny ID</code>.</p>\n");
    table_begin(page, "Requests, oldest first", columns);
    json_array_foreach(list, i, entry)
    {
        add_pending_row(page, entry);
    }
    table_end(page);
    return ERR_OK;
}

// ---- certificates ----

static void add_certificate_row(struct page *page, const json_t *certificate)
{
    html_add(&page->html, "<tr>");
    table_add_device(page, certificate);
    table_add_mac(page, certificate);
    table_add_state(page, certificate, "status");
    table_add_when(page, "Issued", certificate, "issued_at");
    table_add_when(page, "Ends", certificate, "not_after");
    table_add_text(page, "Authorised by", certificate, "authorised_by");
    table_open(page, "Certificate");
    html_add(&page->html, "<code class=\"serial\">%s</code>", page_text(certificate, "serial"));
    table_close(page);
    html_add(&page->html, "</tr>\n");
}

enum err_code page_certificates(struct page *page, struct err *err)
{
    static const char *const columns[] = {
        "Phone or server", "MAC", "State", "Issued", "Ends", "Authorised by", "Certificate", NULL};
    size_t i = 0;
    const json_t *certificate = NULL;
    CLEANUP(page_decref) json_t *answer = NULL;
    const struct admin_request question = {.after = page->request->after};
    enum err_code code = page_ask(page, admin_list_certificates, &question, &answer, err);
    if (code != ERR_OK) {
        return code;
    }
    const json_t *list = json_object_get(answer, "certificates");
    page_set_title(page, "Certificates");
    page->here = "/certificates";
    if (json_array_size(list) == 0) {
        html_add(&page->html, "<p class=\"none\">No certificate was issued yet.</p>\n");
        return ERR_OK;
    }
    table_begin(page, "Newest first", columns);
    json_array_foreach(list, i, certificate)
    {
        add_certificate_row(page, certificate);
    }
    table_end(page);
    page_add_next(page, "/certificates", page_text(answer, "next_after"));
    return ERR_OK;
}
