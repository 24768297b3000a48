// SPDX-License-Identifier: Apache-2.0
// scepctl revoke: a certificate, or all valid ones of a device.
#include <stdio.h>
#include <strings.h>

#include "server/admin/admin_resources.h"
#include "server/ctl/api.h"

#define REASON_LAST 10 // the highest number of RFC 5280, 5.3.1

static bool is_reason(const char *name)
{
    for (unsigned reason = 0; reason <= REASON_LAST; reason++) {
        if (strcasecmp(name, admin_reason_name(reason)) == 0) {
            return true;
        }
    }
    return false;
}

static enum ctl_exit complain_reason(struct ctl *ctl, const char *given)
{
    char names[256] = "";
    size_t used = 0;
    for (unsigned reason = 0; reason <= REASON_LAST; reason++) {
        const char *name = admin_reason_name(reason);
        if (name[0] != '?' && used < sizeof names) {
            int len =
                snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "", name);
            used += len > 0 ? (size_t)len : 0;
        }
    }
    return ctl_complain(ctl, CTL_USAGE, "--reason: unknown \"%s\"; allowed are %s", given, names);
}

static enum ctl_exit make_body(struct ctl *ctl, const struct ctl_arguments *arguments,
                               json_t **ret_body)
{
    const char *reason = arguments->options[CTL_REASON];
    if (reason != NULL && (reason[0] == '?' || !is_reason(reason))) {
        return complain_reason(ctl, reason);
    }
    *ret_body = json_pack("{s:s, s:s*}", "certificate", arguments->operand, "reason", reason);
    return *ret_body != NULL
               ? CTL_OK
               : ctl_complain(ctl, CTL_USAGE, "\"%s\" is not UTF-8 text", arguments->operand);
}

static void print(struct ctl *ctl, const json_t *answer)
{
    size_t i;
    const json_t *serial;
    json_array_foreach(json_object_get(answer, "revoked"), i, serial)
    {
        fprintf(ctl->out, "Certificate %s is revoked.\n", json_string_value(serial));
    }
    if (json_is_true(json_object_get(answer, "has_more"))) {
        fputs("There are more; give the command again.\n", ctl->out);
    }
    if (json_is_true(json_object_get(answer, "crl_published"))) {
        fputs("The CRL that says so is published.\n", ctl->out);
    }
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    CLEANUP(api_decref) json_t *body = NULL;
    CLEANUP(api_decref) json_t *answer = NULL;
    enum ctl_exit code = make_body(ctl, arguments, &body);
    if (code == CTL_OK) {
        const struct api_request request = {
            .method = "POST", .collection = "/v1/revocations", .body = body};
        code = api_call(ctl, &request, &answer);
    }
    if (code != CTL_OK) {
        return code;
    }
    if (ctl->is_json) {
        return api_print(ctl, answer);
    }
    print(ctl, answer);
    if (!json_is_true(json_object_get(answer, "crl_published"))) {
        const char *trouble = api_text(answer, "crl_trouble");
        ctl_complain(ctl, CTL_OK, "the CRL that says so is not published yet: %s",
                     trouble != NULL ? trouble : "no reason given");
    }
    return CTL_OK;
}

static const struct ctl_option options[] = {
    {"reason", CTL_REASON,
     "unspecified|keyCompromise|affiliationChanged|superseded|cessationOfOperation|"
     "privilegeWithdrawn|cACompromise",
     "why, as the CRL will say (unspecified)"},
    {0},
};

const struct ctl_command ctl_revoke = {
    .name = "revoke",
    .operand = "SERIAL|CN|MAC",
    .summary = "Revoke a certificate, or all valid ones of a device, and publish the CRL.",
    .options = options,
    .run = run,
};
