/* SPDX-License-Identifier: Apache-2.0
 *
 * See inspect_parts.h.
 */
#include "services/engine/inspect_parts.h"

#include "services/engine/copier.h"
#include "services/engine/database_execs.h"
#include "services/engine/health_check.h"

Bulkhead__ContainerState container_state_message(struct container_row *row)
{
    Bulkhead__ContainerState state = BULKHEAD__CONTAINER_STATE__INIT;
    state.status = row->state.status;
    state.pid = row->state.pid;
    state.exit_code = row->state.exit_code;
    state.oom_killed = row->state.oom_killed;
    state.error = row->state.error;
    state.started_at_ns = row->state.started_at_ns;
    state.finished_at_ns = row->state.finished_at_ns;
    return state;
}

void container_health_cleanup(Bulkhead__Health **health)
{
    if (*health) {
        bulkhead__health__free_unpacked(*health, NULL);
    }
}

int container_health_read(struct job *job, const struct container_row *row, const Bulkhead__ImageConfig *image,
                          Bulkhead__Health **ret_health, struct bh_error *error)
{
    Bulkhead__Healthcheck check;
    if (!health_check_merge(image, row->request, &check) || !health_check_runs(&check)) {
        return 0;
    }
    return database_health(job->engine->database, row->id, ret_health, error) < 0 ? -1 : 0;
}

int container_measure(struct job *job, const struct container_row *row, const struct image_row *image,
                      Bulkhead__ContainerSize *ret_size, struct bh_error *error)
{
    bulkhead__container_size__init(ret_size);
    for (size_t i = 0; i < image->n_layers; i++) {
        ret_size->image_bytes += image->layers[i].size_bytes;
    }
    return copier_measure(job, row, &ret_size->own_bytes, error);
}
