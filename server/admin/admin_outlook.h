// SPDX-License-Identifier: Apache-2.0
// The facts that outlook.h judges by, gathered from store, settings and CA; and certificates copied
// out of the store's walks, which must not ask the store themselves.
#pragma once

#include <jansson.h>

#include "ra/policy.h"
#include "server/outlook.h"

// What is the same for all certificates that one request is about. Borrows everything.
struct admin_judge {
    struct store *store;
    const struct policy *policy;
    int64_t now;
    int64_t within_sec; // what "due" means
};
// What becomes of a device whose present certificate this is. Errors: ERR_IO, ERR_NOMEM, ERR_BUSY.
enum err_code admin_judge(const struct admin_judge *judge,
                          const struct store_certificate *certificate, struct outlook *ret_outlook,
                          struct err *err) MUST_CHECK;
// Whether only devices of the device list are welcome.
bool admin_asks_list(const struct policy *policy);
// Why a renewal will fail: a list of texts, empty when it will not. NULL when memory is out.
json_t *admin_troubles_json(unsigned troubles);

// Copies of certificates, without their DER.
struct admin_copies {
    struct store_certificate *list;
    size_t count;
    size_t limit;
    bool has_more; // the walk met one more than `limit`
};
// Makes room for `limit` of them in *ret_copies, which must be empty; admin_copies_done() frees it.
// Errors: ERR_NOMEM.
enum err_code admin_copies_new(size_t limit, struct admin_copies *ret_copies,
                               struct err *err) MUST_CHECK;
void admin_copies_done(struct admin_copies *copies);
// A store_visit_certificate whose context is a struct admin_copies.
bool admin_copy(const struct store_certificate *certificate, void *context);
