// SPDX-License-Identifier: Apache-2.0
// The frame codec: what is encoded comes back, and nothing else is accepted.
#include <stdlib.h>
#include <string.h>

#include "ca/frame.h"
#include "kit/kit.h"

static struct issue_order sample_order(void)
{
    struct issue_order order = {.profile = PROFILE_PHONE,
                                .csr = view_of_text("a request"),
                                .common_name = view_of_text("SEP001A2B3C4D5E"),
                                .san_count = 2,
                                .max_validity_sec = 12345,
                                .transaction_id = view_of_text("T-1")};
    order.sans[0] = (struct san){.kind = SAN_DNS, .text = view_of_text("phone.example")};
    order.sans[1] = (struct san){.kind = SAN_UPN, .text = view_of_text("phone@example")};
    return order;
}

static struct buf encode_order(const struct issue_order *order)
{
    struct buf frame = {0};
    struct err err = {0};
    assert_int_equal(frame_put_issue(order, &frame, &err), ERR_OK);
    return frame;
}

static void issue_round_trip(void **state)
{
    (void)state;
    struct issue_order order = sample_order();
    struct buf octets = encode_order(&order);
    struct frame frame;
    assert_int_equal(frame_get(buf_view(&octets), &frame, NULL), ERR_OK);
    assert_int_equal(frame.type, FRAME_ISSUE);
    assert_int_equal(frame.order.profile, PROFILE_PHONE);
    assert_true(view_equal(frame.order.csr, order.csr));
    assert_true(view_equal(frame.order.common_name, order.common_name));
    assert_true(view_equal(frame.order.transaction_id, order.transaction_id));
    assert_int_equal(frame.order.max_validity_sec, 12345);
    assert_int_equal(frame.order.san_count, 2);
    assert_int_equal(frame.order.sans[0].kind, SAN_DNS);
    assert_int_equal(frame.order.sans[1].kind, SAN_UPN);
    assert_true(view_is_text(frame.order.sans[1].text, "phone@example"));
    buf_done(&octets);
}

static void answers_round_trip(void **state)
{
    (void)state;
    struct frame frame;
    struct buf issued = {0};
    assert_int_equal(frame_put_issued(view_of_text("certificate"), &issued, NULL), ERR_OK);
    assert_int_equal(frame_get(buf_view(&issued), &frame, NULL), ERR_OK);
    assert_int_equal(frame.type, FRAME_ISSUED);
    assert_true(view_is_text(frame.certificate, "certificate"));
    buf_done(&issued);

    struct err refusal = {0};
    err_set(&refusal, ERR_BAD_ALG, "RSA 1024");
    struct buf refused = {0};
    assert_int_equal(frame_put_refused(&refusal, &refused, NULL), ERR_OK);
    assert_int_equal(frame_get(buf_view(&refused), &frame, NULL), ERR_OK);
    assert_int_equal(frame.type, FRAME_REFUSED);
    assert_int_equal(frame.refusal, ERR_BAD_ALG);
    assert_true(view_is_text(frame.refusal_text, "RSA 1024"));
    buf_done(&refused);

    struct buf ping = {0};
    assert_int_equal(frame_put_bare(FRAME_PING, &ping, NULL), ERR_OK);
    assert_int_equal(frame_get(buf_view(&ping), &frame, NULL), ERR_OK);
    assert_int_equal(frame.type, FRAME_PING);
    buf_done(&ping);
}

static void encoder_keeps_limits(void **state)
{
    (void)state;
    static const uint8_t big[LIMIT_CSR_LEN + 1];
    struct err err = {0};
    struct buf out = {0};
    struct issue_order order = sample_order();
    order.csr = view_of(big, sizeof big);
    assert_int_equal(frame_put_issue(&order, &out, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "PKCS#10"));
    order = sample_order();
    order.common_name = view_of(big, LIMIT_NAME_VALUE + 1);
    assert_int_equal(frame_put_issue(&order, &out, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "common name"));
    order = sample_order();
    order.sans[1].text = view_of(big, LIMIT_NAME_VALUE + 1);
    assert_int_equal(frame_put_issue(&order, &out, &err), ERR_LIMIT);
    order = sample_order();
    order.sans[0].kind = (enum san_kind)9;
    assert_int_equal(frame_put_issue(&order, &out, &err), ERR_LIMIT);
    order = sample_order();
    order.san_count = LIMIT_SUBJECT_ALT_NAMES + 1;
    assert_int_equal(frame_put_issue(&order, &out, &err), ERR_LIMIT);
    order = sample_order();
    order.transaction_id = view_of(big, LIMIT_TRANSACTION_ID + 1);
    assert_int_equal(frame_put_issue(&order, &out, &err), ERR_LIMIT);
    order = sample_order();
    order.profile = (enum issue_profile)2;
    assert_int_equal(frame_put_issue(&order, &out, &err), ERR_LIMIT);
    assert_int_equal(frame_put_issued(view_of(big, LIMIT_CERT_LEN + 1), &out, &err), ERR_LIMIT);
    assert_int_equal(frame_put_bare(FRAME_ISSUE, &out, &err), ERR_LIMIT);
    assert_null(out.data);
}

static void largest_order_fits(void **state)
{
    (void)state;
    static const uint8_t big[LIMIT_CSR_LEN];
    struct issue_order order = {.profile = PROFILE_PHONE,
                                .csr = view_of(big, LIMIT_CSR_LEN),
                                .common_name = view_of(big, LIMIT_NAME_VALUE),
                                .san_count = LIMIT_SUBJECT_ALT_NAMES,
                                .transaction_id = view_of(big, LIMIT_TRANSACTION_ID)};
    for (size_t i = 0; i < LIMIT_SUBJECT_ALT_NAMES; i++) {
        order.sans[i] = (struct san){.kind = SAN_EMAIL, .text = view_of(big, LIMIT_NAME_VALUE)};
    }
    struct buf octets = encode_order(&order);
    struct frame frame;
    assert_int_equal(frame_get(buf_view(&octets), &frame, NULL), ERR_OK);
    assert_int_equal(frame.order.san_count, LIMIT_SUBJECT_ALT_NAMES);
    buf_done(&octets);
}

static void decoder_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *octets;
        size_t len;
        const char *text;
    } bad[] = {
        {"", 0, "without a head"},
        {"\x01", 1, "without a head"},
        {"\x02\x04", 2, "version 2"},
        {"\x00\x04", 2, "version 0"},
        {"\x01\x00", 2, "unknown type 0"},
        {"\x01\x06", 2, "unknown type 6"},
        {"\x01\xff", 2, "unknown type 255"},
        {"\x01\x04\x00", 3, "malformed frame of type 4"},
        {"\x01\x02\x00\x00\x00\x00", 6, "type 2"},         // no certificate
        {"\x01\x02\xff\xff\xff\xff", 6, "type 2"},         // length beyond the end
        {"\x01\x03\x00\x00\x00\x00\x00\x00", 8, "type 3"}, // refused with ERR_OK
        {"\x01\x03\x00\xff\x00\x00\x00\x00", 8, "type 3"}, // unknown code
        {"\x01\x03\x00\x10\x00\x00\x01\x01", 8, "type 3"}, // text longer than allowed
        {"\x01\x01\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00", 12, "type 1"}, // unknown profile
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct frame frame;
        struct err err = {0};
        assert_int_equal(frame_get(view_of(bad[i].octets, bad[i].len), &frame, &err), ERR_PROTOCOL);
        if (strstr(err.text, bad[i].text) == NULL) {
            fail_msg("case %zu: %s", i, err.text);
        }
    }
    static const uint8_t too_long[FRAME_MAX_LEN + 1] = {FRAME_VERSION, FRAME_PING};
    struct err err = {0};
    struct frame frame;
    assert_int_equal(frame_get(view_of(too_long, sizeof too_long), &frame, &err), ERR_PROTOCOL);
    assert_non_null(strstr(err.text, "65537 octets"));
}

// In a block of its own size, so that a sanitizer sees every octet read beyond the end.
static enum err_code get_exact(const uint8_t *octets, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    memcpy(exact, octets, len);
    struct frame frame;
    enum err_code code = frame_get(view_of(exact, len), &frame, NULL);
    free(exact);
    return code;
}

static void truncated_and_trailing(void **state)
{
    (void)state;
    struct issue_order order = sample_order();
    struct buf octets = encode_order(&order);
    for (size_t len = 0; len < octets.len; len++) {
        assert_int_equal(get_exact(octets.data, len), ERR_PROTOCOL);
    }
    assert_int_equal(get_exact(octets.data, octets.len), ERR_OK);
    assert_int_equal(buf_append(&octets, view_of("", 1), NULL), ERR_OK);
    assert_int_equal(get_exact(octets.data, octets.len), ERR_PROTOCOL);
    buf_done(&octets);
}

// Whatever is accepted must encode again to the very same octets: no two readings of a frame.
static void mutated_octets(void **state)
{
    (void)state;
    struct issue_order order = sample_order();
    struct buf octets = encode_order(&order);
    for (size_t at = 0; at < octets.len; at++) {
        uint8_t original = octets.data[at];
        for (unsigned value = 0; value <= UINT8_MAX; value++) {
            octets.data[at] = (uint8_t)value;
            struct frame frame;
            if (get_exact(octets.data, octets.len) != ERR_OK) {
                continue;
            }
            assert_int_equal(frame_get(buf_view(&octets), &frame, NULL), ERR_OK);
            assert_int_equal(frame.type, FRAME_ISSUE);
            struct buf again = encode_order(&frame.order);
            assert_true(view_equal(buf_view(&again), buf_view(&octets)));
            buf_done(&again);
        }
        octets.data[at] = original;
    }
    buf_done(&octets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issue_round_trip),     cmocka_unit_test(answers_round_trip),
        cmocka_unit_test(encoder_keeps_limits), cmocka_unit_test(largest_order_fits),
        cmocka_unit_test(decoder_refuses),      cmocka_unit_test(truncated_and_trailing),
        cmocka_unit_test(mutated_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
