/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's side of the store's channel; see client.h.
 */
#include "client.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"

#define DEADLINE_MS 60000U

/* Ends the test: its own means failed. */
#define must(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, strerror(errno));                \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static const struct bh_protocol protocol = {
    .name = "engine_store",
    .incoming = &bulkhead__store_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_store__descriptor,
};

static const struct harness_options options = {
    .program = "bulkhead-store",
    .role = BH_ROLE_STORE,
    .peers = {BH_ROLE_ENGINE},
    .folders = {BH_FOLDER_STATE},
};

void client_start(struct client *client)
{
    harness_start(&client->harness, &options);
    client->channel = harness_channel(&client->harness, BH_ROLE_ENGINE, &protocol);
}

void client_stop(struct client *client)
{
    int status = harness_stop(&client->harness);
    must(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void client_kill(struct client *client)
{
    must(kill(client->harness.pid, SIGKILL) == 0);
    must(waitpid(client->harness.pid, NULL, 0) == client->harness.pid);
    bh_channel_free(client->channel);
    bh_close(&client->harness.control);
}

void client_rewire(struct client *client)
{
    int ends[2];
    const struct bh_control record = {.kind = BH_CONTROL_PEER, .role = BH_ROLE_ENGINE};
    must(bh_channel_pair(ends, &client->error) == 0);
    must(bh_control_send(client->harness.control, &record, ends[1], &client->error) == 0);
    bh_close(&ends[1]);
    must(bh_channel_wire(client->channel, ends[0], &client->error) == 0);
}

/* ---- questions ------------------------------------------------------------------------------------------------- */

static Bulkhead__EngineToStore packet_of(Bulkhead__EngineToStore__BodyCase kind, void *body)
{
    Bulkhead__EngineToStore packet = BULKHEAD__ENGINE_TO_STORE__INIT;
    packet.body_case = kind;
    packet.begin_blob = body; /* all members of the union are pointers */
    return packet;
}

static enum bh_code ask(struct client *client, Bulkhead__EngineToStore__BodyCase kind, void *body,
                        Bulkhead__StoreToEngine__BodyCase reply, struct bh_message **ret_message)
{
    Bulkhead__EngineToStore packet = packet_of(kind, body);
    return bh_call(client->channel, &packet.base, NULL, 0, DEADLINE_MS, reply, ret_message, &client->error) < 0
               ? client->error.code
               : BH_OK;
}

static enum bh_code begin(struct client *client, Bulkhead__EngineToStore__BodyCase kind, void *body,
                          struct ingesting *ret_ingesting)
{
    Bulkhead__EngineToStore packet = packet_of(kind, body);
    *ret_ingesting = (struct ingesting){.fds = {-1, -1}};
    must(bh_call_start(client->channel, &packet.base, NULL, 0, DEADLINE_MS, &ret_ingesting->call, &client->error) == 0);
    bh_automessage struct bh_message *message = NULL;
    if (bh_call_next(ret_ingesting->call, &message, &client->error) < 0) {
        bh_call_free(ret_ingesting->call);
        return client->error.code;
    }
    must(message->kind == BULKHEAD__STORE_TO_ENGINE__BODY_INGEST_STARTED);
    const Bulkhead__IngestStarted *started = bh_message_body(message);
    ret_ingesting->id = started->ingest;
    ret_ingesting->resume_offset = started->resume_offset;
    for (size_t i = 0; i < message->n_fds && i < 2; i++) {
        ret_ingesting->fds[i] = bh_message_take_fd(message, i);
    }
    if (!message->more) {
        bh_call_free(ret_ingesting->call);
        ret_ingesting->call = NULL;
    }
    return BH_OK;
}

Bulkhead__BeginBlob client_blob(struct bh_digest *digest, uint64_t size_bytes, bool tee)
{
    static Bulkhead__PipeSource pipe_source = BULKHEAD__PIPE_SOURCE__INIT;
    Bulkhead__BeginBlob message = BULKHEAD__BEGIN_BLOB__INIT;
    if (digest) {
        message.digest.data = digest->bytes;
        message.digest.len = BH_DIGEST_BYTES;
        message.size_bytes = size_bytes;
    } else {
        message.max_bytes = size_bytes;
    }
    message.tee = tee;
    message.source_case = BULKHEAD__BEGIN_BLOB__SOURCE_PIPE;
    message.pipe = &pipe_source;
    return message;
}

enum bh_code client_begin_blob(struct client *client, Bulkhead__BeginBlob *message, struct ingesting *ret_ingesting)
{
    return begin(client, BULKHEAD__ENGINE_TO_STORE__BODY_BEGIN_BLOB, message, ret_ingesting);
}

enum bh_code client_begin_spool(struct client *client, uint64_t max_bytes, struct ingesting *ret_ingesting)
{
    Bulkhead__BeginSpool message = BULKHEAD__BEGIN_SPOOL__INIT;
    message.max_bytes = max_bytes;
    return begin(client, BULKHEAD__ENGINE_TO_STORE__BODY_BEGIN_SPOOL, &message, ret_ingesting);
}

enum bh_code client_begin_layer(struct client *client, const struct bh_digest *blob, struct ingesting *ret_ingesting)
{
    struct bh_digest copy = *blob;
    Bulkhead__BeginLayer message = BULKHEAD__BEGIN_LAYER__INIT;
    message.blob_digest.data = copy.bytes;
    message.blob_digest.len = BH_DIGEST_BYTES;
    return begin(client, BULKHEAD__ENGINE_TO_STORE__BODY_BEGIN_LAYER, &message, ret_ingesting);
}

static enum bh_code finish(struct client *client, struct ingesting *ingesting, struct bh_message **ret_message)
{
    int result = bh_call_next(ingesting->call, ret_message, &client->error);
    bh_call_free(ingesting->call);
    ingesting->call = NULL;
    bh_close(&ingesting->fds[0]);
    bh_close(&ingesting->fds[1]);
    return result < 0 ? client->error.code : BH_OK;
}

enum bh_code client_finish_blob(struct client *client, struct ingesting *ingesting, struct bh_digest *ret_digest,
                                uint64_t *ret_bytes)
{
    bh_automessage struct bh_message *message = NULL;
    enum bh_code code = finish(client, ingesting, &message);
    if (code == BH_OK) {
        const Bulkhead__BlobStored *stored = bh_message_body(message);
        must(message->kind == BULKHEAD__STORE_TO_ENGINE__BODY_BLOB_STORED && !message->more);
        must(bh_digest_from_bytes(stored->digest.data, stored->digest.len, ret_digest, &client->error) == 0);
        *ret_bytes = stored->size_bytes;
    }
    return code;
}

enum bh_code client_finish_spool(struct client *client, struct ingesting *ingesting, uint64_t *ret_bytes)
{
    bh_automessage struct bh_message *message = NULL;
    enum bh_code code = finish(client, ingesting, &message);
    if (code == BH_OK) {
        must(message->kind == BULKHEAD__STORE_TO_ENGINE__BODY_SPOOL_STORED);
        *ret_bytes = ((const Bulkhead__SpoolStored *)bh_message_body(message))->size_bytes;
    }
    return code;
}

enum bh_code client_seal(struct client *client, uint64_t ingest, const struct bh_digest *diff_id,
                         Bulkhead__LayerSealed *ret_sealed)
{
    struct bh_digest copy = *diff_id;
    Bulkhead__SealLayer message = BULKHEAD__SEAL_LAYER__INIT;
    message.ingest = ingest;
    message.diff_id.data = copy.bytes;
    message.diff_id.len = BH_DIGEST_BYTES;
    bh_automessage struct bh_message *answer = NULL;
    enum bh_code code = ask(client, BULKHEAD__ENGINE_TO_STORE__BODY_SEAL_LAYER, &message,
                            BULKHEAD__STORE_TO_ENGINE__BODY_LAYER_SEALED, &answer);
    if (code == BH_OK) {
        *ret_sealed = *(const Bulkhead__LayerSealed *)bh_message_body(answer);
    }
    return code;
}

enum bh_code client_store_blob(struct client *client, const void *bytes, size_t n_bytes, struct bh_digest *ret_digest)
{
    struct bh_digest digest = digest_of(bytes, n_bytes);
    struct ingesting ingesting;
    uint64_t stored = 0;
    Bulkhead__BeginBlob message = client_blob(&digest, n_bytes, false);
    enum bh_code code = client_begin_blob(client, &message, &ingesting);
    if (code != BH_OK) {
        return code;
    }
    struct mover *writer = write_in_thread(bh_steal_fd(&ingesting.fds[0]), bytes, n_bytes);
    code = client_finish_blob(client, &ingesting, ret_digest, &stored);
    (void)wait_for(writer, NULL);
    return code;
}

enum bh_code client_abort(struct client *client, uint64_t ingest)
{
    Bulkhead__AbortIngest message = BULKHEAD__ABORT_INGEST__INIT;
    message.ingest = ingest;
    bh_automessage struct bh_message *answer = NULL;
    return ask(client, BULKHEAD__ENGINE_TO_STORE__BODY_ABORT_INGEST, &message, BULKHEAD__STORE_TO_ENGINE__BODY_DONE,
               &answer);
}

enum bh_code client_delete(struct client *client, const struct bh_digest *digest)
{
    struct bh_digest copy = *digest;
    Bulkhead__DeleteContent message = BULKHEAD__DELETE_CONTENT__INIT;
    message.digest.data = copy.bytes;
    message.digest.len = BH_DIGEST_BYTES;
    bh_automessage struct bh_message *answer = NULL;
    return ask(client, BULKHEAD__ENGINE_TO_STORE__BODY_DELETE_CONTENT, &message, BULKHEAD__STORE_TO_ENGINE__BODY_DONE,
               &answer);
}

static enum bh_code open_content(struct client *client, Bulkhead__EngineToStore__BodyCase kind, void *body, int *ret_fd,
                                 uint64_t *ret_bytes)
{
    bh_automessage struct bh_message *answer = NULL;
    enum bh_code code = ask(client, kind, body, BULKHEAD__STORE_TO_ENGINE__BODY_CONTENT_OPENED, &answer);
    if (code == BH_OK) {
        *ret_bytes = ((const Bulkhead__ContentOpened *)bh_message_body(answer))->size_bytes;
        *ret_fd = bh_message_take_fd(answer, 0);
        must(*ret_fd >= 0);
    }
    return code;
}

enum bh_code client_open_blob(struct client *client, const struct bh_digest *digest, int *ret_fd, uint64_t *ret_bytes)
{
    struct bh_digest copy = *digest;
    Bulkhead__OpenBlob message = BULKHEAD__OPEN_BLOB__INIT;
    message.digest.data = copy.bytes;
    message.digest.len = BH_DIGEST_BYTES;
    return open_content(client, BULKHEAD__ENGINE_TO_STORE__BODY_OPEN_BLOB, &message, ret_fd, ret_bytes);
}

enum bh_code client_open_spool(struct client *client, uint64_t spool, int *ret_fd, uint64_t *ret_bytes)
{
    Bulkhead__OpenSpool message = BULKHEAD__OPEN_SPOOL__INIT;
    message.spool = spool;
    return open_content(client, BULKHEAD__ENGINE_TO_STORE__BODY_OPEN_SPOOL, &message, ret_fd, ret_bytes);
}

enum bh_code client_stat(struct client *client, const struct bh_digest *digest, Bulkhead__ContentStat *ret_stat,
                         struct bh_digest *ret_diff_id)
{
    struct bh_digest copy = *digest;
    Bulkhead__StatContent message = BULKHEAD__STAT_CONTENT__INIT;
    message.digest.data = copy.bytes;
    message.digest.len = BH_DIGEST_BYTES;
    bh_automessage struct bh_message *answer = NULL;
    enum bh_code code = ask(client, BULKHEAD__ENGINE_TO_STORE__BODY_STAT_CONTENT, &message,
                            BULKHEAD__STORE_TO_ENGINE__BODY_CONTENT_STAT, &answer);
    if (code == BH_OK) {
        *ret_stat = *(const Bulkhead__ContentStat *)bh_message_body(answer);
        must(ret_stat->diff_id.len == (ret_stat->layer ? BH_DIGEST_BYTES : 0));
        if (ret_stat->layer) {
            memcpy(ret_diff_id->bytes, ret_stat->diff_id.data, BH_DIGEST_BYTES);
        }
        ret_stat->diff_id.data = NULL;
    }
    return code;
}

enum bh_code client_list(struct client *client, size_t *ret_entries)
{
    Bulkhead__ListContent message = BULKHEAD__LIST_CONTENT__INIT;
    Bulkhead__EngineToStore packet = packet_of(BULKHEAD__ENGINE_TO_STORE__BODY_LIST_CONTENT, &message);
    bh_autocall struct bh_call *call = NULL;
    size_t n = 0;
    must(bh_call_start(client->channel, &packet.base, NULL, 0, DEADLINE_MS, &call, &client->error) == 0);
    for (;; n++) {
        bh_automessage struct bh_message *answer = NULL;
        if (bh_call_next(call, &answer, &client->error) < 0) {
            return client->error.code;
        }
        if (!answer->more) {
            must(answer->kind == BULKHEAD__STORE_TO_ENGINE__BODY_DONE);
            *ret_entries = n;
            return BH_OK;
        }
        must(answer->kind == BULKHEAD__STORE_TO_ENGINE__BODY_CONTENT_ENTRY);
    }
}

/* ---- looking from outside -------------------------------------------------------------------------------------- */

static int open_folder(const struct client *client, const char *folder)
{
    bh_autoclose int root = harness_folder(&client->harness, BH_FOLDER_STATE);
    int fd = openat(root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(fd >= 0);
    return fd;
}

size_t client_count(const struct client *client, const char *folder)
{
    bh_autoclosedir DIR *directory = fdopendir(open_folder(client, folder));
    size_t n = 0;
    must(directory);
    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        n += entry->d_name[0] != '.';
    }
    return n;
}

bool client_file_is(const struct client *client, const char *folder, const struct bh_digest *digest, const void *bytes,
                    size_t n_bytes)
{
    char hex[BH_DIGEST_HEX_SIZE];
    bh_autoclose int directory = open_folder(client, folder);
    bh_autoclose int fd = openat(directory, bh_digest_hex(digest, hex), O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0 || (size_t)status.st_size != n_bytes) {
        return false;
    }
    bh_autofree uint8_t *found = malloc(n_bytes + 1);
    return pread(fd, found, n_bytes, 0) == (ssize_t)n_bytes && memcmp(found, bytes, n_bytes) == 0;
}

bool client_is_clean(const struct client *client)
{
    return client_count(client, "ingest") == 0 && client_count(client, "partial") == 0;
}

void client_await_partial(const struct client *client, const struct bh_digest *digest)
{
    char hex[BH_DIGEST_HEX_SIZE];
    bh_autoclose int directory = open_folder(client, "partial");
    bh_autoclose int fd = openat(directory, bh_digest_hex(digest, hex), O_RDONLY | O_CLOEXEC);
    must(fd >= 0 && flock(fd, LOCK_EX) == 0);
}

/* ---- bytes ----------------------------------------------------------------------------------------------------- */

uint8_t *make_bytes(size_t n_bytes, uint64_t seed)
{
    uint8_t *bytes = malloc(n_bytes + 1);
    uint64_t state = seed * 0x9e3779b97f4a7c15ULL + 1;
    must(bytes);
    for (size_t i = 0; i < n_bytes; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (uint8_t)state;
    }
    return bytes;
}

struct bh_digest digest_of(const void *bytes, size_t n_bytes)
{
    struct bh_digest digest;
    must(bh_digest_of(bytes, n_bytes, &digest, NULL) == 0);
    return digest;
}

struct mover {
    pthread_t thread;
    int fd;
    const uint8_t *out; /* NULL: reads */
    uint8_t *in;
    size_t n_bytes, done;
};

static void *move(void *argument)
{
    struct mover *mover = argument;
    while (mover->done < mover->n_bytes) {
        size_t left = mover->n_bytes - mover->done;
        ssize_t n = mover->out ? write(mover->fd, mover->out + mover->done, left)
                               : read(mover->fd, mover->in + mover->done, left);
        if (n <= 0) {
            break;
        }
        mover->done += (size_t)n;
    }
    bh_close(&mover->fd);
    return NULL;
}

static struct mover *start_mover(int fd, const void *out, uint8_t *in, size_t n_bytes)
{
    struct mover *mover = malloc(sizeof(*mover));
    must(mover);
    *mover = (struct mover){.fd = fd, .out = out, .in = in, .n_bytes = n_bytes};
    must(pthread_create(&mover->thread, NULL, move, mover) == 0);
    return mover;
}

struct mover *write_in_thread(int fd, const void *bytes, size_t n_bytes)
{
    return start_mover(fd, bytes, NULL, n_bytes);
}

struct mover *read_in_thread(int fd, size_t max_bytes)
{
    return start_mover(fd, NULL, malloc(max_bytes + 1), max_bytes);
}

size_t wait_for(struct mover *mover, uint8_t **ret_bytes)
{
    must(pthread_join(mover->thread, NULL) == 0);
    size_t done = mover->done;
    if (ret_bytes) {
        *ret_bytes = mover->in;
    } else {
        free(mover->in);
    }
    free(mover);
    return done;
}
