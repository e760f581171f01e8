/* SPDX-License-Identifier: Apache-2.0
 *
 * See copier.h. The job's process stays beside the copier until that has ended: it keeps the container from being
 * started meanwhile, and ends a copier that nobody waits for any more.
 */
#include "copier.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act.h"
#include "answer.h"
#include "common/cleanup.h"
#include "copier_parts.h"
#include "entry.h"
#include "policyd_executor.pb-c.h"
#include "layer_stack.h"
#include "lock.h"
#include "running.h"
#include "tenant.h"

#define FILL_DEADLINE_MS (3600 * 1000)

int copiers_prepare(struct executor *executor, int libexec, struct bh_error *error)
{
    executor->copier_program = openat(libexec, "bulkhead-copier", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return executor->copier_program < 0 ? bh_error_errno(error, errno, "open bulkhead-copier") : 0;
}

/* ---- in the executor ------------------------------------------------------------------------------------- */

static int view_of(Bulkhead__CopierView view, enum bh_copier_view *ret_view, struct bh_error *error)
{
    static const enum bh_copier_view views[] = {
        [BULKHEAD__COPIER_VIEW__COPIER_VIEW_READ] = BH_COPIER_READ,
        [BULKHEAD__COPIER_VIEW__COPIER_VIEW_WRITE] = BH_COPIER_WRITE,
        [BULKHEAD__COPIER_VIEW__COPIER_VIEW_BARE] = BH_COPIER_BARE,
        [BULKHEAD__COPIER_VIEW__COPIER_VIEW_UPPER] = BH_COPIER_UPPER,
        [BULKHEAD__COPIER_VIEW__COPIER_VIEW_SIZE] = BH_COPIER_SIZE,
    };
    *ret_view = (size_t)view < sizeof(views) / sizeof(views[0]) ? views[view] : 0;
    return *ret_view ? 0
                     : bh_error_set(error, BH_INVALID_ARGUMENT, "OpenCopier with view %d, which is none", (int)view);
}

/* What one request owns until the job was forked. */
struct preparation {
    struct container_spec *spec;
    struct plan *plan;
    int *layers;
    size_t n_layers;
    int job;
};

static void release(struct preparation *preparation)
{
    spec_free(preparation->spec);
    plan_free(preparation->plan);
    free(preparation->layers);
    bh_close(&preparation->job);
}

static int fork_job(struct executor *executor, struct bh_request *request, const struct preparation *preparation,
                    enum bh_copier_view view, struct bh_error *error);

static int open_copier(struct executor *executor, struct bh_request *request, const Bulkhead__OpenCopier *message,
                       struct bh_error *error)
{
    __attribute__((cleanup(release))) struct preparation preparation = {.job = bh_request_take_fd(request, 0)};
    enum bh_copier_view view;
    if (!message->spec) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "OpenCopier without a spec");
    }
    return view_of(message->view, &view, error) < 0 ||
                   spec_decode(message->spec, executor->context->config->cgroup_parent, &preparation.spec, error) < 0 ||
                   layer_stack(executor, preparation.spec, &preparation.layers, &preparation.n_layers, error) < 0 ||
                   plan_make_copy(preparation.spec, &preparation.plan, error) < 0
               ? -1
               : fork_job(executor, request, &preparation, view, error);
}

void copier_handle_open(struct bh_request *request)
{
    struct bh_error error = {0};
    if (open_copier(answer_executor(request), request, bh_request_body(request), &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

/* ---- in the job ------------------------------------------------------------------------------------------ */

/* Of a container that was never started there may be nothing yet. */
static int open_folder(struct copier_start *start, struct bh_error *error)
{
    const struct executor *executor = start->launch.executor;
    const char *name = start->launch.spec->name;
    if (mkdirat(executor->folders.containers, name, 0700) < 0 && errno != EEXIST) {
        return bh_error_errno(error, errno, "make the folder of container %.12s", name);
    }
    start->launch.folder = openat(executor->folders.containers, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return start->launch.folder < 0 ? bh_error_errno(error, errno, "open the folder of container %.12s", name) : 0;
}

static int join(struct copier_start *start, const struct running *running, struct bh_error *error)
{
    return entry_check(running, error) < 0 ? -1 : copier_join(start, running->record.pid, running->pidfd, error);
}

/* The namespaces and mounts that its view is made of. */
static int prepare_view(struct copier_start *start, const struct running *running, struct bh_error *error)
{
    bool runs = running->pidfd >= 0;
    if (open_folder(start, error) < 0) {
        return -1;
    }
    if (start->view == BH_COPIER_SIZE) {
        return copier_stand_apart(start, error) < 0 ? -1 : copier_mount_upper(start, error);
    }
    if (runs ? join(start, running, error) < 0 : lock_folder(start->launch.folder, error) < 0) {
        return -1;
    }
    if (start->view == BH_COPIER_READ || start->view == BH_COPIER_WRITE) {
        return runs ? 0 : copier_assemble(start, error);
    }
    if (!runs && (copier_stand_apart(start, error) < 0 || copier_mount_root(start, error) < 0)) {
        return -1;
    }
    if (start->view == BH_COPIER_BARE) {
        return 0;
    }
    return copier_mount_upper(start, error) < 0 ? -1 : rootfs_mount_image(&start->launch, -1, &start->lower, error);
}

static int prepare(struct copier_start *start, struct bh_error *error)
{
    struct running running;
    const struct container_spec *spec = start->launch.spec;
    struct bh_error unknown = {0};
    int result = running_open(start->launch.executor, spec->id, spec->tenant_uid, &running, &unknown);
    if (result < 0 && unknown.code == BH_PERMISSION_DENIED) {
        *error = unknown;
    } else { /* whatever else is wrong with its record: it was never started, or not to the end */
        result = prepare_view(start, &running, error);
    }
    running_close(&running);
    return result;
}

/* Stays until the copier has ended, with nothing but the lock and what tells of the end. */
static void keep(const struct copier_start *start, int32_t pid, int pidfd)
{
    int high[] = {fcntl(start->job, F_DUPFD_CLOEXEC, 64), fcntl(pidfd, F_DUPFD_CLOEXEC, 64),
                  fcntl(start->launch.folder, F_DUPFD_CLOEXEC, 64)};
    for (int i = 0; i < 3; i++) {
        (void)dup2(high[i], 3 + i);
    }
    (void)close_range(6, ~0U, 0);
    (void)copier_await(pid, 4, 3, (int)BH_DEADLINE_JOB_MS);
}

static int copier_work(struct executor *executor, void *argument, int answer_socket)
{
    struct copier_start *start = argument;
    struct job_answer answer = {0};
    int32_t pid;
    int pidfd;
    start->launch.executor = executor;
    (void)umask(022);
    (void)setsid();
    if (prepare(start, &answer.error) < 0 || copier_execute(start, &pid, &pidfd, &answer.error) < 0) {
        job_answer(answer_socket, &answer, -1);
        return 0;
    }
    answer.pid = pid;
    job_answer(answer_socket, &answer, -1);
    keep(start, pid, pidfd);
    return 0;
}

static void copier_done(struct bh_request *request, const struct job_said *said)
{
    Bulkhead__CopierOpened opened = BULKHEAD__COPIER_OPENED__INIT;
    opened.pid = said->answer.pid;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_COPIER_OPENED;
    packet.copier_opened = &opened;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static const struct job_kind copier_job = {.name = "copy", .work = copier_work, .done = copier_done};

static int fork_job(struct executor *executor, struct bh_request *request, const struct preparation *preparation,
                    enum bh_copier_view view, struct bh_error *error)
{
    const struct container_spec *spec = preparation->spec;
    uint32_t tenant_gid = tenant_group(spec->tenant_uid);
    struct copier_start start = {.launch = {.executor = executor,
                                            .spec = spec,
                                            .plan = preparation->plan,
                                            .layers = preparation->layers,
                                            .n_layers = preparation->n_layers,
                                            .tenant_gid = tenant_gid,
                                            .folder = -1,
                                            .root = -1},
                                 .view = view,
                                 .job = preparation->job,
                                 .user = -1,
                                 .mount = -1,
                                 .root = -1,
                                 .upper = -1,
                                 .lower = -1};
    struct userns_map shift = userns_map_shift(spec->id_base, spec->id_count);
    struct userns_map binds =
        spec->identity_binds ? shift : userns_map_tenant(spec->tenant_uid, tenant_gid, spec->id_base, spec->id_count);
    return userns_get(&executor->userns, &shift, &start.shifted, error) < 0 ||
                   userns_get(&executor->userns, &binds, &start.launch.binds_userns, error) < 0
               ? -1
               : job_start(executor, &copier_job, spec->id, &start, request, error);
}

/* ---- a volume's first fill ------------------------------------------------------------------------------- */

int copier_fill(const struct launch *launch, const char *path, int volume, struct bh_error *error)
{
    const struct container_spec *spec = launch->spec;
    struct userns_map shift = userns_map_shift(spec->id_base, spec->id_count);
    struct copier_start start = {.launch = *launch,
                                 .view = BH_COPIER_FILL,
                                 .path = path,
                                 .job = -1,
                                 .user = -1,
                                 .mount = -1,
                                 .root = -1,
                                 .upper = volume,
                                 .lower = -1};
    int32_t pid;
    bh_autoclose int pidfd = -1;
    int result = userns_get(&launch->executor->userns, &shift, &start.shifted, error) < 0 ||
                         copier_stand_apart(&start, error) < 0 ||
                         rootfs_mount_image(launch, -1, &start.root, error) < 0 ||
                         copier_execute(&start, &pid, &pidfd, error) < 0
                     ? -1
                     : 0;
    if (result == 0) {
        int status = copier_await(pid, pidfd, -1, FILL_DEADLINE_MS);
        /* What went wrong is in the copier's own log line: it has read the image's names, and we do not. */
        result = WIFEXITED(status) && WEXITSTATUS(status) == 0
                     ? 0
                     : bh_error_set(error, BH_INTERNAL,
                                    "the image's content at \"%s\" could not be copied into the volume", path);
    }
    bh_close(&start.user);
    bh_close(&start.mount);
    bh_close(&start.root);
    return result;
}
