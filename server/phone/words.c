// SPDX-License-Identifier: Apache-2.0
#include "server/phone/words.h"

#include <stdio.h>
#include <string.h>

#include "conf/base/clock.h"

char *words_name(const X509_NAME *name, char text[WORDS_NAME_LEN])
{
    return ossl_name_print(name, text, WORDS_NAME_LEN);
}

char *words_common_name(const X509 *cert, char text[WORDS_NAME_LEN])
{
    CLEANUP(buf_done) struct buf utf8 = {0};
    const X509_NAME *name = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    text[0] = '\0';
    if (at >= 0 && ossl_string_to_utf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)),
                                       &utf8, NULL) == ERR_OK) {
        snprintf(text, WORDS_NAME_LEN, "%.*s", (int)utf8.len,
                 utf8.len > 0 ? (const char *)utf8.data : "");
    }
    return text;
}

char *words_date(const ASN1_TIME *time, char text[WORDS_DATE_LEN])
{
    int64_t seconds = 0;
    if (ossl_time_read(time, &seconds)) {
        clock_format(seconds, text);
    } else {
        snprintf(text, WORDS_DATE_LEN, "?");
    }
    return text;
}

char *words_cert(const X509 *cert, char text[WORDS_CERT_LEN])
{
    char from[WORDS_DATE_LEN];
    char until[WORDS_DATE_LEN];
    const EVP_PKEY *key = X509_get0_pubkey(cert);
    const char *type = key != NULL ? EVP_PKEY_get0_type_name(key) : NULL;
    snprintf(text, WORDS_CERT_LEN, "%s, %d bits, signed by %s, valid from %s until %s",
             type != NULL ? type : "unknown key", key != NULL ? EVP_PKEY_get_bits(key) : 0,
             OBJ_nid2sn(X509_get_signature_nid(cert)), words_date(X509_get0_notBefore(cert), from),
             words_date(X509_get0_notAfter(cert), until));
    return text;
}

void words_list_add(char list[WORDS_LIST_LEN], const char *word)
{
    size_t used = strlen(list);
    const char *separator = used > 0 ? ", " : "";
    size_t room = WORDS_LIST_LEN - used;
    // A word that does not fit as a whole is left out.
    if (snprintf(list + used, room, "%s%s", separator, word) >= (int)room) {
        list[used] = '\0';
    }
}
