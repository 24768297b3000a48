// SPDX-License-Identifier: Apache-2.0
#include "server/admin/admin_routes.h"

#include <string.h>

#include <microhttpd.h>

static const struct admin_route routes[] = {
    {"GET", "/v1/status", false, false, MHD_HTTP_OK, admin_get_status},
    {"GET", "/v1/certificates", false, true, MHD_HTTP_OK, admin_list_certificates},
    {"GET", "/v1/certificates", true, false, MHD_HTTP_OK, admin_get_certificate},
    {"POST", "/v1/certificates", false, false, MHD_HTTP_CREATED, admin_issue},
    {"GET", "/v1/challenges", false, false, MHD_HTTP_OK, admin_list_challenges},
    {"POST", "/v1/challenges", false, false, MHD_HTTP_CREATED, admin_new_challenge},
    {"DELETE", "/v1/challenges", true, false, MHD_HTTP_OK, admin_revoke_challenge},
    {"GET", "/v1/export", false, true, MHD_HTTP_OK, admin_export},
    {"GET", "/v1/backup", false, false, MHD_HTTP_OK, NULL},
    {"POST", "/v1/reload", false, false, MHD_HTTP_OK, admin_reload},
    {"GET", "/v1/rollover", false, false, MHD_HTTP_OK, admin_get_rollover},
    {"POST", "/v1/revocations", false, false, MHD_HTTP_OK, admin_revoke},
    {"GET", ADMIN_DEVICES, false, true, MHD_HTTP_OK, admin_list_devices},
    {"GET", ADMIN_DEVICES, true, false, MHD_HTTP_OK, admin_get_device},
    {"POST", ADMIN_DEVICES, false, false, MHD_HTTP_OK, admin_add_devices},
    {"DELETE", ADMIN_DEVICES, true, false, MHD_HTTP_OK, admin_remove_device},
    {"GET", "/v1/due", false, true, MHD_HTTP_OK, admin_list_due},
    {"GET", "/v1/events", false, true, MHD_HTTP_OK, admin_list_events},
    {"GET", "/v1/fleet", false, false, MHD_HTTP_OK, admin_get_fleet},
    {"GET", "/v1/pending", false, false, MHD_HTTP_OK, admin_list_pending},
    {"GET", "/v1/pending", true, false, MHD_HTTP_OK, admin_get_pending},
    {"POST", "/v1/pending", true, false, MHD_HTTP_OK, admin_decide_pending},
};

// Whether `path` is the route's; *ret_item gets what stands after the collection.
static bool is_route_path(const struct admin_route *route, const char *path, const char **ret_item)
{
    size_t len = strlen(route->path);
    if (strncmp(path, route->path, len) != 0) {
        return false;
    }
    if (!route->has_item) {
        return path[len] == '\0';
    }
    *ret_item = path + len + 1;
    return path[len] == '/' && path[len + 1] != '\0';
}

const struct admin_route *admin_route_find(const char *method, const char *path,
                                           const char **ret_item, unsigned *ret_status)
{
    *ret_status = MHD_HTTP_NOT_FOUND;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!is_route_path(&routes[i], path, ret_item)) {
            continue;
        }
        if (strcmp(method, routes[i].method) == 0) {
            return &routes[i];
        }
        *ret_status = MHD_HTTP_METHOD_NOT_ALLOWED;
    }
    return NULL;
}

unsigned admin_status_of(enum err_code code)
{
    switch (code) {
    case ERR_SYNTAX:
    case ERR_LIMIT:
        return MHD_HTTP_BAD_REQUEST;
    case ERR_NOT_FOUND:
        return MHD_HTTP_NOT_FOUND;
    case ERR_EXISTS:
    case ERR_CONFLICT:
        return MHD_HTTP_CONFLICT;
    default:
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    }
}

const char *admin_status_name(unsigned status)
{
    switch (status) {
    case MHD_HTTP_BAD_REQUEST:
        return "bad_request";
    case MHD_HTTP_NOT_FOUND:
        return "not_found";
    case MHD_HTTP_METHOD_NOT_ALLOWED:
        return "method_not_allowed";
    case MHD_HTTP_CONFLICT:
        return "conflict";
    case MHD_HTTP_CONTENT_TOO_LARGE:
        return "too_large";
    default:
        return "unavailable";
    }
}
