// SPDX-License-Identifier: Apache-2.0
// The one writer of HTML: markup is a literal of our own source, everything else goes through
// an escape that leaves nothing a browser could take for markup and nothing that changes how the
// text around it reads.
#pragma once

#include "conf/base/buf.h"

#define HTML_DASH "\xE2\x80\x93" // an en dash, for what there is none of

struct html {
    struct buf *out; // not owned
    bool failed;     // out of memory, or a conversion that is not known: nothing more is written
};

// Appends markup with its conversions filled in: %s text (escaped; NULL is a dash), %jd a whole
// number, %% a percent sign; no others, and no flags or widths. In text and in quoted attribute
// values: & < > " ' become references. What shows nothing or turns the order of its neighbours
// around (control characters, U+200B to U+200F, U+202A to U+202E, U+2028, U+2029, U+2060 to U+206F,
// U+061C, U+FEFF) is shown as \u{202E}, and octets that are no UTF-8 as \x{FF}.
void html_add(struct html *html, const char *markup, ...) PRINTF_LIKE(2, 3);

// Appends one segment of a URL's path or one value of its query: all but letters, digits and "-._~"
// percent-encoded.
void html_add_url(struct html *html, const char *text);

// ERR_OK, or ERR_NOMEM when something is missing in the text.
enum err_code html_finish(const struct html *html, struct err *err) MUST_CHECK;
