/* SPDX-License-Identifier: Apache-2.0
 *
 * See job.h.
 */
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"

#define DEADLINE_MS 300000U

#define must(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, strerror(errno));                \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static const struct bh_protocol protocol = {
    .name = "engine_extractor",
    .incoming = &bulkhead__extractor_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_extractor__descriptor,
};

static const struct harness_options options = {
    .program = "bulkhead-extractor",
    .role = BH_ROLE_EXTRACTOR,
    .peers = {BH_ROLE_ENGINE},
};

void extractor_start(struct extractor *extractor)
{
    (void)signal(SIGPIPE, SIG_IGN);
    harness_start(&extractor->harness, &options);
    extractor->channel = harness_channel(&extractor->harness, BH_ROLE_ENGINE, &protocol);
}

void extractor_stop(struct extractor *extractor)
{
    int status = harness_stop(&extractor->harness);
    must(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

struct bh_channel *extractor_spawn(struct extractor *extractor, pid_t *ret_pid)
{
    int ends[2];
    must(bh_channel_pair(ends, &extractor->error) == 0);
    Bulkhead__Spawn spawn = BULKHEAD__SPAWN__INIT;
    Bulkhead__EngineToExtractor packet = BULKHEAD__ENGINE_TO_EXTRACTOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_SPAWN;
    packet.spawn = &spawn;
    bh_automessage struct bh_message *message = NULL;
    must(bh_call(extractor->channel, &packet.base, &ends[1], 1, DEADLINE_MS,
                 BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_SPAWNED, &message, &extractor->error) == 0);
    if (ret_pid) {
        *ret_pid = ((const Bulkhead__Spawned *)bh_message_body(message))->pid;
    }
    bh_close(&ends[1]);
    struct bh_channel *job;
    must(bh_channel_new(&protocol, NULL, &job, &extractor->error) == 0);
    must(bh_channel_wire(job, ends[0], &extractor->error) == 0);
    return job;
}

/* Spawns, asks, waits for the final answer; `progress` gets what comes before. */
static enum bh_code ask(struct extractor *extractor, Bulkhead__EngineToExtractor__BodyCase kind, void *body,
                        const int *fds, size_t n_fds, void (*progress)(struct bh_message *, void *), void *argument,
                        struct bh_message **ret_message)
{
    Bulkhead__EngineToExtractor packet = BULKHEAD__ENGINE_TO_EXTRACTOR__INIT;
    packet.body_case = kind;
    packet.spawn = body;
    struct bh_channel *job = extractor_spawn(extractor, NULL);
    struct bh_call *call;
    bh_error_clear(&extractor->error);
    must(bh_call_start(job, &packet.base, fds, n_fds, DEADLINE_MS, &call, &extractor->error) == 0);
    enum bh_code code = BH_OK;
    for (bool more = true; more;) {
        struct bh_message *message = NULL;
        if (bh_call_next(call, &message, &extractor->error) < 0) {
            code = extractor->error.code;
            break;
        }
        more = message->more;
        if (more) {
            if (progress) {
                progress(message, argument);
            }
            bh_message_free(message);
        } else {
            *ret_message = message;
        }
    }
    bh_call_free(call);
    bh_channel_free(job);
    return code;
}

static void count(struct bh_message *message, void *argument)
{
    (void)message;
    ((struct extracted *)argument)->progress++;
}

enum bh_code extractor_layer_fd(struct extractor *extractor, int source_fd, int image_fd, struct extracted *ret_result)
{
    Bulkhead__ExtractLayer layer = BULKHEAD__EXTRACT_LAYER__INIT;
    const int fds[] = {source_fd, image_fd};
    bh_automessage struct bh_message *message = NULL;
    *ret_result = (struct extracted){0};
    enum bh_code code =
        ask(extractor, BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_EXTRACT_LAYER, &layer, fds, 2, count, ret_result, &message);
    if (code != BH_OK) {
        return code;
    }
    must(message->kind == BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_LAYER_EXTRACTED);
    const Bulkhead__LayerExtracted *answer = bh_message_body(message);
    must(bh_digest_from_bytes(answer->diff_id.data, answer->diff_id.len, &ret_result->diff_id, &extractor->error) == 0);
    ret_result->uncompressed_bytes = answer->uncompressed_bytes;
    ret_result->entries = answer->entries;
    ret_result->image_bytes = answer->image_bytes;
    return BH_OK;
}

struct feeder {
    int fd;
    const uint8_t *bytes;
    size_t n_bytes;
};

static void *feed(void *argument)
{
    struct feeder *feeder = argument;
    (void)bh_write_all(feeder->fd, feeder->bytes, feeder->n_bytes, "pipe", NULL); /* a worker may well stop reading */
    (void)close(feeder->fd);
    return NULL;
}

enum bh_code extractor_layer(struct extractor *extractor, const void *bytes, size_t n_bytes, int *ret_image_fd,
                             struct extracted *ret_result)
{
    int ends[2];
    must(pipe2(ends, O_CLOEXEC) == 0);
    struct feeder feeder = {ends[1], bytes, n_bytes};
    pthread_t thread;
    must(pthread_create(&thread, NULL, feed, &feeder) == 0);
    char path[] = "/tmp/bh-image-XXXXXX";
    *ret_image_fd = mkostemp(path, O_CLOEXEC);
    must(*ret_image_fd >= 0 && unlink(path) == 0);
    enum bh_code code = extractor_layer_fd(extractor, ends[0], *ret_image_fd, ret_result);
    bh_close(&ends[0]); /* a feeder that is still writing sees that nobody reads any more */
    must(pthread_join(thread, NULL) == 0);
    return code;
}

enum bh_code extractor_manifest(struct extractor *extractor, const char *text, Bulkhead__MediaType announced,
                                struct bh_message **ret_message)
{
    bh_autoclose int fd = file_of(text, strlen(text));
    Bulkhead__ParseManifest body = BULKHEAD__PARSE_MANIFEST__INIT;
    if (announced) {
        body.announced_presence_case = BULKHEAD__PARSE_MANIFEST__ANNOUNCED_PRESENCE_ANNOUNCED;
        body.announced = announced;
    }
    return ask(extractor, BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PARSE_MANIFEST, &body, &fd, 1, NULL, NULL, ret_message);
}

enum bh_code extractor_config(struct extractor *extractor, const char *text, struct bh_message **ret_message)
{
    bh_autoclose int fd = file_of(text, strlen(text));
    Bulkhead__ParseConfig body = BULKHEAD__PARSE_CONFIG__INIT;
    return ask(extractor, BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PARSE_CONFIG, &body, &fd, 1, NULL, NULL, ret_message);
}

struct finder {
    void (*found)(const Bulkhead__ArchiveImage *image, void *argument);
    void *argument;
};

static void forward(struct bh_message *message, void *argument)
{
    const struct finder *finder = argument;
    must(message->kind == BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_ARCHIVE_IMAGE);
    if (finder->found) {
        finder->found(bh_message_body(message), finder->argument);
    }
}

enum bh_code extractor_scan(struct extractor *extractor, int fd,
                            void (*found)(const Bulkhead__ArchiveImage *image, void *argument), void *argument,
                            uint32_t *ret_kind)
{
    Bulkhead__ScanArchive body = BULKHEAD__SCAN_ARCHIVE__INIT;
    struct finder finder = {found, argument};
    bh_automessage struct bh_message *message = NULL;
    enum bh_code code =
        ask(extractor, BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_SCAN_ARCHIVE, &body, &fd, 1, forward, &finder, &message);
    *ret_kind = message ? message->kind : 0;
    return code;
}

struct drain {
    int fd;
    uint8_t *bytes;
    size_t n_bytes;
};

static void *drain(void *argument)
{
    struct drain *d = argument;
    size_t room = 1 << 16;
    d->bytes = malloc(room);
    for (ssize_t got; (got = read(d->fd, d->bytes + d->n_bytes, room - d->n_bytes)) > 0;) {
        d->n_bytes += (size_t)got;
        if (d->n_bytes == room) {
            d->bytes = realloc(d->bytes, room *= 2);
        }
    }
    return NULL;
}

enum bh_code extractor_decompress(struct extractor *extractor, int source_fd, uint64_t max_bytes, uint8_t **ret_bytes,
                                  size_t *ret_n_bytes)
{
    int ends[2];
    must(pipe2(ends, O_CLOEXEC) == 0);
    struct drain drained = {.fd = ends[0]};
    pthread_t thread;
    must(pthread_create(&thread, NULL, drain, &drained) == 0);
    Bulkhead__Decompress body = BULKHEAD__DECOMPRESS__INIT;
    body.max_bytes = max_bytes;
    const int fds[] = {source_fd, ends[1]};
    bh_automessage struct bh_message *message = NULL;
    enum bh_code code =
        ask(extractor, BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_DECOMPRESS, &body, fds, 2, NULL, NULL, &message);
    bh_close(&ends[1]);
    must(pthread_join(thread, NULL) == 0);
    bh_close(&ends[0]);
    must(code != BH_OK ||
         ((const Bulkhead__Decompressed *)bh_message_body(message))->uncompressed_bytes == drained.n_bytes);
    *ret_bytes = drained.bytes;
    *ret_n_bytes = drained.n_bytes;
    return code;
}

enum bh_code extractor_pack(struct extractor *extractor, int source_fd, uint8_t **ret_bytes, size_t *ret_n_bytes,
                            Bulkhead__Compression *ret_compression, bool *ret_packed)
{
    int ends[2];
    must(pipe2(ends, O_CLOEXEC) == 0);
    struct drain drained = {.fd = ends[0]};
    pthread_t thread;
    must(pthread_create(&thread, NULL, drain, &drained) == 0);
    Bulkhead__PackLayer body = BULKHEAD__PACK_LAYER__INIT;
    const int fds[] = {source_fd, ends[1]};
    bh_automessage struct bh_message *message = NULL;
    enum bh_code code =
        ask(extractor, BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PACK_LAYER, &body, fds, 2, NULL, NULL, &message);
    bh_close(&ends[1]);
    must(pthread_join(thread, NULL) == 0);
    bh_close(&ends[0]);
    if (code == BH_OK) {
        const Bulkhead__LayerPacked *packed = bh_message_body(message);
        *ret_compression = packed->compression;
        *ret_packed = packed->packed;
    }
    *ret_bytes = drained.bytes;
    *ret_n_bytes = drained.n_bytes;
    return code;
}

bool extractor_said(const struct extractor *extractor, const char *text)
{
    char chain[2048];
    bool said = strstr(bh_error_format(&extractor->error, chain, sizeof(chain)), text);
    if (!said) {
        (void)fprintf(stderr, "the extractor said: %s\n", chain);
    }
    return said;
}

int file_of(const void *bytes, size_t n_bytes)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    must(fd >= 0 && bh_write_all(fd, bytes, n_bytes, "memfd", NULL) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}
