// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/fleet/story.h"

#include <string.h>

#include <curl/curl.h>

#include "conf/base/attributes.h"
#include "server/ctl/color.h"
#include "server/ctl/table.h"

#define LINE_LEN   1024 // bytes of one line before it is escaped
#define WORD_WIDTH 17   // of the longest event's name

DEFINE_CLEANUP(char *, curl_free);

static enum color color_of(const char *event)
{
    static const struct {
        const char *event;
        enum color color;
    } colors[] = {
        {"issued", COLOR_GOOD},    {"renewed", COLOR_GOOD},          {"approved", COLOR_GOOD},
        {"pending", COLOR_WAITS},  {"pending_expired", COLOR_WAITS}, {"unlisted", COLOR_WAITS},
        {"repeated", COLOR_FAINT}, {"refused", COLOR_BAD},           {"denied", COLOR_BAD},
        {"revoked", COLOR_BAD},    {"challenge_made", COLOR_FAINT},
    };
    for (size_t i = 0; i < sizeof colors / sizeof colors[0]; i++) {
        if (strcmp(event, colors[i].event) == 0) {
            return colors[i].color;
        }
    }
    return COLOR_PLAIN;
}

struct line {
    char text[LINE_LEN];
    size_t len;
};

// Adds `before` and the member's text, with a comma in front of all but the first.
static void add(struct line *line, const json_t *event, const char *before, const char *key)
{
    const char *text = api_text(event, key);
    if (text == NULL || line->len >= LINE_LEN) {
        return;
    }
    int len = snprintf(line->text + line->len, LINE_LEN - line->len, "%s%s%s",
                       line->len > 0 ? ", " : "", before, text);
    line->len += len > 0 ? (size_t)len : 0;
}

static void add_reason(struct line *line, const json_t *event)
{
    const char *reason = api_text(event, "reason");
    if (reason == NULL || line->len >= LINE_LEN) {
        add(line, event, "", "detail");
        return;
    }
    bool is_first = line->len == 0;
    add(line, event, "", "reason");
    const char *detail = api_text(event, "detail");
    if (detail != NULL && line->len < LINE_LEN) {
        int len = snprintf(line->text + line->len, LINE_LEN - line->len,
                           is_first ? ": %s" : " (%s)", detail);
        line->len += len > 0 ? (size_t)len : 0;
    }
}

// Nothing proves a claim, whoever's story it stands in.
static void add_device(struct line *line, const json_t *event, bool is_claimed)
{
    const char *name = api_text(event, "common_name");
    add(line, event, is_claimed ? "unproven: claims to be " : "",
        name != NULL ? "common_name" : "device");
}

// Of a signer that is not accepted; most reasons name it already.
static void add_issuer(struct line *line, const json_t *event)
{
    const char *issuer = api_text(event, "mic_issuer");
    const char *detail = api_text(event, "detail");
    if (issuer != NULL && (detail == NULL || strstr(detail, issuer) == NULL)) {
        add(line, event, "its issuer ", "mic_issuer");
    }
}

static void compose(struct line *line, const struct story *story, const json_t *event)
{
    bool is_claimed = json_is_true(json_object_get(event, "claimed"));
    if (story->names_device || is_claimed) {
        add_device(line, event, is_claimed);
    }
    add(line, event, "certificate ", "serial");
    add_reason(line, event);
    add_issuer(line, event);
    add(line, event, "by ", "authorised_by");
    add(line, event, "answered ", "fail_info");
    add(line, event, "model ", "model");
    add(line, event, "from ", "peer");
}

enum ctl_exit story_print(struct ctl *ctl, const struct story *story, const json_t *event)
{
    struct line line = {.text = ""};
    struct buf escaped = {0};
    const char *at = api_text(event, "at");
    const char *word = api_text(event, "event");
    compose(&line, story, event);
    if (table_escape(&escaped, line.text, NULL) != ERR_OK) {
        buf_done(&escaped);
        return ctl_complain(ctl, CTL_FAILED, "out of memory");
    }
    word = word != NULL ? word : "?";
    enum color color = color_of(word);
    int padding = WORD_WIDTH - (int)strlen(word);
    fprintf(ctl->out, "%s  %s%s%s%*s", at != NULL ? at : "?", color_begin(story->is_colored, color),
            word, color_end(story->is_colored, color), padding > 0 ? padding : 0, "");
    if (escaped.len > 0) {
        fprintf(ctl->out, "  %.*s", (int)escaped.len, (const char *)escaped.data);
    }
    buf_done(&escaped);
    return fputc('\n', ctl->out) != EOF ? CTL_OK
                                        : ctl_complain(ctl, CTL_FAILED, "cannot write the output");
}

char *story_query(struct ctl *ctl, const char *device)
{
    char *query = NULL;
    CLEANUP(cleanup_curl_free) char *escaped = curl_easy_escape(NULL, device, 0);
    if (escaped == NULL || asprintf(&query, "/v1/events?of=%s", escaped) < 0) {
        ctl_complain(ctl, CTL_FAILED, "out of memory");
        return NULL;
    }
    return query;
}
