/* SPDX-License-Identifier: Apache-2.0
 *
 * The Docker Engine API as a client speaks it: where the socket is, which version is asked for, how an error is told.
 */
#include "engine.h"

#include <errno.h>
#include <string.h>

#include "fields.h"
#include "ssh.h"
#include "string_list.h"

#define ENGINE_DEFAULT_HOST     "unix:///run/bulkhead/bulkhead.sock"
#define ENGINE_API_VERSION      "1.47"
#define UPLOAD_BYTES            131072
#define ENGINE_ANSWER_BYTES_MAX (64U << 20) /* a list of ten thousand containers is about 10 MiB */

struct engine {
    char *host;
    const char *socket_path; /* within `host`; NULL: over ssh */
    struct http_connection *kept;
    char version[16];   /* of the API, that requests are made with */
    bool version_known; /* the engine has accepted it */
    unsigned int timeout_ms;
};

int engine_new(const char *host, struct engine **ret_engine, struct bh_error *error)
{
    static const char *const variables[] = {"BULKHEAD_HOST", "DOCKER_HOST"};
    for (size_t i = 0; !host && i < 2; i++) {
        const char *value = getenv(variables[i]);
        host = value && *value ? value : NULL;
    }
    host = host ? host : ENGINE_DEFAULT_HOST;
    bool over_ssh = strings_begins(host, "ssh://");
    if (!over_ssh && !strings_begins(host, "unix:///") && host[0] != '/') {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid host \"%s\": want unix:///path/to/socket or ssh://[user@]host[:port]", host);
    }
    struct engine *engine = calloc(1, sizeof(*engine));
    if (!engine || !(engine->host = strdup(host))) {
        free(engine);
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    engine->socket_path = over_ssh ? NULL : engine->host + (host[0] == '/' ? 0 : strlen("unix://"));
    const char *version = getenv("DOCKER_API_VERSION");
    engine->version_known = version && *version;
    (void)snprintf(engine->version, sizeof(engine->version), "%s",
                   engine->version_known ? version : ENGINE_API_VERSION);
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

static int prefixed(const struct engine *engine, const char *path, char **ret_path, struct bh_error *error)
{
    return strings_format(ret_path, error, "/v%s%s", engine->version, path);
}

int engine_connect(struct engine *engine, struct http_connection **ret_connection, struct bh_error *error)
{
    http_auto struct http_connection *connection = NULL;
    int fd = -1;
    if (engine->socket_path) {
        if (http_connect(engine->socket_path, &connection, error) < 0) {
            return -1;
        }
    } else if (ssh_connect(engine->host, &fd, error) < 0 || http_adopt(fd, &connection, error) < 0) {
        return -1;
    }
    if (engine->timeout_ms && http_set_timeout(connection, engine->timeout_ms, error) < 0) {
        return -1;
    }
    *ret_connection = bh_steal_pointer(&connection);
    return 0;
}

void engine_set_timeout(struct engine *engine, unsigned int timeout_ms)
{
    engine->timeout_ms = timeout_ms;
}

/* Sends over the kept connection, or a new one if that has died since, and reads the answer's head. */
static int exchange(struct engine *engine, const struct http_request *request, struct http_connection **ret_connection,
                    struct http_head *ret_head, struct bh_error *error)
{
    for (bool again = true;;) {
        http_auto struct http_connection *connection = bh_steal_pointer(&engine->kept);
        bool fresh = !connection;
        if (fresh && engine_connect(engine, &connection, error) < 0) {
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

/* "client version 1.47 is too new. Maximum supported API version is 1.41": from then on we speak that one. True if the
 * question is worth asking again. */
static bool step_down(struct engine *engine, const struct bh_error *error)
{
    static const char words[] = "Maximum supported API version is ";
    const char *at = error ? strstr(error->message, words) : NULL;
    if (engine->version_known || !at) {
        return false;
    }
    at += sizeof(words) - 1;
    size_t length = strspn(at, "0123456789.");
    (void)snprintf(engine->version, sizeof(engine->version), "%.*s", (int)length, at);
    engine->version_known = true;
    return length > 0;
}

static int ask_once(struct engine *engine, const char *method, const char *path, const char *body, char **ret_text,
                    size_t *ret_bytes, struct bh_error *error)
{
    bh_autofree char *full_path = NULL;
    if (prefixed(engine, path, &full_path, error) < 0) {
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
    engine->version_known = true;
    if (http_read_all(connection, ENGINE_ANSWER_BYTES_MAX, ret_text, ret_bytes, error) < 0) {
        return -1;
    }
    keep(engine, &connection);
    return 0;
}

static int ask(struct engine *engine, const char *method, const char *path, const char *body, char **ret_text,
               size_t *ret_bytes, struct bh_error *error)
{
    struct bh_error first = {0};
    if (ask_once(engine, method, path, body, ret_text, ret_bytes, &first) == 0) {
        return 0;
    }
    if (step_down(engine, &first)) {
        return ask_once(engine, method, path, body, ret_text, ret_bytes, error);
    }
    if (error) {
        *error = first;
    }
    return -1;
}

/* A stream is asked for once only: which version the engine speaks must be known before. */
static int settle_version(struct engine *engine, struct bh_error *error)
{
    bh_autofree char *text = NULL;
    size_t n_text = 0;
    return engine->version_known ? 0 : ask(engine, "GET", "/_ping", NULL, &text, &n_text, error);
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

int engine_stream_send(struct engine *engine, const struct engine_question *question,
                       struct http_connection **ret_connection, struct bh_error *error)
{
    bh_autofree char *full_path = NULL, *body = question->body ? json_dumps(question->body, JSON_COMPACT) : NULL;
    http_auto struct http_connection *connection = NULL;
    if (question->body && !body) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (settle_version(engine, error) < 0 || prefixed(engine, question->path, &full_path, error) < 0 ||
        engine_connect(engine, &connection, error) < 0) {
        return -1;
    }
    const struct http_request request = {
        .method = question->method,
        .path = full_path,
        .extra = question->extra,
        .upgrade = question->upgrade,
        .chunked = question->uploads,
        .content_type = question->uploads ? "application/x-tar"
                        : body            ? "application/json"
                                          : NULL,
        .body = body,
        .body_bytes = body ? strlen(body) : 0,
    };
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

int engine_stream(struct engine *engine, const struct engine_question *question,
                  struct http_connection **ret_connection, struct http_head *ret_head, struct bh_error *error)
{
    http_auto struct http_connection *connection = NULL;
    if (engine_stream_send(engine, question, &connection, error) < 0 ||
        engine_stream_receive(connection, ret_head, error) < 0) {
        return -1;
    }
    *ret_connection = bh_steal_pointer(&connection);
    return 0;
}

int engine_upload(struct engine *engine, const struct engine_question *question, int fd,
                  struct http_connection **ret_connection, struct bh_error *error)
{
    bh_autofree char *buffer = malloc(UPLOAD_BYTES);
    http_auto struct http_connection *connection = NULL;
    if (!buffer) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (engine_stream_send(engine, question, &connection, error) < 0) {
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
