// SPDX-License-Identifier: Apache-2.0
// Records of the history. The id is the record's key and not in it.
#include "ra/store/record.h"

#include "ra/store/record_fields.h"

#define FIELDS_MAX 512 // octets of an event with texts of usual length

enum err_code record_put_event(const struct store_event *event, struct buf *out, struct err *err)
{
    enum err_code code = buf_reserve(out, FIELDS_MAX, err);
    if (code != ERR_OK) {
        return code;
    }
    struct wire_writer writer = wire_write(out);
    record_put_version(&writer);
    wire_put_i64(&writer, event->at);
    wire_put_u8(&writer, (uint8_t)event->kind);
    wire_put_u8(&writer, (uint8_t)event->authority);
    record_put_text(&writer, event->device, sizeof event->device);
    record_put_text(&writer, event->common_name, sizeof event->common_name);
    record_put_text(&writer, event->mac, sizeof event->mac);
    record_put_text(&writer, event->model, sizeof event->model);
    record_put_bool(&writer, event->is_claimed);
    record_put_text(&writer, event->issuer, sizeof event->issuer);
    wire_put_fixed(&writer, event->serial, SERIAL_LEN);
    record_put_text(&writer, event->peer, sizeof event->peer);
    record_put_text(&writer, event->reason, sizeof event->reason);
    record_put_text(&writer, event->fail_info, sizeof event->fail_info);
    record_put_text(&writer, event->words, sizeof event->words);
    return wire_finish(&writer, err);
}

enum err_code record_get_event(struct view octets, struct store_event *ret_event, struct err *err)
{
    static const char what[] = "an event's";
    struct wire_reader reader = wire_read(octets);
    enum err_code code = record_get_version(&reader, what, err);
    if (code != ERR_OK) {
        return code;
    }
    struct store_event event = {0};
    event.at = wire_get_i64(&reader);
    event.kind = wire_get_u8(&reader);
    event.authority = wire_get_u8(&reader);
    record_get_text(&reader, event.device, sizeof event.device);
    record_get_text(&reader, event.common_name, sizeof event.common_name);
    record_get_text(&reader, event.mac, sizeof event.mac);
    record_get_text(&reader, event.model, sizeof event.model);
    event.is_claimed = record_get_bool(&reader);
    record_get_text(&reader, event.issuer, sizeof event.issuer);
    wire_get_fixed(&reader, event.serial, SERIAL_LEN);
    record_get_text(&reader, event.peer, sizeof event.peer);
    record_get_text(&reader, event.reason, sizeof event.reason);
    record_get_text(&reader, event.fail_info, sizeof event.fail_info);
    record_get_text(&reader, event.words, sizeof event.words);
    bool is_kind = event.kind > EVENT_NONE && event.kind < EVENT_KIND_MAX;
    bool is_authority = event.authority < EVENT_AUTHORITY_MAX;
    if (!wire_is_complete(&reader) || !is_kind || !is_authority) {
        return record_damaged(what, err);
    }
    *ret_event = event;
    return ERR_OK;
}
