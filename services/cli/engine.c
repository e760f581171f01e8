/* SPDX-License-Identifier: Apache-2.0
 *
 * The Docker Engine API as a client speaks it: where the socket is, which version is asked for, how an error is told.
 */
#include "engine.h"

#include <errno.h>
#include <string.h>

#include "fields.h"
#include "string_list.h"

#define ENGINE_DEFAULT_HOST     "unix:///run/bulkhead/bulkhead.sock"
#define ENGINE_API_VERSION      "1.47"
#define UPLOAD_BYTES            131072
#define ENGINE_ANSWER_BYTES_MAX (64U << 20) /* a list of ten thousand containers is about 10 MiB */

struct engine {
    char *host;
    const char *socket_path; /* within `host` */
    struct http_connection *kept;
};

int engine_new(const char *host, struct engine **ret_engine, struct bh_error *error)
{
    static const char *const variables[] = {"BULKHEAD_HOST", "DOCKER_HOST"};
    for (size_t i = 0; !host && i < 2; i++) {
        const char *value = getenv(variables[i]);
        host = value && *value ? value : NULL;
    }
    host = host ? host : ENGINE_DEFAULT_HOST;
    if (!strings_begins(host, "unix:///") && host[0] != '/') {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid host \"%s\": want unix:///path/to/socket (over ssh, forward the socket)", host);
    }
    struct engine *engine = calloc(1, sizeof(*engine));
    if (!engine || !(engine->host = strdup(host))) {
        free(engine);
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    engine->socket_path = engine->host + (host[0] == '/' ? 0 : strlen("unix://"));
    *ret_engine = engine;
    return 0;
}

void engine_free(struct engine *engine)
{
    if (engine) {
        http_free(engine->kept);
        free(engine->host);
        free(engine);
    }
}

const char *engine_host(const struct engine *engine)
{
    return engine->host;
}

static enum bh_code code_of_status(int status)
{
    switch (status) {
    case 400:
        return BH_INVALID_ARGUMENT;
    case 401:
        return BH_UNAUTHENTICATED;
    case 403:
        return BH_PERMISSION_DENIED;
    case 404:
        return BH_NOT_FOUND;
    case 409:
        return BH_FAILED_PRECONDITION;
    case 501:
        return BH_UNIMPLEMENTED;
    case 503:
        return BH_UNAVAILABLE;
    default:
        return BH_INTERNAL;
    }
}

/* Reads the {"message": ...} of a refused request into `error`. Returns -1. */
static int take_refusal(struct http_connection *connection, int status, struct bh_error *error)
{
    bh_autofree char *text = NULL;
    size_t n_text = 0;
    if (http_read_all(connection, ENGINE_ANSWER_BYTES_MAX, &text, &n_text, NULL) < 0) {
        return bh_error_set(error, code_of_status(status), "the engine answered with status %d", status);
    }
    json_auto json_t *answer = json_loadb(text, n_text, 0, NULL);
    const char *message = field_text(answer, "message");
    if (*message) {
        return bh_error_set(error, code_of_status(status), "%s", message);
    }
    return bh_error_set(error, code_of_status(status), "the engine answered with status %d", status);
}

static int prefixed(const char *path, char **ret_path, struct bh_error *error)
{
    const char *version = getenv("DOCKER_API_VERSION");
    return strings_format(ret_path, error, "/v%s%s", version && *version ? version : ENGINE_API_VERSION, path);
}

/* Sends over the kept connection, or a new one if that has died since, and reads the answer's head. */
static int exchange(struct engine *engine, const struct http_request *request, struct http_connection **ret_connection,
                    struct http_head *ret_head, struct bh_error *error)
{
    for (bool again = true;;) {
        http_auto struct http_connection *connection = bh_steal_pointer(&engine->kept);
        bool fresh = !connection;
        if (fresh && http_connect(engine->socket_path, &connection, error) < 0) {
            return -1;
        }
        if (http_send(connection, request, error) < 0) {
            return -1;
        }
        if (http_receive(connection, ret_head, error) == 0) {
            *ret_connection = bh_steal_pointer(&connection);
            return 0;
        }
        if (fresh || !again || !http_was_stale(connection)) {
            return -1;
        }
        again = false;
    }
}

static void keep(struct engine *engine, struct http_connection **connection)
{
    if (!engine->kept && http_is_reusable(*connection)) {
        engine->kept = bh_steal_pointer(connection);
    }
}

static int ask(struct engine *engine, const char *method, const char *path, const char *body, char **ret_text,
               size_t *ret_bytes, struct bh_error *error)
{
    bh_autofree char *full_path = NULL;
    if (prefixed(path, &full_path, error) < 0) {
        return -1;
    }
    const struct http_request request = {
        .method = method,
        .path = full_path,
        .content_type = body ? "application/json" : NULL,
        .body = body,
        .body_bytes = body ? strlen(body) : 0,
    };
    http_auto struct http_connection *connection = NULL;
    struct http_head head = {0};
    if (exchange(engine, &request, &connection, &head, error) < 0) {
        return -1;
    }
    if (head.status >= 400) {
        int result = take_refusal(connection, head.status, error);
        keep(engine, &connection);
        return result;
    }
    if (http_read_all(connection, ENGINE_ANSWER_BYTES_MAX, ret_text, ret_bytes, error) < 0) {
        return -1;
    }
    keep(engine, &connection);
    return 0;
}

int engine_ask(struct engine *engine, const char *method, const char *path, const json_t *body, json_t **ret_answer,
               struct bh_error *error)
{
    bh_autofree char *body_text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    if (body && !body_text) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    bh_autofree char *text = NULL;
    size_t n_text = 0;
    if (ask(engine, method, path, body_text, &text, &n_text, error) < 0) {
        return -1;
    }
    if (!ret_answer) {
        return 0;
    }
    json_t *answer = n_text > 0 ? json_loadb(text, n_text, JSON_DECODE_ANY, NULL) : NULL;
    if (n_text > 0 && !answer) {
        return bh_error_set(error, BH_INTERNAL, "the engine's answer to %s %s is not JSON", method, path);
    }
    *ret_answer = answer;
    return 0;
}

int engine_ask_text(struct engine *engine, const char *method, const char *path, char **ret_text, size_t *ret_bytes,
                    struct bh_error *error)
{
    return ask(engine, method, path, NULL, ret_text, ret_bytes, error);
}

int engine_stream_send(struct engine *engine, const char *method, const char *path, const char *extra, bool upgrade,
                       struct http_connection **ret_connection, struct bh_error *error)
{
    bh_autofree char *full_path = NULL;
    http_auto struct http_connection *connection = NULL;
    if (prefixed(path, &full_path, error) < 0 || http_connect(engine->socket_path, &connection, error) < 0) {
        return -1;
    }
    const struct http_request request = {.method = method, .path = full_path, .extra = extra, .upgrade = upgrade};
    if (http_send(connection, &request, error) < 0) {
        return -1;
    }
    *ret_connection = bh_steal_pointer(&connection);
    return 0;
}

int engine_stream_receive(struct http_connection *connection, struct http_head *ret_head, struct bh_error *error)
{
    if (http_receive(connection, ret_head, error) < 0) {
        return -1;
    }
    return ret_head->status >= 400 ? take_refusal(connection, ret_head->status, error) : 0;
}

int engine_stream(struct engine *engine, const char *method, const char *path, const char *extra, bool upgrade,
                  struct http_connection **ret_connection, struct http_head *ret_head, struct bh_error *error)
{
    http_auto struct http_connection *connection = NULL;
    if (engine_stream_send(engine, method, path, extra, upgrade, &connection, error) < 0 ||
        engine_stream_receive(connection, ret_head, error) < 0) {
        return -1;
    }
    *ret_connection = bh_steal_pointer(&connection);
    return 0;
}

int engine_upload(struct engine *engine, const char *path, int fd, struct http_connection **ret_connection,
                  struct bh_error *error)
{
    bh_autofree char *full_path = NULL, *buffer = malloc(UPLOAD_BYTES);
    http_auto struct http_connection *connection = NULL;
    if (!buffer) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (prefixed(path, &full_path, error) < 0 || http_connect(engine->socket_path, &connection, error) < 0) {
        return -1;
    }
    const struct http_request request = {
        .method = "POST", .path = full_path, .content_type = "application/x-tar", .chunked = true};
    if (http_send(connection, &request, error) < 0) {
        return -1;
    }
    ssize_t n_read;
    int sent = 0;
    do {
        n_read = read(fd, buffer, UPLOAD_BYTES);
        if (n_read < 0 && errno != EINTR) {
            return bh_error_errno(error, errno, "read the archive");
        }
        if (n_read >= 0) {
            sent = http_write_chunk(connection, buffer, (size_t)n_read, error);
        }
    } while (n_read != 0 && sent == 0);
    if (sent < 0) {
        return -1;
    }
    struct http_head head = {0};
    if (engine_stream_receive(connection, &head, error) < 0) {
        return -1;
    }
    *ret_connection = bh_steal_pointer(&connection);
    return 0;
}

char *engine_escape(const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/:@";
    char *escaped = malloc(strlen(text) * 3 + 1), *out = escaped;
    for (; escaped && *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (strchr(plain, byte)) {
            *out++ = (char)byte;
        } else {
            *out++ = '%';
            *out++ = hex[byte >> 4];
            *out++ = hex[byte & 15];
        }
    }
    if (escaped) {
        *out = '\0';
    }
    return escaped;
}
