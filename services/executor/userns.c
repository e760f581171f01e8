/* SPDX-License-Identifier: Apache-2.0
 *
 * Id maps; see userns.h. Only numbers that spec.c has checked come here.
 */
#include "userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"

struct userns_map userns_map_shift(uint32_t id_base, uint32_t id_count)
{
    const struct userns_line line = {.inside = 0, .outside = id_base, .count = id_count};
    return (struct userns_map){.uids = {line}, .gids = {line}};
}

struct userns_map userns_map_tenant(uint32_t tenant_uid, uint32_t tenant_gid, uint32_t id_base, uint32_t id_count)
{
    const struct userns_line others = {.inside = id_base + 1, .outside = id_base + 1, .count = id_count - 1};
    return (struct userns_map){
        .uids = {{.inside = tenant_uid, .outside = id_base, .count = 1}, others},
        .gids = {{.inside = tenant_gid, .outside = id_base, .count = 1}, others},
    };
}

size_t userns_format(const struct userns_line lines[static USERNS_LINES_MAX], char *buffer, size_t buffer_bytes)
{
    size_t used = 0;
    for (size_t i = 0; i < USERNS_LINES_MAX; i++) {
        if (lines[i].count > 0 && used < buffer_bytes) {
            int n = snprintf(buffer + used, buffer_bytes - used, "%u %u %u\n", lines[i].inside, lines[i].outside,
                             lines[i].count);
            used += n > 0 ? (size_t)n : 0;
        }
    }
    return used;
}

static int write_map(int32_t pid, const char *name, const struct userns_line *lines, struct bh_error *error)
{
    char path[64], text[128];
    size_t length = userns_format(lines, text, sizeof(text));
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    bh_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return bh_error_errno(error, errno, "open %s", path);
    }
    return write(fd, text, length) == (ssize_t)length ? 0 : bh_error_errno(error, errno, "write %s", path);
}

int userns_write(int32_t pid, const struct userns_map *map, struct bh_error *error)
{
    return write_map(pid, "uid_map", map->uids, error) < 0 ? -1 : write_map(pid, "gid_map", map->gids, error);
}

/* In a child that shares our descriptor table: so that no capability to look into other processes is needed, it opens
 * its own namespace for us. It lives until `hold` closes. */
static _Noreturn void child_main(int report, int hold)
{
    int fd = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
    char byte;
    _exit(write(report, &fd, sizeof(fd)) == (ssize_t)sizeof(fd) && read(hold, &byte, 1) >= 0 ? 0 : 1);
}

static int make(const struct userns_map *map, int *ret_fd, struct bh_error *error)
{
    int report[2], hold[2];
    if (pipe2(report, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "make a pipe");
    }
    bh_autoclose int report_read = report[0], report_write = report[1];
    if (pipe2(hold, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "make a pipe");
    }
    bh_autoclose int hold_read = hold[0], hold_write = hold[1];
    (void)hold_write; /* the child ends with it, should we not get as far as killing it */
    struct clone_args arguments = {.flags = CLONE_NEWUSER | CLONE_FILES, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (pid < 0) {
        return bh_error_errno(error, errno, "make a user namespace");
    }
    if (pid == 0) {
        child_main(report_write, hold_read);
    }
    int fd = -1;
    int result = userns_write((int32_t)pid, map, error);
    if (read(report_read, &fd, sizeof(fd)) != (ssize_t)sizeof(fd) || fd < 0) {
        result = result < 0 ? -1 : bh_error_set(error, BH_INTERNAL, "open a user namespace");
    }
    (void)kill((pid_t)pid, SIGKILL);
    (void)waitpid((pid_t)pid, NULL, 0);
    if (result < 0) {
        bh_close(&fd);
        return -1;
    }
    *ret_fd = fd;
    return 0;
}

int userns_get(struct userns_cache *cache, const struct userns_map *map, int *ret_fd, struct bh_error *error)
{
    for (size_t i = 0; i < cache->n; i++) {
        if (memcmp(&cache->entries[i].map, map, sizeof(*map)) == 0) {
            *ret_fd = cache->entries[i].fd;
            return 0;
        }
    }
    int fd = -1;
    if (make(map, &fd, error) < 0) {
        return -1;
    }
    size_t slot = cache->n;
    if (cache->n < USERNS_CACHE_MAX) {
        cache->n++;
    } else {
        slot = cache->next++ % USERNS_CACHE_MAX;
        bh_close(&cache->entries[slot].fd);
    }
    cache->entries[slot].map = *map;
    cache->entries[slot].fd = fd;
    *ret_fd = fd;
    return 0;
}

void userns_free(struct userns_cache *cache)
{
    while (cache->n > 0) {
        bh_close(&cache->entries[--cache->n].fd);
    }
}
