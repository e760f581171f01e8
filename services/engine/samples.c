/* SPDX-License-Identifier: Apache-2.0
 *
 * See samples.h. The last sample of each watched container is listed from the moment somebody begins to take it, with
 * the descriptor that comes with it, and is dropped some seconds later. Who holds one has counted itself.
 */
#include "services/engine/samples.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields.h"
#include "common/io.h"
#include "services/engine/policy.h"

#define FRESH_NS 900000000LL /* a client asks once a second, and finds another's sample of the same second */
#define KEPT_NS  10000000000LL
#define KEPT_MAX 256 /* samples; beyond that each client has its own */

struct samples {
    pthread_mutex_t mutex;
    pthread_cond_t taken;
    struct sample *first; /* one a container at most */
    size_t n;
};

int samples_new(struct samples **ret_samples, struct bh_error *error)
{
    struct samples *samples = calloc(1, sizeof *samples);
    if (!samples) {
        return bh_error_errno(error, ENOMEM, "make the list of samples");
    }
    (void)pthread_mutex_init(&samples->mutex, NULL);
    (void)pthread_cond_init(&samples->taken, NULL);
    *ret_samples = samples;
    return 0;
}

/* Called with the lock held, as are all up to samples_get(). */
static void unref(struct sample *sample)
{
    if (--sample->references > 0) {
        return;
    }
    if (sample->stats) {
        bulkhead__stats_read__free_unpacked(sample->stats, NULL);
    }
    bh_close(&sample->network);
    free(sample);
}

static void unlist(struct samples *samples, struct sample **link)
{
    struct sample *sample = *link;
    *link = sample->next;
    samples->n--;
    unref(sample);
}

/* Takes out what is too old. */
static void forget_old(struct samples *samples, int64_t now_ns)
{
    for (struct sample **link = &samples->first; *link;) {
        if (!(*link)->under_way && now_ns - (*link)->stats->read_ns > KEPT_NS) {
            unlist(samples, link);
        } else {
            link = &(*link)->next;
        }
    }
}

static struct sample **find(struct samples *samples, const uint8_t *id)
{
    struct sample **link = &samples->first;
    while (*link && memcmp((*link)->id, id, ENGINE_ID_BYTES) != 0) {
        link = &(*link)->next;
    }
    return link;
}

/* The container's sample, if it may be handed out: one that is under way is newer than what anybody has got. */
static struct sample *find_serving(struct samples *samples, const uint8_t *id, int64_t after_ns)
{
    int64_t now_ns = bh_wall_ns();
    forget_old(samples, now_ns);
    struct sample *sample = *find(samples, id);
    if (!sample || sample->under_way) {
        return sample;
    }
    int64_t age_ns = now_ns - sample->stats->read_ns;
    return age_ns >= 0 && age_ns < FRESH_NS && sample->stats->read_ns > after_ns ? sample : NULL;
}

/* Lists one that the caller is going to take, instead of the container's last one. */
static struct sample *announce(struct samples *samples, const uint8_t *id, struct bh_error *error)
{
    struct sample *sample = calloc(1, sizeof *sample);
    if (!sample) {
        (void)bh_error_errno(error, ENOMEM, "take a sample");
        return NULL;
    }
    struct sample **last = find(samples, id);
    if (*last) {
        unlist(samples, last);
    }
    *sample = (struct sample){.network = -1, .references = 1, .under_way = true};
    memcpy(sample->id, id, sizeof sample->id);
    if (samples->n < KEPT_MAX) {
        sample->references++;
        sample->next = samples->first;
        samples->first = sample;
        samples->n++;
    }
    return sample;
}

/* Without the lock: nobody else looks into what is under way. */
static int fill(struct job *job, const struct container_row *row, struct sample *sample, struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    ProtobufCMessage *copy = NULL;
    if (policy_read_stats(job, row->id, row->tenant_uid, &message, error) < 0) {
        return -1;
    }
    const Bulkhead__StatsRead *stats = bh_message_body(message);
    if (message_copy(&stats->base, &copy, error) < 0) {
        return -1;
    }
    sample->stats = (Bulkhead__StatsRead *)copy;
    sample->network = message->n_fds > 0 ? bh_message_take_fd(message, 0) : -1;
    return 0;
}

/* Takes one and tells who waits for it. If that fails it is listed no more, and they hear why. */
static int take(struct samples *samples, struct job *job, const struct container_row *row, struct sample **ret_sample,
                struct bh_error *error)
{
    struct sample *sample = announce(samples, row->id, error);
    if (!sample) {
        return -1;
    }
    (void)pthread_mutex_unlock(&samples->mutex);
    int result = fill(job, row, sample, error);
    (void)pthread_mutex_lock(&samples->mutex);
    sample->under_way = false;
    (void)pthread_cond_broadcast(&samples->taken);
    if (result == 0) {
        *ret_sample = sample;
        return 0;
    }
    sample->failure = *error;
    struct sample **link = find(samples, row->id);
    if (*link == sample) {
        unlist(samples, link);
    }
    unref(sample);
    return -1;
}

/* Waits until somebody else has taken it. */
static int await(struct samples *samples, struct job *job, struct sample *sample, struct bh_error *error)
{
    int result = 0;
    sample->references++;
    while (sample->under_way && (result = job_check(job, error)) == 0) {
        (void)pthread_cond_wait(&samples->taken, &samples->mutex);
    }
    if (result == 0 && !sample->stats) {
        *error = sample->failure;
        result = -1;
    }
    if (result < 0) {
        unref(sample);
    }
    return result;
}

int samples_get(struct job *job, const struct container_row *row, int64_t after_ns, struct sample **ret_sample,
                struct bh_error *error)
{
    struct samples *samples = job->engine->samples;
    struct sample *sample;
    bool again, mine;
    int result;
    (void)pthread_mutex_lock(&samples->mutex);
    do {
        bh_error_clear(error);
        sample = find_serving(samples, row->id, after_ns);
        mine = !sample;
        result = mine ? take(samples, job, row, &sample, error) : await(samples, job, sample, error);
        /* only whoever was taking it has gone away: the next one takes it */
        again = result < 0 && !mine && error->code == BH_CANCELLED && !job_cancelled(job);
    } while (again);
    (void)pthread_mutex_unlock(&samples->mutex);
    if (result == 0) {
        *ret_sample = sample;
    }
    return result;
}

void samples_put(struct samples *samples, struct sample *sample)
{
    if (sample) {
        (void)pthread_mutex_lock(&samples->mutex);
        unref(sample);
        (void)pthread_mutex_unlock(&samples->mutex);
    }
}

void samples_wake(struct samples *samples)
{
    (void)pthread_mutex_lock(&samples->mutex);
    (void)pthread_cond_broadcast(&samples->taken);
    (void)pthread_mutex_unlock(&samples->mutex);
}

void samples_free(struct samples *samples)
{
    if (!samples) {
        return;
    }
    while (samples->first) {
        unlist(samples, &samples->first);
    }
    (void)pthread_cond_destroy(&samples->taken);
    (void)pthread_mutex_destroy(&samples->mutex);
    free(samples);
}
