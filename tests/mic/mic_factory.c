// SPDX-License-Identifier: Apache-2.0
// Works through the table of mic_specs.c, row by row.
#include "tests/mic/mic_factory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tests/mic/mic_specs.h"

#define FIRST_SERIAL 0x10000001L
#define RSA_BITS     2048
#define SMALL_BITS   1024
#define PATH_LEN_MAX 4096 // bytes

struct mic_factory {
    int64_t now;
    EVP_PKEY *keys[MIC_KEY_COUNT];
    X509 **certs; // as many as there are specs
};

static void require(bool condition, const char *what, const char *name)
{
    if (!condition) {
        fprintf(stderr, "mic_factory: %s failed: %s\n", what, name);
        abort();
    }
}

static EVP_PKEY *make_key(enum mic_key_id id)
{
    switch (id) {
    case MIC_KEY_EC:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    case MIC_KEY_SMALL_CA:
    case MIC_KEY_SMALL_PHONE:
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)SMALL_BITS);
    default:
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
    }
}

static size_t find_spec(const char *name)
{
    for (size_t i = 0; i < mic_spec_count; i++) {
        if (strcmp(mic_specs[i].name, name) == 0) {
            return i;
        }
    }
    require(false, "finding a certificate", name);
    return 0;
}

X509 *mic_cert(const struct mic_factory *factory, const char *name)
{
    X509 *cert = factory->certs[find_spec(name)];
    require(cert != NULL, "an issuer that comes later", name);
    return cert;
}

EVP_PKEY *mic_key(const struct mic_factory *factory, const char *name)
{
    return factory->keys[mic_specs[find_spec(name)].key];
}

static void add_bmp(X509_NAME *name, const struct mic_attribute *attribute)
{
    unsigned char wide[2 * PATH_LEN_MAX] = {0};
    size_t len = strlen(attribute->text);
    require(len < PATH_LEN_MAX, "a short name", attribute->text);
    for (size_t i = 0; i < len; i++) {
        wide[2 * i + 1] = (unsigned char)attribute->text[i];
    }
    require(X509_NAME_add_entry_by_txt(name, attribute->field, V_ASN1_BMPSTRING, wide,
                                       (int)(2 * len), -1, attribute->is_joined ? -1 : 0) == 1,
            "a BMPString", attribute->text);
}

static void add_attribute(X509_NAME *name, const struct mic_attribute *attribute)
{
    if (attribute->type == V_ASN1_BMPSTRING) {
        add_bmp(name, attribute);
        return;
    }
    int type = attribute->type != 0 ? attribute->type : V_ASN1_UTF8STRING;
    size_t len = attribute->len != 0 ? attribute->len : strlen(attribute->text);
    require(X509_NAME_add_entry_by_txt(name, attribute->field, type,
                                       (const unsigned char *)attribute->text, (int)len, -1,
                                       attribute->is_joined ? -1 : 0) == 1,
            "an attribute", attribute->text);
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    require(extension != NULL && X509_add_ext(cert, extension, -1) == 1, "an extension", value);
    X509_EXTENSION_free(extension);
}

static void add_extensions(X509 *cert, X509 *issuer, const struct mic_spec *spec)
{
    if (spec->is_ca) {
        add_extension(cert, issuer, NID_basic_constraints,
                      spec->issuer != NULL ? "critical,CA:TRUE,pathlen:0" : "critical,CA:TRUE");
        add_extension(cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
        add_extension(cert, issuer, NID_key_usage,
                      spec->key_usage != NULL
                          ? spec->key_usage
                          : "critical,digitalSignature,nonRepudiation,keyEncipherment");
    }
    if (spec->ext_usage != NULL) {
        add_extension(cert, issuer, NID_ext_key_usage, spec->ext_usage);
    }
    add_extension(cert, issuer, NID_subject_key_identifier, "hash");
    if (issuer != cert) {
        add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always");
    }
}

static void set_validity(X509 *cert, const struct mic_spec *spec, int64_t now)
{
    bool is_set = ASN1_TIME_adj(X509_getm_notBefore(cert), (time_t)now, spec->from_days, 0) != NULL;
    if (spec->until != NULL) {
        is_set = is_set && ASN1_TIME_set_string_X509(X509_getm_notAfter(cert), spec->until) == 1;
    } else {
        is_set = is_set &&
                 ASN1_TIME_adj(X509_getm_notAfter(cert), (time_t)now, spec->until_days, 0) != NULL;
    }
    require(is_set, "a validity", spec->name);
}

static void set_serial(X509 *cert, const struct mic_factory *factory, size_t at)
{
    const struct mic_spec *spec = &mic_specs[at];
    if (spec->serial_of != NULL) {
        const X509 *other = mic_cert(factory, spec->serial_of);
        require(X509_set_serialNumber(cert, (ASN1_INTEGER *)X509_get0_serialNumber(other)) == 1,
                "a serial number", spec->name);
    } else {
        ASN1_INTEGER_set(X509_get_serialNumber(cert), FIRST_SERIAL + (long)at);
    }
}

static X509 *make_cert(const struct mic_factory *factory, size_t at)
{
    const struct mic_spec *spec = &mic_specs[at];
    X509 *cert = X509_new();
    require(cert != NULL, "memory", spec->name);
    X509 *issuer = spec->issuer != NULL ? mic_cert(factory, spec->issuer) : cert;
    EVP_PKEY *signing_key = factory->keys[spec->key];
    if (spec->is_signed_by_forger) {
        signing_key = factory->keys[MIC_KEY_FORGER];
    } else if (spec->issuer != NULL) {
        signing_key = mic_key(factory, spec->issuer);
    }
    X509_set_version(cert, X509_VERSION_3);
    set_serial(cert, factory, at);
    set_validity(cert, spec, factory->now);
    for (size_t i = 0; i < MIC_ATTRIBUTES_MAX && spec->subject[i].field != NULL; i++) {
        add_attribute(X509_get_subject_name(cert), &spec->subject[i]);
    }
    X509_set_issuer_name(cert, X509_get_subject_name(issuer));
    X509_set_pubkey(cert, factory->keys[spec->key]);
    add_extensions(cert, issuer, spec);
    require(X509_sign(cert, signing_key, spec->is_sha1 ? EVP_sha1() : EVP_sha256()) > 0, "signing",
            spec->name);
    return cert;
}

struct mic_factory *mic_factory_new(int64_t now)
{
    struct mic_factory *factory = calloc(1, sizeof *factory);
    require(factory != NULL, "memory", "factory");
    factory->now = now;
    factory->certs = calloc(mic_spec_count, sizeof *factory->certs);
    require(factory->certs != NULL, "memory", "factory");
    for (unsigned id = 0; id < MIC_KEY_COUNT; id++) {
        factory->keys[id] = make_key((enum mic_key_id)id);
        require(factory->keys[id] != NULL, "key generation", "factory");
    }
    for (size_t i = 0; i < mic_spec_count; i++) {
        factory->certs[i] = make_cert(factory, i);
    }
    return factory;
}

void mic_factory_free(struct mic_factory *factory)
{
    for (size_t i = 0; i < mic_spec_count; i++) {
        X509_free(factory->certs[i]);
    }
    for (unsigned id = 0; id < MIC_KEY_COUNT; id++) {
        EVP_PKEY_free(factory->keys[id]);
    }
    free(factory->certs);
    free(factory);
}

static FILE *create(const char *folder, const char *name, const char *suffix)
{
    enum { OWNER_ONLY = 0600 };
    char path[PATH_LEN_MAX];
    int len = snprintf(path, sizeof path, "%s/%s%s", folder, name, suffix);
    require(len > 0 && (size_t)len < sizeof path, "a short path", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, OWNER_ONLY);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    require(file != NULL, "making a file", path);
    return file;
}

static void close_file(FILE *take_file, const char *name)
{
    require(fclose(take_file) == 0, "writing a file", name);
}

static void write_cert(const struct mic_factory *factory, FILE *file, const char *name)
{
    require(PEM_write_X509(file, mic_cert(factory, name)) == 1, "PEM", name);
}

static void write_chain(const struct mic_factory *factory, FILE *file, const char *name)
{
    write_cert(factory, file, name);
    const struct mic_spec *spec = &mic_specs[find_spec(name)];
    while (spec->issuer != NULL) {
        spec = &mic_specs[find_spec(spec->issuer)];
        if (spec->issuer != NULL) {
            write_cert(factory, file, spec->name);
        }
    }
}

// All genuine CAs that have an issuer, or that have none.
static void write_bundle(const struct mic_factory *factory, FILE *file, bool is_issued)
{
    for (size_t i = 0; i < mic_spec_count; i++) {
        const struct mic_spec *spec = &mic_specs[i];
        if (spec->is_ca && !spec->is_foreign && (spec->issuer != NULL) == is_issued) {
            write_cert(factory, file, spec->name);
        }
    }
}

static void write_one(const struct mic_factory *factory, const char *folder, const char *name)
{
    FILE *file = create(folder, name, ".pem");
    write_cert(factory, file, name);
    close_file(file, name);
    file = create(folder, name, ".key");
    require(PEM_write_PrivateKey(file, mic_key(factory, name), NULL, NULL, 0, NULL, NULL) == 1,
            "PEM", name);
    close_file(file, name);
    file = create(folder, name, "-chain.pem");
    write_chain(factory, file, name);
    close_file(file, name);
}

void mic_factory_write(const struct mic_factory *factory, const char *folder)
{
    for (size_t i = 0; i < mic_spec_count; i++) {
        write_one(factory, folder, mic_specs[i].name);
    }
    FILE *file = create(folder, "roots", ".pem");
    write_bundle(factory, file, false);
    close_file(file, "roots");
    file = create(folder, "intermediates", ".pem");
    write_bundle(factory, file, true);
    close_file(file, "intermediates");
}
