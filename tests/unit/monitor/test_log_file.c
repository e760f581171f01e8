/* SPDX-License-Identifier: Apache-2.0
 *
 * Splitting streams into lines as Docker's copier does.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "json_line.h"
#include "log_file.h"

static struct log_file log_under_test;
static char folder[] = "/tmp/bh-log-XXXXXX";
static int folder_fd = -1;

static void open_log_as(const struct bh_monitor_start *start)
{
    struct bh_error error = {0};
    cr_assert(mkdtemp(folder));
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_eq(log_file_open(&log_under_test, folder_fd, start, &error), 0, "%s", error.message);
}

static void open_log(uint64_t max_bytes, uint32_t max_files)
{
    const struct bh_monitor_start start = {
        .log_driver = BH_LOG_DRIVER_JSON_FILE, .log_max_bytes = max_bytes, .log_max_files = max_files};
    open_log_as(&start);
}

static void remove_log(void)
{
    const char *names[] = {"container.log",      "container.log.1",    "container.log.2",    "container.log.3",
                           "container.log.1.gz", "container.log.2.gz", "container.log.3.gz", "packed.new"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)unlinkat(folder_fd, names[i], 0);
    }
    (void)rmdir(folder);
}

static void say(const char *text)
{
    log_file_write(&log_under_test, MONITOR_STDOUT, (const uint8_t *)text, strlen(text), 0);
}

static char *content(const char *name, size_t *ret_bytes)
{
    bh_autoclose int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    struct bh_error error = {0};
    return fd >= 0 && bh_read_file(fd, 1 << 24, &text, ret_bytes, name, &error) == 0 ? text : NULL;
}

#define LINE(text, stream) "{\"log\":\"" text "\",\"stream\":\"" stream "\",\"time\":\"1970-01-01T00:00:00Z\"}\n"

Test(log_file, lines_are_put_together_from_pieces, .fini = remove_log)
{
    open_log(0, 0);
    say("one\ntw");
    log_file_write(&log_under_test, MONITOR_STDERR, (const uint8_t *)"other\n", 6, 0);
    say("o\n\nthree");
    log_file_end(&log_under_test, MONITOR_STDOUT, 0);
    size_t n = 0;
    bh_autofree char *text = content("container.log", &n);
    cr_assert_str_eq(text, LINE("one\\n", "stdout") LINE("other\\n", "stderr") LINE("two\\n", "stdout")
                               LINE("\\n", "stdout") LINE("three", "stdout"));
}

Test(log_file, long_lines_are_cut_at_16_kib, .fini = remove_log)
{
    open_log(0, 0);
    static char text[40001];
    memset(text, 'a', 40000);
    say(text);
    say("\n");
    size_t n = 0;
    bh_autofree char *log = content("container.log", &n);
    size_t lengths[3] = {0};
    size_t lines = 0;
    for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n")) {
        cr_assert_lt(lines, 3);
        lengths[lines++] = strspn(line + 8, "a");
    }
    cr_assert_eq(lines, 3);
    cr_assert_eq(lengths[0], MONITOR_LINE_BYTES_MAX);
    cr_assert_eq(lengths[1], MONITOR_LINE_BYTES_MAX);
    cr_assert_eq(lengths[2], 40000 - 2 * MONITOR_LINE_BYTES_MAX);
}

Test(log_file, one_file_is_emptied_when_it_is_full, .fini = remove_log)
{
    open_log(200, 1);
    for (int i = 0; i < 10; i++) {
        say("0123456789\n");
    }
    size_t n = 0;
    free(content("container.log", &n));
    cr_assert_gt(n, 0);
    cr_assert_lt(n, 300);
    cr_assert_eq(faccessat(folder_fd, "container.log.1", F_OK, 0), -1);
}

Test(log_file, a_log_that_is_there_goes_on, .fini = remove_log)
{
    open_log(0, 0);
    say("first\n");
    struct bh_error error = {0};
    const struct bh_monitor_start start = {.log_driver = BH_LOG_DRIVER_JSON_FILE};
    struct log_file again;
    cr_assert_eq(log_file_open(&again, folder_fd, &start, &error), 0);
    cr_assert_eq(again.size_bytes, log_under_test.size_bytes);
    log_file_write(&again, MONITOR_STDOUT, (const uint8_t *)"second\n", 7, 0);
    size_t n = 0;
    bh_autofree char *log = content("container.log", &n);
    cr_assert_str_eq(log, LINE("first\\n", "stdout") LINE("second\\n", "stdout"));
}

/* ---- compressed ---------------------------------------------------------------------------------- */

#define FILES 4

static void open_packing_log(void)
{
    const struct bh_monitor_start start = {
        .log_driver = BH_LOG_DRIVER_JSON_FILE, .log_max_bytes = 100000, .log_max_files = FILES, .log_compress = 1};
    open_log_as(&start);
    log_pack_step(&log_under_test.pack);
    cr_assert_not(log_under_test.pack.pending, "nothing to compress yet");
}

static unsigned n_said;

static void say_number(void)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "number %u\n", n_said++);
    say(text);
}

/* Says numbers until the log has been rotated once more; returns the first number of the new file. */
static unsigned rotate_once(void)
{
    uint64_t size = 0;
    while (log_under_test.size_bytes >= size) {
        size = log_under_test.size_bytes;
        say_number();
    }
    return n_said - 1;
}

static bool exists(const char *name)
{
    return faccessat(folder_fd, name, F_OK, 0) == 0;
}

/* What gunzip says of the file; the first number in it. */
static unsigned unpacked_first(const char *name)
{
    unsigned first = 0;
    char text[100] = "";
    gzFile file = gzdopen(openat(folder_fd, name, O_RDONLY | O_CLOEXEC), "r");
    cr_assert(file);
    cr_assert(gzgets(file, text, sizeof(text)), "%s", name);
    cr_assert_eq(sscanf(text, "{\"log\":\"number %u", &first), 1, "%s", text);
    while (gzgets(file, text, sizeof(text))) {
    }
    cr_assert_eq(gzclose(file), Z_OK, "%s is whole", name);
    return first;
}

static void pack_all(void)
{
    while (log_under_test.pack.pending) {
        log_pack_step(&log_under_test.pack);
    }
}

Test(log_pack, rotated_files_are_compressed_and_move_on, .fini = remove_log)
{
    open_packing_log();
    unsigned second = rotate_once();
    cr_assert(exists("container.log.1"), "output comes first");
    pack_all();
    cr_assert_not(exists("container.log.1"));
    cr_assert_eq(unpacked_first("container.log.1.gz"), 0);
    (void)rotate_once();
    pack_all();
    cr_assert_eq(unpacked_first("container.log.2.gz"), 0);
    cr_assert_eq(unpacked_first("container.log.1.gz"), second);
    (void)rotate_once();
    (void)rotate_once();
    pack_all();
    cr_assert_eq(unpacked_first("container.log.3.gz"), second, "the oldest has fallen off");
    cr_assert_not(exists("packed.new"));
}

Test(log_pack, a_rotation_under_way_is_followed, .fini = remove_log)
{
    open_packing_log();
    unsigned second = rotate_once();
    for (int i = 0; i < 3; i++) {
        log_pack_step(&log_under_test.pack);
    }
    (void)rotate_once();
    pack_all();
    cr_assert_eq(unpacked_first("container.log.2.gz"), 0);
    cr_assert_eq(unpacked_first("container.log.1.gz"), second);
    cr_assert_not(exists("container.log.1") || exists("container.log.2"));
}

Test(log_pack, what_falls_off_meanwhile_is_dropped, .fini = remove_log)
{
    open_packing_log();
    unsigned first[FILES + 1] = {0};
    first[1] = rotate_once();
    log_pack_step(&log_under_test.pack);
    log_pack_step(&log_under_test.pack);
    for (int i = 2; i <= FILES; i++) {
        first[i] = rotate_once();
    }
    pack_all();
    cr_assert_eq(unpacked_first("container.log.3.gz"), first[1]);
    cr_assert_eq(unpacked_first("container.log.1.gz"), first[3]);
    cr_assert_not(exists("packed.new"));
}

Test(log_pack, half_done_work_leaves_the_file_for_the_next_run, .fini = remove_log)
{
    open_packing_log();
    (void)rotate_once();
    log_pack_step(&log_under_test.pack);
    log_pack_step(&log_under_test.pack);
    log_pack_end(&log_under_test.pack);
    cr_assert(exists("container.log.1"));
    cr_assert_not(exists("container.log.1.gz") || exists("packed.new"));
    log_pack_open(&log_under_test.pack, folder_fd, FILES);
    pack_all();
    cr_assert_eq(unpacked_first("container.log.1.gz"), 0);
    cr_assert_not(exists("container.log.1"));
}
