/* SPDX-License-Identifier: Apache-2.0
 *
 * DELETE of one image or name; see images.h. The rules are deletion.c's.
 */
#include "services/engine/deletion.h"
#include "services/engine/images.h"

int delete_image(struct job *job, struct bh_error *error)
{
    const Bulkhead__DeleteImage *question = job_body(job);
    deletion_auto struct deletion deletion = {0};
    if (deletion_begin(job, &deletion, error) < 0) {
        return -1;
    }
    deletion.force = question->force;
    deletion.prune_parents = !question->no_prune;
    return deletion_run(&deletion, question->reference, error) < 0 ? -1 : job_reply_done(job);
}
