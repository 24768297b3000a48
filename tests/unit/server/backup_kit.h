// SPDX-License-Identifier: Apache-2.0
// Small backups for tests: made by the writer, then changed as somebody hostile would.
#pragma once

#include "kit/kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/base/hex.h"
#include "server/ctl/archive/archive.h"

#define BACKUP_KIT_STORE  "not really a store, but as many octets as the manifest says"
#define BACKUP_KIT_CONFIG "# scepd.conf\n"

static inline json_t *backup_kit_file(const char *path, const char *restore_to, struct view content)
{
    uint8_t digest[SHA256_LEN];
    char text[2 * SHA256_LEN + 1];
    ossl_sha256(&content, 1, digest);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:b}", "path", path, "restore_to",
                     restore_to, "mode", "0600", "owner", "root", "group", "root", "size",
                     (json_int_t)content.len, "sha256",
                     hex_encode(view_of(digest, sizeof digest), text), "is_key", 0);
}

// What a backup of BACKUP_KIT_STORE and BACKUP_KIT_CONFIG says.
static inline json_t *backup_kit_manifest(void)
{
    return json_pack(
        "{s:i, s:s, s:I, s:s, s:i, s:i, s:s, s:s, s:s, s:b, s:[o, o], s:[{s:s, s:s, s:s}], "
        "s:[{s:s, s:s, s:s, s:s}], s:[{s:s, s:n}], s:[{s:s, s:s}]}",
        "format", MANIFEST_FORMAT, "scepd", "0.1.0", "created", (json_int_t)KIT_NOW, "created_at",
        "2027-01-15T08:00:00Z", "schema", 2, "certificates", 0, "settings", "/etc/x/scepd.conf",
        "store", "/var/x/store", "admin_socket", "/run/x/admin.sock", "has_keys", 1, "files",
        backup_kit_file(MANIFEST_STORE, "/var/x/store/data.mdb", view_of_text(BACKUP_KIT_STORE)),
        backup_kit_file(MANIFEST_SETTINGS, "/etc/x/scepd.conf", view_of_text(BACKUP_KIT_CONFIG)),
        "links", "path", "generations/current", "restore_to", "/etc/x/generations/current",
        "target", "0123456789abcdef", "folders", "restore_to", "/etc/x", "mode", "0755", "owner",
        "root", "group", "root", "left_out", "setting", "ca.key", "restore_to", "into", "setting",
        "ca.certificate", "value", "ca.pem");
}

// Writes an archive with this manifest to folder/name.
static inline void backup_kit_write(const char *folder, const char *name, const json_t *manifest)
{
    struct err err = {0};
    struct newfile file = {.fd = -1};
    struct tar_writer *writer = NULL;
    char *path = kit_path(folder, name);
    unlink(path);
    if (newfile_open(path, 0600, &file, &err) != ERR_OK ||
        tar_writer_new(&file, KIT_NOW, &writer, &err) != ERR_OK ||
        tar_writer_begin_stream(writer, &err) != ERR_OK ||
        tar_writer_stream(writer, view_of_text(BACKUP_KIT_STORE), &err) != ERR_OK ||
        tar_writer_end_stream(writer, MANIFEST_STORE, &err) != ERR_OK ||
        tar_writer_add(writer, MANIFEST_SETTINGS, view_of_text(BACKUP_KIT_CONFIG), &err) !=
            ERR_OK ||
        archive_finish(writer, manifest, &err) != ERR_OK || newfile_keep(&file, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    tar_writer_free(writer);
    newfile_done(&file);
    free(path);
}

// Verifies folder/name; the caller gives *ret_manifest back.
static inline enum err_code backup_kit_verify(const char *folder, const char *name,
                                              json_t **ret_manifest, struct err *err)
{
    char *path = kit_path(folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    struct progress progress = {.out = stderr};
    *err = (struct err){0};
    enum err_code code = archive_verify(fd, &progress, ret_manifest, err);
    close(fd);
    free(path);
    return code;
}
