// SPDX-License-Identifier: Apache-2.0
// scepctl restore: a server as it was when a backup was made, here or in a folder of its own.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/base/clock.h"
#include "conf/limits.h"
#include "server/ctl/api.h"
#include "server/ctl/archive/archive.h"
#include "server/ctl/archive/restore_run.h"
#include "server/ctl/interrupt.h"

#define AGE_LEN 64 // bytes of an age in words

static void close_fd(const int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}

static const char *age_of(int64_t seconds, char text[AGE_LEN])
{
    enum { MINUTE = 60 };
    int64_t days = seconds / DAY_SEC;
    int64_t hours = seconds % DAY_SEC / HOUR_SEC;
    if (seconds < 0) {
        snprintf(text, AGE_LEN, "in the future, by this machine's clock");
    } else if (days > 0) {
        snprintf(text, AGE_LEN, "%jd day%s and %jd h ago", (intmax_t)days, days == 1 ? "" : "s",
                 (intmax_t)hours);
    } else {
        snprintf(text, AGE_LEN, "%jd h %02jd min ago", (intmax_t)hours,
                 (intmax_t)(seconds % HOUR_SEC / MINUTE));
    }
    return text;
}

static void print_missing(FILE *out, const struct restore_target *target)
{
    size_t i;
    const json_t *key;
    json_array_foreach(json_object_get(target->manifest, "left_out"), i, key)
    {
        const char *path = api_text(key, "restore_to");
        if (path == NULL) {
            fprintf(out, "Not in the backup: the key in a token that %s names.\n",
                    api_text(key, "setting"));
        } else if (target->into == NULL && access(path, F_OK) != 0) {
            fprintf(out, "Not in the backup and not here: %s (%s)\n", path,
                    api_text(key, "setting"));
        } else if (target->into != NULL) {
            fprintf(out, "Not in the backup: what was %s (%s)\n", path, api_text(key, "setting"));
        }
    }
}

static void print_words(struct ctl *ctl, const struct restore_target *target,
                        const struct restore_result *result, int64_t now)
{
    char age[AGE_LEN];
    const char *settings = api_text(target->manifest, "settings");
    fprintf(ctl->out, "Restored: %ju certificate%s as of %s (%s), and %u file%s",
            (uintmax_t)result->certificates, result->certificates == 1 ? "" : "s",
            api_text(target->manifest, "created_at"),
            age_of(now - api_number(target->manifest, "created"), age), result->files,
            result->files == 1 ? "" : "s");
    if (result->kept > 0) {
        fprintf(ctl->out, " (%u more %s there already, the very same)", result->kept,
                result->kept == 1 ? "was" : "were");
    }
    fputs(".\n", ctl->out);
    print_missing(ctl->out, target);
    fputs("What happened since the backup is not in it. Certificates issued since are still valid\n"
          "  at those who check them, but this server does not know them: it cannot revoke them,\n"
          "  and their phones renew as new ones. Revoke again what was revoked since. One-time\n"
          "  challenges used since can be used again: revoke them (scepctl challenge list).\n"
          "  CRL numbers were moved on, so that nobody takes the next list for an old one.\n",
          ctl->out);
    if (target->into != NULL) {
        fprintf(ctl->out,
                "Next: look through %s/" MANIFEST_SETTINGS
                " (another server may have its port), then scepd -c %s/" MANIFEST_SETTINGS "\n",
                target->into, target->into);
    } else {
        fprintf(ctl->out, "Next: scepd -t -c %s, then start scepd.\n", settings);
    }
}

static enum ctl_exit print_json(struct ctl *ctl, const struct restore_target *target,
                                const struct restore_result *result, int64_t now)
{
    CLEANUP(api_decref)
    json_t *answer = json_pack("{s:I, s:O, s:I, s:i, s:i, s:s?, s:O, s:O}", "certificates",
                               (json_int_t)result->certificates, "created_at",
                               json_object_get(target->manifest, "created_at"), "age_seconds",
                               (json_int_t)(now - api_number(target->manifest, "created")), "files",
                               (int)result->files, "kept", (int)result->kept, "into", target->into,
                               "settings", json_object_get(target->manifest, "settings"),
                               "left_out", json_object_get(target->manifest, "left_out"));
    return answer != NULL ? api_print(ctl, answer)
                          : ctl_complain(ctl, CTL_FAILED, "the folder's name is not UTF-8");
}

static enum err_code verify(struct ctl *ctl, int fd, json_t **ret_manifest, struct err *err)
{
    struct progress progress = progress_begin(ctl->errors, "Checking it", PROGRESS_OCTETS);
    enum err_code code = archive_verify(fd, &progress, ret_manifest, err);
    progress_end(&progress);
    return code;
}

static enum err_code restore(struct ctl *ctl, int fd, const struct restore_target *target,
                             struct restore_result *result, struct err *err)
{
    struct progress progress = progress_begin(ctl->errors, "Restoring", PROGRESS_OCTETS);
    const struct restore_order order = {
        .fd = fd, .target = *target, .progress = &progress, .problems = ctl->errors};
    enum err_code code = restore_target_check(target, err);
    if (code == ERR_OK) {
        code = restore_run(&order, result, err);
    }
    progress_end(&progress);
    return code;
}

static enum ctl_exit run_with(struct ctl *ctl, const char *path, const char *into)
{
    struct err err = {0};
    struct restore_result result = {0};
    CLEANUP(api_decref) json_t *manifest = NULL;
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return ctl_complain(ctl, CTL_USAGE, "cannot open %s: %s", path, strerror(errno));
    }
    if (verify(ctl, fd, &manifest, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_FAILED, "%s: %s; nothing was restored", path, err.text);
    }
    const struct restore_target target = {.manifest = manifest, .into = into};
    if (restore(ctl, fd, &target, &result, &err) != ERR_OK) {
        return ctl_complain(ctl, CTL_FAILED, "%s; nothing was restored", err.text);
    }
    int64_t now = clock_now();
    if (ctl->is_json) {
        return print_json(ctl, &target, &result, now);
    }
    print_words(ctl, &target, &result, now);
    return CTL_OK;
}

// The folder does not exist yet, so it is the one above that is resolved. The caller frees.
static char *absolute(const char *folder)
{
    char *path = NULL;
    if (folder[0] == '/') {
        return strdup(folder);
    }
    char *here = realpath(".", NULL);
    if (here == NULL || asprintf(&path, "%s/%s", here, folder) < 0) {
        path = NULL;
    }
    free(here);
    return path;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    const char *folder = arguments->options[CTL_INTO];
    char *into = NULL;
    if (folder != NULL && folder[0] == '\0') {
        return ctl_complain(ctl, CTL_USAGE, "--into: \"\"; allowed is the name of a new folder");
    }
    if (folder != NULL) {
        into = absolute(folder);
        if (into == NULL) {
            return ctl_complain(ctl, CTL_FAILED, "--into: cannot resolve %s: %m", folder);
        }
    }
    struct interrupt interrupt = interrupt_hold();
    enum ctl_exit code = run_with(ctl, arguments->operand, into);
    interrupt_release(&interrupt);
    free(into);
    return code;
}

static const struct ctl_option options[] = {
    {"into", CTL_INTO, "DIR",
     "put everything into the new folder DIR, with paths that start there, and leave the\n"
     "          places alone that the files came from"},
    {0},
};

const struct ctl_command ctl_restore = {
    .name = "restore",
    .operand = "FILE",
    .summary = "Put back what a backup holds, where nothing is yet. Nothing is overwritten.",
    .options = options,
    .run = run,
};
