// SPDX-License-Identifier: Apache-2.0
#include "ra/store/writer_events.h"

#include <stdlib.h>
#include <string.h>

#include "conf/base/clock.h"
#include "conf/base/hex.h"

static bool is_set(const uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (octets[i] != 0) {
            return true;
        }
    }
    return false;
}

static struct store_event event_of(enum event_kind kind, enum event_authority authority,
                                   int64_t now)
{
    return (struct store_event){.kind = kind, .authority = authority, .at = now * STORE_US_PER_SEC};
}

static void describe_certificate(struct store_event *event,
                                 const struct store_certificate *certificate)
{
    store_event_text(event->device, sizeof event->device, certificate->device);
    store_event_text(event->common_name, sizeof event->common_name, certificate->common_name);
    store_event_text(event->mac, sizeof event->mac, certificate->mac);
    store_event_text(event->model, sizeof event->model, certificate->model);
    memcpy(event->serial, certificate->serial, SERIAL_LEN);
}

static enum event_authority authority_of(const struct store_certificate *certificate)
{
    static const enum event_authority authorities[] = {
        [ORIGIN_CHALLENGE] = EVENT_BY_CHALLENGE,
        [ORIGIN_MIC] = EVENT_BY_MIC,
        [ORIGIN_APPROVAL] = EVENT_BY_APPROVAL,
        [ORIGIN_ADMINISTRATOR] = EVENT_BY_ADMINISTRATOR,
    };
    return is_set(certificate->renews, SERIAL_LEN) ? EVENT_BY_RENEWAL
                                                   : authorities[certificate->origin];
}

void writer_note_issued(struct store_txn *txn, const struct write_order *order)
{
    const struct store_certificate *certificate = &order->certificate;
    bool is_renewal = is_set(certificate->renews, SERIAL_LEN);
    struct store_event event =
        event_of(is_renewal ? EVENT_RENEWED : EVENT_ISSUED, authority_of(certificate), order->now);
    describe_certificate(&event, certificate);
    store_event_text(event.peer, sizeof event.peer, order->peer != NULL ? order->peer : "");
    if (is_renewal) {
        char serial[2 * SERIAL_LEN + 1];
        snprintf(event.words, sizeof event.words, "renews %s",
                 hex_encode(view_of(certificate->renews, SERIAL_LEN), serial));
    } else if (order->is_one_time) {
        char id[CHALLENGE_ID_LEN];
        record_challenge_id(certificate->challenge_hash, id);
        snprintf(event.words, sizeof event.words, "one-time challenge %s", id);
    }
    store_add_event(txn, &event);
}

static enum event_authority decider_of(enum event_kind kind)
{
    switch (kind) {
    case EVENT_APPROVED:
    case EVENT_DENIED:
        return EVENT_BY_ADMINISTRATOR;
    case EVENT_PENDING_EXPIRED:
        return EVENT_BY_SERVER;
    default:
        return EVENT_BY_NOBODY;
    }
}

void writer_note_pending(struct store_txn *txn, enum event_kind kind,
                         const struct store_pending *pending, int64_t now)
{
    char id[PENDING_ID_LEN];
    bool is_unlisted = pending->reason == PENDING_UNLISTED;
    struct store_event event = event_of(kind, decider_of(kind), now);
    record_pending_id(pending->key, id);
    store_event_name_device(&event, pending->mac, pending->common_name);
    store_event_text(event.model, sizeof event.model, pending->model);
    event.is_claimed = !is_unlisted && kind != EVENT_APPROVED; // nobody has proven anything
    store_event_text(event.peer, sizeof event.peer, pending->source);
    store_event_text(event.reason, sizeof event.reason,
                     is_unlisted ? "not_listed" : "no_challenge");
    snprintf(event.words, sizeof event.words, "request %s", id);
    store_add_event(txn, &event);
}

void writer_note_revoked(struct store_txn *txn, const struct writer_revocation *revocation)
{
    struct record_certificate record = {0};
    struct store_event event = event_of(EVENT_REVOKED, revocation->authority, revocation->now);
    memcpy(event.serial, revocation->serial, SERIAL_LEN);
    if (store_get_certificate(txn, revocation->serial, &record, NULL) == ERR_OK) {
        describe_certificate(&event, &record.certificate);
    }
    store_certificate_done(&record.certificate);
    store_event_text(event.reason, sizeof event.reason, store_revocation_name(revocation->reason));
    store_add_event(txn, &event);
}

void writer_note_challenge(struct store_txn *txn, enum event_kind kind,
                           const struct store_challenge *challenge, int64_t now)
{
    char until[CLOCK_TEXT_LEN];
    struct store_event event = event_of(kind, EVENT_BY_ADMINISTRATOR, now);
    store_event_name_device(&event, challenge->mac, challenge->common_name);
    if (kind == EVENT_CHALLENGE_MADE) {
        snprintf(event.words, sizeof event.words, "one-time challenge %s, %u use%s, until %s",
                 challenge->id, challenge->uses_allowed, challenge->uses_allowed == 1 ? "" : "s",
                 clock_format(challenge->expires_at, until));
    } else {
        snprintf(event.words, sizeof event.words, "one-time challenge %s", challenge->id);
    }
    store_add_event(txn, &event);
}

void writer_note_unlisted(struct store_txn *txn, const struct store_device *device, int64_t now)
{
    struct store_event event = event_of(EVENT_UNLISTED, EVENT_BY_ADMINISTRATOR, now);
    store_event_name_device(&event, device->mac, "");
    store_event_text(event.model, sizeof event.model, device->model);
    if (device->serial_number[0] != '\0') {
        snprintf(event.words, sizeof event.words, "serial number %s", device->serial_number);
    }
    store_add_event(txn, &event);
}

enum err_code event_queue_new(struct event_queue *ret_queue, struct err *err)
{
    ret_queue->count = 0;
    ret_queue->list = calloc(EVENT_QUEUE_MAX, sizeof *ret_queue->list);
    return ret_queue->list != NULL ? ERR_OK : err_set(err, ERR_NOMEM, "no memory for events");
}

void event_queue_done(struct event_queue *queue)
{
    free(queue->list);
    *queue = (struct event_queue){0};
}

bool event_queue_add(struct event_queue *queue, const struct store_event *event)
{
    if (queue->count == EVENT_QUEUE_MAX) {
        return false;
    }
    queue->list[queue->count++] = *event;
    return true;
}

void event_queue_write(const struct event_queue *queue, struct store_txn *txn)
{
    for (size_t i = 0; i < queue->count; i++) {
        store_add_event(txn, &queue->list[i]);
    }
}
