// SPDX-License-Identifier: Apache-2.0
// scepctl show: one certificate and what else its device got.
#include "server/ctl/api.h"
#include "server/ctl/fleet/certificates.h"
#include "server/ctl/table.h"

static const struct {
    const char *title;
    const char *key;
} fields[] = {
    {"Serial number:", "serial"},
    {"Status:", "status"},
    {"Common name:", "common_name"},
    {"Subject:", "subject"},
    {"MAC:", "mac"},
    {"Device:", "device"},
    {"Issued:", "issued_at"},
    {"Valid from:", "not_before"},
    {"Valid until:", "not_after"},
    {"Certificate of a:", "kind"},
    {"Authorised by:", "authorised_by"},
    {"Signer of the request:", "signer"},
    {"SHA-256:", "sha256"},
};

static enum ctl_exit print(struct ctl *ctl, const json_t *certificate)
{
    struct err err = {0};
    struct table table = table_of(2);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *cells[] = {fields[i].title, api_text(certificate, fields[i].key)};
        table_add(&table, cells);
    }
    enum err_code code = table_print(&table, ctl->out, &err);
    table_done(&table);
    if (code != ERR_OK) {
        return ctl_complain(ctl, CTL_FAILED, "%s", err.text);
    }
    const char *pem = api_text(certificate, "pem");
    fputs(pem != NULL ? pem : "", ctl->out);
    const json_t *others = json_object_get(certificate, "others");
    if (json_array_size(others) == 0) {
        return CTL_OK;
    }
    fputs("\nOther certificates of this device:\n", ctl->out);
    return certificates_print(ctl, others);
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    CLEANUP(api_decref) json_t *certificate = NULL;
    const struct api_request request = {
        .method = "GET", .collection = "/v1/certificates", .item = arguments->operand};
    enum ctl_exit code = api_call(ctl, &request, &certificate);
    if (code != CTL_OK) {
        return code;
    }
    return ctl->is_json ? api_print(ctl, certificate) : print(ctl, certificate);
}

const struct ctl_command ctl_show = {
    .name = "show",
    .operand = "SERIAL|CN|MAC",
    .summary = "Show a certificate, with PEM; the newest one of that CN or MAC.",
    .run = run,
};
