// SPDX-License-Identifier: Apache-2.0
// Private to the transport of the administrator's interface: which request is answered by which
// call, and what its errors are in HTTP. Any thread.
#pragma once

#include "server/admin/admin_resources.h"

#define ADMIN_DEVICES "/v1/devices" // whose lists may be long

struct admin_route {
    const char *method;
    const char *path;
    bool has_item;  // "<path>/ITEM"
    bool has_query; // takes the arguments of find_argument(), or some of them
    unsigned status;
    admin_call *call; // NULL: octets, by answer_backup()
};

// The route of a request; *ret_item gets what stands behind the collection, if the route has that.
// NULL: *ret_status says whether the path (404) or the method (405) is unknown.
const struct admin_route *admin_route_find(const char *method, const char *path,
                                           const char **ret_item, unsigned *ret_status);
// The HTTP status of an admin_call's error, and what the answer calls a status.
unsigned admin_status_of(enum err_code code);
const char *admin_status_name(unsigned status);
