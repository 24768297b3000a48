// SPDX-License-Identifier: Apache-2.0
#include "ca/server_names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/hosts.h"

struct server_names {
    struct settings_texts domains; // its texts are owned here
};

enum err_code server_names_new(const struct settings_texts *domains,
                               struct server_names **ret_names, struct err *err)
{
    CLEANUP(cleanup_server_names_free) struct server_names *names = calloc(1, sizeof *names);
    for (uint32_t i = 0; names != NULL && i < domains->count; i++) {
        names->domains.list[i] = strdup(domains->list[i]);
        names->domains.count++;
        if (names->domains.list[i] == NULL) {
            return err_set(err, ERR_NOMEM, "no memory for domains");
        }
    }
    if (names == NULL) {
        return err_set(err, ERR_NOMEM, "no memory for domains");
    }
    *ret_names = names;
    names = NULL;
    return ERR_OK;
}

void server_names_free(struct server_names *names)
{
    if (names != NULL) {
        for (uint32_t i = 0; i < names->domains.count; i++) {
            free((char *)(uintptr_t)names->domains.list[i]);
        }
        free(names);
    }
}

static enum err_code check_domain(const struct server_names *names, struct view host,
                                  struct err *err)
{
    if (names->domains.count == 0) {
        return err_set(err, ERR_DENIED,
                       "no server gets a certificate; servers.domains says for which domains");
    }
    if (!hosts_is_within(host, &names->domains)) {
        return err_set(err, ERR_DENIED,
                       "the host %.*s is in none of the domains that servers.domains lists",
                       (int)host.len, (const char *)host.data);
    }
    return ERR_OK;
}

static enum err_code read_common_name(const struct csr *csr, struct buf *ret_text, struct err *err)
{
    const X509_NAME *subject = csr_subject(csr);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) {
        return err_set(err, ERR_BAD_REQUEST,
                       "%s common name in the PKCS#10; a server's has exactly one",
                       at < 0 ? "no" : "more than one");
    }
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    enum err_code code = ossl_string_to_utf8(value, ret_text, err);
    return code == ERR_SYNTAX ? err_set(err, ERR_BAD_REQUEST,
                                        "the PKCS#10's common name is no text or holds a NUL")
                              : code;
}

static enum err_code check_alt_name(const struct server_names *names, const struct san *san,
                                    struct err *err)
{
    if (san->kind != SAN_DNS) {
        return err_set(err, ERR_BAD_REQUEST,
                       "a subjectAltName of kind %d; a server's are all dNSNames", (int)san->kind);
    }
    enum err_code code = hosts_check(san->text, err);
    return code == ERR_OK ? check_domain(names, san->text, err) : code;
}

static bool is_same_host(struct view a, struct view b)
{
    return a.len == b.len && strncasecmp((const char *)a.data, (const char *)b.data, a.len) == 0;
}

static enum err_code check_alt_names(const struct server_names *names, struct view host,
                                     const struct issue_order *order, struct err *err)
{
    bool is_host_there = false;
    for (uint32_t i = 0; i < order->san_count; i++) {
        enum err_code code = check_alt_name(names, &order->sans[i], err);
        if (code != ERR_OK) {
            return code;
        }
        is_host_there = is_host_there || is_same_host(order->sans[i].text, host);
    }
    return is_host_there ? ERR_OK
                         : err_set(err, ERR_BAD_REQUEST,
                                   "the host %.*s of the common name is not among the dNSNames",
                                   (int)host.len, (const char *)host.data);
}

enum err_code server_names_check(const struct server_names *names, const struct csr *csr,
                                 const struct issue_order *order, struct err *err)
{
    CLEANUP(buf_done) struct buf common_name = {0};
    struct view host = VIEW_EMPTY;
    enum err_code code = read_common_name(csr, &common_name, err);
    if (code == ERR_OK) {
        code = hosts_of_common_name(buf_view(&common_name), &host, err);
    }
    if (code == ERR_OK) {
        code = check_domain(names, host, err);
    }
    return code == ERR_OK ? check_alt_names(names, host, order, err) : code;
}
