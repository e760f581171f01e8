/* SPDX-License-Identifier: Apache-2.0
 *
 * See pipeline.h. One mutex, one condition: blocks are large, so that a layer of a gigabyte takes it a few thousand
 * times.
 */
#include "pipeline.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "bounds.h"

struct block {
    uint8_t *bytes;
    size_t n_bytes;
};

struct pipeline {
    struct decompressor *decompressor;
    int stop_fd;
    struct bh_hash *hash;
    struct block blocks[EXTRACTOR_BLOCKS];

    pthread_mutex_t mutex; /* guards everything below */
    pthread_cond_t changed;
    uint64_t produced, hashed, parsed; /* counts of blocks */
    uint64_t total_bytes;
    bool holding; /* the parser still has block parsed % EXTRACTOR_BLOCKS */
    bool ended, failed, stopped;
    struct bh_error error;

    pthread_t reader, hasher;
    bool has_reader, has_hasher;
};

static void fail(struct pipeline *pipeline, const struct bh_error *error)
{
    pthread_mutex_lock(&pipeline->mutex);
    if (!pipeline->failed) {
        pipeline->failed = true;
        pipeline->error = *error;
    }
    pthread_cond_broadcast(&pipeline->changed);
    pthread_mutex_unlock(&pipeline->mutex);
}

/* Waits for a block that both others are done with; NULL if the pipeline is over. */
static struct block *wait_free(struct pipeline *pipeline)
{
    struct block *block = NULL;
    pthread_mutex_lock(&pipeline->mutex);
    for (;;) {
        uint64_t slowest = pipeline->hashed < pipeline->parsed ? pipeline->hashed : pipeline->parsed;
        if (pipeline->stopped || pipeline->failed) {
            break;
        }
        if (pipeline->produced - slowest < EXTRACTOR_BLOCKS) {
            block = &pipeline->blocks[pipeline->produced % EXTRACTOR_BLOCKS];
            break;
        }
        pthread_cond_wait(&pipeline->changed, &pipeline->mutex);
    }
    pthread_mutex_unlock(&pipeline->mutex);
    return block;
}

static void *read_blocks(void *argument)
{
    struct pipeline *pipeline = argument;
    struct block *block;
    while ((block = wait_free(pipeline))) {
        struct bh_error error;
        bh_error_clear(&error);
        if (!block->bytes && !(block->bytes = malloc(EXTRACTOR_BLOCK_BYTES))) {
            bh_error_errno(&error, ENOMEM, "allocate a block");
            fail(pipeline, &error);
            break;
        }
        if (decompressor_read(pipeline->decompressor, block->bytes, EXTRACTOR_BLOCK_BYTES, &block->n_bytes, &error) <
            0) {
            fail(pipeline, &error);
            break;
        }
        pthread_mutex_lock(&pipeline->mutex);
        bool end = block->n_bytes == 0;
        if (end) {
            pipeline->ended = true;
        } else {
            pipeline->produced++;
            pipeline->total_bytes += block->n_bytes;
        }
        pthread_cond_broadcast(&pipeline->changed);
        pthread_mutex_unlock(&pipeline->mutex);
        if (end) {
            break;
        }
    }
    return NULL;
}

/* Waits until more than `*cursor` blocks were produced: 1, or 0 at the end, or -1 if the pipeline failed or was
 * stopped. */
static int wait_produced(struct pipeline *pipeline, const uint64_t *cursor)
{
    while (pipeline->produced == *cursor && !pipeline->ended && !pipeline->failed && !pipeline->stopped) {
        pthread_cond_wait(&pipeline->changed, &pipeline->mutex);
    }
    if (pipeline->failed || pipeline->stopped) {
        return -1;
    }
    return pipeline->produced > *cursor ? 1 : 0;
}

static void *hash_blocks(void *argument)
{
    struct pipeline *pipeline = argument;
    pthread_mutex_lock(&pipeline->mutex);
    while (wait_produced(pipeline, &pipeline->hashed) > 0) {
        const struct block *block = &pipeline->blocks[pipeline->hashed % EXTRACTOR_BLOCKS];
        pthread_mutex_unlock(&pipeline->mutex);
        struct bh_error error;
        bh_error_clear(&error);
        bool ok = bh_hash_update(pipeline->hash, block->bytes, block->n_bytes, &error) == 0;
        if (!ok) {
            fail(pipeline, &error);
        }
        pthread_mutex_lock(&pipeline->mutex);
        if (!ok) {
            break;
        }
        pipeline->hashed++;
        pthread_cond_broadcast(&pipeline->changed);
    }
    pthread_mutex_unlock(&pipeline->mutex);
    return NULL;
}

static int start_thread(pthread_t *thread, void *(*run)(void *), struct pipeline *pipeline, struct bh_error *error)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, EXTRACTOR_STACK_BYTES);
    int result = pthread_create(thread, &attributes, run, pipeline);
    pthread_attr_destroy(&attributes);
    return result == 0 ? 0 : bh_error_errno(error, result, "start a thread");
}

int pipeline_start(struct decompressor *decompressor, int stop_fd, struct pipeline **ret_pipeline,
                   struct bh_error *error)
{
    bh_autopipeline struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
    if (!pipeline) {
        return bh_error_errno(error, ENOMEM, "allocate a pipeline");
    }
    pthread_mutex_init(&pipeline->mutex, NULL);
    pthread_cond_init(&pipeline->changed, NULL);
    pipeline->decompressor = decompressor;
    pipeline->stop_fd = stop_fd;
    if (bh_hash_new(&pipeline->hash, error) < 0 || start_thread(&pipeline->reader, read_blocks, pipeline, error) < 0) {
        return -1;
    }
    pipeline->has_reader = true;
    if (start_thread(&pipeline->hasher, hash_blocks, pipeline, error) < 0) {
        return -1;
    }
    pipeline->has_hasher = true;
    *ret_pipeline = bh_steal_pointer(&pipeline);
    return 0;
}

int pipeline_next(struct pipeline *pipeline, const void **ret_bytes, size_t *ret_n_bytes, struct bh_error *error)
{
    pthread_mutex_lock(&pipeline->mutex);
    if (pipeline->holding) {
        pipeline->holding = false;
        pipeline->parsed++;
        pthread_cond_broadcast(&pipeline->changed);
    }
    int state = wait_produced(pipeline, &pipeline->parsed);
    if (state > 0) {
        const struct block *block = &pipeline->blocks[pipeline->parsed % EXTRACTOR_BLOCKS];
        pipeline->holding = true;
        *ret_bytes = block->bytes;
        *ret_n_bytes = block->n_bytes;
    } else if (state == 0) {
        *ret_bytes = "";
        *ret_n_bytes = 0;
    } else if (error) {
        *error = pipeline->error;
    }
    pthread_mutex_unlock(&pipeline->mutex);
    return state < 0 ? -1 : 0;
}

int pipeline_finish(struct pipeline *pipeline, struct bh_digest *ret_digest, uint64_t *ret_bytes,
                    struct bh_error *error)
{
    const void *bytes;
    size_t n_bytes;
    do {
        if (pipeline_next(pipeline, &bytes, &n_bytes, error) < 0) {
            return -1;
        }
    } while (n_bytes > 0);
    pthread_join(pipeline->hasher, NULL);
    pipeline->has_hasher = false;
    if (pipeline->failed) {
        *error = pipeline->error;
        return -1;
    }
    *ret_bytes = pipeline->total_bytes;
    return bh_hash_finish(pipeline->hash, ret_digest, error);
}

void pipeline_free(struct pipeline **pipeline)
{
    struct pipeline *p = *pipeline;
    if (!p) {
        return;
    }
    pthread_mutex_lock(&p->mutex);
    p->stopped = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->mutex);
    if (p->stop_fd >= 0) {
        (void)eventfd_write(p->stop_fd, 1);
    }
    if (p->has_reader) {
        pthread_join(p->reader, NULL);
    }
    if (p->has_hasher) {
        pthread_join(p->hasher, NULL);
    }
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->mutex);
    for (size_t i = 0; i < EXTRACTOR_BLOCKS; i++) {
        free(p->blocks[i].bytes);
    }
    bh_hash_free(p->hash);
    free(p);
    *pipeline = NULL;
}
