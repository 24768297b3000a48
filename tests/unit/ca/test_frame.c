// SPDX-License-Identifier: Apache-2.0
// The frame codec: what is encoded comes back, and nothing else is accepted.
#include <stdlib.h>
#include <string.h>

#include "ca/frame.h"
#include "conf/cms/certrep.h"
#include "kit/kit.h"

#define SAMPLES 10 // one frame of each type

static const uint8_t issuer_id[SHA256_LEN] = {0xca, 1, 2, 3};
static const uint8_t big[FRAME_MAX_LEN + 1];

// Frames are large, and the same one serves all tests.
static struct frame decoded;

static struct issue_order sample_order(void)
{
    struct issue_order order = {.profile = PROFILE_PHONE,
                                .issuer = view_of(issuer_id, sizeof issuer_id),
                                .csr = view_of_text("a request"),
                                .common_name = view_of_text("SEP001A2B3C4D5E"),
                                .san_count = 2,
                                .max_validity_sec = 12345,
                                .transaction_id = view_of_text("T-1")};
    order.sans[0] = (struct san){.kind = SAN_DNS, .text = view_of_text("phone.example")};
    order.sans[1] = (struct san){.kind = SAN_UPN, .text = view_of_text("phone@example")};
    return order;
}

static struct seal_order sample_seal(void)
{
    return (struct seal_order){.status = CERTREP_FAILURE,
                               .transaction_id = view_of_text("T-2"),
                               .recipient_nonce = view_of_text("0123456789abcdef"),
                               .digest_nid = 672,
                               .cipher_nid = 419,
                               .recipient = view_of_text("recipient"),
                               .certificate = view_of_text("certificate"),
                               .crl = view_of_text("crl"),
                               .fail_info = FAIL_INFO_BAD_TIME,
                               .fail_info_text = view_of_text("too early")};
}

static struct ca_state sample_state(void)
{
    struct ca_state state = {.current = {1}, .has_next = true, .next = {2}, .old_count = 2};
    state.old[0][0] = 3;
    state.old[1][31] = 4;
    return state;
}

static struct crl_part *new_part(uint32_t count)
{
    struct crl_part *part = calloc(1, sizeof *part);
    assert_non_null(part);
    part->issuer = view_of(issuer_id, sizeof issuer_id);
    part->number = 0x1122334455667788;
    part->is_last = true;
    part->count = count;
    for (uint32_t i = 0; i < count && i < FRAME_CRL_CHUNK; i++) {
        part->entries[i].serial[0] = (uint8_t)(1 + i % 100);
        part->entries[i].revoked_at = -1 - (int64_t)i;
        part->entries[i].reason = REVOCATION_SUPERSEDED;
    }
    return part;
}

static struct buf encode_order(const struct issue_order *order)
{
    struct buf frame = {0};
    struct err err = {0};
    assert_int_equal(frame_put_issue(order, &frame, &err), ERR_OK);
    return frame;
}

static struct buf encode_crl(uint32_t count)
{
    struct crl_part *part = new_part(count);
    struct buf frame = {0};
    assert_int_equal(frame_put_crl(part, &frame, NULL), ERR_OK);
    free(part);
    return frame;
}

// Encodes again what was decoded, whatever it is.
static struct buf encode_again(const struct frame *frame)
{
    struct buf out = {0};
    struct err refusal = {.code = frame->refusal};
    enum err_code code = ERR_INTERNAL;
    switch (frame->type) {
    case FRAME_ISSUE:
        code = frame_put_issue(&frame->order, &out, NULL);
        break;
    case FRAME_RESULT:
        code = frame_put_result(frame->octets, frame->is_last, &out, NULL);
        break;
    case FRAME_REFUSED:
        memcpy(refusal.text, frame->refusal_text.data, frame->refusal_text.len);
        code = frame_put_refused(&refusal, &out, NULL);
        break;
    case FRAME_PING:
        code = frame_put_ping(&out, NULL);
        break;
    case FRAME_PONG:
        code = frame_put_pong(&frame->state, &out, NULL);
        break;
    case FRAME_CRL:
        code = frame_put_crl(&frame->crl, &out, NULL);
        break;
    case FRAME_NEXT_CA:
    case FRAME_UNWRAP:
        code = frame_put_octets(frame->type, frame->octets, &out, NULL);
        break;
    case FRAME_SEAL:
        code = frame_put_seal(&frame->seal, &out, NULL);
        break;
    case FRAME_RELOAD:
        code = frame_put_reload(&out, NULL);
        break;
    }
    assert_int_equal(code, ERR_OK);
    return out;
}

// One valid frame of each type.
static void make_samples(struct buf samples[SAMPLES])
{
    memset(samples, 0, SAMPLES * sizeof samples[0]);
    struct issue_order order = sample_order();
    samples[0] = encode_order(&order);
    assert_int_equal(frame_put_result(view_of_text("part"), true, &samples[1], NULL), ERR_OK);
    struct err refusal = {.code = ERR_BAD_ALG, .text = "RSA 1024"};
    assert_int_equal(frame_put_refused(&refusal, &samples[2], NULL), ERR_OK);
    assert_int_equal(frame_put_ping(&samples[3], NULL), ERR_OK);
    struct ca_state state = sample_state();
    assert_int_equal(frame_put_pong(&state, &samples[4], NULL), ERR_OK);
    samples[5] = encode_crl(3);
    assert_int_equal(frame_put_octets(FRAME_NEXT_CA, view_of_text("ra"), &samples[6], NULL),
                     ERR_OK);
    assert_int_equal(frame_put_octets(FRAME_UNWRAP, view_of_text("env"), &samples[7], NULL),
                     ERR_OK);
    struct seal_order seal = sample_seal();
    assert_int_equal(frame_put_seal(&seal, &samples[8], NULL), ERR_OK);
    assert_int_equal(frame_put_reload(&samples[9], NULL), ERR_OK);
}

static void free_samples(struct buf samples[SAMPLES])
{
    for (size_t i = 0; i < SAMPLES; i++) {
        buf_done(&samples[i]);
    }
}

static void decode(const struct buf *octets, enum frame_type type)
{
    struct err err = {0};
    if (frame_get(buf_view(octets), &decoded, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(decoded.type, type);
}

static void issue_round_trip(void **state)
{
    (void)state;
    struct issue_order order = sample_order();
    struct buf octets = encode_order(&order);
    decode(&octets, FRAME_ISSUE);
    assert_int_equal(decoded.order.profile, PROFILE_PHONE);
    assert_true(view_equal(decoded.order.issuer, order.issuer));
    assert_true(view_equal(decoded.order.csr, order.csr));
    assert_true(view_equal(decoded.order.common_name, order.common_name));
    assert_true(view_equal(decoded.order.transaction_id, order.transaction_id));
    assert_int_equal(decoded.order.max_validity_sec, 12345);
    assert_int_equal(decoded.order.san_count, 2);
    assert_int_equal(decoded.order.sans[0].kind, SAN_DNS);
    assert_int_equal(decoded.order.sans[1].kind, SAN_UPN);
    assert_true(view_is_text(decoded.order.sans[1].text, "phone@example"));
    buf_done(&octets);
    for (int profile = PROFILE_RA; profile <= PROFILE_SERVER; profile++) {
        order.profile = (enum issue_profile)profile;
        octets = encode_order(&order);
        decode(&octets, FRAME_ISSUE);
        assert_int_equal(decoded.order.profile, profile);
        buf_done(&octets);
    }
}

static void answers_round_trip(void **state)
{
    (void)state;
    struct buf samples[SAMPLES];
    make_samples(samples);
    decode(&samples[1], FRAME_RESULT);
    assert_true(view_is_text(decoded.octets, "part"));
    assert_true(decoded.is_last);
    decode(&samples[2], FRAME_REFUSED);
    assert_int_equal(decoded.refusal, ERR_BAD_ALG);
    assert_true(view_is_text(decoded.refusal_text, "RSA 1024"));
    decode(&samples[4], FRAME_PONG);
    assert_int_equal(decoded.state.current[0], 1);
    assert_true(decoded.state.has_next);
    assert_int_equal(decoded.state.next[0], 2);
    assert_int_equal(decoded.state.old_count, 2);
    assert_int_equal(decoded.state.old[0][0], 3);
    assert_int_equal(decoded.state.old[1][31], 4);
    free_samples(samples);

    struct buf part = {0};
    assert_int_equal(frame_put_result(view_of(big, FRAME_RESULT_LEN), false, &part, NULL), ERR_OK);
    decode(&part, FRAME_RESULT);
    assert_int_equal(decoded.octets.len, FRAME_RESULT_LEN);
    assert_false(decoded.is_last);
    buf_done(&part);
}

static void crl_round_trip(void **state)
{
    (void)state;
    static const uint32_t counts[] = {0, 1, FRAME_CRL_CHUNK};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct buf octets = encode_crl(counts[i]);
        decode(&octets, FRAME_CRL);
        struct crl_part *part = new_part(counts[i]);
        assert_true(view_equal(decoded.crl.issuer, part->issuer));
        assert_true(decoded.crl.number == part->number);
        assert_true(decoded.crl.is_last);
        assert_int_equal(decoded.crl.count, counts[i]);
        for (uint32_t j = 0; j < counts[i]; j++) {
            assert_memory_equal(decoded.crl.entries[j].serial, part->entries[j].serial, SERIAL_LEN);
            assert_true(decoded.crl.entries[j].revoked_at == part->entries[j].revoked_at);
            assert_int_equal(decoded.crl.entries[j].reason, REVOCATION_SUPERSEDED);
        }
        free(part);
        buf_done(&octets);
    }
}

static void direct_round_trip(void **state)
{
    (void)state;
    struct buf samples[SAMPLES];
    make_samples(samples);
    decode(&samples[6], FRAME_NEXT_CA);
    assert_true(view_is_text(decoded.octets, "ra"));
    decode(&samples[7], FRAME_UNWRAP);
    assert_true(view_is_text(decoded.octets, "env"));
    decode(&samples[8], FRAME_SEAL);
    const struct seal_order seal = sample_seal();
    assert_int_equal(decoded.seal.status, CERTREP_FAILURE);
    assert_true(view_equal(decoded.seal.transaction_id, seal.transaction_id));
    assert_true(view_equal(decoded.seal.recipient_nonce, seal.recipient_nonce));
    assert_int_equal(decoded.seal.digest_nid, 672);
    assert_int_equal(decoded.seal.cipher_nid, 419);
    assert_true(view_is_text(decoded.seal.recipient, "recipient"));
    assert_true(view_is_text(decoded.seal.certificate, "certificate"));
    assert_true(view_is_text(decoded.seal.crl, "crl"));
    assert_int_equal(decoded.seal.fail_info, FAIL_INFO_BAD_TIME);
    assert_true(view_is_text(decoded.seal.fail_info_text, "too early"));
    free_samples(samples);

    struct buf none = {0};
    assert_int_equal(frame_put_octets(FRAME_NEXT_CA, VIEW_EMPTY, &none, NULL), ERR_OK);
    decode(&none, FRAME_NEXT_CA);
    assert_int_equal(decoded.octets.len, 0);
    buf_done(&none);
}

static void refused_order(const struct issue_order *order, const char *text)
{
    struct err err = {0};
    struct buf out = {0};
    assert_int_equal(frame_put_issue(order, &out, &err), ERR_LIMIT);
    assert_null(out.data);
    if (strstr(err.text, text) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, text);
    }
}

static void order_encoder_keeps_limits(void **state)
{
    (void)state;
    struct issue_order order = sample_order();
    order.csr = view_of(big, LIMIT_CSR_LEN + 1);
    refused_order(&order, "PKCS#10");
    order = sample_order();
    order.issuer = view_of(big, SHA256_LEN - 1);
    refused_order(&order, "issuer of 31 octets");
    order = sample_order();
    order.issuer = VIEW_EMPTY;
    refused_order(&order, "issuer of 0 octets");
    order = sample_order();
    order.common_name = view_of(big, LIMIT_NAME_VALUE + 1);
    refused_order(&order, "common name");
    order = sample_order();
    order.sans[1].text = view_of(big, LIMIT_NAME_VALUE + 1);
    refused_order(&order, "subjectAltName");
    order = sample_order();
    order.sans[0].kind = (enum san_kind)9;
    refused_order(&order, "unknown kind 9");
    order = sample_order();
    order.san_count = LIMIT_SUBJECT_ALT_NAMES + 1;
    refused_order(&order, "33 subjectAltNames");
    order = sample_order();
    order.transaction_id = view_of(big, LIMIT_TRANSACTION_ID + 1);
    refused_order(&order, "transaction ID");
    order = sample_order();
    order.profile = (enum issue_profile)0;
    refused_order(&order, "unknown profile 0");
    order.profile = (enum issue_profile)5;
    refused_order(&order, "unknown profile 5");
}

static void refused_part(struct crl_part *take_part)
{
    struct buf out = {0};
    assert_int_equal(frame_put_crl(take_part, &out, NULL), ERR_LIMIT);
    assert_null(out.data);
    free(take_part);
}

static void other_encoders_keep_limits(void **state)
{
    (void)state;
    struct buf out = {0};
    assert_int_equal(frame_put_result(view_of(big, FRAME_RESULT_LEN + 1), true, &out, NULL),
                     ERR_LIMIT);
    assert_int_equal(frame_put_result(VIEW_EMPTY, true, &out, NULL), ERR_LIMIT);
    assert_int_equal(frame_put_octets(FRAME_PING, VIEW_EMPTY, &out, NULL), ERR_LIMIT);
    assert_int_equal(frame_put_octets(FRAME_UNWRAP, VIEW_EMPTY, &out, NULL), ERR_LIMIT);
    assert_int_equal(frame_put_octets(FRAME_UNWRAP, view_of(big, sizeof big), &out, NULL),
                     ERR_LIMIT);
    assert_int_equal(frame_put_octets(FRAME_NEXT_CA, view_of(big, LIMIT_CERT_LEN + 1), &out, NULL),
                     ERR_LIMIT);
    struct ca_state ca_state = {.old_count = FRAME_OLD_MAX + 1};
    assert_int_equal(frame_put_pong(&ca_state, &out, NULL), ERR_LIMIT);
    assert_null(out.data);

    refused_part(new_part(FRAME_CRL_CHUNK + 1));
    struct crl_part *part = new_part(1);
    part->issuer = VIEW_EMPTY;
    refused_part(part);
    part = new_part(1);
    part->entries[0].reason = (enum revocation_reason)6; // certificateHold
    refused_part(part);
    part = new_part(0);
    part->is_last = false;
    refused_part(part);
}

static void seal_encoder_keeps_limits(void **state)
{
    (void)state;
    struct seal_order bad[8];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bad[i] = sample_seal();
    }
    bad[0].status = 1;
    bad[1].fail_info = FAIL_INFO_BAD_CERT_ID + 1;
    bad[2].transaction_id = view_of(big, LIMIT_TRANSACTION_ID + 1);
    bad[3].recipient_nonce = view_of(big, LIMIT_NONCE + 1);
    bad[4].recipient = view_of(big, LIMIT_CERT_LEN + 1);
    bad[5].certificate = view_of(big, LIMIT_CERT_LEN + 1);
    bad[6].crl = view_of(big, FRAME_MAX_LEN); // the frame becomes too long
    bad[7].fail_info_text = view_of(big, FAIL_INFO_TEXT_LEN + 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buf out = {0};
        if (frame_put_seal(&bad[i], &out, NULL) != ERR_LIMIT || out.data != NULL) {
            fail_msg("case %zu is accepted", i);
        }
    }
}

static void largest_frames_fit(void **state)
{
    (void)state;
    struct issue_order order = {.profile = PROFILE_PHONE,
                                .issuer = view_of(issuer_id, sizeof issuer_id),
                                .csr = view_of(big, LIMIT_CSR_LEN),
                                .common_name = view_of(big, LIMIT_NAME_VALUE),
                                .san_count = LIMIT_SUBJECT_ALT_NAMES,
                                .transaction_id = view_of(big, LIMIT_TRANSACTION_ID)};
    for (size_t i = 0; i < LIMIT_SUBJECT_ALT_NAMES; i++) {
        order.sans[i] = (struct san){.kind = SAN_EMAIL, .text = view_of(big, LIMIT_NAME_VALUE)};
    }
    struct buf octets = encode_order(&order);
    decode(&octets, FRAME_ISSUE);
    assert_int_equal(decoded.order.san_count, LIMIT_SUBJECT_ALT_NAMES);
    buf_done(&octets);

    struct seal_order seal = sample_seal();
    seal.recipient = view_of(big, LIMIT_CERT_LEN);
    seal.certificate = view_of(big, LIMIT_CERT_LEN);
    seal.crl = VIEW_EMPTY;
    assert_int_equal(frame_put_seal(&seal, &octets, NULL), ERR_OK);
    decode(&octets, FRAME_SEAL);
    buf_done(&octets);

    struct ca_state ca_state = {.has_next = true, .old_count = FRAME_OLD_MAX};
    assert_int_equal(frame_put_pong(&ca_state, &octets, NULL), ERR_OK);
    decode(&octets, FRAME_PONG);
    assert_int_equal(decoded.state.old_count, FRAME_OLD_MAX);
    buf_done(&octets);
}

static void known_reasons(void **state)
{
    (void)state;
    static const bool known[11] = {true,  true,  true,  true, true, true,
                                   false, false, false, true, false};
    for (unsigned reason = 0; reason < sizeof known; reason++) {
        assert_int_equal(revocation_reason_is_known(reason), known[reason]);
    }
    assert_false(revocation_reason_is_known(256));
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
        {"\x01\x0b", 2, "unknown type 11"},
        {"\x01\xff", 2, "unknown type 255"},
        {"\x01\x04\x00", 3, "malformed frame of type 4"},
        {"\x01\x02\x01\x00\x00\x00\x00", 7, "type 2"},         // no octets
        {"\x01\x02\x02\x00\x00\x00\x01x", 8, "type 2"},        // a flag of 2
        {"\x01\x02\x01\xff\xff\xff\xff", 7, "type 2"},         // length beyond the end
        {"\x01\x03\x00\x00\x00\x00\x00\x00", 8, "type 3"},     // refused with ERR_OK
        {"\x01\x03\x00\xff\x00\x00\x00\x00", 8, "type 3"},     // unknown code
        {"\x01\x03\x00\x10\x00\x00\x01\x01", 8, "type 3"},     // text longer than allowed
        {"\x01\x05", 2, "type 5"},                             // no state
        {"\x01\x08\x00\x00\x00\x00", 6, "type 8"},             // no envelope
        {"\x01\x01\x05\x00\x00\x00\x00\x00\x00", 9, "type 1"}, // unknown profile
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};
        assert_int_equal(frame_get(view_of(bad[i].octets, bad[i].len), &decoded, &err),
                         ERR_PROTOCOL);
        if (strstr(err.text, bad[i].text) == NULL) {
            fail_msg("case %zu: %s", i, err.text);
        }
    }
    static const uint8_t too_long[FRAME_MAX_LEN + 1] = {FRAME_VERSION, FRAME_PING};
    struct err err = {0};
    assert_int_equal(frame_get(view_of(too_long, sizeof too_long), &decoded, &err), ERR_PROTOCOL);
    assert_non_null(strstr(err.text, "65537 octets"));
}

// In a block of its own size, so that a sanitizer sees every octet read beyond the end.
static enum err_code get_exact(const uint8_t *octets, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    memcpy(exact, octets, len);
    enum err_code code = frame_get(view_of(exact, len), &decoded, NULL);
    free(exact);
    return code;
}

static void truncated_and_trailing(void **state)
{
    (void)state;
    struct buf samples[SAMPLES];
    make_samples(samples);
    for (size_t i = 0; i < SAMPLES; i++) {
        for (size_t len = 0; len < samples[i].len; len++) {
            assert_int_equal(get_exact(samples[i].data, len), ERR_PROTOCOL);
        }
        assert_int_equal(get_exact(samples[i].data, samples[i].len), ERR_OK);
        assert_int_equal(buf_append(&samples[i], view_of("", 1), NULL), ERR_OK);
        assert_int_equal(get_exact(samples[i].data, samples[i].len), ERR_PROTOCOL);
    }
    free_samples(samples);
}

// Text after a NUL is cut by the encoder, so such a refusal cannot encode to the same octets.
static bool is_refusal_with_nul(void)
{
    return decoded.type == FRAME_REFUSED &&
           (decoded.refusal_text.len >= ERR_TEXT_LEN ||
            memchr(decoded.refusal_text.data, 0, decoded.refusal_text.len) != NULL);
}

// Whatever is accepted must encode again to the very same octets: no two readings of a frame.
static void mutate(struct buf *octets)
{
    for (size_t at = 0; at < octets->len; at++) {
        uint8_t original = octets->data[at];
        for (unsigned value = 0; value <= UINT8_MAX; value++) {
            octets->data[at] = (uint8_t)value;
            if (get_exact(octets->data, octets->len) != ERR_OK) {
                continue;
            }
            assert_int_equal(frame_get(buf_view(octets), &decoded, NULL), ERR_OK);
            if (is_refusal_with_nul()) {
                continue;
            }
            struct buf again = encode_again(&decoded);
            assert_true(view_equal(buf_view(&again), buf_view(octets)));
            buf_done(&again);
        }
        octets->data[at] = original;
    }
}

static void mutated_octets(void **state)
{
    (void)state;
    struct buf samples[SAMPLES];
    make_samples(samples);
    for (size_t i = 0; i < SAMPLES; i++) {
        mutate(&samples[i]);
    }
    free_samples(samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issue_round_trip),
        cmocka_unit_test(answers_round_trip),
        cmocka_unit_test(crl_round_trip),
        cmocka_unit_test(direct_round_trip),
        cmocka_unit_test(order_encoder_keeps_limits),
        cmocka_unit_test(other_encoders_keep_limits),
        cmocka_unit_test(seal_encoder_keeps_limits),
        cmocka_unit_test(largest_frames_fit),
        cmocka_unit_test(known_reasons),
        cmocka_unit_test(decoder_refuses),
        cmocka_unit_test(truncated_and_trailing),
        cmocka_unit_test(mutated_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
