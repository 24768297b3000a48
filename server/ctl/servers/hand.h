// SPDX-License-Identifier: Apache-2.0
// Certificates that scepd makes by the administrator's hand: asking for one, and what came back as
// PEM.
#pragma once

#include "conf/base/buf.h"
#include "server/ctl/api.h"

struct hand_wish {
    const char *csr;     // PEM
    const char *profile; // "phone", "server"
    const char *days;    // as typed; NULL = as long as the settings say
    const char *digest;  // as typed; NULL = whichever the CA signs with
};

// Checks `days` before anything else is done. On failure the user has been told.
enum ctl_exit hand_check(struct ctl *ctl, const struct hand_wish *wish);
// Asks scepd; the caller gives *ret_answer back. On failure the user has been told.
enum ctl_exit hand_ask(struct ctl *ctl, const struct hand_wish *wish, json_t **ret_answer);

// PEM of the certificate and of the CAs above it but for the root, which whoever checks it has, in
// *ret_pem (empty before). On failure the user has been told.
enum ctl_exit hand_pem(struct ctl *ctl, const json_t *answer, struct buf *ret_pem);

// Refuses a file that exists already, or cannot be made, before a certificate for it is issued.
enum ctl_exit hand_check_file(struct ctl *ctl, const char *path);
// A new file, durable, with exactly this mode whatever the umask is. Errors: as file_create().
struct hand_file {
    const char *path;
    unsigned mode; // 0600...
    struct view content;
};
enum err_code hand_create(const struct hand_file *file, struct err *err) MUST_CHECK;
// Has the certificate in `answer` revoked, and says so: nobody has it.
void hand_revoke(struct ctl *ctl, const json_t *answer);
// Makes the file, or has the certificate in `answer` revoked: nothing is left of what the user does
// not have. On failure the user has been told.
enum ctl_exit hand_write(struct ctl *ctl, const struct hand_file *file, const json_t *answer);
