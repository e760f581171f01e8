/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays store, fetcher and extractor; see fake_content.h.
 */
#include "fake_content.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/channel.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "engine_extractor.pb-c.h"
#include "engine_fetcher.pb-c.h"
#include "engine_store.pb-c.h"

#define BLOBS_MAX   32
#define TEXT_MAX    512
#define THREADS_MAX 1024

struct blob {
    char name[64], text[TEXT_MAX];
    struct bh_digest digest;
    bool broken;
};
struct stored {
    bool used, blob, layer;
    struct bh_digest digest, diff_id;
    char text[TEXT_MAX];
};

struct served;

struct fake_content {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct blob registry[BLOBS_MAX];
    struct {
        char tag[64], name[64];
    } tags[BLOBS_MAX];
    size_t n_blobs, n_tags, fetches, fetching;
    char user[64];
    bool hold, lie;
    struct stored store[BLOBS_MAX * 2];
    struct bh_digest layers_begun[64]; /* by ingest id - 1 */
    char spools[8][TEXT_MAX];
    uint64_t n_ingests;
    bool aborted[256]; /* by ingest id */
    struct served *served;
    pthread_t threads[THREADS_MAX];
    size_t n_threads;
};

struct served {
    struct served *next; /* all of them, kept until the end: requests outlive their channels */
    struct fake_content *fake;
    struct bh_channel *channel;
    char user[64];
    bool worker;
};

struct bh_digest fake_digest(const char *text)
{
    struct bh_digest digest;
    struct bh_error error;
    if (bh_digest_of(text, strlen(text), &digest, &error) < 0) {
        abort();
    }
    return digest;
}

static ProtobufCBinaryData field(struct bh_digest *digest)
{
    return (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = digest->bytes};
}

static void lock(struct fake_content *fake)
{
    (void)pthread_mutex_lock(&fake->mutex);
}

static void unlock(struct fake_content *fake)
{
    (void)pthread_cond_broadcast(&fake->changed);
    (void)pthread_mutex_unlock(&fake->mutex);
}

/* Called with the lock held. */
static void run_thread(struct fake_content *fake, void *(*run)(void *), void *argument)
{
    if (fake->n_threads == THREADS_MAX || pthread_create(&fake->threads[fake->n_threads++], NULL, run, argument) != 0) {
        abort();
    }
}

static void *serve_main(void *argument)
{
    struct served *served = argument;
    struct bh_error error;
    (void)bh_channel_serve(served->channel, &error);
    bh_channel_free(served->channel);
    return NULL;
}

static void serve(struct fake_content *fake, const struct bh_protocol *protocol, int fd)
{
    struct bh_error error;
    struct served *served = calloc(1, sizeof *served);
    served->fake = fake;
    if (bh_channel_new(protocol, served, &served->channel, &error) < 0 ||
        bh_channel_wire(served->channel, fd, &error) < 0) {
        abort();
    }
    lock(fake);
    served->next = fake->served;
    fake->served = served;
    run_thread(fake, serve_main, served);
    unlock(fake);
}

static struct fake_content *fake_of(struct bh_request *request)
{
    return ((struct served *)bh_request_owner(request))->fake;
}

static void fail(struct bh_request *request, enum bh_code code, const char *message)
{
    struct bh_error error = {0};
    (void)bh_error_set(&error, code, "%s", message);
    (void)bh_request_fail(request, &error);
}

/* Reads a descriptor to its end, as text. */
static void read_text(int fd, char text[static TEXT_MAX])
{
    size_t n_bytes = 0;
    struct bh_error error;
    if (bh_read_full(fd, text, TEXT_MAX - 1, &n_bytes, "text", &error) < 0) {
        n_bytes = 0;
    }
    text[n_bytes] = '\0';
}

/* ---- store ---------------------------------------------------------------------------------------- */

#define STORE_PACKET(name, kind, which, value)                                                                         \
    Bulkhead__StoreToEngine name = BULKHEAD__STORE_TO_ENGINE__INIT;                                                    \
    name.body_case = BULKHEAD__STORE_TO_ENGINE__BODY_##kind;                                                           \
    name.which = (value)

/* Called with the lock held. */
static struct stored *find_stored(struct fake_content *fake, const uint8_t *digest, bool add)
{
    struct stored *unused = NULL;
    for (size_t i = 0; i < BLOBS_MAX * 2; i++) {
        struct stored *stored = &fake->store[i];
        if (stored->used && memcmp(stored->digest.bytes, digest, BH_DIGEST_BYTES) == 0) {
            return stored;
        }
        unused = !stored->used && !unused ? stored : unused;
    }
    if (add) {
        *unused = (struct stored){.used = true};
        memcpy(unused->digest.bytes, digest, BH_DIGEST_BYTES);
    }
    return add ? unused : NULL;
}

struct intake {
    struct bh_request *request;
    int from, tee;
    uint64_t id;
    bool spool;
};

static void finish_blob(struct fake_content *fake, struct bh_request *request, uint64_t id, const char *text)
{
    const Bulkhead__BeginBlob *question = bh_request_body(request);
    struct bh_digest digest = fake_digest(text);
    if (question->digest.len && memcmp(question->digest.data, digest.bytes, BH_DIGEST_BYTES) != 0) {
        fail(request, BH_DATA_LOSS, "the blob is not what its digest says");
        return;
    }
    lock(fake);
    bool aborted = fake->aborted[id % 256];
    struct stored *stored = aborted ? NULL : find_stored(fake, digest.bytes, true);
    if (stored) {
        stored->blob = true;
        (void)snprintf(stored->text, sizeof stored->text, "%s", text);
    }
    unlock(fake);
    if (aborted) {
        fail(request, BH_CANCELLED, "the ingest was aborted");
        return;
    }
    Bulkhead__BlobStored answer = BULKHEAD__BLOB_STORED__INIT;
    answer.digest = field(&digest);
    answer.size_bytes = strlen(text);
    STORE_PACKET(packet, BLOB_STORED, blob_stored, &answer);
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static void *intake_main(void *argument)
{
    struct intake *intake = argument;
    struct fake_content *fake = fake_of(intake->request);
    char text[TEXT_MAX];
    struct bh_error error;
    read_text(intake->from, text);
    bh_close(&intake->from);
    if (intake->tee >= 0) {
        (void)bh_write_all(intake->tee, text, strlen(text), "tee", &error);
        bh_close(&intake->tee);
    }
    if (intake->spool) {
        lock(fake);
        (void)snprintf(fake->spools[intake->id % 8], TEXT_MAX, "%s", text);
        unlock(fake);
        Bulkhead__SpoolStored answer = BULKHEAD__SPOOL_STORED__INIT;
        answer.size_bytes = strlen(text);
        STORE_PACKET(packet, SPOOL_STORED, spool_stored, &answer);
        (void)bh_request_reply(intake->request, &packet.base, NULL, 0);
    } else {
        finish_blob(fake, intake->request, intake->id, text);
    }
    bh_request_unref(intake->request);
    free(intake);
    return NULL;
}

/* Answers IngestStarted with the pipes, and takes the bytes in on a thread. */
static void begin_intake(struct bh_request *request, bool spool, bool wants_tee)
{
    struct fake_content *fake = fake_of(request);
    struct intake *intake = calloc(1, sizeof *intake);
    int in[2], tee[2] = {-1, -1};
    if (pipe2(in, O_CLOEXEC) < 0 || (wants_tee && pipe2(tee, O_CLOEXEC) < 0)) {
        abort();
    }
    lock(fake);
    uint64_t id = ++fake->n_ingests;
    unlock(fake);
    *intake =
        (struct intake){.request = bh_request_ref(request), .from = in[0], .tee = tee[1], .id = id, .spool = spool};
    Bulkhead__IngestStarted started = BULKHEAD__INGEST_STARTED__INIT;
    started.ingest = id;
    STORE_PACKET(packet, INGEST_STARTED, ingest_started, &started);
    const int fds[] = {in[1], tee[0]};
    (void)bh_request_progress(request, &packet.base, fds, wants_tee ? 2 : 1);
    bh_close(&in[1]);
    bh_close(&tee[0]);
    lock(fake);
    run_thread(fake, intake_main, intake);
    unlock(fake);
}

/* A range of a spool: the bytes are here already. */
static void begin_range(struct bh_request *request)
{
    struct fake_content *fake = fake_of(request);
    const Bulkhead__BeginBlob *question = bh_request_body(request);
    char text[TEXT_MAX] = "";
    lock(fake);
    uint64_t id = ++fake->n_ingests;
    (void)snprintf(text, sizeof text, "%.*s", (int)question->spool_range->size_bytes,
                   fake->spools[question->spool_range->spool % 8] + question->spool_range->offset);
    unlock(fake);
    Bulkhead__IngestStarted started = BULKHEAD__INGEST_STARTED__INIT;
    started.ingest = id;
    STORE_PACKET(packet, INGEST_STARTED, ingest_started, &started);
    (void)bh_request_progress(request, &packet.base, NULL, 0);
    finish_blob(fake, request, id, text);
}

static void on_begin_blob(struct bh_request *request)
{
    const Bulkhead__BeginBlob *question = bh_request_body(request);
    if (question->source_case == BULKHEAD__BEGIN_BLOB__SOURCE_SPOOL_RANGE) {
        begin_range(request);
    } else {
        begin_intake(request, false, question->tee);
    }
}

static void on_begin_spool(struct bh_request *request)
{
    begin_intake(request, true, false);
}

static void hand_out(struct bh_request *request, const char *text)
{
    struct bh_error error;
    bh_autoclose int fd = -1;
    if (bh_memfd_sealed("content", text, strlen(text), &fd, &error) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
        abort();
    }
    Bulkhead__ContentOpened opened = BULKHEAD__CONTENT_OPENED__INIT;
    opened.size_bytes = strlen(text);
    STORE_PACKET(packet, CONTENT_OPENED, content_opened, &opened);
    (void)bh_request_reply(request, &packet.base, &fd, 1);
}

static void on_open_blob(struct bh_request *request)
{
    struct fake_content *fake = fake_of(request);
    const Bulkhead__OpenBlob *question = bh_request_body(request);
    char text[TEXT_MAX] = "";
    lock(fake);
    const struct stored *stored = find_stored(fake, question->digest.data, false);
    bool there = stored && stored->blob;
    if (there) {
        (void)snprintf(text, sizeof text, "%s", stored->text);
    }
    unlock(fake);
    if (there) {
        hand_out(request, text);
    } else {
        fail(request, BH_NOT_FOUND, "no such blob");
    }
}

static void on_open_spool(struct bh_request *request)
{
    struct fake_content *fake = fake_of(request);
    const Bulkhead__OpenSpool *question = bh_request_body(request);
    char text[TEXT_MAX];
    lock(fake);
    (void)snprintf(text, sizeof text, "%s", fake->spools[question->spool % 8]);
    unlock(fake);
    hand_out(request, text);
}

static void on_begin_layer(struct bh_request *request)
{
    struct fake_content *fake = fake_of(request);
    const Bulkhead__BeginLayer *question = bh_request_body(request);
    bh_autoclose int fd = memfd_create("layer", MFD_CLOEXEC);
    Bulkhead__IngestStarted started = BULKHEAD__INGEST_STARTED__INIT;
    lock(fake);
    started.ingest = ++fake->n_ingests;
    memcpy(fake->layers_begun[started.ingest % 64].bytes, question->blob_digest.data, BH_DIGEST_BYTES);
    unlock(fake);
    STORE_PACKET(packet, INGEST_STARTED, ingest_started, &started);
    (void)bh_request_reply(request, &packet.base, &fd, 1);
}

static void on_seal(struct bh_request *request)
{
    struct fake_content *fake = fake_of(request);
    const Bulkhead__SealLayer *question = bh_request_body(request);
    lock(fake);
    struct stored *stored = find_stored(fake, fake->layers_begun[question->ingest % 64].bytes, false);
    bool there = stored && stored->blob;
    if (there) {
        stored->layer = true;
        memcpy(stored->diff_id.bytes, question->diff_id.data, BH_DIGEST_BYTES);
    }
    unlock(fake);
    if (!there) {
        fail(request, BH_FAILED_PRECONDITION, "its blob is not stored");
        return;
    }
    Bulkhead__LayerSealed sealed = BULKHEAD__LAYER_SEALED__INIT;
    sealed.content_bytes = 1000;
    STORE_PACKET(packet, LAYER_SEALED, layer_sealed, &sealed);
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static void on_stat(struct bh_request *request)
{
    struct fake_content *fake = fake_of(request);
    const Bulkhead__StatContent *question = bh_request_body(request);
    Bulkhead__ContentStat stat = BULKHEAD__CONTENT_STAT__INIT;
    struct bh_digest diff_id;
    lock(fake);
    const struct stored *stored = find_stored(fake, question->digest.data, false);
    if (stored) {
        stat.blob = stored->blob;
        stat.layer = stored->layer;
        stat.content_bytes = stored->layer ? 1000 : 0;
        diff_id = stored->diff_id;
        if (stored->layer) {
            stat.diff_id = field(&diff_id);
        }
    }
    unlock(fake);
    STORE_PACKET(packet, CONTENT_STAT, content_stat, &stat);
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static void reply_store_done(struct bh_request *request)
{
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    STORE_PACKET(packet, DONE, done, &done);
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static void on_abort(struct bh_request *request)
{
    struct fake_content *fake = fake_of(request);
    lock(fake);
    fake->aborted[((const Bulkhead__AbortIngest *)bh_request_body(request))->ingest % 256] = true;
    unlock(fake);
    reply_store_done(request);
}

static void on_list(struct bh_request *request)
{
    struct fake_content *fake = fake_of(request);
    lock(fake);
    for (size_t i = 0; i < BLOBS_MAX * 2; i++) {
        if (fake->store[i].used) {
            Bulkhead__ContentEntry entry = BULKHEAD__CONTENT_ENTRY__INIT;
            entry.digest = field(&fake->store[i].digest);
            entry.blob = fake->store[i].blob;
            entry.layer = fake->store[i].layer;
            STORE_PACKET(packet, CONTENT_ENTRY, content_entry, &entry);
            (void)bh_request_progress(request, &packet.base, NULL, 0);
        }
    }
    unlock(fake);
    reply_store_done(request);
}

static void on_delete(struct bh_request *request)
{
    struct fake_content *fake = fake_of(request);
    const Bulkhead__DeleteContent *question = bh_request_body(request);
    lock(fake);
    struct stored *stored = find_stored(fake, question->digest.data, false);
    if (stored) {
        stored->used = false;
    }
    unlock(fake);
    reply_store_done(request);
}

static const struct bh_handler store_handlers[] = {
    {BULKHEAD__ENGINE_TO_STORE__BODY_BEGIN_BLOB, "begin blob", ~0u, 0, 0, on_begin_blob},
    {BULKHEAD__ENGINE_TO_STORE__BODY_BEGIN_SPOOL, "begin spool", ~0u, 0, 0, on_begin_spool},
    {BULKHEAD__ENGINE_TO_STORE__BODY_BEGIN_LAYER, "begin layer", ~0u, 0, 0, on_begin_layer},
    {BULKHEAD__ENGINE_TO_STORE__BODY_SEAL_LAYER, "seal", ~0u, 0, 0, on_seal},
    {BULKHEAD__ENGINE_TO_STORE__BODY_ABORT_INGEST, "abort", ~0u, 0, 0, on_abort},
    {BULKHEAD__ENGINE_TO_STORE__BODY_OPEN_BLOB, "open", ~0u, 0, 0, on_open_blob},
    {BULKHEAD__ENGINE_TO_STORE__BODY_OPEN_SPOOL, "open spool", ~0u, 0, 0, on_open_spool},
    {BULKHEAD__ENGINE_TO_STORE__BODY_STAT_CONTENT, "stat", ~0u, 0, 0, on_stat},
    {BULKHEAD__ENGINE_TO_STORE__BODY_LIST_CONTENT, "list", ~0u, 0, 0, on_list},
    {BULKHEAD__ENGINE_TO_STORE__BODY_DELETE_CONTENT, "delete", ~0u, 0, 0, on_delete},
    {0},
};
static const struct bh_protocol store_protocol = {
    .name = "fake_store",
    .incoming = &bulkhead__engine_to_store__descriptor,
    .outgoing = &bulkhead__store_to_engine__descriptor,
    .handlers = store_handlers,
};

/* ---- fetcher ---------------------------------------------------------------------------------------- */

#define FETCHER_PACKET(name, kind, which, value)                                                                       \
    Bulkhead__FetcherToEngine name = BULKHEAD__FETCHER_TO_ENGINE__INIT;                                                \
    name.body_case = BULKHEAD__FETCHER_TO_ENGINE__BODY_##kind;                                                         \
    name.which = (value)

static const struct bh_protocol fetcher_protocol;

static void on_fetcher_spawn(struct bh_request *request)
{
    Bulkhead__Spawned spawned = BULKHEAD__SPAWNED__INIT;
    spawned.pid = 1;
    FETCHER_PACKET(packet, SPAWNED, spawned, &spawned);
    serve(fake_of(request), &fetcher_protocol, bh_request_take_fd(request, 0));
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static void on_open_registry(struct bh_request *request)
{
    struct served *served = bh_request_owner(request);
    const Bulkhead__OpenRegistry *question = bh_request_body(request);
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    FETCHER_PACKET(packet, DONE, done, &done);
    (void)snprintf(served->user, sizeof served->user, "%s",
                   question->credentials ? question->credentials->username : "");
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

/* Called with the lock held. */
static const struct blob *find_blob(struct fake_content *fake, const uint8_t *digest, const char *name)
{
    for (size_t i = 0; i < fake->n_blobs; i++) {
        const struct blob *blob = &fake->registry[i];
        if ((digest && memcmp(blob->digest.bytes, digest, BH_DIGEST_BYTES) == 0) ||
            (name && strcmp(blob->name, name) == 0)) {
            return blob;
        }
    }
    return NULL;
}

/* The blob that is asked for, if these credentials may read it. */
static bool look_up(struct bh_request *request, const uint8_t *digest, const char *tag, struct blob *ret_blob)
{
    struct served *served = bh_request_owner(request);
    struct fake_content *fake = served->fake;
    const struct blob *blob = NULL;
    lock(fake);
    bool allowed = !fake->user[0] || strcmp(fake->user, served->user) == 0;
    for (size_t i = 0; tag && i < fake->n_tags; i++) {
        if (strcmp(fake->tags[i].tag, tag) == 0) {
            blob = find_blob(fake, NULL, fake->tags[i].name);
        }
    }
    blob = digest ? find_blob(fake, digest, NULL) : blob;
    if (blob) {
        *ret_blob = *blob;
    }
    unlock(fake);
    if (!allowed) {
        fail(request, BH_PERMISSION_DENIED, "pull access denied");
    } else if (!blob) {
        fail(request, BH_NOT_FOUND, "manifest unknown");
    }
    return allowed && blob;
}

static void on_fetch_manifest(struct bh_request *request)
{
    const Bulkhead__FetchManifest *question = bh_request_body(request);
    bool by_digest = question->which_case == BULKHEAD__FETCH_MANIFEST__WHICH_DIGEST;
    bh_autoclose int pipe = bh_request_take_fd(request, 0);
    struct blob blob;
    struct bh_error error;
    if (!look_up(request, by_digest ? question->digest.data : NULL, by_digest ? NULL : question->tag, &blob)) {
        return;
    }
    (void)bh_write_all(pipe, blob.text, strlen(blob.text), "pipe", &error);
    bh_close(&pipe);
    Bulkhead__ManifestFetched fetched = BULKHEAD__MANIFEST_FETCHED__INIT;
    fetched.size_bytes = strlen(blob.text);
    FETCHER_PACKET(packet, MANIFEST_FETCHED, manifest_fetched, &fetched);
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

struct fetch {
    struct bh_request *request;
    struct blob blob;
    int pipe;
};

static void *fetch_main(void *argument)
{
    struct fetch *fetch = argument;
    struct fake_content *fake = fake_of(fetch->request);
    struct bh_error error;
    lock(fake);
    fake->fetches++;
    fake->fetching++;
    (void)pthread_cond_broadcast(&fake->changed);
    while (fake->hold) {
        (void)pthread_cond_wait(&fake->changed, &fake->mutex);
    }
    fake->fetching--;
    unlock(fake);
    size_t n_bytes = strlen(fetch->blob.text) / (fetch->blob.broken ? 2 : 1);
    (void)bh_write_all(fetch->pipe, fetch->blob.text, n_bytes, "pipe", &error);
    bh_close(&fetch->pipe);
    if (fetch->blob.broken) {
        fail(fetch->request, BH_UNAVAILABLE, "the registry stopped in the middle of a blob");
    } else {
        Bulkhead__BlobFetched fetched = BULKHEAD__BLOB_FETCHED__INIT;
        fetched.size_bytes = n_bytes;
        FETCHER_PACKET(packet, BLOB_FETCHED, blob_fetched, &fetched);
        (void)bh_request_reply(fetch->request, &packet.base, NULL, 0);
    }
    bh_request_unref(fetch->request);
    free(fetch);
    return NULL;
}

static void on_fetch_blob(struct bh_request *request)
{
    const Bulkhead__FetchBlob *question = bh_request_body(request);
    struct fetch *fetch = calloc(1, sizeof *fetch);
    fetch->pipe = bh_request_take_fd(request, 0);
    if (!look_up(request, question->digest.data, NULL, &fetch->blob)) {
        bh_close(&fetch->pipe);
        free(fetch);
        return;
    }
    fetch->request = bh_request_ref(request);
    lock(fake_of(request));
    run_thread(fake_of(request), fetch_main, fetch);
    unlock(fake_of(request));
}

static void on_check_blob(struct bh_request *request)
{
    const Bulkhead__CheckBlob *question = bh_request_body(request);
    struct blob blob;
    if (look_up(request, question->digest.data, NULL, &blob)) {
        Bulkhead__BlobAvailable available = BULKHEAD__BLOB_AVAILABLE__INIT;
        available.size_bytes = strlen(blob.text);
        FETCHER_PACKET(packet, BLOB_AVAILABLE, blob_available, &available);
        (void)bh_request_reply(request, &packet.base, NULL, 0);
    }
}

static const struct bh_handler fetcher_handlers[] = {
    {BULKHEAD__ENGINE_TO_FETCHER__BODY_SPAWN, "spawn", ~0u, 1, 1, on_fetcher_spawn},
    {BULKHEAD__ENGINE_TO_FETCHER__BODY_OPEN_REGISTRY, "open", ~0u, 0, 0, on_open_registry},
    {BULKHEAD__ENGINE_TO_FETCHER__BODY_FETCH_MANIFEST, "manifest", ~0u, 1, 1, on_fetch_manifest},
    {BULKHEAD__ENGINE_TO_FETCHER__BODY_FETCH_BLOB, "blob", ~0u, 1, 1, on_fetch_blob},
    {BULKHEAD__ENGINE_TO_FETCHER__BODY_CHECK_BLOB, "check", ~0u, 0, 0, on_check_blob},
    {0},
};
static const struct bh_protocol fetcher_protocol = {
    .name = "fake_fetcher",
    .incoming = &bulkhead__engine_to_fetcher__descriptor,
    .outgoing = &bulkhead__fetcher_to_engine__descriptor,
    .handlers = fetcher_handlers,
};

/* ---- extractor ---------------------------------------------------------------------------------------- */

#define EXTRACTOR_PACKET(name, kind, which, value)                                                                     \
    Bulkhead__ExtractorToEngine name = BULKHEAD__EXTRACTOR_TO_ENGINE__INIT;                                            \
    name.body_case = BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_##kind;                                                       \
    name.which = (value)

static const struct bh_protocol extractor_protocol;

static void on_extractor_spawn(struct bh_request *request)
{
    Bulkhead__Spawned spawned = BULKHEAD__SPAWNED__INIT;
    spawned.pid = 1;
    EXTRACTOR_PACKET(packet, SPAWNED, spawned, &spawned);
    serve(fake_of(request), &extractor_protocol, bh_request_take_fd(request, 0));
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

/* Splits a document into its words. */
static size_t split(char *text, char *words[static 16])
{
    size_t n_words = 0;
    char *state = NULL;
    for (char *word = strtok_r(text, " ", &state); word && n_words < 16; word = strtok_r(NULL, " ", &state)) {
        words[n_words++] = word;
    }
    return n_words;
}

static bool describe(struct fake_content *fake, const char *name, struct bh_digest *ret_digest,
                     Bulkhead__Descriptor *ret_descriptor)
{
    lock(fake);
    const struct blob *blob = find_blob(fake, NULL, name);
    bulkhead__descriptor__init(ret_descriptor);
    if (blob) {
        *ret_digest = blob->digest;
        ret_descriptor->digest = field(ret_digest);
        ret_descriptor->size_bytes = strlen(blob->text);
    }
    unlock(fake);
    return blob;
}

static void answer_index(struct bh_request *request, char **words, size_t n_words)
{
    struct bh_digest digest;
    Bulkhead__Descriptor descriptor;
    Bulkhead__Platform platform = BULKHEAD__PLATFORM__INIT;
    Bulkhead__IndexEntry entry = BULKHEAD__INDEX_ENTRY__INIT, *entries[] = {&entry};
    Bulkhead__ParsedIndex index = BULKHEAD__PARSED_INDEX__INIT;
    if (n_words != 3 || !describe(fake_of(request), words[2], &digest, &descriptor)) {
        fail(request, BH_INVALID_ARGUMENT, "a bad index");
        return;
    }
    descriptor.media_type = BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_MANIFEST;
    platform.os = (char *)(uintptr_t) "linux";
    platform.architecture = words[1];
    entry.manifest = &descriptor;
    entry.platform = &platform;
    index.media_type = BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_INDEX;
    index.entries = entries;
    index.n_entries = 1;
    EXTRACTOR_PACKET(packet, INDEX, index, &index);
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static void answer_manifest(struct bh_request *request, char **words, size_t n_words)
{
    struct bh_digest digests[16];
    Bulkhead__Descriptor descriptors[16], *layers[16];
    Bulkhead__ParsedManifest manifest = BULKHEAD__PARSED_MANIFEST__INIT;
    for (size_t i = 1; i < n_words; i++) {
        if (!describe(fake_of(request), words[i], &digests[i], &descriptors[i])) {
            fail(request, BH_INVALID_ARGUMENT, "a bad manifest");
            return;
        }
        descriptors[i].media_type =
            i == 1 ? BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_CONFIG : BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_LAYER;
        layers[i - 1] = &descriptors[i];
    }
    manifest.media_type = BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_MANIFEST;
    manifest.config = &descriptors[1];
    manifest.layers = layers + 1;
    manifest.n_layers = n_words - 2;
    EXTRACTOR_PACKET(packet, MANIFEST, manifest, &manifest);
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static void on_parse_manifest(struct bh_request *request)
{
    bh_autoclose int fd = bh_request_take_fd(request, 0);
    char text[TEXT_MAX], *words[16];
    read_text(fd, text);
    size_t n_words = split(text, words);
    if (n_words > 0 && strcmp(words[0], "index") == 0) {
        answer_index(request, words, n_words);
    } else if (n_words > 1 && strcmp(words[0], "manifest") == 0) {
        answer_manifest(request, words, n_words);
    } else {
        fail(request, BH_INVALID_ARGUMENT, "neither a manifest nor an index");
    }
}

static void on_parse_config(struct bh_request *request)
{
    static char linux_os[] = "linux", stop[] = "SIGTERM", command[] = "sh", label_key[] = "from",
                label_value[] = "image";
    bh_autoclose int fd = bh_request_take_fd(request, 0);
    char text[TEXT_MAX], *words[16];
    char *cmd[] = {command};
    struct bh_digest digests[16];
    ProtobufCBinaryData diff_ids[16];
    Bulkhead__ImageConfig config = BULKHEAD__IMAGE_CONFIG__INIT;
    Bulkhead__KeyValue label = BULKHEAD__KEY_VALUE__INIT, *labels[] = {&label};
    Bulkhead__ParsedConfig parsed = BULKHEAD__PARSED_CONFIG__INIT;
    read_text(fd, text);
    size_t n_words = split(text, words);
    for (size_t i = 1; i < n_words; i++) {
        Bulkhead__Descriptor ignored;
        if (!describe(fake_of(request), words[i], &digests[i], &ignored)) {
            digests[i] = fake_digest(words[i]);
        }
        diff_ids[i] = field(&digests[i]);
    }
    label.key = label_key;
    label.value = label_value;
    config.os = linux_os;
    config.stop_signal = stop;
    config.cmd = cmd;
    config.n_cmd = 1;
    config.labels = labels;
    config.n_labels = 1;
    config.created_ns = 1000;
    config.diff_ids = diff_ids + 1;
    config.n_diff_ids = n_words - 1;
    parsed.config = &config;
    EXTRACTOR_PACKET(packet, CONFIG, config, &parsed);
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static void on_extract(struct bh_request *request)
{
    struct fake_content *fake = fake_of(request);
    bh_autoclose int from = bh_request_take_fd(request, 0);
    bh_autoclose int image = bh_request_take_fd(request, 1);
    char text[TEXT_MAX];
    read_text(from, text);
    struct bh_digest diff_id = fake_digest(text);
    lock(fake);
    diff_id.bytes[0] ^= fake->lie ? 1 : 0;
    unlock(fake);
    Bulkhead__LayerExtracted extracted = BULKHEAD__LAYER_EXTRACTED__INIT;
    extracted.diff_id = field(&diff_id);
    extracted.image_bytes = (uint64_t)(image >= 0);
    EXTRACTOR_PACKET(packet, LAYER_EXTRACTED, layer_extracted, &extracted);
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

/* An archive is "<name>|<config>|<layer>": one image. */
static void on_scan(struct bh_request *request)
{
    bh_autoclose int fd = bh_request_take_fd(request, 0);
    char text[TEXT_MAX];
    read_text(fd, text);
    char *config_at = strchr(text, '|');
    char *layer_at = config_at ? strchr(config_at + 1, '|') : NULL;
    if (!layer_at) {
        fail(request, BH_INVALID_ARGUMENT, "not an archive of images");
        return;
    }
    Bulkhead__ArchiveMember config = BULKHEAD__ARCHIVE_MEMBER__INIT, layer = BULKHEAD__ARCHIVE_MEMBER__INIT;
    Bulkhead__ArchiveMember *layers[] = {&layer};
    Bulkhead__ArchiveImage image = BULKHEAD__ARCHIVE_IMAGE__INIT;
    config.offset = (uint64_t)(config_at + 1 - text);
    config.size_bytes = (uint64_t)(layer_at - config_at - 1);
    layer.offset = (uint64_t)(layer_at + 1 - text);
    layer.size_bytes = strlen(layer_at + 1);
    *config_at = '\0';
    char *references[] = {text};
    image.config = &config;
    image.layers = layers;
    image.n_layers = 1;
    image.references = references;
    image.n_references = 1;
    EXTRACTOR_PACKET(packet, ARCHIVE_IMAGE, archive_image, &image);
    (void)bh_request_progress(request, &packet.base, NULL, 0);
    Bulkhead__ArchiveScanned scanned = BULKHEAD__ARCHIVE_SCANNED__INIT;
    scanned.images = 1;
    EXTRACTOR_PACKET(last, ARCHIVE_SCANNED, archive_scanned, &scanned);
    (void)bh_request_reply(request, &last.base, NULL, 0);
}

static const struct bh_handler extractor_handlers[] = {
    {BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_SPAWN, "spawn", ~0u, 1, 1, on_extractor_spawn},
    {BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PARSE_MANIFEST, "manifest", ~0u, 1, 1, on_parse_manifest},
    {BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PARSE_CONFIG, "config", ~0u, 1, 1, on_parse_config},
    {BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_EXTRACT_LAYER, "layer", ~0u, 2, 2, on_extract},
    {BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_SCAN_ARCHIVE, "scan", ~0u, 1, 1, on_scan},
    {0},
};
static const struct bh_protocol extractor_protocol = {
    .name = "fake_extractor",
    .incoming = &bulkhead__engine_to_extractor__descriptor,
    .outgoing = &bulkhead__extractor_to_engine__descriptor,
    .handlers = extractor_handlers,
};

/* ---- for the tests -------------------------------------------------------------------------------------- */

struct fake_content *fake_content_new(void)
{
    struct fake_content *fake = calloc(1, sizeof *fake);
    (void)pthread_mutex_init(&fake->mutex, NULL);
    (void)pthread_cond_init(&fake->changed, NULL);
    return fake;
}

void fake_content_serve_store(struct fake_content *fake, int fd)
{
    serve(fake, &store_protocol, fd);
}

void fake_content_serve_fetcher(struct fake_content *fake, int fd)
{
    serve(fake, &fetcher_protocol, fd);
}

void fake_content_serve_extractor(struct fake_content *fake, int fd)
{
    serve(fake, &extractor_protocol, fd);
}

void fake_content_free(struct fake_content *fake)
{
    fake_registry_hold(fake, false);
    for (size_t i = 0; i < fake->n_threads; i++) {
        (void)pthread_join(fake->threads[i], NULL);
    }
    struct served *served;
    while ((served = fake->served)) {
        fake->served = served->next;
        free(served);
    }
    free(fake);
}

void fake_registry_add(struct fake_content *fake, const char *name, const char *text)
{
    lock(fake);
    struct blob *blob = (struct blob *)(uintptr_t)find_blob(fake, NULL, name);
    blob = blob ? blob : &fake->registry[fake->n_blobs++];
    *blob = (struct blob){.digest = fake_digest(text)};
    (void)snprintf(blob->name, sizeof blob->name, "%s", name);
    (void)snprintf(blob->text, sizeof blob->text, "%s", text);
    unlock(fake);
}

void fake_registry_tag(struct fake_content *fake, const char *tag, const char *name)
{
    lock(fake);
    size_t i = 0;
    while (i < fake->n_tags && strcmp(fake->tags[i].tag, tag) != 0) {
        i++;
    }
    fake->n_tags += i == fake->n_tags;
    (void)snprintf(fake->tags[i].tag, sizeof fake->tags[i].tag, "%s", tag);
    (void)snprintf(fake->tags[i].name, sizeof fake->tags[i].name, "%s", name);
    unlock(fake);
}

void fake_registry_require(struct fake_content *fake, const char *user)
{
    lock(fake);
    (void)snprintf(fake->user, sizeof fake->user, "%s", user ? user : "");
    unlock(fake);
}

void fake_registry_break(struct fake_content *fake, const char *name, bool broken)
{
    lock(fake);
    ((struct blob *)(uintptr_t)find_blob(fake, NULL, name))->broken = broken;
    unlock(fake);
}

void fake_extractor_lie(struct fake_content *fake, bool lie)
{
    lock(fake);
    fake->lie = lie;
    unlock(fake);
}

void fake_registry_hold(struct fake_content *fake, bool hold)
{
    lock(fake);
    fake->hold = hold;
    unlock(fake);
}

void fake_registry_await_fetch(struct fake_content *fake)
{
    lock(fake);
    while (fake->fetching == 0) {
        (void)pthread_cond_wait(&fake->changed, &fake->mutex);
    }
    unlock(fake);
}

size_t fake_registry_fetches(struct fake_content *fake)
{
    lock(fake);
    size_t fetches = fake->fetches;
    unlock(fake);
    return fetches;
}

bool fake_store_has(struct fake_content *fake, const char *text, bool layer)
{
    struct bh_digest digest = fake_digest(text);
    lock(fake);
    const struct stored *stored = find_stored(fake, digest.bytes, false);
    bool has = stored && (layer ? stored->layer : stored->blob);
    unlock(fake);
    return has;
}

size_t fake_store_count(struct fake_content *fake)
{
    size_t count = 0;
    lock(fake);
    for (size_t i = 0; i < BLOBS_MAX * 2; i++) {
        count += fake->store[i].used;
    }
    unlock(fake);
    return count;
}

void fake_store_add(struct fake_content *fake, const char *text)
{
    struct bh_digest digest = fake_digest(text);
    lock(fake);
    struct stored *stored = find_stored(fake, digest.bytes, true);
    stored->blob = true;
    (void)snprintf(stored->text, sizeof stored->text, "%s", text);
    unlock(fake);
}
