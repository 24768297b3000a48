// SPDX-License-Identifier: Apache-2.0
// The fleet at a glance: what needs attention, how many phones stand how, when their certificates
// end, who was refused, and how long RA and CAs last.
#include "server/web/page.h"

// When to warn of an end, in days before it. The RA renews itself long before.
#define RA_WARN_DAYS      7
#define ISSUING_WARN_DAYS 180 // phones' certificates must end before it
#define ROOT_WARN_DAYS    365 // every phone has to learn the next one
#define SERVER_WARN_DAYS  30  // somebody has to make the next one by hand
#define OCTETS_PER_KIB    1024
#define OCTETS_PER_MIB    (1024 * 1024)

// What needs attention; the list begins with its first entry.
struct warnings {
    struct page *page;
    unsigned count;
};

static void begin_warning(struct warnings *warnings, const char *level)
{
    if (warnings->count++ == 0) {
        html_add(&warnings->page->html, "<section class=\"verdict\" aria-labelledby=\"attention\">"
                                        "<h2 id=\"attention\">Needs attention</h2><ul>\n");
    }
    html_add(&warnings->page->html, "<li class=\"%s\">", level);
}

static void warn_of_health(struct warnings *warnings)
{
    const struct page_request *request = warnings->page->request;
    struct health health;
    health_check(request->live, request->now, &health);
    for (int i = 0; i < HEALTH_MAX; i++) {
        if (health.troubles[i][0] != '\0') {
            begin_warning(warnings, "bad");
            html_add(&warnings->page->html, "%s.</li>\n", health.troubles[i]);
        }
    }
}

static void warn_of_end(struct warnings *warnings, const char *what, const json_t *object,
                        const char *key, int days)
{
    int64_t end = 0;
    char span[PAGE_SPAN_LEN];
    struct page *page = warnings->page;
    bool is_known = page_read_time(object, key, &end);
    int64_t left = end - page->request->now;
    if (!is_known || left <= 0 || left >= days * (int64_t)DAY_SEC) {
        return; // what is over, health_check() has told
    }
    begin_warning(warnings, "warn");
    html_add(&page->html, "The certificate of %s ends in %s, on ", what, page_span(left, span));
    page_add_day(page, object, key);
    html_add(&page->html, ".</li>\n");
}

static void warn_of_servers(struct warnings *warnings, const json_t *servers)
{
    struct page *page = warnings->page;
    int64_t expired = page_number(servers, "expired_lately");
    warn_of_end(warnings, page_text(servers, "next_common_name"), servers, "next_not_after",
                SERVER_WARN_DAYS);
    if (expired > 0) {
        begin_warning(warnings, "warn");
        html_add(&page->html, expired == 1 ? "The certificate of <a href=\"/due\">a server</a> is "
                                             "over.</li>\n"
                                           : "Certificates of <a href=\"/due\">servers</a> are "
                                             "over.</li>\n");
    }
}

// The CRL is made anew at half of its life.
static void warn_of_crl(struct warnings *warnings, const json_t *crl)
{
    int64_t made = 0;
    int64_t end = 0;
    struct page *page = warnings->page;
    bool is_known =
        page_read_time(crl, "this_update", &made) && page_read_time(crl, "next_update", &end);
    if (is_known && end > page->request->now && page->request->now - made > (end - made) / 4 * 3) {
        begin_warning(warnings, "warn");
        html_add(&page->html, "The CRL should have been made anew by now; it is over on ");
        page_add_day(page, crl, "next_update");
        html_add(&page->html, ".</li>\n");
    }
}

static void warn_of_phones(struct warnings *warnings, const json_t *fleet)
{
    struct html *html = &warnings->page->html;
    int64_t late = page_number(fleet, "late");
    int64_t pending = page_number(fleet, "pending");
    if (late > 0) {
        begin_warning(warnings, "warn");
        html_add(html, "<a href=\"/due\">");
        page_add_number(warnings->page, late);
        html_add(html, late == 1 ? " phone is late</a>: it" : " phones are late</a>: they");
        html_add(html, " should have renewed by now.</li>\n");
    }
    if (pending > 0) {
        begin_warning(warnings, "note");
        html_add(html, "<a href=\"/pending\">");
        page_add_number(warnings->page, pending);
        html_add(html, pending == 1 ? " request waits</a>" : " requests wait</a>");
        html_add(html, " for an administrator.</li>\n");
    }
}

static void add_warnings(struct page *page, const json_t *fleet)
{
    struct warnings warnings = {.page = page};
    const json_t *ca = json_object_get(fleet, "ca");
    warn_of_health(&warnings);
    warn_of_end(&warnings, "the root CA", ca, "root_not_after", ROOT_WARN_DAYS);
    warn_of_end(&warnings, "the issuing CA", ca, "not_after", ISSUING_WARN_DAYS);
    warn_of_end(&warnings, "the RA", json_object_get(fleet, "ra"), "not_after", RA_WARN_DAYS);
    warn_of_crl(&warnings, json_object_get(fleet, "crl"));
    warn_of_servers(&warnings, json_object_get(fleet, "servers"));
    warn_of_phones(&warnings, fleet);
    html_add(&page->html, warnings.count > 0
                              ? "</ul></section>\n"
                              : "<p class=\"verdict calm\">Nothing needs your attention.</p>\n");
}

static void add_tile(struct page *page, const char *key, const char *words, const char *path,
                     int64_t number)
{
    html_add(&page->html, "<li class=\"tile %s %s\">", key, number > 0 ? "some" : "none");
    if (path != NULL) {
        html_add(&page->html, "<a href=\"%s\">", path);
    }
    html_add(&page->html, "<strong>");
    page_add_number(page, number);
    html_add(&page->html, "</strong> <span>%s</span>", words);
    html_add(&page->html, path != NULL ? "</a></li>\n" : "</li>\n");
}

static void add_tiles(struct page *page, const json_t *fleet)
{
    static const char *const tiles[][3] = {
        {"enrolled", "enrolled", "/certificates"},
        {"valid", "valid", NULL},
        {"due", "due", "/due"},
        {"late", "late", "/due"},
        {"expired", "expired", "/due"},
        {"revoked", "revoked", NULL},
        {"pending", "pending", "/pending"},
    };
    html_add(&page->html, "<ul class=\"tiles\" aria-label=\"Phones\">\n");
    for (size_t i = 0; i < sizeof tiles / sizeof tiles[0]; i++) {
        add_tile(page, tiles[i][0], tiles[i][1], tiles[i][2], page_number(fleet, tiles[i][0]));
    }
    add_tile(page, "refused", "refused in a day", "#refused",
             page_number(json_object_get(fleet, "refused_last_day"), "total"));
    html_add(&page->html, "</ul>\n");
}

// ---- when certificates end ----

// "over", "in up to 15 days", "in 15 to 30 days", "later".
static void add_bucket_name(struct page *page, const json_t *bucket)
{
    int64_t from = 0;
    int64_t until = 0;
    int64_t now = 0;
    struct html *html = &page->html;
    bool has_from = page_read_time(bucket, "from", &from);
    bool has_until = page_read_time(bucket, "until", &until);
    // Bounds are whole days from when the fleet was counted, which may be some seconds ago.
    now = page->request->now;
    intmax_t from_days = (from - now + DAY_SEC / 2) / DAY_SEC;
    intmax_t until_days = (until - now + DAY_SEC / 2) / DAY_SEC;
    if (!has_from) {
        html_add(html, "over");
    } else if (!has_until) {
        html_add(html, "later than %jd days", from_days);
    } else if (from_days <= 0) {
        html_add(html, "within %jd days", until_days);
    } else {
        html_add(html, "%jd to %jd days", from_days, until_days);
    }
}

// The colour of a bucket: what is late or nearly so stands out.
static const char *bucket_state(size_t index)
{
    static const char *const states[] = {"expired", "late", "due"};
    return index < sizeof states / sizeof states[0] ? states[index] : "ok";
}

static int64_t largest(const json_t *list)
{
    size_t i = 0;
    const json_t *entry = NULL;
    int64_t most = 0;
    json_array_foreach(list, i, entry)
    {
        int64_t count = page_number(entry, "count");
        most = count > most ? count : most;
    }
    return most;
}

static void add_expiry(struct page *page, const json_t *buckets)
{
    size_t i = 0;
    const json_t *bucket = NULL;
    struct html *html = &page->html;
    html_add(html, "<section class=\"card tall\" aria-labelledby=\"expiry\">"
                   "<h2 id=\"expiry\">When certificates end</h2>\n"
                   "<table class=\"chart\"><thead><tr><th scope=\"col\">Ends</th>"
                   "<th scope=\"col\" class=\"number\">Phones</th>"
                   "<td class=\"plot\"></td></tr></thead><tbody>\n");
    json_array_foreach(buckets, i, bucket)
    {
        int64_t count = page_number(bucket, "count");
        html_add(html, "<tr><th scope=\"row\">");
        add_bucket_name(page, bucket);
        html_add(html, "</th><td class=\"number\">");
        page_add_number(page, count);
        html_add(html, "</td><td class=\"plot\">");
        page_add_bar(page, count, largest(buckets), bucket_state(i));
        html_add(html, "</td></tr>\n");
    }
    html_add(html, "</tbody></table></section>\n");
}

// ---- refusals ----

static void add_refused(struct page *page, const json_t *refused)
{
    size_t i = 0;
    const json_t *entry = NULL;
    const json_t *reasons = json_object_get(refused, "reasons");
    struct html *html = &page->html;
    html_add(html, "<section class=\"card\" aria-labelledby=\"refused\">"
                   "<h2 id=\"refused\">Refused in the last 24 hours</h2>\n");
    if (json_array_size(reasons) == 0) {
        html_add(html, "<p class=\"none\">Nobody was.</p></section>\n");
        return;
    }
    html_add(html, "<table class=\"chart\"><thead><tr><th scope=\"col\">Reason</th>"
                   "<th scope=\"col\" class=\"number\">Requests</th>"
                   "<td class=\"plot\"></td></tr></thead><tbody>\n");
    json_array_foreach(reasons, i, entry)
    {
        html_add(html, "<tr><th scope=\"row\">");
        page_add_word(page, page_text(entry, "reason"));
        html_add(html, "</th><td class=\"number\">");
        page_add_number(page, page_number(entry, "count"));
        html_add(html, "</td><td class=\"plot\">");
        page_add_bar(page, page_number(entry, "count"), largest(reasons), "refused");
        html_add(html, "</td></tr>\n");
    }
    html_add(html, "</tbody></table></section>\n");
}

// ---- CA, RA, CRL, server ----

static void add_end_row(struct page *page, const char *what, const json_t *object, const char *key)
{
    html_add(&page->html, "<tr><th scope=\"row\">%s</th><td>", what);
    page_add_when(page, object, key);
    html_add(&page->html, "</td></tr>\n");
}

static void add_authorities(struct page *page, const json_t *fleet)
{
    const json_t *ca = json_object_get(fleet, "ca");
    const json_t *crl = json_object_get(fleet, "crl");
    struct html *html = &page->html;
    html_add(html,
             "<section class=\"card\" aria-labelledby=\"authorities\">"
             "<h2 id=\"authorities\">RA, CA and CRL</h2>\n"
             "<table><thead><tr><th scope=\"col\">What</th><th scope=\"col\">Good until</th></tr>"
             "</thead><tbody>\n");
    add_end_row(page, "RA certificate", json_object_get(fleet, "ra"), "not_after");
    add_end_row(page, "Issuing CA", ca, "not_after");
    add_end_row(page, "Root CA", ca, "root_not_after");
    add_end_row(page, "CRL", crl, "next_update");
    html_add(html, "</tbody></table>\n<p class=\"fine\">CRL number %jd with ",
             (intmax_t)page_number(crl, "number"));
    page_add_number(page, page_number(crl, "entries"));
    html_add(html, " entries, made ");
    page_add_when(page, crl, "this_update");
    html_add(html, ". The CA %s.</p></section>\n",
             json_is_true(json_object_get(ca, "answering")) ? "answers" : "does not answer");
}

static void add_servers(struct page *page, const json_t *servers)
{
    static const char *const counts[][2] = {
        {"valid", "Valid"}, {"expired", "Expired"}, {"revoked", "Revoked"}};
    struct html *html = &page->html;
    html_add(html, "<section class=\"card\" aria-labelledby=\"servers\">"
                   "<h2 id=\"servers\">Servers' certificates</h2>\n<dl class=\"facts\">");
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        html_add(html, "<dt>%s</dt><dd>", counts[i][1]);
        page_add_number(page, page_number(servers, counts[i][0]));
        html_add(html, "</dd>");
    }
    html_add(html, "<dt>Next one ends</dt><dd>");
    page_add_when(page, servers, "next_not_after");
    if (page_text(servers, "next_common_name") != NULL) {
        html_add(html, ": <bdi>%s</bdi>", page_text(servers, "next_common_name"));
    }
    html_add(html, "</dd></dl>\n<p class=\"fine\">They do not renew by themselves.</p>"
                   "</section>\n");
}

// Whole MiB; of the first ones the KiB.
static void add_size(struct page *page, int64_t octets)
{
    bool is_small = octets < 10 * (int64_t)OCTETS_PER_MIB;
    page_add_number(page, octets / (is_small ? OCTETS_PER_KIB : OCTETS_PER_MIB));
    html_add(&page->html, is_small ? " KiB" : " MiB");
}

static void add_server(struct page *page, const json_t *fleet)
{
    char span[PAGE_SPAN_LEN];
    const json_t *store = json_object_get(fleet, "store");
    int64_t used = page_number(store, "used_octets");
    int64_t most = page_number(store, "max_octets");
    struct html *html = &page->html;
    html_add(html,
             "<section class=\"card\" aria-labelledby=\"server\"><h2 id=\"server\">Server</h2>\n"
             "<dl class=\"facts\"><dt>Running for</dt><dd>%s</dd>"
             "<dt>Phones reach it at</dt><dd>%s</dd><dt>Certificates stored</dt><dd>",
             page_span(page_number(fleet, "uptime_seconds"), span), page->request->live->listening);
    page_add_number(page, page_number(store, "certificates"));
    html_add(html, "</dd><dt>On the device list</dt><dd>");
    page_add_number(page, page_number(store, "devices"));
    html_add(html, "</dd><dt>Store</dt><dd>");
    add_size(page, used);
    html_add(html, " of at most ");
    add_size(page, most);
    page_add_bar(page, used, most, "ok");
    html_add(html, "</dd></dl></section>\n");
}

enum err_code page_fleet(struct page *page, struct err *err)
{
    CLEANUP(page_decref) json_t *fleet = NULL;
    const struct admin_request question = {0};
    enum err_code code = page_ask(page, admin_get_fleet, &question, &fleet, err);
    if (code != ERR_OK) {
        return code;
    }
    page_set_title(page, "Fleet");
    page->here = "/";
    add_tiles(page, fleet);
    add_warnings(page, fleet);
    html_add(&page->html, "<div class=\"cards\">\n");
    add_expiry(page, json_object_get(fleet, "expiry"));
    add_refused(page, json_object_get(fleet, "refused_last_day"));
    add_authorities(page, fleet);
    add_servers(page, json_object_get(fleet, "servers"));
    add_server(page, fleet);
    html_add(&page->html, "</div>\n");
    return ERR_OK;
}
