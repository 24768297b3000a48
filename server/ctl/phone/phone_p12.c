// SPDX-License-Identifier: Apache-2.0
// scepctl phone p12: key and certificate of a phone in one file, to be uploaded by hand.
#include <string.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "conf/limits.h"
#include "server/admin/admin_input.h"
#include "server/ctl/password.h"
#include "server/ctl/phone/p12.h"
#include "server/ctl/secret_file.h"
#include "server/ctl/servers/hand.h"

#define OUT_MODE    0600
#define TERMINAL    "/dev/tty"
#define KEY_DEFAULT "rsa:2048"

static const struct {
    const char *name;
    unsigned bits;
} key_types[] = {{KEY_DEFAULT, 2048}, {"rsa:3072", 3072}, {"rsa:4096", 4096}};

// What is made, in the order of making.
struct making {
    const char *common_name;
    const char *out;
    unsigned key_bits;
    struct buf password;
    EVP_PKEY *key;
    struct buf csr; // PEM, with a NUL at its end
    json_t *answer;
};

static void making_done(struct making *making)
{
    buf_wipe(&making->password);
    EVP_PKEY_free(making->key);
    buf_done(&making->csr);
    json_decref(making->answer);
}

static enum ctl_exit read_key_type(struct ctl *ctl, const char *text, unsigned *ret_bits)
{
    for (size_t i = 0; i < sizeof key_types / sizeof key_types[0]; i++) {
        if (strcmp(text != NULL ? text : KEY_DEFAULT, key_types[i].name) == 0) {
            *ret_bits = key_types[i].bits;
            return CTL_OK;
        }
    }
    return ctl_complain(ctl, CTL_USAGE,
                        "--key: unknown \"%s\"; allowed are rsa:2048, rsa:3072, rsa:4096", text);
}

// As scepd will check it, and whether it looks like a phone's.
static enum ctl_exit check_common_name(struct ctl *ctl, const char *common_name)
{
    struct err err = {0};
    char mac[MAC_TEXT_LEN];
    CLEANUP(api_decref) json_t *text = json_string(common_name);
    if (text == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "--cn: \"%s\" is not UTF-8 text", common_name);
    }
    if (admin_check_common_name(common_name, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_USAGE, "--cn: %s", err.text);
    }
    if (!names_find_mac(view_of_text(common_name), mac)) {
        ctl_complain(ctl, CTL_OK,
                     "warning: --cn \"%s\" has no MAC address in it, as phones' names do "
                     "(CP-9871-SEP001A2B3C4D5E)",
                     common_name);
    }
    return CTL_OK;
}

// Everything that can be said before anything is made.
static enum ctl_exit read_options(struct ctl *ctl, const struct ctl_arguments *arguments,
                                  const struct hand_wish *wish, struct making *making)
{
    making->common_name = arguments->options[CTL_CN];
    making->out = arguments->options[CTL_OUT];
    if (making->common_name == NULL || making->out == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "phone p12 needs --cn CN and --out FILE.p12");
    }
    enum ctl_exit code = check_common_name(ctl, making->common_name);
    if (code != CTL_OK) {
        return code;
    }
    code = read_key_type(ctl, arguments->options[CTL_KEY], &making->key_bits);
    if (code == CTL_OK) {
        code = hand_check(ctl, wish);
    }
    return code == CTL_OK ? hand_check_file(ctl, making->out) : code;
}

static enum ctl_exit get_password(struct ctl *ctl, const struct ctl_arguments *arguments,
                                  struct making *making)
{
    struct err err = {0};
    const struct password_source source = {.file = arguments->options[CTL_PASSWORD_FILE],
                                           .terminal = TERMINAL,
                                           .max_len = P12_PASSWORD_MAX};
    enum err_code code = password_read(&source, &making->password, &err);
    if (code == ERR_OK) {
        code = p12_check_password(buf_view(&making->password), &err);
    }
    if (code == ERR_OK) {
        if (source.file != NULL) {
            secret_file_warn(ctl, source.file);
        }
        return CTL_OK;
    }
    // A terminal that fails is nobody's mistake; what was typed there is.
    bool is_given = source.file != NULL || code == ERR_SYNTAX || code == ERR_LIMIT;
    return ctl_complain(ctl, is_given ? CTL_USAGE : CTL_FAILED, "%s", err.text);
}

static bool fill_request(X509_REQ *req, const struct making *making)
{
    return X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(req), NID_commonName, MBSTRING_UTF8,
                                      (const unsigned char *)making->common_name, -1, -1, 0) == 1 &&
           X509_REQ_set_pubkey(req, making->key) == 1 &&
           X509_REQ_sign(req, making->key, EVP_sha256()) > 0;
}

static enum err_code make_request(struct making *making, struct err *err)
{
    making->key = EVP_RSA_gen(making->key_bits);
    CLEANUP(cleanup_X509_REQ_free) X509_REQ *req = X509_REQ_new();
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    if (making->key == NULL || req == NULL || bio == NULL || !fill_request(req, making) ||
        PEM_write_bio_X509_REQ(bio, req) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot make a key and a request");
    }
    enum err_code code = ossl_bio_to_buf(bio, &making->csr, err);
    return code == ERR_OK ? buf_append(&making->csr, view_of("", 1), err) : code;
}

// NULL when scepd's answer is not what it should be.
static X509 *parse(const char *pem)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = pem != NULL ? BIO_new_mem_buf(pem, -1) : NULL;
    return bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
}

static enum err_code parse_chain(const json_t *list, STACK_OF(X509) * chain, struct err *err)
{
    size_t at;
    json_t *item;
    json_array_foreach(list, at, item)
    {
        X509 *cert = parse(json_string_value(item));
        if (cert == NULL || sk_X509_push(chain, cert) <= 0) {
            X509_free(cert);
            return err_set_openssl(err, ERR_SYNTAX, "scepd's answer has a malformed chain");
        }
    }
    return ERR_OK;
}

static enum err_code encode(const struct making *making, bool is_legacy, struct buf *ret_der,
                            struct err *err)
{
    CLEANUP(cleanup_X509_free) X509 *cert = parse(api_text(making->answer, "pem"));
    CLEANUP(cleanup_free_cert_stack) STACK_OF(X509) *chain = sk_X509_new_null();
    if (cert == NULL || chain == NULL) {
        return err_set_openssl(err, ERR_SYNTAX, "scepd's answer has no certificate");
    }
    enum err_code code = parse_chain(json_object_get(making->answer, "chain"), chain, err);
    const struct p12 p12 = {.key = making->key,
                            .cert = cert,
                            .chain = chain,
                            .name = making->common_name,
                            .password = (const char *)making->password.data,
                            .is_legacy = is_legacy};
    return code == ERR_OK ? p12_encode(&p12, ret_der, err) : code;
}

static enum ctl_exit print(struct ctl *ctl, const struct making *making)
{
    if (ctl->is_json) {
        return api_print(ctl, making->answer);
    }
    fprintf(ctl->out, "Certificate %s, valid until %s, its key and its chain are in %s.\n",
            api_text(making->answer, "serial"), api_text(making->answer, "not_after"), making->out);
    return CTL_OK;
}

// An answer that cannot be used is handled like a file that cannot be written.
static enum ctl_exit write_file(struct ctl *ctl, const struct ctl_arguments *arguments,
                                const struct making *making)
{
    struct err err = {0};
    CLEANUP(buf_wipe) struct buf der = {0};
    bool is_legacy = arguments->options[CTL_LEGACY] != NULL;
    if (encode(making, is_legacy, &der, &err) != ERR_OK) {
        ctl_complain(ctl, CTL_FAILED, "%s", err.text);
        hand_revoke(ctl, making->answer);
        return CTL_FAILED;
    }
    const struct hand_file file = {
        .path = making->out, .mode = OUT_MODE, .content = buf_view(&der)};
    enum ctl_exit code = hand_write(ctl, &file, making->answer);
    return code == CTL_OK ? print(ctl, making) : code;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    struct err err = {0};
    CLEANUP(making_done) struct making making = {0};
    struct hand_wish wish = {.profile = "phone", .days = arguments->options[CTL_DAYS]};
    enum ctl_exit code = read_options(ctl, arguments, &wish, &making);
    if (code == CTL_OK) {
        code = get_password(ctl, arguments, &making);
    }
    if (code != CTL_OK) {
        return code;
    }
    if (make_request(&making, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_FAILED, "%s", err.text);
    }
    wish.csr = (const char *)making.csr.data;
    code = hand_ask(ctl, &wish, &making.answer);
    return code == CTL_OK ? write_file(ctl, arguments, &making) : code;
}

static const struct ctl_option options[] = {
    {"cn", CTL_CN, "CN", "the certificate's common name, 64 characters at most"},
    {"key", CTL_KEY, "rsa:2048|rsa:3072|rsa:4096", "kind of the key (rsa:2048)"},
    {"days", CTL_DAYS, "N", "how long it is valid (as long as phone.validity_days says)"},
    {"out", CTL_OUT, "FILE.p12", "the new file, readable for its owner alone"},
    {"password-file", CTL_PASSWORD_FILE, "FILE",
     "its password is the first line; - is standard input (asked for on the terminal)"},
    {"legacy", CTL_LEGACY, NULL,
     "triple DES and SHA-1, for firmware that cannot read AES-256 and SHA-256"},
    {0},
};

const struct ctl_command ctl_phone_p12 = {
    .name = "phone",
    .action = "p12",
    .summary = "Make a key and have a certificate issued for it, as a PKCS#12 file for upload.",
    .options = options,
    .run = run,
};
