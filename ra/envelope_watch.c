// SPDX-License-Identifier: Apache-2.0
// A direct-mapped table. Which slot an envelope falls into depends on a secret, so that nobody can
// push a certain envelope out with a single one of his own.
#include "ra/envelope_watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_COUNT 4096 // entries of 64 octets: minutes of a busy server, hours of a quiet one

struct slot {
    uint8_t envelope_hash[SHA256_LEN]; // zeroes = free
    uint8_t signer_hash[SHA256_LEN];   // who came first
};

struct envelope_watch {
    uint8_t secret[SHA256_LEN];
    pthread_mutex_t lock; // guards slots
    struct slot slots[SLOT_COUNT];
};

enum err_code envelope_watch_new(struct envelope_watch **ret_watch, struct err *err)
{
    struct envelope_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL || pthread_mutex_init(&watch->lock, NULL) != 0) {
        free(watch);
        return err_set(err, ERR_NOMEM, "no memory to remember envelopes");
    }
    enum err_code code = ossl_random(watch->secret, sizeof watch->secret, err);
    if (code != ERR_OK) {
        envelope_watch_free(watch);
        return code;
    }
    *ret_watch = watch;
    return ERR_OK;
}

void envelope_watch_free(struct envelope_watch *watch)
{
    if (watch != NULL) {
        pthread_mutex_destroy(&watch->lock);
        free(watch);
    }
}

static struct slot *slot_of(struct envelope_watch *watch, const uint8_t envelope_hash[SHA256_LEN])
{
    struct view parts[] = {
        view_of(watch->secret, sizeof watch->secret),
        view_of(envelope_hash, SHA256_LEN),
    };
    uint8_t digest[SHA256_LEN];
    uint32_t index;
    ossl_sha256(parts, sizeof parts / sizeof parts[0], digest);
    memcpy(&index, digest, sizeof index);
    return &watch->slots[index % SLOT_COUNT];
}

static bool note(struct slot *slot, const uint8_t envelope_hash[SHA256_LEN],
                 const uint8_t signer_hash[SHA256_LEN])
{
    if (memcmp(slot->envelope_hash, envelope_hash, SHA256_LEN) == 0) {
        return memcmp(slot->signer_hash, signer_hash, SHA256_LEN) != 0;
    }
    memcpy(slot->envelope_hash, envelope_hash, SHA256_LEN);
    memcpy(slot->signer_hash, signer_hash, SHA256_LEN);
    return false;
}

bool envelope_watch_is_reused(struct envelope_watch *watch, const uint8_t envelope_hash[SHA256_LEN],
                              const uint8_t signer_hash[SHA256_LEN])
{
    static const uint8_t no_envelope[SHA256_LEN];
    if (memcmp(envelope_hash, no_envelope, SHA256_LEN) == 0) {
        return false;
    }
    struct slot *slot = slot_of(watch, envelope_hash);
    pthread_mutex_lock(&watch->lock);
    bool is_reused = note(slot, envelope_hash, signer_hash);
    pthread_mutex_unlock(&watch->lock);
    return is_reused;
}
