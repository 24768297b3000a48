// SPDX-License-Identifier: Apache-2.0
// Private to message.c: the signed attributes of a pkiMessage (RFC 8894, 3.2.1).
#pragma once

#include "ra/message.h"

// For CMS_signed_get0_data_by_OBJ(): exactly one attribute with exactly one value of the right
// type, or nothing.
#define ONE_ATTRIBUTE_ONE_VALUE (-3)

// Reads transactionID, senderNonce (then the request is answerable) and messageType into *request.
// Errors: ERR_SYNTAX, ERR_LIMIT before it is answerable; ERR_BAD_REQUEST after that.
enum err_code message_read_attributes(const CMS_SignerInfo *signer_info, struct request *request,
                                      struct err *err) MUST_CHECK;
// Whether there is any attribute of this type; true also when memory is out.
bool message_has_attribute(const CMS_SignerInfo *signer_info, const char *oid);
