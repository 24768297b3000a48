// SPDX-License-Identifier: Apache-2.0
// For LD_PRELOAD: a disk on which $WRITE_FAULTS octets fit. write() to regular files fails with
// ENOSPC after that, in the middle of what it was given, as on a real one.
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DECIMAL 10

typedef ssize_t write_call(int fd, const void *octets, size_t len);

static atomic_size_t written;

static bool is_file(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

ssize_t write(int fd, const void *octets, size_t len)
{
    write_call *next = (write_call *)dlsym(RTLD_NEXT, "write");
    const char *text = getenv("WRITE_FAULTS");
    if (text == NULL || !is_file(fd)) {
        return next(fd, octets, len);
    }
    size_t room = strtoul(text, NULL, DECIMAL);
    size_t before = atomic_load(&written);
    if (before >= room) {
        errno = ENOSPC;
        return -1;
    }
    ssize_t done = next(fd, octets, len < room - before ? len : room - before);
    atomic_fetch_add(&written, done > 0 ? (size_t)done : 0);
    return done;
}
