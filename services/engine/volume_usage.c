/* SPDX-License-Identifier: Apache-2.0
 *
 * What volumes hold; see volumes.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "common/log.h"
#include "services/engine/policy.h"
#include "services/engine/volumes.h"

int64_t volume_size(struct job *job, const struct volume_row *row)
{
    uint64_t used = 0, limit = 0;
    struct bh_error error = {0};
    if (policy_measure_volume(job, row, &used, &limit, &error) < 0) {
        bh_log_failure(BH_LOG_INFO, &error, "a volume could not be measured");
        return -1;
    }
    return used <= INT64_MAX ? (int64_t)used : -1;
}

int volume_usages(struct job *job, struct volume_usage **ret_usages, size_t *ret_n_usages, struct bh_error *error)
{
    struct volume_row *rows = NULL;
    size_t n_rows = 0;
    if (database_volumes(job->engine->database, job->tenant_uid, false, &rows, &n_rows, error) < 0) {
        return -1;
    }
    struct volume_usage *usages = calloc(n_rows + 1, sizeof *usages);
    if (!usages) {
        volume_rows_free(rows, n_rows);
        return bh_error_errno(error, ENOMEM, "list %zu volumes", n_rows);
    }
    for (size_t i = 0; i < n_rows; i++) {
        usages[i].row = rows[i];
        usages[i].size_bytes = volume_size(job, &rows[i]);
    }
    free(rows); /* what they own is the usages' now */
    *ret_usages = usages;
    *ret_n_usages = n_rows;
    return 0;
}

void volume_usages_free(struct volume_usage *usages, size_t n_usages)
{
    for (size_t i = 0; i < n_usages; i++) {
        volume_row_clear(&usages[i].row);
    }
    free(usages);
}
