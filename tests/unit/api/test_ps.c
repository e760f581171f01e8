/* SPDX-License-Identifier: Apache-2.0
 *
 * `top`: which formats are known, what a cell shows, and lists that lie.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/process_record.h"
#include "process_list.h"
#include "ps_format.h"

static struct ps_format format;
static struct bh_error error;

static const char *titles(const char *arguments)
{
    static char text[512];
    text[0] = '\0';
    bh_error_clear(&error);
    if (ps_parse(arguments, &format, &error) < 0) {
        return error.message;
    }
    for (size_t i = 0; i < format.n; i++) {
        (void)strcat(strcat(text, i ? " " : ""), format.titles[i]);
    }
    return text;
}

Test(ps, formats)
{
    cr_expect_str_eq(titles(""), "UID PID PPID C STIME TTY TIME CMD");
    cr_expect_str_eq(titles("-ef"), "UID PID PPID C STIME TTY TIME CMD");
    cr_expect_str_eq(titles("-e -f"), "UID PID PPID C STIME TTY TIME CMD");
    cr_expect_str_eq(titles("aux"), "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND");
    cr_expect_str_eq(titles("-aux"), "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND");
    cr_expect_str_eq(titles("-F"), "UID PID PPID C SZ RSS PSR STIME TTY TIME CMD");
    cr_expect_str_eq(titles("-o pid,comm"), "PID COMMAND");
    cr_expect_str_eq(titles("-opid -o ppid,user"), "PID PPID USER");
    cr_expect_str_eq(titles("-eo pid,args=WHAT"), "PID WHAT");
    cr_expect_str_eq(titles("axo pid"), "PID");
}

Test(ps, what_is_refused)
{
    cr_expect_str_eq(titles("-o comm"), "Couldn't find PID field in ps output");
    cr_expect_str_eq(titles("-o pid=X,comm"), "Couldn't find PID field in ps output");
    cr_expect(strstr(titles("-o pid,frob"), "unknown user-defined format specifier \"frob\""));
    cr_expect(strstr(titles("-o"), "must follow"));
    cr_expect(strstr(titles("--forest"), "unsupported option"));
    cr_expect(strstr(titles("-Z"), "unsupported option"));
    char longer[3000];
    memset(longer, 'e', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    cr_expect(strstr(titles(longer), "longer"));
}

Test(ps, a_name_may_hold_anything)
{
    struct process process = {0};
    cr_assert(
        process_parse_stat("7 (a) R 1 (b) S 1 7 7 34816 7 0 0 0 0 0 150 50 0 0 20 0 3 0 500 4096000 25 0 0 0 0 0 0 0 0 "
                           "0 0 0 0 0 17 1",
                           &process));
    cr_expect_eq(process.name_bytes, strlen("a) R 1 (b"));
    cr_expect_eq(process.state, 'S');
    cr_expect_eq(process.ppid, 1);
    cr_expect_eq(process.cpu_ticks, 200);
    cr_expect_eq(process.threads, 3);
    cr_expect_eq(process.start_ticks, 500);
    cr_expect_eq(process.virtual_bytes, 4096000);
    cr_expect_eq(process.resident_pages, 25);
    cr_expect_not(process_parse_stat("7 a S 1", &process));
    cr_expect_not(process_parse_stat("7 (a", &process));
    cr_expect_not(process_parse_stat("7 (a) S", &process));
    cr_expect_not(process_parse_stat("", &process));
}

static const char *cell(const char *column, const struct process *process)
{
    static char text[PS_TEXT_SIZE];
    static const struct process_list list = {.boot_s = 1000000000, .uptime_s = 100010};
    static const struct api api = {.memory_bytes = 4096000};
    char arguments[64];
    (void)snprintf(arguments, sizeof(arguments), "-o pid,%s", column);
    cr_assert_eq(ps_parse(arguments, &format, &error), 0, "%s: %s", column, error.message);
    return ps_cell(&format, 1, process, &list, &api, 1000100010, text);
}

Test(ps, cells)
{
    struct process process = {.pid = 42,
                              .uid = 300000,
                              .state = 'S',
                              .session = 42,
                              .threads = 2,
                              .pgrp = 42,
                              .foreground = 42,
                              .cpu_ticks = 366100,
                              .start_ticks = 1000,
                              .resident_pages = 100,
                              .name = "sh",
                              .name_bytes = 2,
                              .command = "sh\0-c\0a\nb\0",
                              .command_bytes = 10};
    cr_expect_str_eq(cell("user", &process), "300000");
    cr_expect_str_eq(cell("args", &process), "sh -c a?b");
    cr_expect_str_eq(cell("comm", &process), "sh");
    cr_expect_str_eq(cell("time", &process), "01:01:01");
    cr_expect_str_eq(cell("bsdtime", &process), "61:01");
    cr_expect_str_eq(cell("etime", &process), "1-03:46:40");
    cr_expect_str_eq(cell("stat", &process), "Ssl+");
    cr_expect_str_eq(cell("tty", &process), "?");
    cr_expect_str_eq(cell("rss", &process), "400");
    cr_expect_str_eq(cell("%mem", &process), "10.0");
    cr_expect_str_eq(cell("lstart", &process), "Sun Sep  9 01:46:50 2001");
    process.uid = 0;
    process.tty = 136 << 8 | 3;
    process.command_bytes = 0;
    cr_expect_str_eq(cell("user", &process), "root");
    cr_expect_str_eq(cell("tty", &process), "pts/3");
    cr_expect_str_eq(cell("args", &process), "[sh]");
}

static const char stat_text[] = "9 (x) S 1 9 9 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 5 4096 1",
                  status_text[] = "Name:\tx\nUid:\t5\t6\t7\t8\nGid:\t1\t2\t3\t4\n", command_text[] = "x";

/* A list of one process, with sizes that need not be true. */
static int parse(uint32_t stat_bytes, uint32_t status_bytes, uint32_t command_bytes, size_t cut,
                 struct process_list *list)
{
    const struct bh_process_record record = {9, stat_bytes, status_bytes, command_bytes};
    char *bytes = calloc(1, 4096);
    size_t n = 0;
    cr_assert_not_null(bytes);
    memcpy(bytes, &record, sizeof(record));
    n += sizeof(record);
    memcpy(bytes + n, stat_text, sizeof(stat_text) - 1);
    n += sizeof(stat_text) - 1;
    memcpy(bytes + n, status_text, sizeof(status_text) - 1);
    n += sizeof(status_text) - 1;
    memcpy(bytes + n, command_text, sizeof(command_text));
    n += sizeof(command_text);
    bh_error_clear(&error);
    return process_list_parse(bytes, n - cut, list, &error);
}

Test(ps, lists)
{
    struct process_list list = {0};
    const uint32_t stat_bytes = sizeof(stat_text) - 1, status_bytes = sizeof(status_text) - 1;
    cr_assert_eq(parse(stat_bytes, status_bytes, 2, 0, &list), 0, "%s", error.message);
    cr_assert_eq(list.n, 1);
    cr_expect_eq(list.processes[0].pid, 9);
    cr_expect_eq(list.processes[0].uid, 6, "the effective one");
    cr_expect_eq(list.processes[0].gid, 2);
    process_list_free(&list);
    cr_expect_eq(parse(stat_bytes, status_bytes, 2, 1, &list), -1, "cut off");
    cr_expect_eq(parse(stat_bytes, status_bytes, 100000, 0, &list), -1, "a command that is too long");
    cr_expect_eq(parse(UINT32_MAX, status_bytes, 2, 0, &list), -1, "sizes that overflow");
    cr_expect_eq(parse(stat_bytes, status_bytes, 2, 60, &list), -1);
}
