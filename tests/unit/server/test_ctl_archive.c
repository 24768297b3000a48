// SPDX-License-Identifier: Apache-2.0
// Backups as scepctl reads them: whole ones, and all that somebody or something may do to one.
#include "server/backup_kit.h"

#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>

#include "conf/base/file.h"
#include "server/ctl/archive/tar_reader.h"

#define NAME      "backup.tar"
#define BLOCK_LEN 512

static int set_up(void **state)
{
    *state = kit_new_folder();
    return 0;
}

static int tear_down(void **state)
{
    kit_remove_folder(*state);
    return 0;
}

#define FOLDER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void assert_refused(const char *folder, enum err_code code, const char *words)
{
    struct err err;
    json_t *manifest = NULL;
    enum err_code got = backup_kit_verify(folder, NAME, &manifest, &err);
    if (got != code || strstr(err.text, words) == NULL) {
        fail_msg("%s \"%s\" instead of %s \"%s\"", err_name(got), err.text, err_name(code), words);
    }
    assert_null(manifest);
}

static struct buf read_archive(const char *folder)
{
    struct buf content = {0};
    char *path = kit_path(folder, NAME);
    assert_int_equal(file_read(path, 1048576, &content, NULL), ERR_OK);
    free(path);
    return content;
}

static void write_archive(const char *folder, struct view content)
{
    char *path = kit_path(folder, NAME);
    unlink(path);
    // Not kit_write(), which waits for the disk: this is done thousands of times.
    FILE *out = fopen(path, "we");
    assert_non_null(out);
    assert_int_equal(fwrite(content.data, 1, content.len, out), content.len);
    assert_int_equal(fclose(out), 0);
    free(path);
}

static void test_whole(void **state)
{
    struct err err;
    json_t *expected = backup_kit_manifest();
    json_t *manifest = NULL;
    backup_kit_write(*state, NAME, expected);
    if (backup_kit_verify(*state, NAME, &manifest, &err) != ERR_OK) {
        fail_msg("%s", err.text);
    }
    assert_true(json_equal(manifest, expected));
    struct stat status;
    char *path = kit_path(*state, NAME);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    free(path);
    json_decref(manifest);
    json_decref(expected);
}

// Cut off at every block: refused, or only the zeroes at its end are missing.
static void test_cut_off(void **state)
{
    json_t *expected = backup_kit_manifest();
    backup_kit_write(*state, NAME, expected);
    struct buf whole = read_archive(*state);
    unsigned refused = 0;
    unsigned taken = 0;
    for (size_t len = 0; len < whole.len; len += BLOCK_LEN) {
        struct err err;
        json_t *manifest = NULL;
        write_archive(*state, view_of(whole.data, len));
        if (backup_kit_verify(*state, NAME, &manifest, &err) == ERR_OK) {
            assert_true(json_equal(manifest, expected));
            taken++;
        } else {
            assert_int_equal(taken, 0);
            assert_true(err.text[0] != '\0');
            refused++;
        }
        json_decref(manifest);
    }
    // Four members with a header each, and at least a block of content.
    assert_true(refused >= 8);
    assert_true(taken <= 2);
    buf_done(&whole);
    json_decref(expected);
}

// One bit in every octet: refused, or it was in octets that nobody looks at.
static void test_flipped_bits(void **state)
{
    json_t *expected = backup_kit_manifest();
    backup_kit_write(*state, NAME, expected);
    struct buf whole = read_archive(*state);
    unsigned refused = 0;
    for (size_t i = 0; i < whole.len; i++) {
        struct err err;
        json_t *manifest = NULL;
        whole.data[i] ^= (uint8_t)(1u << (i % 8));
        write_archive(*state, buf_view(&whole));
        whole.data[i] ^= (uint8_t)(1u << (i % 8));
        if (backup_kit_verify(*state, NAME, &manifest, &err) == ERR_OK) {
            assert_true(json_equal(manifest, expected));
        } else {
            refused++;
        }
        json_decref(manifest);
    }
    assert_true(refused > strlen(BACKUP_KIT_STORE BACKUP_KIT_CONFIG) + 1000);
    buf_done(&whole);
    json_decref(expected);
}

// --- Tar files that no scepctl made.

struct member {
    const char *name;
    unsigned type;      // AE_IF...
    const char *link;   // of a symbolic link
    const char *hard;   // of a hard link
    const char *repeat; // a second member of this name
};

static void add_member(struct archive *archive, const char *name, const struct member *member)
{
    static const char content[] = "content";
    struct archive_entry *entry = archive_entry_new();
    bool has_content = member->type == AE_IFREG && member->hard == NULL;
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, member->type);
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_size(entry, has_content ? (la_int64_t)sizeof content : 0);
    if (member->link != NULL) {
        archive_entry_set_symlink(entry, member->link);
    }
    if (member->hard != NULL) {
        archive_entry_set_hardlink(entry, member->hard);
    }
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    if (has_content) {
        assert_int_equal(archive_write_data(archive, content, sizeof content), sizeof content);
    }
    archive_entry_free(entry);
}

static void write_members(const char *folder, const struct member *member)
{
    char *path = kit_path(folder, NAME);
    struct archive *archive = archive_write_new();
    unlink(path);
    assert_int_equal(archive_write_set_format_gnutar(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    add_member(archive, member->name, member);
    if (member->repeat != NULL) {
        add_member(archive, member->repeat, member);
    }
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    free(path);
}

static void test_hostile_members(void **state)
{
    static const char names[] = "allowed are relative names without \"..\"";
    static const struct {
        struct member member;
        const char *words;
    } rows[] = {
        {{.name = "../x", .type = AE_IFREG}, names},
        {{.name = "a/../../x", .type = AE_IFREG}, names},
        {{.name = "a/..", .type = AE_IFREG}, names},
        {{.name = "..", .type = AE_IFREG}, names},
        {{.name = "/etc/passwd", .type = AE_IFREG}, names},
        {{.name = "./x", .type = AE_IFREG}, names},
        {{.name = "a//x", .type = AE_IFREG}, names},
        {{.name = "a\nb", .type = AE_IFREG}, names},
        {{.name = "a\x1b[2J", .type = AE_IFREG}, names},
        {{.name = "x", .type = AE_IFLNK, .link = "/etc"}, "\"x\" in it is not a regular file"},
        {{.name = "x", .type = AE_IFREG, .hard = "/etc/passwd"}, "not a regular file"},
        {{.name = "x", .type = AE_IFIFO}, "not a regular file"},
        {{.name = "x", .type = AE_IFCHR}, "not a regular file"},
        {{.name = "x", .type = AE_IFDIR}, "relative names"},
        {{.name = "x", .type = AE_IFREG, .repeat = "x"}, "\"x\" is in it twice"},
        {{.name = "\xff", .type = AE_IFREG}, "not UTF-8"},
        {{.name = "x", .type = AE_IFREG}, MANIFEST_NAME " is missing"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_members(*state, &rows[i].member);
        assert_refused(*state, ERR_SYNTAX, rows[i].words);
    }
}

// A header that claims more than the file can hold, with a checksum that fits.
static void test_huge_size(void **state)
{
    enum { SIZE_AT = 124, SIZE_LEN = 12, SUM_AT = 148, SUM_LEN = 8 };
    static const char *const sizes[] = {"77777777777", "00000200000"};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const struct member member = {.name = "x", .type = AE_IFREG};
        write_members(*state, &member);
        struct buf whole = read_archive(*state);
        memcpy(whole.data + SIZE_AT, sizes[i], SIZE_LEN - 1);
        memset(whole.data + SUM_AT, ' ', SUM_LEN);
        unsigned sum = 0;
        for (size_t at = 0; at < BLOCK_LEN; at++) {
            sum += whole.data[at];
        }
        char text[SUM_LEN];
        snprintf(text, sizeof text, "%06o", sum);
        memcpy(whole.data + SUM_AT, text, SUM_LEN - 1);
        write_archive(*state, buf_view(&whole));
        assert_refused(*state, ERR_SYNTAX, "claims to be longer than the file it is in");
        buf_done(&whole);
    }
}

static void test_no_archive(void **state)
{
    static const char *const texts[] = {"", "hello", "\x1f\x8b\x08\x00gzip?"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_archive(*state, view_of_text(texts[i]));
        assert_refused(*state, ERR_SYNTAX, "it is damaged or no archive of scepctl");
    }
}

// --- Manifests with a right hash that nobody should believe.

static void test_hostile_manifests(void **state)
{
    static const struct {
        const char *list; // NULL = the manifest itself
        size_t index;
        const char *key;
        const char *value; // JSON; NULL = the member is taken out
        enum err_code code;
        const char *words;
    } rows[] = {
        {NULL, 0, "format", "2", ERR_CONFIG, "has format 2, this program knows 1"},
        {NULL, 0, "format", "\"1\"", ERR_SYNTAX, "does not say its format"},
        {NULL, 0, "files", "[]", ERR_SYNTAX, "no store or no settings"},
        {NULL, 0, "files", "{}", ERR_SYNTAX, "no good \"files\""},
        {NULL, 0, "created", NULL, ERR_SYNTAX, "no good \"created\""},
        {NULL, 0, "has_keys", "1", ERR_SYNTAX, "no good \"has_keys\""},
        {NULL, 0, "settings", "\"scepd.conf\"", ERR_SYNTAX, "not an absolute path"},
        {NULL, 0, "store", "\"/var/other\"", ERR_SYNTAX, "no store or no settings"},
        {NULL, 0, "admin_socket", "\"/run/../x\"", ERR_SYNTAX, "not an absolute path"},
        {"files", 1, "path", "\"../scepd.conf\"", ERR_SYNTAX, "files[1]: a path"},
        {"files", 1, "path", "\"/scepd.conf\"", ERR_SYNTAX, "files[1]: a path"},
        {"files", 1, "path", "\"store/data.mdb\"", ERR_SYNTAX, "files[1]: a path"},
        {"files", 1, "path", "\"other.conf\"", ERR_SYNTAX, "no store or no settings"},
        {"files", 1, "restore_to", "\"etc/scepd.conf\"", ERR_SYNTAX, "files[1]: a path"},
        {"files", 1, "restore_to", "\"/etc/../scepd.conf\"", ERR_SYNTAX, "files[1]: a path"},
        {"files", 1, "restore_to", "\"/var/x/store/data.mdb\"", ERR_SYNTAX, "files[1]: a path"},
        {"files", 1, "mode", "\"4755\"", ERR_SYNTAX, "files[1]: a mode"},
        {"files", 1, "mode", "\"600\"", ERR_SYNTAX, "files[1]: a mode"},
        {"files", 1, "mode", "384", ERR_SYNTAX, "files[1]: a mode"},
        {"files", 1, "owner", "\"\"", ERR_SYNTAX, "files[1]: a mode, owner"},
        {"files", 1, "group", NULL, ERR_SYNTAX, "files[1]: a mode, owner"},
        {"files", 1, "size", "-1", ERR_SYNTAX, "files[1]: no good size"},
        {"files", 1, "size", "14", ERR_SYNTAX, "scepd.conf in it is damaged"},
        {"files", 1, "sha256", "\"00\"", ERR_SYNTAX, "files[1]: no good size"},
        {"files", 1, "is_key", NULL, ERR_SYNTAX, "files[1]: no good size"},
        {"links", 0, "target", "\"../x\"", ERR_SYNTAX, "links[0]: it leads elsewhere"},
        {"links", 0, "target", "\"/etc\"", ERR_SYNTAX, "links[0]: it leads elsewhere"},
        {"links", 0, "target", "\"..\"", ERR_SYNTAX, "links[0]: it leads elsewhere"},
        {"links", 0, "path", "\"a/../b\"", ERR_SYNTAX, "links[0]: a path"},
        {"folders", 0, "restore_to", "\"/\"", ERR_SYNTAX, "folders[0]: a path"},
        {"folders", 0, "mode", "\"1777\"", ERR_SYNTAX, "folders[0]: a path, mode"},
        {"left_out", 0, "setting", NULL, ERR_SYNTAX, "left_out[0]"},
        {"left_out", 0, "restore_to", "\"x\"", ERR_SYNTAX, "left_out[0]"},
        {"into", 0, "value", "\"/etc/x\"", ERR_SYNTAX, "into[0]"},
        {"into", 0, "value", "[\"a\", \"../b\"]", ERR_SYNTAX, "into[0]"},
        {"into", 0, "value", "[7]", ERR_SYNTAX, "into[0]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *manifest = backup_kit_manifest();
        json_t *object =
            rows[i].list != NULL
                ? json_array_get(json_object_get(manifest, rows[i].list), rows[i].index)
                : manifest;
        assert_non_null(json_object_get(object, rows[i].key));
        json_object_del(object, rows[i].key);
        if (rows[i].value != NULL) {
            json_object_set_new(object, rows[i].key,
                                json_loads(rows[i].value, JSON_DECODE_ANY, NULL));
        }
        backup_kit_write(*state, NAME, manifest);
        assert_refused(*state, rows[i].code, rows[i].words);
        json_decref(manifest);
    }
}

// The manifest tells of a file that is not there, or not of one that is.
static void test_other_members(void **state)
{
    json_t *manifest = backup_kit_manifest();
    json_array_append_new(json_object_get(manifest, "files"),
                          backup_kit_file("ca.pem", "/etc/x/ca.pem", view_of_text("x")));
    backup_kit_write(*state, NAME, manifest);
    assert_refused(*state, ERR_SYNTAX, "ca.pem is missing in it");
    json_decref(manifest);

    manifest = backup_kit_manifest();
    json_object_set_new(json_array_get(json_object_get(manifest, "files"), 0), "sha256",
                        json_string("0000000000000000000000000000000000000000000000000000000000000"
                                    "000"));
    backup_kit_write(*state, NAME, manifest);
    assert_refused(*state, ERR_SYNTAX, "store/data.mdb in it is damaged");
    json_decref(manifest);
}

static void test_plain_names(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "a/b", ".a", "..a", "a..", "a/...", "a b"};
    static const char *const bad[] = {"",    "/",   "/a",   "a/",   ".",     "..",
                                      "a/.", "./a", "a/..", "a//b", "a\x7f", "a/../b"};
    char longest[TAR_NAME_MAX + 2];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(tar_is_plain_name(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(tar_is_plain_name(bad[i]));
    }
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_false(tar_is_plain_name(longest));
    assert_true(tar_is_plain_name(longest + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(test_whole),
        FOLDER_TEST(test_cut_off),
        FOLDER_TEST(test_flipped_bits),
        FOLDER_TEST(test_hostile_members),
        FOLDER_TEST(test_huge_size),
        FOLDER_TEST(test_no_archive),
        FOLDER_TEST(test_hostile_manifests),
        FOLDER_TEST(test_other_members),
        cmocka_unit_test(test_plain_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
