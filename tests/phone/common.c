// SPDX-License-Identifier: Apache-2.0
#include "tests/phone/common.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#define FILE_LEN_MAX  1048576 // octets of any file the phone reads
#define FOLDER_MODE   0700
#define USEC_PER_SEC  1000000
#define NSEC_PER_USEC 1000

static void PRINTF_LIKE(3, 0)
    set_text(struct trouble *trouble, enum outcome outcome, const char *format, va_list args)
{
    trouble->outcome = outcome;
    vsnprintf(trouble->text, sizeof trouble->text, format, args);
}

enum outcome trouble_set(struct trouble *trouble, enum outcome outcome, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_text(trouble, outcome, format, args);
    va_end(args);
    return outcome;
}

enum outcome trouble_openssl(struct trouble *trouble, enum outcome outcome, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_text(trouble, outcome, format, args);
    va_end(args);
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    if (reason != NULL) {
        size_t used = strlen(trouble->text);
        snprintf(trouble->text + used, sizeof trouble->text - used, " (OpenSSL: %s)", reason);
    }
    ERR_clear_error();
    return outcome;
}

void die(const char *doing)
{
    fprintf(stderr, "phone: %s failed\n", doing);
    ERR_print_errors_fp(stderr);
    exit(OUTCOME_TROUBLE);
}

struct octets octets_copy(const void *data, size_t len)
{
    struct octets copy = {.data = OPENSSL_zalloc(len + 1), .len = len};
    require(copy.data != NULL, "getting memory");
    if (len > 0) {
        memcpy(copy.data, data, len);
    }
    return copy;
}

void octets_done(struct octets *octets)
{
    OPENSSL_clear_free(octets->data, octets->len);
    *octets = (struct octets){0};
}

bool octets_equal(const struct octets *a, const struct octets *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

enum outcome file_load(const char *path, struct octets *ret_content, struct trouble *trouble)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return trouble_set(trouble, OUTCOME_TROUBLE, "%s: %s", path, strerror(errno));
    }
    unsigned char *content = OPENSSL_zalloc(FILE_LEN_MAX + 1);
    require(content != NULL, "getting memory");
    size_t len = fread(content, 1, FILE_LEN_MAX + 1, file);
    bool is_whole = ferror(file) == 0 && len <= FILE_LEN_MAX;
    fclose(file);
    if (!is_whole) {
        OPENSSL_free(content);
        return trouble_set(trouble, OUTCOME_TROUBLE, "%s: cannot be read or is too long", path);
    }
    *ret_content = octets_copy(content, len);
    OPENSSL_clear_free(content, FILE_LEN_MAX + 1);
    return OUTCOME_OK;
}

enum outcome file_save(const char *path, const struct octets *content, struct trouble *trouble)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return trouble_set(trouble, OUTCOME_TROUBLE, "%s: %s", path, strerror(errno));
    }
    ssize_t written = write(fd, content->data, content->len);
    bool is_closed = close(fd) == 0;
    if (written != (ssize_t)content->len || !is_closed) {
        return trouble_set(trouble, OUTCOME_TROUBLE, "%s: cannot be written", path);
    }
    return OUTCOME_OK;
}

enum outcome path_join(const char *folder, const char *name, char path[PATH_LEN_MAX],
                       struct trouble *trouble)
{
    if (snprintf(path, PATH_LEN_MAX, "%s/%s", folder, name) >= PATH_LEN_MAX) {
        return trouble_set(trouble, OUTCOME_USAGE, "path of %s: too long", name);
    }
    return OUTCOME_OK;
}

enum outcome file_replace(const char *path, const struct octets *content, struct trouble *trouble)
{
    char fresh[PATH_LEN_MAX] = "";
    if (snprintf(fresh, sizeof fresh, "%s.new", path) >= PATH_LEN_MAX) {
        return trouble_set(trouble, OUTCOME_USAGE, "path: too long");
    }
    enum outcome outcome = file_save(fresh, content, trouble);
    if (outcome == OUTCOME_OK && rename(fresh, path) != 0) {
        outcome = trouble_set(trouble, OUTCOME_TROUBLE, "%s: %s", path, strerror(errno));
    }
    return outcome;
}

enum outcome folder_make(const char *path, struct trouble *trouble)
{
    if (mkdir(path, FOLDER_MODE) != 0 && errno != EEXIST) {
        return trouble_set(trouble, OUTCOME_TROUBLE, "%s: %s", path, strerror(errno));
    }
    return OUTCOME_OK;
}

int64_t clock_us(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * USEC_PER_SEC + now.tv_nsec / NSEC_PER_USEC;
}
