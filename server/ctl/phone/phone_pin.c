// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/phone/phone_pin.h"

#include <unistd.h>

#include "server/ctl/phone/phone_hash.h"
#include "server/ctl/root.h"

#define DEFAULT_HASH "sha256"

static enum ctl_exit parse(struct ctl *ctl, const char *text, const char *hash, struct pin *ret_pin)
{
    struct err err = {0};
    const EVP_MD *digest = NULL;
    if (pin_parse(text, ret_pin, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--fingerprint: %s; a file of the name \"%s\" is not there either",
                            err.text, text);
    }
    if (hash != NULL && phone_hash_find(hash, &digest, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "%s", err.text);
    }
    if (digest != NULL && digest != pin_digest(ret_pin)) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--fingerprint has the length of a %s one, which --hash %s contradicts",
                            pin_digest_name(ret_pin), hash);
    }
    return CTL_OK;
}

// `path` NULL = of scepd.
static enum ctl_exit make(struct ctl *ctl, const char *path, const char *hash, struct pin *ret_pin)
{
    struct err err = {0};
    const EVP_MD *digest = NULL;
    CLEANUP(cleanup_X509_free) X509 *cert = NULL;
    const char *name = hash != NULL ? hash : DEFAULT_HASH;
    if (phone_hash_find(name, &digest, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "%s", err.text);
    }
    enum ctl_exit code = root_get(ctl, path, &cert);
    if (code == CTL_OK && phone_hash_cert(cert, name, ret_pin, &err) != ERR_OK) {
        code = ctl_complain(ctl, CTL_FAILED, "%s", err.text);
    }
    return code;
}

enum ctl_exit phone_pin_read(struct ctl *ctl, const char *given, const char *hash,
                             struct pin *ret_pin)
{
    bool is_text = given != NULL && access(given, F_OK) != 0;
    return is_text ? parse(ctl, given, hash, ret_pin) : make(ctl, given, hash, ret_pin);
}
