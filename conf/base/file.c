// SPDX-License-Identifier: Apache-2.0
#include "conf/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err_code read_all(int fd, const char *path, size_t max_len, struct buf *content,
                              struct err *err)
{
    for (;;) {
        enum { CHUNK_LEN = 4096 };
        enum err_code code = buf_reserve(content, CHUNK_LEN, err);
        if (code != ERR_OK) {
            return code;
        }
        ssize_t got = read(fd, content->data + content->len, CHUNK_LEN);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return err_set_errno(err, "cannot read %s", path);
        }
        if (got == 0) {
            return ERR_OK;
        }
        content->len += (size_t)got;
        if (content->len > max_len) {
            return err_set(err, ERR_LIMIT, "%s is longer than %zu octets", path, max_len);
        }
    }
}

enum err_code file_read(const char *path, size_t max_len, struct buf *ret_content, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(err, "cannot open %s", path);
    }
    struct buf content = {0};
    enum err_code code = read_all(fd, path, max_len, &content, err);
    close(fd);
    if (code == ERR_OK) {
        *ret_content = content;
    } else {
        buf_wipe(&content);
    }
    return code;
}

static enum err_code write_all(int fd, const char *path, struct view content, struct err *err)
{
    while (content.len > 0) {
        ssize_t written = write(fd, content.data, content.len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return err_set_errno(err, "cannot write %s", path);
        }
        content = view_of(content.data + written, content.len - (size_t)written);
    }
    return fsync(fd) == 0 ? ERR_OK : err_set_errno(err, "cannot sync %s", path);
}

enum err_code file_create(const char *path, mode_t mode, struct view content, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        return err_set_errno(err, "cannot create %s", path);
    }
    enum err_code code = write_all(fd, path, content, err);
    if (close(fd) != 0 && code == ERR_OK) {
        code = err_set_errno(err, "cannot close %s", path);
    }
    if (code != ERR_OK) {
        unlink(path);
    }
    return code;
}
