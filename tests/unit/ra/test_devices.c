// SPDX-License-Identifier: Apache-2.0
// Which genuine phones are on the list: row 27 of tests/phone_rows.txt.
#include "kit/kit.h"

#include <stdlib.h>
#include <string.h>

#include "ra/devices.h"
#include "ra/store/writer.h"

#define STORE_OCTETS (16 * 1024 * 1024)

struct fixture {
    char *folder;
    struct store *store;
    struct writer *writer;
};

static int set_up(void **state)
{
    static const struct store_device entries[] = {
        {.mac = "001122334401"},
        {.mac = "001122334402", .serial_number = "FCH00000002"},
        {.serial_number = "FCH00000003"},
        {.mac = "001122334404", .model = "CP-8841"},
        {.mac = "001122334405", .model = "9871"},
    };
    struct err err = {0};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->folder = kit_new_folder();
    assert_int_equal(store_open(fixture->folder, STORE_OCTETS, &fixture->store, NULL), ERR_OK);
    assert_int_equal(writer_start(fixture->store, &fixture->writer, NULL), ERR_OK);
    struct write_order order = {.kind = WRITE_DEVICES,
                                .now = KIT_NOW,
                                .devices = entries,
                                .device_count = sizeof entries / sizeof entries[0]};
    if (writer_submit_and_wait(fixture->writer, &order, &err) != ERR_OK) {
        fail_msg("writer: %s", err.text);
    }
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    writer_stop(fixture->writer);
    store_close(fixture->store);
    kit_remove_folder(fixture->folder);
    free(fixture);
    return 0;
}

static void devices_are_listed_by_what_they_are(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        struct device_claim claim;
        enum device_state state;
        bool is_contradiction;
        const char *reason; // a part of it
    } tests[] = {
        {{"001122334401", "FCH9", "CP-7841"}, DEVICE_LISTED, false, ""},
        {{"001122334401", "", ""}, DEVICE_LISTED, false, ""},
        {{"001122334402", "FCH00000002", "CP-7841"}, DEVICE_LISTED, false, ""},
        {{"001122334402", "FCH00000009", "CP-7841"}, DEVICE_UNLISTED, true, "FCH00000002"},
        {{"001122334499", "FCH00000003", "CP-7841"}, DEVICE_LISTED, false, ""},
        {{"001122334404", "FCH4", "CP-8841"}, DEVICE_LISTED, false, ""},
        {{"001122334404", "FCH4", "cp-8841"}, DEVICE_LISTED, false, ""},
        {{"001122334404", "FCH4", "DP-8841"}, DEVICE_LISTED, false, ""},
        {{"001122334404", "FCH4", "8841"}, DEVICE_LISTED, false, ""},
        {{"001122334404", "FCH4", "CP-88411"}, DEVICE_UNLISTED, false, "model CP-88411"},
        {{"001122334404", "FCH4", ""}, DEVICE_UNLISTED, false, "model unknown"},
        {{"001122334405", "FCH5", "DP-9871"}, DEVICE_LISTED, false, ""},
        {{"001122334499", "FCH00000099", "CP-8841"}, DEVICE_UNLISTED, false, "001122334499"},
        {{"", "", "CP-8841"}, DEVICE_UNLISTED, false, "MAC unknown"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct device_finding finding = {0};
        assert_int_equal(devices_check(fixture->store, &tests[i].claim, &finding, NULL), ERR_OK);
        if (finding.state != tests[i].state ||
            finding.is_contradiction != tests[i].is_contradiction ||
            strstr(finding.reason, tests[i].reason) == NULL) {
            fail_msg("row %zu: state %d, \"%s\"", i, (int)finding.state, finding.reason);
        }
        assert_int_equal(finding.reason[0] == '\0', finding.state == DEVICE_LISTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(devices_are_listed_by_what_they_are, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
