// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/password.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "server/ctl/secret_file.h"

static enum err_code say(int fd, const char *text, struct err *err)
{
    size_t len = strlen(text);
    return write(fd, text, len) == (ssize_t)len
               ? ERR_OK
               : err_set_errno(err, "cannot write to the terminal");
}

// Up to the end of the line, octet by octet, so that nothing stays in a buffer of stdio.
static enum err_code read_line(int fd, size_t max_len, struct buf *line, struct err *err)
{
    for (;;) {
        char octet = '\0';
        ssize_t count = read(fd, &octet, 1);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return err_set_errno(err, "cannot read from the terminal");
        }
        if (count == 0) {
            return err_set(err, ERR_SYNTAX, "the terminal ended before the password did");
        }
        if (octet == '\n' || octet == '\r') {
            return ERR_OK;
        }
        if (line->len >= max_len) {
            return err_set(err, ERR_LIMIT, "the password is longer than %zu characters", max_len);
        }
        enum err_code code = buf_append(line, view_of(&octet, 1), err);
        if (code != ERR_OK) {
            return code;
        }
    }
}

static enum err_code ask(int fd, const char *question, size_t max_len, struct buf *line,
                         struct err *err)
{
    // No copy of a part is left behind by growing.
    enum err_code code = buf_reserve(line, max_len + 1, err);
    if (code == ERR_OK) {
        code = say(fd, question, err);
    }
    if (code == ERR_OK) {
        code = read_line(fd, max_len, line, err);
    }
    return code == ERR_OK ? say(fd, "\n", err) : code;
}

static enum err_code ask_twice(int fd, size_t max_len, struct buf *ret_password, struct err *err)
{
    CLEANUP(buf_wipe) struct buf first = {0};
    CLEANUP(buf_wipe) struct buf second = {0};
    enum err_code code = ask(fd, "Password of the new file: ", max_len, &first, err);
    if (code == ERR_OK && first.len > 0) {
        code = ask(fd, "The same again: ", max_len, &second, err);
        if (code == ERR_OK && !view_equal_secret(buf_view(&first), buf_view(&second))) {
            code = err_set(err, ERR_SYNTAX, "the two passwords are not the same");
        }
    }
    if (code == ERR_OK) {
        *ret_password = first;
        first = (struct buf){0};
    }
    return code;
}

static enum err_code ask_terminal(const struct password_source *source, struct buf *ret_password,
                                  struct err *err)
{
    int fd = open(source->terminal, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        err_set_errno(err, "no terminal to ask for the password; --password-file names a file");
        return err->code;
    }
    struct termios shown;
    enum err_code code = ERR_OK;
    if (tcgetattr(fd, &shown) != 0) {
        code = err_set_errno(err, "%s is not a terminal", source->terminal);
        close(fd);
        return code;
    }
    struct termios hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    code = tcsetattr(fd, TCSAFLUSH, &hidden) == 0
               ? ask_twice(fd, source->max_len, ret_password, err)
               : err_set_errno(err, "cannot hide what is typed");
    tcsetattr(fd, TCSAFLUSH, &shown);
    close(fd);
    return code;
}

enum err_code password_read(const struct password_source *source, struct buf *ret_password,
                            struct err *err)
{
    CLEANUP(buf_wipe) struct buf password = {0};
    enum err_code code = source->file != NULL
                             ? secret_file_read(source->file, source->max_len, &password, err)
                             : ask_terminal(source, &password, err);
    if (code == ERR_OK) {
        code = buf_append(&password, view_of("", 1), err);
    }
    if (code == ERR_OK) {
        password.len--;
        *ret_password = password;
        password = (struct buf){0};
    }
    return code;
}
