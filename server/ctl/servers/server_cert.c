// SPDX-License-Identifier: Apache-2.0
// scepctl server-cert sign: a certificate for a provisioning server's PKCS#10.
#include <string.h>

#include <openssl/pem.h>

#include "conf/base/file.h"
#include "conf/csr_parse.h"
#include "conf/hosts.h"
#include "conf/limits.h"
#include "server/ctl/servers/dns_check.h"
#include "server/ctl/servers/hand.h"

#define OUT_MODE 0644
#define CSR_MAX  (2 * LIMIT_CSR_LEN) // octets of the file: base64 and lines take a half more

// A PKCS#10 as it was read: PEM to send on, DER to look into.
struct request {
    struct buf pem; // with a NUL at the end that its length does not count
    struct buf der;
};

static void request_done(struct request *request)
{
    buf_done(&request->pem);
    buf_done(&request->der);
}

static bool is_pem(const struct buf *content)
{
    static const char mark[] = "-----BEGIN ";
    return memmem(content->data, content->len, mark, strlen(mark)) != NULL;
}

static enum err_code add_end(struct buf *text, struct err *err)
{
    enum err_code code = buf_append(text, view_of("", 1), err);
    text->len -= code == ERR_OK ? 1 : 0;
    return code;
}

static enum err_code der_to_pem(struct view der, struct buf *ret_pem, struct err *err)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL || PEM_write_bio(bio, PEM_STRING_X509_REQ, "", der.data, (long)der.len) <= 0) {
        return err_set_openssl(err, ERR_NOMEM, "no memory for a PKCS#10");
    }
    return ossl_bio_to_buf(bio, ret_pem, err);
}

static enum err_code pem_to_der(const struct buf *pem, struct buf *ret_der, struct err *err)
{
    char *name = NULL;
    char *header = NULL;
    unsigned char *data = NULL;
    long len = 0;
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    if (bio == NULL || PEM_read_bio(bio, &name, &header, &data, &len) != 1) {
        return err_set_openssl(err, ERR_SYNTAX, "malformed PEM");
    }
    enum err_code code = buf_copy(view_of(data, (size_t)len), ret_der, err);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return code;
}

static enum err_code read_request(const char *path, struct request *request, struct err *err)
{
    CLEANUP(buf_done) struct buf content = {0};
    enum err_code code = file_read(path, CSR_MAX, &content, err);
    if (code != ERR_OK) {
        return code;
    }
    if (content.len == 0) {
        return err_set(err, ERR_SYNTAX, "%s is empty; a PKCS#10 in PEM or DER is needed", path);
    }
    struct buf *part = is_pem(&content) ? &request->pem : &request->der;
    *part = content;
    content = (struct buf){0};
    code = part == &request->pem ? pem_to_der(&request->pem, &request->der, err)
                                 : der_to_pem(buf_view(&request->der), &request->pem, err);
    if (code == ERR_OK) {
        code = add_end(&request->pem, err);
    }
    return code == ERR_OK ? ERR_OK : err_prefix(err, "%s", path);
}

static enum err_code read_host(const struct request *request, struct buf *ret_host, struct err *err)
{
    CLEANUP(cleanup_csr_free) struct csr *csr = NULL;
    CLEANUP(buf_done) struct buf common_name = {0};
    struct view host = VIEW_EMPTY;
    enum err_code code = csr_parse(buf_view(&request->der), &csr, err);
    if (code != ERR_OK) {
        return code;
    }
    int at = X509_NAME_get_index_by_NID(csr_subject(csr), NID_commonName, -1);
    if (at < 0) {
        return err_set(err, ERR_BAD_REQUEST, "no common name in the PKCS#10");
    }
    const X509_NAME_ENTRY *entry = X509_NAME_get_entry(csr_subject(csr), at);
    code = ossl_string_to_utf8(X509_NAME_ENTRY_get_data(entry), &common_name, err);
    if (code == ERR_OK) {
        code = hosts_of_common_name(buf_view(&common_name), &host, err);
    }
    if (code == ERR_OK) {
        code = buf_copy(host, ret_host, err);
    }
    return code == ERR_OK ? add_end(ret_host, err) : code;
}

static enum ctl_exit check_dns(struct ctl *ctl, const struct ctl_arguments *arguments,
                               const struct request *request)
{
    struct err err = {0};
    CLEANUP(buf_done) struct buf host = {0};
    if (arguments->options[CTL_CHECK_DNS] == NULL) {
        return CTL_OK;
    }
    enum err_code code = read_host(request, &host, &err);
    if (code != ERR_OK) {
        return ctl_complain(ctl, CTL_FAILED, "%s: %s", arguments->operand, err.text);
    }
    char text[DNS_TEXT_LEN];
    struct dns_addresses addresses = {0};
    const struct dns_question question = {.host = (const char *)host.data,
                                          .address = arguments->options[CTL_ADDRESS],
                                          .lookup = dns_lookup_system};
    code = dns_check(&question, &addresses, &err);
    if (code != ERR_OK) {
        return ctl_complain(ctl, code == ERR_SYNTAX ? CTL_USAGE : CTL_FAILED, "--check-dns: %s",
                            err.text);
    }
    return ctl_complain(ctl, CTL_OK, "%s has the address %s", question.host,
                        dns_format(&addresses, text));
}

static enum ctl_exit check(struct ctl *ctl, const struct ctl_arguments *arguments,
                           const struct hand_wish *wish)
{
    const char *out = arguments->options[CTL_OUT];
    if (arguments->options[CTL_ADDRESS] != NULL && arguments->options[CTL_CHECK_DNS] == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "--address belongs to --check-dns");
    }
    enum ctl_exit code = hand_check(ctl, wish);
    return code == CTL_OK && out != NULL ? hand_check_file(ctl, out) : code;
}

static enum ctl_exit give(struct ctl *ctl, const char *out, const json_t *answer)
{
    CLEANUP(buf_done) struct buf pem = {0};
    enum ctl_exit code = hand_pem(ctl, answer, &pem);
    if (code == CTL_OK && out != NULL) {
        const struct hand_file file = {.path = out, .mode = OUT_MODE, .content = buf_view(&pem)};
        code = hand_write(ctl, &file, answer);
    }
    if (code != CTL_OK) {
        return code;
    }
    if (ctl->is_json) {
        return api_print(ctl, answer);
    }
    if (out == NULL) {
        bool is_written = fwrite(pem.data, 1, pem.len, ctl->out) == pem.len;
        return is_written ? CTL_OK : ctl_complain(ctl, CTL_FAILED, "cannot write the output");
    }
    fprintf(ctl->out, "Certificate %s, valid until %s, and its chain are in %s.\n",
            api_text(answer, "serial"), api_text(answer, "not_after"), out);
    return CTL_OK;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    struct err err = {0};
    CLEANUP(request_done) struct request request = {0};
    CLEANUP(api_decref) json_t *answer = NULL;
    struct hand_wish wish = {.profile = "server",
                             .days = arguments->options[CTL_DAYS],
                             .digest = arguments->options[CTL_DIGEST]};
    enum ctl_exit code = check(ctl, arguments, &wish);
    if (code != CTL_OK) {
        return code;
    }
    enum err_code is_read = read_request(arguments->operand, &request, &err);
    if (is_read != ERR_OK) {
        bool is_missing = is_read == ERR_NOT_FOUND || is_read == ERR_IO;
        return ctl_complain(ctl, is_missing ? CTL_USAGE : CTL_FAILED, "%s", err.text);
    }
    wish.csr = (const char *)request.pem.data;
    code = check_dns(ctl, arguments, &request);
    if (code == CTL_OK) {
        code = hand_ask(ctl, &wish, &answer);
    }
    return code == CTL_OK ? give(ctl, arguments->options[CTL_OUT], answer) : code;
}

static const struct ctl_option options[] = {
    {"days", CTL_DAYS, "N", "how long it is valid (as long as servers.validity_days says)"},
    {"digest", CTL_DIGEST, "sha256|sha384|sha512", "the one that goes with the CA's key, no other"},
    {"out", CTL_OUT, "FILE", "write certificate and chain there, not to standard output"},
    {"check-dns", CTL_CHECK_DNS, NULL, "first see which address the name of the server has"},
    {"address", CTL_ADDRESS, "IP", "with --check-dns: the address that it must have"},
    {0},
};

const struct ctl_command ctl_server_cert_sign = {
    .name = "server-cert",
    .action = "sign",
    .operand = "FILE.csr",
    .summary = "Issue a certificate to a provisioning server, from its PKCS#10 in PEM or DER.",
    .options = options,
    .run = run,
};
