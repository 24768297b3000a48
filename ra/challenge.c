// SPDX-License-Identifier: Apache-2.0
#include "ra/challenge.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/base/file.h"
#include "ra/store/record.h"

#define SECRET_MODE_FORBIDDEN 0077 // of a secret's file: nothing for group and others

const char *challenge_state_name(enum challenge_state state)
{
    switch (state) {
    case CHALLENGE_ABSENT:
        return "absent";
    case CHALLENGE_STATIC:
        return "static";
    case CHALLENGE_ONE_TIME:
        return "one_time";
    case CHALLENGE_WRONG:
        return "wrong";
    case CHALLENGE_EXPIRED:
        return "expired";
    case CHALLENGE_USED_UP:
        return "used_up";
    case CHALLENGE_REVOKED:
        return "revoked";
    case CHALLENGE_FOREIGN:
        return "foreign";
    }
    return "unknown";
}

static enum err_code check_mode(const char *setting, const char *path, struct err *err)
{
    struct stat stat_buf;
    if (stat(path, &stat_buf) != 0) {
        return err_set_errno(err, "%s: cannot look at %s", setting, path);
    }
    mode_t mode = stat_buf.st_mode & ALLPERMS;
    if ((mode & SECRET_MODE_FORBIDDEN) != 0) {
        return err_set(err, ERR_CONFIG,
                       "%s: %s has mode %04o; allowed is nothing for group and others (0600)",
                       setting, path, (unsigned)mode);
    }
    return ERR_OK;
}

static enum err_code read_secret(const char *setting, const char *path, struct buf *ret_content,
                                 struct err *err)
{
    enum err_code code = check_mode(setting, path, err);
    if (code != ERR_OK) {
        return code;
    }
    code = file_read(path, LIMIT_FILE_LEN, ret_content, err);
    return code == ERR_LIMIT ? err_set(err, ERR_CONFIG, "%s: %s is longer than %d octets", setting,
                                       path, LIMIT_FILE_LEN)
                             : code;
}

static enum err_code load_key(const char *path, struct buf *ret_key, struct err *err)
{
    static const char setting[] = "challenge.key_file";
    struct buf key = {0};
    enum err_code code = read_secret(setting, path, &key, err);
    if (code != ERR_OK) {
        return code;
    }
    if (key.len < CHALLENGE_KEY_LEN_MIN) {
        code = err_set(err, ERR_CONFIG, "%s: %s has %zu octets; at least %d are needed", setting,
                       path, key.len, CHALLENGE_KEY_LEN_MIN);
        buf_wipe(&key);
        return code;
    }
    *ret_key = key;
    return ERR_OK;
}

static struct view first_line(struct view text)
{
    size_t len = 0;
    while (len < text.len && text.data[len] != '\n') {
        len++;
    }
    while (len > 0 && text.data[len - 1] == '\r') {
        len--;
    }
    return view_of(text.data, len);
}

// -1 when the octets are not UTF-8 or hold a NUL: no challengePassword could ever be equal.
static int count_characters(struct view text)
{
    int count = 0;
    size_t at = 0;
    while (at < text.len) {
        unsigned long character = 0;
        int used = UTF8_getc(text.data + at, (int)(text.len - at), &character);
        if (used <= 0 || character == 0) {
            return -1;
        }
        at += (size_t)used;
        count++;
    }
    return count;
}

static enum err_code check_static(const char *setting, const char *path, struct view text,
                                  struct err *err)
{
    if (text.len > LIMIT_CHALLENGE_LEN) {
        return err_set(err, ERR_CONFIG, "%s: the first line of %s has %zu octets; at most %d",
                       setting, path, text.len, LIMIT_CHALLENGE_LEN);
    }
    int characters = count_characters(text);
    if (characters < 0) {
        return err_set(err, ERR_CONFIG, "%s: the first line of %s is not UTF-8 text", setting,
                       path);
    }
    if (characters < CHALLENGE_STATIC_MIN) {
        return err_set(err, ERR_CONFIG,
                       "%s: the first line of %s has %d characters; at least %d are needed",
                       setting, path, characters, CHALLENGE_STATIC_MIN);
    }
    return ERR_OK;
}

static enum err_code load_static(const char *path, struct view key, uint8_t ret_hash[SHA256_LEN],
                                 struct err *err)
{
    static const char setting[] = "challenge.static_file";
    struct buf content = {0};
    enum err_code code = read_secret(setting, path, &content, err);
    if (code != ERR_OK) {
        return code;
    }
    struct view text = first_line(buf_view(&content));
    code = check_static(setting, path, text, err);
    if (code == ERR_OK) {
        ossl_hmac_sha256(key, text, ret_hash);
    }
    buf_wipe(&content);
    return code;
}

enum err_code challenge_secrets_load(const struct settings *settings,
                                     struct challenge_secrets *ret_secrets, struct err *err)
{
    struct challenge_secrets secrets = {0};
    const char *static_file = settings->challenge.static_file;
    enum err_code code = load_key(settings->challenge.key_file, &secrets.key, err);
    if (code == ERR_OK && static_file != NULL) {
        code = load_static(static_file, buf_view(&secrets.key), secrets.static_hash, err);
        secrets.has_static = code == ERR_OK;
    }
    if (code != ERR_OK) {
        challenge_secrets_done(&secrets);
        return code;
    }
    *ret_secrets = secrets;
    return ERR_OK;
}

void challenge_secrets_done(struct challenge_secrets *secrets)
{
    buf_wipe(&secrets->key);
    OPENSSL_cleanse(secrets, sizeof *secrets);
}

// Writes at most `room` digits; returns how many. Octets from the largest multiple of ten upwards
// are left out: they would make some digits likelier than others.
static size_t digits_of(struct view octets, char *digits, size_t room)
{
    enum { BASE = 10, UNBIASED_BELOW = (UINT8_MAX + 1) / BASE * BASE };
    size_t count = 0;
    for (size_t i = 0; i < octets.len && count < room; i++) {
        if (octets.data[i] < UNBIASED_BELOW) {
            digits[count++] = (char)('0' + octets.data[i] % BASE);
        }
    }
    return count;
}

static enum err_code draw_digits(char ret_text[CHALLENGE_TEXT_LEN], struct err *err)
{
    uint8_t octets[CHALLENGE_DIGITS];
    char text[CHALLENGE_TEXT_LEN] = "";
    size_t count = 0;
    enum err_code code = ERR_OK;
    while (code == ERR_OK && count < CHALLENGE_DIGITS) {
        code = ossl_random(octets, sizeof octets, err);
        if (code == ERR_OK) {
            count +=
                digits_of(view_of(octets, sizeof octets), text + count, CHALLENGE_DIGITS - count);
        }
    }
    if (code == ERR_OK) {
        memcpy(ret_text, text, sizeof text);
    }
    OPENSSL_cleanse(octets, sizeof octets);
    OPENSSL_cleanse(text, sizeof text);
    return code;
}

enum err_code challenge_make(const struct challenge_secrets *secrets,
                             struct store_challenge *challenge, char ret_text[CHALLENGE_TEXT_LEN],
                             struct err *err)
{
    enum err_code code = draw_digits(ret_text, err);
    if (code == ERR_OK) {
        ossl_hmac_sha256(buf_view(&secrets->key), view_of(ret_text, CHALLENGE_DIGITS),
                         challenge->hash);
        record_challenge_id(challenge->hash, challenge->id);
        challenge->uses_left = challenge->uses_allowed;
    }
    return code;
}

// The names the certificate would get: an empty subject is filled with the challenge's CN.
static void fill_names(const struct names *asked, const char *common_name, struct names *ret_filled)
{
    *ret_filled = *asked;
    ret_filled->common_name = NULL;
    if (asked->is_subject_empty && common_name[0] != '\0' && asked->count < NAMES_MAX) {
        struct name *name = &ret_filled->list[ret_filled->count++];
        name->kind = NAME_COMMON_NAME;
        snprintf(name->text, sizeof name->text, "%s", common_name);
        ret_filled->is_subject_empty = false;
        if (!names_find_mac(view_of_text(common_name), ret_filled->mac)) {
            ret_filled->mac[0] = '\0';
        }
    }
    for (unsigned i = 0; i < ret_filled->count && ret_filled->common_name == NULL; i++) {
        if (ret_filled->list[i].kind == NAME_COMMON_NAME) {
            ret_filled->common_name = ret_filled->list[i].text;
        }
    }
}

static bool is_bound_elsewhere(const struct store_challenge *challenge, const struct names *names)
{
    if (challenge->common_name[0] == '\0' && challenge->mac[0] == '\0') {
        return false;
    }
    struct names filled;
    fill_names(names, challenge->common_name, &filled);
    if (filled.common_name == NULL) {
        return true;
    }
    bool is_cn_foreign = challenge->common_name[0] != '\0' &&
                         !names_belong_to_common_name(&filled, challenge->common_name);
    bool is_mac_foreign =
        challenge->mac[0] != '\0' && !names_belong_to_mac(&filled, challenge->mac);
    return is_cn_foreign || is_mac_foreign;
}

static enum challenge_state judge(const struct store_challenge *challenge,
                                  const struct names *names, int64_t now)
{
    if (challenge->is_revoked) {
        return CHALLENGE_REVOKED;
    }
    if (challenge->uses_left == 0) {
        return CHALLENGE_USED_UP;
    }
    if (now >= challenge->expires_at) {
        return CHALLENGE_EXPIRED;
    }
    return is_bound_elsewhere(challenge, names) ? CHALLENGE_FOREIGN : CHALLENGE_ONE_TIME;
}

enum err_code challenge_check(const struct challenge_secrets *secrets, struct store *store,
                              const struct challenge_query *query,
                              struct challenge_result *ret_result, struct err *err)
{
    struct challenge_result result = {.state = CHALLENGE_ABSENT};
    if (query->presented.len == 0) {
        *ret_result = result;
        return ERR_OK;
    }
    ossl_hmac_sha256(buf_view(&secrets->key), query->presented, result.hash);
    bool is_static = view_equal_secret(view_of(result.hash, SHA256_LEN),
                                       view_of(secrets->static_hash, SHA256_LEN));
    struct store_challenge stored = {0};
    enum err_code code = store_find_challenge(store, result.hash, &stored, err);
    if (code != ERR_OK && code != ERR_NOT_FOUND) {
        return code;
    }
    if (secrets->has_static && is_static) {
        result.state = CHALLENGE_STATIC;
    } else if (code == ERR_NOT_FOUND) {
        result.state = CHALLENGE_WRONG;
    } else {
        result.state = judge(&stored, query->names, query->now);
        memcpy(result.id, stored.id, sizeof result.id);
        memcpy(result.common_name, stored.common_name, sizeof result.common_name);
    }
    *ret_result = result;
    return ERR_OK;
}
