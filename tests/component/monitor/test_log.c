/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of each driver: lines, streams, rotation, followers, a full disk.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "engine_monitor.pb-c.h"
#include "log_entry.pb-c.h"
#include "stage.h"

static int two_streams(void *argument)
{
    (void)argument;
    (void)!write(1, "out \"one\"\nout <two>\nno newline", 30);
    char byte;
    (void)!read(0, &byte, 1);
    (void)!write(2, "err \xff\n", 6);
    return 0;
}

Test(monitor_log, writes_json_lines_of_both_streams, .timeout = 30)
{
    struct stage stage;
    stage_start(&stage, &(struct stage_options){.container = two_streams,
                                                .attach = true,
                                                .start = {.open_stdin = 1, .log_driver = BH_LOG_DRIVER_JSON_FILE}});
    char text[64];
    for (size_t got = 0; got < 30;) {
        got += (size_t)read(stage.client_stdout, text, sizeof(text));
    }
    cr_assert_eq(write(stage.client_stdin, "x", 1), 1);
    cr_assert_eq(stage_wait_exit(&stage, NULL), 0);
    bh_autofree char *log = stage_read(&stage, "container.log", NULL);
    cr_assert(log);
    cr_assert_eq(strncmp(log, "{\"log\":\"out \\\"one\\\"\\n\",\"stream\":\"stdout\",\"time\":\"20", 50), 0, "%s", log);
    cr_assert(strstr(log, "{\"log\":\"out \\u003ctwo\\u003e\\n\",\"stream\":\"stdout\","));
    cr_assert(strstr(log, "{\"log\":\"no newline\",\"stream\":\"stdout\","));
    cr_assert(strstr(log, "{\"log\":\"err \\ufffd\\n\",\"stream\":\"stderr\","));
    struct stat status;
    cr_assert_eq(fstatat(stage.logs, "container.log", &status, 0), 0);
    cr_assert_eq(status.st_mode & 07777, 0640);
    stage_end(&stage);
}

static int ten_thousand_lines(void *argument)
{
    (void)argument;
    char line[32];
    for (int i = 0; i < 10000; i++) {
        int n = snprintf(line, sizeof(line), "line %06d\n", i);
        if (write(1, line, (size_t)n) != n) {
            return 1;
        }
    }
    return 0;
}

Test(monitor_log, rotates_by_size_and_keeps_whole_lines, .timeout = 60)
{
    struct stage stage;
    stage_start(&stage,
                &(struct stage_options){
                    .container = ten_thousand_lines,
                    .start = {.log_driver = BH_LOG_DRIVER_JSON_FILE, .log_max_bytes = 100000, .log_max_files = 3}});
    cr_assert_eq(stage_wait_exit(&stage, NULL), 0);
    const char *names[] = {"container.log.2", "container.log.1", "container.log"};
    int next = -1;
    for (int i = 0; i < 3; i++) {
        size_t n = 0;
        bh_autofree char *log = stage_read(&stage, names[i], &n);
        cr_assert(log, "%s", names[i]);
        cr_assert_leq(n, 100000 + 200, "%s", names[i]);
        for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n")) {
            int number = -1;
            cr_assert_eq(sscanf(line, "{\"log\":\"line %d", &number), 1, "%s", line);
            cr_assert_eq(line[strlen(line) - 1], '}');
            cr_assert(next < 0 || number == next, "line %d follows %d", number, next - 1);
            next = number + 1;
        }
    }
    cr_assert_eq(next, 10000);
    cr_assert_eq(faccessat(stage.logs, "container.log.3", F_OK, 0), -1);
    cr_assert_eq(faccessat(stage.logs, "container.log.new", F_OK, 0), -1);
    stage_end(&stage);
}

static int waits_then_speaks(void *argument)
{
    (void)argument;
    char byte;
    while (read(0, &byte, 1) == 1) {
        (void)!write(1, "again\n", 6);
    }
    return 0;
}

Test(monitor_log, a_follower_hears_of_growth_and_of_the_end, .timeout = 30)
{
    struct stage stage;
    stage_start(&stage, &(struct stage_options){
                            .container = waits_then_speaks,
                            .attach = true,
                            .start = {.open_stdin = 1, .stdin_once = 1, .log_driver = BH_LOG_DRIVER_JSON_FILE}});
    struct bh_channel *channel = stage_connect(&stage);
    Bulkhead__FollowLog follow = BULKHEAD__FOLLOW_LOG__INIT;
    Bulkhead__EngineToMonitor packet = BULKHEAD__ENGINE_TO_MONITOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_MONITOR__BODY_FOLLOW_LOG;
    packet.follow_log = &follow;
    bh_autocall struct bh_call *call = NULL;
    struct bh_error error = {0};
    cr_assert_eq(bh_call_start(channel, &packet.base, NULL, 0, 30000, &call, &error), 0);
    for (int i = 0; i < 3; i++) { /* one at once, then one for each line */
        bh_automessage struct bh_message *grew = NULL;
        cr_assert_eq(bh_call_next(call, &grew, &error), 0, "%s", error.message);
        cr_assert_eq(grew->kind, BULKHEAD__MONITOR_TO_ENGINE__BODY_LOG_GREW);
        cr_assert(grew->more);
        cr_assert_eq(write(stage.client_stdin, "x", 1), 1);
    }
    bh_close(&stage.client_stdin);
    for (;;) {
        bh_automessage struct bh_message *answer = NULL;
        cr_assert_eq(bh_call_next(call, &answer, &error), 0, "%s", error.message);
        if (!answer->more) {
            cr_assert_eq(answer->kind, BULKHEAD__MONITOR_TO_ENGINE__BODY_DONE);
            break;
        }
    }
    size_t n = 0;
    bh_autofree char *log = stage_read(&stage, "container.log", &n);
    size_t lines = 0;
    for (size_t i = 0; i < n; i++) {
        lines += log[i] == '\n';
    }
    cr_assert_eq(lines, 3, "all was in the log when Done came");
    bh_call_free(bh_steal_pointer(&call));
    bh_channel_free(channel);
    cr_assert_eq(stage_wait_exit(&stage, NULL), 0);
    stage_end(&stage);
}

static int fills_the_disk(void *argument)
{
    (void)argument;
    static char line[1000];
    memset(line, 'z', sizeof(line));
    line[999] = '\n';
    for (int i = 0; i < 4000; i++) {
        if (write(1, line, sizeof(line)) != (ssize_t)sizeof(line)) {
            return 1;
        }
    }
    return 42;
}

Test(monitor_log, a_full_disk_costs_lines_but_neither_container_nor_exit_code, .timeout = 60)
{
    char folder[] = "/tmp/bh-full-XXXXXX";
    cr_assert(mkdtemp(folder));
    cr_assert_eq(mount("tmpfs", folder, "tmpfs", 0, "size=1m,mode=0700"), 0, "needs root");
    struct stage stage;
    stage_start(&stage, &(struct stage_options){.container = fills_the_disk,
                                                .log_folder = folder,
                                                .start = {.log_driver = BH_LOG_DRIVER_JSON_FILE}});
    cr_assert_eq(stage_wait_exit(&stage, NULL), 42);
    struct bh_exit_record record;
    cr_assert(stage_record(&stage, &record));
    cr_assert_eq(record.exit_code, 42);
    size_t n = 0;
    bh_autofree char *log = stage_read(&stage, "container.log", &n);
    cr_assert_gt(n, 500000);
    cr_assert_eq(log[n - 1], '\n', "only whole lines");
    cr_assert_eq(stage_join(&stage), 0);
    stage_end(&stage);
    cr_assert_eq(umount(folder), 0);
    (void)rmdir(folder);
}

/* ---- local and journald -------------------------------------------------------------------------- */

static int odd_bytes(void *argument)
{
    (void)argument;
    (void)!write(1, "plain\n\xff\x00<&>\nPRIORITY=0\nno end", 29);
    return 0;
}

/* The records of container.log, checked to be framed by their sizes on both sides. */
static size_t read_records(const struct stage *stage, Bulkhead__LogEntry **ret_entries, size_t max)
{
    char *text = NULL;
    size_t n_bytes = 0, n = 0;
    struct bh_error error;
    bh_autoclose int fd = openat(stage->logs, "container.log", O_RDONLY | O_CLOEXEC);
    cr_assert_eq(bh_read_file(fd, 1 << 20, &text, &n_bytes, "container.log", &error), 0);
    for (size_t at = 0; at < n_bytes; n++) {
        uint32_t size, again;
        memcpy(&size, text + at, 4);
        size = ntohl(size);
        memcpy(&again, text + at + 4 + size, 4);
        cr_assert_eq(ntohl(again), size);
        cr_assert_lt(n, max);
        ret_entries[n] = bulkhead__log_entry__unpack(NULL, size, (uint8_t *)text + at + 4);
        cr_assert_not_null(ret_entries[n]);
        at += size + 8;
    }
    free(text);
    return n;
}

Test(monitor_log, local_keeps_every_byte)
{
    struct stage stage;
    Bulkhead__LogEntry *entries[8];
    stage_start(&stage, &(struct stage_options){.container = odd_bytes, .start = {.log_driver = BH_LOG_DRIVER_LOCAL}});
    cr_assert_eq(stage_wait_exit(&stage, NULL), 0);
    cr_assert_eq(read_records(&stage, entries, 8), 4);
    cr_assert_eq(entries[1]->line.len, 5);
    cr_assert_eq(memcmp(entries[1]->line.data, "\xff\x00<&>", 5), 0);
    cr_assert_not(entries[1]->partial);
    cr_assert(entries[3]->partial);
    cr_assert_str_eq(entries[0]->source, "stdout");
    for (int i = 0; i < 4; i++) {
        bulkhead__log_entry__free_unpacked(entries[i], NULL);
    }
    stage_end(&stage);
}

Test(monitor_log, a_line_cannot_become_a_field_of_the_journal)
{
    struct stage stage;
    int journal[2];
    char entry[512];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, journal), 0);
    stage_start(&stage, &(struct stage_options){.container = odd_bytes,
                                                .journal_fd = journal[0],
                                                .journal_fields = "CONTAINER_NAME=x\n",
                                                .start = {.log_driver = BH_LOG_DRIVER_JOURNALD}});
    close(journal[0]);
    cr_assert_eq(stage_wait_exit(&stage, NULL), 0);
    static const char first[] = "CONTAINER_NAME=x\nPRIORITY=6\nMESSAGE\n\5\0\0\0\0\0\0\0plain\n";
    cr_assert_eq(recv(journal[1], entry, sizeof(entry), 0), (ssize_t)sizeof(first) - 1);
    cr_assert_eq(memcmp(entry, first, sizeof(first) - 1), 0);
    cr_assert_gt(recv(journal[1], entry, sizeof(entry), 0), 0);
    static const char third[] = "CONTAINER_NAME=x\nPRIORITY=6\nMESSAGE\n\12\0\0\0\0\0\0\0PRIORITY=0\n";
    cr_assert_eq(recv(journal[1], entry, sizeof(entry), 0), (ssize_t)sizeof(third) - 1);
    cr_assert_eq(memcmp(entry, third, sizeof(third) - 1), 0);
    static const char partial[] = "CONTAINER_NAME=x\nPRIORITY=6\nCONTAINER_PARTIAL_MESSAGE=true\nMESSAGE\n";
    cr_assert_gt(recv(journal[1], entry, sizeof(entry), 0), (ssize_t)sizeof(partial));
    cr_assert_eq(memcmp(entry, partial, sizeof(partial) - 1), 0);
    Bulkhead__LogEntry *entries[8];
    cr_assert_eq(read_records(&stage, entries, 8), 4, "what the journal got is in the container's own log too");
    for (int i = 0; i < 4; i++) {
        bulkhead__log_entry__free_unpacked(entries[i], NULL);
    }
    close(journal[1]);
    stage_end(&stage);
}
