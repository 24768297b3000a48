// SPDX-License-Identifier: Apache-2.0
// What a backup says about itself: manifest.json, an object of
//   format       1
//   scepd        the version that made it
//   created      seconds since 1970, and created_at, the same as text
//   schema       of the store
//   certificates at least so many are in the store
//   settings     absolute path of scepd.conf
//   admin_socket, store   absolute paths: whether scepd runs is asked there
//   has_keys     false: keys were left out
//   files        {path: its name in the archive and below the folder of restore --into; restore_to:
//                absolute path; mode: "0600"; owner, group: names; size; sha256; is_key}
//   links        {path, restore_to, target: a name beside it}
//   folders      {restore_to, mode, owner, group}: made when missing; with a path: by --into, too
//   left_out     {setting, restore_to: absolute path, or null for keys in a token}
//   into         {setting: "ca.key", "mic[0].roots"; value: a text, or a list of texts}: the
//                settings' paths below the folder of restore --into
#pragma once

#include <jansson.h>

#include "conf/base/buf.h"

#define MANIFEST_FORMAT   1
#define MANIFEST_NAME     "manifest.json"
#define MANIFEST_SUM_NAME "manifest.sha256" // as sha256sum writes it
#define MANIFEST_STORE    "store/data.mdb"  // the store's name in the archive
#define MANIFEST_SETTINGS "scepd.conf"      // the settings' name
#define MANIFEST_LEN_MAX  4194304           // octets; one member takes about 250
#define MANIFEST_MODE_MAX 0777

// Parses and checks everything in it but whether the archive has what it says. The caller gives
// *ret_manifest back. Errors: ERR_SYNTAX with the member and what is wrong, ERR_CONFIG for a format
// this program does not know.
enum err_code manifest_parse(struct view text, json_t **ret_manifest, struct err *err) MUST_CHECK;

// A mode as the manifest has it, of a manifest that was checked.
unsigned manifest_mode(const json_t *entry);
// The entry of `files` with that path; NULL when there is none.
const json_t *manifest_find(const json_t *manifest, const char *path);
// Whether one of `files` came from that absolute path.
bool manifest_holds(const json_t *manifest, const char *restore_to);
