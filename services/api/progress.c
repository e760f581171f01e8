/* SPDX-License-Identifier: Apache-2.0
 *
 * See progress.h.
 */
#include "progress.h"

#include <stdio.h>
#include <string.h>

#include "common/digest.h"

#define BAR_CELLS 50

/* Docker's units.HumanSize: four significant digits, powers of 1000. */
static const char *human_size(uint64_t bytes, char buffer[static 16])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double size = (double)bytes;
    size_t unit = 0;
    while (size >= 1000.0 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        size /= 1000.0;
        unit++;
    }
    snprintf(buffer, 16, "%.4g%s", size, units[unit]);
    return buffer;
}

const char *progress_bar(uint64_t current_bytes, uint64_t total_bytes, char *buffer, size_t buffer_bytes)
{
    char current[16];
    char total[16];
    if (total_bytes == 0) {
        snprintf(buffer, buffer_bytes, "%8s", human_size(current_bytes, current));
        return buffer;
    }
    double share = (double)current_bytes / (double)total_bytes;
    int cells = share >= 1.0 ? BAR_CELLS : (int)(share * 100.0) / 2;
    snprintf(buffer, buffer_bytes, "[%.*s>%*s] %8s/%s", cells,
             "==================================================", BAR_CELLS - cells, "",
             human_size(current_bytes, current), human_size(total_bytes, total));
    return buffer;
}

/* How each kind is said. */
static const struct {
    const char *status;
    bool counts; /* bytes are shown */
} words[] = {
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_PULLING_FROM] = {"Pulling from ", false},
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_PULLING_LAYER] = {"Pulling fs layer", false},
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_WAITING] = {"Waiting", false},
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_DOWNLOADING] = {"Downloading", true},
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_VERIFYING] = {"Verifying Checksum", false},
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_DOWNLOAD_COMPLETE] = {"Download complete", false},
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_EXTRACTING] = {"Extracting", true},
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_PULL_COMPLETE] = {"Pull complete", false},
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_ALREADY_EXISTS] = {"Already exists", false},
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_DIGEST] = {"Digest: ", false},
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_STATUS] = {"", false},
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_PREPARING] = {"Preparing", false},
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_PUSHING] = {"Pushing", true},
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_PUSHED] = {"Pushed", false},
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_LAYER_EXISTS] = {"Layer already exists", false},
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_MOUNTED] = {"Mounted from ", false},
    [BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_LOADING_LAYER] = {"Loading layer", true},
};

void write_progress(struct json_writer *writer, const Bulkhead__Progress *progress)
{
    size_t kind = (size_t)progress->kind;
    if (kind >= sizeof(words) / sizeof(words[0]) || !words[kind].status) {
        return;
    }
    write_object(writer, NULL);
    write_format(writer, "status", "%s%s", words[kind].status, progress->text);
    if (*progress->id && kind != BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_PULLING_FROM) {
        write_object(writer, "progressDetail");
        if (words[kind].counts) {
            char bar[128];
            write_uint(writer, "current", progress->current_bytes);
            if (progress->total_bytes > 0) {
                write_uint(writer, "total", progress->total_bytes);
            }
            write_object_end(writer);
            write_string(writer, "progress",
                         progress_bar(progress->current_bytes, progress->total_bytes, bar, sizeof(bar)));
        } else {
            write_object_end(writer);
        }
    }
    if (*progress->id) {
        write_string(writer, "id", progress->id);
    }
    write_object_end(writer);
    write_line_end(writer);
}

void write_progress_error(struct json_writer *writer, const struct bh_error *error)
{
    char text[BH_ERROR_MESSAGE_SIZE + BH_ERROR_CONTEXT_MAX * (BH_ERROR_CONTEXT_SIZE + 2)];
    bh_error_format(error, text, sizeof(text));
    write_object(writer, NULL);
    write_object(writer, "errorDetail");
    write_string(writer, "message", text);
    write_object_end(writer);
    write_string(writer, "error", text);
    write_object_end(writer);
    write_line_end(writer);
}

static void write_loaded_line(struct json_writer *writer, const char *what, const char *name)
{
    write_object(writer, NULL);
    write_format(writer, "stream", "%s: %s\n", what, name);
    write_object_end(writer);
    write_line_end(writer);
}

static void write_loaded(struct json_writer *writer, const Bulkhead__ImageLoaded *loaded)
{
    struct bh_digest digest;
    char text[BH_DIGEST_TEXT_SIZE];
    for (size_t i = 0; i < loaded->n_references; i++) {
        write_loaded_line(writer, "Loaded image", loaded->references[i]);
    }
    if (loaded->n_references == 0 && bh_digest_from_bytes(loaded->id.data, loaded->id.len, &digest, NULL) == 0) {
        write_loaded_line(writer, "Loaded image ID", bh_digest_text(&digest, text));
    }
}

/* What Docker's clients print the digest from. */
static void write_pushed(struct json_writer *writer, const Bulkhead__TagPushed *pushed)
{
    struct bh_digest digest;
    char text[BH_DIGEST_TEXT_SIZE] = "";
    if (bh_digest_from_bytes(pushed->digest.data, pushed->digest.len, &digest, NULL) == 0) {
        (void)bh_digest_text(&digest, text);
    }
    write_object(writer, NULL);
    write_object(writer, "progressDetail");
    write_object_end(writer);
    write_object(writer, "aux");
    write_string(writer, "Tag", pushed->tag);
    write_string(writer, "Digest", text);
    write_uint(writer, "Size", pushed->size_bytes);
    write_object_end(writer);
    write_object_end(writer);
    write_line_end(writer);
}

static int send_answer(struct request *request, const struct bh_message *answer, bool quiet)
{
    auto_json_writer writer = {0};
    if (answer->kind == BULKHEAD__ENGINE_TO_API__BODY_PROGRESS && !quiet) {
        write_progress(&writer, bh_message_body(answer));
    } else if (answer->kind == BULKHEAD__ENGINE_TO_API__BODY_IMAGE_LOADED) {
        write_loaded(&writer, bh_message_body(answer));
    } else if (answer->kind == BULKHEAD__ENGINE_TO_API__BODY_TAG_PUSHED) {
        write_pushed(&writer, bh_message_body(answer));
    }
    return writer.failed ? -1 : connection_stream_write(request->connection, writer.bytes, writer.n_bytes);
}

static int end_with_error(struct request *request, const struct bh_error *error)
{
    auto_json_writer writer = {0};
    write_progress_error(&writer, error);
    (void)connection_stream_write(request->connection, writer.bytes, writer.n_bytes);
    (void)connection_stream_end(request->connection);
    return 0;
}

int stream_progress(struct request *request, struct engine_call *call, bool quiet, struct bh_error *error)
{
    for (bool more = true; more;) {
        bh_automessage struct bh_message *answer = NULL;
        if (engine_call_next(call, &answer, error) < 0) {
            return request->connection->streaming ? end_with_error(request, error) : -1;
        }
        if (!request->connection->streaming &&
            connection_stream_begin(request->connection, 200, "application/json") < 0) {
            return 0;
        }
        if (send_answer(request, answer, quiet) < 0) {
            return 0; /* the client is gone; ending the call tells the engine */
        }
        more = answer->more;
    }
    (void)connection_stream_end(request->connection);
    return 0;
}
