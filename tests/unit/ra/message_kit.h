// SPDX-License-Identifier: Apache-2.0
// An RA, its CA and a client for tests of messages and of the answers to them.
#pragma once

#include <string.h>

#include <openssl/provider.h>

#include "kit/kit.h"
#include "kit/pkimessage.h"
#include "ra/credentials.h"

#define GOOD_ID    "KIT-TRANSACTION"  // kit_message_der()'s transactionID
#define GOOD_NONCE "0123456789abcdef" // and its senderNonce

// Numbers for kit_key(). KEY_SPARE is the test's own.
enum { KEY_RA = 0, KEY_CA = 1, KEY_CLIENT = 2, KEY_SPARE = 3 };

struct message_kit {
    struct credentials credentials; // of `ra` and `ca`
    X509 *ra;
    X509 *ca;
    X509 *client; // self-signed
    OSSL_PROVIDER *providers[2];
};

// With the legacy algorithms at hand. Done with message_kit_done().
static inline struct message_kit message_kit_new(const char *ca_name)
{
    struct message_kit kit = {
        .providers = {OSSL_PROVIDER_load(NULL, "default"), OSSL_PROVIDER_load(NULL, "legacy")},
    };
    assert_non_null(kit.providers[1]);
    kit.ca = kit_cert(kit_key(KEY_CA), ca_name, NULL, NULL, true, KIT_NOW - 100, 100);
    kit.ra = kit_cert(kit_key(KEY_RA), "RA", kit.ca, kit_key(KEY_CA), false, KIT_NOW - 100, 50);
    struct generation *issuing = &kit.credentials.generations.list[0];
    issuing->cert = kit.ca;
    assert_int_equal(generation_identify(kit.ca, issuing->id, issuing->name, NULL), ERR_OK);
    kit.credentials.generations.count = 1;
    struct recipient *recipient = &kit.credentials.recipients[0];
    *recipient = (struct recipient){.cert = kit.ra, .key = kit_key(KEY_RA)};
    memcpy(recipient->issuer, issuing->id, SHA256_LEN);
    kit.credentials.recipient_count = 1;
    kit.client = kit_cert(kit_key(KEY_CLIENT), "SEP001122334455", NULL, NULL, false, KIT_NOW, 5);
    return kit;
}

static inline void message_kit_done(struct message_kit *kit)
{
    X509_free(kit->ca);
    X509_free(kit->ra);
    X509_free(kit->client);
    OSSL_PROVIDER_unload(kit->providers[1]);
    OSSL_PROVIDER_unload(kit->providers[0]);
}

// DER of `message`; what it leaves open is as a good client has it, and `plain` is what the
// envelope holds by default. Caller frees with buf_done().
static inline struct buf message_kit_der(const struct message_kit *kit,
                                         const struct kit_message *message, struct view plain)
{
    struct kit_message whole = *message;
    whole.key = whole.key != NULL ? whole.key : kit_key(KEY_CLIENT);
    whole.signer = whole.signer != NULL ? whole.signer : kit->client;
    whole.ra = whole.ra != NULL ? whole.ra : kit->ra;
    if (whole.envelope.plain.data == NULL) {
        whole.envelope.plain = plain;
    }
    return kit_message_der(&whole);
}
