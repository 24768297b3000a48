// SPDX-License-Identifier: Apache-2.0
#include "server/web/table.h"

void table_begin(struct page *page, const char *caption, const char *const *columns)
{
    html_add(&page->html,
             "<div class=\"wide\"><table class=\"list\"><caption>%s</caption><thead><tr>", caption);
    for (; *columns != NULL; columns++) {
        html_add(&page->html, "<th scope=\"col\">%s</th>", *columns);
    }
    html_add(&page->html, "</tr></thead><tbody>\n");
}

void table_end(struct page *page)
{
    html_add(&page->html, "</tbody></table></div>\n");
}

void table_open(struct page *page, const char *column)
{
    html_add(&page->html, "<td data-label=\"%s\">", column);
}

void table_close(struct page *page)
{
    html_add(&page->html, "</td>");
}

void table_add_text(struct page *page, const char *column, const json_t *object, const char *key)
{
    table_open(page, column);
    html_add(&page->html, "<bdi>%s</bdi>", page_text(object, key));
    table_close(page);
}

void table_add_when(struct page *page, const char *column, const json_t *object, const char *key)
{
    table_open(page, column);
    page_add_when(page, object, key);
    table_close(page);
}

void table_add_mac(struct page *page, const json_t *object)
{
    table_open(page, "MAC");
    page_add_mac(page, page_text(object, "mac"));
    table_close(page);
}

void table_add_state(struct page *page, const json_t *object, const char *key)
{
    table_open(page, "State");
    page_add_state(page, page_text(object, key));
    table_close(page);
}

void table_add_device(struct page *page, const json_t *object)
{
    html_add(&page->html, "<th scope=\"row\">");
    page_add_device(page, page_text(object, "device"), page_text(object, "common_name"));
    html_add(&page->html, "</th>");
}
