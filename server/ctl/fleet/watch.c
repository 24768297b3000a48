// SPDX-License-Identifier: Apache-2.0
// scepctl watch: events as they happen. Asks scepd once a second, also one that does not answer for
// a while; SIGINT and SIGTERM end it between two questions.
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "conf/base/attributes.h"
#include "server/admin/admin_resources.h"
#include "server/ctl/color.h"
#include "server/ctl/fleet/story.h"
#include "server/ctl/pages.h"
#include "server/ctl/read.h"

#define EVERY_SEC 1
#define FOREVER   INT64_MAX

DEFINE_CLEANUP(char *, free);

struct watch {
    struct ctl *ctl;
    struct story story;
    char *query; // without after=
    json_int_t after;
    int64_t left; // events to show
    bool is_cut;  // scepd did not answer the last question
};

static void watch_done(struct watch *watch)
{
    free(watch->query);
}

static enum ctl_exit show(struct watch *watch, const json_t *event)
{
    struct ctl *ctl = watch->ctl;
    watch->after = api_number(event, "id");
    watch->left--;
    if (!ctl->is_json) {
        return story_print(ctl, &watch->story, event);
    }
    return json_dumpf(event, ctl->out, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 &&
                   fputc('\n', ctl->out) != EOF
               ? CTL_OK
               : ctl_complain(ctl, CTL_FAILED, "cannot write the output");
}

static enum ctl_exit show_all(struct watch *watch, const json_t *events)
{
    size_t i;
    const json_t *event;
    json_array_foreach(events, i, event)
    {
        enum ctl_exit code = watch->left > 0 ? show(watch, event) : CTL_OK;
        if (code != CTL_OK) {
            return code;
        }
    }
    return fflush(watch->ctl->out) == 0
               ? CTL_OK
               : ctl_complain(watch->ctl, CTL_FAILED, "cannot write the output");
}

// Says once that scepd does not answer, and once that it does again.
static void note_answer(struct watch *watch, bool is_unreachable)
{
    if (is_unreachable && !watch->is_cut) {
        ctl_complain(watch->ctl, CTL_OK, "scepd does not answer; asking again each second");
    } else if (!is_unreachable && watch->is_cut) {
        ctl_complain(watch->ctl, CTL_OK, "scepd answers again");
    }
    watch->is_cut = is_unreachable;
}

// What is new since the last time; all pages of it, so that a burst does not fall behind.
static enum ctl_exit look(struct watch *watch)
{
    size_t count = 0;
    do {
        CLEANUP(cleanup_free) char *query = NULL;
        CLEANUP(api_decref) json_t *page = NULL;
        if (asprintf(&query, "%slimit=%d&after=%jd", watch->query, ADMIN_PAGE_MAX,
                     (intmax_t)watch->after) < 0) {
            query = NULL;
            return ctl_complain(watch->ctl, CTL_FAILED, "out of memory");
        }
        bool is_unreachable = false;
        const struct api_request request = {
            .method = "GET", .collection = query, .ret_is_unreachable = &is_unreachable};
        enum ctl_exit code = api_call(watch->ctl, &request, &page);
        note_answer(watch, is_unreachable);
        if (is_unreachable) {
            return CTL_OK; // to be asked again
        }
        if (code == CTL_OK) {
            count = json_array_size(json_object_get(page, "events"));
            code = show_all(watch, json_object_get(page, "events"));
        }
        if (code != CTL_OK) {
            return code;
        }
    } while (count == ADMIN_PAGE_MAX && watch->left > 0);
    return CTL_OK;
}

// Whatever happens from now on comes behind the last event of the history.
static enum ctl_exit find_end(struct watch *watch)
{
    CLEANUP(api_decref) json_t *page = NULL;
    const struct api_request request = {.method = "GET", .collection = "/v1/events?last=1"};
    enum ctl_exit code = api_call(watch->ctl, &request, &page);
    if (code == CTL_OK) {
        watch->after = api_number(json_array_get(json_object_get(page, "events"), 0), "id");
    }
    return code;
}

// False when it is time to end.
static bool wait_for_time(const sigset_t *ends)
{
    const struct timespec pause = {.tv_sec = EVERY_SEC};
    return sigtimedwait(ends, NULL, &pause) < 0;
}

static enum ctl_exit follow(struct watch *watch)
{
    sigset_t ends;
    sigset_t before;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &ends, &before) != 0) {
        return ctl_complain(watch->ctl, CTL_FAILED, "cannot set up signals");
    }
    enum ctl_exit code = CTL_OK;
    do {
        code = look(watch);
    } while (code == CTL_OK && watch->left > 0 && wait_for_time(&ends));
    sigprocmask(SIG_SETMASK, &before, NULL);
    return code;
}

static enum ctl_exit make_query(struct watch *watch, const char *device)
{
    CLEANUP(cleanup_free) char *of = device != NULL ? story_query(watch->ctl, device) : NULL;
    if (device != NULL && of == NULL) {
        return CTL_FAILED;
    }
    const char *end = of != NULL ? "&" : "?";
    if (asprintf(&watch->query, "%s%s", of != NULL ? of : "/v1/events", end) < 0) {
        watch->query = NULL;
        return ctl_complain(watch->ctl, CTL_FAILED, "out of memory");
    }
    return CTL_OK;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
    CLEANUP(watch_done)
    struct watch watch = {
        .ctl = ctl,
        .story = {.is_colored = color_is_wanted(ctl->out), .names_device = true},
    };
    enum ctl_exit code = pages_read_limit(ctl, arguments, FOREVER, &watch.left);
    if (code == CTL_OK) {
        code = make_query(&watch, arguments->operand);
    }
    if (code == CTL_OK) {
        code = find_end(&watch);
    }
    return code == CTL_OK ? follow(&watch) : code;
}

static const struct ctl_option options[] = {
    {"limit", CTL_LIMIT, "N", "end after so many events"},
    {0},
};

const struct ctl_command ctl_watch = {
    .name = "watch",
    .operand = "CN|MAC",
    .is_operand_optional = true,
    .summary = "Show events as they happen, of one phone or all, until it is interrupted.",
    .options = options,
    .run = run,
};
