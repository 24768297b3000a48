// SPDX-License-Identifier: Apache-2.0
// scepctl device show: one device, its certificates and what comes next.
#include <stdio.h>
#include <string.h>

#include "server/ctl/answer.h"

#define LINE_LEN 640 // bytes: a note and words around it

static const struct answer_column fields[] = {
    {"Device:", "device"},
    {"Model:", "model"},
    {"MAC:", "mac"},
    {"Serial number:", "serial_number"},
};

static void add(struct table *table, const char *title, const char *text)
{
    table_add(table, (const char *[]){title, text});
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static void add_listing(struct table *table, const json_t *device)
{
    char text[LINE_LEN];
    const json_t *list = json_object_get(device, "list");
    const json_t *entry = json_object_get(list, "entry");
    const char *note = api_text(entry, "note");
    if (json_is_true(json_object_get(list, "listed"))) {
        snprintf(text, sizeof text, "since %s%s%s", or_empty(api_text(entry, "added_at")),
                 note != NULL ? ": " : "", or_empty(note));
    } else {
        snprintf(text, sizeof text, "no%s%s", json_is_object(entry) ? ": " : "",
                 json_is_object(entry) ? or_empty(api_text(list, "reason")) : "");
    }
    add(table, "On the list:", text);
    if (json_is_false(json_object_get(device, "list_is_asked"))) {
        add(table, "", "(scepd does not ask the list: devices.accept is \"any\")");
    }
}

static void add_outlook(struct table *table, const json_t *outlook)
{
    size_t i;
    const json_t *trouble;
    const json_t *troubles = json_object_get(outlook, "will_fail");
    if (!json_is_object(outlook)) {
        add(table, "Certificate:", "none");
        return;
    }
    const char *state = api_text(outlook, "state");
    bool is_revoked = state != NULL && strcmp(state, "revoked") == 0;
    add(table, "Certificate:", state);
    add(table, is_revoked ? "Would have ended:" : "Valid until:", api_text(outlook, "not_after"));
    if (json_is_false(json_object_get(outlook, "renews"))) {
        add(table, "It renews:", "not by itself: it is a server's");
    } else if (!is_revoked) {
        add(table, "It renews from:", api_text(outlook, "renews_at"));
    }
    if (api_text(outlook, "mic_not_after") != NULL) {
        add(table, "MIC valid until:", api_text(outlook, "mic_not_after"));
    }
    json_array_foreach(troubles, i, trouble)
    {
        add(table, i == 0 ? "Renewal fails:" : "", json_string_value(trouble));
    }
}

enum { COLUMNS = 6 };

static void add_certificate(struct table *table, const json_t *certificate)
{
    char authority[LINE_LEN];
    char status[LINE_LEN];
    const char *renews = api_text(certificate, "renews");
    const char *reason = api_text(certificate, "revocation_reason");
    snprintf(authority, sizeof authority, "%s%s%s",
             or_empty(api_text(certificate, "authorised_by")), renews != NULL ? " of " : "",
             or_empty(renews));
    snprintf(status, sizeof status, "%s%s%s", or_empty(api_text(certificate, "status")),
             reason != NULL ? ": " : "", or_empty(reason));
    const char *cells[COLUMNS] = {
        api_text(certificate, "serial"),    api_text(certificate, "common_name"), status,
        api_text(certificate, "issued_at"), api_text(certificate, "not_after"),   authority,
    };
    table_add(table, cells);
}

static enum ctl_exit print_history(struct ctl *ctl, const json_t *device)
{
    static const char *const titles[COLUMNS] = {"SERIAL", "COMMON NAME", "STATUS",
                                                "ISSUED", "EXPIRES",     "AUTHORISED BY"};
    struct table table = table_of(COLUMNS);
    size_t i;
    const json_t *certificate;
    const json_t *certificates = json_object_get(device, "certificates");
    if (json_array_size(certificates) == 0) {
        return CTL_OK;
    }
    fputs("\nCertificates, newest first:\n", ctl->out);
    table_add(&table, titles);
    json_array_foreach(certificates, i, certificate)
    {
        add_certificate(&table, certificate);
    }
    return answer_print(ctl, &table);
}

static enum ctl_exit print(struct ctl *ctl, const json_t *device)
{
    struct table table = table_of(2);
    answer_fields(&table, device, fields, sizeof fields / sizeof fields[0]);
    add_listing(&table, device);
    add_outlook(&table, json_object_get(device, "outlook"));
    enum ctl_exit code = answer_print(ctl, &table);
    if (code == CTL_OK) {
        code = print_history(ctl, device);
    }
    if (code == CTL_OK && json_is_true(json_object_get(device, "has_more"))) {
        fputs("There are more, older ones.\n", ctl->errors);
    }
    return code;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    CLEANUP(api_decref) json_t *device = NULL;
    const struct api_request request = {
        .method = "GET", .collection = "/v1/devices", .item = arguments->operand};
    enum ctl_exit code = api_call(ctl, &request, &device);
    if (code != CTL_OK) {
        return code;
    }
    return ctl->is_json ? api_print(ctl, device) : print(ctl, device);
}

const struct ctl_command ctl_device_show = {
    .name = "device",
    .action = "show",
    .operand = "MAC|SERIAL|CN",
    .summary = "Show a device, listed or not: its certificates, and whether it can renew.",
    .run = run,
};
