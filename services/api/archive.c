/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's files: HEAD, GET and PUT /containers/{id}/archive, and GET /containers/{id}/export. Archives stream
 * through pipes between the client and a process inside the container; of what goes in, the first bytes are looked at
 * here, to tell whether it is compressed.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "body_pipe.h"
#include "common/docker_time.h"
#include "common/io.h"
#include "engine_call.h"
#include "go_mode.h"
#include "handlers.h"
#include "pipe_out.h"

#define STAT_FIELD "X-Docker-Container-Path-Stat: "
#define TAR_TYPE   "application/x-tar"

/* ---- parameters -------------------------------------------------------------------------------------------- */

static int read_path(struct request *request, const char **ret_path, struct bh_error *error)
{
    const char *path = http_parameter(&request->target, "path");
    if (request_container_name(request, error) < 0) {
        return -1;
    }
    if (!path || !*path) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "bad parameter: path cannot be empty");
    }
    *ret_path = path;
    return 0;
}

/* ---- what is told of a path --------------------------------------------------------------------------------- */

static void write_stat(struct json_writer *writer, const Bulkhead__PathStat *stat)
{
    char time[DOCKER_TIME_SIZE];
    bool epoch = stat->mtime_ns == 0; /* which is a time here, and not "never" */
    write_object(writer, NULL);
    write_string_n(writer, "name", (const char *)stat->name.data, stat->name.len);
    write_uint(writer, "size", stat->size_bytes);
    write_uint(writer, "mode", go_mode(stat->mode));
    write_string(writer, "mtime", epoch ? "1970-01-01T00:00:00Z" : docker_time(stat->mtime_ns, time));
    write_string_n(writer, "linkTarget", (const char *)stat->link_target.data, stat->link_target.len);
    write_object_end(writer);
}

/* The header field: base64 of JSON, as one line. The caller frees it. */
static int make_field(const Bulkhead__PathStat *stat, char **ret_field, struct bh_error *error)
{
    auto_json_writer writer = {0};
    write_stat(&writer, stat);
    size_t prefix = strlen(STAT_FIELD);
    char *field = writer.failed ? NULL : malloc(prefix + 4 * (writer.n_bytes / 3 + 1) + 3);
    if (!field) {
        return out_of_memory(error);
    }
    memcpy(field, STAT_FIELD, prefix);
    int n = EVP_EncodeBlock((unsigned char *)field + prefix, (const unsigned char *)writer.bytes, (int)writer.n_bytes);
    memcpy(field + prefix + n, "\r\n", 3);
    *ret_field = field;
    return 0;
}

int handle_archive_stat(struct request *request, struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    bh_autofree char *field = NULL;
    const char *path;
    Bulkhead__StatPath question = BULKHEAD__STAT_PATH__INIT;
    ENGINE_PACKET(packet, STAT_PATH, stat_path, &question);
    if (read_path(request, &path, error) < 0) {
        return -1;
    }
    question.reference = request->name;
    question.path = (char *)(uintptr_t)path;
    if (engine_ask(request, &packet, BH_DEADLINE_JOB_MS, BULKHEAD__ENGINE_TO_API__BODY_PATH_STAT, &message, error) <
            0 ||
        make_field(bh_message_body(message), &field, error) < 0) {
        return -1;
    }
    (void)connection_respond(request->connection, 200, TAR_TYPE, field, NULL, 0);
    return 0;
}

/* ---- out ------------------------------------------------------------------------------------------------------ */

/* The engine has the last word: an archive that is not whole has no end. */
static int finish(struct request *request, struct engine_call *call, struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    if (engine_call_next(call, &message, error) < 0) {
        return -1;
    }
    if (message->kind != BULKHEAD__ENGINE_TO_API__BODY_DONE) {
        return bh_error_set(error, BH_INTERNAL, "the engine ended an archive with message %u", message->kind);
    }
    (void)connection_stream_end(request->connection);
    return 0;
}

int handle_archive_get(struct request *request, struct bh_error *error)
{
    auto_engine_call call = {0};
    bh_automessage struct bh_message *message = NULL;
    bh_autoclose int from = -1;
    bh_autoclose int to = -1;
    bh_autofree char *field = NULL;
    const char *path;
    Bulkhead__ReadArchive question = BULKHEAD__READ_ARCHIVE__INIT;
    ENGINE_PACKET(packet, READ_ARCHIVE, read_archive, &question);
    if (read_path(request, &path, error) < 0 || large_pipe_open(&from, &to, error) < 0) {
        return -1;
    }
    question.reference = request->name;
    question.path = (char *)(uintptr_t)path;
    if (engine_call_start(request, &packet, &to, 1, BH_DEADLINE_JOB_MS, &call, error) < 0) {
        return -1;
    }
    bh_close(&to);
    if (engine_call_next(&call, &message, error) < 0) {
        return -1;
    }
    if (message->kind != BULKHEAD__ENGINE_TO_API__BODY_PATH_STAT) {
        return bh_error_set(error, BH_INTERNAL, "the engine began an archive with message %u", message->kind);
    }
    if (make_field(bh_message_body(message), &field, error) < 0) {
        return -1;
    }
    if (connection_stream_begin_with(request->connection, 200, TAR_TYPE, field) < 0) {
        return 0;
    }
    return pipe_out(request, from, error) < 0 ? -1 : finish(request, &call, error);
}

int handle_container_export(struct request *request, struct bh_error *error)
{
    auto_engine_call call = {0};
    bh_autoclose int from = -1;
    bh_autoclose int to = -1;
    Bulkhead__ExportContainer question = BULKHEAD__EXPORT_CONTAINER__INIT;
    ENGINE_PACKET(packet, EXPORT_CONTAINER, export_container, &question);
    if (request_container_name(request, error) < 0 || large_pipe_open(&from, &to, error) < 0) {
        return -1;
    }
    question.reference = request->name;
    if (engine_call_start(request, &packet, &to, 1, BH_DEADLINE_JOB_MS, &call, error) < 0) {
        return -1;
    }
    bh_close(&to);
    /* The status waits for the first byte; if the pipe ends before that, the engine's answer says why. */
    struct pollfd first = {.fd = from, .events = POLLIN};
    while (poll(&first, 1, -1) < 0 && errno == EINTR) {
    }
    if (!(first.revents & POLLIN)) {
        bh_automessage struct bh_message *message = NULL;
        return engine_call_next(&call, &message, error) < 0
                   ? -1
                   : bh_error_set(error, BH_INTERNAL, "an export without a byte");
    }
    if (connection_stream_begin(request->connection, 200, "application/octet-stream") < 0) {
        return 0;
    }
    return pipe_out(request, from, error) < 0 ? -1 : finish(request, &call, error);
}

/* ---- in ------------------------------------------------------------------------------------------------------- */

static bool is_compressed(const char *bytes, size_t n_bytes)
{
    static const struct {
        const char *magic;
        size_t n_bytes;
    } kinds[] = {{"\x1f\x8b", 2},
                 {"BZh", 3},
                 {"\xfd"
                  "7zXZ\0",
                  6},
                 {"\x28\xb5\x2f\xfd", 4}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (n_bytes >= kinds[i].n_bytes && memcmp(bytes, kinds[i].magic, kinds[i].n_bytes) == 0) {
            return true;
        }
    }
    return false;
}

/* The first bytes: as many as tell what they are, or all there are. */
static int read_first(struct request *request, char *bytes, size_t wanted, size_t *ret_bytes, struct bh_error *error)
{
    *ret_bytes = 0;
    while (*ret_bytes < wanted) {
        ssize_t n = connection_read_body(request->connection, bytes + *ret_bytes, wanted - *ret_bytes, error);
        if (n <= 0) {
            return (int)n;
        }
        *ret_bytes += (size_t)n;
    }
    return 0;
}

static int send_archive(struct request *request, Bulkhead__WriteArchive *question, const char *first, size_t n_first,
                        struct bh_error *error)
{
    auto_engine_call call = {0};
    bh_automessage struct bh_message *message = NULL;
    auto_body_pipe pipe = BODY_PIPE_NONE;
    ENGINE_PACKET(packet, WRITE_ARCHIVE, write_archive, question);
    if (body_pipe_open(&pipe, error) < 0 ||
        bh_write_all(pipe.to, first, n_first, "the archive's pipe", error) < 0 || /* a new pipe has room for them */
        engine_call_start(request, &packet, pipe.theirs, BODY_PIPE_FDS, BH_DEADLINE_JOB_MS, &call, error) < 0 ||
        body_pipe_pump(request, &call, &pipe, error) < 0 || engine_call_next(&call, &message, error) < 0) {
        return -1;
    }
    return message->kind == BULKHEAD__ENGINE_TO_API__BODY_DONE
               ? request_answer_empty(request, 200)
               : bh_error_set(error, BH_INTERNAL, "the engine answered an archive with message %u", message->kind);
}

int handle_archive_put(struct request *request, struct bh_error *error)
{
    char first[16];
    size_t n_first = 0;
    const char *path;
    Bulkhead__WriteArchive question = BULKHEAD__WRITE_ARCHIVE__INIT;
    if (read_path(request, &path, error) < 0) {
        return -1;
    }
    question.reference = request->name;
    question.path = (char *)(uintptr_t)path;
    question.no_overwrite_dir_non_dir = http_parameter_bool(&request->target, "noOverwriteDirNonDir", false);
    question.copy_uid_gid = http_parameter_bool(&request->target, "copyUIDGID", false);
    if (connection_has_body(request->connection) && read_first(request, first, sizeof(first), &n_first, error) < 0) {
        return -1;
    }
    question.compressed = is_compressed(first, n_first);
    return send_archive(request, &question, first, n_first, error);
}
