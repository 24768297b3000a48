// SPDX-License-Identifier: Apache-2.0
// Private to http.c: OCSP over HTTP (RFC 6960, appendix A; RFC 5019, 5) at http.ocsp_path, by POST
// or as base64 behind the path of a GET. HTTP thread; no worker, because an answer costs less than
// handing it over.
#pragma once

#include "ra/policy.h"
#include "server/exchange.h"

// Whether the URL's path is the responder's, or one below it.
bool http_ocsp_is_path(const struct policy *policy, const char *path);

// Answers what is in the body, or in the path of a GET.
enum MHD_Result http_ocsp_answer(struct exchange *exchange);
