// SPDX-License-Identifier: Apache-2.0
#include "server/phone/caps.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *word;
    size_t offset; // of the flag
} words[] = {
    {"AES", offsetof(struct phone_caps, aes)},
    {"DES3", offsetof(struct phone_caps, des3)},
    {"GetNextCACert", offsetof(struct phone_caps, next_ca)},
    {"POSTPKIOperation", offsetof(struct phone_caps, post)},
    {"Renewal", offsetof(struct phone_caps, renewal)},
    {"SHA-1", offsetof(struct phone_caps, sha1)},
    {"SHA-256", offsetof(struct phone_caps, sha256)},
    {"SHA-512", offsetof(struct phone_caps, sha512)},
    {"SCEPStandard", offsetof(struct phone_caps, standard)},
};

static bool is_blank(uint8_t octet)
{
    return octet == ' ' || octet == '\t' || octet == '\r';
}

static struct view trim(struct view line)
{
    while (line.len > 0 && is_blank(line.data[0])) {
        line = view_of(line.data + 1, line.len - 1);
    }
    while (line.len > 0 && is_blank(line.data[line.len - 1])) {
        line.len--;
    }
    return line;
}

static void note_word(struct phone_caps *caps, struct view word)
{
    if (word.len == 0) {
        return;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (view_is_text(word, words[i].word)) {
            *(bool *)((char *)caps + words[i].offset) = true;
            caps->known++;
            return;
        }
    }
    caps->unknown++;
}

struct phone_caps phone_caps_read(struct view body)
{
    struct phone_caps caps = {0};
    while (body.len > 0) {
        const uint8_t *end = memchr(body.data, '\n', body.len);
        size_t len = end != NULL ? (size_t)(end - body.data) : body.len;
        size_t used = end != NULL ? len + 1 : len;
        note_word(&caps, trim(view_of(body.data, len)));
        body = view_of(body.data + used, body.len - used);
    }
    if (caps.standard) {
        caps.aes = true;
        caps.sha256 = true;
        caps.post = true;
    }
    return caps;
}
