/* SPDX-License-Identifier: Apache-2.0
 *
 * Checking and syncing one layer image; see layer_seal.h.
 */
#include "layer_seal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/io.h"
#include "erofs_check.h"
#include "job.h"

static int seal(const struct layer_seal *plan, struct erofs_summary *ret_summary, struct bh_error *error)
{
    uint8_t bytes[LAYER_RECORD_BYTES];
    /* The disk works while we read: most images are good. */
    (void)sync_file_range(plan->image, 0, 0, SYNC_FILE_RANGE_WRITE);
    if (erofs_check(plan->image, ret_summary, error) < 0) {
        return -1;
    }
    const struct layer_record record = {.blob = plan->blob,
                                        .diff_id = plan->diff_id,
                                        .image_bytes = ret_summary->image_bytes,
                                        .content_bytes = ret_summary->content_bytes,
                                        .inodes = ret_summary->inodes};
    if (layer_record_encode(&record, bytes, error) < 0 ||
        bh_write_all(plan->record, bytes, sizeof(bytes), "the record of a layer", error) < 0) {
        return -1;
    }
    if (fsync(plan->image) < 0 || fsync(plan->record) < 0) {
        return bh_error_errno(error, errno, "sync a layer to the disk");
    }
    return 0;
}

int layer_seal_work(struct bh_service_context *context, int job_fd, void *argument)
{
    (void)context;
    const struct layer_seal *plan = argument;
    struct job_report report = {.kind = JOB_REPORT_FAILED};
    struct erofs_summary summary;
    if (seal(plan, &summary, &report.error) < 0) {
        job_report(job_fd, &report);
        return 0;
    }
    report = (struct job_report){.kind = JOB_REPORT_WRITTEN,
                                 .n_bytes = summary.image_bytes,
                                 .content_bytes = summary.content_bytes,
                                 .inodes = summary.inodes};
    job_report(job_fd, &report);
    if (job_wait_published(job_fd) < 0) {
        return 0;
    }
    report.kind = JOB_REPORT_DURABLE;
    if (fsync(plan->folder) < 0) {
        report.kind = JOB_REPORT_FAILED;
        (void)bh_error_errno(&report.error, errno, "sync the store's folder to the disk");
    }
    job_report(job_fd, &report);
    return 0;
}
