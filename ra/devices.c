// SPDX-License-Identifier: Apache-2.0
#include "ra/devices.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *without_prefix(const char *model)
{
    static const char *const prefixes[] = {"CP-", "DP-"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (strncasecmp(model, prefixes[i], strlen(prefixes[i])) == 0) {
            return model + strlen(prefixes[i]);
        }
    }
    return model;
}

static bool is_model_listed(const struct store_device *entry, const char *model)
{
    return entry->model[0] == '\0' ||
           strcasecmp(without_prefix(entry->model), without_prefix(model)) == 0;
}

static const char *or_none(const char *text)
{
    return text[0] != '\0' ? text : "unknown";
}

static void note_absent(const struct device_claim *claim, const struct store_device *contradicting,
                        struct device_finding *finding)
{
    bool is_known = contradicting->mac[0] != '\0' || contradicting->serial_number[0] != '\0';
    finding->is_contradiction = is_known;
    if (is_known) {
        snprintf(finding->reason, sizeof finding->reason,
                 "the device says MAC %s and serial number %s, the device list MAC %s and %s",
                 or_none(claim->mac), or_none(claim->serial_number), or_none(contradicting->mac),
                 or_none(contradicting->serial_number));
    } else {
        snprintf(finding->reason, sizeof finding->reason,
                 "the device list has no entry for MAC %s or serial number %s", or_none(claim->mac),
                 or_none(claim->serial_number));
    }
}

enum err_code devices_check(struct store *store, const struct device_claim *claim,
                            struct device_finding *ret_finding, struct err *err)
{
    struct store_device entry = {0};
    struct device_finding finding = {.state = DEVICE_UNLISTED};
    enum err_code code = store_find_listed(store, claim->mac, claim->serial_number, &entry, err);
    if (code != ERR_OK && code != ERR_NOT_FOUND) {
        return code;
    }
    if (code == ERR_NOT_FOUND) {
        note_absent(claim, &entry, &finding);
    } else if (!is_model_listed(&entry, claim->model)) {
        snprintf(finding.reason, sizeof finding.reason,
                 "the device says model %s, the device list %s", or_none(claim->model),
                 entry.model);
    } else {
        finding.state = DEVICE_LISTED;
    }
    *ret_finding = finding;
    return ERR_OK;
}
