/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays the engine for a real fetcher; see stage.h.
 */
#include "stage.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"

static const struct bh_protocol engine_protocol = {
    .name = "engine_fetcher",
    .incoming = &bulkhead__fetcher_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_fetcher__descriptor,
};

static void wire(struct harness *harness, enum bh_role role, int fd)
{
    const struct bh_control record = {.kind = BH_CONTROL_PEER, .role = (uint32_t)role};
    struct bh_error error;
    cr_assert_eq(bh_control_send(harness->control, &record, fd, &error), 0, "%s", error.message);
}

static void add_ca(const struct stage *stage, const struct stage_options *options)
{
    bh_autoclose int certs = harness_folder(&stage->fetcher, BH_FOLDER_CERTS);
    cr_assert_eq(mkdirat(certs, options->ca_for, 0755), 0);
    bh_autoclose int folder = openat(certs, options->ca_for, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    bh_autoclose int from = open(options->ca, O_RDONLY | O_CLOEXEC);
    bh_autoclose int to = openat(folder, "ca.crt", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    bh_autofree char *text = NULL;
    size_t n_bytes = 0;
    cr_assert_eq(bh_read_file(from, 1 << 20, &text, &n_bytes, "CA", NULL), 0);
    cr_assert_eq(bh_write_all(to, text, n_bytes, "CA", NULL), 0);
}

void stage_make_root(struct stage *stage)
{
    char path[128];
    *stage = (struct stage){0};
    (void)snprintf(stage->root, sizeof(stage->root), "/tmp/bh-registry-XXXXXX");
    cr_assert_not_null(mkdtemp(stage->root));
    (void)snprintf(path, sizeof(path), "%s/blobs", stage->root);
    cr_assert_eq(mkdir(path, 0755), 0);
    (void)snprintf(path, sizeof(path), "%s/manifests", stage->root);
    cr_assert_eq(mkdir(path, 0755), 0);
}

void stage_start(struct stage *stage, const struct stage_options *options)
{
    static const struct stage_options defaults;
    options = options ? options : &defaults;
    harness_start(&stage->dialer, &(struct harness_options){.program = "bulkhead-dialer",
                                                            .role = BH_ROLE_DIALER,
                                                            .peers = {BH_ROLE_FETCHER},
                                                            .configure = options->configure});
    harness_start(&stage->fetcher, &(struct harness_options){.program = "bulkhead-fetcher",
                                                             .role = BH_ROLE_FETCHER,
                                                             .peers = {BH_ROLE_ENGINE, BH_ROLE_DIALER},
                                                             .folders = {BH_FOLDER_CERTS},
                                                             .configure = options->configure});
    if (options->ca) {
        add_ca(stage, options);
    }
    /* The two are wired to each other as after the restart of one. */
    int ends[2];
    cr_assert_eq(bh_channel_pair(ends, NULL), 0);
    wire(&stage->fetcher, BH_ROLE_DIALER, ends[0]);
    wire(&stage->dialer, BH_ROLE_FETCHER, ends[1]);
    bh_close(&ends[0]);
    bh_close(&ends[1]);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

void stage_stop(struct stage *stage)
{
    bh_channel_free(stage->job);
    stage->job = NULL;
    if (stage->fetcher.pid > 0) {
        cr_expect_eq(harness_stop(&stage->fetcher), 0, "the fetcher must end well");
        cr_expect_eq(harness_stop(&stage->dialer), 0, "the dialer must end well");
    }
    if (stage->root[0]) {
        (void)nftw(stage->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    }
}

struct bh_digest stage_add_blob(const struct stage *stage, size_t n_bytes)
{
    bh_autofree uint64_t *bytes = malloc(n_bytes + 8);
    uint64_t state = 88172645463325252ULL + n_bytes;
    for (size_t i = 0; i < n_bytes / 8 + 1; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = state;
    }
    struct bh_digest digest;
    char path[160], hex[BH_DIGEST_HEX_SIZE];
    cr_assert_eq(bh_digest_of(bytes, n_bytes, &digest, NULL), 0);
    (void)snprintf(path, sizeof(path), "%s/blobs/%s", stage->root, bh_digest_hex(&digest, hex));
    bh_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    cr_assert_eq(bh_write_all(fd, bytes, n_bytes, path, NULL), 0);
    return digest;
}

struct bh_digest stage_add_manifest(const struct stage *stage, const char *repository, const char *tag,
                                    const char *text)
{
    struct bh_digest digest;
    char path[256], hex[BH_DIGEST_HEX_SIZE];
    cr_assert_eq(bh_digest_of(text, strlen(text), &digest, NULL), 0);
    const char *names[] = {tag, bh_digest_hex(&digest, hex)};
    (void)snprintf(path, sizeof(path), "%s/manifests/%s", stage->root, repository);
    (void)mkdir(path, 0755);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "%s/manifests/%s/%s", stage->root, repository, names[i]);
        bh_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        cr_assert_eq(bh_write_all(fd, text, strlen(text), path, NULL), 0);
    }
    return digest;
}

void stage_spawn(struct stage *stage)
{
    bh_channel_free(stage->job);
    stage->job = NULL;
    int ends[2];
    struct bh_error error;
    cr_assert_eq(bh_channel_pair(ends, &error), 0);
    Bulkhead__Spawn spawn = BULKHEAD__SPAWN__INIT;
    Bulkhead__EngineToFetcher packet = BULKHEAD__ENGINE_TO_FETCHER__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_FETCHER__BODY_SPAWN;
    packet.spawn = &spawn;
    bh_automessage struct bh_message *message = NULL;
    cr_assert_eq(bh_call(harness_channel(&stage->fetcher, BH_ROLE_ENGINE, &engine_protocol), &packet.base, &ends[1], 1,
                         0, BULKHEAD__FETCHER_TO_ENGINE__BODY_SPAWNED, &message, &error),
                 0, "%s", error.message);
    stage->worker = ((const Bulkhead__Spawned *)bh_message_body(message))->pid;
    bh_close(&ends[1]);
    cr_assert_eq(bh_channel_new(&engine_protocol, NULL, &stage->job, &error), 0);
    cr_assert_eq(bh_channel_wire(stage->job, ends[0], &error), 0);
}

int stage_open(struct stage *stage, const char *host, const char *repository, const Bulkhead__Credentials *credentials,
               struct bh_error *error)
{
    stage_spawn(stage);
    Bulkhead__OpenRegistry message = BULKHEAD__OPEN_REGISTRY__INIT;
    message.host = (char *)(uintptr_t)host;
    message.repository = (char *)(uintptr_t)repository;
    message.credentials = (Bulkhead__Credentials *)(uintptr_t)credentials;
    Bulkhead__EngineToFetcher packet = BULKHEAD__ENGINE_TO_FETCHER__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_FETCHER__BODY_OPEN_REGISTRY;
    packet.open_registry = &message;
    bh_automessage struct bh_message *reply = NULL;
    return bh_call(stage->job, &packet.base, NULL, 0, 0, BULKHEAD__FETCHER_TO_ENGINE__BODY_DONE, &reply, error);
}

/* ---- pipes ---------------------------------------------------------------------------------------- */

struct drain {
    int fd;
    struct fetched *fetched;
};

static void *drain_pipe(void *argument)
{
    struct drain *drain = argument;
    size_t size = 1 << 20;
    drain->fetched->bytes = malloc(size);
    for (;;) {
        if (drain->fetched->n_bytes == size) {
            size *= 2;
            drain->fetched->bytes = realloc(drain->fetched->bytes, size);
        }
        ssize_t n = read(drain->fd, drain->fetched->bytes + drain->fetched->n_bytes, size - drain->fetched->n_bytes);
        if (n <= 0) {
            return NULL;
        }
        drain->fetched->n_bytes += (size_t)n;
    }
}

static void take_answer(struct fetched *fetched, const struct bh_message *message)
{
    if (message->kind == BULKHEAD__FETCHER_TO_ENGINE__BODY_BLOB_FETCHED) {
        fetched->size_bytes = ((const Bulkhead__BlobFetched *)bh_message_body(message))->size_bytes;
    } else if (message->kind == BULKHEAD__FETCHER_TO_ENGINE__BODY_MANIFEST_FETCHED) {
        const Bulkhead__ManifestFetched *manifest = bh_message_body(message);
        fetched->size_bytes = manifest->size_bytes;
        fetched->media_type = manifest->media_type_presence_case ? manifest->media_type : 0;
        fetched->has_digest = manifest->docker_content_digest.len == BH_DIGEST_BYTES;
    } else {
        cr_assert_fail("an answer of kind %u", message->kind);
    }
}

/* Sends a request with a pipe, drains the pipe, waits for the answer. */
static struct fetched fetch(struct stage *stage, Bulkhead__EngineToFetcher *packet, uint32_t deadline_ms)
{
    struct fetched fetched = {0};
    int ends[2];
    uint64_t began_ms = bh_now_ms();
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    (void)fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
    struct drain drain = {.fd = ends[0], .fetched = &fetched};
    bh_autocall struct bh_call *call = NULL;
    fetched.result = bh_call_start(stage->job, &packet->base, &ends[1], 1, deadline_ms, &call, &fetched.error);
    bh_close(&ends[1]);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, drain_pipe, &drain), 0);
    for (bool more = fetched.result == 0; more;) {
        bh_automessage struct bh_message *message = NULL;
        fetched.result = bh_call_next(call, &message, &fetched.error);
        more = fetched.result == 0 && message->more;
        fetched.n_progress += more;
        if (fetched.result == 0 && !more) {
            take_answer(&fetched, message);
        }
    }
    (void)pthread_join(thread, NULL);
    bh_close(&ends[0]);
    fetched.took_ms = bh_now_ms() - began_ms;
    if (fetched.result < 0) {
        (void)bh_error_format(&fetched.error, fetched.text, sizeof(fetched.text));
    }
    return fetched;
}

void fetched_free(struct fetched *fetched)
{
    free(fetched->bytes);
}

struct fetched stage_manifest(struct stage *stage, const char *tag, const struct bh_digest *digest)
{
    Bulkhead__FetchManifest message = BULKHEAD__FETCH_MANIFEST__INIT;
    if (tag) {
        message.which_case = BULKHEAD__FETCH_MANIFEST__WHICH_TAG;
        message.tag = (char *)(uintptr_t)tag;
    } else {
        message.which_case = BULKHEAD__FETCH_MANIFEST__WHICH_DIGEST;
        message.digest.data = (uint8_t *)(uintptr_t)digest->bytes;
        message.digest.len = BH_DIGEST_BYTES;
    }
    Bulkhead__EngineToFetcher packet = BULKHEAD__ENGINE_TO_FETCHER__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_FETCHER__BODY_FETCH_MANIFEST;
    packet.fetch_manifest = &message;
    return fetch(stage, &packet, 0);
}

static void fill_blob(Bulkhead__EngineToFetcher *packet, Bulkhead__FetchBlob *message, const struct bh_digest *digest,
                      uint64_t size, uint64_t offset)
{
    message->digest.data = (uint8_t *)(uintptr_t)digest->bytes;
    message->digest.len = BH_DIGEST_BYTES;
    message->size_bytes = size;
    message->offset = offset;
    packet->body_case = BULKHEAD__ENGINE_TO_FETCHER__BODY_FETCH_BLOB;
    packet->fetch_blob = message;
}

struct fetched stage_blob(struct stage *stage, const struct bh_digest *digest, uint64_t size, uint64_t offset,
                          uint32_t deadline_ms)
{
    Bulkhead__FetchBlob message = BULKHEAD__FETCH_BLOB__INIT;
    Bulkhead__EngineToFetcher packet = BULKHEAD__ENGINE_TO_FETCHER__INIT;
    fill_blob(&packet, &message, digest, size, offset);
    return fetch(stage, &packet, deadline_ms);
}

void stage_blob_start(struct stage *stage, const struct bh_digest *digest, uint64_t size, struct bh_call **ret_call,
                      int *ret_pipe)
{
    Bulkhead__FetchBlob message = BULKHEAD__FETCH_BLOB__INIT;
    Bulkhead__EngineToFetcher packet = BULKHEAD__ENGINE_TO_FETCHER__INIT;
    fill_blob(&packet, &message, digest, size, 0);
    int ends[2];
    struct bh_error error;
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    cr_assert_eq(bh_call_start(stage->job, &packet.base, &ends[1], 1, 0, ret_call, &error), 0, "%s", error.message);
    bh_close(&ends[1]);
    *ret_pipe = ends[0];
}

int stage_check(struct stage *stage, const struct bh_digest *digest, uint64_t *ret_size, struct bh_error *error)
{
    Bulkhead__CheckBlob message = BULKHEAD__CHECK_BLOB__INIT;
    message.digest.data = (uint8_t *)(uintptr_t)digest->bytes;
    message.digest.len = BH_DIGEST_BYTES;
    Bulkhead__EngineToFetcher packet = BULKHEAD__ENGINE_TO_FETCHER__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_FETCHER__BODY_CHECK_BLOB;
    packet.check_blob = &message;
    bh_automessage struct bh_message *reply = NULL;
    if (bh_call(stage->job, &packet.base, NULL, 0, 0, BULKHEAD__FETCHER_TO_ENGINE__BODY_BLOB_AVAILABLE, &reply, error) <
        0) {
        return -1;
    }
    *ret_size = ((const Bulkhead__BlobAvailable *)bh_message_body(reply))->size_bytes;
    return 0;
}

int stage_login(struct stage *stage, char **ret_identity_token, struct bh_error *error)
{
    Bulkhead__CheckCredentials message = BULKHEAD__CHECK_CREDENTIALS__INIT;
    Bulkhead__EngineToFetcher packet = BULKHEAD__ENGINE_TO_FETCHER__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_FETCHER__BODY_CHECK_CREDENTIALS;
    packet.check_credentials = &message;
    bh_automessage struct bh_message *reply = NULL;
    if (bh_call(stage->job, &packet.base, NULL, 0, 0, BULKHEAD__FETCHER_TO_ENGINE__BODY_CREDENTIALS_ACCEPTED, &reply,
                error) < 0) {
        return -1;
    }
    *ret_identity_token = strdup(((const Bulkhead__CredentialsAccepted *)bh_message_body(reply))->identity_token);
    return 0;
}
