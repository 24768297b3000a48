// SPDX-License-Identifier: Apache-2.0
// scepctl device add | import | list | remove: the list of devices that are ours.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "server/ctl/answer.h"
#include "server/ctl/fleet/device_csv.h"
#include "server/ctl/pages.h"

#define COLLECTION    "/v1/devices"
#define LIMIT_DEFAULT 1000

// Sends `take_devices`, a list in the form of the interface.
static enum ctl_exit send_devices(struct ctl *ctl, json_t *take_devices, json_t **ret_answer)
{
    CLEANUP(api_decref) json_t *body = json_pack("{s:o}", "devices", take_devices);
    if (body == NULL) {
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    struct progress progress = progress_begin(ctl->errors, "Sending the devices", PROGRESS_OCTETS);
    const struct api_request request = {
        .method = "POST", .collection = COLLECTION, .body = body, .progress = &progress};
    enum ctl_exit code = api_call(ctl, &request, ret_answer);
    progress_end(&progress);
    return code;
}

static const struct {
    const char *option;
    const char *key;
    enum ctl_option_key place;
} fields[] = {
    {"--mac", "mac", CTL_MAC},
    {"--serial", "serial_number", CTL_SERIAL},
    {"--model", "model", CTL_MODEL},
    {"--note", "note", CTL_NOTE},
};

static enum ctl_exit fill_device(struct ctl *ctl, json_t *device,
                                 const struct ctl_arguments *arguments)
{
    const char *const *options = arguments->options;
    if (options[CTL_MAC] == NULL && options[CTL_SERIAL] == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "device add needs --mac or --serial");
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *text = options[fields[i].place];
        if (text != NULL && json_object_set_new(device, fields[i].key, json_string(text)) != 0) {
            return ctl_complain(ctl, CTL_USAGE, "%s: \"%s\" is not UTF-8 text", fields[i].option,
                                text);
        }
    }
    return CTL_OK;
}

static enum ctl_exit run_add(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    CLEANUP(api_decref) json_t *answer = NULL;
    CLEANUP(api_decref) json_t *device = json_object();
    enum ctl_exit code = fill_device(ctl, device, arguments);
    if (code == CTL_OK) {
        code = send_devices(ctl, json_pack("[O]", device), &answer);
    }
    if (code != CTL_OK) {
        return code;
    }
    if (ctl->is_json) {
        return api_print(ctl, answer);
    }
    fputs(api_number(answer, "changed") > 0
              ? "The device was on the list already; its entry is replaced.\n"
              : "The device is on the list.\n",
          ctl->out);
    return CTL_OK;
}

static void tell_problems(struct ctl *ctl, const char *name, const json_t *problems)
{
    size_t i;
    const json_t *problem;
    json_array_foreach(problems, i, problem)
    {
        ctl_complain(ctl, CTL_FAILED, "%s:%jd: %s", name, (intmax_t)api_number(problem, "line"),
                     api_text(problem, "message"));
    }
}

static enum ctl_exit tell_import(struct ctl *ctl, const struct device_csv *csv,
                                 const json_t *imported)
{
    size_t bad = json_array_size(csv->problems);
    size_t count = json_array_size(csv->devices);
    int64_t changed = api_number(imported, "changed");
    if (ctl->is_json) {
        CLEANUP(api_decref)
        json_t *answer = json_pack("{s:I, s:I, s:O}", "added", (json_int_t)count, "changed",
                                   (json_int_t)changed, "bad_lines", csv->problems);
        enum ctl_exit code = api_print(ctl, answer);
        return bad == 0 ? code : CTL_FAILED;
    }
    fprintf(ctl->out, "%zu device%s imported, %zu bad line%s left out.\n", count,
            count == 1 ? "" : "s", bad, bad == 1 ? "" : "s");
    if (changed > 0) {
        fprintf(ctl->out, "%jd of them %s on the list already; what stood there is replaced.\n",
                (intmax_t)changed, changed == 1 ? "was" : "were");
    }
    return bad == 0 ? CTL_OK : CTL_FAILED;
}

// The good lines in one request, so that all of them count or, when scepd says no, none.
static enum ctl_exit import(struct ctl *ctl, const char *name, const struct device_csv *csv)
{
    CLEANUP(api_decref) json_t *answer = NULL;
    size_t count = json_array_size(csv->devices);
    if (count == 0 && json_array_size(csv->problems) == 0) {
        return ctl_complain(ctl, CTL_FAILED, "%s has no devices; nothing is imported", name);
    }
    tell_problems(ctl, name, csv->problems);
    if (count > 0) {
        enum ctl_exit code = send_devices(ctl, json_incref(csv->devices), &answer);
        if (code != CTL_OK) {
            ctl_complain(ctl, code, "none of the %zu devices of %s is imported", count, name);
            return code;
        }
    }
    return tell_import(ctl, csv, answer);
}

static enum ctl_exit run_import(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    struct err err = {0};
    CLEANUP(device_csv_done) struct device_csv csv = {0};
    bool is_stdin = strcmp(arguments->operand, "-") == 0;
    const char *name = is_stdin ? "standard input" : arguments->operand;
    FILE *in = is_stdin ? stdin : fopen(arguments->operand, "re");
    if (in == NULL) {
        return ctl_complain(ctl, CTL_USAGE, "cannot open %s: %s", name, strerror(errno));
    }
    enum err_code code = device_csv_read(in, &csv, &err);
    if (!is_stdin) {
        fclose(in);
    }
    if (code != ERR_OK) {
        return ctl_complain(ctl, CTL_FAILED, "%s: %s; nothing is imported", name, err.text);
    }
    return import(ctl, name, &csv);
}

static const struct answer_column columns[] = {
    {"MAC", "mac"},   {"SERIAL NUMBER", "serial_number"}, {"MODEL", "model"}, {"ADDED", "added_at"},
    {"NOTE", "note"},
};

static enum ctl_exit print_list(struct ctl *ctl, json_t *list, json_t *after)
{
    if (ctl->is_json) {
        CLEANUP(api_decref)
        json_t *answer = json_pack("{s:O, s:O}", "next_after", after, "devices", list);
        return api_print(ctl, answer);
    }
    enum ctl_exit code = answer_rows(ctl, list, columns, sizeof columns / sizeof columns[0]);
    if (code == CTL_OK) {
        pages_tell_more(ctl, after);
    }
    return code;
}

static enum ctl_exit run_list(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    struct pages pages = {.collection = COLLECTION, .member = "devices"};
    enum ctl_exit code = pages_read_limit(ctl, arguments, LIMIT_DEFAULT, &pages.limit);
    if (code != CTL_OK) {
        return code;
    }
    CLEANUP(api_decref) json_t *list = json_array();
    CLEANUP(api_decref) json_t *after = NULL;
    code = pages_get(ctl, &pages, list, &after, NULL);
    return code == CTL_OK ? print_list(ctl, list, after) : code;
}

static enum ctl_exit run_remove(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    CLEANUP(api_decref) json_t *answer = NULL;
    const struct api_request request = {
        .method = "DELETE", .collection = COLLECTION, .item = arguments->operand};
    enum ctl_exit code = api_call(ctl, &request, &answer);
    if (code != CTL_OK) {
        return code;
    }
    if (ctl->is_json) {
        return api_print(ctl, answer);
    }
    fputs("The device is no longer on the list.\n", ctl->out);
    return CTL_OK;
}

static const struct ctl_option add_options[] = {
    {"mac", CTL_MAC, "MAC", "its MAC address, in any usual notation"},
    {"serial", CTL_SERIAL, "SERIAL", "its serial number, as printed on it"},
    {"model", CTL_MODEL, "MODEL", "only if it is this model: CP-8861, 9871"},
    {"note", CTL_NOTE, "TEXT", "words of your own"},
    {0},
};

const struct ctl_command ctl_device_add = {
    .name = "device",
    .action = "add",
    .summary = "Put a device on the device list, or change what stands there.",
    .options = add_options,
    .run = run_add,
};

const struct ctl_command ctl_device_import = {
    .name = "device",
    .action = "import",
    .operand = "FILE.csv|-",
    .summary = "Put the devices of a CSV file (mac,serial,model,note) on the device list.",
    .run = run_import,
};

static const struct ctl_option list_options[] = {
    {"limit", CTL_LIMIT, "N", "at most so many (1000)"},
    {0},
};

const struct ctl_command ctl_device_list = {
    .name = "device",
    .action = "list",
    .summary = "List the devices of the device list.",
    .options = list_options,
    .run = run_list,
};

const struct ctl_command ctl_device_remove = {
    .name = "device",
    .action = "remove",
    .operand = "MAC|SERIAL",
    .summary = "Take a device off the device list.",
    .run = run_remove,
};
