// SPDX-License-Identifier: Apache-2.0
// For this room's tests only: a client that does not wait for CA_ANSWER_TIMEOUT_SEC.
#pragma once

#include "ca/client.h"

// How long one question may take in all, in milliseconds.
void ca_client_set_timeout(struct ca_client *client, uint32_t timeout_ms);
