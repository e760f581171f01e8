/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a connection. Each thread works on memory of its own; what they share is the engine's channel and the
 * client watch.
 */
#include "server.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"
#include "error_map.h"
#include "request.h"
#include "route.h"

#define STACK_BYTES (256U * 1024U) /* handlers keep large things on the heap; JSON nesting is bounded */

struct client {
    struct api *api;
    int fd;
};

static atomic_uint connections;

/* Where a refused request gets its message from, whatever went wrong. */
static void answer_failure(struct request *request, const struct bh_error *error)
{
    char text[BH_ERROR_MESSAGE_SIZE + BH_ERROR_CONTEXT_MAX * (BH_ERROR_CONTEXT_SIZE + 2)];
    int status = status_of_error(error);
    if (request->connection->status != 0) {
        request->connection->close_after = true; /* too late for a status: the missing end tells the client */
        return;
    }
    if (error->code == BH_CANCELLED) {
        request->connection->close_after = true;
    }
    request_answer_error(request, status, bh_error_format(error, text, sizeof(text)));
}

static void serve_request(struct request *request)
{
    struct bh_error error = {0};
    const struct http_head *head = &request->connection->head;
    uint64_t began_ms = bh_now_ms();
    int outcome;
    if (http_host_check(http_head_field(head, "Host"), &error) < 0 ||
        http_target_parse(head->target, &request->target, &error) < 0) {
        outcome = -1;
    } else {
        request->version = request->target.version;
        outcome = route_request(request, &error);
    }
    if (outcome < 0) {
        answer_failure(request, &error);
        bh_log_failure(BH_LOG_INFO, &error, "request refused");
    }
    bh_log_info("%s %s answered %d after %llu ms", head->method, request->target.path ? request->target.path : "?",
                request->connection->status, (unsigned long long)(bh_now_ms() - began_ms));
    http_target_free(&request->target);
}

/* Answers a head that could not be read; there is no way to find the next one behind it. */
static void refuse_head(struct api *api, struct connection *connection, int status, const struct bh_error *error)
{
    struct request request = {.api = api, .connection = connection, .version = API_VERSION_MINOR_MAX};
    connection->close_after = true;
    request_answer_error(&request, status, error->message);
    bh_log_failure(BH_LOG_INFO, error, "request refused");
}

static uint64_t new_trace(void)
{
    uint64_t trace = 0;
    if (getrandom(&trace, sizeof(trace), GRND_NONBLOCK) != sizeof(trace) || trace == 0) {
        trace = (uint64_t)bh_wall_ns();
    }
    return trace;
}

void server_serve(struct api *api, struct connection *connection)
{
    for (;;) {
        struct bh_error error = {0};
        int status = 0;
        bh_log_set_trace(0);
        int got = connection_read_head(connection, &status, &error);
        if (got == 0) {
            return;
        }
        bh_log_set_trace(new_trace());
        if (got < 0) {
            refuse_head(api, connection, status, &error);
            return;
        }
        struct request *request = calloc(1, sizeof(*request));
        if (!request) {
            return;
        }
        request->api = api;
        request->connection = connection;
        serve_request(request);
        free(request);
        if (connection->hijacked || connection->streaming) { /* a stream without its end: the client must not wait */
            return;
        }
        connection_finish_body(connection);
        if (connection->close_after) {
            return;
        }
    }
}

static void *serve(void *argument)
{
    struct client *client = argument;
    struct connection connection;
    connection_init(&connection, client->fd);
    server_serve(client->api, &connection);
    connection_free(&connection);
    free(client);
    atomic_fetch_sub(&connections, 1);
    return NULL;
}

static int start_thread(struct client *client)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int problem = pthread_create(&thread, &attributes, serve, client);
    pthread_attr_destroy(&attributes);
    return problem;
}

/* On the loop's thread: one short write to a fresh socket cannot block. */
static void refuse_connection(int fd)
{
    static const char text[] = "{\"message\":\"too many connections: close some and try again\"}\n";
    struct connection connection;
    connection_init(&connection, fd);
    connection.close_after = true;
    (void)connection_respond(&connection, 503, "application/json", NULL, text, sizeof(text) - 1);
    connection_free(&connection);
}

void server_adopt(struct api *api, int fd)
{
    struct client *client = malloc(sizeof(*client));
    if (!client || atomic_fetch_add(&connections, 1) >= SERVER_CONNECTIONS_MAX) {
        if (client) {
            atomic_fetch_sub(&connections, 1);
        }
        free(client);
        refuse_connection(fd);
        return;
    }
    *client = (struct client){.api = api, .fd = fd};
    int problem = start_thread(client);
    if (problem != 0) {
        bh_log_error("start a thread for a connection: %s", strerror(problem));
        free(client);
        atomic_fetch_sub(&connections, 1);
        refuse_connection(fd);
    }
}
