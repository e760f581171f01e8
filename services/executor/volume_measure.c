/* SPDX-License-Identifier: Apache-2.0
 *
 * How much volumes hold; see volume_measure.h.
 */
#include "volume_measure.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "common/cleanup.h"
#include "disk.h"
#include "policyd_executor.pb-c.h"
#include "project.h"
#include "tree_size.h"
#include "volumes.h"

#define MEASUREMENTS_MAX 8 /* jobs of one tenant at a time, with which another may begin */

struct measuring {
    int folder;
    int userns;
    int tmpfs; /* a tmpfs volume that is in use; else -1 */
};

static int measure(const struct measuring *measuring, int answer_socket, struct job_answer *answer)
{
    struct bh_error *error = &answer->error;
    bh_autoclose int disk = -1, data = -1;
    bool limited;
    if (measuring->tmpfs >= 0) {
        return disk_usage(measuring->tmpfs, &answer->numbers[0], &answer->numbers[1], error);
    }
    if (faccessat(measuring->folder, DISK_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        return disk_mount(measuring->folder, &disk, error) < 0
                   ? -1
                   : disk_usage(disk, &answer->numbers[0], &answer->numbers[1], error);
    }
    data = openat(measuring->folder, VOLUME_DATA, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (data < 0) {
        return errno == ENOENT ? 0 : bh_error_errno(error, errno, "open a volume's data");
    }
    if (project_is_limited(data, &limited, error) < 0) {
        return -1;
    }
    if (limited) {
        return project_usage(data, &answer->numbers[0], &answer->numbers[1], error);
    }
    return tree_size(measuring->userns, data, answer_socket, &answer->numbers[0], error);
}

static int measure_work(struct executor *executor, void *argument, int answer_socket)
{
    (void)executor;
    struct job_answer answer = {0};
    (void)measure(argument, answer_socket, &answer);
    job_answer(answer_socket, &answer, -1);
    return 0;
}

static void measure_done(struct bh_request *request, const struct job_said *said)
{
    Bulkhead__DiskMeasured measured = BULKHEAD__DISK_MEASURED__INIT;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    measured.used_bytes = said->answer.numbers[0];
    measured.limit_bytes = said->answer.numbers[1];
    packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_DISK_MEASURED;
    packet.disk_measured = &measured;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static const struct job_kind measure_job = {.name = "measure", .work = measure_work, .done = measure_done};

/* Measuring keeps nobody from working on the same container or volume: it is a job of another id. */
static int start(struct bh_request *request, const uint8_t id[static 32], uint32_t tenant_uid,
                 struct measuring *measuring, struct bh_error *error)
{
    uint8_t other[32];
    memcpy(other, id, sizeof(other));
    other[0] = (uint8_t)~other[0];
    return job_start_bounded(answer_executor(request), &measure_job, other, tenant_uid, MEASUREMENTS_MAX, measuring,
                             request, error);
}

static int measure_volume(struct bh_request *request, const Bulkhead__MeasureVolume *message, struct bh_error *error)
{
    struct executor *executor = answer_executor(request);
    bh_autoclose int folder = -1;
    const Bulkhead__VolumeId *volume = message->volume;
    if (!volume || volume->id.len != 32 || message->id_base < VOLUME_ID_BASE_MIN) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a volume is named by an id of 32 bytes and its tenant");
    }
    struct measuring measuring = {0};
    const struct userns_map map = userns_map_shift(message->id_base, BH_TENANT_IDS);
    if (volume_open(executor, volume->tenant_uid, volume->id.data, &folder, error) < 0 ||
        userns_get(&executor->userns, &map, &measuring.userns, error) < 0) {
        return -1;
    }
    measuring.folder = folder;
    measuring.tmpfs = tmpfs_volumes_find(executor, volume->tenant_uid, volume->id.data);
    return start(request, volume->id.data, volume->tenant_uid, &measuring, error);
}

void volume_handle_measure(struct bh_request *request)
{
    struct bh_error error = {0};
    if (measure_volume(request, bh_request_body(request), &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}
