// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/archive/archive.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/base/clock.h"
#include "conf/base/hex.h"
#include "conf/base/ossl.h"
#include "server/ctl/api.h"
#include "server/ctl/archive/tar_reader.h"
#include "server/ctl/interrupt.h"

#define DIGEST_TEXT_LEN (2 * SHA256_LEN + 1)   // bytes with NUL
#define SUM_LEN_MAX     (DIGEST_TEXT_LEN + 64) // octets of manifest.sha256
#define SUM_TAIL        "  " MANIFEST_NAME "\n"

// What verifying has seen so far.
struct verification {
    struct progress *progress;
    uint64_t done;
    uint64_t total;
    json_t *seen; // name → {size, sha256}
    EVP_MD_CTX *hash;
    char name[TAR_NAME_MAX + 1]; // of the present member
    uint64_t size;
    struct buf *gathered; // the present member's octets go here, too; NULL = nowhere
    size_t gathered_max;
    struct buf manifest;
    struct buf sum;
};

static void verification_done(struct verification *verification)
{
    json_decref(verification->seen);
    EVP_MD_CTX_free(verification->hash);
    buf_done(&verification->manifest);
    buf_done(&verification->sum);
}

static enum err_code begin_member(void *context, const char *name, uint64_t size, struct err *err)
{
    struct verification *verification = context;
    snprintf(verification->name, sizeof verification->name, "%s", name);
    verification->size = size;
    verification->gathered = NULL;
    if (strcmp(name, MANIFEST_NAME) == 0) {
        verification->gathered = &verification->manifest;
        verification->gathered_max = MANIFEST_LEN_MAX;
    } else if (strcmp(name, MANIFEST_SUM_NAME) == 0) {
        verification->gathered = &verification->sum;
        verification->gathered_max = SUM_LEN_MAX;
    }
    if (verification->gathered != NULL && size > verification->gathered_max) {
        return err_set(err, ERR_LIMIT, "%s in it is longer than %zu octets", name,
                       verification->gathered_max);
    }
    return EVP_DigestInit_ex(verification->hash, EVP_sha256(), NULL) == 1
               ? ERR_OK
               : err_set_openssl(err, ERR_CRYPTO, "cannot hash");
}

static enum err_code take_octets(void *context, struct view octets, struct err *err)
{
    struct verification *verification = context;
    if (EVP_DigestUpdate(verification->hash, octets.data, octets.len) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot hash");
    }
    verification->done += octets.len;
    progress_show(verification->progress, verification->done, verification->total,
                  clock_monotonic_us());
    enum err_code code = interrupt_check(err);
    return code == ERR_OK && verification->gathered != NULL
               ? buf_append(verification->gathered, octets, err)
               : code;
}

static enum err_code end_member(void *context, struct err *err)
{
    struct verification *verification = context;
    uint8_t digest[SHA256_LEN];
    char text[DIGEST_TEXT_LEN];
    if (EVP_DigestFinal_ex(verification->hash, digest, NULL) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot hash");
    }
    json_t *member = json_pack("{s:I, s:s}", "size", (json_int_t)verification->size, "sha256",
                               hex_encode(view_of(digest, sizeof digest), text));
    return json_object_set_new(verification->seen, verification->name, member) == 0
               ? ERR_OK
               : err_set(err, ERR_NOMEM, "no memory for a backup's members");
}

static void sum_of(struct view text, char sum[SUM_LEN_MAX])
{
    uint8_t digest[SHA256_LEN];
    char hex[DIGEST_TEXT_LEN];
    ossl_sha256(&text, 1, digest);
    snprintf(sum, SUM_LEN_MAX, "%s" SUM_TAIL, hex_encode(view_of(digest, sizeof digest), hex));
}

static enum err_code check_sum(const struct verification *verification, struct err *err)
{
    char expected[SUM_LEN_MAX];
    if (verification->manifest.len == 0 || verification->sum.len == 0) {
        return err_set(err, ERR_SYNTAX, "it is cut off or no backup: %s is missing",
                       verification->manifest.len == 0 ? MANIFEST_NAME : MANIFEST_SUM_NAME);
    }
    sum_of(buf_view(&verification->manifest), expected);
    return view_is_text(buf_view(&verification->sum), expected)
               ? ERR_OK
               : err_set(err, ERR_SYNTAX, "%s in it is damaged: its hash is another one",
                         MANIFEST_NAME);
}

static enum err_code check_member(const json_t *file, const json_t *seen, struct err *err)
{
    const char *path = api_text(file, "path");
    const json_t *found = json_object_get(seen, path);
    if (found == NULL) {
        return err_set(err, ERR_SYNTAX, "%s is missing in it", path);
    }
    if (api_number(found, "size") != api_number(file, "size") ||
        strcasecmp(api_text(found, "sha256"), api_text(file, "sha256")) != 0) {
        return err_set(err, ERR_SYNTAX, "%s in it is damaged: its hash is another one", path);
    }
    return ERR_OK;
}

// Exactly what the manifest lists, and the manifest itself.
static enum err_code compare(const json_t *manifest, const json_t *seen, struct err *err)
{
    size_t i;
    const json_t *file;
    const json_t *files = json_object_get(manifest, "files");
    json_array_foreach(files, i, file)
    {
        enum err_code code = check_member(file, seen, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return json_object_size(seen) == json_array_size(files) + 2
               ? ERR_OK
               : err_set(err, ERR_SYNTAX, "it has more in it than its manifest says");
}

static enum err_code judge(const struct verification *verification, json_t **ret_manifest,
                           struct err *err)
{
    CLEANUP(api_decref) json_t *manifest = NULL;
    enum err_code code = check_sum(verification, err);
    if (code == ERR_OK) {
        code = manifest_parse(buf_view(&verification->manifest), &manifest, err);
    }
    if (code == ERR_OK) {
        code = compare(manifest, verification->seen, err);
    }
    if (code == ERR_OK) {
        *ret_manifest = manifest;
        manifest = NULL;
    }
    return code;
}

enum err_code archive_verify(int fd, struct progress *progress, json_t **ret_manifest,
                             struct err *err)
{
    struct stat status;
    CLEANUP(verification_done)
    struct verification verification = {
        .progress = progress, .seen = json_object(), .hash = EVP_MD_CTX_new()};
    const struct tar_visitor visitor = {
        .begin = begin_member, .take = take_octets, .end = end_member, .context = &verification};
    if (verification.seen == NULL || verification.hash == NULL) {
        return err_set(err, ERR_NOMEM, "no memory to verify a backup");
    }
    if (fstat(fd, &status) != 0) {
        return err_set_errno(err, "cannot look at it");
    }
    verification.total = (uint64_t)status.st_size;
    enum err_code code = tar_read(fd, &visitor, err);
    return code == ERR_OK ? judge(&verification, ret_manifest, err) : code;
}

enum err_code archive_finish(struct tar_writer *writer, const json_t *manifest, struct err *err)
{
    char sum[SUM_LEN_MAX];
    char *text = json_dumps(manifest, JSON_INDENT(2));
    if (text == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for a manifest");
    }
    sum_of(view_of_text(text), sum);
    enum err_code code = tar_writer_add(writer, MANIFEST_NAME, view_of_text(text), err);
    free(text);
    if (code == ERR_OK) {
        code = tar_writer_add(writer, MANIFEST_SUM_NAME, view_of_text(sum), err);
    }
    return code == ERR_OK ? tar_writer_finish(writer, err) : code;
}
