/* SPDX-License-Identifier: Apache-2.0
 *
 * A volume's first fill; see volume_fill.h.
 */
#include "volume_fill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act.h"
#include "answer.h"
#include "common/cleanup.h"
#include "copier.h"
#include "layer_stack.h"
#include "policyd_executor.pb-c.h"
#include "volumes.h"

#define FILLED_MARK "filled"

/* ---- one volume ---------------------------------------------------------------------------------------- */

/* Whether nothing was ever put into the folder a mount shows: its times are still those of its birth. */
static bool is_untouched(int mount)
{
    struct statx status;
    return statx(mount, "", AT_EMPTY_PATH, STATX_MTIME | STATX_BTIME, &status) == 0 &&
           (status.stx_mask & STATX_BTIME) && status.stx_mtime.tv_sec == status.stx_btime.tv_sec &&
           status.stx_mtime.tv_nsec == status.stx_btime.tv_nsec;
}

/* The copier looks whether the volume is empty; a mark beside it spares that look once it was filled, and a lock keeps
 * two containers from filling it at once. */
int volume_fill(const struct launch *launch, const struct operation *operation, int whole, struct bh_error *error)
{
    bh_autoclose int folder = -1;
    if (operation->no_copy || *operation->source) {
        return 0;
    }
    if (volume_open(launch->executor, launch->spec->tenant_uid, operation->volume, &folder, error) < 0) {
        return -1;
    }
    if (flock(folder, LOCK_EX) < 0) {
        return bh_error_errno(error, errno, "lock a volume");
    }
    const bool is_tmpfs = operation->held >= 0; /* empty again each time it is made */
    if (is_tmpfs ? !is_untouched(whole) : faccessat(folder, FILLED_MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        return 0;
    }
    struct launch beside = *launch;
    beside.folder = folder; /* of the container there may be none yet */
    if (copier_fill(&beside, operation->target, whole, error) < 0) {
        return -1;
    }
    if (!is_tmpfs && !is_untouched(whole)) {
        bh_autoclose int mark = openat(folder, FILLED_MARK, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        return mark < 0 ? bh_error_errno(error, errno, "mark a volume as filled") : 0;
    }
    return 0;
}

/* ---- all of a container ---------------------------------------------------------------------------------- */

/* What one request owns until the job was forked. */
struct filling {
    struct container_spec *spec;
    struct plan *plan;
    int *layers;
    size_t n_layers;
};

static void release(struct filling *filling)
{
    spec_free(filling->spec);
    plan_free(filling->plan);
    free(filling->layers);
}

static int fill_all(const struct launch *launch, struct bh_error *error)
{
    for (size_t i = 0; i < launch->plan->n_operations; i++) {
        const struct operation *operation = &launch->plan->operations[i];
        bh_autoclose int whole = -1;
        if (operation->kind == OPERATION_VOLUME && (volume_open_whole(launch, operation, &whole, error) < 0 ||
                                                    volume_fill(launch, operation, whole, error) < 0)) {
            return bh_error_wrap(error, "volume \"%s\"", operation->name);
        }
    }
    return 0;
}

static int fill_work(struct executor *executor, void *argument, int answer_socket)
{
    const struct filling *filling = argument;
    struct job_answer answer = {0};
    const struct launch launch = {.executor = executor,
                                  .spec = filling->spec,
                                  .plan = filling->plan,
                                  .layers = filling->layers,
                                  .n_layers = filling->n_layers,
                                  .folder = -1,
                                  .root = -1};
    (void)umask(022);
    (void)fill_all(&launch, &answer.error);
    job_answer(answer_socket, &answer, -1);
    return 0;
}

static void fill_done(struct bh_request *request, const struct job_said *said)
{
    (void)said;
    struct bh_error none = {0};
    answer_result(request, 0, &none);
}

static const struct job_kind fill_job = {.name = "fill volumes", .work = fill_work, .done = fill_done};

static int start(struct executor *executor, struct bh_request *request, const Bulkhead__FillVolumes *message,
                 struct bh_error *error)
{
    __attribute__((cleanup(release))) struct filling filling = {0};
    if (!message->spec) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "FillVolumes without a spec");
    }
    return spec_decode(message->spec, executor->context->config->cgroup_parent, &filling.spec, error) < 0 ||
                   layer_stack(executor, filling.spec, &filling.layers, &filling.n_layers, error) < 0 ||
                   plan_make_copy(filling.spec, &filling.plan, error) < 0
               ? -1
               : job_start(executor, &fill_job, filling.spec->id, &filling, request, error);
}

void volume_handle_fill(struct bh_request *request)
{
    struct bh_error error = {0};
    if (start(answer_executor(request), request, bh_request_body(request), &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}
