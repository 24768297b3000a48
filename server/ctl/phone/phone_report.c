// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/phone/phone_report.h"

#include <openssl/pem.h>

#include "server/ctl/api.h"
#include "server/ctl/color.h"
#include "server/ctl/folder.h"
#include "server/ctl/table.h"

#define FILE_KEY   "key.pem"
#define FILE_CERT  "cert.pem"
#define FILE_CHAIN "ca-certs.pem"

#define LEVEL_WIDTH 8 // characters of "problem" and a space

const char *const phone_report_files[] = {FILE_KEY, FILE_CERT, FILE_CHAIN, NULL};

// --- For people

static enum err_code print_escaped(FILE *out, const char *text, struct err *err)
{
    CLEANUP(buf_done) struct buf escaped = {0};
    enum err_code code = table_escape(&escaped, text, err);
    if (code == ERR_OK) {
        fprintf(out, " %.*s\n", (int)escaped.len,
                escaped.len > 0 ? (const char *)escaped.data : "");
    }
    return code;
}

static enum err_code print_finding(FILE *out, const struct finding *finding, bool is_colored,
                                   struct err *err)
{
    static const enum color colors[] = {
        [FINDING_OK] = COLOR_GOOD, [FINDING_WARNING] = COLOR_WAITS, [FINDING_PROBLEM] = COLOR_BAD};
    enum color color = colors[finding->level];
    fprintf(out, "%s%-*s%s", color_begin(is_colored, color), LEVEL_WIDTH,
            finding_level_name(finding->level), color_end(is_colored, color));
    enum err_code code = print_escaped(out, finding->seen, err);
    if (code == ERR_OK && finding->phone != NULL) {
        fprintf(out, "%-*s", LEVEL_WIDTH, "");
        code = print_escaped(out, finding->phone, err);
    }
    return code;
}

static enum ctl_exit print_lines(struct ctl *ctl, const struct phone_report *report)
{
    struct err err = {0};
    enum err_code code = ERR_OK;
    bool is_colored = color_is_wanted(ctl->out);
    for (size_t i = 0; i < report->findings->count && code == ERR_OK; i++) {
        code = print_finding(ctl->out, &report->findings->list[i], is_colored, &err);
    }
    if (code != ERR_OK) {
        return ctl_complain(ctl, CTL_FAILED, "%s", err.text);
    }
    if (report->folder != NULL) {
        fprintf(ctl->out, "%-*s key and certificates are in %s\n", LEVEL_WIDTH, "", report->folder);
    }
    return CTL_OK;
}

// --- For programs

// As people see it, so that octets that are not UTF-8 can be said at all; NULL gives null.
static json_t *escaped_json(const char *text)
{
    CLEANUP(buf_done) struct buf escaped = {0};
    if (text == NULL || table_escape(&escaped, text, NULL) != ERR_OK) {
        return json_null();
    }
    return json_stringn(escaped.len > 0 ? (const char *)escaped.data : "", escaped.len);
}

static json_t *steps_json(const struct findings *findings)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];
        json_array_append_new(steps, json_pack("{s:s, s:s, s:o, s:o}", "step", finding->step,
                                               "level", finding_level_name(finding->level), "seen",
                                               escaped_json(finding->seen), "phone",
                                               escaped_json(finding->phone)));
    }
    return steps;
}

static json_t *cert_json(X509 *cert)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    if (cert == NULL || bio == NULL || PEM_write_bio_X509(bio, cert) != 1) {
        return json_null();
    }
    long len = BIO_get_mem_data(bio, &data);
    return json_stringn(data, (size_t)len);
}

static enum ctl_exit print_json(struct ctl *ctl, const struct phone_report *report)
{
    CLEANUP(api_decref)
    json_t *document = json_pack(
        "{s:o, s:s, s:o, s:o, s:o}", "server", escaped_json(report->server), "verdict",
        finding_level_name(findings_worst(report->findings)), "steps", steps_json(report->findings),
        "certificate_pem", cert_json(report->result->cert), "folder", escaped_json(report->folder));
    return document != NULL ? api_print(ctl, document)
                            : ctl_complain(ctl, CTL_FAILED, "out of memory");
}

enum ctl_exit phone_report_print(struct ctl *ctl, const struct phone_report *report)
{
    enum ctl_exit code = ctl->is_json ? print_json(ctl, report) : print_lines(ctl, report);
    bool is_failing = findings_worst(report->findings) == FINDING_PROBLEM;
    return code == CTL_OK && is_failing ? CTL_FAILED : code;
}

// --- Files

static enum err_code add_bio(struct folder *folder, const char *name, BIO *bio, struct err *err)
{
    CLEANUP(buf_wipe) struct buf pem = {0};
    enum err_code code = ossl_bio_to_buf(bio, &pem, err);
    return code == ERR_OK ? folder_add_file(folder, name, buf_view(&pem), err) : code;
}

static enum err_code add_key(struct folder *folder, EVP_PKEY *key, struct err *err)
{
    // What a memory BIO held is overwritten when it is freed.
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_secmem());
    if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
        return err_set_openssl(err, ERR_CRYPTO, "cannot encode a key");
    }
    return add_bio(folder, FILE_KEY, bio, err);
}

static enum err_code add_certs(struct folder *folder, const char *name,
                               const STACK_OF(X509) * certs, struct err *err)
{
    CLEANUP(cleanup_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    for (int i = 0; i < sk_X509_num(certs) && bio != NULL; i++) {
        if (PEM_write_bio_X509(bio, sk_X509_value(certs, i)) != 1) {
            return err_set_openssl(err, ERR_CRYPTO, "cannot encode a certificate");
        }
    }
    return bio != NULL ? add_bio(folder, name, bio, err)
                       : err_set_openssl(err, ERR_NOMEM, "no memory for a certificate");
}

static enum err_code add_cert(struct folder *folder, X509 *cert, struct err *err)
{
    STACK_OF(X509) *one = sk_X509_new_null();
    enum err_code code = one != NULL && sk_X509_push(one, cert) > 0
                             ? add_certs(folder, FILE_CERT, one, err)
                             : err_set_openssl(err, ERR_NOMEM, "no memory for a certificate");
    sk_X509_free(one);
    return code;
}

enum ctl_exit phone_report_keep(struct ctl *ctl, struct folder *folder,
                                const struct trial_result *result, bool *ret_is_kept)
{
    struct err err = {0};
    *ret_is_kept = false;
    if (result->cert == NULL) {
        return CTL_OK;
    }
    enum err_code code = add_key(folder, result->key, &err);
    if (code == ERR_OK) {
        code = add_cert(folder, result->cert, &err);
    }
    if (code == ERR_OK) {
        code = add_certs(folder, FILE_CHAIN, result->certs, &err);
    }
    if (code == ERR_OK) {
        code = folder_keep(folder, &err);
    }
    if (code != ERR_OK) {
        return ctl_complain(ctl, CTL_FAILED, "%s", err.text);
    }
    *ret_is_kept = true;
    return CTL_OK;
}
