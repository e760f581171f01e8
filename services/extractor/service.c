/* SPDX-License-Identifier: Apache-2.0
 *
 * The extractor's channels. The parent serves Spawn alone; each worker serves one job on its own channel. Handlers
 * only take messages apart: the work is done in the file named for it.
 */
#include "service.h"

#include <jansson.h>
#include <malloc.h>
#include <string.h>
#include <sys/random.h>

#include "archive_scan.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "config.h"
#include "decompress.h"
#include "engine_extractor.pb-c.h"
#include "extract.h"
#include "bounds.h"
#include "manifest.h"
#include "pack.h"
#include "probe.h"

#define STATE_NEW     1u /* waiting for its one job */
#define STATE_DONE    2u /* had it */
#define STATE_PROBING 4u /* answers ProbeBlob, and nothing else */

/* ---- jobs, in a worker --------------------------------------------------------------------------- */

/* A worker takes one job: whatever follows is refused by the dispatch table. */
static void begin_job(struct bh_request *request)
{
    bh_channel_set_state(bh_request_channel(request), STATE_DONE);
}

static struct job_end job_end(struct bh_request *request)
{
    return (struct job_end){.channel_fd = bh_channel_fd(bh_request_channel(request)),
                            .stop_fd = -1,
                            .deadline_at_ms = bh_request_deadline_at_ms(request)};
}

static void reply(struct bh_request *request, Bulkhead__ExtractorToEngine__BodyCase kind, void *body)
{
    Bulkhead__ExtractorToEngine packet = BULKHEAD__EXTRACTOR_TO_ENGINE__INIT;
    packet.body_case = kind;
    packet.error = body; /* one union: whichever `kind` says */
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static void handle_parse_manifest(struct bh_request *request)
{
    begin_job(request);
    const Bulkhead__ParseManifest *message = bh_request_body(request);
    bool announced = message->announced_presence_case == BULKHEAD__PARSE_MANIFEST__ANNOUNCED_PRESENCE_ANNOUNCED;
    bh_autoclose int fd = bh_request_take_fd(request, 0);
    bh_autodocument struct manifest_document document = {0};
    struct bh_error error = {0};
    if (manifest_read(fd, announced ? message->announced : BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED, &document,
                      &error) < 0) {
        (void)bh_request_fail(request, &error);
    } else if (document.index) {
        reply(request, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_INDEX, document.index);
    } else {
        reply(request, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_MANIFEST, document.manifest);
    }
}

static void handle_parse_config(struct bh_request *request)
{
    begin_job(request);
    bh_autoclose int fd = bh_request_take_fd(request, 0);
    bh_autoconfig struct config_document document = {0};
    struct bh_error error = {0};
    if (config_read(fd, &document, &error) < 0) {
        (void)bh_request_fail(request, &error);
        return;
    }
    Bulkhead__ParsedConfig parsed = BULKHEAD__PARSED_CONFIG__INIT;
    parsed.config = document.config;
    reply(request, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_CONFIG, &parsed);
}

static void tell_progress(void *argument, uint64_t compressed_bytes)
{
    Bulkhead__ExtractProgress progress = BULKHEAD__EXTRACT_PROGRESS__INIT;
    progress.compressed_bytes = compressed_bytes;
    Bulkhead__ExtractorToEngine packet = BULKHEAD__EXTRACTOR_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_EXTRACT_PROGRESS;
    packet.extract_progress = &progress;
    (void)bh_request_progress(argument, &packet.base, NULL, 0);
}

static void handle_extract_layer(struct bh_request *request)
{
    begin_job(request);
    bh_autoclose int source_fd = bh_request_take_fd(request, 0);
    bh_autoclose int image_fd = bh_request_take_fd(request, 1);
    struct job_end end = job_end(request);
    struct extract_result result;
    struct bh_error error = {0};
    if (extract_layer(source_fd, image_fd, &end, tell_progress, request, &result, &error) < 0) {
        (void)bh_request_fail(request, &error);
        return;
    }
    bh_close(&image_fd); /* the store seals it once nobody can write it any more */
    Bulkhead__LayerExtracted extracted = BULKHEAD__LAYER_EXTRACTED__INIT;
    extracted.diff_id = (ProtobufCBinaryData){BH_DIGEST_BYTES, result.diff_id.bytes};
    extracted.uncompressed_bytes = result.uncompressed_bytes;
    extracted.entries = result.entries;
    extracted.image_bytes = result.image_bytes;
    reply(request, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_LAYER_EXTRACTED, &extracted);
}

static int tell_image(void *argument, Bulkhead__ArchiveImage *image)
{
    Bulkhead__ExtractorToEngine packet = BULKHEAD__EXTRACTOR_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_ARCHIVE_IMAGE;
    packet.archive_image = image;
    return bh_request_progress(argument, &packet.base, NULL, 0);
}

static void handle_scan_archive(struct bh_request *request)
{
    begin_job(request);
    bh_autoclose int fd = bh_request_take_fd(request, 0);
    struct archive_scan_result result;
    struct bh_error error = {0};
    if (archive_scan(fd, tell_image, request, &result, &error) < 0) {
        (void)bh_request_fail(request, &error);
    } else if (result.compressed) {
        Bulkhead__ArchiveCompressed compressed = BULKHEAD__ARCHIVE_COMPRESSED__INIT;
        reply(request, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_ARCHIVE_COMPRESSED, &compressed);
    } else {
        Bulkhead__ArchiveScanned scanned = BULKHEAD__ARCHIVE_SCANNED__INIT;
        scanned.images = result.images;
        reply(request, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_ARCHIVE_SCANNED, &scanned);
    }
}

static void handle_decompress(struct bh_request *request)
{
    begin_job(request);
    const Bulkhead__Decompress *message = bh_request_body(request);
    bh_autoclose int source_fd = bh_request_take_fd(request, 0);
    bh_autoclose int target_fd = bh_request_take_fd(request, 1);
    struct job_end end = job_end(request);
    bh_autoinput struct input input = {0};
    bh_autodecompressor struct decompressor *decompressor = NULL;
    struct bh_error error = {0};
    Bulkhead__Decompressed decompressed = BULKHEAD__DECOMPRESSED__INIT;
    if (input_open(source_fd, &end, &input, &error) < 0 ||
        decompressor_open(&input, message->max_bytes, &decompressor, &error) < 0 ||
        decompress_to(decompressor, target_fd, &decompressed.uncompressed_bytes, &error) < 0) {
        (void)bh_request_fail(request, &error);
        return;
    }
    bh_close(&target_fd); /* the end of the pipe comes before the answer */
    reply(request, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_DECOMPRESSED, &decompressed);
}

static void handle_probe_blob(struct bh_request *request)
{
    bh_channel_set_state(bh_request_channel(request), STATE_PROBING);
    bh_autoclose int fd = bh_request_take_fd(request, 0);
    Bulkhead__BlobProbed probed = BULKHEAD__BLOB_PROBED__INIT;
    struct bh_error error = {0};
    if (probe_compression(fd, &probed.compression, &error) < 0) {
        (void)bh_request_fail(request, &error);
        return;
    }
    reply(request, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_BLOB_PROBED, &probed);
}

static void handle_pack_layer(struct bh_request *request)
{
    begin_job(request);
    bh_autoclose int source_fd = bh_request_take_fd(request, 0);
    bh_autoclose int target_fd = bh_request_take_fd(request, 1);
    struct job_end end = job_end(request);
    struct bh_error error = {0};
    Bulkhead__LayerPacked packed = BULKHEAD__LAYER_PACKED__INIT;
    bool written = false;
    if (pack_layer(source_fd, target_fd, &end, &packed.compression, &written, &error) < 0) {
        (void)bh_request_fail(request, &error);
        return;
    }
    packed.packed = written;
    bh_close(&target_fd); /* the end of the pipe comes before the answer */
    reply(request, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_LAYER_PACKED, &packed);
}

static const struct bh_protocol job_protocol = {
    .name = "engine_extractor job",
    .incoming = &bulkhead__engine_to_extractor__descriptor,
    .outgoing = &bulkhead__extractor_to_engine__descriptor,
    .handlers =
        (const struct bh_handler[]){
            {BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PARSE_MANIFEST, "ParseManifest", STATE_NEW, 1, 1,
             handle_parse_manifest},
            {BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PARSE_CONFIG, "ParseConfig", STATE_NEW, 1, 1, handle_parse_config},
            {BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_EXTRACT_LAYER, "ExtractLayer", STATE_NEW, 2, 2, handle_extract_layer},
            {BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_SCAN_ARCHIVE, "ScanArchive", STATE_NEW, 1, 1, handle_scan_archive},
            {BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_DECOMPRESS, "Decompress", STATE_NEW, 2, 2, handle_decompress},
            {BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PROBE_BLOB, "ProbeBlob", STATE_NEW | STATE_PROBING, 1, 1,
             handle_probe_blob},
            {BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PACK_LAYER, "PackLayer", STATE_NEW, 2, 2, handle_pack_layer},
            {0},
        },
};

static int work(struct bh_service_context *context, int job_fd, void *argument)
{
    (void)argument;
    (void)mallopt(M_ARENA_MAX, 1); /* threads share one heap: address space is what a worker has little of */
    struct bh_channel *channel;
    struct bh_error error = {0};
    size_t seed;
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        return 1;
    }
    json_object_seed(seed | 1); /* keys from outside cannot be made to collide */
    if (bh_channel_new(&job_protocol, context, &channel, &error) < 0 || bh_channel_wire(channel, job_fd, &error) < 0 ||
        bh_channel_serve(channel, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "serve a job");
        return 1;
    }
    bh_channel_free(channel);
    return 0;
}

/* ---- the engine's channel, in the parent --------------------------------------------------------- */

static void handle_spawn(struct bh_request *request)
{
    static const struct bh_worker worker = {.sandbox = &extractor_worker_sandbox, .name = "extract", .work = work};
    bh_autoclose int job_fd = bh_request_take_fd(request, 0);
    struct bh_error error = {0};
    pid_t pid;
    if (bh_worker_fork(bh_request_owner(request), &worker, job_fd, NULL, &pid, &error) < 0) {
        (void)bh_request_fail(request, &error);
        return;
    }
    Bulkhead__Spawned spawned = BULKHEAD__SPAWNED__INIT;
    spawned.pid = pid;
    reply(request, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_SPAWNED, &spawned);
}

static const struct bh_protocol engine_protocol = {
    .name = "engine_extractor",
    .incoming = &bulkhead__engine_to_extractor__descriptor,
    .outgoing = &bulkhead__extractor_to_engine__descriptor,
    .handlers =
        (const struct bh_handler[]){
            {BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_SPAWN, "Spawn", ~0u, 1, 1, handle_spawn},
            {0},
        },
};

const struct bh_service extractor_service = {
    .sandbox = &extractor_sandbox,
    .peers = (const struct bh_peer[]){{.role = BH_ROLE_ENGINE, .protocol = &engine_protocol}, {.role = BH_ROLE_NONE}},
};
