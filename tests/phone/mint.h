// SPDX-License-Identifier: Apache-2.0
// Manufacturer's certificates for phones that exist only in a benchmark.
#pragma once

#include "tests/phone/credential.h"

// A MIC named `common_name` for `key`, signed by the CA, as phones have them: the device's serial
// number (made of the name) before O and CN, RSA, no extended key usage. Caller frees.
X509 *mic_mint(EVP_PKEY *key, const char *common_name, const struct credential *ca);
