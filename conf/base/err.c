// SPDX-License-Identifier: Apache-2.0
#include "conf/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

static const char *const names[ERR_MAX] = {
    [ERR_OK] = "ok",
    [ERR_NOMEM] = "out_of_memory",
    [ERR_IO] = "io",
    [ERR_CRYPTO] = "crypto",
    [ERR_FULL] = "full",
    [ERR_BUSY] = "busy",
    [ERR_NOT_FOUND] = "not_found",
    [ERR_EXISTS] = "exists",
    [ERR_CONFLICT] = "conflict",
    [ERR_SYNTAX] = "syntax",
    [ERR_LIMIT] = "limit",
    [ERR_CONFIG] = "config",
    [ERR_PROTOCOL] = "protocol",
    [ERR_DENIED] = "denied",
    [ERR_BAD_ALG] = "badAlg",
    [ERR_BAD_MESSAGE_CHECK] = "badMessageCheck",
    [ERR_BAD_REQUEST] = "badRequest",
    [ERR_BAD_TIME] = "badTime",
    [ERR_BAD_CERT_ID] = "badCertId",
    [ERR_INTERNAL] = "internal",
};

static void set_text(struct err *err, enum err_code code, const char *format, va_list args)
    PRINTF_LIKE(3, 0);
static void set_text(struct err *err, enum err_code code, const char *format, va_list args)
{
    err->code = code;
    vsnprintf(err->text, sizeof err->text, format, args);
}

static void append_text(struct err *err, const char *reason)
{
    size_t used = strlen(err->text);
    strncat(err->text, ": ", sizeof err->text - 1 - used);
    used = strlen(err->text);
    strncat(err->text, reason, sizeof err->text - 1 - used);
}

enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        set_text(err, code, format, args);
        va_end(args);
    }
    return code;
}

static enum err_code code_of_errno(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return ERR_FULL;
    case ENOENT:
        return ERR_NOT_FOUND;
    case EEXIST:
        return ERR_EXISTS;
    case ENOMEM:
        return ERR_NOMEM;
    default:
        return ERR_IO;
    }
}

enum err_code err_set_errno(struct err *err, const char *format, ...)
{
    int error = errno;
    enum err_code code = code_of_errno(error);
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        set_text(err, code, format, args);
        va_end(args);
        char reason[128] = "";
        append_text(err, strerror_r(error, reason, sizeof reason));
    }
    return code;
}

enum err_code err_set_openssl(struct err *err, enum err_code code, const char *format, ...)
{
    unsigned long first = ERR_peek_error();
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        set_text(err, code, format, args);
        va_end(args);
        const char *reason = first != 0 ? ERR_reason_error_string(first) : NULL;
        if (reason != NULL) {
            append_text(err, reason);
        }
    }
    ERR_clear_error();
    return code;
}

enum err_code err_prefix(struct err *err, const char *format, ...)
{
    struct err prefixed;
    va_list args;
    va_start(args, format);
    set_text(&prefixed, err->code, format, args);
    va_end(args);
    append_text(&prefixed, err->text);
    *err = prefixed;
    return err->code;
}

const char *err_name(enum err_code code)
{
    return (unsigned)code < ERR_MAX ? names[code] : "unknown";
}
