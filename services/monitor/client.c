/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of attached clients; see client.h.
 */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/cleanup.h"
#include "common/io.h"

void client_table_init(struct client_table *table)
{
    for (size_t i = 0; i < MONITOR_CLIENTS_MAX; i++) {
        table->rows[i] = (struct client){.input = -1, .outputs = {-1, -1}};
    }
}

bool client_is_null_device(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

int client_set_nonblocking(int fd, struct bh_error *error)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        return bh_error_errno(error, errno, "make a stream non-blocking");
    }
    return 0;
}

static bool is_free(const struct client *client)
{
    return client->input < 0 && client->outputs[MONITOR_STDOUT] < 0 && client->outputs[MONITOR_STDERR] < 0;
}

/* Whether `fd` may be used in the direction `mode`, O_RDONLY or O_WRONLY. */
static bool is_open_for(int fd, int mode)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && ((flags & O_ACCMODE) == mode || (flags & O_ACCMODE) == O_RDWR);
}

int client_table_add(struct client_table *table, const int fds[static 3],
                     const uint64_t positions[static MONITOR_STREAMS], struct bh_error *error)
{
    bh_autoclose int input = fds[0];
    bh_autoclose int out = fds[1];
    bh_autoclose int err = fds[2];
    struct client *client = table->rows;
    while (client < table->rows + MONITOR_CLIENTS_MAX && !is_free(client)) {
        client++;
    }
    if (client == table->rows + MONITOR_CLIENTS_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "%d clients are attached already; detach one first",
                            MONITOR_CLIENTS_MAX);
    }
    if (!is_open_for(input, O_RDONLY) || !is_open_for(out, O_WRONLY) || !is_open_for(err, O_WRONLY)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "attach: descriptors must be stdin to read, and stdout and stderr to write");
    }
    if (client_set_nonblocking(input, error) < 0 || client_set_nonblocking(out, error) < 0 ||
        client_set_nonblocking(err, error) < 0) {
        return -1;
    }
    client->input = client_is_null_device(input) ? -1 : bh_steal_fd(&input);
    client->outputs[MONITOR_STDOUT] = client_is_null_device(out) ? -1 : bh_steal_fd(&out);
    client->outputs[MONITOR_STDERR] = client_is_null_device(err) ? -1 : bh_steal_fd(&err);
    client->positions[MONITOR_STDOUT] = positions[MONITOR_STDOUT];
    client->positions[MONITOR_STDERR] = positions[MONITOR_STDERR];
    client->progress_at_ms = bh_now_ms();
    return 0;
}

void client_close_output(struct client *client, enum monitor_stream stream)
{
    bh_close(&client->outputs[stream]);
}

void client_table_close_inputs(struct client_table *table)
{
    for (size_t i = 0; i < MONITOR_CLIENTS_MAX; i++) {
        bh_close(&table->rows[i].input);
    }
}
