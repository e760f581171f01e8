/* SPDX-License-Identifier: Apache-2.0
 *
 * See stats.h. The last sample of each watched container is kept for a moment, packed, with the descriptor that came
 * with it: whoever asks for one that is newer than his last gets it, if it is not older than a second.
 */
#include "services/engine/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "common/io.h"
#include "services/engine/adopt.h"
#include "services/engine/containers.h"
#include "services/engine/events.h"
#include "services/engine/policy.h"
#include "services/engine/resolve.h"

#define FRESH_NS 900000000LL /* a client asks once a second, and finds another's sample of the same second */
#define KEPT_NS  10000000000LL
#define KEPT_MAX 256 /* samples; beyond that each client has its own */

struct sample {
    struct sample *next;
    uint8_t id[ENGINE_ID_BYTES];
    Bulkhead__StatsRead *stats;
    int network;
};

/* Of all containers that are watched. Shared by all jobs, hence the lock. */
static struct {
    pthread_mutex_t lock;
    struct sample *first;
    size_t n;
} samples = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void sample_free(struct sample *sample)
{
    if (sample) {
        if (sample->stats) {
            bulkhead__stats_read__free_unpacked(sample->stats, NULL);
        }
        bh_close(&sample->network);
        free(sample);
    }
}

static void sample_cleanup(struct sample **sample)
{
    sample_free(*sample);
}

static int sample_copy(const struct sample *from, struct sample **ret_sample, struct bh_error *error)
{
    ProtobufCMessage *copy = NULL;
    bh_cleanup(sample_cleanup) struct sample *sample = calloc(1, sizeof *sample);
    if (!sample) {
        return bh_error_errno(error, ENOMEM, "keep a sample");
    }
    sample->network = -1;
    memcpy(sample->id, from->id, sizeof sample->id);
    if (message_copy(&from->stats->base, &copy, error) < 0) {
        return -1;
    }
    sample->stats = (Bulkhead__StatsRead *)copy;
    if (from->network >= 0 && (sample->network = fcntl(from->network, F_DUPFD_CLOEXEC, 0)) < 0) {
        return bh_error_errno(error, errno, "keep a sample");
    }
    *ret_sample = bh_steal_pointer(&sample);
    return 0;
}

/* Takes out what is too old, and the container's own last one if `id` is given. The lock is held. */
static void forget(const uint8_t *id, int64_t now_ns)
{
    for (struct sample **link = &samples.first; *link;) {
        struct sample *sample = *link;
        if (now_ns - sample->stats->read_ns > KEPT_NS || (id && memcmp(sample->id, id, ENGINE_ID_BYTES) == 0)) {
            *link = sample->next;
            samples.n--;
            sample_free(sample);
        } else {
            link = &sample->next;
        }
    }
}

/* A copy of one that is fresh and newer than `after_ns`; NULL if there is none. */
static struct sample *find_kept(const uint8_t *id, int64_t after_ns)
{
    struct sample *found = NULL;
    struct bh_error ignored;
    int64_t now_ns = bh_wall_ns();
    (void)pthread_mutex_lock(&samples.lock);
    forget(NULL, now_ns);
    for (const struct sample *sample = samples.first; sample && !found; sample = sample->next) {
        int64_t age_ns = now_ns - sample->stats->read_ns;
        if (memcmp(sample->id, id, ENGINE_ID_BYTES) == 0 && age_ns >= 0 && age_ns < FRESH_NS &&
            sample->stats->read_ns > after_ns && sample_copy(sample, &found, &ignored) < 0) {
            break; /* no memory: it is asked for anew */
        }
    }
    (void)pthread_mutex_unlock(&samples.lock);
    return found;
}

static void keep(const struct sample *sample)
{
    struct sample *kept = NULL;
    struct bh_error ignored;
    (void)pthread_mutex_lock(&samples.lock);
    forget(sample->id, bh_wall_ns());
    if (samples.n < KEPT_MAX && sample_copy(sample, &kept, &ignored) == 0) {
        kept->next = samples.first;
        samples.first = kept;
        samples.n++;
    }
    (void)pthread_mutex_unlock(&samples.lock);
}

static int take_sample(struct job *job, const struct container_row *row, struct sample **ret_sample,
                       struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    bh_cleanup(sample_cleanup) struct sample *sample = calloc(1, sizeof *sample);
    ProtobufCMessage *copy = NULL;
    if (!sample) {
        return bh_error_errno(error, ENOMEM, "take a sample");
    }
    sample->network = -1;
    memcpy(sample->id, row->id, sizeof sample->id);
    if (policy_read_stats(job, row->id, row->tenant_uid, &message, error) < 0) {
        return -1;
    }
    const Bulkhead__StatsRead *stats = bh_message_body(message);
    if (message_copy(&stats->base, &copy, error) < 0) {
        return -1;
    }
    sample->stats = (Bulkhead__StatsRead *)copy;
    sample->network = message->n_fds > 0 ? bh_message_take_fd(message, 0) : -1;
    keep(sample);
    *ret_sample = bh_steal_pointer(&sample);
    return 0;
}

int get_stats(struct job *job, struct bh_error *error)
{
    const Bulkhead__GetStats *question = job_body(job);
    container_row_auto struct container_row row = {0};
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &row, error) < 0) {
        return -1;
    }
    bh_cleanup(sample_cleanup) struct sample *sample = NULL;
    if (container_runs(&row.state)) {
        sample = find_kept(row.id, question->next_after_ns);
        if (!sample && take_sample(job, &row, &sample, error) < 0) {
            if (error->code != BH_FAILED_PRECONDITION && error->code != BH_NOT_FOUND) {
                return -1;
            }
            bh_error_clear(error); /* it has just ended */
        }
    }
    Bulkhead__Stats stats = BULKHEAD__STATS__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    stats.id = (ProtobufCBinaryData){.len = sizeof row.id, .data = row.id};
    stats.name = row.name;
    stats.running = sample != NULL;
    stats.sample = sample ? sample->stats : NULL;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_STATS;
    packet.stats = &stats;
    bool has_network = sample && sample->network >= 0;
    (void)bh_request_reply(job->request, &packet.base, has_network ? &sample->network : NULL, has_network ? 1 : 0);
    return 0;
}

/* ---- processes ------------------------------------------------------------------------------------------ */

int get_processes(struct job *job, struct bh_error *error)
{
    const Bulkhead__GetProcesses *question = job_body(job);
    container_row_auto struct container_row row = {0};
    bh_automessage struct bh_message *message = NULL;
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &row, error) < 0) {
        return -1;
    }
    struct bh_digest id;
    char hex[BH_DIGEST_HEX_SIZE];
    memcpy(id.bytes, row.id, sizeof id.bytes);
    if (!container_runs(&row.state)) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "Container %s is not running", bh_digest_hex(&id, hex));
    }
    if (policy_list_processes(job, row.id, row.tenant_uid, &message, error) < 0) {
        return -1;
    }
    const Bulkhead__ProcessesListed *listed = bh_message_body(message);
    Bulkhead__Processes processes = BULKHEAD__PROCESSES__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    bh_autoclose int list = bh_message_take_fd(message, 0);
    processes.processes = listed->processes;
    processes.truncated = listed->truncated;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_PROCESSES;
    packet.processes = &processes;
    events_emit_container(job->engine, &row, "top", NULL);
    (void)bh_request_reply(job->request, &packet.base, &list, 1);
    return 0;
}
