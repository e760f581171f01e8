/* SPDX-License-Identifier: Apache-2.0
 *
 * The worker that checks and syncs one layer image. Its parent (layer.c) holds a read lease on the image, so nobody
 * can change it meanwhile.
 */
#pragma once

#include "common/service.h"
#include "layer_record.h"

/* What the worker is told at its fork. */
struct layer_seal {
    int image;  /* to read */
    int record; /* empty file, to write the record to */
    int folder; /* that both will be published in */
    struct bh_digest blob, diff_id;
};

/* For struct job_start; `plan` is a struct layer_seal. Reports WRITTEN with the numbers of the record, or FAILED. */
int layer_seal_work(struct bh_service_context *context, int job_fd, void *plan);
