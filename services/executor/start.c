/* SPDX-License-Identifier: Apache-2.0
 *
 * Preparing a start; see start.h. Layers and seccomp programs come from caches that must outlive one start, so they are
 * looked up here and inherited by the forked launch.
 */
#include "start.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "launch.h"
#include "layer_stack.h"
#include "policyd_executor.pb-c.h"
#include "running.h"
#include "tenant.h"
#include "volumes.h"

/* What one start borrows and owns until the launch was forked. */
struct preparation {
    struct container_spec *spec;
    struct plan *plan;
    int *layers; /* borrowed mounts, base first, without what an opaque root hides */
    size_t n_layers;
    int attachments[BH_MESSAGE_FDS_MAX];
    size_t n_attachments;
    int links; /* -1: none are waited for */
    uint8_t *packed;
    size_t packed_bytes;
    const struct seccomp_program *filter;
    struct seccomp_program own_filter; /* of a user's profile */
};

static void release(struct preparation *preparation)
{
    spec_free(preparation->spec);
    plan_free(preparation->plan);
    free(preparation->layers);
    free(preparation->packed);
    seccomp_program_free(&preparation->own_filter);
    for (size_t i = 0; i < preparation->n_attachments; i++) {
        bh_close(&preparation->attachments[i]);
    }
    bh_close(&preparation->links);
}

/* The clients' streams; and, if the container is linked to networks, what tells when that is done. */
static int take_fds(struct bh_request *request, const Bulkhead__StartContainer *message,
                    struct preparation *preparation, struct bh_error *error)
{
    size_t linked = message->spec->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED ? 1 : 0;
    if (launch_take_attachments(request, message->attachments, linked, preparation->attachments,
                                &preparation->n_attachments, error) < 0) {
        return -1;
    }
    preparation->links = linked ? bh_request_take_fd(request, preparation->n_attachments) : -1;
    return 0;
}

int launch_take_attachments(struct bh_request *request, uint32_t attachments, size_t others,
                            int fds[static BH_MESSAGE_FDS_MAX], size_t *n_fds, struct bh_error *error)
{
    size_t n = bh_request_message(request)->n_fds;
    if (attachments > BH_ATTACHMENTS_MAX || n != 3 * (size_t)attachments + others) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "%u attachments with %zu descriptors (three each, at most %d, and %zu beside them)",
                            attachments, n, BH_ATTACHMENTS_MAX, others);
    }
    for (; *n_fds < n - others; (*n_fds)++) {
        fds[*n_fds] = bh_request_take_fd(request, *n_fds);
    }
    return 0;
}

/* A tmpfs that several containers share is held by us, not by the child that makes this container. */
static int collect_volumes(struct executor *executor, struct preparation *preparation, struct bh_error *error)
{
    const struct container_spec *spec = preparation->spec;
    tmpfs_volumes_sweep(executor);
    for (size_t i = 0; i < spec->n_mounts; i++) {
        struct spec_mount *mount = &spec->mounts[i];
        if (mount->kind != SPEC_MOUNT_VOLUME || !mount->volume_tmpfs) {
            continue;
        }
        const struct tmpfs_wish wish = {.bytes = mount->tmpfs_bytes,
                                        .inodes = mount->tmpfs_inodes,
                                        .mode = mount->tmpfs_mode,
                                        .uid = spec->id_base + mount->tmpfs_uid,
                                        .gid = spec->id_base + mount->tmpfs_gid,
                                        .label = spec->selinux_mount_label};
        bh_autoclose int folder = -1; /* that it is this tenant's */
        if (volume_open(executor, spec->tenant_uid, mount->volume, &folder, error) < 0 ||
            tmpfs_volumes_get(executor, spec->tenant_uid, mount->volume, spec->id, &wish, &mount->held, error) < 0) {
            return bh_error_wrap(error, "volume \"%s\"", mount->volume_name);
        }
    }
    return 0;
}

int launch_choose_filter(struct executor *executor, const struct container_spec *spec, struct seccomp_program *own,
                         const struct seccomp_program **ret_filter, struct bh_error *error)
{
    switch (spec->seccomp) {
    case SPEC_SECCOMP_DEFAULT:
        return seccomp_default_get(&executor->seccomp, spec->capabilities, ret_filter, error);
    case SPEC_SECCOMP_PROFILE:
        *ret_filter = own;
        return seccomp_compile_profile(spec->profile, spec->capabilities, own, error);
    case SPEC_SECCOMP_UNCONFINED:
        *ret_filter = NULL;
        return 0;
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT, "no seccomp mode");
}

static int pack(const Bulkhead__ContainerSpec *message, struct preparation *preparation, struct bh_error *error)
{
    preparation->packed_bytes = bulkhead__container_spec__get_packed_size(message);
    preparation->packed = malloc(preparation->packed_bytes + 1);
    if (!preparation->packed) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a record");
    }
    (void)bulkhead__container_spec__pack(message, preparation->packed);
    return 0;
}

static int refuse_if_running(const struct executor *executor, const struct container_spec *spec, struct bh_error *error)
{
    struct running running;
    struct bh_error ignored;
    int opened = running_open(executor, spec->id, spec->tenant_uid, &running, &ignored);
    bool runs = opened == 0 && running.pidfd >= 0;
    bool foreign = opened < 0 && ignored.code == BH_PERMISSION_DENIED;
    running_close(&running);
    if (foreign) {
        *error = ignored;
        return -1;
    }
    return runs ? bh_error_set(error, BH_FAILED_PRECONDITION, "container %.12s is already running", spec->name) : 0;
}

void launch_clear(struct launch *launch)
{
    *launch = (struct launch){.folder = -1,
                              .logs = -1,
                              .journal = -1,
                              .links = -1,
                              .answer_socket = -1,
                              .dev = -1,
                              .devpts = -1,
                              .terminal = -1,
                              .terminal_inside = -1,
                              .inside = {-1, -1, -1},
                              .outside = {-1, -1, -1},
                              .proc = -1,
                              .root = -1,
                              .container_pidfd = -1,
                              .pidfd = -1};
    for (size_t i = 0; i < CGROUP_HIERARCHIES_MAX; i++) {
        launch->tasks[i] = -1;
        launch->cgroup_mounts[i] = -1;
        launch->cgroup.folders[i] = -1;
    }
}

static int fork_launch(struct executor *executor, struct bh_request *request, struct preparation *preparation,
                       struct bh_error *error)
{
    const struct container_spec *spec = preparation->spec;
    struct launch launch;
    launch_clear(&launch);
    launch.executor = executor;
    launch.spec = spec;
    launch.plan = preparation->plan;
    launch.layers = preparation->layers;
    launch.n_layers = preparation->n_layers;
    launch.attachments = preparation->attachments;
    launch.n_attachments = preparation->n_attachments;
    launch.links = preparation->links;
    launch.packed = preparation->packed;
    launch.packed_bytes = preparation->packed_bytes;
    launch.filter = preparation->filter;
    launch.tenant_gid = tenant_group(spec->tenant_uid);
    struct userns_map map = spec->identity_binds
                                ? userns_map_shift(spec->id_base, spec->id_count)
                                : userns_map_tenant(spec->tenant_uid, launch.tenant_gid, spec->id_base, spec->id_count);
    return userns_get(&executor->userns, &map, &launch.binds_userns, error) < 0 ||
                   seccomp_monitor_get(&executor->seccomp, &launch.monitor_filter, error) < 0
               ? -1
               : job_start(executor, &launch_job, spec->id, &launch, request, error);
}

int start_container(struct executor *executor, struct bh_request *request, const Bulkhead__StartContainer *message,
                    struct bh_error *error)
{
    __attribute__((cleanup(release))) struct preparation preparation = {.links = -1};
    if (!message->spec) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "StartContainer without a spec");
    }
    return take_fds(request, message, &preparation, error) < 0 ||
                   spec_decode(message->spec, executor->context->config->cgroup_parent, &preparation.spec, error) < 0 ||
                   refuse_if_running(executor, preparation.spec, error) < 0 ||
                   layer_stack(executor, preparation.spec, &preparation.layers, &preparation.n_layers, error) < 0 ||
                   collect_volumes(executor, &preparation, error) < 0 ||
                   launch_choose_filter(executor, preparation.spec, &preparation.own_filter, &preparation.filter,
                                        error) < 0 ||
                   plan_make(preparation.spec, &preparation.plan, error) < 0 ||
                   pack(message->spec, &preparation, error) < 0
               ? -1
               : fork_launch(executor, request, &preparation, error);
}
