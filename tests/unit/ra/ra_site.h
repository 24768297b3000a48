// SPDX-License-Identifier: Apache-2.0
// RA certificates and CAs of rollovers in folders as scepd and scepctl leave them.
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/base/hex.h"
#include "conf/generations.h"
#include "kit/kit.h"

#define SITE_NAME_LEN 64 // bytes with NUL

static inline void site_make_folder(const char *path)
{
    assert_int_equal(mkdir(path, 0700), 0);
}

// Returns the hex digits of the certificate's serial number, which its files are named by.
static inline const char *site_serial(const X509 *cert, char text[SITE_NAME_LEN])
{
    struct view serial = ossl_string_view(X509_get0_serialNumber(cert));
    assert_true(serial.len > 0 && 2 * serial.len < SITE_NAME_LEN);
    return hex_encode(serial, text);
}

// Writes a pair into ra.directory; `key` NULL = the certificate alone, `cert` may differ from it.
static inline void site_add_ra(const char *directory, const X509 *cert, EVP_PKEY *key)
{
    char serial[SITE_NAME_LEN];
    char name[SITE_NAME_LEN + 8];
    struct buf pem = kit_cert_pem(cert);
    snprintf(name, sizeof name, "%s.pem", site_serial(cert, serial));
    free(kit_write(directory, name, buf_view(&pem)));
    buf_done(&pem);
    if (key != NULL) {
        pem = kit_key_pem(key);
        snprintf(name, sizeof name, "%s.key", serial);
        free(kit_write(directory, name, buf_view(&pem)));
        buf_done(&pem);
    }
}

// Adds a CA to ca.generations; `chain` is what stands above it.
static inline void site_add_ca(const char *generations, const X509 *ca, const X509 *chain)
{
    uint8_t id[SHA256_LEN];
    char name[GENERATION_NAME_LEN];
    assert_int_equal(generation_identify(ca, id, name, NULL), ERR_OK);
    char *folder = kit_path(generations, name);
    site_make_folder(folder);
    struct buf pem = kit_cert_pem(ca);
    free(kit_write(folder, "ca.pem", buf_view(&pem)));
    buf_done(&pem);
    if (chain != NULL) {
        pem = kit_cert_pem(chain);
        free(kit_write(folder, "chain.pem", buf_view(&pem)));
        buf_done(&pem);
    }
    free(folder);
}

// Makes the link `name` ("current", "next") to a CA, as of `now`; `ca` NULL = no link.
static inline void site_link(const char *generations, const char *name, const X509 *ca, int64_t now)
{
    char *path = kit_path(generations, name);
    unlink(path);
    if (ca != NULL) {
        uint8_t id[SHA256_LEN];
        char target[GENERATION_NAME_LEN];
        assert_int_equal(generation_identify(ca, id, target, NULL), ERR_OK);
        assert_int_equal(symlink(target, path), 0);
        const struct timespec times[] = {{.tv_sec = now}, {.tv_sec = now}};
        assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
    }
    free(path);
}

static inline void assert_is_ca(const uint8_t id[SHA256_LEN], const X509 *ca)
{
    uint8_t expected[SHA256_LEN];
    char name[GENERATION_NAME_LEN];
    assert_int_equal(generation_identify(ca, expected, name, NULL), ERR_OK);
    assert_memory_equal(id, expected, SHA256_LEN);
}
