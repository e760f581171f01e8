/* SPDX-License-Identifier: Apache-2.0
 *
 * Garbage collection; see garbage.h.
 */
#include <errno.h>

#include "common/log.h"
#include "services/engine/content.h"
#include "services/engine/database_origins.h"
#include "services/engine/garbage.h"
#include "services/engine/store.h"

struct garbage {
    pthread_mutex_t mutex;
    bool running, again;
};

int garbage_new(struct garbage **ret_garbage, struct bh_error *error)
{
    struct garbage *garbage = calloc(1, sizeof *garbage);
    if (!garbage) {
        return bh_error_errno(error, ENOMEM, "prepare garbage collection");
    }
    (void)pthread_mutex_init(&garbage->mutex, NULL);
    *ret_garbage = garbage;
    return 0;
}

void garbage_free(struct garbage *garbage)
{
    if (garbage) {
        (void)pthread_mutex_destroy(&garbage->mutex);
        free(garbage);
    }
}

/* Deletes one digest's content if nobody needs it. Once content_begin_delete() has it, no pull can rely on it before we
 * are done; and what a pull has finished with is in the database by then. */
static int sweep_one(struct job *job, const struct bh_digest *digest, struct bh_error *error)
{
    struct content *content = job->engine->content;
    if (!content_begin_delete(content, digest)) {
        return 0;
    }
    int used = database_content_used(job->engine->database, digest, error);
    int result = used == 0 ? database_forget_origins(job->engine->database, digest, error) : used < 0 ? -1 : 0;
    result = result == 0 && used == 0 ? store_delete(job, digest, error) : result;
    content_end_delete(content, digest);
    return result;
}

static int sweep(struct job *job, struct bh_error *error)
{
    bh_autofree struct bh_digest *digests = NULL;
    size_t n_digests = 0;
    if (database_forget_images(job->engine->database, NULL, error) < 0 ||
        store_list(job, &digests, &n_digests, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n_digests; i++) {
        if (job_check(job, error) < 0 || sweep_one(job, &digests[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int collect(struct job *job, struct bh_error *error)
{
    struct garbage *garbage = job->engine->garbage;
    int result;
    bool again;
    do {
        result = sweep(job, error);
        (void)pthread_mutex_lock(&garbage->mutex);
        again = garbage->again && result == 0;
        garbage->again = false;
        garbage->running = again;
        (void)pthread_mutex_unlock(&garbage->mutex);
    } while (again);
    return result < 0 ? bh_error_wrap(error, "collect garbage") : 0;
}

void garbage_start(struct engine *engine)
{
    struct garbage *garbage = engine->garbage;
    struct bh_error error = {0};
    (void)pthread_mutex_lock(&garbage->mutex);
    bool start = !garbage->running;
    garbage->running = true;
    garbage->again = !start;
    (void)pthread_mutex_unlock(&garbage->mutex);
    if (start && jobs_start(engine->jobs, collect, NULL, &error) < 0) {
        (void)pthread_mutex_lock(&garbage->mutex);
        garbage->running = false;
        (void)pthread_mutex_unlock(&garbage->mutex);
    }
}

void garbage_after_container(struct engine *engine)
{
    struct bh_error error = {0};
    bool any = false;
    if (database_forget_images(engine->database, &any, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "removed images could not be forgotten");
    } else if (any) {
        garbage_start(engine);
    }
}
