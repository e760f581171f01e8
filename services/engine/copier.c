/* SPDX-License-Identifier: Apache-2.0
 *
 * See copier.h.
 */
#include "services/engine/copier.h"

#include "services/engine/adopt.h"
#include "services/engine/policy.h"
#include "services/engine/resolve.h"

void copying_end(struct copying *copying)
{
    worker_close(&copying->copier); /* its end is the copier's */
    if (copying->locked) {
        live_unlock(copying->live);
    }
    if (copying->live) {
        live_put(copying->live);
    }
    container_row_clear(&copying->row);
}

/* A pair, a copier at its far end, a channel over the near one. */
static int open_copier(struct job *job, Bulkhead__ContainerSpec *spec, Bulkhead__CopierView view,
                       struct bh_channel **ret_channel, struct bh_error *error)
{
    int ends[2];
    if (bh_channel_pair(ends, error) < 0) {
        return -1;
    }
    bh_autoclose int near = ends[0], far = ends[1];
    if (policy_open_copier(job, spec, view, far, error) < 0) {
        return -1;
    }
    worker_auto struct bh_channel *channel = NULL;
    if (bh_channel_new_on_loop(&protocol_copier, job->engine->context->base, NULL, &channel, error) < 0 ||
        bh_channel_wire(channel, near, error) < 0) {
        return -1;
    }
    (void)bh_steal_fd(&near);
    *ret_channel = bh_steal_pointer(&channel);
    return 0;
}

int copying_open(struct job *job, Bulkhead__CopierView view, struct copying *copying, struct bh_error *error)
{
    worker_close(&copying->copier);
    return open_copier(job, copying->row.spec, view, &copying->copier, error);
}

int copying_hold(struct job *job, const char *reference, struct copying *copying, struct bh_error *error)
{
    container_row_auto struct container_row found = {0};
    if (adoption_wait(job, error) < 0 || resolve_container(job, reference, &found, error) < 0) {
        return -1;
    }
    copying->live = live_get(job->engine->live, found.id, error);
    if (!copying->live || live_lock(copying->live, job, error) < 0) {
        return -1;
    }
    copying->locked = true;
    if (database_container(job->engine->database, found.id, &copying->row, error) < 0) {
        return error->code == BH_NOT_FOUND ? bh_error_set(error, BH_NOT_FOUND, "No such container: %s", reference) : -1;
    }
    return 0;
}

int copying_begin(struct job *job, const char *reference, Bulkhead__CopierView view, struct copying *ret_copying,
                  struct bh_error *error)
{
    return copying_hold(job, reference, ret_copying, error) < 0 ? -1 : copying_open(job, view, ret_copying, error);
}

int copier_ask(struct job *job, struct bh_channel *copier, Bulkhead__EngineToCopier *packet, const int *fds,
               size_t n_fds, uint32_t reply_kind, struct bh_message **ret_message, struct bh_error *error)
{
    if (job_ask(job, copier, &packet->base, fds, n_fds, BH_DEADLINE_JOB_MS, reply_kind, ret_message, error) == 0) {
        return 0;
    }
    return error->code == BH_UNAVAILABLE ? bh_error_set(error, BH_INTERNAL, "the copier has died") : -1;
}

int copier_measure(struct job *job, const struct container_row *row, uint64_t *ret_bytes, struct bh_error *error)
{
    worker_auto struct bh_channel *copier = NULL;
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__MeasureUpper body = BULKHEAD__MEASURE_UPPER__INIT;
    COPIER_PACKET(packet, MEASURE_UPPER, measure_upper, &body);
    if (open_copier(job, row->spec, BULKHEAD__COPIER_VIEW__COPIER_VIEW_SIZE, &copier, error) < 0 ||
        copier_ask(job, copier, &packet, NULL, 0, BULKHEAD__COPIER_TO_ENGINE__BODY_TREE_SIZE, &message, error) < 0) {
        return -1;
    }
    *ret_bytes = ((const Bulkhead__TreeSize *)bh_message_body(message))->bytes;
    return 0;
}
