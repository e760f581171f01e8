/* SPDX-License-Identifier: Apache-2.0
 *
 * Further processes of running containers; see exec.h. What they may is in the record of their container, which the
 * executor wrote itself into a folder that only root reaches; what they run is in the message.
 */
#include "entry.h"
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/log.h"
#include "exec_launch.h"
#include "remove.h"

#define END_NAME "end"
/* Of one tenant, being started at the same time: a quarter of what there is room for, since a hostile container can
 * hold each of them up until its deadline. */
#define JOBS_TENANT_MAX 64

/* ---- what is there --------------------------------------------------------------------------------------- */

static int check_id(const Bulkhead__ExecId *exec, struct bh_digest *ret_id, struct bh_error *error)
{
    if (!exec || !exec->container || exec->container->id.len != 32) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a request about an exec without its container's id");
    }
    return bh_digest_from_bytes(exec->id.data, exec->id.len, ret_id, error) < 0 ? bh_error_wrap(error, "exec id") : 0;
}

/* The folder of all execs of a container; -1 if there was none yet. */
static int open_execs(const struct running *container)
{
    return openat(container->folder, EXECS_NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int exec_open(const struct executor *executor, const Bulkhead__ExecId *exec, struct running *ret_running,
              struct bh_error *error)
{
    struct bh_digest id;
    char name[BH_DIGEST_HEX_SIZE];
    struct running container = {.folder = -1, .logs = -1, .pidfd = -1};
    *ret_running = container;
    if (check_id(exec, &id, error) < 0) {
        return -1;
    }
    int opened = running_open(executor, exec->container->id.data, exec->container->tenant_uid, &container, error);
    bh_autoclose int execs = opened == 0 ? open_execs(&container) : -1;
    running_close(&container);
    if (opened < 0) {
        return -1;
    }
    ret_running->folder =
        execs < 0 ? -1 : openat(execs, bh_digest_hex(&id, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (ret_running->folder < 0) {
        return bh_error_set(error, BH_NOT_FOUND, "exec %.12s was never started", bh_digest_hex(&id, name));
    }
    if (record_read(ret_running->folder, id.bytes, &ret_running->record, error) < 0) {
        return -1;
    }
    memcpy(ret_running->name, container.name, sizeof(ret_running->name));
    ret_running->logs = openat(ret_running->folder, END_NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    ret_running->pidfd = record_open_process(&ret_running->record, executor->boot_id);
    return 0;
}

/* ---- removal --------------------------------------------------------------------------------------------- */

int exec_remove(const struct executor *executor, const Bulkhead__ExecId *exec, struct bh_error *error)
{
    struct bh_digest id;
    char name[BH_DIGEST_HEX_SIZE];
    struct running running = {.folder = -1, .logs = -1, .pidfd = -1};
    int opened = exec_open(executor, exec, &running, error);
    bool runs = running.pidfd >= 0;
    bool cut_short = opened < 0 && error->code == BH_DATA_LOSS;
    bh_autoclose int execs =
        running.folder >= 0 ? openat(running.folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    running_close(&running);
    if (opened < 0 && !cut_short) {
        return error->code == BH_NOT_FOUND ? 0 : -1;
    }
    (void)check_id(exec, &id, error);
    (void)bh_digest_hex(&id, name);
    if (runs) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "exec %.12s is running", name);
    }
    if (job_is_running(executor, id.bytes)) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "exec %.12s is being started", name);
    }
    /* A monitor that was taken over may have left millions of files: a child takes them away. */
    pid_t pid = fork();
    if (pid == 0) {
        struct bh_error failure;
        int result = remove_tree(execs, name, &failure);
        if (result < 0) {
            bh_log_failure(BH_LOG_ERROR, &failure, "what is left of an exec stays until its container is removed");
        }
        _exit(result < 0);
    }
    return pid < 0 ? bh_error_errno(error, errno, "fork the removal of exec %.12s", name) : 0;
}

/* ---- start ----------------------------------------------------------------------------------------------- */

struct preparation {
    Bulkhead__ContainerSpec *judged; /* the container's, out of its record */
    struct container_spec *spec;     /* the same with this process in it */
    struct running container;
    int attachments[BH_MESSAGE_FDS_MAX];
    size_t n_attachments;
    struct seccomp_program own_filter;
};

static void release(struct preparation *preparation)
{
    spec_free(preparation->spec);
    if (preparation->judged) {
        bulkhead__container_spec__free_unpacked(preparation->judged, NULL);
    }
    running_close(&preparation->container);
    seccomp_program_free(&preparation->own_filter);
    for (size_t i = 0; i < preparation->n_attachments; i++) {
        bh_close(&preparation->attachments[i]);
    }
}

static int read_spec(const struct executor *executor, struct preparation *preparation, struct bh_error *error)
{
    const struct running *container = &preparation->container;
    void *taken = NULL;
    if (record_read_packed(container->folder, &container->record, &taken, error) < 0) {
        return -1;
    }
    bh_autofree void *packed = taken;
    preparation->judged = bulkhead__container_spec__unpack(NULL, container->record.packed_bytes, packed);
    if (!preparation->judged) {
        return bh_error_set(error, BH_DATA_LOSS, "the record of container %.12s holds no spec", container->name);
    }
    return spec_decode(preparation->judged, executor->context->config->cgroup_parent, &preparation->spec, error);
}

/* The filter is the container's also for a privileged process, as Docker has it. */
static int fork_exec(struct executor *executor, struct bh_request *request, struct preparation *preparation,
                     const Bulkhead__ExecSpec *message, struct bh_error *error)
{
    struct container_spec *spec = preparation->spec;
    struct launch launch;
    if (entry_check(&preparation->container, error) < 0) {
        return -1;
    }
    launch_clear(&launch);
    launch.executor = executor;
    launch.spec = spec;
    launch.joins = true;
    launch.container_pidfd = preparation->container.pidfd;
    launch.folder = preparation->container.folder;
    launch.attachments = preparation->attachments;
    launch.n_attachments = preparation->n_attachments;
    launch.packed = "";
    if (launch_choose_filter(executor, spec, &preparation->own_filter, &launch.filter, error) < 0 ||
        seccomp_monitor_get(&executor->seccomp, &launch.monitor_filter, error) < 0 ||
        spec_decode_joining(message->process, spec, error) < 0) {
        return -1;
    }
    memcpy(spec->id, message->exec->id.data, sizeof(spec->id));
    spec->capabilities = message->privileged ? SPEC_ALL_CAPABILITIES : spec->capabilities;
    spec->log_driver = BH_LOG_DRIVER_NONE;
    free(bh_steal_pointer(&spec->journal_fields));
    spec->keep_bytes = message->keep_bytes;
    spec->ephemeral = true; /* an exec does not outlive a power cut, and neither need its exit code */
    return job_start_bounded(executor, &exec_job, spec->id, spec->tenant_uid, JOBS_TENANT_MAX, &launch, request, error);
}

int start_exec(struct executor *executor, struct bh_request *request, const Bulkhead__StartExec *message,
               struct bh_error *error)
{
    struct bh_digest id;
    __attribute__((cleanup(release))) struct preparation preparation = {
        .container = {.folder = -1, .logs = -1, .pidfd = -1}};
    if (launch_take_attachments(request, message->attachments, 0, preparation.attachments, &preparation.n_attachments,
                                error) < 0) {
        return -1;
    }
    if (!message->spec) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "StartExec without a spec");
    }
    if (message->spec->keep_bytes > BH_KEPT_OUTPUT_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "of an exec's output %d bytes are kept at most",
                            BH_KEPT_OUTPUT_MAX);
    }
    if (check_id(message->spec->exec, &id, error) < 0 ||
        running_open(executor, message->spec->exec->container->id.data, message->spec->exec->container->tenant_uid,
                     &preparation.container, error) < 0) {
        return -1;
    }
    if (preparation.container.pidfd < 0) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "container %.12s is not running",
                            preparation.container.name);
    }
    return read_spec(executor, &preparation, error) < 0
               ? -1
               : fork_exec(executor, request, &preparation, message->spec, error);
}
