// SPDX-License-Identifier: Apache-2.0
// Waits until a file has enough lines that contain certain texts, all in one line: what a test
// waits for instead of sleeping. Exit status 0 when it has, 1 when it has not by the deadline.
//
//   await FILE COUNT SECONDS TEXT...
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#define MS_PER_SEC 1000
#define NS_PER_MS  1000000
#define FIRST_TEXT 4 // in argv

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_SEC + now.tv_nsec / NS_PER_MS;
}

static bool has_all(const char *line, char *const texts[])
{
    for (size_t i = 0; texts[i] != NULL; i++) {
        if (strstr(line, texts[i]) == NULL) {
            return false;
        }
    }
    return true;
}

static long count_lines(const char *path, char *const texts[])
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    char *line = NULL;
    size_t size = 0;
    long count = 0;
    while (getline(&line, &size, file) > 0) {
        count += has_all(line, texts);
    }
    free(line);
    fclose(file);
    return count;
}

// Returns false when nothing happened to the file until `until_ms`.
static bool wait_for_change(int inotify, int64_t until_ms)
{
    int64_t left = until_ms - clock_ms();
    struct pollfd fd = {.fd = inotify, .events = POLLIN};
    if (left <= 0 || poll(&fd, 1, (int)left) <= 0) {
        return false;
    }
    char events[sizeof(struct inotify_event) + NAME_MAX + 1];
    (void)!read(inotify, events, sizeof(events));
    return true;
}

int main(int argc, char **argv)
{
    if (argc <= FIRST_TEXT) {
        fprintf(stderr, "usage: await FILE COUNT SECONDS TEXT...\n");
        return EXIT_FAILURE;
    }
    const char *path = argv[1];
    char *const *texts = argv + FIRST_TEXT;
    long wanted = strtol(argv[2], NULL, 10);
    int64_t until_ms = clock_ms() + strtol(argv[3], NULL, 10) * MS_PER_SEC;
    int file =
        open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600); // it can be watched before it exists
    int inotify = inotify_init1(IN_CLOEXEC);
    if (file < 0 || inotify < 0 || inotify_add_watch(inotify, path, IN_MODIFY) < 0) {
        perror(path);
        return EXIT_FAILURE;
    }
    bool is_waiting = true;
    while (count_lines(path, texts) < wanted) {
        if (!is_waiting) {
            fprintf(stderr, "await: %s has fewer than %ld lines with %s\n", path, wanted, texts[0]);
            return EXIT_FAILURE;
        }
        is_waiting = wait_for_change(inotify, until_ms);
    }
    return EXIT_SUCCESS;
}
