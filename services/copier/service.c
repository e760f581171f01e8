/* SPDX-License-Identifier: Apache-2.0
 *
 * See service.h. Handlers take messages apart and check that the job fits the view this process was started with.
 */
#include "service.h"

#include <string.h>

#include "changes.h"
#include "common/channel.h"
#include "common/cleanup.h"
#include "copy_out.h"
#include "engine_copier.pb-c.h"
#include "layer.h"
#include "measure.h"
#include "owner.h"
#include "unpack.h"

#define STATE_NEW  1U /* waiting for its one job */
#define STATE_DONE 2U /* had it */

#define REPLY(name) BULKHEAD__COPIER_TO_ENGINE__BODY_##name

/* The copier, if this job is one for its view; else the request is refused. */
static const struct copier *begin_job(struct bh_request *request, unsigned views)
{
    const struct copier *copier = bh_request_owner(request);
    struct bh_error error;
    bh_channel_set_state(bh_request_channel(request), STATE_DONE);
    if (views & (1U << copier->view)) {
        return copier;
    }
    (void)bh_error_set(&error, BH_FAILED_PRECONDITION, "this copier was started for another kind of job");
    (void)bh_request_fail(request, &error);
    return NULL;
}

static void answer_done(struct bh_request *request, int result, const struct bh_error *error)
{
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__CopierToEngine packet = BULKHEAD__COPIER_TO_ENGINE__INIT;
    packet.body_case = REPLY(DONE);
    packet.done = &done;
    (void)(result < 0 ? bh_request_fail(request, error) : bh_request_reply(request, &packet.base, NULL, 0));
}

static void tell_found(struct bh_request *request, const struct found_path *found, bool more)
{
    Bulkhead__PathStat stat = BULKHEAD__PATH_STAT__INIT;
    Bulkhead__CopierToEngine packet = BULKHEAD__COPIER_TO_ENGINE__INIT;
    stat.name =
        (ProtobufCBinaryData){.len = strlen(found->asked.name), .data = (uint8_t *)(uintptr_t)found->asked.name};
    stat.link_target =
        (ProtobufCBinaryData){.len = strlen(found->link_target), .data = (uint8_t *)(uintptr_t)found->link_target};
    stat.size_bytes = (uint64_t)found->status.st_size;
    stat.mode = found->status.st_mode;
    stat.mtime_ns = (int64_t)found->status.st_mtim.tv_sec * 1000000000 + found->status.st_mtim.tv_nsec;
    packet.body_case = REPLY(PATH_STAT);
    packet.path_stat = &stat;
    (void)(more ? bh_request_progress(request, &packet.base, NULL, 0)
                : bh_request_reply(request, &packet.base, NULL, 0));
}

static void handle_look(struct bh_request *request)
{
    const struct copier *copier = begin_job(request, 1U << BH_COPIER_READ);
    const Bulkhead__LookAtPath *message = bh_request_body(request);
    static struct found_path found;
    struct bh_error error = {0};
    if (!copier) {
        return;
    }
    if (found_path_open(copier->root, message->path, &found, &error) < 0) {
        (void)bh_request_fail(request, &error);
    } else {
        tell_found(request, &found, false);
    }
    found_path_close(&found);
}

static void handle_copy_out(struct bh_request *request)
{
    const struct copier *copier = begin_job(request, 1U << BH_COPIER_READ);
    const Bulkhead__CopyOut *message = bh_request_body(request);
    bh_autoclose int pipe = bh_request_take_fd(request, 0);
    static struct found_path found;
    struct bh_error error = {0};
    if (!copier) {
        return;
    }
    int result = found_path_open(copier->root, message->path, &found, &error);
    if (result == 0) {
        tell_found(request, &found, true);
        result = copy_out(copier->root, &found, pipe, &error);
    }
    found_path_close(&found);
    bh_close(&pipe); /* the end of the pipe comes before the answer */
    answer_done(request, result, &error);
}

static void handle_copy_in(struct bh_request *request)
{
    const struct copier *copier = begin_job(request, 1U << BH_COPIER_WRITE);
    const Bulkhead__CopyIn *message = bh_request_body(request);
    bh_autoclose int source = bh_request_take_fd(request, 0);
    struct bh_error error = {0};
    if (!copier) {
        return;
    }
    struct unpack wish = {.root = copier->root,
                          .path = message->path,
                          .no_overwrite_dir_non_dir = message->no_overwrite_dir_non_dir,
                          .owner_set = *message->user != '\0'};
    int result = wish.owner_set ? owner_find(copier->root, message->user, &wish.uid, &wish.gid, &error) : 0;
    if (result == 0) {
        result = unpack(&wish, source, &error);
    }
    bh_close(&source);
    answer_done(request, result, &error);
}

static void handle_copy_root(struct bh_request *request)
{
    const struct copier *copier = begin_job(request, 1U << BH_COPIER_BARE);
    bh_autoclose int pipe = bh_request_take_fd(request, 0);
    struct bh_error error = {0};
    if (copier) {
        int result = copy_root(copier->root, pipe, &error);
        bh_close(&pipe);
        answer_done(request, result, &error);
    }
}

static int tell_changes(void *argument, Bulkhead__FileChanges *changes)
{
    Bulkhead__CopierToEngine packet = BULKHEAD__COPIER_TO_ENGINE__INIT;
    packet.body_case = REPLY(FILE_CHANGES);
    packet.file_changes = changes;
    return bh_request_progress(argument, &packet.base, NULL, 0);
}

static void handle_find_changes(struct bh_request *request)
{
    const struct copier *copier = begin_job(request, 1U << BH_COPIER_UPPER);
    struct bh_error error = {0};
    if (copier) {
        answer_done(request, changes_find(copier, tell_changes, request, &error), &error);
    }
}

static void handle_copy_upper(struct bh_request *request)
{
    const struct copier *copier = begin_job(request, 1U << BH_COPIER_UPPER);
    bh_autoclose int pipe = bh_request_take_fd(request, 0);
    struct bh_error error = {0};
    if (copier) {
        int result = layer_write(copier, pipe, &error);
        bh_close(&pipe);
        answer_done(request, result, &error);
    }
}

static void handle_measure(struct bh_request *request)
{
    const struct copier *copier = begin_job(request, 1U << BH_COPIER_SIZE | 1U << BH_COPIER_UPPER);
    Bulkhead__TreeSize size = BULKHEAD__TREE_SIZE__INIT;
    Bulkhead__CopierToEngine packet = BULKHEAD__COPIER_TO_ENGINE__INIT;
    struct bh_error error = {0};
    packet.body_case = REPLY(TREE_SIZE);
    packet.tree_size = &size;
    if (copier) {
        (void)(measure_tree(copier->upper, &size.bytes, &size.inodes, &error) < 0
                   ? bh_request_fail(request, &error)
                   : bh_request_reply(request, &packet.base, NULL, 0));
    }
}

#define JOB(name) BULKHEAD__ENGINE_TO_COPIER__BODY_##name

static const struct bh_handler handlers[] = {
    {JOB(LOOK_AT_PATH), "LookAtPath", STATE_NEW, 0, 0, handle_look},
    {JOB(COPY_OUT), "CopyOut", STATE_NEW, 1, 1, handle_copy_out},
    {JOB(COPY_IN), "CopyIn", STATE_NEW, 1, 1, handle_copy_in},
    {JOB(COPY_ROOT), "CopyRoot", STATE_NEW, 1, 1, handle_copy_root},
    {JOB(FIND_CHANGES), "FindChanges", STATE_NEW, 0, 0, handle_find_changes},
    {JOB(COPY_UPPER), "CopyUpper", STATE_NEW, 1, 1, handle_copy_upper},
    {JOB(MEASURE_UPPER), "MeasureUpper", STATE_NEW, 0, 0, handle_measure},
    {0},
};

static const struct bh_protocol protocol = {
    .name = "engine_copier",
    .incoming = &bulkhead__engine_to_copier__descriptor,
    .outgoing = &bulkhead__copier_to_engine__descriptor,
    .handlers = handlers,
};

int service_run(struct copier *copier, struct bh_error *error)
{
    struct bh_channel *channel;
    if (bh_channel_new(&protocol, copier, &channel, error) < 0 ||
        bh_channel_wire(channel, BH_COPIER_FD_JOB, error) < 0) {
        return -1;
    }
    int result = bh_channel_serve(channel, error);
    bh_channel_free(channel);
    return result;
}
