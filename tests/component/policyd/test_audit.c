/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit log: every decision in it, nothing altered or removed unseen, torn ends survived.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "door.h"

static int open_log(const struct door *door, int flags)
{
    bh_autoclose int folder = harness_folder(&door->harness, BH_FOLDER_STATE);
    return openat(folder, "audit.log", flags | O_CLOEXEC);
}

static char *read_log(const struct door *door, size_t *ret_bytes)
{
    bh_autoclose int fd = open_log(door, O_RDONLY);
    char *text = NULL;
    struct bh_error error = {0};
    cr_assert_eq(bh_read_file(fd, 1 << 24, &text, ret_bytes, "audit.log", &error), 0, "%s", error.message);
    return text;
}

static void make_records(struct door *door)
{
    struct bh_error error = {0};
    struct door_spec spec;
    door_spec(&spec, 1, 1000);
    cr_assert_eq(door_start(door, &spec, &error), 0, "%s", error.message);
    spec.spec.host_ipc = true;
    cr_assert_eq(door_start(door, &spec, &error), -1);
    cr_assert_eq(door_signal(door, 1, 1000, &error), 0);
    cr_assert_eq(door_signal(door, 1, 1001, &error), -1);
    cr_assert_eq(door_admit(door, 1000, "docker.io/library/busybox:latest", &error), 0);
}

Test(policyd_audit, every_decision_is_there_and_the_chain_holds, .timeout = 30)
{
    struct door door = {0};
    door_open(&door);
    make_records(&door);
    struct bh_error error = {0};
    uint64_t records = 0;
    cr_assert_eq(door_verify(&door, &records, &error), 0, "%s", error.message);
    cr_assert_eq(records, 5);
    size_t n = 0;
    bh_autofree char *log = read_log(&door, &n);
    cr_assert(strstr(log, "\"operation\":\"StartContainer\",\"verdict\":\"allow\""));
    cr_assert(strstr(log, "\"operation\":\"StartContainer\",\"verdict\":\"refuse\""));
    cr_assert(strstr(log, "\"rule\":\"host_namespaces\""));
    cr_assert(strstr(log, "\"operation\":\"SignalContainer\",\"verdict\":\"refuse\""));
    cr_assert(strstr(log, "\"spec\":\"sha256:"));
    cr_assert(strstr(log, "\"tenant\":1001"));
    door_reopen(&door);
    cr_assert_eq(door_verify(&door, &records, &error), 0, "%s", error.message);
    cr_assert_eq(records, 5, "a restart adds nothing");
    door_close(&door);
}

Test(policyd_audit, an_altered_record_is_named, .timeout = 30)
{
    struct door door = {0};
    door_open(&door);
    make_records(&door);
    size_t n = 0;
    bh_autofree char *log = read_log(&door, &n);
    char *refused = strstr(log, "\"verdict\":\"refuse\"");
    bh_autoclose int fd = open_log(&door, O_WRONLY);
    cr_assert_eq(pwrite(fd, "\"verdict\":\"allow!\"", 18, refused - log), 18);
    struct bh_error error = {0};
    uint64_t records = 0;
    cr_assert_eq(door_verify(&door, &records, &error), -1);
    cr_assert_eq(error.code, BH_DATA_LOSS);
    cr_assert(strstr(error.message, "record 2"), "%s", error.message);
    door_close(&door);
}

Test(policyd_audit, a_removed_record_shows, .timeout = 30)
{
    struct door door = {0};
    door_open(&door);
    make_records(&door);
    size_t n = 0;
    bh_autofree char *log = read_log(&door, &n);
    char *second = strchr(log, '\n') + 1;
    char *third = strchr(second, '\n') + 1;
    bh_autoclose int fd = open_log(&door, O_WRONLY);
    size_t rest = n - (size_t)(third - log);
    cr_assert_eq(pwrite(fd, third, rest, second - log), (ssize_t)rest);
    cr_assert_eq(ftruncate(fd, (second - log) + (off_t)rest), 0);
    struct bh_error error = {0};
    uint64_t records = 0;
    cr_assert_eq(door_verify(&door, &records, &error), -1);
    cr_assert_eq(error.code, BH_DATA_LOSS);
    door_close(&door);
}

Test(policyd_audit, records_cut_off_its_end_while_nobody_looked_show, .timeout = 30)
{
    struct door door = {0};
    door_open(&door);
    make_records(&door);
    size_t n = 0;
    bh_autofree char *log = read_log(&door, &n);
    char *second = strchr(log, '\n') + 1;
    bh_autoclose int fd = open_log(&door, O_WRONLY);
    cr_assert_eq(ftruncate(fd, second - log), 0);
    door_reopen(&door);
    struct bh_error error = {0};
    uint64_t records = 0;
    cr_assert_eq(door_verify(&door, &records, &error), -1);
    cr_assert_eq(error.code, BH_DATA_LOSS);
    door_close(&door);
}

Test(policyd_audit, a_torn_last_record_is_cut_off_and_noted, .timeout = 30)
{
    struct door door = {0};
    door_open(&door);
    make_records(&door);
    bh_autoclose int fd = open_log(&door, O_WRONLY | O_APPEND);
    cr_assert_eq(write(fd, "{\"record\":6,\"prev", 17), 17);
    door_reopen(&door);
    struct bh_error error = {0};
    uint64_t records = 0;
    cr_assert_eq(door_verify(&door, &records, &error), 0, "%s", error.message);
    cr_assert_eq(records, 6);
    size_t n = 0;
    bh_autofree char *log = read_log(&door, &n);
    cr_assert(strstr(log, "AuditRecovered"));
    door_close(&door);
}
