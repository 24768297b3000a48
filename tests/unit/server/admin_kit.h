// SPDX-License-Identifier: Apache-2.0
// Questions to the administrator's resources without a socket: what admin.c calls, called.
#pragma once

#include "server/desk_kit.h"

#include <jansson.h>

#include "server/admin/admin_resources.h"

// Asks; `body` NULL = none. The caller gives the answer back; NULL = refused, see `err`.
static inline json_t *admin_kit_ask(struct desk *desk, admin_call *call, const char *item,
                                    const char *body, struct err *err)
{
    json_t *answer = NULL;
    *err = (struct err){0};
    const struct admin_request request = {
        .live = &desk->live,
        .now = desk->bench.now,
        .item = item,
        .body = body != NULL ? view_of_text(body) : VIEW_EMPTY,
    };
    enum err_code code = call(&request, &answer, err);
    assert_int_equal(err->code, code);
    assert_int_equal(answer != NULL, code == ERR_OK);
    return answer;
}

static inline json_t *admin_kit_must(struct desk *desk, admin_call *call, const char *item,
                                     const char *body)
{
    struct err err;
    json_t *answer = admin_kit_ask(desk, call, item, body, &err);
    if (answer == NULL) {
        fail_msg("refused: %s", err.text);
    }
    return answer;
}

// `text` is in the error.
static inline void admin_kit_refused(struct desk *desk, admin_call *call, const char *item,
                                     const char *body, const struct err *expected)
{
    struct err err;
    json_t *answer = admin_kit_ask(desk, call, item, body, &err);
    assert_null(answer);
    assert_says(err.text, expected->text);
    assert_int_equal(err.code, expected->code);
}

// "(none)" when it is no text.
static inline const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "(none)";
}

static inline bool is_null(const json_t *object, const char *key)
{
    return json_is_null(json_object_get(object, key));
}
