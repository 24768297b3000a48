// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/servers/hand.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/base/file.h"
#include "conf/base/ossl.h"
#include "conf/limits.h"
#include "server/admin/admin_resources.h"
#include "server/ctl/read.h"

#include <openssl/pem.h>

#define COLLECTION "/v1/certificates"

static enum ctl_exit read_days(struct ctl *ctl, const struct hand_wish *wish, int64_t *ret_days)
{
    struct err err = {0};
    bool is_phone = strcmp(wish->profile, "phone") == 0;
    int64_t least = is_phone ? PHONE_DAYS_MIN : 1;
    if (wish->days == NULL ||
        read_count(wish->days, least, ADMIN_DUE_DAYS_MAX, ret_days, &err) == ERR_OK) {
        return CTL_OK;
    }
    return ctl_complain(ctl, CTL_USAGE, "--days: %s%s", err.text,
                        is_phone ? " (" PHONE_DAYS_REASON ")" : "");
}

enum ctl_exit hand_check(struct ctl *ctl, const struct hand_wish *wish)
{
    int64_t days = 0;
    return read_days(ctl, wish, &days);
}

enum ctl_exit hand_ask(struct ctl *ctl, const struct hand_wish *wish, json_t **ret_answer)
{
    int64_t days = 0;
    enum ctl_exit code = read_days(ctl, wish, &days);
    if (code != CTL_OK) {
        return code;
    }
    CLEANUP(api_decref)
    json_t *body = json_pack("{s:s, s:s, s:s*}", "csr", wish->csr, "profile", wish->profile,
                             "digest", wish->digest);
    if (body == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "the request or --digest is not UTF-8 text");
    }
    if (wish->days != NULL && json_object_set_new(body, "days", json_integer(days)) != 0) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    const struct api_request request = {.method = "POST", .collection = COLLECTION, .body = body};
    return api_call(ctl, &request, ret_answer);
}

static enum err_code add_text(struct buf *pem, const char *text, struct err *err)
{
    return text != NULL ? buf_append(pem, view_of_text(text), err)
                        : err_set(err, ERR_SYNTAX, "scepd's answer lacks a certificate");
}

static bool is_root(const char *pem)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new_mem_buf(pem, -1);
    CLEANUP(cleanup_X509_free)
    X509 *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    return cert != NULL && ossl_is_self_issued(cert);
}

static enum err_code add_chain(struct buf *pem, const json_t *chain, struct err *err)
{
    size_t at;
    json_t *item;
    json_array_foreach(chain, at, item)
    {
        const char *text = json_string_value(item);
        bool is_left_out = text != NULL && is_root(text);
        enum err_code code = is_left_out ? ERR_OK : add_text(pem, text, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

enum ctl_exit hand_pem(struct ctl *ctl, const json_t *answer, struct buf *ret_pem)
{
    struct err err = {0};
    CLEANUP(buf_done) struct buf pem = {0};
    enum err_code code = add_text(&pem, api_text(answer, "pem"), &err);
    if (code == ERR_OK) {
        code = add_chain(&pem, json_object_get(answer, "chain"), &err);
    }
    if (code != ERR_OK) {
        return ctl_complain(ctl, CTL_FAILED, "%s", err.text);
    }
    *ret_pem = pem;
    pem = (struct buf){0};
    return CTL_OK;
}

enum ctl_exit hand_check_file(struct ctl *ctl, const char *path)
{
    if (access(path, F_OK) == 0) {
        return ctl_complain(ctl, CTL_FAILED, "%s exists already; nothing is overwritten", path);
    }
    char *copy = strdup(path);
    if (copy == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    const char *folder = dirname(copy);
    enum ctl_exit code = CTL_OK;
    if (access(folder, W_OK | X_OK) != 0) {
        code = ctl_complain(ctl, CTL_FAILED, "cannot make %s: the folder %s: %s", path, folder,
                            strerror(errno));
    }
    free(copy);
    return code;
}

void hand_revoke(struct ctl *ctl, const json_t *issued)
{
    CLEANUP(api_decref) json_t *answer = NULL;
    const char *serial = api_text(issued, "serial");
    if (serial == NULL) {
        return;
    }
    CLEANUP(api_decref)
    json_t *body = json_pack("{s:s, s:s}", "certificate", serial, "reason", "cessationOfOperation");
    const struct api_request request = {
        .method = "POST", .collection = "/v1/revocations", .body = body};
    if (body != NULL && api_call(ctl, &request, &answer) == CTL_OK) {
        ctl_complain(ctl, CTL_FAILED, "the certificate %s was issued for it and is revoked",
                     serial);
    } else {
        ctl_complain(ctl, CTL_FAILED, "the certificate %s was issued for it; revoke it", serial);
    }
}

enum err_code hand_create(const struct hand_file *file, struct err *err)
{
    enum err_code code = file_create(file->path, (mode_t)file->mode, file->content, err);
    if (code == ERR_OK && chmod(file->path, (mode_t)file->mode) != 0) {
        code = err_set_errno(err, "cannot set the mode of %s", file->path);
        unlink(file->path);
    }
    return code;
}

enum ctl_exit hand_write(struct ctl *ctl, const struct hand_file *file, const json_t *answer)
{
    struct err err = {0};
    if (hand_create(file, &err) == ERR_OK) {
        return CTL_OK;
    }
    ctl_complain(ctl, CTL_FAILED, "%s", err.text);
    hand_revoke(ctl, answer);
    return CTL_FAILED;
}
