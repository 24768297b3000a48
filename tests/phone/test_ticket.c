// SPDX-License-Identifier: Apache-2.0
// What a phone keeps of a pending request is there again after a power cut, whole or not at all.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/phone/test_kit.h"
#include "tests/phone/ticket.h"

static const char *const files[] = {"key.pem", "signer.pem", "signer-key.pem", "subject.der",
                                    "transaction"};
#define FILE_COUNT (sizeof files / sizeof files[0])

struct world {
    char folder[PATH_LEN_MAX];
    struct ticket ticket;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    const char *temporary = getenv("TMPDIR");
    snprintf(world->folder, sizeof world->folder, "%s/phone-ticket.XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    require(mkdtemp(world->folder) != NULL, "making a folder");
    world->ticket.cert_key = key_make(KEY_BITS_DEFAULT);
    world->ticket.by.key = key_make(KEY_BITS_DEFAULT);
    world->ticket.by.cert = kit_cert("signer", world->ticket.by.key, NULL, NULL);
    world->ticket.subject = kit_name("phone");
    world->ticket.transaction_id = octets_copy("SSCEP id/+=", strlen("SSCEP id/+="));
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < FILE_COUNT; i++) {
        char path[PATH_LEN_MAX] = "";
        struct trouble trouble = {0};
        require(path_join(world->folder, files[i], path, &trouble) == OUTCOME_OK, "naming a file");
        unlink(path);
    }
    rmdir(world->folder);
    ticket_done(&world->ticket);
    free(world);
    return 0;
}

static void save(const struct world *world)
{
    struct trouble trouble = {0};
    assert_int_equal(ticket_save(&world->ticket, world->folder, &trouble), OUTCOME_OK);
}

static void keeps_everything(void **state)
{
    const struct world *world = *state;
    save(world);
    struct trouble trouble = {0};
    CLEANUP(ticket_done) struct ticket back = {0};
    assert_int_equal(ticket_load(world->folder, &back, &trouble), OUTCOME_OK);
    assert_int_equal(EVP_PKEY_eq(back.cert_key, world->ticket.cert_key), 1);
    assert_int_equal(EVP_PKEY_eq(back.by.key, world->ticket.by.key), 1);
    assert_int_equal(X509_cmp(back.by.cert, world->ticket.by.cert), 0);
    assert_int_equal(X509_NAME_cmp(back.subject, world->ticket.subject), 0);
    assert_true(octets_equal(&back.transaction_id, &world->ticket.transaction_id));
}

static void keeps_keys_to_itself(void **state)
{
    const struct world *world = *state;
    save(world);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        char path[PATH_LEN_MAX] = "";
        struct trouble trouble = {0};
        struct stat status = {0};
        assert_int_equal(path_join(world->folder, files[i], path, &trouble), OUTCOME_OK);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
}

// `content` NULL = the file is missing.
static void expect_lost(const struct world *world, const char *name, const char *content)
{
    save(world);
    char path[PATH_LEN_MAX] = "";
    struct trouble trouble = {0};
    assert_int_equal(path_join(world->folder, name, path, &trouble), OUTCOME_OK);
    if (content == NULL) {
        assert_int_equal(unlink(path), 0);
    } else {
        CLEANUP(octets_done) struct octets octets = octets_copy(content, strlen(content));
        assert_int_equal(file_save(path, &octets, &trouble), OUTCOME_OK);
    }
    struct ticket back = {0};
    assert_int_equal(ticket_load(world->folder, &back, &trouble), OUTCOME_TROUBLE);
    assert_non_null(strstr(trouble.text, name));
    assert_null(back.cert_key);
}

static void misses_each_file(void **state)
{
    const struct world *world = *state;
    for (size_t i = 0; i < FILE_COUNT; i++) {
        expect_lost(world, files[i], NULL);
    }
    expect_lost(world, "key.pem", "no key");
    expect_lost(world, "signer.pem", "");
    expect_lost(world, "subject.der", "no name");
    char long_id[TRANSACTION_ID_LEN + 1] = "";
    memset(long_id, 'A', TRANSACTION_ID_LEN);
    expect_lost(world, "transaction", long_id);
}

// DER of SEQUENCE { issuer, subject }, as RFC 8894, 3.3.3 has it.
static void names_what_it_polls_for(void **state)
{
    const struct world *world = *state;
    const X509_NAME *issuer = X509_get_subject_name(world->ticket.by.cert);
    CLEANUP(octets_done)
    struct octets der = issuer_and_subject_der(issuer, world->ticket.subject);
    assert_int_equal(der.data[0], V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED);
    assert_int_equal(der.data[1], der.len - 2);
    const unsigned char *at = der.data + 2;
    CLEANUP(cleanup_X509_NAME_free)
    X509_NAME *first = d2i_X509_NAME(NULL, &at, (long)der.len - 2);
    CLEANUP(cleanup_X509_NAME_free)
    X509_NAME *second = d2i_X509_NAME(NULL, &at, (long)(der.data + der.len - at));
    assert_ptr_equal(at, der.data + der.len);
    assert_int_equal(X509_NAME_cmp(first, issuer), 0);
    assert_int_equal(X509_NAME_cmp(second, world->ticket.subject), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_everything),
        cmocka_unit_test(keeps_keys_to_itself),
        cmocka_unit_test(misses_each_file),
        cmocka_unit_test(names_what_it_polls_for),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
