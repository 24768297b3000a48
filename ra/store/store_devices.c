// SPDX-License-Identifier: Apache-2.0
// The device list, inside a transaction and for readers. A serial number belongs to one entry.
#include <string.h>

#include "ra/store/store_write.h"

static enum err_code get_by_key(const struct store_txn *txn, struct view key,
                                struct store_device *ret_device, struct err *err)
{
    struct view octets = VIEW_EMPTY;
    enum err_code code = store_txn_get(txn, TABLE_DEVICES, key, &octets, err);
    return code == ERR_OK ? record_get_device(octets, ret_device, err) : code;
}

// The octets of a serial number as a key. They are there: LMDB knows no empty keys.
static struct view number_of(const struct store_device *device)
{
    return view_of(device->serial_number,
                   strnlen(device->serial_number, sizeof device->serial_number));
}

static enum err_code get_by_number(const struct store_txn *txn, struct view number,
                                   struct store_device *ret_device, struct err *err)
{
    struct view key = VIEW_EMPTY;
    enum err_code code = store_txn_get(txn, TABLE_DEVICES_BY_NUMBER, number, &key, err);
    if (code != ERR_OK) {
        return code;
    }
    code = get_by_key(txn, key, ret_device, err);
    return code == ERR_NOT_FOUND
               ? err_set(err, ERR_IO, "an index of the store names a missing device")
               : code;
}

enum err_code store_get_device(const struct store_txn *txn, const struct store_device *named,
                               struct store_device *ret_device, struct err *err)
{
    struct record_key key;
    if (named->mac[0] != '\0') {
        record_key_device(named, &key);
        return get_by_key(txn, record_key_view(&key), ret_device, err);
    }
    if (named->serial_number[0] != '\0') {
        return get_by_number(txn, number_of(named), ret_device, err);
    }
    return err_set(err, ERR_NOT_FOUND, "neither a MAC nor a serial number");
}

// Whether both are known and differ.
static bool contradicts(const char *listed, const char *actual)
{
    return listed[0] != '\0' && actual[0] != '\0' && strcmp(listed, actual) != 0;
}

static enum err_code find_listed(const struct store_txn *txn, const struct store_device *actual,
                                 struct store_device *ret_device, struct err *err)
{
    enum err_code code = store_get_device(txn, actual, ret_device, err);
    if (code != ERR_NOT_FOUND || actual->mac[0] == '\0') {
        return code;
    }
    struct store_device by_number = *actual;
    by_number.mac[0] = '\0';
    return store_get_device(txn, &by_number, ret_device, err);
}

// False for what is too long to be on any list.
static bool copy_name(const char *from, char *to, size_t size)
{
    size_t len = strnlen(from, size);
    if (len == size) {
        return false;
    }
    memcpy(to, from, len + 1);
    return true;
}

enum err_code store_find_listed(struct store *store, const char *mac, const char *serial_number,
                                struct store_device *ret_device, struct err *err)
{
    struct store_device actual = {0};
    struct store_device listed = {0};
    *ret_device = listed;
    if (!copy_name(mac, actual.mac, sizeof actual.mac) ||
        !copy_name(serial_number, actual.serial_number, sizeof actual.serial_number)) {
        return err_set(err, ERR_NOT_FOUND, "no device has a MAC or serial number that long");
    }
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    if (code == ERR_OK) {
        code = find_listed(&txn, &actual, &listed, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    *ret_device = listed;
    if (contradicts(listed.serial_number, serial_number)) {
        return err_set(err, ERR_NOT_FOUND, "the list has another serial number for this MAC");
    }
    return contradicts(listed.mac, mac)
               ? err_set(err, ERR_NOT_FOUND, "the list has another MAC for this serial number")
               : ERR_OK;
}

enum err_code store_list_devices(struct store *store, const char *after, store_visit_device *visit,
                                 void *context, struct err *err)
{
    struct store_range range = {.table = TABLE_DEVICES};
    if (after != NULL) {
        // One octet more than any key has is enough to find its place.
        record_key_of(view_of(after, strnlen(after, 1 + STORE_NUMBER_LEN)), &range.from);
        record_key_follow(&range.from);
    }
    CLEANUP(store_txn_end_read) struct store_txn txn = {0};
    enum err_code code = store_txn_begin_read(store, &txn, err);
    if (code != ERR_OK) {
        return code;
    }
    CLEANUP(store_walk_end) struct store_walk walk = {0};
    bool goes_on = true;
    for (store_walk_first(&txn, &range, &walk); walk.is_there && goes_on; store_walk_next(&walk)) {
        struct store_device device = {0};
        code = record_get_device(walk.value, &device, err);
        if (code != ERR_OK) {
            return code;
        }
        goes_on = visit(&device, context);
    }
    return store_walk_result(&walk, "listing devices", err);
}

static void put_device(struct store_txn *txn, const struct store_device *device)
{
    struct err err = {0};
    struct buf record = {0};
    struct record_key key;
    record_key_device(device, &key);
    if (record_put_device(device, &record, &err) != ERR_OK) {
        store_txn_fail(txn, &err);
    }
    store_txn_put(txn, TABLE_DEVICES, record_key_view(&key), buf_view(&record));
    buf_done(&record);
}

static void forget_number(struct store_txn *txn, const struct store_device *device)
{
    if (device->serial_number[0] != '\0') {
        store_txn_remove(txn, TABLE_DEVICES_BY_NUMBER, number_of(device));
    }
}

void store_remove_device(struct store_txn *txn, const struct store_device *device)
{
    struct record_key key;
    record_key_device(device, &key);
    store_txn_remove(txn, TABLE_DEVICES, record_key_view(&key));
    forget_number(txn, device);
}

// The numbers of all entries that will be replaced become free first, so that two devices can swap
// theirs.
static enum err_code free_numbers(struct store_txn *txn, const struct store_device *devices,
                                  size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct store_device old = {0};
        struct record_key key;
        if (devices[i].mac[0] == '\0' && devices[i].serial_number[0] == '\0') {
            return err_set(err, ERR_INTERNAL,
                           "an entry of the device list needs a MAC or a serial number");
        }
        record_key_device(&devices[i], &key);
        enum err_code code = get_by_key(txn, record_key_view(&key), &old, err);
        if (code == ERR_OK) {
            forget_number(txn, &old);
        } else if (code != ERR_NOT_FOUND) {
            return code;
        }
    }
    return ERR_OK;
}

static enum err_code conflict(const struct record_key *key, struct view other,
                              const struct store_device *device, struct err *err)
{
    return err_set(err, ERR_CONFLICT, "the devices %.*s and %.*s have the same serial number %s",
                   (int)key->len - 1, (const char *)key->octets + 1, (int)other.len - 1,
                   (const char *)other.data + 1, device->serial_number);
}

// `device` stands in the list under its key.
static enum err_code take_number(struct store_txn *txn, const struct store_device *device,
                                 struct err *err)
{
    struct record_key key;
    struct view owner = VIEW_EMPTY;
    if (device->serial_number[0] == '\0') {
        return ERR_OK;
    }
    record_key_device(device, &key);
    enum err_code code =
        store_txn_get(txn, TABLE_DEVICES_BY_NUMBER, number_of(device), &owner, err);
    if (code == ERR_NOT_FOUND) {
        store_txn_put(txn, TABLE_DEVICES_BY_NUMBER, number_of(device), record_key_view(&key));
        return ERR_OK;
    }
    if (code != ERR_OK || view_equal(owner, record_key_view(&key))) {
        return code;
    }
    return conflict(&key, owner, device, err);
}

enum err_code store_put_devices(struct store_txn *txn, const struct store_device *devices,
                                size_t count, struct err *err)
{
    enum err_code code = free_numbers(txn, devices, count, err);
    for (size_t i = 0; i < count && code == ERR_OK; i++) {
        put_device(txn, &devices[i]);
    }
    for (size_t i = 0; i < count && code == ERR_OK && txn->failure.code == ERR_OK; i++) {
        struct store_device final = {0}; // a later entry for the same device may have replaced it
        struct record_key key;
        record_key_device(&devices[i], &key);
        code = get_by_key(txn, record_key_view(&key), &final, err);
        if (code == ERR_OK) {
            code = take_number(txn, &final, err);
        }
    }
    return code;
}
