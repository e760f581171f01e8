/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers' records; see record.h.
 */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "pidfd.h"
#include "common/io.h"

#define RECORD_NAME     "record"
#define RECORD_NEW_NAME "record.new"

int record_write(int folder, const struct record *record, const void *packed, struct bh_error *error)
{
    bh_autoclose int fd = openat(folder, RECORD_NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return bh_error_errno(error, errno, "make a container's record");
    }
    if (bh_write_all(fd, record, sizeof(*record), "a container's record", error) < 0 ||
        bh_write_all(fd, packed, record->packed_bytes, "a container's record", error) < 0) {
        return -1;
    }
    return renameat(folder, RECORD_NEW_NAME, folder, RECORD_NAME) < 0
               ? bh_error_errno(error, errno, "save a container's record")
               : 0;
}

int record_read(int folder, const uint8_t id[static 32], struct record *ret_record, struct bh_error *error)
{
    size_t n = 0;
    bh_autoclose int fd = openat(folder, RECORD_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return bh_error_errno(error, errno, "open the container's record");
    }
    if (bh_read_full(fd, ret_record, sizeof(*ret_record), &n, "the container's record", error) < 0) {
        return -1;
    }
    ret_record->cgroup_parent[sizeof(ret_record->cgroup_parent) - 1] = '\0';
    if (n != sizeof(*ret_record) || ret_record->magic != RECORD_MAGIC || ret_record->version != RECORD_VERSION ||
        memcmp(ret_record->id, id, sizeof(ret_record->id)) != 0 || ret_record->pid <= 1) {
        return bh_error_set(error, BH_DATA_LOSS, "the container's record is not one of version %u", RECORD_VERSION);
    }
    return 0;
}

int record_read_packed(int folder, const struct record *record, void **ret_packed, struct bh_error *error)
{
    size_t n = 0;
    bh_autofree void *packed = malloc((size_t)record->packed_bytes + 1);
    bh_autoclose int fd = openat(folder, RECORD_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (!packed || fd < 0 || lseek(fd, (off_t)sizeof(*record), SEEK_SET) < 0) {
        return bh_error_errno(error, errno, "open the container's record");
    }
    if (bh_read_full(fd, packed, record->packed_bytes, &n, "the container's record", error) < 0) {
        return -1;
    }
    if (n != record->packed_bytes) {
        return bh_error_set(error, BH_DATA_LOSS, "the container's record is cut short");
    }
    *ret_packed = bh_steal_pointer(&packed);
    return 0;
}

void record_remove(int folder)
{
    (void)unlinkat(folder, RECORD_NAME, 0);
}

int record_boot_id(uint8_t ret_boot_id[static 16], struct bh_error *error)
{
    char text[64];
    size_t n = 0, digits = 0;
    bh_autoclose int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || bh_read_full(fd, text, sizeof(text), &n, "the boot id", error) < 0) {
        return bh_error_errno(error, errno, "read the boot id");
    }
    memset(ret_boot_id, 0, 16);
    for (size_t i = 0; i < n && digits < 32; i++) {
        const char *hex = "0123456789abcdef", *at = text[i] ? strchr(hex, text[i]) : NULL;
        if (at) {
            ret_boot_id[digits / 2] = (uint8_t)(ret_boot_id[digits / 2] << 4 | (uint8_t)(at - hex));
            digits++;
        }
    }
    return digits == 32 ? 0 : bh_error_set(error, BH_INTERNAL, "the boot id is not 32 hex digits");
}

int record_start_ticks(int32_t pid, uint64_t *ret_ticks, struct bh_error *error)
{
    char path[48], text[1024];
    size_t n = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return bh_error_errno(error, errno, "open %s", path);
    }
    if (bh_read_full(fd, text, sizeof(text) - 1, &n, path, error) < 0) {
        return -1;
    }
    text[n] = '\0';
    /* The name in parentheses is the process's own choice: what follows the last one is the kernel's. Field 22. */
    char *rest = strrchr(text, ')'), *word = NULL;
    rest = rest && rest[1] ? rest + 2 : NULL;
    for (int field = 3; field <= 22 && rest; field++) {
        word = strsep(&rest, " ");
    }
    if (!rest || !word) {
        return bh_error_set(error, BH_INTERNAL, "%s has too few fields", path);
    }
    *ret_ticks = strtoull(word, NULL, 10);
    return 0;
}

int record_open_process(const struct record *record, const uint8_t boot_id[static 16])
{
    if (memcmp(record->boot_id, boot_id, sizeof(record->boot_id)) != 0) {
        return -1;
    }
    bh_autoclose int pidfd = pidfd_open(record->pid, 0);
    uint64_t ticks;
    struct bh_error ignored;
    /* The pidfd first, then the check: it cannot be another process any more. */
    if (pidfd < 0 || record_start_ticks(record->pid, &ticks, &ignored) < 0 || ticks != record->start_ticks ||
        pidfd_has_ended(pidfd)) {
        return -1;
    }
    return bh_steal_fd(&pidfd);
}
