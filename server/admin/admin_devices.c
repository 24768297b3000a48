// SPDX-License-Identifier: Apache-2.0
// GET and POST /v1/devices, DELETE /v1/devices/MAC-or-SERIAL-NUMBER: the device list.
#include <stdlib.h>
#include <string.h>

#include "conf/base/log.h"
#include "server/admin/admin_input.h"
#include "server/admin/admin_resources.h"

#define KEY_LEN (1 + STORE_NUMBER_LEN) // bytes with NUL: "M001A2B3C4D5E", "SFCH2133E8B9"

json_t *admin_listed_json(const struct store_device *device)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}",                                 //
                     "mac", admin_json_optional(device->mac),                     //
                     "serial_number", admin_json_optional(device->serial_number), //
                     "model", admin_json_optional(device->model),                 //
                     "note", admin_json_optional(device->note),                   //
                     "added_at", admin_json_time(device->added_at));
}

// What a walk gathers.
struct gathering {
    unsigned limit;
    json_t *list;
    char last[KEY_LEN];
    bool is_full; // there was one more than `limit`
    bool failed;  // out of memory
};

static bool gather(const struct store_device *device, void *context)
{
    struct gathering *gathering = context;
    if (json_array_size(gathering->list) == gathering->limit) {
        gathering->is_full = true;
        return false;
    }
    bool has_mac = device->mac[0] != '\0';
    snprintf(gathering->last, sizeof gathering->last, "%c%s", has_mac ? 'M' : 'S',
             has_mac ? device->mac : device->serial_number);
    gathering->failed = json_array_append_new(gathering->list, admin_listed_json(device)) != 0;
    return !gathering->failed;
}

enum err_code admin_list_devices(const struct admin_request *request, json_t **ret_body,
                                 struct err *err)
{
    struct gathering gathering = {0};
    enum err_code code = admin_read_page(request, &gathering.limit, err);
    if (code != ERR_OK) {
        return code;
    }
    gathering.list = json_array();
    code = store_list_devices(request->live->store, request->after, gather, &gathering, err);
    if (code == ERR_OK && gathering.failed) {
        code = err_set(err, ERR_NOMEM, "no memory for a list of devices");
    }
    if (code != ERR_OK) {
        json_decref(gathering.list);
        return code;
    }
    json_t *next = gathering.is_full ? json_string(gathering.last) : json_null();
    *ret_body = json_pack("{s:o, s:o}", "next_after", next, "devices", gathering.list);
    return ERR_OK;
}

// Where a member's text belongs; NULL for an unknown member.
static const char **place_of(const char *key, struct admin_device_text *text)
{
    const struct {
        const char *key;
        const char **place;
    } places[] = {
        {"mac", &text->mac},
        {"serial_number", &text->serial_number},
        {"model", &text->model},
        {"note", &text->note},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (strcmp(key, places[i].key) == 0) {
            return places[i].place;
        }
    }
    return NULL;
}

static enum err_code read_device(json_t *entry, struct store_device *ret_device, struct err *err)
{
    struct admin_device_text text = {0};
    const char *key;
    json_t *value;
    if (!json_is_object(entry)) {
        return err_set(err, ERR_SYNTAX, "not an object");
    }
    json_object_foreach(entry, key, value)
    {
        const char **place = place_of(key, &text);
        if (place == NULL) {
            return err_set(err, ERR_SYNTAX,
                           "unknown key \"%.64s\"; allowed are mac, serial_number, model, note",
                           key);
        }
        if (!json_is_string(value) && !json_is_null(value)) {
            return err_set(err, ERR_SYNTAX, "%s is not a string", key);
        }
        *place = json_string_value(value);
    }
    return admin_read_device(&text, ret_device, err);
}

static enum err_code read_devices(const json_t *list, int64_t now, struct store_device *devices,
                                  struct err *err)
{
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry)
    {
        if (read_device(entry, &devices[i], err) != ERR_OK) {
            return err_prefix(err, "devices[%zu]", i);
        }
        devices[i].added_at = now;
    }
    return ERR_OK;
}

static void log_added(const struct store_device *devices, size_t count)
{
    struct log_line line;
    log_begin(&line, "devices_added");
    log_add_int(&line, "count", (int64_t)count);
    if (count == 1) {
        log_add_text(&line, "mac", devices->mac[0] != '\0' ? devices->mac : NULL);
        log_add_text(&line, "device_serial",
                     devices->serial_number[0] != '\0' ? devices->serial_number : NULL);
    }
    log_end(&line, LOG_LEVEL_INFO);
}

static bool is_same_entry(const struct store_device *one, const struct store_device *other)
{
    return strcmp(one->mac, other->mac) == 0 &&
           strcmp(one->serial_number, other->serial_number) == 0 &&
           strcmp(one->model, other->model) == 0 && strcmp(one->note, other->note) == 0;
}

// How many of the devices are on the list already and with other words, for the administrator to
// know that these are replaced.
static enum err_code count_changed(struct store *store, const struct store_device *devices,
                                   size_t count, json_int_t *ret_changed, struct err *err)
{
    json_int_t changed = 0;
    for (size_t i = 0; i < count; i++) {
        struct store_device present = {0};
        const char *number = devices[i].mac[0] == '\0' ? devices[i].serial_number : "";
        enum err_code code = store_find_listed(store, devices[i].mac, number, &present, err);
        if (code != ERR_OK && code != ERR_NOT_FOUND) {
            return code;
        }
        // An entry that is found by its serial number and has a MAC is another one.
        bool is_key = code == ERR_OK && strcmp(present.mac, devices[i].mac) == 0;
        changed += is_key && !is_same_entry(&present, &devices[i]) ? 1 : 0;
    }
    *ret_changed = changed;
    return ERR_OK;
}

static enum err_code add_devices(const struct admin_request *request, const json_t *list,
                                 json_t **ret_body, struct err *err)
{
    size_t count = json_array_size(list);
    struct store_device *devices = calloc(count, sizeof *devices);
    if (devices == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for %zu devices", count);
    }
    struct write_order order = {
        .kind = WRITE_DEVICES,
        .now = request->now,
        .devices = devices,
        .device_count = count,
    };
    json_int_t changed = 0;
    enum err_code code = read_devices(list, request->now, devices, err);
    if (code == ERR_OK) {
        code = count_changed(request->live->store, devices, count, &changed, err);
    }
    if (code == ERR_OK) {
        code = writer_submit_and_wait(request->live->writer, &order, err);
    }
    if (code == ERR_OK) {
        log_added(devices, count);
        *ret_body = json_pack("{s:I, s:I}", "added", (json_int_t)count, "changed", changed);
    }
    free(devices);
    return code;
}

enum err_code admin_add_devices(const struct admin_request *request, json_t **ret_body,
                                struct err *err)
{
    json_t *body = NULL;
    json_t *list = NULL;
    enum err_code code = admin_read_object(request, &body, err);
    if (code != ERR_OK) {
        return code;
    }
    if (json_unpack(body, "{s:o !}", "devices", &list) != 0 || !json_is_array(list)) {
        code = err_set(err, ERR_SYNTAX, "expected {\"devices\": [...]}");
    } else if (json_array_size(list) < 1 || json_array_size(list) > ADMIN_DEVICES_MAX) {
        code = err_set(err, ERR_LIMIT, "%zu devices; allowed are 1 to %d at a time",
                       json_array_size(list), ADMIN_DEVICES_MAX);
    } else {
        code = add_devices(request, list, ret_body, err);
    }
    json_decref(body);
    return code;
}

static enum err_code remove_device(const struct admin_request *request,
                                   const struct store_device *device, struct err *err)
{
    struct write_order order = {
        .kind = WRITE_DEVICE_REMOVE,
        .now = request->now,
        .devices = device,
        .device_count = 1,
    };
    return writer_submit_and_wait(request->live->writer, &order, err);
}

static void log_removed(const struct store_device *device)
{
    struct log_line line;
    log_begin(&line, "device_removed");
    log_add_text(&line, "mac", device->mac[0] != '\0' ? device->mac : NULL);
    log_add_text(&line, "device_serial",
                 device->serial_number[0] != '\0' ? device->serial_number : NULL);
    log_end(&line, LOG_LEVEL_INFO);
}

// What looks like a MAC may be a serial number of 12 digits.
enum err_code admin_remove_device(const struct admin_request *request, json_t **ret_body,
                                  struct err *err)
{
    struct store_device device = {0};
    enum err_code code = ERR_NOT_FOUND;
    if (admin_read_mac(request->item, device.mac, NULL) == ERR_OK) {
        code = remove_device(request, &device, err);
    }
    if (code == ERR_NOT_FOUND) {
        device = (struct store_device){0};
        if (admin_read_device_number(request->item, device.serial_number, NULL) == ERR_OK) {
            code = remove_device(request, &device, err);
        }
    }
    if (code == ERR_NOT_FOUND) {
        return err_set(err, code, "no device with the MAC or serial number \"%.64s\" is listed",
                       request->item);
    }
    if (code == ERR_OK) {
        log_removed(&device);
        *ret_body =
            json_pack("{s:o, s:o, s:s}", "mac", admin_json_optional(device.mac), "serial_number",
                      admin_json_optional(device.serial_number), "state", "removed");
    }
    return code;
}
