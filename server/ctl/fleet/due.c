// SPDX-License-Identifier: Apache-2.0
// scepctl due: devices whose certificates end soon or have ended, and which cannot renew; and
// servers, apart from them.
#include <stdio.h>
#include <string.h>

#include "conf/base/buf.h"
#include "server/admin/admin_resources.h"
#include "server/ctl/answer.h"
#include "server/ctl/pages.h"
#include "server/ctl/read.h"

#define LIMIT_DEFAULT  1000
#define COLLECTION_LEN 64  // bytes of "/v1/due?days=..."
#define REASONS_LEN    640 // bytes of all reasons for a renewal to fail

enum { COLUMNS = 6 };

static const char *join_reasons(const json_t *reasons, char text[REASONS_LEN])
{
    size_t i;
    size_t used = 0;
    const json_t *reason;
    if (json_array_size(reasons) == 0) {
        return NULL;
    }
    json_array_foreach(reasons, i, reason)
    {
        int len = snprintf(text + used, REASONS_LEN - used, "%s%s", i > 0 ? "; " : "",
                           json_string_value(reason));
        used += len > 0 && (size_t)len < REASONS_LEN - used ? (size_t)len : 0;
    }
    return text;
}

static void add_device(struct table *table, const json_t *device)
{
    char reasons[REASONS_LEN];
    const char *cells[COLUMNS] = {
        api_text(device, "not_after"),
        api_text(device, "state"),
        api_text(device, "common_name"),
        api_text(device, "mac"),
        api_text(device, "model"),
        join_reasons(json_object_get(device, "will_fail"), reasons),
    };
    const char *state = cells[1];
    bool is_due = state != NULL && strcmp(state, "due") == 0;
    table_add_colored(table, cells, 1, is_due ? COLOR_WAITS : COLOR_BAD);
}

static enum ctl_exit print_devices(struct ctl *ctl, const json_t *list)
{
    static const char *const titles[COLUMNS] = {"ENDS", "STATE", "COMMON NAME",
                                                "MAC",  "MODEL", "RENEWAL FAILS"};
    struct table table = table_of(COLUMNS);
    size_t i;
    const json_t *device;
    if (json_array_size(list) == 0) {
        return CTL_OK;
    }
    table_add(&table, titles);
    json_array_foreach(list, i, device)
    {
        add_device(&table, device);
    }
    enum ctl_exit code = answer_print(ctl, &table);
    fputc('\n', ctl->out);
    return code;
}

enum { SERVER_COLUMNS = 3 };

static enum ctl_exit print_servers(struct ctl *ctl, const json_t *servers)
{
    static const char *const titles[SERVER_COLUMNS] = {"ENDS", "STATE", "SERVER"};
    struct table table = table_of(SERVER_COLUMNS);
    size_t i;
    const json_t *server;
    if (json_array_size(servers) == 0) {
        return CTL_OK;
    }
    fputs("\nServers' certificates, which do not renew by themselves (scepctl server-cert sign):\n",
          ctl->out);
    table_add(&table, titles);
    json_array_foreach(servers, i, server)
    {
        const char *cells[SERVER_COLUMNS] = {api_text(server, "not_after"),
                                             api_text(server, "state"),
                                             api_text(server, "common_name")};
        bool is_due = cells[1] != NULL && strcmp(cells[1], "due") == 0;
        table_add_colored(&table, cells, 1, is_due ? COLOR_WAITS : COLOR_BAD);
    }
    return answer_print(ctl, &table);
}

static void print_counts(struct ctl *ctl, const json_t *first)
{
    const json_t *counts = json_object_get(first, "counts");
    fprintf(ctl->out,
            "%jd days: %jd due, %jd late, %jd expired, %jd revoked; %jd of them will fail to "
            "renew. %jd renewed.\n",
            (intmax_t)api_number(first, "days"), (intmax_t)api_number(counts, "due"),
            (intmax_t)api_number(counts, "late"), (intmax_t)api_number(counts, "expired"),
            (intmax_t)api_number(counts, "revoked"), (intmax_t)api_number(counts, "will_fail"),
            (intmax_t)api_number(counts, "renewed"));
    if (json_is_false(json_object_get(counts, "complete"))) {
        fputs("There are too many to count; these are the first 100000 looked at.\n", ctl->out);
    }
}

static enum ctl_exit print(struct ctl *ctl, json_t *first, json_t *list, json_t *after)
{
    if (ctl->is_json) {
        json_object_set(first, "devices", list);
        json_object_set(first, "next_after", after);
        return api_print(ctl, first);
    }
    enum ctl_exit code = print_devices(ctl, list);
    if (code == CTL_OK) {
        print_counts(ctl, first);
        code = print_servers(ctl, json_object_get(first, "servers"));
        pages_tell_more(ctl, after);
    }
    return code;
}

static enum ctl_exit read_days(struct ctl *ctl, const char *text, int64_t *ret_days)
{
    struct err err = {0};
    *ret_days = ADMIN_DUE_DAYS;
    if (text != NULL && read_count(text, 1, ADMIN_DUE_DAYS_MAX, ret_days, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--days: %s", err.text);
    }
    return CTL_OK;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    int64_t days = 0;
    char collection[COLLECTION_LEN];
    struct pages pages = {.collection = collection, .member = "devices"};
    enum ctl_exit code = read_days(ctl, arguments->options[CTL_DAYS], &days);
    if (code == CTL_OK) {
        code = pages_read_limit(ctl, arguments, LIMIT_DEFAULT, &pages.limit);
    }
    if (code != CTL_OK) {
        return code;
    }
    snprintf(collection, sizeof collection, "/v1/due?days=%jd", (intmax_t)days);
    CLEANUP(api_decref) json_t *first = NULL;
    CLEANUP(api_decref) json_t *list = json_array();
    CLEANUP(api_decref) json_t *after = NULL;
    code = pages_get(ctl, &pages, list, &after, &first);
    return code == CTL_OK ? print(ctl, first, list, after) : code;
}

static const struct ctl_option options[] = {
    {"days", CTL_DAYS, "N", "that end in the next N days or have ended in the last N (30)"},
    {"limit", CTL_LIMIT, "N", "at most so many (1000)"},
    {0},
};

const struct ctl_command ctl_due = {
    .name = "due",
    .summary = "List devices whose certificates end: due, late or over, and which cannot renew.",
    .options = options,
    .run = run,
};
