// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/secret_file.h"

#include <string.h>
#include <sys/stat.h>

#include "conf/base/file.h"

#define FILE_MAX_LEN 4096 // octets; the line may be followed by others

// Length of the first line.
static size_t line_len(const struct buf *content)
{
    size_t len = 0;
    while (len < content->len && content->data[len] != '\n' && content->data[len] != '\r') {
        len++;
    }
    return len;
}

enum err_code secret_file_read(const char *path, size_t max_len, struct buf *ret_secret,
                               struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "standard input" : path;
    CLEANUP(buf_wipe) struct buf content = {0};
    enum err_code code = file_read(is_stdin ? "/dev/stdin" : path, FILE_MAX_LEN, &content, err);
    if (code != ERR_OK) {
        return code;
    }
    size_t len = line_len(&content);
    if (len == 0) {
        return err_set(err, ERR_SYNTAX, "the first line of %s is empty", name);
    }
    if (len > max_len) {
        return err_set(err, ERR_LIMIT,
                       "the first line of %s has %zu octets; allowed are at most %zu", name, len,
                       max_len);
    }
    if (memchr(content.data, '\0', len) != NULL) {
        return err_set(err, ERR_SYNTAX, "the first line of %s has a NUL in it", name);
    }
    return buf_copy(view_of(content.data, len), ret_secret, err);
}

void secret_file_warn(struct ctl *ctl, const char *path)
{
    struct stat found;
    if (strcmp(path, "-") == 0 || stat(path, &found) != 0 || !S_ISREG(found.st_mode) ||
        (found.st_mode & S_IROTH) == 0) {
        return;
    }
    ctl_complain(ctl, CTL_OK,
                 "warning: everybody on this machine can read %s (mode %04o); "
                 "\"chmod 600\" keeps it to its owner",
                 path, (unsigned)(found.st_mode & 07777));
}
