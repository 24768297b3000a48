// SPDX-License-Identifier: Apache-2.0
// What is known of who sent a request, besides what he signed: hints for limits and the log, never
// authentication.
#pragma once

#include <microhttpd.h>

#include "conf/base/buf.h"
#include "ra/store/store.h"

// The address the connection came from, IPv4 also where it came through an IPv6 socket; "" when
// there is none.
void peer_address(struct MHD_Connection *connection, char ret_text[STORE_SOURCE_LEN]);
void peer_write_address(const struct sockaddr *from, char ret_text[STORE_SOURCE_LEN]);

// The serial number or MAC that a Cisco phone tells in its User-Agent, as in
// "Cisco-CP-8841-3PCC/11.0 (00562b043615)": the one word in the last parentheses, when it is
// letters and digits only; else the empty view. Borrows. NULL is fine.
struct view peer_device_hint(const char *user_agent);
