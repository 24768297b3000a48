// SPDX-License-Identifier: Apache-2.0
// GET /v1/fleet: server/fleet.h as JSON.
#include "server/admin/admin_resources.h"

// null for no bound.
static json_t *bound_json(int64_t time)
{
    return time == INT64_MIN || time == INT64_MAX ? json_null() : admin_json_time(time);
}

static json_t *expiry_json(const struct fleet *fleet)
{
    json_t *list = json_array();
    for (size_t i = 0; i < FLEET_BUCKETS; i++) {
        const struct fleet_bucket *bucket = &fleet->expiry[i];
        json_t *entry = json_pack("{s:o, s:o, s:I}", "from", bound_json(bucket->from), //
                                  "until", bound_json(bucket->until),                  //
                                  "count", (json_int_t)bucket->count);
        if (json_array_append_new(list, entry) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *refused_json(const struct refusals_day *refused)
{
    json_t *list = json_array();
    for (size_t i = 0; i < refused->reason_count; i++) {
        json_t *entry = json_pack("{s:s, s:I}", "reason", refused->reasons[i].reason, //
                                  "count", (json_int_t)refused->reasons[i].count);
        if (json_array_append_new(list, entry) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return json_pack("{s:I, s:o}", "total", (json_int_t)refused->total, "reasons", list);
}

static json_t *crl_json(const struct fleet *fleet)
{
    if (!fleet->has_crl) {
        return json_null();
    }
    return json_pack("{s:I, s:I, s:o, s:o, s:I}",                            //
                     "number", (json_int_t)fleet->crl_number,                //
                     "entries", (json_int_t)fleet->crl_entries,              //
                     "this_update", admin_json_time(fleet->crl_this_update), //
                     "next_update", admin_json_time(fleet->crl_next_update), //
                     "age_seconds", (json_int_t)(fleet->as_of - fleet->crl_this_update));
}

static json_t *store_json(const struct store_counts *counts)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I}",                      //
                     "certificates", (json_int_t)counts->certificates, //
                     "devices", (json_int_t)counts->devices,           //
                     "used_octets", (json_int_t)counts->used_octets,   //
                     "map_octets", (json_int_t)counts->map_octets,     //
                     "max_octets", (json_int_t)counts->max_octets);
}

static json_t *ca_json(struct live *live, const struct fleet *fleet, int64_t now)
{
    return json_pack("{s:b, s:o, s:o}",                                      //
                     "answering", (int)health_ca_answers(live, now),         //
                     "not_after", admin_json_time(fleet->issuing_not_after), //
                     "root_not_after", admin_json_time(fleet->root_not_after));
}

static json_t *servers_json(const struct fleet_servers *servers)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o}",    //
                     "valid", (json_int_t)servers->valid, //
                     "expired", (json_int_t)servers->expired, "expired_lately",
                     (json_int_t)servers->expired_lately,                                 //
                     "revoked", (json_int_t)servers->revoked,                             //
                     "next_not_after", admin_json_optional_time(servers->next_not_after), //
                     "next_common_name", admin_json_optional(servers->next_name));
}

static json_t *counts_json(const struct fleet *fleet)
{
    uint64_t valid = fleet->ok + fleet->due + fleet->late;
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", //
                     "as_of", admin_json_time(fleet->as_of),     //
                     "enrolled", (json_int_t)fleet->enrolled,    //
                     "valid", (json_int_t)valid,                 //
                     "due", (json_int_t)fleet->due,              //
                     "late", (json_int_t)fleet->late,            //
                     "expired", (json_int_t)fleet->expired,      //
                     "revoked", (json_int_t)fleet->revoked,      //
                     "pending", (json_int_t)fleet->store.pending);
}

enum err_code admin_get_fleet(const struct admin_request *request, json_t **ret_body,
                              struct err *err)
{
    struct live *live = request->live;
    const struct fleet *fleet = NULL;
    enum err_code code = fleet_get(live, request->now, &fleet, err);
    if (code != ERR_OK) {
        return code;
    }
    json_t *body = counts_json(fleet);
    json_t *rest = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o}, s:I}", //
                             "servers", servers_json(&fleet->servers),       //
                             "refused_last_day", refused_json(&fleet->refused), "expiry",
                             expiry_json(fleet),                       //
                             "crl", crl_json(fleet),                   //
                             "store", store_json(&fleet->store),       //
                             "ca", ca_json(live, fleet, request->now), //
                             "ra", "not_after", admin_json_time(fleet->ra_not_after),
                             "uptime_seconds", (json_int_t)(request->now - live->started_at));
    if (body == NULL || rest == NULL || json_object_update(body, rest) != 0) {
        code = err_set(err, ERR_NOMEM, "no memory for the fleet");
    }
    json_decref(rest);
    if (code != ERR_OK) {
        json_decref(body);
        return code;
    }
    *ret_body = body;
    return ERR_OK;
}
