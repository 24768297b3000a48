// SPDX-License-Identifier: Apache-2.0
// Looks through a running process's memory for the parts of an RSA or EC private key: private
// exponent, primes, CRT values (RSA) or the private scalar (EC), as octets in network order and as
// the limbs of a big number in memory. Exit status: 0 none found, 3 found, 1 trouble.
//
//   memory_scan PID KEY.pem
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#define EXIT_FOUND    3
#define NEEDLE_MAX    512 // octets of a number; RSA-4096
#define NEEDLES_MAX   16
#define CHUNK_LEN     1048576 // octets read at a time
#define SHORTEST_BITS 128     // shorter numbers could be there by chance
// Octets, twice the largest store; a larger mapping is a piece of a sanitizer's shadow: terabytes
// of address space without data, which chance cuts anywhere.
#define MAPPING_MAX (UINT64_C(1) << 33)

struct needle {
    const char *name;
    const char *form;
    unsigned char octets[NEEDLE_MAX];
    size_t len;
};

struct needles {
    struct needle items[NEEDLES_MAX];
    size_t count;
};

static const char *const secret_names[] = {
    OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,
    OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    OSSL_PKEY_PARAM_PRIV_KEY,
};

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static void add(struct needles *needles, const char *name, const char *form, const BIGNUM *number)
{
    int len = BN_num_bytes(number);
    if (BN_num_bits(number) < SHORTEST_BITS || len > NEEDLE_MAX || needles->count == NEEDLES_MAX) {
        return;
    }
    struct needle *needle = &needles->items[needles->count];
    *needle = (struct needle){.name = name, .form = form, .len = (size_t)len};
    if (form[0] == 'o') {
        BN_bn2bin(number, needle->octets);
    } else {
        BN_bn2lebinpad(number, needle->octets, len);
    }
    needles->count++;
}

static struct needles load_needles(const char *path)
{
    struct needles needles = {.count = 0};
    FILE *file = fopen(path, "re");
    EVP_PKEY *key = file == NULL ? NULL : PEM_read_PrivateKey(file, NULL, NULL, NULL);
    if (key == NULL) {
        die(path);
    }
    for (size_t i = 0; i < sizeof(secret_names) / sizeof(secret_names[0]); i++) {
        BIGNUM *number = NULL;
        if (EVP_PKEY_get_bn_param(key, secret_names[i], &number) == 1) {
            add(&needles, secret_names[i], "octets", number);
            add(&needles, secret_names[i], "limbs", number);
        }
        BN_clear_free(number);
    }
    EVP_PKEY_free(key);
    fclose(file);
    if (needles.count == 0) {
        fprintf(stderr, "%s: nothing to look for\n", path);
        exit(EXIT_FAILURE);
    }
    return needles;
}

static bool report_found(const struct needles *needles, const unsigned char *data, size_t len)
{
    bool is_found = false;
    for (size_t i = 0; i < needles->count; i++) {
        const struct needle *needle = &needles->items[i];
        if (memmem(data, len, needle->octets, needle->len) != NULL) {
            printf("found %s as %s\n", needle->name, needle->form);
            is_found = true;
        }
    }
    return is_found;
}

// Chunks overlap by the longest number, so that none is missed between two of them.
static bool scan_range(int memory, uint64_t from, uint64_t to, const struct needles *needles)
{
    static unsigned char chunk[CHUNK_LEN];
    bool is_found = false;
    while (from < to) {
        size_t want = to - from < CHUNK_LEN ? (size_t)(to - from) : CHUNK_LEN;
        ssize_t len = pread(memory, chunk, want, (off_t)from);
        if (len <= 0) {
            return is_found; // a page that cannot be read, such as a guard page
        }
        is_found |= report_found(needles, chunk, (size_t)len);
        if (from + (uint64_t)len >= to || (size_t)len <= NEEDLE_MAX) {
            break;
        }
        from += (uint64_t)len - NEEDLE_MAX;
    }
    return is_found;
}

static FILE *open_proc(const char *pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        die(path);
    }
    return file;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: memory_scan PID KEY.pem\n");
        return EXIT_FAILURE;
    }
    struct needles needles = load_needles(argv[2]);
    FILE *maps = open_proc(argv[1], "maps");
    FILE *memory = open_proc(argv[1], "mem");
    bool is_found = false;
    uint64_t scanned = 0;
    char line[PATH_MAX];
    while (fgets(line, sizeof(line), maps) != NULL) {
        uint64_t from = 0;
        uint64_t to = 0;
        char access[5] = "";
        int fields = sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, access);
        if (fields == 3 && access[0] == 'r' && to - from <= MAPPING_MAX) {
            is_found |= scan_range(fileno(memory), from, to, &needles);
            scanned += to - from;
        }
    }
    printf("%" PRIu64 " octets scanned\n", scanned);
    OPENSSL_cleanse(&needles, sizeof(needles));
    fclose(maps);
    fclose(memory);
    if (scanned == 0) {
        return EXIT_FAILURE;
    }
    return is_found ? EXIT_FOUND : EXIT_SUCCESS;
}
