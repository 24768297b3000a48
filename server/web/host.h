// SPDX-License-Identifier: Apache-2.0
// Which names the page is asked for by. A browser can be led here under a foreign name whose
// address changes to ours (DNS rebinding); then its pages could read ours.
#pragma once

#include <stdbool.h>

#include <sys/socket.h>

// Whether a Host header (NULL = none) names this machine: "localhost", a loopback address, or the
// address `local` that the connection came in at (NULL = not known), with any port or none.
bool host_is_ours(const char *host, const struct sockaddr *local);
