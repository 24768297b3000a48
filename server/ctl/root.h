// SPDX-License-Identifier: Apache-2.0
// The root's certificate, whose fingerprint phones are given.
#pragma once

#include "conf/base/ossl.h"
#include "server/ctl/ctl.h"

// The root in the file at `path`, which has it alone or with the CAs below it; NULL = the root of
// the running scepd. The caller frees *ret_cert. On failure the user has been told.
enum ctl_exit root_get(struct ctl *ctl, const char *path, X509 **ret_cert);
