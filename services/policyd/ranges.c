/* SPDX-License-Identifier: Apache-2.0
 *
 * Id ranges of tenants; see ranges.h.
 */
#include "ranges.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/limits.h"

#define RANGES_NAME      "ranges"
#define RANGES_BYTES_MAX (4 * BH_MIB)

static int check_numbers(uint32_t id_base, uint32_t n_slots, uint32_t monitor_uid_base, struct bh_error *error)
{
    uint32_t n_ids = 0;
    uint32_t end = 0;
    uint32_t monitors_end = 0;
    if (id_base == 0 || n_slots == 0 || monitor_uid_base == 0 ||
        __builtin_mul_overflow(n_slots, BH_TENANT_IDS, &n_ids) || __builtin_add_overflow(id_base, n_ids, &end) ||
        __builtin_add_overflow(monitor_uid_base, n_slots, &monitors_end)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "%u id ranges from %u and monitors from %u do not fit below 2^32", n_slots, id_base,
                            monitor_uid_base);
    }
    if (monitor_uid_base < end && monitors_end > id_base) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "monitors' uids from %u lie within the tenants' ranges from %u",
                            monitor_uid_base, id_base);
    }
    return 0;
}

static int take_line(struct ranges *ranges, const char *line, struct bh_error *error)
{
    unsigned int slot = 0;
    unsigned int uid = 0;
    int used = 0;
    if (sscanf(line, "%u %u%n", &slot, &uid, &used) != 2 || line[used] != '\0' || slot != ranges->n ||
        ranges->n >= ranges->n_slots) {
        return bh_error_set(error, BH_DATA_LOSS, "file \"ranges\": \"%.40s\" does not fit as slot %zu of %u", line,
                            ranges->n, ranges->n_slots);
    }
    for (size_t i = 0; i < ranges->n; i++) {
        if (ranges->uids[i] == uid) {
            return bh_error_set(error, BH_DATA_LOSS, "file \"ranges\": uid %u has slot %zu and slot %u", uid, i, slot);
        }
    }
    ranges->uids[ranges->n++] = uid;
    return 0;
}

static int read_lines(struct ranges *ranges, char *text, size_t n_bytes, struct bh_error *error)
{
    size_t whole = n_bytes;
    while (whole > 0 && text[whole - 1] != '\n') {
        whole--;
    }
    if (whole < n_bytes && ftruncate(ranges->fd, (off_t)whole) < 0) {
        return bh_error_errno(error, errno, "cut a torn line off \"ranges\"");
    }
    text[whole] = '\0';
    for (char *line = text; *line;) {
        char *end = strchr(line, '\n');
        *end = '\0';
        if (take_line(ranges, line, error) < 0) {
            return -1;
        }
        line = end + 1;
    }
    return 0;
}

int ranges_open(struct ranges *ranges, int folder, uint32_t id_base, uint32_t n_slots, uint32_t monitor_uid_base,
                struct bh_error *error)
{
    *ranges = (struct ranges){.fd = -1, .id_base = id_base, .n_slots = n_slots, .monitor_uid_base = monitor_uid_base};
    if (check_numbers(id_base, n_slots, monitor_uid_base, error) < 0) {
        return -1;
    }
    ranges->uids = calloc(n_slots, sizeof(uint32_t));
    ranges->fd = openat(folder, RANGES_NAME, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (!ranges->uids || ranges->fd < 0) {
        return bh_error_errno(error, errno, "open \"ranges\"");
    }
    bh_autofree char *text = NULL;
    size_t n_bytes = 0;
    if (bh_read_file(ranges->fd, RANGES_BYTES_MAX, &text, &n_bytes, "ranges", error) < 0) {
        return -1;
    }
    return read_lines(ranges, text, n_bytes, error);
}

static int append(struct ranges *ranges, uint32_t tenant_uid, struct bh_error *error)
{
    if (ranges->n == ranges->n_slots) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED,
                            "all %u id ranges are taken; set a larger tenant_id_count for tenant %u", ranges->n_slots,
                            tenant_uid);
    }
    char line[32];
    int n = snprintf(line, sizeof(line), "%zu %u\n", ranges->n, tenant_uid);
    off_t before = lseek(ranges->fd, 0, SEEK_END);
    if (bh_write_all(ranges->fd, line, (size_t)n, "ranges", error) < 0) {
        (void)!ftruncate(ranges->fd, before);
        return -1;
    }
    if (fsync(ranges->fd) < 0) {
        (void)!ftruncate(ranges->fd, before);
        return bh_error_errno(error, errno, "save \"ranges\"");
    }
    ranges->uids[ranges->n++] = tenant_uid;
    return 0;
}

int ranges_get(struct ranges *ranges, uint32_t tenant_uid, struct range *ret_range, struct bh_error *error)
{
    size_t slot = 0;
    while (slot < ranges->n && ranges->uids[slot] != tenant_uid) {
        slot++;
    }
    if (slot == ranges->n && append(ranges, tenant_uid, error) < 0) {
        return -1;
    }
    ret_range->id_base = ranges->id_base + (uint32_t)slot * BH_TENANT_IDS;
    ret_range->monitor_uid = ranges->monitor_uid_base + (uint32_t)slot;
    return 0;
}

void ranges_close(struct ranges *ranges)
{
    bh_close(&ranges->fd);
    free(ranges->uids);
    ranges->uids = NULL;
}
