/* SPDX-License-Identifier: Apache-2.0
 *
 * Volumes that are a tmpfs; see tmpfs_volumes.h. Whether a container still runs is asked of its own record, so that
 * nobody has to tell us of its end.
 */
#include "tmpfs_volumes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "common/cleanup.h"
#include "executor.h"
#include "running.h"

#define SWEEP_S 5

static void watch(struct executor *executor);

static bool is_in_use(const struct executor *executor, uint32_t tenant_uid, const uint8_t container[static 32])
{
    struct running running;
    struct bh_error ignored;
    if (job_is_running(executor, container)) { /* it is just being started */
        return true;
    }
    bool runs = running_open(executor, container, tenant_uid, &running, &ignored) == 0 && running.pidfd >= 0;
    running_close(&running);
    return runs;
}

static void let_go(struct executor *executor, size_t index)
{
    struct tmpfs_volumes *volumes = &executor->tmpfs_volumes;
    layers_detach(&executor->layers, volumes->items[index].mount);
    bh_close(&volumes->items[index].mount);
    volumes->items[index] = volumes->items[--volumes->n];
}

void tmpfs_volumes_sweep(struct executor *executor)
{
    struct tmpfs_volumes *volumes = &executor->tmpfs_volumes;
    for (size_t i = volumes->n; i > 0; i--) {
        struct tmpfs_volume *volume = &volumes->items[i - 1];
        for (size_t user = volume->n_users; user > 0; user--) {
            if (!is_in_use(executor, volume->tenant_uid, volume->users[user - 1])) {
                memcpy(volume->users[user - 1], volume->users[--volume->n_users], sizeof(volume->users[0]));
            }
        }
        if (volume->n_users == 0) {
            let_go(executor, i - 1);
        }
    }
}

static void on_time(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct executor *executor = argument;
    tmpfs_volumes_sweep(executor);
    watch(executor);
}

/* While there is one: nobody need ask anything of us for its memory to come free. */
static void watch(struct executor *executor)
{
    static const struct timeval later = {.tv_sec = SWEEP_S};
    struct tmpfs_volumes *volumes = &executor->tmpfs_volumes;
    if (!volumes->timer) {
        volumes->timer = evtimer_new(executor->context->base, on_time, executor);
    }
    if (volumes->timer && volumes->n > 0) {
        (void)evtimer_add(volumes->timer, &later);
    }
}

static struct tmpfs_volume *find(struct tmpfs_volumes *volumes, uint32_t tenant_uid, const uint8_t id[static 32])
{
    for (size_t i = 0; i < volumes->n; i++) {
        if (volumes->items[i].tenant_uid == tenant_uid && memcmp(volumes->items[i].id, id, 32) == 0) {
            return &volumes->items[i];
        }
    }
    return NULL;
}

static int add(struct executor *executor, uint32_t tenant_uid, const uint8_t id[static 32],
               const struct tmpfs_wish *wish, struct tmpfs_volume **ret_volume, struct bh_error *error)
{
    struct tmpfs_volumes *volumes = &executor->tmpfs_volumes;
    bh_autoclose int mount = -1;
    size_t of_tenant = 0;
    for (size_t i = 0; i < volumes->n; i++) {
        of_tenant += volumes->items[i].tenant_uid == tenant_uid;
    }
    struct tmpfs_volume *grown =
        of_tenant < TMPFS_VOLUMES_MAX ? reallocarray(volumes->items, volumes->n + 1, sizeof(*volumes->items)) : NULL;
    if (!grown) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "%zu tmpfs volumes are in use; no more can be", of_tenant);
    }
    volumes->items = grown;
    if (tmpfs_make(wish, MOUNT_ATTR_NODEV, &mount, error) < 0) {
        return -1;
    }
    if (layers_attach(&executor->layers, mount) < 0) { /* before Linux 6.15, only what is attached can be cloned */
        return bh_error_errno(error, errno, "attach a tmpfs");
    }
    struct tmpfs_volume *volume = &volumes->items[volumes->n++];
    *volume = (struct tmpfs_volume){.tenant_uid = tenant_uid, .mount = bh_steal_fd(&mount)};
    memcpy(volume->id, id, sizeof(volume->id));
    watch(executor);
    *ret_volume = volume;
    return 0;
}

int tmpfs_volumes_get(struct executor *executor, uint32_t tenant_uid, const uint8_t id[static 32],
                      const uint8_t container[static 32], const struct tmpfs_wish *wish, int *ret_mount,
                      struct bh_error *error)
{
    struct tmpfs_volume *volume = find(&executor->tmpfs_volumes, tenant_uid, id);
    if (!volume && add(executor, tenant_uid, id, wish, &volume, error) < 0) {
        return -1;
    }
    *ret_mount = volume->mount;
    for (size_t i = 0; i < volume->n_users; i++) {
        if (memcmp(volume->users[i], container, sizeof(volume->users[i])) == 0) {
            return 0; /* in two places of one container */
        }
    }
    if (volume->n_users == TMPFS_VOLUME_USERS_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "%d containers use this tmpfs volume; no more can",
                            TMPFS_VOLUME_USERS_MAX);
    }
    memcpy(volume->users[volume->n_users++], container, sizeof(volume->users[0]));
    return 0;
}

int tmpfs_volumes_find(struct executor *executor, uint32_t tenant_uid, const uint8_t id[static 32])
{
    const struct tmpfs_volume *volume = find(&executor->tmpfs_volumes, tenant_uid, id);
    return volume ? volume->mount : -1;
}

void tmpfs_volumes_drop(struct executor *executor, uint32_t tenant_uid, const uint8_t id[static 32])
{
    struct tmpfs_volume *volume = find(&executor->tmpfs_volumes, tenant_uid, id);
    if (volume) {
        let_go(executor, (size_t)(volume - executor->tmpfs_volumes.items));
    }
}

void tmpfs_volumes_free(struct executor *executor)
{
    while (executor->tmpfs_volumes.n > 0) {
        let_go(executor, executor->tmpfs_volumes.n - 1);
    }
    if (executor->tmpfs_volumes.timer) {
        event_free(executor->tmpfs_volumes.timer);
        executor->tmpfs_volumes.timer = NULL;
    }
    free(executor->tmpfs_volumes.items);
    executor->tmpfs_volumes.items = NULL;
}
