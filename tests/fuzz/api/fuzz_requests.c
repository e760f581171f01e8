/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes on a client's connection: every request is answered, or the connection closed; and whatever api makes of it
 * for the engine is a message that the engine's end of the channel takes. The engine knows nothing: each question is
 * answered with NOT_FOUND.
 */
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api_engine.pb-c.h"
#include "client_watch.h"
#include "common/channel.h"
#include "common/log.h"
#include "server.h"
#include "fuzz.h"

#define KINDS_MAX     256
#define REQUEST_BYTES 65536 /* fits a socket's buffer */

/* ---- the engine -------------------------------------------------------------------------------------------- */

static struct bh_handler handlers[KINDS_MAX];

static const struct bh_protocol engine_protocol = {
    .name = "engine_api",
    .incoming = &bulkhead__api_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_api__descriptor,
    .handlers = handlers,
};

static const struct bh_protocol api_protocol = {
    .name = "api_engine",
    .incoming = &bulkhead__engine_to_api__descriptor,
    .outgoing = &bulkhead__api_to_engine__descriptor,
};

static void answer_not_found(struct bh_request *request)
{
    struct bh_error error;
    (void)bh_error_set(&error, BH_NOT_FOUND, "there is nothing here");
    (void)bh_request_fail(request, &error);
}

/* Every body but the header, with any number of descriptors. */
static void fill_handlers(void)
{
    const ProtobufCMessageDescriptor *packet = &bulkhead__api_to_engine__descriptor;
    size_t n = 0;
    for (size_t i = 0; i < packet->n_fields && n < KINDS_MAX - 1; i++) {
        if (packet->fields[i].id != 1) {
            handlers[n++] = (struct bh_handler){packet->fields[i].id, packet->fields[i].name, ~0U, 0,
                                                BH_MESSAGE_FDS_MAX,   answer_not_found};
        }
    }
}

static void *be_the_engine(void *argument)
{
    struct bh_error error = {0};
    (void)bh_channel_serve(argument, &error);
    fuzz_wrong(); /* it hangs up on what it cannot take only */
}

static void make_api(struct api *api)
{
    struct bh_channel *engine = NULL;
    struct bh_error error = {0};
    pthread_t thread;
    int ends[2];
    fill_handlers();
    bh_log_init("api", BH_LOG_ERROR);
    (void)signal(SIGPIPE, SIG_IGN);
    if (bh_channel_pair(ends, &error) < 0 || bh_channel_new(&engine_protocol, NULL, &engine, &error) < 0 ||
        bh_channel_wire(engine, ends[0], &error) < 0 || bh_channel_new(&api_protocol, NULL, &api->engine, &error) < 0 ||
        bh_channel_wire(api->engine, ends[1], &error) < 0 ||
        client_watch_new(event_base_new(), &api->watch, &error) < 0 ||
        pthread_create(&thread, NULL, be_the_engine, engine) != 0) {
        fuzz_wrong();
    }
    api->tenant_uid = 1000;
    api->version = "fuzz";
    api->architecture = "amd64";
    api->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    api->processors = 1;
    (void)uname(&api->host);
}

/* ---- the client -------------------------------------------------------------------------------------------- */

/* Takes what is answered, so that nobody waits for room. */
static void *read_answers(void *argument)
{
    static const char begin[] = "HTTP/1.1 ";
    char answer[4096];
    size_t n_answer = 0;
    for (;;) {
        char rest[4096];
        bool whole = n_answer == sizeof(answer);
        ssize_t n = whole ? read(*(int *)argument, rest, sizeof(rest))
                          : read(*(int *)argument, answer + n_answer, sizeof(answer) - n_answer);
        if (n <= 0) {
            break;
        }
        n_answer += whole ? 0 : (size_t)n;
    }
    if (n_answer > 0 && memcmp(answer, begin, n_answer < sizeof(begin) - 1 ? n_answer : sizeof(begin) - 1) != 0) {
        fuzz_wrong();
    }
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static struct api api;
    struct connection connection;
    pthread_t reader;
    int ends[2];
    if (!api.engine) {
        make_api(&api);
    }
    if (n_bytes > REQUEST_BYTES) {
        return 0;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ||
        write(ends[0], bytes, n_bytes) != (ssize_t)n_bytes || shutdown(ends[0], SHUT_WR) < 0 ||
        pthread_create(&reader, NULL, read_answers, &ends[0]) != 0) {
        fuzz_wrong();
    }
    connection_init(&connection, ends[1]);
    server_serve(&api, &connection);
    connection_free(&connection);
    (void)pthread_join(reader, NULL);
    (void)close(ends[0]);
    return 0;
}
