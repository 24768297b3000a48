// SPDX-License-Identifier: Apache-2.0
// Certificates in files: PEM with any number of them, or DER with one.
#pragma once

#include "conf/base/ossl.h"

// Appends the certificates of the file at `path` to `certs`; at least one. Errors: ERR_CONFIG with
// the path (no certificate, malformed, longer than LIMIT_FILE_LEN); ERR_NOT_FOUND, ERR_IO,
// ERR_NOMEM.
enum err_code cert_file_read_all(const char *path, STACK_OF(X509) * certs,
                                 struct err *err) MUST_CHECK;
// The one certificate of the file. Caller frees. Errors: as above; ERR_CONFIG when there are more.
enum err_code cert_file_read(const char *path, X509 **ret_cert, struct err *err) MUST_CHECK;
