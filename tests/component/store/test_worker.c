/* SPDX-License-Identifier: Apache-2.0
 *
 * Promise 1: a worker that handles a blob holds the descriptors of that blob and nothing else, under a filter of its
 * own.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "common/cleanup.h"

/* The store's only child. */
static int worker_of(pid_t store)
{
    char path[64];
    int pid = -1;
    int other = -1;
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)store, (int)store);
    bh_autofclose FILE *file = fopen(path, "re");
    cr_assert(file != NULL);
    cr_assert(eq(int, fscanf(file, "%d %d", &pid, &other), 1), "one worker for one blob");
    return pid;
}

/* A number in /proc/<pid>/status. */
static unsigned long long status_of(int pid, const char *field, int base)
{
    char line[256];
    unsigned long long value = ~0ULL;
    (void)snprintf(line, sizeof(line), "/proc/%d/status", pid);
    bh_autofclose FILE *file = fopen(line, "re");
    cr_assert(file != NULL);
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, field, strlen(field)) == 0 && line[strlen(field)] == ':') {
            value = strtoull(line + strlen(field) + 1, NULL, base);
        }
    }
    return value;
}

/* How many of its descriptors above 2 lead to something of that kind. */
static size_t descriptors_of(int pid, const char *kind)
{
    char path[64];
    size_t n = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    bh_autoclosedir DIR *directory = opendir(path);
    cr_assert(directory != NULL);
    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        char target[512] = "";
        if (entry->d_name[0] != '.' && atoi(entry->d_name) > 2) {
            cr_assert(readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1) > 0);
            n += strstr(target, kind) != NULL;
        }
    }
    return n;
}

Test(store_worker, holds_only_what_is_its_own, .timeout = 60)
{
    struct client client = {.channel = NULL};
    struct ingesting first, second;
    uint8_t byte = 7;
    struct bh_digest digest = digest_of("unlike", 6);
    struct bh_digest stored;
    uint64_t n_bytes = 0;
    Bulkhead__BeginBlob known = client_blob(&digest, 6, true);
    client_start(&client);
    size_t n_pipes = descriptors_of(client.harness.pid, "pipe:"); /* the event loop's own */
    cr_assert(eq(int, client_begin_blob(&client, &known, &first), BH_OK));
    cr_assert(write(first.fds[0], &byte, 1) == 1);
    cr_assert(read(first.fds[1], &byte, 1) == 1); /* so it is at work */
    Bulkhead__ContentStat stat;
    struct bh_digest diff_id;
    cr_assert(eq(int, client_stat(&client, &digest, &stat, &diff_id), BH_OK)); /* and the loop is done with it */
    int worker = worker_of(client.harness.pid);
    cr_assert(eq(u64, status_of(worker, "CapEff", 16), 0));
    cr_assert(eq(u64, status_of(worker, "CapBnd", 16), 0));
    cr_assert(eq(u64, status_of(worker, "NoNewPrivs", 10), 1));
    cr_assert(eq(u64, status_of(worker, "Seccomp", 10), 2));
    cr_assert(
        eq(u64, status_of(worker, "Seccomp_filters", 10), status_of(client.harness.pid, "Seccomp_filters", 10) + 1));
    cr_assert(eq(sz, descriptors_of(worker, ""), 5));
    cr_assert(eq(sz, descriptors_of(worker, "pipe:"), 2));
    cr_assert(eq(sz, descriptors_of(worker, "socket:"), 1));
    cr_assert(eq(sz, descriptors_of(worker, "/partial/"), 1));
    cr_assert(eq(sz, descriptors_of(worker, "/blobs"), 1));
    cr_assert(eq(sz, descriptors_of(client.harness.pid, "pipe:"), n_pipes), "the store itself keeps no end");
    bh_close(&first.fds[0]);
    cr_assert(eq(int, client_finish_blob(&client, &first, &stored, &n_bytes), BH_DATA_LOSS));
    cr_assert(eq(int, client_begin_spool(&client, 100, &second), BH_OK));
    bh_close(&second.fds[0]);
    cr_assert(eq(int, client_finish_spool(&client, &second, &n_bytes), BH_OK));
    client_stop(&client);
}
