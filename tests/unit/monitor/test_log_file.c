/* SPDX-License-Identifier: Apache-2.0
 *
 * Splitting streams into lines as Docker's copier does.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "json_line.h"
#include "log_file.h"

static struct log_file log_under_test;
static char folder[] = "/tmp/bh-log-XXXXXX";
static int folder_fd = -1;

static void open_log(uint64_t max_bytes, uint32_t max_files)
{
    struct bh_error error = {0};
    const struct bh_monitor_start start = {
        .log_driver = BH_LOG_DRIVER_JSON_FILE, .log_max_bytes = max_bytes, .log_max_files = max_files};
    cr_assert(mkdtemp(folder));
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_eq(log_file_open(&log_under_test, folder_fd, &start, &error), 0, "%s", error.message);
}

static void remove_log(void)
{
    const char *names[] = {"container.log", "container.log.1", "container.log.2", "container.log.3"};
    for (size_t i = 0; i < 4; i++) {
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
