// SPDX-License-Identifier: Apache-2.0
// scepctl backup: the running server's store, its settings and its keys in one file.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "conf/base/clock.h"
#include "conf/base/hex.h"
#include "conf/base/ossl.h"
#include "conf/settings.h"
#include "server/admin/admin_backup.h"
#include "server/ctl/api.h"
#include "server/ctl/archive/archive.h"
#include "server/ctl/archive/backup_files.h"
#include "server/ctl/archive/backup_paths.h"
#include "server/ctl/archive/backup_words.h"
#include "server/ctl/archive/download.h"
#include "server/ctl/interrupt.h"

#define BACKUP_MODE     0600
#define STREAM_TRIES    5 // the store gives a copy up when it has to grow; see server/admin
#define DECIMAL         10
#define DIGEST_TEXT_LEN (2 * SHA256_LEN + 1) // bytes with NUL

DEFINE_CLEANUP(struct settings *, settings_free);

static void free_text(char **text)
{
    free(*text);
}

// The store's copy on its way into the archive. Its last octets are held back: they are its hash.
struct stream {
    struct tar_writer *writer;
    struct progress *progress;
    EVP_MD_CTX *hash;
    uint8_t held[SHA256_LEN];
    size_t held_len;
    uint64_t size; // written
    uint64_t size_at_most;
    int64_t schema;
    int64_t certificates;
    uint8_t digest[SHA256_LEN];
};

struct backup {
    struct ctl *ctl;
    struct backup_plan plan;
    struct newfile file;
    struct tar_writer *writer;
    struct stream stream;
    struct backup_files files;
    int64_t now;
    json_t *manifest; // as it was read back
};

static void backup_done(struct backup *backup)
{
    tar_writer_free(backup->writer);
    newfile_done(&backup->file);
    EVP_MD_CTX_free(backup->stream.hash);
    backup_files_done(&backup->files);
    json_decref(backup->manifest);
}

static void take_head(void *context, const char *line)
{
    struct stream *stream = context;
    static const char schema[] = ADMIN_BACKUP_SCHEMA ": ";
    static const char certificates[] = ADMIN_BACKUP_CERTIFICATES ": ";
    static const char octets[] = ADMIN_BACKUP_OCTETS ": ";
    if (strncasecmp(line, schema, sizeof schema - 1) == 0) {
        stream->schema = strtoll(line + sizeof schema - 1, NULL, DECIMAL);
    } else if (strncasecmp(line, certificates, sizeof certificates - 1) == 0) {
        stream->certificates = strtoll(line + sizeof certificates - 1, NULL, DECIMAL);
    } else if (strncasecmp(line, octets, sizeof octets - 1) == 0) {
        stream->size_at_most = strtoull(line + sizeof octets - 1, NULL, DECIMAL);
    }
}

static enum err_code pass_on(struct stream *stream, struct view octets, struct err *err)
{
    if (EVP_DigestUpdate(stream->hash, octets.data, octets.len) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot hash the store's copy");
    }
    stream->size += octets.len;
    return tar_writer_stream(stream->writer, octets, err);
}

static enum err_code take_octets(void *context, struct view octets, struct err *err)
{
    struct stream *stream = context;
    size_t over =
        stream->held_len + octets.len > SHA256_LEN ? stream->held_len + octets.len - SHA256_LEN : 0;
    size_t from_held = over < stream->held_len ? over : stream->held_len;
    size_t from_octets = over - from_held;
    enum err_code code = interrupt_check(err);
    if (code == ERR_OK) {
        code = pass_on(stream, view_of(stream->held, from_held), err);
    }
    if (code == ERR_OK) {
        code = pass_on(stream, view_of(octets.data, from_octets), err);
    }
    memmove(stream->held, stream->held + from_held, stream->held_len - from_held);
    stream->held_len -= from_held;
    memcpy(stream->held + stream->held_len, octets.data + from_octets, octets.len - from_octets);
    stream->held_len += octets.len - from_octets;
    progress_show(stream->progress, stream->size, stream->size_at_most, clock_monotonic_us());
    return code;
}

static enum err_code check_stream(struct stream *stream, struct err *err)
{
    if (EVP_DigestFinal_ex(stream->hash, stream->digest, NULL) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot hash the store's copy");
    }
    bool is_whole =
        stream->held_len == SHA256_LEN && memcmp(stream->digest, stream->held, SHA256_LEN) == 0;
    return is_whole ? ERR_OK : err_set(err, ERR_BUSY, "what scepd sent of the store is not whole");
}

static enum err_code stream_once(struct backup *backup, struct progress *progress, struct err *err)
{
    struct stream *stream = &backup->stream;
    EVP_MD_CTX *hash = stream->hash;
    const char *socket =
        backup->ctl->socket != NULL ? backup->ctl->socket : backup->plan.settings->admin.socket;
    tar_writer_free(backup->writer);
    backup->writer = NULL;
    enum err_code code = tar_writer_new(&backup->file, backup->now, &backup->writer, err);
    *stream = (struct stream){.writer = backup->writer, .progress = progress, .hash = hash};
    const struct download download = {.socket = socket,
                                      .path = "/v1/backup",
                                      .take_head = take_head,
                                      .take = take_octets,
                                      .context = stream};
    if (code == ERR_OK) {
        code = tar_writer_begin_stream(backup->writer, err);
    }
    if (code == ERR_OK && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1) {
        code = err_set_openssl(err, ERR_CRYPTO, "cannot hash the store's copy");
    }
    if (code == ERR_OK) {
        code = download_run(&download, err);
    }
    if (code == ERR_OK) {
        code = check_stream(stream, err);
    }
    return code == ERR_OK ? tar_writer_end_stream(backup->writer, MANIFEST_STORE, err) : code;
}

static enum err_code stream_store(struct backup *backup, struct err *err)
{
    struct progress progress =
        progress_begin(backup->ctl->errors, "Copying the store", PROGRESS_OCTETS);
    backup->stream.hash = EVP_MD_CTX_new();
    if (backup->stream.hash == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for a backup");
    }
    enum err_code code = stream_once(backup, &progress, err);
    for (int tries = 1; code == ERR_BUSY && tries < STREAM_TRIES; tries++) {
        code = stream_once(backup, &progress, err);
    }
    progress_end(&progress);
    return code == ERR_BUSY ? err_prefix(err, "tried %d times; scepd's log says why", STREAM_TRIES)
                            : code;
}

static enum err_code make_manifest(const struct backup *backup, json_t **ret_manifest,
                                   struct err *err)
{
    char created[CLOCK_TEXT_LEN];
    char store[PATH_MAX];
    char socket[PATH_MAX];
    const struct backup_files *files = &backup->files;
    const struct settings *settings = backup->plan.settings;
    enum err_code code = backup_path_plain(settings->store.directory, store, err);
    if (code == ERR_OK) {
        code = backup_path_plain(settings->admin.socket, socket, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    *ret_manifest =
        json_pack("{s:i, s:s, s:I, s:s, s:I, s:I, s:s, s:s, s:s, s:b, s:O, s:O, s:O, s:O, s:O}",
                  "format", MANIFEST_FORMAT,                               //
                  "scepd", SCEPD_VERSION,                                  //
                  "created", (json_int_t)backup->now,                      //
                  "created_at", clock_format(backup->now, created),        //
                  "schema", (json_int_t)backup->stream.schema,             //
                  "certificates", (json_int_t)backup->stream.certificates, //
                  "settings", backup->plan.config,                         //
                  "store", store,                                          //
                  "admin_socket", socket,                                  //
                  "has_keys", (int)backup->plan.has_keys,                  //
                  "files", files->files,                                   //
                  "links", files->links,                                   //
                  "folders", files->folders,                               //
                  "left_out", files->left_out,                             //
                  "into", files->into);
    return *ret_manifest != NULL ? ERR_OK
                                 : err_set(err, ERR_CONFIG, "a path that is not UTF-8 text");
}

static enum err_code write_files(struct backup *backup, struct err *err)
{
    size_t i;
    const json_t *file;
    json_array_foreach(backup->files.files, i, file)
    {
        const char *path = api_text(file, "path");
        if (strcmp(path, MANIFEST_STORE) == 0) {
            continue;
        }
        enum err_code code =
            tar_writer_add(backup->writer, path, buf_view(&backup->files.contents[i]), err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

// The files after the store: a certificate in the copy never comes from a CA that is missing here.
static enum err_code add_files(struct backup *backup, struct err *err)
{
    char digest[DIGEST_TEXT_LEN];
    hex_encode(view_of(backup->stream.digest, SHA256_LEN), digest);
    backup_files_done(&backup->files);
    enum err_code code = backup_files_collect(&backup->plan, &backup->files, err);
    if (code == ERR_OK) {
        code =
            backup_files_add_store(&backup->plan, &backup->files, backup->stream.size, digest, err);
    }
    if (code == ERR_OK) {
        code = write_files(backup, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    CLEANUP(api_decref) json_t *manifest = NULL;
    code = make_manifest(backup, &manifest, err);
    return code == ERR_OK ? archive_finish(backup->writer, manifest, err) : code;
}

// Read back from the disk's own file, not from what was meant to be written.
static enum err_code verify(struct backup *backup, struct err *err)
{
    struct progress progress =
        progress_begin(backup->ctl->errors, "Reading it back", PROGRESS_OCTETS);
    enum err_code code = archive_verify(backup->file.fd, &progress, &backup->manifest, err);
    progress_end(&progress);
    return code == ERR_OK ? ERR_OK : err_prefix(err, "what was written does not read back");
}

static enum err_code make(struct backup *backup, const char *path, struct err *err)
{
    enum err_code code = newfile_open(path, BACKUP_MODE, &backup->file, err);
    // Before the store is copied, so that a key that cannot be read is told at once.
    if (code == ERR_OK) {
        code = backup_files_collect(&backup->plan, &backup->files, err);
    }
    if (code == ERR_OK) {
        code = stream_store(backup, err);
    }
    if (code == ERR_OK) {
        code = add_files(backup, err);
    }
    if (code == ERR_OK) {
        code = verify(backup, err);
    }
    return code == ERR_OK ? newfile_keep(&backup->file, err) : code;
}

static enum ctl_exit run_with(struct ctl *ctl, const struct backup_plan *plan, const char *path)
{
    struct err err = {0};
    CLEANUP(backup_done)
    struct backup backup = {.ctl = ctl, .plan = *plan, .file.fd = -1, .now = clock_now()};
    if (make(&backup, path, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_FAILED, "no backup was made: %s", err.text);
    }
    const struct backup_made made = {.path = path,
                                     .plan = plan,
                                     .manifest = backup.manifest,
                                     .store_octets = backup.stream.size};
    return backup_words(ctl, &made);
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    struct err err = {0};
    CLEANUP(cleanup_settings_free) struct settings *settings = NULL;
    CLEANUP(free_text) char *config = realpath(ctl->config, NULL);
    if (config == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "%s: %m (-c FILE names another settings file)",
                            ctl->config);
    }
    // By its absolute path, so that all paths in the settings are absolute, too.
    if (settings_load(config, false, ctl->errors, &settings, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "%s (-c FILE names another settings file)", err.text);
    }
    const struct backup_plan plan = {.config = config,
                                     .settings = settings,
                                     .has_keys = arguments->options[CTL_WITHOUT_KEYS] == NULL};
    struct interrupt interrupt = interrupt_hold();
    enum ctl_exit code = run_with(ctl, &plan, arguments->operand);
    interrupt_release(&interrupt);
    return code;
}

static const struct ctl_option options[] = {
    {"without-keys", CTL_WITHOUT_KEYS, NULL,
     "leave out private keys, PINs and passwords; restore says which files are missing"},
    {0},
};

const struct ctl_command ctl_backup = {
    .name = "backup",
    .operand = "FILE",
    .summary = "Save the store, scepd.conf and all that it names while scepd runs. FILE is new.",
    .options = options,
    .run = run,
};
