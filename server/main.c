// SPDX-License-Identifier: Apache-2.0
// scepd: the SCEP server. Options and exit status; the rest is in daemon.c.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/base/clock.h"
#include "conf/base/log.h"
#include "conf/base/process.h"
#include "server/daemon.h"
#include "server/reload.h"

#define EXIT_BAD_SETTINGS 2 // and a wrong command line
#define USAGE                                                                                      \
    "usage: scepd -c FILE     serve\n"                                                             \
    "       scepd -e -c FILE  serve, with a scepd-ca that is a service of its own\n"               \
    "       scepd -t -c FILE  check the settings and what they name\n"                             \
    "       scepd -V | -h     print the version, or this\n"

struct options {
    const char *settings_path;
    bool is_ca_external;
    bool is_check;
    bool is_version;
    bool is_help;
};

static bool parse_options(int argc, char **argv, struct options *ret_options)
{
    struct options options = {0};
    int option;
    while ((option = getopt(argc, argv, "c:etVh")) != -1) {
        switch (option) {
        case 'c':
            options.settings_path = optarg;
            break;
        case 'e':
            options.is_ca_external = true;
            break;
        case 't':
            options.is_check = true;
            break;
        case 'V':
            options.is_version = true;
            break;
        case 'h':
            options.is_help = true;
            break;
        default:
            return false;
        }
    }
    *ret_options = options;
    bool is_enough = options.settings_path != NULL || options.is_version || options.is_help;
    return optind == argc && is_enough;
}

static int exit_status(enum err_code code)
{
    if (code == ERR_OK) {
        return EXIT_SUCCESS;
    }
    return code == ERR_CONFIG ? EXIT_BAD_SETTINGS : EXIT_FAILURE;
}

static int check(const char *settings_path)
{
    struct err err = {0};
    struct settings *settings = NULL;
    struct policy *policy = NULL;
    enum err_code code = reload_settings(settings_path, false, &settings, &err);
    if (code == ERR_OK) {
        code = reload_policy(settings, clock_now(), &policy, &err);
    }
    policy_unref(policy);
    if (code == ERR_OK) {
        puts("ok");
    } else {
        fprintf(stderr, "scepd: %s\n", err.text);
    }
    return exit_status(code);
}

static int serve(const struct options *options)
{
    struct err err = {0};
    const struct daemon_options chosen = {
        .settings_path = options->settings_path,
        .is_ca_external = options->is_ca_external,
    };
    enum err_code code = daemon_run(&chosen, &err);
    if (code == ERR_OK) {
        log_message(LOG_LEVEL_INFO, "end", "ended by a signal");
    } else {
        log_failure(LOG_LEVEL_ERROR, "end", &err);
    }
    return exit_status(code);
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct options options;
    enum err_code code = process_harden(&err);
    log_init("scepd", LOG_LEVEL_INFO);
    if (code != ERR_OK) {
        log_failure(LOG_LEVEL_ERROR, "start", &err);
        return EXIT_FAILURE;
    }
    if (!parse_options(argc, argv, &options)) {
        fputs(USAGE, stderr);
        return EXIT_BAD_SETTINGS;
    }
    if (options.is_help) {
        fputs(USAGE, stdout);
        return EXIT_SUCCESS;
    }
    if (options.is_version) {
        puts("scepd " SCEPD_VERSION);
        return EXIT_SUCCESS;
    }
    return options.is_check ? check(options.settings_path) : serve(&options);
}
