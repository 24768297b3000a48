// SPDX-License-Identifier: Apache-2.0
#include "server/admin/admin_outlook.h"

#include <stdlib.h>

#include "ra/devices.h"

static bool accepts_expired_mic(const struct settings *settings)
{
    for (uint32_t i = 0; i < settings->mic_count; i++) {
        if (settings->mic[i].accept_expired) {
            return true;
        }
    }
    return false;
}

// 0, the past, when the CA's end cannot be read: it is then no good for renewals either.
static int64_t end_of(const X509 *cert)
{
    int64_t end = 0;
    (void)ossl_time_read(X509_get0_notAfter(cert), &end);
    return end;
}

bool admin_asks_list(const struct policy *policy)
{
    return policy->settings->devices.accept == SETTINGS_DEVICES_LISTED;
}

// As the RA asks the list: only for who came in by a manufacturer's certificate.
static enum err_code ask_list(const struct admin_judge *judge, struct outlook_facts *facts,
                              struct err *err)
{
    struct device_finding finding = {0};
    const struct device_claim claim = {
        .mac = facts->certificate->mac,
        .serial_number = facts->certificate->serial_number,
        .model = facts->certificate->model,
    };
    facts->asks_list = admin_asks_list(judge->policy) && facts->certificate->origin == ORIGIN_MIC;
    if (!facts->asks_list) {
        return ERR_OK;
    }
    enum err_code code = devices_check(judge->store, &claim, &finding, err);
    if (code != ERR_OK || finding.state == DEVICE_LISTED) {
        facts->is_listed = code == ERR_OK;
        return code;
    }
    // An entry that is there and fits but for the model is another reason than no entry.
    struct store_device entry = {0};
    code = store_find_listed(judge->store, claim.mac, claim.serial_number, &entry, err);
    facts->is_listed_otherwise = finding.is_contradiction || code == ERR_OK;
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

enum err_code admin_judge(const struct admin_judge *judge,
                          const struct store_certificate *certificate, struct outlook *ret_outlook,
                          struct err *err)
{
    struct outlook_facts facts = {
        .certificate = certificate,
        .now = judge->now,
        .within_sec = judge->within_sec,
        .accepts_expired_mic = accepts_expired_mic(judge->policy->settings),
        .ca_not_after = end_of(credentials_issuing(judge->policy->credentials)->cert),
    };
    enum err_code code = ask_list(judge, &facts, err);
    if (code == ERR_OK) {
        *ret_outlook = outlook_of(&facts);
    }
    return code;
}

json_t *admin_troubles_json(unsigned troubles)
{
    json_t *list = json_array();
    for (unsigned trouble = 1; trouble < OUTLOOK_TROUBLE_MAX; trouble <<= 1) {
        if ((troubles & trouble) != 0 &&
            json_array_append_new(
                list, json_string(outlook_trouble_text((enum outlook_trouble)trouble))) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

enum err_code admin_copies_new(size_t limit, struct admin_copies *ret_copies, struct err *err)
{
    ret_copies->list = calloc(limit, sizeof *ret_copies->list);
    if (ret_copies->list == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for %zu certificates", limit);
    }
    ret_copies->limit = limit;
    return ERR_OK;
}

void admin_copies_done(struct admin_copies *copies)
{
    free(copies->list);
    *copies = (struct admin_copies){0};
}

bool admin_copy(const struct store_certificate *certificate, void *context)
{
    struct admin_copies *copies = context;
    if (copies->count == copies->limit) {
        copies->has_more = true;
        return false;
    }
    struct store_certificate *copy = &copies->list[copies->count++];
    *copy = *certificate;
    copy->der = (struct buf){0};
    return true;
}
